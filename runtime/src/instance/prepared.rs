//! A component that is ready to be called: compiled, and its imports resolved against what the host provides.

use std::sync::Arc;

use wasmtime::{
    Engine, Store,
    component::{Component, InstancePre, Linker},
};
use wasmtime_wasi_http::p2::bindings::ProxyPre;

use super::{Call, CallBounds, ComponentContext, State};
use crate::capabilities::{
    bindings::MessageHandlerPre, blob, clock, http, key_value, postgres, redis, sockets, sqlite, variables,
};

/// Whether the host provides `thumbs:blob-store`, or a component that was composed in does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NativeBlobs {
    /// The host does.
    Yes,
    /// It does not; a component that still imports it does not start.
    No,
}

/// Everything that components may import.
///
/// # Errors
/// Two capabilities claim the same interface.
pub fn linker(engine: &Engine, blobs: NativeBlobs) -> wasmtime::Result<Linker<State>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    clock::add_to_linker(&mut linker, State::clock)?;
    http::add_to_linker(&mut linker, State::counted_http)?;
    sockets::add_to_linker(&mut linker, State::sockets)?;
    variables::add_to_linker(&mut linker, State::variables)?;
    key_value::add_to_linker(&mut linker, State::key_value)?;
    sqlite::add_to_linker(&mut linker, State::sqlite)?;
    redis::add_to_linker(&mut linker, State::redis)?;
    postgres::add_to_linker(&mut linker, State::postgres)?;
    if blobs == NativeBlobs::Yes {
        blob::add_to_linker(&mut linker, State::blobs)?;
    }
    Ok(linker)
}

/// A component that is ready to be called.
#[derive(Clone)]
pub struct Prepared {
    engine: Engine,
    context: Arc<ComponentContext>,
    pre: InstancePre<State>,
}

impl Prepared {
    /// Resolves a component's imports.
    ///
    /// # Errors
    /// It imports what the host does not have, or has with other types.
    pub fn new(
        linker: &Linker<State>,
        component: &Component,
        context: Arc<ComponentContext>,
    ) -> wasmtime::Result<Self> {
        let pre = linker.instantiate_pre(component)?;
        Ok(Self { engine: linker.engine().clone(), context, pre })
    }

    /// The same component with other grants: what was resolved once is shared.
    #[must_use]
    pub fn with_context(&self, context: Arc<ComponentContext>) -> Self {
        Self { context, ..self.clone() }
    }

    /// What is the same for every call.
    #[must_use]
    pub fn context(&self) -> &Arc<ComponentContext> {
        &self.context
    }

    /// For requests.
    ///
    /// # Errors
    /// It does not export `wasi:http/incoming-handler@0.2`.
    pub fn http(&self) -> wasmtime::Result<ProxyPre<State>> {
        ProxyPre::new(self.pre.clone())
    }

    /// For messages.
    ///
    /// # Errors
    /// It does not export `fermyon:spin/inbound-redis`.
    pub fn messages(&self) -> wasmtime::Result<MessageHandlerPre<State>> {
        MessageHandlerPre::new(self.pre.clone())
    }

    /// A store for one call.
    #[must_use]
    pub fn store(&self, bounds: CallBounds, call: Call<'_>) -> Store<State> {
        State::store(&self.engine, &self.context, bounds, call)
    }
}

impl std::fmt::Debug for Prepared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Prepared").field("component", &self.context.id).finish_non_exhaustive()
    }
}
