//! One request, from its header to a response: route, place, instance, answer.

use std::{
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header, request::Parts};
use http_body::Body as _;
use http_body_util::Empty;
use hyper::body::Incoming;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use wasmtime_wasi_http::Error;

use super::{
    super::router::Router,
    Answer, HEALTH_PATH, Handler, READY_PATH, ServerTasks, Target,
    access::{AccessLine, AccessLog, CallerName},
    arriving::{Arriving, BodyBounds, ClientClock},
    behind::{Behind, announced_bytes},
    body::{RequestBody, ResponseBody, RunningGuest, UnreadBody},
    continued::Again,
    handler::{Offer, Surroundings},
    headers,
    numbers::HttpNumbers,
    parking::{Park, ParkingLot},
    places::{Place, Places},
};
use crate::{
    instance::{CallFailure, FailureKind},
    limits::{Limits, millis},
    problem::{Problem, REQUEST_ID},
    telemetry::{Event, Level, Logger, RUNTIME, SpanContext},
    traces::{CallTrace, Parent, RequestTrace, Tracer},
};

/// What all connections share.
#[derive(Debug)]
pub(super) struct Service {
    router: Router<Target>,
    pub(super) places: Arc<Places>,
    body_bounds: BodyBounds,
    pub(super) behind: Arc<Behind>,
    access: AccessLog,
    numbers: HttpNumbers,
    /// How long an answer may go on that more than one instance gives.
    pub(super) max_answer: Duration,
    leave: CancellationToken,
    pub(super) stop: CancellationToken,
    log: Logger,
    tracer: Tracer,
}

/// Who is asked, and what its lines in the log are found by.
#[derive(Clone)]
pub(super) struct Asked {
    handler: Arc<Handler>,
    pub(super) id: Arc<str>,
    trace: Parent,
}

impl Asked {
    /// Which span the request is.
    pub(super) fn span(&self) -> Option<SpanContext> {
        self.trace.context()
    }
}

/// The answer that a guest owes.
struct Awaited {
    receiver: oneshot::Receiver<Answer>,
    /// Whether only its header is sent.
    is_head: bool,
    unread: UnreadBody,
}

enum First {
    /// The guest answered and goes on.
    Answered(Answer),
    /// The guest ended, and may have answered before.
    Ended(Result<(), CallFailure>),
}

impl Service {
    pub(super) fn new(
        router: Router<Target>,
        limits: &Limits,
        tasks: &ServerTasks,
        log: Logger,
        tracer: Tracer,
    ) -> Self {
        Self {
            numbers: HttpNumbers::new(router.routes().count()),
            router,
            places: Places::new(limits),
            body_bounds: BodyBounds::new(limits),
            behind: Arc::new(Behind::new(limits, tasks)),
            access: AccessLog::new(limits),
            max_answer: millis(limits.max_parked_answer_ms),
            leave: tasks.leave.clone(),
            stop: tasks.stop.clone(),
            log,
            tracer,
        }
    }

    pub(super) fn numbers(&self) -> &HttpNumbers {
        &self.numbers
    }

    pub(super) fn router(&self) -> &Router<Target> {
        &self.router
    }

    pub(super) fn places(&self) -> &Places {
        &self.places
    }

    /// Answers a request. Never fails: what goes wrong is a problem for the client and a line in the log.
    ///
    /// # Cancel safety
    /// Dropping it stops the guest where it is, as a crash would.
    pub(super) async fn answer(
        self: &Arc<Self>,
        request: Request<Incoming>,
        client: SocketAddr,
    ) -> Response<ResponseBody> {
        let correlation_id = headers::correlation_id(request.headers());
        let mut line = AccessLine::begin(&request);
        let mut trace =
            RequestTrace::begin(&self.tracer, request.method(), request.headers(), &correlation_id);
        let mut response = self.route(request, client, &correlation_id, &mut line, &mut trace).await;
        let span = trace.context();
        self.numbers.answered(line.route.map(|(index, _)| index), response.status(), line.age(), span);
        if self.access.keeps(response.status()) || self.log.keeps(Level::Debug) {
            line.write(&response, &self.log, &correlation_id, span);
        }
        trace.answered(response.status());
        if let Ok(value) = HeaderValue::from_str(&correlation_id) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        response
    }

    async fn route<'r>(
        self: &'r Arc<Self>,
        request: Request<Incoming>,
        client: SocketAddr,
        id: &Arc<str>,
        line: &mut AccessLine<'r>,
        trace: &mut RequestTrace,
    ) -> Response<ResponseBody> {
        let refuse = |problem: Problem, request: Request<Incoming>| {
            self.numbers.refused(problem);
            whole(problem.response(id), self.unread(request))
        };
        if matches!(*request.method(), Method::CONNECT | Method::TRACE) {
            return refuse(Problem::MethodNotAllowed, request);
        }
        let host = headers::host(request.version(), request.uri(), request.headers()).map(str::to_owned);
        let Some(host) = host else { return refuse(Problem::Malformed, request) };
        if request.uri().path() == HEALTH_PATH {
            trace.forget();
            return whole(Response::new(Bytes::from_static(b"OK")), self.unread(request));
        }
        if request.uri().path() == READY_PATH {
            trace.forget();
            let mut answer = Response::new(Bytes::from_static(b"OK"));
            if self.leave.is_cancelled() {
                *answer.body_mut() = Bytes::from_static(b"stopping");
                *answer.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
            }
            return whole(answer, self.unread(request));
        }
        let (mut parts, body) = request.into_parts();
        let uri = parts.uri.clone();
        let Some(found) = self.router.find(uri.path()) else {
            return refuse(Problem::NotFound, Request::from_parts(parts, body));
        };
        line.route = Some((found.index, found.pattern.as_str()));
        trace.fits(found.pattern.as_str());
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
        if body.size_hint().lower() > self.body_bounds.max_bytes {
            return refuse(Problem::BodyTooLarge, Request::from_parts(parts, body));
        }
        let mut body = Arriving::new(body, self.body_bounds);
        let begun = body.begin().await;
        let asked_at = Instant::now();
        let entered = match begun {
            Ok(()) => self.places.enter(body.is_there(), parts.method.is_safe()).await,
            Err(problem) => Err(problem),
        };
        line.queued = asked_at.elapsed();
        trace.waited(line.queued);
        let place = match entered {
            Ok(place) => place,
            Err(problem) => {
                self.note_refusal(problem, id, trace.context());
                let unread = match body.into_rest() {
                    Some(rest) => UnreadBody::whole(rest, &self.behind),
                    None => UnreadBody::none(&self.behind),
                };
                return whole(problem.response(id), unread);
            }
        };
        headers::set(&mut parts.headers, &uri, &host, &found, client, id);
        if !parts.headers.contains_key(header::HOST) && uri.authority().is_none() {
            parts.headers.insert(header::HOST, HeaderValue::from_static("localhost"));
        }
        let asked = Asked { handler: Arc::clone(handler), id: Arc::clone(id), trace: trace.parent() };
        // Asked once more, a guest has to find the request as it was.
        let is_repeatable = parts.method.is_safe() && body.is_at_its_end();
        match handler.parking().and_then(ParkingLot::enter) {
            Some(parked) => {
                Again::new(Arc::clone(self), asked, parts, parked, !is_repeatable).answer(place, body).await
            }
            None => {
                let mut response = self.ask(&asked, parts, Some(body), place, None).await;
                if handler.parking().is_some() {
                    // Nobody told it that it may ask for that.
                    Park::take(response.headers_mut());
                }
                response
            }
        }
    }

    /// Has a fresh instance answer a request, with what comes of its body where there is one.
    pub(super) async fn ask(
        &self,
        asked: &Asked,
        mut parts: Parts,
        body: Option<Arriving>,
        place: Arc<Place>,
        offer: Option<Offer>,
    ) -> Response<ResponseBody> {
        let Asked { handler, id, .. } = asked;
        let trace = asked.trace.call(&handler.context().id, &mut parts.headers);
        let unread = UnreadBody::none(&self.behind);
        let is_head = parts.method == Method::HEAD;
        let (sender, receiver) = oneshot::channel();
        let client = body.as_ref().map(|body| body.clock().clone()).unwrap_or_default();
        let visit = Visit {
            handler: Arc::clone(handler),
            answer: sender,
            place: Arc::clone(&place),
            client,
            offer,
            id: Arc::clone(id),
            trace,
        };
        let guest: RunningGuest = match body.filter(|body| !body.is_at_its_end()) {
            None => Box::pin(visit.run(Request::from_parts(parts, Empty::<Bytes>::new()))),
            Some(body) => {
                let body = RequestBody::new(body, Arc::clone(&place), unread.clone());
                Box::pin(visit.run(Request::from_parts(parts, body)))
            }
        };
        let answer = Awaited { receiver, is_head, unread };
        let mut response = self.respond(asked, guest, answer, &place).await;
        if asked.handler.context().names_caller {
            CallerName::take(&mut response);
        }
        response
    }

    /// Runs the guest until it answers or ends.
    async fn respond(
        &self,
        asked: &Asked,
        mut guest: RunningGuest,
        awaited: Awaited,
        place: &Place,
    ) -> Response<ResponseBody> {
        let Asked { handler, id, .. } = asked;
        let Awaited { mut receiver, is_head, unread } = awaited;
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
            First::Ended(Err(_)) if place.was_crowded_out() => {
                self.note_refusal(Problem::TooManyWaiting, id, asked.span());
                (Err(Problem::TooManyWaiting), None)
            }
            First::Ended(Err(failure)) => (Err(problem(failure.kind)), None),
        };
        let result = match answer {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(code)) => {
                let reason = format!("the component answered with an error: {code:?}");
                let event = Event::RequestFailed { reason: &reason, cause: None };
                self.log.within(handler.id(), Some(id), asked.span(), &event);
                Err(Problem::Crashed)
            }
            Err(problem) => Err(problem),
        };
        // What the host cut, the host explains: the component saw only a stream that broke off.
        let cut = unread.cut();
        if let Some(cut) = cut {
            self.numbers.refused(cut);
        }
        let result = match (cut, result) {
            (Some(cut), Ok(response)) if response.status() != cut.status() => Err(cut),
            (Some(cut), Err(Problem::Crashed)) => Err(cut),
            (_, result) => result,
        };
        match (result, guest) {
            (Err(problem), _) => whole(problem.response(id), unread),
            (Ok(response), None) => response.map(|body| ResponseBody::buffered(body, unread)),
            (Ok(response), Some(guest)) => {
                let announced = announced_bytes(&response, is_head);
                response.map(|body| ResponseBody::streamed(body, guest, announced, unread))
            }
        }
    }

    /// Counts a request that was refused, and says so where there was no place for it; of a body that was cut its client hears.
    pub(super) fn note_refusal(&self, problem: Problem, id: &Arc<str>, span: Option<SpanContext>) {
        self.numbers.refused(problem);
        let reason = match problem {
            Problem::Busy => "busy",
            Problem::TooManyUploads => "uploading",
            Problem::TooManyWaiting => "waiting",
            _ => return,
        };
        self.log.within(RUNTIME, Some(id), span, &Event::RequestRefused { reason });
    }

    fn unread(&self, request: Request<Incoming>) -> UnreadBody {
        // A client that waits to be told to go on has sent nothing yet, and now never will.
        if request.body().is_end_stream() || request.headers().contains_key(header::EXPECT) {
            return UnreadBody::none(&self.behind);
        }
        UnreadBody::whole(request.into_body(), &self.behind)
    }
}

pub(super) fn whole(response: Response<Bytes>, unread: UnreadBody) -> Response<ResponseBody> {
    response.map(|data| ResponseBody::whole(data, unread))
}

fn problem(kind: FailureKind) -> Problem {
    match kind {
        FailureKind::OutOfMemory | FailureKind::OutOfSharedMemory => Problem::OutOfMemory,
        FailureKind::Deadline | FailureKind::TimedOut => Problem::Deadline,
        FailureKind::Busy | FailureKind::Stopped => Problem::Busy,
        FailureKind::Trap => Problem::Crashed,
    }
}

/// A guest's whole life. Holds its place until the end, which may be after the response began.
struct Visit {
    handler: Arc<Handler>,
    answer: oneshot::Sender<Answer>,
    place: Arc<Place>,
    client: ClientClock,
    offer: Option<Offer>,
    id: Arc<str>,
    trace: CallTrace,
}

impl Visit {
    async fn run<B>(self, request: Request<B>) -> Result<(), CallFailure>
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Error>,
    {
        let Self { handler, answer, place, client, offer, id, trace } = self;
        let surroundings =
            Surroundings { place: Some(Arc::clone(&place)), client, offer, trace: trace.clone() };
        tokio::select! {
            ended = handler.run_within(request, answer, &id, surroundings) => ended,
            () = place.crowded_out() => {
                let failure = CallFailure::crowded_out();
                trace.end(Some(failure.kind.name()));
                Err(failure)
            }
        }
    }
}
