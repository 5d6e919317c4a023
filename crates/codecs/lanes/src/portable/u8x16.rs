//! Sixteen bytes, or four pixels of four.

use std::array::from_fn;

use super::I16x8;

/// 16 bytes; also four pixels of 4 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct U8x16(pub(super) [u8; 16]);

impl U8x16 {
    /// From memory, the first byte first.
    #[inline(always)]
    pub fn load(bytes: &[u8; 16]) -> Self {
        Self(*bytes)
    }

    /// To memory, the first byte first.
    #[inline(always)]
    pub fn store(self, bytes: &mut [u8; 16]) {
        *bytes = self.0;
    }

    /// As [`U8x16::store`].
    #[inline(always)]
    pub fn to_array(self) -> [u8; 16] {
        self.0
    }

    /// Two times 8 bytes.
    #[inline(always)]
    pub fn from_halves(low: &[u8; 8], high: &[u8; 8]) -> Self {
        Self(from_fn(|at| if at < 8 { low[at] } else { high[at - 8] }))
    }

    /// Back from [`U8x16::from_halves`].
    #[inline(always)]
    pub fn store_halves(self, low: &mut [u8; 8], high: &mut [u8; 8]) {
        *low = from_fn(|at| self.0[at]);
        *high = from_fn(|at| self.0[at + 8]);
    }

    /// Four pixels, the lowest byte of each first.
    #[inline(always)]
    pub fn from_pixels(pixels: [u32; 4]) -> Self {
        Self(from_fn(|at| pixels[at / 4].to_le_bytes()[at % 4]))
    }

    /// Back from [`U8x16::from_pixels`].
    #[inline(always)]
    pub fn to_pixels(self) -> [u32; 4] {
        from_fn(|at| u32::from_le_bytes(from_fn(|byte| self.0[4 * at + byte])))
    }

    /// As [`U8x16::from_pixels`], from memory.
    #[inline(always)]
    pub fn load_pixels(pixels: &[u32; 4]) -> Self {
        Self::from_pixels(*pixels)
    }

    /// As [`U8x16::to_pixels`], to memory.
    #[inline(always)]
    pub fn store_pixels(self, pixels: &mut [u32; 4]) {
        *pixels = self.to_pixels();
    }

    /// Both joined, numbers beyond a byte clamped to 0..=255.
    #[inline(always)]
    pub fn narrow(low: I16x8, high: I16x8) -> Self {
        Self(from_fn(|at| if at < 8 { low.0[at] } else { high.0[at - 8] }.clamp(0, 255) as u8))
    }

    /// The first 8 bytes as numbers.
    #[inline(always)]
    pub fn widen_low(self) -> I16x8 {
        I16x8(from_fn(|at| i16::from(self.0[at])))
    }

    /// The last 8 bytes as numbers.
    #[inline(always)]
    pub fn widen_high(self) -> I16x8 {
        I16x8(from_fn(|at| i16::from(self.0[at + 8])))
    }

    /// As eight numbers of 16 bits, lower byte first.
    #[inline(always)]
    pub fn as_i16x8(self) -> I16x8 {
        I16x8(from_fn(|at| i16::from_le_bytes([self.0[2 * at], self.0[2 * at + 1]])))
    }

    /// Modulo 256.
    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].wrapping_add(other.0[at])))
    }

    /// At most 255.
    #[inline(always)]
    pub fn add_saturating(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].saturating_add(other.0[at])))
    }

    /// At least 0.
    #[inline(always)]
    pub fn sub_saturating(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].saturating_sub(other.0[at])))
    }

    /// Rounded down.
    #[inline(always)]
    pub fn mean(self, other: Self) -> Self {
        Self(from_fn(|at| ((u16::from(self.0[at]) + u16::from(other.0[at])) >> 1) as u8))
    }

    /// Rounded down.
    #[inline(always)]
    pub fn half(self) -> Self {
        Self(from_fn(|at| self.0[at] >> 1))
    }

    /// The index of the first byte that is `byte`, or 16.
    #[inline(always)]
    pub fn find(self, byte: u8) -> usize {
        self.0.iter().position(|&other| other == byte).unwrap_or(16)
    }

    /// The first 8 bytes of both by turns.
    #[inline(always)]
    pub fn zip_low(self, other: Self) -> Self {
        Self(from_fn(|at| if at % 2 == 0 { self.0[at / 2] } else { other.0[at / 2] }))
    }

    /// The last 8 bytes of both by turns.
    #[inline(always)]
    pub fn zip_high(self, other: Self) -> Self {
        Self(from_fn(|at| if at % 2 == 0 { self.0[8 + at / 2] } else { other.0[8 + at / 2] }))
    }

    /// By turns one of each, three vectors full: 16 pixels of three channels.
    #[inline(always)]
    pub fn interleave_three(of: [Self; 3]) -> [Self; 3] {
        from_fn(|part| Self(from_fn(|at| of[(16 * part + at) % 3].0[(16 * part + at) / 3])))
    }

    /// The first pixel of the first one, the second of the second and so on.
    #[inline(always)]
    pub fn pixels_of(of: [Self; 4]) -> Self {
        Self(from_fn(|at| of[at / 4].0[at]))
    }

    /// Pixel `N` four times.
    #[inline(always)]
    pub fn splat_pixel<const N: usize>(self) -> Self {
        Self(from_fn(|at| self.0[4 * N + at % 4]))
    }

    /// Every pixel moved on by one place, 0 in the first.
    #[inline(always)]
    pub fn move_one_pixel(self) -> Self {
        Self(from_fn(|at| if at < 4 { 0 } else { self.0[at - 4] }))
    }

    /// Every pixel moved on by two places, 0 in the first two.
    #[inline(always)]
    pub fn move_two_pixels(self) -> Self {
        Self(from_fn(|at| if at < 8 { 0 } else { self.0[at - 8] }))
    }

    /// In each pixel of blue, green, red and alpha: green in the place of blue and red, 0 in that of green and alpha.
    #[inline(always)]
    pub fn green_twice(self) -> Self {
        Self(from_fn(|at| if at % 2 == 0 { self.0[at / 4 * 4 + 1] } else { 0 }))
    }

    /// In each pixel, two numbers of 16 bits: the third byte as the upper half of the first, and 0.
    #[inline(always)]
    pub fn red_as_high_byte(self) -> I16x8 {
        I16x8(from_fn(|at| if at % 2 == 0 { i16::from_le_bytes([0, self.0[2 * at + 2]]) } else { 0 }))
    }
}
