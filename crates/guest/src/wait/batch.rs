//! Waiting until all jobs of a batch are done.
//!
//! The host keeps a request for one key, which is the id of one job: it is woken by the end of that one, looks, and is kept for another that is
//! not done, until none is. So it is there at once when the last one ends, whichever that is.

use std::time::Duration;

use thumbs_domain::batch::BatchId;
use thumbs_domain::id::JobId;
use thumbs_domain::job::Status;
use thumbs_domain::owner::Reach;

use super::{FIRST_POLL, SLOWEST_POLL, Wait, Waiter};
use crate::jobs::{Batch, Batches, StoreError};
use crate::wake::wake_for_overdue;

/// A batch that was waited for.
#[derive(Clone, Debug, PartialEq)]
pub struct WaitedBatch {
    /// As it stands.
    pub batch: Batch,
    /// For how long the host is to keep the request yet, and whose end is to wake it; none where it can be answered.
    pub keep: Option<(Duration, JobId)>,
}

impl Waiter<'_> {
    /// The batch once all its jobs are done, or as it stands when the wait is over, or at once where the host can wait.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn read_batch(
        &self,
        batches: &dyn Batches,
        id: &BatchId,
        reach: Reach<'_>,
        wait: Wait,
    ) -> Result<WaitedBatch, StoreError> {
        let wait = Duration::from_secs(wait.secs).saturating_sub(self.parked.unwrap_or_default());
        let give_up_at = self.clock.elapsed() + wait;
        let mut pause = FIRST_POLL;
        loop {
            let batch = batches.batch(id, reach)?;
            let jobs = || batch.members.iter().map(|member| &member.job);
            // The last of them, for they are made in their order, as far as nothing keeps one back.
            let open = jobs().rev().find(|job| job.status == Status::Processing).map(|job| job.id);
            let left = give_up_at.saturating_sub(self.clock.elapsed());
            let is_over = open.is_none() || left.is_zero() || self.parked.is_some();
            let wake = if is_over { self.wake } else { self.wake_now };
            wake_for_overdue(jobs(), self.store, wake, self.clock.now(), self.log);
            if is_over {
                let keep = open.filter(|_| !left.is_zero()).map(|job| (left, job));
                return Ok(WaitedBatch { batch, keep });
            }
            self.clock.sleep(pause.min(left));
            pause = (pause * 2).min(SLOWEST_POLL);
        }
    }
}
