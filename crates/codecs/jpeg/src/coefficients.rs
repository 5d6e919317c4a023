//! What a progressive file's scans add up to: of each block the terms that the scale keeps, and which of all its terms are not
//! zero, for that decides how many bits a refinement takes.

use crate::frame::Component;
use crate::shape::Shape;

/// The blocks of one component, whole MCUs, row-major.
#[derive(Clone, Debug)]
pub(crate) struct Coefficients {
    across: usize,
    /// Terms kept of a block.
    kept: usize,
    terms: Vec<i16>,
    /// One bit per coding index; empty where only DC terms are kept, for then no AC scan is read.
    history: Vec<u64>,
}

impl Coefficients {
    pub(crate) fn new(component: &Component, shape: Shape) -> Self {
        let blocks = component.padded_across * component.padded_down;
        let kept = shape.terms();
        Self {
            across: component.padded_across,
            kept,
            terms: vec![0; blocks * kept],
            history: vec![0; if kept == 1 { 0 } else { blocks }],
        }
    }

    /// What [`Coefficients::new`] allocates.
    pub(crate) fn bytes(component: &Component, shape: Shape) -> u64 {
        let blocks = component.padded_across as u64 * component.padded_down as u64;
        let kept = shape.terms() as u64;
        blocks * (2 * kept + if kept == 1 { 0 } else { 8 })
    }

    /// A block's number.
    #[inline(always)]
    pub(crate) const fn index(&self, row: usize, column: usize) -> usize {
        row * self.across + column
    }

    /// Blocks in a row.
    pub(crate) const fn across(&self) -> usize {
        self.across
    }

    #[inline(always)]
    pub(crate) fn dc_mut(&mut self, index: usize) -> &mut i16 {
        &mut self.terms[index * self.kept]
    }

    /// The kept terms of a block, in the order of [`Shape::layout`].
    #[inline(always)]
    pub(crate) fn terms(&self, index: usize) -> &[i16] {
        &self.terms[index * self.kept..(index + 1) * self.kept]
    }

    /// The kept terms, and the set of all terms of the block that are not zero. Not where only DC terms
    /// are kept.
    #[inline(always)]
    pub(crate) fn block_mut(&mut self, index: usize) -> (&mut [i16], &mut u64) {
        (&mut self.terms[index * self.kept..(index + 1) * self.kept], &mut self.history[index])
    }
}
