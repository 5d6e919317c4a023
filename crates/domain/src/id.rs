//! The ids that the service works with: of a job, and of the worker that has it.
//!
//! They are made elsewhere (guest, host), because making one needs a clock and random numbers; here they are read and written.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::{Uuid, Variant};

use crate::timestamp::Timestamp;

/// Names one job: a UUID of version 7 (RFC 9562, section 5.7), so that ids sort by the time of creation.
///
/// Invariants, enforced by [`JobId::parse`] and [`JobId::from_uuid`]:
/// - version 7, RFC variant;
/// - as text always the 36-character lower-case form, so one job has one URL, one cache entry and one blob key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct JobId(Uuid);

/// The text is not the id of any job: whoever asks for it gets "not found", as for an id that was never given out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("not a job id")]
pub struct NotAJobId;

impl JobId {
    /// Reads the canonical text.
    ///
    /// # Errors
    /// [`NotAJobId`] for anything else, other spellings of the same UUID included.
    pub fn parse(text: &str) -> Result<Self, NotAJobId> {
        let uuid = Uuid::try_parse(text).map_err(|_| NotAJobId)?;
        let id = Self::from_uuid(uuid)?;
        if id.to_string() == text { Ok(id) } else { Err(NotAJobId) }
    }

    /// # Errors
    /// [`NotAJobId`] unless the UUID is of version 7.
    pub fn from_uuid(uuid: Uuid) -> Result<Self, NotAJobId> {
        let is_v7 = uuid.get_version_num() == 7 && uuid.get_variant() == Variant::RFC4122;
        if is_v7 { Ok(Self(uuid)) } else { Err(NotAJobId) }
    }

    /// A text before the ids of all jobs made at this moment or later, and behind those of all before.
    pub fn lowest_text_at(moment: Timestamp) -> String {
        let millis = u64::try_from(moment.unix_millis()).unwrap_or_default();
        let digits = format!("{millis:012x}");
        let (high, low) = digits.split_at(digits.len().saturating_sub(4));
        format!("{high}-{low}-")
    }

    /// The 16 bytes, which sort as the text does.
    pub fn as_bytes(&self) -> &[u8; 16] {
        self.0.as_bytes()
    }

    /// The moment that the id holds: the first 48 bits are milliseconds since 1970.
    pub fn created_at(&self) -> Timestamp {
        let [a, b, c, d, e, f, ..] = *self.as_bytes();
        Timestamp::from_unix_millis(i64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }
}

impl std::fmt::Display for JobId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl TryFrom<String> for JobId {
    type Error = NotAJobId;

    fn try_from(text: String) -> Result<Self, NotAJobId> {
        Self::parse(&text)
    }
}

impl From<JobId> for String {
    fn from(id: JobId) -> Self {
        id.to_string()
    }
}

/// Names one worker, an instance that handles one message; it is the proof of the lease that the worker takes.
///
/// The host gives it with the message, fresh and unguessable, and names the worker by it when it had to end it. The store
/// keeps it with the job. So it goes into no log and to no client: whoever has it can finish or fail the job.
#[derive(Clone, PartialEq, Eq)]
pub struct WorkerId(String);

impl WorkerId {
    /// Any text that nobody else can have drawn; a random UUID is meant.
    pub fn new(unique: impl Into<String>) -> Self {
        Self(unique.into())
    }

    /// As the store holds it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for WorkerId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WorkerId(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01932c07-20a4-7b3c-8d4e-5f6071829304";

    #[test]
    fn reads_and_writes_the_canonical_text() {
        let id = JobId::parse(ID).unwrap();
        assert_eq!(id.to_string(), ID);
        assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{ID}\""));
        assert_eq!(serde_json::from_str::<JobId>(&format!("\"{ID}\"")).unwrap(), id);
    }

    #[test]
    fn refuses_everything_that_is_not_the_canonical_text_of_a_version_7_uuid() {
        for text in [
            "",
            "1",
            "../etc/passwd",
            "..",
            "01932c07-20a4-7b3c-8d4e-5f607182930",
            "01932c07-20a4-7b3c-8d4e-5f60718293040",
            "01932C07-20A4-7B3C-8D4E-5F6071829304",
            "01932c0720a47b3c8d4e5f6071829304",
            "{01932c07-20a4-7b3c-8d4e-5f6071829304}",
            "urn:uuid:01932c07-20a4-7b3c-8d4e-5f6071829304",
            "01932c07-20a4-4b3c-8d4e-5f6071829304",
            "01932c07-20a4-7b3c-cd4e-5f6071829304",
            "00000000-0000-0000-0000-000000000000",
            "01932c07-20a4-7b3c-8d4e-5f607182930/",
            "01932c07%2d20a4-7b3c-8d4e-5f6071829304",
        ] {
            assert_eq!(JobId::parse(text), Err(NotAJobId), "{text}");
        }
    }

    #[test]
    fn holds_the_time_of_creation_and_sorts_by_it() {
        let earlier = JobId::parse("017f22e2-79b0-7cc3-98c4-dc0c0c07398f").unwrap();
        assert_eq!(earlier.created_at(), Timestamp::from_unix_millis(1_645_557_742_000));
        let later = JobId::parse(ID).unwrap();
        assert!(earlier < later);
        assert!(earlier.to_string() < later.to_string());
    }

    #[test]
    fn the_id_of_a_worker_is_not_shown() {
        assert!(!format!("{:?}", WorkerId::new("6f2a1c9e")).contains("6f2a1c9e"));
    }
}
