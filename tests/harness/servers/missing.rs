//! A server that this machine does not have: what is missing, how to install it, and whether that is a skip or a failure.

use std::fmt;
use std::io::Write as _;

/// Set to `1`, nothing is skipped: a missing server fails the test (`make test-all`).
const REQUIRE_VARIABLE: &str = "THUMBS_TEST_REQUIRE_SERVERS";

/// A program that a test needs and that is not here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The program.
    pub what: &'static str,
    /// The command that installs it.
    pub how_to_install: &'static str,
}

impl fmt::Display for Missing {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} is not installed; to install it: {}", self.what, self.how_to_install)
    }
}

impl std::error::Error for Missing {}

/// The server, or `None` with a line on the terminal that says what is skipped; the test returns then.
///
/// # Panics
/// Where the server is missing and the environment has `THUMBS_TEST_REQUIRE_SERVERS=1`.
#[must_use]
pub fn available<T>(server: Result<T, Missing>) -> Option<T> {
    match server {
        Ok(server) => Some(server),
        Err(missing) => {
            let required = std::env::var(REQUIRE_VARIABLE).is_ok_and(|value| value == "1");
            assert!(!required, "{missing}");
            let test = std::thread::current().name().unwrap_or("a test").to_owned();
            // Not `eprintln!`: the test harness would keep that to itself as long as the test passes.
            let _no_terminal_no_line = writeln!(std::io::stderr(), "SKIPPED {test}: {missing}");
            None
        }
    }
}
