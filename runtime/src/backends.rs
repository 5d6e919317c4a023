//! Which back end serves which capability: what the operator says, else what the application's variables say, else what needs no server.
//!
//! | option | where it is not given | values |
//! |---|---|---|
//! | `--redis` | `manifest`; in an application that names a variable for it, `in-process` until the operator sets that | `manifest`: the servers at the triggers' addresses, as on Spin; `in-process`: this process answers for them; `redis://...`: that server does |
//! | `--blobs` | the variable that the application names, where the operator set it, else the directory `<state-dir>/blobs` | `dir:<path>`, `memory:`, `s3://<bucket>[/<prefix>]` with `s3_*` |
//! | `--key-value` | files in `<state-dir>/key-value` | `redis://...`: that server keeps the pairs |
//!
//! An application names its variables in `[application.tool.thumbs]`; one that does not is left alone, whatever its variables are called. A
//! database is no option: guests connect to it by themselves, and the runtime only looks at the start whether they could.
//!
//! Where the blob-store component is composed in (`--compose-all`), it keeps the blobs, as on Spin: its URL is then `s3://...` or
//! `kv:<label>`. The components are told the same on every host: they read the variables and call Spin's interfaces.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use thiserror::Error;
use thumbs_s3::InvalidSetting;

use crate::{
    capabilities::blob::{RoleSource, S3Settings},
    clients::{postgres, redis},
    compose::Composition,
    manifest::{Manifest, NamedBackend},
    secret::{Secret, redacted_url},
    variables::Variables,
};

/// What the operator says of the back ends.
#[derive(Clone, Debug, Default)]
pub struct BackendOptions {
    /// `--redis`.
    pub redis: Option<Secret>,
    /// `--blobs`.
    pub blobs: Option<Secret>,
    /// `--key-value`.
    pub key_value: Option<Secret>,
    /// The settings of a bucket by name, `s3_...`; each wins over the application's variable of that name.
    pub s3: BTreeMap<String, Secret>,
    /// `--s3-role`: who lends the credentials for a bucket.
    pub s3_role: Option<RoleRequest>,
}

/// Which kind of lender is asked, and what the environment says of it.
#[derive(Clone, Debug)]
pub struct RoleRequest {
    /// One of [`RoleSource::KINDS`].
    pub kind: String,
    /// The variables of the process that AWS's own programs read, by name.
    pub environment: BTreeMap<String, Secret>,
}

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backends {
    /// Who carries messages.
    pub messages: Messages,
    /// The servers that the messages need, by the setting that names each.
    pub message_servers: Vec<(String, Secret)>,
    /// Where blobs are.
    pub blobs: Blobs,
    /// What names the blobs' place.
    pub blobs_setting: String,
    /// What the composed component must be allowed to reach for its blobs, `scheme://host:port`, where that follows from the bucket.
    pub blob_grant: Option<String>,
    /// Where jobs are.
    pub database: Option<(String, Secret)>,
    /// Where key-value stores are.
    pub key_value: KeyValue,
    /// The folder of SQLite databases, one file per label.
    pub sqlite_dir: PathBuf,
}

/// Who carries messages for the addresses that the manifest's triggers listen on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Messages {
    /// The servers there.
    Manifest,
    /// This process.
    InProcess,
    /// A Redis server in their place.
    Server(Secret),
}

/// Who keeps blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blobs {
    /// A directory.
    Directory(PathBuf),
    /// This process, until it ends.
    Memory,
    /// A bucket, and who lends the credentials for it where those of its settings are not meant.
    S3(Box<S3Settings>, Option<RoleSource>),
    /// The component that is composed in, at this URL.
    Component(String),
}

/// Who keeps key-value pairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyValue {
    /// A folder of this host, one file per label.
    Directory(PathBuf),
    /// A Redis server.
    Redis(Secret),
}

/// Settings of a bucket without which it is asked by nobody in particular.
const ANONYMOUS: &[&str] = &["s3_access_key_id", "s3_secret_access_key", "s3_session_token"];

/// The labels of key-value stores and SQLite databases that the runtime has.
pub const LABELS: &[&str] = &["default"];

/// A setting that leads nowhere. No secret is in the text.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum BackendError {
    /// The scheme is not one that this capability has a back end for.
    #[error("{setting} is {url}; it must be {known}")]
    Unsupported {
        /// Which: an option, or a variable.
        setting: String,
        /// Redacted.
        url: String,
        /// What it could be.
        known: &'static str,
    },
    /// The scheme is right and the rest is not.
    #[error("{setting}: {reason}")]
    Invalid {
        /// Which: an option, or a variable.
        setting: String,
        /// What is wrong and how to mend it.
        reason: String,
    },
}

impl Backends {
    /// Chooses.
    ///
    /// # Errors
    /// A URL is of no kind that has a back end, or is not well formed.
    pub fn choose(
        manifest: &Manifest,
        variables: &Variables,
        options: &BackendOptions,
        composition: Composition,
        state_dir: &Path,
    ) -> Result<Self, BackendError> {
        let key_value = match &options.key_value {
            None => KeyValue::Directory(state_dir.join("key-value")),
            Some(url) => KeyValue::Redis(redis_server("--key-value", url.expose())?),
        };
        let (messages, message_servers) = messages(manifest, variables, options)?;
        let (blobs, blobs_setting, blob_grant) = blobs(manifest, variables, options, composition, state_dir)?;
        Ok(Self {
            messages,
            message_servers,
            blobs,
            blobs_setting,
            blob_grant,
            database: database(manifest, variables)?,
            key_value,
            sqlite_dir: state_dir.join("sqlite"),
        })
    }
}

/// The value of a back end's variable, if the operator set it.
fn set<'a>(named: Option<&'a NamedBackend>, variables: &'a Variables) -> Option<(&'a str, &'a str)> {
    let named = named?;
    Some((named.url.as_str(), variables.set_by_operator(&named.url)?))
}

fn messages(
    manifest: &Manifest,
    variables: &Variables,
    options: &BackendOptions,
) -> Result<(Messages, Vec<(String, Secret)>), BackendError> {
    let addresses: BTreeSet<String> =
        manifest.redis.iter().map(|trigger| trigger.address.resolve(variables.values())).collect();
    let named = manifest.application.backends.redis.as_ref();
    let messages = match options.redis.as_ref().map(Secret::expose) {
        Some("manifest") => Messages::Manifest,
        Some("in-process") => Messages::InProcess,
        Some(_) if addresses.len() > 1 => {
            return Err(BackendError::Invalid {
                setting: "--redis".to_owned(),
                reason: format!(
                    "is one server, and the manifest's triggers listen on {}; use `manifest` or `in-process`",
                    addresses.len()
                ),
            });
        }
        Some(url) => Messages::Server(redis_server("--redis", url)?),
        None if named.is_some() && set(named, variables).is_none() => Messages::InProcess,
        None => Messages::Manifest,
    };
    let servers = match &messages {
        Messages::InProcess => Vec::new(),
        Messages::Server(url) => vec![("--redis".to_owned(), url.clone())],
        Messages::Manifest => addresses
            .iter()
            .map(|address| {
                let setting = named
                    .filter(|named| variables.value(&named.url) == Some(address))
                    .map_or("the address of a [[trigger.redis]]", |named| named.url.as_str());
                Ok((setting.to_owned(), redis_server(setting, address)?))
            })
            .collect::<Result<_, _>>()?,
    };
    Ok((messages, servers))
}

fn redis_server(setting: &str, url: &str) -> Result<Secret, BackendError> {
    if !url.starts_with("redis://") && !url.starts_with("rediss://") {
        let known = match setting {
            "--redis" => "redis://<host>[:<port>], rediss:// for TLS, `in-process` or `manifest`",
            _ => "redis://<host>[:<port>], or rediss:// for TLS",
        };
        return Err(unsupported(setting, url, known));
    }
    redis::validate(url).map_err(|reason| BackendError::Invalid { setting: setting.to_owned(), reason })?;
    Ok(Secret::new(url))
}

/// The server that guests will connect to, and the variable that names it.
fn database(manifest: &Manifest, variables: &Variables) -> Result<Option<(String, Secret)>, BackendError> {
    let Some((setting, url)) = set(manifest.application.backends.database.as_ref(), variables) else {
        return Ok(None);
    };
    if url.starts_with("postgres://") || url.starts_with("postgresql://") {
        postgres::Client::validate(url)
            .map_err(|reason| BackendError::Invalid { setting: setting.to_owned(), reason })?;
        return Ok(Some((setting.to_owned(), Secret::new(url))));
    }
    if url.strip_prefix("sqlite:").is_some_and(|label| LABELS.contains(&label)) {
        return Ok(None);
    }
    Err(unsupported(setting, url, "sqlite:default or postgres://<user>@<host>/<database>"))
}

/// Who keeps blobs, what says so, and the grant that follows from it.
fn blobs(
    manifest: &Manifest,
    variables: &Variables,
    options: &BackendOptions,
    composition: Composition,
    state_dir: &Path,
) -> Result<(Blobs, String, Option<String>), BackendError> {
    let named = manifest.application.backends.blobs.as_ref();
    let chosen = match &options.blobs {
        Some(_) if composition == Composition::All => {
            return Err(BackendError::Invalid {
                setting: "--blobs".to_owned(),
                reason:
                    "does not reach the component that keeps the blobs with --compose-all; set its variable"
                        .to_owned(),
            });
        }
        Some(url) => Some(("--blobs", url.expose())),
        None => set(named, variables),
    };
    let Some((setting, url)) = chosen else {
        let blobs = match composition {
            Composition::WithoutNative => Blobs::Directory(state_dir.join("blobs")),
            Composition::All => {
                let url = named.and_then(|named| variables.value(&named.url)).unwrap_or_default();
                Blobs::Component(url.to_owned())
            }
        };
        return Ok((blobs, "--blobs".to_owned(), None));
    };
    let (blobs, grant) = if url.starts_with("s3:") {
        let settings = S3Settings::read(url, |name| {
            let of_application = || named.and_then(|_| variables.value(name));
            let of_operator = options.s3.get(name).map(Secret::expose);
            let value =
                of_operator.or_else(of_application).or_else(|| ANONYMOUS.contains(&name).then_some(""));
            value.map(str::to_owned).ok_or_else(|| InvalidSetting::missing(name))
        })
        .map_err(|error| BackendError::Invalid { setting: setting.to_owned(), reason: error.to_string() })?;
        let grant = settings.outbound();
        let role = role(options, &settings, composition)?;
        let blobs = match composition {
            Composition::WithoutNative => Blobs::S3(Box::new(settings), role),
            Composition::All => Blobs::Component(url.to_owned()),
        };
        (blobs, Some(grant))
    } else {
        (local_blobs(setting, url, composition)?, None)
    };
    Ok((blobs, setting.to_owned(), grant))
}

/// Who lends the credentials, where the operator asks for it.
fn role(
    options: &BackendOptions,
    settings: &S3Settings,
    composition: Composition,
) -> Result<Option<RoleSource>, BackendError> {
    let Some(RoleRequest { kind, environment }) = &options.s3_role else { return Ok(None) };
    let invalid = |reason: String| BackendError::Invalid { setting: "--s3-role".to_owned(), reason };
    if composition == Composition::All {
        return Err(invalid(
            "does not reach the component that keeps the blobs with --compose-all".to_owned(),
        ));
    }
    if settings.credentials().is_some() {
        return Err(invalid("is set, and so are the keys (s3_access_key_id): which are meant?".to_owned()));
    }
    let of_process = |name: &str| environment.get(name).map(|value| value.expose().to_owned());
    RoleSource::read(kind, settings.region(), of_process).map(Some).map_err(invalid)
}

fn local_blobs(setting: &str, url: &str, composition: Composition) -> Result<Blobs, BackendError> {
    match composition {
        Composition::All if url.starts_with("kv:") => Ok(Blobs::Component(url.to_owned())),
        Composition::All => {
            let known = "kv:<label> or s3://<bucket>[/<prefix>] with --compose-all";
            Err(unsupported(setting, url, known))
        }
        Composition::WithoutNative if url == "memory:" => Ok(Blobs::Memory),
        Composition::WithoutNative => match url.strip_prefix("dir:") {
            Some(path) if !path.is_empty() => Ok(Blobs::Directory(PathBuf::from(path))),
            _ => {
                let known = "dir:<path>, memory: or s3://<bucket>[/<prefix>]; kv:<label> needs --compose-all";
                Err(unsupported(setting, url, known))
            }
        },
    }
}

fn unsupported(setting: &str, url: &str, known: &'static str) -> BackendError {
    BackendError::Unsupported { setting: setting.to_owned(), url: redacted_url(url), known }
}

#[cfg(test)]
mod tests;
