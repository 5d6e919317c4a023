//! Single values that clients and operators send, a line each, the first word of which says what it is: each is read or refused, and what is
//! read is what others read.

#![no_main]

use std::net::IpAddr;

use http::{HeaderMap, HeaderValue};
use thumbs_access::{Key, Keys, LinkSecrets, Signature};
use thumbs_domain::address::{TrustedProxies, bucket};
use thumbs_domain::batch::FileName;
use thumbs_domain::callback::{CallbackHosts, CallbackUrl};
use thumbs_domain::cursor::Cursor;
use thumbs_domain::digest::Digest;
use thumbs_domain::id::JobId;
use thumbs_domain::job::IdempotencyKey;
use thumbs_domain::list::{JobsQuery, ListQuery};
use thumbs_domain::trace::{CorrelationId, TraceParent};
use thumbs_domain::{accept, wait};
use thumbs_guest::http::{Failed, etag, range};

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> libfuzzer_sys::Corpus {
    let Ok(text) = str::from_utf8(input) else { return libfuzzer_sys::Corpus::Reject };
    let Some((kind, value)) = text.split_once(' ') else { return libfuzzer_sys::Corpus::Reject };
    match kind {
        "accept" => accepted(value),
        "range" => ranged(value),
        "etag" => tagged(value),
        "url" => called_back(value),
        "hosts" => drop(CallbackHosts::parse(value)),
        "keys" => keys(value),
        "link" => linked(value),
        "for" => forwarded(value),
        "list" => listed(value),
        "wait" => assert!(wait::preferred_seconds(value).is_none_or(|secs| secs <= wait::MAX_WAIT_SECS)),
        "name" => named(value),
        "id" => ids(value),
        _ => return libfuzzer_sys::Corpus::Reject,
    }
    libfuzzer_sys::Corpus::Keep
});

fn accepted(value: &str) {
    const OFFERS: [&str; 3] = ["application/json", "image/png", "image/webp"];
    let preferred = accept::preferred(value, &OFFERS).expect("one of three");
    assert!(OFFERS.contains(&preferred));
    if let Some(beside) = accept::webp_beside(value, "image/png") {
        assert!(value.to_ascii_lowercase().contains("image/webp"));
        let preferred = accept::preferred(value, &["image/webp", "image/png"]);
        assert_eq!(preferred == Some("image/webp"), beside.is_ge());
    }
}

/// `range <bytes there are> <header>`.
fn ranged(value: &str) {
    let Some((bytes, value)) = value.split_once(' ') else { return };
    let (Ok(bytes), Ok(value)) = (bytes.parse::<u16>(), HeaderValue::from_str(value)) else { return };
    let bytes = usize::from(bytes);
    let etag = HeaderValue::from_static("\"a\"");
    match range::asked(&HeaderMap::from_iter([(http::header::RANGE, value)]), &etag, bytes) {
        Ok(None) => {}
        Ok(Some(range)) => {
            assert!(range.start < range.end && range.end <= bytes, "{range:?} of {bytes}");
            let whole = http::Response::new((0..bytes).map(|at| at as u8).collect::<Vec<_>>());
            let part = range::cut(whole, range.clone()).expect("a part");
            assert_eq!(part.status(), 206);
            let said = format!("bytes {}-{}/{bytes}", range.start, range.end - 1);
            assert_eq!(part.headers()["content-range"], said);
            assert!(part.body().iter().copied().eq(range.map(|at| at as u8)));
        }
        Err(Failed::Range { bytes: told }) => assert_eq!(told, bytes),
        Err(other) => panic!("{other}"),
    }
}

fn tagged(value: &str) {
    let Ok(value) = HeaderValue::from_str(value) else { return };
    let known = etag::is_known(
        &HeaderMap::from_iter([(http::header::IF_NONE_MATCH, value.clone())]),
        &HeaderValue::from_static("\"xyzzy\""),
    );
    let text = value.to_str().unwrap_or_default();
    assert!(!known || text.contains("\"xyzzy\"") || text.contains('*'));
}

/// No other program finds another host or port in an address than the one that was looked at.
fn called_back(value: &str) {
    let Some(read) = CallbackUrl::parse(value) else { return };
    let url = url::Url::parse(value).expect("an address to others");
    assert_eq!(url.scheme() == "https", read.is_https());
    assert_eq!(url.port_or_known_default(), Some(read.port()));
    assert!(url.username().is_empty() && url.password().is_none() && url.fragment().is_none());
    let host = match url.host().expect("a host") {
        url::Host::Domain(name) => name.to_owned(),
        url::Host::Ipv4(address) => address.to_string(),
        url::Host::Ipv6(address) => address.to_string(),
    };
    assert_eq!(host, read.host());
    let target = read.path_and_query();
    assert!(target.parse::<http::uri::PathAndQuery>().is_ok_and(|sent| sent.as_str() == target), "{target}");
    assert!(read.authority().parse::<http::uri::Authority>().is_ok());
    let allowed = CallbackHosts::parse(&format!("{}://{}", url.scheme(), read.authority()));
    assert!(allowed.expect("an entry").allow(&read));
}

fn keys(value: &str) {
    let keys = match Keys::parse(value) {
        Ok(keys) => keys,
        Err(error) => return assert!(error.to_string().len() < 512),
    };
    let written: Vec<_> = keys.entries().iter().map(ToString::to_string).collect();
    assert_eq!(Keys::parse(&written.join("\n")), Ok(keys.clone()));
    let _ = keys.find(&Key::from_random([1; 24]), 1_795_867_200);
}

/// `link <secrets, a comma between them> <path> <expires> <signature>`.
fn linked(value: &str) {
    let words: Vec<_> = value.split(' ').collect();
    let [secrets, path, expires, text] = words[..] else { return };
    let Ok(secrets) = LinkSecrets::parse(&secrets.replace(',', " ")) else { return };
    let Ok(expires) = expires.parse() else { return };
    let given = Signature { expires, text: text.to_owned() };
    let made = secrets.sign(path, expires);
    if let Some(made) = &made {
        assert!(secrets.have_signed(path, made));
        assert!(!secrets.have_signed(&format!("{path}x"), made));
    }
    assert!(made.is_some() || !secrets.have_signed(path, &given));
}

/// `for <proxies, a semicolon between them> <peer> <X-Forwarded-For or Forwarded>`.
fn forwarded(value: &str) {
    let words: Vec<_> = value.splitn(3, ' ').collect();
    let [proxies, peer, said] = words[..] else { return };
    let (Some(proxies), Ok(peer)) =
        (TrustedProxies::parse(&proxies.replace(';', ",")), peer.parse::<IpAddr>())
    else {
        return;
    };
    for (x, standard) in [(Some(said), None), (None, Some(said)), (Some(said), Some(said))] {
        let client = proxies.client(peer, x, standard);
        assert!(!bucket(client).is_empty());
        assert_eq!(TrustedProxies::default().client(peer, x, standard), peer.to_canonical());
    }
}

fn listed(value: &str) {
    let pairs: Vec<_> = value.split('&').filter_map(|pair| pair.split_once('=')).collect();
    match JobsQuery::parse(&pairs) {
        Ok(JobsQuery::Page(query)) => {
            let last = Cursor(JobId::parse("01932c07-20a4-7b3c-8d4e-5f6071829304").expect("an id"));
            let href = query.next_href(last);
            let pairs = href.split_once('?').expect("a query").1.split('&');
            let again = ListQuery::parse(pairs.filter_map(|pair| pair.split_once('=')));
            assert_eq!(again, Ok(ListQuery { after: Some(last), ..query }));
        }
        Ok(JobsQuery::Ids(ids)) => {
            assert!(ids.len() <= thumbs_domain::list::MAX_IDS);
            assert!(ids.iter().enumerate().all(|(at, id)| !ids[..at].contains(id)));
        }
        Err(error) => assert!(error.to_string().len() < 512, "{error}"),
    }
}

fn named(value: &str) {
    let Some(name) = FileName::of(value) else { return };
    assert!((1..=FileName::MAX_CHARS).contains(&name.as_str().chars().count()));
    assert!(!name.as_str().chars().any(char::is_control), "{name:?}");
}

fn ids(value: &str) {
    if let Ok(id) = JobId::parse(value) {
        assert_eq!(JobId::parse(&id.to_string()), Ok(id));
    }
    if let Ok(cursor) = Cursor::parse(value) {
        assert_eq!(cursor.to_string(), value, "a cursor has one form");
    }
    if let Ok(digest) = Digest::parse(value) {
        assert_eq!(digest.to_string(), value);
    }
    if let Ok(trace) = TraceParent::parse(value) {
        assert_eq!((trace.trace_id().len(), trace.span_id().len()), (32, 16));
    }
    if let Some(key) = IdempotencyKey::parse(value) {
        assert!((1..=255).contains(&key.as_str().len()));
    }
    let _ = CorrelationId::parse(value).map(|id| HeaderValue::from_str(id.as_str()).expect("a header"));
    let _ = Key::parse(value).map(|key| assert_eq!(key.expose(), value));
}
