//! The spatial predictor (RFC 9649, section 3.5.1): each pixel was stored as its difference to one of 14 predictions.
//!
//! Pixels are `0xAARRGGBB`; all arithmetic is per byte, modulo 256.

use thumbs_lanes::{I16x8, U8x16};

/// What is predicted where nothing is known: opaque black.
const BLACK: u32 = 0xff00_0000;
const EVEN_BYTES: u32 = 0x00ff_00ff;

/// Sum, byte by byte.
#[inline(always)]
pub(crate) const fn add(a: u32, b: u32) -> u32 {
    let even = (a & EVEN_BYTES).wrapping_add(b & EVEN_BYTES) & EVEN_BYTES;
    let odd = (a & !EVEN_BYTES).wrapping_add(b & !EVEN_BYTES) & !EVEN_BYTES;
    even | odd
}

/// Mean, rounded down, byte by byte.
#[inline(always)]
const fn mean(a: u32, b: u32) -> u32 {
    (a & b) + (((a ^ b) & 0xfefe_fefe) >> 1)
}

#[inline(always)]
fn bytes(pixel: u32) -> [i32; 4] {
    pixel.to_le_bytes().map(i32::from)
}

/// Mode 11: whichever of left and top is nearer to left + top - corner.
#[inline(always)]
fn select(left: u32, top: u32, corner: u32) -> u32 {
    let (l, t, c) = (bytes(left), bytes(top), bytes(corner));
    let balance: i32 = (0..4).map(|at| (t[at] - c[at]).abs() - (l[at] - c[at]).abs()).sum();
    if balance < 0 { left } else { top }
}

/// Mode 12.
#[inline(always)]
fn gradient(left: u32, top: u32, corner: u32) -> u32 {
    let (l, t, c) = (bytes(left), bytes(top), bytes(corner));
    u32::from_le_bytes(std::array::from_fn(|at| (l[at] + t[at] - c[at]).clamp(0, 255) as u8))
}

/// Mode 13. The division truncates.
#[inline(always)]
fn half_gradient(left: u32, top: u32, corner: u32) -> u32 {
    let (m, c) = (bytes(mean(left, top)), bytes(corner));
    u32::from_le_bytes(std::array::from_fn(|at| (m[at] + (m[at] - c[at]) / 2).clamp(0, 255) as u8))
}

/// Undoes the prediction of one row of pixels in place.
///
/// `above` is the finished row above, empty for the first row of an image. `modes`: one pixel for each block of
/// `1 << block_bits` pixels, mode in green.
pub(crate) fn undo_row(row: &mut [u32], above: &[u32], modes: &[u32], block_bits: u32) {
    let width = row.len();
    if above.is_empty() {
        row[0] = add(row[0], BLACK);
        run_left(row, 1, width);
        return;
    }
    row[0] = add(row[0], above[0]);
    if width == 1 {
        return;
    }
    let mut first = 1;
    for (block, mode) in modes.iter().enumerate() {
        let last = ((block + 1) << block_bits).min(width - 1).max(first);
        undo_run((mode >> 8) & 15, row, above, first, last);
        first = last;
    }
    // Right of the last pixel above, what is taken is the first pixel of this row.
    let mode = modes[(width - 1) >> block_bits];
    let mut last_two = [row[width - 2], row[width - 1]];
    undo_run((mode >> 8) & 15, &mut last_two, &[above[width - 2], above[width - 1], row[0]], 1, 2);
    row[width - 1] = last_two[1];
}

/// Mode 1: a running sum.
#[inline(always)]
fn run_left(row: &mut [u32], first: usize, last: usize) {
    let mut left = row[first - 1];
    let (chunks, rest) = row[first..last].as_chunks_mut::<4>();
    let mut lefts = U8x16::from_pixels([left; 4]);
    for chunk in chunks {
        let pixels = U8x16::load_pixels(chunk);
        let pairs = pixels.add(pixels.move_one_pixel());
        let sums = pairs.add(pairs.move_two_pixels()).add(lefts);
        sums.store_pixels(chunk);
        lefts = sums.splat_pixel::<3>();
    }
    left = lefts.to_pixels()[0];
    for pixel in rest {
        left = add(*pixel, left);
        *pixel = left;
    }
}

/// A prediction from what is above only: corner, top, top right. `wide` does the same as `single` for four pixels.
#[inline(always)]
fn run_above(
    row: &mut [u32],
    above: &[u32],
    first: usize,
    last: usize,
    wide: impl Fn(U8x16, U8x16, U8x16) -> U8x16,
    single: impl Fn(u32, u32, u32) -> u32,
) {
    let around = &above[first - 1..last + 1];
    let (chunks, rest) = row[first..last].as_chunks_mut::<4>();
    let mut at = 0;
    for chunk in chunks {
        let predicted = wide(load(around, at), load(around, at + 1), load(around, at + 2));
        U8x16::load_pixels(chunk).add(predicted).store_pixels(chunk);
        at += 4;
    }
    for (pixel, around) in rest.iter_mut().zip(around[at..].windows(3)) {
        *pixel = add(*pixel, single(around[0], around[1], around[2]));
    }
}

/// Four pixels from `at` on.
#[inline(always)]
fn load(pixels: &[u32], at: usize) -> U8x16 {
    pixels[at..].first_chunk().map_or(U8x16::from_pixels([0; 4]), U8x16::load_pixels)
}

/// A prediction from the left and what is above: left, corner, top, top right.
///
/// `wide` does the same as `single` with bytes as numbers of 16 bits, of one pixel at a time: each waits for the one before,
/// and fewest steps win.
#[inline(always)]
fn run_around(
    row: &mut [u32],
    above: &[u32],
    first: usize,
    last: usize,
    wide: impl Fn(I16x8, I16x8, I16x8, I16x8) -> I16x8,
    single: impl Fn(u32, u32, u32, u32) -> u32,
) {
    let around = &above[first - 1..last + 1];
    let mut left = row[first - 1];
    let (chunks, rest) = row[first..last].as_chunks_mut::<4>();
    let mut at = 0;
    let mut wide_left = U8x16::from_pixels([left; 4]).widen_low();
    for chunk in chunks {
        let pixels = U8x16::load_pixels(chunk);
        let [corner, top, right] = [0, 1, 2].map(|beside| load(around, at + beside));
        let mut two = |pixels: I16x8, corner: I16x8, top: I16x8, right: I16x8| {
            let first = wide(wide_left, corner, top, right).add(pixels).and(I16x8::splat(0xff));
            let second = wide(first, corner.upper_half(), top.upper_half(), right.upper_half())
                .add(pixels.upper_half())
                .and(I16x8::splat(0xff));
            wide_left = second;
            I16x8::join_lower(first, second)
        };
        let low = two(pixels.widen_low(), corner.widen_low(), top.widen_low(), right.widen_low());
        let high = two(pixels.widen_high(), corner.widen_high(), top.widen_high(), right.widen_high());
        U8x16::narrow(low, high).store_pixels(chunk);
        left = chunk[3];
        at += 4;
    }
    for (pixel, around) in rest.iter_mut().zip(around[at..].windows(3)) {
        left = add(*pixel, single(left, around[0], around[1], around[2]));
        *pixel = left;
    }
}

/// As [`run_around`], in bytes: for predictions whose steps saturate by themselves. `prepared` is what of corner and top is known
/// before the left pixel is. `wide` predicts four pixels as if the same one stood left of each; only one of them is right.
#[inline(always)]
fn run_saturating(
    row: &mut [u32],
    above: &[u32],
    first: usize,
    last: usize,
    prepared: impl Fn(U8x16, U8x16) -> [U8x16; 2],
    wide: impl Fn(U8x16, [U8x16; 2]) -> U8x16,
    single: impl Fn(u32, u32, u32) -> u32,
) {
    let around = &above[first - 1..last + 1];
    let mut left = row[first - 1];
    let (chunks, rest) = row[first..last].as_chunks_mut::<4>();
    let mut at = 0;
    let mut lefts = U8x16::from_pixels([left; 4]);
    for chunk in chunks {
        let pixels = U8x16::load_pixels(chunk);
        let known = prepared(load(around, at), load(around, at + 1));
        let first = wide(lefts, known).add(pixels);
        let second = wide(first.splat_pixel::<0>(), known).add(pixels);
        let third = wide(second.splat_pixel::<1>(), known).add(pixels);
        let fourth = wide(third.splat_pixel::<2>(), known).add(pixels);
        lefts = fourth.splat_pixel::<3>();
        U8x16::pixels_of([first, second, third, fourth]).store_pixels(chunk);
        left = chunk[3];
        at += 4;
    }
    for (pixel, around) in rest.iter_mut().zip(around[at..].windows(2)) {
        left = add(*pixel, single(left, around[0], around[1]));
        *pixel = left;
    }
}

#[inline(always)]
fn wide_mean(a: I16x8, b: I16x8) -> I16x8 {
    a.add(b).shift_right(1)
}

fn undo_run(mode: u32, row: &mut [u32], above: &[u32], first: usize, last: usize) {
    match mode {
        1 => run_left(row, first, last),
        2 => run_above(row, above, first, last, |_, top, _| top, |_, top, _| top),
        3 => run_above(row, above, first, last, |_, _, right| right, |_, _, right| right),
        4 => run_above(row, above, first, last, |corner, _, _| corner, |corner, _, _| corner),
        5 => run_around(
            row,
            above,
            first,
            last,
            |left, _, top, right| wide_mean(wide_mean(left, right), top),
            |left, _, top, right| mean(mean(left, right), top),
        ),
        6 => run_around(
            row,
            above,
            first,
            last,
            |left, corner, _, _| wide_mean(left, corner),
            |left, corner, _, _| mean(left, corner),
        ),
        7 => run_around(
            row,
            above,
            first,
            last,
            |left, _, top, _| wide_mean(left, top),
            |left, _, top, _| mean(left, top),
        ),
        8 => run_above(
            row,
            above,
            first,
            last,
            |corner, top, _| corner.mean(top),
            |corner, top, _| mean(corner, top),
        ),
        9 => run_above(
            row,
            above,
            first,
            last,
            |_, top, right| top.mean(right),
            |_, top, right| mean(top, right),
        ),
        10 => run_around(
            row,
            above,
            first,
            last,
            |left, corner, top, right| wide_mean(wide_mean(left, corner), wide_mean(top, right)),
            |left, corner, top, right| mean(mean(left, corner), mean(top, right)),
        ),
        11 => run_around(
            row,
            above,
            first,
            last,
            |left, corner, top, _| {
                let balance = top.sub(corner).abs().sub(left.sub(corner).abs()).half_sums();
                // Its sign bit, spread, is a mask.
                balance.shift_right(15).select(left, top)
            },
            |left, corner, top, _| select(left, top, corner),
        ),
        12 => run_saturating(
            row,
            above,
            first,
            last,
            // Of the rise and the fall from the corner to the top, one is 0.
            |corner, top| [top.sub_saturating(corner), corner.sub_saturating(top)],
            |left, [rise, fall]| left.add_saturating(rise).sub_saturating(fall),
            |left, corner, top| gradient(left, top, corner),
        ),
        13 => run_saturating(
            row,
            above,
            first,
            last,
            |corner, top| [corner, top],
            |left, [corner, top]| {
                let mean = left.mean(top);
                let (rise, fall) = (mean.sub_saturating(corner), corner.sub_saturating(mean));
                mean.add_saturating(rise.half()).sub_saturating(fall.half())
            },
            |left, corner, top| half_gradient(left, top, corner),
        ),
        // 0; 14 and 15 have no meaning, and decoders agree to take them for 0.
        _ => run_above(row, above, first, last, |_, _, _| U8x16::from_pixels([BLACK; 4]), |_, _, _| BLACK),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs of every length take the wide path for some pixels and the single one for the rest; started pixel by pixel, all
    /// take the single one.
    #[test]
    fn four_pixels_at_once_are_predicted_like_single_ones() {
        let mut state = 1_u32;
        let mut noise = |count: usize| -> Vec<u32> {
            let mut next = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                state >> 8
            };
            // Extremes are as likely as all else.
            let byte = |value: u32| [0, 255, value, value >> 8][(value >> 16) as usize % 4] & 0xff;
            (0..count).map(|_| (0..4).fold(0, |pixel, _| (pixel << 8) | byte(next()))).collect()
        };
        for mode in 0..16 {
            for length in 1..40 {
                let (row, above) = (noise(length + 1), noise(length + 2));
                let (mut wide, mut single) = (row.clone(), row);
                undo_run(mode, &mut wide, &above, 1, length + 1);
                for at in 1..=length {
                    undo_run(mode, &mut single, &above, at, at + 1);
                }
                assert_eq!(wide, single, "mode {mode}, {length} pixels");
            }
        }
    }
}
