//! The coefficients of a macroblock (RFC 6386, section 13), dequantised as they are read (section 14.1).

use crate::vp8::{
    bool_decoder::BoolDecoder,
    header::{PositionProbs, Quantiser, Steps},
    tables::{TOKEN_PROBS, ZIGZAG},
    transform::{Block, inverse_walsh_hadamard},
};

/// Block types, as the probabilities count them.
const LUMA_WITHOUT_DC: usize = 0;
const LUMA_DC: usize = 1;
const CHROMA: usize = 2;
const LUMA_WITH_DC: usize = 3;

/// What of a block's 16 coefficients is not 0, in as much as a cheaper inverse transform follows from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Content {
    /// Nothing.
    #[default]
    Empty,
    /// At most the DC coefficient.
    Dc,
    /// Anything.
    Any,
}

/// The residual of one macroblock.
///
/// Invariant between macroblocks: a block that is [`Content::Empty`] holds zeros.
#[derive(Clone, Debug)]
pub(crate) struct Residual {
    /// 16 blocks of luma, 4 of U, 4 of V.
    pub(crate) blocks: [Block; 24],
    pub(crate) content: [Content; 24],
}

impl Default for Residual {
    fn default() -> Self {
        Self { blocks: [[0; 16]; 24], content: [Content::Empty; 24] }
    }
}

/// For each column (or row) of blocks along an edge, whether the last block there had coefficients (1) or not (0): 4 of
/// luma, 2 of U, 2 of V, and the one of luma DCs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct EdgeContext {
    luma: [u8; 4],
    chroma: [[u8; 2]; 2],
    luma_dc: u8,
}

impl EdgeContext {
    /// After a macroblock without coefficients. The luma DC context stays where the macroblock has no such block.
    pub(crate) const fn clear(&mut self, had_luma_dc: bool) {
        self.luma = [0; 4];
        self.chroma = [[0; 2]; 2];
        if had_luma_dc {
            self.luma_dc = 0;
        }
    }
}

/// The extra bits of the six large categories, and the smallest value of each (RFC 6386, section 13.2).
const CATEGORY_3: [u8; 3] = [173, 148, 140];
const CATEGORY_4: [u8; 4] = [176, 155, 140, 135];
const CATEGORY_5: [u8; 5] = [180, 157, 141, 134, 130];
const CATEGORY_6: [u8; 11] = [254, 254, 243, 230, 196, 177, 153, 140, 133, 130, 129];

#[inline(always)]
fn extra_bits<const N: usize>(bits: &mut BoolDecoder<'_>, smallest: i32, probs: [u8; N]) -> i32 {
    smallest + probs.iter().fold(0, |extra, &prob| (extra << 1) | i32::from(bits.bit(prob)))
}

/// The magnitude of a coefficient that is known to be above 1.
#[inline(always)]
fn large_magnitude(bits: &mut BoolDecoder<'_>, probs: &[u8; TOKEN_PROBS]) -> i32 {
    if !bits.bit(probs[3]) {
        if !bits.bit(probs[4]) { 2 } else { 3 + i32::from(bits.bit(probs[5])) }
    } else if !bits.bit(probs[6]) {
        if !bits.bit(probs[7]) { 5 + i32::from(bits.bit(159)) } else { extra_bits(bits, 7, [165, 145]) }
    } else if !bits.bit(probs[8]) {
        if !bits.bit(probs[9]) { extra_bits(bits, 11, CATEGORY_3) } else { extra_bits(bits, 19, CATEGORY_4) }
    } else if !bits.bit(probs[10]) {
        extra_bits(bits, 35, CATEGORY_5)
    } else {
        extra_bits(bits, 67, CATEGORY_6)
    }
}

/// Reads one block from scan position `first` on, into zeros; returns the position after the last coefficient that is not
/// zero.
#[inline(always)]
fn read_block(
    bits: &mut BoolDecoder<'_>,
    probs: &PositionProbs,
    context: u8,
    first: usize,
    steps: Steps,
    block: &mut Block,
) -> usize {
    let mut position = first;
    let mut here = &probs[position][usize::from(context)];
    while bits.bit(here[0]) {
        while !bits.bit(here[1]) {
            position += 1;
            if position == 16 {
                return 16;
            }
            here = &probs[position][0];
        }
        let (magnitude, next) = if bits.bit(here[2]) { (large_magnitude(bits, here), 2) } else { (1, 1) };
        let value = if bits.flag() { -magnitude } else { magnitude };
        let step = if position == 0 { steps.dc } else { steps.ac };
        // The product of what an encoder may write fits; a hostile one wraps, as it does in every decoder of 16 bits.
        block[usize::from(ZIGZAG[position])] = (value * step) as i16;
        position += 1;
        if position == 16 {
            return 16;
        }
        here = &probs[position][next];
    }
    position
}

impl Residual {
    /// Reads all blocks of one macroblock. `whole_luma`: luma is predicted in one piece, so its DC coefficients come in a
    /// block of their own. Returns whether there is any coefficient that is not zero.
    pub(crate) fn read(
        &mut self,
        partition: &mut BoolDecoder<'_>,
        probs: &[PositionProbs; 4],
        quantiser: &Quantiser,
        whole_luma: bool,
        above: &mut EdgeContext,
        left: &mut EdgeContext,
    ) -> bool {
        let mut bits = *partition;
        let (luma_probs, first) = if whole_luma {
            let context = above.luma_dc + left.luma_dc;
            let mut dcs = [0; 16];
            let end = read_block(&mut bits, &probs[LUMA_DC], context, 0, quantiser.luma_dc, &mut dcs);
            (above.luma_dc, left.luma_dc) = (u8::from(end > 0), u8::from(end > 0));
            if end > 0 {
                for (block, dc) in self.blocks.iter_mut().zip(inverse_walsh_hadamard(&dcs)) {
                    block[0] = dc;
                }
            }
            (&probs[LUMA_WITHOUT_DC], 1)
        } else {
            (&probs[LUMA_WITH_DC], 0)
        };
        let mut any = false;
        let mut content_of = |block: &Block, end: usize| {
            let content = match end {
                2.. => Content::Any,
                _ if block[0] != 0 => Content::Dc,
                _ => Content::Empty,
            };
            any |= content != Content::Empty;
            content
        };

        // Row by row; what is left of a block and above it moves along.
        let (luma, chroma) = self.blocks.split_at_mut(16);
        let (luma_content, chroma_content) = self.content.split_at_mut(16);
        for (at, (block, content)) in luma.iter_mut().zip(luma_content).enumerate() {
            let (above, left) = (&mut above.luma[at % 4], &mut left.luma[at / 4]);
            let end = read_block(&mut bits, luma_probs, *above + *left, first, quantiser.luma, block);
            (*above, *left) = (u8::from(end > first), u8::from(end > first));
            *content = content_of(block, end);
        }
        for (at, (block, content)) in chroma.iter_mut().zip(chroma_content).enumerate() {
            let (above, left) = (&mut above.chroma[at / 4][at % 2], &mut left.chroma[at / 4][at / 2 % 2]);
            let end = read_block(&mut bits, &probs[CHROMA], *above + *left, 0, quantiser.chroma, block);
            (*above, *left) = (u8::from(end > 0), u8::from(end > 0));
            *content = content_of(block, end);
        }
        *partition = bits;
        any
    }
}
