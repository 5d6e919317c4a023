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

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples and rules of RFC 9110, sections 8.8.3 and 13.1.2.
    #[test]
    fn a_client_has_the_bytes_where_one_of_its_tags_is_theirs() {
        let etag = HeaderValue::from_static("\"xyzzy\"");
        for (sent, known) in [
            (&["\"xyzzy\""][..], true),
            (&["W/\"xyzzy\""], true),
            (&["\"xyzzy\", \"r2d2xxxx\", \"c3piozzzz\""], true),
            (&["\"r2d2xxxx\",W/\"xyzzy\""], true),
            (&["\"r2d2xxxx\"", "\"xyzzy\""], true),
            (&["*"], true),
            (&[], false),
            (&[""], false),
            (&["xyzzy"], false),
            (&["\"XYZZY\""], false),
            (&["w/\"xyzzy\""], false),
            (&["\"xyzz\""], false),
            (&["\"\""], false),
            (&["\"r2d2xxxx\", \"c3piozzzz\""], false),
        ] {
            let headers: HeaderMap =
                sent.iter().map(|value| (IF_NONE_MATCH, HeaderValue::from_str(value).unwrap())).collect();
            assert_eq!(is_known(&headers, &etag), known, "{sent:?}");
        }
    }
}
