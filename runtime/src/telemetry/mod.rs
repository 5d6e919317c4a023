//! What the runtime says of itself and what guests write: one stream of events per runtime.
//!
//! An event is a level, a stable name, who speaks, ids and free fields. It goes to the runtime's [`LogSink`]; nothing here is global, so
//! several runtimes in one process keep their lines apart and a test reads exactly those of its own. How a line looks is in
//! `format.rs`; the events of libraries (`tracing`) come in through `bridge.rs`, which only the binary installs.

mod bridge;
mod format;
mod sink;

pub use bridge::Bridge;
pub use format::LogFormat;
pub use sink::{CaptureSink, LogSink, WriterSink};

use std::{fmt, sync::Arc};

use serde_json::{Map, Value};

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
    pub fn name(self) -> &'static str {
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
}

/// One event.
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

/// Hands events to the runtime's sink. Cheap to clone.
#[derive(Clone)]
pub struct Logger {
    sink: Arc<dyn LogSink>,
    least: Level,
}

impl Logger {
    /// Events of `least` and graver go to `sink`.
    #[must_use]
    pub fn new(sink: Arc<dyn LogSink>, least: Level) -> Self {
        Self { sink, least }
    }

    /// Whether an event of this level is kept, for a caller that would work to make it.
    #[must_use]
    pub fn keeps(&self, level: Level) -> bool {
        level >= self.least
    }

    /// Hands on a line as it is.
    pub fn line(&self, line: &LogLine) {
        if self.keeps(line.level) {
            self.sink.write(line);
        }
    }

    /// An event of the runtime's own.
    pub fn event(&self, level: Level, event: &str, fields: &[(&str, Value)]) {
        self.of(level, RUNTIME, event, None, fields);
    }

    /// An event of the runtime's that is about a component, and perhaps a request.
    pub fn of(
        &self,
        level: Level,
        component: &str,
        event: &str,
        correlation_id: Option<&str>,
        fields: &[(&str, Value)],
    ) {
        if self.keeps(level) {
            self.sink.write(&LogLine {
                level,
                component: component.into(),
                event: event.to_owned(),
                correlation_id: correlation_id.map(Into::into),
                fields: fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect(),
            });
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
        logger.event(Level::Info, "quiet", &[]);
        logger.event(Level::Error, "loud", &[("n", 1.into())]);
        let events: Vec<_> = sink.lines().into_iter().map(|line| line.event).collect();
        assert_eq!(events, ["loud"]);
    }

    #[test]
    fn levels_are_read_in_any_case() {
        assert_eq!(Level::parse("WARN"), Some(Level::Warn));
        assert_eq!(Level::parse("trace"), Some(Level::Debug));
        assert_eq!(Level::parse("loud"), None);
    }
}
