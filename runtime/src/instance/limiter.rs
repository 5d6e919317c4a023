//! What guests grow: memories and tables, counted over all those of an instance together.
//!
//! wasmtime asks per memory; a composed component has several, so the sum is kept in the instance's share. Refusing makes `memory.grow`
//! return -1: the guest may deal with it, and if it traps instead, [`Share::refused`] says why.
//!
//! What was granted stays counted, even where it did not come about. wasmtime says so of a growth that failed, but it also says it of one
//! that it has never asked for, because its size overflows: giving back then would let a guest talk itself out of the count.

use std::sync::Arc;

use wasmtime::ResourceLimiter;

use crate::memory::{MemoryBound, Share};

/// A table's element takes a pointer.
const TABLE_ELEMENT_BYTES: usize = size_of::<usize>();

/// Asks an instance's share for what its guest grows.
#[derive(Debug)]
pub struct MemoryLimiter {
    share: Arc<Share>,
    max_table_elements: usize,
}

impl MemoryLimiter {
    /// Of an instance.
    #[must_use]
    pub fn new(share: Arc<Share>, max_table_elements: usize) -> Self {
        Self { share, max_table_elements }
    }

    fn grow(&self, bytes: usize) -> bool {
        self.share.take(bytes).is_ok()
    }

    fn refuse(&self, bound: MemoryBound) -> bool {
        self.share.refuse(bound);
        false
    }
}

impl ResourceLimiter for MemoryLimiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // wasmtime itself would refuse this as a growth that failed, which is somebody else's fault.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(self.refuse(MemoryBound::Instance));
        }
        Ok(self.grow(desired.saturating_sub(current)))
    }

    fn memory_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.refuse(MemoryBound::Shared);
        Ok(())
    }

    fn table_growing(&mut self, current: usize, desired: usize, _: Option<usize>) -> wasmtime::Result<bool> {
        if desired > self.max_table_elements {
            return Ok(self.refuse(MemoryBound::Instance));
        }
        Ok(self.grow(desired.saturating_sub(current).saturating_mul(TABLE_ELEMENT_BYTES)))
    }

    fn table_grow_failed(&mut self, _: wasmtime::Error) -> wasmtime::Result<()> {
        self.refuse(MemoryBound::Shared);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::MemoryBudget;

    fn limiter(share: &Arc<Share>) -> MemoryLimiter {
        MemoryLimiter::new(Arc::clone(share), 10)
    }

    fn share() -> Arc<Share> {
        Share::new(Arc::new(MemoryBudget::new(1_000)), 100)
    }

    #[test]
    fn memories_of_one_instance_count_together() {
        let share = share();
        let mut instance = limiter(&share);
        assert!(instance.memory_growing(0, 60, None).unwrap());
        assert!(instance.memory_growing(0, 40, None).unwrap(), "a second memory");
        assert_eq!(share.refused(), None);
        assert!(!instance.memory_growing(60, 61, None).unwrap());
        assert_eq!((share.refused(), share.used_bytes()), (Some(MemoryBound::Instance), 100));
    }

    #[test]
    fn tables_count_and_have_a_bound_of_their_own() {
        let share = share();
        let mut instance = limiter(&share);
        assert!(instance.table_growing(0, 10, None).unwrap());
        assert_eq!(share.used_bytes(), 80);
        assert!(!instance.table_growing(10, 11, None).unwrap());
        assert_eq!(share.refused(), Some(MemoryBound::Instance));
    }

    #[test]
    fn what_was_granted_stays_counted_though_growing_fails() {
        let share = share();
        let mut instance = limiter(&share);
        for _ in 0..2 {
            assert!(instance.memory_growing(0, 40, None).unwrap());
            // As wasmtime does for a table of 64 bits whose size overflows, without having asked.
            instance.table_grow_failed(wasmtime::Error::msg("overflow")).unwrap();
        }
        assert_eq!((share.used_bytes(), share.refused()), (80, Some(MemoryBound::Shared)));
        assert!(!instance.memory_growing(0, 40, None).unwrap());
    }

    #[test]
    fn a_memory_that_may_be_no_larger_by_its_type_is_the_instances_own_bound() {
        let share = share();
        assert!(!limiter(&share).memory_growing(0, 60, Some(59)).unwrap());
        assert_eq!((share.refused(), share.used_bytes()), (Some(MemoryBound::Instance), 0));
    }

    #[test]
    fn a_hostile_size_does_not_overflow() {
        let share = share();
        let mut instance = limiter(&share);
        assert!(!instance.memory_growing(0, usize::MAX, None).unwrap());
        assert!(!instance.table_growing(0, usize::MAX, None).unwrap());
        assert_eq!(share.used_bytes(), 0);
    }
}
