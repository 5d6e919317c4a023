//! What the component under test asks of its key-value stores, kept for the suite to look at.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use futures_util::{FutureExt as _, future::BoxFuture};

pub(super) use super::bindings::fermyon::spin_test_virt::key_value::Call;
use crate::capabilities::key_value::{Backend, BackendError, MemoryStore};

/// What a call counts besides its key and value.
const CALL_BYTES: usize = size_of::<Call>();

/// All calls of one test, by label, in order.
#[derive(Debug)]
pub(super) struct Calls {
    max_bytes: usize,
    made: Mutex<Made>,
}

#[derive(Debug, Default)]
struct Made {
    by_label: BTreeMap<String, Vec<Call>>,
    bytes: usize,
}

impl Calls {
    /// None yet, with room for calls of so many bytes together.
    pub(super) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, made: Mutex::default() }
    }

    fn with<T>(&self, use_made: impl FnOnce(&mut Made) -> T) -> T {
        use_made(&mut self.made.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn record(&self, label: &str, call: Call) -> Result<(), BackendError> {
        let own = match &call {
            Call::Get(key) | Call::Delete(key) | Call::Exists(key) => key.len(),
            Call::Set((key, value)) => key.len().saturating_add(value.len()),
            Call::GetKeys => 0,
        };
        self.with(|made| {
            let bytes = made.bytes.saturating_add(own).saturating_add(CALL_BYTES);
            if bytes > self.max_bytes {
                return Err(BackendError("this test keeps no more key-value calls".into()));
            }
            made.bytes = bytes;
            made.by_label.entry(label.to_owned()).or_default().push(call);
            Ok(())
        })
    }

    /// Those so far.
    pub(super) fn all(&self) -> Vec<(String, Vec<Call>)> {
        self.with(|made| made.by_label.iter().map(|(label, calls)| (label.clone(), calls.clone())).collect())
    }

    /// Forgets those so far.
    pub(super) fn reset(&self) {
        self.with(|made| *made = Made::default());
    }
}

/// A store as the component under test has it. A call is kept before it is made, whatever becomes of it.
#[derive(Debug)]
pub(super) struct Recorded {
    label: String,
    store: Arc<MemoryStore>,
    calls: Arc<Calls>,
}

impl Recorded {
    /// The store of this label.
    pub(super) fn new(label: &str, store: &Arc<MemoryStore>, calls: &Arc<Calls>) -> Self {
        Self { label: label.to_owned(), store: Arc::clone(store), calls: Arc::clone(calls) }
    }

    fn recorded<'a, T: Send + 'a>(
        &'a self,
        call: Call,
        make: impl FnOnce(&'a MemoryStore) -> BoxFuture<'a, Result<T, BackendError>>,
    ) -> BoxFuture<'a, Result<T, BackendError>> {
        match self.calls.record(&self.label, call) {
            Ok(()) => make(&self.store),
            Err(error) => std::future::ready(Err(error)).boxed(),
        }
    }
}

impl Backend for Recorded {
    fn summary(&self) -> String {
        self.store.summary()
    }

    fn get<'a>(
        &'a self,
        key: &'a str,
        max_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, BackendError>> {
        self.recorded(Call::Get(key.to_owned()), |store| store.get(key, max_bytes))
    }

    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> BoxFuture<'a, Result<(), BackendError>> {
        self.recorded(Call::Set((key.to_owned(), value.clone())), |store| store.set(key, value))
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BackendError>> {
        self.recorded(Call::Delete(key.to_owned()), |store| store.delete(key))
    }

    fn exists<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool, BackendError>> {
        self.recorded(Call::Exists(key.to_owned()), |store| store.exists(key))
    }

    fn keys(&self, max_keys: usize) -> BoxFuture<'_, Result<Vec<String>, BackendError>> {
        self.recorded(Call::GetKeys, |store| store.keys(max_keys))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(max_bytes: usize) -> (Recorded, Arc<Calls>) {
        let calls = Arc::new(Calls::new(max_bytes));
        (Recorded::new("default", &Arc::new(MemoryStore::new(1_000)), &calls), calls)
    }

    #[tokio::test]
    async fn calls_are_kept_in_order_until_they_are_reset() {
        let (store, calls) = recorded(1_000);
        store.set("k", vec![7]).await.unwrap();
        assert_eq!(store.get("k", 10).await.unwrap(), Some(vec![7]));
        store.delete("other").await.unwrap();
        let made = format!("{:?}", calls.all());
        assert!(made.contains("Set") && made.find("Set") < made.find("Get"), "{made}");
        assert_eq!(calls.all()[0].1.len(), 3);
        calls.reset();
        assert!(calls.all().is_empty());
        assert_eq!(store.keys(10).await.unwrap(), ["k"], "what is stored stays");
    }

    #[tokio::test]
    async fn a_call_that_there_is_no_room_for_fails() {
        let (store, calls) = recorded(CALL_BYTES + 10);
        assert!(store.set("key", vec![0; 8]).await.is_err());
        store.set("key", vec![0; 7]).await.unwrap();
        assert!(store.get("key", 10).await.is_err());
        calls.reset();
        store.get("key", 10).await.unwrap();
    }
}
