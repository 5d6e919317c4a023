//! Every kind of caller at every kind of route.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use super::*;
use crate::testing::{FixedVariables, ManualClock, new_job, request, text};
use thumbs_access::{KeyName, LinkSecrets, Scopes, last_day};

const SECRET: &str = "0123456789abcdef0123456789abcdef";
const JOB: &str = "/jobs/01932c07-20a4-7b3c-8d4e-5f6071829304";
const THUMBNAIL: &str = "/thumbnails/01932c07-20a4-7b3c-8d4e-5f6071829304";

fn key(seed: u8) -> Key {
    Key::from_random([seed; 24])
}

fn secs() -> i64 {
    ManualClock::START.unix_millis() / 1000
}

/// A reader (1), a writer (2), an admin who sees numbers alone (3), one who may do all (4), and one who might read until the day before
/// yesterday (5).
fn variables() -> FixedVariables {
    let entry = |seed, name, scopes, last_day| {
        Entry::new(&key(seed), KeyName::parse(name).unwrap(), Scopes::parse(scopes).unwrap(), last_day)
            .to_string()
    };
    let keys = [
        entry(1, "reader", "read", None),
        entry(2, "writer", "write", last_day(secs(), 0)),
        entry(3, "numbers", "admin", None),
        entry(4, "all", "read+write+admin", None),
        entry(5, "old", "read+write+admin", last_day(secs() - 2 * 86_400, 0)),
    ];
    let pairs =
        [("api_keys", keys.join("\n")), ("link_secret", SECRET.to_owned()), ("link_secs", "3600".to_owned())];
    FixedVariables(pairs.into())
}

fn ask(
    variables: &FixedVariables,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<Caller, Failed> {
    admit(&request(method, path, headers), variables, &ManualClock::default(), &Log::new("test"))
}

/// The status and the code that the client reads; 0 where it is let in.
fn status(method: &str, path: &str, headers: &[(&str, &str)]) -> (u16, String) {
    match ask(&variables(), method, path, headers) {
        Ok(_) => (0, String::new()),
        Err(failed) => {
            let (status, _, body) = text(&request(method, path, headers), Err(failed));
            let body: serde_json::Value = serde_json::from_str(&body).unwrap();
            (status, body["code"].as_str().unwrap().to_owned())
        }
    }
}

fn with_key(seed: u8) -> String {
    format!("Bearer {}", key(seed).expose())
}

#[test]
fn every_route_asks_of_every_key_what_its_row_says() {
    let denied = [(0, "key-needed"), (9, "key-needed"), (5, "key-needed")];
    for (method, path, allowed, scope_missing) in [
        ("GET", JOB, &[1, 4][..], &[2, 3][..]),
        ("HEAD", JOB, &[1, 4], &[2, 3]),
        ("GET", "/jobs", &[1, 4], &[2, 3]),
        ("POST", "/jobs", &[2, 4], &[1, 3]),
        ("GET", THUMBNAIL, &[1, 4], &[2, 3]),
        ("GET", "/metrics", &[3, 4], &[1, 2]),
        ("GET", "/debug/info", &[3, 4], &[1, 2]),
    ] {
        for &seed in allowed {
            assert_eq!(
                status(method, path, &[("authorization", &with_key(seed))]).0,
                0,
                "{method} {path} {seed}"
            );
            assert_eq!(
                status(method, path, &[("x-api-key", key(seed).expose())]).0,
                0,
                "{method} {path} {seed}"
            );
        }
        for &seed in scope_missing {
            let told = status(method, path, &[("authorization", &with_key(seed))]);
            assert_eq!(told, (403, "scope-missing".to_owned()), "{method} {path} {seed}");
        }
        for (seed, code) in denied {
            let header = with_key(seed);
            let headers = [("authorization", header.as_str())];
            let told = status(method, path, if seed == 0 { &[] } else { &headers });
            assert_eq!(told, (401, code.to_owned()), "{method} {path} {seed}");
        }
    }
}

#[test]
fn what_is_for_everybody_looks_at_no_key() {
    for path in ["/", "/docs", "/openapi.json", "/problems/x", "/site/app.js", "/healthz", "/readyz"] {
        for headers in [&[][..], &[("authorization", "Bearer wrong")], &[("x-api-key", "wrong")]] {
            assert_eq!(status("GET", path, headers).0, 0, "{path}");
        }
        // Its component is not even given the keys.
        let nothing = FixedVariables([].into());
        assert!(ask(&nothing, "GET", path, &[]).is_ok(), "{path}");
    }
}

#[test]
fn the_report_of_health_is_for_everybody_and_its_details_for_an_admin() {
    let may = |headers: &[(&str, &str)]| {
        ask(&variables(), "GET", "/healthz/detailed", headers).map(|caller| caller.may(Scope::Admin)).ok()
    };
    assert_eq!(may(&[]), Some(false));
    assert_eq!(may(&[("authorization", &with_key(1))]), Some(false));
    assert_eq!(may(&[("authorization", &with_key(3))]), Some(true));
    assert_eq!(may(&[("authorization", &with_key(9))]), None, "a wrong key is told so");
    let open = FixedVariables([("api_keys", String::new())].into());
    assert!(ask(&open, "GET", "/healthz/detailed", &[]).unwrap().may(Scope::Admin));
}

#[test]
fn a_key_comes_once_and_as_a_key() {
    let (good, bearer) = (key(1).expose().to_owned(), with_key(1));
    for (headers, expected) in [
        (&[("authorization", bearer.as_str())][..], 0),
        (&[("authorization", &format!("bearer  {good} "))], 0),
        (&[("x-api-key", &format!(" {good}"))], 0),
        // What a proxy or a browser sends by itself.
        (&[("authorization", "Basic dTpw"), ("x-api-key", &good)], 0),
        (&[("authorization", "Basic dTpw")], 401),
        (&[("authorization", &good)], 401),
        (&[("authorization", "Bearer")], 401),
        (&[("authorization", "Bearer ")], 401),
        (&[("authorization", &format!("Bearer {good}, Bearer {good}"))], 401),
        (&[("authorization", &bearer), ("authorization", &bearer)], 401),
        (&[("authorization", &bearer), ("x-api-key", &good)], 401),
        (&[("x-api-key", "")], 401),
        (&[("x-api-key", &good[1..])], 401),
        (&[("cookie", &good)], 401),
    ] {
        assert_eq!(status("GET", JOB, headers).0, expected, "{headers:?}");
    }
    assert_eq!(status("GET", &format!("{JOB}?api_key={good}"), &[]).0, 401, "addresses get into logs");
}

#[test]
fn a_refusal_says_what_would_help_and_shows_nothing() {
    let secret = key(9).expose().to_owned();
    for (path, headers, challenge) in [
        (JOB, vec![], "Bearer realm=\"thumbs\""),
        (JOB, vec![("x-api-key", secret.as_str())], "Bearer realm=\"thumbs\", error=\"invalid_token\""),
        ("/metrics", vec![("x-api-key", "hunter2")], "Bearer realm=\"thumbs\", error=\"invalid_token\""),
    ] {
        let failed = ask(&variables(), "GET", path, &headers).unwrap_err();
        let (_, told, body) = text(&request("GET", path, &headers), Err(failed));
        assert_eq!(told["www-authenticate"], challenge);
        assert!(!body.contains(&secret), "{body}");
    }
    let reader = with_key(1);
    let failed = ask(&variables(), "GET", "/metrics", &[("authorization", &reader)]).unwrap_err();
    let (_, told, _) = text(&request("GET", "/metrics", &[]), Err(failed));
    assert_eq!(
        told["www-authenticate"],
        "Bearer realm=\"thumbs\", error=\"insufficient_scope\", scope=\"admin\""
    );
}

#[test]
fn no_keys_are_no_gate_and_wrong_ones_are_a_wall() {
    let open = FixedVariables([("api_keys", String::new())].into());
    let caller = ask(&open, "POST", "/jobs", &[("authorization", "Bearer wrong")]).unwrap();
    assert!(matches!(caller, Caller::Anybody) && caller.owner().is_none() && caller.reach() == Reach::All);
    assert_eq!(caller.keep(86_400, ManualClock::START), "public, max-age=86400, immutable");
    for wrong in [" ", "shop:read:never:x", "hunter2"] {
        let variables = FixedVariables([("api_keys", wrong.to_owned())].into());
        let failed = ask(&variables, "GET", JOB, &[("authorization", &with_key(1))]).unwrap_err();
        assert!(matches!(failed, Failed::Config(_)), "{wrong:?}");
    }
    let missing = FixedVariables([].into());
    assert!(matches!(ask(&missing, "GET", JOB, &[]), Err(Failed::Config(_))));
}

#[test]
fn what_is_no_route_is_open_to_nobody() {
    assert_eq!(status("GET", "/debug", &[("authorization", &with_key(4))]), (404, "not-found".to_owned()));
    assert_eq!(status("PUT", "/jobs", &[]), (405, "method-not-allowed".to_owned()));
    assert_eq!(
        status("PROPFIND", JOB, &[("authorization", &with_key(4))]),
        (405, "method-not-allowed".to_owned())
    );
}

#[test]
fn each_key_reaches_its_own_jobs_and_an_admins_all() {
    let holder = |seed| {
        ask(&variables(), "GET", if seed == 2 { "/jobs" } else { JOB }, &[("authorization", &with_key(seed))])
    };
    let reader = holder(1).unwrap();
    assert_eq!(reader.reach(), Reach::Of(reader.owner().unwrap()));
    assert_eq!(reader.owner().unwrap().as_str(), "reader");
    let all = holder(4).unwrap();
    assert_eq!((all.reach(), all.owner().unwrap().as_str()), (Reach::All, "all"));
    let job = thumbs_domain::job::NewJob { owner: reader.owner().cloned(), ..new_job() }.stored();
    let shown = |caller: &Caller| serde_json::to_value(caller.view(&job)).unwrap();
    assert!(shown(&reader).get("owner").is_none());
    assert_eq!(shown(&all)["owner"], "reader");
    assert_eq!(reader.keep(60, ManualClock::START), "private, max-age=60, immutable");
}

fn signed(path: &str, expires: i64) -> String {
    let signature = LinkSecrets::parse(SECRET).unwrap().sign(path, expires).unwrap();
    format!("{path}{}", signature.query())
}

#[test]
fn a_signed_link_is_good_for_its_thumbnail_up_to_its_end() {
    let link = signed(THUMBNAIL, secs() + 60);
    let caller = ask(&variables(), "GET", &link, &[]).unwrap();
    assert_eq!((caller.reach(), caller.may(Scope::Read)), (Reach::All, false));
    assert_eq!(caller.keep(86_400, ManualClock::START), "public, max-age=60, immutable");
    assert_eq!(status("HEAD", &link, &[("authorization", "Basic dTpw")]).0, 0);
    assert_eq!(status("GET", &signed(THUMBNAIL, secs()), &[]).0, 0, "the last second");
    let refused = (403, "link-refused".to_owned());
    let other = link.replace("5f6071829304", "5f6071829305");
    let (_, query) = link.split_once('?').unwrap();
    for bad in [
        signed(THUMBNAIL, secs() - 1),
        other,
        link.replace("expires=1", "expires=2"),
        link.replace("expires=1", "expires=%2B1"),
        link.replace("&signature", "&expires=99999999999&signature"),
        format!("{THUMBNAIL}?expires={}", secs() + 60),
        format!("{THUMBNAIL}?signature=x"),
        signed("/thumbnails/x", secs() + 60).replace("/thumbnails/x", THUMBNAIL),
    ] {
        assert_eq!(status("GET", &bad, &[]), refused, "{bad}");
    }
    // A key that comes along is what counts, and a link is for nothing else.
    assert_eq!(status("GET", &link, &[("authorization", &with_key(9))]).0, 401);
    assert_eq!(status("GET", &signed(THUMBNAIL, 0), &[("authorization", &with_key(1))]).0, 0);
    assert_eq!(status("GET", &format!("{JOB}?{query}"), &[]).0, 401);
}

#[test]
fn a_job_has_a_link_that_its_holder_can_pass_on() {
    let caller = ask(&variables(), "GET", JOB, &[("authorization", &with_key(1))]).unwrap();
    let job = new_job().stored();
    let view = serde_json::to_value(caller.view(&job)).unwrap();
    let link = view["links"]["signed_thumbnail"].as_str().unwrap();
    assert!(matches!(ask(&variables(), "GET", link, &[]), Ok(Caller::LinkUntil(end)) if {
        let life = end.millis_since(ManualClock::START);
        (3_240_000..=3_600_000).contains(&life)
    }));
    let mut no_secret = variables();
    no_secret.0.insert("link_secret", String::new());
    let caller = ask(&no_secret, "GET", JOB, &[("authorization", &with_key(1))]).unwrap();
    let view = serde_json::to_value(caller.view(&job)).unwrap();
    assert!(view["links"].get("signed_thumbnail").is_none());
    assert_eq!(status_of(&no_secret, link), 403, "nothing is signed by nobody");
}

fn status_of(variables: &FixedVariables, path: &str) -> u16 {
    let failed = ask(variables, "GET", path, &[]).unwrap_err();
    text(&request("GET", path, &[]), Err(failed)).0
}

#[test]
fn what_is_for_an_admin_alone_is_not_there_where_nobody_has_a_key() {
    let open = FixedVariables([("api_keys", String::new())].into());
    for path in ["/debug/info", "/debug/connectivity", "/debug/jobs", "/debug/logs"] {
        let asked = ask(&open, "GET", path, &[]);
        let (status, _, body) = text(&request("GET", path, &[]), asked.map(|_| Default::default()));
        assert_eq!(status, 404, "{path}");
        assert!(body.contains("api_keys"), "{body}");
    }
    assert!(matches!(ask(&open, "GET", "/metrics", &[]), Ok(Caller::Anybody)));
}
