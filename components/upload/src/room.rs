//! Whether the queue has room for another job: asked before an upload is read, so that one that can't be taken costs nobody its bytes. One
//! that repeats another needs none.
//!
//! Two uploads that ask at the same time may both be taken, and a full queue still takes those of a key that has little in it: the bounds keep a
//! queue from growing without end, to the job they do not hold.

use std::collections::BTreeSet;

use thumbs_domain::problem::ProblemKind;
use thumbs_domain::route::Scope;
use thumbs_guest::config::{self, QueueBounds};
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
            && !self.has_part_left(request, bound)?
        {
            let detail = "The service has as many jobs as it takes. Send this again after a while.";
            return Err(Failed::problem(ProblemKind::QueueFull, detail));
        }
        Ok(())
    }

    /// Whether a key has less than its part of a queue that others have filled: as many jobs as it holds, shared out among all names that may write.
    /// Without that, one that floods the service would keep the others out.
    fn has_part_left(&self, request: &Request, bound: u64) -> Result<bool, Failed> {
        let Some(owner) = request.caller.owner() else { return Ok(false) };
        let keys = config::keys(self.variables)?;
        let writers = keys.entries().iter().filter(|entry| entry.may(Scope::Write));
        let names: BTreeSet<_> = writers.map(|entry| entry.name().as_str()).collect();
        let part = (bound / names.len().max(1) as u64).max(1);
        Ok(self.store.queued_of(owner, part)? < part)
    }
}
