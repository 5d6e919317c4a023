//! The pixels of one macroblock with the neighbours that predict them, in two small planes of fixed shape.
//!
//! Neighbours are always as decoded, before the loop filter: in a key frame the filter's result predicts nothing
//! (RFC 6386, section 15 runs it on the finished frame).

/// Bytes from one row to the next, in both planes.
pub(crate) const STRIDE: usize = 32;
/// Where the luma pixels begin: one row above them, and a column to their left, are neighbours.
pub(crate) const LUMA: usize = STRIDE + 8;
/// Where the U and the V pixels begin, side by side in one plane.
pub(crate) const CHROMA: [usize; 2] = [STRIDE + 8, STRIDE + 24];

/// What lies above the first row, and left of the first column (RFC 6386, section 12.2).
const ABOVE_FRAME: u8 = 127;
const LEFT_OF_FRAME: u8 = 129;

/// The last row of each macroblock of the row above, as decoded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BottomRow {
    pub(crate) luma: [u8; 16],
    pub(crate) chroma: [[u8; 8]; 2],
}

impl BottomRow {
    /// As if above the frame.
    pub(crate) const ABOVE_FRAME: Self = Self { luma: [ABOVE_FRAME; 16], chroma: [[ABOVE_FRAME; 8]; 2] };
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    pub(crate) luma: [u8; 17 * STRIDE],
    pub(crate) chroma: [u8; 9 * STRIDE],
}

impl Workspace {
    pub(crate) const fn new() -> Self {
        Self { luma: [0; 17 * STRIDE], chroma: [0; 9 * STRIDE] }
    }

    /// Sets the neighbours to the left as at the start of a row of macroblocks.
    pub(crate) fn start_row(&mut self, first_row: bool) {
        let corner = if first_row { ABOVE_FRAME } else { LEFT_OF_FRAME };
        let origins = [LUMA, CHROMA[0], CHROMA[1]];
        let planes: [&mut [u8]; 2] = [&mut self.luma, &mut self.chroma];
        for (plane, origins) in planes.into_iter().zip([&origins[..1], &origins[1..]]) {
            for &origin in origins {
                for row in plane[origin - STRIDE - 1..].iter_mut().step_by(STRIDE) {
                    *row = LEFT_OF_FRAME;
                }
                plane[origin - STRIDE - 1] = corner;
            }
        }
    }

    /// Makes the last columns of the macroblock just decoded the neighbours of the one to its right.
    #[inline(always)]
    pub(crate) fn advance(&mut self) {
        for row in 0..17 {
            self.luma[row * STRIDE + 7] = self.luma[row * STRIDE + 7 + 16];
        }
        for row in 0..9 {
            self.chroma[row * STRIDE + 7] = self.chroma[row * STRIDE + 7 + 8];
            self.chroma[row * STRIDE + 23] = self.chroma[row * STRIDE + 23 + 8];
        }
    }

    /// Sets the neighbours above. `above_right` follows them to the right; the blocks of the last column use it in every
    /// row, since what is really there is not decoded yet.
    #[inline(always)]
    pub(crate) fn set_above(&mut self, above: &BottomRow, above_right: [u8; 4]) {
        self.luma[LUMA - STRIDE..LUMA - STRIDE + 16].copy_from_slice(&above.luma);
        for row in [0, 4, 8, 12] {
            let at = LUMA - STRIDE + row * STRIDE + 16;
            self.luma[at..at + 4].copy_from_slice(&above_right);
        }
        for (origin, above) in CHROMA.into_iter().zip(&above.chroma) {
            self.chroma[origin - STRIDE..origin - STRIDE + 8].copy_from_slice(above);
        }
    }

    /// The last rows, for the macroblocks below.
    #[inline(always)]
    pub(crate) fn bottom_row(&self) -> BottomRow {
        let mut bottom = BottomRow::ABOVE_FRAME;
        bottom.luma.copy_from_slice(&self.luma[LUMA + 15 * STRIDE..LUMA + 15 * STRIDE + 16]);
        for (origin, bottom) in CHROMA.into_iter().zip(&mut bottom.chroma) {
            bottom.copy_from_slice(&self.chroma[origin + 7 * STRIDE..origin + 7 * STRIDE + 8]);
        }
        bottom
    }
}
