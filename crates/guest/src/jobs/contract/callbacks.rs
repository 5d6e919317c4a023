//! Who is told that a job ended, and when.

use std::collections::BTreeSet;
use std::thread;

use thumbs_domain::callback::{Callback, CallbackFault, CallbackState, CallbackUrl, Settlement};
use thumbs_domain::failure::{Failure, JobCode};
use thumbs_domain::job::{Job, NewJob, Status};
use thumbs_domain::metric::Tally;
use thumbs_domain::owner::Reach;

use super::TestDatabase;
use super::kit::{POLICY, at, claim, cost, create, done, id, new_job, read, recipe, thumbnail, worker};
use crate::jobs::{Claim, ClaimedCallback, Lease, Revived};

fn url() -> CallbackUrl {
    CallbackUrl::parse("https://hooks.example/a?b").expect("an address")
}

fn with_callback(number: u16) -> NewJob {
    NewJob { callback: Some(url()), ..new_job(number) }
}

fn callback(database: &impl TestDatabase, job: u16) -> Callback {
    read(database, job).callback.unwrap_or_else(|| panic!("job {job} has no callback"))
}

/// Makes this job succeed at `now`.
fn succeed(database: &impl TestDatabase, now: i64) -> Job {
    let (store, worker) = (database.connect(), worker("maker"));
    let job = claim(store.as_ref(), &worker, at(now));
    let lease = Lease { job: &job.id, worker: &worker };
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(now)), Ok(true));
    job
}

fn claimed(database: &impl TestDatabase, name: &str, now: i64) -> Option<ClaimedCallback> {
    done(database.connect().claim_callback(&worker(name), at(now + 60_000), at(now)))
}

fn pending(due_at: i64) -> Settlement {
    Settlement {
        state: CallbackState::Pending,
        due_at: Some(at(due_at)),
        status: Some(500),
        fault: None,
        delivered_at: None,
    }
}

fn settle(database: &impl TestDatabase, job: u16, name: &str, settlement: &Settlement) -> bool {
    let (job, worker) = (id(job), worker(name));
    done(database.connect().settle_callback(Lease { job: &job, worker: &worker }, settlement))
}

/// The statement that ends a job makes its callback due, however the job ends.
pub fn a_callback_is_due_when_its_job_ends(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &with_callback(1));
    create(store.as_ref(), &with_callback(2));
    create(store.as_ref(), &with_callback(3));
    assert_eq!(callback(database, 1), Callback::new(url()));
    assert_eq!(store.has_due_callback(at(i64::MAX >> 1)), Ok(false));
    assert_eq!(claimed(database, "early", 1_000_000), None);

    // One succeeds, one fails, the worker of one never comes back.
    assert_eq!(succeed(database, 1000).id, id(1));
    let second = claim(store.as_ref(), &worker("b"), at(2000));
    let failure = Failure::from(JobCode::Trap);
    assert_eq!(store.give_up(Lease { job: &second.id, worker: &worker("b") }, &failure, at(2000)), Ok(true));
    for now in [3000, 40_000, 80_000] {
        claim(store.as_ref(), &worker("c"), at(now));
    }
    let given_up = store.claim(&worker("d"), &POLICY, at(120_000));
    assert!(matches!(given_up, Ok(Claim::GivenUp(_))), "{given_up:?}");
    for (job, ended_at) in [(1, 1000), (2, 2000), (3, 120_000)] {
        let expected =
            Callback { state: CallbackState::Pending, due_at: Some(at(ended_at)), ..Callback::new(url()) };
        assert_eq!(callback(database, job), expected);
    }
    assert_eq!(store.has_due_callback(at(999)), Ok(false));
    assert_eq!(store.has_due_callback(at(1000)), Ok(true));
    let oldest = |now| done(store.queue(at(now))).oldest_callback_ms;
    assert_eq!([oldest(999), oldest(1000), oldest(61_000)], [None, Some(0), Some(60_000)]);
}

/// Nobody is told of a job whose client did not ask for it.
pub fn a_job_without_a_callback_tells_nobody(database: &impl TestDatabase) {
    create(database.connect().as_ref(), &new_job(1));
    succeed(database, 1000);
    assert_eq!(read(database, 1).callback, None);
    assert_eq!(database.connect().has_due_callback(at(i64::MAX >> 1)), Ok(false));
}

/// A claim counts the attempt and keeps others away until its lease ends.
pub fn a_callback_is_one_workers_until_its_lease_ends(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &with_callback(1));
    create(store.as_ref(), &with_callback(2));
    succeed(database, 1000);
    succeed(database, 2000);
    let first = claimed(database, "a", 5000).expect("one is due");
    assert_eq!((first.job.id, first.more_due), (id(1), true), "the longest due first");
    let expected = Callback {
        state: CallbackState::Pending,
        attempts: 1,
        due_at: Some(at(65_000)),
        ..Callback::new(url())
    };
    assert_eq!(first.job.callback, Some(expected.clone()));
    assert_eq!(callback(database, 1), expected);
    assert_eq!(first.job.updated_at, at(1000), "the job ended when it ended");
    let second = claimed(database, "b", 5000).expect("another is due");
    assert_eq!((second.job.id, second.more_due), (id(2), false));
    assert_eq!(claimed(database, "c", 64_999), None);

    let again = claimed(database, "c", 65_000).expect("the lease has ended");
    assert_eq!((again.job.id, again.job.callback.map(|callback| callback.attempts)), (id(1), Some(2)));
    assert!(!settle(database, 1, "a", &pending(1)), "whoever comes late changes nothing");
    assert_eq!(callback(database, 1).attempts, 2);
    assert!(settle(database, 1, "c", &pending(70_000)));
    assert!(!settle(database, 1, "c", &pending(1)), "once");
}

/// What an attempt leaves behind is kept, and one that is done is never due again.
pub fn how_an_attempt_at_a_callback_went_is_kept(database: &impl TestDatabase) {
    create(database.connect().as_ref(), &with_callback(1));
    succeed(database, 1000);
    claimed(database, "a", 1000).expect("one is due");
    assert!(settle(database, 1, "a", &pending(6000)));
    let expected = Callback {
        url: url(),
        state: CallbackState::Pending,
        attempts: 1,
        last_status: Some(500),
        last_error: None,
        due_at: Some(at(6000)),
        delivered_at: None,
    };
    assert_eq!(callback(database, 1), expected);
    assert_eq!(claimed(database, "b", 5999), None);

    claimed(database, "b", 6000).expect("it is due again");
    let fault = Settlement { status: None, fault: Some(CallbackFault::TimedOut), ..pending(9000) };
    assert!(settle(database, 1, "b", &fault));
    let expected = Callback {
        attempts: 2,
        last_status: None,
        last_error: Some("timed-out".to_owned()),
        due_at: Some(at(9000)),
        ..expected
    };
    assert_eq!(callback(database, 1), expected);

    claimed(database, "c", 9000).expect("it is due again");
    let delivered = Settlement {
        state: CallbackState::Delivered,
        due_at: None,
        status: Some(204),
        fault: None,
        delivered_at: Some(at(9001)),
    };
    assert!(settle(database, 1, "c", &delivered));
    let expected = Callback {
        state: CallbackState::Delivered,
        attempts: 3,
        last_status: Some(204),
        last_error: None,
        due_at: None,
        delivered_at: Some(at(9001)),
        ..expected
    };
    assert_eq!(callback(database, 1), expected);
    assert_eq!(database.connect().has_due_callback(at(i64::MAX >> 1)), Ok(false));
}

/// A receiver that keeps attempts waiting has eight of them at most, however many of its callbacks are due, and others are not held up.
pub fn a_receiver_that_never_answers_holds_up_no_other(database: &impl TestDatabase) {
    const TO_SILENT: u16 = 250;
    let store = database.connect();
    for number in 1..=TO_SILENT {
        create(store.as_ref(), &with_callback(number));
        succeed(database, i64::from(number) * 10);
    }
    let told: Vec<_> = (0..20).map_while(|number| claimed(database, &format!("w{number}"), 5000)).collect();
    assert_eq!(
        told.iter().map(|claimed| claimed.more_due).collect::<Vec<_>>(),
        [[true; 7].as_slice(), &[false]].concat()
    );
    assert_eq!(told[0].job.id, id(1), "the longest due first");

    let good = CallbackUrl::parse("https://good.example/").expect("an address");
    create(store.as_ref(), &NewJob { callback: Some(good), ..new_job(1000) });
    succeed(database, 5000);
    let claimed_now = claimed(database, "good", 5000).expect("it is told at once");
    assert_eq!((claimed_now.job.id, claimed_now.more_due), (id(1000), false));
    assert_eq!(claimed(database, "nobody", 5000), None);

    assert!(settle(database, 1, "w0", &pending(20_000)));
    assert_eq!(
        claimed(database, "w0", 5000).map(|claimed| claimed.job.id),
        Some(id(9)),
        "a place is free again"
    );
    assert_eq!(claimed(database, "nobody", 5000), None);
    // Whoever has not settled by then never will.
    assert!(claimed(database, "later", 30_000).is_some());
}

/// Sixteen workers and sixty callbacks: every one once.
pub fn many_workers_claim_each_callback_once(database: &impl TestDatabase) {
    const CALLBACKS: u16 = 60;
    let store = database.connect();
    for number in 1..=CALLBACKS {
        create(store.as_ref(), &with_callback(number));
        succeed(database, i64::from(number) * 10);
    }
    let workers: Vec<Vec<_>> = thread::scope(|scope| {
        let threads: Vec<_> = (0..16)
            .map(|number| {
                let store = database.connect();
                scope.spawn(move || {
                    let worker = worker(&format!("w{number}"));
                    let mut mine = Vec::new();
                    while done(store.has_due_callback(at(10_000))) {
                        let claimed = done(store.claim_callback(&worker, at(i64::MAX >> 1), at(10_000)));
                        mine.extend(claimed.map(|claimed| claimed.job.id.to_string()));
                    }
                    mine
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("a worker does not fail")).collect()
    });
    let all: Vec<_> = workers.into_iter().flatten().collect();
    assert_eq!(all.len(), usize::from(CALLBACKS));
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), usize::from(CALLBACKS));
}

/// A job that is tried again ends again, and that is another end.
pub fn a_job_that_is_tried_again_is_told_of_again(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &with_callback(1));
    claim(store.as_ref(), &worker("a"), at(1000));
    let failure = Failure::from(JobCode::Trap);
    assert_eq!(store.give_up(Lease { job: &id(1), worker: &worker("a") }, &failure, at(1000)), Ok(true));
    claimed(database, "sender", 1000).expect("one is due");
    let Ok(Revived::Due(job)) = store.revive(&id(1), Reach::All, at(2000)) else { panic!("it failed") };
    assert_eq!(job.callback, Some(Callback::new(url())), "as it is told to who asked for it");
    assert_eq!(callback(database, 1), Callback::new(url()));
    assert!(!settle(database, 1, "sender", &pending(3000)), "its end is none any more");
    succeed(database, 5000);
    let again = claimed(database, "sender", 5000).expect("it has ended again");
    assert_eq!((again.job.status, again.job.updated_at), (Status::Succeeded, at(5000)));
    assert_eq!(again.job.callback.map(|callback| callback.attempts), Some(1));
}

/// A job that goes takes its callback with it.
pub fn a_deleted_job_tells_nobody(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &with_callback(1));
    create(store.as_ref(), &with_callback(2));
    succeed(database, 1000);
    succeed(database, 1000);
    claimed(database, "sender", 1000).expect("one is due");
    assert_eq!(store.delete(&id(1), Reach::All), Ok(true));
    assert_eq!(store.delete(&id(2), Reach::All), Ok(true));
    assert!(!settle(database, 1, "sender", &pending(3000)));
    assert_eq!(claimed(database, "other", 1_000_000), None);
}

/// How many stand in which state, and how many ever came to.
pub fn callbacks_are_counted_as_they_change(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(9));
    for number in 1..=3 {
        create(store.as_ref(), &with_callback(number));
    }
    let counted = || {
        let tallies = done(database.connect().tallies());
        let of_callbacks = tallies.into_iter().filter(|tally| tally.status == "callback");
        let counts = of_callbacks.map(|Tally { code, jobs, entered, .. }| (code, jobs, entered));
        counts.collect::<Vec<_>>()
    };
    let expected = |counts: &[(&str, i64, i64)]| {
        counts.iter().map(|(code, jobs, entered)| ((*code).to_owned(), *jobs, *entered)).collect::<Vec<_>>()
    };
    assert_eq!(counted(), expected(&[("waiting", 3, 3)]));
    assert_eq!(succeed(database, 1000).id, id(1));
    assert_eq!(succeed(database, 1001).id, id(2));
    assert_eq!(counted(), expected(&[("pending", 2, 2), ("waiting", 1, 3)]));
    claimed(database, "a", 1001).expect("one is due");
    assert!(settle(database, 1, "a", &pending(5000)));
    assert_eq!(counted(), expected(&[("pending", 2, 2), ("waiting", 1, 3)]), "it stands as before");
    claimed(database, "a", 1001).expect("one is due");
    let failed = Settlement { state: CallbackState::Failed, due_at: None, ..pending(0) };
    assert!(settle(database, 2, "a", &failed));
    assert_eq!(store.delete(&id(1), Reach::All), Ok(true));
    assert_eq!(counted(), expected(&[("failed", 1, 1), ("pending", 0, 2), ("waiting", 1, 3)]));
}
