//! Why an attempt at a job failed: a stable code for programs, a sentence for people, and whether trying again can help.

use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// Whether another attempt can end otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Something around the job was missing or broke: the same job may succeed later.
    Transient,
    /// The image or the options are the cause: every attempt would end so.
    Permanent,
}

/// What is kept of a failed attempt, in the row and for clients. Texts of drivers never get here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// Stable, lower case with hyphens; README.md lists all. A newer version of the service may have written others.
    pub code: Cow<'static, str>,
    /// A sentence that a person can act on.
    pub message: Cow<'static, str>,
}

impl Failure {
    /// A failure with one of the codes below.
    pub fn new(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: Cow::Borrowed(code), message: message.into() }
    }

    /// The worker's lease ended without a word from it, at the last attempt that the job had.
    pub fn worker_lost() -> Self {
        Self::new("worker-lost", "The worker stopped during the last attempt. Retry the job later.")
    }

    /// The blob store, or the job store, could not be reached.
    pub fn storage_unavailable() -> Self {
        Self::new("storage-unavailable", "The storage could not be reached.")
    }

    /// The uploaded bytes are gone.
    pub fn source_missing() -> Self {
        Self::new("source-missing", "The uploaded image is no longer stored. Upload it again.")
    }
}
