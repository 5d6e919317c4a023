//! The status handler over the real job store and blobs in memory: what a reader gets, how long it is held, when it wakes the workers, and what
//! becomes of a job that is tried again or deleted.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;
use thumbs_domain::batch::{BatchId, FileName, Place};
use thumbs_domain::id::JobId;
use thumbs_domain::job::NewJob;
use thumbs_domain::owner::Reach;
use thumbs_guest::clock::Clock;
use thumbs_guest::jobs::{JobStore, Life, SqlJobStore, Whole};
use thumbs_guest::log::Log;
use thumbs_guest::sql::Sqlite;
use thumbs_guest::testing::{
    CountingWake, Driver, Fate, Faulty, ManualClock, end_job, memory_store, new_job, put_job, request, text,
};
use thumbs_status::Status;

const UNKNOWN: &str = "01932c07-20a4-7b3c-8d4e-5f6071829304";

struct Answer {
    status: u16,
    headers: HeaderMap,
    json: Value,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn ask(store: &dyn Whole, wake: &CountingWake, clock: &dyn Clock, method: &str, path: &str) -> Answer {
    let log = Log::new("test");
    answer(
        Status { store, batches: store, wake, wake_now: wake, parked: None, note: None, clock, log: &log },
        method,
        path,
    )
}

/// Where the host can keep a request, and has for so long. The workers are woken by the one after the answer, by the other at once.
fn ask_parked(
    store: &dyn Whole,
    (wake, wake_now): (&CountingWake, &CountingWake),
    clock: &dyn Clock,
    parked: Option<Duration>,
    method: &str,
    path: &str,
) -> Answer {
    let log = Log::new("test");
    answer(
        Status { store, batches: store, wake, wake_now, parked, note: None, clock, log: &log },
        method,
        path,
    )
}

fn answer(status: Status<'_>, method: &str, path: &str) -> Answer {
    let request = request(method, path, &[]);
    let (status, headers, body) = text(&request, status.handle(&request));
    Answer { status, headers, json: serde_json::from_str(&body).unwrap_or_default() }
}

fn get(store: &dyn Whole, path: &str) -> Answer {
    ask(store, &CountingWake::default(), &ManualClock::default(), "GET", path)
}

fn path(job: &JobId) -> String {
    format!("/jobs/{job}")
}

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
fn a_wait_ends_as_soon_as_the_job_does() {
    let (store, _) = memory_store();
    let job = put_job(&store);
    let clock = ManualClock::with_others(|sleep| {
        if sleep == 3 {
            end_job(&store, &job, Some(b"a thumbnail"));
        }
    });
    let answer = ask(&store, &CountingWake::default(), &clock, "GET", &format!("{}?wait=30", path(&job)));
    assert_eq!(answer.json["status"], "succeeded");
    assert_eq!(clock.sleeps(), 3);
    assert!(clock.elapsed() < Duration::from_millis(100));
}

#[test]
fn a_wait_ends_when_its_time_is_over() {
    let (store, _) = memory_store();
    let job = put_job(&store);
    for (wait, held_secs) in [("0", 0), ("1", 1), ("30", 30), ("31", 30), ("99999999999999999999999", 30)] {
        let clock = ManualClock::default();
        let answer =
            ask(&store, &CountingWake::default(), &clock, "GET", &format!("{}?wait={wait}", path(&job)));
        assert_eq!((answer.status, &answer.json["status"]), (200, &"processing".into()));
        assert_eq!(clock.elapsed(), Duration::from_secs(held_secs), "wait={wait}");
        // Gentle: four looks a second at most, after the first few.
        assert!(u64::from(clock.sleeps()) <= held_secs * 4 + 6, "wait={wait}: {} looks", clock.sleeps());
    }
}

#[test]
fn where_the_host_can_wait_the_instance_does_not() {
    let (store, _) = memory_store();
    let job = put_job(&store);
    for (wait, parked_ms, asks) in
        [("10", 0, "10000 "), ("10", 9_999, "1 "), ("10", 10_000, ""), ("10", u64::MAX, ""), ("0", 0, "")]
    {
        let (clock, path) = (ManualClock::default(), format!("{}?wait={wait}", path(&job)));
        let wakes = (&CountingWake::default(), &CountingWake::default());
        let parked = Some(Duration::from_millis(parked_ms));
        let answer = ask_parked(&store, wakes, &clock, parked, "GET", &path);
        assert_eq!((answer.status, clock.sleeps()), (200, 0), "wait={wait}, {parked_ms} ms");
        let expected = if asks.is_empty() { String::new() } else { format!("{asks}{job}") };
        assert_eq!(answer.header("thumbs-park"), expected, "wait={wait}, {parked_ms} ms");
    }
    end_job(&store, &job, None);
    let wakes = (&CountingWake::default(), &CountingWake::default());
    let path = format!("{}?wait=10", path(&job));
    let done = ask_parked(&store, wakes, &ManualClock::default(), Some(Duration::ZERO), "GET", &path);
    assert_eq!((&done.json["status"], done.header("thumbs-park")), (&"failed".into(), ""));
}

#[test]
fn only_who_goes_on_waiting_here_wakes_the_workers_before_the_answer() {
    for (query, parked, at_once) in
        [("", None, false), ("?wait=1", None, true), ("?wait=1", Some(Duration::ZERO), false)]
    {
        let (store, _) = memory_store();
        let path = format!("{}{query}", path(&put_job(&store)));
        let (later, now, clock) = (CountingWake::default(), CountingWake::default(), ManualClock::default());
        clock.advance(Duration::from_secs(3));
        ask_parked(&store, (&later, &now), &clock, parked, "GET", &path);
        assert_eq!((later.count(), now.count()), (u32::from(!at_once), u32::from(at_once)), "{query}");
    }
}

#[test]
fn a_client_may_prefer_to_wait_and_is_told_for_how_long_it_did() {
    let (store, _) = memory_store();
    let job = put_job(&store);
    for (query, prefer, held_secs, applied) in [
        ("", "wait=2", 2, "wait=2"),
        ("", "respond-async, wait=600", 30, "wait=30"),
        ("", "wait=soon", 0, ""),
        ("?wait=1", "wait=20", 1, ""),
    ] {
        let clock = ManualClock::default();
        let request = request("GET", &format!("{}{query}", path(&job)), &[("prefer", prefer)]);
        let (wake, log) = (CountingWake::default(), Log::new("test"));
        let answer = Status {
            store: &store,
            batches: &store,
            wake: &wake,
            wake_now: &wake,
            parked: None,
            note: None,
            clock: &clock,
            log: &log,
        }
        .handle(&request);
        let (status, headers, _) = text(&request, answer);
        let said = headers.get("preference-applied").map_or("", |value| value.to_str().unwrap());
        assert_eq!((status, said), (200, applied), "{query} {prefer}");
        assert_eq!(clock.elapsed(), Duration::from_secs(held_secs), "{query} {prefer}");
    }
}

#[test]
fn a_wait_that_is_none_is_refused() {
    let (store, _) = memory_store();
    let job = put_job(&store);
    for query in ["wait=", "wait=-1", "wait=1.5", "wait=x", "wait=1&wait=1", "wiat=1"] {
        let answer = get(&store, &format!("{}?{query}", path(&job)));
        assert_eq!((answer.status, &answer.json["code"]), (400, &"invalid-option".into()), "{query}");
    }
}

#[test]
fn an_overdue_job_wakes_the_workers_once_in_a_while() {
    let (store, _) = memory_store();
    let job = put_job(&store);
    let wake = CountingWake::default();
    let clock = ManualClock::default();
    let mut woken = Vec::new();
    for _ in 0..5 {
        ask(&store, &wake, &clock, "GET", &path(&job));
        ask(&store, &wake, &clock, "GET", &path(&job));
        woken.push(wake.count());
        clock.advance(Duration::from_millis(2500));
    }
    // Due at 0 s, overdue from 2 s on, then at most every 5 s: at 2.5 s and at 7.5 s.
    assert_eq!(woken, [0, 1, 1, 2, 2]);
}

#[test]
fn a_store_that_can_only_be_read_shows_an_overdue_job_and_wakes_for_it() {
    let read_only = Rc::new(Cell::new(false));
    let is_read_only = read_only.clone();
    let store = SqlJobStore::<_, Sqlite>::new(Faulty::new(move |statement: &str| {
        let is_refused = is_read_only.get() && statement.starts_with("UPDATE");
        if is_refused { Fate::Stopped } else { Fate::Done }
    }));
    let job = put_job(&store);
    read_only.set(true);
    for (query, looks) in [("", 1), ("?wait=30", 1)] {
        let (wake, clock) = (CountingWake::default(), ManualClock::default());
        clock.advance(Duration::from_secs(3));
        let answer = ask(&store, &wake, &clock, "GET", &format!("{}{query}", path(&job)));
        assert_eq!((answer.status, &answer.json["status"]), (200, &"processing".into()), "{query}");
        assert_eq!(wake.count(), looks, "{query}: one client is one wake-up, where nothing can be noted");
    }
}

#[test]
fn a_job_under_a_lease_or_done_wakes_nobody() {
    let (store, _) = memory_store();
    let job = put_job(&store);
    end_job(&store, &job, None);
    let (wake, clock) = (CountingWake::default(), ManualClock::default());
    clock.advance(Duration::from_secs(3600));
    let answer = ask(&store, &wake, &clock, "GET", &path(&job));
    assert_eq!(
        (&answer.json["status"], &answer.json["error"]["code"]),
        (&"failed".into(), &"source-missing".into())
    );
    assert_eq!(wake.count(), 0);
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
    assert_eq!(store.garbage(10).unwrap().len(), 2, "its original and its thumbnail");
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

#[test]
fn a_store_that_is_down_is_a_503_that_names_nobody() {
    let (store, is_down) = memory_store();
    let job = put_job(&store);
    is_down.store(true, Ordering::Relaxed);
    let answer = get(&store, &path(&job));
    assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
    assert!(!answer.json.to_string().contains("secret"), "{}", answer.json);
}

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

/// What a listener gets that has this event, from an instance that was left this note.
fn listen(
    store: &dyn Whole,
    path: &str,
    known: &str,
    clock: &dyn Clock,
    parked: Option<(Duration, Option<&str>)>,
) -> (u16, HeaderMap, String) {
    let request = request("GET", path, &[("last-event-id", known)]);
    let (log, wake) = (Log::new("test"), CountingWake::default());
    let note = parked.and_then(|(_, note)| note).map(str::to_owned);
    let parked = parked.map(|(age, _)| age);
    let status =
        Status { store, batches: store, wake: &wake, wake_now: &wake, parked, note, clock, log: &log };
    text(&request, status.handle(&request))
}

/// The `id` of each event, and the status in its data.
fn events(text: &str) -> Vec<(String, String)> {
    let event = |block: &str| {
        let id = block.lines().find_map(|line| line.strip_prefix("id: "))?;
        let data = block.lines().find_map(|line| line.strip_prefix("data: "))?;
        let job: Value = serde_json::from_str(data).unwrap();
        Some((id.to_owned(), job["status"].as_str().unwrap().to_owned()))
    };
    text.split("\n\n").filter_map(event).collect()
}

#[test]
fn a_listener_is_told_how_a_job_stands_whenever_that_is_otherwise_than_before() {
    let (store, _) = memory_store();
    let job = put_job(&store);
    let (path, clock) = (format!("/jobs/{job}/events"), ManualClock::default());
    let at = |secs, note| Some((Duration::from_secs(secs), note));
    let header =
        |headers: &HeaderMap, name: &str| headers.get(name).map(|value| value.to_str().unwrap().to_owned());

    let (status, headers, body) = listen(&store, &path, "", &clock, at(0, None));
    assert_eq!((status, header(&headers, "content-type").as_deref()), (200, Some("text/event-stream")));
    assert!(body.starts_with("retry: 1000\n\n"), "{body}");
    let [(event, stands)] = &events(&body)[..] else { panic!("{body}") };
    assert_eq!(stands, "processing");
    assert_eq!(header(&headers, "thumbs-park"), Some(format!("15000 {job}")));
    let note = header(&headers, "thumbs-park-note").unwrap();

    // Nothing is new: a word now and then, and nothing where the client has it already.
    for (secs, said) in [(1, ""), (14, ""), (15, ":\n\n"), (400, ":\n\n")] {
        let (_, headers, body) = listen(&store, &path, "", &clock, at(secs, Some(&note)));
        assert_eq!(body, said, "after {secs} s");
        let left = if said.is_empty() { 15 - secs } else { 15 };
        assert_eq!(header(&headers, "thumbs-park"), Some(format!("{}000 {job}", left)), "after {secs} s");
    }
    let (_, headers, body) = listen(&store, &path, event, &clock, at(0, None));
    assert_eq!((events(&body).len(), headers.contains_key("thumbs-park")), (0, true), "{body}");
    // The last time there is.
    let (status, _, _) =
        listen(&store, &path, "", &clock, Some((Duration::from_millis(u64::MAX), Some(&note))));
    assert_eq!(status, 200);

    end_job(&store, &job, None);
    let (_, headers, body) = listen(&store, &path, "", &clock, at(16, Some(&note)));
    let [(last, stands)] = &events(&body)[..] else { panic!("{body}") };
    assert_eq!((stands.as_str(), headers.contains_key("thumbs-park")), ("failed", false));
    assert_ne!(last, event);
    assert_eq!(listen(&store, &path, event, &clock, at(0, None)).0, 200);
    assert_eq!(listen(&store, &path, last, &clock, at(0, None)).0, 204, "a browser asks no more");
    assert_eq!(listen(&store, &path, last, &clock, None).0, 204);
    assert_eq!(listen(&store, &format!("/jobs/{UNKNOWN}/events"), "", &clock, None).0, 404);
}

#[test]
fn where_the_host_can_not_wait_a_listener_gets_one_event_and_is_held_for_the_next() {
    let (store, _) = memory_store();
    let job = put_job(&store);
    let path = format!("/jobs/{job}/events");
    let clock = ManualClock::default();
    let (_, headers, body) = listen(&store, &path, "", &clock, None);
    let [(event, stands)] = &events(&body)[..] else { panic!("{body}") };
    assert_eq!((stands.as_str(), clock.sleeps()), ("processing", 0));
    assert!(!headers.contains_key("thumbs-park"));
    let (_, _, body) = listen(&store, &path, event, &clock, None);
    assert_eq!(
        (events(&body), clock.elapsed()),
        (vec![(event.clone(), stands.clone())], Duration::from_secs(30))
    );
    let clock = ManualClock::with_others(|sleep| {
        if sleep == 3 {
            end_job(&store, &job, Some(b"a thumbnail"));
        }
    });
    let (_, _, body) = listen(&store, &path, event, &clock, None);
    assert_eq!((events(&body)[0].1.as_str(), clock.sleeps()), ("succeeded", 3));
}
