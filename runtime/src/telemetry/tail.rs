//! The last lines, for a component that asks for them (docs/manifest.md, `log_tail`): an operator may want to see them who does not read the
//! log where it goes. They are kept beside their way there, and no line waits for anybody.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
};

use super::{LogFormat, LogLine, LogSink};

/// As many bytes of lines are kept; of these, a component is given as many as `log_tail_bytes` says.
pub const MAX_TAIL_BYTES: usize = 64 * 1024;

/// Keeps the last lines, and hands each on.
pub(super) struct Tail {
    next: Arc<dyn LogSink>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    /// JSON with a line feed each, the newest last.
    lines: VecDeque<Box<str>>,
    bytes: usize,
}

impl Tail {
    pub(super) fn before(next: Arc<dyn LogSink>) -> Self {
        Self { next, kept: Mutex::default() }
    }

    /// The last whole lines of so many bytes together, oldest first.
    pub(super) fn text(&self, max_bytes: usize) -> String {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut bytes = 0_usize;
        let fits = |line: &&str| {
            bytes = bytes.saturating_add(line.len());
            bytes <= max_bytes
        };
        let newest_first = kept.lines.iter().rev().map(AsRef::as_ref);
        let mut lines: Vec<&str> = newest_first.take_while(fits).collect();
        lines.reverse();
        lines.concat()
    }
}

impl LogSink for Tail {
    fn write(&self, line: &LogLine) {
        let text = LogFormat::Json.line(line);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += text.len();
        kept.lines.push_back(text.into());
        while kept.bytes > MAX_TAIL_BYTES
            && let Some(oldest) = kept.lines.pop_front()
        {
            kept.bytes -= oldest.len();
        }
        drop(kept);
        self.next.write(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::{CaptureSink, Level};

    #[test]
    fn the_last_lines_are_kept_whole_and_all_go_on() {
        let sink = CaptureSink::new();
        let tail = Tail::before(Arc::new(sink.clone()));
        let line = |number: usize| LogLine {
            level: Level::Info,
            component: "c".into(),
            event: format!("event-{number}"),
            correlation_id: None,
            fields: [("text".to_owned(), "x".repeat(100).into())].into_iter().collect(),
        };
        for number in 0..1_000 {
            tail.write(&line(number));
        }
        assert_eq!(sink.lines().len(), 1_000);
        let text = tail.text(usize::MAX);
        assert!((MAX_TAIL_BYTES - 300..=MAX_TAIL_BYTES).contains(&text.len()), "{}", text.len());
        let events: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(events.last().unwrap()["event"], "event-999");
        let two = tail.text(text.len() / events.len() * 5 / 2);
        assert_eq!((two.lines().count(), text.ends_with(&two)), (2, true));
        assert_eq!(tail.text(0), "");
    }
}
