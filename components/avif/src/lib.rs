//! Coded pictures of AVIF files in, samples out. No clock, no files, no randomness, no I/O of any kind.
//!
//! The decoding is `rav1d`'s; here is what the contract (`wit/avif`) asks beyond it: bounds before anything is set aside, what the picture says
//! of its colours (`sequence`), rows instead of a frame. The crate builds twice, natively for tests and as the component.

mod bits;
#[cfg(target_arch = "wasm32")]
mod component;
mod picture;
mod sequence;

pub use picture::{Chroma, Colours, Error, Picture, Rows, Shape};
