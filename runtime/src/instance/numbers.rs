//! What is counted of the instances of one component.

use std::time::Duration;

use super::FailureKind;
use crate::numbers::Counter;

/// What was counted of a component's instances.
#[derive(Debug, Default)]
pub struct InstanceNumbers {
    begun: Counter,
    ended: Counter,
    cpu: Counter,
    failed: [Counter; FailureKind::ALL.len()],
}

impl InstanceNumbers {
    /// One more begins.
    pub(super) fn begin(&self) {
        self.begun.one();
    }

    /// One ended, which had used so much processor time.
    pub(super) fn end(&self, cpu: Duration) {
        self.cpu.add_time(cpu);
        self.ended.one();
    }

    /// The call of one failed.
    pub(crate) fn failed(&self, kind: FailureKind) {
        if let Some((_, count)) = FailureKind::ALL.iter().zip(&self.failed).find(|(known, _)| **known == kind)
        {
            count.one();
        }
    }

    /// How many were begun.
    #[must_use]
    pub fn begun(&self) -> u64 {
        self.begun.get()
    }

    /// How many live.
    #[must_use]
    pub fn live(&self) -> u64 {
        // In this order: one that begins and ends in between must not make it less than none.
        let ended = self.ended.get();
        self.begun.get().saturating_sub(ended)
    }

    /// What those that ended had used.
    #[must_use]
    pub fn cpu(&self) -> Duration {
        self.cpu.time()
    }

    /// How many calls failed, by why.
    pub fn failures(&self) -> impl Iterator<Item = (FailureKind, u64)> {
        FailureKind::ALL.into_iter().zip(self.failed.iter().map(Counter::get))
    }
}
