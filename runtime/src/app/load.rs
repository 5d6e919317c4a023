//! What every way to run an application begins with: manifest, variables, backends, and the components that are wanted, ready to be called.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use wasmtime::Engine;

use super::{
    RuntimeBuilder, StartError,
    clients::Clients,
    components::{self, Contexts},
    servers::{self, Server},
};
use crate::{
    backends::{Backends, Blobs, KeyValue},
    compose::{self, Composition},
    engine::{self, PoolSize, Ticker},
    instance::{NativeBlobs, Prepared, linker},
    limits::Limits,
    manifest::{HttpTarget, Manifest},
    messages::Broker,
    private,
    telemetry::{Event, Level, LogFormat, Logger},
    traces::{Sending, Tracer},
    variables::Variables,
};

/// An application that is read, with its back ends and nothing of its components.
pub(super) struct Loaded {
    pub(super) manifest: Manifest,
    pub(super) variables: Variables,
    pub(super) backends: Backends,
    pub(super) clients: Clients,
    pub(super) broker: Arc<Broker>,
    pub(super) limits: Arc<Limits>,
    pub(super) log: Logger,
    pub(super) tracer: Tracer,
    /// Sends what the tracer makes, until an application that serves takes it over.
    pub(super) sending: Option<Sending>,
    composition: Composition,
    cache_dir: PathBuf,
    after_compiling: Option<fn()>,
}

/// Components that are ready, the clock that they run by, and the servers that do not answer yet.
pub(super) struct Ready {
    pub(super) prepared: BTreeMap<String, Prepared>,
    pub(super) ticker: Ticker,
    pub(super) absent: Vec<Server>,
}

impl Loaded {
    /// # Errors
    /// What is wrong with the manifest or the operator's options.
    pub(super) fn new(builder: RuntimeBuilder) -> Result<Self, StartError> {
        let log = match builder.log {
            Some(log) => log,
            None => Logger::to_stderr(LogFormat::of_stderr(), &builder.limits, Level::Warn)
                .map_err(|cause| StartError::Threads { cause })?,
        };
        let manifest = Manifest::read(&builder.manifest)?;
        let mut variables = Variables::resolve(&manifest, &builder.variables, &builder.environment)?;
        let state_dir = usable_dir(&builder.state_dir)?;
        let cache_dir = usable_dir(&builder.cache_dir.unwrap_or_else(|| state_dir.join("compiled")))?;
        let composition = builder.composition;
        let backends = Backends::choose(&manifest, &variables, &builder.backends, composition, &state_dir)?;
        let named = manifest.application.backends.blobs.as_ref();
        if let (Some(grant), Some(outbound)) =
            (&backends.blob_grant, named.and_then(|named| named.outbound.as_deref()))
        {
            variables.derive(outbound, grant);
        }
        keep_private(&state_dir, &backends, &log);
        let limits = Arc::new(builder.limits);
        let clients = Clients::new(&backends, &manifest.application.backends.constant_blobs, &limits)?;
        let broker = Arc::new(Broker::new(&limits, &log));
        let (tracer, sending) = match builder.traces {
            Some(settings) => {
                let (tracer, sending) = settings.start(&manifest.application.name, &limits, &log)?;
                (tracer, Some(sending))
            }
            None => (Tracer::off(), None),
        };
        Ok(Self {
            manifest,
            variables,
            backends,
            clients,
            broker,
            limits,
            log,
            tracer,
            sending,
            composition,
            cache_dir,
            after_compiling: builder.after_compiling,
        })
    }

    /// The components that have a trigger. Others are read by the manifest's rules and else left alone.
    pub(super) fn triggered(&self) -> BTreeSet<String> {
        let requests = self.manifest.http.iter().filter_map(|trigger| match &trigger.target {
            HttpTarget::Component(id) => Some(id.clone()),
            HttpTarget::Static(_) => None,
        });
        requests.chain(self.manifest.redis.iter().map(|trigger| trigger.component.clone())).collect()
    }

    /// How many messages are handled at a time, those of all triggers together, where `workers` handle those of one.
    pub(super) fn handling(&self, workers: usize) -> usize {
        if workers == 0 {
            return 0;
        }
        let components = self.manifest.redis.iter().map(|trigger| &trigger.component);
        let policies = components.filter_map(|id| Some(&self.manifest.components.get(id)?.messages));
        policies.map(|policy| policy.workers.unwrap_or(workers)).sum()
    }

    /// Those of them that look at the settings of the application.
    pub(super) fn checking(&self) -> BTreeSet<String> {
        let checks = |id: &String| {
            self.manifest.components.get(id).is_some_and(|component| component.messages.check.is_some())
        };
        self.triggered().into_iter().filter(checks).collect()
    }

    /// What is composed into components.
    pub(super) fn composition(&self) -> Composition {
        self.composition
    }

    /// Those of them that prepare the application.
    pub(super) fn preparing(&self) -> BTreeSet<String> {
        let prepares = |id: &String| {
            self.manifest.components.get(id).is_some_and(|component| component.messages.prepare.is_some())
        };
        self.triggered().into_iter().filter(prepares).collect()
    }

    /// Compiles the components that have a context, and looks at the servers meanwhile. `size` is the room for instances.
    ///
    /// # Errors
    /// A component's files do not fit, or a server refuses.
    pub(super) async fn ready(&mut self, contexts: &Contexts, size: PoolSize) -> Result<Ready, StartError> {
        let broken = |cause: wasmtime::Error| StartError::Engine { cause: format!("{cause:#}") };
        let cache = engine::compile_cache(&self.cache_dir).map_err(broken)?;
        let engine = engine::engine(&self.limits, size, cache.clone()).map_err(broken)?;
        let servers = self.clients.take_servers();
        let wanted = contexts.keys().filter_map(|id| self.manifest.components.get(id));
        let (compiled, absent) = tokio::try_join!(
            components::compile(&engine, wanted, self.composition, &self.log),
            servers::look(servers, &self.log),
        )?;
        let with_blobs = linker(&engine, NativeBlobs::Yes).map_err(broken)?;
        let without_blobs = linker(&engine, NativeBlobs::No).map_err(broken)?;
        let mut prepared = BTreeMap::new();
        for (id, component) in compiled {
            let (Some(context), Some(of_manifest)) = (contexts.get(&id), self.manifest.components.get(&id))
            else {
                continue;
            };
            self.imports_what_it_declares(&engine, &id, &component)?;
            let linker = match self.composition {
                Composition::WithoutNative if compose::declares_native(of_manifest) => &with_blobs,
                _ => &without_blobs,
            };
            let ready = Prepared::new(linker, &component, Arc::clone(context))
                .map_err(|cause| StartError::component(&id, "does not fit this host", &cause))?;
            prepared.insert(id, ready);
        }
        if cache.cache_misses() > 0
            && let Some(after_compiling) = self.after_compiling
        {
            after_compiling();
        }
        let ticker = Ticker::start(&engine).map_err(|cause| StartError::Threads { cause })?;
        Ok(Ready { prepared, ticker, absent })
    }

    /// What the runtime provides in the place of a dependency is the grant of that dependency: nobody has it by importing it.
    fn imports_what_it_declares(
        &self,
        engine: &Engine,
        id: &str,
        component: &wasmtime::component::Component,
    ) -> Result<(), StartError> {
        let declared = self.manifest.components.get(id).is_some_and(compose::declares_native);
        let component = component.component_type();
        let undeclared = component.imports(engine).find(|(name, _)| !declared && compose::is_native(name));
        match undeclared {
            None => Ok(()),
            Some((name, _)) => Err(StartError::Grant {
                manifest: self.manifest.path.clone(),
                component: id.to_owned(),
                reason: format!(
                    "it imports {name} and does not declare it; add it to [component.{id}.dependencies]"
                ),
            }),
        }
    }
}

/// Takes what lies open from others, where it is this user's, and says where it is not.
fn keep_private(state_dir: &Path, backends: &Backends, log: &Logger) {
    private::tighten_root(state_dir);
    let mut folders = vec![backends.sqlite_dir.as_path()];
    if let KeyValue::Directory(folder) = &backends.key_value {
        folders.push(folder);
    }
    // A folder elsewhere is the operator's.
    if let Blobs::Directory(folder) = &backends.blobs
        && folder.starts_with(state_dir)
    {
        folders.push(folder);
    }
    for folder in folders {
        if let Err(cause) = private::tighten_folder(folder) {
            log.event(&Event::StateNotPrivate {
                path: &folder.display().to_string(),
                cause: &cause.to_string(),
            });
        }
    }
}

/// The directory, made where it is missing, as an absolute path.
///
/// # Errors
/// It can't be made.
pub(crate) fn usable_dir(path: &Path) -> Result<PathBuf, StartError> {
    private::make_folders(path)
        .and_then(|()| path.canonicalize())
        .map_err(|cause| StartError::Directory { path: path.to_owned(), cause })
}
