//! The blob-store provider: our blob interface (`wit/blob-store`) for hosts that have no blobs of their own.
//!
//! Composed into the components that keep blobs by `[component.<id>.dependencies]`; it runs with their grants and variables.
//! The backend is chosen by the variable `blob_url`. All decisions are pure code that is tested natively: keys ([`key`]),
//! settings ([`config`]), the layout in a key-value store ([`kv`]), the S3 client with its retries ([`s3`], [`retry`]). Only the
//! entry, `guest`, and the sending of requests, `s3::wasi_http`, need the wasm target.
//! Our own runtime has blobs and skips this component, unless it is told to compose everything.

pub mod blob;
pub mod config;
pub mod error;
pub mod key;
pub mod kv;
pub mod retry;
pub mod s3;

#[cfg(target_arch = "wasm32")]
mod guest;
