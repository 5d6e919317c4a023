//! The names of a job's blobs.
//!
//! There is no constructor from text: keys are derived from parsed ids and digests alone, so no request can name a blob.

use crate::digest::Digest;
use crate::id::JobId;

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

impl std::fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
