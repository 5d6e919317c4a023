//! Blobs in this process, gone with it: for tests and for looking around.

use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{FutureExt as _, future::BoxFuture};

use super::{Backend, MAX_PIECE_BYTES, Reader, Writer, wit};

/// A map.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore {
    blobs: Arc<Mutex<HashMap<String, wit::Object>>>,
}

struct MemoryWriter {
    store: MemoryStore,
    key: String,
    content_type: String,
    data: Vec<u8>,
}

struct MemoryReader(Vec<u8>);

impl MemoryStore {
    fn with<T>(&self, use_blobs: impl FnOnce(&mut HashMap<String, wit::Object>) -> T) -> T {
        use_blobs(&mut self.blobs.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn insert(&self, key: &str, content_type: &str, data: Vec<u8>) {
        let metadata = wit::Metadata { size_bytes: data.len() as u64, content_type: content_type.to_owned() };
        self.with(|blobs| blobs.insert(key.to_owned(), wit::Object { metadata, data }));
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
        self.insert(key, content_type, data);
        std::future::ready(Ok(())).boxed()
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Writer>, wit::Error>> {
        let (key, content_type) = (key.to_owned(), content_type.to_owned());
        let writer = MemoryWriter { store: self.clone(), key, content_type, data: Vec::new() };
        std::future::ready(Ok(Box::new(writer) as Box<dyn Writer>)).boxed()
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        max_bytes: u64,
    ) -> BoxFuture<'a, Result<(wit::Metadata, Box<dyn Reader>), wit::Error>> {
        let got = self.get(key, max_bytes);
        async move {
            let wit::Object { metadata, data } = got.await?;
            Ok((metadata, Box::new(MemoryReader(data)) as Box<dyn Reader>))
        }
        .boxed()
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

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, wit::Error>> {
        let is_listed = |key: &&String| key.starts_with(prefix) && key.as_str() > after;
        let mut keys: Vec<String> = self.with(|blobs| blobs.keys().filter(is_listed).cloned().collect());
        keys.sort_unstable();
        keys.truncate(limit);
        std::future::ready(Ok(keys)).boxed()
    }
}

impl Writer for MemoryWriter {
    fn write(&mut self, piece: Vec<u8>) -> BoxFuture<'_, Result<(), wit::Error>> {
        self.data.extend_from_slice(&piece);
        std::future::ready(Ok(())).boxed()
    }

    fn held_bytes(&self) -> usize {
        self.data.len()
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<(), wit::Error>> {
        self.store.insert(&self.key, &self.content_type, self.data);
        std::future::ready(Ok(())).boxed()
    }
}

impl fmt::Debug for MemoryWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryWriter").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Reader for MemoryReader {
    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, wit::Error>> {
        let rest = self.0.split_off(self.0.len().min(MAX_PIECE_BYTES));
        std::future::ready(Ok(std::mem::replace(&mut self.0, rest))).boxed()
    }
}

impl fmt::Debug for MemoryReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryReader").field("left", &self.0.len()).finish()
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
