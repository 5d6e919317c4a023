//! The contract test kit of [`JobStore`]: one function for each behaviour, run against every database.
//!
//! A new database adds a [`TestDatabase`] and the line `job_store_contract!(make)`, and no test logic. Time is an argument, so
//! leases end without waiting. What is observed is what the store answers, through connections other than the one that wrote.
#![expect(clippy::panic, clippy::expect_used, reason = "a test kit fails loudly")]

use std::collections::BTreeSet;
use std::thread;

use thumbs_domain::cursor::Cursor;
use thumbs_domain::digest::Digest;
use thumbs_domain::failure::{Failure, JobCode};
use thumbs_domain::format::{OutputFormat, SourceFormat};
use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::{
    Concession, Cost, Idempotency, IdempotencyKey, Job, NewJob, Source, Status, Thumbnail, Warning,
};
use thumbs_domain::list::ListQuery;
use thumbs_domain::machine::{RetryPolicy, WAKE_AGAIN_AFTER_MS};
use thumbs_domain::options::Draft;
use thumbs_domain::timestamp::Timestamp;
use thumbs_domain::trace::{CorrelationId, TraceParent};

use super::schema::Migration;
use super::{Claim, Created, JobStore, Lease, Page, StoreError};

/// An empty database of its own for one test, gone with the value.
pub trait TestDatabase: Sync {
    /// Another connection to it.
    fn connect(&self) -> Box<dyn JobStore + Send>;

    /// Does to it what no job store would do.
    fn execute(&self, statement: &str);

    /// How its schema is made, of all versions.
    fn migrations(&self) -> &'static [Migration];
}

/// Makes a test of each function of the kit. `$make` is a function that gives a [`TestDatabase`], or none where the machine
/// lacks the server; it says so itself then.
#[macro_export]
macro_rules! job_store_contract {
    ($make:path) => {
        $crate::job_store_contract!($make:
            any_first_call_creates_the_schema
            many_first_calls_at_once_create_one_schema
            a_migration_that_is_run_again_changes_nothing
            gives_back_what_was_created
            knows_no_other_job
            one_idempotency_key_makes_one_job
            one_idempotency_key_makes_one_job_however_many_try_at_once
            lists_the_newest_first_page_by_page
            lists_by_status
            claims_the_longest_due_first
            claims_nothing_before_it_is_due
            many_workers_claim_each_job_once
            a_leased_job_is_nobody_elses_until_the_lease_ends
            a_job_is_found_by_who_holds_it_and_by_nobody_else
            a_success_is_kept
            a_failed_attempt_is_due_again_later
            a_job_given_up_is_never_claimed_again
            a_late_worker_changes_nothing
            a_job_whose_last_worker_died_is_given_up
            reads_note_wake_ups_only_so_often
            a_newer_schema_is_read_and_not_written
            a_row_that_makes_no_sense_is_an_error
        );
    };
    ($make:path: $($behaviour:ident)+) => {
        $(
            #[test]
            fn $behaviour() {
                if let Some(database) = $make() {
                    $crate::jobs::contract::$behaviour(&database);
                }
            }
        )+
    };
}

const POLICY: RetryPolicy = RetryPolicy { max_attempts: 3, lease_secs: 30, retry_backoff_ms: 1000 };

fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

fn worker(text: &str) -> WorkerId {
    WorkerId::new(text)
}

/// The id of the n-th job: ids sort as their numbers do.
fn id(number: u16) -> JobId {
    JobId::parse(&format!("01932c07-20a4-7b3c-8d4e-5f607182{number:04x}"))
        .expect("the form is that of version 7")
}

fn new_job(number: u16) -> NewJob {
    NewJob {
        id: id(number),
        created_at: at(i64::from(number)),
        options: Draft::new(2048).finish(1),
        source: Source {
            sha256: Digest::from_bytes([7; 32]),
            format: SourceFormat::Jpeg,
            bytes: 5_000_000_000,
            width: 4000,
            height: 3000,
            frames: 1,
        },
        correlation_id: CorrelationId::parse("req-1").expect("usable"),
        trace_parent: None,
        idempotency: None,
    }
}

fn idempotent_job(number: u16, key: &str) -> NewJob {
    let key = IdempotencyKey::parse(key).expect("usable");
    NewJob {
        idempotency: Some(Idempotency { key, fingerprint: Digest::from_bytes([9; 32]) }),
        ..new_job(number)
    }
}

fn thumbnail() -> Thumbnail {
    Thumbnail {
        format: OutputFormat::Webp,
        bytes: 6_000_000_000,
        width: 100,
        height: 50,
        sha256: Digest::from_bytes([8; 32]),
        frames: 2,
        placeholder: "1QcSHQRnh493V4dIh4eXh1h4kJUI".to_owned(),
        warnings: vec![Warning::Truncated],
        concessions: vec![Concession::Quality(60), Concession::Width(80)],
    }
}

fn cost() -> Cost {
    Cost {
        decode_ms: 20.125,
        finish_ms: 0.5,
        encode_ms: 3.0,
        total_ms: 31.25,
        peak_memory_bytes: 8_000_000_000,
        pixels: 12_000_000,
        frames: 2,
    }
}

fn done<T>(result: Result<T, StoreError>) -> T {
    result.unwrap_or_else(|error| panic!("the store failed: {error}"))
}

fn create(store: &dyn JobStore, job: &NewJob) {
    assert_eq!(store.create(job), Ok(Created::New));
}

fn read(database: &dyn TestDatabase, job: u16) -> Job {
    done(database.connect().get(&id(job))).unwrap_or_else(|| panic!("job {job} is not there"))
}

/// The job that a claim gives to `worker`.
fn claim(store: &dyn JobStore, worker: &WorkerId, now: Timestamp) -> Job {
    match done(store.claim(worker, &POLICY, now)) {
        Claim::Leased(job) => *job,
        other => panic!("expected a lease, got {other:?}"),
    }
}

fn all(limit: u32) -> ListQuery {
    ListQuery { status: None, limit, after: None }
}

fn ids(page: &Page) -> Vec<JobId> {
    page.jobs.iter().map(|job| job.id).collect()
}

/// Runs each statement of the store at least once. For tests of what carries them.
pub fn use_every_call(store: &dyn JobStore) {
    create(store, &idempotent_job(1, "a-key"));
    create(store, &new_job(2));
    create(store, &new_job(3));
    assert_eq!(done(store.get(&id(2))).map(|job| job.id), Some(id(2)));
    let key = IdempotencyKey::parse("a-key").expect("usable");
    assert_eq!(done(store.find_by_idempotency_key(&key)).map(|job| job.id), Some(id(1)));
    for status in [None, Some(Status::Processing)] {
        for after in [None, Some(Cursor(id(2)))] {
            let expected = if after.is_some() { 1 } else { 3 };
            assert_eq!(done(store.list(&ListQuery { status, after, limit: 10 })).jobs.len(), expected);
        }
    }
    assert_eq!(store.has_due(at(1000)), Ok(true));
    let failure = Failure::from(JobCode::StorageUnavailable);
    let worker = worker("a");
    let job = claim(store, &worker, at(1000));
    assert_eq!(done(store.find_by_worker(&worker)).map(|held| held.id), Some(job.id));
    let lease = Lease { job: &job.id, worker: &worker };
    assert_eq!(store.retry(lease, &failure, at(5000), at(1000)), Ok(true));
    let job = claim(store, &worker, at(1000));
    assert_eq!(store.give_up(Lease { job: &job.id, worker: &worker }, &failure, at(1000)), Ok(true));
    let job = claim(store, &worker, at(1000));
    let lease = Lease { job: &job.id, worker: &worker };
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), at(1000)), Ok(true));
    assert_eq!(store.note_wake_up(&id(1), at(10_000)), Ok(true));
}

/// Nobody runs migrations by hand, so whatever is asked first works.
pub fn any_first_call_creates_the_schema(database: &dyn TestDatabase) {
    let drop_all = || {
        database.execute("DROP TABLE IF EXISTS thumbs_jobs");
        database.execute("DROP TABLE IF EXISTS thumbs_schema");
    };
    assert_eq!(database.connect().get(&id(1)), Ok(None));
    drop_all();
    assert_eq!(database.connect().list(&all(1)), Ok(Page { jobs: vec![], has_more: false }));
    drop_all();
    assert_eq!(database.connect().claim(&worker("a"), &POLICY, at(0)), Ok(Claim::Nothing));
    drop_all();
    assert_eq!(database.connect().has_due(at(0)), Ok(false));
    drop_all();
    assert_eq!(database.connect().create(&new_job(1)), Ok(Created::New));
}

/// Two first requests at the same time are the ordinary start of a deployment.
pub fn many_first_calls_at_once_create_one_schema(database: &dyn TestDatabase) {
    thread::scope(|scope| {
        for number in 0..8 {
            scope.spawn(move || create(database.connect().as_ref(), &new_job(number)));
        }
    });
    assert_eq!(done(database.connect().list(&all(100))).jobs.len(), 8);
}

/// A crash may repeat a statement, and an instance that saw the old schema runs them all: no row is lost by it, whoever works
/// meanwhile.
pub fn a_migration_that_is_run_again_changes_nothing(database: &dyn TestDatabase) {
    create(database.connect().as_ref(), &new_job(1));
    thread::scope(|scope| {
        for number in 2..6 {
            scope.spawn(move || {
                for statement in database.migrations().iter().flat_map(|migration| migration.statements) {
                    database.execute(statement);
                }
                create(database.connect().as_ref(), &new_job(number));
            });
        }
    });
    assert_eq!(ids(&done(database.connect().list(&all(100)))), [5, 4, 3, 2, 1].map(id));
    assert_eq!(read(database, 1), new_job(1).stored());
}

/// Every field of a new job comes back, through another connection.
pub fn gives_back_what_was_created(database: &dyn TestDatabase) {
    let mut draft = Draft::new(2048);
    for (name, value) in
        [("width", "320"), ("fit", "contain"), ("background", "#102030"), ("preset", "slack")]
    {
        assert_eq!(draft.set(name, value), Ok(()));
    }
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let job = NewJob {
        options: draft.finish(3),
        trace_parent: TraceParent::parse(trace).ok(),
        ..idempotent_job(1, "a-key")
    };
    create(database.connect().as_ref(), &job);
    assert_eq!(read(database, 1), job.stored());
}

/// What is not there is no error.
pub fn knows_no_other_job(database: &dyn TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    assert_eq!(store.get(&id(2)), Ok(None));
    let key = IdempotencyKey::parse("unknown").expect("usable");
    assert_eq!(store.find_by_idempotency_key(&key), Ok(None));
}

/// The second request under a key finds the first one's job; requests without a key have nothing to do with each other.
pub fn one_idempotency_key_makes_one_job(database: &dyn TestDatabase) {
    let store = database.connect();
    let first = idempotent_job(1, "a-key");
    create(store.as_ref(), &first);
    let existing = Created::Existing(Box::new(first.clone().stored()));
    assert_eq!(store.create(&idempotent_job(2, "a-key")), Ok(existing));
    let key = IdempotencyKey::parse("a-key").expect("usable");
    assert_eq!(store.find_by_idempotency_key(&key), Ok(Some(first.stored())));
    create(store.as_ref(), &idempotent_job(3, "A-key"));
    create(store.as_ref(), &new_job(4));
    create(store.as_ref(), &new_job(5));
    assert_eq!(store.get(&id(2)), Ok(None));
}

/// The unique column decides, not a look before the write.
pub fn one_idempotency_key_makes_one_job_however_many_try_at_once(database: &dyn TestDatabase) {
    let created: Vec<Created> = thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|number| {
                scope.spawn(move || done(database.connect().create(&idempotent_job(number, "a-key"))))
            })
            .collect();
        tries.into_iter().map(|attempt| attempt.join().expect("the thread ends")).collect()
    });
    assert_eq!(created.iter().filter(|created| **created == Created::New).count(), 1);
    assert_eq!(done(database.connect().list(&all(100))).jobs.len(), 1);
}

/// Pages are disjoint and complete, and a job that comes in between does not shift them.
pub fn lists_the_newest_first_page_by_page(database: &dyn TestDatabase) {
    let store = database.connect();
    for number in [2, 1, 5, 4, 3] {
        create(store.as_ref(), &new_job(number));
    }
    let first = done(store.list(&all(2)));
    assert_eq!((ids(&first), first.has_more), (vec![id(5), id(4)], true));
    create(store.as_ref(), &new_job(6));
    let second = done(store.list(&ListQuery { after: Some(Cursor(id(4))), ..all(2) }));
    assert_eq!((ids(&second), second.has_more), (vec![id(3), id(2)], true));
    let third = done(store.list(&ListQuery { after: Some(Cursor(id(2))), ..all(2) }));
    assert_eq!((ids(&third), third.has_more), (vec![id(1)], false));
    let whole = done(store.list(&all(6)));
    assert_eq!((whole.jobs.len(), whole.has_more), (6, false));
}

/// The filter and the cursor work together.
pub fn lists_by_status(database: &dyn TestDatabase) {
    let store = database.connect();
    for number in 1..=6 {
        create(store.as_ref(), &new_job(number));
    }
    for number in [1, 2, 3] {
        let worker = worker(&format!("t{number}"));
        let job = claim(store.as_ref(), &worker, at(100));
        assert_eq!(job.id, id(number));
        let lease = Lease { job: &job.id, worker: &worker };
        let kept = if number == 2 {
            store.give_up(lease, &Failure::from(JobCode::SourceMissing), at(200))
        } else {
            store.succeed(lease, &thumbnail(), &cost(), at(200))
        };
        assert_eq!(kept, Ok(true));
    }
    for (status, after, expected) in [
        (Status::Succeeded, None, vec![id(3), id(1)]),
        (Status::Succeeded, Some(3), vec![id(1)]),
        (Status::Failed, None, vec![id(2)]),
        (Status::Failed, Some(2), vec![]),
        (Status::Processing, None, vec![id(6), id(5), id(4)]),
    ] {
        let query =
            ListQuery { status: Some(status), limit: 10, after: after.map(|number| Cursor(id(number))) };
        assert_eq!(ids(&done(store.list(&query))), expected, "{query:?}");
    }
}

/// The queue is fair: by the moment since when a job is due, not by its id.
pub fn claims_the_longest_due_first(database: &dyn TestDatabase) {
    let store = database.connect();
    for (number, created_at) in [(1, 300), (2, 100), (3, 200)] {
        create(store.as_ref(), &NewJob { created_at: at(created_at), ..new_job(number) });
    }
    let order = [1, 2, 3].map(|turn| claim(store.as_ref(), &worker(&format!("t{turn}")), at(1000)).id);
    assert_eq!(order, [id(2), id(3), id(1)]);
    assert_eq!(store.claim(&worker("t4"), &POLICY, at(1000)), Ok(Claim::Nothing));
}

/// A job is due at its moment, and not a millisecond before.
pub fn claims_nothing_before_it_is_due(database: &dyn TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &NewJob { created_at: at(500), ..new_job(1) });
    assert_eq!(store.has_due(at(499)), Ok(false));
    assert_eq!(store.claim(&worker("a"), &POLICY, at(499)), Ok(Claim::Nothing));
    assert_eq!(store.has_due(at(500)), Ok(true));
    let job = claim(store.as_ref(), &worker("a"), at(500));
    let expected =
        Job { attempts: 1, due_at: Some(at(30_500)), updated_at: at(500), ..read_as_created(1, at(500)) };
    assert_eq!(job, expected);
    assert_eq!(read(database, 1), expected);
    assert_eq!(store.has_due(at(500)), Ok(false));
}

fn read_as_created(number: u16, created_at: Timestamp) -> Job {
    NewJob { created_at, ..new_job(number) }.stored()
}

/// Sixteen workers and a hundred jobs: every job once, none twice, none left.
pub fn many_workers_claim_each_job_once(database: &dyn TestDatabase) {
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
                            Claim::Leased(job) => mine.push(job.id),
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
pub fn a_leased_job_is_nobody_elses_until_the_lease_ends(database: &dyn TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    claim(store.as_ref(), &worker("a"), at(1000));
    assert_eq!(store.claim(&worker("b"), &POLICY, at(30_999)), Ok(Claim::Nothing));
    let again = claim(store.as_ref(), &worker("b"), at(31_000));
    assert_eq!((again.attempts, again.due_at), (2, Some(at(61_000))));
}

/// A report of a worker's end names nothing but the worker.
pub fn a_job_is_found_by_who_holds_it_and_by_nobody_else(database: &dyn TestDatabase) {
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
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), at(40_100)), Ok(true));
    assert_eq!(store.find_by_worker(&worker), Ok(None), "it has done its job");
}

/// Everything that is known of a thumbnail comes back, and the job is done with.
pub fn a_success_is_kept(database: &dyn TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    let worker_a = worker("a");
    let job = claim(store.as_ref(), &worker_a, at(1000));
    let lease = Lease { job: &job.id, worker: &worker_a };
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), at(1040)), Ok(true));
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
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), at(2000)), Ok(false));
    assert_eq!(read(database, 1), expected);
}

/// The pause is kept, the reason is shown meanwhile, and a later success forgets it.
pub fn a_failed_attempt_is_due_again_later(database: &dyn TestDatabase) {
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
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), at(5100)), Ok(true));
    assert_eq!(read(database, 1).failure, None);
}

/// The dead letter keeps its reason.
pub fn a_job_given_up_is_never_claimed_again(database: &dyn TestDatabase) {
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
pub fn a_late_worker_changes_nothing(database: &dyn TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    claim(store.as_ref(), &worker("late"), at(1000));
    claim(store.as_ref(), &worker("prompt"), at(40_000));
    let before = read(database, 1);
    let job = id(1);
    let late = worker("late");
    let lease = Lease { job: &job, worker: &late };
    let failure = Failure::from(JobCode::SourceMissing);
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), at(41_000)), Ok(false));
    assert_eq!(store.retry(lease, &failure, at(42_000), at(41_000)), Ok(false));
    assert_eq!(store.give_up(lease, &failure, at(41_000)), Ok(false));
    assert_eq!(read(database, 1), before);
    let prompt = worker("prompt");
    assert_eq!(
        store.succeed(Lease { job: &job, worker: &prompt }, &thumbnail(), &cost(), at(41_000)),
        Ok(true)
    );
}

/// No job is tried for ever: the claim that finds no attempt left fails it, and says so.
pub fn a_job_whose_last_worker_died_is_given_up(database: &dyn TestDatabase) {
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

/// Many readers of an overdue job are one wake-up.
pub fn reads_note_wake_ups_only_so_often(database: &dyn TestDatabase) {
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
        store.succeed(Lease { job: &job, worker: &worker_a }, &thumbnail(), &cost(), at(20_100)),
        Ok(true)
    );
    assert_eq!(store.note_wake_up(&id(1), at(90_000)), Ok(false));
}

/// An old version beside a newer one may show jobs, and must not make or take any.
pub fn a_newer_schema_is_read_and_not_written(database: &dyn TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    database.execute("INSERT INTO thumbs_schema (version) VALUES (99)");
    let too_new = StoreError::SchemaTooNew { found: 99, known: 1 };
    assert_eq!(store.create(&new_job(2)), Err(too_new.clone()));
    assert_eq!(store.create(&idempotent_job(2, "a-key")), Err(too_new.clone()));
    assert_eq!(store.claim(&worker("a"), &POLICY, at(1000)), Err(too_new));
    assert_eq!(read(database, 1), new_job(1).stored());
    assert_eq!(store.get(&id(2)), Ok(None));
}

/// Whoever wrote into the table by hand is told where.
pub fn a_row_that_makes_no_sense_is_an_error(database: &dyn TestDatabase) {
    let store = database.connect();
    create(store.as_ref(), &new_job(1));
    database.execute("UPDATE thumbs_jobs SET options = '{'");
    assert_eq!(store.get(&id(1)), Err(StoreError::Corrupt("column options".to_owned())));
}
