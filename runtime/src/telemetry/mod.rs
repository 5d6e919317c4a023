//! What the runtime says of itself and what guests write: one stream of lines per runtime.
//!
//! What the runtime says is an [`Event`], a row of the table in `events.rs`; it goes through `tracing`, to a subscriber that the runtime
//! carries with it, and so does what a guest writes. `lines.rs` makes a [`LogLine`] of each and hands it to the runtime's [`LogSink`]; how a
//! line looks is in `format.rs`, and who writes it, without anybody waiting for it, in `queue.rs`. No subscriber is global, so several
//! runtimes in one process keep their lines apart and a test reads exactly those of its own. Only the binary has the process's libraries
//! and panics speak in its log ([`Logger::take_over_process`]).

mod events;
mod format;
mod lines;
mod process;
mod queue;
mod sink;
mod span;
mod tail;

pub use events::{Event, FOREIGN, Json, Row, TABLE, json};
pub use format::LogFormat;
pub use lines::lines;
pub use queue::QueuedSink;
pub use sink::{CaptureSink, LogSink, WriterSink};
pub use span::SpanContext;
pub use tail::MAX_TAIL_BYTES;

use std::{fmt, sync::Arc};

use serde_json::{Map, Value};
use tracing::{Dispatch, dispatcher::with_default};
use tracing_subscriber::layer::SubscriberExt as _;

/// Who speaks where it is not a component.
pub const RUNTIME: &str = "runtime";

/// How much an operator should care; ordered, the gravest last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For someone who looks for a fault.
    Debug,
    /// The ordinary course.
    Info,
    /// Something went wrong and was dealt with.
    Warn,
    /// Something is wrong and needs a person.
    Error,
}

impl Level {
    /// As it stands in a line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }

    /// The level of this name, in any case; `trace` counts as `debug`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [("trace", Self::Debug), ("debug", Self::Debug), ("info", Self::Info), ("warn", Self::Warn)]
            .into_iter()
            .chain([("warning", Self::Warn), ("error", Self::Error)])
            .find_map(|(known, level)| known.eq_ignore_ascii_case(name).then_some(level))
    }

    const fn of(level: tracing::Level) -> Self {
        match level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::INFO => Self::Info,
            _ => Self::Debug,
        }
    }
}

/// One line.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// How grave.
    pub level: Level,
    /// The component, or [`RUNTIME`].
    pub component: Arc<str>,
    /// A stable name to search for.
    pub event: String,
    /// The request it belongs to.
    pub correlation_id: Option<Arc<str>>,
    /// The event's own. `ts` here wins over the time of writing: a guest knows better when it happened.
    pub fields: Map<String, Value>,
}

/// Says things to the runtime's own subscriber. Cheap to clone.
#[derive(Clone)]
pub struct Logger {
    dispatch: Dispatch,
    least: Level,
    tail: Option<Arc<tail::Tail>>,
}

impl Logger {
    /// Lines of `least` and graver go to `sink`.
    #[must_use]
    pub fn new(sink: Arc<dyn LogSink>, least: Level) -> Self {
        let tail = Arc::new(tail::Tail::before(sink));
        let sink = Arc::clone(&tail) as Arc<dyn LogSink>;
        let logger = Self::over(tracing_subscriber::registry().with(lines(sink, least)), least);
        Self { tail: Some(tail), ..logger }
    }

    /// Over a subscriber of the embedder's, which has [`lines`] as one of its layers. What is less grave than `least` is not even handed to it.
    #[must_use]
    pub fn over(subscriber: impl Into<Dispatch>, least: Level) -> Self {
        Self { dispatch: subscriber.into(), least, tail: None }
    }

    /// The last lines as JSON, oldest first, of at most so many bytes together; none where an embedder's subscriber takes the lines.
    #[must_use]
    pub fn tail(&self, max_bytes: usize) -> Option<String> {
        self.tail.as_ref().map(|tail| tail.text(max_bytes))
    }

    /// Whether an event of this level is kept, for a caller that would work to make it.
    #[must_use]
    pub fn keeps(&self, level: Level) -> bool {
        level >= self.least
    }

    /// Hands on a line of a guest's.
    pub fn line(&self, line: &LogLine) {
        if self.keeps(line.level) {
            with_default(&self.dispatch, || events::emit_line(line));
        }
    }

    /// An event of the runtime's own.
    pub fn event(&self, event: &Event<'_>) {
        self.of(RUNTIME, None, event);
    }

    /// An event of the runtime's that is about a component, and perhaps a request.
    pub fn of(&self, component: &str, correlation_id: Option<&str>, event: &Event<'_>) {
        self.within(component, correlation_id, None, event);
    }

    /// The same within a span, of which the line says which one it is.
    pub fn within(
        &self,
        component: &str,
        correlation_id: Option<&str>,
        span: Option<SpanContext>,
        event: &Event<'_>,
    ) {
        if self.keeps(event.level()) {
            with_default(&self.dispatch, || event.emit(component, correlation_id, span));
        }
    }
}

impl fmt::Debug for Logger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logger").field("least", &self.least).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logger_drops_what_is_below_its_level() {
        let sink = CaptureSink::new();
        let logger = Logger::new(Arc::new(sink.clone()), Level::Warn);
        logger.event(&Event::Stopping);
        logger.event(&Event::AcceptFailed { cause: "no descriptors" });
        let events: Vec<_> = sink.lines().into_iter().map(|line| line.event).collect();
        assert_eq!(events, ["accept-failed"]);
    }

    #[test]
    fn loggers_of_one_process_keep_their_lines_apart_whatever_they_keep() {
        let (loud, quiet) = (CaptureSink::new(), CaptureSink::new());
        let loud_logger = Logger::new(Arc::new(loud.clone()), Level::Debug);
        let quiet_logger = Logger::new(Arc::new(quiet.clone()), Level::Error);
        std::thread::scope(|threads| {
            for logger in [&loud_logger, &quiet_logger, &loud_logger, &quiet_logger] {
                threads.spawn(|| {
                    for _ in 0..100 {
                        logger.event(&Event::Stopping);
                        logger.event(&Event::ReportFailed { reason: "trap", cause: "unreachable" });
                    }
                });
            }
        });
        let of = |sink: &CaptureSink, event| sink.lines().iter().filter(|line| line.event == event).count();
        assert_eq!((of(&loud, "stopping"), of(&loud, "report-failed")), (200, 200));
        assert_eq!((of(&quiet, "stopping"), of(&quiet, "report-failed")), (0, 200));
    }

    #[test]
    fn levels_are_read_in_any_case() {
        assert_eq!(Level::parse("WARN"), Some(Level::Warn));
        assert_eq!(Level::parse("trace"), Some(Level::Debug));
        assert_eq!(Level::parse("loud"), None);
    }
}
