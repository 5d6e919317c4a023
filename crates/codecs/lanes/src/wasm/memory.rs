//! The way between memory and vectors: the one place that needs raw pointers.
#![expect(
    unsafe_code,
    reason = "loads and stores take raw pointers; each is made from a reference to 16 bytes"
)]

use core::arch::wasm32::{v128, v128_load, v128_store};

/// Numbers of which an array of 16 bytes is a vector, whatever its bits are.
pub(super) trait Lane: Copy {}

impl Lane for u8 {}
impl Lane for i16 {}
impl Lane for i32 {}
impl Lane for u32 {}
impl Lane for f32 {}

#[inline(always)]
pub(super) fn load<T: Lane, const N: usize>(numbers: &[T; N]) -> v128 {
    const { assert!(size_of::<[T; N]>() == size_of::<v128>()) };
    // SAFETY: 16 readable bytes; the instruction asks for no alignment.
    unsafe { v128_load(numbers.as_ptr().cast()) }
}

#[inline(always)]
pub(super) fn store<T: Lane, const N: usize>(vector: v128, numbers: &mut [T; N]) {
    const { assert!(size_of::<[T; N]>() == size_of::<v128>()) };
    // SAFETY: 16 writable bytes, for which any bits are a number; the instruction asks for no alignment.
    unsafe { v128_store(numbers.as_mut_ptr().cast(), vector) }
}
