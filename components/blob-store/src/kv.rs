//! Blobs in a key-value store: a value a blob, under `blob/<key>`.
//!
//! A value is the blob's bytes and then its content type: `data · content type · its length (one byte) · "thb1"`, as in the files of the host's
//! directory. So a put is one `set`, which every store does as a whole: a reader sees one put and nothing of another, whatever crashes, and
//! nothing is left behind. The type stands at the end so that a reader has not to move the bytes. The price: the interface of key-value stores
//! gives whole values only, so `head` reads the bytes as well, and a blob over the bound of a `get` is refused after it was read.

use thumbs_s3::{ContentType, Error, Key, Metadata};

/// Marks the end of a value of ours, with the version of its layout.
const MAGIC: &[u8; 4] = b"thb1";

/// The key-value store underneath, opened.
pub trait Pairs {
    /// The value of `key`, where there is one.
    ///
    /// # Errors
    /// As the store says.
    fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error>;
    /// Sets the value of `key` as a whole.
    ///
    /// # Errors
    /// As the store says; the value may be set nevertheless.
    fn set(&self, key: &str, value: &[u8]) -> Result<(), Error>;
    /// Removes `key`, or succeeds where it is not there.
    ///
    /// # Errors
    /// As the store says; the key may be gone nevertheless.
    fn delete(&self, key: &str) -> Result<(), Error>;
    /// All keys, in no order.
    ///
    /// # Errors
    /// As the store says, for example that it has too many.
    fn keys(&self) -> Result<Vec<String>, Error>;
}

/// Blobs over one [`Pairs`].
pub struct KeyValueBlobs<P> {
    pairs: P,
}

impl<P: Pairs> KeyValueBlobs<P> {
    /// Blobs in `pairs`.
    pub const fn new(pairs: P) -> Self {
        Self { pairs }
    }

    /// Creates or replaces the blob, of these pieces.
    ///
    /// # Errors
    /// What the store says, for example that it takes no value of this size.
    pub fn put(&self, key: Key<'_>, content_type: ContentType<'_>, pieces: &[Vec<u8>]) -> Result<(), Error> {
        let content_type = content_type.as_str();
        let length = u8::try_from(content_type.len())
            .map_err(|_| Error::Other("the content type is too long".to_owned()))?;
        let data_bytes: usize = pieces.iter().map(Vec::len).sum();
        // No more than that: a vector doubles by itself, which an instance has no memory for.
        let mut value = Vec::with_capacity(data_bytes + content_type.len() + 1 + MAGIC.len());
        pieces.iter().for_each(|piece| value.extend_from_slice(piece));
        value.extend_from_slice(content_type.as_bytes());
        value.push(length);
        value.extend_from_slice(MAGIC);
        self.pairs.set(&name(key), &value)
    }

    /// The whole blob.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::TooLarge`], what the store says, or [`Error::Other`] where the value was not written here.
    pub fn get(&self, key: Key<'_>, max_bytes: u64) -> Result<(Metadata, Vec<u8>), Error> {
        let mut data = self.pairs.get(&name(key))?.ok_or(Error::NotFound)?;
        let content_type = content_type(&data)
            .ok_or_else(|| Error::Other("a value in the key-value store is no blob of ours".to_owned()))?
            .to_owned();
        data.truncate(data.len().saturating_sub(content_type.len() + 1 + MAGIC.len()));
        let size_bytes = data.len() as u64;
        if size_bytes > max_bytes {
            return Err(Error::TooLarge(max_bytes));
        }
        Ok((Metadata { size_bytes, content_type }, data))
    }

    /// What is known of the blob.
    ///
    /// # Errors
    /// As for [`KeyValueBlobs::get`], without [`Error::TooLarge`].
    pub fn head(&self, key: Key<'_>) -> Result<Metadata, Error> {
        self.get(key, u64::MAX).map(|(metadata, _)| metadata)
    }

    /// Removes the blob, or succeeds where it is not there.
    ///
    /// # Errors
    /// What the store says.
    pub fn delete(&self, key: Key<'_>) -> Result<(), Error> {
        self.pairs.delete(&name(key))
    }

    /// The first `limit` keys that begin with `prefix` and come after `after`.
    ///
    /// # Errors
    /// What the store says.
    pub fn list(&self, prefix: &str, after: &str, limit: usize) -> Result<Vec<String>, Error> {
        let mut keys = self.pairs.keys()?;
        // In their place: there may be many more than are asked for, and no room for a second list.
        keys.retain_mut(|name| {
            let is_listed = name
                .strip_prefix(FOLDER)
                .is_some_and(|key| key.starts_with(prefix) && key > after && Key::parse(key).is_some());
            if is_listed {
                name.drain(..FOLDER.len());
            }
            is_listed
        });
        keys.sort_unstable();
        keys.truncate(limit);
        Ok(keys)
    }
}

/// Before the key of a blob.
const FOLDER: &str = "blob/";

fn name(key: Key<'_>) -> String {
    format!("{FOLDER}{}", key.as_str())
}

fn content_type(value: &[u8]) -> Option<&str> {
    let (length, rest) = value.strip_suffix(MAGIC)?.split_last()?;
    let start = rest.len().checked_sub(usize::from(*length))?;
    str::from_utf8(rest.get(start..)?).ok()
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;

    /// A store in memory that takes so many writes and then no more.
    struct Memory {
        values: RefCell<BTreeMap<String, Vec<u8>>>,
        writes_left: RefCell<u32>,
    }

    impl Memory {
        fn new(writes: u32) -> Self {
            Self { values: RefCell::default(), writes_left: RefCell::new(writes) }
        }

        fn write(&self) -> Result<(), Error> {
            let left = self.writes_left.borrow().checked_sub(1);
            *self.writes_left.borrow_mut() = left.ok_or_else(|| Error::Unavailable("killed".to_owned()))?;
            Ok(())
        }
    }

    impl Pairs for &Memory {
        fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
            Ok(self.values.borrow().get(key).cloned())
        }
        fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
            self.write()?;
            self.values.borrow_mut().insert(key.to_owned(), value.to_vec());
            Ok(())
        }
        fn delete(&self, key: &str) -> Result<(), Error> {
            self.write()?;
            self.values.borrow_mut().remove(key);
            Ok(())
        }
        fn keys(&self) -> Result<Vec<String>, Error> {
            Ok(self.values.borrow().keys().rev().cloned().collect())
        }
    }

    fn key() -> Key<'static> {
        Key::parse("uploads/a").unwrap()
    }

    fn put(memory: &Memory, content_type: &str, data: &[u8]) -> Result<(), Error> {
        let content_type = ContentType::parse(content_type).unwrap();
        KeyValueBlobs::new(memory).put(key(), content_type, &[data.to_vec()])
    }

    fn get(memory: &Memory, max_bytes: u64) -> Result<(Metadata, Vec<u8>), Error> {
        KeyValueBlobs::new(memory).get(key(), max_bytes)
    }

    #[test]
    fn what_is_put_is_read_and_deleted() {
        let memory = Memory::new(u32::MAX);
        let blobs = KeyValueBlobs::new(&memory);
        for (data, content_type) in [(&b"data"[..], "image/png"), (b"", "a"), (b"thb1", &"t".repeat(255))] {
            put(&memory, content_type, data).unwrap();
            let size_bytes = data.len() as u64;
            let metadata = Metadata { size_bytes, content_type: content_type.to_owned() };
            assert_eq!(blobs.head(key()), Ok(metadata.clone()));
            assert_eq!(get(&memory, size_bytes), Ok((metadata, data.to_vec())));
        }
        assert_eq!(get(&memory, 3), Err(Error::TooLarge(3)));
        blobs.delete(key()).unwrap();
        blobs.delete(key()).unwrap();
        assert_eq!(get(&memory, 4), Err(Error::NotFound));
        assert_eq!(blobs.head(key()), Err(Error::NotFound));
        assert!(memory.values.borrow().is_empty(), "a delete leaves nothing");
    }

    #[test]
    fn a_put_replaces_as_a_whole_by_one_write() {
        let memory = Memory::new(2);
        put(&memory, "image/png", b"old").unwrap();
        put(&memory, "image/gif", b"newer").unwrap();
        let seen = || get(&memory, 100).map(|(metadata, data)| (metadata.content_type, data));
        assert_eq!(seen(), Ok(("image/gif".to_owned(), b"newer".to_vec())));
        assert!(put(&memory, "image/webp", b"never").is_err(), "the store takes no third write");
        assert_eq!(seen(), Ok(("image/gif".to_owned(), b"newer".to_vec())));
        assert_eq!(memory.values.borrow().len(), 1, "nothing is left behind");
    }

    #[test]
    fn keys_are_listed_in_order_and_those_of_others_are_not() {
        let memory = Memory::new(u32::MAX);
        for name in ["blob/a/2", "blob/a/1", "blob/a/3", "blob/b", "a/4", "blob/a/A", "blob/"] {
            (&memory).set(name, b"").unwrap();
        }
        let blobs = KeyValueBlobs::new(&memory);
        assert_eq!(blobs.list("a/", "", 2), Ok(vec!["a/1".to_owned(), "a/2".to_owned()]));
        assert_eq!(blobs.list("a/", "a/2", 2), Ok(vec!["a/3".to_owned()]));
        assert_eq!(blobs.list("", "a/3", 9), Ok(vec!["b".to_owned()]));
    }

    #[test]
    fn a_foreign_value_is_named_not_believed() {
        let memory = Memory::new(0);
        for value in [&b""[..], b"thb1", b"hello", b"\x00thb2", b"x\xffthb1", b"\xff\x01thb1"] {
            memory.values.borrow_mut().insert(name(key()), value.to_vec());
            assert!(matches!(get(&memory, 100), Err(Error::Other(_))), "{value:?}");
        }
    }
}
