//! How a line looks: one JSON object for machines, or a short text for a person at a terminal.

use std::{fmt::Write as _, io::IsTerminal};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Map, Value};

use super::LogLine;

/// How lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// One object per line: `ts`, `level`, `component`, `event`, `correlation_id`, then the event's own fields.
    Json,
    /// Time, level, component, event and `name=value`, in one line.
    Text,
}

impl LogFormat {
    /// Text where a person reads standard error, else JSON.
    #[must_use]
    pub fn of_stderr() -> Self {
        if std::io::stderr().is_terminal() { Self::Text } else { Self::Json }
    }

    /// The line with its line feed.
    #[must_use]
    pub fn line(self, line: &LogLine) -> String {
        self.line_at(line, Utc::now())
    }

    fn line_at(self, line: &LogLine, now: DateTime<Utc>) -> String {
        match self {
            Self::Json => json(line, now),
            Self::Text => text(line, now),
        }
    }
}

fn json(line: &LogLine, now: DateTime<Utc>) -> String {
    let mut object = Map::with_capacity(line.fields.len() + 5);
    object.insert("ts".into(), now.to_rfc3339_opts(SecondsFormat::Millis, true).into());
    object.extend(line.fields.clone());
    // After the fields: a guest must not pass for another component or level.
    object.insert("level".into(), line.level.name().into());
    object.insert("component".into(), line.component.as_ref().into());
    object.insert("event".into(), line.event.as_str().into());
    if let Some(id) = &line.correlation_id {
        object.insert("correlation_id".into(), id.as_ref().into());
    }
    let mut text = Value::Object(object).to_string();
    text.push('\n');
    text
}

fn text(line: &LogLine, now: DateTime<Utc>) -> String {
    let mut text = format!(
        "{} {:5} {}: {}",
        now.format("%H:%M:%S%.3f"),
        line.level.name(),
        line.component,
        plain(&line.event)
    );
    for (name, value) in line.fields.iter().filter(|(name, _)| *name != "ts") {
        // Writing to a String can't fail.
        let _ = match value {
            Value::String(value) => write!(text, " {}={}", plain(name), quoted(value)),
            value => write!(text, " {}={value}", plain(name)),
        };
    }
    if let Some(id) = &line.correlation_id {
        let _ = write!(text, " [{}]", plain(id));
    }
    text.push('\n');
    text
}

/// Without control characters: a guest's text must not steer the terminal or forge a line.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

fn quoted(text: &str) -> String {
    let plain = plain(text);
    if plain.contains(' ') || plain.is_empty() { format!("{plain:?}") } else { plain }
}

#[cfg(test)]
mod tests {
    use super::super::Level;
    use super::*;

    fn line(fields: Value) -> LogLine {
        let Value::Object(fields) = fields else { panic!("fields are an object") };
        LogLine {
            level: Level::Warn,
            component: "resize".into(),
            event: "attempt-failed".into(),
            correlation_id: Some("req-1".into()),
            fields,
        }
    }

    #[test]
    fn a_json_line_is_one_object_and_no_field_can_pass_for_another_component() {
        let line = line(
            serde_json::json!({"component": "runtime", "level": "error", "cause": "a\n\"b\"", "ts": "then"}),
        );
        let text = LogFormat::Json.line_at(&line, DateTime::UNIX_EPOCH);
        assert_eq!(text.matches('\n').count(), 1);
        assert_eq!(
            serde_json::from_str::<Value>(&text).unwrap(),
            serde_json::json!({
                "ts": "then", "level": "warn", "component": "resize", "event": "attempt-failed",
                "correlation_id": "req-1", "cause": "a\n\"b\"",
            })
        );
    }

    #[test]
    fn a_text_line_can_not_steer_the_terminal() {
        let line = line(serde_json::json!({"cause": "\u{1b}[2J\nfake line", "n": 3}));
        let text = LogFormat::Text.line_at(&line, DateTime::UNIX_EPOCH);
        assert_eq!(text.matches('\n').count(), 1);
        assert!(!text.contains('\u{1b}'));
        assert!(text.starts_with("00:00:00.000 warn  resize: attempt-failed cause="), "{text}");
        assert!(text.ends_with("n=3 [req-1]\n"), "{text}");
    }
}
