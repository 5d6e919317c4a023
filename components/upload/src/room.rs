//! Whether the queue has room for another job: asked before an upload is read, so that one that can't be taken costs nobody its bytes. One
//! that repeats another needs none.
//!
//! Two uploads that ask at the same time may both be taken: the bounds keep a queue from growing without end, to the job they do not hold.

use thumbs_domain::problem::ProblemKind;
use thumbs_guest::config::QueueBounds;
use thumbs_guest::http::{Failed, Request};

use crate::Upload;

impl Upload<'_> {
    /// # Errors
    /// A problem that says when to come again, where a bound is reached.
    pub(crate) fn has_room(&self, request: &Request) -> Result<(), Failed> {
        let bounds = QueueBounds::read(self.variables)?;
        if let (Some(owner), Some(bound)) = (request.caller.owner(), bounds.jobs_per_owner)
            && self.store.queued_of(owner, bound)? >= bound
        {
            let detail = format!(
                "{bound} of your jobs wait or are being made, which is the most. Send this again when some are done."
            );
            return Err(Failed::problem(ProblemKind::TooManyJobs, detail));
        }
        if let Some(bound) = bounds.jobs
            && self.store.queued()? >= bound
        {
            let detail = "The service has as many jobs as it takes. Send this again after a while.";
            return Err(Failed::problem(ProblemKind::QueueFull, detail));
        }
        Ok(())
    }
}
