//! Blobs in a key-value store that knows only whole values: no range read, no transaction, no compare-and-swap.
//!
//! A blob is two values. The data lies under `blob/data/<key>/<generation>`, where the generation is random and never used
//! twice; the record under `blob/record/<key>` names the generation, the size and the content type. The record is written
//! after the data and replaced in one step, so it is the commit: whatever crashes before it leaves the old blob (or none) and
//! a value that nothing names, never a record that lies. `head` reads the record alone, so it costs the same for 32 MiB as
//! for one byte. Old data is deleted only after the record has stopped naming it.
//!
//! Two puts of one key at once are safe for the same reason: the last record wins with its own data. The price is garbage: the
//! data of a put that crashed, or of the loser of such a race, stays.

use crate::blob::Metadata;
use crate::error::Error;
use crate::key::{ContentType, ObjectKey};

/// How often a reader starts again because a writer replaced the blob between its two reads.
const MAX_READ_ROUNDS: u32 = 8;
/// The first line of a record; a different number is a different layout.
const RECORD_VERSION: &str = "thumbs-blob 1";
/// The longest record that this module writes: version, generation, size and content type, a line each.
const MAX_RECORD_BYTES: usize = 512;

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

    /// Creates or replaces the blob. `generation` must be random: two puts with the same one would share their data.
    ///
    /// # Errors
    /// What the store says, or [`Error::Other`] where an old record can't be read.
    pub fn put(
        &self,
        key: &ObjectKey,
        content_type: &ContentType,
        data: &[u8],
        generation: u128,
    ) -> Result<(), Error> {
        let replaced = self.record(key)?;
        let record = Record {
            generation,
            metadata: Metadata {
                size_bytes: data.len() as u64,
                content_type: content_type.as_str().to_owned(),
            },
        };
        self.pairs.set(&data_key(key, generation), data)?;
        self.pairs.set(&record_key(key), record.to_text().as_bytes())?;
        if let Some(replaced) = replaced {
            // The new blob stands. A failure here leaves garbage, and saying that the put failed would be wrong.
            let _garbage_may_stay = self.pairs.delete(&data_key(key, replaced.generation));
        }
        Ok(())
    }

    /// The whole blob.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::TooLarge`] before the data is read; what the store says; [`Error::Other`] where record
    /// and data do not belong together.
    pub fn get(&self, key: &ObjectKey, max_bytes: u64) -> Result<(Metadata, Vec<u8>), Error> {
        let mut record = self.record(key)?.ok_or(Error::NotFound)?;
        for _ in 0..MAX_READ_ROUNDS {
            if record.metadata.size_bytes > max_bytes {
                return Err(Error::TooLarge(max_bytes));
            }
            if let Some(data) = self.pairs.get(&data_key(key, record.generation))? {
                if data.len() as u64 != record.metadata.size_bytes {
                    return Err(Error::Other(
                        "a blob in the key-value store has the wrong length".to_owned(),
                    ));
                }
                return Ok((record.metadata, data));
            }
            let latest = self.record(key)?.ok_or(Error::NotFound)?;
            if latest.generation == record.generation {
                return Err(Error::Other("a blob in the key-value store has lost its data".to_owned()));
            }
            record = latest;
        }
        Err(Error::Unavailable("a blob is replaced faster than it can be read".to_owned()))
    }

    /// What is known of the blob, without reading its data.
    ///
    /// # Errors
    /// [`Error::NotFound`]; what the store says; [`Error::Other`] where the record can't be read.
    pub fn head(&self, key: &ObjectKey) -> Result<Metadata, Error> {
        Ok(self.record(key)?.ok_or(Error::NotFound)?.metadata)
    }

    /// Removes the blob, or succeeds where it is not there.
    ///
    /// # Errors
    /// What the store says, or [`Error::Other`] where the record can't be read.
    pub fn delete(&self, key: &ObjectKey) -> Result<(), Error> {
        let Some(record) = self.record(key)? else { return Ok(()) };
        // The record first: from here on no reader sees the blob, and a crash leaves garbage.
        self.pairs.delete(&record_key(key))?;
        self.pairs.delete(&data_key(key, record.generation))
    }

    fn record(&self, key: &ObjectKey) -> Result<Option<Record>, Error> {
        self.pairs.get(&record_key(key))?.map(|value| Record::from_bytes(&value)).transpose()
    }
}

fn record_key(key: &ObjectKey) -> String {
    format!("blob/record/{}", key.as_str())
}

fn data_key(key: &ObjectKey, generation: u128) -> String {
    format!("blob/data/{}/{generation:032x}", key.as_str())
}

struct Record {
    generation: u128,
    metadata: Metadata,
}

impl Record {
    fn to_text(&self) -> String {
        let Metadata { size_bytes, content_type } = &self.metadata;
        format!("{RECORD_VERSION}\n{:032x}\n{size_bytes}\n{content_type}\n", self.generation)
    }

    fn from_bytes(value: &[u8]) -> Result<Self, Error> {
        Self::parse(value).ok_or_else(|| {
            Error::Other(
                "a blob's record in the key-value store is not one that this version can read".to_owned(),
            )
        })
    }

    fn parse(value: &[u8]) -> Option<Self> {
        let text = str::from_utf8(value).ok().filter(|text| text.len() <= MAX_RECORD_BYTES)?;
        let lines: Vec<&str> = text.strip_suffix('\n')?.split('\n').collect();
        let [RECORD_VERSION, generation, size_bytes, content_type] = lines[..] else { return None };
        Some(Self {
            generation: u128::from_str_radix(generation, 16).ok()?,
            metadata: Metadata {
                size_bytes: size_bytes.parse().ok()?,
                content_type: content_type.to_owned(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;

    /// A store in memory that stops working after a number of writes, as a host that is killed does.
    #[derive(Default)]
    struct Memory {
        values: RefCell<BTreeMap<String, Vec<u8>>>,
        writes_left: RefCell<Option<u32>>,
    }

    impl Memory {
        fn write(&self, change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> Result<(), Error> {
            match &mut *self.writes_left.borrow_mut() {
                Some(0) => return Err(Error::Unavailable("killed".to_owned())),
                Some(left) => *left -= 1,
                None => {}
            }
            change(&mut self.values.borrow_mut());
            Ok(())
        }
    }

    impl Pairs for &Memory {
        fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
            Ok(self.values.borrow().get(key).cloned())
        }
        fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
            self.write(|values| {
                values.insert(key.to_owned(), value.to_vec());
            })
        }
        fn delete(&self, key: &str) -> Result<(), Error> {
            self.write(|values| {
                values.remove(key);
            })
        }
    }

    fn key() -> ObjectKey {
        ObjectKey::parse("uploads/a".to_owned()).unwrap()
    }

    fn content_type(text: &str) -> ContentType {
        ContentType::parse(text.to_owned()).unwrap()
    }

    #[test]
    fn what_is_put_is_read_and_deleted() {
        let memory = Memory::default();
        let blobs = KeyValueBlobs::new(&memory);
        blobs.put(&key(), &content_type("image/png"), b"data", 1).unwrap();
        let metadata = Metadata { size_bytes: 4, content_type: "image/png".to_owned() };
        assert_eq!(blobs.head(&key()), Ok(metadata.clone()));
        assert_eq!(blobs.get(&key(), 4), Ok((metadata, b"data".to_vec())));
        assert_eq!(blobs.get(&key(), 3), Err(Error::TooLarge(3)));
        blobs.delete(&key()).unwrap();
        blobs.delete(&key()).unwrap();
        assert_eq!(blobs.get(&key(), 4), Err(Error::NotFound));
        assert_eq!(blobs.head(&key()), Err(Error::NotFound));
        assert!(memory.values.borrow().is_empty(), "a delete leaves nothing");
    }

    #[test]
    fn a_replaced_blob_leaves_no_garbage() {
        let memory = Memory::default();
        let blobs = KeyValueBlobs::new(&memory);
        for generation in 0..5 {
            blobs.put(&key(), &content_type("image/png"), &[0; 100], generation).unwrap();
        }
        assert_eq!(memory.values.borrow().len(), 2);
    }

    /// Kills the store after every possible number of writes in a replacing put, then looks at what a reader sees.
    #[test]
    fn a_put_that_is_killed_leaves_the_old_blob_or_the_new_one() {
        for writes in 0..4 {
            let memory = Memory::default();
            let blobs = KeyValueBlobs::new(&memory);
            blobs.put(&key(), &content_type("image/png"), b"old", 1).unwrap();
            *memory.writes_left.borrow_mut() = Some(writes);
            let answer = blobs.put(&key(), &content_type("image/gif"), b"newer", 2);
            *memory.writes_left.borrow_mut() = None;

            let (metadata, data) = blobs.get(&key(), 100).unwrap();
            assert_eq!(blobs.head(&key()), Ok(metadata.clone()));
            let seen = (metadata.content_type.as_str(), metadata.size_bytes, data.as_slice());
            if answer.is_ok() {
                assert_eq!(seen, ("image/gif", 5, b"newer".as_slice()), "after {writes} writes");
            } else {
                assert_eq!(seen, ("image/png", 3, b"old".as_slice()), "after {writes} writes");
            }
            // Either way the next put of the key goes through.
            blobs.put(&key(), &content_type("image/webp"), b"last", 3).unwrap();
            assert_eq!(blobs.get(&key(), 100).unwrap().1, b"last");
        }
    }

    #[test]
    fn a_delete_that_is_killed_shows_the_blob_or_nothing() {
        for writes in 0..2 {
            let memory = Memory::default();
            let blobs = KeyValueBlobs::new(&memory);
            blobs.put(&key(), &content_type("image/png"), b"old", 1).unwrap();
            *memory.writes_left.borrow_mut() = Some(writes);
            assert!(blobs.delete(&key()).is_err());
            let seen = blobs.get(&key(), 100);
            assert_eq!(seen.is_ok(), writes == 0);
            assert!(seen.is_ok() || seen == Err(Error::NotFound));
        }
    }

    /// A writer that replaces the blob each time the reader is about to read the data.
    struct Racing<'a> {
        memory: &'a Memory,
        races_left: RefCell<u32>,
    }

    impl Pairs for Racing<'_> {
        fn get(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
            let mut races_left = self.races_left.borrow_mut();
            if key.starts_with("blob/data/") && *races_left > 0 {
                *races_left -= 1;
                let generation = u128::from(*races_left) + 100;
                KeyValueBlobs::new(self.memory).put(
                    &ObjectKey::parse("uploads/a".to_owned())?,
                    &content_type("image/png"),
                    b"raced",
                    generation,
                )?;
            }
            self.memory.get(key)
        }
        fn set(&self, key: &str, value: &[u8]) -> Result<(), Error> {
            self.memory.set(key, value)
        }
        fn delete(&self, key: &str) -> Result<(), Error> {
            self.memory.delete(key)
        }
    }

    #[test]
    fn a_reader_that_is_overtaken_reads_the_newer_blob() {
        let memory = Memory::default();
        KeyValueBlobs::new(&memory).put(&key(), &content_type("image/png"), b"first", 1).unwrap();
        let racing = Racing { memory: &memory, races_left: RefCell::new(3) };
        assert_eq!(KeyValueBlobs::new(racing).get(&key(), 100).unwrap().1, b"raced");
        let racing = Racing { memory: &memory, races_left: RefCell::new(1000) };
        assert!(matches!(KeyValueBlobs::new(racing).get(&key(), 100), Err(Error::Unavailable(_))));
    }

    #[test]
    fn lost_or_foreign_values_are_named_not_believed() {
        let memory = Memory::default();
        let blobs = KeyValueBlobs::new(&memory);
        blobs.put(&key(), &content_type("image/png"), b"data", 1).unwrap();
        memory.values.borrow_mut().insert(data_key(&key(), 1), b"dat".to_vec());
        assert!(matches!(blobs.get(&key(), 100), Err(Error::Other(_))), "wrong length");
        memory.values.borrow_mut().remove(&data_key(&key(), 1));
        assert!(matches!(blobs.get(&key(), 100), Err(Error::Other(_))), "no data");
        for record in
            ["", "thumbs-blob 2\n1\n1\nimage/png\n", "thumbs-blob 1\nx\n1\na/b\n", "thumbs-blob 1\n1\n"]
        {
            memory.values.borrow_mut().insert(record_key(&key()), record.as_bytes().to_vec());
            assert!(matches!(blobs.head(&key()), Err(Error::Other(_))), "{record:?}");
        }
    }
}
