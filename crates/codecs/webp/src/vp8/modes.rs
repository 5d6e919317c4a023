//! How each macroblock is predicted: the trees of RFC 6386, sections 10 and 11, for key frames.

use crate::vp8::{bool_decoder::BoolDecoder, header::FrameHeader, tables::SUBBLOCK_MODE_PROBS};

/// Prediction of a whole plane of a macroblock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BlockMode {
    /// The mean of the pixels above and to the left.
    Mean,
    /// The row above, repeated.
    Vertical,
    /// The column to the left, repeated.
    Horizontal,
    /// Left plus above minus the corner.
    TrueMotion,
}

/// Prediction of a 4x4 block of luma, with the numbers that index the tables.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum SubblockMode {
    #[default]
    Mean = 0,
    TrueMotion = 1,
    Vertical = 2,
    Horizontal = 3,
    LeftDown = 4,
    RightDown = 5,
    VerticalRight = 6,
    VerticalLeft = 7,
    HorizontalDown = 8,
    HorizontalUp = 9,
}

/// How luma is predicted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LumaMode {
    /// In one piece.
    Whole(BlockMode),
    /// In 16 blocks, row by row.
    Subblocks([SubblockMode; 16]),
}

/// The head of one macroblock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MacroblockHead {
    /// 0..=3.
    pub(crate) segment: usize,
    /// No coefficients are sent.
    pub(crate) skip: bool,
    pub(crate) luma: LumaMode,
    pub(crate) chroma: BlockMode,
}

/// The modes along an edge, as context for the next macroblock.
pub(crate) type EdgeModes = [SubblockMode; 4];

fn read_subblock_mode(bits: &mut BoolDecoder<'_>, probs: &[u8; 9]) -> SubblockMode {
    if !bits.bit(probs[0]) {
        SubblockMode::Mean
    } else if !bits.bit(probs[1]) {
        SubblockMode::TrueMotion
    } else if !bits.bit(probs[2]) {
        SubblockMode::Vertical
    } else if !bits.bit(probs[3]) {
        if !bits.bit(probs[4]) {
            SubblockMode::Horizontal
        } else if !bits.bit(probs[5]) {
            SubblockMode::RightDown
        } else {
            SubblockMode::VerticalRight
        }
    } else if !bits.bit(probs[6]) {
        SubblockMode::LeftDown
    } else if !bits.bit(probs[7]) {
        SubblockMode::VerticalLeft
    } else if !bits.bit(probs[8]) {
        SubblockMode::HorizontalDown
    } else {
        SubblockMode::HorizontalUp
    }
}

fn read_subblock_modes(bits: &mut BoolDecoder<'_>, above: &mut EdgeModes, left: &mut EdgeModes) -> LumaMode {
    let mut modes = [SubblockMode::Mean; 16];
    for (row, left) in modes.chunks_exact_mut(4).zip(left) {
        for (mode, above) in row.iter_mut().zip(above.iter_mut()) {
            *mode = read_subblock_mode(bits, &SUBBLOCK_MODE_PROBS[*above as usize][*left as usize]);
            (*above, *left) = (*mode, *mode);
        }
    }
    LumaMode::Subblocks(modes)
}

fn read_whole_luma_mode(bits: &mut BoolDecoder<'_>) -> BlockMode {
    if bits.bit(156) {
        if bits.bit(128) { BlockMode::TrueMotion } else { BlockMode::Horizontal }
    } else if bits.bit(163) {
        BlockMode::Vertical
    } else {
        BlockMode::Mean
    }
}

fn read_chroma_mode(bits: &mut BoolDecoder<'_>) -> BlockMode {
    if !bits.bit(142) {
        BlockMode::Mean
    } else if !bits.bit(114) {
        BlockMode::Vertical
    } else if !bits.bit(183) {
        BlockMode::Horizontal
    } else {
        BlockMode::TrueMotion
    }
}

impl MacroblockHead {
    /// Reads one head and leaves its modes in the contexts.
    pub(crate) fn read(
        bits: &mut BoolDecoder<'_>,
        header: &FrameHeader,
        above: &mut EdgeModes,
        left: &mut EdgeModes,
    ) -> Self {
        let segment = header.segment_probs.map_or(0, |probs| {
            if bits.bit(probs[0]) {
                2 + usize::from(bits.bit(probs[2]))
            } else {
                usize::from(bits.bit(probs[1]))
            }
        });
        let skip = header.skip_prob.is_some_and(|prob| bits.bit(prob));
        let luma = if bits.bit(145) {
            let mode = read_whole_luma_mode(bits);
            let context = match mode {
                BlockMode::Mean => SubblockMode::Mean,
                BlockMode::Vertical => SubblockMode::Vertical,
                BlockMode::Horizontal => SubblockMode::Horizontal,
                BlockMode::TrueMotion => SubblockMode::TrueMotion,
            };
            (*above, *left) = ([context; 4], [context; 4]);
            LumaMode::Whole(mode)
        } else {
            read_subblock_modes(bits, above, left)
        };
        Self { segment, skip, luma, chroma: read_chroma_mode(bits) }
    }
}
