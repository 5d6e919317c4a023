//! Luma and colour differences to red, green and blue (ITU-T H.273, 8.3), on resampled pixels: what is linear may come after what is linear.

use crate::resample::Pixel;

/// How much the differences add to each colour, and what numbers mean nothing and all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Matrix {
    /// From 0 to 255 of the samples' own range to what an 8-bit sample would be.
    unit: f32,
    black: f32,
    luma: f32,
    kind: Kind,
    /// Alpha was multiplied into the colours, not into the samples.
    is_multiplied: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// There are no differences.
    Grey,
    /// The planes are green, blue and red.
    Identity,
    /// Of YCgCo, by this.
    Hue { chroma: f32 },
    /// Red by the second difference, green by both, blue by the first.
    Differences { red: f32, green: [f32; 2], blue: f32 },
}

/// Half of an 8-bit range: no difference.
const MIDDLE: f32 = 128.0;

impl Matrix {
    /// `code` and `primaries` as in ITU-T H.273; what is unspecified or unknown is BT.601's, as other decoders take it. Of samples above 8 bits
    /// their lower bits are at the lower end of 16.
    #[expect(clippy::cast_possible_truncation, reason = "as precise as a Pixel")]
    pub(crate) fn new(code: u8, primaries: u8, full_range: bool, bit_depth: u8, is_grey: bool) -> Self {
        // The highest sample, in units of an 8-bit one.
        let highest = 256.0 - libm::exp2(8.0 - f64::from(bit_depth));
        let (black, luma, chroma) = match full_range {
            true => (0.0, 255.0 / highest, 255.0 / highest),
            false => (16.0, 255.0 / 219.0, 255.0 / 224.0),
        };
        let differences = |red: f64, blue: f64| {
            let green = 1.0 - red - blue;
            let by = |weight: f64| 2.0 * (1.0 - weight) * chroma;
            Kind::Differences {
                red: by(red) as f32,
                green: [(-by(blue) * blue / green) as f32, (-by(red) * red / green) as f32],
                blue: by(blue) as f32,
            }
        };
        let kind = match (code, primaries) {
            _ if is_grey => Kind::Grey,
            (0, _) => Kind::Identity,
            (8, _) => Kind::Hue { chroma: chroma as f32 },
            (1, _) | (12, 1) => differences(0.212_6, 0.072_2),
            (4, _) => differences(0.30, 0.11),
            (7, _) => differences(0.212, 0.087),
            (9 | 10, _) | (12, 9) => differences(0.262_7, 0.059_3),
            (12, 11 | 12) => differences(0.228_97, 0.079_29),
            _ => differences(0.299, 0.114),
        };
        let unit = if bit_depth > 8 { 257.0 / 256.0 } else { 1.0 };
        Self { unit, black, luma: luma as f32, kind, is_multiplied: false }
    }

    /// For pictures whose colours were multiplied by alpha before luma and colour differences were made of them.
    pub(crate) fn of_multiplied(self) -> Self {
        Self { is_multiplied: true, ..self }
    }

    /// Of a pixel that alpha is multiplied into, to one of the same kind.
    pub(crate) fn to_rgb(self, [luma, cb, cr, alpha]: Pixel) -> Pixel {
        let cover = if self.is_multiplied { 1.0 } else { alpha / 255.0 };
        let lit = |sample: f32| (sample * self.unit - self.black * cover) * self.luma;
        let difference = |sample: f32| sample * self.unit - MIDDLE * cover;
        let y = lit(luma);
        let [red, green, blue] = match self.kind {
            Kind::Grey => [y; 3],
            Kind::Identity => [lit(cr), y, lit(cb)],
            Kind::Hue { chroma } => {
                let (towards_green, towards_orange) = (difference(cb) * chroma, difference(cr) * chroma);
                let rest = y - towards_green;
                [rest + towards_orange, y + towards_green, rest - towards_orange]
            }
            Kind::Differences { red, green: [by_blue, by_red], blue } => {
                let (cb, cr) = (difference(cb), difference(cr));
                [y + red * cr, y + by_blue * cb + by_red * cr, y + blue * cb]
            }
        };
        [red, green, blue, alpha]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Pixel, expected: Pixel) {
        let near = found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 0.51);
        assert!(near, "{found:?} for {expected:?}");
    }

    #[test]
    fn black_grey_white_and_red_of_video_and_of_the_whole_range() {
        let video = Matrix::new(6, 1, false, 8, false);
        close(video.to_rgb([16.0, 128.0, 128.0, 255.0]), [0.0, 0.0, 0.0, 255.0]);
        close(video.to_rgb([235.0, 128.0, 128.0, 255.0]), [255.0; 4]);
        close(video.to_rgb([81.5, 90.2, 240.0, 255.0]), [255.0, 0.0, 0.0, 255.0]);
        let full = Matrix::new(1, 1, true, 8, false);
        close(full.to_rgb([54.2, 98.8, 255.5, 255.0]), [255.0, 0.0, 0.0, 255.0]);
        close(full.to_rgb([77.0, 128.0, 128.0, 255.0]), [77.0, 77.0, 77.0, 255.0]);
    }

    #[test]
    fn deep_samples_reach_the_same_ends() {
        for (depth, white) in [(10_u8, 1023.0_f32), (12, 4095.0)] {
            // As the resampler gives a word whose lower bits are empty.
            let unit = libm::exp2f(16.0 - f32::from(depth)) / 257.0;
            let middle = libm::exp2f(f32::from(depth) - 1.0) * unit;
            let full = Matrix::new(9, 9, true, depth, false);
            close(full.to_rgb([white * unit, middle, middle, 255.0]), [255.0; 4]);
            let video = Matrix::new(9, 9, false, depth, false);
            let white = 235.0 * libm::exp2f(f32::from(depth) - 8.0) * unit;
            close(video.to_rgb([white, middle, middle, 255.0]), [255.0; 4]);
        }
    }

    #[test]
    fn transparency_is_kept_multiplied_in() {
        let video = Matrix::new(1, 1, false, 8, false);
        close(video.to_rgb([235.0 / 2.0, 64.0, 64.0, 127.5]), [127.5; 4]);
        close(video.to_rgb([0.0; 4]), [0.0; 4]);
    }

    #[test]
    fn planes_may_be_colours_and_grey_has_none() {
        let gbr = Matrix::new(0, 1, true, 8, false);
        close(gbr.to_rgb([1.0, 2.0, 3.0, 255.0]), [3.0, 1.0, 2.0, 255.0]);
        let grey = Matrix::new(1, 1, true, 8, true);
        close(grey.to_rgb([9.0, 9.0, 9.0, 255.0]), [9.0, 9.0, 9.0, 255.0]);
    }
}
