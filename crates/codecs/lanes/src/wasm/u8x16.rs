//! Sixteen bytes, or four pixels of four.

use core::arch::wasm32::{
    i8x16_add, i8x16_bitmask, i8x16_shuffle, i8x16_sub, i16x8_extend_high_u8x16, i16x8_extend_low_u8x16,
    i32x4_shuffle, u8x16_add_sat, u8x16_avgr, u8x16_eq, u8x16_narrow_i16x8, u8x16_shr, u8x16_splat,
    u8x16_sub_sat, u32x4, u32x4_extract_lane, u64x2, u64x2_extract_lane, v128, v128_and, v128_xor,
};

use super::I16x8;
use super::memory;

#[derive(Clone, Copy, Debug)]
pub struct U8x16(pub(super) v128);

impl U8x16 {
    #[inline(always)]
    pub fn load(bytes: &[u8; 16]) -> Self {
        Self(memory::load(bytes))
    }

    #[inline(always)]
    pub fn store(self, bytes: &mut [u8; 16]) {
        memory::store(self.0, bytes);
    }

    #[inline(always)]
    pub fn to_array(self) -> [u8; 16] {
        let mut bytes = [0; 16];
        memory::store(self.0, &mut bytes);
        bytes
    }

    #[inline(always)]
    pub fn from_halves(low: &[u8; 8], high: &[u8; 8]) -> Self {
        Self(u64x2(u64::from_le_bytes(*low), u64::from_le_bytes(*high)))
    }

    #[inline(always)]
    pub fn store_halves(self, low: &mut [u8; 8], high: &mut [u8; 8]) {
        *low = u64x2_extract_lane::<0>(self.0).to_le_bytes();
        *high = u64x2_extract_lane::<1>(self.0).to_le_bytes();
    }

    #[inline(always)]
    pub fn from_pixels([a, b, c, d]: [u32; 4]) -> Self {
        Self(u32x4(a, b, c, d))
    }

    #[inline(always)]
    pub fn to_pixels(self) -> [u32; 4] {
        [
            u32x4_extract_lane::<0>(self.0),
            u32x4_extract_lane::<1>(self.0),
            u32x4_extract_lane::<2>(self.0),
            u32x4_extract_lane::<3>(self.0),
        ]
    }

    #[inline(always)]
    pub fn load_pixels(pixels: &[u32; 4]) -> Self {
        Self(memory::load(pixels))
    }

    #[inline(always)]
    pub fn store_pixels(self, pixels: &mut [u32; 4]) {
        memory::store(self.0, pixels);
    }

    #[inline(always)]
    pub fn narrow(low: I16x8, high: I16x8) -> Self {
        Self(u8x16_narrow_i16x8(low.0, high.0))
    }

    #[inline(always)]
    pub fn widen_low(self) -> I16x8 {
        I16x8(i16x8_extend_low_u8x16(self.0))
    }

    #[inline(always)]
    pub fn widen_high(self) -> I16x8 {
        I16x8(i16x8_extend_high_u8x16(self.0))
    }

    #[inline(always)]
    pub fn as_i16x8(self) -> I16x8 {
        I16x8(self.0)
    }

    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        Self(i8x16_add(self.0, other.0))
    }

    #[inline(always)]
    pub fn add_saturating(self, other: Self) -> Self {
        Self(u8x16_add_sat(self.0, other.0))
    }

    #[inline(always)]
    pub fn sub_saturating(self, other: Self) -> Self {
        Self(u8x16_sub_sat(self.0, other.0))
    }

    #[inline(always)]
    pub fn mean(self, other: Self) -> Self {
        // The instruction rounds up, which is 1 too many where the sum is odd.
        let odd = v128_and(v128_xor(self.0, other.0), u8x16_splat(1));
        Self(i8x16_sub(u8x16_avgr(self.0, other.0), odd))
    }

    #[inline(always)]
    pub fn half(self) -> Self {
        Self(u8x16_shr(self.0, 1))
    }

    #[inline(always)]
    pub fn find(self, byte: u8) -> usize {
        let mask = i8x16_bitmask(u8x16_eq(self.0, u8x16_splat(byte)));
        (u32::from(mask) | 1 << 16).trailing_zeros() as usize
    }

    #[inline(always)]
    pub fn zip_low(self, other: Self) -> Self {
        Self(i8x16_shuffle::<0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23>(self.0, other.0))
    }

    #[inline(always)]
    pub fn zip_high(self, other: Self) -> Self {
        Self(i8x16_shuffle::<8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31>(self.0, other.0))
    }

    #[inline(always)]
    pub fn interleave_three([Self(a), Self(b), Self(c)]: [Self; 3]) -> [Self; 3] {
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
    pub fn pixels_of([Self(a), Self(b), Self(c), Self(d)]: [Self; 4]) -> Self {
        let (low, high) = (i32x4_shuffle::<0, 5, 0, 0>(a, b), i32x4_shuffle::<0, 0, 2, 7>(c, d));
        Self(i32x4_shuffle::<0, 1, 6, 7>(low, high))
    }

    #[inline(always)]
    pub fn splat_pixel<const N: usize>(self) -> Self {
        Self(match N {
            0 => i32x4_shuffle::<0, 0, 0, 0>(self.0, self.0),
            1 => i32x4_shuffle::<1, 1, 1, 1>(self.0, self.0),
            2 => i32x4_shuffle::<2, 2, 2, 2>(self.0, self.0),
            _ => i32x4_shuffle::<3, 3, 3, 3>(self.0, self.0),
        })
    }

    #[inline(always)]
    pub fn move_one_pixel(self) -> Self {
        Self(i32x4_shuffle::<4, 0, 1, 2>(self.0, u8x16_splat(0)))
    }

    #[inline(always)]
    pub fn move_two_pixels(self) -> Self {
        Self(i32x4_shuffle::<4, 4, 0, 1>(self.0, u8x16_splat(0)))
    }

    #[inline(always)]
    pub fn green_twice(self) -> Self {
        let zero = u8x16_splat(0);
        Self(i8x16_shuffle::<1, 16, 1, 16, 5, 16, 5, 16, 9, 16, 9, 16, 13, 16, 13, 16>(self.0, zero))
    }

    #[inline(always)]
    pub fn red_as_high_byte(self) -> I16x8 {
        let zero = u8x16_splat(0);
        I16x8(i8x16_shuffle::<16, 2, 16, 16, 16, 6, 16, 16, 16, 10, 16, 16, 16, 14, 16, 16>(self.0, zero))
    }
}
