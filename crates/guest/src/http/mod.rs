//! HTTP as all components speak it: requests read once into a small type, responses with the same headers everywhere, errors
//! as problems.
//!
//! Handlers know only `http::Request` without a body, a [`body::Body`] to read, and `http::Response`; the host's types stay in
//! `serve.rs`.

pub mod answer;
pub mod body;
pub mod cors;
pub mod etag;
pub mod gate;
pub mod park;
pub mod picture;
pub mod range;
pub mod request;
pub mod response;
#[cfg(target_arch = "wasm32")]
pub mod serve;
pub mod throttle;

pub use body::{Body, BodyError};
pub use gate::{Caller, signed_link};
pub use request::Request;
pub use response::{Failed, Response};
