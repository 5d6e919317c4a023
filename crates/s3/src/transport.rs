//! What the operations need from the world: to send a request, to know the time, to wait, to draw a number.
//!
//! A trait, so that both sides share the operations, and so that every path of them (a 503, a lost connection, a body that stops half-way) is
//! tested with a scripted world. Its functions are async because the host's must be; in a component they wait inside and are ready when they
//! return, and [`now`] runs them.

use std::pin::pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use crate::request::Request;

/// Why no answer came, or not all of it. The texts are parts of sentences.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The host does not let this component make the request.
    Denied,
    /// The server took longer than it was given.
    TooSlow,
    /// The connection could not be made, or broke. The text says which.
    Network(&'static str),
    /// The request can't succeed as it is, however often it is tried. The text says why.
    Request(&'static str),
}

impl Fault {
    /// The server's name has no address.
    pub const NO_SUCH_NAME: Self = Self::Network("its name can't be resolved");
    /// Nobody listens there.
    pub const REFUSED: Self = Self::Network("it refuses the connection");
    /// No route, or a network that is down.
    pub const NO_WAY: Self = Self::Network("there is no way to it");
    /// It ended before the answer did.
    pub const BROKEN_OFF: Self = Self::Network("the connection broke off");
    /// What came is no TLS.
    pub const NO_TLS: Self =
        Self::Network("TLS fails: does s3_endpoint_url say https where the server speaks http?");
    /// What came is no HTTP.
    pub const NO_HTTP: Self = Self::Network("the exchange failed within HTTP");
    /// TLS works, and who answers is not who was asked.
    pub const UNTRUSTED: Self = Self::Request("its TLS certificate is not trusted");
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
pub trait Answer: Send {
    /// The HTTP status.
    fn status(&self) -> u16;

    /// The value of a header by its name in lower case, where it is there once and is text.
    fn header(&self, name: &str) -> Option<String>;

    /// The whole body; gives up, having read no more than a piece beyond, where it has more than `max_bytes`.
    fn body(self, max_bytes: u64) -> impl Future<Output = Result<Vec<u8>, BodyFault>> + Send;
}

/// The world.
pub trait Transport: Sync {
    /// What [`Transport::send`] gives.
    type Answer: Answer;

    /// Sends the request with `body`, follows no redirect and unpacks nothing; the answer's head, within `time_left`, which also bounds the
    /// reading of its body.
    fn send(
        &self,
        request: Request,
        body: Bytes,
        time_left: Duration,
    ) -> impl Future<Output = Result<Self::Answer, Fault>> + Send;

    /// Time since some fixed moment, which never goes back.
    fn monotonic(&self) -> Duration;

    /// The time of day, for signatures.
    fn time_of_day(&self) -> SystemTime;

    /// Waits.
    fn pause(&self, duration: Duration) -> impl Future<Output = ()> + Send;

    /// A random number.
    fn random(&self) -> u64;
}

/// The result of an operation over a transport that waits inside its functions.
pub fn now<T>(operation: impl Future<Output = T>) -> T {
    let mut operation = pin!(operation);
    loop {
        // Ready at once, as nothing in it ever gives way.
        if let Poll::Ready(result) = operation.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return result;
        }
    }
}
