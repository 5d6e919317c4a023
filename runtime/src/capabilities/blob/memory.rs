//! Blobs in this process, gone with it: for tests and for looking around.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{Backend, wit};

/// A map.
#[derive(Debug, Default)]
pub struct MemoryStore {
    blobs: Mutex<HashMap<String, wit::Object>>,
}

impl MemoryStore {
    fn with<T>(&self, use_blobs: impl FnOnce(&mut HashMap<String, wit::Object>) -> T) -> T {
        use_blobs(&mut self.blobs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn find<T>(
        &self,
        key: &str,
        use_blob: impl FnOnce(&wit::Object) -> Result<T, wit::Error>,
    ) -> Result<T, wit::Error> {
        self.with(|blobs| blobs.get(key).ok_or(wit::Error::NotFound).and_then(use_blob))
    }
}

impl Backend for MemoryStore {
    fn summary(&self) -> String {
        "memory of this process".to_owned()
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
        data: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), wit::Error>> {
        let metadata = wit::Metadata { size_bytes: data.len() as u64, content_type: content_type.to_owned() };
        self.with(|blobs| blobs.insert(key.to_owned(), wit::Object { metadata, data }));
        std::future::ready(Ok(())).boxed()
    }

    fn get<'a>(&'a self, key: &'a str, max_bytes: u64) -> BoxFuture<'a, Result<wit::Object, wit::Error>> {
        let found = self.find(key, |object| match object.metadata.size_bytes {
            size if size > max_bytes => Err(wit::Error::TooLarge(max_bytes)),
            _ => Ok(object.clone()),
        });
        std::future::ready(found).boxed()
    }

    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<wit::Metadata, wit::Error>> {
        std::future::ready(self.find(key, |object| Ok(object.metadata.clone()))).boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), wit::Error>> {
        self.with(|blobs| blobs.remove(key));
        std::future::ready(Ok(())).boxed()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::contract::{self, Abilities, Store};
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn keeps_the_contract() {
        let store: Store = Arc::new(MemoryStore::default());
        contract::is_kept(&store, Abilities::default()).await;
    }
}
