//! Vectors of 128 bits, as small types with just the operations that the hot loops need.
//!
//! Two backends with the same names and the same results to the last bit: `wasm` for what ships, `portable` for every
//! other target, so that native tests speak for the sandboxed code. Only deterministic operations, no relaxed SIMD.

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
mod portable;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm;

#[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
pub(crate) use portable::{I16x8, I32x4, U8x16};
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub(crate) use wasm::{I16x8, I32x4, U8x16};
