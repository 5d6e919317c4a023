//! Why an application does not start: the operator's or the author's to mend, in one sentence each.

use std::{net::SocketAddr, path::PathBuf};

use thiserror::Error;

use crate::{
    backends::BackendError, compose::ComposeError, manifest::ManifestError, traces::SettingError,
    variables::VariableError,
};

/// Why an application does not start.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StartError {
    /// The manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A variable.
    #[error(transparent)]
    Variable(#[from] VariableError),
    /// Where spans are sent.
    #[error(transparent)]
    Traces(#[from] SettingError),
    /// A back end.
    #[error(transparent)]
    Backend(#[from] BackendError),
    /// A component's files.
    #[error(transparent)]
    Compose(#[from] ComposeError),
    /// A route.
    #[error("{}: {reason}", manifest.display())]
    Route {
        /// The file.
        manifest: PathBuf,
        /// What is wrong and how to mend it.
        reason: String,
    },
    /// The tests of a component.
    #[error("{}: {reason}", manifest.display())]
    Suite {
        /// The file.
        manifest: PathBuf,
        /// What is wrong and how to mend it.
        reason: String,
    },
    /// A grant that can't be given.
    #[error("{}: component `{component}`: {reason}", manifest.display())]
    Grant {
        /// The file.
        manifest: PathBuf,
        /// Which component.
        component: String,
        /// What is wrong and how to mend it.
        reason: String,
    },
    /// A component that is not what its triggers or its imports say.
    #[error("component `{component}` {reason}: {cause}")]
    Component {
        /// Which component.
        component: String,
        /// What is wrong.
        reason: &'static str,
        /// wasmtime's reason.
        cause: String,
    },
    /// A server that answers and refuses.
    #[error("{setting}: {reason}")]
    Server {
        /// What names the server.
        setting: String,
        /// What is wrong and how to mend it. No secret.
        reason: String,
    },
    /// What prepares the application failed.
    #[error("component `{component}` {reason}")]
    Prepare {
        /// Which component.
        component: String,
        /// What happened.
        reason: String,
    },
    /// A component refuses the settings that it was given.
    #[error("component `{component}` {reason}")]
    Check {
        /// Which component.
        component: String,
        /// What happened.
        reason: String,
    },
    /// Nothing prepares the application.
    #[error(
        "{}: nothing to prepare: no component with a Redis trigger has `prepare` in its [component.<id>.tool.thumbs]",
        manifest.display()
    )]
    NothingToPrepare {
        /// The file.
        manifest: PathBuf,
    },
    /// A directory.
    #[error("the directory {} can't be used: {cause}; name another with --state-dir or --cache-dir", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The address.
    #[error("{address} can't be listened on: {cause}; name another with --listen")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The address of the admin listener.
    #[error("{address} can't be listened on: {cause}; name another with --admin")]
    ListenAdmin {
        /// Which.
        address: SocketAddr,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The engine.
    #[error("the WebAssembly engine does not start: {cause}")]
    Engine {
        /// wasmtime's reason.
        cause: String,
    },
    /// Threads.
    #[error("the system gives no threads: {cause}")]
    Threads {
        /// The system's reason.
        cause: std::io::Error,
    },
}

impl StartError {
    /// A component that is not what it should be.
    pub(crate) fn component(id: &str, reason: &'static str, cause: &wasmtime::Error) -> Self {
        Self::Component { component: id.to_owned(), reason, cause: format!("{cause:#}") }
    }
}
