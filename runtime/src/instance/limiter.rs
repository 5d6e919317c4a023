//! How much memory one instance may have, counted over all its memories and tables together, and how much all have together.
//!
//! wasmtime asks per memory; a composed component has several, so the sum is kept here. Refusing makes `memory.grow` return -1: the guest
//! may deal with it, and if it traps instead, [`MemoryLimiter::refused`] says why.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use wasmtime::ResourceLimiter;

/// A table's element takes a pointer.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// What all instances of a runtime have together.
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

    /// What instances have at the moment.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.used_bytes.load(Ordering::Relaxed)
    }

    fn take(&self, bytes: usize) -> bool {
        self.used_bytes
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
                used.checked_add(bytes).filter(|sum| *sum <= self.max_bytes)
            })
            .is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.used_bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// What one instance has. Gives it back to the budget when dropped.
#[derive(Debug)]
pub struct MemoryLimiter {
    budget: Arc<MemoryBudget>,
    max_bytes: usize,
    max_table_elements: usize,
    used_bytes: usize,
    last_grown_bytes: usize,
    refused: bool,
}

impl MemoryLimiter {
    /// For an instance that may have `max_bytes` of a budget.
    #[must_use]
    pub fn new(budget: Arc<MemoryBudget>, max_bytes: usize, max_table_elements: usize) -> Self {
        Self { budget, max_bytes, max_table_elements, used_bytes: 0, last_grown_bytes: 0, refused: false }
    }

    /// Whether the instance was ever refused memory.
    #[must_use]
    pub fn refused(&self) -> bool {
        self.refused
    }

    /// What the instance has, which is the most it ever had: memories never shrink.
    #[must_use]
    pub fn used_bytes(&self) -> usize {
        self.used_bytes
    }

    fn grow(&mut self, bytes: usize) -> bool {
        let fits = self.used_bytes.checked_add(bytes).is_some_and(|sum| sum <= self.max_bytes);
        if fits && self.budget.take(bytes) {
            self.used_bytes += bytes;
            self.last_grown_bytes = bytes;
            true
        } else {
            self.refused = true;
            false
        }
    }

    /// What was granted last did not come about after all.
    fn undo(&mut self) {
        let bytes = std::mem::take(&mut self.last_grown_bytes);
        self.used_bytes -= bytes;
        self.budget.give_back(bytes);
        self.refused = true;
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        Ok(self.grow(desired.saturating_sub(current)))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.undo();
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.max_table_elements {
            self.refused = true;
            return Ok(false);
        }
        Ok(self.grow(desired.saturating_sub(current).saturating_mul(TABLE_ELEMENT_BYTES)))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.undo();
        Ok(())
    }
}

impl Drop for MemoryLimiter {
    fn drop(&mut self) {
        self.budget.give_back(self.used_bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(budget: &Arc<MemoryBudget>) -> MemoryLimiter {
        MemoryLimiter::new(Arc::clone(budget), 100, 10)
    }

    #[test]
    fn memories_of_one_instance_count_together() {
        let budget = Arc::new(MemoryBudget::new(1_000));
        let mut instance = limiter(&budget);
        assert!(instance.memory_growing(0, 60, None).unwrap());
        assert!(instance.memory_growing(0, 40, None).unwrap(), "a second memory");
        assert!(!instance.refused());
        assert!(!instance.memory_growing(60, 61, None).unwrap());
        assert!(instance.refused());
        assert_eq!((instance.used_bytes(), budget.used_bytes()), (100, 100));
    }

    #[test]
    fn instances_share_the_budget_and_give_back() {
        let budget = Arc::new(MemoryBudget::new(150));
        let mut first = limiter(&budget);
        let mut second = limiter(&budget);
        assert!(first.memory_growing(0, 100, None).unwrap());
        assert!(!second.memory_growing(0, 100, None).unwrap());
        drop(first);
        assert!(second.memory_growing(0, 100, None).unwrap());
        drop(second);
        assert_eq!(budget.used_bytes(), 0);
    }

    #[test]
    fn tables_count_and_have_a_bound_of_their_own() {
        let budget = Arc::new(MemoryBudget::new(1_000));
        let mut instance = limiter(&budget);
        assert!(instance.table_growing(0, 10, None).unwrap());
        assert_eq!(instance.used_bytes(), 80);
        assert!(!instance.table_growing(10, 11, None).unwrap());
    }

    #[test]
    fn memory_that_the_system_did_not_give_is_not_counted() {
        let budget = Arc::new(MemoryBudget::new(1_000));
        let mut instance = limiter(&budget);
        assert!(instance.memory_growing(0, 50, None).unwrap());
        instance.memory_grow_failed(wasmtime::Error::msg("no memory")).unwrap();
        assert_eq!((instance.used_bytes(), budget.used_bytes()), (0, 0));
        assert!(instance.refused());
    }

    #[test]
    fn a_hostile_size_does_not_overflow() {
        let budget = Arc::new(MemoryBudget::new(usize::MAX));
        let mut instance = MemoryLimiter::new(budget, usize::MAX, usize::MAX);
        assert!(instance.memory_growing(0, 1, None).unwrap());
        assert!(
            !instance.memory_growing(1, usize::MAX, None).unwrap() || instance.used_bytes() == usize::MAX
        );
        assert!(!instance.memory_growing(0, usize::MAX, None).unwrap());
        assert!(!instance.table_growing(0, usize::MAX, None).unwrap());
    }
}
