//! The log: one JSON object per line on standard error, which every host collects.
//!
//! Each line has `ts`, `level`, `component`, `event` (a stable name to search for), `correlation_id` and, once known, `job_id`; of a request that is
//! part of a trace, or of its job, also `trace_id` and `span_id`.
//! The other fields are the event's own; which events there are stands in `thumbs_domain::event`. Values are escaped by the JSON
//! writer, so no input can forge a line.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use thumbs_domain::event::Event;
use thumbs_domain::id::JobId;
use thumbs_domain::timestamp::Timestamp;
use thumbs_domain::trace::TraceParent;

/// Writes the lines of one request or message.
#[derive(Clone, Debug)]
pub struct Log {
    component: &'static str,
    correlation_id: Option<String>,
    trace: Option<TraceParent>,
    job_id: Option<JobId>,
    is_silent: bool,
}

impl Log {
    /// For a component, before anything is known of what it is asked.
    pub const fn new(component: &'static str) -> Self {
        Self { component, correlation_id: None, trace: None, job_id: None, is_silent: false }
    }

    /// Writes nothing: for tests that do the same a million times.
    #[cfg(feature = "testing")]
    pub const fn silent() -> Self {
        Self { component: "test", correlation_id: None, trace: None, job_id: None, is_silent: true }
    }

    /// From here on, lines name this request.
    #[must_use]
    pub fn with_correlation_id(mut self, correlation_id: &str) -> Self {
        self.correlation_id = Some(correlation_id.to_owned());
        self
    }

    /// From here on, lines name this trace, and the span that asked for what they tell of.
    #[must_use]
    pub fn with_trace(mut self, trace: Option<TraceParent>) -> Self {
        self.trace = trace;
        self
    }

    /// From here on, lines name this job.
    #[must_use]
    pub fn with_job(mut self, job: JobId) -> Self {
        self.job_id = Some(job);
        self
    }

    /// Writes the line of this event.
    pub fn event(&self, event: Event<'_>) {
        if self.is_silent {
            return;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Timestamp::from_unix_millis(i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
        eprintln!("{}", self.line(now, event));
    }

    fn line(&self, now: Timestamp, event: Event<'_>) -> String {
        let mut line = Map::new();
        line.insert("ts".to_owned(), now.to_string().into());
        line.insert("level".to_owned(), event.level().name().into());
        line.insert("component".to_owned(), self.component.into());
        line.insert("event".to_owned(), event.name().into());
        if let Some(id) = &self.correlation_id {
            line.insert("correlation_id".to_owned(), id.as_str().into());
        }
        if let Some(trace) = &self.trace {
            line.insert("trace_id".to_owned(), trace.trace_id().into());
            line.insert("span_id".to_owned(), trace.span_id().into());
        }
        if let Some(id) = &self.job_id {
            line.insert("job_id".to_owned(), id.to_string().into());
        }
        line.extend(event.fields().into_iter().map(|(name, value)| (name.to_owned(), shortened(value))));
        Value::Object(line).to_string()
    }
}

/// Some drivers tell a whole backtrace; its beginning says what is wrong.
fn shortened(value: Value) -> Value {
    const MAX_CHARS: usize = 500;
    match value {
        Value::String(text) if text.chars().nth(MAX_CHARS).is_some() => {
            Value::String(text.chars().take(MAX_CHARS).chain(['…']).collect())
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_is_one_json_object_with_the_ids() {
        let job = JobId::parse("01932c07-20a4-7b3c-8d4e-5f6071829304").unwrap();
        let trace = TraceParent::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").ok();
        let log = Log::new("resize").with_correlation_id("req-1").with_trace(trace).with_job(job);
        let cause = "a \"quoted\"\n{\"level\":\"info\"}";
        let event = Event::AttemptFailed { code: "trap", attempt: 2, cause: Some(cause) };
        let line = log.line(Timestamp::from_unix_millis(0), event);
        assert!(!line.contains('\n'));
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap(),
            json!({
                "ts": "1970-01-01T00:00:00.000Z", "level": "warn", "component": "resize", "event": "attempt-failed",
                "correlation_id": "req-1", "job_id": job.to_string(),
                "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736", "span_id": "00f067aa0ba902b7",
                "code": "trap", "attempt": 2, "cause": cause,
            })
        );
    }

    #[test]
    fn a_long_text_is_cut() {
        let log = Log::new("upload");
        let cause = "é".repeat(501);
        let line = log.line(Timestamp::from_unix_millis(0), Event::WakeUpLost { cause: &cause });
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["cause"], "é".repeat(500) + "…");
    }
}
