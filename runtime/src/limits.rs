//! Every default, cap and timeout of the host, in one table: name, default, range, unit, and what happens when it is hit.
//!
//! A limit is set by the environment variable `THUMBS_<NAME>`, by `--limit name=value`, or by the builder. Its unit is in its name.
//! What the application bounds by itself is not here: that is its variables (spin.toml).

use std::time::Duration;

use thiserror::Error;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// What it belongs to: the heading of its table in docs/limits.md.
    pub group: &'static str,
    /// As in [`Limits`]; ends in its unit where it has one.
    pub name: &'static str,
    /// What holds where nobody sets it.
    pub default: u64,
    /// The smallest value that is accepted.
    pub min: u64,
    /// The largest value that is accepted.
    pub max: u64,
    /// What it bounds.
    pub bounds: &'static str,
    /// What happens when it is hit.
    pub when_hit: &'static str,
}

impl Limit {
    /// The environment variable that sets it.
    #[must_use]
    pub fn env(&self) -> String {
        format!("THUMBS_{}", self.name.to_ascii_uppercase())
    }
}

/// A limit that can't be set so.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum LimitError {
    /// No limit has this name.
    #[error("there is no limit {0:?}; `thumbs limits` lists them")]
    Unknown(String),
    /// The value is not a number, or out of the limit's range.
    #[error("{name} must be a number from {min} to {max}, not {value:?}")]
    OutOfRange {
        /// The limit.
        name: &'static str,
        /// Smallest accepted.
        min: u64,
        /// Largest accepted.
        max: u64,
        /// What was given.
        value: String,
    },
}

macro_rules! limits {
    ($([$group:literal] $($name:ident = $default:expr, $min:expr => $max:expr, $bounds:literal, $when_hit:literal;)*)*) => {
        /// The host's limits in force. One value per runtime; nothing reads the environment behind its back.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Limits {
            $($(#[doc = concat!("Bounds ", $bounds, ". When hit: ", $when_hit, ".")] pub $name: u64,)*)*
        }

        impl Default for Limits {
            fn default() -> Self {
                Self { $($($name: $default,)*)* }
            }
        }

        /// All limits, in the order of the documentation.
        pub const TABLE: &[Limit] = &[
            $($(Limit {
                group: $group,
                name: stringify!($name),
                default: $default,
                min: $min,
                max: $max,
                bounds: $bounds,
                when_hit: $when_hit,
            },)*)*
        ];

        impl Limits {
            fn slot(&mut self, name: &str) -> Option<&mut u64> {
                match name {
                    $($(stringify!($name) => Some(&mut self.$name),)*)*
                    _ => None,
                }
            }

            /// What holds for a limit of the table.
            #[must_use]
            pub fn get(&self, name: &str) -> Option<u64> {
                match name {
                    $($(stringify!($name) => Some(self.$name),)*)*
                    _ => None,
                }
            }
        }
    };
}

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;
/// No timeout is longer than a day: beyond that it is a mistake in the unit.
const DAY_MS: u64 = 24 * 60 * 60 * 1000;

limits! {
    ["Requests over HTTP"]
    max_connections = 4096, 1 => 1_000_000,
        "open HTTP connections; fewer where the process may not open as many files, which the log says", "further ones wait in the listen queue of the system";
    max_admin_connections = 16, 1 => 10_000,
        "connections to the admin listener", "the next one waits until one of them ends";
    max_concurrent_requests = 256, 1 => 1_000,
        "requests that run at the same time: whose bodies are there, and whose guests do not sleep", "a request waits `THUMBS_REQUEST_QUEUE_MS`, then gets 503 with Retry-After";
    max_uploading_requests = 128, 1 => 500,
        "requests whose bodies go on arriving after the first 64 KiB", "a request waits `THUMBS_REQUEST_QUEUE_MS`, then gets 503 with Retry-After";
    max_waiting_requests = 512, 0 => 4_000,
        "requests whose guests have gone to sleep, as in a long poll", "one more that wants to sleep gets 503 with Retry-After at once; where its method is not safe or its answer has begun, it goes on as one that runs";
    max_parked_requests = 4_096, 0 => 1_000_000,
        "requests that wait without an instance, for a message (docs/manifest.md, `park`)", "a further one waits with an instance, among those of `THUMBS_MAX_WAITING_REQUESTS`";
    min_parked_pause_ms = 250, 1 => DAY_MS,
        "the time that such a request waits at least for its message, which may be lost, before its guest is asked all the same; pauses grow with its age", "a fresh instance looks at how things stand";
    max_parked_pause_ms = 4_000, 1 => DAY_MS,
        "the time that it waits at most; where that is less than the least, the least holds", "the same";
    max_parked_answer_ms = 600_000, 1 => DAY_MS,
        "how long an answer goes on that such a request was begun with (docs/manifest.md, `park`), as a stream of events", "its guest is asked for the last time, and the answer ends";
    request_queue_ms = 1_000, 0 => DAY_MS,
        "how long a request waits for a place at most; a twentieth of it, once there has been a queue for as long", "503 with Retry-After";
    header_timeout_ms = 30_000, 1 => DAY_MS,
        "the time from a connection's start, or the end of its last response, to the end of the next header", "the connection is closed";
    max_header_bytes = 32 * KIB, 8 * KIB => MIB,
        "the header of a request", "431, and the connection is closed";
    max_request_body_bytes = 3_328 * MIB, 0 => 5 * GIB,
        "the body of a request, which no instance holds as a whole unless it wants to; the application's own bounds (max_upload_bytes, max_batch_bytes) should be a little lower",
        "413: at once where the length is declared, else as soon as it is read";
    body_timeout_ms = 30_000, 1 => DAY_MS,
        "how long a client may pause while it sends a body", "408, and the connection is closed";
    min_body_bytes_per_sec = 4 * KIB, 0 => GIB,
        "how slow a body is on the whole, after `THUMBS_BODY_GRACE_MS` and counting only the time that is spent on waiting for the client; 0 is as slow as it likes", "408, and the connection is closed";
    body_grace_ms = 10_000, 0 => DAY_MS,
        "how long a client may be waited for that sends nothing to speak of", "what it has sent is held against `THUMBS_MIN_BODY_BYTES_PER_SEC`";
    linger_timeout_ms = 30_000, 0 => DAY_MS,
        "how long a body is read on that nobody needs, because its request is answered already: many clients look for an answer only when they have sent everything", "the connection is closed, and a client that still sends may see that instead of the answer";
    max_linger_bytes = 128 * MIB, 0 => 1024 * GIB,
        "what is read on of such a body", "the connection is closed likewise";
    request_cpu_ms = 30_000, 1 => DAY_MS,
        "how long the guest of one request may run, not counting what it waits for", "the instance is stopped, 503";
    response_timeout_ms = 30_000, 1 => DAY_MS,
        "how long a client may take none of a response that waits for it", "the connection is closed and its instance stopped";
    request_timeout_ms = 120_000, 1 => DAY_MS,
        "the time that the instance of one request lives, waiting included, but not for the client's body", "the instance is stopped, 503";
    lame_duck_ms = 0, 0 => DAY_MS,
        "how long requests are still taken after SIGTERM, while `/.well-known/thumbs/ready` answers 503: as long as a load balancer needs to look elsewhere", "the listener is closed, and `THUMBS_DRAIN_TIMEOUT_MS` begins";
    drain_timeout_ms = 30_000, 0 => DAY_MS,
        "how long requests and messages in work may go on after SIGTERM", "they are cut off; the end of a message's instance is `stopped`";
    ["Memory of instances"]
    max_request_memory_bytes = 256 * MIB, MIB => 4 * GIB,
        "all memories and tables of a request's instance together, composed components included, and what the host holds for it (values of calls, bodies)", "memory.grow or the call fails; if the guest traps then, 503";
    max_message_memory_bytes = 256 * MIB, MIB => 4 * GIB,
        "the same of a message's instance", "memory.grow or the call fails; if the guest traps then, its end is `out-of-memory`";
    max_total_memory_bytes = 2 * GIB, MIB => 1024 * GIB,
        "the same of all instances together; of it, messages have `THUMBS_MAX_MESSAGE_MEMORY_BYTES` for each worker (at most half), which requests can't take", "memory.grow or the call fails; if the guest traps then, its end is `out-of-shared-memory`, which costs a job no attempt";
    max_table_elements = 50_000, 1 => 1_000_000,
        "the elements of one table of an instance", "table.grow fails, or the instance does not start";
    max_resources = 1_000, 16 => 1_000_000,
        "handles (streams, connections, fields) that one instance holds", "the instance is trapped";
    ["The log"]
    access_log_every = 0, 0 => 1_000_000_000,
        "log every so many good requests: 1 is each, 100 every hundredth, 0 none", "`request-answered`; what is refused or fails leaves one in any case";
    max_log_line_bytes = 16 * KIB, 64 => MIB,
        "one line that a guest writes", "the line is cut there and marked";
    max_log_lines = 1_000, 1 => 1_000_000,
        "lines that one instance writes", "the rest is dropped, and one line says so";
    max_queued_log_bytes = MIB, 64 * KIB => GIB,
        "lines that wait until standard error takes them", "further lines are dropped, and one line says how many";
    max_queued_spans = 8_192, 1 => 1_000_000,
        "spans that wait until a collector takes them (docs/TRACING.md)", "further ones are dropped and counted (`thumbs_host_spans_total`)";
    max_call_spans = 128, 1 => 100_000,
        "spans of what one instance asks of the host", "further ones are dropped and counted";
    span_flush_ms = 2_000, 0 => DAY_MS,
        "how long the end waits for a collector to take what waits", "it is lost, and counted";
    log_tail_bytes = 32 * KIB, 0 => 64 * KIB,
        "the last lines of the log that a component is given that asks for them (docs/manifest.md, `log_tail`)", "it gets the newest whole lines of that length";
    ["Messages"]
    message_cpu_ms = 10_000, 1 => DAY_MS,
        "how long the guest of one message may run, not counting what it waits for", "the instance is stopped; its end is `deadline`";
    message_timeout_ms = 28_000, 1 => DAY_MS,
        "the handling of one message, waiting included; should end before the application gives its work to another (lease_secs)",
        "the instance is stopped; its end is `timed-out`";
    prepare_timeout_ms = 120_000, 1 => DAY_MS,
        "the handling of the message that prepares an application, before it serves and in `thumbs migrate`, waiting included", "the instance is stopped; a start goes on with a warning, `thumbs migrate` fails";
    max_pending_messages = 1_024, 1 => 1_000_000,
        "messages of one trigger that wait for a worker", "the message is dropped, which is logged";
    max_message_bytes = 64 * KIB, 2 => 16 * MIB,
        "one message", "publishing it is refused";
    ["SQLite"]
    sql_max_connections = 64, 1 => 1_024,
        "connections to one SQLite database that are in use at the same time", "a statement waits `THUMBS_SQL_BUSY_TIMEOUT_MS`, then fails";
    sql_reserved_connections = 8, 0 => 1_024,
        "of these, connections that only messages use; never more than a quarter", "a request's statement waits for another, as where all are in use";
    sql_max_connections_per_instance = 4, 1 => 1_024,
        "connections to SQLite, and as many to PostgreSQL, that one instance holds", "opening one more fails";
    sql_busy_timeout_ms = 5_000, 0 => DAY_MS,
        "how long a statement waits for another writer", "the statement fails";
    sql_max_idle_ms = 1_000, 1 => DAY_MS,
        "the time that a guest keeps a connection to SQLite between two statements, within a transaction or after writing", "the connection goes back; a transaction is rolled back, and its next statement fails";
    sql_statement_timeout_ms = 10_000, 1 => DAY_MS,
        "how long one statement may run", "it is interrupted and fails";
    sql_max_statement_bytes = 64 * KIB, 64 => MIB,
        "the text of a statement", "the statement fails";
    sql_max_value_bytes = 16 * MIB, KIB => GIB,
        "one text or blob of a statement's parameters or rows", "the statement fails";
    sql_max_rows = 10_000, 1 => 1_000_000,
        "the rows that a statement gives", "the statement fails";
    sql_max_result_bytes = 16 * MIB, KIB => GIB,
        "the values that a statement gives, together", "the statement fails";
    sql_max_database_bytes = 16 * GIB, MIB => 1024 * GIB,
        "the file of one SQLite database", "writing fails as database-full";
    sql_max_memory_bytes = GIB, 16 * MIB => 1024 * GIB,
        "what SQLite has in memory for all databases together: pages, statements, and values while it works on them", "the statement that wants more fails";
    ["PostgreSQL"]
    pg_max_connections = 16, 1 => 1_000,
        "open connections to one PostgreSQL server, whatever user and database they are for", "opening one waits `THUMBS_PG_ACQUIRE_TIMEOUT_MS`, then fails";
    pg_reserved_connections = 4, 0 => 1_000,
        "of these, connections that only messages use; never more than a quarter", "opening one for a request waits for another, as where all are in use";
    pg_max_servers = 16, 1 => 1_000,
        "PostgreSQL servers in use at the same time", "opening a connection to another fails";
    pg_max_age_ms = 30 * 60 * 1_000, 1 => DAY_MS,
        "the time that a connection to PostgreSQL is lent again and again", "it is closed when it comes back, or at once where it waits";
    pg_max_idle_ms = 5 * 60 * 1_000, 1 => DAY_MS,
        "the time that a connection to PostgreSQL waits for somebody who needs it", "it is closed";
    pg_reset_timeout_ms = 1_000, 1 => DAY_MS,
        "how long a PostgreSQL server takes to reset a connection that comes back", "it is closed";
    pg_acquire_timeout_ms = 5_000, 1 => DAY_MS,
        "how long opening waits for a free connection to PostgreSQL", "opening it fails";
    pg_connect_timeout_ms = 5_000, 1 => DAY_MS,
        "how long connecting to a PostgreSQL server takes, its TLS and password included", "opening it fails";
    ["Redis"]
    redis_connect_timeout_ms = 5_000, 1 => DAY_MS,
        "how long connecting to a Redis server takes", "the command fails; a subscription tries again";
    redis_response_timeout_ms = 5_000, 1 => DAY_MS,
        "how long a Redis server takes to answer a command", "the command fails";
    redis_max_exchange_bytes = 65 * MIB, MIB => GIB,
        "a command to a Redis server, and its answer; should hold a value of the key-value store", "the command fails";
    redis_max_addresses = 16, 1 => 1_024,
        "Redis servers (by address, user and database) that have a connection", "one that nobody has open is closed, else opening fails";
    redis_max_connections_per_instance = 16, 1 => 1_024,
        "connections to Redis that one instance holds", "opening one more fails";
    redis_max_private_connections = 64, 1 => 10_000,
        "connections to Redis that guests have for themselves, because of a command that is not for the one that all share", "the command fails";
    max_reconnect_pause_ms = 2_000, 1 => DAY_MS,
        "the time between two attempts to reach a server again", "the next attempt is made";
    ["Key-value"]
    kv_max_key_bytes = 1_024, 1 => 64 * KIB,
        "a key of the key-value store", "the call fails";
    kv_max_value_bytes = 64 * MIB + 64 * KIB, KIB => GIB,
        "a value of the key-value store", "the call fails";
    kv_max_keys = 100_000, 1 => 10_000_000,
        "what get-keys gives", "the call fails";
    ["Blobs"]
    max_blob_bytes = 64 * MIB, KIB => GIB,
        "one blob", "put fails as too-large";
    blob_timeout_ms = 10_000, 1 => DAY_MS,
        "one call of the blob store", "it fails as unavailable";
    blob_cache_bytes = 16 * MIB, 0 => 64 * GIB,
        "what is kept in memory of blobs that never change (docs/manifest.md, `constant_blobs`), none larger than a 64th of it; 0 keeps none", "those that were not asked for lately are read anew";
    ["Outgoing requests"]
    egress_connect_timeout_ms = 5_000, 1 => DAY_MS,
        "connecting for an outgoing request; a guest may ask for less", "the request fails";
    egress_response_timeout_ms = 30_000, 1 => DAY_MS,
        "waiting for an outgoing request's response, and between two parts of its body; a guest may ask for less", "the request fails";
    max_egress_requests = 64, 1 => 100_000,
        "outgoing requests that one instance starts", "the request fails";
}

impl Limits {
    /// Sets one by its name in the table.
    ///
    /// # Errors
    /// An unknown name, or a value that is no number in the limit's range.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), LimitError> {
        let row =
            TABLE.iter().find(|row| row.name == name).ok_or_else(|| LimitError::Unknown(name.to_owned()))?;
        let out_of_range =
            || LimitError::OutOfRange { name: row.name, min: row.min, max: row.max, value: value.to_owned() };
        let number: u64 = value.parse().map_err(|_| out_of_range())?;
        if !(row.min..=row.max).contains(&number) {
            return Err(out_of_range());
        }
        if let Some(slot) = self.slot(name) {
            *slot = number;
        }
        Ok(())
    }

    /// The defaults, changed by those of `environment` that are named `THUMBS_<NAME>`.
    ///
    /// # Errors
    /// A value that is no number in its limit's range.
    pub fn from_env(environment: impl IntoIterator<Item = (String, String)>) -> Result<Self, LimitError> {
        let mut limits = Self::default();
        for (name, value) in environment {
            if let Some(row) = TABLE.iter().find(|row| row.env() == name) {
                limits.set(row.name, &value)?;
            }
        }
        Ok(limits)
    }
}

/// A limit in milliseconds as a duration.
#[must_use]
pub fn millis(limit_ms: u64) -> Duration {
    Duration::from_millis(limit_ms)
}

/// A limit as a length in memory. All ranges of the table fit on 64-bit hosts, the only ones that wasmtime pools on.
#[must_use]
pub fn length(limit: u64) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_in_its_range_and_in_force() {
        let limits = Limits::default();
        for row in TABLE {
            assert!((row.min..=row.max).contains(&row.default), "{}", row.name);
            assert_eq!(limits.get(row.name), Some(row.default), "{}", row.name);
        }
    }

    #[test]
    fn a_name_that_bounds_time_says_its_unit() {
        for row in TABLE {
            if row.bounds.starts_with("how long") || row.bounds.starts_with("the time ") {
                assert!(row.name.ends_with("_ms"), "{}", row.name);
            }
        }
    }

    #[test]
    fn the_environment_sets_a_limit() {
        let limits =
            Limits::from_env([("THUMBS_MESSAGE_CPU_MS".into(), "7".into()), ("PATH".into(), "x".into())])
                .unwrap();
        assert_eq!(limits, Limits { message_cpu_ms: 7, ..Limits::default() });
    }

    #[test]
    fn rejects_a_value_out_of_range_by_naming_the_range() {
        let mut limits = Limits::default();
        for value in ["", "-1", "0", "1e3", "99999999999999999999"] {
            let error = limits.set("message_cpu_ms", value).unwrap_err();
            assert!(error.to_string().contains("from 1 to 86400000"), "{error}");
        }
        assert_eq!(limits.set("message", "1"), Err(LimitError::Unknown("message".into())));
        assert_eq!(limits, Limits::default());
    }
}
