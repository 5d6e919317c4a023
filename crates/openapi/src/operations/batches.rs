//! Several images in one request.

use serde_json::{Value, json};
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::problem::ProblemKind::*;

use super::Operation;
use super::parameters::{idempotency_key, option_parameters, waiting};
use crate::answers::{json_response, reference};
use crate::{examples, schemas};

pub(super) fn create_batch(limits: &UploadLimits) -> Operation {
    let key = idempotency_key(
        "A batch that comes again under its key gets the jobs that the first one made: each image has a key of its own that follows from this one.",
    );
    let mut good = json_response(
        "A job, or why there is none, for each image, in their order.",
        "Batch",
        examples::batch_answer(),
    );
    let mut refused = good.clone();
    refused["description"] = "The same, where no job was made of any.".into();
    good["headers"] = json!({
        "Location": reference("headers", "location"),
        "Idempotency-Replayed": reference("headers", "idempotency-replayed"),
    });
    good["links"] = json!({
        "batch": {
            "operationId": "getBatch",
            "parameters": { "id": "$response.body#/batch_id" },
            "description": "Follow the batch.",
        },
    });
    Operation {
        id: "createBatch",
        tag: "jobs",
        parameters: option_parameters(limits).chain([key]).collect(),
        body: Some(form(limits)),
        good: json!({ "200": refused, "202": good }),
        problems: &[InvalidOption, InvalidIdempotencyKey, BatchTooLarge, TooManyJobs, QueueFull, Unavailable],
        curl: "curl -F width=320 -F image=@one.jpg -F image=@two.png {origin}/batches",
    }
}

fn form(limits: &UploadLimits) -> Value {
    let image = json!({
        "contentMediaType": "application/octet-stream",
        "maxLength": limits.max_upload_bytes,
    });
    let mut members = json!({
        "image": {
            "type": "array",
            "items": image,
            "minItems": 1,
            "description": "The images, each a part of this name or of the name `file`.",
        },
    });
    for row in schemas::options(limits) {
        let mut schema = schemas::option(row, limits);
        schema["description"] = format!("{}.", row.meaning).into();
        members[row.name] = schema;
    }
    let form = json!({
        "type": "object",
        "properties": members,
        "required": ["image"],
        "additionalProperties": false,
    });
    json!({
        "required": true,
        "description": "A form. An option counts for the images after it, until it is given again; an empty value takes it back. Those of the query count for all images.",
        "content": { "multipart/form-data": { "schema": form } },
    })
}

pub(super) fn get_batch() -> Operation {
    let mut good = json_response("The batch as it stands.", "Batch", examples::batch());
    good["headers"] = json!({
        "Retry-After": reference("headers", "retry-after"),
        "Preference-Applied": reference("headers", "preference-applied"),
    });
    Operation {
        id: "getBatch",
        tag: "jobs",
        parameters: waiting(),
        body: None,
        good: json!({ "200": good }),
        problems: &[InvalidOption, NotFound, Unavailable],
        curl: "curl '{origin}/batches/{id}?wait=30'",
    }
}
