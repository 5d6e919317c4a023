//! Why a file can't be read. One enum, by whose fault; no variant holds bytes of the file.

/// Repeating the call gives the same error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The bytes do not begin like a HEIC or AVIF file.
    #[error("not a HEIC or AVIF image")]
    NotHeif,
    /// The file uses something that is not read.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
    /// The file breaks the rules of the format, or ends before its boxes do.
    #[error("the file can't be read: {0}")]
    Malformed(&'static str),
}
