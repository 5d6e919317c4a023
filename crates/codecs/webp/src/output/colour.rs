//! Y'CbCr to R'G'B' as WebP defines it: BT.601 with the "TV" range of 16..=235 (RFC 9649, section 2.5), in the fixed-point
//! arithmetic that WebP decoders share, so that full-size pixels come out as everywhere else.

use thumbs_lanes::{I16x8, I32x4, U8x16};

/// Weights with 14 bits of fraction, and offsets with 6 bits of fraction that hold the ranges' zero points and a half for
/// rounding.
const Y_WEIGHT: i32 = 19_077;
const V_TO_RED: i32 = 26_149;
const U_TO_GREEN: i32 = 6_419;
const V_TO_GREEN: i32 = 13_320;
const U_TO_BLUE: i32 = 33_050;
const RED_OFFSET: i32 = -14_234;
const GREEN_OFFSET: i32 = 8_708;
const BLUE_OFFSET: i32 = -17_685;

/// Sixteen pixels from 8-bit values: their reds, greens and blues.
#[inline(always)]
pub(crate) fn rgb_16(y: U8x16, u: U8x16, v: U8x16) -> [U8x16; 3] {
    let low = rgb_8(y.widen_low(), u.widen_low(), v.widen_low());
    let high = rgb_8(y.widen_high(), u.widen_high(), v.widen_high());
    std::array::from_fn(|channel| U8x16::narrow(low[channel], high[channel]))
}

/// Eight pixels; values beyond a byte are still to be clamped.
#[inline(always)]
fn rgb_8(y: I16x8, u: I16x8, v: I16x8) -> [I16x8; 3] {
    let low = rgb_4(y.widen_low(), u.widen_low(), v.widen_low());
    let high = rgb_4(y.widen_high(), u.widen_high(), v.widen_high());
    // What does not fit in 16 bits is far beyond a byte with its 6 bits of fraction.
    std::array::from_fn(|channel| I16x8::narrow(low[channel], high[channel]).shift_right(6))
}

#[inline(always)]
fn rgb_4(y: I32x4, u: I32x4, v: I32x4) -> [I32x4; 3] {
    let weigh = |value: I32x4, weight: i32| value.mul(weight).shift_right(8);
    let luma = weigh(y, Y_WEIGHT);
    [
        luma.add(weigh(v, V_TO_RED)).add(I32x4::splat(RED_OFFSET)),
        luma.sub(weigh(u, U_TO_GREEN)).sub(weigh(v, V_TO_GREEN)).add(I32x4::splat(GREEN_OFFSET)),
        luma.add(weigh(u, U_TO_BLUE)).add(I32x4::splat(BLUE_OFFSET)),
    ]
}

/// One pixel from 8-bit values: what the rest of this file is held against.
#[cfg(test)]
pub(crate) fn rgb(y: u8, u: u8, v: u8) -> [u8; 3] {
    let weigh = |value: u8, weight: i32| (i32::from(value) * weight) >> 8;
    let luma = weigh(y, Y_WEIGHT);
    let clip = |value: i32| (value >> 6).clamp(0, 255) as u8;
    [
        clip(luma + weigh(v, V_TO_RED) + RED_OFFSET),
        clip(luma - weigh(u, U_TO_GREEN) - weigh(v, V_TO_GREEN) + GREEN_OFFSET),
        clip(luma + weigh(u, U_TO_BLUE) + BLUE_OFFSET),
    ]
}

/// One pixel from averages with 8 bits of fraction (0..=65,280), rounded once.
#[inline(always)]
pub(crate) fn rgb_of_average(y: u32, u: u32, v: u32) -> [u8; 3] {
    let weigh = |value: u32, weight: i32| i64::from(value) * i64::from(weight);
    let luma = weigh(y, Y_WEIGHT);
    let clip = |value: i64, offset: i32| ((value + (i64::from(offset) << 16)) >> 22).clamp(0, 255) as u8;
    [
        clip(luma + weigh(v, V_TO_RED), RED_OFFSET),
        clip(luma - weigh(u, U_TO_GREEN) - weigh(v, V_TO_GREEN), GREEN_OFFSET),
        clip(luma + weigh(u, U_TO_BLUE), BLUE_OFFSET),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixteen_pixels_convert_like_single_ones() {
        let load = |start: usize| -> [u8; 16] { std::array::from_fn(|at| (start + at).min(255) as u8) };
        for y in (0..256).step_by(16) {
            for u in (0..256).step_by(15) {
                for v in (0..256).step_by(17) {
                    let [ys, us, vs] = [load(y), load(u), load(v)];
                    let planes = rgb_16(U8x16::load(&ys), U8x16::load(&us), U8x16::load(&vs)).map(|plane| {
                        let mut bytes = [0; 16];
                        plane.store(&mut bytes);
                        bytes
                    });
                    for at in 0..16 {
                        let pixel = planes.map(|plane| plane[at]);
                        assert_eq!(pixel, rgb(ys[at], us[at], vs[at]), "{y} {u} {v}, {at}");
                    }
                }
            }
        }
    }

    #[test]
    fn averages_of_whole_values_convert_like_the_values() {
        for y in (0..=255).step_by(3) {
            for u in (0..=255).step_by(5) {
                for v in (0..=255).step_by(5) {
                    let whole = rgb(y, u, v);
                    let average = rgb_of_average(u32::from(y) << 8, u32::from(u) << 8, u32::from(v) << 8);
                    for (a, b) in whole.into_iter().zip(average) {
                        assert!(a.abs_diff(b) <= 1, "{y} {u} {v}: {whole:?} {average:?}");
                    }
                }
            }
        }
    }
}
