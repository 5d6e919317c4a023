//! Blobs in memory.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};

use thumbs_domain::object_key::ObjectKey;

use crate::blobs::{BlobError, BlobReader, BlobWriter, Blobs, Written};
use crate::digest::sha256;

/// What a reader gives at once.
const PIECE_BYTES: usize = 7;

/// What is stored, by key: content type and bytes.
#[derive(Debug, Default)]
pub struct MemoryBlobs {
    stored: RefCell<BTreeMap<String, (String, Vec<u8>)>>,
    is_down: Cell<bool>,
    kept: RefCell<BTreeSet<String>>,
    open_writers: Cell<u32>,
}

impl MemoryBlobs {
    /// All keys, sorted.
    pub fn keys(&self) -> Vec<String> {
        self.stored.borrow().keys().cloned().collect()
    }

    /// Content type and bytes of a blob.
    pub fn read(&self, key: &str) -> Option<(String, Vec<u8>)> {
        self.stored.borrow().get(key).cloned()
    }

    /// How many blobs were begun and neither finished nor dropped.
    pub fn open_writers(&self) -> u32 {
        self.open_writers.get()
    }

    /// From here on every call fails, or none.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.set(is_down);
    }

    /// From here on it does not delete this one.
    pub fn keep(&self, key: &ObjectKey) {
        self.kept.borrow_mut().insert(key.to_string());
    }

    /// From here on it deletes any.
    pub fn keep_none(&self) {
        self.kept.borrow_mut().clear();
    }

    fn up(&self) -> Result<(), BlobError> {
        match self.is_down.get() {
            true => Err(BlobError::Unavailable("secret-host:9000 refused".to_owned())),
            false => Ok(()),
        }
    }
}

impl Blobs for MemoryBlobs {
    fn put(&self, key: &ObjectKey, content_type: &str, data: &[u8]) -> Result<(), BlobError> {
        self.up()?;
        self.stored.borrow_mut().insert(key.to_string(), (content_type.to_owned(), data.to_vec()));
        Ok(())
    }

    fn write<'a>(
        &'a self,
        key: &ObjectKey,
        content_type: &str,
    ) -> Result<Box<dyn BlobWriter + 'a>, BlobError> {
        self.up()?;
        self.open_writers.set(self.open_writers.get() + 1);
        let (key, content_type) = (key.clone(), content_type.to_owned());
        Ok(Box::new(Writer { blobs: self, key, content_type, data: Vec::new() }))
    }

    fn get(&self, key: &ObjectKey, max_bytes: u64) -> Result<Vec<u8>, BlobError> {
        self.up()?;
        let (_, data) = self.read(key.as_str()).ok_or(BlobError::NotFound)?;
        if data.len() as u64 > max_bytes { Err(BlobError::TooLarge { max_bytes }) } else { Ok(data) }
    }

    fn read<'a>(&'a self, key: &ObjectKey, max_bytes: u64) -> Result<Box<dyn BlobReader + 'a>, BlobError> {
        let data = self.get(key, max_bytes)?;
        Ok(Box::new(Reader { blobs: self, rest: data }))
    }

    fn delete(&self, key: &ObjectKey) -> Result<(), BlobError> {
        self.up()?;
        if self.kept.borrow().contains(key.as_str()) {
            return Err(BlobError::Unavailable("may not be deleted".to_owned()));
        }
        self.stored.borrow_mut().remove(key.as_str());
        Ok(())
    }

    fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<String>, BlobError> {
        self.up()?;
        let is_listed = |key: &String| key.starts_with(prefix) && key.as_str() > after;
        Ok(self.keys().into_iter().filter(is_listed).take(limit as usize).collect())
    }
}

struct Writer<'a> {
    blobs: &'a MemoryBlobs,
    key: ObjectKey,
    content_type: String,
    data: Vec<u8>,
}

impl BlobWriter for Writer<'_> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), BlobError> {
        self.blobs.up()?;
        self.data.extend_from_slice(bytes);
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Written, BlobError> {
        self.blobs.put(&self.key, &self.content_type, &self.data)?;
        Ok(Written { bytes: self.data.len() as u64, sha256: sha256(&self.data) })
    }
}

impl Drop for Writer<'_> {
    fn drop(&mut self) {
        self.blobs.open_writers.set(self.blobs.open_writers.get() - 1);
    }
}

struct Reader<'a> {
    blobs: &'a MemoryBlobs,
    rest: Vec<u8>,
}

impl BlobReader for Reader<'_> {
    fn read(&mut self) -> Result<Vec<u8>, BlobError> {
        self.blobs.up()?;
        let rest = self.rest.split_off(self.rest.len().min(PIECE_BYTES));
        Ok(std::mem::replace(&mut self.rest, rest))
    }
}
