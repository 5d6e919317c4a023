//! Pages of other origins: what a browser must be told before it lets one ask, and read the answer (Fetch, section 3.2).
//!
//! No answer of the service depends on a cookie, so nothing is granted here that another client would not get; a key is sent by who
//! has it, and no browser adds one by itself. Whose pages may ask is the operator's to say (`allowed_origins`).

use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_METHOD, ALLOW, ORIGIN,
    VARY,
};
use http::{HeaderValue, StatusCode};
use thumbs_domain::origin::Origins;

use super::{Request, Response};

/// What a page may send beside what every page may.
const ALLOWED_HEADERS: HeaderValue = HeaderValue::from_static(
    "cache-control, content-type, idempotency-key, if-none-match, if-range, prefer, range, traceparent, x-request-id",
);

/// The same where keys are needed.
const ALLOWED_HEADERS_AND_KEYS: HeaderValue = HeaderValue::from_static(
    "authorization, cache-control, content-type, idempotency-key, if-none-match, if-range, prefer, range, traceparent, x-api-key, x-request-id",
);

/// What a page may read beside what every page may.
const EXPOSED_HEADERS: HeaderValue = HeaderValue::from_static(
    "accept-ranges, allow, content-disposition, content-range, etag, idempotency-replayed, location, preference-applied, ratelimit, ratelimit-policy, retry-after, x-request-id",
);

/// For how long a browser may remember that it may ask, in seconds: two hours, which is the most that Chrome keeps.
const MAX_AGE_SECS: HeaderValue = HeaderValue::from_static("7200");

/// What the service says to the origin of one request.
#[derive(Debug)]
pub struct Cors {
    /// The value of `Access-Control-Allow-Origin`; none where the page is not allowed, or there is none.
    granted: Option<HeaderValue>,
    /// The answer would be another for another origin.
    varies: bool,
}

impl Cors {
    /// By what the operator allows.
    pub fn of(request: &Request, origins: &Origins) -> Self {
        let origin = request.headers.get(ORIGIN);
        let granted = match origins {
            Origins::None => None,
            Origins::Any => Some(HeaderValue::from_static("*")),
            Origins::Of(_) => {
                origin.filter(|origin| origin.to_str().is_ok_and(|origin| origins.allows(origin))).cloned()
            }
        };
        Self { granted: granted.filter(|_| origin.is_some()), varies: matches!(origins, Origins::Of(_)) }
    }

    /// The answer to OPTIONS: which methods the path has, and to a browser that asks for a page, whether the page may.
    pub fn options(&self, request: &Request, allow: &'static str, has_keys: bool) -> Response {
        let mut response = Response::new(Vec::new());
        *response.status_mut() = StatusCode::NO_CONTENT;
        let headers = response.headers_mut();
        let allow = HeaderValue::from_static(allow);
        if self.granted.is_some() && request.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD) {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, allow.clone());
            let names = if has_keys { ALLOWED_HEADERS_AND_KEYS } else { ALLOWED_HEADERS };
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, names);
            headers.insert(ACCESS_CONTROL_MAX_AGE, MAX_AGE_SECS);
        }
        headers.insert(ALLOW, allow);
        response
    }

    /// Says it in an answer, whatever that is.
    pub fn say(self, response: &mut Response) {
        let headers = response.headers_mut();
        if self.varies {
            headers.append(VARY, HeaderValue::from_static("Origin"));
        }
        if let Some(granted) = self.granted {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, granted);
            headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED_HEADERS);
        }
    }
}
