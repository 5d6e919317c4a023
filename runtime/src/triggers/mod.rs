//! What makes components run: requests and messages.
//!
//! A trigger owns its tasks, takes a permit before it starts a call, and knows how to stop: no new work, then a wait for what runs.
//! It knows no backend.

pub mod http;
pub mod redis;
pub mod router;
