//! Quantisation of one block by rate and distortion: the cheapest path through the levels that each coefficient may take.

use crate::encode::cost::{TokenCosts, level_cost};
use crate::encode::tokens::{LUMA_WITHOUT_DC, Levels, MAX_LEVEL, context_after};
use crate::vp8::header::Steps;
use crate::vp8::tables::ZIGZAG;
use crate::vp8::transform::Block;

/// What an error in each coefficient counts for, in scan order, in 16ths.
pub(super) type Weights = [u16; 16];

/// Distortion and rate under one scale: squared errors of coefficients times their weights and this, and 256ths
/// of bits times `lambda`.
pub(super) const PER_ERROR: i64 = 256;

/// How a block is coded.
#[derive(Clone, Copy, Debug)]
pub(super) struct Way<'a> {
    /// Block type.
    pub(super) kind: usize,
    /// How many of the blocks above and to the left have levels.
    pub(super) context: usize,
    pub(super) steps: Steps,
    pub(super) weights: &'a Weights,
    /// What 1/256 of a bit is worth.
    pub(super) lambda: i64,
    pub(super) costs: &'a TokenCosts,
}

impl Way<'_> {
    /// Scan position of the first coefficient.
    pub(super) const fn first(&self) -> usize {
        if self.kind == LUMA_WITHOUT_DC { 1 } else { 0 }
    }
}

/// A quantised block.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Coded {
    pub(super) levels: Levels,
    /// The coefficients as the decoder gets them, in the order of the block.
    pub(super) restored: Block,
    /// Weighted squared errors.
    pub(super) distortion: i64,
    /// 256ths of bits.
    pub(super) rate: u32,
    /// Some level is not 0.
    pub(super) any: bool,
}

/// One end of the paths so far.
#[derive(Clone, Copy)]
struct Node {
    score: i64,
    rate: u32,
}

const UNREACHED: Node = Node { score: i64::MAX / 2, rate: 0 };

/// The step to a node: the magnitude, and the context it came from.
#[derive(Clone, Copy, Default)]
struct Step {
    magnitude: u16,
    from: u8,
}

/// Chooses the levels of `block`.
pub(super) fn code(block: &Block, way: &Way<'_>) -> Coded {
    let first = way.first();
    let magnitudes: [i32; 16] =
        std::array::from_fn(|position| i32::from(block[usize::from(ZIGZAG[position])]).abs());
    let step = |position: usize| if position == 0 { way.steps.dc } else { way.steps.ac };
    let mut coded = Coded::default();
    let mut last = None;
    for (position, &magnitude) in magnitudes.iter().enumerate().skip(first) {
        coded.distortion += i64::from(way.weights[position]) * i64::from(magnitude * magnitude);
        if 2 * magnitude >= step(position) {
            last = Some(position);
        }
    }
    let empty = way.costs.end(way.kind, first, way.context);
    coded.rate = empty;
    let Some(last) = last else { return coded };

    // Errors are counted from those of an empty block.
    let mut nodes = [UNREACHED; 3];
    let start = way.costs.start(way.kind, first, way.context);
    nodes[way.context] = Node { score: way.lambda * i64::from(start), rate: start };
    let mut steps = [[Step::default(); 3]; 16];
    let mut best_score = way.lambda * i64::from(empty);
    let mut best = None;
    for position in first..=last {
        let (magnitude, size, weight) =
            (magnitudes[position], step(position), i64::from(way.weights[position]));
        let rows: [_; 3] = std::array::from_fn(|context| way.costs.row(way.kind, position, context));
        let mut next = [UNREACHED; 3];
        let nearest = ((magnitude + size / 2) / size).min(MAX_LEVEL);
        let candidates = [nearest, nearest - 1, 0];
        let count = match nearest {
            0 => 1,
            2 => 3,
            _ => 2,
        };
        for &level in &candidates[..count] {
            let error = magnitude - level * size;
            let gain = weight * i64::from(error * error - magnitude * magnitude) * PER_ERROR;
            let mut node = UNREACHED;
            let mut from = 0;
            for (context, (before, row)) in nodes.iter().zip(rows).enumerate() {
                let rate = level_cost(row, level as u32);
                let score = before.score + way.lambda * i64::from(rate);
                if score < node.score {
                    node = Node { score, rate: before.rate + rate };
                    from = context as u8;
                }
            }
            node.score += gain;
            let context = context_after(level as u32);
            if node.score < next[context].score {
                next[context] = node;
                steps[position][context] = Step { magnitude: level as u16, from };
                if level > 0 {
                    let end = way.costs.end(way.kind, position + 1, context);
                    let score = node.score + way.lambda * i64::from(end);
                    if score < best_score {
                        best_score = score;
                        best = Some((position, context, node.rate + end));
                    }
                }
            }
        }
        nodes = next;
    }
    let Some((end, mut context, rate)) = best else { return coded };
    coded.rate = rate;
    coded.any = true;
    for position in (first..=end).rev() {
        let Step { magnitude, from } = steps[position][context];
        context = usize::from(from);
        let at = usize::from(ZIGZAG[position]);
        let level = if block[at] < 0 { -(magnitude as i16) } else { magnitude as i16 };
        coded.levels[position] = level;
        let size = step(position);
        coded.restored[at] = (i32::from(level) * size) as i16;
        let error = magnitudes[position] - i32::from(magnitude) * size;
        coded.distortion += i64::from(way.weights[position])
            * i64::from(error * error - magnitudes[position] * magnitudes[position]);
    }
    coded
}
