//! Four floats, and masks over them.

use std::array::from_fn;

/// Four floats. Each lane is rounded as it would be alone; nothing is fused.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct F32x4(pub(super) [f32; 4]);

/// Of each lane, whether.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask32x4(pub(super) [bool; 4]);

impl F32x4 {
    /// From memory, the first number first.
    #[inline(always)]
    pub fn load(numbers: &[f32; 4]) -> Self {
        Self(*numbers)
    }

    /// To memory, the first number first.
    #[inline(always)]
    pub fn to_array(self) -> [f32; 4] {
        self.0
    }

    /// One number four times.
    #[inline(always)]
    pub fn splat(number: f32) -> Self {
        Self([number; 4])
    }

    /// Sum.
    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at] + other.0[at]))
    }

    /// Difference.
    #[inline(always)]
    pub fn sub(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at] - other.0[at]))
    }

    /// Product.
    #[inline(always)]
    pub fn mul(self, other: Self) -> Self {
        Self(from_fn(|at| self.0[at] * other.0[at]))
    }

    /// Not where either is not a number.
    #[inline(always)]
    pub fn is_less(self, than: Self) -> Mask32x4 {
        Mask32x4(from_fn(|at| self.0[at] < than.0[at]))
    }
}

impl Mask32x4 {
    /// `yes` where it is, else `no`.
    #[inline(always)]
    pub fn select(self, yes: F32x4, no: F32x4) -> F32x4 {
        F32x4(from_fn(|at| if self.0[at] { yes.0[at] } else { no.0[at] }))
    }
}
