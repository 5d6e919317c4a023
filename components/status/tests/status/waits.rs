//! How long a reader is held, and who holds it.

use std::time::Duration;

use thumbs_guest::clock::Clock;
use thumbs_guest::http::park::Offer;
use thumbs_guest::log::Log;
use thumbs_guest::testing::{CountingWake, ManualClock, end_job, memory_store, put_job, request, text};
use thumbs_status::Status;

use crate::kit::*;

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
            offer: Offer::default(),
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
