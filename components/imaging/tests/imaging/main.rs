//! What a caller sees of the crate: bytes in, a thumbnail out. One binary for all of it, as each would be linked anew.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may fail loudly; clippy knows only #[test] functions"
)]

mod animation;
mod budgets;
mod colour;
mod compare;
mod decoding_work;
mod differential;
mod fixtures;
mod golden;
mod heif;
mod hostile;
mod intake;
mod odd_files;
mod oddities;
mod pictures;
mod png_kinds;
mod quality;
mod several;
mod sizes;
mod truncated;
mod work;
