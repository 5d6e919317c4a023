//! What the host adds to a request: the correlation id, and what Spin tells a component about its route.
//!
//! Spin's headers (`spin-path-info`, `spin-full-url`, `spin-matched-route`, `spin-component-route`, `spin-raw-component-route`,
//! `spin-base-path`, `spin-client-addr`, `spin-path-match-<name>`) are believed by components, so a client's own are dropped.

use std::{net::SocketAddr, sync::Arc};

use http::{
    HeaderMap, HeaderName, HeaderValue, Uri, Version, header,
    uri::{Authority, PathAndQuery},
};
use uuid::Uuid;

use super::super::router::Match;
use crate::problem::REQUEST_ID;

/// What begins the names of headers that only the host may set.
const OWN_PREFIX: &str = "spin-";
/// Longest correlation id that is taken from a client.
const MAX_ID_BYTES: usize = 128;

/// A client's correlation id where it is a sane one (letters, digits, `.`, `_`, `-`, at most 128), else a new UUIDv7.
pub(crate) fn correlation_id(headers: &HeaderMap) -> Arc<str> {
    let sane = |id: &&str| {
        (1..=MAX_ID_BYTES).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    };
    match headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(sane) {
        Some(id) => id.into(),
        None => Arc::from(&*Uuid::now_v7().as_hyphenated().encode_lower(&mut Uuid::encode_buffer())),
    }
}

/// The host that a request is for (RFC 9112, section 3.2); none where it names none that can be one, or several.
pub(crate) fn host<'a>(version: Version, uri: &'a Uri, headers: &'a HeaderMap) -> Option<&'a str> {
    let mut named = headers.get_all(header::HOST).iter();
    let first = match (named.next(), named.next()) {
        (Some(only), None) => only.to_str().ok().filter(|host| host.parse::<Authority>().is_ok())?,
        // HTTP/1.0 does not have it yet.
        (None, None) if version < Version::HTTP_11 => "localhost",
        _ => return None,
    };
    Some(uri.authority().map_or(first, Authority::as_str))
}

/// Sets the host's headers in place of the client's.
pub(crate) fn set<T>(
    headers: &mut HeaderMap,
    uri: &Uri,
    host: &str,
    found: &Match<'_, '_, T>,
    client: SocketAddr,
    correlation_id: &str,
) {
    let forged: Vec<HeaderName> =
        headers.keys().filter(|name| name.as_str().starts_with(OWN_PREFIX)).cloned().collect();
    for name in forged {
        headers.remove(name);
    }
    let scheme = uri.scheme_str().unwrap_or("http");
    let path = uri.path_and_query().map_or("/", PathAndQuery::as_str);
    let mut insert = |name: HeaderName, value: Result<HeaderValue, header::InvalidHeaderValue>| {
        // Paths and names of hosts are visible ASCII once they are in a `Uri`, so each is a header's value.
        if let Ok(value) = value {
            headers.insert(name, value);
        }
    };
    insert(HeaderName::from_static(REQUEST_ID), HeaderValue::from_str(correlation_id));
    insert(HeaderName::from_static("spin-path-info"), HeaderValue::from_str(found.rest));
    insert(
        HeaderName::from_static("spin-full-url"),
        HeaderValue::try_from(format!("{scheme}://{host}{path}")),
    );
    insert(HeaderName::from_static("spin-matched-route"), HeaderValue::from_str(found.pattern.as_str()));
    insert(
        HeaderName::from_static("spin-raw-component-route"),
        HeaderValue::from_str(found.pattern.as_str()),
    );
    insert(HeaderName::from_static("spin-component-route"), HeaderValue::from_str(found.pattern.prefix()));
    insert(HeaderName::from_static("spin-base-path"), Ok(HeaderValue::from_static("/")));
    insert(HeaderName::from_static("spin-client-addr"), HeaderValue::try_from(client.to_string()));
    for (name, value) in &found.named {
        if let Ok(name) = HeaderName::try_from(format!("spin-path-match-{}", name.to_ascii_lowercase())) {
            insert(name, HeaderValue::from_str(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::router::{Pattern, Router};
    use super::*;

    fn prepared(route: &str, url: &'static str, sent: &[(&'static str, &'static str)]) -> HeaderMap {
        let router = Router::new([(Pattern::parse(route).unwrap(), ())]).unwrap();
        let uri = Uri::from_static(url);
        let mut headers: HeaderMap = sent
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let found = router.find(uri.path()).unwrap();
        set(&mut headers, &uri, "example.com:80", &found, ([127, 0, 0, 1], 8777).into(), "id-1");
        headers
    }

    #[test]
    fn a_component_is_told_what_spin_tells_it() {
        let headers = prepared("/foo/:UserId/...", "/foo/42/bar/?key=1", &[]);
        for (name, value) in [
            ("spin-path-info", "/bar/"),
            ("spin-full-url", "http://example.com:80/foo/42/bar/?key=1"),
            ("spin-matched-route", "/foo/:UserId/..."),
            ("spin-raw-component-route", "/foo/:UserId/..."),
            ("spin-component-route", "/foo/:UserId"),
            ("spin-base-path", "/"),
            ("spin-client-addr", "127.0.0.1:8777"),
            ("spin-path-match-userid", "42"),
            ("x-request-id", "id-1"),
        ] {
            assert_eq!(headers[name], value, "{name}");
        }
    }

    #[test]
    fn what_a_client_says_in_the_hosts_name_is_dropped() {
        let headers = prepared(
            "/foo",
            "/foo",
            &[("spin-client-addr", "10.0.0.1:1"), ("spin-path-match-id", "7"), ("accept", "*/*")],
        );
        assert_eq!(headers["spin-client-addr"], "127.0.0.1:8777");
        assert!(!headers.contains_key("spin-path-match-id"));
        assert_eq!(headers["accept"], "*/*");
    }

    #[test]
    fn a_sane_correlation_id_is_kept_and_any_other_replaced() {
        let id = |value: &'static str| {
            correlation_id(&HeaderMap::from_iter([(
                HeaderName::from_static(REQUEST_ID),
                HeaderValue::from_static(value),
            )]))
        };
        assert_eq!(&*id("Req-1.a_b"), "Req-1.a_b");
        let too_long: &'static str = Box::leak("a".repeat(129).into_boxed_str());
        for value in ["", "a b", "a\"b", "a,b", too_long] {
            assert!(Uuid::parse_str(&id(value)).is_ok_and(|id| id.get_version_num() == 7), "{value}");
        }
        assert!(Uuid::parse_str(&correlation_id(&HeaderMap::new())).is_ok());
    }

    #[test]
    fn a_host_that_is_none_is_none() {
        let with =
            |value: &[u8]| HeaderMap::from_iter([(header::HOST, HeaderValue::from_bytes(value).unwrap())]);
        let uri = Uri::from_static("/");
        let host = |headers: &HeaderMap| host(Version::HTTP_11, &uri, headers).map(str::to_owned);
        assert_eq!(host(&with(b"a.example:3000")).as_deref(), Some("a.example:3000"));
        for value in [&b""[..], b"a b", b"\xff", b"a/b"] {
            assert_eq!(host(&with(value)), None, "{value:?}");
        }
        let mut two = with(b"a.example");
        two.append(header::HOST, HeaderValue::from_static("b.example"));
        assert_eq!(host(&two), None);
    }

    #[test]
    fn only_http_1_0_may_leave_the_host_out_and_a_whole_url_overrules_it() {
        let none = HeaderMap::new();
        let other = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("b.example"))]);
        for (target, without, with) in
            [("/", "localhost", "b.example"), ("http://a.example/", "a.example", "a.example")]
        {
            let uri = Uri::from_static(target);
            assert_eq!(host(Version::HTTP_10, &uri, &none), Some(without));
            assert_eq!(host(Version::HTTP_11, &uri, &none), None);
            assert_eq!(host(Version::HTTP_11, &uri, &other), Some(with));
        }
    }
}
