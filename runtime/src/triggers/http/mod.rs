//! Requests over HTTP/1.1: one task per connection, one fresh instance per request.
//!
//! Nothing is spawned for a request: the connection's task runs the guest, and goes on running it while it writes the response. When the
//! client goes away before that, both are dropped together; a guest that goes on after its response is the one thing that gets a task of
//! its own (`behind.rs`). What the host answers by itself is a problem (`problem.rs`), a static response of
//! the manifest, or the health check.

mod access;
mod arriving;
mod behind;
mod body;
mod call;
mod continued;
mod handler;
pub(crate) mod headers;
mod numbers;
mod parking;
mod places;
mod queue;
mod server;
mod stream;

pub use handler::{Answer, Handler, LOG_TAIL};
pub use parking::{PARK, PARK_NOTE, PARKED_MS, PARKED_NOTE, ParkingLot};
pub(crate) use server::{ACCEPT_PAUSE, HttpView};
pub use server::{HttpServer, ServerTasks};

use std::sync::Arc;

use crate::manifest::StaticResponse;

/// Answers by itself, always with 200: whether the process lives. As Spin does.
pub const HEALTH_PATH: &str = "/.well-known/spin/health";

/// Answers by itself: 200 while requests should be sent here, 503 from the moment on that the process was told to stop.
pub const READY_PATH: &str = "/.well-known/thumbs/ready";

/// What a route leads to.
#[derive(Clone)]
pub enum Target {
    /// A component.
    Component(Arc<Handler>),
    /// The manifest's own words.
    Static(Arc<StaticResponse>),
}

impl std::fmt::Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Component(handler) => f.debug_tuple("Component").field(&handler.id()).finish(),
            Self::Static(response) => f.debug_tuple("Static").field(&response.status).finish(),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Component(handler) => f.write_str(handler.id()),
            Self::Static(response) => write!(f, "static response, {}", response.status.as_u16()),
        }
    }
}
