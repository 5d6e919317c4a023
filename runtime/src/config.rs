//! Which backend serves which capability, from the variables that the operator set. The only place that knows the names `redis_url`,
//! `database_url` and `blob_url`.
//!
//! | variable | not set by the operator | set |
//! |---|---|---|
//! | `redis_url` | wake-ups stay in this process: the runtime itself answers for the manifest's address | that server |
//! | `database_url` | the manifest's `sqlite:<label>`: the file `<state-dir>/sqlite/<label>.db` | the guest connects to it |
//! | `blob_url` | the directory `<state-dir>/blobs` | `dir:<path>`, or `memory:` |
//!
//! The components are told the same on every host: they read the variables and call Spin's interfaces.

use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::{secret::redacted_url, variables::Variables};

/// Where everything is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Backends {
    /// Where wake-ups go.
    pub wake_ups: WakeUps,
    /// Where blobs are.
    pub blobs: Blobs,
    /// The folder of SQLite databases, one file per label.
    pub sqlite_dir: PathBuf,
    /// The folder of key-value stores, one file per label.
    pub key_value_dir: PathBuf,
}

/// Who carries wake-ups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WakeUps {
    /// This process.
    InProcess,
}

/// Who keeps blobs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Blobs {
    /// A directory.
    Directory(PathBuf),
    /// This process, until it ends.
    Memory,
}

/// The labels of key-value stores and SQLite databases that the runtime has.
pub const LABELS: &[&str] = &["default"];

/// A URL that leads nowhere. Its credentials are not in the text.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum ConfigError {
    /// The scheme is not one that this capability has a backend for.
    #[error("the variable `{variable}` is {url}; this runtime knows {known}")]
    Unsupported {
        /// Which.
        variable: &'static str,
        /// Redacted.
        url: String,
        /// What it could be.
        known: &'static str,
    },
}

impl Backends {
    /// Chooses.
    ///
    /// # Errors
    /// A URL is of no kind that has a backend.
    pub fn choose(variables: &Variables, state_dir: &Path) -> Result<Self, ConfigError> {
        if let Some(url) = variables.set_by_operator("redis_url") {
            return Err(unsupported("redis_url", url, "only wake-ups within the process (leave it unset)"));
        }
        let blobs = match variables.set_by_operator("blob_url") {
            None => Blobs::Directory(state_dir.join("blobs")),
            Some("memory:") => Blobs::Memory,
            Some(url) => match url.strip_prefix("dir:") {
                Some(path) if !path.is_empty() => Blobs::Directory(PathBuf::from(path)),
                _ => return Err(unsupported("blob_url", url, "`dir:<path>` and `memory:`")),
            },
        };
        Ok(Self {
            wake_ups: WakeUps::InProcess,
            blobs,
            sqlite_dir: state_dir.join("sqlite"),
            key_value_dir: state_dir.join("key-value"),
        })
    }
}

fn unsupported(variable: &'static str, url: &str, known: &'static str) -> ConfigError {
    ConfigError::Unsupported { variable, url: redacted_url(url), known }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use super::*;
    use crate::manifest::Variable;

    fn choose(set: &[(&str, &str)]) -> Result<Backends, ConfigError> {
        let declared = ["redis_url", "blob_url"]
            .map(|name| (name.to_owned(), Variable { default: Some("kv:default".into()), secret: true }));
        let set: BTreeMap<_, _> =
            set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Backends::choose(
            &Variables::resolve(&declared.into(), &set, &HashMap::new()).unwrap(),
            Path::new("state"),
        )
    }

    #[test]
    fn what_is_not_set_lies_in_the_state_directory() {
        let backends = choose(&[]).unwrap();
        assert_eq!(backends.blobs, Blobs::Directory("state/blobs".into()));
        assert_eq!(backends.wake_ups, WakeUps::InProcess);
        assert_eq!(backends.sqlite_dir, Path::new("state/sqlite"));
    }

    #[test]
    fn a_blob_url_chooses_the_backend() {
        assert_eq!(choose(&[("blob_url", "memory:")]).unwrap().blobs, Blobs::Memory);
        assert_eq!(choose(&[("blob_url", "dir:/srv/x")]).unwrap().blobs, Blobs::Directory("/srv/x".into()));
    }

    #[test]
    fn a_url_without_a_backend_is_refused_without_its_password() {
        for (name, url) in
            [("blob_url", "ftp://u:hunter2@h/x"), ("blob_url", "dir:"), ("redis_url", "redis://:hunter2@h")]
        {
            let error = choose(&[(name, url)]).unwrap_err().to_string();
            assert!(error.contains(name) && !error.contains("hunter2"), "{error}");
        }
    }
}
