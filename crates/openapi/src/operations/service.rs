//! What tells about the service: its documents, its health, its numbers.

use serde_json::json;
use thumbs_domain::problem::ProblemKind::{self, *};

use super::Operation;
use super::parameters::if_none_match;
use crate::answers::{json_response, reference};
use crate::examples;

pub(super) fn get_document() -> Operation {
    let headers = json!({ "ETag": reference("headers", "etag"), "Cache-Control": reference("headers", "cache-control") });
    Operation {
        id: "getOpenApi",
        tag: "service",
        parameters: vec![if_none_match()],
        body: None,
        good: json!({
            "200": {
                "description": "This document.",
                "headers": headers,
                "content": { "application/json": { "schema": { "type": "object" } } },
            },
            "304": { "description": "The client has it already.", "headers": headers },
        }),
        problems: &[],
        curl: "curl {origin}/openapi.json",
    }
}

pub(super) fn get_problem() -> Operation {
    let headers = json!({
        "ETag": reference("headers", "etag"),
        "Cache-Control": reference("headers", "cache-control"),
        "Vary": { "description": "`Accept`.", "schema": { "type": "string" } },
    });
    Operation {
        id: "getProblem",
        tag: "service",
        parameters: vec![if_none_match()],
        body: None,
        good: json!({
            "200": {
                "description": "What the code means and what to do: a page for people, or JSON for who prefers that.",
                "headers": headers,
                "content": {
                    "text/html": { "schema": { "type": "string" } },
                    "application/json": { "schema": reference("schemas", "ProblemType") },
                },
            },
            "304": { "description": "The client has it already.", "headers": headers },
        }),
        problems: &[NotFound],
        curl: "curl -H 'Accept: application/json' {origin}/problems/{code}",
    }
}

pub(super) fn get_health(
    id: &'static str,
    about: &str,
    problems: &'static [ProblemKind],
    curl: &'static str,
) -> Operation {
    let examples = json!({ "ok": { "value": { "status": "ok" } } });
    Operation {
        id,
        tag: "service",
        parameters: Vec::new(),
        body: None,
        good: json!({ "200": json_response(about, "Alive", examples) }),
        problems,
        curl,
    }
}

/// A report is the answer in both cases, so 503 is no problem here, but for those of the host.
pub(super) fn get_detailed_health() -> Operation {
    let report = |about, down| json_response(about, "Health", examples::health(down));
    Operation {
        id: "getDetailedHealth",
        tag: "service",
        parameters: Vec::new(),
        body: None,
        good: json!({
            "200": report("What is needed answers.", false),
            "503": report("Something that is needed does not answer.", true),
        }),
        problems: &[],
        curl: "curl {origin}/healthz/detailed",
    }
}

pub(super) fn get_metrics() -> Operation {
    Operation {
        id: "getMetrics",
        tag: "service",
        parameters: Vec::new(),
        body: None,
        good: json!({
            "200": {
                "description": "Numbers of jobs.",
                "content": { "text/plain": { "schema": { "type": "string" } } },
            },
        }),
        problems: &[Unavailable],
        curl: "curl {origin}/metrics",
    }
}

/// For people: what is in it may change with any version.
pub(super) fn get_debug(id: &'static str, about: &str, curl: &'static str) -> Operation {
    Operation {
        id,
        tag: "service",
        parameters: Vec::new(),
        body: None,
        good: json!({
            "200": {
                "description": format!("{about} What is in it may change with any version."),
                "content": { "application/json": { "schema": { "type": "object" } } },
            },
        }),
        problems: &[Unavailable],
        curl,
    }
}
