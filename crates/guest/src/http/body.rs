//! A request's body, which comes in pieces.

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::LocalBoxStream;
use thiserror::Error;

/// The pieces of a body as they come in.
pub type Body = LocalBoxStream<'static, Result<Bytes, BodyError>>;

/// Why a body could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BodyError {
    /// The connection broke, or the client gave up.
    #[error("the body broke off: {0}")]
    Broken(String),
}

/// A body that is there already, for tests and for requests without one.
pub fn from_bytes(bytes: impl Into<Bytes>) -> Body {
    futures::stream::once(std::future::ready(Ok(bytes.into()))).boxed_local()
}
