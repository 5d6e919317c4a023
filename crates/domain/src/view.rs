//! What clients read of jobs: the JSON of `POST /jobs`, `GET /jobs` and `GET /jobs/{id}`.
//!
//! Every member is always there; what is not known yet is null. Only what comes of keys, variants and `format=auto` is left out where there are none. What the store keeps for itself (leases, idempotency keys) has
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
use crate::variant::VariantName;

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
    /// The thumbnail, once succeeded; the first of the variants, where there are any.
    pub result: Option<ResultView<'a>>,
    /// Where each variant is, and once succeeded, what came of it; only of jobs with variants.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub variants: Vec<VariantView<'a>>,
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
    /// The same as WebP, which clients get that say they take it; only of `format=auto`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webp: Option<Box<Self>>,
}

/// One of several thumbnails of one image.
#[derive(Clone, Debug, Serialize)]
pub struct VariantView<'a> {
    /// As it was asked for.
    pub name: &'a VariantName,
    /// The path of the thumbnail; answers 409 until it is made.
    pub url: String,
    /// The same for who has no key; only where the service has keys and signs links.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_url: Option<String>,
    /// Up to when that is good, RFC 3339 in UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signed_url_expires_at: Option<Timestamp>,
    /// What came of it, once succeeded.
    #[serde(flatten)]
    pub result: Option<ResultView<'a>>,
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
            variants: job
                .options
                .variants
                .iter()
                .map(|variant| VariantView::new(job, &variant.name))
                .collect(),
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

    /// With links that are good without a key, to what `sign` gives one for.
    #[must_use]
    pub fn signed(mut self, sign: impl Fn(&str) -> Option<SignedLink>) -> Self {
        self.links.signed = sign(&self.links.thumbnail);
        for variant in &mut self.variants {
            let link = sign(&variant.url);
            variant.signed_url_expires_at = link.as_ref().map(|link| link.expires_at);
            variant.signed_url = link.map(|link| link.href);
        }
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

/// Where one of the thumbnails of a job with variants is.
pub fn variant_href(id: &JobId, name: &VariantName) -> String {
    format!("/thumbnails/{id}/{name}")
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
            webp: thumbnail.webp.as_deref().map(|webp| Box::new(Self::new(webp))),
        }
    }
}

impl<'a> VariantView<'a> {
    fn new(job: &'a Job, name: &'a VariantName) -> Self {
        let made = job.thumbnail.as_ref().and_then(|thumbnail| thumbnail.variant(name.as_str()));
        Self {
            name,
            url: variant_href(&job.id, name),
            signed_url: None,
            signed_url_expires_at: None,
            result: made.map(ResultView::new),
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
mod tests;
