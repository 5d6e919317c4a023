//! What the operator configured: the component's variables, parsed once into types that cannot be wrong.
//!
//! Each function reads only what its caller needs, for every variable is a call to the host. Which variables there are, and what
//! they take, stands in `thumbs_domain::variable`. All of them at once are looked at at start: `check.rs`.

mod callbacks;
mod check;
mod edge;

pub use callbacks::{CallbackSettings, callback_hosts};
pub use check::check;
pub use edge::{Edge, RateBounds};

use spin_sdk::variables;
use thiserror::Error;
use thumbs_access::{Keys, LinkSecrets};
use thumbs_domain::batch::BatchBounds;
use thumbs_domain::format::AcceptedFormats;
use thumbs_domain::limits::{ImageLimits, UploadLimits};
use thumbs_domain::machine::RetryPolicy;
use thumbs_domain::retention::{Keep, Retention};
use thumbs_domain::variable::{Joined, SEPARATOR, Takes, Variable};

/// A variable is missing or makes no sense: the operator's to mend. The text is for the log, and holds no value, since that
/// may be a secret.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The manifest does not give the component this variable, or its provider failed.
    #[error("the variable {name} can't be read: {cause}")]
    Unreadable {
        /// The variable.
        name: &'static str,
        /// What the host says.
        cause: String,
    },
    /// The value is not one that the variable takes.
    #[error("the variable {name} must be {expected}")]
    Invalid {
        /// The variable.
        name: &'static str,
        /// What it takes.
        expected: Takes,
    },
    /// The value is a list, and something in it is wrong.
    #[error("the variable {name} {reason}")]
    Entry {
        /// The variable.
        name: &'static str,
        /// Which part is wrong and how to mend it, without showing it.
        reason: String,
    },
    /// The value is good by itself, and not beside another.
    #[error("the variable {name} {reason}")]
    Contradicts {
        /// The variable.
        name: &'static str,
        /// What it contradicts, and how to mend it.
        reason: String,
    },
}

/// Where the values come from.
pub trait Variables {
    /// # Errors
    /// [`ConfigError::Unreadable`].
    fn get(&self, variable: Variable) -> Result<String, ConfigError>;

    /// Several at once, as the manifest joins them.
    ///
    /// # Errors
    /// [`ConfigError::Unreadable`].
    fn get_joined(&self, joined: &Joined) -> Result<String, ConfigError> {
        let parts: Vec<_> = joined.parts.iter().map(|part| self.get(*part)).collect::<Result<_, _>>()?;
        Ok(parts.join(SEPARATOR.encode_utf8(&mut [0; 4])))
    }
}

/// The host's variables.
#[derive(Clone, Copy, Debug)]
pub struct HostVariables;

impl Variables for HostVariables {
    fn get(&self, variable: Variable) -> Result<String, ConfigError> {
        of_host(variable.row().name)
    }

    fn get_joined(&self, joined: &Joined) -> Result<String, ConfigError> {
        of_host(joined.name)
    }
}

fn of_host(name: &'static str) -> Result<String, ConfigError> {
    variables::get(name).map_err(|error| {
        let cause = match error {
            variables::Error::Undefined(_) => "it is not defined".to_owned(),
            variables::Error::InvalidName(_) => "its name is not allowed".to_owned(),
            variables::Error::Provider(cause) | variables::Error::Other(cause) => cause,
        };
        ConfigError::Unreadable { name, cause }
    })
}

/// Where the jobs are: the variable `database_url`.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// `sqlite:<label>`.
    Sqlite {
        /// The database's label in the manifest.
        label: String,
    },
    /// `postgres://...`, as the host takes it.
    Postgres {
        /// Holds a password.
        address: String,
    },
}

impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite { label } => write!(f, "Sqlite({label})"),
            Self::Postgres { .. } => f.write_str("Postgres(..)"),
        }
    }
}

impl Database {
    /// # Errors
    /// [`ConfigError`].
    pub fn read(variables: &dyn Variables) -> Result<Self, ConfigError> {
        let url = read(variables, Variable::DatabaseUrl)?;
        Ok(match url.strip_prefix("sqlite:") {
            Some(label) => Self::Sqlite { label: label.to_owned() },
            None => Self::Postgres { address: url },
        })
    }
}

/// Where wake-ups go: the variables `redis_url` and `wake_channel`.
#[derive(Clone, PartialEq, Eq)]
pub struct WakeUps {
    /// May hold a password.
    pub address: String,
    /// The channel that the resize trigger listens on.
    pub channel: String,
}

impl WakeUps {
    /// # Errors
    /// [`ConfigError`].
    pub fn read(variables: &dyn Variables) -> Result<Self, ConfigError> {
        Ok(Self {
            address: read(variables, Variable::RedisUrl)?,
            channel: read(variables, Variable::WakeChannel)?,
        })
    }
}

/// The variables `max_*` that bound an upload.
///
/// # Errors
/// [`ConfigError`].
pub fn limits(variables: &dyn Variables) -> Result<UploadLimits, ConfigError> {
    let image = ImageLimits {
        max_pixels: number(variables, Variable::MaxPixels)?,
        max_side: number(variables, Variable::MaxSide)?,
        max_frames: number(variables, Variable::MaxFrames)?,
        max_total_pixels: number(variables, Variable::MaxTotalPixels)?,
        max_output_side: number(variables, Variable::MaxOutputSide)?,
        max_output_pixels: number(variables, Variable::MaxOutputPixels)?,
    };
    let formats = AcceptedFormats::parse(&variables.get(Variable::Formats)?)
        .ok_or_else(|| invalid(Variable::Formats))?;
    Ok(UploadLimits {
        max_upload_bytes: number(variables, Variable::MaxUploadBytes)?,
        formats,
        max_variants: number(variables, Variable::MaxVariants)?,
        image,
    })
}

/// The variable `api_keys`.
///
/// # Errors
/// [`ConfigError`].
pub fn keys(variables: &dyn Variables) -> Result<Keys, ConfigError> {
    let wrong = |reason: String| ConfigError::Entry { name: Variable::ApiKeys.row().name, reason };
    Keys::parse(&variables.get(Variable::ApiKeys)?).map_err(|error| wrong(error.to_string()))
}

/// How links to thumbnails are signed: the variables `link_secret` and `link_secs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Links {
    /// None where no link is good without a key.
    pub secrets: LinkSecrets,
    /// How long one is good, in seconds.
    pub secs: i64,
}

impl Links {
    /// # Errors
    /// [`ConfigError`].
    pub fn read(variables: &dyn Variables) -> Result<Self, ConfigError> {
        let secrets = LinkSecrets::parse(&variables.get(Variable::LinkSecret)?);
        Ok(Self {
            secrets: secrets.map_err(|_| invalid(Variable::LinkSecret))?,
            secs: number(variables, Variable::LinkSecs)?,
        })
    }
}

/// How many jobs may be open: the variables `max_queued_jobs` and `max_queued_jobs_per_owner`. None is no bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueBounds {
    /// In all.
    pub jobs: Option<u64>,
    /// Of one owner.
    pub jobs_per_owner: Option<u64>,
}

impl QueueBounds {
    /// # Errors
    /// [`ConfigError`].
    pub fn read(variables: &dyn Variables) -> Result<Self, ConfigError> {
        let bound =
            |variable| number(variables, variable).map(|bound: u64| Some(bound).filter(|bound| *bound > 0));
        Ok(Self {
            jobs: bound(Variable::MaxQueuedJobs)?,
            jobs_per_owner: bound(Variable::MaxQueuedJobsPerOwner)?,
        })
    }
}

/// The variable `result_cache`.
///
/// # Errors
/// [`ConfigError`].
pub fn result_cache(variables: &dyn Variables) -> Result<bool, ConfigError> {
    Ok(read(variables, Variable::ResultCache)? == "true")
}

/// The variables `max_batch_*`.
///
/// # Errors
/// [`ConfigError`].
pub fn batch_bounds(variables: &dyn Variables) -> Result<BatchBounds, ConfigError> {
    Ok(BatchBounds {
        max_parts: number(variables, Variable::MaxBatchParts)?,
        max_bytes: number(variables, Variable::MaxBatchBytes)?,
    })
}

/// The variables of the job machine.
///
/// # Errors
/// [`ConfigError`].
pub fn policy(variables: &dyn Variables) -> Result<RetryPolicy, ConfigError> {
    Ok(RetryPolicy {
        max_attempts: number(variables, Variable::MaxAttempts)?,
        lease_secs: number(variables, Variable::LeaseSecs)?,
        retry_backoff_ms: number(variables, Variable::RetryBackoffMs)?,
        max_job_age_secs: number(variables, Variable::MaxJobAgeSecs)?,
    })
}

/// The variables that say how long something is kept.
///
/// # Errors
/// [`ConfigError`].
pub fn retention(variables: &dyn Variables) -> Result<Retention, ConfigError> {
    let originals = Keep::parse(&variables.get(Variable::KeepSource)?);
    let days = |variable| -> Result<Keep, ConfigError> {
        Ok(match number(variables, variable)? {
            0 => Keep::Forever,
            days => Keep::Days(days),
        })
    };
    Ok(Retention {
        originals: originals.ok_or_else(|| invalid(Variable::KeepSource))?,
        jobs: days(Variable::KeepJobsDays)?,
        orphans: days(Variable::KeepOrphansDays)?,
    })
}

/// A variable that takes numbers.
fn number<T: TryFrom<u64>>(variables: &dyn Variables, variable: Variable) -> Result<T, ConfigError> {
    let number = variable.row().takes.number(&variables.get(variable)?);
    number.and_then(|number| T::try_from(number).ok()).ok_or_else(|| invalid(variable))
}

/// A variable that takes texts of its kind.
fn read(variables: &dyn Variables, variable: Variable) -> Result<String, ConfigError> {
    let value = variables.get(variable)?;
    if variable.row().takes.accepts(&value) { Ok(value) } else { Err(invalid(variable)) }
}

const fn invalid(variable: Variable) -> ConfigError {
    let row = variable.row();
    ConfigError::Invalid { name: row.name, expected: row.takes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    pub(super) struct Fixed(pub(super) HashMap<&'static str, &'static str>);

    impl Variables for Fixed {
        fn get(&self, variable: Variable) -> Result<String, ConfigError> {
            let name = variable.row().name;
            let missing = || ConfigError::Unreadable { name, cause: "it is not defined".into() };
            self.0.get(name).map(|value| (*value).to_owned()).ok_or_else(missing)
        }
    }

    pub(super) fn defaults() -> Fixed {
        Fixed(Variable::ALL.iter().map(|variable| (variable.row().name, variable.row().default)).collect())
    }

    fn fixed<const N: usize>(pairs: [(&'static str, &'static str); N]) -> Fixed {
        Fixed(pairs.into())
    }

    #[test]
    fn a_database_is_sqlite_or_postgres() {
        let sqlite = Database::Sqlite { label: "default".into() };
        assert_eq!(Database::read(&fixed([("database_url", "sqlite:default")])), Ok(sqlite));
        for url in ["postgres://u:p@h:5432/d", "postgresql://h/d"] {
            let postgres = Database::Postgres { address: url.into() };
            assert_eq!(Database::read(&fixed([("database_url", url)])), Ok(postgres));
        }
        let error = Database::read(&fixed([("database_url", "mysql://h/d")])).unwrap_err();
        assert!(matches!(error, ConfigError::Invalid { name: "database_url", .. }));
    }

    #[test]
    fn no_secret_is_shown() {
        let secret = "hunter2";
        let postgres = Database::Postgres { address: format!("postgres://u:{secret}@h/d") };
        assert!(!format!("{postgres:?}").contains(secret));
        let error = Database::read(&fixed([("database_url", "mysql://u:hunter2@h/d")])).unwrap_err();
        assert!(!format!("{error:?} {error}").contains(secret));
    }

    #[test]
    fn numbers_must_be_within_the_range_of_their_row() {
        let good = [
            ("max_attempts", "3"),
            ("lease_secs", " 30 "),
            ("retry_backoff_ms", "1000"),
            ("max_job_age_secs", "3600"),
        ];
        let expected =
            RetryPolicy { max_attempts: 3, lease_secs: 30, retry_backoff_ms: 1000, max_job_age_secs: 3600 };
        assert_eq!(policy(&fixed(good)), Ok(expected));
        for bad in ["", "0", "-1", "x", "1.5", "86401", "4294967296", "99999999999999999999"] {
            let mut variables = fixed(good);
            variables.0.insert("lease_secs", bad);
            let error = policy(&variables).unwrap_err().to_string();
            let expected = "the variable lease_secs must be a whole number from 1 to 86400 (seconds)";
            assert_eq!(error, expected, "{bad}");
        }
    }

    #[test]
    fn a_wrong_key_is_named_by_its_entry() {
        let error = keys(&fixed([("api_keys", "shop:read:never:hunter2")])).unwrap_err().to_string();
        assert!(error.starts_with("the variable api_keys entry 1 (shop): "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
        let error =
            Links::read(&fixed([("link_secret", "hunter2"), ("link_secs", "60")])).unwrap_err().to_string();
        assert!(
            error.starts_with("the variable link_secret must be") && !error.contains("hunter2"),
            "{error}"
        );
    }

    #[test]
    fn every_default_is_taken() {
        let defaults = defaults();
        assert!(keys(&defaults).unwrap().is_empty() && Links::read(&defaults).is_ok());
        assert!(batch_bounds(&defaults).is_ok());
        assert!(limits(&defaults).is_ok() && policy(&defaults).is_ok());
        let of_jobs = Retention { orphans: Keep::Days(7), ..Retention::FOREVER };
        assert_eq!(retention(&defaults), Ok(of_jobs), "nothing of a job goes that nobody said should");
        assert!(Database::read(&defaults).is_ok() && WakeUps::read(&defaults).is_ok());
    }

    #[test]
    fn a_missing_variable_is_named() {
        assert_eq!(
            limits(&fixed([])).unwrap_err().to_string(),
            "the variable max_pixels can't be read: it is not defined"
        );
    }
}
