//! Four floats, and masks over them.

use core::arch::wasm32::{f32x4_add, f32x4_lt, f32x4_mul, f32x4_splat, f32x4_sub, v128, v128_bitselect};

use super::memory;

#[derive(Clone, Copy, Debug)]
pub struct F32x4(pub(super) v128);

/// All bits set or none in each lane.
#[derive(Clone, Copy, Debug)]
pub struct Mask32x4(pub(super) v128);

impl F32x4 {
    #[inline(always)]
    pub fn load(numbers: &[f32; 4]) -> Self {
        Self(memory::load(numbers))
    }

    #[inline(always)]
    pub fn to_array(self) -> [f32; 4] {
        let mut numbers = [0.0; 4];
        memory::store(self.0, &mut numbers);
        numbers
    }

    #[inline(always)]
    pub fn splat(number: f32) -> Self {
        Self(f32x4_splat(number))
    }

    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        Self(f32x4_add(self.0, other.0))
    }

    #[inline(always)]
    pub fn sub(self, other: Self) -> Self {
        Self(f32x4_sub(self.0, other.0))
    }

    #[inline(always)]
    pub fn mul(self, other: Self) -> Self {
        Self(f32x4_mul(self.0, other.0))
    }

    #[inline(always)]
    pub fn is_less(self, than: Self) -> Mask32x4 {
        Mask32x4(f32x4_lt(self.0, than.0))
    }
}

impl Mask32x4 {
    #[inline(always)]
    pub fn select(self, yes: F32x4, no: F32x4) -> F32x4 {
        F32x4(v128_bitselect(yes.0, no.0, self.0))
    }
}
