//! Responses: JSON, bytes, problems, and the headers that all of them have.

use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use thiserror::Error;
use thumbs_domain::event::Event;
use thumbs_domain::problem::{self, Problem, ProblemKind};
use thumbs_domain::trace::CorrelationId;

use super::gate::Refused;
use super::range;
use super::request::X_REQUEST_ID;
use crate::blobs::BlobError;
use crate::config::ConfigError;
use crate::jobs::StoreError;
use crate::log::Log;

/// A whole response.
pub type Response = http::Response<Vec<u8>>;

/// Why a handler gives no good answer. What the client may know and what the log must know are apart.
#[derive(Debug, Error)]
pub enum Failed {
    /// The client's to mend, or told to it as it is.
    #[error("{}", .0.detail)]
    Problem(Problem),
    /// The path is right, the method is not; these are.
    #[error("method not allowed")]
    Method(&'static str),
    /// Who asks may not.
    #[error("{0}")]
    Refused(Refused),
    /// None of the bytes is there that were asked for, of so many.
    #[error("range not satisfiable")]
    Range {
        /// How many there are.
        bytes: usize,
    },
    /// The job store did not do it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The blob store did not do it.
    #[error(transparent)]
    Blobs(#[from] BlobError),
    /// The operator's to mend.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// Ours to mend. The text is for the log.
    #[error("{0}")]
    Internal(String),
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl Failed {
    /// Of this kind, with a sentence for the client.
    pub fn problem(kind: ProblemKind, detail: impl Into<std::borrow::Cow<'static, str>>) -> Self {
        Self::Problem(Problem::new(kind, detail))
    }

    /// Whether what follows would fail likewise, whatever it is: the service is at fault.
    pub const fn is_ours(&self) -> bool {
        matches!(self, Self::Store(_) | Self::Blobs(_) | Self::Config(_) | Self::Internal(_))
    }

    /// What the client is told. What it is not told goes to the log.
    pub fn into_response(self, correlation_id: &CorrelationId, log: &Log) -> Response {
        let header = match &self {
            Self::Refused(refused) => refused.told().1.map(|challenge| (WWW_AUTHENTICATE, challenge)),
            Self::Method(allow) => Some((ALLOW, HeaderValue::from_static(allow))),
            Self::Range { bytes } => range::unsatisfied(*bytes).map(|range| (CONTENT_RANGE, range)),
            _ => None,
        };
        let mut response = problem_response(&self.into_problem(log), correlation_id);
        response.headers_mut().extend(header);
        response
    }

    /// The same as a part of a larger answer.
    pub fn into_problem(self, log: &Log) -> Problem {
        let cause = self.to_string();
        match self {
            Self::Refused(refused) => refused.told().0,
            Self::Problem(problem) => problem,
            Self::Method(allow) => {
                let detail = format!("This address answers {allow} only.");
                Problem::new(ProblemKind::MethodNotAllowed, detail)
            }
            Self::Range { bytes } => {
                let detail = format!("There are {bytes} bytes. Ask for some of these.");
                Problem::new(ProblemKind::RangeNotSatisfiable, detail)
            }
            Self::Store(StoreError::Unavailable(_)) | Self::Blobs(BlobError::Unavailable(_)) => {
                log.event(Event::DependencyUnavailable { cause: &cause });
                let detail = "The storage can't be reached just now. Try again shortly.";
                Problem::new(ProblemKind::Unavailable, detail)
            }
            Self::Store(StoreError::SchemaTooNew { .. }) => {
                log.event(Event::SchemaTooNew { cause: &cause });
                let detail = "The service is being upgraded. Try again shortly.";
                Problem::new(ProblemKind::Unavailable, detail)
            }
            Self::Config(_) => {
                log.event(Event::Misconfigured { cause: &cause });
                let detail =
                    "The service is set up wrongly. The operator finds the setting under the correlation id.";
                Problem::new(ProblemKind::Misconfigured, detail)
            }
            Self::Store(StoreError::Corrupt(_)) | Self::Blobs(_) | Self::Internal(_) => {
                log.event(Event::InternalError { cause: &cause });
                let detail =
                    "The request can't be served. The operator finds the cause under the correlation id.";
                Problem::new(ProblemKind::Internal, detail)
            }
        }
    }
}

fn problem_response(problem: &Problem, correlation_id: &CorrelationId) -> Response {
    let status = StatusCode::from_u16(problem.kind.row().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = json(status, &problem.document(correlation_id.as_str()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(problem::CONTENT_TYPE));
    if let Some(seconds) = problem.kind.row().retry_after_secs {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

/// A JSON response that nobody keeps: jobs change.
pub fn json(status: StatusCode, document: &impl Serialize) -> Response {
    // Our documents are made of texts, numbers and lists, which always have a JSON form.
    let body = serde_json::to_vec(document).unwrap_or_default();
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Adds what every response has: the correlation id, its length where it does not say it (as the answer to HEAD does), and that
/// browsers must not guess its type.
pub fn finish(mut response: Response, correlation_id: &CorrelationId) -> Response {
    let len = response.body().len();
    let is_bodyless =
        response.status() == StatusCode::NOT_MODIFIED || response.status() == StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(correlation_id.as_str()) {
        headers.insert(X_REQUEST_ID, value);
    }
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if !is_bodyless {
        headers.entry(CONTENT_LENGTH).or_insert(HeaderValue::from(len));
    }
    response
}
