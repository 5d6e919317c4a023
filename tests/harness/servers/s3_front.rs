//! What stands before the S3 server: it notes requests, makes faults to order, and refuses a wrong region and a missing bucket as
//! AWS does (the server behind takes any region, and a put makes the bucket).

use std::io;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::{Body as _, Bytes, Frame, Incoming, SizeHint};
use hyper::{Request, Response, StatusCode};
use s3s::Body;
use s3s::service::S3Service;

use crate::random::Random;

/// A request that was answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Handled {
    /// The HTTP method.
    pub method: String,
    /// The path: `/bucket/key`.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
}

#[derive(Debug)]
pub(super) struct Front {
    behind: S3Service,
    region: &'static str,
    bucket: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    handled: Vec<Handled>,
    faults_left: u32,
    fault: Fault,
    storm: Option<Storm>,
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// It is answered with this status and nothing else.
    Status(u16),
    /// It is answered as it should be, and the connection breaks off in the middle of the body.
    Cut,
    /// It is never answered.
    Hang,
    /// It is refused with 503 and the code by which S3 asks for fewer requests.
    SlowDown,
    /// It is answered so much later.
    Late(Duration),
}

/// Faults that come to some of the requests, by lot.
#[derive(Debug)]
struct Storm {
    random: Random,
    percent: u64,
    faults: Vec<Fault>,
}

impl Default for Fault {
    fn default() -> Self {
        Self::Status(StatusCode::INTERNAL_SERVER_ERROR.as_u16())
    }
}

impl Front {
    pub(super) fn new(behind: S3Service, region: &'static str, bucket: &'static str) -> Self {
        Self { behind, region, bucket, state: Mutex::default() }
    }

    pub(super) fn handled(&self) -> Vec<Handled> {
        self.state().handled.clone()
    }

    #[cfg(test)]
    pub(super) fn handled_count(&self) -> usize {
        self.state().handled.len()
    }

    pub(super) fn fail_next(&self, count: u32, fault: Fault) {
        let mut state = self.state();
        state.faults_left = count;
        state.fault = fault;
    }

    /// From now on so many of a hundred requests have one of these faults, which and when by this seed; with none, no request has.
    pub(super) fn storm(&self, seed: u64, percent: u64, faults: &[Fault]) {
        let storm = Storm { random: Random::new(seed), percent, faults: faults.to_vec() };
        self.state().storm = Some(storm).filter(|storm| !storm.faults.is_empty());
    }

    pub(super) async fn call(&self, request: Request<Incoming>) -> Result<Response<Body>, s3s::HttpError> {
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let response = match self.fault() {
            None => self.answer(request).await?,
            Some(Fault::Status(status)) => refusal(status, "InternalError", ""),
            Some(Fault::Cut) => self.answer(request).await?.map(cut),
            Some(Fault::Hang) => std::future::pending().await,
            Some(Fault::SlowDown) => refusal(StatusCode::SERVICE_UNAVAILABLE.as_u16(), "SlowDown", ""),
            Some(Fault::Late(pause)) => {
                tokio::time::sleep(pause).await;
                self.answer(request).await?
            }
        };
        self.state().handled.push(Handled { method, path, status: response.status().as_u16() });
        Ok(response)
    }

    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Body>, s3s::HttpError> {
        if signed_region(&request).is_some_and(|region| region != self.region) {
            let region = format!("<Region>{}</Region>", self.region);
            Ok(refusal(StatusCode::BAD_REQUEST.as_u16(), "AuthorizationHeaderMalformed", &region))
        } else if request.uri().path().split('/').nth(1) != Some(self.bucket) {
            Ok(refusal(StatusCode::NOT_FOUND.as_u16(), "NoSuchBucket", ""))
        } else {
            let (head, body) = request.into_parts();
            self.behind.call(Request::from_parts(head, Body::from(body))).await
        }
    }

    fn fault(&self) -> Option<Fault> {
        let mut state = self.state();
        if let Some(left) = state.faults_left.checked_sub(1) {
            state.faults_left = left;
            return Some(state.fault);
        }
        let Storm { random, percent, faults } = state.storm.as_mut()?;
        let kinds = u64::try_from(faults.len()).unwrap_or(1);
        let is_hit = random.below(100) < *percent;
        let kind = usize::try_from(random.below(kinds)).unwrap_or_default();
        if is_hit { faults.get(kind).copied() } else { None }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The region of the credential, which stands in the header `authorization` as `Credential=<key>/<date>/<region>/s3/...`.
fn signed_region(request: &Request<Incoming>) -> Option<String> {
    let header = request.headers().get("authorization")?.to_str().ok()?;
    let credential = header.split("Credential=").nth(1)?.split(',').next()?;
    // From the end, because an access key may hold a slash.
    credential.rsplit('/').nth(2).map(str::to_owned)
}

fn cut(body: Body) -> Body {
    let bytes_left = body.size_hint().lower() / 2;
    Body::http_body_unsync(Cut { body, bytes_left, is_sent: false })
}

/// A body that says how long it is and ends half-way.
struct Cut {
    body: Body,
    bytes_left: u64,
    is_sent: bool,
}

impl hyper::body::Body for Cut {
    type Data = Bytes;
    type Error = s3s::StdError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, s3s::StdError>>> {
        if self.bytes_left == 0 && !self.is_sent {
            // What is waited for is sent first; with the error at once, the head too might go the way of the rest.
            self.is_sent = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.bytes_left == 0 {
            return Poll::Ready(Some(Err(Box::new(io::Error::from(io::ErrorKind::ConnectionAborted)))));
        }
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => frame,
            other => return other,
        };
        Poll::Ready(Some(Ok(frame.map_data(|mut data| {
            data.truncate(usize::try_from(self.bytes_left).unwrap_or(usize::MAX));
            self.bytes_left -= data.len() as u64;
            data
        }))))
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

fn refusal(status: u16, code: &str, more: &str) -> Response<Body> {
    let document =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>{more}</Error>");
    let mut response = Response::new(Body::from(document));
    *response.status_mut() = StatusCode::from_u16(status).expect("tests order statuses that exist");
    response
}
