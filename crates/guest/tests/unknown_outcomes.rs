//! What the job store makes of statements of which nobody knows whether they were done.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::cell::{Cell, RefCell};

use thumbs_domain::id::WorkerId;
use thumbs_domain::job::{IdempotencyKey, NewJob};
use thumbs_domain::list::ListQuery;
use thumbs_domain::owner::Reach;
use thumbs_guest::clock::Clock as _;
use thumbs_guest::jobs::{Created, JobStore, SqlJobStore, StoreError};
use thumbs_guest::sql::Sqlite;
use thumbs_guest::testing::{Fate, Faulty, ManualClock, POLICY, new_job};

fn keyed_job() -> NewJob {
    NewJob { idempotency_key: IdempotencyKey::parse("a-key"), ..new_job() }
}

/// A store whose every INSERT of a job has this fate.
fn store(of_inserts: Fate) -> SqlJobStore<Faulty<impl Fn(&str) -> Fate>, Sqlite> {
    let fate = move |statement: &str| match statement.starts_with("INSERT INTO thumbs_jobs") {
        true => of_inserts,
        false => Fate::Done,
    };
    let store = SqlJobStore::new(Faulty::new(fate));
    store.migrate().unwrap();
    store
}

#[test]
fn a_job_that_was_made_without_an_answer_is_ours() {
    for job in [new_job(), keyed_job()] {
        let store = store(Fate::AnswerLost);
        assert_eq!(store.create(&job), Ok(Created::New));
        assert_eq!(store.get(&job.id, Reach::All), Ok(Some(job.stored())));
    }
}

#[test]
fn a_job_that_was_not_made_is_an_error() {
    for job in [new_job(), keyed_job()] {
        let store = store(Fate::Stopped);
        assert!(matches!(store.create(&job), Err(StoreError::Unavailable(_))));
        assert_eq!(store.get(&job.id, Reach::All), Ok(None));
    }
}

#[test]
fn nothing_is_run_twice_when_the_database_is_overloaded() {
    let overloaded = Cell::new(false);
    let run = RefCell::new(Vec::new());
    let store = SqlJobStore::<_, Sqlite>::new(Faulty::new(|statement: &str| {
        run.borrow_mut().push(statement.split(' ').next().unwrap_or_default().to_owned());
        if overloaded.get() { Fate::Stopped } else { Fate::Done }
    }));
    store.migrate().unwrap();
    overloaded.set(true);
    let statements = |call: &dyn Fn()| {
        run.borrow_mut().clear();
        call();
        run.borrow().join(" ")
    };
    let now = ManualClock::default().now();
    let query = ListQuery { status: None, code: None, limit: 1, after: None };
    assert_eq!(statements(&|| assert!(store.list(&query, Reach::All).is_err())), "SELECT");
    assert_eq!(statements(&|| assert!(store.has_due(now).is_err())), "SELECT");
    assert_eq!(statements(&|| assert!(store.claim(&WorkerId::new("w"), &POLICY, now).is_err())), "UPDATE");
    // The look tells whether it was made.
    assert_eq!(statements(&|| assert!(store.create(&new_job()).is_err())), "INSERT SELECT");
}
