//! Eight numbers of 16 bits.

use core::arch::wasm32::{
    i16x8, i16x8_abs, i16x8_add, i16x8_add_sat, i16x8_gt, i16x8_max, i16x8_min, i16x8_mul,
    i16x8_narrow_i32x4, i16x8_shr, i16x8_shuffle, i16x8_splat, i16x8_sub, i32x4_add, i32x4_dot_i16x8,
    i32x4_extend_high_i16x8, i32x4_extend_low_i16x8, i32x4_shuffle, i64x2_shuffle, u32x4_extend_high_u16x8,
    u32x4_extend_low_u16x8, v128, v128_and, v128_andnot, v128_bitselect, v128_or,
};

use super::memory;
use super::{I32x4, U8x16};

#[derive(Clone, Copy, Debug)]
pub struct I16x8(pub(super) v128);

impl I16x8 {
    #[inline(always)]
    pub fn load(numbers: &[i16; 8]) -> Self {
        Self(memory::load(numbers))
    }

    #[inline(always)]
    pub fn to_array(self) -> [i16; 8] {
        let mut numbers = [0; 8];
        memory::store(self.0, &mut numbers);
        numbers
    }

    #[inline(always)]
    pub fn splat(number: i16) -> Self {
        Self(i16x8_splat(number))
    }

    #[inline(always)]
    pub fn splat_pair(even: i16, odd: i16) -> Self {
        Self(i16x8(even, odd, even, odd, even, odd, even, odd))
    }

    #[inline(always)]
    pub fn narrow(low: I32x4, high: I32x4) -> Self {
        Self(i16x8_narrow_i32x4(low.0, high.0))
    }

    #[inline(always)]
    pub fn widen_low(self) -> I32x4 {
        I32x4(i32x4_extend_low_i16x8(self.0))
    }

    #[inline(always)]
    pub fn widen_high(self) -> I32x4 {
        I32x4(i32x4_extend_high_i16x8(self.0))
    }

    #[inline(always)]
    pub fn as_u8x16(self) -> U8x16 {
        U8x16(self.0)
    }

    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        Self(i16x8_add(self.0, other.0))
    }

    #[inline(always)]
    pub fn add_saturating(self, other: Self) -> Self {
        Self(i16x8_add_sat(self.0, other.0))
    }

    #[inline(always)]
    pub fn sub(self, other: Self) -> Self {
        Self(i16x8_sub(self.0, other.0))
    }

    #[inline(always)]
    pub fn mul(self, other: Self) -> Self {
        Self(i16x8_mul(self.0, other.0))
    }

    #[inline(always)]
    pub fn dot(self, weights: Self) -> I32x4 {
        I32x4(i32x4_dot_i16x8(self.0, weights.0))
    }

    #[inline(always)]
    pub fn shift_right(self, bits: u32) -> Self {
        Self(i16x8_shr(self.0, bits))
    }

    #[inline(always)]
    pub fn abs(self) -> Self {
        Self(i16x8_abs(self.0))
    }

    #[inline(always)]
    pub fn min(self, other: Self) -> Self {
        Self(i16x8_min(self.0, other.0))
    }

    #[inline(always)]
    pub fn max(self, other: Self) -> Self {
        Self(i16x8_max(self.0, other.0))
    }

    #[inline(always)]
    pub fn and(self, other: Self) -> Self {
        Self(v128_and(self.0, other.0))
    }

    #[inline(always)]
    pub fn and_not(self, other: Self) -> Self {
        Self(v128_andnot(self.0, other.0))
    }

    #[inline(always)]
    pub fn or(self, other: Self) -> Self {
        Self(v128_or(self.0, other.0))
    }

    #[inline(always)]
    pub fn is_greater(self, than: Self) -> Self {
        Self(i16x8_gt(self.0, than.0))
    }

    #[inline(always)]
    pub fn select(self, yes: Self, no: Self) -> Self {
        Self(v128_bitselect(yes.0, no.0, self.0))
    }

    #[inline(always)]
    pub fn zip_low(self, other: Self) -> Self {
        Self(i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(self.0, other.0))
    }

    #[inline(always)]
    pub fn zip_high(self, other: Self) -> Self {
        Self(i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(self.0, other.0))
    }

    #[inline(always)]
    pub fn join_lower(low: Self, high: Self) -> Self {
        Self(i64x2_shuffle::<0, 2>(low.0, high.0))
    }

    #[inline(always)]
    pub fn join_upper_lower(low: Self, high: Self) -> Self {
        Self(i64x2_shuffle::<1, 2>(low.0, high.0))
    }

    #[inline(always)]
    pub fn upper_half(self) -> Self {
        Self(i64x2_shuffle::<1, 1>(self.0, self.0))
    }

    #[inline(always)]
    pub fn even_twice(self) -> Self {
        Self(i16x8_shuffle::<0, 0, 2, 2, 4, 4, 6, 6>(self.0, self.0))
    }

    #[inline(always)]
    pub fn half_sums(self) -> Self {
        let pairs = i16x8_add(self.0, i16x8_shuffle::<1, 0, 3, 2, 5, 4, 7, 6>(self.0, self.0));
        Self(i16x8_add(pairs, i32x4_shuffle::<1, 0, 3, 2>(pairs, pairs)))
    }

    #[inline(always)]
    pub fn alpha_weights(self) -> Self {
        let ones = i16x8_splat(1);
        Self(i16x8_shuffle::<3, 3, 3, 8, 7, 7, 7, 8>(self.0, ones))
    }

    #[inline(always)]
    pub fn add_to(self, sums: &mut [u32; 8]) {
        let [low, high] = sums.as_chunks_mut::<4>().0 else { return };
        let add = |sums: &mut [u32; 4], numbers| memory::store(i32x4_add(memory::load(sums), numbers), sums);
        add(low, u32x4_extend_low_u16x8(self.0));
        add(high, u32x4_extend_high_u16x8(self.0));
    }

    #[inline(always)]
    pub fn transpose(self, other: Self) -> (Self, Self) {
        // Rows 0 and 2, and 1 and 3, by turns; then those two by turns.
        let (even, odd) = (self.zip_low(other), self.zip_high(other));
        (even.zip_low(odd), even.zip_high(odd))
    }
}
