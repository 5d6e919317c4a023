//! How receivers of callbacks are told: the variables `callback_*`.

use thumbs_access::CallbackSecrets;
use thumbs_domain::callback::{CallbackHosts, CallbackPolicy};
use thumbs_domain::variable::Variable;

use super::{ConfigError, Variables, invalid, number};

/// What whoever tells receivers goes by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallbackSettings {
    /// Whom one may tell.
    pub hosts: CallbackHosts,
    /// What one signs with.
    pub secrets: CallbackSecrets,
    /// How often and how long one tries.
    pub policy: CallbackPolicy,
}

impl CallbackSettings {
    /// # Errors
    /// [`ConfigError`].
    pub fn read(variables: &dyn Variables) -> Result<Self, ConfigError> {
        let secrets = CallbackSecrets::parse(&variables.get(Variable::CallbackSecret)?);
        Ok(Self {
            hosts: callback_hosts(variables)?,
            secrets: secrets.map_err(|_| invalid(Variable::CallbackSecret))?,
            policy: CallbackPolicy {
                max_attempts: number(variables, Variable::CallbackMaxAttempts)?,
                backoff_ms: number(variables, Variable::CallbackBackoffMs)?,
            },
        })
    }
}

/// The variable `callback_hosts`.
///
/// # Errors
/// [`ConfigError`].
pub fn callback_hosts(variables: &dyn Variables) -> Result<CallbackHosts, ConfigError> {
    let hosts = CallbackHosts::parse(&variables.get(Variable::CallbackHosts)?);
    hosts.ok_or_else(|| invalid(Variable::CallbackHosts))
}
