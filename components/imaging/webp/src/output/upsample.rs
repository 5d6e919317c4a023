//! Full-size output of lossy images: chroma interpolated to every pixel with weights 9, 3, 3 and 1, as WebP decoders do.

use crate::{
    output::{RowSink, colour::rgb},
    vp8::rows::YuvRows,
};

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
        Self {
            width,
            height,
            waiting_luma: None,
            waiting_alpha: Vec::new(),
            last_chroma: [chroma.clone(), chroma],
            line: vec![0; width * if has_alpha { 4 } else { 3 }],
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
        let luma_row = |at: usize| &rows.y[at * rows.stride..at * rows.stride + width];

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

    fn convert(&mut self, luma: &[u8], chroma: ChromaRows<'_>, alpha: &[u8], sink: &mut RowSink<'_>) {
        if self.has_alpha {
            convert_row::<4>(luma, chroma, &mut self.line);
            for (pixel, &alpha) in self.line.chunks_exact_mut(4).zip(alpha) {
                pixel[3] = alpha;
            }
        } else {
            convert_row::<3>(luma, chroma, &mut self.line);
        }
        sink(&self.line);
    }
}

/// `BYTES` a pixel; a fourth one is left as it is.
fn convert_row<const BYTES: usize>(luma: &[u8], chroma: ChromaRows<'_>, line: &mut [u8]) {
    let [near_u, near_v] = chroma.near;
    let [far_u, far_v] = chroma.far;
    let mix = |near: &[u8], far: &[u8], at: usize, beside: usize| {
        let weighed = |row: &[u8]| 3 * u32::from(row[at]) + u32::from(row[beside]);
        ((3 * weighed(near) + weighed(far) + 8) >> 4) as u8
    };
    let last = near_u.len() - 1;
    for (x, (pixel, &y)) in line.chunks_exact_mut(BYTES).zip(luma).enumerate() {
        let at = x / 2;
        let beside = if x % 2 == 0 { at.saturating_sub(1) } else { (at + 1).min(last) };
        let (u, v) = (mix(near_u, far_u, at, beside), mix(near_v, far_v, at, beside));
        pixel[..3].copy_from_slice(&rgb(y, u, v));
    }
}
