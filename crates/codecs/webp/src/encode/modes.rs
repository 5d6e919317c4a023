//! Prediction modes as the trees of RFC 6386, sections 8.1 and 11 code them: what they cost, and their writing.

use crate::encode::bool_encoder::BoolEncoder;
use crate::encode::cost::bit_cost;
use crate::vp8::modes::{BlockMode, EdgeModes, LumaMode, SubblockMode};
use crate::vp8::tables::SUBBLOCK_MODE_PROBS;

pub(super) const BLOCK_MODES: [BlockMode; 4] =
    [BlockMode::Mean, BlockMode::Vertical, BlockMode::Horizontal, BlockMode::TrueMotion];

/// In the order of their numbers.
pub(super) const SUBBLOCK_MODES: [SubblockMode; 10] = [
    SubblockMode::Mean,
    SubblockMode::TrueMotion,
    SubblockMode::Vertical,
    SubblockMode::Horizontal,
    SubblockMode::LeftDown,
    SubblockMode::RightDown,
    SubblockMode::VerticalRight,
    SubblockMode::VerticalLeft,
    SubblockMode::HorizontalDown,
    SubblockMode::HorizontalUp,
];

/// The way down the tree of subblock modes: which probability, and the bit.
const fn subblock_path(mode: SubblockMode) -> &'static [(usize, bool)] {
    match mode {
        SubblockMode::Mean => &[(0, false)],
        SubblockMode::TrueMotion => &[(0, true), (1, false)],
        SubblockMode::Vertical => &[(0, true), (1, true), (2, false)],
        SubblockMode::Horizontal => &[(0, true), (1, true), (2, true), (3, false), (4, false)],
        SubblockMode::RightDown => &[(0, true), (1, true), (2, true), (3, false), (4, true), (5, false)],
        SubblockMode::VerticalRight => &[(0, true), (1, true), (2, true), (3, false), (4, true), (5, true)],
        SubblockMode::LeftDown => &[(0, true), (1, true), (2, true), (3, true), (6, false)],
        SubblockMode::VerticalLeft => &[(0, true), (1, true), (2, true), (3, true), (6, true), (7, false)],
        SubblockMode::HorizontalDown => {
            &[(0, true), (1, true), (2, true), (3, true), (6, true), (7, true), (8, false)]
        }
        SubblockMode::HorizontalUp => {
            &[(0, true), (1, true), (2, true), (3, true), (6, true), (7, true), (8, true)]
        }
    }
}

/// The way down the tree of luma modes, as probabilities and bits.
const fn whole_luma_path(mode: BlockMode) -> &'static [(u8, bool)] {
    match mode {
        BlockMode::Mean => &[(145, true), (156, false), (163, false)],
        BlockMode::Vertical => &[(145, true), (156, false), (163, true)],
        BlockMode::Horizontal => &[(145, true), (156, true), (128, false)],
        BlockMode::TrueMotion => &[(145, true), (156, true), (128, true)],
    }
}

const SUBBLOCKS_PATH: (u8, bool) = (145, false);

const fn chroma_path(mode: BlockMode) -> &'static [(u8, bool)] {
    match mode {
        BlockMode::Mean => &[(142, false)],
        BlockMode::Vertical => &[(142, true), (114, false)],
        BlockMode::Horizontal => &[(142, true), (114, true), (183, false)],
        BlockMode::TrueMotion => &[(142, true), (114, true), (183, true)],
    }
}

fn path_cost(path: &[(u8, bool)]) -> u32 {
    path.iter().map(|&(prob, bit)| bit_cost(bit, prob)).sum()
}

/// In 256ths of bits.
pub(super) fn whole_luma_cost(mode: BlockMode) -> u32 {
    path_cost(whole_luma_path(mode))
}

/// In 256ths of bits, without the modes themselves.
pub(super) fn subblocks_cost() -> u32 {
    path_cost(&[SUBBLOCKS_PATH])
}

/// In 256ths of bits.
pub(super) fn chroma_cost(mode: BlockMode) -> u32 {
    path_cost(chroma_path(mode))
}

/// In 256ths of bits: by the mode above, the one to the left, and the mode itself.
pub(super) type SubblockCosts = [[[u16; 10]; 10]; 10];

pub(super) fn subblock_costs() -> Box<SubblockCosts> {
    let mut costs = Box::new([[[0; 10]; 10]; 10]);
    for (costs, probs) in costs.as_flattened_mut().iter_mut().zip(SUBBLOCK_MODE_PROBS.as_flattened()) {
        for (cost, mode) in costs.iter_mut().zip(SUBBLOCK_MODES) {
            *cost =
                subblock_path(mode).iter().map(|&(node, bit)| bit_cost(bit, probs[node])).sum::<u32>() as u16;
        }
    }
    costs
}

/// What a mode of the whole block counts as where it is context of subblocks.
pub(super) const fn as_subblock(mode: BlockMode) -> SubblockMode {
    match mode {
        BlockMode::Mean => SubblockMode::Mean,
        BlockMode::Vertical => SubblockMode::Vertical,
        BlockMode::Horizontal => SubblockMode::Horizontal,
        BlockMode::TrueMotion => SubblockMode::TrueMotion,
    }
}

/// Leaves the modes of a macroblock in the contexts.
pub(super) fn update_edges(luma: &LumaMode, above: &mut EdgeModes, left: &mut EdgeModes) {
    match luma {
        LumaMode::Whole(mode) => (*above, *left) = ([as_subblock(*mode); 4], [as_subblock(*mode); 4]),
        LumaMode::Subblocks(modes) => {
            *above = std::array::from_fn(|column| modes[12 + column]);
            *left = std::array::from_fn(|row| modes[4 * row + 3]);
        }
    }
}

/// Writes the modes of a macroblock, and leaves them in the contexts.
pub(super) fn put(
    bits: &mut BoolEncoder,
    luma: &LumaMode,
    chroma: BlockMode,
    above: &mut EdgeModes,
    left: &mut EdgeModes,
) {
    match luma {
        LumaMode::Whole(mode) => put_path(bits, whole_luma_path(*mode)),
        LumaMode::Subblocks(modes) => {
            put_path(bits, &[SUBBLOCKS_PATH]);
            for (at, &mode) in modes.iter().enumerate() {
                let over = if at < 4 { above[at] } else { modes[at - 4] };
                let before = if at % 4 == 0 { left[at / 4] } else { modes[at - 1] };
                let probs = &SUBBLOCK_MODE_PROBS[over as usize][before as usize];
                for &(node, bit) in subblock_path(mode) {
                    bits.bit(bit, probs[node]);
                }
            }
        }
    }
    update_edges(luma, above, left);
    put_path(bits, chroma_path(chroma));
}

fn put_path(bits: &mut BoolEncoder, path: &[(u8, bool)]) {
    for &(prob, bit) in path {
        bits.bit(bit, prob);
    }
}
