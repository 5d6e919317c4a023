//! Blobs in an S3 bucket, over whatever can send an HTTP request.
//!
//! [`client`] has the four operations with their retries; [`settings`] what is configured; [`answer`] what a refusal means;
//! [`host`] what the operations need from the world: sending, time, chance. `wasi_http` gives that in a component; the tests
//! give a scripted one. Signing is `rusty-s3`'s: a presigned URL, which every S3-compatible server accepts.
//!
//! Not here: multipart uploads. A blob has at most 64 MiB and S3 takes 5 GiB in one request, and one request is what makes
//! a put atomic.

pub mod answer;
pub mod client;
pub mod host;
pub mod settings;

#[cfg(target_arch = "wasm32")]
pub(crate) mod wasi_http;
