//! On whose account a connection reads: what a server is about to send is counted before it is read.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use crate::memory::{Held, OutOfMemory};

/// As much of an answer is read on nobody's account: it fits into what a connection costs anyway.
const FREE_BYTES: u64 = 64 * 1024;

/// The account of one connection. While nobody has opened it, only the connection's own bound holds.
#[derive(Debug, Default)]
pub(super) struct Account {
    held: Mutex<Option<Held>>,
    was_refused: AtomicBool,
}

/// An account that is open, until this is dropped.
#[derive(Debug)]
pub(crate) struct Opened(Arc<Account>);

impl Account {
    /// Counts what is read from now on in the memory of whoever has this.
    pub(super) fn open(self: &Arc<Self>, held: Held) -> Opened {
        *self.held() = Some(held);
        Opened(Arc::clone(self))
    }

    /// So much is on its way or has come, and what was before has been handed over.
    ///
    /// # Errors
    /// There is no room for it.
    pub(super) fn hold(&self, bytes: u64) -> Result<(), OutOfMemory> {
        let bytes = if bytes > FREE_BYTES { usize::try_from(bytes).unwrap_or(usize::MAX) } else { 0 };
        let mut held = self.held();
        let Some(held) = held.as_mut() else { return Ok(()) };
        held.shrink_to(bytes);
        let grown = held.grow(bytes - held.bytes());
        self.was_refused.fetch_or(grown.is_err(), Relaxed);
        grown
    }

    /// Whether there was no room for an answer, which the connection has ended with.
    pub(super) fn was_refused(&self) -> bool {
        self.was_refused.load(Relaxed)
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        *self.0.held() = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::{MemoryBudget, Share};

    #[test]
    fn what_is_on_its_way_counts_while_the_account_is_open() {
        let budget = Arc::new(MemoryBudget::new(1 << 20));
        let share = Share::new(Arc::clone(&budget), 1 << 20);
        let account = Arc::new(Account::default());
        account.hold(u64::MAX).unwrap();
        let opened = account.open(Held::nothing(&share));
        account.hold(FREE_BYTES).unwrap();
        assert_eq!(budget.used_bytes(), 0, "that little is nobody's");
        account.hold(1 << 20).unwrap();
        assert_eq!(budget.used_bytes(), 1 << 20);
        account.hold(100_000).unwrap();
        assert_eq!((budget.used_bytes(), account.was_refused()), (100_000, false));
        assert!(account.hold((1 << 20) + 1).is_err());
        assert!(account.hold(u64::MAX).is_err());
        assert!(account.was_refused());
        drop(opened);
        assert_eq!(budget.used_bytes(), 0);
    }
}
