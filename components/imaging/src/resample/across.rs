//! Weighs rows of cells across, four wanted pixels at a time: the sum of one alone would wait for each of its additions.

use super::taps::Taps;
use super::{Pixel, add_weighted};

/// Wanted pixels that are weighed side by side.
const SIDE_BY_SIDE: usize = 4;

/// The weights of one axis, all wanted pixels with as many. What a pixel has fewer is filled up with weights of 0, which change no sum.
#[derive(Clone, Debug)]
pub(super) struct Across {
    /// Weights of each pixel; at most the cells.
    count: usize,
    /// For each group of pixels, their first cells.
    first_cells: Vec<[usize; SIDE_BY_SIDE]>,
    /// For each group `count` times, the weights of its pixels.
    weights: Vec<[f32; SIDE_BY_SIDE]>,
}

impl Across {
    /// `cells`: of a row, at least as many as `taps` reaches.
    pub(super) fn new(taps: &Taps, cells: usize) -> Self {
        let count = (0..taps.len()).map(|pixel| taps.of(pixel).1.len()).max().unwrap_or(0);
        let groups = taps.len().div_ceil(SIDE_BY_SIDE);
        let mut across = Self {
            count,
            first_cells: vec![[0; SIDE_BY_SIDE]; groups],
            weights: vec![[0.0; SIDE_BY_SIDE]; groups * count],
        };
        for pixel in 0..taps.len() {
            let (group, place) = (pixel / SIDE_BY_SIDE, pixel % SIDE_BY_SIDE);
            let (first, weights) = taps.of(pixel);
            let filled_first = first.min(cells - count);
            across.first_cells[group][place] = filled_first;
            let group = &mut across.weights[group * count..][first - filled_first..count];
            for (group, &weight) in group.iter_mut().zip(weights) {
                group[place] = weight;
            }
        }
        across
    }

    /// `wanted` has one pixel for each of the taps.
    // On its own: among other code, the sums don't stay in registers.
    #[inline(never)]
    pub(super) fn weigh(&self, cells: &[Pixel], wanted: &mut [Pixel]) {
        let groups = self.first_cells.iter().zip(self.weights.chunks_exact(self.count));
        for ((first_cells, weights), wanted) in groups.zip(wanted.chunks_mut(SIDE_BY_SIDE)) {
            let [a, b, c, d] = first_cells.map(|first| &cells[first..first + self.count]);
            let mut sums = [[0.0; 4]; SIDE_BY_SIDE];
            for ((((weights, a), b), c), d) in weights.iter().zip(a).zip(b).zip(c).zip(d) {
                add_weighted(&mut sums[0], weights[0], a);
                add_weighted(&mut sums[1], weights[1], b);
                add_weighted(&mut sums[2], weights[2], c);
                add_weighted(&mut sums[3], weights[3], d);
            }
            wanted.copy_from_slice(&sums[..wanted.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Span;
    use crate::resample::Axis;

    /// Each pixel's sum, one after the other.
    fn plainly(taps: &Taps, cells: &[Pixel]) -> Vec<Pixel> {
        (0..taps.len())
            .map(|pixel| {
                let (first, weights) = taps.of(pixel);
                let mut sum = [0.0; 4];
                for (&weight, cell) in weights.iter().zip(&cells[first..]) {
                    add_weighted(&mut sum, weight, cell);
                }
                sum
            })
            .collect()
    }

    #[test]
    fn four_at_a_time_are_the_same_to_the_bit_as_one_after_the_other() {
        for (side, wanted) in [(1, 1), (1, 9), (2, 3), (7, 100), (100, 7), (103, 50), (1000, 101), (64, 2)] {
            let span = Span { start: 0.25, length: f64::from(side) * 0.9 };
            let taps = Taps::new(&Axis::new(span, 1, side, wanted));
            let cells: Vec<Pixel> = (0..side + 2)
                .map(|at| [at * 7 % 256, at * 31 % 256, at * 101 % 256, 255].map(|level| level as f32 / 3.0))
                .collect();
            let reached = taps.end(taps.len() - 1);
            // With and without cells behind the last that counts.
            for cells in [&cells[..reached], &cells[..]] {
                let mut found = vec![[9.0; 4]; wanted as usize];
                Across::new(&taps, cells.len()).weigh(cells, &mut found);
                assert_eq!(found, plainly(&taps, cells), "{side} to {wanted}");
            }
        }
    }
}
