//! What a process has one of: standard error, a subscriber for the events of libraries, and a hook for panics. Only the binary takes the
//! last two over.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    panic::PanicHookInfo,
    sync::Arc,
};

use super::{Event, Level, LogFormat, Logger, QueuedSink};
use crate::limits::{Limits, length};

impl Logger {
    /// Lines of `least` and graver go to standard error, and nobody waits for who reads it.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn to_stderr(format: LogFormat, limits: &Limits, least: Level) -> std::io::Result<Self> {
        let sink = QueuedSink::start(format, length(limits.max_queued_log_bytes), std::io::stderr())?;
        Ok(Self::new(Arc::new(sink), least))
    }

    /// Has libraries and panics speak in this log, from now to the end of the process. A process that has a subscriber already keeps it.
    pub fn take_over_process(&self) {
        // It was meant: somebody set it on purpose.
        let _ = tracing::dispatcher::set_global_default(self.dispatch.clone());
        let log = self.clone();
        std::panic::set_hook(Box::new(move |panic| log.panicked(panic)));
    }

    fn panicked(&self, panic: &PanicHookInfo<'_>) {
        let message = panic.payload_as_str().unwrap_or("not a text");
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        let backtrace = Backtrace::capture();
        let backtrace = (backtrace.status() == BacktraceStatus::Captured).then(|| backtrace.to_string());
        self.event(&Event::Panicked { message, place: &place, backtrace: backtrace.as_deref() });
    }
}
