//! The resize component: one wake-up, one job, one thumbnail.
