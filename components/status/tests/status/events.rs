//! What a listener is told.

use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;
use thumbs_guest::clock::Clock;
use thumbs_guest::http::park::Offer;
use thumbs_guest::jobs::Whole;
use thumbs_guest::log::Log;
use thumbs_guest::testing::{CountingWake, ManualClock, end_job, memory_store, put_job, request, text};
use thumbs_status::Status;

use crate::kit::*;

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
    let offer = Offer { age: parked.map(|(age, _)| age), note, by_note: false };
    let status = Status { store, batches: store, wake: &wake, wake_now: &wake, offer, clock, log: &log };
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
