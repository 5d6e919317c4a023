//! What stands before the S3 server: it notes requests, makes faults to order, and refuses a wrong region and a missing bucket as
//! AWS does (the server behind takes any region, and a put makes the bucket).

use std::sync::{Mutex, MutexGuard, PoisonError};

use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use s3s::Body;
use s3s::service::S3Service;

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
    fault_status: u16,
}

impl Front {
    pub(super) fn new(behind: S3Service, region: &'static str, bucket: &'static str) -> Self {
        Self { behind, region, bucket, state: Mutex::default() }
    }

    pub(super) fn handled(&self) -> Vec<Handled> {
        self.state().handled.clone()
    }

    pub(super) fn fail_next(&self, count: u32, status: u16) {
        let mut state = self.state();
        state.faults_left = count;
        state.fault_status = status;
    }

    pub(super) async fn call(&self, request: Request<Incoming>) -> Result<Response<Body>, s3s::HttpError> {
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        let response = if let Some(status) = self.fault() {
            refusal(status, "InternalError", "")
        } else if signed_region(&request).is_some_and(|region| region != self.region) {
            let region = format!("<Region>{}</Region>", self.region);
            refusal(StatusCode::BAD_REQUEST.as_u16(), "AuthorizationQueryParametersError", &region)
        } else if path.split('/').nth(1) != Some(self.bucket) {
            refusal(StatusCode::NOT_FOUND.as_u16(), "NoSuchBucket", "")
        } else {
            let (head, body) = request.into_parts();
            self.behind.call(Request::from_parts(head, Body::from(body))).await?
        };
        self.state().handled.push(Handled { method, path, status: response.status().as_u16() });
        Ok(response)
    }

    fn fault(&self) -> Option<u16> {
        let mut state = self.state();
        state.faults_left = state.faults_left.checked_sub(1)?;
        Some(state.fault_status)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The region of the credential, which stands in the query or in the header as `Credential=<key>/<date>/<region>/s3/...`.
fn signed_region(request: &Request<Incoming>) -> Option<String> {
    let header = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    let place = header.or_else(|| request.uri().query())?;
    let credential = place.split("Credential=").nth(1)?.split(['&', ',']).next()?.replace("%2F", "/");
    // From the end, because an access key may hold a slash.
    credential.rsplit('/').nth(2).map(str::to_owned)
}

fn refusal(status: u16, code: &str, more: &str) -> Response<Body> {
    let document =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code>{more}</Error>");
    let mut response = Response::new(Body::from(document));
    *response.status_mut() = StatusCode::from_u16(status).expect("tests order statuses that exist");
    response
}
