//! Thumbnails as a pure function: bytes in, bytes out. No clock, no files, no randomness, no I/O of any kind, so that the
//! same input gives the same output on every host.
//!
//! The crate builds twice: natively (tests, benches) and as the component of `wit/imaging` (see `component.rs`), whose world
//! imports nothing. Which image goes through which stage: README.md.

pub mod attention;
pub mod encode;
pub mod error;
pub mod options;
pub mod placeholder;
pub mod raster;
