//! Why an attempt at a job failed: one table of codes, each with a sentence, what helps, and whether trying again can.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Whether another attempt can end otherwise, and whether this one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The service itself is the cause, whatever the image: the job is tried again, and its attempts are for images.
    Service,
    /// The job may be the cause and may not: it is tried again until its attempts are used up.
    Transient,
    /// The job is the cause: every attempt would end so, and none is made.
    Permanent,
}

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// As jobs and clients spell it. Lower case with hyphens.
    pub code: &'static str,
    /// Whether another attempt can end otherwise. A job with a code that is not permanent has failed only when there was no
    /// further attempt.
    pub fault: Fault,
    /// What happened. The message of a job may say it more precisely.
    pub sentence: &'static str,
    /// What the client does about it.
    pub remedy: &'static str,
}

macro_rules! job_codes {
    ($($code:ident = $name:literal, $fault:ident, $sentence:literal, $remedy:literal;)+) => {
        /// Why an attempt failed: stable, for programs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum JobCode {
            $(#[doc = $sentence] $code,)+
        }

        impl JobCode {
            /// All codes, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$code),+];

            /// The one of this name.
            pub fn of(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|code| code.row().code == name)
            }

            /// The code's row of the table.
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$code => &Row { code: $name, fault: Fault::$fault, sentence: $sentence, remedy: $remedy },)+
                }
            }
        }
    };
}

job_codes! {
    UnsupportedImage = "unsupported-image", Permanent,
        "The first bytes are not those of an image that the service decodes.",
        "Send a JPEG, PNG, GIF, WebP, HEIC or AVIF image.";
    UnsupportedFeature = "unsupported-feature", Permanent,
        "The image uses a part of its format that is not decoded.",
        "Save it in another way.";
    MalformedImage = "malformed-image", Permanent,
        "The image can't be decoded.",
        "Check the file or save it anew.";
    ImageOverLimit = "image-over-limit", Permanent,
        "The image has more pixels or frames than one may have.",
        "Send a smaller or shorter one.";
    InvalidOption = "invalid-option", Permanent,
        "An option is wrong for this image.",
        "Send the image with other options.";
    BudgetUnreachable = "budget-unreachable", Permanent,
        "No thumbnail is as small as max_bytes asks.",
        "Allow more bytes.";
    // The same bytes need the same memory in every fresh sandbox.
    OutOfMemory = "out-of-memory", Permanent,
        "The image needs more memory than one job may use.",
        "Send a smaller image.";
    OutOfSharedMemory = "out-of-shared-memory", Service,
        "The service had no memory left for the image.",
        "It is tried again by itself; once the job has failed, send the image again later.";
    // The time that a decoder takes depends on what else the machine does.
    Deadline = "deadline", Transient,
        "The image takes longer than one job may take.",
        "Send a smaller or simpler image.";
    TimedOut = "timed-out", Service,
        "The attempt was not over in time: the service or its storage is slow.",
        "It is tried again by itself; once the job has failed, send the image again later.";
    // A trap can have causes outside the image.
    Trap = "trap", Transient,
        "The image made the decoder stop.",
        "Send it in another format.";
    WorkerLost = "worker-lost", Transient,
        "The worker stopped during the last attempt, and nobody knows why.",
        "Send the image again later.";
    WorkerStopped = "worker-stopped", Service,
        "The service was stopped during the attempt.",
        "It is tried again by itself; once the job has failed, send the image again later.";
    StorageUnavailable = "storage-unavailable", Service,
        "The storage could not be reached.",
        "It is tried again by itself; once the job has failed, send the image again later.";
    // A store that is just going down, or coming back, may say so of what it has.
    SourceMissing = "source-missing", Transient,
        "The store says that it does not have the uploaded image.",
        "It is tried again by itself; once the job has failed, upload the image again.";
    // It was smaller than allowed when it came in: the bound was lowered since.
    SourceTooLarge = "source-too-large", Permanent,
        "The image has more bytes than are allowed now.",
        "Send a smaller one.";
}

/// What is kept of a failed attempt, in the row and for clients. Texts of drivers never get here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// That of a [`JobCode`]. A newer version of the service may have written others.
    pub code: Cow<'static, str>,
    /// A sentence that a person can act on.
    pub message: Cow<'static, str>,
}

impl Failure {
    /// With a message that says more than the code's own sentence.
    pub fn new(code: JobCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Cow::Borrowed(code.row().code), message: message.into() }
    }
}

impl From<JobCode> for Failure {
    fn from(code: JobCode) -> Self {
        let Row { sentence, remedy, .. } = code.row();
        Self::new(code, format!("{sentence} {remedy}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_code_has_a_name_of_its_own_and_whole_sentences() {
        let rows: Vec<_> = JobCode::ALL.iter().map(|code| code.row()).collect();
        assert_eq!(rows.iter().map(|row| row.code).collect::<BTreeSet<_>>().len(), rows.len());
        for Row { code, sentence, remedy, .. } in rows {
            assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{code}");
            for text in [sentence, remedy] {
                assert!(text.starts_with(char::is_uppercase) && text.ends_with('.'), "{code}: {text}");
            }
        }
    }

    #[test]
    fn only_what_would_end_alike_every_time_is_final() {
        assert_eq!(codes(Fault::Transient), ["deadline", "trap", "worker-lost", "source-missing"]);
    }

    #[test]
    fn what_no_image_can_cause_costs_no_attempt() {
        let expected = ["out-of-shared-memory", "timed-out", "worker-stopped", "storage-unavailable"];
        assert_eq!(codes(Fault::Service), expected);
    }

    fn codes(fault: Fault) -> Vec<&'static str> {
        let rows = JobCode::ALL.iter().map(|code| code.row());
        rows.filter(|row| row.fault == fault).map(|row| row.code).collect()
    }

    #[test]
    fn a_failure_says_what_happened_and_what_helps() {
        assert_eq!(
            Failure::from(JobCode::SourceMissing),
            Failure {
                code: "source-missing".into(),
                message: "The store says that it does not have the uploaded image. It is tried again by itself; once the job has \
                          failed, upload the image again."
                    .into()
            }
        );
    }
}
