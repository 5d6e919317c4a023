//! The rows of the table of limits that hold for connections to PostgreSQL.

use std::time::Duration;

use crate::limits::{Limits, length, millis};

/// A message may be that much longer than the values it brings.
const MESSAGE_OVERHEAD_BYTES: u64 = 1 << 20;
/// A connection that was used within this time is taken to live.
const TRUST: Duration = Duration::from_secs(1);

/// What a client and its connections are held to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) max_servers: usize,
    /// To one server.
    pub(super) max_connections: usize,
    /// So many of them are not for requests.
    pub(super) reserved_connections: usize,
    pub(super) max_age: Duration,
    pub(super) max_idle: Duration,
    pub(super) acquire_timeout: Duration,
    pub(super) connect_timeout: Duration,
    pub(super) reset_timeout: Duration,
    /// How long a connection may be idle before it is asked whether it lives.
    pub(super) trust: Duration,
    /// The longest message that is read from a server.
    pub(super) max_message_bytes: u64,
}

impl Bounds {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            max_servers: length(limits.pg_max_servers),
            max_connections: length(limits.pg_max_connections),
            reserved_connections: length(limits.pg_reserved_connections),
            max_age: millis(limits.pg_max_age_ms),
            max_idle: millis(limits.pg_max_idle_ms),
            acquire_timeout: millis(limits.pg_acquire_timeout_ms),
            connect_timeout: millis(limits.pg_connect_timeout_ms),
            reset_timeout: millis(limits.pg_reset_timeout_ms),
            trust: TRUST,
            max_message_bytes: limits.sql_max_result_bytes.saturating_add(MESSAGE_OVERHEAD_BYTES),
        }
    }
}
