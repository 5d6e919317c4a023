//! Components at start: their grants bound to backends, their files composed and compiled.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use wasmtime::{Engine, component::Component as Compiled};

use super::{StartError, load::Loaded};
use crate::{
    backends::{Blobs, LABELS, Messages},
    blocking::blocking,
    capabilities::{
        allowed_hosts::AllowedHosts,
        blob::BlobStore,
        http::{Carrier, Network, Strangers},
        key_value,
        postgres::PostgresGrants,
        redis::{self, RedisGrants},
        sqlite,
    },
    compose::{Composition, compose, declares_native},
    instance::ComponentContext,
    limits::length,
    manifest::Component,
    memory::MemoryBudgets,
    messages::{By, StandIn},
    telemetry::{Event, Logger},
};

/// The grants of the components that are wanted, by id.
pub(super) type Contexts = BTreeMap<String, Arc<ComponentContext>>;

impl Loaded {
    /// One per component that is wanted; `workers` is how many messages are handled at a time.
    ///
    /// # Errors
    /// A grant that this host can't give.
    pub(super) fn contexts(&self, wanted: &BTreeSet<String>, workers: usize) -> Result<Contexts, StartError> {
        let blobs = BlobStore::new(self.clients.blobs(), &self.limits)
            .log_refusals(&self.backends.blobs_setting, &self.log);
        let databases = sqlite::databases(&self.backends.sqlite_dir, LABELS, &self.limits);
        // One prepares the application even where none works.
        let handling = if self.manifest.redis.is_empty() { 0 } else { workers.max(1) };
        let memory = MemoryBudgets::split(
            length(self.limits.max_total_memory_bytes),
            length(self.limits.max_message_memory_bytes).saturating_mul(handling),
        );
        let redis = self.redis();
        let stores: BTreeMap<String, Arc<dyn key_value::Backend>> = LABELS
            .iter()
            .map(|label| Ok(((*label).to_owned(), self.clients.key_value(label)?)))
            .collect::<Result<_, StartError>>()?;
        let components = self.manifest.components.values().filter(|component| wanted.contains(&component.id));
        components
            .map(|component| {
                let hosts = self.hosts(component)?;
                self.may_reach_blobs(component, &hosts)?;
                let context = ComponentContext {
                    id: component.id.as_str().into(),
                    variables: Arc::new(component.resolve_variables(self.variables.values())),
                    environment: component.environment.clone(),
                    log_tail: component.log_tail,
                    names_caller: component.names_caller,
                    carrier: self.carrier(component)?,
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
                    redis: RedisGrants { hosts: Arc::clone(&hosts), connector: Some(Arc::clone(&redis)) },
                    postgres: PostgresGrants {
                        hosts: Arc::clone(&hosts),
                        client: Some(self.clients.postgres().clone()),
                    },
                    hosts,
                    blobs: blobs.clone(),
                    limits: Arc::clone(&self.limits),
                    memory: memory.clone(),
                    log: self.log.clone(),
                    tracer: self.tracer.clone(),
                    numbers: Arc::default(),
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

    /// Who carries what the component asks of others by HTTP.
    fn carrier(&self, component: &Component) -> Result<Arc<dyn Carrier>, StartError> {
        let Some(egress) = &component.egress else { return Ok(Arc::new(Network)) };
        match egress.private(self.variables.values()) {
            Some(private) => Ok(Arc::new(Strangers::new(private))),
            None => Err(self.refused(component, "egress: `private` must be true or false".to_owned())),
        }
    }

    /// Who connects components to Redis: the client, or what stands in at the addresses of the triggers.
    fn redis(&self) -> Arc<dyn redis::Connector> {
        let client: Arc<dyn redis::Connector> =
            Arc::new(redis::Servers::new(self.clients.redis().clone(), &self.limits));
        let by = match &self.backends.messages {
            Messages::Manifest => return client,
            Messages::InProcess => By::Process(Arc::clone(&self.broker)),
            Messages::Server(url) => By::Server(url.clone()),
        };
        let parking = self.manifest.components.values().filter_map(|component| component.parking.as_ref());
        let addresses = self.manifest.redis.iter().map(|trigger| &trigger.address);
        let addresses = addresses.chain(parking.map(|parking| &parking.address));
        let addresses = addresses.map(|address| address.resolve(self.variables.values())).collect();
        Arc::new(StandIn::new(addresses, by, client))
    }

    /// As on Spin, where the component that keeps the blobs has no more grants than this one.
    fn may_reach_blobs(&self, component: &Component, hosts: &AllowedHosts) -> Result<(), StartError> {
        match &self.backends.blobs {
            Blobs::S3(settings, _)
                if declares_native(component) && !hosts.allows_url(&settings.outbound()) =>
            {
                let place = settings.outbound();
                Err(self.refused(
                    component,
                    format!("its blobs are at {place}, which allowed_outbound_hosts does not grant"),
                ))
            }
            _ => Ok(()),
        }
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

/// Composes and compiles components, each on a thread of its own: what is in the cache takes milliseconds, the rest
/// seconds, and says so.
pub(super) async fn compile(
    engine: &Engine,
    wanted: impl Iterator<Item = &Component>,
    composition: Composition,
    log: &Logger,
) -> Result<BTreeMap<String, Compiled>, StartError> {
    let compiling: Vec<_> = wanted
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
    // Else the first instance would make them, and a request would fail where the process has no file left.
    compiled
        .initialize_copy_on_write_image()
        .map_err(|cause| StartError::component(&component.id, "finds no memory for its data", &cause))?;
    let number = |millis| u64::try_from(millis).unwrap_or(u64::MAX);
    let event = Event::ComponentReady {
        wasm_bytes: bytes.len() as u64,
        composed_ms: number(composed_ms),
        total_ms: number(begun.elapsed().as_millis()),
    };
    log.of(&component.id, None, &event);
    Ok(compiled)
}
