//! `spin.toml`, as far as our runtime knows it: the subset of Spin's manifest version 2 that docs/manifest.md lists.
//!
//! Reading happens once, at start. What comes out is checked for everything that the file alone can tell: keys, types, names, and that
//! triggers name components and templates name variables. Values of variables are not looked at here (`variables.rs`), nor whether files
//! exist (`compose.rs`). Invariant: an unknown key is an error that names file, line, component and the fix.

mod error;
mod read;
mod table;
mod template;
mod tool;

pub use error::ManifestError;
pub use template::Template;
pub use tool::{EgressPolicy, MessagePolicy, NamedBackend, NamedBackends, Parking, Tick};

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use crate::secret::Secret;

/// A manifest that follows all rules that can be checked without its surroundings.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// The file it came from.
    pub path: PathBuf,
    /// `[application]`.
    pub application: Application,
    /// `[variables]`.
    pub variables: BTreeMap<String, Variable>,
    /// `[[trigger.http]]`, in the order of the file.
    pub http: Vec<HttpTrigger>,
    /// `[[trigger.redis]]`, in the order of the file.
    pub redis: Vec<RedisTrigger>,
    /// `[component.<id>]`.
    pub components: BTreeMap<String, Component>,
}

/// `[application]`.
#[derive(Clone, Debug)]
pub struct Application {
    /// Its name, for the banner.
    pub name: String,
    /// Its version, for the banner.
    pub version: Option<String>,
    /// `tool.thumbs`: which variables say where its back ends are.
    pub backends: NamedBackends,
}

/// A row of `[variables]`.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The value where nobody sets one; none where the variable is required.
    pub default: Option<String>,
    /// Must not be shown.
    pub secret: bool,
}

/// `[[trigger.http]]`.
#[derive(Clone, Debug)]
pub struct HttpTrigger {
    /// Where it answers.
    pub route: Route,
    /// What answers.
    pub target: HttpTarget,
}

/// Where a trigger answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Route {
    /// At this pattern: exact, with `:param` segments, or with a trailing `/...`.
    Path(String),
    /// Not from outside (`{ private = true }`).
    Private,
}

/// What answers a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpTarget {
    /// A component.
    Component(String),
    /// The host itself, always the same.
    Static(StaticResponse),
}

/// `static_response = { status_code, headers, body }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaticResponse {
    /// 200 to 599.
    pub status: http::StatusCode,
    /// As given.
    pub headers: http::HeaderMap,
    /// UTF-8, as given.
    pub body: String,
}

/// `[[trigger.redis]]`.
#[derive(Clone, Debug)]
pub struct RedisTrigger {
    /// Which messages.
    pub channel: Template,
    /// Of which server: its own address, or that of `[application.trigger.redis]`.
    pub address: Template,
    /// Who handles them.
    pub component: String,
}

/// `[component.<id>]`.
#[derive(Clone, Debug)]
pub struct Component {
    /// Its id, kebab case.
    pub id: String,
    /// The `.wasm`, absolute or relative to the working directory.
    pub source: PathBuf,
    /// What it gets from `fermyon:spin/variables`.
    pub variables: BTreeMap<String, Template>,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// Where it may connect to.
    pub allowed_outbound_hosts: Vec<Template>,
    /// Which key-value stores it may open.
    pub key_value_stores: BTreeSet<String>,
    /// Which SQLite databases it may open.
    pub sqlite_databases: BTreeSet<String>,
    /// Imports that other components satisfy: interface (or package) to `.wasm`.
    pub dependencies: BTreeMap<String, PathBuf>,
    /// The dependencies share the component's grants; without it a dependency must import nothing.
    pub dependencies_inherit_configuration: bool,
    /// The `.wasm` of its tests: `tool.spin-test.source`.
    pub suite: Option<PathBuf>,
    /// `tool.thumbs`: what it asks for as a handler of messages.
    pub messages: MessagePolicy,
    /// `tool.thumbs.park`: its requests may wait without an instance.
    pub parking: Option<Parking>,
    /// `tool.thumbs.log_tail`: its requests are given the last lines of the log.
    pub log_tail: bool,
    /// `tool.thumbs.names_caller`: it tells the host who a request came from.
    pub names_caller: bool,
    /// `tool.thumbs.egress`: whom it may ask by HTTP beside its grants.
    pub egress: Option<EgressPolicy>,
}

impl Component {
    /// Its own variables, with the application's values in them.
    #[must_use]
    pub fn resolve_variables<V: AsRef<str>>(&self, values: &BTreeMap<String, V>) -> BTreeMap<String, Secret> {
        let resolved = |template: &Template| Secret::new(template.resolve(values));
        self.variables.iter().map(|(name, template)| (name.clone(), resolved(template))).collect()
    }

    /// Where it may connect to, with the application's values in it.
    pub fn resolve_outbound_hosts<V: AsRef<str>>(
        &self,
        values: &BTreeMap<String, V>,
    ) -> impl Iterator<Item = String> {
        let listed = self.egress.iter().flat_map(|egress| egress.hosts(values));
        self.allowed_outbound_hosts.iter().map(move |entry| entry.resolve(values)).chain(listed)
    }
}

impl Manifest {
    /// Reads a file.
    ///
    /// # Errors
    /// The file can't be read, is no TOML, or breaks one of the rules; the error names the place and the fix.
    pub fn read(path: &Path) -> Result<Self, ManifestError> {
        let text = std::fs::read_to_string(path)
            .map_err(|cause| ManifestError::Unreadable { path: path.to_owned(), cause })?;
        Self::parse(path, &text)
    }

    /// Reads a text as if it came from `path`; sources are relative to the folder of `path`.
    ///
    /// # Errors
    /// As [`Manifest::read`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, ManifestError> {
        read::manifest(path, text)
    }
}

#[cfg(test)]
mod tests;
