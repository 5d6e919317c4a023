//! Which backend serves which capability, from what the operator set. The only place that knows the variables `redis_url`, `database_url`,
//! `blob_url` and those that begin with `s3_`.
//!
//! | setting | not set by the operator | set |
//! |---|---|---|
//! | `redis_url` | wake-ups stay in this process: the runtime itself answers for the manifest's address | that server carries them |
//! | `database_url` | the manifest's `sqlite:<label>`: the file `<state-dir>/sqlite/<label>.db` | the guest connects to it |
//! | `blob_url` | the directory `<state-dir>/blobs` | `dir:<path>`, `memory:`, or `s3://<bucket>[/<prefix>]` with `s3_*` |
//! | `--key-value` | files in `<state-dir>/key-value` | `redis://...`: that server keeps the pairs |
//!
//! Where the blob-store component is composed in (`--compose-all`), it keeps the blobs, as on Spin: `blob_url` is then `s3://...` or
//! `kv:<label>`. The components are told the same on every host: they read the variables and call Spin's interfaces.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::{
    capabilities::{blob::S3Settings, postgres, redis},
    compose::Composition,
    secret::{Secret, redacted_url},
    variables::Variables,
};

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backends {
    /// Where wake-ups go.
    pub wake_ups: WakeUps,
    /// Where blobs are.
    pub blobs: Blobs,
    /// What the composed component must be allowed to reach for its blobs, `scheme://host:port`, where that follows from the bucket.
    pub blob_grant: Option<String>,
    /// Where jobs are.
    pub database: Database,
    /// Where key-value stores are.
    pub key_value: KeyValue,
    /// The folder of SQLite databases, one file per label.
    pub sqlite_dir: PathBuf,
}

/// Who carries wake-ups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WakeUps {
    /// This process.
    InProcess,
    /// A Redis server.
    Redis(Secret),
}

/// Who keeps blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blobs {
    /// A directory.
    Directory(PathBuf),
    /// This process, until it ends.
    Memory,
    /// A bucket.
    S3(S3Settings),
    /// The component that is composed in, at this URL.
    Component(String),
}

/// Who keeps jobs. The guest connects by itself; the runtime only looks whether it could.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Database {
    /// A file of this host.
    Sqlite,
    /// A PostgreSQL server.
    Postgres(Secret),
}

/// Who keeps key-value pairs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyValue {
    /// A folder of this host, one file per label.
    Directory(PathBuf),
    /// A Redis server.
    Redis(Secret),
}

/// The labels of key-value stores and SQLite databases that the runtime has.
pub const LABELS: &[&str] = &["default"];

/// A setting that leads nowhere. No secret is in the text.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// The scheme is not one that this capability has a backend for.
    #[error("{setting} is {url}; it must be {known}")]
    Unsupported {
        /// Which.
        setting: &'static str,
        /// Redacted.
        url: String,
        /// What it could be.
        known: &'static str,
    },
    /// The scheme is right and the rest is not.
    #[error("{setting}: {reason}")]
    Invalid {
        /// Which.
        setting: &'static str,
        /// What is wrong and how to mend it.
        reason: String,
    },
}

impl Backends {
    /// Chooses. `key_value_url` is the operator's, if there is one.
    ///
    /// # Errors
    /// A URL is of no kind that has a backend, or is not well formed.
    pub fn choose(
        variables: &Variables,
        key_value_url: Option<&str>,
        composition: Composition,
        state_dir: &Path,
    ) -> Result<Self, ConfigError> {
        let wake_ups = match variables.set_by_operator("redis_url") {
            None => WakeUps::InProcess,
            Some(url) => WakeUps::Redis(redis_server("redis_url", url)?),
        };
        let key_value = match key_value_url {
            None => KeyValue::Directory(state_dir.join("key-value")),
            Some(url) => KeyValue::Redis(redis_server("--key-value", url)?),
        };
        let (blobs, blob_grant) = blobs(variables, composition, state_dir)?;
        Ok(Self {
            wake_ups,
            blobs,
            blob_grant,
            database: database(variables)?,
            key_value,
            sqlite_dir: state_dir.join("sqlite"),
        })
    }
}

fn redis_server(setting: &'static str, url: &str) -> Result<Secret, ConfigError> {
    if !url.starts_with("redis://") && !url.starts_with("rediss://") {
        return Err(unsupported(setting, url, "redis://<host>[:<port>], or rediss:// for TLS"));
    }
    redis::validate(url).map_err(|reason| ConfigError::Invalid { setting, reason })?;
    Ok(Secret::new(url))
}

fn database(variables: &Variables) -> Result<Database, ConfigError> {
    match variables.set_by_operator("database_url") {
        Some(url) if url.starts_with("postgres://") || url.starts_with("postgresql://") => {
            postgres::Client::validate(url)
                .map_err(|reason| ConfigError::Invalid { setting: "database_url", reason })?;
            Ok(Database::Postgres(Secret::new(url)))
        }
        Some(url) if !url.strip_prefix("sqlite:").is_some_and(|label| LABELS.contains(&label)) => {
            Err(unsupported("database_url", url, "sqlite:default or postgres://<user>@<host>/<database>"))
        }
        _ => Ok(Database::Sqlite),
    }
}

/// Who keeps blobs, and the grant that follows from it.
fn blobs(
    variables: &Variables,
    composition: Composition,
    state_dir: &Path,
) -> Result<(Blobs, Option<String>), ConfigError> {
    let value = |name: &str| variables.value(name).unwrap_or_default();
    let Some(url) = variables.set_by_operator("blob_url") else {
        let blobs = match composition {
            Composition::WithoutNative => Blobs::Directory(state_dir.join("blobs")),
            Composition::All => Blobs::Component(value("blob_url").to_owned()),
        };
        return Ok((blobs, None));
    };
    if url.starts_with("s3:") {
        let settings = S3Settings::read(url, |name| variables.value(name))
            .map_err(|reason| ConfigError::Invalid { setting: "blob_url", reason })?;
        let grant = settings.outbound();
        let blobs = match composition {
            Composition::WithoutNative => Blobs::S3(settings),
            Composition::All => Blobs::Component(url.to_owned()),
        };
        return Ok((blobs, Some(grant)));
    }
    let blobs = match composition {
        Composition::All if url.starts_with("kv:") => Blobs::Component(url.to_owned()),
        Composition::All => {
            let known = "kv:<label> or s3://<bucket>[/<prefix>] with --compose-all";
            return Err(unsupported("blob_url", url, known));
        }
        Composition::WithoutNative if url == "memory:" => Blobs::Memory,
        Composition::WithoutNative => match url.strip_prefix("dir:") {
            Some(path) if !path.is_empty() => Blobs::Directory(PathBuf::from(path)),
            _ => {
                let known = "dir:<path>, memory: or s3://<bucket>[/<prefix>]; kv:<label> needs --compose-all";
                return Err(unsupported("blob_url", url, known));
            }
        },
    };
    Ok((blobs, None))
}

fn unsupported(setting: &'static str, url: &str, known: &'static str) -> ConfigError {
    ConfigError::Unsupported { setting, url: redacted_url(url), known }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;
    use crate::manifest::Variable;

    fn choose_with(
        set: &[(&str, &str)],
        key_value_url: Option<&str>,
        composition: Composition,
    ) -> Result<Backends, ConfigError> {
        let declared = [
            ("redis_url", "redis://localhost:6379"),
            ("database_url", "sqlite:default"),
            ("blob_url", "kv:default"),
            ("s3_endpoint_url", "http://localhost:9000"),
            ("s3_region", "us-east-1"),
            ("s3_path_style", "true"),
            ("s3_access_key_id", ""),
            ("s3_secret_access_key", ""),
        ]
        .map(|(name, value)| (name.to_owned(), Variable { default: Some(value.into()), secret: true }));
        let set: BTreeMap<_, _> =
            set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let variables = Variables::resolve(&declared.into(), &set, &HashMap::new()).unwrap();
        Backends::choose(&variables, key_value_url, composition, Path::new("state"))
    }

    fn choose(set: &[(&str, &str)]) -> Result<Backends, ConfigError> {
        choose_with(set, None, Composition::WithoutNative)
    }

    #[test]
    fn what_is_not_set_lies_in_the_state_directory() {
        let backends = choose(&[]).unwrap();
        assert_eq!(backends.blobs, Blobs::Directory("state/blobs".into()));
        assert_eq!(backends.wake_ups, WakeUps::InProcess);
        assert_eq!(backends.database, Database::Sqlite);
        assert_eq!(backends.key_value, KeyValue::Directory("state/key-value".into()));
        assert_eq!(backends.sqlite_dir, Path::new("state/sqlite"));
    }

    #[test]
    fn a_blob_url_chooses_the_backend() {
        assert_eq!(choose(&[("blob_url", "memory:")]).unwrap().blobs, Blobs::Memory);
        assert_eq!(choose(&[("blob_url", "dir:/srv/x")]).unwrap().blobs, Blobs::Directory("/srv/x".into()));
        assert!(matches!(choose(&[("blob_url", "s3://thumbs")]).unwrap().blobs, Blobs::S3(_)));
    }

    #[test]
    fn the_composed_component_keeps_blobs_where_it_is_composed_in() {
        for (set, url) in [
            (vec![], "kv:default"),
            (vec![("blob_url", "kv:default")], "kv:default"),
            (vec![("blob_url", "s3://thumbs/x")], "s3://thumbs/x"),
        ] {
            let blobs = choose_with(&set, None, Composition::All).unwrap().blobs;
            assert_eq!(blobs, Blobs::Component(url.into()));
        }
        let error = choose_with(&[("blob_url", "memory:")], None, Composition::All).unwrap_err();
        assert!(error.to_string().contains("kv:<label>"), "{error}");
        let error = choose(&[("blob_url", "kv:default")]).unwrap_err();
        assert!(error.to_string().contains("--compose-all"), "{error}");
    }

    #[test]
    fn servers_are_chosen_by_url() {
        let url = "redis://:hunter2@h:7000/3";
        assert_eq!(choose(&[("redis_url", url)]).unwrap().wake_ups, WakeUps::Redis(Secret::new(url)));
        let backends = choose_with(&[], Some(url), Composition::WithoutNative).unwrap();
        assert_eq!(backends.key_value, KeyValue::Redis(Secret::new(url)));
        let url = "postgres://u:hunter2@h/x";
        let database = choose(&[("database_url", url)]).unwrap().database;
        assert_eq!(database, Database::Postgres(Secret::new(url)));
    }

    #[test]
    fn a_url_without_a_backend_is_refused_without_its_password() {
        for (name, url) in [
            ("blob_url", "ftp://u:hunter2@h/x"),
            ("blob_url", "dir:"),
            ("blob_url", "s3://Not_A_Bucket"),
            ("redis_url", "http://:hunter2@h"),
            ("redis_url", "redis://:hunter2@"),
            ("database_url", "mysql://u:hunter2@h/x"),
            ("database_url", "sqlite:another"),
            ("database_url", "postgres://u:hunter2@:/@h:x/y"),
        ] {
            let error = choose(&[(name, url)]).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains("hunter2"), "{error}");
        }
        let error = choose_with(&[], Some("etcd://h"), Composition::WithoutNative).unwrap_err().to_string();
        assert!(error.contains("--key-value"), "{error}");
    }
}
