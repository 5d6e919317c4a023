//! From a manifest and an operator's options to a running application: the wiring, the order of starting and that of stopping.
//!
//! Starting: manifest, variables, backends, grants, address, engine, components, triggers. What is wrong with the manifest or the options is
//! said before anything is compiled. Stopping: no new connections and messages, then a wait for what runs, then the end.

mod banner;
mod clients;
mod components;
mod error;
mod messages;
mod servers;

pub(crate) use components::compile_one;
pub use error::StartError;

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::net::TcpListener;

use self::{clients::Clients, components::Parts, messages::Messages};
use crate::{
    capabilities::redis::Broker,
    compose::Composition,
    config::Backends,
    engine::{self, Ticker},
    instance::{MemoryBudget, NativeBlobs, Prepared, linker},
    limits::{Limits, length, millis},
    manifest::{HttpTarget, Manifest, Route},
    telemetry::{Level, LogFormat, LogSink, Logger, WriterSink},
    triggers::{
        http::{Handler, HttpServer, ServerTasks, Target},
        redis::Workers,
        router::{Pattern, Router},
    },
    variables::Variables,
};

/// The runtime's entry point.
#[derive(Debug)]
pub struct Runtime;

impl Runtime {
    /// A builder for the application of this manifest.
    pub fn builder(manifest: impl Into<PathBuf>) -> RuntimeBuilder {
        RuntimeBuilder {
            manifest: manifest.into(),
            listen: SocketAddr::from(([127, 0, 0, 1], 3000)),
            state_dir: PathBuf::from(".thumbs"),
            cache_dir: None,
            variables: BTreeMap::new(),
            key_value_url: None,
            environment: HashMap::new(),
            limits: Limits::default(),
            workers: None,
            composition: Composition::WithoutNative,
            log: None,
        }
    }
}

/// What an application is started with. Nothing is read from the environment of the process but what is handed over here.
#[must_use]
pub struct RuntimeBuilder {
    manifest: PathBuf,
    listen: SocketAddr,
    state_dir: PathBuf,
    cache_dir: Option<PathBuf>,
    variables: BTreeMap<String, String>,
    key_value_url: Option<String>,
    environment: HashMap<String, String>,
    limits: Limits,
    workers: Option<usize>,
    composition: Composition,
    log: Option<Logger>,
}

impl RuntimeBuilder {
    /// Another manifest.
    pub fn manifest(mut self, path: impl Into<PathBuf>) -> Self {
        self.manifest = path.into();
        self
    }

    /// Where requests are taken; port 0 is any free one. Default 127.0.0.1:3000.
    pub fn listen(mut self, address: SocketAddr) -> Self {
        self.listen = address;
        self
    }

    /// Where databases and blobs lie that have no other place. Default `.thumbs`.
    pub fn state_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.state_dir = path.into();
        self
    }

    /// Where compiled components are kept; may be shared between runtimes. Default `<state-dir>/compiled`.
    pub fn cache_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.cache_dir = Some(path.into());
        self
    }

    /// Sets a variable of the application; wins over the environment.
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// The Redis server (`redis://...`) that keeps key-value pairs. Default: files in the state directory.
    pub fn key_value_url(mut self, url: impl Into<String>) -> Self {
        self.key_value_url = Some(url.into());
        self
    }

    /// Where variables (`SPIN_VARIABLE_<NAME>`) are looked up.
    pub fn environment(mut self, environment: impl IntoIterator<Item = (String, String)>) -> Self {
        self.environment = environment.into_iter().collect();
        self
    }

    /// The host's limits.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// How many messages are handled at a time. 0 is none: jobs wait. Default: one per core.
    pub fn resize_workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// The limit `max_image_memory_bytes`.
    pub fn max_image_memory_bytes(mut self, bytes: u64) -> Self {
        self.limits.max_image_memory_bytes = bytes;
        self
    }

    /// The limit `image_deadline_ms`.
    pub fn image_deadline(mut self, deadline: Duration) -> Self {
        self.limits.image_deadline_ms = u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX);
        self
    }

    /// Composes in also what the runtime would provide itself.
    pub fn compose_all(mut self, all: bool) -> Self {
        self.composition = if all { Composition::All } else { Composition::WithoutNative };
        self
    }

    /// Where events of this level and graver go. Default: warnings, as text, to standard error.
    pub fn log(mut self, sink: Arc<dyn LogSink>, least: Level) -> Self {
        self.log = Some(Logger::new(sink, least));
        self
    }

    /// Starts the application. Must be called within a Tokio runtime with I/O and time; requests are served by its threads.
    ///
    /// # Errors
    /// What is wrong, in a sentence that names the place and the fix. Nothing goes on running then.
    ///
    /// # Cancel safety
    /// Dropping the future before it is ready starts nothing.
    pub async fn start(self) -> Result<Running, StartError> {
        let begun = Instant::now();
        let log = self.log.unwrap_or_else(|| {
            Logger::new(Arc::new(WriterSink::new(LogFormat::of_stderr(), std::io::stderr())), Level::Warn)
        });
        let manifest = Manifest::read(&self.manifest)?;
        let mut variables = Variables::resolve(&manifest.variables, &self.variables, &self.environment)?;
        let state_dir = usable_dir(&self.state_dir)?;
        let cache_dir = usable_dir(&self.cache_dir.unwrap_or_else(|| state_dir.join("compiled")))?;
        let backends =
            Backends::choose(&variables, self.key_value_url.as_deref(), self.composition, &state_dir)?;
        if let Some(grant) = &backends.blob_grant {
            variables.derive("blob_outbound", grant);
        }
        let limits = Arc::new(self.limits);
        let mut clients = Clients::new(&backends, &limits)?;
        let workers =
            self.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let broker = Arc::new(Broker::new(&limits));
        let parts = Parts {
            manifest: &manifest,
            variables: &variables,
            backends: &backends,
            clients: &clients,
            broker: &broker,
            memory: Arc::new(MemoryBudget::new(length(limits.max_total_memory_bytes))),
            limits: &limits,
            log: &log,
        };
        let contexts = parts.contexts()?;
        let servers = clients.take_servers();
        // Told apart from the compiling, which takes long: a taken address should be an error at once.
        let listener = TcpListener::bind(self.listen)
            .await
            .map_err(|cause| StartError::Listen { address: self.listen, cause })?;
        let address =
            listener.local_addr().map_err(|cause| StartError::Listen { address: self.listen, cause })?;

        let instances = limits.max_concurrent_requests.saturating_add(2 * workers as u64);
        let engine = engine::engine(&limits, u32::try_from(instances).unwrap_or(u32::MAX), &cache_dir)
            .map_err(|cause| StartError::Engine { cause: format!("{cause:#}") })?;
        let (compiled, absent) = tokio::try_join!(
            components::compile(&engine, &manifest, self.composition, &log),
            servers::look(servers, &log),
        )?;
        let blobs = match self.composition {
            Composition::WithoutNative => NativeBlobs::Yes,
            Composition::All => NativeBlobs::No,
        };
        let linker =
            linker(&engine, blobs).map_err(|cause| StartError::Engine { cause: format!("{cause:#}") })?;
        let mut prepared = BTreeMap::new();
        for (id, component) in compiled {
            let Some(context) = contexts.get(&id) else { continue };
            let ready = Prepared::new(&linker, &component, Arc::clone(context))
                .map_err(|cause| StartError::component(&id, "does not fit this host", &cause))?;
            prepared.insert(id, ready);
        }

        let router = router(&manifest, &prepared)?;
        let banner = banner::Banner::new(&manifest, &backends, &contexts, &router, workers, address);
        let ticker = Ticker::start(&engine).map_err(|cause| StartError::Threads { cause })?;
        let tasks = ServerTasks::default();
        servers::watch(absent, millis(limits.max_reconnect_pause_ms), &log, &tasks.tracker, &tasks.stop);
        let messages = Messages {
            manifest: &manifest,
            variables: &variables,
            backends: &backends,
            clients: &clients,
            broker: &broker,
            tasks: &tasks,
            log: &log,
        };
        let workers = messages.start(&prepared, workers)?;
        let server = HttpServer::new(listener, router, &limits, log.clone());
        tasks.tracker.spawn(server.run(tasks.clone()));
        let ready_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        let mut fields = banner.fields();
        fields.push(("ready_ms", ready_ms.into()));
        log.event(Level::Info, "started", &fields);
        Ok(Running {
            address,
            banner: banner.text(ready_ms),
            tasks,
            workers,
            drain_timeout: millis(limits.drain_timeout_ms),
            log,
            _ticker: ticker,
        })
    }
}

/// An application that runs. Dropping it ends it at once; [`Running::shutdown`] lets it finish.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    banner: String,
    tasks: ServerTasks,
    workers: Workers,
    drain_timeout: Duration,
    log: Logger,
    // Last: guests that are being stopped still need the clock.
    _ticker: Ticker,
}

impl Running {
    /// Where it takes requests.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// What a person at a terminal wants to know: address, routes, where data lies. No secrets.
    #[must_use]
    pub fn banner(&self) -> &str {
        &self.banner
    }

    /// Takes nothing new, waits for what runs (at most `drain_timeout_ms`), and ends.
    pub async fn shutdown(self) {
        self.log.event(Level::Info, "stopping", &[]);
        self.tasks.stop.cancel();
        self.tasks.tracker.close();
        self.workers.stop();
        let finished = async {
            self.tasks.tracker.wait().await;
            self.workers.finished().await;
        };
        let drained = tokio::time::timeout(self.drain_timeout, finished).await.is_ok();
        if !drained {
            self.log.event(
                Level::Warn,
                "cut-off",
                &[("drain_timeout_ms", millis_of(self.drain_timeout).into())],
            );
            self.tasks.kill.cancel();
            self.workers.kill();
            self.tasks.tracker.wait().await;
            self.workers.finished().await;
        }
        self.log.event(Level::Info, "stopped", &[("drained", drained.into())]);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.stop.cancel();
        self.tasks.kill.cancel();
    }
}

fn millis_of(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// The directory, made where it is missing, as an absolute path.
///
/// # Errors
/// It can't be made.
pub(crate) fn usable_dir(path: &Path) -> Result<PathBuf, StartError> {
    std::fs::create_dir_all(path)
        .and_then(|()| path.canonicalize())
        .map_err(|cause| StartError::Directory { path: path.to_owned(), cause })
}

fn router(manifest: &Manifest, prepared: &BTreeMap<String, Prepared>) -> Result<Router<Target>, StartError> {
    let wrong = |reason| StartError::Route { manifest: manifest.path.clone(), reason };
    let mut handlers: BTreeMap<&str, Arc<Handler>> = BTreeMap::new();
    let mut routes = Vec::new();
    for trigger in &manifest.http {
        let target = match &trigger.target {
            HttpTarget::Static(response) => Target::Static(Arc::new(response.clone())),
            HttpTarget::Component(id) => {
                let Some(component) = prepared.get(id) else { continue };
                let handler = match handlers.get(id.as_str()) {
                    Some(handler) => Arc::clone(handler),
                    None => Arc::new(Handler::new(component.clone()).map_err(|cause| {
                        StartError::component(
                            id,
                            "has an HTTP trigger, but exports no wasi:http/incoming-handler@0.2",
                            &cause,
                        )
                    })?),
                };
                handlers.insert(id, Arc::clone(&handler));
                Target::Component(handler)
            }
        };
        if let Route::Path(path) = &trigger.route {
            routes.push((Pattern::parse(path).map_err(wrong)?, target));
        }
    }
    Router::new(routes).map_err(wrong)
}
