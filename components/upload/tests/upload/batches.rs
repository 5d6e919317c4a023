//! Several images in one request: each by itself, in their order, and what ends them all.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::executor::block_on;
use serde_json::Value;
use thumbs_domain::batch::BatchId;
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::owner::Reach;
use thumbs_guest::blobs::{BlobError, BlobReader, BlobWriter, Blobs};
use thumbs_guest::http::{BodyError, body};
use thumbs_guest::imaging::ImagingError;
use thumbs_guest::jobs::Batches;
use thumbs_guest::testing::{ManualClock, MemoryBlobs, ScriptedImaging, request, text};
use thumbs_upload::Upload;

use crate::kit::{Answer, BOUNDARY, Service, endless};

/// A part that is a file where it has a file's name.
fn part(name: &str, file: Option<&str>, content: &str) -> String {
    let file = file.map(|file| format!("; filename=\"{file}\"")).unwrap_or_default();
    format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"{file}\r\n\r\n{content}\r\n")
}

fn image(content: &str) -> String {
    part("image", Some("a.png"), content)
}

fn option(name: &str, value: &str) -> String {
    part(name, None, value)
}

fn whole(parts: &[String]) -> String {
    format!("{}--{BOUNDARY}--\r\n", parts.concat())
}

fn form_type() -> String {
    format!("multipart/form-data; boundary={BOUNDARY}")
}

fn post(service: &Service, query: &str, headers: &[(&str, &str)], form: String) -> Answer {
    let content_type = form_type();
    let headers = [&[("content-type", content_type.as_str())], headers].concat();
    service.send("POST", &format!("/batches{query}"), &headers, body::from_bytes(form))
}

fn send(service: &Service, parts: &[String]) -> Answer {
    post(service, "", &[], whole(parts))
}

/// Of each part the code of its problem, or how its job stands.
fn outcomes(answer: &Answer) -> Vec<String> {
    let told = |part: &Value| {
        let text = if part["job"].is_null() { &part["problem"]["code"] } else { &part["job"]["status"] };
        text.as_str().unwrap().to_owned()
    };
    answer.json()["parts"].as_array().unwrap().iter().map(told).collect()
}

#[test]
fn each_image_becomes_a_job_in_the_order_of_the_form() {
    let service = Service::new();
    let answer =
        send(&service, &[image("one"), part("file", Some("größe.gif"), "two"), part("image", None, "three")]);
    assert_eq!(answer.status, 202, "{}", answer.text);
    let json = answer.json();
    assert_eq!(json["is_complete"], true);
    assert_eq!(
        json["counts"],
        serde_json::json!({"processing": 3, "succeeded": 0, "failed": 0, "refused": 0})
    );
    let parts = json["parts"].as_array().unwrap();
    let names: Vec<_> = parts.iter().map(|part| part["file_name"].clone()).collect();
    assert_eq!(names, [Value::from("a.png"), "größe.gif".into(), Value::Null]);
    let numbers: Vec<_> = parts.iter().map(|part| part["part"].as_u64().unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);
    let bytes: Vec<_> = parts.iter().map(|part| part["job"]["source"]["bytes"].as_u64().unwrap()).collect();
    assert_eq!(bytes, [3, 3, 5]);
    assert_eq!(answer.header("location"), json["links"]["self"].as_str().unwrap());
    assert_eq!((service.jobs(), service.blobs.keys().len(), service.wake.count()), (3, 3, 3));
    let id = BatchId::parse(json["batch_id"].as_str().unwrap()).unwrap();
    assert_eq!(service.store.batch(&id, Reach::All).unwrap().members.len(), 3);
}

#[test]
fn an_option_counts_for_the_images_after_it_until_it_is_given_again() {
    let service = Service::new();
    let answer = post(
        &service,
        "?fit=contain&width=10",
        &[],
        whole(&[
            option("width", "20"),
            image("one"),
            option("width", "30"),
            option("format", "webp"),
            image("two"),
            option("format", ""),
            image("three"),
        ]),
    );
    assert_eq!(answer.status, 202, "{}", answer.text);
    let json = answer.json();
    let asked = |part: usize| {
        let parameters = &json["parts"][part]["job"]["parameters"];
        let text = |name: &str| parameters[name].as_str().unwrap().to_owned();
        (parameters["width"].as_u64().unwrap(), text("format"), text("fit"))
    };
    assert_eq!(asked(0), (20, "png".into(), "contain".into()));
    assert_eq!(asked(1), (30, "webp".into(), "contain".into()));
    assert_eq!(asked(2), (30, "png".into(), "contain".into()));
}

#[test]
fn a_part_that_is_wrong_fails_alone() {
    let service = Service::new();
    let answer =
        send(&service, &[image("one"), image(""), part("photo", Some("b.png"), "two"), image("three")]);
    assert_eq!(answer.status, 202, "{}", answer.text);
    let expected = ["processing", "malformed-request", "malformed-request", "processing"];
    assert_eq!(outcomes(&answer), expected, "{}", answer.text);
    assert_eq!((answer.json()["counts"]["refused"].clone(), service.jobs()), (2.into(), 2));
    assert!(answer.text.contains("Send each image in a part \\\"image\\\""), "{}", answer.text);
    let answer = send(&service, &[image(&"x".repeat(1001)), image(&"x".repeat(1000))]);
    assert_eq!(outcomes(&answer), ["upload-too-large", "processing"]);
    assert_eq!(answer.json()["is_complete"], true);
    assert_eq!((service.blobs.keys().len(), service.blobs.open_writers()), (3, 0));
}

#[test]
fn where_no_image_is_taken_there_is_no_batch() {
    let imaging = ScriptedImaging(Err(ImagingError::UnsupportedFormat(None)));
    let service = Service { imaging, ..Service::new() };
    let answer = send(&service, &[image("one"), image("two")]);
    assert_eq!((answer.status, answer.json()["links"]["self"].clone()), (200, Value::Null));
    assert_eq!(outcomes(&answer), ["unsupported-image", "unsupported-image"]);
    assert_eq!(answer.header("location"), "");
    service.assert_untouched();
}

#[test]
fn an_option_that_is_wrong_refuses_the_images_after_it_and_before_the_first_all() {
    let service = Service::new();
    for (query, parts) in [
        ("", vec![option("width", "0"), image("one")]),
        ("", vec![option("widht", "5"), image("one")]),
        ("", vec![option("width", &"1".repeat(100)), image("one")]),
        ("?width=0", vec![image("one")]),
        ("?wait=5", vec![image("one")]),
    ] {
        let answer = post(&service, query, &[], whole(&parts));
        assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (400, "invalid-option"));
        service.assert_untouched();
    }
    let answer = send(&service, &[image("one"), option("width", "0"), image("two"), image("three")]);
    assert_eq!(outcomes(&answer), ["processing", "invalid-option", "invalid-option"], "{}", answer.text);
    assert!(answer.json()["parts"][1]["problem"]["detail"].as_str().unwrap().contains("\"width\""));
}

#[test]
fn a_batch_has_so_many_images_and_so_many_bytes_and_no_more() {
    let service = Service::new();
    let four = ["a", "b", "c", "d"].map(image);
    assert_eq!(outcomes(&send(&service, &four)).len(), 4);
    let answer = send(&service, &[&four[..], &[image("e"), image("f")]].concat());
    assert_eq!((answer.status, answer.json()["is_complete"].clone()), (202, false.into()));
    assert_eq!(outcomes(&answer)[3..], ["processing", "batch-too-large"]);
    assert!(answer.text.contains("at most 4 images"), "{}", answer.text);

    // 5,000 bytes in all, of which an image may have 1,000.
    let asked = Rc::new(Cell::new(0));
    let head = [&four[..3], &[image("")]].concat().concat();
    let answer = service.send(
        "POST",
        "/batches",
        &[("content-type", &form_type())],
        endless(head.strip_suffix("\r\n").unwrap(), asked.clone()),
    );
    assert_eq!(outcomes(&answer)[2..], ["processing", "upload-too-large", "batch-too-large"]);
    assert!((45..=60).contains(&asked.get()), "{} pieces", asked.get());
    assert_eq!(service.blobs.open_writers(), 0);

    let asked = Rc::new(Cell::new(0));
    let headers = [("content-type", form_type()), ("content-length", "5001".to_owned())];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = service.send("POST", "/batches", &headers, endless("", asked.clone()));
    assert_eq!((answer.status, asked.get()), (413, 0));
    assert_eq!(answer.json()["code"], "batch-too-large");
}

#[test]
fn what_came_whole_stays_of_a_client_that_vanishes() {
    let service = Service::new();
    let start = format!("{}{}", image("one"), image("half"));
    let start = start.strip_suffix("alf\r\n").unwrap().to_owned();
    let pieces = [Ok(Bytes::from(start)), Err(BodyError::Broken("reset".into()))];
    let headers = [("content-type", form_type())];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = service.send("POST", "/batches", &headers, futures::stream::iter(pieces).boxed_local());
    assert_eq!(outcomes(&answer), ["processing", "malformed-request"]);
    assert_eq!(answer.json()["is_complete"], false);
    assert_eq!((service.jobs(), service.blobs.keys().len(), service.blobs.open_writers()), (1, 1, 0));
}

#[test]
fn what_is_no_form_of_images_is_refused_as_a_whole() {
    for (content_type, body) in [
        (String::new(), "an image".to_owned()),
        ("image/png".to_owned(), "an image".to_owned()),
        (form_type(), String::new()),
        (form_type(), whole(&[])),
        (form_type(), whole(&[option("width", "5")])),
        (
            form_type(),
            format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nno end"),
        ),
    ] {
        let service = Service::new();
        let headers = [("content-type", content_type.as_str())];
        let answer = service.send("POST", "/batches", &headers, body::from_bytes(body.clone()));
        assert_eq!(
            (answer.status, answer.json()["code"].as_str().unwrap()),
            (400, "malformed-request"),
            "{body}"
        );
        service.assert_untouched();
    }
}

#[test]
fn a_store_that_is_away_ends_a_batch_where_it_is() {
    let service = Service::new();
    service.blobs.set_down(true);
    let answer = send(&service, &[image("one"), image("two")]);
    assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (503, "unavailable"));
    service.blobs.set_down(false);
    service.store_is_down.store(true, Ordering::Relaxed);
    assert_eq!(send(&service, &[image("one")]).status, 503);
    service.store_is_down.store(false, Ordering::Relaxed);
    assert_eq!(service.jobs(), 0);
}

/// A blob store that takes its time for each image.
struct Slow<'a>(&'a MemoryBlobs, &'a ManualClock<'static>);

impl Blobs for Slow<'_> {
    fn put(&self, key: &ObjectKey, content_type: &str, data: &[u8]) -> Result<(), BlobError> {
        self.0.put(key, content_type, data)
    }

    fn write<'a>(
        &'a self,
        key: &ObjectKey,
        content_type: &str,
    ) -> Result<Box<dyn BlobWriter + 'a>, BlobError> {
        self.1.advance(Duration::from_secs(8));
        self.0.write(key, content_type)
    }

    fn get(&self, key: &ObjectKey, max_bytes: u64) -> Result<Vec<u8>, BlobError> {
        self.0.get(key, max_bytes)
    }

    fn read<'a>(&'a self, key: &ObjectKey, max_bytes: u64) -> Result<Box<dyn BlobReader + 'a>, BlobError> {
        Blobs::read(self.0, key, max_bytes)
    }

    fn delete(&self, key: &ObjectKey) -> Result<(), BlobError> {
        self.0.delete(key)
    }

    fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<String>, BlobError> {
        self.0.list(prefix, after, limit)
    }
}

#[test]
fn what_the_service_is_too_slow_for_is_put_off_and_told() {
    for (images, expected, is_complete) in [
        (4, &["processing", "processing", "processing", "unavailable"][..], false),
        (3, &["processing"; 3], true),
    ] {
        let service = Service::new();
        let form = whole(&vec![image("an image"); images]);
        let request = request("POST", "/batches", &[("content-type", &form_type())]);
        let slow = Slow(&service.blobs, &service.clock);
        let upload = Upload { blobs: &slow, ..service.upload(&service.store) };
        let (status, headers, text) =
            text(&request, block_on(upload.handle(&request, body::from_bytes(form))));
        let answer = Answer { status, headers, text };
        assert_eq!((status, outcomes(&answer)), (202, expected.iter().map(ToString::to_string).collect()));
        assert_eq!((answer.json()["is_complete"].clone(), service.jobs()), (is_complete.into(), 3));
    }
}

/// A client that takes its time is no reason.
#[test]
fn a_slow_client_is_waited_for() {
    let service = Rc::new(Service::new());
    let pieces: Vec<String> = [image("one"), image("two"), image("three"), whole(&[])].into();
    let waiting = Rc::clone(&service);
    let body = futures::stream::iter(pieces).map(move |piece| {
        waiting.clock.advance(Duration::from_secs(100));
        Ok(Bytes::from(piece))
    });
    let answer = service.send("POST", "/batches", &[("content-type", &form_type())], body.boxed_local());
    assert_eq!((answer.json()["is_complete"].clone(), outcomes(&answer).len()), (true.into(), 3));
}

#[test]
fn a_batch_that_comes_again_under_its_key_is_the_same_and_what_is_new_in_it_is_made() {
    let service = Service::new();
    let under = |key: &str, parts: &[String]| post(&service, "", &[("idempotency-key", key)], whole(parts));
    let first = under("k", &[image(""), image("two"), image("three")]);
    assert_eq!(outcomes(&first), ["malformed-request", "processing", "processing"]);
    assert_eq!(first.header("idempotency-replayed"), "");
    let again = under("k", &[image(""), image("two"), image("three")]);
    assert_eq!(again.json()["batch_id"], first.json()["batch_id"]);
    assert_eq!(again.json()["parts"], first.json()["parts"]);
    assert_eq!(again.header("idempotency-replayed"), "true");
    let mended = under("k", &[image("one"), image("two"), image("other")]);
    assert_eq!(outcomes(&mended), ["processing", "processing", "idempotency-key-reused"]);
    assert_eq!(mended.json()["batch_id"], first.json()["batch_id"]);
    assert_eq!(mended.header("idempotency-replayed"), "");
    let other = under("k2", &[image("two")]);
    assert_ne!(other.json()["batch_id"], first.json()["batch_id"]);
    assert_eq!((service.jobs(), service.blobs.keys().len()), (4, 4));
    assert_eq!(under("a b", &[image("one")]).json()["code"], "invalid-idempotency-key");
}

#[test]
fn a_queue_that_is_full_refuses_what_goes_beyond_it() {
    let mut service = Service::new();
    service.variables.0.insert("max_queued_jobs", "2".to_owned());
    let answer = send(&service, &[image("one"), image("two"), image("three")]);
    assert_eq!(outcomes(&answer), ["processing", "processing", "queue-full"]);
    let answer = send(&service, &[image("one")]);
    assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (503, "queue-full"));
}

#[test]
fn there_is_nothing_but_post() {
    let answer = Service::new().send("GET", "/batches", &[], body::from_bytes(""));
    assert_eq!((answer.status, answer.header("allow")), (405, "OPTIONS, POST"));
}
