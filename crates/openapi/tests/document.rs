//! The document says what the code does: it is the file in docs/, describes every route, and its shapes are those of what clients get.
//!
//! `THUMBS_BLESS=1 cargo test --release -p thumbs-openapi` writes the file.
#![expect(clippy::panic, clippy::unwrap_used, reason = "a test fails loudly")]

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;
use thumbs_domain::limits::{ImageLimits, UploadLimits};
use thumbs_domain::problem::{self, ProblemKind};
use thumbs_domain::route;
use thumbs_domain::variable::Variable;
use thumbs_openapi::{PAGES, document};

fn default(variable: Variable) -> u64 {
    variable.row().default.parse().unwrap()
}

fn side(variable: Variable) -> u32 {
    variable.row().default.parse().unwrap()
}

/// Those of spin.toml.
fn limits() -> UploadLimits {
    UploadLimits {
        max_variants: side(Variable::MaxVariants),
        formats: thumbs_domain::format::AcceptedFormats::ALL,
        max_upload_bytes: default(Variable::MaxUploadBytes),
        image: ImageLimits {
            max_pixels: default(Variable::MaxPixels),
            max_side: side(Variable::MaxSide),
            max_frames: side(Variable::MaxFrames),
            max_total_pixels: default(Variable::MaxTotalPixels),
            max_output_side: side(Variable::MaxOutputSide),
            max_output_pixels: default(Variable::MaxOutputPixels),
        },
    }
}

fn operations(document: &Value) -> Vec<(String, String, &Value)> {
    let paths = document["paths"].as_object().unwrap();
    let of = |(path, item): (&String, &'_ Value)| -> Vec<(String, String)> {
        item.as_object().unwrap().keys().map(|method| (method.to_uppercase(), path.clone())).collect()
    };
    let names: Vec<_> = paths.iter().flat_map(of).collect();
    names
        .into_iter()
        .map(|(method, path)| {
            let operation = &document["paths"][&path][method.to_lowercase()];
            (method, path, operation)
        })
        .collect()
}

#[test]
fn the_file_in_docs_is_the_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
    let new = format!("{}\n", serde_json::to_string_pretty(&document(&limits())).unwrap());
    if std::env::var_os("THUMBS_BLESS").is_some() {
        std::fs::write(&path, new).unwrap();
    } else {
        assert!(
            std::fs::read_to_string(&path).unwrap_or_default() == new,
            "docs/openapi.json is not what the code says: THUMBS_BLESS=1 cargo test --release -p thumbs-openapi"
        );
    }
}

#[test]
fn every_route_that_is_no_page_is_described() {
    let document = document(&limits());
    let described: BTreeSet<_> =
        operations(&document).into_iter().map(|(method, path, _)| (method, path)).collect();
    let routes: BTreeSet<_> = route::TABLE
        .iter()
        .filter(|row| !PAGES.contains(&row.path))
        .flat_map(|row| row.methods.iter().map(|(method, ..)| ((*method).to_owned(), row.path.to_owned())))
        .collect();
    assert_eq!(described, routes);
    for (method, path, operation) in operations(&document) {
        assert_ne!(
            operation["operationId"], "undescribed",
            "{method} {path}: add a function to crates/openapi/src/operations.rs"
        );
    }
    for page in PAGES {
        assert!(route::TABLE.iter().any(|row| row.path == *page), "{page} is no route");
    }
}

#[test]
fn operations_have_names_of_their_own_and_a_line_to_copy() {
    let document = document(&limits());
    let mut names = BTreeSet::new();
    for (method, path, operation) in operations(&document) {
        assert!(names.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
        let curl = operation["x-curl"].as_str().unwrap();
        assert!(
            curl.starts_with("curl ") && curl.contains(&format!("{{origin}}{path}")),
            "{method} {path}: {curl}"
        );
    }
}

#[test]
fn every_problem_has_an_example_and_is_an_answer_of_some_operation() {
    let document = document(&limits());
    let codes: BTreeSet<&str> = ProblemKind::ALL
        .iter()
        .map(|kind| kind.row())
        .chain(problem::OF_THE_HOST)
        .map(|row| row.code)
        .collect();
    let examples: BTreeSet<&str> =
        document["components"]["examples"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(examples, codes);
    let text = serde_json::to_string(&document["paths"]).unwrap();
    // Answers to a method that a path does not have, which no operation is.
    let of_no_operation = [ProblemKind::MethodNotAllowed.row().code];
    for code in codes {
        let referred = text.contains(&format!("#/components/examples/{code}\""));
        assert_ne!(referred, of_no_operation.contains(&code), "{code}");
    }
}

#[test]
fn what_has_an_etag_may_be_what_the_client_has_already() {
    let document = thumbs_openapi::document(&limits());
    let mut found = 0;
    for (method, path, operation) in operations(&document) {
        if operation["responses"]["200"]["headers"]["ETag"].is_null() {
            continue;
        }
        found += 1;
        let parameters = operation["parameters"].as_array().unwrap();
        assert!(parameters.iter().any(|parameter| parameter["name"] == "If-None-Match"), "{method} {path}");
        assert!(!operation["responses"]["304"]["headers"]["ETag"].is_null(), "{method} {path}");
    }
    assert_eq!(found, 4, "two kinds of thumbnails, the document, what a problem means");
}

#[test]
fn what_is_referred_to_is_there() {
    fn walk(value: &Value, document: &Value, found: &mut usize) {
        match value {
            Value::Object(members) => {
                if let Some(reference) = members.get("$ref").and_then(Value::as_str) {
                    assert!(document.pointer(reference.strip_prefix('#').unwrap()).is_some(), "{reference}");
                    *found += 1;
                }
                members.values().for_each(|value| walk(value, document, found));
            }
            Value::Array(items) => items.iter().for_each(|value| walk(value, document, found)),
            _ => {}
        }
    }
    let document = document(&limits());
    let mut found = 0;
    walk(&document, &document, &mut found);
    assert!(found > 50, "the walk is broken: {found}");
}

/// A part of JSON Schema: what the document uses.
fn fits(schema: &Value, value: &Value, document: &Value, place: &str) -> Result<(), String> {
    if let Some(reference) = schema["$ref"].as_str() {
        return fits(document.pointer(&reference[1..]).unwrap(), value, document, place);
    }
    if let Some(choices) = schema["anyOf"].as_array() {
        let misfits: Vec<_> = choices.iter().map(|choice| fits(choice, value, document, place)).collect();
        return if misfits.iter().any(Result::is_ok) { Ok(()) } else { Err(format!("{misfits:?}")) };
    }
    let kinds: Vec<&str> = match &schema["type"] {
        Value::String(kind) => vec![kind],
        Value::Array(kinds) => kinds.iter().map(|kind| kind.as_str().unwrap()).collect(),
        other => panic!("{place} has the type {other}"),
    };
    let fits_kind = |kind: &&str| match *kind {
        "null" => value.is_null(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        "number" => value.is_number(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("{place} has the type {other}"),
    };
    if !kinds.iter().any(fits_kind) {
        return Err(format!("{place} is {value}, not {kinds:?}"));
    }
    if let Some(words) = schema["enum"].as_array()
        && !words.contains(value)
    {
        return Err(format!("{place} is {value}, none of {words:?}"));
    }
    if let Some(items) = value.as_array() {
        items.iter().try_for_each(|item| fits(&schema["items"], item, document, &format!("{place}[]")))?;
    }
    if let Some(members) = value.as_object() {
        let known: BTreeSet<&String> = schema["properties"].as_object().unwrap().keys().collect();
        let given: BTreeSet<&String> = members.keys().collect();
        let required = schema["required"].as_array().unwrap().iter();
        let required: BTreeSet<&str> = required.map(|name| name.as_str().unwrap()).collect();
        if !given.is_subset(&known) || required.iter().any(|name| !members.contains_key(*name)) {
            return Err(format!("{place} has {given:?}, and its schema {known:?}"));
        }
        for (name, member) in members {
            fits(&schema["properties"][name], member, document, &format!("{place}.{name}"))?;
        }
    }
    Ok(())
}

/// The examples are serialised by the code that answers, so this holds the schemas against it, member by member.
#[test]
fn every_example_is_of_its_shape() {
    let document = document(&limits());
    let mut seen = 0;
    for (method, path, operation) in operations(&document) {
        for (status, response) in operation["responses"].as_object().unwrap() {
            let Some(contents) = response["content"].as_object() else { continue };
            for content in contents.values() {
                let Some(examples) = content["examples"].as_object() else { continue };
                for (name, example) in examples {
                    let example = match example["$ref"].as_str() {
                        Some(reference) => document.pointer(&reference[1..]).unwrap(),
                        None => example,
                    };
                    let place = format!("{method} {path} {status} {name}");
                    assert!(example["value"].is_object(), "{place} has no value");
                    fits(&content["schema"], &example["value"], &document, &place).unwrap();
                    seen += 1;
                }
            }
        }
    }
    assert!(seen > 30, "the walk is broken: {seen}");
}

#[test]
fn the_limits_are_those_of_the_service() {
    let mut small = limits();
    small.image.max_output_side = 512;
    small.max_upload_bytes = 1000;
    let document = document(&small);
    let parameters = document["paths"]["/jobs"]["post"]["parameters"].as_array().unwrap();
    let width = parameters.iter().find(|parameter| parameter["name"] == "width").unwrap();
    assert_eq!(width["schema"]["maximum"], 512);
    assert_eq!(document["x-limits"]["max_upload_bytes"], 1000);
}
