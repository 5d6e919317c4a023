//! From `tracing` to lines: a layer that makes one of each event of the runtime's, of a guest's, and of each warning of a library's.

use std::{fmt::Debug, sync::Arc};

use serde_json::{Map, Value};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    level_filters::LevelFilter,
};
use tracing_subscriber::{Layer, filter::FilterFn, layer::Context, registry::LookupSpan};

use super::{
    Level, LogLine, LogSink, RUNTIME,
    events::{GUEST, TARGET},
};

/// A layer that hands lines of `least` and graver to `sink`. Of libraries it takes warnings and errors: what is below is theirs, and chatty.
pub fn lines<S>(sink: Arc<dyn LogSink>, least: Level) -> impl Layer<S> + Send + Sync + 'static
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    let wanted = move |event: &Metadata<'_>| {
        let level = Level::of(*event.level());
        event.is_event() && level >= least && (is_ours(event.target()) || level >= Level::Warn)
    };
    let most = match least {
        Level::Debug => LevelFilter::DEBUG,
        Level::Info => LevelFilter::INFO,
        Level::Warn => LevelFilter::WARN,
        Level::Error => LevelFilter::ERROR,
    };
    Lines { sink }.with_filter(FilterFn::new(wanted).with_max_level_hint(most))
}

fn is_ours(target: &str) -> bool {
    target == TARGET || target == GUEST
}

struct Lines {
    sink: Arc<dyn LogSink>,
}

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        let mut fields = Fields { values: Map::new(), are_ours: is_ours(metadata.target()) };
        event.record(&mut fields);
        let mut line = LogLine {
            level: Level::of(*metadata.level()),
            component: RUNTIME.into(),
            event: metadata.name().to_owned(),
            correlation_id: None,
            fields: fields.values,
        };
        if fields.are_ours {
            let mut take = |name| match line.fields.remove(name) {
                Some(Value::String(text)) => Some(text),
                _ => None,
            };
            line.correlation_id = take("correlation_id").map(Into::into);
            if let Some(component) = take("component") {
                line.component = component.into();
            }
            if metadata.target() == GUEST {
                line.event = take("event").unwrap_or_default();
                line.fields = match line.fields.remove("fields") {
                    Some(Value::Object(own)) => own,
                    _ => Map::new(),
                };
            }
        } else {
            line.event = "library".to_owned();
            line.fields.insert("target".to_owned(), metadata.target().into());
        }
        self.sink.write(&line);
    }
}

struct Fields {
    values: Map<String, Value>,
    /// What is recorded as `Debug` is then JSON.
    are_ours: bool,
}

impl Fields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.values.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        match serde_json::from_str::<Value>(&text) {
            Ok(value) if self.are_ours => self.insert(field, value),
            _ => self.insert(field, text),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::{
        super::{CaptureSink, Event as Said, Logger, SpanContext, json as object},
        *,
    };

    #[test]
    fn an_event_becomes_a_line_with_its_own_fields_by_their_types() {
        let sink = CaptureSink::new();
        let logger = Logger::new(Arc::new(sink.clone()), Level::Info);
        let (routes, empty) = (json!({"/jobs": "upload"}), json!({}));
        logger.event(&Said::Started {
            application: "thumbs 0.1.0",
            address: "127.0.0.1:3000",
            routes: object(&routes),
            data: object(&empty),
            bounds: object(&empty),
            ready_ms: 7,
        });
        logger.of("upload", Some("req-1"), &Said::RequestFailed { reason: "trap", cause: None });
        let span = SpanContext { trace: 0xab, span: 0xcd, is_sampled: false };
        logger.within("upload", None, Some(span), &Said::Stopping);
        let lines = sink.lines();
        let within = json!({"trace_id": format!("{:032x}", 0xab), "span_id": "00000000000000cd"});
        assert_eq!(Value::Object(lines[2].fields.clone()), within);
        assert_eq!((lines[0].event.as_str(), &*lines[0].component), ("started", RUNTIME));
        assert_eq!(
            Value::Object(lines[0].fields.clone()),
            json!({
                "application": "thumbs 0.1.0", "address": "127.0.0.1:3000", "routes": {"/jobs": "upload"},
                "data": {}, "bounds": {}, "ready_ms": 7,
            })
        );
        assert_eq!(
            lines[1],
            LogLine {
                level: Level::Error,
                component: "upload".into(),
                event: "request-failed".into(),
                correlation_id: Some("req-1".into()),
                fields: Map::from_iter([("reason".to_owned(), "trap".into())]),
            }
        );
    }

    #[test]
    fn a_guests_line_arrives_as_it_was_handed_over() {
        let sink = CaptureSink::new();
        let logger = Logger::new(Arc::new(sink.clone()), Level::Debug);
        let Value::Object(fields) =
            json!({"fields": [1, {"n": 1.5}], "message": "{\"a\": \"\\u001b\"}", "event": null})
        else {
            panic!("an object")
        };
        for level in [Level::Debug, Level::Info, Level::Warn, Level::Error] {
            let line = LogLine {
                level,
                component: "resize".into(),
                event: "job-claimed".into(),
                correlation_id: None,
                fields: fields.clone(),
            };
            logger.line(&line);
            assert_eq!(sink.lines().last(), Some(&line));
        }
    }

    #[test]
    fn warnings_of_libraries_reach_the_log_and_their_chatter_does_not() {
        let sink = CaptureSink::new();
        let subscriber = tracing_subscriber::registry().with(lines(Arc::new(sink.clone()), Level::Debug));
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!("chatter");
            tracing::warn!(n = 1, "careful");
        });
        let lines = sink.lines();
        assert_eq!(lines.len(), 1);
        assert_eq!((lines[0].event.as_str(), lines[0].level), ("library", Level::Warn));
        assert_eq!(lines[0].fields["message"], "careful");
        assert_eq!(lines[0].fields["n"], 1);
    }
}
