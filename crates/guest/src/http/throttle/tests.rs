//! Requests through the whole of `answer`, with the job store that ships behind it.

use futures::executor::block_on;
use thumbs_access::{Entry, Key, KeyName, Scopes};

use super::*;
use crate::http::answer::answer;
use crate::http::body;
use crate::jobs::Rates;
use crate::testing::{FixedVariables, ManualClock, memory_store, request};

type Headers<'a> = &'a [(&'a str, &'a str)];

const FROM_7: (&str, &str) = ("spin-client-addr", "203.0.113.7:4711");
const FROM_8: (&str, &str) = ("spin-client-addr", "203.0.113.8:4711");
const BY_PROXY: (&str, &str) = ("spin-client-addr", "10.0.0.1:4711");

/// The store, and whether it was asked at all.
struct Counted<R>(R, std::cell::Cell<u32>);

impl<R: Rates> Meter for Counted<R> {
    fn take(&self, bucket: &str, rate: Rate, now: Timestamp) -> Result<Option<Tokens>, StoreError> {
        self.1.set(self.1.get() + 1);
        self.0.take(bucket, rate, now).map(Some)
    }
}

fn ask(
    variables: &FixedVariables,
    clock: &ManualClock<'_>,
    meter: &dyn Meter,
    (method, path, headers): (&str, &str, Headers<'_>),
) -> Response {
    let request = request(method, path, headers);
    block_on(answer(
        variables,
        clock,
        meter,
        request,
        body::from_bytes(""),
        Log::new("test"),
        async |_, _, _| Ok(Response::new(Vec::new())),
    ))
}

/// Statuses of requests to `/jobs`, one after the other at the same moment.
fn statuses(pairs: &[(&'static str, &str)], requests: &[(&str, Headers<'_>)]) -> Vec<u16> {
    let (clock, (store, _)) = (ManualClock::default(), memory_store());
    let meter = Counted(store, Default::default());
    let set = FixedVariables::with(pairs);
    let ask = |(method, headers): &(&str, Headers<'_>)| {
        let response = ask(&set, &clock, &meter, (method, "/jobs", headers));
        assert_eq!(response.status() == 429, response.headers().contains_key("retry-after"));
        response.status().as_u16()
    };
    requests.iter().map(ask).collect()
}

#[test]
fn an_address_has_as_many_requests_as_it_may_and_is_told_so() {
    let (clock, (store, _)) = (ManualClock::default(), memory_store());
    let meter = Counted(store, Default::default());
    let set = FixedVariables::with(&[("reads_per_minute", "6"), ("reads_burst", "2")]);
    let text = |response: &Response, name: &str| {
        response.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
    };
    let get = |headers: Headers<'_>| {
        let response = ask(&set, &clock, &meter, ("GET", "/jobs/x", headers));
        let policy = text(&response, "ratelimit-policy");
        assert_eq!(policy.as_deref(), Some("\"reads\";q=2;w=20"));
        (response.status().as_u16(), text(&response, "ratelimit").unwrap(), text(&response, "retry-after"))
    };
    let (one, none) = ("\"reads\";r=1;t=10".to_owned(), "\"reads\";r=0;t=20".to_owned());
    assert_eq!(get(&[FROM_7]), (200, one.clone(), None));
    assert_eq!(get(&[FROM_7]), (200, none.clone(), None));
    assert_eq!(get(&[FROM_7]), (429, none.clone(), Some("10".to_owned())));
    assert_eq!(get(&[FROM_8]), (200, one, None), "another's bucket is full");
    clock.advance(std::time::Duration::from_secs(10));
    assert_eq!(get(&[FROM_7]), (200, none, None), "who comes when told is let in");
}

#[test]
fn writes_and_reads_have_buckets_of_their_own() {
    let limits =
        [("reads_per_minute", "1"), ("reads_burst", "1"), ("writes_per_minute", "1"), ("writes_burst", "2")];
    let from: Headers<'_> = &[FROM_7];
    let requests = [("GET", from), ("POST", from), ("HEAD", from), ("POST", from), ("POST", from)];
    assert_eq!(statuses(&limits, &requests), [200, 200, 429, 200, 429]);
}

#[test]
fn what_has_no_bound_is_not_counted() {
    let (clock, (store, _)) = (ManualClock::default(), memory_store());
    let meter = Counted(store, Default::default());
    for (pairs, method, path, counted) in [
        (&[][..], "GET", "/jobs", 0),
        (&[("writes_per_minute", "1")], "GET", "/jobs", 0),
        (&[("reads_per_minute", "1")], "OPTIONS", "/jobs", 0),
        (&[("reads_per_minute", "1")], "GET", "/healthz", 0),
        (&[("reads_per_minute", "1")], "GET", "/metrics", 0),
        (&[("reads_per_minute", "1")], "GET", "/nothing", 0),
        (&[("reads_per_minute", "1")], "GET", "/jobs", 1),
    ] {
        meter.1.set(0);
        let response = ask(&FixedVariables::with(pairs), &clock, &meter, (method, path, &[FROM_7]));
        let told = u32::from(response.headers().contains_key("ratelimit"));
        assert_eq!((meter.1.get(), told), (counted, counted), "{pairs:?} {method} {path}");
    }
}

#[test]
fn only_a_proxy_that_is_trusted_is_believed() {
    let (one, other) = (("x-forwarded-for", "198.51.100.1"), ("x-forwarded-for", "198.51.100.2"));
    let limits = [("writes_per_minute", "1"), ("writes_burst", "1")];
    let requests: &[(&str, Headers<'_>)] = &[("POST", &[BY_PROXY, one]), ("POST", &[BY_PROXY, other])];
    assert_eq!(statuses(&limits, requests), [200, 429]);
    let trusting = [limits[0], limits[1], ("trusted_proxies", "10.0.0.0/8")];
    assert_eq!(statuses(&trusting, requests), [200, 200]);
}

#[test]
fn an_address_that_a_client_claims_to_have_does_not_count() {
    let request = |values: &[&str]| {
        let mut request = request("GET", "/jobs", &[]);
        for value in values {
            request.headers.append(CLIENT_ADDR, HeaderValue::from_str(value).unwrap());
        }
        client(&request, &TrustedProxies::default()).map(|address| address.to_string())
    };
    assert_eq!(request(&["203.0.113.7:1"]).as_deref(), Some("203.0.113.7"));
    assert_eq!(request(&["198.51.100.1:1", "203.0.113.7:1"]).as_deref(), Some("203.0.113.7"));
    assert_eq!(request(&["[2001:db8::1]:1"]).as_deref(), Some("2001:db8::1"));
    assert_eq!((request(&[]), request(&["somewhere"])), (None, None));
}

#[test]
fn a_key_has_a_bucket_of_its_own_wherever_it_is_used_and_a_wrong_one_costs_nobody_a_token() {
    let key = Key::from_random([1; 24]);
    let entry = Entry::new(&key, KeyName::parse("shop").unwrap(), Scopes::parse("read").unwrap(), None);
    let keys = entry.to_string();
    let pairs = [("api_keys", keys.as_str()), ("reads_per_minute", "1"), ("reads_burst", "1")];
    let shown = ("x-api-key", key.expose());
    let requests: &[(&str, Headers<'_>)] = &[
        ("GET", &[FROM_7]),
        ("GET", &[FROM_7, ("x-api-key", "wrong")]),
        ("GET", &[FROM_7, shown]),
        ("GET", &[FROM_8, shown]),
    ];
    assert_eq!(statuses(&pairs, requests), [401, 401, 200, 429]);
}

#[test]
fn who_can_not_be_counted_is_let_through() {
    let (clock, (store, is_down)) = (ManualClock::default(), memory_store());
    is_down.store(true, std::sync::atomic::Ordering::Relaxed);
    let meter = Counted(store, Default::default());
    let set = FixedVariables::with(&[("reads_per_minute", "1"), ("reads_burst", "1")]);
    for _ in 0..3 {
        let response = ask(&set, &clock, &meter, ("GET", "/jobs", &[FROM_7]));
        assert_eq!((response.status().as_u16(), response.headers().contains_key("ratelimit")), (200, false));
    }
    assert_eq!((meter.1.get(), clock.now()), (3, ManualClock::START));
}

#[test]
fn a_bound_that_makes_no_sense_lets_nobody_use_what_it_bounds() {
    let from: Headers<'_> = &[FROM_7];
    assert_eq!(statuses(&[("reads_per_minute", "many")], &[("GET", from), ("OPTIONS", from)]), [500, 204]);
}
