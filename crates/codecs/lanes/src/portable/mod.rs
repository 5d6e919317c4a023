//! Vectors as arrays. The compiler turns most of this into vector instructions.

mod f32x4;
mod i16x8;
mod i32x4;
mod u8x16;

pub use f32x4::{F32x4, Mask32x4};
pub use i16x8::I16x8;
pub use i32x4::I32x4;
pub use u8x16::U8x16;
