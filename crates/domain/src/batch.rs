//! Several images in one request: what names them together, where each of them stood, and what clients read of them.
//!
//! A batch has no row of its own: it is the jobs that say they are of it, and what was refused of a request is told once, in its answer.

use serde::{Deserialize, Serialize};

use crate::id::{JobId, NotAJobId};
use crate::job::{Job, Status};
use crate::problem::Document;
use crate::view::JobView;

/// Names one batch: a UUID of version 7, read and written as that of a job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BatchId(JobId);

impl BatchId {
    /// Reads the canonical text.
    ///
    /// # Errors
    /// [`NotAJobId`], which is no id of a batch either.
    pub fn parse(text: &str) -> Result<Self, NotAJobId> {
        JobId::parse(text).map(Self)
    }
}

impl From<JobId> for BatchId {
    /// With an id that is given to no job.
    fn from(id: JobId) -> Self {
        Self(id)
    }
}

impl std::fmt::Display for BatchId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Inclusive upper bounds on one batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchBounds {
    /// Images.
    pub max_parts: u32,
    /// Bytes of the whole form.
    pub max_bytes: u64,
}

/// Which part of which batch a job was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The batch.
    pub batch: BatchId,
    /// 1 for its first image, refused ones counted.
    pub part: u32,
    /// What the client calls the file.
    pub file_name: Option<FileName>,
}

/// What a client calls a file: shown to who may see the job, and believed in nothing.
///
/// Invariant: 1 to [`FileName::MAX_CHARS`] characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct FileName(String);

impl FileName {
    /// The longest that is kept.
    pub const MAX_CHARS: usize = 255;

    /// As far as it can be shown: without control characters, and what is too long is cut. None where nothing is left.
    pub fn of(text: &str) -> Option<Self> {
        let shown: String = text.chars().filter(|char| !char.is_control()).take(Self::MAX_CHARS).collect();
        Some(Self(shown)).filter(|name| !name.0.is_empty())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A job of a batch, as the store has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// The job.
    pub job: Job,
    /// Which of the batch's images it was made of, from 1.
    pub part: u32,
    /// What the client called the file.
    pub file_name: Option<FileName>,
}

/// A batch, as it is answered for or as it stands.
#[derive(Clone, Debug, Serialize)]
pub struct BatchView<'a> {
    /// A UUID of version 7.
    pub batch_id: BatchId,
    /// Whether the form was read to its end; only in the answer to it. Where it was not, the last part says why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub is_complete: Option<bool>,
    /// How many stand how.
    pub counts: Counts,
    /// In the order of the form.
    pub parts: Vec<PartView<'a>>,
    /// Paths on this service.
    pub links: BatchLinks,
}

/// How many jobs of a batch stand how.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
    /// Neither made nor given up.
    pub processing: usize,
    /// The thumbnail is there.
    pub succeeded: usize,
    /// Given up.
    pub failed: usize,
    /// Parts of which no job was made; only in the answer to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refused: Option<usize>,
}

/// One image of a batch.
#[derive(Clone, Debug, Serialize)]
pub struct PartView<'a> {
    /// 1 for the first image of the form.
    pub part: u32,
    /// What the client called the file.
    pub file_name: Option<&'a FileName>,
    /// The job; null where none was made of it.
    pub job: Option<JobView<'a>>,
    /// Why none was made of it.
    pub problem: Option<Document<'a>>,
}

/// Where a batch is read.
#[derive(Clone, Debug, Serialize)]
pub struct BatchLinks {
    /// The batch itself; null where no job was made, for then there is none.
    #[serde(rename = "self")]
    pub batch: Option<String>,
}

impl<'a> BatchView<'a> {
    /// With what was refused as well, in the answer to a form that was read to its end, or not.
    pub fn answer(batch: BatchId, parts: Vec<PartView<'a>>, is_complete: bool) -> Self {
        let refused = parts.iter().filter(|part| part.problem.is_some()).count();
        let view = Self::new(batch, parts);
        let counts = Counts { refused: Some(refused), ..view.counts };
        Self { is_complete: Some(is_complete), counts, ..view }
    }

    /// As it stands.
    pub fn new(batch: BatchId, parts: Vec<PartView<'a>>) -> Self {
        let jobs = || parts.iter().filter_map(|part| part.job.as_ref());
        let count = |status| jobs().filter(|job| job.status == status).count();
        let counts = Counts {
            processing: count(Status::Processing),
            succeeded: count(Status::Succeeded),
            failed: count(Status::Failed),
            refused: None,
        };
        let link = jobs().next().map(|_| batch_href(&batch));
        Self { batch_id: batch, is_complete: None, counts, parts, links: BatchLinks { batch: link } }
    }
}

/// Where a batch is read.
pub fn batch_href(id: &BatchId) -> String {
    format!("/batches/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_shown_as_far_as_it_can_be() {
        let long = "é".repeat(300);
        for (sent, shown) in [
            ("photo.jpg", Some("photo.jpg")),
            ("C:\\dir\\größe 1.png", Some("C:\\dir\\größe 1.png")),
            ("a\r\nb\u{7f}\u{0}.png", Some("ab.png")),
            ("", None),
            ("\n", None),
            (&long, Some(&long[..2 * FileName::MAX_CHARS])),
        ] {
            assert_eq!(FileName::of(sent).as_ref().map(FileName::as_str), shown, "{sent:?}");
        }
    }
}
