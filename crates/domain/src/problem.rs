//! What a client is told when a request can't be served: RFC 9457, `application/problem+json`.
//!
//! One row a kind, from which come the type, the document and the table of docs/api.md. A kind's `type`, status and title never
//! vary; the detail is a sentence that the reader can act on. No text of a driver and no byte of an image
//! gets in here.

use serde::Serialize;
use std::borrow::Cow;

/// The media type of a problem.
pub const CONTENT_TYPE: &str = "application/problem+json";

/// One row of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Row {
    /// The last part of `type`, and the member `code`. Lower case with hyphens.
    pub code: &'static str,
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// Seconds after which the same request may be answered otherwise, for `Retry-After`; none where it won't be.
    pub retry_after_secs: Option<u32>,
    /// The member `title`.
    pub title: &'static str,
    /// What it means.
    pub meaning: &'static str,
    /// What the client does about it.
    pub remedy: &'static str,
}

impl Row {
    /// The member `type`, and the page that explains it. A path of this service (RFC 9457, section 3.1.1, allows a relative
    /// reference with a full path): the service has no fixed name of its own that an absolute URI could stand on.
    pub fn href(&self) -> String {
        format!("/problems/{}", self.code)
    }
}

macro_rules! problems {
    ($($kind:ident = $code:literal, $status:literal, $retry_after_secs:expr, $title:literal, $meaning:literal, $remedy:literal;)+) => {
        /// What is wrong, by whose fault.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum ProblemKind {
            $(#[doc = concat!($meaning, ".")] $kind,)+
        }

        impl ProblemKind {
            /// All kinds, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$kind),+];

            /// The kind's row of the table.
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$kind => &Row {
                        code: $code,
                        status: $status,
                        retry_after_secs: $retry_after_secs,
                        title: $title,
                        meaning: $meaning,
                        remedy: $remedy,
                    },)+
                }
            }
        }
    };
}

problems! {
    MalformedRequest = "malformed-request", 400, None, "The request is malformed",
        "The request itself is broken, whatever image it carries",
        "Mend the request as the detail says";
    InvalidOption = "invalid-option", 400, None, "An option is wrong",
        "An option or a query parameter is unknown, given twice, or has a value that it does not take",
        "Correct the one that the detail names";
    KeyNeeded = "key-needed", 401, None, "An API key is needed",
        "The request has no API key, or one that is not taken: it is unknown, misspelt or has expired",
        "Send a key as `Authorization: Bearer <key>` or `X-Api-Key: <key>`";
    ScopeMissing = "scope-missing", 403, None, "The API key may not do this",
        "The API key is good, and has not the scope that the request needs",
        "Use a key that has the scope which the detail names";
    LinkRefused = "link-refused", 403, None, "The link is not good",
        "The link has expired, or was not signed by this service",
        "Ask for the job again: its `links.signed_thumbnail` is new";
    InvalidIdempotencyKey = "invalid-idempotency-key", 400, None, "The Idempotency-Key is not usable",
        "The `Idempotency-Key` is not 1 to 255 visible ASCII characters",
        "Send a UUID, for example";
    NotFound = "not-found", 404, None, "Not found",
        "Nothing is here, or never was",
        "Check the id, or the path";
    MethodNotAllowed = "method-not-allowed", 405, None, "The method is not allowed here",
        "The path is right and the method is not",
        "Use one of those in `Allow`";
    NotReady = "not-ready", 409, Some(1), "The thumbnail is not ready",
        "The thumbnail is still being made",
        "Ask again shortly, or with `wait`";
    NotFailed = "not-failed", 409, None, "The job did not fail",
        "Only a job that failed can be tried again",
        "Nothing: the job is being made, or done";
    JobFailed = "job-failed", 410, None, "The job failed",
        "There will be no thumbnail; the job's `error` says why",
        "Do what the job's `error` says";
    ThumbnailGone = "thumbnail-gone", 410, None, "The thumbnail is gone",
        "The thumbnail was made, and is no longer there",
        "Upload the image again";
    OriginalGone = "original-gone", 410, None, "The original is gone",
        "The job can't be tried again, nor another be made of its image, because that is kept no longer",
        "Upload the image again";
    UploadTooLarge = "upload-too-large", 413, None, "The upload is too large",
        "The upload has more bytes than one may have",
        "Send a smaller file";
    BatchTooLarge = "batch-too-large", 413, None, "The batch is too large",
        "The batch has more images, or more bytes, than one may have",
        "Send what was not taken as another batch";
    UnsupportedImage = "unsupported-image", 415, None, "Not an accepted kind of image",
        "The first bytes are of no accepted format",
        "Send a JPEG, PNG, GIF, WebP, HEIC or AVIF image";
    RangeNotSatisfiable = "range-not-satisfiable", 416, None, "There are no such bytes",
        "The `Range` begins behind the last byte",
        "Ask for bytes that are there: `Content-Range` says how many";
    UndecodableImage = "undecodable-image", 422, None, "The image can't be decoded",
        "It is of an accepted format, but not readable",
        "Save the image anew, or in another way";
    ImageOverLimit = "image-over-limit", 422, None, "The image is over a limit",
        "It is readable, but has more pixels or frames than one may have",
        "Send a smaller or shorter one";
    IdempotencyKeyReused = "idempotency-key-reused", 422, None, "The Idempotency-Key belongs to another request",
        "The `Idempotency-Key` was used for another image or other options",
        "Choose a new key for a new request";
    Internal = "internal", 500, None, "The service made a mistake",
        "The service made a mistake",
        "Tell the operator the correlation id";
    Misconfigured = "misconfigured", 500, None, "The service is set up wrongly",
        "A setting of the service is wrong; nothing was accepted",
        "Tell the operator the correlation id: the log names the setting";
    TooManyJobs = "too-many-jobs", 429, Some(10), "Too many of your jobs wait",
        "As many jobs wait or are being made as one owner may have",
        "Send it again after `Retry-After`, when some of them are done";
    TooManyRequests = "too-many-requests", 429, Some(1), "Too many requests",
        "More requests came than the keys of one name, or one address, may send",
        "Send it again after `Retry-After`; `RateLimit` says how many are left";
    QueueFull = "queue-full", 503, Some(10), "Too many jobs wait",
        "As many jobs wait or are being made as the service takes",
        "Send it again after `Retry-After`";
    Unavailable = "unavailable", 503, Some(5), "A part of the service is unavailable",
        "Something that the request needs can't be reached",
        "Ask again after `Retry-After`";
}

/// What `thumbs up` answers before or instead of a component, in the same form, beside kinds that components have as well. A test
/// of what ships holds it against the host.
pub const OF_THE_HOST: &[Row] = &[
    Row {
        code: "body-timeout",
        status: 408,
        retry_after_secs: None,
        title: "The body did not arrive in time",
        meaning: "The body stopped arriving",
        remedy: "Send it again without a pause",
    },
    Row {
        code: "out-of-memory",
        status: 503,
        retry_after_secs: Some(1),
        title: "The service has too little memory",
        meaning: "Handling the request needs more memory than is there",
        remedy: "Ask again after `Retry-After`, or send less",
    },
    Row {
        code: "deadline",
        status: 503,
        retry_after_secs: Some(5),
        title: "The service took too long",
        meaning: "Handling the request took longer than one may take",
        remedy: "Ask again after `Retry-After`, or send less",
    },
    Row {
        code: "busy",
        status: 503,
        retry_after_secs: Some(1),
        title: "The service is busy",
        meaning: "Too many requests are being handled, or the service is stopping",
        remedy: "Ask again after `Retry-After`",
    },
];

/// One problem, before it is bound to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong.
    pub kind: ProblemKind,
    /// A sentence that the reader can act on.
    pub detail: Cow<'static, str>,
}

impl Problem {
    /// Of this kind, for this reason.
    pub fn new(kind: ProblemKind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into() }
    }

    /// As the client reads it.
    pub fn document<'a>(&'a self, correlation_id: &'a str) -> Document<'a> {
        let Row { code, status, title, .. } = *self.kind.row();
        Document { kind: self.kind.row().href(), title, status, detail: &self.detail, code, correlation_id }
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
        let rows: Vec<_> = ProblemKind::ALL.iter().map(|kind| kind.row()).chain(OF_THE_HOST).collect();
        let codes: BTreeSet<_> = rows.iter().map(|row| row.code).collect();
        assert_eq!(codes.len(), rows.len());
        for row in rows {
            assert!((400..600).contains(&row.status), "{}", row.code);
            assert!(row.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", row.code);
        }
    }

    #[test]
    fn only_what_may_pass_by_itself_says_when_to_try_again() {
        let says_when = |kind: &ProblemKind| kind.row().retry_after_secs.is_some();
        let retryable: Vec<_> = ProblemKind::ALL.iter().copied().filter(says_when).collect();
        assert_eq!(
            retryable,
            [
                ProblemKind::NotReady,
                ProblemKind::TooManyJobs,
                ProblemKind::TooManyRequests,
                ProblemKind::QueueFull,
                ProblemKind::Unavailable
            ]
        );
    }

    #[test]
    fn the_document_has_the_members_of_rfc_9457_and_the_correlation_id() {
        let problem = Problem::new(ProblemKind::NotFound, "There is no job with this id.");
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
