//! The shapes of JSON that clients read. Each object names all its members and lets no other in; tests hold them against what the domain
//! serialises.

use serde_json::{Map, Value, json};
use thumbs_domain::batch::FileName;
use thumbs_domain::callback::CallbackState;
use thumbs_domain::dependency::Dependency;
use thumbs_domain::failure::JobCode;
use thumbs_domain::format::{OutputFormat, SourceFormat};
use thumbs_domain::history::Outcome;
use thumbs_domain::job::{Status, Warning};
use thumbs_domain::limits::UploadLimits;
use thumbs_domain::options::{self, Options, Row, Takes};
use thumbs_domain::problem::{self, ProblemKind};

use crate::answers::reference;

/// Bytes that are no JSON. JSON Schema has nothing to say of them, and most programs that write clients know them by these words.
pub(crate) fn bytes() -> Value {
    json!({ "type": "string", "format": "binary" })
}

/// `components.schemas`.
pub(crate) fn all(limits: &UploadLimits) -> Value {
    json!({
        "Job": job(),
        "JobList": job_list(),
        "Batch": batch(),
        "History": history(),
        "Options": parameters(limits),
        "Source": source(),
        "Thumbnail": thumbnail(),
        "Concession": concession(),
        "Failure": failure(),
        "Cost": cost(),
        "Callback": callback(),
        "Links": links(),
        "Problem": problem(),
        "ProblemType": problem_type(),
        "Alive": object("That there is an answer is all of it.", json!({ "status": { "type": "string", "enum": ["ok"], "description": "`ok`." } })),
        "Health": health(),
    })
}

/// The options that a request may have.
pub(crate) fn options(limits: &UploadLimits) -> impl Iterator<Item = &'static Row> {
    let variants = (limits.max_variants > 0).then_some(&options::VARIANTS);
    options::TABLE.iter().chain(variants).chain([&options::CALLBACK])
}

/// What values an option takes, as a schema; `default` where it has one.
pub(crate) fn option(row: &Row, limits: &UploadLimits) -> Value {
    let defaults = serde_json::to_value(Options::default()).unwrap_or_default();
    let mut schema = match row.takes {
        Takes::Side => json!({ "type": "integer", "minimum": 1, "maximum": limits.image.max_output_side }),
        Takes::UpTo(max) => json!({ "type": "integer", "minimum": 1, "maximum": max }),
        Takes::OneOf(words) if words == ["true", "false"] => json!({ "type": "boolean" }),
        Takes::OneOf(words) => json!({ "type": "string", "enum": words }),
        Takes::Url => json!({ "type": "string", "format": "uri", "maxLength": row.max_value_bytes() }),
        Takes::Background => {
            json!({ "type": "string", "pattern": "^(transparent|#?([0-9a-fA-F]{3}|[0-9a-fA-F]{6}))$" })
        }
        Takes::Variants(_) => json!({
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": variants(limits),
        }),
    };
    if !defaults[row.name].is_null() {
        schema["default"] = defaults[row.name].clone();
    }
    schema
}

/// What the text is that `variants` takes.
fn variants(limits: &UploadLimits) -> Value {
    let members: Map<String, Value> = options::TABLE
        .iter()
        .map(|row| {
            let mut schema = option(row, limits);
            schema.as_object_mut().map(|schema| schema.remove("default"));
            (row.name.to_owned(), schema)
        })
        .chain([("name".to_owned(), variant_name())])
        .collect();
    json!({
        "type": "array",
        "minItems": 1,
        "maxItems": limits.max_variants,
        "items": { "type": "object", "properties": members, "required": ["name"], "additionalProperties": false },
    })
}

fn variant_name() -> Value {
    json!({ "type": "string", "pattern": "^[a-z0-9-]{1,32}$", "description": "The name of a variant; each of a job has its own." })
}

fn history() -> Value {
    let moment = |about: &str, nullable: bool| {
        let kind = if nullable { json!(["string", "null"]) } else { json!("string") };
        json!({ "type": kind, "format": "date-time", "description": about })
    };
    let entry = object(
        "One attempt, or what happened between two.",
        json!({
            "began_at": moment("When it began.", false),
            "ended_at": moment("When it ended; null while it is under way.", true),
            "outcome": { "type": "string", "enum": Outcome::WORDS, "description": "How it ended; `revived` is a client that had the failed job tried again." },
            "code": { "type": ["string", "null"], "description": "Why it failed." },
        }),
    );
    object(
        "How the attempts at a job went.",
        json!({
            "job_id": { "type": "string", "format": "uuid", "description": "The job." },
            "attempts": { "type": "array", "items": entry, "description": "The last of them, about thirty, oldest first." },
            "links": object("Paths on this service.", json!({ "job": { "type": "string", "description": "The job." } })),
        }),
    )
}

fn object(about: &str, members: Value) -> Value {
    let required: Vec<String> =
        members.as_object().map(|members| members.keys().cloned().collect()).unwrap_or_default();
    json!({
        "type": "object",
        "description": about,
        "properties": members,
        "required": required,
        "additionalProperties": false,
    })
}

/// With members that may be missing.
fn with(mut object: Value, members: Value) -> Value {
    if let (Some(known), Value::Object(more)) = (object["properties"].as_object_mut(), members) {
        known.extend(more);
    }
    object
}

fn optional(schema: Value, about: &str) -> Value {
    json!({ "anyOf": [schema, { "type": "null" }], "description": about })
}

fn count(about: &str) -> Value {
    json!({ "type": "integer", "minimum": 0, "description": about })
}

fn text(about: &str) -> Value {
    json!({ "type": "string", "description": about })
}

fn digest(about: &str) -> Value {
    json!({ "type": "string", "pattern": "^[0-9a-f]{64}$", "description": about })
}

fn moment(about: &str) -> Value {
    json!({ "type": "string", "format": "date-time", "description": about })
}

fn millis(about: &str) -> Value {
    json!({ "type": "number", "minimum": 0, "description": about })
}

fn job() -> Value {
    with(
        always_of_a_job(),
        json!({
            "owner": text("The name of the key that made the job; only for who may see everybody's."),
            "variants": {
                "type": "array",
                "items": variant(),
                "description": "Where each thumbnail is, and once succeeded, what came of it; only of a job with `variants`.",
            },
        }),
    )
}

fn always_of_a_job() -> Value {
    object(
        "One upload and the thumbnail that it asks for. Members are always there, but for what comes of keys and `variants`; what is not known yet is null.",
        json!({
            "job_id": { "type": "string", "format": "uuid", "description": "A UUID of version 7: ids sort by the time of creation." },
            "status": { "type": "string", "enum": Status::WORDS, "description": "`processing` from the upload on, then `succeeded` or `failed`." },
            "created_at": moment("When the upload was accepted."),
            "updated_at": moment("When the job last changed."),
            "parameters": reference("schemas", "Options"),
            "source": reference("schemas", "Source"),
            "result": optional(reference("schemas", "Thumbnail"), "The thumbnail, once succeeded; the first of the variants, where there are any."),
            "cached": {
                "type": "boolean",
                "description": "Whether the job was done at once: the same image with the same options was made before, for the same key.",
            },
            "attempts": count("Attempts begun."),
            "error": optional(reference("schemas", "Failure"), "The last failure: why the job failed, or while `processing`, why it is tried again."),
            "cost": optional(reference("schemas", "Cost"), "What the attempt took, once succeeded."),
            "callback": optional(reference("schemas", "Callback"), "How far it is that somebody is told of the job's end; null where nobody is."),
            "correlation_id": text("The request that made the job."),
            "links": reference("schemas", "Links"),
        }),
    )
}

fn callback() -> Value {
    let nullable =
        |about: &str| json!({ "type": ["string", "null"], "format": "date-time", "description": about });
    object(
        "Telling somebody of a job's end.",
        json!({
            "state": { "type": "string", "enum": CallbackState::WORDS, "description": "`waiting` for the job to end, `pending` while it is to be sent, `delivered` or `failed`." },
            "attempts": count("Attempts begun since the job ended."),
            "last_status": { "type": ["integer", "null"], "description": "The HTTP status of the last answer." },
            "last_error": { "type": ["string", "null"], "description": "Why the last attempt had no answer." },
            "next_attempt_at": nullable("When it is sent next."),
            "delivered_at": nullable("When the receiver took it."),
        }),
    )
}

fn job_list() -> Value {
    let links = object(
        "Paths on this service.",
        json!({ "next": { "type": ["string", "null"], "description": "The next page; null on the last one." } }),
    );
    object(
        "One page of jobs.",
        json!({
            "jobs": { "type": "array", "items": reference("schemas", "Job"), "description": "Newest first." },
            "links": links,
        }),
    )
}

/// As it is answered for, or as it stands.
fn batch() -> Value {
    let counts = with(
        object(
            "How many jobs stand how.",
            json!({
                "processing": count("Neither made nor given up."),
                "succeeded": count("The thumbnail is there."),
                "failed": count("Given up."),
            }),
        ),
        json!({ "refused": count("Images of which no job was made; only in the answer to them.") }),
    );
    let part = object(
        "One image.",
        json!({
            "part": { "type": "integer", "minimum": 1, "description": "Which image of the form, from 1." },
            "file_name": { "type": ["string", "null"], "maxLength": FileName::MAX_CHARS, "description": "What the client called the file." },
            "job": optional(reference("schemas", "Job"), "The job; null where none was made of it."),
            "problem": optional(reference("schemas", "Problem"), "Why no job was made of it."),
        }),
    );
    let links = object(
        "Paths on this service.",
        json!({ "self": { "type": ["string", "null"], "description": "The batch itself; null where no job was made." } }),
    );
    with(
        object(
            "Several images that came in one request.",
            json!({
                "batch_id": { "type": "string", "format": "uuid", "description": "A UUID of version 7." },
                "counts": counts,
                "parts": { "type": "array", "items": part, "description": "In the order of the form; those without a job only in the answer to them." },
                "links": links,
            }),
        ),
        json!({ "is_complete": { "type": "boolean", "description": "Whether the form was read to its end; only in the answer to it. Where it was not, the last part says why." } }),
    )
}

/// All options of a job as it shows them: those without a value are null, colours have one spelling.
fn parameters(limits: &UploadLimits) -> Value {
    let mut members: Map<String, Value> = options::TABLE
        .iter()
        .map(|row| {
            let mut schema = option(row, limits);
            let has_default = schema.as_object_mut().is_some_and(|schema| schema.remove("default").is_some());
            if row.takes == Takes::Side {
                // The largest side may have been another when the job was made.
                schema.as_object_mut().map(|schema| schema.remove("maximum"));
            }
            let about = format!("{}.", row.meaning);
            let member = match has_default {
                true => {
                    schema["description"] = about.into();
                    schema
                }
                false => optional(schema, &about),
            };
            (row.name.to_owned(), member)
        })
        .collect();
    let about = "Frames that the thumbnail has at most; only a preset sets it.";
    members.insert("max_frames".to_owned(), optional(json!({ "type": "integer", "minimum": 1 }), about));
    let mut variant = members.clone();
    variant.insert("name".to_owned(), variant_name());
    let variant = object("One of several thumbnails, with all its options.", Value::Object(variant));
    with(
        object("All options, defaults filled in.", Value::Object(members)),
        json!({ "variants": { "type": "array", "items": variant, "description": "The thumbnails that are made instead of one with the options beside them; only where they were asked for." } }),
    )
}

fn source() -> Value {
    let types: Vec<_> = SourceFormat::ALL.iter().map(|format| format.content_type()).collect();
    object(
        "The uploaded image.",
        json!({
            "sha256": digest("Of the bytes as uploaded."),
            "content_type": { "type": "string", "enum": types, "description": "By its first bytes." },
            "bytes": count("Length in bytes."),
            "width": count("Pixels, after EXIF orientation."),
            "height": count("Pixels, after EXIF orientation."),
            "frames": count("1 for a still image."),
        }),
    )
}

fn thumbnail() -> Value {
    with(object("The thumbnail.", of_thumbnail()), as_webp())
}

fn of_thumbnail() -> Value {
    let types: Vec<_> = OutputFormat::ALL.iter().map(|format| format.content_type()).collect();
    json!({
        "content_type": { "type": "string", "enum": types, "description": "What it is encoded as." },
        "bytes": count("Length in bytes."),
        "width": count("Pixels."),
        "height": count("Pixels."),
        "sha256": digest("Of its bytes; the `ETag` of the download."),
        "frames": count("1 for a still image."),
        "placeholder": text("A ThumbHash in base64, to show before the thumbnail is there."),
        "warnings": {
            "type": "array",
            "items": { "type": "string", "enum": Warning::WORDS },
            "description": "What a person should know of the thumbnail.",
        },
        "concessions": {
            "type": "array",
            "items": reference("schemas", "Concession"),
            "description": "What was given up for `max_bytes` or a preset, in the order it was tried.",
        },
    })
}

fn as_webp() -> Value {
    json!({ "webp": object("The same as WebP, for clients that say they take it, unless they take the other as well and that is smaller; only of `format=auto`.", of_thumbnail()) })
}

/// What a job shows of one of several thumbnails: of what is made, once it is.
fn variant() -> Value {
    let always = object(
        "One of several thumbnails of one image; what came of it is there once the job has succeeded.",
        json!({ "name": variant_name(), "url": text("The path of the thumbnail; answers 409 until it is made.") }),
    );
    let signed = json!({
        "signed_url": text("The same for who has no key, as a page's `<img>`; only where the service has keys and signs links."),
        "signed_url_expires_at": moment("Up to when that link is good."),
    });
    with(with(with(always, signed), of_thumbnail()), as_webp())
}

fn concession() -> Value {
    object(
        "One thing that was given up to meet a bound.",
        json!({
            "kind": { "type": "string", "enum": ["quality", "colours", "frames", "width"], "description": "What." },
            "value": count("What it came down to."),
        }),
    )
}

fn failure() -> Value {
    let codes: Vec<_> = JobCode::ALL.iter().map(|code| code.row().code).collect();
    object(
        "Why an attempt failed.",
        json!({
            "code": {
                "type": "string",
                "description": "Stable, for programs; `x-job-codes` says what each means. A newer version of the service may know others.",
                "examples": codes,
            },
            "message": text("A sentence that a person can act on."),
        }),
    )
}

fn cost() -> Value {
    object(
        "What the attempt took.",
        json!({
            "decode_ms": millis("Reading headers and decoding."),
            "finish_ms": millis("Turning the picture upright and cutting or padding it to its box."),
            "encode_ms": millis("Encoding."),
            "total_ms": millis("From the claim to the stored thumbnail, reading and writing blobs included."),
            "peak_memory_bytes": count("Linear memory of the imaging component at its highest."),
            "pixels": count("Source pixels over all frames decoded, at full scale."),
            "frames": count("Frames decoded."),
        }),
    )
}

fn links() -> Value {
    let always = object(
        "Paths on this service.",
        json!({ "self": text("The job itself."), "thumbnail": text("The thumbnail; answers 409 until it is made.") }),
    );
    with(
        always,
        json!({
            "signed_thumbnail": text("The thumbnail for who has no key, as a page's `<img>`; only where the service has keys and signs links."),
            "signed_thumbnail_expires_at": moment("Up to when that link is good."),
        }),
    )
}

fn codes() -> Vec<&'static str> {
    let rows = ProblemKind::ALL.iter().map(|kind| kind.row()).chain(problem::OF_THE_HOST);
    rows.map(|row| row.code).collect()
}

fn problem() -> Value {
    object(
        "Why a request is not served (RFC 9457).",
        json!({
            "type": { "type": "string", "format": "uri-reference", "description": "Stable; has a page on this service." },
            "title": text("What is wrong, in short."),
            "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status." },
            "detail": text("A sentence that a person can act on."),
            "code": { "type": "string", "description": "The last part of `type`.", "examples": codes() },
            "correlation_id": text("Names this request in the log of the service."),
        }),
    )
}

fn health() -> Value {
    let names: Vec<_> = Dependency::ALL.iter().map(|dependency| dependency.row().name).collect();
    let dependency = object(
        "One thing that the service depends on.",
        json!({
            "name": { "type": "string", "enum": names, "description": "What." },
            "is_needed": { "type": "boolean", "description": "Whether nothing can be served without it." },
            "state": { "type": "string", "enum": ["up", "down"], "description": "Whether it answered as it should." },
            "latency_ms": millis("How long the answer took."),
            "remedy": { "type": ["string", "null"], "description": "What to do where it is down." },
        }),
    );
    let status = json!({
        "type": "string",
        "enum": ["ok", "degraded", "down"],
        "description": "`degraded`: all that is needed answers, something else does not. `down`: something that is needed does not.",
    });
    let about = "In the order in which they were asked; where the service has keys, for an admin's alone.";
    with(
        object("How the service stands.", json!({ "status": status })),
        json!({ "dependencies": { "type": "array", "items": dependency, "description": about } }),
    )
}

fn problem_type() -> Value {
    object(
        "What a code means: that of a problem, that of a failed job, or both.",
        json!({
            "type": { "type": "string", "format": "uri-reference", "description": "The path of this page." },
            "code": { "type": "string", "description": "The code.", "examples": codes() },
            "problem": optional(
                object(
                    "As the answer to a request.",
                    json!({
                        "status": { "type": "integer", "minimum": 400, "maximum": 599, "description": "The HTTP status." },
                        "title": text("What is wrong, in short."),
                        "meaning": text("What it means."),
                        "remedy": text("What the client does about it."),
                        "retry_after_secs": {
                            "type": ["integer", "null"],
                            "minimum": 1,
                            "description": "Seconds after which the same request may be answered otherwise; null where it won't be.",
                        },
                    }),
                ),
                "As the answer to a request.",
            ),
            "job": optional(
                object(
                    "As the reason of a failed job.",
                    json!({
                        "meaning": text("What happened."),
                        "remedy": text("What the client does about it."),
                        "tried_again": { "type": "boolean", "description": "Whether another attempt is made by itself." },
                    }),
                ),
                "As the reason of a failed job.",
            ),
        }),
    )
}
