//! From `quality` to steps, and what an error is worth beside bits.

use crate::zigzag::place;

use super::cost::Costs;
use super::forward::SCALE;
use super::trellis::Way;

/// Steps of luma and of chroma at quality 50, row by row, the row being the vertical frequency. They grow with the distance to DC, `a + b *
/// distance^1.9`, alike in all directions. Found by trial, by what SSIMULACRA2 says of thumbnails, which are looked at pixel by pixel: colour
/// has smaller steps than luma there, whatever is right for photographs of full size.
#[rustfmt::skip]
const STEPS: [[i32; 64]; 2] = [
    [
        20, 21, 25, 32, 40, 51, 65, 80,
        21, 22, 26, 33, 42, 53, 66, 81,
        25, 26, 30, 37, 45, 56, 69, 85,
        32, 33, 37, 43, 51, 62, 75, 91,
        40, 42, 45, 51, 60, 71, 84, 99,
        51, 53, 56, 62, 71, 81, 94, 109,
        65, 66, 69, 75, 84, 94, 107, 122,
        80, 81, 85, 91, 99, 109, 122, 136,
    ],
    [
        16, 18, 21, 26, 34, 43, 54, 67,
        18, 19, 22, 28, 35, 44, 55, 68,
        21, 22, 25, 31, 38, 47, 58, 71,
        26, 28, 31, 36, 43, 52, 63, 76,
        34, 35, 38, 43, 50, 59, 70, 83,
        43, 44, 47, 52, 59, 68, 79, 91,
        54, 55, 58, 63, 70, 79, 90, 102,
        67, 68, 71, 76, 83, 91, 102, 114,
    ],
];

/// What the square of an error of one step is worth, in bits, in a block without contrast.
const ERROR_BITS: f64 = 11.0;
/// At this mean square of AC coefficients it is worth half: among many details a wrong one is not seen.
const CONTRAST: f64 = 1448.0;

/// The steps of one table, in the order of coding.
#[derive(Clone, Debug)]
pub(super) struct Steps {
    /// 1 to 255.
    pub(super) sizes: [i32; 64],
    /// Of what [`cosine`](super::forward::cosine) gives, to steps.
    pub(super) inverse: [f64; 64],
}

/// All of a picture.
#[derive(Clone, Debug)]
pub(super) struct Quantiser {
    /// Of luma and of chroma.
    pub(super) steps: [Steps; 2],
    /// Levels are the nearest, whatever they cost.
    pub(super) is_finest: bool,
}

impl Quantiser {
    /// `quality` is 1 to 100.
    pub(super) fn of(quality: u8) -> Self {
        let quality = i32::from(quality.clamp(1, 100));
        // As libjpeg scales its tables.
        let percent = if quality < 50 { 5000 / quality } else { 200 - 2 * quality };
        let steps = STEPS.each_ref().map(|table| Steps::of(table, percent));
        Self { steps, is_finest: quality == 100 }
    }

    pub(super) fn way<'a>(&'a self, class: usize, costs: &'a Costs) -> Way<'a> {
        let contrast = CONTRAST * 63.0 * f64::from(SCALE * SCALE);
        Way { steps: &self.steps[class], costs, error_bits: ERROR_BITS, contrast }
    }
}

impl Steps {
    fn of(table: &[i32; 64], percent: i32) -> Self {
        let sizes = std::array::from_fn(|k| {
            let (v, u) = place(k);
            ((table[8 * v + u] * percent + 50) / 100).clamp(1, 255)
        });
        Self { sizes, inverse: sizes.map(|size| 1.0 / f64::from(SCALE * size)) }
    }
}
