//! Chroma at half resolution brought to the picture's grid by the triangle filter (3/4 of the nearer sample, 1/4 of the farther),
//! with libjpeg's roundings; other ratios repeat the sample.

use thumbs_lanes::{BYTES, I16x8, U8x16};

/// Samples of one vector of 16-bit numbers.
const LANES: usize = 8;
/// Where the first number lies in a row of sums: one is needed before it.
const MARGIN: usize = LANES;

/// Numbers that [`widen`] and [`blend`] write and [`double`] reads, for rows of up to `width` samples.
pub(crate) fn sums_for(width: usize) -> Vec<i16> {
    vec![0; MARGIN + width.next_multiple_of(BYTES) + 2 * LANES]
}

/// One source row for [`double`], not blended with another.
pub(crate) fn widen(row: &[u8], width: usize, sums: &mut [i16]) {
    for (to, &from) in sums[MARGIN..].iter_mut().zip(&row[..width]) {
        *to = i16::from(from);
    }
    close(sums, width);
}

/// Three parts `near`, one part `far`, not divided.
pub(crate) fn blend(near: &[u8], far: &[u8], width: usize, sums: &mut [i16]) {
    for ((to, &near), &far) in sums[MARGIN..].iter_mut().zip(&near[..width]).zip(&far[..width]) {
        *to = 3 * i16::from(near) + i16::from(far);
    }
    close(sums, width);
}

/// Repeats the first and the last number outwards.
fn close(sums: &mut [i16], width: usize) {
    sums[MARGIN - 1] = sums[MARGIN];
    sums[MARGIN + width] = sums[MARGIN + width - 1];
}

/// Two samples for each number. `BLENDED` says which function made them.
pub(crate) fn double<const BLENDED: bool>(sums: &[i16], width: usize, out: &mut [u8]) {
    let (left, right) = if BLENDED { (8, 7) } else { (1, 2) };
    for (out, at) in out.chunks_exact_mut(2 * LANES).zip((MARGIN..MARGIN + width).step_by(LANES)) {
        let load = |at: usize| {
            let mut numbers = [0; LANES];
            numbers.copy_from_slice(&sums[at..at + LANES]);
            I16x8::load(&numbers)
        };
        let (before, here, after) = (load(at - 1), load(at), load(at + 1));
        let three = here.add(here).add(here);
        let even = three.add(before).add(I16x8::splat(left));
        let odd = three.add(after).add(I16x8::splat(right));
        let (even, odd) = if BLENDED {
            (even.shift_right(4), odd.shift_right(4))
        } else {
            (even.shift_right(2), odd.shift_right(2))
        };
        out.copy_from_slice(&U8x16::narrow(even.zip_low(odd), even.zip_high(odd)).to_array());
    }
}

/// One row between two of half vertical resolution; `lower` is the one of the two new rows that lies below `near`'s centre.
pub(crate) fn between(near: &[u8], far: &[u8], lower: bool, out: &mut [u8]) {
    let bias = if lower { 2 } else { 1 };
    for ((to, &near), &far) in out.iter_mut().zip(near).zip(far) {
        *to = ((3 * u16::from(near) + u16::from(far) + bias) >> 2) as u8;
    }
}

/// Repeats samples: output column `x` shows source column `x * parts / whole`.
pub(crate) fn repeat(row: &[u8], parts: usize, whole: usize, out: &mut [u8]) {
    for (x, to) in out.iter_mut().enumerate() {
        *to = row[(x * parts / whole).min(row.len() - 1)];
    }
}

#[cfg(test)]
mod tests {
    use super::{between, blend, double, repeat, sums_for, widen};

    #[test]
    fn doubling_follows_the_triangle_to_both_ends() {
        for width in 1..40 {
            let row: Vec<u8> = (0..width).map(|x| (x * 37 % 256) as u8).collect();
            let far: Vec<u8> = (0..width).map(|x| (x * 91 % 256) as u8).collect();
            let mut sums = sums_for(width);
            let mut out = vec![0; 2 * width.next_multiple_of(16)];

            widen(&row, width, &mut sums);
            double::<false>(&sums, width, &mut out);
            let at = |row: &[u8], x: isize| u32::from(row[x.clamp(0, width as isize - 1) as usize]);
            for x in 0..width as isize {
                let pair = &out[2 * x as usize..][..2];
                assert_eq!(u32::from(pair[0]), (3 * at(&row, x) + at(&row, x - 1) + 1) / 4);
                assert_eq!(u32::from(pair[1]), (3 * at(&row, x) + at(&row, x + 1) + 2) / 4);
            }

            blend(&row, &far, width, &mut sums);
            double::<true>(&sums, width, &mut out);
            let sum = |x: isize| 3 * at(&row, x) + at(&far, x);
            for x in 0..width as isize {
                let pair = &out[2 * x as usize..][..2];
                assert_eq!(u32::from(pair[0]), (3 * sum(x) + sum(x - 1) + 8) / 16);
                assert_eq!(u32::from(pair[1]), (3 * sum(x) + sum(x + 1) + 7) / 16);
            }
        }
    }

    #[test]
    fn rows_between_round_down_above_and_up_below() {
        let mut out = [0; 2];
        between(&[10, 0], &[12, 255], false, &mut out);
        assert_eq!(out, [10, 64]);
        between(&[10, 0], &[12, 255], true, &mut out);
        assert_eq!(out, [11, 64]);
    }

    #[test]
    fn odd_ratios_repeat_samples() {
        let mut out = [0; 6];
        repeat(&[1, 2, 3, 4], 2, 3, &mut out);
        assert_eq!(out, [1, 1, 2, 3, 3, 4]);
        repeat(&[1, 2], 1, 4, &mut out);
        assert_eq!(out, [1, 1, 1, 1, 2, 2]);
    }
}
