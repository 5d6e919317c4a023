//! Attempts to connect to servers of one kind: what fails tells that one is down, what is made again and again that something cuts connections off.

use super::Counter;

/// How attempts to connect ended.
#[derive(Debug, Default)]
pub struct Connects {
    made: Counter,
    failed: Counter,
}

impl Connects {
    /// Counts an attempt by its result, which it hands on.
    pub fn count<T, E>(&self, result: Result<T, E>) -> Result<T, E> {
        if result.is_ok() { &self.made } else { &self.failed }.one();
        result
    }

    /// Those that gave a connection.
    #[must_use]
    pub fn made(&self) -> u64 {
        self.made.get()
    }

    /// Those that did not.
    #[must_use]
    pub fn failed(&self) -> u64 {
        self.failed.get()
    }
}
