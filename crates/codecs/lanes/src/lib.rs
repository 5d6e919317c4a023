//! Vectors of 128 bits, as small types with just the operations that the hot loops of codecs need.
//!
//! | type | lanes |
//! |---|---|
//! | [`U8x16`] | 16 bytes; also four pixels of 4 bytes |
//! | [`I16x8`] | 8 signed numbers of 16 bits; also two pixels, or a mask |
//! | [`I32x4`] | 4 signed numbers of 32 bits |
//! | [`F32x4`], [`Mask32x4`] | 4 floats, and what comparing them gives |
//!
//! Two implementations have one face: `wasm` for what ships (simd128), `portable` for every other target, so that native tests speak
//! for the sandboxed code. `portable` documents each operation and is what `wasm` is held to: `examples/transcript` runs every
//! operation, and `tests/shipped/lanes.rs` compares what it gives natively and in the sandbox, byte by byte.
//!
//! Only operations with one result on every processor: integers wrap or saturate as their names say, floats are rounded lane by lane
//! and never fused, and no relaxed SIMD. Everything is `#[inline(always)]`: a call would cost more than what it does.
//!
//! Not here: whatever knows of a format. A sequence of operations that one codec needs stays with that codec.

#![expect(
    clippy::should_implement_trait,
    reason = "a sign would hide that lanes wrap, and stand beside operations that have none"
)]

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub use portable::{F32x4, I16x8, I32x4, Mask32x4, U8x16};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use wasm::{F32x4, I16x8, I32x4, Mask32x4, U8x16};

/// Bytes of a vector.
pub const BYTES: usize = 16;
