//! What a message to the resize component says: come and look, a worker was ended, bring the schema up to date, or look at the
//! settings.
//!
//! Messages can be lost, doubled, late and forged. So a wake-up carries nothing; a report counts only with the id of a worker
//! that holds a lease, which nobody but the store, that worker and its host knows; and a migration does nothing where nothing
//! is to be done; a check only looks.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::failure::JobCode;
use crate::id::WorkerId;

/// The payload of a wake-up: an empty JSON object.
pub const WAKE_UP: &[u8] = b"{}";

/// The channel on which it is told that jobs ended: each message is the id of one. spin.toml has the same beside that of the wake-ups.
pub fn ended_channel(wake_channel: &str) -> String {
    format!("{wake_channel}-ended")
}

/// The channel of the wake-ups of those who tell others of a job's end. spin.toml has the same beside that of the wake-ups.
pub fn callback_channel(wake_channel: &str) -> String {
    format!("{wake_channel}-callbacks")
}

/// One message, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A job may be due.
    WakeUp,
    /// The host ended a worker: `{"ended": {"worker": "<id>", "reason": "<reason>"}}`.
    Ended {
        /// The id that the host had given it; if it had a job, the lease's.
        worker: WorkerId,
        /// Why it was ended.
        reason: EndReason,
    },
    /// A version of the service starts that may know more of the schema than the database has: `{"migrate": {}}`.
    Migrate,
    /// The service starts, and its settings are to be looked at: `{"check": {}}`.
    Check,
}

/// Why the host ended a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// It asked for more memory than one message may have.
    OutOfMemory,
    /// It asked for more memory than others had left.
    OutOfSharedMemory,
    /// It computed for longer than one message may.
    Deadline,
    /// It was not done in time, computing or waiting.
    TimedOut,
    /// The host itself ended, and could not wait for it.
    Stopped,
    /// It broke in another way.
    Trap,
}

#[derive(Deserialize)]
struct Payload {
    ended: Option<Ended>,
    migrate: Option<IgnoredAny>,
    check: Option<IgnoredAny>,
}

#[derive(Deserialize)]
struct Ended {
    worker: String,
    reason: String,
}

impl Message {
    /// Everything that is no report, migration or check is a wake-up: to look once too often does no harm.
    pub fn read(payload: &[u8]) -> Self {
        match serde_json::from_slice(payload) {
            Ok(Payload { ended: Some(Ended { worker, reason }), .. }) => {
                Self::Ended { worker: WorkerId::new(worker), reason: EndReason::from_name(&reason) }
            }
            Ok(Payload { migrate: Some(_), .. }) => Self::Migrate,
            Ok(Payload { check: Some(_), .. }) => Self::Check,
            _ => Self::WakeUp,
        }
    }
}

impl EndReason {
    /// The reason of this name, in kebab-case. What a newer host may say besides is a trap to this version.
    fn from_name(name: &str) -> Self {
        match name {
            "out-of-memory" => Self::OutOfMemory,
            "out-of-shared-memory" => Self::OutOfSharedMemory,
            "deadline" => Self::Deadline,
            "timed-out" => Self::TimedOut,
            "stopped" => Self::Stopped,
            _ => Self::Trap,
        }
    }

    /// What the job keeps of it.
    pub const fn code(self) -> JobCode {
        match self {
            Self::OutOfMemory => JobCode::OutOfMemory,
            Self::OutOfSharedMemory => JobCode::OutOfSharedMemory,
            Self::Deadline => JobCode::Deadline,
            Self::TimedOut => JobCode::TimedOut,
            Self::Stopped => JobCode::WorkerStopped,
            Self::Trap => JobCode::Trap,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(payload: &str) -> Message {
        Message::read(payload.as_bytes())
    }

    #[test]
    fn a_report_names_worker_and_reason() {
        for (reason, expected) in [
            ("out-of-memory", EndReason::OutOfMemory),
            ("out-of-shared-memory", EndReason::OutOfSharedMemory),
            ("deadline", EndReason::Deadline),
            ("timed-out", EndReason::TimedOut),
            ("stopped", EndReason::Stopped),
            ("trap", EndReason::Trap),
            ("something new", EndReason::Trap),
        ] {
            let payload = format!(r#"{{"ended":{{"worker":"w","reason":"{reason}","more":1}},"more":2}}"#);
            assert_eq!(read(&payload), Message::Ended { worker: WorkerId::new("w"), reason: expected });
        }
    }

    #[test]
    fn a_migration_may_say_more_than_we_know() {
        for payload in [r#"{"migrate":{}}"#, r#"{"migrate":{"to":7},"more":2}"#] {
            assert_eq!(read(payload), Message::Migrate, "{payload}");
        }
    }

    #[test]
    fn a_check_is_asked_for_by_name() {
        assert_eq!(read(r#"{"check":{}}"#), Message::Check);
    }

    #[test]
    fn everything_else_is_a_wake_up() {
        for payload in [
            "",
            "{}",
            "null",
            "[]",
            "\u{0}",
            "not json",
            r#"{"ended":null}"#,
            r#"{"ended":{}}"#,
            r#"{"ended":{"worker":7,"reason":"trap"}}"#,
            r#"{"migrate":null}"#,
        ] {
            assert_eq!(read(payload), Message::WakeUp, "{payload}");
        }
        assert_eq!(read(std::str::from_utf8(WAKE_UP).unwrap()), Message::WakeUp);
    }
}
