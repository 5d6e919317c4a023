//! A first choice among modes, by an estimate that needs no levels.

use crate::vp8::transform::Block;

/// The sum of all magnitudes: what a block will cost, roughly.
#[inline]
pub(super) fn magnitude(block: &Block) -> u32 {
    block.iter().map(|&coefficient| u32::from(coefficient.unsigned_abs())).sum()
}

/// The `N` best of what is offered, by an estimate; of equal ones those that came first.
pub(super) struct Candidates<T, const N: usize>([Option<(u32, usize, T)>; N]);

impl<T, const N: usize> Candidates<T, N> {
    pub(super) fn new() -> Self {
        Self(std::array::from_fn(|_| None))
    }

    pub(super) fn offer(&mut self, estimate: u32, number: usize, what: T) {
        let mut held = Some((estimate, number, what));
        for slot in &mut self.0 {
            if slot.as_ref().is_none_or(|slot| held.as_ref().is_some_and(|held| held.0 < slot.0)) {
                std::mem::swap(slot, &mut held);
            }
            if held.is_none() {
                break;
            }
        }
    }

    pub(super) fn take(self) -> impl Iterator<Item = (usize, T)> {
        self.0.into_iter().flatten().map(|(_, number, what)| (number, what))
    }
}
