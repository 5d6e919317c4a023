//! The names of a job's blobs.
//!
//! There is no constructor from text but for what the store itself lists: keys are derived from parsed ids and digests alone, so no request
//! can name a blob.

use crate::digest::Digest;
use crate::id::JobId;
use crate::timestamp::Timestamp;

/// The key of a blob, valid for `thumbs:blob-store` by construction:
/// - `a-z 0-9 - /` only, at most 64 bytes;
/// - two or three segments, none empty, none `.` or `..`, no `/` at either end.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ObjectKey(String);

impl ObjectKey {
    /// Where the uploaded image of a job is.
    pub fn upload(job: &JobId) -> Self {
        Self(format!("uploads/{job}"))
    }

    /// Where a thumbnail of a job is. Its content is part of the name: a worker that comes too late, perhaps of another
    /// version, can't change what a finished job points to.
    pub fn thumbnail(job: &JobId, content: &Digest) -> Self {
        Self(format!("thumbnails/{job}/{}", content.short()))
    }

    /// As the blob store takes it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a job's blob is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The image that a client sent.
    Upload,
    /// What was made of it.
    Thumbnail,
}

impl Kind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Upload, Self::Thumbnail];

    /// Before the slash in each key of the kind.
    pub fn folder(self) -> &'static str {
        match self {
            Self::Upload => "uploads",
            Self::Thumbnail => "thumbnails",
        }
    }

    /// A text before the keys of the kind whose jobs were made at this moment or later, and behind those of all before.
    pub fn lowest_text_at(self, moment: Timestamp) -> String {
        format!("{}/{}", self.folder(), JobId::lowest_text_at(moment))
    }
}

/// A blob of ours, as the store lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Where it is.
    pub key: ObjectKey,
    /// The job that it was made for.
    pub job: JobId,
    /// Of a thumbnail the beginning of its digest, as [`Digest::short`] gives it.
    pub content: Option<String>,
}

impl Listed {
    /// None where no job of ours has such a blob.
    pub fn parse(text: &str) -> Option<Self> {
        let (folder, name) = text.split_once('/')?;
        let kind = Kind::ALL.into_iter().find(|kind| kind.folder() == folder)?;
        let (job, content) = match kind {
            Kind::Upload => (name, None),
            Kind::Thumbnail => {
                let (job, content) = name.split_once('/')?;
                let is_short = content.len() == 16
                    && content.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
                (job, Some(is_short.then(|| content.to_owned())?))
            }
        };
        Some(Self { key: ObjectKey(text.to_owned()), job: JobId::parse(job).ok()?, content })
    }
}

impl std::fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_listed_is_read_and_what_is_not_ours_is_not() {
        let job = JobId::parse("01932c07-20a4-7b3c-8d4e-5f6071829304").unwrap();
        let upload = Listed::parse("uploads/01932c07-20a4-7b3c-8d4e-5f6071829304").unwrap();
        assert_eq!(upload, Listed { key: ObjectKey::upload(&job), job, content: None });
        let digest = Digest::from_bytes([0xab; 32]);
        let key = ObjectKey::thumbnail(&job, &digest);
        let thumbnail = Listed::parse(key.as_str()).unwrap();
        assert_eq!(thumbnail, Listed { key, job, content: Some(digest.short()) });
        for text in [
            "uploads",
            "uploads/",
            "uploads/a.png",
            "other/01932c07-20a4-7b3c-8d4e-5f6071829304",
            "uploads/01932c07-20a4-7b3c-8d4e-5f6071829304/x",
            "thumbnails/01932c07-20a4-7b3c-8d4e-5f6071829304",
            "thumbnails/01932c07-20a4-7b3c-8d4e-5f6071829304/ABABABABABABABAB",
            "thumbnails/01932c07-20a4-7b3c-8d4e-5f6071829304/abab",
        ] {
            assert_eq!(Listed::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_moment_parts_the_keys_of_before_from_those_of_later() {
        let job = JobId::parse("01932c07-20a4-7b3c-8d4e-5f6071829304").unwrap();
        let (upload, at) = (ObjectKey::upload(&job), job.created_at());
        assert!(Kind::Upload.lowest_text_at(at).as_str() < upload.as_str());
        assert!(Kind::Upload.lowest_text_at(at.plus_millis(1)).as_str() > upload.as_str());
    }

    #[test]
    fn every_key_keeps_the_rules_of_the_blob_store() {
        let job = JobId::parse("01932c07-20a4-7b3c-8d4e-5f6071829304").unwrap();
        let upload = ObjectKey::upload(&job);
        let thumbnail = ObjectKey::thumbnail(&job, &Digest::from_bytes([0xab; 32]));
        assert_eq!(upload.as_str(), "uploads/01932c07-20a4-7b3c-8d4e-5f6071829304");
        assert_eq!(thumbnail.as_str(), "thumbnails/01932c07-20a4-7b3c-8d4e-5f6071829304/abababababababab");
        for key in [upload, thumbnail] {
            assert!(key.as_str().len() <= 255);
            assert!(
                key.as_str()
                    .bytes()
                    .all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'_' | b'-' | b'/'))
            );
            assert!(key.as_str().split('/').all(|segment| !matches!(segment, "" | "." | "..")));
        }
    }
}
