//! A body that arrives: cut by size, by how long the client pauses, and by how slow it is on the whole.
//!
//! Only the client's time counts: what a guest takes between two pieces is not the client's fault. A clock of it is kept, so that a request
//! with a slow client is not taken for a slow guest either.

use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use futures_util::FutureExt as _;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep};

use crate::{
    limits::{Limits, millis},
    problem::Problem,
};

/// So much of a body is awaited before anything is done with it: a client that sends little or nothing costs a connection and no more, and
/// a small body is whole when its guest begins.
const AWAITED_BYTES: usize = 64 * 1024;

/// What a body is held to.
#[derive(Clone, Copy, Debug)]
pub(super) struct BodyBounds {
    pub(super) max_bytes: u64,
    max_pause: Duration,
    min_bytes_per_sec: u64,
    grace: Duration,
}

impl BodyBounds {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            max_bytes: limits.max_request_body_bytes,
            max_pause: millis(limits.body_timeout_ms),
            min_bytes_per_sec: limits.min_body_bytes_per_sec,
            grace: millis(limits.body_grace_ms),
        }
    }

    /// For how long in all a client may be waited for that has sent so much.
    fn patience(&self, read_bytes: u64) -> Duration {
        match self.min_bytes_per_sec {
            0 => Duration::MAX,
            rate => self.grace.saturating_add(millis(read_bytes.saturating_mul(1_000) / rate)),
        }
    }
}

/// How long a client has been waited for.
#[derive(Clone, Debug, Default)]
pub(super) struct ClientClock(Arc<Mutex<Waited>>);

#[derive(Debug, Default)]
struct Waited {
    before: Duration,
    since: Option<Instant>,
}

impl ClientClock {
    fn with<T>(&self, use_it: impl FnOnce(&mut Waited) -> T) -> T {
        use_it(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The time up to now.
    pub(super) fn waited(&self) -> Duration {
        self.with(|waited| waited.before + waited.since.map_or(Duration::ZERO, |since| since.elapsed()))
    }

    fn start(&self) {
        self.with(|waited| {
            waited.since.get_or_insert_with(Instant::now);
        });
    }

    fn stop(&self) {
        self.with(|waited| {
            waited.before += waited.since.take().map_or(Duration::ZERO, |since| since.elapsed())
        });
    }
}

/// Why a body ends before its end.
#[derive(Debug)]
pub(super) enum Cut {
    /// By a bound.
    Bound(Problem),
    /// By the client, or by HTTP.
    Broken(hyper::Error),
}

/// A body that arrives.
#[derive(Debug)]
pub(super) struct Arriving {
    /// None once it is at its end.
    incoming: Option<Incoming>,
    /// What has been read and is still to be given.
    ahead: VecDeque<Frame<Bytes>>,
    /// How it broke off, to be told after that.
    broken: Option<hyper::Error>,
    bounds: BodyBounds,
    read_bytes: u64,
    clock: ClientClock,
    pause: Option<Pin<Box<Sleep>>>,
}

impl Arriving {
    pub(super) fn new(incoming: Incoming, bounds: BodyBounds) -> Self {
        Self {
            incoming: Some(incoming).filter(|incoming| !incoming.is_end_stream()),
            ahead: VecDeque::new(),
            broken: None,
            bounds,
            read_bytes: 0,
            clock: ClientClock::default(),
            pause: None,
        }
    }

    /// Whether nothing more comes from the client.
    pub(super) fn is_there(&self) -> bool {
        self.incoming.is_none()
    }

    /// Whether nothing is left to be given.
    pub(super) fn is_at_its_end(&self) -> bool {
        self.is_there() && self.ahead.is_empty() && self.broken.is_none()
    }

    pub(super) fn clock(&self) -> &ClientClock {
        &self.clock
    }

    /// What may still come, as far as its header says.
    pub(super) fn size_hint(&self) -> SizeHint {
        let mut hint = self.incoming.as_ref().map_or_else(|| SizeHint::with_exact(0), Incoming::size_hint);
        let ahead: u64 = self.ahead.iter().filter_map(Frame::data_ref).map(|data| data.len() as u64).sum();
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(ahead));
        }
        hint.set_lower(hint.lower().saturating_add(ahead));
        hint
    }

    /// The rest, for whoever throws it away.
    pub(super) fn into_rest(self) -> Option<Incoming> {
        self.incoming
    }

    /// Waits for the beginning of the body, or for all of it where that is short. One that breaks off does so for its reader.
    ///
    /// # Errors
    /// A bound cuts it.
    ///
    /// # Cancel safety
    /// Nothing is lost.
    pub(super) async fn begin(&mut self) -> Result<(), Problem> {
        let mut bytes = 0;
        while bytes < AWAITED_BYTES {
            match std::future::poll_fn(|context| self.poll_incoming(context)).await {
                Some(Ok(frame)) => {
                    bytes += frame.data_ref().map_or(0, Bytes::len);
                    self.ahead.push_back(frame);
                }
                Some(Err(Cut::Broken(error))) => {
                    self.broken = Some(error);
                    break;
                }
                Some(Err(Cut::Bound(problem))) => return Err(problem),
                None => break,
            }
        }
        Ok(())
    }

    pub(super) fn poll_frame(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.ahead.pop_front() {
            Some(frame) => Poll::Ready(Some(Ok(frame))),
            None => match self.broken.take() {
                Some(error) => Poll::Ready(Some(Err(Cut::Broken(error)))),
                None => self.poll_incoming(context),
            },
        }
    }

    fn poll_incoming(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        let Some(incoming) = &mut self.incoming else { return Poll::Ready(None) };
        let Poll::Ready(polled) = Pin::new(incoming).poll_frame(context) else {
            self.clock.start();
            let left = self.bounds.patience(self.read_bytes).saturating_sub(self.clock.waited());
            let bounds = &self.bounds;
            let pause =
                self.pause.get_or_insert_with(|| Box::pin(tokio::time::sleep(left.min(bounds.max_pause))));
            return pause.poll_unpin(context).map(|()| Some(Err(self.cut(Problem::BodyTimeout))));
        };
        self.clock.stop();
        self.pause = None;
        Poll::Ready(match polled {
            Some(Ok(frame)) => {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                self.read_bytes = self.read_bytes.saturating_add(bytes);
                if self.read_bytes > self.bounds.max_bytes {
                    return Poll::Ready(Some(Err(Cut::Bound(Problem::BodyTooLarge))));
                }
                // Hyper knows the end of a body whose length was declared with its last piece.
                if self.incoming.as_ref().is_some_and(Incoming::is_end_stream) {
                    self.incoming = None;
                }
                Some(Ok(frame))
            }
            Some(Err(error)) => {
                self.incoming = None;
                Some(Err(Cut::Broken(error)))
            }
            None => {
                self.incoming = None;
                None
            }
        })
    }

    fn cut(&mut self, problem: Problem) -> Cut {
        self.incoming = None;
        self.clock.stop();
        Cut::Bound(problem)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slow_client_earns_patience_with_what_it_sends() {
        let limits = Limits { min_body_bytes_per_sec: 1_000, body_grace_ms: 5_000, ..Limits::default() };
        let bounds = BodyBounds::new(&limits);
        assert_eq!(bounds.patience(0), Duration::from_secs(5));
        assert_eq!(bounds.patience(10_000), Duration::from_secs(15));
        let without = BodyBounds::new(&Limits { min_body_bytes_per_sec: 0, ..limits });
        assert_eq!(without.patience(0), Duration::MAX);
    }
}
