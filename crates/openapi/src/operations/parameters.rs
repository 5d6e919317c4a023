//! What several operations take in their path, query or headers.

use serde_json::{Value, json};
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::problem::ProblemKind::*;
use thumbs_domain::wait::MAX_WAIT_SECS;

use crate::{examples, schemas};

pub(super) fn option_parameters(limits: &UploadLimits) -> impl Iterator<Item = Value> {
    schemas::options(limits).map(|row| {
        json!({
            "name": row.name,
            "in": "query",
            "required": false,
            "description": format!("{}.", row.meaning),
            "schema": schemas::option(row, limits),
            "example": example(row.example),
        })
    })
}

pub(super) fn idempotency_key(about: &str) -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": about,
        "schema": { "type": "string", "pattern": "^[!-~]{1,255}$" },
        "example": "7f3c6b1e-9d5a-4a83-9a5e-0b1d6f2f6a10",
    })
}

/// The two ways to ask for an answer that is held until the job is done.
pub(super) fn waiting() -> Vec<Value> {
    let about = format!(
        "Seconds for which the answer is held until the job is done; more than {MAX_WAIT_SECS} are {MAX_WAIT_SECS}."
    );
    vec![
        query("wait", &about, json!({ "type": "integer", "minimum": 0 }), "10"),
        json!({
            "name": "Prefer",
            "in": "header",
            "required": false,
            "description": "`wait=SECONDS` is the same as the parameter, where that is not given; the answer says so in `Preference-Applied`.",
            "schema": { "type": "string" },
            "example": "wait=10",
        }),
    ]
}

/// For what has an `ETag`.
pub(super) fn if_none_match() -> Value {
    json!({
        "name": "If-None-Match",
        "in": "header",
        "required": false,
        "description": "The `ETag` of bytes that the client has: if they are still the same, the answer is 304.",
        "schema": { "type": "string" },
    })
}

/// A parameter of the path, where the segment is one.
pub(super) fn path_parameter(path: &str, segment: &str) -> Option<Value> {
    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
    let (about, schema, example) = match name {
        "id" if path.starts_with("/batches") => {
            ("The `batch_id` of a batch.", json!({ "type": "string" }), examples::BATCH_ID)
        }
        "id" => ("The `job_id` of a job.", json!({ "type": "string" }), examples::JOB_ID),
        "code" => {
            ("The `code` of a problem or of a failed job.", json!({ "type": "string" }), NotFound.row().code)
        }
        "name" => ("The name of a variant of the job.", json!({ "type": "string" }), "card"),
        _ => ("Part of the path.", json!({ "type": "string" }), ""),
    };
    Some(json!({
        "name": name,
        "in": "path",
        "required": true,
        "description": about,
        "schema": schema,
        "example": example,
    }))
}

pub(super) fn request_id() -> Value {
    json!({
        "name": "X-Request-Id",
        "in": "header",
        "required": false,
        "description": "Names the request in answers and in the log: at most 128 of `A-Z a-z 0-9 . _ -`; of anything else, a new one is made.",
        "schema": { "type": "string" },
    })
}

pub(super) fn query(name: &str, about: &str, schema: Value, text: &str) -> Value {
    json!({
        "name": name,
        "in": "query",
        "required": false,
        "description": about,
        "schema": schema,
        "example": example(text),
    })
}

/// As JSON has it: `85` is a number, `webp` a text.
pub(super) fn example(text: &str) -> Value {
    let number = text.parse::<u64>().map(Value::from);
    number.or_else(|_| text.parse::<bool>().map(Value::from)).unwrap_or_else(|_| text.into())
}
