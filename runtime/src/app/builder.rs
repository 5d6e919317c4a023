//! What an application is started with, and starting it.

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::{
    Running, StartError,
    admin::AdminListener,
    banner::Banner,
    load::{Loaded, Ready},
    messages::{Messages, ParkingLots},
    metrics::Metrics,
    servers,
};
use crate::{
    backends::BackendOptions,
    compose::Composition,
    engine::PoolSize,
    instance::Prepared,
    limits::{Limits, millis},
    manifest::{HttpTarget, Manifest, Route},
    telemetry::{Level, LogSink, Logger},
    traces,
    triggers::{
        http::{Handler, HttpServer, ServerTasks, Target},
        router::{Pattern, Router},
    },
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
            backends: BackendOptions::default(),
            environment: HashMap::new(),
            limits: Limits::default(),
            workers: None,
            composition: Composition::WithoutNative,
            log: None,
            server_wait: Duration::ZERO,
            after_compiling: None,
            admin: None,
            sink: None,
            traces: None,
        }
    }
}

/// What an application is started with. Nothing is read from the environment of the process but what is handed over here.
#[must_use]
pub struct RuntimeBuilder {
    pub(super) manifest: PathBuf,
    pub(super) listen: SocketAddr,
    pub(super) state_dir: PathBuf,
    pub(super) cache_dir: Option<PathBuf>,
    pub(super) variables: BTreeMap<String, String>,
    pub(super) backends: BackendOptions,
    pub(super) environment: HashMap<String, String>,
    pub(super) limits: Limits,
    workers: Option<usize>,
    pub(super) composition: Composition,
    pub(super) log: Option<Logger>,
    server_wait: Duration,
    pub(super) after_compiling: Option<fn()>,
    admin: Option<SocketAddr>,
    sink: Option<Arc<dyn LogSink>>,
    pub(super) traces: Option<traces::Settings>,
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

    /// Where things are kept that the application does not name a variable for (`backends.rs`), or that it should not decide.
    pub fn backends(mut self, options: BackendOptions) -> Self {
        self.backends = options;
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

    /// How many messages of a trigger are handled at a time. 0 is none: this runtime answers requests only. Default: one per core.
    pub fn workers(mut self, workers: usize) -> Self {
        self.workers = Some(workers);
        self
    }

    /// Composes in also what the runtime would provide itself.
    pub fn compose_all(mut self, all: bool) -> Self {
        self.composition = if all { Composition::All } else { Composition::WithoutNative };
        self
    }

    /// Where events of this level and graver go. Default: warnings, as text, to standard error.
    pub fn log(mut self, sink: Arc<dyn LogSink>, least: Level) -> Self {
        self.log = Some(Logger::new(Arc::clone(&sink), least));
        self.sink = Some(sink);
        self
    }

    /// Where this process tells its numbers, whether it lives and whether it is ready; port 0 is any free one. Default: nowhere.
    pub fn admin(mut self, address: SocketAddr) -> Self {
        self.admin = Some(address);
        self
    }

    /// Where spans are sent, and which. Default: nothing is traced.
    pub fn traces(mut self, settings: traces::Settings) -> Self {
        self.traces = Some(settings);
        self
    }

    /// How long [`RuntimeBuilder::prepare`] waits for servers that do not answer. Default: not at all.
    pub fn server_wait(mut self, wait: Duration) -> Self {
        self.server_wait = wait;
        self
    }

    /// Is called during [`RuntimeBuilder::start`] where code was compiled that the cache did not have: it has it by then, nothing is
    /// served and nothing was written.
    pub fn after_compiling(mut self, call: fn()) -> Self {
        self.after_compiling = Some(call);
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
        let (listen, admin, sink) = (self.listen, self.admin, self.sink.clone());
        let workers =
            self.workers.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
        let mut loaded = Loaded::new(self)?;
        let contexts = loaded.contexts(&loaded.triggered(), workers)?;
        // Told apart from the compiling, which takes long: a taken address should be an error at once.
        let refused = |cause| StartError::Listen { address: listen, cause };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        let admin = match admin {
            Some(address) => Some(AdminListener::bind(address).await?),
            None => None,
        };
        let size = PoolSize::serving(&loaded.limits, loaded.handling(workers));
        let Ready { prepared, ticker, absent } = loaded.ready(&contexts, size).await?;
        let lots = loaded.parking_lots();
        let router = router(&loaded.manifest, &prepared, &lots)?;
        let banner = Banner::new(
            &loaded.manifest,
            &loaded.backends,
            &contexts,
            &router,
            workers,
            address,
            &loaded.variables,
        )
        .with_admin(admin.as_ref().map(AdminListener::address));
        let messages = Messages::new(&loaded, &prepared)?;
        messages.check().await?;
        messages.prepare_or_warn().await;
        let tasks = ServerTasks::default();
        let workers = messages.start(&tasks, workers, lots.clone())?;
        let sending = loaded.sending.take();
        let Loaded { limits, log, tracer, .. } = &loaded;
        servers::watch(absent, millis(limits.max_reconnect_pause_ms), log, &tasks.tracker, &tasks.stop);
        let server = HttpServer::new(listener, router, limits, tasks.clone(), log.clone(), tracer.clone());
        let admin = admin.map(|listener| {
            let (address, end) = (listener.address(), CancellationToken::new());
            let metrics = Arc::new(Metrics::new(&loaded, &contexts, &lots, server.view(), sink));
            // Not among the tasks that an end waits for: it answers until there is nothing left to tell of.
            let _task =
                tokio::spawn(listener.run(metrics, Arc::clone(limits), tasks.leave.clone(), end.clone()));
            (address, end.drop_guard())
        });
        tasks.tracker.spawn(server.run());
        let ready_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        banner.log(log, ready_ms);
        Ok(Running {
            address,
            admin,
            banner: banner.text(ready_ms),
            tasks,
            workers,
            lame_duck: millis(limits.lame_duck_ms),
            drain_timeout: millis(limits.drain_timeout_ms),
            log: log.clone(),
            sending,
            _ticker: ticker,
        })
    }

    /// Has the application prepared (`tool.thumbs.prepare`), and serves nothing. Must be called within a Tokio runtime with I/O and time.
    ///
    /// # Errors
    /// It could not be, or nothing in its manifest asks for it.
    pub async fn prepare(self) -> Result<(), StartError> {
        let server_wait = self.server_wait;
        let mut loaded = Loaded::new(self)?;
        let wanted = loaded.preparing();
        if wanted.is_empty() {
            return Err(StartError::NothingToPrepare { manifest: loaded.manifest.path });
        }
        let contexts = loaded.contexts(&wanted, 1)?;
        // The clock runs until this function ends.
        let Ready { prepared, ticker: _ticker, absent } = loaded.ready(&contexts, PoolSize::of(1)).await?;
        let messages = Messages::new(&loaded, &prepared)?;
        let max_pause = millis(loaded.limits.max_reconnect_pause_ms);
        servers::wait(absent, server_wait, max_pause, &loaded.log).await;
        messages.check().await?;
        messages.prepare().await
    }
}

fn router(
    manifest: &Manifest,
    prepared: &BTreeMap<String, Prepared>,
    lots: &ParkingLots,
) -> Result<Router<Target>, StartError> {
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
                    None => {
                        let handler = Handler::new(component.clone()).map_err(|cause| {
                            StartError::component(
                                id,
                                "has an HTTP trigger, but exports no wasi:http/incoming-handler@0.2",
                                &cause,
                            )
                        })?;
                        Arc::new(handler.with_parking(lots.get(id).map(|(_, lot)| Arc::clone(lot))))
                    }
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
