//! What weighs how much: errors against bits, and time against both.

use crate::encode::trellis::Weights;
use crate::vp8::header::Quantiser;

/// Most modes that are tried out, of ten and of four.
pub(super) const TRIED_SUBBLOCK_MODES: usize = 4;
pub(super) const TRIED_BLOCK_MODES: usize = 2;

/// How many modes have their levels tried out; which ones, an estimate tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Effort {
    /// Of ten, up to [`TRIED_SUBBLOCK_MODES`].
    pub(super) subblock_modes: usize,
    /// Of four, up to [`TRIED_BLOCK_MODES`].
    pub(super) block_modes: usize,
}

/// On which terms macroblocks are coded: the quantiser's steps, and what a bit is worth against an error.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    pub(super) quantiser: Quantiser,
    /// What 1/256 of a bit is worth where modes are compared.
    pub(super) mode_lambda: i64,
    /// The same where levels of luma are.
    pub(super) luma_lambda: i64,
    /// The same for the block of luma's DC coefficients.
    pub(super) dc_lambda: i64,
    /// The same for chroma, modes and levels.
    pub(super) chroma_lambda: i64,
}

/// What an error in a luma or chroma coefficient counts for.
pub(super) const WEIGHTS: Weights = [16; 16];
/// The same in the block of DCs, whose error is spread over 16 blocks.
pub(super) const DC_WEIGHTS: Weights = [4; 16];

impl Terms {
    /// The weights of bits that go with these steps. Found by trial on thumbnails of 100 and 256 pixels, by bytes at equal
    /// SSIMULACRA2: the least squared error would have more than twice as much for luma, at the cost of faint texture and slow
    /// slopes, which the eye misses first, and of the colour of small things.
    pub(super) fn new(quantiser: Quantiser) -> Self {
        let lambda = |step: i32, times: i64| (i64::from(step) * i64::from(step) * times / 16).max(1);
        let (luma, chroma) = (quantiser.luma.ac, quantiser.chroma.ac);
        Self {
            quantiser,
            mode_lambda: lambda(luma, 18),
            luma_lambda: lambda(luma, 18),
            dc_lambda: lambda(luma, 3),
            chroma_lambda: lambda(chroma, 11),
        }
    }
}
