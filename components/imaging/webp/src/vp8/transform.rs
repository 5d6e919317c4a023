//! The two inverse transforms of VP8 (RFC 6386, section 14), exact to the last bit.
//!
//! Written over small arrays, lane by lane, so that the compiler turns each step into one vector instruction.

use crate::vp8::{coefficients::Block, workspace::STRIDE};

/// Four numbers that go through the same steps.
type Lanes = [i32; 4];

/// The DC coefficients of 16 luma blocks from the block they were sent in (section 14.3).
pub(crate) fn inverse_walsh_hadamard(block: &Block) -> [i16; 16] {
    let row = |at: usize| -> Lanes { std::array::from_fn(|lane| i32::from(block[4 * at + lane])) };
    let pass = |[r0, r1, r2, r3]: [Lanes; 4], rounding: i32| -> [Lanes; 4] {
        let (a0, a1) = (add(add(r0, r3), [rounding; 4]), add(r1, r2));
        let (a2, a3) = (sub(r1, r2), add(sub(r0, r3), [rounding; 4]));
        [add(a0, a1), add(a3, a2), sub(a0, a1), sub(a3, a2)]
    };
    let columns = transpose(pass([row(0), row(1), row(2), row(3)], 0));
    let rows = transpose(pass(columns, 3));
    std::array::from_fn(|at| (rows[at / 4][at % 4] >> 3) as i16)
}

#[inline(always)]
fn add(a: Lanes, b: Lanes) -> Lanes {
    std::array::from_fn(|lane| a[lane].wrapping_add(b[lane]))
}

#[inline(always)]
fn sub(a: Lanes, b: Lanes) -> Lanes {
    std::array::from_fn(|lane| a[lane].wrapping_sub(b[lane]))
}

/// Times sqrt(2) * sin(pi / 8), in 16 bits of fraction.
#[inline(always)]
fn times_sine(a: Lanes) -> Lanes {
    a.map(|a| a.wrapping_mul(35_468) >> 16)
}

/// Times sqrt(2) * cos(pi / 8), in 16 bits of fraction.
#[inline(always)]
fn times_cosine(a: Lanes) -> Lanes {
    a.map(|a| a.wrapping_add(a.wrapping_mul(20_091) >> 16))
}

#[inline(always)]
fn transpose(rows: [Lanes; 4]) -> [Lanes; 4] {
    std::array::from_fn(|column| std::array::from_fn(|row| rows[row][column]))
}

#[inline(always)]
fn cosine_pass([r0, r1, r2, r3]: [Lanes; 4]) -> [Lanes; 4] {
    let (a, b) = (add(r0, r2), sub(r0, r2));
    let c = sub(times_sine(r1), times_cosine(r3));
    let d = add(times_cosine(r1), times_sine(r3));
    [add(a, d), add(b, c), sub(b, c), sub(a, d)]
}

/// Adds the inverse cosine transform of `block` to the 4x4 pixels at `origin`.
#[inline(always)]
pub(crate) fn add_inverse_cosine(pixels: &mut [u8], origin: usize, block: &Block) {
    let row = |at: usize| -> Lanes { std::array::from_fn(|lane| i32::from(block[4 * at + lane])) };
    let columns = transpose(cosine_pass([row(0), row(1), row(2), row(3)]));
    let rows = transpose(cosine_pass(columns));
    let pixels = &mut pixels[origin..origin + 3 * STRIDE + 4];
    for (y, residual) in rows.iter().enumerate() {
        for (pixel, &residual) in pixels[y * STRIDE..y * STRIDE + 4].iter_mut().zip(residual) {
            *pixel = (i32::from(*pixel) + ((residual + 4) >> 3)).clamp(0, 255) as u8;
        }
    }
}

/// The same where only the DC coefficient is not 0: all 16 pixels change alike.
#[inline(always)]
pub(crate) fn add_inverse_cosine_of_dc(pixels: &mut [u8], origin: usize, dc: i16) {
    let residual = (i32::from(dc) + 4) >> 3;
    let pixels = &mut pixels[origin..origin + 3 * STRIDE + 4];
    for y in 0..4 {
        for pixel in &mut pixels[y * STRIDE..y * STRIDE + 4] {
            *pixel = (i32::from(*pixel) + residual).clamp(0, 255) as u8;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dc_alone_gives_what_the_whole_transform_gives() {
        for dc in (-33_000..33_000).step_by(7).map(|dc| dc as i16) {
            let mut block = [0; 16];
            block[0] = dc;
            let (mut whole, mut short) = ([100; 4 * STRIDE], [100; 4 * STRIDE]);
            add_inverse_cosine(&mut whole, 0, &block);
            add_inverse_cosine_of_dc(&mut short, 0, dc);
            assert_eq!(whole, short, "{dc}");
        }
    }

    #[test]
    fn walsh_hadamard_spreads_a_single_dc_evenly() {
        let mut block = [0; 16];
        block[0] = 805;
        assert_eq!(inverse_walsh_hadamard(&block), [(805 + 3) >> 3; 16]);
    }
}
