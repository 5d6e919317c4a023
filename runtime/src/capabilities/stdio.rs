//! What guests write to standard output and error: each line becomes an event of the log, with the component and the correlation id.
//!
//! A line that is a JSON object keeps its fields; `level`, `event` and `correlation_id` of it are used, and its `component` is not
//! believed. Any other line is an event `output` with the text as `message`. Lines and their number are bounded. What they say is for whoever
//! reads the log, and for whoever reads traces: the host does nothing because of it.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde_json::{Map, Value};
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

use crate::{
    limits::{Limits, length},
    telemetry::{Event, Level, LogLine, Logger},
    traces::CallTrace,
};

/// The output of one instance: both streams. Cheap to clone.
#[derive(Clone, Debug)]
pub struct GuestOutput(Arc<Mutex<Output>>);

#[derive(Debug)]
struct Output {
    log: Logger,
    component: Arc<str>,
    correlation_id: Option<Arc<str>>,
    trace: CallTrace,
    max_line_bytes: usize,
    max_lines: u64,
    lines: u64,
    stdout: Line,
    stderr: Line,
}

#[derive(Debug, Default)]
struct Line {
    bytes: Vec<u8>,
    cut: bool,
}

#[derive(Clone, Copy, Debug)]
enum Which {
    Stdout,
    Stderr,
}

impl GuestOutput {
    /// Of an instance of this component, working on this request.
    #[must_use]
    pub fn new(
        log: Logger,
        component: Arc<str>,
        correlation_id: Option<Arc<str>>,
        trace: CallTrace,
        limits: &Limits,
    ) -> Self {
        Self(Arc::new(Mutex::new(Output {
            log,
            component,
            correlation_id,
            trace,
            max_line_bytes: length(limits.max_log_line_bytes),
            max_lines: limits.max_log_lines,
            lines: 0,
            stdout: Line::default(),
            stderr: Line::default(),
        })))
    }

    /// As the guest's standard output.
    #[must_use]
    pub fn stdout(&self) -> impl StdoutStream + 'static {
        Stream { output: self.clone(), which: Which::Stdout }
    }

    /// As the guest's standard error.
    #[must_use]
    pub fn stderr(&self) -> impl StdoutStream + 'static {
        Stream { output: self.clone(), which: Which::Stderr }
    }

    /// Logs lines that were begun and not ended; for when the instance is done.
    pub fn finish(&self) {
        self.with(|output| {
            output.end_line(Which::Stdout);
            output.end_line(Which::Stderr);
        });
    }

    fn with(&self, use_output: impl FnOnce(&mut Output)) {
        use_output(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Output {
    fn line(&mut self, which: Which) -> &mut Line {
        match which {
            Which::Stdout => &mut self.stdout,
            Which::Stderr => &mut self.stderr,
        }
    }

    fn write(&mut self, which: Which, bytes: &[u8]) {
        let max = self.max_line_bytes;
        for (index, part) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if index > 0 {
                self.end_line(which);
            }
            let line = self.line(which);
            let room = max.saturating_sub(line.bytes.len());
            line.cut |= part.len() > room;
            line.bytes.extend_from_slice(part.get(..room).unwrap_or(part));
        }
    }

    fn end_line(&mut self, which: Which) {
        let line = std::mem::take(self.line(which));
        let text = String::from_utf8_lossy(&line.bytes);
        let text = text.trim_end_matches('\r');
        if text.is_empty() {
            return;
        }
        self.lines += 1;
        if self.lines > self.max_lines {
            if self.lines == self.max_lines + 1 {
                let event = Event::OutputDropped { max_lines: self.max_lines };
                let span = self.trace.context();
                self.log.within(&self.component, self.correlation_id.as_deref(), span, &event);
            }
            return;
        }
        let object =
            if text.starts_with('{') { serde_json::from_str::<Map<String, Value>>(text).ok() } else { None };
        let mut fields = object.unwrap_or_else(|| Map::from_iter([("message".into(), text.into())]));
        if line.cut {
            fields.insert("cut".into(), true.into());
        }
        let text_of = |value: Option<Value>| match value {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        fields.remove("component");
        let level = text_of(fields.remove("level")).and_then(|level| Level::parse(&level));
        let level = level.unwrap_or(match which {
            Which::Stdout => Level::Info,
            Which::Stderr => Level::Warn,
        });
        let event = text_of(fields.remove("event")).unwrap_or_else(|| "output".into());
        self.emit(level, &event, fields);
    }

    fn emit(&self, level: Level, event: &str, mut fields: Map<String, Value>) {
        let own = match fields.remove("correlation_id") {
            Some(Value::String(id)) => Some(Arc::from(id)),
            _ => None,
        };
        let correlation_id = own.or_else(|| self.correlation_id.clone());
        self.trace.line(event, correlation_id.as_deref(), &mut fields);
        self.log.line(&LogLine {
            level,
            component: Arc::clone(&self.component),
            event: event.to_owned(),
            correlation_id,
            fields,
        });
    }
}

struct Stream {
    output: GuestOutput,
    which: Which,
}

/// What a guest may hand over at once; more comes in the next call.
const WRITE_BYTES: usize = 64 * 1024;

impl IsTerminal for Stream {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Stream {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(Self { output: self.output.clone(), which: self.which })
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only hosts of WASI 0.3 ask for it; what is written there is written nowhere.
        Box::new(tokio::io::sink())
    }
}

#[async_trait]
impl Pollable for Stream {
    async fn ready(&mut self) {}
}

impl OutputStream for Stream {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.output.with(|output| output.write(self.which, &bytes));
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(WRITE_BYTES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::telemetry::CaptureSink;

    fn output(limits: &Limits) -> (GuestOutput, CaptureSink) {
        let sink = CaptureSink::new();
        let log = Logger::new(Arc::new(sink.clone()), Level::Debug);
        (GuestOutput::new(log, "resize".into(), Some("req-1".into()), CallTrace::default(), limits), sink)
    }

    fn write(output: &GuestOutput, bytes: &[u8]) {
        output.stderr().p2_stream().write(Bytes::copy_from_slice(bytes)).unwrap();
    }

    #[test]
    fn a_line_is_an_event_however_it_is_cut_into_writes() {
        let (output, sink) = output(&Limits::default());
        for part in ["hel", "lo\r\nwor", "ld\n\n", "unended"] {
            write(&output, part.as_bytes());
        }
        output.finish();
        let lines = sink.lines();
        let messages: Vec<_> = lines.iter().map(|line| line.fields["message"].as_str().unwrap()).collect();
        assert_eq!(messages, ["hello", "world", "unended"]);
        assert!(
            lines
                .iter()
                .all(|line| &*line.component == "resize" && line.correlation_id.as_deref() == Some("req-1"))
        );
    }

    #[test]
    fn a_json_line_keeps_its_fields_and_can_not_pass_for_another_component() {
        let (output, sink) = output(&Limits::default());
        write(&output, b"{\"event\":\"done\",\"level\":\"error\",\"component\":\"runtime\",\"correlation_id\":\"up-7\",\"n\":3}\n");
        let line = sink.lines().remove(0);
        assert_eq!((line.event.as_str(), line.level, &*line.component), ("done", Level::Error, "resize"));
        assert_eq!(line.correlation_id.as_deref(), Some("up-7"));
        assert_eq!(Value::Object(line.fields), serde_json::json!({"n": 3}));
    }

    #[test]
    fn lines_and_their_number_are_bounded() {
        let (output, sink) =
            output(&Limits { max_log_line_bytes: 64, max_log_lines: 3, ..Limits::default() });
        write(&output, &[b'a'; 200]);
        write(&output, b"\nb\nc\nd\ne\n");
        let lines = sink.lines();
        assert_eq!(lines[0].fields["message"].as_str().unwrap().len(), 64);
        assert_eq!(lines[0].fields["cut"], true);
        let events: Vec<_> = lines.iter().map(|line| line.event.as_str()).collect();
        assert_eq!(events, ["output", "output", "output", "output-dropped"]);
    }

    #[test]
    fn bytes_that_are_no_text_do_no_harm() {
        let (output, sink) = output(&Limits::default());
        write(&output, b"\xff\xfe{\0\n{\"a\":\n{}\n{\"event\":7,\"level\":[]}\n");
        assert_eq!(sink.lines().len(), 4);
    }
}
