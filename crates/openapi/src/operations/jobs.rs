//! Jobs: made, listed, followed, tried again, deleted.

use serde_json::{Value, json};
use thumbs_domain::failure::JobCode;
use thumbs_domain::format::{OutputFormat, SourceFormat};
use thumbs_domain::job::Status;
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::list::{DEFAULT_LIMIT, MAX_IDS, MAX_LIMIT};
use thumbs_domain::problem::ProblemKind::*;

use super::Operation;
use super::parameters::{idempotency_key, option_parameters, query, waiting};
use crate::answers::{json_response, reference};
use crate::{examples, schemas};

pub(super) fn create_job(limits: &UploadLimits) -> Operation {
    let key =
        idempotency_key("An upload that comes again under its key gets the job that the first one made.");
    let source = json!({
        "name": "source",
        "in": "query",
        "required": false,
        "description": "The id of a job whose image is meant, as long as that is kept; the request has no body then.",
        "schema": { "type": "string", "format": "uuid" },
    });
    let anew = json!({
        "name": "Cache-Control",
        "in": "header",
        "required": false,
        "description": "`no-cache` has the thumbnail made even where it was made before of the same image with the same options.",
        "schema": { "type": "string" },
        "example": "no-cache",
    });
    let mut good = json_response("The job, which is made from now on.", "Job", examples::accepted());
    good["headers"] = json!({
        "Location": reference("headers", "location"),
        "Idempotency-Replayed": reference("headers", "idempotency-replayed"),
        "Preference-Applied": reference("headers", "preference-applied"),
    });
    let of_the_job = json!({ "id": "$response.body#/job_id" });
    good["links"] = json!({
        "job": { "operationId": "getJob", "parameters": of_the_job, "description": "Follow the job." },
        "thumbnail": { "operationId": "getThumbnail", "parameters": of_the_job, "description": "Take the thumbnail, once it is made." },
    });
    Operation {
        id: "createJob",
        tag: "jobs",
        parameters: option_parameters(limits).chain([source, key, anew]).chain(waiting()).collect(),
        body: Some(upload(limits)),
        good: json!({ "200": waited_for(), "202": good }),
        problems: &[
            InvalidOption,
            InvalidIdempotencyKey,
            NotFound,
            OriginalGone,
            UploadTooLarge,
            UnsupportedImage,
            UndecodableImage,
            ImageOverLimit,
            IdempotencyKeyReused,
            JobFailed,
            TooManyJobs,
            QueueFull,
            Unavailable,
        ],
        curl: "curl -F image=@photo.jpg -F width=320 -F height=240 {origin}/jobs",
    }
}

/// What a client gets that waited until the job was done: the job, or where it prefers an image, that.
pub(super) fn waited_for() -> Value {
    let mut good = json_response(
        "The client waited, and the job is done. One that prefers an image by `Accept` gets the thumbnail, or where the job failed, 410.",
        "Job",
        examples::jobs(),
    );
    for format in OutputFormat::ALL {
        good["content"][format.content_type()] = json!({ "schema": schemas::bytes() });
    }
    good["headers"] = json!({
        "Location": reference("headers", "location"),
        "Idempotency-Replayed": reference("headers", "idempotency-replayed"),
        "Preference-Applied": reference("headers", "preference-applied"),
    });
    good
}

/// A form, or the image itself.
pub(super) fn upload(limits: &UploadLimits) -> Value {
    let image = json!({
        "type": "string",
        "format": "binary",
        "description": "The bytes of a JPEG, PNG, GIF, WebP, HEIC or AVIF image; what they are is told by the first of them.",
        "contentMediaType": "application/octet-stream",
        "maxLength": limits.max_upload_bytes,
    });
    let mut members = json!({ "image": image });
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
    let mut content = json!({
        "multipart/form-data": { "schema": form },
        "application/octet-stream": { "schema": schemas::bytes() },
    });
    for format in SourceFormat::ALL {
        content[format.content_type()] = json!({ "schema": schemas::bytes() });
    }
    json!({
        "required": false,
        "description": "The image: as the part `image` of a form, or as the whole body; none beside `source`. Options are parameters of the query or parts of the form, none of them both.",
        "content": content,
    })
}

pub(super) fn list_jobs() -> Operation {
    let parameters = vec![
        query(
            "status",
            "Only jobs that stand so.",
            json!({ "type": "string", "enum": Status::WORDS }),
            "succeeded",
        ),
        query(
            "code",
            "Only jobs that failed for this reason.",
            json!({ "type": "string", "enum": JobCode::ALL.iter().map(|code| code.row().code).collect::<Vec<_>>() }),
            JobCode::MalformedImage.row().code,
        ),
        query(
            "limit",
            "Jobs on a page.",
            json!({ "type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT }),
            "20",
        ),
        json!({
            "name": "cursor",
            "in": "query",
            "required": false,
            "description": "What the `next` link of a page holds.",
            "schema": { "type": "string" },
            "example": examples::cursor(),
        }),
        query(
            "ids",
            &format!(
                "These jobs, as far as there are such, in this order: at most {MAX_IDS} ids with commas between them. Goes with no other parameter."
            ),
            json!({ "type": "string", "pattern": "[^,\\s]" }),
            examples::JOB_ID,
        ),
    ];
    Operation {
        id: "listJobs",
        tag: "jobs",
        parameters,
        body: None,
        good: json!({ "200": json_response("A page of jobs.", "JobList", examples::page()) }),
        problems: &[InvalidOption, Unavailable],
        curl: "curl '{origin}/jobs?status=failed&limit=5'",
    }
}

pub(super) fn get_job() -> Operation {
    let mut good = json_response("The job as it stands.", "Job", examples::jobs());
    good["headers"] = json!({
        "Retry-After": reference("headers", "retry-after"),
        "Preference-Applied": reference("headers", "preference-applied"),
    });
    Operation {
        id: "getJob",
        tag: "jobs",
        parameters: waiting(),
        body: None,
        good: json!({ "200": good }),
        problems: &[InvalidOption, NotFound, Unavailable],
        curl: "curl '{origin}/jobs/{id}?wait=10'",
    }
}

pub(super) fn delete_job() -> Operation {
    Operation {
        id: "deleteJob",
        tag: "jobs",
        parameters: Vec::new(),
        body: None,
        good: json!({ "204": { "description": "The job is gone, and its image and thumbnail with it." } }),
        problems: &[NotFound, Unavailable],
        curl: "curl -X DELETE {origin}/jobs/{id}",
    }
}

pub(super) fn retry_job() -> Operation {
    let about = |about, examples| {
        let mut good = json_response(about, "Job", examples);
        good["headers"] = json!({ "Preference-Applied": reference("headers", "preference-applied") });
        good
    };
    Operation {
        id: "retryJob",
        tag: "jobs",
        parameters: waiting(),
        body: None,
        good: json!({
            "200": about("The client waited, and the job is done.", examples::jobs()),
            "202": about("The job, which is made anew from now on.", examples::accepted()),
        }),
        problems: &[InvalidOption, NotFound, NotFailed, OriginalGone, Unavailable],
        curl: "curl -X POST {origin}/jobs/{id}/retry",
    }
}

pub(super) fn get_history() -> Operation {
    Operation {
        id: "getHistory",
        tag: "jobs",
        parameters: Vec::new(),
        body: None,
        good: json!({ "200": json_response("The last attempts, oldest first.", "History", examples::history()) }),
        problems: &[NotFound, Unavailable],
        curl: "curl {origin}/jobs/{id}/history",
    }
}

pub(super) fn get_events() -> Operation {
    let known = json!({
        "name": "Last-Event-ID",
        "in": "header",
        "required": false,
        "description": "The `id` of the last event that the client has, which is not sent again.",
        "schema": { "type": "string" },
    });
    Operation {
        id: "getEvents",
        tag: "jobs",
        parameters: vec![known],
        body: None,
        good: json!({
            "200": {
                "description": "Server-sent events: `data` of each is the job. The stream ends when the job is done, or after a while; ask again then.",
                "content": { "text/event-stream": {} },
            },
            "204": { "description": "The job is done, and the client has the last event." },
        }),
        problems: &[NotFound, Unavailable],
        curl: "curl -N {origin}/jobs/{id}/events",
    }
}
