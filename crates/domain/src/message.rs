//! What a message to the resize component says: come and look, or (from the runtime alone) a worker died over a job.
//!
//! Messages can be lost, doubled, late and forged. So a wake-up carries nothing, and a report counts only with the lease
//! token, which nobody but the store, the worker and its host knows.

use serde::Deserialize;

use crate::failure::{Failure, Fault};
use crate::id::{JobId, LeaseToken};

/// The payload of a wake-up: an empty JSON object.
pub const WAKE_UP: &[u8] = b"{}";

/// One message, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A job may be due.
    WakeUp,
    /// The sandbox of the worker that held this lease was ended.
    WorkerEnded {
        /// The job it worked on.
        job: JobId,
        /// What it had claimed it with.
        token: LeaseToken,
        /// Why it was ended.
        reason: EndReason,
    },
}

/// Why a sandbox was ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndReason {
    /// It asked for more memory than one image may have.
    OutOfMemory,
    /// It took longer than one image may take.
    Deadline,
    /// It broke in another way.
    Trap,
}

#[derive(Deserialize)]
struct Payload {
    failed: Option<Failed>,
}

#[derive(Deserialize)]
struct Failed {
    job_id: String,
    lease_token: String,
    reason: String,
}

impl Message {
    /// Everything that is not a report is a wake-up: to look once too often does no harm.
    pub fn read(payload: &[u8]) -> Self {
        let failed = serde_json::from_slice::<Payload>(payload).ok().and_then(|payload| payload.failed);
        let report = failed.and_then(|failed| {
            let job = JobId::parse(&failed.job_id).ok()?;
            let reason = match failed.reason.as_str() {
                "out_of_memory" => EndReason::OutOfMemory,
                "deadline" => EndReason::Deadline,
                _ => EndReason::Trap,
            };
            Some(Self::WorkerEnded { job, token: LeaseToken::new(failed.lease_token), reason })
        });
        report.unwrap_or(Self::WakeUp)
    }
}

impl EndReason {
    /// What the job keeps of it.
    pub fn failure(self) -> Failure {
        match self {
            Self::OutOfMemory => Failure::new(
                "out-of-memory",
                "The image needs more memory than one job may use. Send a smaller image.",
            ),
            Self::Deadline => Failure::new(
                "deadline",
                "The image takes longer than one job may take. Send a smaller or simpler image.",
            ),
            Self::Trap => Failure::new("trap", "The image made the decoder stop. Send it in another format."),
        }
    }

    /// The same bytes need the same memory in every fresh sandbox. The time they take depends on what else the machine
    /// does, and a trap can have causes outside the image.
    pub const fn fault(self) -> Fault {
        match self {
            Self::OutOfMemory => Fault::Permanent,
            Self::Deadline | Self::Trap => Fault::Transient,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01932c07-20a4-7b3c-8d4e-5f6071829304";

    fn read(payload: &str) -> Message {
        Message::read(payload.as_bytes())
    }

    #[test]
    fn a_report_names_job_lease_and_reason() {
        for (reason, expected) in [
            ("out_of_memory", EndReason::OutOfMemory),
            ("deadline", EndReason::Deadline),
            ("trap", EndReason::Trap),
            ("something new", EndReason::Trap),
        ] {
            let payload = format!(
                r#"{{"failed":{{"job_id":"{ID}","lease_token":"t","reason":"{reason}","more":1}},"more":2}}"#
            );
            let job = JobId::parse(ID).unwrap();
            let token = LeaseToken::new("t");
            assert_eq!(read(&payload), Message::WorkerEnded { job, token, reason: expected });
        }
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
            r#"{"failed":null}"#,
            r#"{"failed":{}}"#,
            r#"{"failed":{"job_id":"../x","lease_token":"t","reason":"trap"}}"#,
            r#"{"failed":{"job_id":7,"lease_token":"t","reason":"trap"}}"#,
        ] {
            assert_eq!(read(payload), Message::WakeUp, "{payload}");
        }
        assert_eq!(read(std::str::from_utf8(WAKE_UP).unwrap()), Message::WakeUp);
    }

    #[test]
    fn only_what_would_end_alike_every_time_is_final() {
        assert_eq!(EndReason::OutOfMemory.fault(), Fault::Permanent);
        assert_eq!(EndReason::Deadline.fault(), Fault::Transient);
        assert_eq!(EndReason::Trap.fault(), Fault::Transient);
    }
}
