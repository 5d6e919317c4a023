//! The shipped component `blob-store` as a backend: the same wasm that is composed in on hosts without blobs, called as its importers call
//! it, in a fresh instance each time and with what the runtime grants. For tests that hold it against the native stores.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use thumbs::capabilities::allowed_hosts::AllowedHosts;
use thumbs::capabilities::blob::{Backend, BlobStore, MemoryStore, Reader, Writer, wit};
use thumbs::capabilities::http::Network;
use thumbs::capabilities::key_value::EmbeddedStore;
use thumbs::capabilities::postgres::PostgresGrants;
use thumbs::capabilities::redis::RedisGrants;
use thumbs::engine::{self, PoolSize, Ticker};
use thumbs::instance::{Call, CallBounds, ComponentContext, Meter, NativeBlobs, State, linker};
use thumbs::limits::Limits;
use thumbs::secret::Secret;
use thumbs::telemetry::{CaptureSink, Level, Logger};
use thumbs::{memory::MemoryBudgets, permits::Caller, traces::Tracer};
use thumbs_tests::servers::Bucket;
use wasmtime::component::{Component, ResourceAny};
use wasmtime::{Engine, Store};

mod bindings {
    wasmtime::component::bindgen!({
        path: ["../wit/blob-store"],
        inline: "
            package thumbs:tests;
            world provider {
                export thumbs:blob-store/store@1.0.0;
            }
        ",
        world: "thumbs:tests/provider",
        exports: { default: async },
    });
}

use bindings::exports::thumbs::blob_store::store as guest;

/// Instances at the same time: as many as the contract's tasks, in all tests together.
const MAX_INSTANCES: u32 = 32;
/// One call holds a blob of 64 MiB, as its argument or its result.
const MAX_MEMORY_BYTES: usize = 256 << 20;
/// Far more than any call takes; a guest that never returns fails its test instead of holding it up.
const MAX_RUNNING_TIME: Duration = Duration::from_secs(60);
/// The label of the key-value store.
const LABEL: &str = "default";

struct Compiled {
    engine: Engine,
    provider: bindings::ProviderPre<State>,
    _ticker: Ticker,
}

/// Compiled once for all tests.
static COMPILED: LazyLock<Compiled> = LazyLock::new(|| {
    let root = thumbs_tests::repository_root();
    let file = root.join("target/wasm32-wasip2/component/thumbs_blob_store.wasm");
    let wasm = std::fs::read(&file)
        .unwrap_or_else(|error| panic!("{} can't be read ({error}); run `make components`", file.display()));
    let cache = engine::compile_cache(&root.join("target/test-compile-cache")).unwrap();
    let engine = engine::engine(&Limits::default(), PoolSize::of(MAX_INSTANCES), cache).unwrap();
    let component = Component::new(&engine, wasm).unwrap();
    let pre = linker(&engine, NativeBlobs::No).unwrap().instantiate_pre(&component).unwrap();
    let ticker = Ticker::start(&engine).unwrap();
    Compiled { provider: bindings::ProviderPre::new(pre).unwrap(), engine, _ticker: ticker }
});

/// The component with its settings and grants.
#[derive(Debug)]
pub(crate) struct ComponentBlobs {
    context: Arc<ComponentContext>,
    bounds: CallBounds,
}

impl ComponentBlobs {
    /// Over a bucket.
    pub(crate) fn over_s3(bucket: &Bucket) -> Self {
        Self::new(bucket.variables(), &bucket.endpoint, None)
    }

    /// Over a key-value store that is a file in this folder.
    pub(crate) fn over_key_value(folder: &Path) -> Self {
        let variables = vec![("blob_url".to_owned(), format!("kv:{LABEL}"))];
        Self::new(variables, "http://localhost:1", Some(folder))
    }

    fn new(variables: Vec<(String, String)>, endpoint: &str, key_value: Option<&Path>) -> Self {
        let limits = Limits::default();
        let hosts = Arc::new(AllowedHosts::parse([endpoint]).unwrap());
        let variables =
            variables.into_iter().map(|(name, value)| (name, Secret::new(value))).collect::<BTreeMap<_, _>>();
        let key_value = key_value.map(|folder| {
            let store: Arc<dyn thumbs::capabilities::key_value::Backend> =
                Arc::new(EmbeddedStore::new(folder, LABEL, &limits));
            (LABEL.to_owned(), store)
        });
        let context = ComponentContext {
            id: "blob-store".into(),
            variables: Arc::new(variables),
            environment: BTreeMap::new(),
            hosts: Arc::clone(&hosts),
            carrier: Arc::new(Network),
            key_value: Arc::new(key_value.into_iter().collect()),
            sqlite: Arc::default(),
            redis: RedisGrants { hosts: Arc::clone(&hosts), connector: None },
            postgres: PostgresGrants { hosts, client: None },
            blobs: BlobStore::new(Arc::new(MemoryStore::default()), &limits),
            memory: MemoryBudgets::split(usize::MAX, 0),
            limits: Arc::new(limits),
            log: Logger::new(Arc::new(CaptureSink::new()), Level::Error),
            tracer: Tracer::off(),
            numbers: Arc::default(),
            log_tail: false,
            names_caller: false,
        };
        let bounds = CallBounds {
            caller: Caller::Request,
            max_memory_bytes: MAX_MEMORY_BYTES,
            max_running_time: MAX_RUNNING_TIME,
            timeout: MAX_RUNNING_TIME,
        };
        Self { context: Arc::new(context), bounds }
    }

    /// A fresh instance, and what measures its calls.
    async fn instance(&self) -> (Store<State>, bindings::Provider, Meter) {
        let mut store = State::store(&COMPILED.engine, &self.context, self.bounds, Call::default());
        let meter = store.data().meter();
        let provider = meter.measure(COMPILED.provider.instantiate_async(&mut store)).await.unwrap();
        (store, provider, meter)
    }
}

impl Backend for ComponentBlobs {
    fn summary(&self) -> String {
        "the component blob-store".to_owned()
    }

    fn put<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
        data: Vec<u8>,
    ) -> BoxFuture<'a, Result<(), wit::Error>> {
        async move {
            let (mut store, provider, meter) = self.instance().await;
            let exports = provider.thumbs_blob_store_store();
            meter
                .measure(exports.call_put(&mut store, key, content_type, &data))
                .await
                .unwrap()
                .map_err(error)
        }
        .boxed()
    }

    fn write<'a>(
        &'a self,
        key: &'a str,
        content_type: &'a str,
    ) -> BoxFuture<'a, Result<Box<dyn Writer>, wit::Error>> {
        async move {
            let mut handle = Handle::new(self.instance().await);
            let Open { store, provider, meter, resource } = handle.open();
            let writer = provider.thumbs_blob_store_store().writer();
            let opened = meter.measure(writer.call_open(store, key, content_type)).await.unwrap();
            *resource = Some(opened.map_err(error)?);
            Ok(Box::new(handle) as Box<dyn Writer>)
        }
        .boxed()
    }

    fn read<'a>(
        &'a self,
        key: &'a str,
        max_bytes: u64,
    ) -> BoxFuture<'a, Result<(wit::Metadata, Box<dyn Reader>), wit::Error>> {
        async move {
            let mut handle = Handle::new(self.instance().await);
            let Open { store, provider, meter, resource } = handle.open();
            let reader = provider.thumbs_blob_store_store().reader();
            let opened = meter.measure(reader.call_open(&mut *store, key, max_bytes)).await.unwrap();
            let opened = *resource.insert(opened.map_err(error)?);
            let found = meter.measure(reader.call_metadata(store, opened)).await.unwrap();
            Ok((metadata(found), Box::new(handle) as Box<dyn Reader>))
        }
        .boxed()
    }

    fn get<'a>(&'a self, key: &'a str, max_bytes: u64) -> BoxFuture<'a, Result<wit::Object, wit::Error>> {
        async move {
            let (mut store, provider, meter) = self.instance().await;
            let exports = provider.thumbs_blob_store_store();
            let got = meter.measure(exports.call_get(&mut store, key, max_bytes)).await.unwrap();
            let guest::Object { metadata: found, data } = got.map_err(error)?;
            Ok(wit::Object { metadata: metadata(found), data })
        }
        .boxed()
    }

    fn head<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<wit::Metadata, wit::Error>> {
        async move {
            let (mut store, provider, meter) = self.instance().await;
            let exports = provider.thumbs_blob_store_store();
            let got = meter.measure(exports.call_head(&mut store, key)).await.unwrap();
            got.map(metadata).map_err(error)
        }
        .boxed()
    }

    fn delete<'a>(&'a self, key: &'a str) -> BoxFuture<'a, Result<(), wit::Error>> {
        async move {
            let (mut store, provider, meter) = self.instance().await;
            let exports = provider.thumbs_blob_store_store();
            meter.measure(exports.call_delete(&mut store, key)).await.unwrap().map_err(error)
        }
        .boxed()
    }

    fn list<'a>(
        &'a self,
        prefix: &'a str,
        after: &'a str,
        limit: usize,
    ) -> BoxFuture<'a, Result<Vec<String>, wit::Error>> {
        async move {
            let (mut store, provider, meter) = self.instance().await;
            let exports = provider.thumbs_blob_store_store();
            let limit = u32::try_from(limit).unwrap();
            let listed = meter.measure(exports.call_list_keys(&mut store, prefix, after, limit)).await;
            listed.unwrap().map_err(error)
        }
        .boxed()
    }
}

/// A writer or a reader of the component, in an instance of its own.
struct Handle(Option<Open>);

struct Open {
    store: Store<State>,
    provider: bindings::Provider,
    meter: Meter,
    resource: Option<ResourceAny>,
}

impl Handle {
    fn new((store, provider, meter): (Store<State>, bindings::Provider, Meter)) -> Self {
        Self(Some(Open { store, provider, meter, resource: None }))
    }

    fn open(&mut self) -> &mut Open {
        self.0.as_mut().unwrap()
    }
}

/// As a component that drops it, or ends.
impl Drop for Handle {
    fn drop(&mut self) {
        let Some(Open { mut store, meter, resource: Some(resource), .. }) = self.0.take() else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime
                .spawn(async move { meter.measure(resource.resource_drop_async(&mut store)).await.unwrap() });
        }
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a handle of the component")
    }
}

impl Writer for Handle {
    fn write(&mut self, piece: Vec<u8>) -> BoxFuture<'_, Result<(), wit::Error>> {
        async move {
            let Open { store, provider, meter, resource } = self.open();
            let writer = provider.thumbs_blob_store_store().writer();
            let resource = resource.unwrap();
            meter.measure(writer.call_write(store, resource, &piece)).await.unwrap().map_err(error)
        }
        .boxed()
    }

    fn held_bytes(&self) -> usize {
        0
    }

    fn finish(mut self: Box<Self>) -> BoxFuture<'static, Result<(), wit::Error>> {
        async move {
            let Open { store, provider, meter, resource } = self.open();
            let writer = provider.thumbs_blob_store_store().writer();
            let resource = resource.take().unwrap();
            meter.measure(writer.call_finish(store, resource)).await.unwrap().map(drop).map_err(error)
        }
        .boxed()
    }
}

impl Reader for Handle {
    fn read(&mut self) -> BoxFuture<'_, Result<Vec<u8>, wit::Error>> {
        async move {
            let Open { store, provider, meter, resource } = self.open();
            let reader = provider.thumbs_blob_store_store().reader();
            let resource = resource.unwrap();
            meter.measure(reader.call_read(store, resource)).await.unwrap().map_err(error)
        }
        .boxed()
    }
}

fn metadata(metadata: guest::Metadata) -> wit::Metadata {
    wit::Metadata { size_bytes: metadata.size_bytes, content_type: metadata.content_type }
}

fn error(error: guest::Error) -> wit::Error {
    match error {
        guest::Error::NotFound => wit::Error::NotFound,
        guest::Error::InvalidKey => wit::Error::InvalidKey,
        guest::Error::TooLarge(max_bytes) => wit::Error::TooLarge(max_bytes),
        guest::Error::AccessDenied(text) => wit::Error::AccessDenied(text),
        guest::Error::Unavailable(text) => wit::Error::Unavailable(text),
        guest::Error::Other(text) => wit::Error::Other(text),
    }
}
