//! Four numbers of 32 bits.

use core::arch::wasm32::{i32x4_add, i32x4_mul, i32x4_shr, i32x4_splat, i32x4_sub, v128};

use super::memory;

#[derive(Clone, Copy, Debug)]
pub struct I32x4(pub(super) v128);

impl I32x4 {
    #[inline(always)]
    pub fn load(numbers: &[i32; 4]) -> Self {
        Self(memory::load(numbers))
    }

    #[inline(always)]
    pub fn to_array(self) -> [i32; 4] {
        let mut numbers = [0; 4];
        memory::store(self.0, &mut numbers);
        numbers
    }

    #[inline(always)]
    pub fn splat(number: i32) -> Self {
        Self(i32x4_splat(number))
    }

    #[inline(always)]
    pub fn add(self, other: Self) -> Self {
        Self(i32x4_add(self.0, other.0))
    }

    #[inline(always)]
    pub fn sub(self, other: Self) -> Self {
        Self(i32x4_sub(self.0, other.0))
    }

    #[inline(always)]
    pub fn mul(self, factor: i32) -> Self {
        Self(i32x4_mul(self.0, i32x4_splat(factor)))
    }

    #[inline(always)]
    pub fn shift_right(self, bits: u32) -> Self {
        Self(i32x4_shr(self.0, bits))
    }
}
