//! Who gets which job, and when.

use std::collections::BTreeSet;
use std::thread;

use thumbs_domain::failure::{Failure, JobCode};
use thumbs_domain::id::JobId;
use thumbs_domain::job::{Job, MAX_CLOCK_LAG_MS, NewJob};
use thumbs_domain::owner::Owner;

use super::TestDatabase;
use super::kit::{
    POLICY, at, claim, cost, create, done, id, new_job, read, read_as_created, recipe, thumbnail, worker,
};
use crate::jobs::{Claim, Lease};

/// The queue is fair: by the moment since when a job is due, not by its id.
pub fn claims_the_longest_due_first(database: &impl TestDatabase) {
    let store = database.connect();
    for (number, created_at) in [(1, 300), (2, 100), (3, 200)] {
        create(store.as_ref(), &NewJob { created_at: at(created_at), ..new_job(number) });
    }
    let order = [1, 2, 3].map(|turn| claim(store.as_ref(), &worker(&format!("t{turn}")), at(1000)).id);
    assert_eq!(order, [id(2), id(3), id(1)]);
    assert_eq!(store.claim(&worker("t4"), &POLICY, at(1000)), Ok(Claim::Nothing));
}

/// A job is due at its moment, and not a millisecond before.
pub fn claims_nothing_before_it_is_due(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    let first = worker("first");
    let job = claim(store.as_ref(), &first, at(100));
    let failure = Failure::from(JobCode::StorageUnavailable);
    let lease = Lease { job: &job.id, worker: &first };
    assert_eq!(store.retry(lease, &failure, at(500), at(100)), Ok(true));
    assert_eq!(store.has_due(at(499)), Ok(false));
    assert_eq!(store.claim(&worker("a"), &POLICY, at(499)), Ok(Claim::Nothing));
    assert_eq!(store.has_due(at(500)), Ok(true));
    let job = claim(store.as_ref(), &worker("a"), at(500));
    let expected = Job {
        attempts: 2,
        due_at: Some(at(30_500)),
        updated_at: at(500),
        failure: Some(failure),
        ..read_as_created(1, at(1))
    };
    assert_eq!(job, expected);
    assert_eq!(read(database, 1), expected);
    assert_eq!(store.has_due(at(500)), Ok(false));
}

/// The wake-up may be there before the worker's clock shows the moment at which the job was made.
pub fn a_new_job_is_due_for_a_worker_whose_clock_is_behind(database: &impl TestDatabase) {
    let store = database.connect();
    let made_at = at(3_600_000);
    create(store.as_ref(), &NewJob { created_at: made_at, ..new_job(1) });
    let too_far_behind = made_at.plus_millis(-MAX_CLOCK_LAG_MS - 1);
    assert_eq!(store.claim(&worker("a"), &POLICY, too_far_behind), Ok(Claim::Nothing));
    let behind = made_at.plus_millis(-MAX_CLOCK_LAG_MS);
    assert_eq!(store.has_due(behind), Ok(true));
    assert_eq!(claim(store.as_ref(), &worker("a"), behind).id, id(1));
}

/// Whoever got a job wakes the next worker where there is one for it, and asks nothing for that.
pub fn a_claim_tells_whether_more_is_due(database: &impl TestDatabase) {
    let store = database.connect();
    for number in 1..=3 {
        create(store.as_ref(), &new_job(number));
    }
    let more_due =
        [1, 2, 3].map(|number| match done(store.claim(&worker(&format!("w{number}")), &POLICY, at(1000))) {
            Claim::Leased { more_due, .. } => more_due,
            other => panic!("expected a lease, got {other:?}"),
        });
    assert_eq!(more_due, [true, true, false]);
}

/// Sixteen workers and a hundred jobs: every job once, none twice, none left.
pub fn many_workers_claim_each_job_once(database: &impl TestDatabase) {
    let jobs: u16 = 100;
    let store = database.connect();
    (0..jobs).for_each(|number| create(store.as_ref(), &new_job(number)));
    let claimed: Vec<JobId> = thread::scope(|scope| {
        let workers: Vec<_> = (0..16)
            .map(|number| {
                scope.spawn(move || {
                    let store = database.connect();
                    let mut mine = Vec::new();
                    loop {
                        let worker = worker(&format!("w{number}-{}", mine.len()));
                        match done(store.claim(&worker, &POLICY, at(1000))) {
                            Claim::Leased { job, .. } => mine.push(job.id),
                            Claim::Nothing => return mine,
                            Claim::GivenUp(job) => panic!("{job:?} had attempts left"),
                        }
                    }
                })
            })
            .collect();
        workers.into_iter().flat_map(|worker| worker.join().expect("the thread ends")).collect()
    });
    assert_eq!(claimed.len(), usize::from(jobs));
    assert_eq!(claimed.iter().collect::<BTreeSet<_>>().len(), usize::from(jobs));
}

/// While a lease runs, no other claim sees the job; when it has ended, any does.
pub fn a_leased_job_is_nobody_elses_until_the_lease_ends(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    claim(store.as_ref(), &worker("a"), at(1000));
    assert_eq!(store.claim(&worker("b"), &POLICY, at(30_999)), Ok(Claim::Nothing));
    let again = claim(store.as_ref(), &worker("b"), at(31_000));
    assert_eq!((again.attempts, again.due_at), (2, Some(at(61_000))));
}

/// Who is slow keeps its job, as long as nobody else has it.
pub fn a_lease_is_extended_by_who_holds_it_and_by_nobody_else(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    let (job, slow, other) = (id(1), worker("slow"), worker("other"));
    let (held, forged) = (Lease { job: &job, worker: &slow }, Lease { job: &job, worker: &other });
    claim(store.as_ref(), &slow, at(1000));
    assert_eq!(store.extend(forged, at(90_000)), Ok(false));
    assert_eq!(store.extend(held, at(50_000)), Ok(true));
    assert_eq!(store.claim(&other, &POLICY, at(49_999)), Ok(Claim::Nothing));
    assert_eq!(claim(store.as_ref(), &other, at(50_000)).attempts, 2);
    assert_eq!(store.extend(held, at(90_000)), Ok(false), "it is another's now");
}

/// A report of a worker's end names nothing but the worker.
pub fn a_job_is_found_by_who_holds_it_and_by_nobody_else(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    create(store.as_ref(), &new_job(2));
    assert_eq!(store.find_by_worker(&worker("a")), Ok(None));
    let held = claim(store.as_ref(), &worker("a"), at(1000));
    claim(store.as_ref(), &worker("b"), at(1000));
    assert_eq!(store.find_by_worker(&worker("a")), Ok(Some(held)));
    let again = claim(store.as_ref(), &worker("c"), at(40_000));
    assert_eq!(store.find_by_worker(&worker("a")), Ok(None), "its lease has ended");
    assert_eq!(store.find_by_worker(&worker("c")), Ok(Some(again)));
    let (job, worker) = (id(1), worker("c"));
    let lease = Lease { job: &job, worker: &worker };
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(40_100)), Ok(true));
    assert_eq!(store.find_by_worker(&worker), Ok(None), "it has done its job");
}

/// One who has sent a hundred images does not make those wait who sent a few after that: while owners have jobs that are due, each gets
/// about its share of the claims, and each its jobs in their order.
pub fn owners_take_turns(database: &impl TestDatabase) {
    let store = database.connect();
    let owners = [("bulk", 100_u16), ("shop", 5), ("web", 5)];
    let mut number = 0;
    for (owner, jobs) in owners {
        for _ in 0..jobs {
            number += 1;
            create(store.as_ref(), &NewJob { owner: Owner::parse(owner), ..new_job(number) });
        }
    }
    let mut claimed: Vec<Job> = Vec::new();
    for turn in 0..110 {
        claimed.push(claim(store.as_ref(), &worker(&format!("worker-{turn}")), at(10_000)));
    }
    assert_eq!(store.claim(&worker("another"), &POLICY, at(10_000)), Ok(Claim::Nothing));
    let of = |name: &str| -> Vec<(usize, JobId)> {
        let jobs = claimed
            .iter()
            .enumerate()
            .filter(|(_, job)| job.owner.as_ref().is_some_and(|owner| owner.as_str() == name));
        jobs.map(|(turn, job)| (turn, job.id)).collect()
    };
    for (owner, jobs) in owners {
        let mine = of(owner);
        assert_eq!(mine.len(), usize::from(jobs), "{owner}");
        assert!(mine.is_sorted_by_key(|(_, job)| *job), "{owner}");
        // Three take turns; five of fifteen are expected to be a small owner's.
        if jobs == 5 {
            assert!(mine[4].0 < 40, "the last of {owner} came at turn {}", mine[4].0);
        }
    }
}

/// In all, and of one owner no further than asked.
pub fn open_jobs_are_counted(database: &impl TestDatabase) {
    let store = database.connect();
    assert_eq!(store.queued(), Ok(0));
    let (shop, web) = (Owner::parse("shop").expect("a name"), Owner::parse("web").expect("a name"));
    for number in 1..=5 {
        create(store.as_ref(), &NewJob { owner: Some(shop.clone()), ..new_job(number) });
    }
    create(store.as_ref(), &new_job(6));
    assert_eq!(
        [store.queued(), store.queued_of(&shop, 100), store.queued_of(&shop, 3)],
        [Ok(6), Ok(5), Ok(3)]
    );
    assert_eq!(store.queued_of(&web, 100), Ok(0));
    let worker = worker("a");
    let job = claim(store.as_ref(), &worker, at(10_000));
    assert_eq!(store.queued(), Ok(6), "what is being made is open still");
    assert_eq!(
        store.succeed(Lease { job: &job.id, worker: &worker }, &thumbnail(), &cost(), &recipe(), at(10_000)),
        Ok(true)
    );
    assert_eq!(store.queued(), Ok(5));
}
