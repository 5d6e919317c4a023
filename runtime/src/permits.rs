//! Places that are counted, a few of which are kept for messages: requests may come in any number, and what they wait for is mostly what
//! messages do.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore, TryAcquireError};

/// On whose behalf something is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Caller {
    /// A request's instance.
    Request,
    /// A message's instance, or the host itself.
    Message,
}

/// So many places, some of which no request takes.
#[derive(Debug)]
pub(crate) struct Permits {
    max: usize,
    all: Arc<Semaphore>,
    for_requests: Arc<Semaphore>,
}

/// One place. Free again when dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    _one_of_all: OwnedSemaphorePermit,
    _one_of_requests: Option<OwnedSemaphorePermit>,
}

impl Permits {
    /// `max` places, of which `reserved` are for messages alone, but never more than a quarter.
    pub(crate) fn new(max: usize, reserved: usize) -> Self {
        let for_requests = max - reserved.min(max / 4);
        Self { max, all: Arc::new(Semaphore::new(max)), for_requests: Arc::new(Semaphore::new(for_requests)) }
    }

    /// A place, if one is free.
    pub(crate) fn try_acquire(&self, caller: Caller) -> Result<Permit, TryAcquireError> {
        let one_of_requests = match caller {
            Caller::Request => Some(Arc::clone(&self.for_requests).try_acquire_owned()?),
            Caller::Message => None,
        };
        let one_of_all = Arc::clone(&self.all).try_acquire_owned()?;
        Ok(Permit { _one_of_all: one_of_all, _one_of_requests: one_of_requests })
    }

    /// A place, once one is free; first come, first served. None where there will be none.
    pub(crate) async fn acquire(&self, caller: Caller) -> Option<Permit> {
        // In this order: a request that waits for the second has one of those that requests may take, so it is in no message's way.
        let one_of_requests = match caller {
            Caller::Request => Some(Arc::clone(&self.for_requests).acquire_owned().await.ok()?),
            Caller::Message => None,
        };
        let one_of_all = Arc::clone(&self.all).acquire_owned().await.ok()?;
        Some(Permit { _one_of_all: one_of_all, _one_of_requests: one_of_requests })
    }

    /// How many there are.
    pub(crate) fn max(&self) -> usize {
        self.max
    }

    /// How many are taken.
    pub(crate) fn taken(&self) -> usize {
        self.max.saturating_sub(self.free())
    }

    /// How many are free, for whomever.
    pub(crate) fn free(&self) -> usize {
        self.all.available_permits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_leave_some_places_to_messages() {
        let permits = Permits::new(8, 2);
        let taken: Vec<_> = std::iter::from_fn(|| permits.try_acquire(Caller::Request).ok()).collect();
        assert_eq!((taken.len(), permits.free()), (6, 2));
        let reserved: Vec<_> = std::iter::from_fn(|| permits.try_acquire(Caller::Message).ok()).collect();
        assert_eq!((reserved.len(), permits.free()), (2, 0));
        drop(taken);
        assert!(permits.try_acquire(Caller::Message).is_ok(), "messages may take all");
    }

    #[test]
    fn a_few_places_are_all_for_everybody() {
        let permits = Permits::new(3, 2);
        let taken: Vec<_> = std::iter::from_fn(|| permits.try_acquire(Caller::Request).ok()).collect();
        assert_eq!(taken.len(), 3);
    }
}
