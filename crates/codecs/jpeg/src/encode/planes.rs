//! R'G'B' to Y'CbCr as JFIF defines it (BT.601, full range), padded to whole blocks.

use super::Chroma;

/// Samples of one component, rows and columns filled up to whole blocks with the last there is.
#[derive(Clone, Debug)]
pub(super) struct Plane {
    pub(super) samples: Vec<u8>,
    /// Blocks from left to right that show something, at least 1.
    pub(super) across: usize,
    /// Blocks from top to bottom that show something, at least 1.
    pub(super) down: usize,
}

/// One or three components.
#[derive(Clone, Debug)]
pub(super) struct Planes {
    pub(super) planes: Vec<Plane>,
    /// In pixels.
    pub(super) width: usize,
    pub(super) height: usize,
    /// Luma samples for one of chroma, each way: 1 or 2.
    pub(super) factor: usize,
}

/// Weights with 16 bits of fraction.
const Y_WEIGHTS: [i32; 3] = [19_595, 38_470, 7_471];
const CB_WEIGHTS: [i32; 3] = [-11_059, -21_709, 32_768];
const CR_WEIGHTS: [i32; 3] = [32_768, -27_439, -5_329];

/// Rounded, from a sum with 16 bits of fraction more than the sample.
fn sample(sum: i32, fraction: u32, centre: i32) -> u8 {
    ((sum + (1 << (fraction - 1))) >> fraction).saturating_add(centre).clamp(0, 255) as u8
}

fn weigh(weights: [i32; 3], rgb: [i32; 3]) -> i32 {
    weights.into_iter().zip(rgb).map(|(weight, value)| weight * value).sum()
}

impl Planes {
    /// `rgb` is not empty and has rows of `width`.
    pub(super) fn of(rgb: &[[u8; 3]], width: usize, chroma: Chroma) -> Self {
        let height = rgb.len() / width;
        if rgb.iter().all(|[r, g, b]| r == g && g == b) {
            let luma = Plane::of(width, height, |x, y| rgb[y * width + x][0]);
            return Self { planes: vec![luma], width, height, factor: 1 };
        }
        let factor = match chroma {
            Chroma::Full => 1,
            Chroma::Halved => 2,
        };
        let pixel = |x: usize, y: usize| rgb[y * width + x].map(i32::from);
        let luma = Plane::of(width, height, |x, y| sample(weigh(Y_WEIGHTS, pixel(x, y)), 16, 0));
        let colour = |weights: [i32; 3]| {
            Plane::of(width.div_ceil(factor), height.div_ceil(factor), |x, y| match factor {
                1 => sample(weigh(weights, pixel(x, y)), 16, 128),
                _ => {
                    let (left, top) = (2 * x, 2 * y);
                    let (right, bottom) = ((left + 1).min(width - 1), (top + 1).min(height - 1));
                    let four = [(left, top), (right, top), (left, bottom), (right, bottom)];
                    sample(four.iter().map(|&(x, y)| weigh(weights, pixel(x, y))).sum(), 18, 128)
                }
            })
        };
        let planes = vec![luma, colour(CB_WEIGHTS), colour(CR_WEIGHTS)];
        Self { planes, width, height, factor }
    }
}

impl Plane {
    fn of(width: usize, height: usize, at: impl Fn(usize, usize) -> u8) -> Self {
        let (across, down) = (width.div_ceil(8), height.div_ceil(8));
        let mut samples = Vec::with_capacity(across * down * 64);
        for y in 0..8 * down {
            let start = samples.len();
            if y < height {
                samples.extend((0..width).map(|x| at(x, y)));
                let last = samples[samples.len() - 1];
                samples.resize(start + 8 * across, last);
            } else {
                samples.extend_from_within(start - 8 * across..);
            }
        }
        Self { samples, across, down }
    }

    /// The samples of a block around 0.
    pub(super) fn block(&self, column: usize, row: usize) -> [i32; 64] {
        let first = 8 * row * 8 * self.across + 8 * column;
        std::array::from_fn(|at| i32::from(self.samples[first + at / 8 * 8 * self.across + at % 8]) - 128)
    }
}
