//! A suite and the component that it tests, compiled. Each test has an instance of the suite, in a store of its own, and a world of its own.

use std::{path::Path, sync::Arc};

use wasmtime::{
    Engine, PoolConcurrencyLimitError, Store, Trap,
    component::{Component as Compiled, HasSelf, Linker},
    format_err,
};

use super::{
    bindings::{TestPre, fermyon, wasi},
    output::Output,
    state::SuiteState,
    subject::{Subject, no_context},
    world::World,
};
use crate::{
    app::{StartError, compile_one},
    blocking::blocking,
    compose::Composition,
    instance::{CallBounds, NativeBlobs, Prepared, linker},
    limits::Limits,
    manifest::{Component, HttpTarget, Manifest},
    memory::MemoryBudget,
    telemetry::{Level, LogFormat, Logger, WriterSink},
    triggers::router::Router,
};

/// What all suites of a run share.
pub(super) struct Shared {
    pub(super) engine: Engine,
    pub(super) manifest: Arc<Manifest>,
    pub(super) router: Arc<Router<HttpTarget>>,
    pub(super) limits: Arc<Limits>,
    pub(super) memory: Arc<MemoryBudget>,
    pub(super) log: Logger,
}

/// A suite, ready to run.
pub(super) struct Suite {
    pre: TestPre<SuiteState>,
    subject: Arc<Subject>,
    engine: Engine,
    limits: Arc<Limits>,
    memory: Arc<MemoryBudget>,
}

/// How a test ended.
#[derive(Debug)]
pub(super) enum Outcome {
    Passed,
    /// With what it wrote, and why it ended where it did not say that itself.
    Failed(String),
}

impl Suite {
    /// Compiles a component, with all its dependencies in it as on Spin, and its suite at `source`.
    ///
    /// # Errors
    /// A file is missing or of the wrong kind, or wants what this host does not have.
    pub(super) async fn load(
        shared: &Shared,
        component: &Component,
        source: &Path,
    ) -> Result<Self, StartError> {
        let unfit = |reason: &'static str| {
            move |cause: wasmtime::Error| StartError::component(&component.id, reason, &cause)
        };
        let compiled = {
            let (engine, log) = (shared.engine.clone(), shared.log.clone());
            let component = component.clone();
            blocking(move || compile_one(&engine, &component, Composition::All, &log)).await?
        };
        let linker =
            linker(&shared.engine, NativeBlobs::No).map_err(unfit("meets a host at odds with itself"))?;
        let context = no_context(component, &shared.limits, &shared.log);
        let prepared = Prepared::new(&linker, &compiled, context).map_err(unfit("does not fit this host"))?;
        let subject = Subject::new(&shared.manifest, component, &shared.router, prepared, &shared.memory)
            .map_err(unfit("has a suite, but exports no wasi:http/incoming-handler@0.2"))?;

        let compiled = {
            let (engine, path, id) = (shared.engine.clone(), source.to_owned(), component.id.clone());
            blocking(move || compile_suite(&engine, &path, &id)).await?
        };
        let pre = suite_linker(&shared.engine)
            .and_then(|linker| TestPre::new(linker.instantiate_pre(&compiled)?))
            .map_err(unfit("has a suite that is none of the world fermyon:spin-test/test"))?;
        Ok(Self {
            pre,
            subject: Arc::new(subject),
            engine: shared.engine.clone(),
            limits: Arc::clone(&shared.limits),
            memory: Arc::clone(&shared.memory),
        })
    }

    /// The component that it tests.
    pub(super) fn component(&self) -> &str {
        &self.subject.component().id
    }

    /// The names of its tests, in its order.
    ///
    /// # Errors
    /// It can't say, with what it wrote and why.
    pub(super) async fn tests(&self) -> Result<Vec<String>, String> {
        let output = Output::new(&self.limits);
        let mut store = self.store(&output)?;
        let meter = store.data().meter();
        let call = async {
            let suite = self.pre.instantiate_async(&mut store).await?;
            suite.call_list_tests(&mut store).await
        };
        let called = tokio::time::timeout(self.bounds().timeout, meter.measure(call)).await;
        self.judged(called, &store, &output)
    }

    /// Runs the test of this name in a world of its own.
    pub(super) async fn run(&self, name: &str) -> Outcome {
        let output = Output::new(&self.limits);
        let mut store = match self.store(&output) {
            Ok(store) => store,
            Err(reason) => return Outcome::Failed(reason),
        };
        let meter = store.data().meter();
        let call = async {
            let suite = self.pre.instantiate_async(&mut store).await?;
            suite.call_run(&mut store, name).await
        };
        let called = tokio::time::timeout(self.bounds().timeout, meter.measure(call)).await;
        match self.judged(called, &store, &output) {
            Ok(()) => Outcome::Passed,
            Err(text) => Outcome::Failed(text),
        }
    }

    /// A test may take what a request may.
    fn bounds(&self) -> CallBounds {
        CallBounds::of_request(&self.limits)
    }

    fn store(&self, output: &Output) -> Result<Store<SuiteState>, String> {
        let world = World::new(self.subject.component(), &self.limits)
            .map_err(|error| format!("there are no databases for the test: {error}\n"))?;
        let sink = WriterSink::new(LogFormat::Text, output.clone());
        let log = Logger::new(Arc::new(sink), Level::Debug);
        Ok(SuiteState::store(
            &self.engine,
            &self.subject,
            world,
            (output, log),
            (&self.limits, self.bounds()),
            &self.memory,
        ))
    }

    /// What a call came to; if it failed, what the suite wrote, and why it ended unless it wrote that itself: a panic is `unreachable` to
    /// wasmtime.
    fn judged<T>(
        &self,
        called: Result<wasmtime::Result<T>, tokio::time::error::Elapsed>,
        store: &Store<SuiteState>,
        output: &Output,
    ) -> Result<T, String> {
        let mut text = output.text();
        let reason = match called {
            Ok(Ok(value)) => return Ok(value),
            Err(_) => {
                format!("it took longer than {} ms (request_timeout_ms)", self.limits.request_timeout_ms)
            }
            Ok(Err(_)) if store.data().out_of_time() => {
                format!("it ran longer than {} ms (request_cpu_ms)", self.limits.request_cpu_ms)
            }
            Ok(Err(error)) if error.is::<PoolConcurrencyLimitError>() => "no instance is free".to_owned(),
            Ok(Err(error)) => match error.downcast_ref::<Trap>() {
                Some(_) if store.data().refused_memory() => format!(
                    "it needed more than {} bytes of memory (max_request_memory_bytes)",
                    self.limits.max_request_memory_bytes
                ),
                Some(Trap::UnreachableCodeReached) if output.suite_wrote() => return Err(text),
                Some(_) => format!("{error:?}"),
                None => error.root_cause().to_string(),
            },
        };
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str("the test was stopped: ");
        text.push_str(&reason);
        text.push('\n');
        Err(text)
    }
}

fn compile_suite(engine: &Engine, source: &Path, component: &str) -> Result<Compiled, StartError> {
    let bytes = std::fs::read(source).map_err(|cause| {
        let cause = format_err!("{}: {cause}; was it built? (`make suites`)", source.display());
        StartError::component(component, "has a suite that can't be read", &cause)
    })?;
    Compiled::new(engine, bytes)
        .map_err(|cause| StartError::component(component, "has a suite that can't be compiled", &cause))
}

/// Everything that suites may import.
fn suite_linker(engine: &Engine) -> wasmtime::Result<Linker<SuiteState>> {
    type Has = HasSelf<SuiteState>;
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker)?;
    fermyon::spin_test_virt::variables::add_to_linker::<_, Has>(&mut linker, |state| state)?;
    fermyon::spin_test_virt::key_value::add_to_linker::<_, Has>(&mut linker, |state| state)?;
    fermyon::spin_test_virt::sqlite::add_to_linker::<_, Has>(&mut linker, |state| state)?;
    fermyon::spin_wasi_virt::http_handler::add_to_linker::<_, Has>(&mut linker, |state| state)?;
    fermyon::spin_test::http_helper::add_to_linker::<_, Has>(&mut linker, |state| state)?;
    wasi::http::incoming_handler::add_to_linker::<_, Has>(&mut linker, |state| state)?;
    Ok(linker)
}
