//! Box averages of lossy images, taken in Y'CbCr: full-size RGB never exists.
//!
//! A linear map of averages is the average of the linear map, so converting afterwards differs only by the clipping of
//! colours outside of RGB's cube, which full-size conversion does pixel by pixel and this once per box.

use crate::{
    output::{
        RowSink,
        boxes::{Boxes, Divisor, Strip},
        colour::rgb_of_average,
    },
    vp8::rows::YuvRows,
};

/// Sums per source column over the rows of the current boxes.
///
/// With alpha, each pixel counts as much as it is opaque, so that what is transparent has no colour to bleed. 255 * 255 *
/// 16,384 rows fit in 32 bits, also where a chroma column sums two columns of pixels.
#[derive(Debug)]
pub(crate) struct YuvReducer {
    boxes: Boxes,
    luma: Vec<u32>,
    chroma: [Vec<u32>; 2],
    alpha: Option<Vec<u32>>,
    line: Vec<u8>,
    /// Rows summed since the last finished boxes.
    pending_rows: usize,
}

impl YuvReducer {
    /// `stride` as in the rows to come.
    pub(crate) fn new(boxes: Boxes, stride: usize, has_alpha: bool) -> Self {
        let chroma = vec![0; stride / 2];
        Self {
            boxes,
            luma: vec![0; stride],
            chroma: [chroma.clone(), chroma],
            alpha: has_alpha.then(|| vec![0; stride]),
            line: vec![0; boxes.columns() * if has_alpha { 4 } else { 3 }],
            pending_rows: 0,
        }
    }

    /// `alpha`: one byte for each pixel of `rows`, or empty.
    pub(crate) fn push(&mut self, rows: &YuvRows<'_>, alpha: &[u8], sink: &mut RowSink<'_>) {
        for strip in self.boxes.strips(rows.top, rows.top + rows.count) {
            if self.alpha.is_some() {
                self.add_weighted(rows, alpha, strip);
            } else {
                self.add(rows, strip);
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

    fn add(&mut self, rows: &YuvRows<'_>, strip: Strip) {
        let (first, last) = (strip.first - rows.top, strip.last - rows.top);
        add_rows(&mut self.luma, &rows.y[first * rows.stride..last * rows.stride]);
        let stride = rows.stride / 2;
        for (sums, plane) in self.chroma.iter_mut().zip([rows.u, rows.v]) {
            // A chroma row counts once for each of its two luma rows that lie in the strip.
            let whole = first.div_ceil(2)..last / 2;
            if first % 2 == 1 {
                add_rows(sums, &plane[first / 2 * stride..(first / 2 + 1) * stride]);
            }
            for _ in 0..2 {
                add_rows(sums, plane.get(whole.start * stride..whole.end * stride).unwrap_or(&[]));
            }
            if last % 2 == 1 && last / 2 >= whole.start {
                add_rows(sums, &plane[last / 2 * stride..(last / 2 + 1) * stride]);
            }
        }
    }

    fn add_weighted(&mut self, rows: &YuvRows<'_>, alpha: &[u8], strip: Strip) {
        let Some(alpha_sums) = &mut self.alpha else { return };
        let width = self.boxes.width;
        let [u_sums, v_sums] = &mut self.chroma;
        for row in strip.first - rows.top..strip.last - rows.top {
            let Some(alpha) = alpha.get(row * width..(row + 1) * width) else { return };
            let luma = &rows.y[row * rows.stride..];
            for (((y_sum, a_sum), &y), &a) in
                self.luma.iter_mut().zip(alpha_sums.iter_mut()).zip(luma).zip(alpha)
            {
                *a_sum += u32::from(a);
                *y_sum += u32::from(a) * u32::from(y);
            }
            let chroma = row / 2 * (rows.stride / 2);
            let (u, v) = (&rows.u[chroma..], &rows.v[chroma..]);
            for ((((u_sum, v_sum), &u), &v), pair) in
                u_sums.iter_mut().zip(v_sums.iter_mut()).zip(u).zip(v).zip(alpha.chunks(2))
            {
                let weight: u32 = pair.iter().map(|&a| u32::from(a)).sum();
                *u_sum += weight * u32::from(u);
                *v_sum += weight * u32::from(v);
            }
        }
    }

    /// Finishes a row of boxes of `box_rows` source rows and begins the next.
    fn emit(&mut self, box_rows: usize, sink: &mut RowSink<'_>) {
        if self.alpha.is_some() {
            self.emit_weighted(box_rows);
        } else {
            self.emit_opaque(box_rows);
        }
        sink(&self.line);
        self.luma.fill(0);
        for sums in &mut self.chroma {
            sums.fill(0);
        }
        if let Some(alpha) = &mut self.alpha {
            alpha.fill(0);
        }
        self.pending_rows = 0;
    }

    fn emit_opaque(&mut self, box_rows: usize) {
        let whole = Divisor::new((box_rows * self.boxes.shrink) as u64);
        for (column, pixel) in self.line.chunks_exact_mut(3).enumerate() {
            let range = self.boxes.column_range(column);
            let divisor = if range.len() == self.boxes.shrink {
                whole
            } else {
                Divisor::new((box_rows * range.len()) as u64)
            };
            let luma: u64 = self.luma[range.clone()].iter().map(|&sum| u64::from(sum)).sum();
            let [u, v] = self.chroma.each_ref().map(|sums| divisor.divide(chroma_sum(sums, range.clone())));
            pixel.copy_from_slice(&rgb_of_average(divisor.divide(luma), u, v));
        }
    }

    fn emit_weighted(&mut self, box_rows: usize) {
        let Some(alpha) = &self.alpha else { return };
        for (column, pixel) in self.line.chunks_exact_mut(4).enumerate() {
            let range = self.boxes.column_range(column);
            let sum = |sums: &[u32]| -> u64 { sums[range.clone()].iter().map(|&sum| u64::from(sum)).sum() };
            let weight = sum(alpha);
            if weight == 0 {
                pixel.fill(0);
                continue;
            }
            let count = (box_rows * range.len()) as u64;
            let average = |sum: u64| ((sum * 256 + weight / 2) / weight) as u32;
            // A chroma column at the border of two boxes holds pixels of both; they are told apart no more, so its mean
            // stands for either, weighted by what this box has of it.
            let [u, v] =
                self.chroma.each_ref().map(|sums| average(weighted_chroma_sum(sums, alpha, range.clone())));
            let [r, g, b] = rgb_of_average(average(sum(&self.luma)), u, v);
            pixel.copy_from_slice(&[r, g, b, ((weight + count / 2) / count) as u8]);
        }
    }
}

/// Sum over source columns `range` of a plane with half as many columns.
fn chroma_sum(sums: &[u32], range: std::ops::Range<usize>) -> u64 {
    let whole = range.start.div_ceil(2)..range.end / 2;
    let mut sum = 0;
    if range.start % 2 == 1 {
        sum += u64::from(sums[range.start / 2]);
    }
    if let Some(whole) = sums.get(whole.clone()) {
        sum += 2 * whole.iter().map(|&sum| u64::from(sum)).sum::<u64>();
    }
    if range.end % 2 == 1 && range.end / 2 >= whole.start {
        sum += u64::from(sums[range.end / 2]);
    }
    sum
}

/// The same where `sums` is already weighted with both columns' alpha.
fn weighted_chroma_sum(sums: &[u32], alpha: &[u32], range: std::ops::Range<usize>) -> u64 {
    (range.start / 2..range.end.div_ceil(2))
        .map(|at| {
            let both = 2 * at..2 * at + 2;
            let all: u64 = alpha[both.clone()].iter().map(|&a| u64::from(a)).sum();
            let mine: u64 = alpha[both.start.max(range.start)..both.end.min(range.end)]
                .iter()
                .map(|&a| u64::from(a))
                .sum();
            if mine == all { u64::from(sums[at]) } else { u64::from(sums[at]) * mine / all }
        })
        .sum()
}

/// Adds whole rows of `sums.len()` bytes to the columns' sums.
fn add_rows(sums: &mut [u32], rows: &[u8]) {
    const LANES: usize = 16;
    let stride = sums.len();
    // At most 257 rows fit in 16 bits.
    for rows in rows.chunks(stride * 256) {
        let mut x = 0;
        while x + LANES <= stride {
            let mut lanes = [0_u16; LANES];
            for row in rows.chunks_exact(stride) {
                for (lane, &pixel) in lanes.iter_mut().zip(&row[x..x + LANES]) {
                    *lane += u16::from(pixel);
                }
            }
            for (sum, lane) in sums[x..x + LANES].iter_mut().zip(lanes) {
                *sum += u32::from(lane);
            }
            x += LANES;
        }
        for row in rows.chunks_exact(stride) {
            for (sum, &pixel) in sums[x..].iter_mut().zip(&row[x..]) {
                *sum += u32::from(pixel);
            }
        }
    }
}
