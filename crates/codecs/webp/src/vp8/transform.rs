//! The two inverse transforms of VP8 (RFC 6386, section 14), exact to the last bit.
//!
//! The Walsh-Hadamard transform is rare (one for 16 blocks) and written over small arrays; the cosine transform is not.

use thumbs_lanes::{I16x8, I32x4, U8x16};

use crate::vp8::workspace::STRIDE;

/// A block of coefficients, row by row.
pub(crate) type Block = [i16; 16];

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

#[inline(always)]
fn transpose(rows: [Lanes; 4]) -> [Lanes; 4] {
    std::array::from_fn(|column| std::array::from_fn(|row| rows[row][column]))
}

/// Times sqrt(2) * sin(pi / 8), in 16 bits of fraction.
#[inline(always)]
fn times_sine(a: I32x4) -> I32x4 {
    a.mul(35_468).shift_right(16)
}

/// Times sqrt(2) * cos(pi / 8), in 16 bits of fraction.
#[inline(always)]
fn times_cosine(a: I32x4) -> I32x4 {
    a.add(a.mul(20_091).shift_right(16))
}

#[inline(always)]
fn cosine_pass([r0, r1, r2, r3]: [I32x4; 4]) -> [I32x4; 4] {
    let (a, b) = (r0.add(r2), r0.sub(r2));
    let c = times_sine(r1).sub(times_cosine(r3));
    let d = times_cosine(r1).add(times_sine(r3));
    [a.add(d), b.add(c), b.sub(c), a.sub(d)]
}

/// Adds the inverse cosine transform of `block` to the 4x4 pixels at `origin`.
#[inline(always)]
pub(crate) fn add_inverse_cosine(pixels: &mut [u8], origin: usize, block: &Block) {
    let ([upper, lower], _) = block.as_chunks::<8>() else { return };
    let (upper, lower) = (I16x8::load(upper), I16x8::load(lower));
    let rows = [upper.widen_low(), upper.widen_high(), lower.widen_low(), lower.widen_high()];
    // What fits in 16 bits in any stream of an encoder is clamped in others, the same on every machine.
    let [r0, r1, r2, r3] = cosine_pass(rows);
    let (left, right) = I16x8::narrow(r0, r1).transpose(I16x8::narrow(r2, r3));
    let columns = [left.widen_low(), left.widen_high(), right.widen_low(), right.widen_high()];
    let [c0, c1, c2, c3] = cosine_pass(columns).map(|column| column.add(I32x4::splat(4)).shift_right(3));
    let (upper, lower) = I16x8::narrow(c0, c1).transpose(I16x8::narrow(c2, c3));
    add_to_pixels(pixels, origin, upper, lower);
}

/// The same where only the DC coefficient is not 0: all 16 pixels change alike.
#[inline(always)]
pub(crate) fn add_inverse_cosine_of_dc(pixels: &mut [u8], origin: usize, dc: i16) {
    let residual = I16x8::splat(((i32::from(dc) + 4) >> 3) as i16);
    add_to_pixels(pixels, origin, residual, residual);
}

/// Two rows of the residual in each vector.
#[inline(always)]
fn add_to_pixels(pixels: &mut [u8], origin: usize, upper: I16x8, lower: I16x8) {
    let pixels = &mut pixels[origin..origin + 3 * STRIDE + 4];
    let row = |y: usize| {
        let at = y * STRIDE;
        u32::from_le_bytes([pixels[at], pixels[at + 1], pixels[at + 2], pixels[at + 3]])
    };
    let predicted = U8x16::from_pixels([row(0), row(1), row(2), row(3)]);
    let sum = U8x16::narrow(
        predicted.widen_low().add_saturating(upper),
        predicted.widen_high().add_saturating(lower),
    );
    for (y, row) in sum.to_pixels().into_iter().enumerate() {
        pixels[y * STRIDE..y * STRIDE + 4].copy_from_slice(&row.to_le_bytes());
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
