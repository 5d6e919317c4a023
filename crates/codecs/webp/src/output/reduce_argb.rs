//! Rows of lossless images to the caller's layout: box averages, or every pixel where boxes have one.

use thumbs_lanes::{I16x8, U8x16};

use crate::{
    output::{
        RowSink,
        boxes::{Boxes, Divisor},
    },
    vp8l::rows::ArgbRows,
};

/// Sums per source column over the rows of the current boxes: blue, green, red, alpha.
///
/// With alpha, colours count as much as they are opaque, so that what is transparent has no colour to bleed. 255 * 255 *
/// 16,384 rows fit in 32 bits.
#[derive(Debug)]
pub(crate) struct ArgbReducer {
    boxes: Boxes,
    sums: Vec<[u32; 4]>,
    has_alpha: bool,
    line: Vec<u8>,
    /// Rows summed since the last finished boxes.
    pending_rows: usize,
}

impl ArgbReducer {
    pub(crate) fn new(boxes: Boxes, has_alpha: bool) -> Self {
        Self {
            boxes,
            sums: vec![[0; 4]; if boxes.shrink > 1 { boxes.width } else { 0 }],
            has_alpha,
            line: vec![0; boxes.columns() * if has_alpha { 4 } else { 3 }],
            pending_rows: 0,
        }
    }

    pub(crate) fn push(&mut self, rows: &ArgbRows<'_>, sink: &mut RowSink<'_>) {
        let width = self.boxes.width;
        let count = rows.pixels.len() / width;
        if self.boxes.shrink == 1 {
            for row in rows.pixels.chunks_exact(width) {
                self.pass(row);
                sink(&self.line);
            }
            return;
        }
        for strip in self.boxes.strips(rows.top, rows.top + count) {
            let pixels = &rows.pixels[(strip.first - rows.top) * width..(strip.last - rows.top) * width];
            if self.has_alpha {
                for row in pixels.chunks_exact(width) {
                    add_weighted(&mut self.sums, row);
                }
            } else {
                // As many as 257 rows fit in 16 bits.
                for rows in pixels.chunks(256 * width) {
                    add_rows(&mut self.sums, rows);
                }
            }
            self.pending_rows += strip.last - strip.first;
            if let Some(box_rows) = strip.completes {
                self.emit(box_rows, sink);
            }
        }
    }

    /// The boxes that are only partly there, where the image ends early.
    pub(crate) fn finish(&mut self, sink: &mut RowSink<'_>) {
        if self.pending_rows > 0 {
            self.emit(self.pending_rows, sink);
        }
    }

    fn pass(&mut self, row: &[u32]) {
        if self.has_alpha {
            for (out, pixel) in self.line.chunks_exact_mut(4).zip(row) {
                let [b, g, r, a] = pixel.to_le_bytes();
                out.copy_from_slice(&[r, g, b, a]);
            }
        } else {
            for (out, pixel) in self.line.chunks_exact_mut(3).zip(row) {
                let [b, g, r, _] = pixel.to_le_bytes();
                out.copy_from_slice(&[r, g, b]);
            }
        }
    }

    fn emit(&mut self, box_rows: usize, sink: &mut RowSink<'_>) {
        let total = |range: std::ops::Range<usize>| {
            self.sums[range].iter().fold([0_u64; 4], |total, sums| {
                std::array::from_fn(|channel| total[channel] + u64::from(sums[channel]))
            })
        };
        // Up to 4,096 x 4,096 bytes add up within 32 bits.
        let small_total = |range: std::ops::Range<usize>| {
            let sums = self.sums[range].iter().fold([0_u32; 4], |total, sums| {
                std::array::from_fn(|channel| total[channel].wrapping_add(sums[channel]))
            });
            sums.map(u64::from)
        };
        if self.has_alpha {
            for (column, out) in self.line.chunks_exact_mut(4).enumerate() {
                let range = self.boxes.column_range(column);
                let count = (box_rows * range.len()) as u64;
                let [b, g, r, weight] = total(range);
                if weight == 0 {
                    out.fill(0);
                    continue;
                }
                let colour = |sum: u64| ((sum + weight / 2) / weight) as u8;
                out.copy_from_slice(&[colour(r), colour(g), colour(b), ((weight + count / 2) / count) as u8]);
            }
        } else {
            let whole = Divisor::new((box_rows * self.boxes.shrink) as u64);
            for (column, out) in self.line.chunks_exact_mut(3).enumerate() {
                let range = self.boxes.column_range(column);
                let divisor = if range.len() == self.boxes.shrink {
                    whole
                } else {
                    Divisor::new((box_rows * range.len()) as u64)
                };
                let [b, g, r, _] = if self.boxes.shrink <= 4096 { small_total(range) } else { total(range) };
                let colour = |sum: u64| ((divisor.divide(sum) + 128) >> 8) as u8;
                out.copy_from_slice(&[colour(r), colour(g), colour(b)]);
            }
        }
        sink(&self.line);
        self.sums.fill([0; 4]);
        self.pending_rows = 0;
    }
}

/// Adds up to 257 whole rows of `sums.len()` pixels to the columns' sums.
fn add_rows(sums: &mut [[u32; 4]], rows: &[u32]) {
    let width = sums.len();
    let (groups, rest) = sums.as_chunks_mut::<4>();
    for (at, group) in groups.iter_mut().enumerate() {
        let (mut low, mut high) = (I16x8::splat(0), I16x8::splat(0));
        for row in rows.chunks_exact(width) {
            let Some(pixels) = row.get(4 * at..).and_then(<[u32]>::first_chunk) else { break };
            let pixels = U8x16::load_pixels(pixels);
            low = low.add(pixels.widen_low());
            high = high.add(pixels.widen_high());
        }
        if let [low_sums, high_sums] = group.as_flattened_mut().as_chunks_mut::<8>().0 {
            low.add_to(low_sums);
            high.add_to(high_sums);
        }
    }
    let first = width - rest.len();
    for row in rows.chunks_exact(width) {
        for (sums, pixel) in rest.iter_mut().zip(&row[first..]) {
            for (sum, byte) in sums.iter_mut().zip(pixel.to_le_bytes()) {
                *sum += u32::from(byte);
            }
        }
    }
}

/// Adds one row, colours multiplied with alpha.
fn add_weighted(sums: &mut [[u32; 4]], row: &[u32]) {
    let (groups, rest) = sums.as_chunks_mut::<4>();
    let (chunks, rest_pixels) = row.as_chunks::<4>();
    for (group, pixels) in groups.iter_mut().zip(chunks) {
        let pixels = U8x16::load_pixels(pixels);
        let (low, high) = (pixels.widen_low(), pixels.widen_high());
        if let [low_sums, high_sums] = group.as_flattened_mut().as_chunks_mut::<8>().0 {
            low.mul(low.alpha_weights()).add_to(low_sums);
            high.mul(high.alpha_weights()).add_to(high_sums);
        }
    }
    for (sums, pixel) in rest.iter_mut().zip(rest_pixels) {
        let [b, g, r, a] = pixel.to_le_bytes().map(u32::from);
        for (sum, value) in sums.iter_mut().zip([b * a, g * a, r * a, a]) {
            *sum += value;
        }
    }
}
