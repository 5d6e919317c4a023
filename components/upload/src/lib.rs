//! The upload component: POST /jobs.
