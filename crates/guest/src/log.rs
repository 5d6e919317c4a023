//! The log: one JSON object per line on standard error, which every host collects.
//!
//! Each line has `ts`, `level`, `component`, `event` (a stable name to search for), `correlation_id` and, once known, `job_id`.
//! The other fields are the event's own. Values are escaped by the JSON writer, so no input can forge a line.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Map, Value};
use thumbs_domain::id::JobId;
use thumbs_domain::timestamp::Timestamp;

/// How much an operator should care.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The ordinary course.
    Info,
    /// Something went wrong and was dealt with.
    Warn,
    /// Something is wrong and needs a person.
    Error,
}

impl Level {
    const fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// Writes the lines of one request or message.
#[derive(Clone, Debug)]
pub struct Log {
    component: &'static str,
    correlation_id: Option<String>,
    job_id: Option<JobId>,
}

impl Log {
    /// For a component, before anything is known of what it is asked.
    pub const fn new(component: &'static str) -> Self {
        Self { component, correlation_id: None, job_id: None }
    }

    /// From here on, lines name this request.
    #[must_use]
    pub fn with_correlation_id(mut self, correlation_id: &str) -> Self {
        self.correlation_id = Some(correlation_id.to_owned());
        self
    }

    /// From here on, lines name this job.
    #[must_use]
    pub fn with_job(mut self, job: JobId) -> Self {
        self.job_id = Some(job);
        self
    }

    /// The ordinary course.
    pub fn info(&self, event: &str, fields: &[(&str, Value)]) {
        self.write(Level::Info, event, fields);
    }

    /// Something went wrong and was dealt with.
    pub fn warn(&self, event: &str, fields: &[(&str, Value)]) {
        self.write(Level::Warn, event, fields);
    }

    /// Something is wrong and needs a person.
    pub fn error(&self, event: &str, fields: &[(&str, Value)]) {
        self.write(Level::Error, event, fields);
    }

    fn write(&self, level: Level, event: &str, fields: &[(&str, Value)]) {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let now = Timestamp::from_unix_millis(i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
        eprintln!("{}", self.line(now, level, event, fields));
    }

    fn line(&self, now: Timestamp, level: Level, event: &str, fields: &[(&str, Value)]) -> String {
        let mut line = Map::new();
        line.insert("ts".to_owned(), now.to_string().into());
        line.insert("level".to_owned(), level.name().into());
        line.insert("component".to_owned(), self.component.into());
        line.insert("event".to_owned(), event.into());
        if let Some(id) = &self.correlation_id {
            line.insert("correlation_id".to_owned(), id.as_str().into());
        }
        if let Some(id) = &self.job_id {
            line.insert("job_id".to_owned(), id.to_string().into());
        }
        line.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), shortened(value))));
        Value::Object(line).to_string()
    }
}

/// Some drivers tell a whole backtrace; its beginning says what is wrong.
fn shortened(value: &Value) -> Value {
    const MAX_CHARS: usize = 500;
    match value {
        Value::String(text) if text.chars().nth(MAX_CHARS).is_some() => {
            Value::String(text.chars().take(MAX_CHARS).chain(['…']).collect())
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_line_is_one_json_object_with_the_ids() {
        let job = JobId::parse("01932c07-20a4-7b3c-8d4e-5f6071829304").unwrap();
        let log = Log::new("resize").with_correlation_id("req-1").with_job(job);
        let line = log.line(
            Timestamp::from_unix_millis(0),
            Level::Warn,
            "attempt-failed",
            &[("cause", "a \"quoted\"\n{\"level\":\"info\"}".into()), ("attempts", 2.into())],
        );
        assert!(!line.contains('\n'));
        assert_eq!(
            serde_json::from_str::<Value>(&line).unwrap(),
            json!({
                "ts": "1970-01-01T00:00:00.000Z", "level": "warn", "component": "resize", "event": "attempt-failed",
                "correlation_id": "req-1", "job_id": job.to_string(),
                "cause": "a \"quoted\"\n{\"level\":\"info\"}", "attempts": 2,
            })
        );
    }

    #[test]
    fn a_long_text_is_cut() {
        let log = Log::new("upload");
        let line =
            log.line(Timestamp::from_unix_millis(0), Level::Info, "x", &[("cause", "é".repeat(501).into())]);
        let line: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(line["cause"], "é".repeat(500) + "…");
    }
}
