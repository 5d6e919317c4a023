//! How a job goes, as it goes: server-sent events (WHATWG HTML, section 9.2). Each is the job as it stands, whenever that is otherwise than
//! before.
//!
//! On our runtime the answer goes on without an instance (`thumbs_guest::http::park`): a fresh one is asked when the job ends, and now and then.
//! On Spin the request is held until there is something new, for as long as a wait, and ends with that: who asks again says by `Last-Event-ID`
//! what it has, as browsers do by themselves.

use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use thumbs_domain::id::JobId;
use thumbs_domain::job::{self, Job};
use thumbs_domain::wait::MAX_WAIT_SECS;
use thumbs_guest::http::{Failed, Request, Response, park};
use thumbs_guest::wake::wake_for_overdue;

use crate::Status;
use crate::handler::{id, not_found};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
const EVENT_STREAM: HeaderValue = HeaderValue::from_static("text/event-stream");
/// Keeps nginx, which holds answers back until it has much of them, from doing so.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// After how many milliseconds who lost the connection is to ask again.
const RETRY: &str = "retry: 1000\n\n";

/// So often something is sent where nothing happens: a proxy would take the connection for dead.
const HEARTBEAT: Duration = Duration::from_secs(15);
const COMMENT: &str = ":\n\n";

/// Between two looks at the row, where the host can't wait.
const POLL: Duration = Duration::from_millis(250);

/// What one instance leaves for the next.
struct Sent {
    /// The event that the client has; none where it has none.
    event: String,
    /// How old the request was when it was sent something last.
    at: Duration,
}

impl Status<'_> {
    /// Of one job; 204 where the client has the last of them, which ends its asking.
    pub(crate) fn events(&self, request: &Request) -> Result<Response, Failed> {
        let id = id(request)?;
        match self.offer.age.filter(|_| request.method == Method::GET) {
            Some(age) => self.go_on(request, &id, age),
            None => self.next_event(request, &id),
        }
    }

    /// What is new, and that there is more to come.
    fn go_on(&self, request: &Request, id: &JobId, age: Duration) -> Result<Response, Failed> {
        let job = self.look(request, id)?;
        let begins = self.offer.note.is_none();
        let mut sent = match &self.offer.note {
            Some(note) => Sent::read(note),
            None => Sent { event: last_event(request), at: age },
        };
        let (event, mut body) = (event_id(&job), String::new());
        if begins {
            body.push_str(RETRY);
        }
        if sent.event != event {
            body.push_str(&text(request, &job, &event));
            sent = Sent { event, at: age };
        } else if begins && is_done(&job) {
            return Ok(nothing_more());
        } else if age.saturating_sub(sent.at) >= HEARTBEAT {
            body.push_str(COMMENT);
            sent.at = age;
        }
        let mut response = stream(body);
        if !is_done(&job) {
            let within = sent.at.saturating_add(HEARTBEAT).saturating_sub(age);
            park::go_on(&mut response, &id.to_string(), within, &sent.note())?;
        }
        Ok(response)
    }

    /// What is new, once something is; the job as it stands, once the client has waited for long.
    fn next_event(&self, request: &Request, id: &JobId) -> Result<Response, Failed> {
        let known = last_event(request);
        let give_up_at = self.clock.elapsed() + Duration::from_secs(MAX_WAIT_SECS);
        loop {
            let job = self.look(request, id)?;
            let event = event_id(&job);
            let is_new = known != event;
            if !is_new && is_done(&job) {
                return Ok(nothing_more());
            }
            let left = give_up_at.saturating_sub(self.clock.elapsed());
            if is_new || left.is_zero() || request.method == Method::HEAD {
                return Ok(stream(format!("{RETRY}{}", text(request, &job, &event))));
            }
            self.clock.sleep(POLL.min(left));
        }
    }

    fn look(&self, request: &Request, id: &JobId) -> Result<Job, Failed> {
        let job = self.store.get(id, request.caller.reach())?.ok_or_else(not_found)?;
        // Its client waits for it, and not for the end of this answer.
        wake_for_overdue([&job], self.store, self.wake_now, self.clock.now(), self.log);
        Ok(job)
    }
}

impl Sent {
    fn read(note: &str) -> Self {
        let (at, event) = note.split_once(' ').unwrap_or_default();
        Self { event: event.to_owned(), at: Duration::from_millis(at.parse().unwrap_or_default()) }
    }

    fn note(&self) -> String {
        format!("{} {}", self.at.as_millis(), self.event)
    }
}

fn is_done(job: &Job) -> bool {
    job.status != job::Status::Processing
}

/// Another one for each way in which the job can stand.
fn event_id(job: &Job) -> String {
    format!("{}-{}-{}", job.updated_at.unix_millis(), job.attempts, job.status.name())
}

fn last_event(request: &Request) -> String {
    request.header(LAST_EVENT_ID).unwrap_or_default().to_owned()
}

fn text(request: &Request, job: &Job, event: &str) -> String {
    // JSON has no line breaks but those that are asked for.
    let data = serde_json::to_string(&request.caller.view(job)).unwrap_or_default();
    format!("id: {event}\ndata: {data}\n\n")
}

fn stream(body: String) -> Response {
    let mut response = Response::new(body.into_bytes());
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, EVENT_STREAM);
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    response
}

/// 204 tells a browser to ask no more.
fn nothing_more() -> Response {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
