//! The end-to-end harness: starts the runtime in this process on port 0 with the shipped wasm, and speaks to it over real HTTP as
//! any client would. What is tested is in `service/`, `backends/` and `shipped/`; nothing here asserts anything about the service.

#![expect(clippy::expect_used, clippy::panic, reason = "a harness fails loudly")]

pub mod client;
pub mod collector;
pub mod driver;
pub mod home;
pub mod images;
pub mod killable;
pub mod proxy;
pub mod random;
pub mod receiver;
pub mod servers;
pub mod service;
pub mod slow;
pub mod watched;
pub mod world;

use std::path::PathBuf;

/// Where spin.toml and the built components are.
///
/// # Panics
/// When the crate was moved out of the repository.
#[must_use]
pub fn repository_root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ lies in the repository").to_path_buf()
}
