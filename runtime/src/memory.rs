//! How much memory instances may have: a budget that all share, and each instance's part of it.
//!
//! From its part draws what a guest grows (`instance/limiter.rs`), and what the host holds on its behalf: the values that it hands to a
//! capability and gets from one, and the bodies that it writes. So a bound on an instance is one on the process, not on a sandbox alone.

use std::sync::{
    Arc,
    atomic::{AtomicU8, AtomicUsize, Ordering::Relaxed},
};

use crate::permits::Caller;

/// Which bound an instance came to when it was refused memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemoryBound {
    /// Its own, or that of one of its memories: the same call would come to it again.
    Instance,
    /// What all instances have together, or what the system gives: it depends on who else runs.
    Shared,
}

/// An instance may have no more; which bound says so is known to its [`Share`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this instance may have no more memory")]
pub struct OutOfMemory;

/// What instances have together.
#[derive(Debug)]
pub struct MemoryBudget {
    max_bytes: usize,
    used_bytes: AtomicUsize,
}

impl MemoryBudget {
    /// With nothing used.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, used_bytes: AtomicUsize::new(0) }
    }

    /// What they may have.
    #[must_use]
    pub fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// What instances have at the moment.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.used_bytes.load(Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        take(&self.used_bytes, bytes, self.max_bytes)
    }

    fn give_back(&self, bytes: usize) {
        self.used_bytes.fetch_sub(bytes, Relaxed);
    }
}

/// The budgets of a runtime: messages have one that requests can't use up.
#[derive(Clone, Debug)]
pub struct MemoryBudgets {
    requests: Arc<MemoryBudget>,
    messages: Arc<MemoryBudget>,
}

impl MemoryBudgets {
    /// Out of `total_bytes` together, messages have `for_messages_bytes`, but never more than half.
    #[must_use]
    pub fn split(total_bytes: usize, for_messages_bytes: usize) -> Self {
        let messages = for_messages_bytes.min(total_bytes / 2);
        Self {
            requests: Arc::new(MemoryBudget::new(total_bytes - messages)),
            messages: Arc::new(MemoryBudget::new(messages)),
        }
    }

    /// One for everybody.
    #[must_use]
    pub fn shared(budget: &Arc<MemoryBudget>) -> Self {
        Self { requests: Arc::clone(budget), messages: Arc::clone(budget) }
    }

    /// That of requests.
    #[must_use]
    pub fn requests(&self) -> &MemoryBudget {
        &self.requests
    }

    /// That of messages.
    #[must_use]
    pub fn messages(&self) -> &MemoryBudget {
        &self.messages
    }

    /// The part of an instance that may have `max_bytes`.
    #[must_use]
    pub fn share(&self, caller: Caller, max_bytes: usize) -> Arc<Share> {
        let budget = match caller {
            Caller::Request => &self.requests,
            Caller::Message => &self.messages,
        };
        Share::new(Arc::clone(budget), max_bytes)
    }
}

fn take(used: &AtomicUsize, bytes: usize, max: usize) -> bool {
    let more = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= max);
    used.fetch_update(Relaxed, Relaxed, more).is_ok()
}

/// What one instance has of a budget. Gives it back when dropped.
#[derive(Debug)]
pub struct Share {
    budget: Arc<MemoryBudget>,
    max_bytes: usize,
    used_bytes: AtomicUsize,
    refused: AtomicU8,
}

impl Share {
    /// For an instance that may have `max_bytes` of a budget.
    #[must_use]
    pub fn new(budget: Arc<MemoryBudget>, max_bytes: usize) -> Arc<Self> {
        Arc::new(Self { budget, max_bytes, used_bytes: AtomicUsize::new(0), refused: AtomicU8::new(0) })
    }

    /// What the instance has.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.used_bytes.load(Relaxed)
    }

    /// Which bound refused it memory, if one did; the last one, of several.
    #[must_use]
    pub fn refused(&self) -> Option<MemoryBound> {
        match self.refused.load(Relaxed) {
            0 => None,
            1 => Some(MemoryBound::Instance),
            _ => Some(MemoryBound::Shared),
        }
    }

    /// Remembers that the instance did not get what it wanted.
    pub(crate) fn refuse(&self, bound: MemoryBound) -> OutOfMemory {
        self.refused.store(if bound == MemoryBound::Instance { 1 } else { 2 }, Relaxed);
        OutOfMemory
    }

    /// Takes so much for good: until the instance ends.
    ///
    /// # Errors
    /// A bound is in the way; nothing was taken.
    pub fn take(&self, bytes: usize) -> Result<(), OutOfMemory> {
        self.take_if_there(bytes).map_err(|bound| self.refuse(bound))
    }

    fn take_if_there(&self, bytes: usize) -> Result<(), MemoryBound> {
        if !take(&self.used_bytes, bytes, self.max_bytes) {
            return Err(MemoryBound::Instance);
        }
        if !self.budget.take(bytes) {
            self.used_bytes.fetch_sub(bytes, Relaxed);
            return Err(MemoryBound::Shared);
        }
        Ok(())
    }

    fn give_back(&self, bytes: usize) {
        self.used_bytes.fetch_sub(bytes, Relaxed);
        self.budget.give_back(bytes);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.budget.give_back(self.used_bytes());
    }
}

/// What the host holds for an instance for a while. Gives it back when dropped.
#[derive(Debug)]
pub struct Held {
    share: Arc<Share>,
    bytes: usize,
}

impl Held {
    /// Nothing yet.
    #[must_use]
    pub fn nothing(share: &Arc<Share>) -> Self {
        Self { share: Arc::clone(share), bytes: 0 }
    }

    /// For something else of the same instance: nothing yet.
    #[must_use]
    pub fn beside(&self) -> Self {
        Self::nothing(&self.share)
    }

    /// Takes so much more.
    ///
    /// # Errors
    /// A bound is in the way; what was held before still is.
    pub fn grow(&mut self, bytes: usize) -> Result<(), OutOfMemory> {
        self.share.take(bytes)?;
        self.bytes += bytes;
        Ok(())
    }

    /// Takes so much more if it is there; who asks can do with less.
    #[must_use]
    pub fn grow_if_there(&mut self, bytes: usize) -> bool {
        let is_there = self.share.take_if_there(bytes).is_ok();
        self.bytes += if is_there { bytes } else { 0 };
        is_there
    }

    /// What is held.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Gives back what is held above this.
    pub fn shrink_to(&mut self, bytes: usize) {
        self.share.give_back(self.bytes.saturating_sub(bytes));
        self.bytes = self.bytes.min(bytes);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.share.give_back(self.bytes);
    }
}

/// What the values of an instance's calls take, while the host works on them: until it hands them over, and they are the guest's own.
#[derive(Debug)]
pub struct CallMemory {
    share: Arc<Share>,
}

impl CallMemory {
    /// Of an instance.
    #[must_use]
    pub fn new(share: &Arc<Share>) -> Self {
        Self { share: Arc::clone(share) }
    }

    /// Of an instance that may have so much and is alone.
    #[cfg(test)]
    pub(crate) fn of_test(max_bytes: usize) -> Self {
        Self::new(&Share::new(Arc::new(MemoryBudget::new(max_bytes)), max_bytes))
    }

    /// Begins a call, which the guest has handed so much.
    ///
    /// # Errors
    /// A bound is in the way.
    pub fn call(&self, handed_bytes: usize) -> Result<Held, OutOfMemory> {
        let mut held = Held::nothing(&self.share);
        held.grow(handed_bytes)?;
        Ok(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(max_bytes: usize) -> Arc<MemoryBudget> {
        Arc::new(MemoryBudget::new(max_bytes))
    }

    #[test]
    fn instances_share_the_budget_and_give_back() {
        let budget = budget(150);
        let (first, second) = (Share::new(Arc::clone(&budget), 100), Share::new(Arc::clone(&budget), 100));
        first.take(100).unwrap();
        assert_eq!(second.take(100), Err(OutOfMemory));
        assert_eq!(second.refused(), Some(MemoryBound::Shared), "alone it would have got it");
        assert_eq!(first.take(1), Err(OutOfMemory));
        assert_eq!(first.refused(), Some(MemoryBound::Instance));
        drop(first);
        second.take(100).unwrap();
        drop(second);
        assert_eq!(budget.used_bytes(), 0);
    }

    #[test]
    fn messages_have_memory_that_requests_do_not_take() {
        let budgets = MemoryBudgets::split(100, 30);
        let (request, message) = (budgets.share(Caller::Request, 100), budgets.share(Caller::Message, 100));
        assert_eq!(request.take(71), Err(OutOfMemory));
        request.take(70).unwrap();
        message.take(30).unwrap();
        let half = MemoryBudgets::split(100, 1_000);
        half.share(Caller::Request, 100).take(50).unwrap();
    }

    #[test]
    fn what_a_call_takes_counts_until_its_end() {
        let budget = budget(1_000);
        let share = Share::new(Arc::clone(&budget), 100);
        share.take(40).unwrap();
        let calls = CallMemory::new(&share);
        let mut held = calls.call(20).unwrap();
        held.grow(40).unwrap();
        assert!(!held.grow_if_there(1));
        assert_eq!(share.refused(), None, "it can do with less");
        assert_eq!(held.grow(1), Err(OutOfMemory));
        held.shrink_to(30);
        assert_eq!((share.used_bytes(), budget.used_bytes()), (70, 70));
        drop(held);
        assert!(calls.call(61).is_err());
        assert_eq!(share.used_bytes(), 40);
        drop((calls, share));
        assert_eq!(budget.used_bytes(), 0);
    }

    #[test]
    fn a_hostile_size_does_not_overflow() {
        let share = Share::new(budget(usize::MAX), usize::MAX);
        share.take(1).unwrap();
        assert_eq!(share.take(usize::MAX), Err(OutOfMemory));
    }
}
