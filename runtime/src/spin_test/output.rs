//! What a test writes: the suite's standard output and error as they are, the component's log lines as text, in the order in which they
//! came. Nobody sees it unless the test fails.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use tokio::io::AsyncWrite;
use wasmtime_wasi::{
    async_trait,
    cli::{IsTerminal, StdoutStream},
    p2::{OutputStream, Pollable, StreamResult},
};

use crate::limits::{Limits, length};

/// What a suite may hand over at once; more comes in the next call.
const WRITE_BYTES: usize = 64 * 1024;

/// The output of one test. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Output(Arc<Mutex<Lines>>);

#[derive(Debug)]
struct Lines {
    bytes: Vec<u8>,
    /// Of the line that is being written.
    line_bytes: usize,
    lines: u64,
    max_line_bytes: usize,
    max_lines: u64,
    suite_wrote: bool,
}

impl Output {
    /// Empty, with the bounds that all output of guests has: longer lines are cut, further ones dropped.
    pub(super) fn new(limits: &Limits) -> Self {
        Self(Arc::new(Mutex::new(Lines {
            bytes: Vec::new(),
            line_bytes: 0,
            lines: 0,
            max_line_bytes: length(limits.max_log_line_bytes),
            max_lines: limits.max_log_lines,
            suite_wrote: false,
        })))
    }

    fn with<T>(&self, use_lines: impl FnOnce(&mut Lines) -> T) -> T {
        use_lines(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn push(&self, bytes: &[u8]) {
        self.with(|lines| lines.push(bytes));
    }

    /// Whether any of it is the suite's own, not a log line of the component.
    pub(super) fn suite_wrote(&self) -> bool {
        self.with(|lines| lines.suite_wrote)
    }

    /// All of it, without characters that could steer a terminal.
    pub(super) fn text(&self) -> String {
        let bytes = self.with(|lines| lines.bytes.clone());
        String::from_utf8_lossy(&bytes)
            .chars()
            .map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c })
            .collect()
    }
}

impl Lines {
    fn push(&mut self, bytes: &[u8]) {
        for (index, part) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if index > 0 {
                self.end_line();
            }
            let room = self.max_line_bytes.saturating_sub(self.line_bytes);
            self.line_bytes = self.line_bytes.saturating_add(part.len());
            if self.lines < self.max_lines {
                self.bytes.extend_from_slice(part.get(..room).unwrap_or(part));
            }
        }
    }

    fn end_line(&mut self) {
        if self.lines < self.max_lines {
            self.bytes.push(b'\n');
        }
        self.line_bytes = 0;
        self.lines = self.lines.saturating_add(1);
        if self.lines == self.max_lines {
            self.bytes.extend_from_slice(b"(further output was dropped)\n");
        }
    }
}

impl io::Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.push(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Output {
    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }

    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        // Only hosts of WASI 0.3 ask for it.
        Box::new(tokio::io::sink())
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {}
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.with(|lines| {
            lines.suite_wrote = true;
            lines.push(&bytes);
        });
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

    #[test]
    fn lines_keep_their_order_and_can_not_steer_the_terminal() {
        let output = Output::new(&Limits::default());
        for part in ["pani", "cked\n\tat ", "\u{1b}[2J here\r\n", "unended"] {
            output.push(part.as_bytes());
        }
        assert_eq!(output.text(), "panicked\n\tat \u{fffd}[2J here\u{fffd}\nunended");
    }

    #[test]
    fn lines_and_their_number_are_bounded() {
        let output = Output::new(&Limits { max_log_line_bytes: 3, max_log_lines: 2, ..Limits::default() });
        for part in ["ab", "cd", "ef\ngh", "\nij\nkl\n"] {
            output.push(part.as_bytes());
        }
        assert_eq!(output.text(), "abc\ngh\n(further output was dropped)\n");
    }
}
