//! What the host itself tells a client: RFC 9457, `application/problem+json`, with the correlation id that finds the log line.
//!
//! The members are the same as in the problems of the application's components, so a client needs one parser. Details never name a
//! path, an address or a driver's words.

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

/// The header that carries the correlation id, in requests and responses.
pub const REQUEST_ID: &str = "x-request-id";

/// Why the host answers instead of a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Problem {
    /// The request is not one that HTTP knows.
    Malformed,
    /// No route leads anywhere.
    NotFound,
    /// CONNECT and TRACE are for proxies.
    MethodNotAllowed,
    /// The body has more bytes than a body may have.
    BodyTooLarge,
    /// The client stopped sending in the middle of its body.
    BodyTimeout,
    /// The component trapped or gave no answer: a mistake of the application's.
    Crashed,
    /// The component needed more memory than it may have, or than is left.
    OutOfMemory,
    /// The component ran longer than it may.
    Deadline,
    /// Too many requests at once, or the host is stopping.
    Busy,
    /// Too many bodies arrive at once.
    TooManyUploads,
    /// Too many requests wait already for something to happen.
    TooManyWaiting,
}

impl Problem {
    /// The HTTP status.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::Crashed => StatusCode::INTERNAL_SERVER_ERROR,
            Self::OutOfMemory | Self::Deadline | Self::Busy | Self::TooManyUploads | Self::TooManyWaiting => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }

    /// Stable: the last part of `type`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::Malformed => "malformed-request",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::BodyTooLarge => "upload-too-large",
            Self::BodyTimeout => "body-timeout",
            Self::Crashed => "internal",
            Self::OutOfMemory => "out-of-memory",
            Self::Deadline => "deadline",
            Self::Busy | Self::TooManyUploads | Self::TooManyWaiting => "busy",
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Malformed => "The request is malformed",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "The method is not allowed here",
            Self::BodyTooLarge => "The upload is too large",
            Self::BodyTimeout => "The body did not arrive in time",
            Self::Crashed => "The service made a mistake",
            Self::OutOfMemory => "The service has too little memory",
            Self::Deadline => "The service took too long",
            Self::Busy | Self::TooManyUploads | Self::TooManyWaiting => "The service is busy",
        }
    }

    fn detail(self) -> &'static str {
        match self {
            Self::Malformed => "A request names its host once, in the Host header.",
            Self::NotFound => "There is nothing at this path.",
            Self::MethodNotAllowed => "This server is no proxy: CONNECT and TRACE are not answered.",
            Self::BodyTooLarge => "The body has more bytes than this service takes. Send less.",
            Self::BodyTimeout => {
                "The body stopped arriving, or came too slowly. Send it again without a pause."
            }
            Self::Crashed => {
                "The request could not be handled. The log has the cause under the correlation id."
            }
            Self::OutOfMemory => {
                "Handling the request needs more memory than is there. Try again later, or send less."
            }
            Self::Deadline => {
                "Handling the request took longer than one may take. Try again later, or send less."
            }
            Self::Busy => "Too many requests are being handled. Try again in a second.",
            Self::TooManyUploads => "Too many uploads are arriving. Try again in a few seconds.",
            Self::TooManyWaiting => {
                "Too many requests are waiting already. Ask again without waiting, or in a few seconds."
            }
        }
    }

    /// Seconds after which the same request may be answered otherwise.
    #[must_use]
    pub fn retry_after_secs(self) -> Option<u32> {
        match self {
            Self::Busy | Self::OutOfMemory => Some(1),
            Self::Deadline | Self::TooManyUploads | Self::TooManyWaiting => Some(5),
            _ => None,
        }
    }

    /// The response, bound to a request by its correlation id.
    #[must_use]
    pub fn response(self, correlation_id: &str) -> Response<Bytes> {
        let status = self.status();
        let document = json!({
            "type": format!("/problems/{}", self.code()),
            "title": self.title(),
            "status": status.as_u16(),
            "detail": self.detail(),
            "code": self.code(),
            "correlation_id": correlation_id,
        });
        let mut response = Response::new(Bytes::from(document.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(secs) = self.retry_after_secs() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(secs));
        }
        if self == Self::MethodNotAllowed {
            // RFC 9110, section 15.5.6, asks for the header; which methods a path takes only its component knows.
            headers.insert(
                header::ALLOW,
                HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            );
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_members_of_rfc_9457_and_the_correlation_id() {
        let response = Problem::Busy.response("req-1");
        assert_eq!(response.status(), 503);
        assert_eq!(response.headers()["retry-after"], "1");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let document: serde_json::Value = serde_json::from_slice(response.body()).unwrap();
        assert_eq!(document["type"], "/problems/busy");
        assert_eq!(document["status"], 503);
        assert_eq!(document["correlation_id"], "req-1");
        assert!(document["detail"].as_str().is_some_and(|detail| detail.ends_with('.')));
    }

    #[test]
    fn only_what_may_pass_by_itself_says_when_to_try_again() {
        for problem in [Problem::NotFound, Problem::MethodNotAllowed, Problem::BodyTooLarge, Problem::Crashed]
        {
            assert!(!problem.response("x").headers().contains_key("retry-after"), "{problem:?}");
        }
    }
}
