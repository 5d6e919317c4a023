//! Vectors as `v128`, in instructions of fixed-width SIMD only. What each operation does is documented in `portable`.
#![expect(missing_docs, reason = "documented in `portable`")]

mod f32x4;
mod i16x8;
mod i32x4;
mod memory;
mod u8x16;

pub use f32x4::{F32x4, Mask32x4};
pub use i16x8::I16x8;
pub use i32x4::I32x4;
pub use u8x16::U8x16;
