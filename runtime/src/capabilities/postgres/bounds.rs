//! The rows of the table of limits that hold for PostgreSQL.

use std::time::Duration;

use crate::limits::{Limits, length, millis};

/// A message may be that much longer than the values it brings.
const MESSAGE_OVERHEAD_BYTES: u64 = 1 << 20;

/// A connection that was used within this time is taken to live.
const ASK_AFTER_IDLE: Duration = Duration::from_secs(1);

/// What a client, its connections and their statements are held to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    pub(super) max_addresses: usize,
    /// To one address.
    pub(super) max_connections: usize,
    pub(super) acquire_timeout: Duration,
    pub(super) connect_timeout: Duration,
    /// How long a connection may be idle before it is asked whether it lives.
    pub(super) ask_after_idle: Duration,
    pub(super) statement_timeout: Duration,
    pub(super) max_statement_bytes: usize,
    pub(super) max_value_bytes: usize,
    pub(super) max_rows: usize,
    /// Of all values together.
    pub(super) max_result_bytes: usize,
}

impl Bounds {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            max_addresses: length(limits.pg_max_addresses),
            max_connections: length(limits.pg_max_connections),
            acquire_timeout: millis(limits.pg_acquire_timeout_ms),
            connect_timeout: millis(limits.pg_connect_timeout_ms),
            ask_after_idle: ASK_AFTER_IDLE,
            statement_timeout: millis(limits.sql_statement_timeout_ms),
            max_statement_bytes: length(limits.sql_max_statement_bytes),
            max_value_bytes: length(limits.sql_max_value_bytes),
            max_rows: length(limits.sql_max_rows),
            max_result_bytes: length(limits.sql_max_result_bytes),
        }
    }

    /// The longest message that is read from a server.
    pub(super) fn max_message_bytes(&self) -> u64 {
        (self.max_result_bytes as u64).saturating_add(MESSAGE_OVERHEAD_BYTES)
    }
}
