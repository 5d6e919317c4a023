//! Weighs rows of cells down. The rows that count are kept, and a wanted row is summed up once its last has come: so its sums stay in registers
//! instead of going to memory and back with each row of cells.

use super::taps::Taps;
use super::{Pixel, add_weighted};

/// Wanted pixels that are weighed side by side.
const SIDE_BY_SIDE: usize = 4;

/// One picture after the other, all of the same size.
#[derive(Debug)]
pub(super) struct Down {
    taps: Taps,
    /// Of a row, in pixels, at least 1.
    width: usize,
    /// The last rows of cells, as many as any wanted row needs: a ring, in which a row's place is its number modulo their count.
    rows: Vec<Pixel>,
    /// Rows of cells that have come.
    come: usize,
    /// The first wanted row that is not complete.
    next: usize,
    sums: Vec<Pixel>,
}

impl Down {
    pub(super) fn new(taps: Taps, width: usize) -> Self {
        let most = (0..taps.len()).map(|row| taps.of(row).1.len()).max().unwrap_or(0).max(1);
        Self {
            taps,
            width,
            rows: vec![[0.0; 4]; most * width],
            come: 0,
            next: 0,
            sums: vec![[0.0; 4]; width],
        }
    }

    /// Has the next row of cells, weighed across, written by `write`, and hands out the wanted rows that it completes.
    pub(super) fn push(&mut self, write: impl FnOnce(&mut [Pixel]), emit: &mut impl FnMut(&[Pixel])) {
        let start = self.place(self.come);
        write(&mut self.rows[start..start + self.width]);
        self.come += 1;
        while self.next < self.taps.len() && self.taps.end(self.next) <= self.come {
            let (first, weights) = self.taps.of(self.next);
            let (from_start, from_first) = self.rows.split_at(self.place(first));
            weigh(weights, [from_first, from_start], self.width, &mut self.sums);
            emit(&self.sums);
            self.next += 1;
        }
    }

    /// Makes ready for the next picture.
    pub(super) const fn restart(&mut self) {
        self.come = 0;
        self.next = 0;
    }

    /// Where a row of cells stands.
    fn place(&self, row: usize) -> usize {
        row * self.width % self.rows.len()
    }
}

/// Sums up the rows of one part and then those of the other, of `width` pixels each, one for each weight. A function of its own, as
/// [`super::across::Across::weigh`] is.
#[inline(never)]
fn weigh(weights: &[f32], rows: [&[Pixel]; 2], width: usize, wanted: &mut [Pixel]) {
    let (in_first, in_second) = weights.split_at(weights.len().min(rows[0].len() / width));
    let (groups, rest) = wanted.as_chunks_mut::<SIDE_BY_SIDE>();
    let mut at = 0;
    for group in groups {
        let mut sums = [[0.0; 4]; SIDE_BY_SIDE];
        for (weights, rows) in [(in_first, rows[0]), (in_second, rows[1])] {
            for (&weight, row) in weights.iter().zip(rows.chunks_exact(width)) {
                let Some(values) = row.get(at..).and_then(<[Pixel]>::first_chunk::<SIDE_BY_SIDE>) else {
                    break;
                };
                add_weighted(&mut sums[0], weight, &values[0]);
                add_weighted(&mut sums[1], weight, &values[1]);
                add_weighted(&mut sums[2], weight, &values[2]);
                add_weighted(&mut sums[3], weight, &values[3]);
            }
        }
        *group = sums;
        at += SIDE_BY_SIDE;
    }
    for (column, sum) in (at..width).zip(rest) {
        *sum = [0.0; 4];
        for (weights, rows) in [(in_first, rows[0]), (in_second, rows[1])] {
            for (&weight, row) in weights.iter().zip(rows.chunks_exact(width)) {
                add_weighted(sum, weight, &row[column]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Span;
    use crate::resample::Axis;

    /// Each wanted pixel's sum, one cell after the other.
    fn plainly(taps: &Taps, cells: &[Vec<Pixel>]) -> Vec<Vec<Pixel>> {
        let row = |row| {
            let (first, weights) = taps.of(row);
            let mut sums = vec![[0.0; 4]; cells[0].len()];
            for (&weight, cells) in weights.iter().zip(&cells[first..]) {
                for (sum, cell) in sums.iter_mut().zip(cells) {
                    add_weighted(sum, weight, cell);
                }
            }
            sums
        };
        (0..taps.len()).map(row).collect()
    }

    #[test]
    fn what_is_summed_up_at_once_is_the_same_to_the_bit_as_row_after_row() {
        for (side, wanted) in [(1, 1), (1, 9), (2, 3), (7, 100), (100, 7), (103, 50), (64, 2), (90, 89)] {
            for width in [1, 3, 4, 9] {
                let span = Span { start: 0.25, length: f64::from(side) * 0.9 };
                let axis = Axis::new(span, 1, side, wanted);
                let taps = Taps::new(&axis);
                let level = |x: u32, y: u32, by: u32| ((x * 7 + y * by) % 256) as f32 / 3.0;
                let row =
                    |y| (0..width).map(move |x| [level(x, y, 31), level(x, y, 57), level(x, y, 101), 255.0]);
                let cells: Vec<Vec<Pixel>> = (0..axis.cells()).map(|y| row(y).collect()).collect();
                let mut down = Down::new(taps.clone(), width as usize);
                for _ in 0..2 {
                    let mut found = Vec::new();
                    for row in &cells {
                        down.push(|place| place.copy_from_slice(row), &mut |row| found.push(row.to_vec()));
                    }
                    assert_eq!(found, plainly(&taps, &cells), "{side} to {wanted}, {width} wide");
                    down.restart();
                }
            }
        }
    }
}
