//! Y'CbCr to R'G'B' as WebP defines it: BT.601 with the "TV" range of 16..=235 (RFC 9649, section 2.5), in the fixed-point
//! arithmetic that WebP decoders share, so that full-size pixels come out as everywhere else.

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

/// One pixel from 8-bit values.
#[inline(always)]
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
