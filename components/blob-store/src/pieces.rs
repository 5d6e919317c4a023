//! Blobs that are written and read in pieces. A bucket takes and gives them so; the host's key-value store has whole values only, so such a
//! blob is held here until it is finished, and while it is read.

use std::cell::RefCell;

use sha2::{Digest as _, Sha256};
use thumbs_s3::transport::now;
use thumbs_s3::{Download, Metadata, Settings, Upload};

use crate::config::Backend;
use crate::guest::bindings::exports::thumbs::blob_store::store;
use crate::guest::{MAX_BLOB_BYTES, backend, checked, checked_type, open, s3};

/// The largest piece of the interface, in bytes.
const MAX_PIECE_BYTES: usize = 1 << 20;

/// A blob in the making.
pub(crate) struct OpenWriter(RefCell<Writing>);

struct Writing {
    /// None once it is over.
    blob: Option<Blob>,
    hasher: Sha256,
    bytes: u64,
}

enum Blob {
    KeyValue { label: String, key: String, content_type: String, pieces: Vec<Vec<u8>> },
    S3(Box<Settings>, Upload),
}

fn is_over() -> store::Error {
    store::Error::Other("the blob was given up after an error".to_owned())
}

impl Blob {
    fn open(key: String, content_type: String) -> Result<Self, store::Error> {
        let (checked, checked_type) = (checked(&key)?, checked_type(&content_type)?);
        Ok(match backend()? {
            Backend::KeyValue { label } => Self::KeyValue { label, key, content_type, pieces: Vec::new() },
            Backend::S3(settings) => Self::S3(settings, Upload::new(checked, checked_type)),
        })
    }

    fn write(&mut self, piece: Vec<u8>) -> Result<(), store::Error> {
        match self {
            Self::KeyValue { pieces, .. } => pieces.push(piece),
            Self::S3(settings, upload) => now(upload.write(&s3(settings), &piece))?,
        }
        Ok(())
    }

    fn finish(self) -> Result<(), store::Error> {
        match self {
            Self::KeyValue { label, key, content_type, pieces } => {
                open(&label)?.put(checked(&key)?, checked_type(&content_type)?, &pieces)?;
            }
            Self::S3(settings, upload) => now(upload.finish(&s3(&settings)))?,
        }
        Ok(())
    }

    fn abort(self) {
        if let Self::S3(settings, upload) = self {
            now(upload.abort(&s3(&settings)));
        }
    }
}

impl store::GuestWriter for OpenWriter {
    fn open(key: String, content_type: String) -> Result<store::Writer, store::Error> {
        let blob = Some(Blob::open(key, content_type)?);
        Ok(store::Writer::new(Self(RefCell::new(Writing { blob, hasher: Sha256::new(), bytes: 0 }))))
    }

    fn write(&self, piece: Vec<u8>) -> Result<(), store::Error> {
        let mut writing = self.0.borrow_mut();
        // After an error it is not put back.
        let mut blob = writing.blob.take().ok_or_else(is_over)?;
        writing.bytes += piece.len() as u64;
        let written = if piece.len() > MAX_PIECE_BYTES {
            Err(store::Error::TooLarge(MAX_PIECE_BYTES as u64))
        } else if writing.bytes > MAX_BLOB_BYTES {
            Err(store::Error::TooLarge(MAX_BLOB_BYTES))
        } else {
            writing.hasher.update(&piece);
            blob.write(piece)
        };
        match &written {
            Ok(()) => writing.blob = Some(blob),
            Err(_) => blob.abort(),
        }
        written
    }

    fn finish(writer: store::Writer) -> Result<store::Written, store::Error> {
        let mut writing = writer.get::<Self>().0.borrow_mut();
        writing.blob.take().ok_or_else(is_over)?.finish()?;
        let sha256 = writing.hasher.finalize_reset().to_vec();
        Ok(store::Written { size_bytes: writing.bytes, sha256 })
    }
}

impl Drop for OpenWriter {
    fn drop(&mut self) {
        if let Some(blob) = self.0.get_mut().blob.take() {
            blob.abort();
        }
    }
}

/// A blob that is being read.
pub(crate) struct OpenReader {
    metadata: Metadata,
    rest: RefCell<Rest>,
}

enum Rest {
    KeyValue { value: Vec<u8>, at: usize },
    S3(Box<Settings>, Download),
}

impl store::GuestReader for OpenReader {
    fn open(key: String, max_bytes: u64) -> Result<store::Reader, store::Error> {
        let key = checked(&key)?;
        let max_bytes = max_bytes.min(MAX_BLOB_BYTES);
        let (metadata, rest) = match backend()? {
            Backend::KeyValue { label } => {
                let (metadata, value) = open(&label)?.get(key, max_bytes)?;
                (metadata, Rest::KeyValue { value, at: 0 })
            }
            Backend::S3(settings) => {
                let download = now(Download::open(&s3(&settings), key, max_bytes))?;
                (download.metadata().clone(), Rest::S3(settings, download))
            }
        };
        Ok(store::Reader::new(Self { metadata, rest: RefCell::new(rest) }))
    }

    fn metadata(&self) -> store::Metadata {
        self.metadata.clone().into()
    }

    fn read(&self) -> Result<Vec<u8>, store::Error> {
        match &mut *self.rest.borrow_mut() {
            Rest::KeyValue { value, at } => {
                let rest = value.get(*at..).unwrap_or_default();
                let piece = rest.get(..MAX_PIECE_BYTES).unwrap_or(rest).to_vec();
                *at += piece.len();
                Ok(piece)
            }
            Rest::S3(settings, download) => Ok(now(download.read(&s3(settings)))?),
        }
    }
}
