//! How much of a sweep goes into blobs that hang or can't be deleted. What is tried is the business of [`crate::garbage`] and
//! [`crate::orphans`], each of which has this much.

use std::cell::Cell;
use std::time::Duration;

use thumbs_domain::timestamp::Timestamp;

use crate::clock::Clock;

/// For how long a sweep tries to delete garbage, and as long once more orphans. A call that begins just before that may take as long as the store
/// is waited for, ten seconds; both together still end before a message is stopped, so that what was done is written down.
const MAX_TRYING: Duration = Duration::from_secs(3);

/// Of so many blobs that can't be deleted one look has enough: a store that refuses these will hardly delete the next.
pub(crate) const MAX_FAILURES: usize = 10;

/// What came of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cleared {
    /// Blobs that were deleted.
    pub gone: u32,
    /// Whether there is more to do at once: not where only what can't be deleted is left.
    pub more: bool,
}

/// The time that is left, and lots.
pub(crate) struct Effort<'a> {
    clock: &'a dyn Clock,
    ends: Cell<Option<Duration>>,
    lots: Cell<u64>,
}

impl<'a> Effort<'a> {
    /// Not begun yet. Lots are drawn by `now`.
    pub(crate) fn new(clock: &'a dyn Clock, now: Timestamp) -> Self {
        Self { clock, ends: Cell::new(None), lots: Cell::new(now.unix_millis().unsigned_abs()) }
    }

    /// From here on time counts, unless it does already.
    pub(crate) fn begin(&self) {
        if self.ends.get().is_none() {
            self.ends.set(Some(self.clock.elapsed() + MAX_TRYING));
        }
    }

    /// Nothing more is to be begun.
    pub(crate) fn is_spent(&self) -> bool {
        self.ends.get().is_some_and(|ends| self.clock.elapsed() >= ends)
    }

    /// Puts another in front, by lot: where the first ones take all the time in each sweep, the others have their turn too. The lots are digits of
    /// the moment, which needs no memory, and each draw has one of its own.
    pub(crate) fn draw<T>(&self, items: &mut [T]) {
        let count = (items.len() as u64).max(1);
        items.rotate_left(usize::try_from(self.lots.get() % count).unwrap_or(0));
        self.lots.set(self.lots.get() / count);
    }
}
