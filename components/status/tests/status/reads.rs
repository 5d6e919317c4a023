//! A job as it stands, and what is no read of one.

use std::sync::atomic::Ordering;

use thumbs_domain::owner::Reach;
use thumbs_guest::jobs::JobStore;
use thumbs_guest::testing::{CountingWake, ManualClock, end_job, memory_store, put_job};

use crate::kit::*;

#[test]
fn a_job_is_shown_as_it_stands() {
    let (store, _) = memory_store();
    let job = put_job(&store);
    let processing = get(&store, &path(&job));
    assert_eq!((processing.status, &processing.json["status"]), (200, &"processing".into()));
    assert_eq!((processing.header("retry-after"), processing.header("cache-control")), ("1", "no-store"));
    end_job(&store, &job, Some(b"a thumbnail"));
    let succeeded = get(&store, &path(&job));
    assert_eq!((succeeded.status, &succeeded.json["status"]), (200, &"succeeded".into()));
    assert_eq!(succeeded.header("retry-after"), "");
    assert_eq!(succeeded.json["result"]["bytes"], 11);
}

#[test]
fn an_id_that_was_never_given_out_is_not_found() {
    let (store, _) = memory_store();
    put_job(&store);
    for id in [
        UNKNOWN,
        "1",
        "",
        "..%2f..%2fetc",
        "'; DROP TABLE thumbs_jobs; --",
        "..",
        "%00",
        &UNKNOWN.to_uppercase(),
    ] {
        let answer = get(&store, &format!("/jobs/{id}"));
        assert_eq!((answer.status, &answer.json["code"]), (404, &"not-found".into()), "{id}");
    }
}

#[test]
fn each_path_has_its_own_methods() {
    let (store, _) = memory_store();
    let job = put_job(&store);
    let retry = format!("{}/retry", path(&job));
    for (path, methods, allow) in [
        (path(&job), &["POST", "PUT", "PATCH"][..], "DELETE, GET, HEAD, OPTIONS"),
        (retry, &["GET", "HEAD", "PUT", "DELETE"], "OPTIONS, POST"),
    ] {
        for method in methods {
            let answer = ask(&store, &CountingWake::default(), &ManualClock::default(), method, &path);
            assert_eq!((answer.status, answer.header("allow")), (405, allow), "{method} {path}");
        }
    }
    assert!(store.get(&job, Reach::All).unwrap().is_some());
}

#[test]
fn a_store_that_is_down_is_a_503_that_names_nobody() {
    let (store, is_down) = memory_store();
    let job = put_job(&store);
    is_down.store(true, Ordering::Relaxed);
    let answer = get(&store, &path(&job));
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
    assert!(!answer.json.to_string().contains("secret"), "{}", answer.json);
}
