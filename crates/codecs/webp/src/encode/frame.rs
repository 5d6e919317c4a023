//! A whole key frame: the passes over it, its header, and its two partitions.

use crate::encode::bool_encoder::BoolEncoder;
use crate::encode::cost::TokenCosts;
use crate::encode::macroblock::{Edge, Macroblock, walk_frame, walk_row};
use crate::encode::planes::Planes;
use crate::encode::probabilities::{self, Counts, TokenWriter, probability};
use crate::encode::quantiser::{Deltas, index_of, quantiser};
use crate::encode::search::Search;
use crate::encode::terms::{Effort, Terms};
use crate::encode::{EncodeError, Pixels, filter, modes};
use crate::vp8::modes::EdgeModes;
use crate::vp8::tables::{CoefficientProbs, DEFAULT_COEFFICIENT_PROBS};

/// The passes over a frame: a quick one finds what symbols cost, the last one decides.
const PASSES: [Effort; 2] =
    [Effort { subblock_modes: 1, block_modes: 1 }, Effort { subblock_modes: 4, block_modes: 2 }];

/// Frames of more macroblocks, those of 512x512 pixels, go without the quick pass: it saves some hundredths of their bytes, and
/// takes a third of the time of which they need much.
const MAX_PREPARED_MACROBLOCKS: usize = 1_024;

/// A coded frame.
#[derive(Debug)]
pub(super) struct Frame {
    /// The payload of a `VP8 ` chunk.
    pub(super) data: Vec<u8>,
    /// What a decoder makes of it.
    pub(super) restored: Planes,
}

/// What the header says of the whole frame.
struct Header<'a> {
    index: i32,
    deltas: Deltas,
    filter_level: u8,
    probs: &'a CoefficientProbs,
    /// Of a macroblock having levels.
    skip_prob: u8,
}

/// # Errors
/// [`EncodeError::TooLarge`] where the modes alone take more than the format allows; [`EncodeError::TooManyBytes`].
pub(super) fn encode(pixels: &Pixels<'_>, quality: u8, max_bytes: usize) -> Result<Frame, EncodeError> {
    let source = Planes::of(pixels);
    let columns = source.stride / 16;
    let index = index_of(quality);
    let deltas = Deltas { chroma_dc: -2, chroma_ac: 0 };
    let terms = Terms::new(quantiser(index, deltas));
    let size = (pixels.width, pixels.height);
    let mode_costs = modes::subblock_costs();

    let mut restored = Planes::black(source.stride, source.rows);
    let mut probs = DEFAULT_COEFFICIENT_PROBS;
    let mut macroblocks = Vec::new();
    let first_pass = usize::from(columns * (source.rows / 16) > MAX_PREPARED_MACROBLOCKS);
    for (pass, &effort) in PASSES.iter().enumerate().skip(first_pass) {
        let costs = TokenCosts::new(&probs);
        let search = Search::new(&source, size, &costs, &mode_costs, &terms, effort);
        // What an earlier pass takes says nothing for certain.
        let most = if pass + 1 == PASSES.len() { max_bytes } else { usize::MAX };
        let (mut counts, mut above) = (Counts::new(), vec![Edge::default(); columns]);
        let coded = search.run(&mut restored, |row| {
            walk_row(row, &mut above, &mut *counts);
            most == usize::MAX || counts.least_bytes() <= most
        });
        macroblocks = coded.ok_or(EncodeError::TooManyBytes)?;
        probs = counts.fitted();
    }
    let (filter_level, shown) = filter::choose(&source, &restored, &macroblocks, size, index / 4);

    let coded = macroblocks.iter().filter(|macroblock| macroblock.any).count() as u32;
    let skip_prob = probability([coded, macroblocks.len() as u32 - coded]);
    let header = Header { index, deltas, filter_level, probs: &probs, skip_prob };
    let modes = first_partition(&header, &macroblocks, columns);
    let mut tokens = BoolEncoder::new();
    walk_frame(&macroblocks, columns, &mut TokenWriter { bits: &mut tokens, probs: &probs });
    let data = assemble(size, &modes, &tokens.finish())?;
    if data.len() > max_bytes {
        return Err(EncodeError::TooManyBytes);
    }
    Ok(Frame { data, restored: shown })
}

/// Header and modes (RFC 6386, sections 9.2 to 9.11 and 19.2).
fn first_partition(header: &Header<'_>, macroblocks: &[Macroblock], columns: usize) -> Vec<u8> {
    let mut bits = BoolEncoder::new();
    // The only colour space; pixels are to be clamped.
    bits.number(0, 2);
    // No segments.
    bits.flag(false);
    // The normal filter, its level and sharpness, no deltas.
    bits.flag(false);
    bits.number(u32::from(header.filter_level), 6);
    bits.number(0, 3);
    bits.flag(false);
    // One partition of tokens.
    bits.number(0, 2);
    bits.number(header.index as u32, 7);
    for delta in [0, 0, 0, header.deltas.chroma_dc, header.deltas.chroma_ac] {
        bits.optional_signed(delta, 4);
    }
    // Probabilities need not outlive the frame.
    bits.flag(false);
    probabilities::put(&mut bits, header.probs);
    bits.flag(true);
    bits.number(u32::from(header.skip_prob), 8);

    let mut above = vec![EdgeModes::default(); columns];
    for row in macroblocks.chunks(columns) {
        let mut left = EdgeModes::default();
        for (macroblock, above) in row.iter().zip(&mut above) {
            bits.bit(!macroblock.any, header.skip_prob);
            modes::put(&mut bits, &macroblock.luma, macroblock.chroma, above, &mut left);
        }
    }
    bits.finish()
}

/// Frame tag, start code, sizes, partitions (RFC 6386, section 9.1).
fn assemble((width, height): (usize, usize), modes: &[u8], tokens: &[u8]) -> Result<Vec<u8>, EncodeError> {
    // 19 bits are there for it.
    let modes_bytes = u32::try_from(modes.len()).ok().filter(|bytes| bytes >> 19 == 0);
    let modes_bytes = modes_bytes.ok_or(EncodeError::TooLarge)?;
    // A key frame of version 0 that is shown.
    let tag = (modes_bytes << 5) | (1 << 4);
    let mut data = Vec::with_capacity(10 + modes.len() + tokens.len());
    data.extend_from_slice(&tag.to_le_bytes()[..3]);
    data.extend_from_slice(&[0x9d, 0x01, 0x2a]);
    for side in [width, height] {
        data.extend_from_slice(&(side as u16).to_le_bytes());
    }
    data.extend_from_slice(modes);
    data.extend_from_slice(tokens);
    Ok(data)
}
