//! Responses, their headers, and the problems that stand among them.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};
use thumbs_domain::problem::{self, ProblemKind, Row};

/// What every operation may be answered with, whatever it does: by its component, and by the host before or instead of it.
const ALWAYS: &[ProblemKind] =
    &[ProblemKind::MalformedRequest, ProblemKind::Internal, ProblemKind::Misconfigured];

/// The correlation id of the examples.
pub(crate) const CORRELATION_ID: &str = "01a20b45-931e-7440-980a-4fb7c647c289";

/// The responses of an operation: the good ones, and a response for each status that its problems have.
pub(crate) fn responses(good: Value, problems: &[ProblemKind]) -> Value {
    let mut responses = match good {
        Value::Object(responses) => responses,
        _ => Map::new(),
    };
    for response in responses.values_mut() {
        response["headers"]["X-Request-Id"] = reference("headers", "request-id");
    }
    let own = problems.iter().chain(ALWAYS).map(|kind| kind.row());
    let mut by_status: BTreeMap<u16, Vec<&Row>> = BTreeMap::new();
    for row in own.chain(problem::OF_THE_HOST) {
        let rows = by_status.entry(row.status).or_default();
        if !rows.iter().any(|other| other.code == row.code) {
            rows.push(row);
        }
    }
    for (status, rows) in by_status {
        let mut response = problem_response(&rows);
        // One that is a good answer in another form as well keeps that.
        if let Some(Value::Object(good)) = responses.get(&status.to_string()) {
            response["description"] = good["description"].clone();
            response["content"]["application/json"] = good["content"]["application/json"].clone();
        }
        responses.insert(status.to_string(), response);
    }
    Value::Object(responses)
}

fn problem_response(rows: &[&Row]) -> Value {
    let meanings: Vec<String> = rows.iter().map(|row| format!("`{}`: {}.", row.code, row.meaning)).collect();
    let examples: Map<String, Value> =
        rows.iter().map(|row| (row.code.to_owned(), reference("examples", row.code))).collect();
    let mut headers = json!({ "X-Request-Id": reference("headers", "request-id") });
    if rows.iter().any(|row| row.retry_after_secs.is_some()) {
        headers["Retry-After"] = reference("headers", "retry-after");
    }
    if rows.iter().any(|row| row.code == ProblemKind::TooManyRequests.row().code) {
        headers["RateLimit"] = reference("headers", "rate-limit");
        headers["RateLimit-Policy"] = reference("headers", "rate-limit-policy");
    }
    if rows.iter().any(|row| row.code == ProblemKind::KeyNeeded.row().code) {
        headers["WWW-Authenticate"] = reference("headers", "www-authenticate");
    }
    if rows.iter().any(|row| row.code == ProblemKind::MethodNotAllowed.row().code) {
        headers["Allow"] = reference("headers", "allow");
    }
    json!({
        "description": meanings.join("\n\n"),
        "headers": headers,
        "content": {
            problem::CONTENT_TYPE: { "schema": reference("schemas", "Problem"), "examples": examples },
        },
    })
}

/// One example for each problem, by its code.
pub(crate) fn examples() -> Value {
    let rows = ProblemKind::ALL.iter().map(|kind| kind.row()).chain(problem::OF_THE_HOST);
    let examples = rows.map(|row| {
        let value = json!({
            "type": row.href(),
            "title": row.title,
            "status": row.status,
            "detail": format!("{}. {}.", row.meaning, row.remedy),
            "code": row.code,
            "correlation_id": CORRELATION_ID,
        });
        (row.code.to_owned(), json!({ "summary": row.title, "value": value }))
    });
    Value::Object(examples.collect())
}

/// Headers that more than one response has.
pub(crate) fn headers() -> Value {
    json!({
        "request-id": {
            "description": "Names the request in the log of the service: the client's own id, if it sent a usable one, or a new one.",
            "schema": { "type": "string" },
            "example": CORRELATION_ID,
        },
        "retry-after": {
            "description": "Seconds after which the same request may be answered otherwise.",
            "schema": { "type": "integer", "minimum": 1 },
            "example": 1,
        },
        "rate-limit": {
            "description": "How many requests of this kind are left, and in how many seconds all are again. Good answers have it as well, where the service bounds how often one client may ask.",
            "schema": { "type": "string" },
            "example": "\"reads\";r=0;t=20",
        },
        "rate-limit-policy": {
            "description": "How many requests of this kind may come at once, and in how many seconds as many come again.",
            "schema": { "type": "string" },
            "example": "\"reads\";q=120;w=20",
        },
        "allow": {
            "description": "The methods that this path answers.",
            "schema": { "type": "string" },
            "example": "GET, HEAD, OPTIONS",
        },
        "www-authenticate": {
            "description": "That a key is asked for (RFC 6750); with an `error` where one was sent.",
            "schema": { "type": "string" },
            "example": "Bearer realm=\"thumbs\"",
        },
        "location": {
            "description": "Where the job is read.",
            "schema": { "type": "string" },
            "example": format!("/jobs/{}", crate::examples::JOB_ID),
        },
        "idempotency-replayed": {
            "description": "There where the request came again under its key, and the job is the one that the first request made.",
            "schema": { "const": "true" },
        },
        "preference-applied": {
            "description": "There where the client preferred to wait: for how many seconds at most the answer was held.",
            "schema": { "type": "string" },
            "example": "wait=10",
        },
        "etag": {
            "description": "Names the bytes of the body; strong.",
            "schema": { "type": "string" },
            "example": "\"7a89920dafadd8e4466092c3099759d3564018dd3bf7c82f96ecfb029c0e25be\"",
        },
        "cache-control": {
            "description": "How long the answer may be kept.",
            "schema": { "type": "string" },
        },
    })
}

/// A reference into `components`.
pub(crate) fn reference(kind: &str, name: &str) -> Value {
    json!({ "$ref": format!("#/components/{kind}/{name}") })
}

/// A response with one JSON document.
pub(crate) fn json_response(description: &str, schema: &str, examples: Value) -> Value {
    json!({
        "description": description,
        "content": { "application/json": { "schema": reference("schemas", schema), "examples": examples } },
    })
}
