//! Inverse DCTs to 8x8, 4x4, 2x2 and 1x1 samples. The 8x8 one is the Loeffler-Ligtenberg-Moschytz factorisation with 13-bit
//! constants, 2 more bits between its passes, columns first: the same integers as libjpeg's accurate one, so that a full-size
//! decode can be compared byte by byte. The smaller ones are true 4- and 2-point transforms of the lowest terms: a band-limited
//! reduction, not a box filter.
//!
//! Blocks are laid out as [`Shape::layout`] says. Sums that no encoder's block can reach wrap or saturate, equally on
//! all targets.

use thumbs_lanes::{I16x8, I32x4, U8x16};

use crate::shape::Shape;

/// Bits of the constants' fraction.
const CONST_BITS: u32 = 13;
/// Bits kept between the passes.
const PASS1_BITS: u32 = 2;
/// Of the passes' scaling by 8, what is left to divide by.
const SCALE_BITS: u32 = 3;
const PASS1_SHIFT: u32 = CONST_BITS - PASS1_BITS;
const PASS2_SHIFT: u32 = CONST_BITS + PASS1_BITS + SCALE_BITS;

const ONE: i16 = 1 << CONST_BITS;
/// The names are the constants; sqrt(2) * cos(k * pi / 16) in sums and differences.
const F_0_298: i16 = 2446;
const F_0_390: i16 = 3196;
const F_0_541: i16 = 4433;
const F_0_765: i16 = 6270;
const F_0_899: i16 = 7373;
const F_1_175: i16 = 9633;
const F_1_306: i16 = 10_703;
const F_1_501: i16 = 12_299;
const F_1_847: i16 = 15_137;
const F_1_961: i16 = 16_069;
const F_2_053: i16 = 16_819;
const F_2_562: i16 = 20_995;
const F_3_072: i32 = 25_172;

/// Writes the samples of a dequantised block to `out`, whose rows are `stride` apart.
#[inline(always)]
pub(crate) fn inverse(shape: Shape, block: &[i16; 64], out: &mut [u8], stride: usize) {
    match (shape.across, shape.down) {
        (1, 1) => out[0] = mean(i32::from(block[0])),
        (2, 1) => (out[0], out[1]) = pair(block),
        (1, 2) => (out[0], out[stride]) = pair(block),
        (2, 2) => inverse_2x2(block, out, stride),
        (4, 4) => inverse_4x4(block, out, stride),
        (8, 8) => inverse_8x8(block, out, stride),
        _ => inverse_any(shape, block, out, stride),
    }
}

/// The 2-point transform.
#[inline(always)]
fn pair(block: &[i16; 64]) -> (u8, u8) {
    let (dc, term) = (i32::from(block[0]), i32::from(block[1]));
    (mean(dc + term), mean(dc - term))
}

/// The sample that a block's dequantised DC term stands for.
#[inline(always)]
pub(crate) fn mean(dc: i32) -> u8 {
    (((dc.wrapping_add(4)) >> SCALE_BITS) + 128).clamp(0, 255) as u8
}

/// A block without AC terms, of any shape.
#[inline(always)]
pub(crate) fn flat(shape: Shape, dc: i16, out: &mut [u8], stride: usize) {
    let sample = mean(i32::from(dc));
    for row in out.chunks_mut(stride).take(shape.down) {
        match shape.across {
            1 => row[0] = sample,
            2 => row[..2].fill(sample),
            4 => row[..4].fill(sample),
            _ => row[..8].fill(sample),
        }
    }
}

#[inline(always)]
fn inverse_2x2(block: &[i16; 64], out: &mut [u8], stride: usize) {
    let [dc, x, y, xy] = [block[0], block[1], block[2], block[3]].map(i32::from);
    out[0] = mean(dc + x + y + xy);
    out[1] = mean(dc - x + y - xy);
    out[stride] = mean(dc + x - y - xy);
    out[stride + 1] = mean(dc - x - y + xy);
}

/// One 4-point pass over four lanes: from terms (0|1) and (2|3) to samples 0 to 3.
#[inline(always)]
fn pass_4<const SHIFT: u32>(terms_0_2: I16x8, terms_1_3: I16x8) -> [I32x4; 4] {
    let round = I32x4::splat(1 << (SHIFT - 1));
    let even = [ONE, -ONE].map(|sign| terms_0_2.dot(I16x8::splat_pair(ONE, sign)).add(round));
    let odd = [(F_1_306, F_0_541), (F_0_541, -F_1_306)].map(|(a, b)| terms_1_3.dot(I16x8::splat_pair(a, b)));
    [
        even[0].add(odd[0]).shift_right(SHIFT),
        even[1].add(odd[1]).shift_right(SHIFT),
        even[1].sub(odd[1]).shift_right(SHIFT),
        even[0].sub(odd[0]).shift_right(SHIFT),
    ]
}

#[inline(always)]
fn inverse_4x4(block: &[i16; 64], out: &mut [u8], stride: usize) {
    let (low, high) = (load(block, 0), load(block, 1));
    let columns = pass_4::<PASS1_SHIFT>(low.zip_low(high), low.zip_high(high));
    // Two columns of samples each; transposed into two rows of terms each.
    let low = I16x8::narrow(columns[0], columns[1]);
    let high = I16x8::narrow(columns[2], columns[3]);
    let (even, odd) = (low.zip_low(high), low.zip_high(high));
    let (low, high) = (even.zip_low(odd), even.zip_high(odd));
    let rows = pass_4::<PASS2_SHIFT>(low.zip_low(high), low.zip_high(high));
    let samples = to_samples(I16x8::narrow(rows[0], rows[1]), I16x8::narrow(rows[2], rows[3])).to_array();
    for (row, samples) in out.chunks_mut(stride).zip(samples.chunks_exact(4)) {
        row[..4].copy_from_slice(samples);
    }
}

#[inline(always)]
fn load(block: &[i16; 64], row: usize) -> I16x8 {
    let mut numbers = [0; 8];
    numbers.copy_from_slice(&block[8 * row..8 * row + 8]);
    I16x8::load(&numbers)
}

/// From signed around 0 to unsigned around 128.
#[inline(always)]
fn to_samples(low: I16x8, high: I16x8) -> U8x16 {
    let middle = I16x8::splat(128);
    U8x16::narrow(low.add_saturating(middle), high.add_saturating(middle))
}

/// `a[i] * weights[0] + b[i] * weights[1]`, lower and upper half.
#[inline(always)]
fn dot_pairs(a: I16x8, b: I16x8, weights: I16x8) -> [I32x4; 2] {
    [a.zip_low(b).dot(weights), a.zip_high(b).dot(weights)]
}

/// One 8-point pass over eight lanes.
#[inline(always)]
fn pass_8<const SHIFT: u32>(terms: [I16x8; 8]) -> [I16x8; 8] {
    let round = I32x4::splat(1 << (SHIFT - 1));
    let dot =
        |a: I16x8, b: I16x8, weights: (i16, i16)| dot_pairs(a, b, I16x8::splat_pair(weights.0, weights.1));
    let add = |a: [I32x4; 2], b: [I32x4; 2]| [a[0].add(b[0]), a[1].add(b[1])];
    let sub = |a: [I32x4; 2], b: [I32x4; 2]| [a[0].sub(b[0]), a[1].sub(b[1])];

    let low = dot(terms[2], terms[6], (F_0_541, F_0_541 - F_1_847));
    let high = dot(terms[2], terms[6], (F_0_541 + F_0_765, F_0_541));
    let sum = add(dot(terms[0], terms[4], (ONE, ONE)), [round, round]);
    let difference = add(dot(terms[0], terms[4], (ONE, -ONE)), [round, round]);
    let even = [add(sum, high), add(difference, low), sub(difference, low), sub(sum, high)];

    let (outer, inner) = (terms[7].add(terms[3]), terms[5].add(terms[1]));
    let z3 = dot(outer, inner, (F_1_175 - F_1_961, F_1_175));
    let z4 = dot(outer, inner, (F_1_175, F_1_175 - F_0_390));
    let odd = [
        add(dot(terms[7], terms[1], (-F_0_899, F_1_501 - F_0_899)), z4),
        add(dot(terms[5], terms[3], (-F_2_562, (F_3_072 - F_2_562 as i32) as i16)), z3),
        add(dot(terms[5], terms[3], (F_2_053 - F_2_562, -F_2_562)), z4),
        add(dot(terms[7], terms[1], (F_0_298 - F_0_899, -F_0_899)), z3),
    ];

    let descale = |sums: [I32x4; 2]| I16x8::narrow(sums[0].shift_right(SHIFT), sums[1].shift_right(SHIFT));
    [
        descale(add(even[0], odd[0])),
        descale(add(even[1], odd[1])),
        descale(add(even[2], odd[2])),
        descale(add(even[3], odd[3])),
        descale(sub(even[3], odd[3])),
        descale(sub(even[2], odd[2])),
        descale(sub(even[1], odd[1])),
        descale(sub(even[0], odd[0])),
    ]
}

#[inline(always)]
fn transpose(rows: [I16x8; 8]) -> [I16x8; 8] {
    let zip = |a: [I16x8; 8]| {
        // A perfect shuffle of 64 numbers, three of which transpose.
        [
            a[0].zip_low(a[4]),
            a[0].zip_high(a[4]),
            a[1].zip_low(a[5]),
            a[1].zip_high(a[5]),
            a[2].zip_low(a[6]),
            a[2].zip_high(a[6]),
            a[3].zip_low(a[7]),
            a[3].zip_high(a[7]),
        ]
    };
    zip(zip(zip(rows)))
}

#[inline(always)]
fn inverse_8x8(block: &[i16; 64], out: &mut [u8], stride: usize) {
    let terms: [I16x8; 8] = std::array::from_fn(|row| load(block, row));
    let columns = transpose(pass_8::<PASS2_SHIFT>(transpose(pass_8::<PASS1_SHIFT>(terms))));
    for (rows, pair) in out.chunks_mut(2 * stride).zip(columns.chunks_exact(2)) {
        let samples = to_samples(pair[0], pair[1]).to_array();
        rows[..8].copy_from_slice(&samples[..8]);
        rows[stride..stride + 8].copy_from_slice(&samples[8..]);
    }
}

/// For the shapes of rare samplings.
#[inline(never)]
fn inverse_any(shape: Shape, block: &[i16; 64], out: &mut [u8], stride: usize) {
    let mut terms = [I16x8::splat(0); 8];
    for (to, row) in terms.iter_mut().zip(block.chunks_exact(shape.across)).take(shape.down) {
        let mut numbers = [0; 8];
        numbers[..shape.across].copy_from_slice(row);
        *to = I16x8::load(&numbers);
    }
    let columns = pass_any::<PASS1_SHIFT>(shape.down, terms);
    let rows = transpose(pass_any::<PASS2_SHIFT>(shape.across, transpose(columns)));
    for (row, samples) in out.chunks_mut(stride).zip(rows).take(shape.down) {
        let samples = to_samples(samples, samples).to_array();
        row[..shape.across].copy_from_slice(&samples[..shape.across]);
    }
}

/// One pass of 1, 2, 4 or 8 points over eight lanes.
#[inline(always)]
fn pass_any<const SHIFT: u32>(points: usize, mut terms: [I16x8; 8]) -> [I16x8; 8] {
    if points == 8 {
        return pass_8::<SHIFT>(terms);
    }
    let zero = I16x8::splat(0);
    if points == 4 {
        let low = pass_4::<SHIFT>(terms[0].zip_low(terms[2]), terms[1].zip_low(terms[3]));
        let high = pass_4::<SHIFT>(terms[0].zip_high(terms[2]), terms[1].zip_high(terms[3]));
        for (to, (low, high)) in terms.iter_mut().zip(low.into_iter().zip(high)) {
            *to = I16x8::narrow(low, high);
        }
        return terms;
    }
    let round = I32x4::splat(1 << (SHIFT - 1));
    let combine = |sign: i16| {
        let other = if points == 2 { terms[1] } else { zero };
        let [low, high] = dot_pairs(terms[0], other, I16x8::splat_pair(ONE, sign));
        I16x8::narrow(low.add(round).shift_right(SHIFT), high.add(round).shift_right(SHIFT))
    };
    [combine(ONE), combine(-ONE), zero, zero, zero, zero, zero, zero]
}

#[cfg(test)]
mod tests {
    use super::{flat, inverse};
    use crate::shape::Shape;
    use crate::zigzag;
    use std::f64::consts::PI;

    fn shapes() -> impl Iterator<Item = Shape> {
        [1, 2, 4, 8].into_iter().flat_map(|across| [1, 2, 4, 8].map(|down| Shape { across, down }))
    }

    /// A small deterministic generator, so that a failure can be repeated.
    fn blocks(count: usize) -> impl Iterator<Item = [i16; 64]> {
        let mut state = 7_u64;
        let mut random = move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as i32
        };
        (0..count).map(move |_| {
            std::array::from_fn(|k| {
                let range = 1 + 600 / (1 + k as i32);
                (random() % (2 * range) - range) as i16
            })
        })
    }

    /// T.81, A.3.3, restricted to the lowest frequencies each way.
    fn reference(by_index: &[i16; 64], shape: Shape, x: usize, y: usize) -> f64 {
        let norm = |k: usize| if k == 0 { 0.5_f64.sqrt() } else { 1.0 };
        let wave = |k: usize, at: usize, side: usize| {
            ((2 * at + 1) as f64 * k as f64 * PI / (2 * side) as f64).cos() * norm(k)
        };
        let mut sum = 0.0;
        for (k, &term) in by_index.iter().enumerate() {
            let (v, u) = zigzag::place(k);
            if u < shape.across && v < shape.down {
                sum += f64::from(term) * wave(u, x, shape.across) * wave(v, y, shape.down);
            }
        }
        (sum / 4.0 + 128.0).clamp(0.0, 255.0)
    }

    #[test]
    fn all_shapes_agree_with_the_definition() {
        for shape in shapes() {
            for by_index in blocks(50) {
                let mut block = [0; 64];
                for k in (0..64).filter(|k| shape.kept() >> k & 1 == 1) {
                    block[usize::from(shape.layout()[k])] = by_index[k];
                }
                let mut out = [0; 8 * 16];
                inverse(shape, &block, &mut out, 16);
                for (y, row) in out.chunks(16).take(shape.down).enumerate() {
                    for (x, &sample) in row.iter().take(shape.across).enumerate() {
                        let error = f64::from(sample) - reference(&by_index, shape, x, y);
                        assert!(error.abs() < 1.01, "{shape:?}, {x},{y}: off by {error}");
                    }
                }
            }
        }
    }

    #[test]
    fn flat_blocks_need_no_transform() {
        for shape in shapes() {
            for dc in (-2000..2000).step_by(3) {
                let mut block = [0; 64];
                block[0] = dc;
                let (mut transformed, mut filled) = ([1; 64], [1; 64]);
                inverse(shape, &block, &mut transformed, 8);
                flat(shape, dc, &mut filled, 8);
                assert_eq!(transformed, filled);
            }
        }
    }

    #[test]
    fn extreme_terms_do_not_panic() {
        for value in [i16::MIN, i16::MAX] {
            for shape in shapes() {
                inverse(shape, &[value; 64], &mut [0; 64], 8);
            }
        }
    }
}
