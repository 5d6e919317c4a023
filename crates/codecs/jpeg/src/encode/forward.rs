//! The forward DCT: the factorisation of Loeffler, Ligtenberg and Moschytz with 13-bit constants, 2 more bits between its passes.

const CONST_BITS: u32 = 13;
const PASS1_BITS: u32 = 2;

/// Of what comes out, the factor to the coefficients of T.81.
pub(super) const SCALE: i32 = 8;

const F_0_298: i32 = 2446;
const F_0_390: i32 = 3196;
const F_0_541: i32 = 4433;
const F_0_765: i32 = 6270;
const F_0_899: i32 = 7373;
const F_1_175: i32 = 9633;
const F_1_501: i32 = 12_299;
const F_1_847: i32 = 15_137;
const F_1_961: i32 = 16_069;
const F_2_053: i32 = 16_819;
const F_2_562: i32 = 20_995;
const F_3_072: i32 = 25_172;

/// Coefficients of `samples` (-128 to 127) times [`SCALE`], row by row, the row being the vertical frequency.
pub(super) fn cosine(samples: &[i32; 64]) -> [i32; 64] {
    let mut block = *samples;
    for row in block.as_chunks_mut::<8>().0 {
        *row = eight::<true>(*row);
    }
    for x in 0..8 {
        let column = eight::<false>(std::array::from_fn(|y| block[8 * y + x]));
        for (y, value) in column.into_iter().enumerate() {
            block[8 * y + x] = value;
        }
    }
    block
}

/// Along one line; the first of the two passes keeps more bits.
#[inline(always)]
fn eight<const FIRST: bool>(at: [i32; 8]) -> [i32; 8] {
    let sums: [i32; 4] = std::array::from_fn(|x| at[x] + at[7 - x]);
    let differences: [i32; 4] = std::array::from_fn(|x| at[x] - at[7 - x]);
    let (t10, t13) = (sums[0] + sums[3], sums[0] - sums[3]);
    let (t11, t12) = (sums[1] + sums[2], sums[1] - sums[2]);
    let whole = |value: i32| {
        if FIRST { value << PASS1_BITS } else { (value + (1 << (PASS1_BITS - 1))) >> PASS1_BITS }
    };
    let fraction = |value: i32| {
        let shift = if FIRST { CONST_BITS - PASS1_BITS } else { CONST_BITS + PASS1_BITS };
        (value + (1 << (shift - 1))) >> shift
    };
    let z1 = (t12 + t13) * F_0_541;

    let [d0, d1, d2, d3] = differences;
    // By the names of the even indices that they are paired with: 7 and 0, 6 and 1, 5 and 2, 4 and 3.
    let (t7, t6, t5, t4) = (d0, d1, d2, d3);
    let (a, b) = (t4 + t7, t5 + t6);
    let (c, d) = (t4 + t6, t5 + t7);
    let shared = (c + d) * F_1_175;
    let (a, b) = (-a * F_0_899, -b * F_2_562);
    let (c, d) = (shared - c * F_1_961, shared - d * F_0_390);
    [
        whole(t10 + t11),
        fraction(t7 * F_1_501 + a + d),
        fraction(z1 + t13 * F_0_765),
        fraction(t6 * F_3_072 + b + c),
        whole(t10 - t11),
        fraction(t5 * F_2_053 + b + d),
        fraction(z1 - t12 * F_1_847),
        fraction(t4 * F_0_298 + a + c),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_transform_of_the_standard() {
        let samples: [i32; 64] = std::array::from_fn(|at| (at as i32 * 73 + at as i32 / 8 * 31) % 256 - 128);
        let made = cosine(&samples);
        for (at, &made) in made.iter().enumerate() {
            let (v, u) = ((at / 8) as f64, (at % 8) as f64);
            let wave = |x: usize, f: f64| ((2 * x + 1) as f64 * f * std::f64::consts::PI / 16.0).cos();
            let norm = |f: f64| if f == 0.0 { 0.5_f64.sqrt() } else { 1.0 };
            let sum: f64 =
                (0..64).map(|p| f64::from(samples[p]) * wave(p % 8, u) * wave(p / 8, v)).sum::<f64>();
            let wanted = sum * norm(u) * norm(v) / 4.0 * f64::from(SCALE);
            assert!((f64::from(made) - wanted).abs() < 2.0, "{at}: {made} instead of {wanted}");
        }
    }
}
