//! Full-size output of lossy images: chroma interpolated to every pixel with weights 9, 3, 3 and 1, as WebP decoders do.
//!
//! The weights are 3 and 1 down, then 3 and 1 across: first the two chroma rows are blended, then each number with its
//! neighbours, sixteen pixels at a time.

use thumbs_lanes::{I16x8, U8x16};

use crate::{
    output::{RowSink, colour::rgb_16},
    vp8::rows::YuvRows,
};

/// Pixels that are converted at once; rows are filled up to a multiple of it.
const PIXELS: usize = 16;
/// Chroma samples of [`PIXELS`].
const SAMPLES: usize = PIXELS / 2;
/// Where the first number lies in a row of blended chroma: one is needed before it.
const MARGIN: usize = SAMPLES;

/// Remembers the rows at the border between two batches: a luma row waits for the chroma row below it.
#[derive(Debug)]
pub(crate) struct Upsampler {
    width: usize,
    height: usize,
    /// The last luma row, not yet output, where the number of rows so far is even.
    waiting_luma: Option<Vec<u8>>,
    waiting_alpha: Vec<u8>,
    /// The last row of U and of V.
    last_chroma: [Vec<u8>; 2],
    blended: [Vec<i16>; 2],
    alpha: Vec<u8>,
    line: Vec<u8>,
    has_alpha: bool,
}

/// The chroma row that a luma row lies in, and the nearer one of its neighbours.
#[derive(Clone, Copy)]
struct ChromaRows<'a> {
    near: [&'a [u8]; 2],
    far: [&'a [u8]; 2],
}

impl Upsampler {
    pub(crate) fn new(width: usize, height: usize, has_alpha: bool) -> Self {
        let chroma = vec![0; width.div_ceil(2)];
        let padded = width.next_multiple_of(PIXELS);
        let blended = vec![0; MARGIN + padded / 2 + SAMPLES];
        Self {
            width,
            height,
            waiting_luma: None,
            waiting_alpha: Vec::new(),
            last_chroma: [chroma.clone(), chroma],
            blended: [blended.clone(), blended],
            alpha: vec![0; if has_alpha { padded } else { 0 }],
            line: vec![0; padded * if has_alpha { 4 } else { 3 }],
            has_alpha,
        }
    }

    /// `alpha`: one byte for each pixel of `rows`, or empty.
    pub(crate) fn push(&mut self, rows: &YuvRows<'_>, alpha: &[u8], sink: &mut RowSink<'_>) {
        let width = self.width;
        let chroma_width = width.div_ceil(2);
        let chroma_row = |at: usize| {
            [rows.u, rows.v]
                .map(|plane| &plane[at * (rows.stride / 2)..at * (rows.stride / 2) + chroma_width])
        };
        let alpha_row = |at: usize| alpha.get(at * width..(at + 1) * width).unwrap_or(&[]);
        let luma_row = |at: usize| &rows.y[at * rows.stride..(at + 1) * rows.stride];

        let last_chroma = std::mem::take(&mut self.last_chroma);
        let mut above = [&last_chroma[0][..], &last_chroma[1][..]];
        for at in (0..rows.count).step_by(2) {
            let here = chroma_row(at / 2);
            if rows.top + at == 0 {
                above = here;
            }
            if let Some(luma) = self.waiting_luma.take() {
                let waiting_alpha = std::mem::take(&mut self.waiting_alpha);
                self.convert(&luma, ChromaRows { near: above, far: here }, &waiting_alpha, sink);
                (self.waiting_luma, self.waiting_alpha) = (None, waiting_alpha);
            }
            self.convert(luma_row(at), ChromaRows { near: here, far: above }, alpha_row(at), sink);
            if at + 1 < rows.count {
                if rows.top + at + 2 >= self.height {
                    self.convert(
                        luma_row(at + 1),
                        ChromaRows { near: here, far: here },
                        alpha_row(at + 1),
                        sink,
                    );
                } else if at + 2 < rows.count {
                    let below = ChromaRows { near: here, far: chroma_row(at / 2 + 1) };
                    self.convert(luma_row(at + 1), below, alpha_row(at + 1), sink);
                } else {
                    self.waiting_luma = Some(luma_row(at + 1).to_vec());
                    self.waiting_alpha = alpha_row(at + 1).to_vec();
                }
            }
            above = here;
        }
        self.last_chroma = above.map(<[u8]>::to_vec);
    }

    /// The row still waiting, where the image ends early.
    pub(crate) fn finish(&mut self, sink: &mut RowSink<'_>) {
        if let Some(luma) = self.waiting_luma.take() {
            let chroma = std::mem::take(&mut self.last_chroma);
            let rows = [&chroma[0][..], &chroma[1][..]];
            let alpha = std::mem::take(&mut self.waiting_alpha);
            self.convert(&luma, ChromaRows { near: rows, far: rows }, &alpha, sink);
        }
    }

    /// `luma` is filled up to whole vectors.
    fn convert(&mut self, luma: &[u8], chroma: ChromaRows<'_>, alpha: &[u8], sink: &mut RowSink<'_>) {
        for ((blended, near), far) in self.blended.iter_mut().zip(chroma.near).zip(chroma.far) {
            blend(near, far, blended);
        }
        let bytes_per_pixel = if self.has_alpha {
            for (to, &alpha) in self.alpha.iter_mut().zip(alpha) {
                *to = alpha;
            }
            convert_rgba(luma, &self.blended, &self.alpha, &mut self.line);
            4
        } else {
            convert_rgb(luma, &self.blended, &mut self.line);
            3
        };
        sink(&self.line[..self.width * bytes_per_pixel]);
    }
}

/// Three parts `near`, one part `far`, not divided; the first and the last are repeated outwards.
fn blend(near: &[u8], far: &[u8], blended: &mut [i16]) {
    let end = MARGIN + near.len();
    for ((to, &near), &far) in blended[MARGIN..end].iter_mut().zip(near).zip(far) {
        *to = 3 * i16::from(near) + i16::from(far);
    }
    blended[MARGIN - 1] = blended[MARGIN];
    blended[end] = blended[end - 1];
}

/// The chroma of sixteen pixels, from sample `at` on.
#[inline(always)]
fn widened(blended: &[i16], at: usize) -> U8x16 {
    let load = |at: usize| blended[at..].first_chunk().map_or(I16x8::splat(0), I16x8::load);
    let (before, here, after) = (load(MARGIN + at - 1), load(MARGIN + at), load(MARGIN + at + 1));
    let three = here.add(here).add(here).add(I16x8::splat(8));
    let even = three.add(before).shift_right(4);
    let odd = three.add(after).shift_right(4);
    U8x16::narrow(even, even).zip_low(U8x16::narrow(odd, odd))
}

/// Red, green and blue of each sixteen pixels of a row.
#[inline(always)]
fn colours<'a>(luma: &'a [u8], [u, v]: &'a [Vec<i16>; 2]) -> impl Iterator<Item = [U8x16; 3]> + 'a {
    let places = (0..).step_by(SAMPLES);
    luma.as_chunks::<PIXELS>()
        .0
        .iter()
        .zip(places)
        .map(move |(luma, at)| rgb_16(U8x16::load(luma), widened(u, at), widened(v, at)))
}

fn convert_rgb(luma: &[u8], chroma: &[Vec<i16>; 2], line: &mut [u8]) {
    let pixels = line.as_chunks_mut::<PIXELS>().0.as_chunks_mut::<3>().0;
    for (pixels, colours) in pixels.iter_mut().zip(colours(luma, chroma)) {
        for (part, vector) in pixels.iter_mut().zip(U8x16::interleave_three(colours)) {
            vector.store(part);
        }
    }
}

fn convert_rgba(luma: &[u8], chroma: &[Vec<i16>; 2], alpha: &[u8], line: &mut [u8]) {
    let pixels = line.as_chunks_mut::<PIXELS>().0.as_chunks_mut::<4>().0;
    let alpha = alpha.as_chunks::<PIXELS>().0;
    for ((pixels, alpha), [red, green, blue]) in pixels.iter_mut().zip(alpha).zip(colours(luma, chroma)) {
        let alpha = U8x16::load(alpha);
        // Zipped twice, for which every second one comes first.
        let (even_low, even_high) = (red.zip_low(blue), red.zip_high(blue));
        let (odd_low, odd_high) = (green.zip_low(alpha), green.zip_high(alpha));
        let vectors = [
            even_low.zip_low(odd_low),
            even_low.zip_high(odd_low),
            even_high.zip_low(odd_high),
            even_high.zip_high(odd_high),
        ];
        for (part, vector) in pixels.iter_mut().zip(vectors) {
            vector.store(part);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::colour::rgb;

    /// The rows of one batch, by the definition, pixel by pixel.
    fn expected(rows: &YuvRows<'_>, width: usize, alpha: &[u8]) -> Vec<u8> {
        let (chroma_width, chroma_height) = (width.div_ceil(2), rows.count.div_ceil(2));
        let sample = |plane: &[u8], x: usize, y: usize| {
            let nearer = |at: usize, end: usize| {
                let beside =
                    if at.is_multiple_of(2) { (at / 2).saturating_sub(1) } else { (at / 2 + 1).min(end - 1) };
                [(at / 2, 3), (beside, 1)]
            };
            let mut sum = 8;
            for (row, down) in nearer(y, chroma_height) {
                for (column, across) in nearer(x, chroma_width) {
                    sum += down * across * u32::from(plane[row * rows.stride / 2 + column]);
                }
            }
            (sum >> 4) as u8
        };
        let mut pixels = Vec::new();
        for y in 0..rows.count {
            for x in 0..width {
                let luma = rows.y[y * rows.stride + x];
                pixels.extend(rgb(luma, sample(rows.u, x, y), sample(rows.v, x, y)));
                pixels.extend(alpha.get(y * width + x));
            }
        }
        pixels
    }

    #[test]
    fn every_width_is_what_the_weights_say() {
        let noise = |count: usize, salt: u32| -> Vec<u8> {
            (0..count as u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13 ^ salt) as u8).collect()
        };
        for (width, height) in (1..50_usize).map(|width| (width, 1 + width % 7)) {
            let stride = width.next_multiple_of(16);
            let planes = [noise(stride * height, 1), noise(stride * height, 2), noise(stride * height, 3)];
            let [y, u, v] = &planes;
            let rows = YuvRows { top: 0, count: height, y, u, v, stride };
            for alpha in [Vec::new(), noise(width * height, 4)] {
                let mut upsampler = Upsampler::new(width, height, !alpha.is_empty());
                let mut found = Vec::new();
                let mut sink = |row: &[u8]| found.extend_from_slice(row);
                upsampler.push(&rows, &alpha, &mut sink);
                upsampler.finish(&mut sink);
                assert_eq!(found, expected(&rows, width, &alpha), "{width}x{height}");
            }
        }
    }
}
