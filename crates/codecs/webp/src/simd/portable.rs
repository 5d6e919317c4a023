//! Vectors as arrays. The compiler turns most of this into vector instructions.

use std::array::from_fn;

/// 16 bytes; also four pixels of 4 bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct U8x16([u8; 16]);

/// Eight signed numbers of 16 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct I16x8([i16; 8]);

/// Four signed numbers of 32 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct I32x4([i32; 4]);

impl U8x16 {
    #[inline(always)]
    pub(crate) fn from_pixels(pixels: [u32; 4]) -> Self {
        Self(from_fn(|at| pixels[at / 4].to_le_bytes()[at % 4]))
    }

    #[inline(always)]
    pub(crate) fn to_pixels(self) -> [u32; 4] {
        from_fn(|at| u32::from_le_bytes(from_fn(|byte| self.0[4 * at + byte])))
    }

    #[inline(always)]
    pub(crate) fn load(bytes: &[u8; 16]) -> Self {
        Self(*bytes)
    }

    #[inline(always)]
    pub(crate) fn store(self, bytes: &mut [u8; 16]) {
        *bytes = self.0;
    }

    #[inline(always)]
    pub(crate) fn from_halves(low: &[u8; 8], high: &[u8; 8]) -> Self {
        Self(from_fn(|at| if at < 8 { low[at] } else { high[at - 8] }))
    }

    #[inline(always)]
    pub(crate) fn store_halves(self, low: &mut [u8; 8], high: &mut [u8; 8]) {
        *low = from_fn(|at| self.0[at]);
        *high = from_fn(|at| self.0[at + 8]);
    }

    /// The first 8 bytes of both by turns.
    #[inline(always)]
    pub(crate) fn zip_low(self, other: Self) -> Self {
        Self(from_fn(|at| if at % 2 == 0 { self.0[at / 2] } else { other.0[at / 2] }))
    }

    /// The last 8 bytes of both by turns.
    #[inline(always)]
    pub(crate) fn zip_high(self, other: Self) -> Self {
        Self(from_fn(|at| if at % 2 == 0 { self.0[8 + at / 2] } else { other.0[8 + at / 2] }))
    }

    /// By turns one of each, three vectors full.
    #[inline(always)]
    pub(crate) fn interleave_three(of: [Self; 3]) -> [Self; 3] {
        from_fn(|part| Self(from_fn(|at| of[(16 * part + at) % 3].0[(16 * part + at) / 3])))
    }

    #[inline(always)]
    pub(crate) fn load_pixels(pixels: &[u32; 4]) -> Self {
        Self::from_pixels(*pixels)
    }

    #[inline(always)]
    pub(crate) fn store_pixels(self, pixels: &mut [u32; 4]) {
        *pixels = self.to_pixels();
    }

    /// Modulo 256.
    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].wrapping_add(other.0[at])))
    }

    /// The first 8 bytes.
    #[inline(always)]
    pub(crate) fn widen_low(self) -> I16x8 {
        I16x8(from_fn(|at| i16::from(self.0[at])))
    }

    /// The last 8 bytes.
    #[inline(always)]
    pub(crate) fn widen_high(self) -> I16x8 {
        I16x8(from_fn(|at| i16::from(self.0[at + 8])))
    }

    /// Rounded down.
    #[inline(always)]
    pub(crate) fn mean(self, other: Self) -> Self {
        Self(from_fn(|at| ((u16::from(self.0[at]) + u16::from(other.0[at])) >> 1) as u8))
    }

    /// As eight numbers of 16 bits, lower byte first.
    #[inline(always)]
    pub(crate) fn as_i16(self) -> I16x8 {
        I16x8(from_fn(|at| i16::from_le_bytes([self.0[2 * at], self.0[2 * at + 1]])))
    }

    /// In each pixel of blue, green, red and alpha: green in the place of blue and red, 0 in that of green and alpha.
    #[inline(always)]
    pub(crate) fn green_twice(self) -> Self {
        Self(from_fn(|at| if at % 2 == 0 { self.0[at / 4 * 4 + 1] } else { 0 }))
    }

    /// In each pixel, two numbers of 16 bits: the third byte as the upper half of the first, and 0.
    #[inline(always)]
    pub(crate) fn red_as_high_byte(self) -> I16x8 {
        I16x8(from_fn(|at| if at % 2 == 0 { i16::from_le_bytes([0, self.0[2 * at + 2]]) } else { 0 }))
    }

    #[inline(always)]
    pub(crate) fn add_saturating(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].saturating_add(other.0[at])))
    }

    #[inline(always)]
    pub(crate) fn sub_saturating(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].saturating_sub(other.0[at])))
    }

    /// Rounded down.
    #[inline(always)]
    pub(crate) fn half(self) -> Self {
        Self(from_fn(|at| self.0[at] >> 1))
    }

    /// The first pixel of the first one, the second of the second and so on.
    #[inline(always)]
    pub(crate) fn pixels_of(of: [Self; 4]) -> Self {
        Self(from_fn(|at| of[at / 4].0[at]))
    }

    /// Pixel `N` four times.
    #[inline(always)]
    pub(crate) fn splat_pixel<const N: usize>(self) -> Self {
        Self(from_fn(|at| self.0[4 * N + at % 4]))
    }

    /// Every pixel moved on by one place, 0 in the first.
    #[inline(always)]
    pub(crate) fn move_one_pixel(self) -> Self {
        Self(from_fn(|at| if at < 4 { 0 } else { self.0[at - 4] }))
    }

    /// Every pixel moved on by two places, 0 in the first two.
    #[inline(always)]
    pub(crate) fn move_two_pixels(self) -> Self {
        Self(from_fn(|at| if at < 8 { 0 } else { self.0[at - 8] }))
    }
}

impl I16x8 {
    #[inline(always)]
    pub(crate) fn splat(value: i16) -> Self {
        Self([value; 8])
    }

    /// `even` and `odd` by turns.
    #[inline(always)]
    pub(crate) fn splat_pair(even: i16, odd: i16) -> Self {
        Self(from_fn(|at| if at % 2 == 0 { even } else { odd }))
    }

    #[inline(always)]
    pub(crate) fn load(values: &[i16; 8]) -> Self {
        Self(*values)
    }

    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].wrapping_add(other.0[at])))
    }

    #[inline(always)]
    pub(crate) fn add_saturating(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].saturating_add(other.0[at])))
    }

    #[inline(always)]
    pub(crate) fn sub(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].wrapping_sub(other.0[at])))
    }

    /// The lower 16 bits of the product.
    #[inline(always)]
    pub(crate) fn mul(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].wrapping_mul(other.0[at])))
    }

    /// Keeps the sign.
    #[inline(always)]
    pub(crate) fn shift_right(self, bits: u32) -> Self {
        Self(self.0.map(|value| value >> bits))
    }

    /// The first of each two numbers, twice.
    #[inline(always)]
    pub(crate) fn even_twice(self) -> Self {
        Self(from_fn(|at| self.0[at & !1]))
    }

    /// Modulo 256.
    #[inline(always)]
    pub(crate) fn wrap_to_byte(self) -> Self {
        Self(self.0.map(|value| value & 0xff))
    }

    /// As 16 bytes, the lower one of each number first.
    #[inline(always)]
    pub(crate) fn as_u8(self) -> U8x16 {
        U8x16(from_fn(|at| self.0[at / 2].to_le_bytes()[at % 2]))
    }

    #[inline(always)]
    pub(crate) fn abs(self) -> Self {
        Self(self.0.map(i16::wrapping_abs))
    }

    #[inline(always)]
    pub(crate) fn or(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at] | other.0[at]))
    }

    #[inline(always)]
    pub(crate) fn max(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].max(other.0[at])))
    }

    /// All bits set where positive, else none.
    #[inline(always)]
    pub(crate) fn is_positive(self) -> Self {
        Self(self.0.map(|value| if value > 0 { -1 } else { 0 }))
    }

    /// `self` where `mask` has all bits set, 0 where it has none.
    #[inline(always)]
    pub(crate) fn only_where(self, mask: Self) -> Self {
        Self(from_fn(|at| self.0[at] & mask.0[at]))
    }

    /// 0 where `mask` has all bits set, `self` where it has none.
    #[inline(always)]
    pub(crate) fn except_where(self, mask: Self) -> Self {
        Self(from_fn(|at| self.0[at] & !mask.0[at]))
    }

    /// Each number clamped to -128..=127.
    #[inline(always)]
    pub(crate) fn clamp_to_signed_byte(self) -> Self {
        Self(self.0.map(|value| value.clamp(-128, 127)))
    }

    /// The last 4 numbers in the place of the first.
    #[inline(always)]
    pub(crate) fn upper_half(self) -> Self {
        Self(from_fn(|at| self.0[4 + at % 4]))
    }

    /// The first 4 numbers of both.
    #[inline(always)]
    pub(crate) fn join_lower(low: Self, high: Self) -> Self {
        Self(from_fn(|at| if at < 4 { low.0[at] } else { high.0[at - 4] }))
    }

    /// In each half, the sum of its 4 numbers, 4 times.
    #[inline(always)]
    pub(crate) fn half_sums(self) -> Self {
        let sum = |half: usize| {
            let [a, b, c, d] = from_fn(|at| self.0[4 * half + at]);
            a.wrapping_add(b).wrapping_add(c.wrapping_add(d))
        };
        let sums = [sum(0), sum(1)];
        Self(from_fn(|at| sums[at / 4]))
    }

    /// Number by number: `yes` where `self` is negative, else `no`.
    #[inline(always)]
    pub(crate) fn select_negative(self, yes: Self, no: Self) -> Self {
        Self(from_fn(|at| if self.0[at] < 0 { yes.0[at] } else { no.0[at] }))
    }

    /// For each half as the numbers of a pixel, the fourth of them three times, and 1.
    #[inline(always)]
    pub(crate) fn alpha_weights(self) -> Self {
        Self(from_fn(|at| if at % 4 == 3 { 1 } else { self.0[at / 4 * 4 + 3] }))
    }

    /// Adds each number, taken as unsigned, to a sum.
    #[inline(always)]
    pub(crate) fn add_to(self, sums: &mut [u32; 8]) {
        for (sum, value) in sums.iter_mut().zip(self.0) {
            *sum = sum.wrapping_add(u32::from(value as u16));
        }
    }

    /// Clamped to 0..=255.
    #[inline(always)]
    pub(crate) fn narrow(low: Self, high: Self) -> U8x16 {
        U8x16(from_fn(|at| if at < 8 { low.0[at] } else { high.0[at - 8] }.clamp(0, 255) as u8))
    }

    /// The first 4 numbers.
    #[inline(always)]
    pub(crate) fn widen_low(self) -> I32x4 {
        I32x4(from_fn(|at| i32::from(self.0[at])))
    }

    /// The last 4 numbers.
    #[inline(always)]
    pub(crate) fn widen_high(self) -> I32x4 {
        I32x4(from_fn(|at| i32::from(self.0[at + 4])))
    }

    /// `self` and `other` are the rows of a 4x4 matrix, two in each; so is the result.
    #[inline(always)]
    pub(crate) fn transpose(self, other: Self) -> (Self, Self) {
        let cell = |row: usize, column: usize| {
            if row < 2 { self.0[4 * row + column] } else { other.0[4 * (row - 2) + column] }
        };
        (Self(from_fn(|at| cell(at % 4, at / 4))), Self(from_fn(|at| cell(at % 4, at / 4 + 2))))
    }
}

impl I32x4 {
    #[inline(always)]
    pub(crate) fn splat(value: i32) -> Self {
        Self([value; 4])
    }

    #[inline(always)]
    pub(crate) fn add(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].wrapping_add(other.0[at])))
    }

    #[inline(always)]
    pub(crate) fn sub(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].wrapping_sub(other.0[at])))
    }

    /// The lower 32 bits of the product.
    #[inline(always)]
    pub(crate) fn mul(self, factor: i32) -> Self {
        Self(self.0.map(|value| value.wrapping_mul(factor)))
    }

    /// Keeps the sign.
    #[inline(always)]
    pub(crate) fn shift_right(self, bits: u32) -> Self {
        Self(self.0.map(|value| value >> bits))
    }

    /// Clamped to 16 bits.
    #[inline(always)]
    pub(crate) fn narrow(low: Self, high: Self) -> I16x8 {
        I16x8(from_fn(|at| {
            if at < 4 { low.0[at] } else { high.0[at - 4] }.clamp(i16::MIN.into(), i16::MAX.into()) as i16
        }))
    }
}
