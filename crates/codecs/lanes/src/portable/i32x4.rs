//! Four numbers of 32 bits.

use std::array::from_fn;

/// Four signed numbers of 32 bits. Arithmetic wraps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct I32x4(pub(super) [i32; 4]);

impl I32x4 {
    /// From memory, the first number first.
    #[inline(always)]
    pub fn load(numbers: &[i32; 4]) -> Self {
        Self(*numbers)
    }

    /// To memory, the first number first.
    #[inline(always)]
    pub fn to_array(self) -> [i32; 4] {
        self.0
    }

    /// One number four times.
    #[inline(always)]
    pub fn splat(number: i32) -> Self {
        Self([number; 4])
    }

    /// Sum.
    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].wrapping_add(other.0[at])))
    }

    /// Difference.
    #[inline(always)]
    pub fn sub(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at].wrapping_sub(other.0[at])))
    }

    /// The lower 32 bits of the product.
    #[inline(always)]
    pub fn mul(self, factor: i32) -> Self {
        Self(self.0.map(|number| number.wrapping_mul(factor)))
    }

    /// Keeps the sign. `bits` is below 32.
    #[inline(always)]
    pub fn shift_right(self, bits: u32) -> Self {
        Self(self.0.map(|number| number >> bits))
    }
}
