//! The mean over cells of whole pixels. Most of the time spent on large images passes through here, so the inner loops are
//! plain sums over slices that compile to vector instructions on every target.

use super::{Axis, Depth, Layout, Pixel};

/// Collects rows until a row of cells is complete.
#[derive(Debug)]
pub(crate) struct Shrink {
    layout: Layout,
    columns: Axis,
    rows_per_cell: u32,
    rows_in_sums: u32,
    sums: Sums,
    cells: Vec<Pixel>,
}

/// Column sums over the rows of a cell, one for each sample.
#[derive(Debug)]
enum Sums {
    /// Cells of one pixel of bytes need none.
    Unneeded,
    /// For bytes without alpha: 256 rows of 255 fit. With one more behind the last, so that any three can be read as four.
    Narrow(Vec<u16>),
    Wide(Vec<u32>),
}

impl Shrink {
    pub(crate) fn new(layout: Layout, columns: Axis, rows_per_cell: u32) -> Self {
        let samples = layout.channels * (columns.end - columns.first) as usize;
        let bytes = layout.depth == Depth::Eight;
        let sums = if bytes && columns.cell == 1 && rows_per_cell == 1 {
            Sums::Unneeded
        } else if bytes && !layout.alpha {
            Sums::Narrow(vec![0; samples + 1])
        } else {
            Sums::Wide(vec![0; samples])
        };
        Self {
            layout,
            columns,
            rows_per_cell,
            rows_in_sums: 0,
            sums,
            cells: vec![[0.0; 4]; columns.cells() as usize],
        }
    }

    /// Takes a row of the full width; bytes missing at its end count as they are left from the row before.
    pub(crate) fn push(&mut self, row: &[u8]) {
        let bytes_per_pixel = self.layout.bytes_per_pixel();
        let used = bytes_per_pixel * self.columns.first as usize..bytes_per_pixel * self.columns.end as usize;
        let row = row.get(used).unwrap_or_default();
        let first = self.rows_in_sums == 0;
        match (&mut self.sums, self.layout.depth, self.layout.alpha) {
            (Sums::Unneeded, ..) => convert(&mut self.cells, row, self.layout),
            (Sums::Narrow(sums), ..) => add_bytes(sums, row, first),
            (Sums::Wide(sums), depth, alpha) => {
                if first {
                    sums.fill(0);
                }
                match (depth, alpha, self.layout.channels) {
                    (Depth::Eight, _, 2) => add_with_alpha::<2>(sums, row),
                    (Depth::Eight, ..) => add_with_alpha::<4>(sums, row),
                    (Depth::Sixteen, false, _) => add_words(sums, row),
                    (Depth::Sixteen, true, 2) => add_words_with_alpha::<2, 4>(sums, row),
                    (Depth::Sixteen, true, _) => add_words_with_alpha::<4, 8>(sums, row),
                }
            }
        }
        self.rows_in_sums += 1;
    }

    /// A row of cells is complete.
    pub(crate) const fn is_full(&self) -> bool {
        self.rows_in_sums == self.rows_per_cell
    }

    /// There are rows that no row of cells was taken from yet.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rows_in_sums == 0
    }

    /// The means over the rows pushed since the last call; there was at least one.
    pub(crate) fn take(&mut self) -> &[Pixel] {
        let scale = samples_scale(self.layout);
        let rows = f64::from(self.rows_in_sums);
        let cell = self.columns.cell as usize;
        let mean = |pixels: usize| {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_precision_loss,
                reason = "as precise as a Pixel"
            )]
            let factor = (1.0 / (pixels as f64 * rows * scale)) as f32;
            factor
        };
        match (&self.sums, self.layout.channels) {
            (Sums::Unneeded, _) => {}
            (Sums::Narrow(sums), 3) => average_colours(&mut self.cells, sums, cell, mean),
            (Sums::Narrow(sums), channels) => {
                let sums = sums.split_last().map_or(&[][..], |(_, sums)| sums);
                match channels {
                    1 => average::<1, _>(&mut self.cells, sums, cell, mean),
                    _ => average::<4, _>(&mut self.cells, sums, cell, mean),
                }
            }
            (Sums::Wide(sums), 1) => average::<1, _>(&mut self.cells, sums, cell, mean),
            (Sums::Wide(sums), 2) => average::<2, _>(&mut self.cells, sums, cell, mean),
            (Sums::Wide(sums), 3) => average::<3, _>(&mut self.cells, sums, cell, mean),
            (Sums::Wide(sums), _) => average::<4, _>(&mut self.cells, sums, cell, mean),
        }
        self.rows_in_sums = 0;
        &self.cells
    }
}

/// Pixels of bytes as cells.
fn convert(cells: &mut [Pixel], row: &[u8], layout: Layout) {
    match (layout.channels, layout.alpha) {
        (1, _) => {
            for (cell, &grey) in cells.iter_mut().zip(row) {
                *cell = [grey, grey, grey, u8::MAX].map(f32::from);
            }
        }
        (3, _) => {
            for (cell, &[red, green, blue]) in cells.iter_mut().zip(row.as_chunks::<3>().0) {
                *cell = [red, green, blue, u8::MAX].map(f32::from);
            }
        }
        (4, false) => {
            for (cell, &pixel) in cells.iter_mut().zip(row.as_chunks::<4>().0) {
                *cell = pixel.map(f32::from);
            }
        }
        (channels, _) => {
            #[expect(clippy::cast_possible_truncation, reason = "as precise as a Pixel")]
            let factor = (1.0 / samples_scale(layout)) as f32;
            if channels == 2 {
                for (cell, &[grey, alpha]) in cells.iter_mut().zip(row.as_chunks::<2>().0) {
                    *cell = weighted([grey, grey, grey], alpha, factor);
                }
            } else {
                for (cell, &[red, green, blue, alpha]) in cells.iter_mut().zip(row.as_chunks::<4>().0) {
                    *cell = weighted([red, green, blue], alpha, factor);
                }
            }
        }
    }
}

/// A pixel with its alpha multiplied in.
#[inline(always)]
fn weighted([red, green, blue]: [u8; 3], alpha: u8, factor: f32) -> Pixel {
    #[expect(clippy::cast_precision_loss, reason = "16 bits")]
    [red, green, blue, u8::MAX].map(|sample| (u32::from(sample) * u32::from(alpha)) as f32 * factor)
}

fn add_bytes(sums: &mut [u16], row: &[u8], first: bool) {
    if first {
        for (sum, &sample) in sums.iter_mut().zip(row) {
            *sum = u16::from(sample);
        }
    } else {
        for (sum, &sample) in sums.iter_mut().zip(row) {
            *sum += u16::from(sample);
        }
    }
}

fn add_with_alpha<const CHANNELS: usize>(sums: &mut [u32], row: &[u8]) {
    for (sums, pixel) in sums.as_chunks_mut::<CHANNELS>().0.iter_mut().zip(row.as_chunks::<CHANNELS>().0) {
        let alpha = u32::from(pixel[CHANNELS - 1]);
        for (sum, &sample) in sums[..CHANNELS - 1].iter_mut().zip(pixel) {
            *sum += u32::from(sample) * alpha;
        }
        sums[CHANNELS - 1] += 255 * alpha;
    }
}

fn add_words(sums: &mut [u32], row: &[u8]) {
    for (sum, &sample) in sums.iter_mut().zip(row.as_chunks::<2>().0) {
        *sum += u32::from(u16::from_be_bytes(sample));
    }
}

fn add_words_with_alpha<const CHANNELS: usize, const BYTES: usize>(sums: &mut [u32], row: &[u8]) {
    for (sums, pixel) in sums.as_chunks_mut::<CHANNELS>().0.iter_mut().zip(row.as_chunks::<BYTES>().0) {
        let samples = pixel.as_chunks::<2>().0;
        let alpha = u32::from(u16::from_be_bytes(samples[CHANNELS - 1]));
        for (sum, &sample) in sums[..CHANNELS - 1].iter_mut().zip(samples) {
            *sum += (u32::from(u16::from_be_bytes(sample)) * alpha + 0x7FFF) / 0xFFFF;
        }
        sums[CHANNELS - 1] += alpha;
    }
}

/// Sums up the columns of each cell. `mean` is the factor for a cell of so many columns.
fn average<const CHANNELS: usize, S: Copy + Into<u32>>(
    cells: &mut [Pixel],
    sums: &[S],
    columns_per_cell: usize,
    mean: impl Fn(usize) -> f32,
) {
    let columns = sums.as_chunks::<CHANNELS>().0;
    let whole = mean(columns_per_cell);
    for (cell, columns) in cells.iter_mut().zip(columns.chunks(columns_per_cell)) {
        let mut total = [0u32; CHANNELS];
        for column in columns {
            for (total, &sum) in total.iter_mut().zip(column) {
                *total += sum.into();
            }
        }
        let factor = if columns.len() == columns_per_cell { whole } else { mean(columns.len()) };
        let mut sums = [0; 4];
        for (sum, total) in sums.iter_mut().zip(total) {
            *sum = total;
        }
        *cell = pixel_of(CHANNELS, sums, factor);
    }
}

/// The same for red, green and blue, of which a vector is loaded at once: with one sample of the column behind, which counts for nothing.
/// `sums` has one more than those of the columns.
fn average_colours(cells: &mut [Pixel], sums: &[u16], columns_per_cell: usize, mean: impl Fn(usize) -> f32) {
    let whole = mean(columns_per_cell);
    for (cell, start) in cells.iter_mut().zip((0..).step_by(3 * columns_per_cell)) {
        let end = (start + 3 * columns_per_cell + 1).min(sums.len());
        let mut total = [0; 4];
        let mut columns = 0;
        for column in sums.get(start..end).unwrap_or_default().windows(4).step_by(3) {
            for (total, &sum) in total.iter_mut().zip(column) {
                *total += u32::from(sum);
            }
            columns += 1;
        }
        let factor = if columns == columns_per_cell { whole } else { mean(columns) };
        *cell = pixel_of(3, total, factor);
    }
}

/// Sums of weights, of which one pixel has as many as channels, brought to a pixel.
pub(super) fn pixel_of(channels: usize, sums: [u32; 4], factor: f32) -> Pixel {
    #[expect(clippy::cast_precision_loss, reason = "as precise as a Pixel")]
    let [a, b, c, d] = sums.map(|sum| sum as f32 * factor);
    match channels {
        1 => [a, a, a, 255.0],
        2 => [a, a, a, b],
        3 => [a, b, c, 255.0],
        _ => [a, b, c, d],
    }
}

/// What a pixel adds to the sums: its samples, multiplied by alpha where there is one.
pub(super) fn weights(layout: Layout, pixel: &[u8]) -> [u32; 4] {
    let mut weights = [0; 4];
    match (layout.depth, layout.alpha, pixel) {
        (Depth::Eight, true, [samples @ .., alpha]) => {
            let alpha = u32::from(*alpha);
            for (weight, &sample) in weights.iter_mut().zip(samples) {
                *weight = u32::from(sample) * alpha;
            }
            weights[samples.len().min(3)] = 255 * alpha;
        }
        (Depth::Sixteen, true, [samples @ .., high, low]) => {
            let alpha = u32::from(u16::from_be_bytes([*high, *low]));
            for (weight, &sample) in weights.iter_mut().zip(samples.as_chunks::<2>().0) {
                *weight = (u32::from(u16::from_be_bytes(sample)) * alpha + 0x7FFF) / 0xFFFF;
            }
            weights[(samples.len() / 2).min(3)] = alpha;
        }
        (Depth::Eight, ..) => {
            for (weight, &sample) in weights.iter_mut().zip(pixel) {
                *weight = u32::from(sample);
            }
        }
        (Depth::Sixteen, ..) => {
            for (weight, &sample) in weights.iter_mut().zip(pixel.as_chunks::<2>().0) {
                *weight = u32::from(u16::from_be_bytes(sample));
            }
        }
    }
    weights
}

/// By how much a mean of weights is greater than a channel from 0 to 255.
pub(super) const fn samples_scale(layout: Layout) -> f64 {
    match (layout.depth, layout.alpha) {
        (Depth::Eight, false) => 1.0,
        (Depth::Eight, true) => 255.0,
        (Depth::Sixteen, _) => 257.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Span;

    fn means(layout: Layout, side: u32, wanted: u32, rows: &[&[u8]]) -> Vec<Pixel> {
        let columns = Axis::new(Span { start: 0.0, length: f64::from(side) }, 1, side, wanted);
        let mut shrink = Shrink::new(layout, columns, u32::try_from(rows.len()).unwrap());
        for row in rows {
            assert!(!shrink.is_full());
            shrink.push(row);
        }
        assert!(shrink.is_full());
        shrink.take().to_vec()
    }

    #[test]
    fn averages_cells_of_grey() {
        let cells =
            means(Layout::GREY, 8, 2, &[&[10, 20, 0, 0, 255, 255, 1, 2], &[30, 40, 0, 4, 255, 255, 1, 0]]);
        let greys: Vec<f32> = cells.iter().map(|cell| cell[0]).collect();
        assert_eq!(greys, [25.0, 1.0, 255.0, 1.0]);
        assert_eq!(cells[0], [25.0, 25.0, 25.0, 255.0]);
    }

    /// Cells of one pixel take another way, on which nothing may change.
    #[test]
    fn a_cell_of_one_pixel_is_that_pixel() {
        let grey_alpha = Layout { channels: 2, depth: Depth::Eight, alpha: true };
        for layout in [Layout::GREY, grey_alpha, Layout::RGB, Layout::RGBX, Layout::RGBA] {
            let row: Vec<u8> = (0..60_u8).map(|at| at.wrapping_mul(73) ^ 0x2a).collect();
            let side = 60 / u32::try_from(layout.channels).unwrap();
            // Two equal rows make a cell two high, whose mean is that of either.
            let summed = means(layout, side, side, &[&row, &row]);
            assert_eq!(means(layout, side, side, &[&row]), summed, "{layout:?}");
        }
    }

    #[test]
    fn the_last_cell_may_be_short() {
        let cells = means(Layout::RGB, 5, 1, &[&[8, 0, 4, 2, 0, 4, 1, 1, 1, 3, 5, 7, 9, 9, 9]]);
        assert_eq!(cells, [[5.0, 0.0, 4.0, 255.0], [2.0, 3.0, 4.0, 255.0], [9.0, 9.0, 9.0, 255.0]]);
    }

    #[test]
    fn colours_count_as_much_as_they_are_seen() {
        let cells = means(Layout::RGBA, 4, 1, &[&[200, 0, 0, 255, 0, 200, 0, 0, 1, 2, 3, 255, 1, 2, 3, 255]]);
        for (cell, expected) in cells.iter().zip([[100.0, 0.0, 0.0, 127.5], [1.0, 2.0, 3.0, 255.0]]) {
            assert!(
                cell.iter().zip(expected).all(|(value, expected)| (value - expected).abs() < 1e-4),
                "{cell:?}"
            );
        }
    }

    #[test]
    fn sixteen_bits_keep_their_fractions() {
        let words = Layout { channels: 1, depth: Depth::Sixteen, alpha: false };
        let cells = means(words, 2, 2, &[&[0x80, 0x00, 0xFF, 0xFF]]);
        assert!((cells[0][0] - 32768.0 / 257.0).abs() < 1e-4);
        assert!((cells[1][0] - 255.0).abs() < 1e-4);
    }

    #[test]
    fn the_largest_cell_does_not_overflow() {
        let words = Layout { channels: 4, depth: Depth::Sixteen, alpha: true };
        for (layout, bytes) in [(Layout::GREY, 1), (Layout::RGBA, 4), (words, 8)] {
            let row = vec![255u8; bytes * 512];
            let rows = vec![&row[..]; 256];
            let cells = means(layout, 512, 1, &rows);
            assert_eq!(cells.len(), 2);
            for value in cells[0] {
                assert!((value - 255.0).abs() < 1e-3, "{layout:?}: {value}");
            }
        }
    }
}
