//! Jobs that came together.

use std::time::Duration;

use thumbs_domain::batch::{BatchId, FileName, Place};
use thumbs_domain::id::JobId;
use thumbs_domain::job::NewJob;
use thumbs_guest::jobs::JobStore;
use thumbs_guest::testing::{CountingWake, ManualClock, end_job, memory_store, new_job, put_job};

use crate::kit::*;

/// A batch of so many jobs, in their order.
fn put_batch(store: &dyn JobStore, jobs: u32) -> (BatchId, Vec<JobId>) {
    let batch = BatchId::parse("01a20b45-91b8-7c4d-8e21-3f6a0d9b5c12").unwrap();
    let put = |part| {
        let place = Place { batch, part, file_name: FileName::of("a.png") };
        let job = NewJob { place: Some(place), ..new_job() };
        store.create(&job).unwrap();
        job.id
    };
    (batch, (1..=jobs).map(put).collect())
}

#[test]
fn a_batch_shows_its_jobs_and_how_many_stand_how() {
    let (store, _) = memory_store();
    let (batch, jobs) = put_batch(&store, 3);
    put_job(&store);
    end_job(&store, &jobs[0], Some(b"a thumbnail"));
    end_job(&store, &jobs[1], None);
    let answer = get(&store, &format!("/batches/{batch}"));
    assert_eq!((answer.status, answer.header("retry-after")), (200, "1"));
    assert_eq!(answer.json["counts"], serde_json::json!({"processing": 1, "succeeded": 1, "failed": 1}));
    assert_eq!(answer.json["links"]["self"], format!("/batches/{batch}"));
    assert!(answer.json.get("is_complete").is_none(), "what was refused is not known any more");
    let parts = answer.json["parts"].as_array().unwrap();
    let ids: Vec<_> = parts.iter().map(|part| part["job"]["job_id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(ids, jobs.iter().map(ToString::to_string).collect::<Vec<_>>());
    assert_eq!((&parts[2]["part"], &parts[2]["file_name"]), (&3.into(), &"a.png".into()));
    for path in [format!("/batches/{UNKNOWN}"), "/batches/x".to_owned(), format!("/batches/{}", jobs[0])] {
        let answer = get(&store, &path);
        assert_eq!((answer.status, &answer.json["code"]), (404, &"not-found".into()), "{path}");
    }
    assert_eq!(get(&store, &format!("/batches/{batch}?wiat=1")).status, 400);
    let post =
        ask(&store, &CountingWake::default(), &ManualClock::default(), "POST", &format!("/batches/{batch}"));
    assert_eq!((post.status, post.header("allow")), (405, "GET, HEAD, OPTIONS"));
}

#[test]
fn a_wait_for_a_batch_ends_when_its_last_job_does() {
    let (store, _) = memory_store();
    let (batch, jobs) = put_batch(&store, 2);
    let clock = ManualClock::with_others(|sleep| match sleep {
        2 => end_job(&store, &jobs[0], Some(b"a thumbnail")),
        4 => end_job(&store, &jobs[1], None),
        _ => {}
    });
    let path = format!("/batches/{batch}?wait=30");
    let answer = ask(&store, &CountingWake::default(), &clock, "GET", &path);
    assert_eq!((&answer.json["counts"]["processing"], clock.sleeps()), (&0.into(), 4));
    assert_eq!(answer.header("retry-after"), "");
}

#[test]
fn a_batch_is_kept_by_the_host_until_each_job_that_is_open_has_ended() {
    let (store, _) = memory_store();
    let (batch, jobs) = put_batch(&store, 2);
    let kept = || {
        let wakes = (&CountingWake::default(), &CountingWake::default());
        let path = format!("/batches/{batch}?wait=10");
        ask_parked(&store, wakes, &ManualClock::default(), Some(Duration::from_secs(1)), "GET", &path)
    };
    assert_eq!(kept().header("thumbs-park"), format!("9000 {}", jobs[1]));
    end_job(&store, &jobs[0], None);
    assert_eq!(kept().header("thumbs-park"), format!("9000 {}", jobs[1]));
    end_job(&store, &jobs[1], None);
    assert_eq!(kept().header("thumbs-park"), "");
}
