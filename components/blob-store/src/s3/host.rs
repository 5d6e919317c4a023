//! What the S3 client needs from the world: to send a request, to know the time, to wait, to draw a number.
//!
//! A trait, so that every path of the client (a 503, a lost connection, a body that stops half-way) is tested natively with a
//! scripted world; the one for components is `wasi_http`.

use std::time::Duration;

use jiff::Timestamp;

/// A signed request, ready to be sent.
pub struct Request {
    /// `GET`, `HEAD`, `PUT` or `DELETE`.
    pub method: rusty_s3::Method,
    /// Absolute, with the signature in its query: never to be logged.
    pub url: url::Url,
    /// Name in lower case and value, without `host`.
    pub headers: Vec<(&'static str, String)>,
}

/// Why no answer came, or not all of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The host does not let this component make the request.
    Denied,
    /// The connection could not be made, or broke, or was too slow. The text says which.
    Network(&'static str),
    /// The request can't succeed as it is, however often it is tried. The text says why.
    Request(&'static str),
}

/// Why a body was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyFault {
    /// It has more bytes than the caller takes.
    TooLarge,
    /// It stopped.
    Fault(Fault),
}

/// The head of an answer, its body yet to be read.
pub trait Answer {
    /// The HTTP status.
    fn status(&self) -> u16;

    /// The value of a header by its name in lower case, where it is there once and is text.
    fn header(&self, name: &str) -> Option<String>;

    /// The whole body; gives up, having read no more than that, where it has more than `max_bytes`.
    ///
    /// # Errors
    /// As [`BodyFault`] says.
    fn body(self, max_bytes: u64) -> Result<Vec<u8>, BodyFault>;
}

/// The world.
pub trait Host {
    /// What [`Host::send`] gives.
    type Answer: Answer;

    /// Sends the request with `body`; the answer's head, within `time_left`, which also bounds the reading of its body.
    ///
    /// # Errors
    /// As [`Fault`] says.
    fn send(&self, request: &Request, body: &[u8], time_left: Duration) -> Result<Self::Answer, Fault>;

    /// Time since some fixed moment, which never goes back.
    fn monotonic(&self) -> Duration;

    /// The time of day, for signatures.
    fn timestamp(&self) -> Timestamp;

    /// Waits.
    fn pause(&self, duration: Duration);

    /// A random number.
    fn random(&self) -> u64;
}
