//! The thumbnails themselves.

use serde_json::{Value, json};
use thumbs_domain::format::OutputFormat;
use thumbs_domain::problem::ProblemKind::*;

use super::Operation;
use super::parameters::{if_none_match, waiting};
use crate::answers::reference;
use crate::schemas;

pub(super) fn get_thumbnail() -> Operation {
    download("getThumbnail", "curl -o thumbnail.png {origin}/thumbnails/{id}")
}

pub(super) fn get_variant() -> Operation {
    download("getVariant", "curl -o card.png {origin}/thumbnails/{id}/{name}")
}

fn download(id: &'static str, curl: &'static str) -> Operation {
    let types = OutputFormat::ALL
        .iter()
        .map(|format| (format.content_type().to_owned(), json!({ "schema": schemas::bytes() })));
    let text = |name: &str, about: &str| json!({ "name": name, "in": "header", "required": false, "description": about, "schema": { "type": "string" } });
    let accept = text(
        "Accept",
        "Of a thumbnail with `format=auto`: who names `image/webp` gets WebP or the other format, whichever has more weight, and of equal weight the smaller one; who does not, the other.",
    );
    let range = text("Range", "One range of bytes (`bytes=0-99`); anything else is passed over.");
    let if_range = text(
        "If-Range",
        "The `ETag` of what the client has a part of: where the bytes are others, it gets all of them.",
    );
    let headers = json!({
        "ETag": reference("headers", "etag"),
        "Vary": { "description": "`Accept`, of a thumbnail with `format=auto`.", "schema": { "type": "string" } },
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
        id,
        tag: "thumbnails",
        parameters: [waiting(), vec![if_none_match(), accept, range, if_range]].concat(),
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
        curl,
    }
}
