//! What clients read of jobs: the JSON of `POST /jobs`, `GET /jobs` and `GET /jobs/{id}`.
//!
//! Every member is always there; what is not known yet is null. Only what comes of keys is left out where there are none. What the store keeps for itself (leases, idempotency keys) has
//! no place here.

use serde::Serialize;

use crate::callback::CallbackView;
use crate::digest::Digest;
use crate::failure::Failure;
use crate::id::JobId;
use crate::job::{Concession, Cost, Job, Source, Status, Thumbnail, Warning};
use crate::options::Options;
use crate::owner::Owner;
use crate::timestamp::Timestamp;
use crate::trace::CorrelationId;

/// One job.
#[derive(Clone, Debug, Serialize)]
pub struct JobView<'a> {
    /// A UUID of version 7.
    pub job_id: JobId,
    /// `processing`, `succeeded` or `failed`.
    pub status: Status,
    /// When the upload was accepted, RFC 3339 in UTC.
    pub created_at: Timestamp,
    /// When the job last changed, RFC 3339 in UTC.
    pub updated_at: Timestamp,
    /// All options, defaults filled in.
    pub parameters: &'a Options,
    /// The uploaded image.
    pub source: SourceView<'a>,
    /// The thumbnail, once succeeded.
    pub result: Option<ResultView<'a>>,
    /// The thumbnail is that of an earlier job, of the same image and options.
    pub cached: bool,
    /// Attempts begun, without those that the service itself failed.
    pub attempts: u32,
    /// The last failure: why the job failed, or while it is processing, why it is tried again.
    pub error: Option<&'a Failure>,
    /// The receipt, once succeeded.
    pub cost: Option<&'a Cost>,
    /// How far it is that somebody is told of the job's end, where the client asked for it.
    pub callback: Option<CallbackView<'a>>,
    /// Names the request that made the job in the log of the service.
    pub correlation_id: &'a CorrelationId,
    /// Whose the job is; for an admin's key alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<&'a str>,
    /// Where to go from here.
    pub links: Links,
}

/// The uploaded image.
#[derive(Clone, Debug, Serialize)]
pub struct SourceView<'a> {
    /// Of the bytes, lower-case hexadecimal.
    pub sha256: &'a Digest,
    /// By its first bytes.
    pub content_type: &'static str,
    /// Length in bytes.
    pub bytes: u64,
    /// Pixels, after EXIF orientation.
    pub width: u32,
    /// Pixels, after EXIF orientation.
    pub height: u32,
    /// 1 for a still image.
    pub frames: u32,
}

/// The thumbnail.
#[derive(Clone, Debug, Serialize)]
pub struct ResultView<'a> {
    /// What it is encoded as.
    pub content_type: &'static str,
    /// Length in bytes.
    pub bytes: u64,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// Of the bytes, lower-case hexadecimal.
    pub sha256: &'a Digest,
    /// 1 for a still image.
    pub frames: u32,
    /// ThumbHash in base64.
    pub placeholder: &'a str,
    /// What a person should know of the thumbnail: `truncated`, `animation-dropped`, `profile-ignored`, `enlarged`.
    pub warnings: &'a [Warning],
    /// What was given up for `max_bytes` or a preset: `kind` and `value`.
    pub concessions: &'a [Concession],
}

/// Paths on this service.
#[derive(Clone, Debug, Serialize)]
pub struct Links {
    /// The job itself.
    #[serde(rename = "self")]
    pub job: String,
    /// The thumbnail; answers 409 until it is made.
    pub thumbnail: String,
    /// The same for who has no key, as a page's `<img>`; only where the service has keys and signs links.
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    pub signed: Option<SignedLink>,
}

/// A link that is good without a key for a while.
#[derive(Clone, Debug, Serialize)]
pub struct SignedLink {
    /// The path with its signature.
    #[serde(rename = "signed_thumbnail")]
    pub href: String,
    /// Up to when it is good, RFC 3339 in UTC.
    #[serde(rename = "signed_thumbnail_expires_at")]
    pub expires_at: Timestamp,
}

impl<'a> JobView<'a> {
    /// What clients may see of this job.
    pub fn new(job: &'a Job) -> Self {
        Self {
            job_id: job.id,
            status: job.status,
            created_at: job.created_at,
            updated_at: job.updated_at,
            parameters: &job.options,
            source: SourceView::new(&job.source),
            result: job.thumbnail.as_ref().map(ResultView::new),
            cached: job.is_cached(),
            attempts: job.attempts,
            error: job.failure.as_ref(),
            cost: job.cost.as_ref(),
            callback: job.callback.as_ref().map(CallbackView::new),
            correlation_id: &job.correlation_id,
            owner: None,
            links: Links { job: job_href(&job.id), thumbnail: thumbnail_href(&job.id), signed: None },
        }
    }

    /// With a link that is good without a key.
    #[must_use]
    pub fn signed(mut self, link: Option<SignedLink>) -> Self {
        self.links.signed = link;
        self
    }

    /// With its owner, for who may see everybody's.
    #[must_use]
    pub fn owned(mut self, owner: Option<&'a Owner>) -> Self {
        self.owner = owner.map(Owner::as_str);
        self
    }
}

/// Where a thumbnail is; what a signed link signs.
pub fn thumbnail_href(id: &JobId) -> String {
    format!("/thumbnails/{id}")
}

/// Where a job is read.
pub fn job_href(id: &JobId) -> String {
    format!("/jobs/{id}")
}

impl<'a> SourceView<'a> {
    fn new(source: &'a Source) -> Self {
        Self {
            sha256: &source.sha256,
            content_type: source.format.content_type(),
            bytes: source.bytes,
            width: source.width,
            height: source.height,
            frames: source.frames,
        }
    }
}

impl<'a> ResultView<'a> {
    fn new(thumbnail: &'a Thumbnail) -> Self {
        Self {
            content_type: thumbnail.format.content_type(),
            bytes: thumbnail.bytes,
            width: thumbnail.width,
            height: thumbnail.height,
            sha256: &thumbnail.sha256,
            frames: thumbnail.frames,
            placeholder: &thumbnail.placeholder,
            warnings: &thumbnail.warnings,
            concessions: &thumbnail.concessions,
        }
    }
}

/// One page of jobs.
#[derive(Clone, Debug, Serialize)]
pub struct JobListView<'a> {
    /// Newest first.
    pub jobs: Vec<JobView<'a>>,
    /// Paths on this service.
    pub links: ListLinks,
}

/// Where a list goes on.
#[derive(Clone, Debug, Serialize)]
pub struct ListLinks {
    /// The next page; null on the last one.
    pub next: Option<String>,
}

impl<'a> JobListView<'a> {
    /// These jobs. `next` is the address of the page on which older ones follow, if any do.
    pub fn new(jobs: Vec<JobView<'a>>, next: Option<String>) -> Self {
        Self { jobs, links: ListLinks { next } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::callback::{Callback, CallbackState, CallbackUrl};
    use crate::failure::JobCode;
    use crate::format::{OutputFormat, SourceFormat};
    use crate::options::Draft;
    use serde_json::json;

    fn job() -> Job {
        Job {
            id: JobId::parse("01932c07-20a4-7b3c-8d4e-5f6071829304").unwrap(),
            status: Status::Processing,
            options: Draft::new(2048).finish(1),
            source: Source {
                sha256: Digest::from_bytes([0; 32]),
                format: SourceFormat::Jpeg,
                bytes: 1000,
                width: 4000,
                height: 3000,
                frames: 1,
            },
            thumbnail: None,
            failure: None,
            cost: None,
            attempts: 0,
            setbacks: 0,
            due_at: Some(Timestamp::from_unix_millis(0)),
            woken_at: None,
            created_at: Timestamp::from_unix_millis(0),
            updated_at: Timestamp::from_unix_millis(1),
            retried_at: None,
            correlation_id: CorrelationId::parse("req-1").unwrap(),
            trace_parent: None,
            owner: Owner::parse("shop"),
            callback: None,
        }
    }

    fn parameters() -> serde_json::Value {
        json!({
            "width": 100, "height": 100, "fit": "cover", "format": "png", "gravity": "center", "animated": true,
            "background": "transparent", "quality": null, "lossless": false, "max_bytes": null, "max_frames": null, "preset": null,
        })
    }

    #[test]
    fn a_new_job_has_every_member() {
        assert_eq!(
            serde_json::to_value(JobView::new(&job())).unwrap(),
            json!({
                "job_id": "01932c07-20a4-7b3c-8d4e-5f6071829304",
                "status": "processing",
                "created_at": "1970-01-01T00:00:00.000Z",
                "updated_at": "1970-01-01T00:00:00.001Z",
                "parameters": parameters(),
                "source": {
                    "sha256": "0".repeat(64), "content_type": "image/jpeg", "bytes": 1000, "width": 4000,
                    "height": 3000, "frames": 1,
                },
                "result": null,
                "cached": false,
                "attempts": 0,
                "error": null,
                "cost": null,
                "callback": null,
                "correlation_id": "req-1",
                "links": {
                    "self": "/jobs/01932c07-20a4-7b3c-8d4e-5f6071829304",
                    "thumbnail": "/thumbnails/01932c07-20a4-7b3c-8d4e-5f6071829304",
                },
            })
        );
    }

    #[test]
    fn a_finished_job_shows_its_thumbnail_and_its_receipt() {
        let cost = Cost {
            decode_ms: 20.5,
            finish_ms: 1.25,
            encode_ms: 3.0,
            total_ms: 30.0,
            peak_memory_bytes: 8_000_000,
            pixels: 12_000_000,
            frames: 1,
        };
        let finished = Job {
            status: Status::Succeeded,
            thumbnail: Some(Thumbnail {
                format: OutputFormat::Gif,
                bytes: 2000,
                width: 100,
                height: 100,
                sha256: Digest::from_bytes([0xff; 32]),
                frames: 2,
                placeholder: "1QcSHQRnh493V4dIh4eXh1h4kJUI".into(),
                warnings: vec![Warning::AnimationDropped, Warning::ProfileIgnored],
                concessions: vec![Concession::Colours(64)],
            }),
            cost: Some(cost),
            attempts: 1,
            due_at: None,
            ..job()
        };
        let view = serde_json::to_value(JobView::new(&finished)).unwrap();
        assert_eq!(
            view["result"],
            json!({
                "content_type": "image/gif", "bytes": 2000, "width": 100, "height": 100, "sha256": "f".repeat(64),
                "frames": 2, "placeholder": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
                "warnings": ["animation-dropped", "profile-ignored"],
                "concessions": [{"kind": "colours", "value": 64}],
            })
        );
        assert_eq!(
            view["cost"],
            json!({
                "decode_ms": 20.5, "finish_ms": 1.25, "encode_ms": 3.0, "total_ms": 30.0,
                "peak_memory_bytes": 8_000_000, "pixels": 12_000_000, "frames": 1,
            })
        );
    }

    #[test]
    fn a_failed_job_shows_why() {
        let failed = Job { status: Status::Failed, failure: Some(JobCode::WorkerLost.into()), ..job() };
        let view = serde_json::to_value(JobView::new(&failed)).unwrap();
        assert_eq!(view["error"]["code"], "worker-lost");
    }

    #[test]
    fn a_callback_is_shown_without_its_address() {
        let url = CallbackUrl::parse("https://hooks.example/secret").unwrap();
        let callback = Callback {
            state: CallbackState::Pending,
            attempts: 2,
            last_status: Some(503),
            due_at: Some(Timestamp::from_unix_millis(60_000)),
            ..Callback::new(url)
        };
        let view = serde_json::to_value(JobView::new(&Job { callback: Some(callback), ..job() })).unwrap();
        assert_eq!(
            view["callback"],
            json!({
                "state": "pending", "attempts": 2, "last_status": 503, "last_error": null,
                "next_attempt_at": "1970-01-01T00:01:00.000Z", "delivered_at": null,
            })
        );
    }

    #[test]
    fn nothing_internal_is_shown() {
        let text = serde_json::to_string(&JobView::new(&job())).unwrap();
        for name in ["lease", "key", "due", "woken", "trace", "setback", "owner", "signed"] {
            assert!(!text.contains(name), "{name} in {text}");
        }
    }

    #[test]
    fn owner_and_signed_link_stand_where_they_are_given() {
        let job = job();
        let expires_at = Timestamp::from_unix_millis(60_000);
        let link = SignedLink { href: "/thumbnails/x?expires=60&signature=s".to_owned(), expires_at };
        let view =
            serde_json::to_value(JobView::new(&job).signed(Some(link)).owned(job.owner.as_ref())).unwrap();
        assert_eq!(view["owner"], "shop");
        assert_eq!(view["links"]["signed_thumbnail"], "/thumbnails/x?expires=60&signature=s");
        assert_eq!(view["links"]["signed_thumbnail_expires_at"], "1970-01-01T00:01:00.000Z");
    }
}
