//! The status component: GET /jobs/{id}.
