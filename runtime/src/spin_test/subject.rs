//! The component under test: reached by the manifest's routes, with the grants that the manifest gives it over the things of one test's
//! world. A fresh instance answers each request, in a store of its own: what passes between it and the suite is whole in between.

use std::{
    collections::{BTreeMap, HashMap},
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
};

use bytes::Bytes;
use http::{HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use tokio::sync::oneshot;
use wasmtime::{bail, format_err};

use super::{calls::Recorded, servers::DeafRedis, world::World};
use crate::{
    capabilities::{
        allowed_hosts::AllowedHosts,
        blob::{BlobStore, MemoryStore},
        key_value,
        postgres::PostgresGrants,
        redis::RedisGrants,
    },
    instance::{ComponentContext, Prepared},
    limits::{Limits, length},
    manifest::{Component, HttpTarget, Manifest},
    memory::{MemoryBudget, MemoryBudgets},
    problem::{Problem, REQUEST_ID},
    telemetry::{Event, Logger},
    traces::Tracer,
    triggers::{
        http::{Answer, Handler, headers},
        router::Router,
    },
    variables::{VariableError, Variables},
};

/// Who seems to ask.
const CLIENT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The component under test.
pub(super) struct Subject {
    manifest: Arc<Manifest>,
    component: Component,
    router: Arc<Router<HttpTarget>>,
    prepared: Prepared,
    limits: Arc<Limits>,
    memory: Arc<MemoryBudget>,
}

/// What a component may do before a test gives it anything: the context that it is prepared with, and that none of its instances has.
pub(super) fn no_context(component: &Component, limits: &Arc<Limits>, log: &Logger) -> Arc<ComponentContext> {
    Arc::new(ComponentContext {
        id: component.id.as_str().into(),
        variables: Arc::default(),
        environment: BTreeMap::new(),
        hosts: Arc::default(),
        carrier: Arc::new(super::answers::Answers::default()),
        key_value: Arc::default(),
        sqlite: Arc::default(),
        redis: RedisGrants { hosts: Arc::default(), connector: None },
        postgres: PostgresGrants { hosts: Arc::default(), client: None },
        blobs: BlobStore::new(Arc::new(MemoryStore::default()), limits),
        limits: Arc::clone(limits),
        memory: MemoryBudgets::split(0, 0),
        log: log.clone(),
        tracer: Tracer::off(),
        numbers: Arc::default(),
        log_tail: false,
        names_caller: false,
    })
}

impl Subject {
    /// Of a component that was prepared with [`no_context`].
    ///
    /// # Errors
    /// It does not export `wasi:http/incoming-handler@0.2`.
    pub(super) fn new(
        manifest: &Arc<Manifest>,
        component: &Component,
        router: &Arc<Router<HttpTarget>>,
        prepared: Prepared,
        memory: &Arc<MemoryBudget>,
    ) -> wasmtime::Result<Self> {
        Handler::new(prepared.clone())?;
        Ok(Self {
            manifest: Arc::clone(manifest),
            component: component.clone(),
            router: Arc::clone(router),
            limits: Arc::clone(&prepared.context().limits),
            prepared,
            memory: Arc::clone(memory),
        })
    }

    /// As the manifest has it.
    pub(super) fn component(&self) -> &Component {
        &self.component
    }

    /// Whether the application has a variable of this name.
    pub(super) fn declares(&self, variable: &str) -> bool {
        self.manifest.variables.contains_key(variable)
    }

    /// Has a request answered in this world, as `thumbs up` would: by a problem of the host's own, by a fresh instance, or not at all
    /// where the instance ends without an answer.
    ///
    /// # Errors
    /// The test can't go on: the component trapped, was stopped or broke off in its answer, the path is not its own, or a grant
    /// or a variable can't be given.
    pub(super) async fn answer(
        &self,
        request: Request<Bytes>,
        world: &World,
        log: &Logger,
    ) -> wasmtime::Result<Option<Response<Bytes>>> {
        let id = headers::correlation_id(request.headers());
        let mut response = self.route(request, world, log, &id).await?;
        if let (Some(response), Ok(value)) = (&mut response, HeaderValue::from_str(&id)) {
            response.headers_mut().insert(REQUEST_ID, value);
        }
        Ok(response)
    }

    async fn route(
        &self,
        request: Request<Bytes>,
        world: &World,
        log: &Logger,
        id: &Arc<str>,
    ) -> wasmtime::Result<Option<Response<Bytes>>> {
        let (mut parts, body) = request.into_parts();
        let uri = parts.uri.clone();
        let Some(found) = self.router.find(uri.path()) else {
            return Ok(Some(Problem::NotFound.response(id)));
        };
        match found.target {
            HttpTarget::Component(owner) if *owner == self.component.id => {}
            HttpTarget::Component(owner) => {
                bail!("{} is a path of component `{owner}`, not of `{}`", uri.path(), self.component.id)
            }
            HttpTarget::Static(_) => bail!("{} is a path of a static response", uri.path()),
        }
        let Some(host) = headers::host(parts.version, &uri, &parts.headers).map(str::to_owned) else {
            return Ok(Some(Problem::Malformed.response(id)));
        };
        if body.len() > length(self.limits.max_request_body_bytes) {
            return Ok(Some(Problem::BodyTooLarge.response(id)));
        }
        headers::set(&mut parts.headers, &uri, &host, &found, CLIENT, id);
        let handler = Handler::new(self.prepared.with_context(self.context(world, log)?))?;
        let (sender, receiver) = oneshot::channel();
        let request = Request::from_parts(parts, Full::new(body));
        let (ended, answered) = tokio::join!(handler.run(request, sender, id), self.read(receiver));
        if let Err(failure) = ended {
            bail!("component `{}` failed ({}): {}", self.component.id, failure.kind.name(), failure.text);
        }
        match answered? {
            Some(Err(code)) => {
                let reason = format!("the component answered with an error: {code}");
                let event = Event::RequestFailed { reason: &reason, cause: None };
                log.of(&self.component.id, Some(id), &event);
                Ok(Some(Problem::Crashed.response(id)))
            }
            Some(Ok(response)) => Ok(Some(response)),
            None => Ok(None),
        }
    }

    /// The answer, read while the guest writes it; none where it gave none. Holds no more than a request may have.
    async fn read(
        &self,
        answer: oneshot::Receiver<Answer>,
    ) -> wasmtime::Result<Option<Result<Response<Bytes>, String>>> {
        let response = match answer.await {
            Ok(Ok(response)) => response,
            Ok(Err(code)) => return Ok(Some(Err(format!("{code:?}")))),
            Err(_) => return Ok(None),
        };
        let (parts, body) = response.into_parts();
        let max_bytes = length(self.limits.max_request_body_bytes);
        match Limited::new(body, max_bytes).collect().await {
            Ok(body) => Ok(Some(Ok(Response::from_parts(parts, body.to_bytes())))),
            Err(error) if error.is::<LengthLimitError>() => {
                bail!("component `{}` answered with more than {max_bytes} bytes", self.component.id)
            }
            Err(_) => bail!("component `{}` did not finish its response", self.component.id),
        }
    }

    /// The manifest's grants over a world.
    fn context(&self, world: &World, log: &Logger) -> wasmtime::Result<Arc<ComponentContext>> {
        let component = &self.component;
        let variables = Variables::resolve(&self.manifest, &world.variables, &HashMap::new()).map_err(
            |error| match error {
                VariableError::Missing { name } => {
                    format_err!("the variable `{name}` is required, and the test has not set it")
                }
                // Nothing is set by the environment here, so by no file either.
                VariableError::Unknown { .. } | VariableError::Twice { .. } | VariableError::File { .. } => {
                    error.into()
                }
            },
        )?;
        let hosts =
            AllowedHosts::parse(component.resolve_outbound_hosts(variables.values())).map(Arc::new).map_err(
                |reason| format_err!("component `{}`: allowed_outbound_hosts: {reason}", component.id),
            )?;
        let key_value = world
            .stores
            .iter()
            .filter(|(label, _)| component.key_value_stores.contains(*label))
            .map(|(label, store)| {
                let recorded: Arc<dyn key_value::Backend> =
                    Arc::new(Recorded::new(label, store, &world.calls));
                (label.clone(), recorded)
            })
            .collect();
        let sqlite = world
            .databases
            .iter()
            .filter(|(label, _)| component.sqlite_databases.contains(*label))
            .map(|(label, database)| (label.clone(), Arc::clone(database)))
            .collect();
        Ok(Arc::new(ComponentContext {
            variables: Arc::new(component.resolve_variables(variables.values())),
            environment: component.environment.clone(),
            carrier: Arc::clone(&world.answers) as _,
            key_value: Arc::new(key_value),
            sqlite: Arc::new(sqlite),
            redis: RedisGrants { hosts: Arc::clone(&hosts), connector: Some(Arc::new(DeafRedis)) },
            postgres: PostgresGrants { hosts: Arc::clone(&hosts), client: None },
            hosts,
            memory: MemoryBudgets::shared(&self.memory),
            log: log.clone(),
            ..ComponentContext::clone(self.prepared.context())
        }))
    }
}
