//! The blob-store provider: our blob interface (`wit/blob-store`) for hosts that have no blobs of their own.
//!
//! Composed into the components that keep blobs by `[component.<id>.dependencies]`; it runs with their grants and variables.
//! The backend is chosen by the variable `blob_url` ([`config`]): the host's key-value store ([`kv`]), or an S3 bucket. What is to know of S3
//! is in the crate `thumbs-s3`, which the host has as well; here is only how its requests travel, `s3::wasi_http`. That and the entry, `guest` with `pieces`,
//! need the wasm target; the rest is pure code that is tested natively.
//! Our own runtime has blobs and skips this component, unless it is told to compose everything.

pub mod config;
pub mod foreign;
pub mod kv;

#[cfg(target_arch = "wasm32")]
mod guest;
#[cfg(target_arch = "wasm32")]
mod pieces;
#[cfg(target_arch = "wasm32")]
mod s3;
