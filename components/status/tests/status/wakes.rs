//! When a reader wakes the workers.

use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

use thumbs_guest::jobs::SqlJobStore;
use thumbs_guest::sql::Sqlite;
use thumbs_guest::testing::{CountingWake, Fate, Faulty, ManualClock, end_job, memory_store, put_job};

use crate::kit::*;

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
