//! What a blob is, whichever backend keeps it: its metadata and its bound.

/// The largest blob of the interface, in bytes.
pub const MAX_BLOB_BYTES: u64 = 64 << 20;

/// What is known of a blob without its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    /// The blob's length in bytes.
    pub size_bytes: u64,
    /// As given to `put`.
    pub content_type: String,
}
