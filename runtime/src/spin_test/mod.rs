//! Suites of `spin test` (world `fermyon:spin-test/test`), run by this host: `thumbs test`.
//!
//! `[component.<id>.tool.spin-test]` names a component's suite. It is a component too: it lists its tests, and runs one by name, calling the
//! component under test as a client would and looking into its stores. spin-test composes the two and virtual capabilities into one
//! component; here nothing is composed but the component's own dependencies. Suite and component have stores of their own, and the
//! capabilities are the runtime's over memory:
//!
//! | file | what |
//! |---|---|
//! | `world.rs`, `calls.rs`, `answers.rs`, `servers.rs` | what one test has |
//! | `subject.rs` | the component under test |
//! | `state.rs`, `capabilities.rs`, `http.rs` | what the suite imports |
//! | `suite.rs`, `output.rs`, `report.rs` | running tests, and telling of it |
//!
//! Invariants: no test sees another's world; nothing reaches a file or the network; every bound of a request holds for the suite as for
//! the component.

mod answers;
mod bindings;
mod calls;
mod capabilities;
mod http;
mod output;
mod report;
mod servers;
mod state;
mod subject;
mod suite;
mod world;

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use self::{
    report::{Report, plain},
    suite::{Shared, Suite},
};
use crate::{
    app::{StartError, usable_dir},
    engine::{self, PoolSize, Ticker},
    limits::{Limits, length},
    manifest::{Manifest, Route},
    memory::MemoryBudget,
    telemetry::{Level, LogFormat, LogSink, Logger},
    triggers::router::{Pattern, Router},
};

/// Instances at a time: a suite's, and that of its component.
const INSTANCES: u32 = 2;

/// What suites are run with. Nothing is read from the environment: tests find what the manifest says and what they set themselves.
#[must_use]
pub struct SuitesBuilder {
    manifest: PathBuf,
    cache_dir: PathBuf,
    component: Option<String>,
    limits: Limits,
    log: Option<Logger>,
}

/// The suites of an application, compiled.
pub struct Suites {
    suites: Vec<(Suite, Vec<String>)>,
    _ticker: Ticker,
}

impl Suites {
    /// A builder for the suites of this manifest.
    pub fn builder(manifest: impl Into<PathBuf>) -> SuitesBuilder {
        SuitesBuilder {
            manifest: manifest.into(),
            cache_dir: Path::new(".thumbs").join("compiled"),
            component: None,
            limits: Limits::default(),
            log: None,
        }
    }

    /// How many tests there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.suites.iter().map(|(_, tests)| tests.len()).sum()
    }

    /// Writes the names of the tests that fit, without running any.
    ///
    /// # Errors
    /// The writer's.
    pub fn list(&self, filters: &[String], out: &mut (dyn Write + Send)) -> io::Result<()> {
        for (suite, tests) in &self.suites {
            let chosen: Vec<&String> = tests.iter().filter(|test| fits(test, filters)).collect();
            for test in &chosen {
                writeln!(out, "{}: test", plain(test))?;
            }
            let tests = if chosen.len() == 1 { "test" } else { "tests" };
            writeln!(out, "\n{} {tests} ({})\n", chosen.len(), suite.component())?;
        }
        out.flush()
    }

    /// Runs the tests that fit, one after the other, and writes what becomes of them. True where all passed.
    ///
    /// # Errors
    /// The writer's.
    ///
    /// # Cancel safety
    /// Dropping it stops the test that runs.
    pub async fn run(&self, filters: &[String], out: &mut (dyn Write + Send)) -> io::Result<bool> {
        let mut all_passed = true;
        for (suite, tests) in &self.suites {
            let chosen: Vec<&String> = tests.iter().filter(|test| fits(test, filters)).collect();
            let filtered_out = tests.len() - chosen.len();
            let mut report = Report::begin(out, suite.component(), chosen.len(), filtered_out)?;
            for test in chosen {
                report.test(test)?;
                report.ended(test, suite.run(test).await)?;
            }
            all_passed &= report.end()?;
        }
        writeln!(out)?;
        Ok(all_passed)
    }
}

/// As with cargo: a part of the name is enough, and no filter is all.
fn fits(test: &str, filters: &[String]) -> bool {
    filters.is_empty() || filters.iter().any(|filter| test.contains(filter.as_str()))
}

impl std::fmt::Debug for Suites {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tests = self.suites.iter().map(|(suite, tests)| (suite.component(), tests));
        f.debug_map().entries(tests).finish()
    }
}

impl SuitesBuilder {
    /// Where compiled components are kept; may be shared with runtimes. Default `.thumbs/compiled`.
    pub fn cache_dir(mut self, path: impl Into<PathBuf>) -> Self {
        self.cache_dir = path.into();
        self
    }

    /// Only the suite of this component.
    pub fn component(mut self, id: impl Into<String>) -> Self {
        self.component = Some(id.into());
        self
    }

    /// The host's limits; a test may take what a request may.
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Where events of this level and graver go that are about no test. Default: warnings, as text, to standard error.
    pub fn log(mut self, sink: Arc<dyn LogSink>, least: Level) -> Self {
        self.log = Some(Logger::new(sink, least));
        self
    }

    /// Compiles the suites and their components, and asks each suite for its tests. Must be called within a Tokio runtime with time.
    ///
    /// # Errors
    /// What is wrong, in a sentence that names the place and the fix.
    pub async fn load(self) -> Result<Suites, StartError> {
        let manifest = Arc::new(Manifest::read(&self.manifest)?);
        let wrong = |reason: String| StartError::Suite { manifest: manifest.path.clone(), reason };
        let wanted: Vec<_> = manifest
            .components
            .values()
            .filter_map(|component| Some((component, component.suite.as_ref()?)))
            .filter(|(component, _)| self.component.as_ref().is_none_or(|id| *id == component.id))
            .collect();
        if wanted.is_empty() {
            return Err(wrong(match &self.component {
                Some(id) => format!(
                    "there is no component `{id}` with a suite; name one that has [component.<id>.tool.spin-test]"
                ),
                None => "no component has a suite; name it in [component.<id>.tool.spin-test]".to_owned(),
            }));
        }
        let limits = Arc::new(self.limits);
        let log = match self.log {
            Some(log) => log,
            None => Logger::to_stderr(LogFormat::of_stderr(), &limits, Level::Warn)
                .map_err(|cause| StartError::Threads { cause })?,
        };
        let routes = manifest.http.iter().filter_map(|trigger| match &trigger.route {
            Route::Path(path) => Some(Pattern::parse(path).map(|pattern| (pattern, trigger.target.clone()))),
            Route::Private => None,
        });
        let router = routes.collect::<Result<Vec<_>, _>>().and_then(Router::new).map_err(wrong)?;
        let engine = engine::compile_cache(&usable_dir(&self.cache_dir)?)
            .and_then(|cache| engine::engine(&limits, PoolSize::of(INSTANCES), cache))
            .map_err(|cause| StartError::Engine { cause: format!("{cause:#}") })?;
        let ticker = Ticker::start(&engine).map_err(|cause| StartError::Threads { cause })?;
        let shared = Shared {
            engine,
            manifest: Arc::clone(&manifest),
            router: Arc::new(router),
            memory: Arc::new(MemoryBudget::new(length(limits.max_total_memory_bytes))),
            limits,
            log,
        };
        let mut suites = Vec::new();
        for (component, source) in wanted {
            let suite = Suite::load(&shared, component, source).await?;
            let tests = suite.tests().await.map_err(|text| {
                wrong(format!("the suite of `{}` can't list its tests:\n{text}", component.id))
            })?;
            suites.push((suite, tests));
        }
        Ok(Suites { suites, _ticker: ticker })
    }
}
