//! Rows in, rows of the thumbnail out: shrink, weigh across, weigh down.

use super::across::Across;
use super::down::Down;
use super::shrink::Shrink;
use super::taps::Taps;
use super::{Axis, Layout, Pixel, Scatter};

/// Resamples one picture after the other, all of the same size.
#[derive(Debug)]
pub(crate) struct Scaler {
    layout: Layout,
    columns: Axis,
    rows: Axis,
    shrink: Shrink,
    across: Across,
    down: Down,
    /// The next source row.
    source_row: u32,
}

impl Scaler {
    pub(crate) fn new(layout: Layout, columns: Axis, rows: Axis) -> Self {
        let taps = Taps::new(&columns);
        let down = Down::new(Taps::new(&rows), taps.len());
        let across = Across::new(&taps, columns.cells() as usize);
        Self {
            layout,
            columns,
            rows,
            shrink: Shrink::new(layout, columns, rows.cell),
            across,
            down,
            source_row: 0,
        }
    }

    /// No further source rows are needed for this picture.
    pub(crate) const fn is_done(&self) -> bool {
        self.source_row >= self.rows.end
    }

    /// Takes the next source row, in the layout given, and hands out the wanted rows that it completes, top to bottom.
    pub(crate) fn push(&mut self, row: &[u8], mut emit: impl FnMut(&[Pixel])) {
        let wanted = self.source_row >= self.rows.first && self.source_row < self.rows.end;
        self.source_row = self.source_row.saturating_add(1);
        if !wanted {
            return;
        }
        self.shrink.push(row);
        if self.shrink.is_full() || (self.is_done() && !self.shrink.is_empty()) {
            let cells = self.shrink.take();
            self.down.push(|row| self.across.weigh(cells, row), &mut emit);
        }
    }

    /// For pictures of `width` columns whose rows are not pushed one by one.
    pub(crate) fn scatter(&self, width: u32) -> Scatter {
        Scatter::new(self.layout, width, self.columns, self.rows)
    }

    /// Resamples what was scattered, instead of rows pushed.
    pub(crate) fn push_scattered(&mut self, scatter: Scatter, emit: impl FnMut(&[Pixel])) {
        scatter.finish(self, emit);
        self.source_row = self.rows.end;
    }

    /// Takes the next row of cells.
    pub(super) fn push_cells(&mut self, cells: &[Pixel], emit: &mut impl FnMut(&[Pixel])) {
        self.down.push(|row| self.across.weigh(cells, row), emit);
    }

    /// Makes ready for the next picture.
    pub(crate) fn restart(&mut self) {
        self.source_row = 0;
        self.down.restart();
        if !self.shrink.is_empty() {
            self.shrink.take();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Span;

    fn resample(
        layout: Layout,
        width: u32,
        height: u32,
        wanted: (u32, u32),
        rows: &[Vec<u8>],
    ) -> Vec<Vec<Pixel>> {
        let axis = |side, wanted| Axis::new(Span { start: 0.0, length: f64::from(side) }, 1, side, wanted);
        let mut scaler = Scaler::new(layout, axis(width, wanted.0), axis(height, wanted.1));
        let mut first = Vec::new();
        for round in 0..2 {
            let mut out = Vec::new();
            for row in rows {
                scaler.push(row, |row| out.push(row.to_vec()));
            }
            assert!(scaler.is_done());
            assert_eq!(out.len(), wanted.1 as usize);
            if round == 1 {
                assert_eq!(out, first, "the second picture is not what the first was");
            }
            first = out;
            scaler.restart();
        }
        first
    }

    #[test]
    fn one_colour_stays_that_colour_at_every_size() {
        for (width, height) in [(1, 1), (3, 5), (200, 100), (1000, 700), (1, 999)] {
            for wanted in [(1, 1), (7, 5), (100, 100), (300, 2)] {
                let rows = vec![[200, 100, 50].repeat(width as usize); height as usize];
                for row in resample(Layout::RGB, width, height, wanted, &rows) {
                    for pixel in row {
                        for (value, expected) in pixel.iter().zip([200.0, 100.0, 50.0, 255.0]) {
                            assert!(
                                (value - expected).abs() < 0.01,
                                "{width}x{height} to {wanted:?}: {pixel:?}"
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_ramp_stays_a_ramp() {
        let row: Vec<u8> = (0..=255).collect();
        let out = resample(Layout::GREY, 256, 256, (32, 32), &vec![row; 256]);
        for row in out {
            for (index, pixel) in row.iter().enumerate().skip(2).take(28) {
                #[expect(clippy::cast_precision_loss, reason = "small")]
                let expected = index as f32 * 8.0 + 3.5;
                assert!((pixel[0] - expected).abs() < 0.2, "pixel {index}: {} for {expected}", pixel[0]);
            }
        }
    }

    #[test]
    fn invisible_colours_leave_no_fringe() {
        // Opaque white beside invisible black: where they meet only alpha may fall.
        let row: Vec<u8> = [[255u8, 255, 255, 255].repeat(50), [0, 0, 0, 0].repeat(50)].concat();
        for row in resample(Layout::RGBA, 100, 100, (33, 33), &vec![row; 100]) {
            for pixel in row {
                assert!((pixel[0] - pixel[3]).abs() < 0.01, "{pixel:?}");
            }
        }
    }

    #[test]
    fn the_same_size_changes_nothing() {
        let rows: Vec<Vec<u8>> =
            (0u8..9).map(|y| (0u8..27).map(|x| x.wrapping_mul(31) ^ y.wrapping_mul(57)).collect()).collect();
        let out = resample(Layout::RGB, 9, 9, (9, 9), &rows);
        for (row, source) in out.iter().zip(&rows) {
            for (pixel, source) in row.iter().zip(source.as_chunks::<3>().0) {
                for (value, &expected) in pixel.iter().zip(source) {
                    assert!((value - f32::from(expected)).abs() < 0.01);
                }
            }
        }
    }
}
