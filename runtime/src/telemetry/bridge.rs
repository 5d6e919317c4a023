//! Brings the `tracing` events of libraries into a runtime's log. Only the binary installs it, for a subscriber is global to a process.

use std::fmt::Debug;

use serde_json::{Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{Layer, layer::Context};

use super::{Level, LogLine, Logger, RUNTIME};

/// A layer that hands warnings and errors of libraries to a [`Logger`]. What is below is theirs: they are chatty.
#[derive(Debug)]
pub struct Bridge {
    logger: Logger,
}

impl Bridge {
    /// To this logger.
    #[must_use]
    pub fn new(logger: Logger) -> Self {
        Self { logger }
    }
}

impl<S: Subscriber> Layer<S> for Bridge {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        *metadata.level() <= tracing::Level::WARN
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let level =
            if *event.metadata().level() == tracing::Level::ERROR { Level::Error } else { Level::Warn };
        let mut fields = Fields(Map::new());
        event.record(&mut fields);
        fields.0.insert("target".into(), event.metadata().target().into());
        self.logger.line(&LogLine {
            level,
            component: RUNTIME.into(),
            event: "library".into(),
            correlation_id: None,
            fields: fields.0,
        });
    }
}

struct Fields(Map<String, Value>);

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().into(), value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.0.insert(field.name().into(), format!("{value:?}").into());
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::super::CaptureSink;
    use super::*;

    #[test]
    fn warnings_of_libraries_reach_the_log_and_their_chatter_does_not() {
        let sink = CaptureSink::new();
        let logger = Logger::new(Arc::new(sink.clone()), Level::Debug);
        let subscriber = tracing_subscriber::registry().with(Bridge::new(logger));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("chatter");
            tracing::warn!(n = 1, "careful");
        });
        let lines = sink.lines();
        assert_eq!(lines.len(), 1);
        assert_eq!(lines[0].fields["message"], "careful");
    }
}
