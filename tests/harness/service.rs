//! One running service in this process: the runtime with the shipped wasm and the shipped manifest, on a port the system chose, with a
//! state directory that is gone afterwards.

use std::{path::PathBuf, sync::Arc};

use tempfile::TempDir;
use thumbs::{Running, Runtime, RuntimeBuilder, StartError};

use crate::client::Client;

/// A running service. Dropping it stops it without draining; [`Service::stop`] drains.
#[derive(Debug)]
pub struct Service {
    running: Running,
    state_dir: Arc<TempDir>,
    /// Speaks to it.
    pub client: Client,
}

/// A state directory that outlives a service, for a second start on the same data.
pub type StateDir = Arc<TempDir>;

impl Service {
    /// Starts with the defaults of spin.toml on an empty state directory.
    pub async fn start() -> Self {
        Self::start_with(empty_state_dir(), |builder| builder).await
    }

    /// Starts on this state directory, with whatever `configure` changes.
    ///
    /// # Panics
    /// When it does not start; the message says why.
    pub async fn start_with(
        state_dir: StateDir,
        configure: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
    ) -> Self {
        match Self::try_start(state_dir, configure).await {
            Ok(service) => service,
            Err(error) => {
                panic!("the service does not start (were the components built? `make components`): {error:?}")
            }
        }
    }

    /// The same where it may not start.
    ///
    /// # Errors
    /// Why it does not.
    pub async fn try_start(
        state_dir: StateDir,
        configure: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder,
    ) -> Result<Self, StartError> {
        let builder = Runtime::builder(manifest_path())
            .state_dir(state_dir.path())
            .cache_dir(compile_cache())
            // Tests are of thumbnails being made; one that is of what was made before turns it on.
            .variable("result_cache", "false")
            .listen(([127, 0, 0, 1], 0).into());
        let running = configure(builder).start().await?;
        let client = Client::new(format!("http://{}", running.local_addr()));
        Ok(Self { running, state_dir, client })
    }

    /// Stops as SIGTERM does, and gives the state directory back.
    pub async fn stop(self) -> StateDir {
        self.running.shutdown().await;
        self.state_dir
    }

    /// The address it listens on, for tests that speak HTTP by hand.
    #[must_use]
    pub fn address(&self) -> std::net::SocketAddr {
        self.running.local_addr()
    }

    /// Where the process tells its numbers, if it was asked to.
    #[must_use]
    pub fn admin_address(&self) -> Option<std::net::SocketAddr> {
        self.running.admin_addr()
    }

    /// Where the service keeps its data.
    #[must_use]
    pub fn state_dir(&self) -> &std::path::Path {
        self.state_dir.path()
    }
}

/// A fresh temporary directory.
///
/// # Panics
/// When the system gives none.
#[must_use]
pub fn empty_state_dir() -> StateDir {
    Arc::new(TempDir::new().expect("a temporary directory"))
}

/// The manifest that ships.
#[must_use]
pub fn manifest_path() -> PathBuf {
    crate::repository_root().join("spin.toml")
}

/// Compiling the components takes seconds and their bytes are the same in every test, so all tests share what was compiled.
#[must_use]
pub fn compile_cache() -> PathBuf {
    crate::repository_root().join("target/test-compile-cache")
}

/// All files below a directory, sorted; none where the directory is not there.
///
/// # Panics
/// When a directory can't be read.
#[must_use]
pub fn files_below(directory: &std::path::Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(directory) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries {
            let path = entry.expect("a readable directory").path();
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    files
}
