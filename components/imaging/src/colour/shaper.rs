//! RGB spaces made of three primaries and a curve for each: Display P3, Adobe RGB, sRGB itself.

use super::curve::{Curve, light_to_srgb};

pub(crate) type Matrix = [[f64; 3]; 3];

/// XYZ of D50, which profiles refer to, to linear sRGB: the inverse of sRGB's primaries adapted by Bradford's method
/// (IEC 61966-2-1, ICC.1 annex E).
const D50_TO_SRGB: Matrix = [
    [3.133_856_1, -1.616_866_7, -0.490_614_6],
    [-0.978_768_4, 1.916_141_5, 0.033_454_0],
    [0.071_945_3, -0.228_991_4, 1.405_242_7],
];
/// XYZ of D65 to linear sRGB.
const D65_TO_SRGB: Matrix = [
    [3.240_454_2, -1.537_138_5, -0.498_531_4],
    [-0.969_266_0, 1.876_010_8, 0.041_556_0],
    [0.055_643_4, -0.204_025_9, 1.057_225_2],
];
/// Bradford's cone responses.
const BRADFORD: Matrix =
    [[0.895_1, 0.266_4, -0.161_4], [-0.750_2, 1.713_5, 0.036_7], [0.038_9, -0.068_5, 1.029_6]];
const D65: [f64; 3] = [0.950_47, 1.0, 1.088_83];
/// Two levels (of 255) nearer than this are the same after rounding, give or take.
const SAME_LEVEL: f32 = 0.75;
/// Profiles round their primaries, and programs disagree on white in the fourth digit.
const SAME_PRIMARIES: f64 = 2e-3;

/// Three curves to light, a matrix to sRGB's primaries, sRGB's curve.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Shaper {
    to_light: [Curve; 3],
    /// `None` where the primaries are sRGB's.
    primaries: Option<[[f32; 3]; 3]>,
    from_light: Curve,
}

impl Shaper {
    /// With sRGB's primaries; grey is among these.
    pub(crate) fn with_curve(curve: Curve) -> Self {
        let to_light = [curve.clone(), curve.clone(), curve];
        Self { to_light, primaries: None, from_light: Curve::sample(light_to_srgb) }
    }

    /// `colorants` are the XYZ of red, green and blue in their columns, relative to D50.
    pub(crate) fn with_colorants(to_light: [Curve; 3], colorants: &Matrix) -> Self {
        Self::with_primaries(to_light, &product(&D50_TO_SRGB, colorants))
    }

    /// `chromaticities` are x and y of white, red, green and blue. `None` where these make no RGB space.
    pub(crate) fn with_chromaticities(curve: Curve, chromaticities: [[f64; 2]; 4]) -> Option<Self> {
        if chromaticities.iter().any(|&[x, y]| x < 0.0 || y < 1e-4 || x + y > 1.0) {
            return None;
        }
        let [white, red, green, blue] = chromaticities.map(|[x, y]| [x / y, 1.0, (1.0 - x - y) / y]);
        let unscaled = transposed(&[red, green, blue]);
        let scale = apply(&inverse(&unscaled)?, white);
        let colorants = unscaled.map(|row| [row[0] * scale[0], row[1] * scale[1], row[2] * scale[2]]);
        let adapted = product(&adaptation(white, D65)?, &colorants);
        let primaries = product(&D65_TO_SRGB, &adapted);
        primaries
            .as_flattened()
            .iter()
            .all(|value| value.is_finite())
            .then(|| Self::with_primaries([curve.clone(), curve.clone(), curve], &primaries))
    }

    fn with_primaries(to_light: [Curve; 3], primaries: &Matrix) -> Self {
        let is_srgb = primaries.iter().enumerate().all(|(index, row)| {
            row.iter().enumerate().all(|(column, value)| {
                let unit = if index == column { 1.0 } else { 0.0 };
                (value - unit).abs() < SAME_PRIMARIES
            })
        });
        #[expect(clippy::cast_possible_truncation, reason = "single precision is what pixels have")]
        let primaries = (!is_srgb).then(|| primaries.map(|row| row.map(|value| value as f32)));
        Self { to_light, primaries, from_light: Curve::sample(light_to_srgb) }
    }

    /// All channels 0 to 255; colours outside sRGB are clipped.
    pub(crate) fn to_srgb(&self, colour: [f32; 3]) -> [f32; 3] {
        let [red, green, blue] = &self.to_light;
        let light = [red.at(colour[0] / 255.0), green.at(colour[1] / 255.0), blue.at(colour[2] / 255.0)];
        let light = match &self.primaries {
            Some(rows) => rows.map(|row| row[0] * light[0] + row[1] * light[1] + row[2] * light[2]),
            None => light,
        };
        light.map(|light| self.from_light.at(light) * 255.0)
    }

    /// Nothing would be seen to change.
    pub(crate) fn is_identity(&self) -> bool {
        self.primaries.is_none()
            && (0..=u8::MAX).map(f32::from).all(|level| {
                self.to_srgb([level; 3]).iter().all(|converted| (converted - level).abs() < SAME_LEVEL)
            })
    }
}

/// Bradford's adaptation of XYZ from one white to another.
fn adaptation(from: [f64; 3], to: [f64; 3]) -> Option<Matrix> {
    let (from, to) = (apply(&BRADFORD, from), apply(&BRADFORD, to));
    let scaled: Vec<[f64; 3]> = BRADFORD
        .iter()
        .zip(from.iter().zip(to))
        .map(|(row, (from, to))| row.map(|value| value * to / from))
        .collect();
    let scaled = <[[f64; 3]; 3]>::try_from(scaled).ok()?;
    Some(product(&inverse(&BRADFORD)?, &scaled))
}

fn product(left: &Matrix, right: &Matrix) -> Matrix {
    left.map(|row| {
        std::array::from_fn(|column| {
            row[0] * right[0][column] + row[1] * right[1][column] + row[2] * right[2][column]
        })
    })
}

fn apply(matrix: &Matrix, vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row[0] * vector[0] + row[1] * vector[1] + row[2] * vector[2])
}

fn transposed(matrix: &Matrix) -> Matrix {
    std::array::from_fn(|row| std::array::from_fn(|column| matrix[column][row]))
}

fn inverse(m: &Matrix) -> Option<Matrix> {
    let cofactor = |row: usize, column: usize| {
        let (r1, r2) = ((row + 1) % 3, (row + 2) % 3);
        let (c1, c2) = ((column + 1) % 3, (column + 2) % 3);
        m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]
    };
    let determinant: f64 = (0..3).map(|column| m[0][column] * cofactor(0, column)).sum();
    if determinant.abs() < 1e-9 {
        return None;
    }
    Some(std::array::from_fn(|row| std::array::from_fn(|column| cofactor(column, row) / determinant)))
}

#[cfg(test)]
mod tests {
    use super::super::curve::srgb_to_light;
    use super::*;

    const SRGB: [[f64; 2]; 4] = [[0.3127, 0.3290], [0.64, 0.33], [0.30, 0.60], [0.15, 0.06]];
    const P3: [[f64; 2]; 4] = [[0.3127, 0.3290], [0.68, 0.32], [0.265, 0.69], [0.15, 0.06]];

    fn srgb_curve() -> Curve {
        Curve::sample(srgb_to_light)
    }

    #[test]
    fn srgb_is_the_identity_however_it_is_said() {
        assert!(Shaper::with_curve(srgb_curve()).is_identity());
        assert!(Shaper::with_chromaticities(srgb_curve(), SRGB).unwrap().is_identity());
        let colorants =
            [[0.436_07, 0.385_15, 0.143_07], [0.222_49, 0.716_87, 0.060_61], [0.013_92, 0.097_08, 0.714_1]];
        let curves = [srgb_curve(), srgb_curve(), srgb_curve()];
        assert!(Shaper::with_colorants(curves, &colorants).is_identity());
    }

    #[test]
    fn display_p3_gets_more_saturated_numbers() {
        let shaper = Shaper::with_chromaticities(srgb_curve(), P3).unwrap();
        assert!(!shaper.is_identity());
        // Reference: the same sums in double precision, without tables (numpy).
        let converted = shaper.to_srgb([204.0, 102.0, 76.5]);
        for (value, expected) in converted.iter().zip([219.19, 94.45, 68.19]) {
            assert!((value - expected).abs() < 0.05, "{converted:?}");
        }
        let white = shaper.to_srgb([255.0; 3]);
        assert!(white.iter().all(|value| (value - 255.0).abs() < 0.1), "{white:?}");
        let grey = shaper.to_srgb([100.0; 3]);
        assert!(grey.iter().all(|value| (value - 100.0).abs() < 0.1), "{grey:?}");
    }

    #[test]
    fn a_warm_white_becomes_white() {
        let mut warm = SRGB;
        warm[0] = [0.345_7, 0.358_5];
        let white = Shaper::with_chromaticities(srgb_curve(), warm).unwrap().to_srgb([255.0; 3]);
        assert!(white.iter().all(|value| (value - 255.0).abs() < 0.2), "{white:?}");
    }

    #[test]
    fn chromaticities_that_make_no_space_are_refused() {
        for bad in [[[0.3, 0.0]; 4], [[0.3, 0.3]; 4], [[0.9, 0.9]; 4], [[-0.1, 0.5]; 4]] {
            assert_eq!(Shaper::with_chromaticities(srgb_curve(), bad), None);
        }
    }
}
