//! Blobs: uploads and thumbnails by key.

use thiserror::Error;
use thumbs_domain::object_key::ObjectKey;

use crate::bindings::thumbs::blob_store::store;

/// Why a blob could not be read or written. The texts are for the log.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BlobError {
    /// No blob has this key.
    #[error("there is no such blob")]
    NotFound,
    /// It has more bytes than the reader allows, or than the store keeps.
    #[error("the blob has more than {max_bytes} bytes")]
    TooLarge {
        /// The bound that was hit.
        max_bytes: u64,
    },
    /// The store can't be reached, refuses us or makes no sense. Trying again may help, at the latest once the operator has
    /// mended the settings.
    #[error("the blob store is unavailable: {0}")]
    Unavailable(String),
}

/// Named byte strings; the contract is `wit/blob-store`.
pub trait Blobs {
    /// Creates the blob, or replaces it as a whole.
    ///
    /// # Errors
    /// [`BlobError`].
    fn put(&self, key: &ObjectKey, content_type: &str, data: &[u8]) -> Result<(), BlobError>;

    /// All its bytes, at most `max_bytes`.
    ///
    /// # Errors
    /// [`BlobError`].
    fn get(&self, key: &ObjectKey, max_bytes: u64) -> Result<Vec<u8>, BlobError>;

    /// Also succeeds where there is none.
    ///
    /// # Errors
    /// [`BlobError`].
    fn delete(&self, key: &ObjectKey) -> Result<(), BlobError>;
}

/// The blob store that the host provides or composes in.
#[derive(Clone, Copy, Debug)]
pub struct HostBlobs;

impl Blobs for HostBlobs {
    fn put(&self, key: &ObjectKey, content_type: &str, data: &[u8]) -> Result<(), BlobError> {
        store::put(key.as_str(), content_type, data).map_err(error)
    }

    fn get(&self, key: &ObjectKey, max_bytes: u64) -> Result<Vec<u8>, BlobError> {
        store::get(key.as_str(), max_bytes).map(|object| object.data).map_err(error)
    }

    fn delete(&self, key: &ObjectKey) -> Result<(), BlobError> {
        store::delete(key.as_str()).map_err(error)
    }
}

fn error(error: store::Error) -> BlobError {
    match error {
        store::Error::NotFound => BlobError::NotFound,
        store::Error::TooLarge(max_bytes) => BlobError::TooLarge { max_bytes },
        store::Error::InvalidKey => BlobError::Unavailable("it refuses the key".to_owned()),
        store::Error::AccessDenied(cause) | store::Error::Unavailable(cause) | store::Error::Other(cause) => {
            BlobError::Unavailable(cause)
        }
    }
}
