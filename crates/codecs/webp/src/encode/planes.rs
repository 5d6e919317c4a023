//! R'G'B' to Y'CbCr 4:2:0 as WebP defines it (BT.601, 16..=235), padded to whole macroblocks.

use crate::encode::Pixels;

/// One plane for each component. Chroma has half the luma's stride and half its rows.
#[derive(Clone, Debug)]
pub(super) struct Planes {
    pub(super) y: Vec<u8>,
    pub(super) uv: [Vec<u8>; 2],
    /// Bytes from one luma row to the next, a multiple of 16.
    pub(super) stride: usize,
    /// Luma rows, a multiple of 16.
    pub(super) rows: usize,
}

/// Weights with 16 bits of fraction: of 255 steps of red, green and blue to 219 steps of luma or 224 of chroma.
const Y_WEIGHTS: [i32; 3] = [16_829, 33_039, 6_416];
const U_WEIGHTS: [i32; 3] = [-9_714, -19_071, 28_785];
const V_WEIGHTS: [i32; 3] = [28_785, -24_104, -4_681];

fn weigh(weights: [i32; 3], rgb: [i32; 3]) -> i32 {
    weights.into_iter().zip(rgb).map(|(weight, value)| weight * value).sum()
}

impl Planes {
    pub(super) fn black(stride: usize, rows: usize) -> Self {
        let chroma = vec![0; stride / 2 * (rows / 2)];
        Self { y: vec![0; stride * rows], uv: [chroma.clone(), chroma], stride, rows }
    }

    pub(super) fn of(pixels: &Pixels<'_>) -> Self {
        let (width, height) = (pixels.width, pixels.height);
        let mut planes = Self::black(width.next_multiple_of(16), height.next_multiple_of(16));
        let stride = planes.stride;
        // What no one sees takes the colour that is seen nearest before it, so that it costs few bits.
        let mut seen = [128; 3];
        let mut colours = vec![[0; 3]; 2 * stride];
        let mut alphas = vec![0; 2 * stride];
        for (pair, row) in (0..planes.rows).step_by(2).enumerate() {
            for line in 0..2 {
                let source = (row + line).min(height - 1);
                let source = &pixels.rgba[source * width..(source + 1) * width];
                for x in 0..stride {
                    let [r, g, b, alpha] = source[x.min(width - 1)];
                    if alpha > 0 {
                        seen = [r, g, b].map(i32::from);
                    }
                    colours[line * stride + x] = seen;
                    alphas[line * stride + x] = i32::from(alpha);
                    let luma = weigh(Y_WEIGHTS, seen) + (16 << 16) + (1 << 15);
                    planes.y[(row + line) * stride + x] = (luma >> 16) as u8;
                }
            }
            for x in 0..stride / 2 {
                let four = [2 * x, 2 * x + 1, stride + 2 * x, stride + 2 * x + 1];
                // A colour counts as much as it is seen; where none is, all alike.
                let visible: i32 = four.iter().map(|&at| alphas[at]).sum();
                let weight = |at: usize| if visible > 0 { alphas[at] } else { 1 };
                let total = visible.max(if visible > 0 { 1 } else { 4 });
                let mean: [i32; 3] = std::array::from_fn(|channel| {
                    let sum: i32 = four.iter().map(|&at| weight(at) * colours[at][channel]).sum();
                    // Two bits of fraction.
                    (4 * sum + total / 2) / total
                });
                for (plane, weights) in planes.uv.iter_mut().zip([U_WEIGHTS, V_WEIGHTS]) {
                    let chroma = (weigh(weights, mean) >> 2) + (128 << 16) + (1 << 15);
                    plane[pair * (stride / 2) + x] = (chroma >> 16).clamp(0, 255) as u8;
                }
            }
        }
        planes
    }
}
