//! Looking for what is kept no longer: old jobs, the originals of jobs that are done, blobs that no row names any more, and those that none
//! ever did.
//!
//! A sweep is a message's whole work, as a job is. It takes a little at a time, and where more is left, it leaves that to the next message.

use thumbs_domain::event::Event;
use thumbs_domain::timestamp::Timestamp;
use thumbs_guest::effort::Cleared;
use thumbs_guest::jobs::StoreError;
use thumbs_guest::{garbage, orphans};

use crate::handler::Resize;

/// How often somebody looks.
pub(crate) const EVERY_MS: i64 = 60_000;

/// Rows of each kind that go in one sweep: jobs that succeeded, jobs that failed, originals.
const MAX_ROWS: u32 = 50;

/// Blobs that are noted and deleted in one sweep: those of all its rows.
const MAX_BLOBS: u32 = 5 * MAX_ROWS;

impl Resize<'_> {
    /// One sweep. What rows no longer name is noted with them, and deleted in the same sweep or a later one.
    ///
    /// # Errors
    /// [`StoreError`]; what is left is found by the next sweep.
    pub(crate) fn sweep(&self, now: Timestamp) -> Result<(), StoreError> {
        let jobs = match self.retention.jobs.ends_before(now) {
            Some(moment) => self.store.expire_jobs(moment, MAX_ROWS)?,
            None => 0,
        };
        let originals = match self.retention.originals.ends_before(now) {
            Some(moment) => self.store.expire_originals(moment, now, MAX_ROWS)?,
            None => 0,
        };
        let garbage = garbage::clear(self.store, self.blobs, MAX_BLOBS, self.clock, now, self.log)?;
        let orphaned = match self.retention.orphans.ends_before(now) {
            Some(moment) => orphans::clear(self.store, self.blobs, moment, self.clock, now, self.log)?,
            None => Cleared::default(),
        };
        let (blobs, orphans) = (garbage.gone, orphaned.gone);
        if jobs > 0 || originals > 0 || blobs > 0 || orphans > 0 {
            self.log.event(Event::Swept { jobs, originals, blobs, orphans });
        }
        // By what went, not by what was found: what can't be deleted now is not to be tried without a pause.
        if jobs >= MAX_ROWS || originals >= MAX_ROWS || garbage.more || orphaned.more {
            self.store.call_for_sweep(now)?;
            self.wake.wake(self.log);
        }
        Ok(())
    }
}
