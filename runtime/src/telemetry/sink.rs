//! Where lines go: a writer that never stalls, or a list that a test reads. For one that may stall there is `queue.rs`.

use std::{
    io::Write,
    sync::{Arc, Mutex, PoisonError},
};

use super::{LogFormat, LogLine};

/// Takes the lines of one runtime, from many threads.
pub trait LogSink: Send + Sync {
    /// Takes a line. Must neither fail nor block: requests wait for it.
    fn write(&self, line: &LogLine);

    /// How many lines were lost so far.
    fn dropped_lines(&self) -> u64 {
        0
    }
}

/// Writes each line at once and whole, so that lines of several threads never mix. Only for a writer that is as quick as memory: who logs
/// waits for it.
pub struct WriterSink<W: Write + Send> {
    format: LogFormat,
    writer: Mutex<W>,
}

impl<W: Write + Send> WriterSink<W> {
    /// Lines in this format to this writer.
    pub fn new(format: LogFormat, writer: W) -> Self {
        Self { format, writer: Mutex::new(writer) }
    }
}

impl<W: Write + Send> LogSink for WriterSink<W> {
    fn write(&self, line: &LogLine) {
        let text = self.format.line(line);
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        // Nobody is left to tell where the log itself can't be written.
        let _ = writer.write_all(text.as_bytes());
    }
}

/// Keeps the lines for a test to read.
#[derive(Clone, Debug, Default)]
pub struct CaptureSink {
    lines: Arc<Mutex<Vec<LogLine>>>,
}

impl CaptureSink {
    /// Empty.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The lines so far.
    #[must_use]
    pub fn lines(&self) -> Vec<LogLine> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl LogSink for CaptureSink {
    fn write(&self, line: &LogLine) {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).push(line.clone());
    }
}
