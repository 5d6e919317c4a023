//! A job: one uploaded image that becomes one thumbnail, or one for each of its variants. What the store holds of it, without how.

use serde::{Deserialize, Serialize};

use crate::batch::Place;
use crate::callback::{Callback, CallbackUrl};
use crate::digest::Digest;
use crate::failure::Failure;
use crate::format::{OutputFormat, SourceFormat};
use crate::id::JobId;
use crate::machine::History;
use crate::options::Options;
use crate::owner::Owner;
use crate::timestamp::Timestamp;
use crate::trace::{CorrelationId, TraceParent};
use crate::variant::VariantName;
use crate::words::words;

words! {
    /// Where a job stands. `Processing` holds from its creation, waiting for a worker included.
    Status {
        /// Neither made nor given up.
        Processing = "processing",
        /// The thumbnail is there.
        Succeeded = "succeeded",
        /// Given up: the dead letter. A person may have it tried again.
        Failed = "failed",
    }
}

/// The uploaded image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Of the bytes as uploaded.
    pub sha256: Digest,
    /// By its first bytes, whatever the client called it.
    pub format: SourceFormat,
    /// Length as uploaded.
    pub bytes: u64,
    /// Pixels, after EXIF orientation.
    pub width: u32,
    /// Pixels, after EXIF orientation.
    pub height: u32,
    /// 1 for a still image.
    pub frames: u32,
}

impl Source {
    /// Whether its thumbnails can be animations. Of a sequence in HEIC or AVIF only the first frame is decoded.
    pub const fn is_animated(&self) -> bool {
        self.format.may_animate(self.frames)
    }
}

/// The finished thumbnail; of a job with variants, the first of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thumbnail {
    /// What it is encoded as.
    pub format: OutputFormat,
    /// Length.
    pub bytes: u64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Of its bytes; the strong ETag.
    pub sha256: Digest,
    /// 1 for a still image.
    pub frames: u32,
    /// ThumbHash, at most 25 bytes, in base64 (RFC 4648, section 4).
    pub placeholder: String,
    /// What a person should know of it.
    pub warnings: Vec<Warning>,
    /// What was given up to meet a bound on bytes, frames, pixels or delays, in the order it was tried.
    pub concessions: Vec<Concession>,
    /// The same picture as WebP, for clients that take it: only of `format=auto`, and without one itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub webp: Option<Box<Self>>,
    /// Of a job with variants all of them, the first included; none of them has any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<NamedThumbnail>,
}

/// One of the thumbnails of a job with variants.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedThumbnail {
    /// Of the variant that was asked for.
    pub name: VariantName,
    /// What came of it.
    #[serde(flatten)]
    pub thumbnail: Thumbnail,
}

impl Thumbnail {
    /// Of a job with variants, from what came of each.
    pub fn of_variants(variants: Vec<NamedThumbnail>) -> Option<Self> {
        let first = variants.first()?.thumbnail.clone();
        Some(Self { variants, ..first })
    }

    /// The one of this name.
    pub fn variant(&self, name: &str) -> Option<&Self> {
        self.variants.iter().find(|variant| variant.name.as_str() == name).map(|variant| &variant.thumbnail)
    }

    /// Its representations: this one, and that as WebP where there is one.
    pub fn representations(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(self.webp.as_deref())
    }

    /// All that is stored of it and its variants, each content once, its own first.
    pub fn stored(&self) -> Vec<&Self> {
        let variants = self.variants.iter().map(|variant| &variant.thumbnail);
        let mut stored: Vec<&Self> = Vec::new();
        for thumbnail in std::iter::once(self).chain(variants).flat_map(Self::representations) {
            if !stored.iter().any(|known| known.sha256 == thumbnail.sha256) {
                stored.push(thumbnail);
            }
        }
        stored
    }

    /// Bytes of all that is stored of it.
    pub fn stored_bytes(&self) -> u64 {
        self.stored().iter().map(|thumbnail| thumbnail.bytes).sum()
    }
}

words! {
    /// The thumbnail was made all the same, but.
    Warning {
        /// The file ends early; less than half of it is missing and filled.
        Truncated = "truncated",
        /// The source is animated and the thumbnail is its first frame.
        AnimationDropped = "animation-dropped",
        /// The colour profile is broken or of an unknown kind; colours were taken as sRGB.
        ProfileIgnored = "profile-ignored",
        /// The source has fewer pixels than the thumbnail.
        Enlarged = "enlarged",
        /// Something within the file is broken; it was covered up, or the frames at the beginning left out.
        Damaged = "damaged",
    }
}

/// One thing that was given up to meet a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "value")]
pub enum Concession {
    /// Lossy quality, down to this.
    Quality(u8),
    /// Colours of the palette, down to this.
    Colours(u16),
    /// Frames, down to this.
    Frames(u32),
    /// Pixels of the width, and of the height in proportion, down to this.
    Width(u32),
}

/// What the last attempt took.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cost {
    /// Milliseconds of reading headers and decoding; rows are resampled as they are decoded.
    pub decode_ms: f64,
    /// Milliseconds of turning the picture upright and cutting or padding it to its box.
    // Rows of earlier versions name it so.
    #[serde(alias = "resample_ms")]
    pub finish_ms: f64,
    /// Milliseconds of encoding.
    pub encode_ms: f64,
    /// Milliseconds from the claim to the stored thumbnail: reading and writing blobs included.
    pub total_ms: f64,
    /// Linear memory of the imaging component at its highest.
    pub peak_memory_bytes: u64,
    /// Source pixels over all frames decoded, at full scale.
    pub pixels: u64,
    /// Frames decoded.
    pub frames: u32,
}

/// How far a worker's clock may be behind that of whoever took the job in, and the job is due for it all the same: a minute.
///
/// A wake-up is there within a millisecond of the row, and is spent where the job is not due yet.
pub const MAX_CLOCK_LAG_MS: i64 = 60_000;

/// What a new job is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct NewJob {
    /// Its name for ever.
    pub id: JobId,
    /// When it was accepted; due at once.
    pub created_at: Timestamp,
    /// What to make.
    pub options: Options,
    /// What from.
    pub source: Source,
    /// Of the request that made it.
    pub correlation_id: CorrelationId,
    /// Of the trace that the request belongs to.
    pub trace_parent: Option<TraceParent>,
    /// Makes a repeated request find this job instead of making another.
    pub idempotency_key: Option<IdempotencyKey>,
    /// Whose it is. Idempotency keys of one owner are nothing to another.
    pub owner: Option<Owner>,
    /// Of what it is one part; none where it came alone.
    pub place: Option<Place>,
    /// Who is told when it ends.
    pub callback: Option<CallbackUrl>,
}

impl NewJob {
    /// When it may be claimed: at once, whatever the clocks. New jobs stay in the order in which they came, and are a
    /// little ahead of those that are tried again.
    pub fn due_at(&self) -> Timestamp {
        self.created_at.plus_millis(-MAX_CLOCK_LAG_MS)
    }

    /// The job as it stands once it is stored.
    pub fn stored(self) -> Job {
        let due_at = self.due_at();
        Job {
            id: self.id,
            status: Status::Processing,
            options: self.options,
            source: self.source,
            thumbnail: None,
            failure: None,
            cost: None,
            attempts: 0,
            setbacks: 0,
            due_at: Some(due_at),
            woken_at: None,
            created_at: self.created_at,
            updated_at: self.created_at,
            retried_at: None,
            correlation_id: self.correlation_id,
            trace_parent: self.trace_parent,
            owner: self.owner,
            callback: self.callback.map(Callback::new),
        }
    }
}

/// The value of an `Idempotency-Key` header: a client's promise that requests with the same key are one request.
///
/// Invariant: 1 to 255 visible ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads the header: a string in quotes as the IETF draft (httpapi-idempotency-key-header-07, section 2.1) has it, or
    /// the bare text that most clients send.
    ///
    /// Returns none where the invariant is not met.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
        let usable = (1..=255).contains(&bare.len()) && bare.bytes().all(|byte| byte.is_ascii_graphic());
        usable.then(|| Self(bare.to_owned()))
    }

    /// The key of one image of a batch, whose own key this is: no client can send one that is the same, for there are spaces in it.
    #[must_use]
    pub fn of_part(&self, part: u32) -> Self {
        Self(format!("{}{PART}{part}", self.0))
    }

    /// Before the first key of a part of such a batch, and behind the last.
    pub fn of_parts(&self) -> (Self, Self) {
        // What follows the digits in ASCII.
        (Self(format!("{}{PART}", self.0)), Self(format!("{}{PART}:", self.0)))
    }

    /// As the store holds it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Stands in the key of a part between that of the batch and the number. It has two spaces: an owner's name before a key has one.
const PART: &str = " part ";

/// One job as the store has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Job {
    /// Its name.
    pub id: JobId,
    /// Where it stands.
    pub status: Status,
    /// What to make.
    pub options: Options,
    /// What from.
    pub source: Source,
    /// The thumbnail, once `Succeeded`.
    pub thumbnail: Option<Thumbnail>,
    /// The last failure: why it `Failed`, or while `Processing` why it is tried again.
    pub failure: Option<Failure>,
    /// What the last attempt took, once `Succeeded`.
    pub cost: Option<Cost>,
    /// Attempts begun, without those that were given back.
    pub attempts: u32,
    /// Attempts that were given back, for the service itself had failed them.
    pub setbacks: u32,
    /// While `Processing`: when it may be claimed; under a lease, when that ends.
    pub due_at: Option<Timestamp>,
    /// When a read last woke the workers for it.
    pub woken_at: Option<Timestamp>,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// When it got where it stands.
    pub updated_at: Timestamp,
    /// When somebody last had it tried again.
    pub retried_at: Option<Timestamp>,
    /// Of the request that made it.
    pub correlation_id: CorrelationId,
    /// Of the trace that the request belongs to.
    pub trace_parent: Option<TraceParent>,
    /// Whose it is; nobody's where nobody needed a key.
    pub owner: Option<Owner>,
    /// Who is told when it ends, and how far that is.
    pub callback: Option<Callback>,
}

impl Job {
    /// What decides what follows when its present attempt fails.
    pub fn history(&self) -> History {
        History { attempts: self.attempts, setbacks: self.setbacks, begun_at: self.begun_at() }
    }

    /// Since when it is tried: it came then, or somebody had it tried again.
    fn begun_at(&self) -> Timestamp {
        self.retried_at.unwrap_or(self.created_at)
    }

    /// Since when it waits for a worker, or from when on: [`Job::due_at`], but not before it was there to be tried.
    pub fn due_since(&self) -> Option<Timestamp> {
        self.due_at.map(|due_at| due_at.max(self.begun_at()))
    }

    /// Whether it was done at once, with the thumbnail of an earlier job: who makes one makes an attempt.
    pub fn is_cached(&self) -> bool {
        self.status == Status::Succeeded && self.attempts == 0
    }

    /// Whether this image with these options, and somebody told of its end, would be the same job again.
    pub fn is_of(&self, image: &Digest, options: &Options, callback: Option<&CallbackUrl>) -> bool {
        let own = self.callback.as_ref().map(|callback| &callback.url);
        self.source.sha256 == *image && self.options == *options && own == callback
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cost_that_was_stored_under_an_older_name_is_read() {
        let stored = r#"{"decode_ms":1.0,"resample_ms":0.5,"encode_ms":2.0,"total_ms":4.0,
            "peak_memory_bytes":65536,"pixels":100,"frames":1}"#;
        let cost: Cost = serde_json::from_str(stored).unwrap();
        assert_eq!(cost.finish_ms, 0.5);
        let written = serde_json::to_string(&cost).unwrap();
        assert!(written.contains("\"finish_ms\":0.5"), "{written}");
    }

    #[test]
    fn an_idempotency_key_is_bare_or_in_quotes() {
        for (header, key) in [
            ("8e03978e-40d5-43dd-bc93-6894a57f9324", "8e03978e-40d5-43dd-bc93-6894a57f9324"),
            ("\"8e03978e\"", "8e03978e"),
            (" a ", "a"),
            ("\"", "\""),
        ] {
            assert_eq!(IdempotencyKey::parse(header).unwrap().as_str(), key);
        }
        let long = "k".repeat(256);
        for header in ["", " ", "\"\"", "a b", "é", &long] {
            assert_eq!(IdempotencyKey::parse(header), None, "{header}");
        }
        assert!(IdempotencyKey::parse(&long[1..]).is_some());
    }

    #[test]
    fn a_part_has_a_key_that_no_client_sends_and_that_lies_among_those_of_its_batch() {
        let key = IdempotencyKey::parse("a-key").unwrap();
        let (before, behind) = key.of_parts();
        for part in [1, 9, 10, 1000] {
            let of_part = key.of_part(part);
            assert_eq!(IdempotencyKey::parse(of_part.as_str()), None);
            assert!(before.as_str() < of_part.as_str() && of_part.as_str() < behind.as_str(), "{of_part:?}");
        }
        let other = IdempotencyKey::parse("a-key2").unwrap().of_part(1);
        assert!(other.as_str() < before.as_str() || behind.as_str() < other.as_str());
    }

    #[test]
    fn a_concession_names_what_and_how_much() {
        for (concession, json) in [
            (Concession::Quality(60), r#"{"kind":"quality","value":60}"#),
            (Concession::Colours(64), r#"{"kind":"colours","value":64}"#),
            (Concession::Frames(12), r#"{"kind":"frames","value":12}"#),
            (Concession::Width(96), r#"{"kind":"width","value":96}"#),
        ] {
            assert_eq!(serde_json::to_string(&concession).unwrap(), json);
            assert_eq!(serde_json::from_str::<Concession>(json).unwrap(), concession);
        }
    }
}
