//! What a command that takes many files says: a line for each on standard output, in words or JSON, and on a terminal how far it is.

use std::io::{self, IsTerminal as _, Write};

use super::sending::{End, Outcome};

/// How far a command is.
pub(super) struct Report {
    json: bool,
    /// Whether standard error is a terminal, where a line can be written over.
    shows_progress: bool,
    total: usize,
    done: usize,
    failed: usize,
    skipped: usize,
}

impl Report {
    /// Of so many files.
    pub(super) fn new(total: usize, json: bool) -> Self {
        let shows_progress = io::stderr().is_terminal() && total > 1;
        Self { json, shows_progress, total, done: 0, failed: 0, skipped: 0 }
    }

    /// One more is done.
    ///
    /// # Errors
    /// Standard output takes nothing any more.
    pub(super) fn done(&mut self, outcome: &Outcome) -> io::Result<()> {
        self.done += 1;
        self.failed += usize::from(!outcome.is_well());
        self.skipped += usize::from(matches!(outcome.end, End::Skipped(_)));
        if self.shows_progress {
            eprint!("\r\x1b[K");
        }
        if self.json {
            writeln!(io::stdout(), "{}", outcome.json())?;
        } else if outcome.is_well() {
            writeln!(io::stdout(), "{}", outcome.sentence())?;
        } else {
            eprintln!("{}", outcome.sentence());
        }
        if self.shows_progress && self.done < self.total {
            eprint!("{} of {}{}", self.done, self.total, self.failures());
            io::stderr().flush()?;
        }
        Ok(())
    }

    /// The last line, where there was more than one file. Whether all is well.
    pub(super) fn end(&self) -> bool {
        if self.total > 1 && !self.json {
            let skipped =
                if self.skipped > 0 { format!(", {} skipped", self.skipped) } else { String::new() };
            eprintln!(
                "{} of {} done{}{skipped}",
                self.done - self.failed - self.skipped,
                self.total,
                self.failures()
            );
        }
        self.failed == 0
    }

    fn failures(&self) -> String {
        if self.failed > 0 { format!(", {} failed", self.failed) } else { String::new() }
    }
}
