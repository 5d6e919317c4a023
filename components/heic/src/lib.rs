//! Coded pictures of HEIC files in, samples out. No clock, no files, no randomness, no I/O of any kind.
//!
//! The decoding is `heic-decoder`'s; here is what the contract (`wit/heic`) asks beyond it: bounds before anything is set aside, and rows. The
//! crate builds twice, natively for tests and as the component.

#[cfg(target_arch = "wasm32")]
mod component;
mod configuration;
mod picture;

pub use picture::{Chroma, Colours, Error, Picture, Rows, Shape};
