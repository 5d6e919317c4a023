//! What a client is told when a request can't be served: RFC 9457, `application/problem+json`.
//!
//! Each kind has a stable `type`, a status and a title that never vary; the detail is a sentence that the reader can act on.
//! No text of a driver, no configured number and no byte of an image gets in here.

use serde::Serialize;
use std::borrow::Cow;

/// The media type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// What is wrong, by whose fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The request itself is broken, whatever image it carries.
    MalformedRequest,
    /// An option or a query parameter is wrong.
    InvalidOption,
    /// The `Idempotency-Key` is not one.
    InvalidIdempotencyKey,
    /// Nothing is here, or never was.
    NotFound,
    /// The path is right and the method is not.
    MethodNotAllowed,
    /// The thumbnail is still being made.
    NotReady,
    /// The job failed: there will be no thumbnail unless the job is tried again.
    JobFailed,
    /// The thumbnail was made, and is no longer there.
    ThumbnailGone,
    /// The upload has more bytes than one may have.
    UploadTooLarge,
    /// The first bytes are of no accepted format.
    UnsupportedImage,
    /// One of the formats, but not readable.
    UndecodableImage,
    /// Readable, but larger than one may be.
    ImageOverLimit,
    /// The `Idempotency-Key` was used for another request.
    IdempotencyKeyReused,
    /// Something that the request needs can't be reached.
    Unavailable,
    /// A mistake of ours.
    Internal,
}

impl Kind {
    /// All kinds, for the documentation.
    pub const ALL: [Self; 15] = [
        Self::MalformedRequest,
        Self::InvalidOption,
        Self::InvalidIdempotencyKey,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotReady,
        Self::JobFailed,
        Self::ThumbnailGone,
        Self::UploadTooLarge,
        Self::UnsupportedImage,
        Self::UndecodableImage,
        Self::ImageOverLimit,
        Self::IdempotencyKeyReused,
        Self::Unavailable,
        Self::Internal,
    ];

    /// The HTTP status.
    pub const fn status(self) -> u16 {
        match self {
            Self::MalformedRequest | Self::InvalidOption | Self::InvalidIdempotencyKey => 400,
            Self::NotFound => 404,
            Self::MethodNotAllowed => 405,
            Self::NotReady => 409,
            Self::JobFailed | Self::ThumbnailGone => 410,
            Self::UploadTooLarge => 413,
            Self::UnsupportedImage => 415,
            Self::UndecodableImage | Self::ImageOverLimit | Self::IdempotencyKeyReused => 422,
            Self::Internal => 500,
            Self::Unavailable => 503,
        }
    }

    /// The last part of `type`, and the member `code`.
    pub const fn code(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformed-request",
            Self::InvalidOption => "invalid-option",
            Self::InvalidIdempotencyKey => "invalid-idempotency-key",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::NotReady => "not-ready",
            Self::JobFailed => "job-failed",
            Self::ThumbnailGone => "thumbnail-gone",
            Self::UploadTooLarge => "upload-too-large",
            Self::UnsupportedImage => "unsupported-image",
            Self::UndecodableImage => "undecodable-image",
            Self::ImageOverLimit => "image-over-limit",
            Self::IdempotencyKeyReused => "idempotency-key-reused",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
        }
    }

    /// The same for every problem of this kind.
    pub const fn title(self) -> &'static str {
        match self {
            Self::MalformedRequest => "The request is malformed",
            Self::InvalidOption => "An option is wrong",
            Self::InvalidIdempotencyKey => "The Idempotency-Key is not usable",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "The method is not allowed here",
            Self::NotReady => "The thumbnail is not ready",
            Self::JobFailed => "The job failed",
            Self::ThumbnailGone => "The thumbnail is gone",
            Self::UploadTooLarge => "The upload is too large",
            Self::UnsupportedImage => "Not an accepted kind of image",
            Self::UndecodableImage => "The image can't be decoded",
            Self::ImageOverLimit => "The image is over a limit",
            Self::IdempotencyKeyReused => "The Idempotency-Key belongs to another request",
            Self::Unavailable => "A part of the service is unavailable",
            Self::Internal => "The service made a mistake",
        }
    }

    /// Seconds after which the same request may be answered otherwise, for `Retry-After`; none where it won't be.
    pub const fn retry_after_secs(self) -> Option<u32> {
        match self {
            Self::NotReady => Some(1),
            Self::Unavailable => Some(5),
            _ => None,
        }
    }
}

/// One problem, before it is bound to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub kind: Kind,
    /// A sentence that the reader can act on.
    pub detail: Cow<'static, str>,
}

impl Problem {
    /// Of this kind, for this reason.
    pub fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// As the client reads it. `type` is a path of this service (RFC 9457, section 3.1.1, allows a relative reference with a
    /// full path): the service has no fixed name of its own that an absolute URI could stand on.
    pub fn document<'a>(&'a self, correlation_id: &'a str) -> Document<'a> {
        Document {
            kind: format!("/problems/{}", self.kind.code()),
            title: self.kind.title(),
            status: self.kind.status(),
            detail: &self.detail,
            code: self.kind.code(),
            correlation_id,
        }
    }
}

/// The members of the JSON object.
#[derive(Clone, Debug, Serialize)]
pub struct Document<'a> {
    /// Stable; programs may compare it.
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    /// The last part of `type`, for those who do not want to take it apart.
    code: &'static str,
    /// Names this request in the log of the service.
    correlation_id: &'a str,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_kind_has_a_code_of_its_own_and_a_status_of_an_error() {
        let codes: BTreeSet<_> = Kind::ALL.iter().map(|kind| kind.code()).collect();
        assert_eq!(codes.len(), Kind::ALL.len());
        for kind in Kind::ALL {
            assert!((400..600).contains(&kind.status()), "{kind:?}");
            assert!(kind.code().bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{kind:?}");
        }
    }

    #[test]
    fn only_what_may_pass_by_itself_says_when_to_try_again() {
        let retryable: Vec<_> =
            Kind::ALL.into_iter().filter(|kind| kind.retry_after_secs().is_some()).collect();
        assert_eq!(retryable, [Kind::NotReady, Kind::Unavailable]);
    }

    #[test]
    fn the_document_has_the_members_of_rfc_9457_and_the_correlation_id() {
        let problem = Problem::new(Kind::NotFound, "There is no job with this id.");
        assert_eq!(
            serde_json::to_value(problem.document("req-1")).unwrap(),
            serde_json::json!({
                "type": "/problems/not-found",
                "title": "Not found",
                "status": 404,
                "detail": "There is no job with this id.",
                "code": "not-found",
                "correlation_id": "req-1",
            })
        );
    }
}
