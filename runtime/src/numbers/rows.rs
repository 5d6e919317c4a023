//! All metrics of a process: from each row come its lines and its row in docs/METRICS.md.

/// What Prometheus does with a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Goes up and down.
    Gauge,
    /// Only goes up.
    Counter,
    /// Counts below bounds, with a sum.
    Histogram,
}

impl Kind {
    /// As the text format spells it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Gauge => "gauge",
            Self::Counter => "counter",
            Self::Histogram => "histogram",
        }
    }
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// With the unit, and `_total` where it counts.
    pub name: &'static str,
    /// What Prometheus does with it.
    pub kind: Kind,
    /// What tells its values apart.
    pub labels: &'static [&'static str],
    /// What it tells.
    pub meaning: &'static str,
}

macro_rules! metrics {
    ($($const:ident = $name:literal, $kind:ident, [$($label:literal),*], $meaning:literal;)*) => {
        $(pub(crate) const $const: Row =
            Row { name: $name, kind: Kind::$kind, labels: &[$($label),*], meaning: $meaning };)*

        /// All of them, in the order of the documentation.
        pub const TABLE: &[Row] = &[$($const),*];
    };
}

metrics! {
    INFO = "thumbs_host_info", Gauge, ["version"], "Always 1; the version of the host";
    REQUESTS = "thumbs_host_requests_total", Counter, ["route", "status"],
        "Requests that were answered, by the route in the manifest; `route` is empty for what none fits, the host's own health checks among it";
    ANSWER = "thumbs_host_request_seconds", Histogram, ["route"],
        "From the header of a request to the beginning of its answer, its body and all waiting included";
    IN_WORK = "thumbs_host_requests_in_work", Gauge, ["state"],
        "Requests that are there: `running`, `uploading`, `waiting` in an instance that sleeps, `parked` without one";
    IN_WORK_MAX = "thumbs_host_requests_in_work_max", Gauge, ["state"],
        "How many of each there may be (`THUMBS_MAX_CONCURRENT_REQUESTS` and its like)";
    CONNECTIONS = "thumbs_host_connections", Gauge, [], "Connections of clients that are open";
    CONNECTIONS_MAX = "thumbs_host_connections_max", Gauge, [], "How many there may be (`THUMBS_MAX_CONNECTIONS`, or what files allow)";
    REFUSALS = "thumbs_host_refusals_total", Counter, ["reason"],
        "Requests that the host refused: `busy`, `uploading`, `waiting` for want of a place, the others by the client's fault";
    CALLS = "thumbs_host_calls_total", Counter, ["component"], "Instances that were begun, one for each request and each message";
    INSTANCES = "thumbs_host_instances", Gauge, ["component"], "Instances that live";
    FAILURES = "thumbs_host_call_failures_total", Counter, ["component", "reason"],
        "Instances that ended without an end of their own: `trap`, `deadline`, `timed-out`, `out-of-memory`, `out-of-shared-memory`, `busy`, `stopped`";
    GUEST_CPU = "thumbs_host_guest_cpu_seconds_total", Counter, ["component"],
        "Processor time of instances that have ended, and of what the host computed for them";
    MEMORY = "thumbs_host_memory_bytes", Gauge, ["of"],
        "What instances have of their budget, those of `requests` and those of `messages`: memories, tables, and what the host holds for them";
    MEMORY_MAX = "thumbs_host_memory_max_bytes", Gauge, ["of"], "That budget (`THUMBS_MAX_TOTAL_MEMORY_BYTES`)";
    SQL = "thumbs_host_sql_connections", Gauge, ["store", "state"],
        "Connections to `sqlite` and `postgres`, `lent` to an instance or `idle`";
    SQL_MAX = "thumbs_host_sql_connections_max", Gauge, ["store"],
        "How many may be lent: for each database of `sqlite`, for each server of `postgres`, together";
    SQL_WAITS = "thumbs_host_sql_waits_total", Counter, ["store", "of"],
        "How often an instance had to wait for a `connection`, or in SQLite for the `turn` to write";
    SQL_WAITED = "thumbs_host_sql_wait_seconds_total", Counter, ["store", "of"], "For how long in all";
    CONNECTS = "thumbs_host_connects_total", Counter, ["server", "outcome"],
        "Attempts to connect to `postgres` and `redis`, `made` or `failed`; what fails on and on is down";
    BLOB_READS = "thumbs_host_constant_blob_reads_total", Counter, ["from"],
        "Blobs that never change and were asked for as a whole: found in `memory`, or read from the `store`; none where nothing is kept";
    BLOBS_KEPT = "thumbs_host_constant_blobs_bytes", Gauge, [], "What is kept of them in memory (`THUMBS_BLOB_CACHE_BYTES`)";
    SPANS = "thumbs_host_spans_total", Counter, ["fate"],
        "Spans of traces that are recorded: `sent` to the collector, `dropped` for want of room, `unsent` because no collector took them; none where nothing is traced";
    DROPPED = "thumbs_host_log_lines_dropped_total", Counter, [],
        "Lines of the log that were lost, because who reads standard error was too slow";
    BLOCKING = "thumbs_host_blocking_tasks", Gauge, ["state"],
        "Work that may wait for a disk: `running` on a thread of its own, `queued` for one";
    CPU = "process_cpu_seconds_total", Counter, [], "Processor time of the process, the system's on its behalf included";
    RESIDENT = "process_resident_memory_bytes", Gauge, [], "Memory that the process has";
    OPEN_FDS = "process_open_fds", Gauge, [], "Files and connections that it has open";
    MAX_FDS = "process_max_fds", Gauge, [], "How many it may have open";
    START = "process_start_time_seconds", Gauge, [], "When the application was started, in seconds since 1970";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_as_prometheus_wants_them_and_all_different() {
        let names: BTreeSet<_> = TABLE.iter().map(|row| row.name).collect();
        assert_eq!(names.len(), TABLE.len());
        for row in TABLE {
            assert_eq!(row.name.ends_with("_total"), row.kind == Kind::Counter, "{}", row.name);
            // In OpenMetrics a counter's family has the name without `_total`.
            assert!(
                !names.contains(row.name.trim_end_matches("_total")) || row.kind != Kind::Counter,
                "{}",
                row.name
            );
        }
    }
}
