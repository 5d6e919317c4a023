//! The twin of `lanes_simd128` for other targets: plain arrays.

use super::BYTES;

/// Eight `i16`; arithmetic wraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct I16x8([i16; 8]);

/// Four `i32`; arithmetic wraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct I32x4([i32; 4]);

/// Sixteen `u8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct U8x16([u8; BYTES]);

impl I16x8 {
    #[inline(always)]
    pub(crate) fn load(numbers: &[i16; 8]) -> Self {
        Self(*numbers)
    }

    #[inline(always)]
    pub(crate) fn splat(number: i16) -> Self {
        Self([number; 8])
    }

    /// `even, odd` four times.
    #[inline(always)]
    pub(crate) fn pair(even: i16, odd: i16) -> Self {
        Self([even, odd, even, odd, even, odd, even, odd])
    }

    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].wrapping_add(other.0[i])))
    }

    #[inline(always)]
    pub(crate) fn add_saturating(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].saturating_add(other.0[i])))
    }

    #[inline(always)]
    pub(crate) fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].wrapping_sub(other.0[i])))
    }

    /// Arithmetic shift.
    #[inline(always)]
    pub(crate) fn shr<const BITS: u32>(self) -> Self {
        Self(self.0.map(|number| number >> BITS))
    }

    /// Alternately from both, their lower halves.
    #[inline(always)]
    pub(crate) fn zip_low(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| if i % 2 == 0 { self.0[i / 2] } else { other.0[i / 2] }))
    }

    /// Alternately from both, their upper halves.
    #[inline(always)]
    pub(crate) fn zip_high(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| if i % 2 == 0 { self.0[4 + i / 2] } else { other.0[4 + i / 2] }))
    }

    /// `self[2i] * weights[2i] + self[2i + 1] * weights[2i + 1]`.
    #[inline(always)]
    pub(crate) fn dot(self, weights: Self) -> I32x4 {
        let product = |i: usize| i32::from(self.0[i]).wrapping_mul(i32::from(weights.0[i]));
        I32x4(std::array::from_fn(|i| product(2 * i).wrapping_add(product(2 * i + 1))))
    }

    /// `self[i] * weights[0] + other[i] * weights[1]`, lower and upper half.
    #[inline(always)]
    pub(crate) fn dot_pairs(self, other: Self, weights: Self) -> (I32x4, I32x4) {
        (self.zip_low(other).dot(weights), self.zip_high(other).dot(weights))
    }

    /// Both joined, numbers beyond `i16` clamped.
    #[inline(always)]
    pub(crate) fn narrow(low: I32x4, high: I32x4) -> Self {
        Self(std::array::from_fn(|i| {
            let number = if i < 4 { low.0[i] } else { high.0[i - 4] };
            number.clamp(i32::from(i16::MIN), i32::from(i16::MAX)) as i16
        }))
    }
}

impl I32x4 {
    #[inline(always)]
    pub(crate) fn splat(number: i32) -> Self {
        Self([number; 4])
    }

    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].wrapping_add(other.0[i])))
    }

    #[inline(always)]
    pub(crate) fn sub(self, other: Self) -> Self {
        Self(std::array::from_fn(|i| self.0[i].wrapping_sub(other.0[i])))
    }

    /// Arithmetic shift.
    #[inline(always)]
    pub(crate) fn shr<const BITS: u32>(self) -> Self {
        Self(self.0.map(|number| number >> BITS))
    }
}

impl U8x16 {
    #[inline(always)]
    pub(crate) fn load(bytes: &[u8; BYTES]) -> Self {
        Self(*bytes)
    }

    #[inline(always)]
    pub(crate) fn to_array(self) -> [u8; BYTES] {
        self.0
    }

    /// Lower and upper half.
    #[inline(always)]
    pub(crate) fn widen(self) -> (I16x8, I16x8) {
        (
            I16x8(std::array::from_fn(|i| i16::from(self.0[i]))),
            I16x8(std::array::from_fn(|i| i16::from(self.0[8 + i]))),
        )
    }

    /// Both joined, numbers beyond `u8` clamped.
    #[inline(always)]
    pub(crate) fn narrow(low: I16x8, high: I16x8) -> Self {
        Self(std::array::from_fn(|i| if i < 8 { low.0[i] } else { high.0[i - 8] }.clamp(0, 255) as u8))
    }

    /// The index of the first byte that is `byte`, or 16.
    #[inline(always)]
    pub(crate) fn find(self, byte: u8) -> usize {
        self.0.iter().position(|&other| other == byte).unwrap_or(BYTES)
    }
}

/// Sixteen pixels, `R G B` each.
#[inline(always)]
pub(crate) fn store_rgb(out: &mut [u8; 3 * BYTES], [r, g, b]: [U8x16; 3]) {
    for (i, pixel) in out.chunks_exact_mut(3).enumerate() {
        pixel.copy_from_slice(&[r.0[i], g.0[i], b.0[i]]);
    }
}
