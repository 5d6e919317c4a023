//! One request, from its header to a response: route, permit, instance, answer.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, header};
use http_body::Body as _;
use http_body_util::Empty;
use hyper::body::Incoming;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::task::TaskTracker;
use tracing::Instrument as _;
use wasmtime_wasi_http::Error;

use super::{
    super::router::Router,
    Answer, HEALTH_PATH, Handler, Target,
    body::{RequestBody, ResponseBody, RunningGuest, UnreadBody},
    headers,
};
use crate::{
    instance::{CallFailure, FailureKind},
    limits::{Limits, length, millis},
    problem::{Problem, REQUEST_ID},
    telemetry::{Event, Level, Logger, RUNTIME},
};

/// What all connections share.
#[derive(Debug)]
pub(super) struct Service {
    router: Router<Target>,
    permits: Arc<Semaphore>,
    queue_timeout: Duration,
    max_body_bytes: u64,
    max_body_pause: Duration,
    /// Of what goes on after a response.
    tracker: TaskTracker,
    log: Logger,
}

enum First {
    /// The guest answered and goes on.
    Answered(Answer),
    /// The guest ended, and may have answered before.
    Ended(Result<(), CallFailure>),
}

impl Service {
    pub(super) fn new(router: Router<Target>, limits: &Limits, tracker: TaskTracker, log: Logger) -> Self {
        Self {
            router,
            permits: Arc::new(Semaphore::new(length(limits.max_concurrent_requests))),
            queue_timeout: millis(limits.request_queue_ms),
            max_body_bytes: limits.max_request_body_bytes,
            max_body_pause: millis(limits.body_timeout_ms),
            tracker,
            log,
        }
    }

    /// Answers a request. Never fails: what goes wrong is a problem for the client and a line in the log.
    ///
    /// # Cancel safety
    /// Dropping it stops the guest where it is, as a crash would.
    pub(super) async fn answer(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
    ) -> Response<ResponseBody> {
        let correlation_id = headers::correlation_id(request.headers());
        let asked = self
            .log
            .keeps(Level::Debug)
            .then(|| (Instant::now(), request.method().clone(), request.uri().path().to_owned()));
        let mut response = self.route(request, client, &correlation_id).await;
        if let Some((begun, method, path)) = asked {
            let answer_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
            let status = response.status().as_u16().into();
            let event = Event::RequestAnswered { method: method.as_str(), path: &path, status, answer_ms };
            self.log.of(RUNTIME, Some(&correlation_id), &event);
        }
        if let Ok(value) = HeaderValue::from_str(&correlation_id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }

    async fn route(
        &self,
        request: Request<Incoming>,
        client: SocketAddr,
        id: &Arc<str>,
    ) -> Response<ResponseBody> {
        let refuse =
            |problem: Problem, request: Request<Incoming>| whole(problem.response(id), self.unread(request));
        if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
            return refuse(Problem::MethodNotAllowed, request);
        }
        if request.uri().path() == HEALTH_PATH {
            return whole(Response::new(Bytes::from_static(b"OK")), self.unread(request));
        }
        let (mut parts, body) = request.into_parts();
        let uri = parts.uri.clone();
        let Some(found) = self.router.find(uri.path()) else {
            return refuse(Problem::NotFound, Request::from_parts(parts, body));
        };
        let handler = match found.target {
            Target::Component(handler) => handler,
            Target::Static(response) => {
                let unread = self.unread(Request::from_parts(parts, body));
                let mut answer = Response::new(Bytes::from(response.body.clone()));
                *answer.status_mut() = response.status;
                *answer.headers_mut() = response.headers.clone();
                return whole(answer, unread);
            }
        };
        let Some(host) = headers::host(&uri, &parts.headers).map(str::to_owned) else {
            return refuse(Problem::Malformed, Request::from_parts(parts, body));
        };
        if body.size_hint().lower() > self.max_body_bytes {
            return refuse(Problem::BodyTooLarge, Request::from_parts(parts, body));
        }
        let Some(permit) = self.permit().await else {
            self.log.of(RUNTIME, Some(id), &Event::RequestRefused { reason: "busy" });
            return refuse(Problem::Busy, Request::from_parts(parts, body));
        };
        headers::set(&mut parts.headers, &uri, &host, &found, client, id);
        if !parts.headers.contains_key(header::HOST) && uri.authority().is_none() {
            parts.headers.insert(header::HOST, HeaderValue::from_static("localhost"));
        }
        let span = self.log.request_span(parts.method.as_str(), found.pattern.as_str(), handler.id(), id);
        let unread = UnreadBody::none(&self.tracker);
        let (sender, receiver) = oneshot::channel();
        let (called, call_id) = (Arc::clone(handler), Arc::clone(id));
        let guest: RunningGuest = if body.is_end_stream() {
            let request = Request::from_parts(parts, Empty::<Bytes>::new());
            Box::pin(run(called, request, sender, permit, call_id).instrument(span.span()))
        } else {
            let body = RequestBody::new(body, self.max_body_bytes, self.max_body_pause, unread.clone());
            let request = Request::from_parts(parts, body);
            Box::pin(run(called, request, sender, permit, call_id).instrument(span.span()))
        };
        let response = self.respond(handler, guest, receiver, unread, id).await;
        span.answered(response.status());
        response
    }

    /// Runs the guest until it answers or ends.
    async fn respond(
        &self,
        handler: &Handler,
        mut guest: RunningGuest,
        mut receiver: oneshot::Receiver<Answer>,
        unread: UnreadBody,
        id: &Arc<str>,
    ) -> Response<ResponseBody> {
        let mut may_answer = true;
        let first = std::future::poll_fn(|context| {
            if let std::task::Poll::Ready(ended) = guest.as_mut().poll(context) {
                return std::task::Poll::Ready(First::Ended(ended));
            }
            if may_answer && let std::task::Poll::Ready(answer) = Pin::new(&mut receiver).poll(context) {
                match answer {
                    Ok(answer) => return std::task::Poll::Ready(First::Answered(answer)),
                    // The guest gave up its right to answer; it is polled on until it ends.
                    Err(_) => may_answer = false,
                }
            }
            std::task::Poll::Pending
        })
        .await;
        let (answer, guest) = match first {
            First::Answered(answer) => (Ok(answer), Some(guest)),
            First::Ended(Ok(())) => (receiver.try_recv().map_err(|_| Problem::Crashed), None),
            First::Ended(Err(failure)) => (Err(problem(failure.kind)), None),
        };
        let result = match answer {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(code)) => {
                let reason = format!("the component answered with an error: {code:?}");
                let event = Event::RequestFailed { reason: &reason, cause: None };
                self.log.of(handler.id(), Some(id), &event);
                Err(Problem::Crashed)
            }
            Err(problem) => Err(problem),
        };
        // What the host cut, the host explains: the component saw only a stream that broke off.
        let result = match (unread.cut(), result) {
            (Some(cut), Ok(response)) if response.status() != cut.status() => Err(cut),
            (Some(cut), Err(Problem::Crashed)) => Err(cut),
            (_, result) => result,
        };
        match (result, guest) {
            (Err(problem), _) => whole(problem.response(id), unread),
            (Ok(response), None) => response.map(|body| ResponseBody::buffered(body, unread)),
            (Ok(response), guest) => {
                response.map(|body| ResponseBody::Streamed { first: None, body, guest, unread })
            }
        }
    }

    /// Waits for a permit to run; none when that takes too long.
    async fn permit(&self) -> Option<OwnedSemaphorePermit> {
        match Arc::clone(&self.permits).try_acquire_owned() {
            Ok(permit) => Some(permit),
            Err(_) => {
                let waiting = Arc::clone(&self.permits).acquire_owned();
                tokio::time::timeout(self.queue_timeout, waiting).await.ok().and_then(Result::ok)
            }
        }
    }

    fn unread(&self, request: Request<Incoming>) -> UnreadBody {
        // A client that waits to be told to go on has sent nothing yet, and now never will.
        if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
            return UnreadBody::none(&self.tracker);
        }
        UnreadBody::whole(request.into_body(), self.max_body_bytes, &self.tracker)
    }
}

fn whole(response: Response<Bytes>, unread: UnreadBody) -> Response<ResponseBody> {
    response.map(|data| ResponseBody::whole(data, unread))
}

fn problem(kind: FailureKind) -> Problem {
    match kind {
        FailureKind::OutOfMemory => Problem::OutOfMemory,
        FailureKind::Deadline | FailureKind::TimedOut => Problem::Deadline,
        FailureKind::Busy | FailureKind::Stopped => Problem::Busy,
        FailureKind::Trap => Problem::Crashed,
    }
}

/// The guest's whole life. Holds its permit until the end, which may be after the response began.
async fn run<B>(
    handler: Arc<Handler>,
    request: Request<B>,
    answer: oneshot::Sender<Answer>,
    permit: OwnedSemaphorePermit,
    id: Arc<str>,
) -> Result<(), CallFailure>
where
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Error>,
{
    let result = handler.run(request, answer, &id).await;
    drop(permit);
    result
}
