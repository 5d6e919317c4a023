//! Lines to a writer that may stall, as standard error does when nobody reads it: nobody waits for it.
//!
//! A line is put at the end of a text that is bounded, and one thread writes what is there. Who logs waits for no more than the copy. What
//! does not fit is dropped and counted, and a line says so once the writer takes lines again.

use std::{
    io::Write,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde_json::Map;

use super::{Event, LogFormat, LogLine, LogSink, RUNTIME};

/// Writes lines in a thread of its own. Dropping it lets that thread write what is left, and waits for nothing.
#[derive(Debug)]
pub struct QueuedSink {
    format: LogFormat,
    max_bytes: usize,
    queue: Arc<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    text: String,
    /// Lines that did not fit since the last that did.
    dropped: u64,
    /// Since the beginning.
    dropped_in_all: u64,
    /// What was taken out is not yet written.
    writing: bool,
    closed: bool,
}

impl State {
    fn is_empty(&self) -> bool {
        self.text.is_empty() && self.dropped == 0
    }
}

impl QueuedSink {
    /// Lines in this format to this writer. At most `max_bytes` of them wait.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        format: LogFormat,
        max_bytes: usize,
        writer: impl Write + Send + 'static,
    ) -> std::io::Result<Self> {
        let queue = Arc::new(Queue::default());
        let lines = Arc::clone(&queue);
        std::thread::Builder::new()
            .name("thumbs-log".into())
            .spawn(move || lines.write_to(writer, format))?;
        Ok(Self { format, max_bytes, queue })
    }

    /// Waits until all lines are written, for at most this long; false where some are not.
    pub fn flush(&self, timeout: Duration) -> bool {
        let unwritten = |state: &mut State| state.writing || !state.is_empty();
        let waited = self.queue.changed.wait_timeout_while(self.queue.lock(), timeout, unwritten);
        !waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }
}

impl LogSink for QueuedSink {
    fn write(&self, line: &LogLine) {
        let text = self.format.line(line);
        let mut state = self.queue.lock();
        // Once lines were dropped, the line that says so has to come before any other.
        if state.dropped > 0 || state.text.len().saturating_add(text.len()) > self.max_bytes {
            state.dropped += 1;
            state.dropped_in_all += 1;
        } else {
            state.text.push_str(&text);
        }
        drop(state);
        self.queue.changed.notify_all();
    }

    fn dropped_lines(&self) -> u64 {
        self.queue.lock().dropped_in_all
    }
}

impl Drop for QueuedSink {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.changed.notify_all();
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_to(&self, mut writer: impl Write, format: LogFormat) {
        loop {
            let idle = |state: &mut State| state.is_empty() && !state.closed;
            let mut state =
                self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
            if state.is_empty() {
                return;
            }
            let mut text = std::mem::take(&mut state.text);
            if state.dropped > 0 {
                text.push_str(&format.line(&dropped(std::mem::take(&mut state.dropped))));
            }
            state.writing = true;
            drop(state);
            // Nobody is left to tell where the log itself can't be written.
            let _ = writer.write_all(text.as_bytes()).and_then(|()| writer.flush());
            self.lock().writing = false;
            self.changed.notify_all();
        }
    }
}

fn dropped(lines: u64) -> LogLine {
    let event = Event::LogLinesDropped { lines };
    LogLine {
        level: event.level(),
        component: RUNTIME.into(),
        event: event.name().to_owned(),
        correlation_id: None,
        fields: Map::from_iter([("lines".to_owned(), lines.into())]),
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::mpsc::{Receiver, Sender, channel},
        time::Instant,
    };

    use super::super::Level;
    use super::*;

    /// Says that it was handed something, and stalls until it is let go on.
    struct Stalled {
        handed: Sender<String>,
        go_on: Receiver<()>,
    }

    impl Write for Stalled {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let _ = self.handed.send(String::from_utf8_lossy(bytes).into_owned());
            // An error is the end of the test: nothing stalls any longer.
            let _ = self.go_on.recv();
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn stalled(max_bytes: usize) -> (QueuedSink, Receiver<String>, Sender<()>) {
        let (handed, written) = channel();
        let (resume, go_on) = channel();
        (QueuedSink::start(LogFormat::Json, max_bytes, Stalled { handed, go_on }).unwrap(), written, resume)
    }

    fn line(event: &str) -> LogLine {
        LogLine {
            level: Level::Info,
            component: RUNTIME.into(),
            event: event.to_owned(),
            correlation_id: None,
            fields: Map::new(),
        }
    }

    fn events(text: &str) -> Vec<String> {
        let event = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["event"].clone();
        text.lines().map(|line| event(line).as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn a_writer_that_stalls_holds_nobody_up_and_what_was_lost_is_said() {
        let (sink, written, resume) = stalled(LogFormat::Json.line(&line("second")).len() * 2);
        sink.write(&line("first"));
        assert_eq!(events(&written.recv().unwrap()), ["first"]);
        // From here on the writer stalls: these return at once, or the test hangs.
        for event in ["second", "third!", "lost", "lost"] {
            sink.write(&line(event));
        }
        let begun = Instant::now();
        assert!(!sink.flush(Duration::from_millis(10)));
        assert!(begun.elapsed() >= Duration::from_millis(10));
        resume.send(()).unwrap();
        let text = written.recv().unwrap();
        assert_eq!(events(&text), ["second", "third!", "log-lines-dropped"]);
        assert!(text.contains("\"lines\":2"), "{text}");
        assert_eq!(sink.dropped_lines(), 2);
        sink.write(&line("after"));
        drop(resume);
        assert_eq!(events(&written.recv().unwrap()), ["after"]);
        assert!(sink.flush(Duration::from_secs(30)));
    }

    #[test]
    fn what_is_left_is_written_after_the_sink_is_gone() {
        let (sink, written, resume) = stalled(1024);
        sink.write(&line("first"));
        assert_eq!(events(&written.recv().unwrap()), ["first"]);
        sink.write(&line("last"));
        drop(sink);
        drop(resume);
        assert_eq!(events(&written.recv().unwrap()), ["last"]);
        assert!(written.recv().is_err(), "the thread has ended");
    }
}
