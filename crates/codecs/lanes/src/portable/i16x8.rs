//! Eight numbers of 16 bits.

use std::array::from_fn;

use super::{I32x4, U8x16};

/// Eight signed numbers of 16 bits; also two pixels with such channels. Arithmetic wraps unless its name says otherwise.
///
/// As a mask, a lane has all bits set or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct I16x8(pub(super) [i16; 8]);

impl I16x8 {
    /// From memory, the first number first.
    #[inline(always)]
    pub fn load(numbers: &[i16; 8]) -> Self {
        Self(*numbers)
    }

    /// To memory, the first number first.
    #[inline(always)]
    pub fn to_array(self) -> [i16; 8] {
        self.0
    }

    /// One number eight times.
    #[inline(always)]
    pub fn splat(number: i16) -> Self {
        Self([number; 8])
    }

    /// `even` and `odd` by turns.
    #[inline(always)]
    pub fn splat_pair(even: i16, odd: i16) -> Self {
        Self(from_fn(|at| if at % 2 == 0 { even } else { odd }))
    }

    /// Both joined, numbers beyond 16 bits clamped.
    #[inline(always)]
    pub fn narrow(low: I32x4, high: I32x4) -> Self {
        Self(from_fn(|at| {
            if at < 4 { low.0[at] } else { high.0[at - 4] }.clamp(i16::MIN.into(), i16::MAX.into()) as i16
        }))
    }

    /// The first 4 numbers.
    #[inline(always)]
    pub fn widen_low(self) -> I32x4 {
        I32x4(from_fn(|at| i32::from(self.0[at])))
    }

    /// The last 4 numbers.
    #[inline(always)]
    pub fn widen_high(self) -> I32x4 {
        I32x4(from_fn(|at| i32::from(self.0[at + 4])))
    }

    /// As 16 bytes, the lower one of each number first.
    #[inline(always)]
    pub fn as_u8x16(self) -> U8x16 {
        U8x16(from_fn(|at| self.0[at / 2].to_le_bytes()[at % 2]))
    }

    /// Sum.
    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        self.zip_with(other, i16::wrapping_add)
    }

    /// Sum, clamped to 16 bits.
    #[inline(always)]
    pub fn add_saturating(self, other: Self) -> Self {
        self.zip_with(other, i16::saturating_add)
    }

    /// Difference.
    #[inline(always)]
    pub fn sub(self, other: Self) -> Self {
        self.zip_with(other, i16::wrapping_sub)
    }

    /// The lower 16 bits of the product.
    #[inline(always)]
    pub fn mul(self, other: Self) -> Self {
        self.zip_with(other, i16::wrapping_mul)
    }

    /// `self[2i] * weights[2i] + self[2i + 1] * weights[2i + 1]`.
    #[inline(always)]
    pub fn dot(self, weights: Self) -> I32x4 {
        let product = |at: usize| i32::from(self.0[at]) * i32::from(weights.0[at]);
        I32x4(from_fn(|at| product(2 * at).wrapping_add(product(2 * at + 1))))
    }

    /// Keeps the sign. `bits` is below 16.
    #[inline(always)]
    pub fn shift_right(self, bits: u32) -> Self {
        Self(self.0.map(|number| number >> bits))
    }

    /// That of -32,768 is itself.
    #[inline(always)]
    pub fn abs(self) -> Self {
        Self(self.0.map(i16::wrapping_abs))
    }

    /// Number by number.
    #[inline(always)]
    pub fn min(self, other: Self) -> Self {
        self.zip_with(other, i16::min)
    }

    /// Number by number.
    #[inline(always)]
    pub fn max(self, other: Self) -> Self {
        self.zip_with(other, i16::max)
    }

    /// Bit by bit.
    #[inline(always)]
    pub fn and(self, other: Self) -> Self {
        self.zip_with(other, |one, other| one & other)
    }

    /// Bit by bit: those that `other` does not have.
    #[inline(always)]
    pub fn and_not(self, other: Self) -> Self {
        self.zip_with(other, |one, other| one & !other)
    }

    /// Bit by bit.
    #[inline(always)]
    pub fn or(self, other: Self) -> Self {
        self.zip_with(other, |one, other| one | other)
    }

    /// A mask.
    #[inline(always)]
    pub fn is_greater(self, than: Self) -> Self {
        self.zip_with(than, |one, other| if one > other { -1 } else { 0 })
    }

    /// `yes` where this mask has its bits set, else `no`.
    #[inline(always)]
    pub fn select(self, yes: Self, no: Self) -> Self {
        Self(from_fn(|at| yes.0[at] & self.0[at] | no.0[at] & !self.0[at]))
    }

    /// The first 4 numbers of both by turns.
    #[inline(always)]
    pub fn zip_low(self, other: Self) -> Self {
        Self(from_fn(|at| if at % 2 == 0 { self.0[at / 2] } else { other.0[at / 2] }))
    }

    /// The last 4 numbers of both by turns.
    #[inline(always)]
    pub fn zip_high(self, other: Self) -> Self {
        Self(from_fn(|at| if at % 2 == 0 { self.0[4 + at / 2] } else { other.0[4 + at / 2] }))
    }

    /// The first 4 numbers of both.
    #[inline(always)]
    pub fn join_lower(low: Self, high: Self) -> Self {
        Self(from_fn(|at| if at < 4 { low.0[at] } else { high.0[at - 4] }))
    }

    /// The last 4 numbers of one, then the first 4 of another.
    #[inline(always)]
    pub fn join_upper_lower(low: Self, high: Self) -> Self {
        Self(from_fn(|at| if at < 4 { low.0[at + 4] } else { high.0[at - 4] }))
    }

    /// The last 4 numbers, twice.
    #[inline(always)]
    pub fn upper_half(self) -> Self {
        Self(from_fn(|at| self.0[4 + at % 4]))
    }

    /// The first of each two numbers, twice.
    #[inline(always)]
    pub fn even_twice(self) -> Self {
        Self(from_fn(|at| self.0[at & !1]))
    }

    /// In each half, the sum of its 4 numbers, 4 times.
    #[inline(always)]
    pub fn half_sums(self) -> Self {
        let sum = |half: usize| {
            let [a, b, c, d] = from_fn(|at| self.0[4 * half + at]);
            a.wrapping_add(b).wrapping_add(c.wrapping_add(d))
        };
        let sums = [sum(0), sum(1)];
        Self(from_fn(|at| sums[at / 4]))
    }

    /// For each half as the channels of a pixel, the fourth of them three times, and 1.
    #[inline(always)]
    pub fn alpha_weights(self) -> Self {
        Self(from_fn(|at| if at % 4 == 3 { 1 } else { self.0[at / 4 * 4 + 3] }))
    }

    /// Adds each number, taken as unsigned, to a sum.
    #[inline(always)]
    pub fn add_to(self, sums: &mut [u32; 8]) {
        for (sum, number) in sums.iter_mut().zip(self.0) {
            *sum = sum.wrapping_add(u32::from(number as u16));
        }
    }

    /// `self` and `other` are the rows of a 4x4 matrix, two in each; so is the result.
    #[inline(always)]
    pub fn transpose(self, other: Self) -> (Self, Self) {
        let cell = |row: usize, column: usize| {
            if row < 2 { self.0[4 * row + column] } else { other.0[4 * (row - 2) + column] }
        };
        (Self(from_fn(|at| cell(at % 4, at / 4))), Self(from_fn(|at| cell(at % 4, at / 4 + 2))))
    }

    #[inline(always)]
    fn zip_with(self, other: Self, operation: impl Fn(i16, i16) -> i16) -> Self {
        Self(from_fn(|at| operation(self.0[at], other.0[at])))
    }
}
