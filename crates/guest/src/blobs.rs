//! Blobs: uploads and thumbnails by key.

use thiserror::Error;
use thumbs_domain::digest::Digest;
use thumbs_domain::object_key::ObjectKey;

use crate::bindings::thumbs::blob_store::store;
use crate::digest::Hasher;

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

    /// Begins a blob that is written in pieces.
    ///
    /// # Errors
    /// [`BlobError`].
    fn write<'a>(
        &'a self,
        key: &ObjectKey,
        content_type: &str,
    ) -> Result<Box<dyn BlobWriter + 'a>, BlobError>;

    /// All its bytes, at most `max_bytes`.
    ///
    /// # Errors
    /// [`BlobError`].
    fn get(&self, key: &ObjectKey, max_bytes: u64) -> Result<Vec<u8>, BlobError>;

    /// Opens a blob of at most `max_bytes`, to be read in pieces.
    ///
    /// # Errors
    /// [`BlobError`].
    fn read<'a>(&'a self, key: &ObjectKey, max_bytes: u64) -> Result<Box<dyn BlobReader + 'a>, BlobError>;

    /// Also succeeds where there is none.
    ///
    /// # Errors
    /// [`BlobError`].
    fn delete(&self, key: &ObjectKey) -> Result<(), BlobError>;

    /// The first `limit` keys, and no more than a thousand, that begin with `prefix` and come after `after`, in the order of their bytes. Both
    /// are of what a key may have.
    ///
    /// # Errors
    /// [`BlobError`].
    fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<String>, BlobError>;
}

/// No piece of a blob is larger, in bytes.
pub const MAX_PIECE_BYTES: usize = 1 << 20;

/// What was written in pieces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written {
    /// How many.
    pub bytes: u64,
    /// Of all of them.
    pub sha256: Digest,
}

/// A blob in the making. Nothing is left of one that is dropped unfinished.
pub trait BlobWriter {
    /// The next bytes, as many as there are.
    ///
    /// # Errors
    /// [`BlobError`]; the blob can't be finished any more.
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError>;

    /// Puts the blob in its place.
    ///
    /// # Errors
    /// [`BlobError`]; it may be there all the same.
    fn finish(self: Box<Self>) -> Result<Written, BlobError>;
}

/// A blob that is read from its beginning on.
pub trait BlobReader {
    /// The next bytes; none at the end.
    ///
    /// # Errors
    /// [`BlobError`].
    fn read(&mut self) -> Result<Vec<u8>, BlobError>;
}

/// A writer that keeps nothing, for bytes of which only the digest is asked for.
#[derive(Clone, Debug, Default)]
pub struct Unkept {
    hasher: Hasher,
    bytes: u64,
}

impl BlobWriter for Unkept {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.hasher.update(bytes);
        self.bytes += bytes.len() as u64;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Written, BlobError> {
        Ok(Written { bytes: self.bytes, sha256: self.hasher.finish() })
    }
}

/// The blob store that the host provides or composes in.
#[derive(Clone, Copy, Debug)]
pub struct HostBlobs;

impl Blobs for HostBlobs {
    fn put(&self, key: &ObjectKey, content_type: &str, data: &[u8]) -> Result<(), BlobError> {
        store::put(key.as_str(), content_type, data).map_err(error)
    }

    fn write<'a>(
        &'a self,
        key: &ObjectKey,
        content_type: &str,
    ) -> Result<Box<dyn BlobWriter + 'a>, BlobError> {
        Ok(Box::new(HostWriter(store::Writer::open(key.as_str(), content_type).map_err(error)?)))
    }

    fn get(&self, key: &ObjectKey, max_bytes: u64) -> Result<Vec<u8>, BlobError> {
        store::get(key.as_str(), max_bytes).map(|object| object.data).map_err(error)
    }

    fn read<'a>(&'a self, key: &ObjectKey, max_bytes: u64) -> Result<Box<dyn BlobReader + 'a>, BlobError> {
        Ok(Box::new(HostReader(store::Reader::open(key.as_str(), max_bytes).map_err(error)?)))
    }

    fn delete(&self, key: &ObjectKey) -> Result<(), BlobError> {
        store::delete(key.as_str()).map_err(error)
    }

    fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<String>, BlobError> {
        store::list_keys(prefix, after, limit).map_err(error)
    }
}

struct HostWriter(store::Writer);

impl BlobWriter for HostWriter {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        bytes.chunks(MAX_PIECE_BYTES).try_for_each(|piece| self.0.write(piece).map_err(error))
    }

    fn finish(self: Box<Self>) -> Result<Written, BlobError> {
        let store::Written { size_bytes, sha256 } = store::Writer::finish(self.0).map_err(error)?;
        let foreign = |_| BlobError::Unavailable("it gives a digest that is none".to_owned());
        let sha256 = Digest::from_bytes(sha256.try_into().map_err(foreign)?);
        Ok(Written { bytes: size_bytes, sha256 })
    }
}

struct HostReader(store::Reader);

impl BlobReader for HostReader {
    fn read(&mut self) -> Result<Vec<u8>, BlobError> {
        self.0.read().map_err(error)
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
