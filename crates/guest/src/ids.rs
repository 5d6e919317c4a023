//! New ids, from the host's clock and random numbers.

use uuid::{NoContext, Timestamp as UuidTime, Uuid};

use thumbs_domain::batch::BatchId;
use thumbs_domain::id::{JobId, NotAJobId, WorkerId};
use thumbs_domain::timestamp::Timestamp;
use thumbs_domain::trace::{CorrelationId, NotUsable};

/// Draws ids that nobody else has drawn.
pub trait Ids {
    /// For a job that is created now.
    ///
    /// # Errors
    /// [`NotAJobId`] never happens; it is the type's own guard.
    fn job_id(&self, now: Timestamp) -> Result<JobId, NotAJobId>;

    /// For a batch that begins now.
    ///
    /// # Errors
    /// As [`Ids::job_id`].
    fn batch_id(&self, now: Timestamp) -> Result<BatchId, NotAJobId> {
        self.job_id(now).map(BatchId::from)
    }

    /// For a request that brought none.
    ///
    /// # Errors
    /// [`NotUsable`] never happens; it is the type's own guard.
    fn correlation_id(&self) -> Result<CorrelationId, NotUsable>;
}

/// UUIDs of the host's random numbers.
#[derive(Clone, Copy, Debug)]
pub struct HostIds;

impl Ids for HostIds {
    fn job_id(&self, now: Timestamp) -> Result<JobId, NotAJobId> {
        let millis = u64::try_from(now.unix_millis()).unwrap_or_default();
        let nanos = u32::try_from(millis % 1000 * 1_000_000).unwrap_or_default();
        JobId::from_uuid(Uuid::new_v7(UuidTime::from_unix(NoContext, millis / 1000, nanos)))
    }

    fn correlation_id(&self) -> Result<CorrelationId, NotUsable> {
        CorrelationId::parse(&Uuid::new_v4().to_string())
    }
}

/// The environment variable in which the host names the worker.
pub const WORKER_ID: &str = "WORKER_ID";

/// The id that the host gave to this worker, or on a host that gives none (Spin) one of its own: nobody can report its end
/// then, and the end of its lease does it.
pub fn worker_id(given: Option<String>) -> WorkerId {
    let given = given.filter(|id| !id.is_empty());
    WorkerId::new(given.unwrap_or_else(|| Uuid::new_v4().to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_has_the_id_that_the_host_gave_it_or_one_of_its_own() {
        assert_eq!(worker_id(Some("given".to_owned())), WorkerId::new("given"));
        for none in [None, Some(String::new())] {
            let own = worker_id(none.clone());
            assert!(!own.as_str().is_empty());
            assert_ne!(worker_id(none), own);
        }
    }

    #[test]
    fn a_job_id_holds_the_moment_it_was_made_for() {
        let now = Timestamp::from_unix_millis(1_763_942_400_123);
        let id = HostIds.job_id(now).unwrap();
        assert_eq!(id.created_at(), now);
        assert_ne!(HostIds.job_id(now).unwrap(), id);
    }
}
