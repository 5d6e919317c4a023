//! The OpenAPI 3.1 document of the service, made from the tables of `thumbs-domain`: routes, options, presets, problems, job codes and limits.
//!
//! A pure function: the component `pages` calls it with the limits that its operator set, a test with those of spin.toml, and holds
//! the result against `docs/openapi.json`. What no table has (the shapes of JSON, which problem an operation may have) is written
//! here, and held against what the domain serialises.
//!
//! | file | subject |
//! |---|---|
//! | `operations.rs`, `operations/` | one function for each operation: parameters, body, answers |
//! | `answers.rs` | responses, and the problems among them |
//! | `security.rs` | who may, where the operator lists keys |
//! | `schemas.rs` | the shapes of JSON |
//! | `examples.rs` | a job in each state, by the code that serves jobs |

mod answers;
mod examples;
mod operations;
mod schemas;
mod security;

use serde_json::{Map, Value, json};
use thumbs_domain::failure::{Fault, JobCode};
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::preset::Preset;
use thumbs_domain::route;

/// Routes that give pages to people: no part of the API.
pub const PAGES: &[&str] = &["/", "/docs", "/site/{file}"];

const ABOUT: &str = "Upload an image, get a job at once, poll it, download the thumbnail. A request that is not served is answered by \
    `application/problem+json` (RFC 9457) with a stable `code` and a sentence to act on; each code has a page at `/problems/{code}`. \
    Wherever there is `GET`, `HEAD` is answered as well: with the same status and headers, without the body. `OPTIONS` tells what a path takes.";

/// The document of a service with these limits.
#[must_use]
pub fn document(limits: &UploadLimits) -> Value {
    let mut paths = Map::new();
    for row in route::TABLE.iter().filter(|row| !PAGES.contains(&row.path)) {
        let operations = row.methods.iter().map(|&(method, needs, meaning)| {
            (method.to_lowercase(), operations::operation(method, row.path, needs, meaning, limits))
        });
        paths.insert(row.path.to_owned(), Value::Object(operations.collect()));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Thumbs",
            "summary": "Thumbnails of uploaded images, made in a sandbox",
            "description": ABOUT,
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/", "description": "This service" }],
        "tags": [
            { "name": "jobs", "description": "An upload and the thumbnail that it asks for" },
            { "name": "thumbnails", "description": "What was made" },
            { "name": "service", "description": "What the service says of itself" },
        ],
        "paths": paths,
        "components": {
            "schemas": schemas::all(limits),
            "examples": answers::examples(),
            "headers": answers::headers(),
            "securitySchemes": security::schemes(),
        },
        "x-presets": presets(),
        "x-job-codes": job_codes(),
        "x-limits": {
            "max_upload_bytes": limits.max_upload_bytes,
            "max_pixels": limits.image.max_pixels,
            "max_side": limits.image.max_side,
            "max_frames": limits.image.max_frames,
            "max_total_pixels": limits.image.max_total_pixels,
            "max_variants": limits.max_variants,
            "max_output_side": limits.image.max_output_side,
            "max_output_pixels": limits.image.max_output_pixels,
        },
    })
}

fn presets() -> Value {
    let rows = Preset::ALL.iter().map(|preset| {
        let row = preset.row();
        json!({
            "name": preset.name(),
            "meaning": format!("{}.", row.meaning),
            "width": row.side,
            "height": row.side,
            "max_bytes": row.max_bytes,
            "max_frames": row.max_frames,
        })
    });
    rows.collect()
}

fn job_codes() -> Value {
    let rows = JobCode::ALL.iter().map(|code| {
        let row = code.row();
        json!({
            "code": row.code,
            "meaning": row.sentence,
            "remedy": row.remedy,
            "tried_again": row.fault != Fault::Permanent,
        })
    });
    rows.collect()
}
