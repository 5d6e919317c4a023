//! Blobs in an S3 bucket: everything about it but how bytes travel.
//!
//! The component `blob-store` and the host keep blobs in the same buckets, by the same variables, and say the same about what goes wrong. So
//! the rules are here, once, and each of them brings a [`transport::Transport`]: the component sends by `wasi:http`, the host by sockets of its
//! own.
//!
//! - [`key`]: what a blob may be called, and what type it may have;
//! - [`settings`] and [`credentials`]: what is configured, parsed once into what can't be wrong;
//! - [`request`] and [`sign`]: what is sent, with its signature (AWS Signature Version 4 in the `Authorization` header);
//! - [`answer`]: what a refusal means, whose fault it is, whether another attempt may help, and the sentence for it;
//! - `document`: the XML in answers;
//! - [`retry`]: when that attempt is made;
//! - [`client`]: the operations, made of these;
//! - [`error`]: what they can fail with.
//!
//! Not here: sockets, clocks, chance, threads, WIT, and any other store than S3.

pub mod answer;
pub mod client;
pub mod credentials;
mod document;
pub mod error;
pub mod key;
pub mod request;
pub mod retry;
pub mod settings;
pub mod sign;
pub mod transport;

pub use client::{Client, Download, Metadata, Upload};
pub use credentials::Credentials;
pub use error::Error;
pub use key::{ContentType, Key};
pub use settings::{InvalidSetting, Settings};
