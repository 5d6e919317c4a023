//! A macroblock as it is written: its modes and levels, and the contexts that its neighbours' levels make.

use crate::encode::tokens::{CHROMA, LUMA_DC, LUMA_WITH_DC, LUMA_WITHOUT_DC, Levels, Sink, walk};
use crate::vp8::modes::{BlockMode, LumaMode};

/// Blocks of luma, of U and V, and the one of luma's DC coefficients.
pub(super) const BLOCKS: usize = 25;
/// Where the blocks of U and V begin.
pub(super) const FIRST_CHROMA: usize = 16;
/// The block of luma's DC coefficients.
pub(super) const DC_BLOCK: usize = 24;

/// One macroblock.
#[derive(Clone, Debug)]
pub(super) struct Macroblock {
    pub(super) luma: LumaMode,
    pub(super) chroma: BlockMode,
    pub(super) levels: [Levels; BLOCKS],
    /// Some level is not 0.
    pub(super) any: bool,
}

/// For each column (or row) of blocks along an edge, whether the last block there had levels (1) or not (0).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Edge {
    pub(super) luma: [u8; 4],
    pub(super) chroma: [[u8; 2]; 2],
    pub(super) luma_dc: u8,
}

impl Edge {
    /// After a macroblock without levels. The context of luma's DCs stays where it has no such block.
    pub(super) fn clear(&mut self, had_luma_dc: bool) {
        *self = Self { luma_dc: if had_luma_dc { 0 } else { self.luma_dc }, ..Self::default() };
    }
}

impl Macroblock {
    /// Luma is predicted in one piece, so its DC coefficients have a block of their own.
    pub(super) const fn whole_luma(&self) -> bool {
        matches!(self.luma, LumaMode::Whole(_))
    }

    /// Hands all tokens to `sink`.
    fn walk(&self, sink: &mut impl Sink, above: &mut Edge, left: &mut Edge) {
        if !self.any {
            above.clear(self.whole_luma());
            left.clear(self.whole_luma());
            return;
        }
        let mut put = |kind: usize, first: usize, levels: &Levels, above: &mut u8, left: &mut u8| {
            let any = walk(sink, kind, usize::from(*above + *left), first, levels);
            (*above, *left) = (u8::from(any), u8::from(any));
        };
        let (kind, first) = if self.whole_luma() {
            put(LUMA_DC, 0, &self.levels[DC_BLOCK], &mut above.luma_dc, &mut left.luma_dc);
            (LUMA_WITHOUT_DC, 1)
        } else {
            (LUMA_WITH_DC, 0)
        };
        for (at, levels) in self.levels[..FIRST_CHROMA].iter().enumerate() {
            put(kind, first, levels, &mut above.luma[at % 4], &mut left.luma[at / 4]);
        }
        for (at, levels) in self.levels[FIRST_CHROMA..DC_BLOCK].iter().enumerate() {
            put(CHROMA, 0, levels, &mut above.chroma[at / 4][at % 2], &mut left.chroma[at / 4][at / 2 % 2]);
        }
    }
}

/// Hands the tokens of a frame to `sink`, whose rows have `columns` macroblocks.
pub(super) fn walk_frame(macroblocks: &[Macroblock], columns: usize, sink: &mut impl Sink) {
    let mut above = vec![Edge::default(); columns];
    for row in macroblocks.chunks(columns) {
        walk_row(row, &mut above, sink);
    }
}

/// The same of one row. `above`: the edges of the row above it, and then its own.
pub(super) fn walk_row(row: &[Macroblock], above: &mut [Edge], sink: &mut impl Sink) {
    let mut left = Edge::default();
    for (macroblock, above) in row.iter().zip(above) {
        macroblock.walk(sink, above, &mut left);
    }
}
