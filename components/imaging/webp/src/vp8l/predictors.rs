//! The spatial predictor (RFC 9649, section 3.5.1): each pixel was stored as its difference to one of 14 predictions.
//!
//! Pixels are `0xAARRGGBB`; all arithmetic is per byte, modulo 256.

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
/// `above` is the finished row above, and one more entry, which this sets: right of the last pixel above, what is taken is
/// the first pixel of this row. `modes`: one pixel for each block of `1 << block_bits` pixels, mode in green; ignored in the
/// first row of an image.
pub(crate) fn undo_row(row: &mut [u32], above: &mut [u32], first_row: bool, modes: &[u32], block_bits: u32) {
    let width = row.len();
    let above = &mut above[..width + 1];
    if first_row {
        row[0] = add(row[0], BLACK);
        run_left(&mut row[..], 1, width);
        return;
    }
    row[0] = add(row[0], above[0]);
    above[width] = row[0];
    let mut first = 1;
    for (block, mode) in modes.iter().enumerate() {
        let last = ((block + 1) << block_bits).min(width);
        undo_run((mode >> 8) & 15, row, above, first, last);
        first = last;
    }
}

/// Mode 1: a running sum.
#[inline(always)]
fn run_left(row: &mut [u32], first: usize, last: usize) {
    let mut left = row[first - 1];
    for pixel in &mut row[first..last] {
        left = add(*pixel, left);
        *pixel = left;
    }
}

/// A prediction from what is above only.
#[inline(always)]
fn run_above(
    row: &mut [u32],
    above: &[u32],
    first: usize,
    last: usize,
    predict: impl Fn(u32, u32, u32) -> u32,
) {
    let around = &above[first - 1..last + 1];
    for (at, pixel) in row[first..last].iter_mut().enumerate() {
        *pixel = add(*pixel, predict(around[at], around[at + 1], around[at + 2]));
    }
}

/// A prediction from the left and what is above: left, corner, top, top right.
#[inline(always)]
fn run_around(
    row: &mut [u32],
    above: &[u32],
    first: usize,
    last: usize,
    predict: impl Fn(u32, u32, u32, u32) -> u32,
) {
    let around = &above[first - 1..last + 1];
    let mut left = row[first - 1];
    for (pixel, around) in row[first..last].iter_mut().zip(around.windows(3)) {
        left = add(*pixel, predict(left, around[0], around[1], around[2]));
        *pixel = left;
    }
}

fn undo_run(mode: u32, row: &mut [u32], above: &[u32], first: usize, last: usize) {
    match mode {
        1 => run_left(row, first, last),
        2 => run_above(row, above, first, last, |_, top, _| top),
        3 => run_above(row, above, first, last, |_, _, right| right),
        4 => run_above(row, above, first, last, |corner, _, _| corner),
        5 => run_around(row, above, first, last, |left, _, top, right| mean(mean(left, right), top)),
        6 => run_around(row, above, first, last, |left, corner, _, _| mean(left, corner)),
        7 => run_around(row, above, first, last, |left, _, top, _| mean(left, top)),
        8 => run_above(row, above, first, last, |corner, top, _| mean(corner, top)),
        9 => run_above(row, above, first, last, |_, top, right| mean(top, right)),
        10 => run_around(row, above, first, last, |left, corner, top, right| {
            mean(mean(left, corner), mean(top, right))
        }),
        11 => run_around(row, above, first, last, |left, corner, top, _| select(left, top, corner)),
        12 => run_around(row, above, first, last, |left, corner, top, _| gradient(left, top, corner)),
        13 => run_around(row, above, first, last, |left, corner, top, _| half_gradient(left, top, corner)),
        // 0; 14 and 15 have no meaning, and decoders agree to take them for 0.
        _ => run_above(row, above, first, last, |_, _, _| BLACK),
    }
}
