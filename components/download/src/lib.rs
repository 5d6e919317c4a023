//! The download component: GET and HEAD /thumbnails/{id}.
