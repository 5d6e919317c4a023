//! What a run says, in the words and the order of cargo's own tests, so that whoever reads those reads these: people and scripts.

use std::{
    io::{self, Write},
    time::{Duration, Instant},
};

use super::suite::Outcome;

/// The report on one suite, while it runs.
pub(super) struct Report<'a> {
    out: &'a mut (dyn Write + Send),
    begun: Instant,
    passed: usize,
    failed: Vec<(String, String)>,
    filtered_out: usize,
}

impl<'a> Report<'a> {
    /// Begins one.
    pub(super) fn begin(
        out: &'a mut (dyn Write + Send),
        component: &str,
        chosen: usize,
        filtered_out: usize,
    ) -> io::Result<Self> {
        let tests = if chosen == 1 { "test" } else { "tests" };
        writeln!(out, "\nrunning {chosen} {tests} ({component})")?;
        Ok(Self { out, begun: Instant::now(), passed: 0, failed: Vec::new(), filtered_out })
    }

    /// Says which test runs now.
    pub(super) fn test(&mut self, name: &str) -> io::Result<()> {
        write!(self.out, "test {} ... ", plain(name))?;
        self.out.flush()
    }

    /// Says how it ended.
    pub(super) fn ended(&mut self, name: &str, outcome: Outcome) -> io::Result<()> {
        match outcome {
            Outcome::Passed => {
                self.passed += 1;
                writeln!(self.out, "ok")
            }
            Outcome::Failed(text) => {
                self.failed.push((plain(name), text));
                writeln!(self.out, "FAILED")
            }
        }
    }

    /// Ends it; whether all tests passed.
    pub(super) fn end(self) -> io::Result<bool> {
        let took = self.begun.elapsed();
        self.end_after(took)
    }

    fn end_after(self, took: Duration) -> io::Result<bool> {
        let Self { out, passed, failed, filtered_out, .. } = self;
        if !failed.is_empty() {
            writeln!(out, "\nfailures:\n")?;
            for (name, text) in &failed {
                writeln!(out, "---- {name} stdout ----\n{text}")?;
            }
            writeln!(out, "\nfailures:")?;
            for (name, _) in &failed {
                writeln!(out, "    {name}")?;
            }
        }
        let result = if failed.is_empty() { "ok" } else { "FAILED" };
        writeln!(
            out,
            "\ntest result: {result}. {passed} passed; {} failed; 0 ignored; 0 measured; {filtered_out} filtered out; \
             finished in {:.2}s",
            failed.len(),
            took.as_secs_f64()
        )?;
        out.flush()?;
        Ok(failed.is_empty())
    }
}

/// A name in one line, whatever a suite calls its tests.
pub(super) fn plain(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(outcomes: Vec<(&str, Outcome)>, filtered_out: usize) -> (String, bool) {
        let mut out = Vec::new();
        let mut report = Report::begin(&mut out, "status", outcomes.len(), filtered_out).unwrap();
        for (name, outcome) in outcomes {
            report.test(name).unwrap();
            report.ended(name, outcome).unwrap();
        }
        let passed = report.end_after(Duration::from_millis(519)).unwrap();
        (String::from_utf8(out).unwrap(), passed)
    }

    #[test]
    fn a_run_without_failures_reads_like_cargos() {
        let (text, passed) = report(vec![("a", Outcome::Passed)], 2);
        assert!(passed);
        assert_eq!(
            text,
            "\nrunning 1 test (status)\ntest a ... ok\n\n\
             test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.52s\n"
        );
    }

    #[test]
    fn failures_show_what_their_tests_wrote() {
        let outcomes = vec![("a", Outcome::Failed("boom\n".into())), ("b\u{1b}", Outcome::Passed)];
        let (text, passed) = report(outcomes, 0);
        assert!(!passed);
        assert_eq!(
            text,
            "\nrunning 2 tests (status)\ntest a ... FAILED\ntest b\u{fffd} ... ok\n\n\
             failures:\n\n---- a stdout ----\nboom\n\n\nfailures:\n    a\n\n\
             test result: FAILED. 1 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.52s\n"
        );
    }

    #[test]
    fn nothing_to_run_is_no_failure() {
        let (text, passed) = report(vec![], 8);
        assert!(passed && text.contains("running 0 tests") && text.contains("0 passed"), "{text}");
        assert!(text.contains("8 filtered out"), "{text}");
    }
}
