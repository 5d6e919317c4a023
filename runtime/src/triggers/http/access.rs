//! A line in the log for a request: for each that was refused or failed, so that its correlation id finds something, and for some of
//! the others.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, Instant},
};

use http::{HeaderName, Method, Request, Response, StatusCode};
use http_body::Body;

use crate::{
    limits::Limits,
    telemetry::{Event, Logger, RUNTIME, SpanContext},
};

/// In the environment of a guest that may name who a request came from.
pub(super) const NAMES_CALLER: &str = "NAMES_CALLER";
/// By which it does, in its response; no client gets to see it.
const CALLER: HeaderName = HeaderName::from_static("thumbs-caller");
/// The longest name, in bytes.
const MAX_CALLER_BYTES: usize = 64;

/// Who a request came from, as its guest says.
#[derive(Clone, Debug)]
pub(super) struct CallerName(Box<str>);

impl CallerName {
    /// Moves the name from a response's headers to its extensions, where the line finds it.
    pub(super) fn take<B>(response: &mut Response<B>) {
        let Some(value) = response.headers_mut().remove(CALLER) else { return };
        if let Some(name) = value.to_str().ok().filter(|name| name.len() <= MAX_CALLER_BYTES) {
            response.extensions_mut().insert(Self(name.into()));
        }
    }
}

/// Which requests leave a line.
#[derive(Debug)]
pub(super) struct AccessLog {
    /// Of those that were answered well, every Nth; 0 is none.
    every: u64,
    answered: AtomicU64,
}

/// What is known of one request by the time that its answer begins.
#[derive(Debug)]
pub(super) struct AccessLine<'r> {
    begun: Instant,
    method: Method,
    path: String,
    /// The pattern in the manifest that it fits, and its place in the router.
    pub(super) route: Option<(usize, &'r str)>,
    /// For how long it waited for a place.
    pub(super) queued: Duration,
}

impl AccessLog {
    pub(super) fn new(limits: &Limits) -> Self {
        Self { every: limits.access_log_every, answered: AtomicU64::new(0) }
    }

    /// Whether a request with this answer leaves a line.
    pub(super) fn keeps(&self, status: StatusCode) -> bool {
        status.is_client_error()
            || status.is_server_error()
            || (self.every > 0 && self.answered.fetch_add(1, Relaxed).is_multiple_of(self.every))
    }
}

impl AccessLine<'_> {
    pub(super) fn begin<B>(request: &Request<B>) -> Self {
        Self {
            begun: Instant::now(),
            method: request.method().clone(),
            path: request.uri().path().to_owned(),
            route: None,
            queued: Duration::ZERO,
        }
    }

    /// How long it has been here.
    pub(super) fn age(&self) -> Duration {
        self.begun.elapsed()
    }

    /// Writes it.
    pub(super) fn write<B: Body>(
        &self,
        response: &Response<B>,
        log: &Logger,
        correlation_id: &str,
        span: Option<SpanContext>,
    ) {
        let millis = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let event = Event::RequestAnswered {
            method: self.method.as_str(),
            path: &self.path,
            route: self.route.map(|(_, pattern)| pattern),
            status: response.status().as_u16().into(),
            bytes: response.body().size_hint().exact(),
            queue_ms: millis(self.queued),
            answer_ms: millis(self.begun.elapsed()),
            caller: response.extensions().get::<CallerName>().map(|CallerName(name)| &**name),
        };
        log.within(RUNTIME, Some(correlation_id), span, &event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_went_wrong_leaves_a_line_and_of_the_rest_every_nth() {
        for (every, lines) in [(0, 0), (1, 6), (3, 2)] {
            let access = AccessLog::new(&Limits { access_log_every: every, ..Limits::default() });
            assert!(access.keeps(StatusCode::NOT_FOUND) && access.keeps(StatusCode::SERVICE_UNAVAILABLE));
            assert_eq!((0..6).filter(|_| access.keeps(StatusCode::OK)).count(), lines, "of each {every}.");
        }
    }
}
