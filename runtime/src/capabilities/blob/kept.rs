//! Blobs that never change, kept in memory: what many ask for is read once from the disk or the bucket.
//!
//! That a blob never changes is a promise of the application, for keys that begin in a certain way (docs/manifest.md, `constant_blobs`): no other
//! store of the same blobs, in another process, could be asked otherwise. Such a blob is kept when it is put and when it is got as a whole, and let
//! go when it is deleted here. Where another process deletes it, it may be found here for a while yet.

use std::{
    fmt,
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError},
};

use clru::{CLruCache, CLruCacheConfig, WeightScale};
use futures_util::{FutureExt as _, future::BoxFuture};

use super::{Backend, Opened, Writer, wit};
use crate::numbers::Counter;

/// No blob takes more than this part of the room: one picture must not drive out all others.
const PART_OF_ROOM: usize = 64;
/// What an entry takes beside its texts and bytes.
const ENTRY_BYTES: usize = 256;

/// A backend, and before it a memory of what never changes.
pub struct KeptBlobs {
    backend: Arc<dyn Backend>,
    prefixes: Vec<String>,
    max_bytes: usize,
    kept: Mutex<Kept>,
    found: Counter,
    asked: Counter,
}

/// Held for no longer than it takes to find an entry.
struct Kept {
    blobs: CLruCache<String, Arc<wit::Object>, std::hash::RandomState, Bytes>,
    /// Counts deletions: what was read while one began is not kept.
    deletions: u64,
}

/// What an entry takes of the room.
#[derive(Clone, Copy)]
struct Bytes;

impl WeightScale<String, Arc<wit::Object>> for Bytes {
    fn weight(&self, key: &String, object: &Arc<wit::Object>) -> usize {
        weight(key, object)
    }
}

fn weight(key: &str, object: &wit::Object) -> usize {
    ENTRY_BYTES + key.len() + object.metadata.content_type.len() + object.data.len()
}

impl fmt::Debug for KeptBlobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { backend, prefixes, .. } = self;
        f.debug_struct("KeptBlobs")
            .field("backend", backend)
            .field("prefixes", prefixes)
            .finish_non_exhaustive()
    }
}

impl KeptBlobs {
    /// Before `backend`, for keys that begin with one of these, in so many bytes.
    #[must_use]
    pub fn new(backend: Arc<dyn Backend>, prefixes: Vec<String>, max_bytes: usize) -> Self {
        let config = CLruCacheConfig::new(NonZeroUsize::MIN.saturating_add(max_bytes)).with_scale(Bytes);
        let kept = Kept { blobs: CLruCache::with_config(config), deletions: 0 };
        Self {
            backend,
            prefixes,
            max_bytes,
            kept: Mutex::new(kept),
            found: Counter::default(),
            asked: Counter::default(),
        }
    }

    /// How many blobs that never change were found in memory, and how many the backend was asked for.
    #[must_use]
    pub fn found_and_asked(&self) -> (u64, u64) {
        (self.found.get(), self.asked.get())
    }

    /// What all that is kept takes, in bytes.
    #[must_use]
    pub fn kept_bytes(&self) -> usize {
        self.with(|kept| kept.blobs.weight())
    }

    fn with<T>(&self, use_kept: impl FnOnce(&mut Kept) -> T) -> T {
        use_kept(&mut self.kept.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn find(&self, key: &str) -> Option<Arc<wit::Object>> {
        self.with(|kept| kept.blobs.get(key).map(Arc::clone))
    }

    fn is_constant(&self, key: &str) -> bool {
        self.prefixes.iter().any(|prefix| key.starts_with(prefix))
    }

    fn deletions(&self) -> u64 {
        self.with(|kept| kept.deletions)
    }

    /// Keeps a blob that was there when so many deletions had begun, where it is small enough and none has begun since.
    fn keep(&self, key: &str, object: Arc<wit::Object>, deletions: u64) {
        if weight(key, &object) > self.max_bytes / PART_OF_ROOM {
            return;
        }
        self.with(|kept| {
            if kept.deletions == deletions {
                // It is smaller than the room, so there is room.
                let _before = kept.blobs.put_with_weight(key.to_owned(), object);
            }
        });
    }

    /// As if a blob of nothing had been read.
    #[cfg(test)]
    pub(super) fn keep_of_test(&self, key: &str) {
        let metadata = wit::Metadata { size_bytes: 0, content_type: "image/png".to_owned() };
        self.keep(key, Arc::new(wit::Object { metadata, data: Vec::new() }), self.deletions());
    }

    fn let_go(&self, key: &str) {
        self.with(|kept| {
            kept.deletions += 1;
            kept.blobs.pop(key);
        });
    }
}

/// Lets a blob go when it is dropped.
struct LetGo<'a> {
    store: &'a KeptBlobs,
    key: &'a str,
}

impl Drop for LetGo<'_> {
    fn drop(&mut self) {
        self.store.let_go(self.key);
    }
}

fn within(object: &wit::Object, max_bytes: u64) -> Result<(), wit::Error> {
    if object.metadata.size_bytes > max_bytes { Err(wit::Error::TooLarge(max_bytes)) } else { Ok(()) }
}

impl Backend for KeptBlobs {
    fn summary(&self) -> String {
        self.backend.summary()
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
        data: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), wit::Error>> {
        if !self.is_constant(key) || data.len() > self.max_bytes / PART_OF_ROOM {
            return self.backend.put(key, content_type, data);
        }
        async move {
            let metadata =
                wit::Metadata { size_bytes: data.len() as u64, content_type: content_type.to_owned() };
            let object = Arc::new(wit::Object { metadata, data: data.clone() });
            let deletions = self.deletions();
            self.backend.put(key, content_type, data).await?;
            self.keep(key, object, deletions);
            Ok(())
        }
        .boxed()
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Writer>, wit::Error>> {
        self.backend.write(key, content_type)
    }

    fn read<'a>(&'a self, key: &'a str, max_bytes: u64) -> BoxFuture<'a, Result<Opened, wit::Error>> {
        self.backend.read(key, max_bytes)
    }

    fn get<'a>(&'a self, key: &'a str, max_bytes: u64) -> BoxFuture<'a, Result<wit::Object, wit::Error>> {
        if !self.is_constant(key) {
            return self.backend.get(key, max_bytes);
        }
        if let Some(object) = self.find(key) {
            self.found.one();
            let found = within(&object, max_bytes).map(|()| wit::Object::clone(&object));
            return std::future::ready(found).boxed();
        }
        self.asked.one();
        async move {
            let deletions = self.deletions();
            let object = self.backend.get(key, max_bytes).await?;
            self.keep(key, Arc::new(object.clone()), deletions);
            Ok(object)
        }
        .boxed()
    }

    fn may_know(&self, key: &str) -> bool {
        self.is_constant(key)
    }

    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<wit::Metadata, wit::Error>> {
        match self.is_constant(key).then(|| self.find(key)).flatten() {
            Some(object) => std::future::ready(Ok(object.metadata.clone())).boxed(),
            None => self.backend.head(key),
        }
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), wit::Error>> {
        if !self.is_constant(key) {
            return self.backend.delete(key);
        }
        async move {
            // Before it is gone, and also where the backend fails: it may be gone all the same.
            self.let_go(key);
            // Once more, for what was read or put meanwhile, also where nobody waits for the end.
            let _at_the_end = LetGo { store: self, key };
            self.backend.delete(key).await
        }
        .boxed()
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, wit::Error>> {
        self.backend.list(prefix, after, limit)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        MemoryStore,
        contract::{self, Abilities, Store},
    };
    use super::*;

    const MIB: usize = 1 << 20;

    fn kept(max_bytes: usize) -> (MemoryStore, KeptBlobs) {
        let behind = MemoryStore::default();
        let store = KeptBlobs::new(Arc::new(behind.clone()), vec!["thumbnails/".to_owned()], max_bytes);
        (behind, store)
    }

    async fn data(store: &dyn Backend, key: &str) -> Option<Vec<u8>> {
        store.get(key, MIB as u64).await.ok().map(|object| object.data)
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn keeps_the_contract_for_all_that_may_change() {
        let (_, store) = kept(MIB);
        let store: Store = Arc::new(store);
        contract::is_kept(&store, Abilities::default()).await;
    }

    #[tokio::test]
    async fn what_never_changes_is_asked_for_once() {
        let (behind, store) = kept(MIB);
        behind.put("thumbnails/a", "image/png", vec![7; 100]).await.unwrap();
        for _ in 0..3 {
            let object = store.get("thumbnails/a", MIB as u64).await.unwrap();
            assert_eq!((object.data.len(), object.metadata.content_type.as_str()), (100, "image/png"));
        }
        assert_eq!(store.found_and_asked(), (2, 1));
        assert_eq!(store.head("thumbnails/a").await.unwrap().size_bytes, 100);
        assert!(matches!(store.get("thumbnails/a", 99).await, Err(wit::Error::TooLarge(99))));
        store.put("thumbnails/b", "image/png", vec![8; 100]).await.unwrap();
        assert_eq!(data(&store, "thumbnails/b").await, Some(vec![8; 100]));
        assert_eq!(store.found_and_asked().1, 1, "what is put is there already");
    }

    #[tokio::test]
    async fn all_else_is_the_backends_affair_each_time() {
        let (behind, store) = kept(MIB);
        store.put("uploads/a", "image/png", vec![7]).await.unwrap();
        assert_eq!(data(&store, "uploads/a").await, Some(vec![7]));
        behind.put("uploads/a", "image/png", vec![8]).await.unwrap();
        assert_eq!(data(&store, "uploads/a").await, Some(vec![8]));
        assert_eq!((store.found_and_asked(), store.kept_bytes()), ((0, 0), 0));
    }

    #[tokio::test]
    async fn what_is_deleted_is_gone() {
        let (_, store) = kept(MIB);
        store.put("thumbnails/a", "image/png", vec![7]).await.unwrap();
        store.delete("thumbnails/a").await.unwrap();
        assert_eq!(data(&store, "thumbnails/a").await, None);
        assert_eq!(store.kept_bytes(), 0);
    }

    #[tokio::test]
    async fn what_is_deleted_while_it_is_read_is_not_kept() {
        let (_, store) = kept(MIB);
        let object = wit::Object {
            metadata: wit::Metadata { size_bytes: 1, content_type: "image/png".to_owned() },
            data: vec![7],
        };
        let before = store.deletions();
        store.delete("thumbnails/a").await.unwrap();
        store.keep("thumbnails/a", Arc::new(object), before);
        assert_eq!(data(&store, "thumbnails/a").await, None);
    }

    #[tokio::test]
    async fn what_is_read_while_it_is_deleted_is_not_kept_whether_or_not_the_end_is_waited_for() {
        for is_waited_for in [true, false] {
            let (behind, store) = kept(MIB);
            behind.put("thumbnails/a", "image/png", vec![7]).await.unwrap();
            let slow = KeptBlobs { backend: Arc::new(DeletesLate(behind.clone())), ..store };
            let mut deleting = slow.delete("thumbnails/a");
            assert!(futures_util::poll!(&mut deleting).is_pending());
            assert_eq!(data(&slow, "thumbnails/a").await, Some(vec![7]), "it is there still");
            if is_waited_for {
                deleting.await.unwrap();
            } else {
                drop(deleting);
                behind.delete("thumbnails/a").await.unwrap();
            }
            assert_eq!(data(&slow, "thumbnails/a").await, None);
        }
    }

    /// Deletes when it is asked once more.
    #[derive(Debug)]
    struct DeletesLate(MemoryStore);

    impl Backend for DeletesLate {
        fn summary(&self) -> String {
            String::new()
        }
        fn put<'a>(&'a self, _: &'a str, _: &'a str, _: Vec<u8>) -> BoxFuture<'a, Result<(), wit::Error>> {
            unreachable!()
        }
        fn write<'a>(&'a self, _: &'a str, _: &'a str) -> BoxFuture<'a, Result<Box<dyn Writer>, wit::Error>> {
            unreachable!()
        }
        fn read<'a>(&'a self, _: &'a str, _: u64) -> BoxFuture<'a, Result<Opened, wit::Error>> {
            unreachable!()
        }
        fn get<'a>(&'a self, key: &'a str, max: u64) -> BoxFuture<'a, Result<wit::Object, wit::Error>> {
            self.0.get(key, max)
        }
        fn head<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<wit::Metadata, wit::Error>> {
            unreachable!()
        }
        fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), wit::Error>> {
            async move {
                tokio::task::yield_now().await;
                self.0.delete(key).await
            }
            .boxed()
        }
        fn list<'a>(
            &'a self,
            _: &'a str,
            _: &'a str,
            _: usize,
        ) -> BoxFuture<'a, Result<Vec<String>, wit::Error>> {
            unreachable!()
        }
    }

    #[tokio::test]
    async fn no_more_is_kept_than_there_is_room_for_and_nothing_that_takes_much_of_it() {
        let (_, store) = kept(MIB);
        for number in 0..1_000 {
            store.put(&format!("thumbnails/{number}"), "image/png", vec![7; 10_000]).await.unwrap();
            assert!(store.kept_bytes() <= MIB, "{}", store.kept_bytes());
        }
        assert!(store.kept_bytes() > MIB / 2, "{}", store.kept_bytes());
        store.put("thumbnails/large", "image/png", vec![7; 20_000]).await.unwrap();
        let before = store.found_and_asked();
        assert!(data(&store, "thumbnails/large").await.is_some());
        assert_eq!(store.found_and_asked(), (before.0, before.1 + 1));
    }
}
