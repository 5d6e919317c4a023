//! One function for each operation. What a route does in a sentence comes from the table of routes; here is what a client sends and gets.

mod batches;
mod jobs;
mod parameters;
mod service;
mod thumbnails;

use serde_json::{Value, json};
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::problem::ProblemKind::{self, *};
use thumbs_domain::route::Needs;

use parameters::{path_parameter, request_id};

use crate::answers::responses;
use crate::security;

/// An operation before it has its summary and what its path asks for.
struct Operation {
    id: &'static str,
    tag: &'static str,
    parameters: Vec<Value>,
    body: Option<Value>,
    good: Value,
    problems: &'static [ProblemKind],
    curl: &'static str,
}

/// The operation of this row of the table of routes.
pub(crate) fn operation(
    method: &str,
    path: &str,
    needs: Needs,
    meaning: &str,
    limits: &UploadLimits,
) -> Value {
    let operation = match (method, path) {
        ("POST", "/jobs") => jobs::create_job(limits),
        ("GET", "/jobs") => jobs::list_jobs(),
        ("GET", "/jobs/{id}") => jobs::get_job(),
        ("DELETE", "/jobs/{id}") => jobs::delete_job(),
        ("POST", "/jobs/{id}/retry") => jobs::retry_job(),
        ("GET", "/jobs/{id}/history") => jobs::get_history(),
        ("GET", "/jobs/{id}/events") => jobs::get_events(),
        ("POST", "/batches") => batches::create_batch(limits),
        ("GET", "/batches/{id}") => batches::get_batch(),
        ("GET", "/thumbnails/{id}") => thumbnails::get_thumbnail(),
        ("GET", "/thumbnails/{id}/{name}") => thumbnails::get_variant(),
        ("GET", "/openapi.json") => service::get_document(),
        ("GET", "/problems/{code}") => service::get_problem(),
        ("GET", "/healthz") => service::get_health("getHealth", "Alive.", &[], "curl {origin}/healthz"),
        ("GET", "/readyz") => {
            service::get_health("getReadiness", "Ready.", &[Unavailable], "curl {origin}/readyz")
        }
        ("GET", "/healthz/detailed") => service::get_detailed_health(),
        ("GET", "/metrics") => service::get_metrics(),
        ("GET", "/debug/info") => service::get_debug(
            "getDebugInfo",
            "Settings, and the names of keys.",
            "curl -H 'X-Api-Key: ...' {origin}/debug/info",
        ),
        ("GET", "/debug/connectivity") => service::get_debug(
            "getConnectivity",
            "How everything answers.",
            "curl -H 'X-Api-Key: ...' {origin}/debug/connectivity",
        ),
        ("GET", "/debug/jobs") => {
            service::get_debug("getDebugJobs", "The queue.", "curl -H 'X-Api-Key: ...' {origin}/debug/jobs")
        }
        ("GET", "/debug/logs") => {
            service::get_debug("getDebugLogs", "The log.", "curl -H 'X-Api-Key: ...' {origin}/debug/logs")
        }
        _ => undescribed(),
    };
    let mut parameters: Vec<Value> =
        path.split('/').filter_map(|segment| path_parameter(path, segment)).collect();
    parameters.extend(operation.parameters);
    parameters.push(request_id());
    let mut document = json!({
        "operationId": operation.id,
        "tags": [operation.tag],
        "summary": format!("{meaning}."),
        "parameters": parameters,
        "responses": responses(operation.good, &[operation.problems, security::problems(needs)].concat()),
        "security": security::requirements(needs),
        "x-curl": operation.curl,
    });
    if needs != Needs::Nothing {
        document["description"] = security::about(needs).into();
    }
    if let Some(body) = operation.body {
        document["requestBody"] = body;
    }
    document
}

/// A route that nobody has described here yet: a test names it.
fn undescribed() -> Operation {
    Operation {
        id: "undescribed",
        tag: "service",
        parameters: Vec::new(),
        body: None,
        good: json!({ "default": { "description": "Not described." } }),
        problems: &[],
        curl: "",
    }
}
