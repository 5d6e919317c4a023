//! Which source pixels matter along one axis, and into how many they turn.

use std::num::NonZeroU32;

use crate::plan::Span;

/// A cell is at most this many pixels long: a sum over a cell of 256 x 256 samples fits 32 bits, even where a sample is a
/// product of two bytes or has 16 bits. Sources for which that is not enough leave more to the Lanczos weights.
const MAX_CELL: u32 = 256;

/// A box shrink never goes below this many cells to one wanted pixel: from there on Lanczos hides what it did.
const MIN_CELLS_PER_PIXEL: f64 = 2.0;

/// One axis of the work.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Axis {
    /// The first source pixel that is read.
    pub(crate) first: u32,
    /// The source pixel after the last that is read.
    pub(crate) end: u32,
    /// Pixels that are averaged into one cell; the last cell may have fewer.
    pub(crate) cell: u32,
    /// What is kept, in cells from `first`.
    pub(crate) span: Span,
    /// Pixels wanted.
    pub(crate) wanted: u32,
}

impl Axis {
    /// For `span` of `side` pixels to become `wanted` pixels; neither is 0. A decoder that reduced by `scale` brings `side`
    /// after, the span from before that.
    pub(crate) fn new(span: Span, scale: u32, side: u32, wanted: u32) -> Self {
        let scale = f64::from(scale);
        let (start, length) = (span.start / scale, span.length / scale);
        let first = whole(start.floor()).min(side - 1);
        let end = whole((start + length).ceil()).clamp(first + 1, side);
        let cell = cell(length / f64::from(wanted)).get();
        // The last cell is filled from beyond the span if there is something.
        let end = (first + (end - first).div_ceil(cell) * cell).min(side);
        let (cells_start, cells_length) =
            ((start - f64::from(first)) / f64::from(cell), length / f64::from(cell));
        Self { first, end, cell, span: Span { start: cells_start, length: cells_length }, wanted }
    }

    pub(crate) const fn cells(&self) -> u32 {
        (self.end - self.first).div_ceil(self.cell)
    }
}

/// How many pixels may be averaged where `reduction` become one.
pub(crate) fn cell(reduction: f64) -> NonZeroU32 {
    let cell = whole(reduction / MIN_CELLS_PER_PIXEL).min(MAX_CELL);
    NonZeroU32::new(cell).unwrap_or(NonZeroU32::MIN)
}

fn whole(value: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "casts of floats saturate")]
    let whole = value as u32;
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(start: f64, length: f64, scale: u32, side: u32, wanted: u32) -> Axis {
        Axis::new(Span { start, length }, scale, side, wanted)
    }

    #[test]
    fn cells_leave_at_least_twice_the_wanted_size() {
        for (side, wanted, cell) in
            [(100, 100, 1), (399, 100, 1), (400, 100, 2), (4000, 100, 20), (16384, 1, 256)]
        {
            let axis = axis(0.0, f64::from(side), 1, side, wanted);
            assert_eq!(axis.cell, cell, "{side} to {wanted}");
            assert_eq!((axis.first, axis.end), (0, side));
        }
    }

    #[test]
    fn only_the_span_is_read_and_the_last_cell_filled_up() {
        let inner = axis(500.0, 3001.0, 1, 4000, 100);
        assert_eq!((inner.first, inner.cell, inner.cells()), (500, 15, 201));
        assert_eq!(inner.end, 500 + 201 * 15);
        let at_the_edge = axis(999.0, 3001.0, 1, 4000, 100);
        assert_eq!((at_the_edge.end, at_the_edge.cells()), (4000, 201));
    }

    #[test]
    fn a_decoder_that_reduced_gets_the_span_divided() {
        let eighth = axis(500.0, 3000.0, 8, 500, 100);
        assert_eq!((eighth.first, eighth.end, eighth.cell), (62, 438, 1));
        assert_eq!(eighth.span, Span { start: 0.5, length: 375.0 });
    }

    #[test]
    fn half_pixels_are_kept() {
        let small = axis(1.5, 7.0, 1, 10, 100);
        assert_eq!((small.first, small.end), (1, 9));
        assert_eq!(small.span, Span { start: 0.5, length: 7.0 });
    }
}
