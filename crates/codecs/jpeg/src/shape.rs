//! How many samples become of a block of each component at each scale.
//!
//! A component that is stored at a half or a quarter of the picture's resolution is decoded at two or four times the scale, as far as
//! its blocks hold so many samples: then it needs no interpolation and loses no detail.

use crate::frame::{Component, Frame};
use crate::scale::Scale;
use crate::zigzag;

/// Samples of a block, across and down: each 1, 2, 4 or 8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    pub(crate) across: usize,
    pub(crate) down: usize,
}

impl Shape {
    /// Of a component of `frame`.
    pub(crate) fn of(frame: &Frame, component: &Component, scale: Scale) -> Self {
        let side = scale.block_side() as usize;
        let enlarged = |whole: usize, part: usize| {
            let factor = [4, 2, 1]
                .into_iter()
                .find(|factor| whole.is_multiple_of(part * factor) && side * factor <= 8);
            side * factor.unwrap_or(1)
        };
        Self { across: enlarged(frame.h_max, component.h), down: enlarged(frame.v_max, component.v) }
    }

    /// The coding indices of the terms that are needed, as a bit set.
    pub(crate) const fn kept(self) -> u64 {
        let mut set = 0;
        let mut k = 0;
        while k < 64 {
            let (row, column) = zigzag::place(k);
            if row < self.down && column < self.across {
                set |= 1 << k;
            }
            k += 1;
        }
        set
    }

    /// The last coding index that is needed, 0 to 63.
    pub(crate) const fn last(self) -> u32 {
        63 - self.kept().leading_zeros()
    }

    /// How many those are.
    pub(crate) const fn terms(self) -> usize {
        self.across * self.down
    }

    /// For each coding index, where its term lies in the block that the inverse DCT takes: row-major, but column-major for 4x4
    /// (its transform then needs one transposition less). Terms that are not needed go to the end, where a transform that does
    /// not need all terms never looks.
    pub(crate) const fn layout(self) -> [u8; 64] {
        let mut positions = [63; 64];
        let mut k = 0;
        while k < 64 {
            let (row, column) = zigzag::place(k);
            if row < self.down && column < self.across {
                let transposed = self.across == 4 && self.down == 4;
                positions[k] =
                    if transposed { column * self.down + row } else { row * self.across + column } as u8;
            }
            k += 1;
        }
        positions
    }
}

#[cfg(test)]
mod tests {
    use super::Shape;
    use crate::frame::{Frame, Process};
    use crate::scale::Scale;
    use crate::zigzag::NATURAL;

    fn all() -> impl Iterator<Item = Shape> {
        [1, 2, 4, 8].into_iter().flat_map(|across| [1, 2, 4, 8].map(|down| Shape { across, down }))
    }

    #[test]
    fn layouts_are_dense() {
        for shape in all() {
            let mut places: Vec<u8> =
                (0..64).filter(|k| shape.kept() >> k & 1 == 1).map(|k| shape.layout()[k]).collect();
            places.sort_unstable();
            assert!(places.iter().copied().eq(0..shape.terms() as u8));
        }
        assert_eq!(Shape { across: 8, down: 8 }.layout(), NATURAL);
    }

    #[test]
    fn the_last_term_needed_is_early_in_coding_order() {
        let last = [(1, 1), (2, 1), (1, 2), (2, 2), (4, 2), (4, 4), (8, 8)];
        let last = last.map(|(across, down)| Shape { across, down }.last());
        assert_eq!(last, [0, 1, 2, 4, 13, 24, 63]);
    }

    #[test]
    fn coarse_components_are_decoded_at_a_larger_scale() {
        let shapes = |sampling: u8, scale: Scale| {
            let payload = [8, 0, 64, 0, 64, 3, 1, sampling, 0, 2, 0x11, 0, 3, 0x11, 0];
            let frame = Frame::parse(Process::Sequential, &payload).unwrap();
            let shape = |index: usize| {
                let shape = Shape::of(&frame, &frame.components[index], scale);
                (shape.across, shape.down)
            };
            (shape(0), shape(1))
        };
        assert_eq!(shapes(0x22, Scale::Eighth), ((1, 1), (2, 2)));
        assert_eq!(shapes(0x21, Scale::Eighth), ((1, 1), (2, 1)));
        assert_eq!(shapes(0x12, Scale::Eighth), ((1, 1), (1, 2)));
        assert_eq!(shapes(0x41, Scale::Eighth), ((1, 1), (4, 1)));
        assert_eq!(shapes(0x41, Scale::Half), ((4, 4), (8, 4)));
        assert_eq!(shapes(0x31, Scale::Half), ((4, 4), (4, 4)));
        assert_eq!(shapes(0x22, Scale::Half), ((4, 4), (8, 8)));
        assert_eq!(shapes(0x21, Scale::Half), ((4, 4), (8, 4)));
        assert_eq!(shapes(0x22, Scale::Full), ((8, 8), (8, 8)));
    }
}
