//! Vectors as `v128`. Method by method what `portable` documents.
#![expect(
    unsafe_code,
    reason = "loads and stores take raw pointers; each is made from a reference to 16 bytes"
)]

use core::arch::wasm32::{
    i8x16_add, i8x16_shuffle, i8x16_sub, i16x8, i16x8_abs, i16x8_add, i16x8_add_sat, i16x8_extend_high_u8x16,
    i16x8_extend_low_u8x16, i16x8_gt, i16x8_max, i16x8_min, i16x8_mul, i16x8_narrow_i32x4, i16x8_shr,
    i16x8_shuffle, i16x8_splat, i16x8_sub, i32x4_add, i32x4_extend_high_i16x8, i32x4_extend_low_i16x8,
    i32x4_mul, i32x4_shr, i32x4_shuffle, i32x4_splat, i32x4_sub, i64x2_shuffle, u8x16_add_sat, u8x16_avgr,
    u8x16_narrow_i16x8, u8x16_shr, u8x16_splat, u8x16_sub_sat, u32x4, u32x4_extend_high_u16x8,
    u32x4_extend_low_u16x8, u32x4_extract_lane, u64x2, u64x2_extract_lane, v128, v128_and, v128_andnot,
    v128_bitselect, v128_load, v128_or, v128_store, v128_xor,
};

#[derive(Clone, Copy, Debug)]
pub(crate) struct U8x16(v128);

#[derive(Clone, Copy, Debug)]
pub(crate) struct I16x8(v128);

#[derive(Clone, Copy, Debug)]
pub(crate) struct I32x4(v128);

impl U8x16 {
    #[inline(always)]
    pub(crate) fn from_pixels([a, b, c, d]: [u32; 4]) -> Self {
        Self(u32x4(a, b, c, d))
    }

    #[inline(always)]
    pub(crate) fn to_pixels(self) -> [u32; 4] {
        [
            u32x4_extract_lane::<0>(self.0),
            u32x4_extract_lane::<1>(self.0),
            u32x4_extract_lane::<2>(self.0),
            u32x4_extract_lane::<3>(self.0),
        ]
    }

    #[inline(always)]
    pub(crate) fn load(bytes: &[u8; 16]) -> Self {
        // SAFETY: 16 readable bytes; the instruction asks for no alignment.
        Self(unsafe { v128_load(bytes.as_ptr().cast()) })
    }

    #[inline(always)]
    pub(crate) fn store(self, bytes: &mut [u8; 16]) {
        // SAFETY: 16 writable bytes; the instruction asks for no alignment.
        unsafe { v128_store(bytes.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    pub(crate) fn from_halves(low: &[u8; 8], high: &[u8; 8]) -> Self {
        Self(u64x2(u64::from_le_bytes(*low), u64::from_le_bytes(*high)))
    }

    #[inline(always)]
    pub(crate) fn store_halves(self, low: &mut [u8; 8], high: &mut [u8; 8]) {
        *low = u64x2_extract_lane::<0>(self.0).to_le_bytes();
        *high = u64x2_extract_lane::<1>(self.0).to_le_bytes();
    }

    #[inline(always)]
    pub(crate) fn zip_low(self, other: Self) -> Self {
        Self(i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn zip_high(self, other: Self) -> Self {
        Self(i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn interleave_three([Self(a), Self(b), Self(c)]: [Self; 3]) -> [Self; 3] {
        // The first two in their places, then the third into the gaps.
        let first = i8x16_shuffle::<0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5>(a, b);
        let second = i8x16_shuffle::<21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26>(a, b);
        let third = i8x16_shuffle::<0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0>(a, b);
        [
            Self(i8x16_shuffle::<0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15>(first, c)),
            Self(i8x16_shuffle::<0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15>(second, c)),
            Self(i8x16_shuffle::<26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31>(third, c)),
        ]
    }

    #[inline(always)]
    pub(crate) fn load_pixels(pixels: &[u32; 4]) -> Self {
        // SAFETY: 16 readable bytes; the instruction asks for no alignment.
        Self(unsafe { v128_load(pixels.as_ptr().cast()) })
    }

    #[inline(always)]
    pub(crate) fn store_pixels(self, pixels: &mut [u32; 4]) {
        // SAFETY: 16 writable bytes; the instruction asks for no alignment.
        unsafe { v128_store(pixels.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        Self(i8x16_add(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn mean(self, other: Self) -> Self {
        // The instruction rounds up, which is 1 too many where the sum is odd.
        let odd = v128_and(v128_xor(self.0, other.0), u8x16_splat(1));
        Self(i8x16_sub(u8x16_avgr(self.0, other.0), odd))
    }

    #[inline(always)]
    pub(crate) fn widen_low(self) -> I16x8 {
        I16x8(i16x8_extend_low_u8x16(self.0))
    }

    #[inline(always)]
    pub(crate) fn widen_high(self) -> I16x8 {
        I16x8(i16x8_extend_high_u8x16(self.0))
    }

    #[inline(always)]
    pub(crate) fn as_i16(self) -> I16x8 {
        I16x8(self.0)
    }

    #[inline(always)]
    pub(crate) fn green_twice(self) -> Self {
        let zero = u8x16_splat(0);
        Self(i8x16_shuffle::<1, 16, 1, 16, 5, 16, 5, 16, 9, 16, 9, 16, 13, 16, 13, 16>(self.0, zero))
    }

    #[inline(always)]
    pub(crate) fn red_as_high_byte(self) -> I16x8 {
        let zero = u8x16_splat(0);
        I16x8(i8x16_shuffle::<16, 2, 16, 16, 16, 6, 16, 16, 16, 10, 16, 16, 16, 14, 16, 16>(self.0, zero))
    }

    #[inline(always)]
    pub(crate) fn add_saturating(self, other: Self) -> Self {
        Self(u8x16_add_sat(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn sub_saturating(self, other: Self) -> Self {
        Self(u8x16_sub_sat(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn half(self) -> Self {
        Self(u8x16_shr(self.0, 1))
    }

    #[inline(always)]
    pub(crate) fn pixels_of([Self(a), Self(b), Self(c), Self(d)]: [Self; 4]) -> Self {
        let (low, high) = (i32x4_shuffle::<0, 5, 0, 0>(a, b), i32x4_shuffle::<0, 0, 2, 7>(c, d));
        Self(i32x4_shuffle::<0, 1, 6, 7>(low, high))
    }

    #[inline(always)]
    pub(crate) fn splat_pixel<const N: usize>(self) -> Self {
        Self(match N {
            0 => i32x4_shuffle::<0, 0, 0, 0>(self.0, self.0),
            1 => i32x4_shuffle::<1, 1, 1, 1>(self.0, self.0),
            2 => i32x4_shuffle::<2, 2, 2, 2>(self.0, self.0),
            _ => i32x4_shuffle::<3, 3, 3, 3>(self.0, self.0),
        })
    }

    #[inline(always)]
    pub(crate) fn move_one_pixel(self) -> Self {
        Self(i32x4_shuffle::<4, 0, 1, 2>(self.0, u8x16_splat(0)))
    }

    #[inline(always)]
    pub(crate) fn move_two_pixels(self) -> Self {
        Self(i32x4_shuffle::<4, 4, 0, 1>(self.0, u8x16_splat(0)))
    }
}

impl I16x8 {
    #[inline(always)]
    pub(crate) fn splat(value: i16) -> Self {
        Self(i16x8_splat(value))
    }

    #[inline(always)]
    pub(crate) fn splat_pair(even: i16, odd: i16) -> Self {
        Self(i16x8(even, odd, even, odd, even, odd, even, odd))
    }

    #[inline(always)]
    pub(crate) fn load(values: &[i16; 8]) -> Self {
        // SAFETY: 16 readable bytes; the instruction asks for no alignment.
        Self(unsafe { v128_load(values.as_ptr().cast()) })
    }

    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        Self(i16x8_add(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn add_saturating(self, other: Self) -> Self {
        Self(i16x8_add_sat(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn sub(self, other: Self) -> Self {
        Self(i16x8_sub(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn mul(self, other: Self) -> Self {
        Self(i16x8_mul(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn shift_right(self, bits: u32) -> Self {
        Self(i16x8_shr(self.0, bits))
    }

    #[inline(always)]
    pub(crate) fn even_twice(self) -> Self {
        Self(i16x8_shuffle::<0, 0, 2, 2, 4, 4, 6, 6>(self.0, self.0))
    }

    #[inline(always)]
    pub(crate) fn wrap_to_byte(self) -> Self {
        Self(v128_and(self.0, i16x8_splat(0xff)))
    }

    #[inline(always)]
    pub(crate) fn as_u8(self) -> U8x16 {
        U8x16(self.0)
    }

    #[inline(always)]
    pub(crate) fn abs(self) -> Self {
        Self(i16x8_abs(self.0))
    }

    #[inline(always)]
    pub(crate) fn or(self, other: Self) -> Self {
        Self(v128_or(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn max(self, other: Self) -> Self {
        Self(i16x8_max(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn is_positive(self) -> Self {
        Self(i16x8_gt(self.0, i16x8_splat(0)))
    }

    #[inline(always)]
    pub(crate) fn only_where(self, mask: Self) -> Self {
        Self(v128_and(self.0, mask.0))
    }

    #[inline(always)]
    pub(crate) fn except_where(self, mask: Self) -> Self {
        Self(v128_andnot(self.0, mask.0))
    }

    #[inline(always)]
    pub(crate) fn clamp_to_signed_byte(self) -> Self {
        Self(i16x8_min(i16x8_max(self.0, i16x8_splat(-128)), i16x8_splat(127)))
    }

    #[inline(always)]
    pub(crate) fn upper_half(self) -> Self {
        Self(i64x2_shuffle::<1, 1>(self.0, self.0))
    }

    #[inline(always)]
    pub(crate) fn join_lower(low: Self, high: Self) -> Self {
        Self(i64x2_shuffle::<0, 2>(low.0, high.0))
    }

    #[inline(always)]
    pub(crate) fn half_sums(self) -> Self {
        let pairs = i16x8_add(self.0, i16x8_shuffle::<1, 0, 3, 2, 5, 4, 7, 6>(self.0, self.0));
        Self(i16x8_add(pairs, i32x4_shuffle::<1, 0, 3, 2>(pairs, pairs)))
    }

    #[inline(always)]
    pub(crate) fn select_negative(self, yes: Self, no: Self) -> Self {
        Self(v128_bitselect(yes.0, no.0, i16x8_shr(self.0, 15)))
    }

    #[inline(always)]
    pub(crate) fn alpha_weights(self) -> Self {
        let ones = i16x8_splat(1);
        Self(i16x8_shuffle::<3, 3, 3, 8, 7, 7, 7, 8>(self.0, ones))
    }

    #[inline(always)]
    pub(crate) fn add_to(self, sums: &mut [u32; 8]) {
        let [low, high] = sums.as_chunks_mut::<4>().0 else { return };
        let add = |sums: &mut [u32; 4], values| {
            let sum = i32x4_add(U8x16::load_pixels(sums).0, values);
            U8x16(sum).store_pixels(sums);
        };
        add(low, u32x4_extend_low_u16x8(self.0));
        add(high, u32x4_extend_high_u16x8(self.0));
    }

    #[inline(always)]
    pub(crate) fn narrow(low: Self, high: Self) -> U8x16 {
        U8x16(u8x16_narrow_i16x8(low.0, high.0))
    }

    #[inline(always)]
    pub(crate) fn widen_low(self) -> I32x4 {
        I32x4(i32x4_extend_low_i16x8(self.0))
    }

    #[inline(always)]
    pub(crate) fn widen_high(self) -> I32x4 {
        I32x4(i32x4_extend_high_i16x8(self.0))
    }

    #[inline(always)]
    pub(crate) fn transpose(self, other: Self) -> (Self, Self) {
        // Rows 0 and 2, and 1 and 3, by turns; then those two by turns.
        let a = i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(self.0, other.0);
        let b = i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(self.0, other.0);
        (
            Self(i16x8_shuffle::<0, 8, 1, 9, 2, 10, 3, 11>(a, b)),
            Self(i16x8_shuffle::<4, 12, 5, 13, 6, 14, 7, 15>(a, b)),
        )
    }
}

impl I32x4 {
    #[inline(always)]
    pub(crate) fn splat(value: i32) -> Self {
        Self(i32x4_splat(value))
    }

    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        Self(i32x4_add(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn sub(self, other: Self) -> Self {
        Self(i32x4_sub(self.0, other.0))
    }

    #[inline(always)]
    pub(crate) fn mul(self, factor: i32) -> Self {
        Self(i32x4_mul(self.0, i32x4_splat(factor)))
    }

    #[inline(always)]
    pub(crate) fn shift_right(self, bits: u32) -> Self {
        Self(i32x4_shr(self.0, bits))
    }

    #[inline(always)]
    pub(crate) fn narrow(low: Self, high: Self) -> I16x8 {
        I16x8(i16x8_narrow_i32x4(low.0, high.0))
    }
}
