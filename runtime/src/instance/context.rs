//! What is the same for every call of a component.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use super::InstanceNumbers;
use crate::{
    capabilities::{
        allowed_hosts::AllowedHosts, blob::BlobStore, clock::OnSleep, http::Carrier, key_value,
        postgres::PostgresGrants, redis::RedisGrants, sqlite, variables::ComponentVariables,
    },
    limits::{Limits, length, millis},
    memory::MemoryBudgets,
    permits::Caller,
    telemetry::Logger,
    traces::{CallTrace, Tracer},
};

/// A component's grants and the backends behind them, made once at start.
#[derive(Clone, Debug)]
pub struct ComponentContext {
    /// Its id in the manifest.
    pub id: Arc<str>,
    /// Its variables.
    pub variables: ComponentVariables,
    /// Its environment variables.
    pub environment: BTreeMap<String, String>,
    /// Where it may connect to.
    pub hosts: Arc<AllowedHosts>,
    /// Who carries its outgoing requests.
    pub carrier: Arc<dyn Carrier>,
    /// Its key-value stores.
    pub key_value: key_value::Grants,
    /// Its SQLite databases.
    pub sqlite: sqlite::Grants,
    /// Its part in Redis.
    pub redis: RedisGrants,
    /// Its part in PostgreSQL.
    pub postgres: PostgresGrants,
    /// The blobs, which have no labels: reached only where the linker has them (`Prepared`).
    pub blobs: BlobStore,
    /// The host's limits.
    pub limits: Arc<Limits>,
    /// What all instances may have together.
    pub memory: MemoryBudgets,
    /// Where its lines go.
    pub log: Logger,
    /// Begins traces of its messages.
    pub tracer: Tracer,
    /// What is counted of its instances.
    pub numbers: Arc<InstanceNumbers>,
    /// Its requests are given the last lines of everybody.
    pub log_tail: bool,
    /// Its guests may name who a request came from, for the log.
    pub names_caller: bool,
}

/// What tells one call from another.
#[derive(Clone, Debug, Default)]
pub struct Call<'a> {
    /// Goes to the lines that the guest writes.
    pub correlation_id: Option<Arc<str>>,
    /// Who is told when the guest goes to sleep.
    pub on_sleep: Option<Arc<dyn OnSleep>>,
    /// Environment variables of this call alone; each takes the place of the component's own of that name.
    pub environment: &'a [(&'a str, &'a str)],
    /// Where what the call asks of the host leaves spans.
    pub trace: CallTrace,
}

/// What one call may take; differs between requests and messages.
#[derive(Clone, Copy, Debug)]
pub struct CallBounds {
    /// Whose call it is.
    pub caller: Caller,
    /// All memories and tables together, and what the host holds for the instance.
    pub max_memory_bytes: usize,
    /// Processor time of the guest.
    pub max_running_time: Duration,
    /// From the start to the end, waiting included.
    pub timeout: Duration,
}

impl CallBounds {
    /// Of an HTTP request.
    #[must_use]
    pub fn of_request(limits: &Limits) -> Self {
        Self {
            caller: Caller::Request,
            max_memory_bytes: length(limits.max_request_memory_bytes),
            max_running_time: millis(limits.request_cpu_ms),
            timeout: millis(limits.request_timeout_ms),
        }
    }

    /// Of a message.
    #[must_use]
    pub fn of_message(limits: &Limits) -> Self {
        Self {
            caller: Caller::Message,
            max_memory_bytes: length(limits.max_message_memory_bytes),
            max_running_time: millis(limits.message_cpu_ms),
            timeout: millis(limits.message_timeout_ms),
        }
    }
}
