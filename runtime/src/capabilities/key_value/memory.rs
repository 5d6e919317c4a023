//! A key-value store in this process, gone with it: for tests.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{Backend, BackendError};

/// A map, and what its pairs have together.
#[derive(Debug)]
pub struct MemoryStore {
    max_bytes: usize,
    pairs: Mutex<Pairs>,
}

#[derive(Debug, Default)]
struct Pairs {
    values: BTreeMap<String, Vec<u8>>,
    bytes: usize,
}

impl Pairs {
    fn remove(&mut self, key: &str) {
        if let Some(value) = self.values.remove(key) {
            self.bytes -= key.len() + value.len();
        }
    }
}

impl MemoryStore {
    /// Empty, with room for keys and values of so many bytes together.
    #[must_use]
    pub fn new(max_bytes: usize) -> Self {
        Self { max_bytes, pairs: Mutex::default() }
    }

    fn with<T: Send + 'static>(
        &self,
        use_pairs: impl FnOnce(&mut Pairs) -> Result<T, BackendError>,
    ) -> BoxFuture<'_, Result<T, BackendError>> {
        let done = use_pairs(&mut self.pairs.lock().unwrap_or_else(PoisonError::into_inner));
        std::future::ready(done).boxed()
    }
}

impl Backend for MemoryStore {
    fn summary(&self) -> String {
        "memory of this process".to_owned()
    }

    fn get<'a>(
        &'a self,
        key: &'a str,
        max_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, BackendError>> {
        self.with(|pairs| match pairs.values.get(key) {
            Some(value) if value.len() > max_bytes => {
                Err(BackendError(format!("the value has {} bytes, more than {max_bytes}", value.len())))
            }
            found => Ok(found.cloned()),
        })
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> BoxFuture<'a, Result<(), BackendError>> {
        self.with(|pairs| {
            let replaced = pairs.values.get(key).map_or(0, |old| key.len() + old.len());
            let bytes = (pairs.bytes - replaced).saturating_add(key.len()).saturating_add(value.len());
            if bytes > self.max_bytes {
                return Err(BackendError(format!("the store has room for {} bytes", self.max_bytes)));
            }
            pairs.bytes = bytes;
            pairs.values.insert(key.to_owned(), value);
            Ok(())
        })
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BackendError>> {
        self.with(|pairs| {
            pairs.remove(key);
            Ok(())
        })
    }

    fn exists<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool, BackendError>> {
        self.with(|pairs| Ok(pairs.values.contains_key(key)))
    }

    fn keys(&self, max_keys: usize) -> BoxFuture<'_, Result<Vec<String>, BackendError>> {
        self.with(|pairs| {
            if pairs.values.len() > max_keys {
                return Err(BackendError(format!("the store has more than {max_keys} keys")));
            }
            Ok(pairs.values.keys().cloned().collect())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::contract;
    use super::*;

    #[tokio::test]
    async fn keeps_the_contract() {
        contract::holds(&MemoryStore::new(1_000)).await;
    }

    #[tokio::test]
    async fn what_all_pairs_have_together_is_bounded() {
        let store = MemoryStore::new(10);
        store.set("a", vec![0; 9]).await.unwrap();
        assert!(store.set("b", vec![]).await.is_err());
        store.set("a", vec![0; 4]).await.unwrap();
        store.set("b", vec![0; 4]).await.unwrap();
        assert!(store.set("a", vec![0; 5]).await.is_err());
        assert_eq!(store.get("a", 10).await.unwrap(), Some(vec![0; 4]), "a refused value replaces nothing");
        store.delete("b").await.unwrap();
        store.set("a", vec![0; 9]).await.unwrap();
    }
}
