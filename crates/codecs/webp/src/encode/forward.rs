//! The forward transforms: coefficients from which `vp8::transform` makes the residual again, but for rounding.

use crate::vp8::transform::Block;

/// sqrt(2) * sin(pi / 8) and sqrt(2) * cos(pi / 8), in 12 bits of fraction.
const SINE: i32 = 2_217;
const COSINE: i32 = 5_352;

/// A residual's 16 differences, row by row, each -255..=255.
pub(super) type Residual = [i16; 16];

/// The cosine transform of a residual. A residual of `d` everywhere has the DC coefficient `8 * d`, and the sum of squares of
/// all coefficients is 4 times that of the residual.
#[inline]
pub(super) fn cosine(residual: &Residual) -> Block {
    let row = |at: usize| -> [i32; 4] { std::array::from_fn(|lane| i32::from(residual[4 * at + lane])) };
    // Three bits of fraction after the first pass.
    let columns = pass([row(0), row(1), row(2), row(3)], |even| even * 8, |odd| (odd + (1 << 8)) >> 9);
    let rows = pass(transpose(columns), |even| (even + 8) >> 4, |odd| (odd + (1 << 15)) >> 16);
    std::array::from_fn(|at| rows[at % 4][at / 4] as i16)
}

#[inline]
fn pass(
    [r0, r1, r2, r3]: [[i32; 4]; 4],
    even: impl Fn(i32) -> i32,
    odd: impl Fn(i32) -> i32,
) -> [[i32; 4]; 4] {
    let each = |of: &dyn Fn(usize) -> i32| -> [i32; 4] { std::array::from_fn(of) };
    let (a, b) = (each(&|at| r0[at] + r3[at]), each(&|at| r1[at] + r2[at]));
    let (c, d) = (each(&|at| r1[at] - r2[at]), each(&|at| r0[at] - r3[at]));
    [
        each(&|at| even(a[at] + b[at])),
        each(&|at| odd(c[at] * SINE + d[at] * COSINE)),
        each(&|at| even(a[at] - b[at])),
        each(&|at| odd(d[at] * SINE - c[at] * COSINE)),
    ]
}

#[inline]
fn transpose(rows: [[i32; 4]; 4]) -> [[i32; 4]; 4] {
    std::array::from_fn(|column| std::array::from_fn(|row| rows[row][column]))
}

/// The Walsh-Hadamard transform of the DC coefficients of 16 blocks. The sum of squares of its result is 4 times that of
/// the DC coefficients.
pub(super) fn walsh_hadamard(dcs: &Block) -> Block {
    let row = |at: usize| -> [i32; 4] { std::array::from_fn(|lane| i32::from(dcs[4 * at + lane])) };
    let pass = |[r0, r1, r2, r3]: [[i32; 4]; 4]| -> [[i32; 4]; 4] {
        let each = |of: &dyn Fn(usize) -> i32| -> [i32; 4] { std::array::from_fn(of) };
        [
            each(&|at| r0[at] + r1[at] + r2[at] + r3[at]),
            each(&|at| r0[at] + r1[at] - r2[at] - r3[at]),
            each(&|at| r0[at] - r1[at] - r2[at] + r3[at]),
            each(&|at| r0[at] - r1[at] + r2[at] - r3[at]),
        ]
    };
    let columns = pass([row(0), row(1), row(2), row(3)]);
    let rows = pass(transpose(columns));
    std::array::from_fn(|at| ((rows[at % 4][at / 4] + 1) >> 1) as i16)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vp8::transform::{add_inverse_cosine, inverse_walsh_hadamard};
    use crate::vp8::workspace::STRIDE;

    fn noise(state: &mut u32, below: u32) -> i16 {
        *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((*state >> 16) % below) as i16
    }

    #[test]
    fn the_inverse_cosine_transform_gives_the_residual_back() {
        let mut state = 3;
        for round in 0..2_000 {
            let amplitude = 1 + round % 120;
            let residual: Residual =
                std::array::from_fn(|_| noise(&mut state, 2 * amplitude + 1) - amplitude as i16);
            let mut pixels = [128; 4 * STRIDE];
            add_inverse_cosine(&mut pixels, 0, &cosine(&residual));
            for (at, &wanted) in residual.iter().enumerate() {
                let got = i16::from(pixels[at / 4 * STRIDE + at % 4]) - 128;
                assert!((got - wanted).abs() <= 1, "{got} for {wanted}");
            }
        }
    }

    #[test]
    fn the_inverse_walsh_hadamard_transform_gives_the_coefficients_back() {
        let mut state = 5;
        for _ in 0..2_000 {
            let dcs: Block = std::array::from_fn(|_| noise(&mut state, 4_081) - 2_040);
            for (got, wanted) in inverse_walsh_hadamard(&walsh_hadamard(&dcs)).into_iter().zip(dcs) {
                assert!((got - wanted).abs() <= 1, "{got} for {wanted}");
            }
        }
    }
}
