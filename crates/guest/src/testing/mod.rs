//! Capabilities for native tests of handlers: as simple as can be, inspectable, and breakable on demand.
//!
//! The job store is no fake: it is the one that ships, over an SQLite in memory, so handlers are tested with the real rules.

mod blobs;
mod clock;
mod faulty;
mod imaging;
mod job;
mod request;
mod sqlite;

pub use blobs::MemoryBlobs;
pub use clock::ManualClock;
pub use faulty::{Fate, Faulty};
pub use imaging::ScriptedImaging;
pub use job::{POLICY, cost, end_job, new_job, put_job, thumbnail_of};
pub use request::{request, text};
pub use sqlite::{Driver, memory_store};

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use thumbs_domain::id::{JobId, NotAJobId};
use thumbs_domain::timestamp::Timestamp;
use thumbs_domain::trace::{CorrelationId, NotUsable};
use thumbs_domain::variable::Variable;

use crate::config::{ConfigError, Variables};
use crate::ids::{HostIds, Ids};
use crate::log::Log;
use crate::wake::{Publish, Tell};

/// Counts wake-ups.
#[derive(Debug, Default)]
pub struct CountingWake(Cell<u32>);

impl CountingWake {
    /// Wake-ups so far.
    pub fn count(&self) -> u32 {
        self.0.get()
    }
}

impl Publish for CountingWake {
    fn publish(&self) -> Result<(), String> {
        self.0.set(self.0.get() + 1);
        Ok(())
    }
}

/// Keeps whose end was told.
#[derive(Debug, Default)]
pub struct Told(RefCell<Vec<JobId>>);

impl Told {
    /// The jobs, in the order of their ends.
    pub fn jobs(&self) -> Vec<JobId> {
        self.0.borrow().clone()
    }
}

impl Tell for Told {
    fn ended(&self, job: &JobId, _: &Log) {
        self.0.borrow_mut().push(*job);
    }
}

/// Job ids as they are, and one correlation id for all.
#[derive(Clone, Copy, Debug)]
pub struct TestIds;

impl Ids for TestIds {
    fn job_id(&self, now: Timestamp) -> Result<JobId, NotAJobId> {
        HostIds.job_id(now)
    }

    fn correlation_id(&self) -> Result<CorrelationId, NotUsable> {
        CorrelationId::parse("drawn")
    }
}

/// Variables with fixed values.
#[derive(Clone, Debug)]
pub struct FixedVariables(pub BTreeMap<&'static str, String>);

impl FixedVariables {
    /// Small limits: 1,000 bytes of upload, thumbnails of at most 2,048 pixels a side.
    pub fn small() -> Self {
        let pairs = [
            ("formats", "jpeg,png,gif,webp,heic,avif"),
            ("max_upload_bytes", "1000"),
            ("max_pixels", "1000000"),
            ("max_side", "10000"),
            ("max_frames", "10"),
            ("max_total_pixels", "2000000"),
            ("max_output_side", "2048"),
            ("max_variants", "8"),
            ("max_output_pixels", "4194304"),
            ("max_attempts", "3"),
            ("lease_secs", "30"),
            ("retry_backoff_ms", "1000"),
            ("max_job_age_secs", "3600"),
            ("result_cache", "true"),
            ("max_batch_parts", "4"),
            ("max_batch_bytes", "5000"),
            ("callback_hosts", ""),
            ("max_queued_jobs", "0"),
            ("max_queued_jobs_per_owner", "0"),
        ];
        Self(pairs.into_iter().map(|(name, value)| (name, value.to_owned())).collect())
    }

    /// The defaults, but for these.
    pub fn with(pairs: &[(&'static str, &str)]) -> Self {
        let defaults = Variable::ALL.iter().map(|variable| variable.row()).map(|row| (row.name, row.default));
        let all = defaults.chain(pairs.iter().copied());
        Self(all.map(|(name, value)| (name, value.to_owned())).collect())
    }
}

impl Variables for FixedVariables {
    fn get(&self, variable: Variable) -> Result<String, ConfigError> {
        let name = variable.row().name;
        let missing = || ConfigError::Unreadable { name, cause: "it is not defined".to_owned() };
        self.0.get(name).cloned().ok_or_else(missing)
    }
}
