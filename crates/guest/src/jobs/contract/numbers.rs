//! What is counted of jobs, whatever statement changes them.

use thumbs_domain::failure::{Failure, JobCode};
use thumbs_domain::metric::{Queue, Tally};
use thumbs_domain::owner::Reach;

use super::TestDatabase;
use super::kit::{POLICY, at, claim, cost, create, done, id, new_job, recipe, run, thumbnail, worker};
use crate::jobs::{Claim, Lease, Numbers};

/// The tally of these, empty where there is none.
fn tally(numbers: &dyn Numbers, status: &str, code: &str) -> Tally {
    let found =
        done(numbers.tallies()).into_iter().find(|tally| tally.status == status && tally.code == code);
    found.unwrap_or_default()
}

/// Created, leased, succeeded, failed, deleted: each shows at once, to every connection.
pub fn jobs_are_counted_as_they_change(database: &impl TestDatabase) {
    let store = database.connect();
    assert_eq!(done(store.tallies()), []);
    for number in 1..=3 {
        create(store.as_ref(), &new_job(number));
    }
    let worker = worker("a");
    let succeeded = claim(store.as_ref(), &worker, at(1000));
    let lease = Lease { job: &succeeded.id, worker: &worker };
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(1200)), Ok(true));
    let failed = claim(store.as_ref(), &worker, at(1000));
    let lease = Lease { job: &failed.id, worker: &worker };
    assert_eq!(store.give_up(lease, &Failure::from(JobCode::MalformedImage), at(1000)), Ok(true));

    let numbers = database.connect();
    let processing = tally(numbers.as_ref(), "processing", "");
    assert_eq!((processing.jobs, processing.entered, processing.source_bytes), (1, 3, 15_000_000_000));
    let succeeded = tally(numbers.as_ref(), "succeeded", "");
    assert_eq!((succeeded.jobs, succeeded.entered, succeeded.attempts), (1, 1, 1));
    assert_eq!((succeeded.thumbnail_bytes, succeeded.work_ms), (6_000_000_000, 31));
    assert_eq!(succeeded.turnaround_ms, 1199);
    assert_eq!(succeeded.turnaround_le, [0, 0, 0, 0, 1, 1, 1, 1, 1, 1]);
    assert_eq!(succeeded.work_le, [0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
    let failed = tally(numbers.as_ref(), "failed", "malformed-image");
    assert_eq!((failed.jobs, failed.entered, failed.attempts), (1, 1, 1));

    run(database, "DELETE FROM thumbs_jobs WHERE status <> 'processing'");
    for (status, code) in [("succeeded", ""), ("failed", "malformed-image")] {
        let tally = tally(numbers.as_ref(), status, code);
        assert_eq!((tally.jobs, tally.entered), (0, 1), "what ended stays counted: {status}");
    }
}

/// What is kept is what came less what went, whoever took it away; what goes in two steps is counted once.
pub fn bytes_that_went_are_counted(database: &impl TestDatabase) {
    let store = database.connect();
    for number in 1..=3 {
        create(store.as_ref(), &new_job(number));
    }
    let worker = worker("a");
    let job = claim(store.as_ref(), &worker, at(1000));
    let lease = Lease { job: &job.id, worker: &worker };
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(1000)), Ok(true));
    let gone = || {
        let tallies = done(store.tallies());
        [|tally: &Tally| tally.source_bytes_gone, |tally: &Tally| tally.thumbnail_bytes_gone]
            .map(|of| tallies.iter().map(of).sum::<i64>() / 1_000_000_000)
    };
    assert_eq!(gone(), [0, 0]);
    assert_eq!(store.expire_originals(at(1000), at(2000), 10), Ok(1));
    assert_eq!(gone(), [5, 0]);
    assert_eq!(store.delete(&job.id, Reach::All), Ok(true));
    assert_eq!(gone(), [5, 6]);
    run(database, "DELETE FROM thumbs_jobs");
    assert_eq!(gone(), [15, 6]);
}

/// Counting may not get in the way: not many workers at once, and not a row that holds no sense.
pub fn counting_gets_in_nobodys_way(database: &impl TestDatabase) {
    create(database.connect().as_ref(), &new_job(0));
    std::thread::scope(|scope| {
        for replica in 1..=6_u16 {
            scope.spawn(move || {
                let store = database.connect();
                for number in 0..10 {
                    create(store.as_ref(), &new_job(replica * 10 + number));
                    let worker = worker(&format!("w{replica}-{number}"));
                    // Each has made one more than it takes, so there is one; another may be a moment faster.
                    let job = loop {
                        if let Claim::Leased { job, .. } = done(store.claim(&worker, &POLICY, at(1000))) {
                            break job;
                        }
                    };
                    let lease = Lease { job: &job.id, worker: &worker };
                    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(1000)), Ok(true));
                }
            });
        }
    });
    let store = database.connect();
    let counted = ["processing", "succeeded"].map(|status| tally(store.as_ref(), status, "").jobs);
    assert_eq!(counted, [1, 60]);
    run(database, "UPDATE thumbs_jobs SET source = 'nonsense', cost = '{', thumbnail = '[]'");
    run(
        database,
        "UPDATE thumbs_jobs SET status = 'failed', error_code = NULL, due_at_ms = NULL WHERE status = 'processing'",
    );
    assert_eq!(tally(store.as_ref(), "failed", "").jobs, 1);
}

/// A job is due, with a worker, or due later; the oldest that is due tells how far behind the workers are.
pub fn the_queue_tells_who_waits_for_what(database: &impl TestDatabase) {
    let store = database.connect();
    assert_eq!(store.queue(at(0)), Ok(Queue::default()));
    for number in 1..=4 {
        create(store.as_ref(), &new_job(number));
    }
    let now = at(100_000);
    let (a, b) = (worker("a"), worker("b"));
    claim(store.as_ref(), &a, now);
    let retried = claim(store.as_ref(), &b, now);
    let failure = Failure::from(JobCode::StorageUnavailable);
    assert_eq!(store.retry(Lease { job: &retried.id, worker: &b }, &failure, at(200_000), now), Ok(true));
    let queue = done(store.queue(now));
    assert_eq!((queue.leased, queue.later), (1, 2));
    let oldest = new_job(3);
    let made_at = oldest.created_at.unix_millis();
    assert_eq!((queue.oldest_due_ms, id(3)), (Some(100_000 - made_at), oldest.id), "since it was made");
    let behind = oldest.created_at.plus_millis(-1000);
    assert_eq!(done(store.queue(behind)).oldest_due_ms, Some(0), "by a clock that is behind");
}

/// What is there at the migration is counted by it.
pub fn jobs_of_before_are_counted_at_the_migration(database: &impl TestDatabase) {
    super::schema::make_schema_1(database);
    let store = database.connect();
    done(store.migrate());
    let jobs = |status: &str| -> i64 {
        done(store.tallies()).iter().filter(|tally| tally.status == status).map(|tally| tally.jobs).sum()
    };
    assert_eq!(["processing", "succeeded", "failed"].map(jobs), [4, 1, 2]);
}
