//! Components at start: their grants bound to backends, their files composed and compiled.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use wasmtime::{Engine, component::Component as Compiled};

use super::{StartError, clients::Clients};
use crate::{
    capabilities::{
        blob::BlobStore,
        egress::AllowedHosts,
        embedded::blocking,
        http::Network,
        key_value,
        postgres::PostgresGrants,
        redis::{Broker, RedisGrants},
        sqlite,
    },
    compose::{Composition, compose},
    config::{Backends, LABELS, WakeUps},
    instance::{ComponentContext, MemoryBudget},
    limits::Limits,
    manifest::{Component, HttpTarget, Manifest},
    telemetry::{Level, Logger},
    variables::Variables,
};

/// What contexts are made of.
pub(super) struct Parts<'a> {
    pub(super) manifest: &'a Manifest,
    pub(super) variables: &'a Variables,
    pub(super) backends: &'a Backends,
    pub(super) clients: &'a Clients<'a>,
    pub(super) broker: &'a Arc<Broker>,
    pub(super) memory: Arc<MemoryBudget>,
    pub(super) limits: &'a Arc<Limits>,
    pub(super) log: &'a Logger,
}

/// The components that have a trigger. Others are read by the manifest's rules and else left alone.
fn triggered(manifest: &Manifest) -> BTreeSet<&str> {
    let requests = manifest.http.iter().filter_map(|trigger| match &trigger.target {
        HttpTarget::Component(id) => Some(id.as_str()),
        HttpTarget::Static(_) => None,
    });
    requests.chain(manifest.redis.iter().map(|trigger| trigger.component.as_str())).collect()
}

impl Parts<'_> {
    /// One per component.
    pub(super) fn contexts(&self) -> Result<BTreeMap<String, Arc<ComponentContext>>, StartError> {
        let blobs = BlobStore::new(self.clients.blobs(), self.limits);
        let databases = sqlite::databases(&self.backends.sqlite_dir, LABELS, self.limits);
        let stores: BTreeMap<String, Arc<dyn key_value::Backend>> = LABELS
            .iter()
            .map(|label| Ok(((*label).to_owned(), self.clients.key_value(label)?)))
            .collect::<Result<_, StartError>>()?;
        let wanted = triggered(self.manifest);
        let components =
            self.manifest.components.values().filter(|component| wanted.contains(component.id.as_str()));
        components
            .map(|component| {
                let context = ComponentContext {
                    id: component.id.as_str().into(),
                    variables: Arc::new(component.resolve_variables(self.variables.values())),
                    environment: component.environment.clone(),
                    hosts: self.hosts(component)?,
                    carrier: Arc::new(Network),
                    key_value: Arc::new(self.granted(
                        component,
                        "key_value_stores",
                        &component.key_value_stores,
                        &stores,
                    )?),
                    sqlite: Arc::new(self.granted(
                        component,
                        "sqlite_databases",
                        &component.sqlite_databases,
                        &databases,
                    )?),
                    redis: self.redis(component)?,
                    postgres: PostgresGrants {
                        hosts: self.hosts(component)?,
                        connector: Some(self.clients.postgres()),
                    },
                    blobs: blobs.clone(),
                    limits: Arc::clone(self.limits),
                    memory: Arc::clone(&self.memory),
                    log: self.log.clone(),
                };
                Ok((component.id.clone(), Arc::new(context)))
            })
            .collect()
    }

    fn hosts(&self, component: &Component) -> Result<Arc<AllowedHosts>, StartError> {
        AllowedHosts::parse(component.resolve_outbound_hosts(self.variables.values()))
            .map(Arc::new)
            .map_err(|reason| self.refused(component, format!("allowed_outbound_hosts: {reason}")))
    }

    fn redis(&self, component: &Component) -> Result<RedisGrants, StartError> {
        // The address that the manifest's triggers listen on is the one that this process answers for.
        let address = match self.backends.wake_ups {
            WakeUps::InProcess => self.manifest.redis.first(),
            WakeUps::Redis(_) => None,
        };
        let address = address.map(|trigger| trigger.address.resolve(self.variables.values()));
        Ok(RedisGrants {
            hosts: self.hosts(component)?,
            in_process: address.map(|address| (address, Arc::clone(self.broker))),
            connector: Some(Arc::new(self.clients.redis().clone())),
        })
    }

    fn granted<B: Clone>(
        &self,
        component: &Component,
        key: &str,
        labels: &BTreeSet<String>,
        backends: &BTreeMap<String, B>,
    ) -> Result<BTreeMap<String, B>, StartError> {
        labels
            .iter()
            .map(|label| match backends.get(label) {
                Some(backend) => Ok((label.clone(), backend.clone())),
                None => {
                    let known: Vec<&str> = backends.keys().map(String::as_str).collect();
                    let known = known.join(", ");
                    Err(self
                        .refused(component, format!("{key}: this runtime has no {label:?}; it has {known}")))
                }
            })
            .collect()
    }

    fn refused(&self, component: &Component, reason: String) -> StartError {
        StartError::Grant { manifest: self.manifest.path.clone(), component: component.id.clone(), reason }
    }
}

/// Composes and compiles all components that have a trigger, each on a thread of its own: what is in the cache takes milliseconds, the rest
/// seconds, and says so.
pub(super) async fn compile(
    engine: &Engine,
    manifest: &Manifest,
    composition: Composition,
    log: &Logger,
) -> Result<BTreeMap<String, Compiled>, StartError> {
    let wanted = triggered(manifest);
    let compiling: Vec<_> = manifest
        .components
        .values()
        .filter(|component| wanted.contains(component.id.as_str()))
        .cloned()
        .map(|component| {
            let (engine, log) = (engine.clone(), log.clone());
            tokio::spawn(blocking(move || {
                compile_one(&engine, &component, composition, &log).map(|made| (component.id, made))
            }))
        })
        .collect();
    let mut compiled = BTreeMap::new();
    for task in compiling {
        match task.await {
            Ok(made) => {
                let (id, component) = made?;
                compiled.insert(id, component);
            }
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
    Ok(compiled)
}

/// Composes and compiles one. Blocks.
///
/// # Errors
/// Its files do not fit, or are no WebAssembly.
pub(crate) fn compile_one(
    engine: &Engine,
    component: &Component,
    composition: Composition,
    log: &Logger,
) -> Result<Compiled, StartError> {
    let begun = Instant::now();
    let bytes = compose(component, composition)?;
    let composed_ms = begun.elapsed().as_millis();
    let compiled = Compiled::new(engine, &bytes)
        .map_err(|cause| StartError::component(&component.id, "can't be compiled", &cause))?;
    let number = |millis| u64::try_from(millis).unwrap_or(u64::MAX).into();
    let fields = [
        ("wasm_bytes", bytes.len().into()),
        ("composed_ms", number(composed_ms)),
        ("total_ms", number(begun.elapsed().as_millis())),
    ];
    log.of(Level::Info, &component.id, "component-ready", None, &fields);
    Ok(compiled)
}
