//! Everything that the runtime says: one row an event, from which come the type that must be built to say it, its level, its
//! fields and its callsite of `tracing`, and the table of the documentation.
//!
//! What components write is not here: an application has a table of its own.

use std::fmt;

use serde_json::{Map, Value};
use tracing::field::{DebugValue, debug};

use super::{Level, LogLine, SpanContext};

/// The target of the runtime's own events.
pub(super) const TARGET: &str = "thumbs::runtime";
/// The target of what guests write.
pub(super) const GUEST: &str = "thumbs::guest";

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The line's `event`: stable, to search for. Lower case with hyphens.
    pub name: &'static str,
    /// The line's `level`.
    pub level: Level,
    /// The fields of its own. One that is not known is left out of a line.
    pub fields: &'static [&'static str],
    /// What happened.
    pub meaning: &'static str,
    /// What the operator does about it.
    pub remedy: &'static str,
}

/// A field that is an object of JSON.
#[derive(Clone, Copy)]
pub struct Json<'a>(&'a Value);

/// A field that is an object of JSON, for an event.
#[must_use]
pub fn json(value: &Value) -> DebugValue<Json<'_>> {
    debug(Json(value))
}

impl fmt::Debug for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

macro_rules! events {
    ($(
        $variant:ident $({ $($field:ident: $kind:ty),* $(,)? })? = $name:literal, $level:ident, $meaning:literal, $remedy:literal;
    )*) => {
        /// One event with its fields.
        #[derive(Clone, Debug)]
        #[expect(missing_docs, reason = "the fields are the line's, the row says what they are for")]
        pub enum Event<'a> {
            $(#[doc = concat!($meaning, ". Remedy: ", $remedy, ".")] $variant $({ $($field: $kind,)* })?,)*
        }

        /// All events, in the order of the documentation.
        pub const TABLE: &[Row] = &[
            $(Row {
                name: $name,
                level: Level::$level,
                fields: &[$($(stringify!($field)),*)?],
                meaning: $meaning,
                remedy: $remedy,
            },)*
        ];

        impl Event<'_> {
            /// The line's `event`.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self {
                    $(Self::$variant { .. } => $name,)*
                }
            }

            /// The line's `level`.
            #[must_use]
            pub const fn level(&self) -> Level {
                match self {
                    $(Self::$variant { .. } => Level::$level,)*
                }
            }

            pub(super) fn emit(&self, component: &str, correlation_id: Option<&str>, span: Option<SpanContext>) {
                let (trace_id, span_id) = (span.map(|span| span.trace_id()), span.map(|span| span.span_id()));
                let (trace_id, span_id) = (trace_id.as_deref(), span_id.as_deref());
                match self {
                    $(Self::$variant $({ $($field),* })? => tracing::event!(
                        name: $name,
                        target: TARGET,
                        tracing_level(Level::$level),
                        { component, correlation_id, trace_id, span_id, $($($field),*)? }
                    ),)*
                }
            }
        }
    };
}

events! {
    Started {
        application: &'a str, address: &'a str, routes: DebugValue<Json<'a>>, data: DebugValue<Json<'a>>,
        bounds: DebugValue<Json<'a>>, ready_ms: u64
    } = "started", Info,
        "The application takes requests and messages", "Nothing";
    OpenToAll { address: &'a str, variable: &'a str } = "open-to-all", Warn,
        "Others than this machine can reach the application, and the variable that lists who may ask is empty: whoever reaches the address may do everything",
        "Set the variable (`thumbs key new` makes what belongs there), or let a proxy in front decide who may ask";
    AdminListens { address: &'a str } = "admin-listens", Info,
        "The numbers of this process, whether it lives and whether it is ready are told at this address", "Nothing";
    AdminOpen { address: &'a str } = "admin-open", Warn,
        "Others than this machine can reach the admin listener, which knows no keys: whoever reaches the address may read the numbers of the process",
        "Nothing where only your Prometheus reaches it; else name an address of this machine alone (`--admin 127.0.0.1:9464`)";
    Stopping = "stopping", Info,
        "The runtime was told to stop: it takes nothing new and waits for what runs", "Nothing";
    CutOff { drain_timeout_ms: u64 } = "cut-off", Warn,
        "What still ran after `THUMBS_DRAIN_TIMEOUT_MS` was ended: requests are cut off, messages end as `stopped`",
        "Where it comes often, raise `THUMBS_DRAIN_TIMEOUT_MS`";
    Stopped { drained: bool } = "stopped", Info,
        "The runtime has ended; `drained` says whether everything was finished", "Nothing";
    ComponentReady { wasm_bytes: u64, composed_ms: u64, total_ms: u64 } = "component-ready", Info,
        "A component was composed, and compiled or taken from the cache", "Nothing";
    ServerUnreachable { setting: &'a str, reason: &'a str } = "server-unreachable", Warn,
        "A server that a setting names can't be reached at start; it is tried again until it answers",
        "Look after the server";
    ServerAnswers { setting: &'a str } = "server-answers", Info,
        "A server that could not be reached at start, or a blob store that refused us, answers now", "Nothing";
    ServerRefuses { setting: &'a str, reason: &'a str } = "server-refuses", Error,
        "A server that could not be reached at start is there and refuses us, or a blob store that served us refuses us now; said once", "Mend the setting";
    PrepareFailed { cause: &'a str } = "prepare-failed", Warn,
        "The component that prepares the application could not; the application is served all the same, and does it when it is needed",
        "Look at the component's own lines before it, mend the cause and run `thumbs migrate`";
    StateNotPrivate { path: &'a str, cause: &'a str } = "state-not-private", Warn,
        "A folder of data, or a file in it, can be read by others, and could not be taken from them",
        "Give it to the user that the runtime runs as, or close it by hand (folders 0700, files 0600)";
    AcceptFailed { cause: &'a str } = "accept-failed", Warn,
        "The system did not give a connection that a client opened; accepting goes on after a pause",
        "Where the cause is the number of open files, raise that limit of the process";
    ConnectionsClamped { max_connections: u64, open_files: u64 } = "connections-clamped", Warn,
        "The process may not have as many files open as `THUMBS_MAX_CONNECTIONS` needs, so it takes no more connections than this",
        "Raise the hard limit of open files (`ulimit -Hn`, `LimitNOFILE`), or lower `THUMBS_MAX_CONNECTIONS`";
    RequestAnswered {
        method: &'a str, path: &'a str, route: Option<&'a str>, status: u64, bytes: Option<u64>, queue_ms: u64, answer_ms: u64,
        caller: Option<&'a str>
    } = "request-answered", Info,
        "A request's answer began; its body may still be written. `caller` is the name of the key that it came with. Each one that was refused or failed (400 and above) leaves this line, and of the others each `THUMBS_ACCESS_LOG_EVERY`-th; all of them where debug lines are kept", "Nothing";
    RequestRefused { reason: &'a str } = "request-refused", Warn,
        "There was no place for a request, and the client got 503: among those that run (`busy`) or upload (`uploading`) none came free within `THUMBS_REQUEST_QUEUE_MS`, or too many wait already (`waiting`)",
        "Where it comes often, add replicas or raise `THUMBS_MAX_CONCURRENT_REQUESTS`, `THUMBS_MAX_UPLOADING_REQUESTS` or `THUMBS_MAX_WAITING_REQUESTS`";
    RequestFailed { reason: &'a str, cause: Option<&'a str> } = "request-failed", Error,
        "A component trapped, was stopped or gave no answer; the client got 500 or 503",
        "For `trap` report the cause; for `out-of-memory`, `out-of-shared-memory`, `deadline` and `timed-out` look at the limits of a request";
    MessageRefused = "message-refused", Warn,
        "A component returned an error for a message", "Look at the component's own lines before it";
    MessageFailed { reason: &'a str, cause: &'a str } = "message-failed", Error,
        "A component that handled a message trapped or was stopped",
        "For `trap` report the cause; for `out-of-memory`, `out-of-shared-memory`, `deadline` and `timed-out` look at the limits of a message";
    ReportFailed { reason: &'a str, cause: &'a str } = "report-failed", Error,
        "The instance that was told of the end of another trapped or was stopped too; nobody else is told",
        "As for `message-failed`; the application finds out by itself, later";
    Subscribed { server: &'a str, channel: &'a str } = "subscribed", Info,
        "Messages of a channel arrive", "Nothing";
    SubscriptionBack { server: &'a str, channel: &'a str } = "subscription-back", Info,
        "Messages of a channel arrive again", "Nothing";
    SubscriptionLost { server: &'a str, channel: &'a str, cause: &'a str } = "subscription-lost", Warn,
        "The connection that messages of a channel arrive on broke, or could not be made; it is tried again until it is there",
        "Look after Redis";
    SubscriptionRefused { server: &'a str, channel: &'a str, cause: &'a str } = "subscription-refused", Error,
        "Redis is there and refuses the subscription; it is tried again", "Mend the user, the password or the channel";
    MessageDropped { server: Option<&'a str>, channel: &'a str, cause: &'a str, messages: u64 } = "message-dropped", Warn,
        "Messages that arrived were not handed on, so many since the last such line",
        "Where `THUMBS_MAX_PENDING_MESSAGES` was hit, add workers or replicas; a message too long is the sender's fault";
    EgressRefused { host: Option<&'a str>, reason: Option<&'a str>, requests: Option<u64> } = "egress-refused", Warn,
        "A component sent a request that it may not send: the first of an instance, and with `requests` how many there were, where it was not the only one",
        "Add the host to `allowed_outbound_hosts`, if it is meant";
    GrantRefused { interface: Option<&'a str>, wanted: Option<&'a str>, times: Option<u64> } = "grant-refused", Warn,
        "A component asked an interface of the host for what it is not granted, and did not get it: a store, a database, an address, a variable, a socket, or what leads out of its database. Each thing is said once an instance, the first eight; `times` is how often more was refused",
        "Where it is meant, grant it: `key_value_stores`, `sqlite_databases`, `allowed_outbound_hosts` or `variables` of the component. Where it is not, look what that component is";
    OutputDropped { max_lines: u64 } = "output-dropped", Warn,
        "An instance has written `THUMBS_MAX_LOG_LINES`; what it writes further is dropped",
        "Look why the component writes so much";
    SpansUnsent { address: &'a str, cause: &'a str } = "spans-unsent", Warn,
        "The collector did not take spans; they are sent a few times more, others wait meanwhile, and what there is no room for is dropped; said once until it works again",
        "Look after the collector, or mend `OTEL_EXPORTER_OTLP_ENDPOINT`; requests are not concerned";
    SpansSent { address: &'a str } = "spans-sent", Info,
        "The collector takes spans again", "Nothing";
    LogLinesDropped { lines: u64 } = "log-lines-dropped", Warn,
        "Standard error was not read for a while, and so many lines before this one were dropped",
        "Look after whatever reads the log, or raise `THUMBS_MAX_QUEUED_LOG_BYTES`";
    Panicked { message: &'a str, place: &'a str, backtrace: Option<&'a str> } = "panicked", Error,
        "The runtime made a mistake; the request or the task that hit it was ended, others go on", "Report it";
}

/// Lines whose fields, or whose very name, are somebody else's.
pub const FOREIGN: &[Row] = &[
    Row {
        name: "output",
        level: Level::Info,
        fields: &["message", "cut"],
        meaning: "A component wrote a line that is no event: what went to standard output, or with the level warn to standard error",
        remedy: "What the text says",
    },
    Row {
        name: "library",
        level: Level::Warn,
        fields: &["target", "message"],
        meaning: "A library of the runtime's warns, with the level warn or error and fields of its own",
        remedy: "What the text says",
    },
];

/// A guest's line, whose name and fields are its own.
pub(super) fn emit_line(line: &LogLine) {
    let (component, correlation_id) = (&*line.component, line.correlation_id.as_deref());
    let (event, fields) = (line.event.as_str(), debug(Fields(&line.fields)));
    macro_rules! emit {
        ($level:ident) => {
            tracing::event!(name: "line", target: GUEST, tracing::Level::$level, { component, event, correlation_id, fields })
        };
    }
    match line.level {
        Level::Debug => emit!(DEBUG),
        Level::Info => emit!(INFO),
        Level::Warn => emit!(WARN),
        Level::Error => emit!(ERROR),
    }
}

struct Fields<'a>(&'a Map<String, Value>);

impl fmt::Debug for Fields<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&serde_json::to_string(self.0).map_err(|_| fmt::Error)?)
    }
}

const fn tracing_level(level: Level) -> tracing::Level {
    match level {
        Level::Debug => tracing::Level::DEBUG,
        Level::Info => tracing::Level::INFO,
        Level::Warn => tracing::Level::WARN,
        Level::Error => tracing::Level::ERROR,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_row_is_named_once_in_one_alphabet_and_says_what_remedy() {
        let mut names = BTreeSet::new();
        for row in TABLE.iter().chain(FOREIGN) {
            assert!(names.insert(row.name), "{} stands twice", row.name);
            assert!(row.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", row.name);
            for field in row.fields {
                assert!(field.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{field}");
                assert!(
                    !["ts", "level", "component", "event", "correlation_id", "trace_id", "span_id"]
                        .contains(field),
                    "{}: every line has {field}",
                    row.name
                );
            }
            assert!(!row.meaning.ends_with('.') && !row.remedy.is_empty() && !row.remedy.ends_with('.'));
        }
    }
}
