//! An application made on the spot: guests, their routes and grants, and a runtime that serves them.

use std::{fmt::Write as _, net::SocketAddr, path::PathBuf, time::Duration};

use tempfile::TempDir;
use thumbs::{
    Running, Runtime, RuntimeBuilder, StartError,
    backends::BackendOptions,
    limits::Limits,
    secret::Secret,
    telemetry::{CaptureSink, Level, LogLine},
};

/// What a test waits for comes within this, or never.
const DEADLINE: Duration = Duration::from_secs(30);

/// An application that is not yet started.
pub(crate) struct App {
    folder: TempDir,
    manifest: String,
}

/// One that is.
pub(crate) struct Service {
    pub(crate) running: Running,
    pub(crate) log: CaptureSink,
    pub(crate) folder: TempDir,
}

impl App {
    pub(crate) fn new() -> Self {
        let manifest = "spin_manifest_version = 2\n[application]\nname = \"test\"\n\
            trigger = { redis = { address = \"redis://localhost:6379\" } }\n"
            .to_owned();
        Self { folder: TempDir::new().unwrap(), manifest }
    }

    /// A component, without a trigger. `grants` are further lines of its table.
    pub(crate) fn component(mut self, id: &str, wasm: &[u8], grants: &str) -> Self {
        std::fs::write(self.folder.path().join(format!("{id}.wasm")), wasm).unwrap();
        writeln!(self.manifest, "[component.{id}]\nsource = \"{id}.wasm\"\n{grants}").unwrap();
        self
    }

    /// A component at `/<id>` and below.
    pub(crate) fn serving(self, id: &str, wasm: &[u8], grants: &str) -> Self {
        let mut app = self.component(id, wasm, grants);
        writeln!(app.manifest, "[[trigger.http]]\nroute = \"/{id}/...\"\ncomponent = \"{id}\"").unwrap();
        app
    }

    /// A component that takes the messages of the channel `wake`. `policy` are the lines of its `tool.thumbs`, if there are any.
    pub(crate) fn handling(self, id: &str, wasm: &[u8], policy: &str) -> Self {
        let tool = match policy {
            "" => String::new(),
            lines => format!("[component.{id}.tool.thumbs]\n{lines}"),
        };
        let mut app = self.component(id, wasm, &tool);
        writeln!(app.manifest, "[[trigger.redis]]\nchannel = \"wake\"\ncomponent = \"{id}\"").unwrap();
        app
    }

    /// Further lines of the manifest.
    pub(crate) fn manifest(mut self, lines: &str) -> Self {
        self.manifest.push_str(lines);
        self.manifest.push('\n');
        self
    }

    /// A file next to the manifest.
    pub(crate) fn file(self, name: &str, bytes: &[u8]) -> Self {
        std::fs::write(self.folder.path().join(name), bytes).unwrap();
        self
    }

    /// The folder with its `spin.toml` and its components.
    pub(crate) fn written(self) -> TempDir {
        self.write();
        self.folder
    }

    pub(crate) async fn start(self, limits: Limits) -> Service {
        self.start_with(|builder| builder.limits(limits)).await
    }

    pub(crate) async fn start_with(
        self,
        configure: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
    ) -> Service {
        match self.try_start(configure).await {
            Ok(service) => service,
            Err(error) => panic!("{error}"),
        }
    }

    /// Why it does not start.
    pub(crate) async fn refused(self) -> String {
        match self.try_start(|builder| builder).await {
            Ok(_) => panic!("it started"),
            Err(error) => error.to_string(),
        }
    }

    pub(crate) async fn try_start(
        self,
        configure: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
    ) -> Result<Service, StartError> {
        let (builder, log) = self.builder();
        let running = configure(builder).start().await?;
        Ok(Service { running, log, folder: self.folder })
    }

    /// What starts it, and where it logs. Messages stay within the process: no test here has a server.
    pub(crate) fn builder(&self) -> (RuntimeBuilder, CaptureSink) {
        let path = self.write();
        let log = CaptureSink::new();
        let redis = Some(Secret::new("in-process"));
        let builder = Runtime::builder(path)
            .listen(([127, 0, 0, 1], 0).into())
            .state_dir(self.folder.path().join("state"))
            // What was compiled once is the same in every test.
            .cache_dir(std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"))
            .backends(BackendOptions { redis, ..BackendOptions::default() })
            .log(std::sync::Arc::new(log.clone()), Level::Debug);
        (builder, log)
    }

    fn write(&self) -> PathBuf {
        let path = self.folder.path().join("spin.toml");
        std::fs::write(&path, &self.manifest).unwrap();
        path
    }
}

impl Service {
    pub(crate) fn address(&self) -> SocketAddr {
        self.running.local_addr()
    }

    /// The first line that fits, once there is one.
    pub(crate) async fn line(&self, fits: impl Fn(&LogLine) -> bool) -> LogLine {
        line(&self.log, fits).await
    }

    /// Waits until a guest has written this text.
    pub(crate) async fn said(&self, text: &str) -> LogLine {
        self.line(|line| line.fields.get("message").and_then(|message| message.as_str()) == Some(text)).await
    }

    /// Waits until guests have written this text so many times.
    pub(crate) async fn said_times(&self, text: &str, times: usize) {
        let begun = std::time::Instant::now();
        while self.count(|line| line.fields.get("message") == Some(&text.into())) < times {
            assert!(begun.elapsed() < DEADLINE, "not {times} times: {:#?}", self.log.lines());
            tokio::task::yield_now().await;
        }
    }

    /// How many lines fit by now.
    pub(crate) fn count(&self, fits: impl Fn(&LogLine) -> bool) -> usize {
        self.log.lines().iter().filter(|line| fits(line)).count()
    }
}

/// The first line of a log that fits, once there is one.
pub(crate) async fn line(log: &CaptureSink, fits: impl Fn(&LogLine) -> bool) -> LogLine {
    let begun = std::time::Instant::now();
    loop {
        if let Some(line) = log.lines().into_iter().find(&fits) {
            return line;
        }
        assert!(begun.elapsed() < DEADLINE, "no such line: {:#?}", log.lines());
        tokio::task::yield_now().await;
    }
}
