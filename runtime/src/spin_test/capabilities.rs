//! `fermyon:spin-test-virt`: the world of a test as its suite sees it, all of it, whatever the component under test was granted. What
//! the interfaces have no error for ends the test.

use std::sync::Arc;

use wasmtime::{
    bail,
    component::{Resource, ResourceTableError},
    format_err,
};

use super::{
    bindings::fermyon::spin_test_virt::{key_value, sqlite, variables},
    calls::Call,
    state::{OpenStore, SuiteState},
};
use crate::capabilities::{
    error::Failure,
    key_value::Backend as _,
    sqlite::{OpenConnection, wit},
};

impl variables::Host for SuiteState {
    async fn set(&mut self, key: String, value: String) -> wasmtime::Result<()> {
        if !self.subject.declares(&key) {
            bail!("variables.set: the manifest declares no variable {key:?}");
        }
        self.world.variables.insert(key, value);
        Ok(())
    }
}

impl key_value::Host for SuiteState {
    async fn calls(&mut self) -> wasmtime::Result<Vec<(String, Vec<Call>)>> {
        Ok(self.world.calls.all())
    }

    async fn reset_calls(&mut self) -> wasmtime::Result<()> {
        self.world.calls.reset();
        Ok(())
    }
}

impl SuiteState {
    fn open_store(&self, handle: &Resource<OpenStore>) -> Result<OpenStore, ResourceTableError> {
        self.table.get(handle).cloned()
    }
}

impl key_value::HostStore for SuiteState {
    async fn open(&mut self, label: String) -> wasmtime::Result<Resource<OpenStore>> {
        let store = self.world.stores.get(&label).ok_or_else(|| {
            format_err!("key-value.store.open: there is no store {label:?}, for the manifest grants none")
        })?;
        let open = OpenStore { store: Arc::clone(store), label };
        Ok(self.table.push(open)?)
    }

    async fn label(&mut self, store: Resource<OpenStore>) -> wasmtime::Result<String> {
        Ok(self.open_store(&store)?.label)
    }

    async fn get(&mut self, store: Resource<OpenStore>, key: String) -> wasmtime::Result<Option<Vec<u8>>> {
        Ok(self.open_store(&store)?.store.get(&key, usize::MAX).await?)
    }

    async fn set(&mut self, store: Resource<OpenStore>, key: String, value: Vec<u8>) -> wasmtime::Result<()> {
        Ok(self.open_store(&store)?.store.set(&key, value).await?)
    }

    async fn delete(&mut self, store: Resource<OpenStore>, key: String) -> wasmtime::Result<()> {
        Ok(self.open_store(&store)?.store.delete(&key).await?)
    }

    async fn drop(&mut self, store: Resource<OpenStore>) -> wasmtime::Result<()> {
        self.table.delete(store)?;
        Ok(())
    }
}

impl sqlite::Host for SuiteState {}

/// The error as a value of its own; only a handle that is none ends the test.
fn flat<T>(result: Result<T, Failure<wit::Error>>) -> wasmtime::Result<Result<T, wit::Error>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(failure) => failure.into_wit().map(Err),
    }
}

impl sqlite::HostConnection for SuiteState {
    async fn open(
        &mut self,
        database: String,
    ) -> wasmtime::Result<Result<Resource<OpenConnection>, wit::Error>> {
        flat(wit::HostConnection::open(&mut self.sqlite(), database).await)
    }

    async fn execute(
        &mut self,
        connection: Resource<OpenConnection>,
        statement: String,
        parameters: Vec<wit::Value>,
    ) -> wasmtime::Result<Result<wit::QueryResult, wit::Error>> {
        flat(wit::HostConnection::execute(&mut self.sqlite(), connection, statement, parameters).await)
    }

    async fn drop(&mut self, connection: Resource<OpenConnection>) -> wasmtime::Result<()> {
        wit::HostConnection::drop(&mut self.sqlite(), connection).await
    }
}
