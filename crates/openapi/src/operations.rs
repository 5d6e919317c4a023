//! One function for each operation. What a route does in a sentence comes from the table of routes; here is what a client sends and gets.

mod batches;

use serde_json::{Value, json};
use thumbs_domain::failure::JobCode;
use thumbs_domain::format::{OutputFormat, SourceFormat};
use thumbs_domain::job::Status;
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::list::{DEFAULT_LIMIT, MAX_IDS, MAX_LIMIT};
use thumbs_domain::options;
use thumbs_domain::problem::ProblemKind::{self, *};
use thumbs_domain::route::Needs;
use thumbs_domain::wait::MAX_WAIT_SECS;

use crate::answers::{json_response, reference, responses};
use crate::{examples, schemas, security};

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
        ("POST", "/jobs") => create_job(limits),
        ("GET", "/jobs") => list_jobs(),
        ("GET", "/jobs/{id}") => get_job(),
        ("DELETE", "/jobs/{id}") => delete_job(),
        ("POST", "/jobs/{id}/retry") => retry_job(),
        ("GET", "/jobs/{id}/history") => get_history(),
        ("GET", "/jobs/{id}/events") => get_events(),
        ("POST", "/batches") => batches::create_batch(limits),
        ("GET", "/batches/{id}") => batches::get_batch(),
        ("GET", "/thumbnails/{id}") => get_thumbnail(),
        ("GET", "/openapi.json") => get_document(),
        ("GET", "/problems/{code}") => get_problem(),
        ("GET", "/healthz") => get_health("getHealth", "Alive.", &[], "curl {origin}/healthz"),
        ("GET", "/readyz") => get_health("getReadiness", "Ready.", &[Unavailable], "curl {origin}/readyz"),
        ("GET", "/healthz/detailed") => get_detailed_health(),
        ("GET", "/metrics") => get_metrics(),
        ("GET", "/debug/info") => get_debug(
            "getDebugInfo",
            "Settings, and the names of keys.",
            "curl -H 'X-Api-Key: ...' {origin}/debug/info",
        ),
        ("GET", "/debug/connectivity") => get_debug(
            "getConnectivity",
            "How everything answers.",
            "curl -H 'X-Api-Key: ...' {origin}/debug/connectivity",
        ),
        ("GET", "/debug/jobs") => {
            get_debug("getDebugJobs", "The queue.", "curl -H 'X-Api-Key: ...' {origin}/debug/jobs")
        }
        ("GET", "/debug/logs") => {
            get_debug("getDebugLogs", "The log.", "curl -H 'X-Api-Key: ...' {origin}/debug/logs")
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

fn create_job(limits: &UploadLimits) -> Operation {
    let key =
        idempotency_key("An upload that comes again under its key gets the job that the first one made.");
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
        parameters: option_parameters(limits).chain([key, anew]).chain(waiting()).collect(),
        body: Some(upload(limits)),
        good: json!({ "200": waited_for(), "202": good }),
        problems: &[
            InvalidOption,
            InvalidIdempotencyKey,
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

fn option_parameters(limits: &UploadLimits) -> impl Iterator<Item = Value> {
    options::TABLE.iter().map(|row| {
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

fn idempotency_key(about: &str) -> Value {
    json!({
        "name": "Idempotency-Key",
        "in": "header",
        "required": false,
        "description": about,
        "schema": { "type": "string", "pattern": "^[!-~]{1,255}$" },
        "example": "7f3c6b1e-9d5a-4a83-9a5e-0b1d6f2f6a10",
    })
}

/// What a client gets that waited until the job was done: the job, or where it prefers an image, that.
fn waited_for() -> Value {
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
fn upload(limits: &UploadLimits) -> Value {
    let image = json!({
        "type": "string",
        "format": "binary",
        "description": "The bytes of a JPEG, PNG, GIF, WebP, HEIC or AVIF image; what they are is told by the first of them.",
        "contentMediaType": "application/octet-stream",
        "maxLength": limits.max_upload_bytes,
    });
    let mut members = json!({ "image": image });
    for row in options::TABLE {
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
        "required": true,
        "description": "The image: as the part `image` of a form, or as the whole body. Options are parameters of the query or parts of the form, none of them both.",
        "content": content,
    })
}

fn list_jobs() -> Operation {
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

fn get_job() -> Operation {
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

fn delete_job() -> Operation {
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

fn retry_job() -> Operation {
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

fn get_history() -> Operation {
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

fn get_events() -> Operation {
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

fn get_thumbnail() -> Operation {
    let types = OutputFormat::ALL
        .iter()
        .map(|format| (format.content_type().to_owned(), json!({ "schema": schemas::bytes() })));
    let known = json!({
        "name": "If-None-Match",
        "in": "header",
        "required": false,
        "description": "The `ETag` of bytes that the client has: if they are still the same, the answer is 304.",
        "schema": { "type": "string" },
    });
    let text = |name: &str, about: &str| json!({ "name": name, "in": "header", "required": false, "description": about, "schema": { "type": "string" } });
    let range = text("Range", "One range of bytes (`bytes=0-99`); anything else is passed over.");
    let if_range = text(
        "If-Range",
        "The `ETag` of what the client has a part of: where the bytes are others, it gets all of them.",
    );
    let headers = json!({
        "ETag": reference("headers", "etag"),
        "Accept-Ranges": { "description": "That a part may be asked for.", "schema": { "const": "bytes" } },
        "Cache-Control": reference("headers", "cache-control"),
        "Preference-Applied": reference("headers", "preference-applied"),
    });
    let mut partial = json!({
        "description": "The bytes that were asked for.",
        "headers": headers,
        "content": Value::Object(types.clone().collect()),
    });
    partial["headers"]["Content-Range"] =
        json!({ "description": "Which bytes these are, and of how many.", "schema": { "type": "string" } });
    Operation {
        id: "getThumbnail",
        tag: "thumbnails",
        parameters: [waiting(), vec![known, range, if_range]].concat(),
        body: None,
        good: json!({
            "200": {
                "description": "The thumbnail.",
                "headers": headers,
                "content": Value::Object(types.collect()),
            },
            "206": partial,
            "304": { "description": "The client has it already.", "headers": headers },
        }),
        problems: &[
            InvalidOption,
            NotFound,
            NotReady,
            JobFailed,
            ThumbnailGone,
            RangeNotSatisfiable,
            Unavailable,
        ],
        curl: "curl -o thumbnail.png {origin}/thumbnails/{id}",
    }
}

fn get_document() -> Operation {
    Operation {
        id: "getOpenApi",
        tag: "service",
        parameters: Vec::new(),
        body: None,
        good: json!({
            "200": {
                "description": "This document.",
                "headers": { "ETag": reference("headers", "etag"), "Cache-Control": reference("headers", "cache-control") },
                "content": { "application/json": { "schema": { "type": "object" } } },
            },
        }),
        problems: &[],
        curl: "curl {origin}/openapi.json",
    }
}

fn get_problem() -> Operation {
    Operation {
        id: "getProblem",
        tag: "service",
        parameters: Vec::new(),
        body: None,
        good: json!({
            "200": {
                "description": "What the code means and what to do: a page for people, or JSON for who prefers that.",
                "headers": { "ETag": reference("headers", "etag"), "Cache-Control": reference("headers", "cache-control") },
                "content": {
                    "text/html": { "schema": { "type": "string" } },
                    "application/json": { "schema": reference("schemas", "ProblemType") },
                },
            },
        }),
        problems: &[NotFound],
        curl: "curl -H 'Accept: application/json' {origin}/problems/{code}",
    }
}

fn get_health(
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
fn get_detailed_health() -> Operation {
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

fn get_metrics() -> Operation {
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
fn get_debug(id: &'static str, about: &str, curl: &'static str) -> Operation {
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

/// The two ways to ask for an answer that is held until the job is done.
fn waiting() -> Vec<Value> {
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

/// A parameter of the path, where the segment is one.
fn path_parameter(path: &str, segment: &str) -> Option<Value> {
    let name = segment.strip_prefix('{')?.strip_suffix('}')?;
    let (about, schema, example) = match name {
        "id" if path.starts_with("/batches") => {
            ("The `batch_id` of a batch.", json!({ "type": "string" }), examples::BATCH_ID)
        }
        "id" => ("The `job_id` of a job.", json!({ "type": "string" }), examples::JOB_ID),
        "code" => {
            ("The `code` of a problem or of a failed job.", json!({ "type": "string" }), NotFound.row().code)
        }
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

fn request_id() -> Value {
    json!({
        "name": "X-Request-Id",
        "in": "header",
        "required": false,
        "description": "Names the request in answers and in the log: at most 128 of `A-Z a-z 0-9 . _ -`; of anything else, a new one is made.",
        "schema": { "type": "string" },
    })
}

fn query(name: &str, about: &str, schema: Value, text: &str) -> Value {
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
fn example(text: &str) -> Value {
    let number = text.parse::<u64>().map(Value::from);
    number.or_else(|_| text.parse::<bool>().map(Value::from)).unwrap_or_else(|_| text.into())
}
