//! Jobs and calls that the tests of the kit share.

use thumbs_domain::callback::{Answer, CallbackPolicy, CallbackUrl};
use thumbs_domain::cursor::Cursor;
use thumbs_domain::digest::Digest;
use thumbs_domain::failure::{Failure, JobCode};
use thumbs_domain::format::{OutputFormat, SourceFormat};
use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::{Concession, Cost, IdempotencyKey, Job, NewJob, Source, Status, Thumbnail, Warning};
use thumbs_domain::list::ListQuery;
use thumbs_domain::machine::RetryPolicy;
use thumbs_domain::object_key::Kind;
use thumbs_domain::options::Draft;
use thumbs_domain::owner::{Owner, Reach};
use thumbs_domain::rate::Rate;
use thumbs_domain::timestamp::Timestamp;
use thumbs_domain::trace::CorrelationId;

use super::{TestDatabase, Whole};
use crate::jobs::{Claim, Created, JobStore, Lease, Page, Revived, Search, StoreError};
use crate::recipe::Recipe;
use crate::sql::SqlRow;

pub(super) const POLICY: RetryPolicy =
    RetryPolicy { max_attempts: 3, lease_secs: 30, retry_backoff_ms: 1000, max_job_age_secs: 3600 };

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_unix_millis(millis)
}

pub(super) fn worker(text: &str) -> WorkerId {
    WorkerId::new(text)
}

/// The id of the n-th job: ids sort as their numbers do.
pub(super) fn id(number: u16) -> JobId {
    JobId::parse(&format!("01932c07-20a4-7b3c-8d4e-5f607182{number:04x}"))
        .expect("the form is that of version 7")
}

pub(super) fn new_job(number: u16) -> NewJob {
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
        idempotency_key: None,
        owner: None,
        place: None,
        callback: None,
    }
}

/// Under this key.
pub(super) fn idempotent_job(number: u16, key: &str) -> NewJob {
    NewJob { idempotency_key: IdempotencyKey::parse(key), ..new_job(number) }
}

pub(super) fn thumbnail() -> Thumbnail {
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
        webp: None,
        variants: Vec::new(),
    }
}

pub(super) fn cost() -> Cost {
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

pub(super) fn recipe() -> Recipe {
    Recipe::from_digest(Digest::from_bytes([9; 32]))
}

pub(super) fn done<T>(result: Result<T, StoreError>) -> T {
    result.unwrap_or_else(|error| panic!("the store failed: {error}"))
}

pub(super) fn create(store: &dyn JobStore, job: &NewJob) {
    assert_eq!(store.create(job), Ok(Created::New));
}

/// As the database has it, through another connection.
pub(super) fn read(database: &impl TestDatabase, job: u16) -> Job {
    done(database.connect().get(&id(job), Reach::All)).unwrap_or_else(|| panic!("job {job} is not there"))
}

/// The job that a claim gives to `worker`.
pub(super) fn claim(store: &dyn JobStore, worker: &WorkerId, now: Timestamp) -> Job {
    match done(store.claim(worker, &POLICY, now)) {
        Claim::Leased { job, .. } => *job,
        other => panic!("expected a lease, got {other:?}"),
    }
}

pub(super) fn all(limit: u32) -> ListQuery {
    ListQuery { status: None, code: None, limit, after: None }
}

pub(super) fn ids(page: &Page) -> Vec<JobId> {
    page.jobs.iter().map(|job| job.id).collect()
}

pub(super) fn read_as_created(number: u16, created_at: Timestamp) -> Job {
    NewJob { created_at, ..new_job(number) }.stored()
}

/// Does to the database what no job store would do.
pub(super) fn run(database: &impl TestDatabase, statement: &str) -> Vec<SqlRow> {
    let rows = database.sql().query(statement, &[]);
    rows.unwrap_or_else(|error| panic!("{statement}: {error}"))
}

/// Runs each statement of the store at least once. For tests of what carries them.
pub fn use_every_call(store: &dyn Whole) {
    create(store, &idempotent_job(1, "a-key"));
    create(store, &new_job(2));
    create(store, &NewJob { callback: CallbackUrl::parse("https://hooks.example/"), ..new_job(3) });
    assert_eq!(done(store.get(&id(2), Reach::All)).map(|job| job.id), Some(id(2)));
    let key = IdempotencyKey::parse("a-key").expect("usable");
    assert_eq!(done(store.find_by_idempotency_key(&key, None)).map(|job| job.id), Some(id(1)));
    let nobody = Owner::parse("nobody").expect("a name");
    for status in [None, Some(Status::Processing)] {
        for after in [None, Some(Cursor(id(2)))] {
            let expected = if after.is_some() { 1 } else { 3 };
            let query = ListQuery { status, code: None, after, limit: 10 };
            assert_eq!(done(store.list(&query, Reach::All)).jobs.len(), expected);
            assert_eq!(done(store.list(&query, Reach::Of(&nobody))).jobs.len(), 0);
        }
    }
    assert_eq!(done(store.find(&[id(1), id(3)], Reach::All)).jobs.len(), 2);
    for after in [None, Some(Cursor(id(2)))] {
        let query = ListQuery { status: Some(Status::Failed), code: Some(JobCode::Trap), after, limit: 10 };
        assert_eq!(done(store.list(&query, Reach::All)).jobs.len(), 0);
        assert_eq!(done(store.list(&query, Reach::Of(&nobody))).jobs.len(), 0);
    }
    assert_eq!(store.has_due(at(1000)), Ok(true));
    assert_eq!((store.queued(), store.queued_of(&nobody, 1)), (Ok(3), Ok(0)));
    let failure = Failure::from(JobCode::StorageUnavailable);
    let worker = worker("a");
    let job = claim(store, &worker, at(1000));
    assert_eq!(done(store.find_by_worker(&worker)).map(|held| held.id), Some(job.id));
    let lease = Lease { job: &job.id, worker: &worker };
    assert_eq!(store.retry(lease, &failure, at(5000), at(1000)), Ok(true));
    let job = claim(store, &worker, at(1000));
    let lease = Lease { job: &job.id, worker: &worker };
    assert_eq!(store.give_back(lease, &failure, at(1000), at(1000)), Ok(true));
    let job = claim(store, &worker, at(1000));
    assert_eq!(store.give_up(Lease { job: &job.id, worker: &worker }, &failure, at(1000)), Ok(true));
    let job = claim(store, &worker, at(1000));
    let lease = Lease { job: &job.id, worker: &worker };
    assert_eq!(store.extend(lease, at(60_000)), Ok(true));
    assert_eq!(store.succeed(lease, &thumbnail(), &cost(), &recipe(), at(1000)), Ok(true));
    assert_eq!(store.note_wake_up(&id(1), at(10_000)), Ok(true));
    assert_eq!(done(store.find_made(&recipe(), None)).map(|job| job.id), Some(job.id));
    let rate = Rate::new(1, 1).expect("a rate");
    assert!(done(store.take("a", rate, at(0))).is_taken);
    assert_eq!(store.has_due_callback(at(1000)), Ok(true));
    assert!(done(store.claim_callback(&worker, at(2000), at(1000))).is_some());
    let answered = Ok(Answer { status: 200, retry_after_secs: None });
    let policy = CallbackPolicy { max_attempts: 1, backoff_ms: 1 };
    assert_eq!(store.settle_callback(lease, &policy.settle(1, answered, 0, at(1000))), Ok(false));
    use_every_call_of_life(store);
}

/// After the calls above: a job is being made, one has failed, one has succeeded.
fn use_every_call_of_life(store: &dyn Whole) {
    assert!(done(store.due(at(1000), at(i64::MAX >> 1))).sweep);
    assert_eq!(store.hasten(at(1000), at(i64::MAX >> 1)), Ok(0));
    assert_eq!(store.claim_sweep(at(1000), at(2000)), Ok(true));
    assert_eq!(store.call_for_sweep(at(1000)), Ok(()));
    assert_eq!(store.look(Search::Orphans(Kind::Upload), at(1000)), Ok(()));
    assert_eq!(store.looked(Search::Orphans(Kind::Upload)), Ok(Some(at(1000))));
    assert_eq!(done(store.holders(&[id(1)])).len(), 1);
    let failed = ListQuery { status: Some(Status::Failed), code: None, after: None, limit: 1 };
    let failed =
        done(store.list(&failed, Reach::All)).jobs.first().map(|job| job.id).expect("one has failed");
    assert!(matches!(store.revive(&failed, Reach::All, at(2000)), Ok(Revived::Due(_))));
    assert_eq!(store.expire_originals(at(1000), at(2000), 10), Ok(1));
    assert_eq!(store.delete(&failed, Reach::All), Ok(true));
    assert_eq!(done(store.history(&failed, Reach::All)), None);
    assert_eq!(done(store.history(&id(1), Reach::All)).map(|entries| entries.is_empty()), Some(false));
    let garbage: Vec<_> =
        done(store.garbage(at(0), 10)).into_iter().filter(|note| note.job == failed).collect();
    assert_eq!(garbage.len(), 1);
    assert_eq!(store.forget(&garbage), Ok(()));
    assert_eq!(store.expire_jobs(at(i64::MAX >> 16), 10), Ok(1));
    assert_eq!(done(store.garbage(at(0), 10)).len(), 2);
}
