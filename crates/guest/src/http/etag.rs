//! Entity tags: whether a client has the bytes already (RFC 9110, section 13.1.2).

use http::header::IF_NONE_MATCH;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::Response;

/// Whether the client has these bytes. The comparison is the weak one, as the header asks.
pub fn is_known(headers: &HeaderMap, etag: &HeaderValue) -> bool {
    let Ok(etag) = etag.to_str() else { return false };
    let values = headers.get_all(IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok());
    let mut tags = values.flat_map(|value| value.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

/// 304 without a body. The caller adds the headers of the full answer that a cache would update (RFC 9110, section 15.4.5).
pub fn not_modified() -> Response {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::NOT_MODIFIED;
    response
}
