//! The levels of a whole picture: learnt what symbols cost, then chosen.

use crate::zigzag::NATURAL;

use super::cost::{Costs, END, SIXTEEN_ZEROS};
use super::forward::{SCALE, cosine};
use super::planes::{Plane, Planes};
use super::quantiser::{Quantiser, Steps};
use super::trellis::choose;

/// Levels in the order of coding.
pub(super) type Block = [i16; 64];

/// Those of one component.
#[derive(Clone, Debug)]
pub(super) struct Component {
    /// Row by row, `stride` in each, filled up to whole MCUs.
    pub(super) blocks: Vec<Block>,
    /// Bit n of each is set where level n of that block is not 0. Most levels are 0, and scans are walked through many times.
    pub(super) present: Vec<u64>,
    pub(super) stride: usize,
    /// That show something.
    pub(super) across: usize,
    pub(super) down: usize,
}

/// Those of all components.
#[derive(Clone, Debug)]
pub(super) struct Levels {
    pub(super) components: Vec<Component>,
    /// In pixels.
    pub(super) width: usize,
    pub(super) height: usize,
    /// Blocks of luma for one of chroma, each way.
    pub(super) factor: usize,
    /// That the search took.
    pub(super) steps: u64,
}

impl Levels {
    pub(super) fn of(planes: Planes, quantiser: &Quantiser) -> Self {
        let Planes { planes, width, height, factor } = planes;
        let mut costs = [[0_u32; 256]; 2];
        for (at, plane) in planes.iter().enumerate() {
            let class = at.min(1);
            let steps = &quantiser.steps[class];
            each_block(plane, |_, _, coefficients| count(coefficients, steps, &mut costs[class]));
        }
        let mut search_steps = 0;
        let components = planes.iter().enumerate().map(|(at, plane)| {
            let class = at.min(1);
            let factor = if at == 0 { factor } else { 1 };
            let costs = Costs::of(&costs[class]);
            let mut component = Component::empty(plane, factor);
            let way = quantiser.way(class, &costs);
            each_block(plane, |column, row, coefficients| {
                let block = &mut component.blocks[row * component.stride + column];
                if quantiser.is_finest {
                    round(coefficients, way.steps, block);
                } else {
                    search_steps += choose(coefficients, &way, block);
                }
                block[0] = nearest(coefficients[0], way.steps.sizes[0]);
            });
            component.fill();
            component
        });
        let components = components.collect();
        Self { components, width, height, factor, steps: search_steps }
    }
}

/// Calls `take` with column, row and coefficients, in the order of coding, of each block that shows something.
fn each_block(plane: &Plane, mut take: impl FnMut(usize, usize, &[i32; 64])) {
    for row in 0..plane.down {
        for column in 0..plane.across {
            let block = cosine(&plane.block(column, row));
            take(column, row, &NATURAL.map(|at| block[usize::from(at)]));
        }
    }
}

fn present(block: &Block) -> u64 {
    block.iter().rev().fold(0, |present, &level| present << 1 | u64::from(level != 0))
}

/// The nearest level.
fn nearest(coefficient: i32, size: i32) -> i16 {
    let size = SCALE * size;
    let magnitude = (coefficient.abs() + size / 2) / size;
    (magnitude * coefficient.signum()) as i16
}

fn round(coefficients: &[i32; 64], steps: &Steps, block: &mut Block) {
    for ((level, &coefficient), &size) in block.iter_mut().zip(coefficients).zip(&steps.sizes) {
        *level = nearest(coefficient, size);
    }
}

/// Counts the symbols that a block has without a search.
fn count(coefficients: &[i32; 64], steps: &Steps, counts: &mut [u32; 256]) {
    let mut run = 0;
    for (&coefficient, &size) in coefficients.iter().zip(&steps.sizes).skip(1) {
        // Hardly more than half a step is what the search will most often drop.
        let level = (coefficient.unsigned_abs() / size.unsigned_abs() + 3) / SCALE.unsigned_abs();
        if level == 0 {
            run += 1;
            continue;
        }
        counts[usize::from(SIXTEEN_ZEROS)] += run / 16;
        counts[((run % 16) << 4 | (32 - level.leading_zeros()).min(10)) as usize] += 1;
        run = 0;
    }
    if run > 0 {
        counts[usize::from(END)] += 1;
    }
}

impl Component {
    fn empty(plane: &Plane, factor: usize) -> Self {
        let stride = plane.across.next_multiple_of(factor);
        let blocks = vec![[0; 64]; stride * plane.down.next_multiple_of(factor)];
        Self { blocks, present: Vec::new(), stride, across: plane.across, down: plane.down }
    }

    /// Blocks that show nothing continue those beside them, which costs least.
    fn fill(&mut self) {
        for at in 0..self.blocks.len() {
            let (column, row) = (at % self.stride, at / self.stride);
            let from = if row >= self.down { at - self.stride } else { at.saturating_sub(1) };
            if row >= self.down || column >= self.across {
                self.blocks[at][0] = self.blocks[from][0];
            }
        }
        self.present = self.blocks.iter().map(present).collect();
    }
}
