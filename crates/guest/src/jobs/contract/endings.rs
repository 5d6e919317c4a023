//! What an attempt leaves behind.

use thumbs_domain::failure::{Failure, JobCode};
use thumbs_domain::job::{Job, Status};
use thumbs_domain::machine::WAKE_AGAIN_AFTER_MS;

use super::TestDatabase;
use super::kit::{
    POLICY, at, claim, cost, create, id, new_job, read, read_as_created, recipe, thumbnail, worker,
};
use crate::jobs::{Claim, Lease};

/// Everything that is known of a thumbnail comes back, and the job is done with.
pub fn a_success_is_kept(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    let worker_a = worker("a");
    let job = claim(store.as_ref(), &worker_a, at(1000));
    let lease = Lease { job: &job.id, worker: &worker_a };
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(1040)), Ok(true));
    let expected = Job {
        status: Status::Succeeded,
        thumbnail: Some(thumbnail()),
        cost: Some(cost()),
        attempts: 1,
        due_at: None,
        updated_at: at(1040),
        ..read_as_created(1, at(1))
    };
    assert_eq!(read(database, 1), expected);
    assert_eq!(store.claim(&worker("b"), &POLICY, at(i64::MAX / 2)), Ok(Claim::Nothing));
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(2000)), Ok(false));
    assert_eq!(read(database, 1), expected);
}

/// The pause is kept, the reason is shown meanwhile, and a later success forgets it.
pub fn a_failed_attempt_is_due_again_later(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    let worker_a = worker("a");
    let job = claim(store.as_ref(), &worker_a, at(1000));
    let failure = Failure::from(JobCode::StorageUnavailable);
    let lease = Lease { job: &job.id, worker: &worker_a };
    assert_eq!(store.retry(lease, &failure, at(5000), at(1100)), Ok(true));
    let waiting = read(database, 1);
    assert_eq!(
        (waiting.status, waiting.due_at, waiting.failure),
        (Status::Processing, Some(at(5000)), Some(failure))
    );
    assert_eq!(store.claim(&worker("b"), &POLICY, at(4999)), Ok(Claim::Nothing));
    let worker_b = worker("b");
    let again = claim(store.as_ref(), &worker_b, at(5000));
    assert_eq!(again.attempts, 2);
    let lease = Lease { job: &again.id, worker: &worker_b };
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(5100)), Ok(true));
    assert_eq!(read(database, 1).failure, None);
}

/// However often the service itself fails, the job keeps the attempts that its image may need.
pub fn an_attempt_that_is_given_back_does_not_count(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    let failure = Failure::from(JobCode::StorageUnavailable);
    for setback in 1..=2 * POLICY.max_attempts {
        let (worker, now) = (worker(&format!("w{setback}")), at(i64::from(setback) * 10_000));
        let job = claim(store.as_ref(), &worker, now);
        assert_eq!((job.attempts, job.setbacks), (1, setback - 1));
        let lease = Lease { job: &job.id, worker: &worker };
        let due_at = now.plus_millis(5000);
        assert_eq!(store.give_back(lease, &failure, due_at, now), Ok(true));
        assert_eq!(store.give_back(lease, &failure, due_at, now), Ok(false), "the lease is over");
        let expected = Job {
            attempts: 0,
            setbacks: setback,
            due_at: Some(due_at),
            failure: Some(failure.clone()),
            updated_at: now,
            ..read_as_created(1, at(1))
        };
        assert_eq!(read(database, 1), expected);
    }
}

/// The dead letter keeps its reason.
pub fn a_job_given_up_is_never_claimed_again(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    let worker_a = worker("a");
    let job = claim(store.as_ref(), &worker_a, at(1000));
    let failure = Failure::from(JobCode::SourceMissing);
    assert_eq!(store.give_up(Lease { job: &job.id, worker: &worker_a }, &failure, at(1100)), Ok(true));
    let given_up = read(database, 1);
    let seen = (given_up.status, given_up.due_at, given_up.failure, given_up.updated_at);
    assert_eq!(seen, (Status::Failed, None, Some(failure), at(1100)));
    assert_eq!(store.claim(&worker("b"), &POLICY, at(i64::MAX / 2)), Ok(Claim::Nothing));
}

/// A worker whose lease has gone to another can neither finish nor fail the job, nor take the lease from the other.
pub fn a_late_worker_changes_nothing(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    claim(store.as_ref(), &worker("late"), at(1000));
    claim(store.as_ref(), &worker("prompt"), at(40_000));
    let before = read(database, 1);
    let job = id(1);
    let late = worker("late");
    let lease = Lease { job: &job, worker: &late };
    let failure = Failure::from(JobCode::SourceMissing);
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(41_000)), Ok(false));
    assert_eq!(store.retry(lease, &failure, at(42_000), at(41_000)), Ok(false));
    assert_eq!(store.give_back(lease, &failure, at(42_000), at(41_000)), Ok(false));
    assert_eq!(store.give_up(lease, &failure, at(41_000)), Ok(false));
    assert_eq!(read(database, 1), before);
    let prompt = worker("prompt");
    assert_eq!(
        store.succeed(Lease { job: &job, worker: &prompt }, &thumbnail(), &cost(), &recipe(), at(41_000)),
        Ok(true)
    );
}

/// No job is tried for ever: the claim that finds no attempt left fails it, and says so.
pub fn a_job_whose_last_worker_died_is_given_up(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    for attempt in 1..=3 {
        let job = claim(store.as_ref(), &worker("dies"), at(i64::from(attempt) * 100_000));
        assert_eq!(job.attempts, attempt);
    }
    let expected = Job {
        status: Status::Failed,
        attempts: 3,
        due_at: None,
        failure: Some(Failure::from(JobCode::WorkerLost)),
        updated_at: at(400_000),
        ..read_as_created(1, at(1))
    };
    let given_up = store.claim(&worker("next"), &POLICY, at(400_000));
    assert_eq!(given_up, Ok(Claim::GivenUp(Box::new(expected.clone()))));
    assert_eq!(read(database, 1), expected);
    assert_eq!(store.claim(&worker("next"), &POLICY, at(500_000)), Ok(Claim::Nothing));
}

/// Nobody knows what ended the last worker; what stopped the one before is a hint.
pub fn a_job_whose_last_worker_died_keeps_the_reason_of_the_attempt_before(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    let first = worker("first");
    let job = claim(store.as_ref(), &first, at(1000));
    let failure = Failure::from(JobCode::StorageUnavailable);
    let lease = Lease { job: &job.id, worker: &first };
    assert_eq!(store.retry(lease, &failure, at(2000), at(1100)), Ok(true));
    for at_ms in [100_000, 200_000] {
        claim(store.as_ref(), &worker("dies"), at(at_ms));
    }
    assert!(matches!(store.claim(&worker("next"), &POLICY, at(300_000)), Ok(Claim::GivenUp(_))));
    let lost = Failure::from(JobCode::WorkerLost);
    let message = format!("{} Before that: {}", lost.message, failure.message);
    assert_eq!(read(database, 1).failure, Some(Failure { message: message.into(), ..lost }));
}

/// Many readers of an overdue job are one wake-up.
pub fn reads_note_wake_ups_only_so_often(database: &impl TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    assert_eq!(store.note_wake_up(&id(1), at(10_000)), Ok(true));
    assert_eq!(store.note_wake_up(&id(1), at(10_000 + WAKE_AGAIN_AFTER_MS - 1)), Ok(false));
    assert_eq!(read(database, 1).woken_at, Some(at(10_000)));
    assert_eq!(store.note_wake_up(&id(1), at(10_000 + WAKE_AGAIN_AFTER_MS)), Ok(true));
    assert_eq!(store.note_wake_up(&id(2), at(10_000)), Ok(false));
    let worker_a = worker("a");
    claim(store.as_ref(), &worker_a, at(20_000));
    let job = id(1);
    assert_eq!(
        store.succeed(Lease { job: &job, worker: &worker_a }, &thumbnail(), &cost(), &recipe(), at(20_100)),
        Ok(true)
    );
    assert_eq!(store.note_wake_up(&id(1), at(90_000)), Ok(false));
}
