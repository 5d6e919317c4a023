//! A job for tests that need one to be there.

use thumbs_domain::digest::Digest;
use thumbs_domain::failure::{Failure, JobCode};
use thumbs_domain::format::{OutputFormat, SourceFormat};
use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::{Cost, NewJob, Source, Thumbnail};
use thumbs_domain::machine::RetryPolicy;
use thumbs_domain::options::Draft;
use thumbs_domain::timestamp::Timestamp;
use thumbs_domain::trace::CorrelationId;

use super::ManualClock;
use crate::digest::sha256;
use crate::ids::{HostIds, Ids};
use crate::jobs::{JobStore, Lease};
use crate::recipe::Recipe;

/// The policy of these tests: three attempts, thirty seconds, one second, an hour.
pub const POLICY: RetryPolicy =
    RetryPolicy { max_attempts: 3, lease_secs: 30, retry_backoff_ms: 1000, max_job_age_secs: 3600 };

/// A new job, made at the clock's first moment by the request `req-1`.
///
/// # Panics
/// When no id can be drawn.
#[expect(clippy::expect_used, reason = "a test fails loudly")]
pub fn new_job() -> NewJob {
    NewJob {
        id: HostIds.job_id(ManualClock::START).expect("an id"),
        created_at: ManualClock::START,
        options: Draft::new(2048).finish(1),
        source: Source {
            sha256: Digest::from_bytes([7; 32]),
            format: SourceFormat::Jpeg,
            bytes: 8,
            width: 40,
            height: 30,
            frames: 1,
        },
        correlation_id: CorrelationId::parse("req-1").expect("an id"),
        trace_parent: None,
        idempotency_key: None,
        owner: None,
        place: None,
        callback: None,
    }
}

/// Puts a [`new_job`] into the store.
///
/// # Panics
/// When the store refuses it.
#[expect(clippy::expect_used, reason = "a test fails loudly")]
pub fn put_job(store: &dyn JobStore) -> JobId {
    let job = new_job();
    store.create(&job).expect("the store takes the job");
    job.id
}

/// Ends the job as a worker would: with this thumbnail (a GIF), or with a failure.
///
/// # Panics
/// When the store has no due job.
#[expect(clippy::expect_used, reason = "a test fails loudly")]
pub fn end_job(store: &dyn JobStore, job: &JobId, thumbnail: Option<&[u8]>) {
    let worker = WorkerId::new("of-the-test");
    let now: Timestamp = ManualClock::START;
    store.claim(&worker, &POLICY, now).expect("a job is due");
    let lease = Lease { job, worker: &worker };
    let in_time = match thumbnail {
        Some(data) => store.succeed(lease, &thumbnail_of(data), &cost(), &recipe(), now),
        None => store.give_up(lease, &Failure::from(JobCode::SourceMissing), now),
    };
    assert_eq!(in_time, Ok(true));
}

/// A thumbnail (a GIF) of these bytes.
pub fn thumbnail_of(data: &[u8]) -> Thumbnail {
    Thumbnail {
        format: OutputFormat::Gif,
        bytes: data.len() as u64,
        width: 100,
        height: 100,
        sha256: sha256(data),
        frames: 1,
        placeholder: String::new(),
        warnings: vec![],
        concessions: vec![],
        webp: None,
        variants: Vec::new(),
    }
}

/// The recipe of [`end_job`].
fn recipe() -> Recipe {
    Recipe::from_digest(Digest::from_bytes([9; 32]))
}

/// What it took.
pub fn cost() -> Cost {
    Cost {
        decode_ms: 1.0,
        finish_ms: 1.0,
        encode_ms: 1.0,
        total_ms: 4.0,
        peak_memory_bytes: 1,
        pixels: 1,
        frames: 1,
    }
}
