//! The suite for `ops`: health and readiness.

#![cfg(target_arch = "wasm32")]

use thumbs_spin_test::{
    Method, Reply, Request,
    bindings::fermyon::spin_test_virt::variables,
    blobs,
    jobs::{self, Row},
    keys, suite,
};

suite![
    it_is_alive_whatever_is_down,
    it_is_ready_where_all_that_it_needs_answers,
    it_is_not_ready_without_its_database,
    it_is_not_ready_without_its_blobs,
    a_database_that_is_down_is_named_without_its_address,
    redis_that_is_down_makes_it_no_worse_than_degraded,
    numbers_are_told_in_the_text_format_of_prometheus,
    asking_changes_nothing,
    only_reading_is_allowed,
    where_there_are_keys_numbers_are_an_admins,
];

fn get(path: &str) -> Reply {
    Request::get(path).send()
}

/// The state of this dependency in `/healthz/detailed`.
fn state(reply: &Reply, name: &str) -> String {
    let report = reply.json();
    let all = report["dependencies"].as_array().cloned().unwrap_or_default();
    let found = all.iter().find(|dependency| dependency["name"] == name);
    found.and_then(|dependency| dependency["state"].as_str()).unwrap_or_default().to_owned()
}

fn it_is_alive_whatever_is_down() {
    variables::set("database_url", "postgres://thumbs:hunter2@localhost:5432/thumbs");
    let reply = get("/healthz");
    assert_eq!((reply.status, &reply.json()["status"]), (200, &"ok".into()));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
}

fn it_is_ready_where_all_that_it_needs_answers() {
    let reply = get("/readyz");
    assert_eq!((reply.status, &reply.json()["status"]), (200, &"ok".into()));
    let detailed = get("/healthz/detailed");
    assert_eq!((detailed.status, &detailed.json()["status"]), (200, &"ok".into()));
    for name in ["database", "blobs", "messages"] {
        assert_eq!(state(&detailed, name), "up");
    }
}

fn it_is_not_ready_without_its_database() {
    variables::set("database_url", "sqlite:other");
    let reply = get("/readyz");
    assert_eq!((reply.status, &reply.json()["code"]), (503, &"unavailable".into()));
    assert!(reply.header("retry-after").is_some());
}

fn it_is_not_ready_without_its_blobs() {
    variables::set("blob_url", "kv:other");
    assert_eq!(get("/readyz").status, 503);
    let detailed = get("/healthz/detailed");
    assert_eq!(detailed.status, 503);
    assert_eq!((state(&detailed, "blobs").as_str(), state(&detailed, "database").as_str()), ("down", "up"));
}

fn a_database_that_is_down_is_named_without_its_address() {
    variables::set("database_url", "postgres://thumbs:hunter2@db.internal:5432/thumbs");
    let detailed = get("/healthz/detailed");
    assert_eq!((detailed.status, &detailed.json()["status"]), (503, &"down".into()));
    assert_eq!(state(&detailed, "database"), "down");
    let text = String::from_utf8_lossy(&detailed.body).into_owned();
    for secret in ["hunter2", "internal:5432", "postgres://"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

fn redis_that_is_down_makes_it_no_worse_than_degraded() {
    variables::set("redis_url", "not an address");
    assert_eq!(get("/readyz").status, 200);
    let detailed = get("/healthz/detailed");
    assert_eq!((detailed.status, &detailed.json()["status"]), (200, &"degraded".into()));
    assert_eq!(state(&detailed, "messages"), "down");
}

fn numbers_are_told_in_the_text_format_of_prometheus() {
    assert_eq!(get("/metrics").status, 200, "on an empty database as well");
    jobs::insert(Row::Failed);
    jobs::insert_as("01932c07-20a4-7b3c-8d4e-5f6071829305", Row::Overdue);
    let reply = get("/metrics");
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = String::from_utf8_lossy(&reply.body).into_owned();
    for line in [
        "thumbs_jobs{status=\"failed\",code=\"undecodable\"} 1",
        "thumbs_jobs{status=\"processing\",code=\"\"} 1",
        "thumbs_queue_jobs{state=\"due\"} 1",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
    }
}

fn asking_changes_nothing() {
    assert_eq!(get("/healthz/detailed").status, 200);
    assert_eq!(get("/readyz").status, 200);
    assert_eq!((jobs::count(), blobs::written()), (0, Vec::<String>::new()));
}

fn only_reading_is_allowed() {
    for path in ["/healthz", "/readyz", "/healthz/detailed", "/metrics"] {
        let reply = Request::new(Method::Post, path).send();
        assert_eq!((reply.status, reply.header("allow")), (405, Some("GET, HEAD, OPTIONS")), "{path}");
    }
}

fn where_there_are_keys_numbers_are_an_admins() {
    variables::set("api_keys", &keys::list(&[(1, "shop:read+write"), (2, "scraper:admin")]));
    let status = |path: &str, key: Option<u8>| {
        let request = Request::get(path);
        match key {
            Some(seed) => {
                request.header("x-api-key", keys::bearer(seed).trim_start_matches("Bearer ")).send()
            }
            None => request.send(),
        }
        .status
    };
    assert_eq!([None, Some(1), Some(2), Some(3)].map(|key| status("/metrics", key)), [401, 403, 200, 401]);
    for path in ["/healthz", "/readyz", "/healthz/detailed"] {
        assert_eq!(status(path, None), 200, "{path}");
    }
    let members = |reply: Reply| reply.json().as_object().expect("an object").len();
    assert_eq!(members(get("/healthz/detailed")), 1);
    assert_eq!(
        members(Request::get("/healthz/detailed").header("authorization", &keys::bearer(2)).send()),
        2
    );
}
