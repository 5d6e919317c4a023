//! Jobs that are tried again, deleted, or asked how they went.

use std::time::Duration;

use thumbs_domain::id::JobId;
use thumbs_domain::timestamp::Timestamp;
use thumbs_guest::clock::Clock;
use thumbs_guest::http::park::Offer;
use thumbs_guest::jobs::{Life, SqlJobStore};
use thumbs_guest::log::Log;
use thumbs_guest::sql::Sqlite;
use thumbs_guest::testing::{CountingWake, Driver, ManualClock, end_job, memory_store, put_job};
use thumbs_status::Status;

use crate::kit::*;

/// A store with a job that has ended.
fn ended(thumbnail: Option<&[u8]>) -> (SqlJobStore<Driver, Sqlite>, JobId) {
    let (store, _) = memory_store();
    let job = put_job(&store);
    end_job(&store, &job, thumbnail);
    (store, job)
}

#[test]
fn a_deleted_job_is_gone_and_a_worker_is_called_for_its_blobs() {
    let (store, job) = ended(Some(b"a thumbnail"));
    let kept = put_job(&store);
    let (wake, clock) = (CountingWake::default(), ManualClock::default());
    store.claim_sweep(clock.now(), clock.now().plus_millis(60_000)).unwrap();
    let answer = ask(&store, &wake, &clock, "DELETE", &path(&job));
    assert_eq!((answer.status, answer.header("content-length")), (204, ""));
    assert_eq!(
        store.garbage(Timestamp::from_unix_millis(0), 10).unwrap().len(),
        2,
        "its original and its thumbnail"
    );
    assert_eq!((wake.count(), store.due(clock.now(), clock.now()).unwrap().sweep), (1, true));
    for method in ["GET", "DELETE"] {
        let answer = ask(&store, &wake, &clock, method, &path(&job));
        assert_eq!((answer.status, &answer.json["code"]), (404, &"not-found".into()), "{method}");
    }
    assert_eq!(ask(&store, &wake, &clock, "DELETE", "/jobs/x").status, 404);
    assert_eq!(get(&store, &path(&kept)).status, 200);
}

#[test]
fn a_failed_job_is_tried_again_at_once() {
    let (store, job) = ended(None);
    let (wake, clock) = (CountingWake::default(), ManualClock::default());
    let retry = format!("{}/retry", path(&job));
    let answer = ask(&store, &wake, &clock, "POST", &retry);
    assert_eq!((answer.status, answer.header("retry-after")), (202, "1"));
    assert_eq!((&answer.json["status"], &answer.json["attempts"]), (&"processing".into(), &0.into()));
    assert_eq!(answer.json["error"]["code"], "source-missing", "why it is tried again");
    assert_eq!(wake.count(), 1);
    let again = ask(&store, &wake, &clock, "POST", &retry);
    assert_eq!((again.status, &again.json["code"]), (409, &"not-failed".into()));
    end_job(&store, &job, Some(b"a thumbnail"));
    let answer = ask(&store, &wake, &clock, "POST", &retry);
    assert_eq!((answer.status, &answer.json["code"]), (409, &"not-failed".into()));
    assert_eq!(ask(&store, &wake, &clock, "POST", &format!("/jobs/{UNKNOWN}/retry")).status, 404);
    assert_eq!(wake.count(), 1);
}

#[test]
fn who_has_a_job_tried_again_may_wait_for_it() {
    let (store, job) = ended(None);
    let clock = ManualClock::with_others(|_| end_job(&store, &job, Some(b"a thumbnail")));
    let retry = format!("{}/retry?wait=5", path(&job));
    let answer = ask(&store, &CountingWake::default(), &clock, "POST", &retry);
    assert_eq!((answer.status, &answer.json["status"]), (200, &"succeeded".into()));
    assert_eq!(clock.sleeps(), 1);
}

#[test]
fn where_the_host_can_wait_a_retry_goes_on_by_a_note_and_happens_once() {
    let (store, job) = ended(None);
    let (wake, clock) = (CountingWake::default(), ManualClock::default());
    let ask = |offer: Offer| {
        let log = Log::new("test");
        let status = Status {
            store: &store,
            batches: &store,
            wake: &wake,
            wake_now: &wake,
            offer,
            clock: &clock,
            log: &log,
        };
        answer(status, "POST", &format!("{}/retry?wait=5", path(&job)))
    };
    let first = ask(Offer { by_note: true, ..Offer::default() });
    assert_eq!((first.status, first.header("thumbs-park")), (202, format!("5000 {job}").as_str()));
    let note = Some(first.header("thumbs-park-note").to_owned());
    let kept = |secs| Offer { age: Some(Duration::from_secs(secs)), note: note.clone(), by_note: false };
    let second = ask(kept(2));
    assert_eq!((second.status, second.header("thumbs-park")), (202, format!("3000 {job}").as_str()));
    end_job(&store, &job, Some(b"a thumbnail"));
    let last = ask(kept(3));
    assert_eq!(
        (last.status, last.header("thumbs-park"), &last.json["status"]),
        (200, "", &"succeeded".into())
    );
    assert_eq!((wake.count(), clock.sleeps()), (1, 0));
}

#[test]
fn a_job_tells_how_its_attempts_went() {
    let (store, job) = ended(None);
    let (wake, clock) = (CountingWake::default(), ManualClock::default());
    let path = format!("{}/history", path(&job));
    let answer = ask(&store, &wake, &clock, "GET", &path);
    assert_eq!((answer.status, &answer.json["job_id"]), (200, &job.to_string().into()));
    let attempts = answer.json["attempts"].as_array().unwrap();
    assert_eq!(
        (attempts.len(), &attempts[0]["outcome"], &attempts[0]["code"]),
        (1, &"failed".into(), &"source-missing".into())
    );
    let answer = ask(&store, &wake, &clock, "GET", &format!("/jobs/{UNKNOWN}/history"));
    assert_eq!((answer.status, &answer.json["code"]), (404, &"not-found".into()));
}

#[test]
fn a_job_whose_image_is_kept_no_longer_is_not_tried_again() {
    let (store, job) = ended(None);
    store.expire_originals(ManualClock::START, ManualClock::START, 10).unwrap();
    let retry = format!("{}/retry", path(&job));
    let wake = CountingWake::default();
    let answer = ask(&store, &wake, &ManualClock::default(), "POST", &retry);
    assert_eq!((answer.status, &answer.json["code"]), (410, &"original-gone".into()));
    assert_eq!((wake.count(), &get(&store, &path(&job)).json["status"]), (0, &"failed".into()));
}
