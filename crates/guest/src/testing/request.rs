//! Requests to handlers, and what they answer.

use http::{HeaderMap, HeaderName, HeaderValue, Method};

use super::TestIds;
use crate::http::{Failed, Request, Response};
use crate::log::Log;

/// A request with these headers.
///
/// # Panics
/// When a method or a header is not one.
#[expect(clippy::expect_used, reason = "a test fails loudly")]
pub fn request(method: &str, path_and_query: &str, headers: &[(&str, &str)]) -> Request {
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let headers: HeaderMap = headers
        .iter()
        .map(|(name, value)| {
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            (name, HeaderValue::from_str(value).expect("a value"))
        })
        .collect();
    Request::new(method, path_and_query, headers, &TestIds).expect("ids can be drawn")
}

/// What the client gets: status, headers, and the body as text.
pub fn text(request: &Request, answer: Result<Response, Failed>) -> (u16, HeaderMap, String) {
    let log = Log::new("test");
    let response = answer.unwrap_or_else(|failed| failed.into_response(&request.correlation_id, &log));
    let (head, body) = crate::http::response::finish(response, &request.correlation_id).into_parts();
    (head.status.as_u16(), head.headers, String::from_utf8_lossy(&body).into_owned())
}
