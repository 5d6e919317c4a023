//! Asking the dependencies: by what the service itself asks of them, with the grants that it has, so that an answer means that it works.
//!
//! A call to the host can't be given up from here. How long one takes at most is the host's to say (docs/limits.md: `sql_*`, `pg_*`,
//! `blob_timeout_ms`, `redis_*`).

use thumbs_domain::dependency::{Dependency, Probe};
use thumbs_domain::event::Event;
use thumbs_domain::id::JobId;
use thumbs_domain::object_key::ObjectKey;
use thumbs_guest::blobs::{BlobError, Blobs};
use thumbs_guest::clock::{Clock, millis};
use thumbs_guest::http::Failed;
use thumbs_guest::jobs::JobStore;

use crate::Ops;

/// An id that no job has: its time is before anybody made one.
const NO_JOB: &str = "00000000-0000-7000-8000-000000000000";

/// Asks them all.
pub(crate) fn probes(ops: &Ops<'_>) -> Vec<Probe> {
    Dependency::ALL.iter().map(|dependency| probe(ops, *dependency)).collect()
}

/// Asks one.
pub(crate) fn probe(ops: &Ops<'_>, dependency: Dependency) -> Probe {
    let begin = ops.clock.elapsed();
    let answer = match dependency {
        Dependency::Database => database(ops.store, ops.clock).map_err(|error| error.to_string()),
        Dependency::Blobs => blobs(ops.blobs).map_err(|error| error.to_string()),
        Dependency::Messages => ops.wake.publish(),
    };
    let latency_ms = millis(ops.clock.elapsed().saturating_sub(begin));
    if let Err(cause) = &answer {
        ops.log.event(Event::DependencyDown { dependency: dependency.row().name, cause });
    }
    Probe { dependency, is_up: answer.is_ok(), latency_ms }
}

/// Whether the job store answers a question that workers ask of it.
pub(crate) fn database(store: &dyn JobStore, clock: &dyn Clock) -> Result<(), Failed> {
    store.has_due(clock.now())?;
    Ok(())
}

/// Whether the blob store says that a blob is not there.
pub(crate) fn blobs(blobs: &dyn Blobs) -> Result<(), Failed> {
    let job = JobId::parse(NO_JOB).map_err(|error| Failed::Internal(error.to_string()))?;
    match blobs.get(&ObjectKey::upload(&job), 1) {
        Ok(_) | Err(BlobError::NotFound | BlobError::TooLarge { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
