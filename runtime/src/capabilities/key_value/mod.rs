//! `fermyon:spin/key-value`: named stores of bytes by text key.
//!
//! A component opens the labels that its `key_value_stores` grants. What a store is made of is behind [`Backend`]: a file of this host
//! (`embedded.rs`), a Redis database (`redis.rs`) or a map of this process (`memory.rs`). Bounds on keys, values and listings are asked
//! here, before a backend is.

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod embedded;
mod memory;
mod redis;

pub use self::redis::RedisStore;
pub use embedded::EmbeddedStore;
pub use memory::MemoryStore;

use std::{collections::BTreeMap, fmt, sync::Arc};

use futures_util::future::BoxFuture;
use wasmtime::component::{HasData, Linker, Resource, ResourceTable};

use super::{bindings::fermyon::spin2_0_0::key_value as wit, error::Failure, refusals::Refusals};
use crate::{
    limits::{Limits, length},
    memory::{CallMemory, Held},
    traces::{CallTrace, Operation},
};

/// As much as most values have at most.
const SMALL_VALUE_BYTES: usize = 256 * 1024;

/// The error type of this capability's host functions.
pub type KeyValueError = Failure<wit::Error>;

/// A store could not do it. The text is for the log and the guest; it names no secret.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BackendError(pub String);

/// What keeps the pairs of one label. Calls may run at the same time; a finished `set` is seen by every later `get`.
pub trait Backend: fmt::Debug + Send + Sync {
    /// Where it lies, for the banner. No secret.
    fn summary(&self) -> String;
    /// The value, if the key has one; an error where it has more than `max_bytes`.
    fn get<'a>(
        &'a self,
        key: &'a str,
        max_bytes: usize,
    ) -> BoxFuture<'a, Result<Option<Vec<u8>>, BackendError>>;
    /// Sets or replaces.
    fn set<'a>(&'a self, key: &'a str, value: Vec<u8>) -> BoxFuture<'a, Result<(), BackendError>>;
    /// Removes; nothing happens where there is none.
    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), BackendError>>;
    /// Whether the key has a value.
    fn exists<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<bool, BackendError>>;
    /// All keys, in no order; an error where there are more than `max_keys`.
    fn keys(&self, max_keys: usize) -> BoxFuture<'_, Result<Vec<String>, BackendError>>;
}

/// What a component may open: label to store.
pub type Grants = Arc<BTreeMap<String, Arc<dyn Backend>>>;

/// What one instance holds.
#[derive(Debug)]
pub struct KeyValueState {
    grants: Grants,
    max_key_bytes: usize,
    max_value_bytes: usize,
    max_keys: usize,
    refusals: Refusals,
}

impl KeyValueState {
    /// For an instance of a component with these grants.
    #[must_use]
    pub fn new(grants: Grants, limits: &Limits) -> Self {
        Self {
            grants,
            max_key_bytes: length(limits.kv_max_key_bytes),
            max_value_bytes: length(limits.kv_max_value_bytes),
            max_keys: length(limits.kv_max_keys),
            refusals: Refusals::default(),
        }
    }

    /// What is refused is noted there.
    #[must_use]
    pub fn noting(self, refusals: &Refusals) -> Self {
        Self { refusals: refusals.clone(), ..self }
    }
}

/// A view for one call.
#[derive(Debug)]
pub struct KeyValueView<'a> {
    /// What the instance holds.
    pub state: &'a KeyValueState,
    /// Where its handles are.
    pub table: &'a mut ResourceTable,
    /// What its calls take.
    pub memory: &'a mut CallMemory,
    /// Where its calls leave spans.
    pub trace: &'a CallTrace,
}

/// Marks the view for linkers.
#[derive(Debug)]
pub struct HasKeyValue;

impl HasData for HasKeyValue {
    type Data<'a> = KeyValueView<'a>;
}

/// Gives the interface to components.
///
/// # Errors
/// The linker has it already.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> KeyValueView<'_>,
) -> wasmtime::Result<()> {
    wit::add_to_linker::<T, HasKeyValue>(linker, view)
}

/// A store that a guest has open.
#[derive(Clone, Debug)]
pub struct OpenStore(Arc<dyn Backend>);

impl KeyValueView<'_> {
    fn store(&self, handle: &Resource<OpenStore>, key: &str) -> Result<Arc<dyn Backend>, KeyValueError> {
        let store = Arc::clone(&self.table.get(handle)?.0);
        if key.len() > self.state.max_key_bytes {
            return Err(other(format!("a key has at most {} bytes", self.state.max_key_bytes)));
        }
        Ok(store)
    }
}

/// The value of a key. Its memory is taken before it is read: first for as much as most values have, then for as much as one may have.
async fn value(
    store: &dyn Backend,
    key: &str,
    max_bytes: usize,
    held: &mut Held,
) -> Result<Option<Vec<u8>>, KeyValueError> {
    let before = held.bytes();
    let small = max_bytes.min(SMALL_VALUE_BYTES);
    held.grow(small)?;
    let value = match store.get(key, small).await {
        Err(_) if small < max_bytes => {
            held.grow(max_bytes - small)?;
            store.get(key, max_bytes).await.map_err(backend)?
        }
        value => value.map_err(backend)?,
    };
    held.shrink_to(before + value.as_ref().map_or(0, Vec::len));
    Ok(value)
}

/// All keys of a store, for whose memory the same holds.
async fn keys(
    store: &dyn Backend,
    state: &KeyValueState,
    held: &mut Held,
) -> Result<Vec<String>, KeyValueError> {
    let most_bytes = state.max_key_bytes + size_of::<String>();
    let few = state.max_keys.min(SMALL_VALUE_BYTES / most_bytes);
    held.grow(few * most_bytes)?;
    match store.keys(few).await {
        Err(_) if few < state.max_keys => {
            held.grow((state.max_keys - few).saturating_mul(most_bytes))?;
            store.keys(state.max_keys).await.map_err(backend)
        }
        keys => keys.map_err(backend),
    }
}

fn other(text: impl Into<String>) -> KeyValueError {
    Failure::Guest(wit::Error::Other(text.into()))
}

fn backend(error: BackendError) -> KeyValueError {
    other(error.0)
}

impl wit::Host for KeyValueView<'_> {
    fn convert_error(&mut self, error: KeyValueError) -> wasmtime::Result<wit::Error> {
        error.into_wit()
    }
}

impl wit::HostStore for KeyValueView<'_> {
    async fn open(&mut self, label: String) -> Result<Resource<OpenStore>, KeyValueError> {
        let Some(store) = self.state.grants.get(&label) else {
            self.state.refusals.note("key-value", &label);
            return Err(Failure::Guest(wit::Error::AccessDenied));
        };
        Ok(self.table.push(OpenStore(Arc::clone(store)))?)
    }

    async fn get(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
    ) -> Result<Option<Vec<u8>>, KeyValueError> {
        let store = self.store(&store, &key)?;
        let mut held = self.memory.call(key.len())?;
        let getting = value(&*store, &key, self.state.max_value_bytes, &mut held);
        self.trace.around(|| Operation::key_value("get"), getting).await
    }

    async fn set(
        &mut self,
        store: Resource<OpenStore>,
        key: String,
        value: Vec<u8>,
    ) -> Result<(), KeyValueError> {
        let store = self.store(&store, &key)?;
        if value.len() > self.state.max_value_bytes {
            return Err(other(format!("a value has at most {} bytes", self.state.max_value_bytes)));
        }
        let _held = self.memory.call(value.len())?;
        self.trace.around(|| Operation::key_value("set"), store.set(&key, value)).await.map_err(backend)
    }

    async fn delete(&mut self, store: Resource<OpenStore>, key: String) -> Result<(), KeyValueError> {
        let store = self.store(&store, &key)?;
        self.trace.around(|| Operation::key_value("delete"), store.delete(&key)).await.map_err(backend)
    }

    async fn exists(&mut self, store: Resource<OpenStore>, key: String) -> Result<bool, KeyValueError> {
        let store = self.store(&store, &key)?;
        self.trace.around(|| Operation::key_value("exists"), store.exists(&key)).await.map_err(backend)
    }

    async fn get_keys(&mut self, store: Resource<OpenStore>) -> Result<Vec<String>, KeyValueError> {
        let store = self.store(&store, "")?;
        let mut held = self.memory.call(0)?;
        let listing = keys(&*store, self.state, &mut held);
        self.trace.around(|| Operation::key_value("get-keys"), listing).await
    }

    async fn drop(&mut self, store: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::wit::{Host as _, HostStore as _};
    use super::*;

    #[derive(Debug)]
    struct Unused;

    impl Backend for Unused {
        fn summary(&self) -> String {
            String::new()
        }
        fn get<'a>(&'a self, _: &'a str, _: usize) -> BoxFuture<'a, Result<Option<Vec<u8>>, BackendError>> {
            unreachable!()
        }
        fn set<'a>(&'a self, _: &'a str, _: Vec<u8>) -> BoxFuture<'a, Result<(), BackendError>> {
            unreachable!()
        }
        fn delete<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<(), BackendError>> {
            unreachable!()
        }
        fn exists<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<bool, BackendError>> {
            unreachable!()
        }
        fn keys(&self, _: usize) -> BoxFuture<'_, Result<Vec<String>, BackendError>> {
            unreachable!()
        }
    }

    #[tokio::test]
    async fn a_listing_is_memory_of_its_instance_and_no_more_than_its_keys_may_take() {
        let store = MemoryStore::new(1_000_000);
        for number in 0..300 {
            store.set(&format!("{number:03}"), vec![]).await.unwrap();
        }
        let grants: Grants = Arc::new([("default".to_owned(), Arc::new(store) as Arc<dyn Backend>)].into());
        let list = async |max_memory_bytes, limits: Limits| {
            let state = KeyValueState::new(Arc::clone(&grants), &limits);
            let (mut table, mut memory) = (ResourceTable::new(), CallMemory::of_test(max_memory_bytes));
            let mut view = KeyValueView {
                state: &state,
                table: &mut table,
                memory: &mut memory,
                trace: &CallTrace::default(),
            };
            let store = view.open("default".into()).await?;
            view.get_keys(store).await.map(|keys| keys.len())
        };
        let small = || Limits { kv_max_key_bytes: 3, ..Limits::default() };
        assert_eq!(list(SMALL_VALUE_BYTES, small()).await.unwrap(), 300);
        assert_eq!(list(1 << 30, Limits::default()).await.unwrap(), 300);
        assert!(matches!(list(SMALL_VALUE_BYTES, Limits::default()).await, Err(Failure::Trap(_))));
        let few = Limits { kv_max_keys: 299, ..small() };
        assert!(matches!(list(1 << 30, few).await, Err(Failure::Guest(wit::Error::Other(_)))));
    }

    #[tokio::test]
    async fn grants_and_bounds_are_asked_before_the_backend() {
        let grants: Grants = Arc::new([("default".to_owned(), Arc::new(Unused) as Arc<dyn Backend>)].into());
        let limits = Limits { kv_max_key_bytes: 3, kv_max_value_bytes: 4, ..Limits::default() };
        let state = KeyValueState::new(grants, &limits);
        let mut table = ResourceTable::new();
        let mut memory = CallMemory::of_test(1_000);
        let mut view = KeyValueView {
            state: &state,
            table: &mut table,
            memory: &mut memory,
            trace: &CallTrace::default(),
        };
        assert!(matches!(view.open("other".into()).await, Err(Failure::Guest(wit::Error::AccessDenied))));
        let store = view.open("default".into()).await.unwrap();
        let borrow = || Resource::new_borrow(store.rep());
        for error in [
            view.get(borrow(), "long".into()).await.unwrap_err(),
            view.set(borrow(), "key".into(), vec![0; 5]).await.unwrap_err(),
        ] {
            assert!(
                matches!(view.convert_error(error), Ok(wit::Error::Other(text)) if text.contains("at most"))
            );
        }
        view.drop(store).await.unwrap();
        assert!(matches!(view.get(Resource::new_borrow(0), "key".into()).await, Err(Failure::Trap(_))));
    }
}
