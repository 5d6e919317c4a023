//! A request without its body.

use std::borrow::Cow;

use http::header::ACCEPT;
use http::{HeaderMap, HeaderName, Method};
use thumbs_domain::accept;
use thumbs_domain::trace::{CorrelationId, TraceParent};

use super::gate::Caller;
use crate::ids::Ids;

/// The header that names a request, in both directions.
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// What a handler knows of a request before it reads the body.
#[derive(Clone, Debug)]
pub struct Request {
    /// As sent.
    pub method: Method,
    /// From `/` on, not decoded, without the query.
    pub path: String,
    /// Not decoded; empty where there is none.
    pub query: String,
    /// As sent. A name may come more than once.
    pub headers: HeaderMap,
    /// The client's own, where it sent a usable one, or a new one.
    pub correlation_id: CorrelationId,
    /// Who asks, as the gate found it before any handler saw the request.
    pub caller: Caller,
}

impl Request {
    /// Puts a request together. None where the host can't even draw an id.
    pub fn new(method: Method, path_and_query: &str, headers: HeaderMap, ids: &dyn Ids) -> Option<Self> {
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let sent = headers.get(X_REQUEST_ID).and_then(|value| value.to_str().ok());
        let usable = sent.and_then(|text| CorrelationId::parse(text).ok());
        let correlation_id = usable.or_else(|| ids.correlation_id().ok())?;
        Some(Self {
            method,
            path: path.to_owned(),
            query: query.to_owned(),
            headers,
            correlation_id,
            caller: Caller::Anybody,
        })
    }

    /// The last segment of the path, not decoded.
    pub fn last_segment(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }

    /// The query's pairs, decoded as forms are (WHATWG URL, section 5.1), in their order.
    pub fn query_pairs(&self) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
        form_urlencoded::parse(self.query.as_bytes()).collect()
    }

    /// A header that is text; none where it is missing or not.
    pub fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The one of these media types that the client prefers; the first, where it does not say.
    pub fn prefers<'a>(&self, offers: &[&'a str]) -> &'a str {
        let accept: Vec<_> =
            self.headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect();
        accept::preferred(&accept.join(","), offers).unwrap_or_default()
    }

    /// The trace that the request belongs to.
    pub fn trace_parent(&self) -> Option<TraceParent> {
        self.header(TRACEPARENT).and_then(|text| TraceParent::parse(text).ok())
    }
}
