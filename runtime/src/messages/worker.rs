//! Who works on a message. Each call of a handler is a worker with a name of its own, which the host gives it; when the host had to end
//! it, a fresh worker can be told so by that name. What the dead one worked on only the application knows.
//!
//! A name is as good as a signature: nobody but the host, the worker and whatever it was written down in knows it. So it is never
//! logged, and a report from somebody else needs a name that can't be guessed.

use std::fmt;

use serde_json::json;
use uuid::Uuid;

use super::Message;

/// The environment variable in which a worker finds its name.
pub const WORKER_ID: &str = "WORKER_ID";

/// The name of one call: 122 random bits, as the text of a UUID.
#[derive(Clone, PartialEq, Eq)]
pub struct WorkerId(String);

impl WorkerId {
    /// One that nobody had, from the system's random numbers.
    #[must_use]
    pub fn fresh() -> Self {
        Self(Uuid::new_v4().to_string())
    }

    /// The text.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WorkerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// What a fresh worker is told: which other was ended, and why.
#[must_use]
pub fn ended(worker: &WorkerId, reason: &str) -> Message {
    json!({"ended": {"worker": worker.expose(), "reason": reason}}).to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_fresh_random_and_shown_by_nobody() {
        let (first, second) = (WorkerId::fresh(), WorkerId::fresh());
        assert_ne!(first, second);
        assert_eq!(Uuid::parse_str(first.expose()).unwrap().get_version_num(), 4);
        assert!(!format!("{first:?}").contains(first.expose()));
    }

    #[test]
    fn a_report_names_the_worker_and_the_reason() {
        let worker = WorkerId("0f8fad5b-d9cb-469f-a165-70867728950e".into());
        assert_eq!(
            ended(&worker, "out-of-memory"),
            br#"{"ended":{"reason":"out-of-memory","worker":"0f8fad5b-d9cb-469f-a165-70867728950e"}}"#
        );
    }
}
