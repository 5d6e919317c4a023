//! Blobs in memory.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use thumbs_domain::object_key::ObjectKey;

use crate::blobs::{BlobError, Blobs};

/// What is stored, by key: content type and bytes.
#[derive(Debug, Default)]
pub struct MemoryBlobs {
    stored: RefCell<BTreeMap<String, (String, Vec<u8>)>>,
    is_down: Cell<bool>,
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

    /// From here on every call fails, or none.
    pub fn set_down(&self, is_down: bool) {
        self.is_down.set(is_down);
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

    fn get(&self, key: &ObjectKey, max_bytes: u64) -> Result<Vec<u8>, BlobError> {
        self.up()?;
        let (_, data) = self.read(key.as_str()).ok_or(BlobError::NotFound)?;
        if data.len() as u64 > max_bytes { Err(BlobError::TooLarge { max_bytes }) } else { Ok(data) }
    }

    fn delete(&self, key: &ObjectKey) -> Result<(), BlobError> {
        self.up()?;
        self.stored.borrow_mut().remove(key.as_str());
        Ok(())
    }
}
