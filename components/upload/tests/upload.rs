//! The upload handler over capabilities in memory: what is accepted, what is refused with which words, and what is left behind.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use futures::StreamExt;
use futures::executor::block_on;
use http::HeaderMap;
use serde_json::Value;
use thumbs_domain::failure::Failure;
use thumbs_domain::format::SourceFormat;
use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::{Cost, IdempotencyKey, Job, NewJob, Thumbnail};
use thumbs_domain::list::ListQuery;
use thumbs_domain::machine::RetryPolicy;
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::timestamp::Timestamp;
use thumbs_guest::blobs::{BlobError, Blobs};
use thumbs_guest::config;
use thumbs_guest::http::{Body, BodyError, body};
use thumbs_guest::imaging::{Bound, Excess, ImagingError, SourceInfo};
use thumbs_guest::jobs::{Claim, Created, JobStore, Lease, Page, SqlJobStore, StoreError};
use thumbs_guest::log::Log;
use thumbs_guest::sql::Sqlite;
use thumbs_guest::testing::{
    CountingWake, Driver, FixedVariables, ManualClock, MemoryBlobs, ScriptedImaging, TestIds, memory_store,
    request, text,
};
use thumbs_upload::Upload;

const BOUNDARY: &str = "----b";

struct Service {
    store: SqlJobStore<Driver, Sqlite>,
    store_is_down: Arc<AtomicBool>,
    blobs: MemoryBlobs,
    imaging: ScriptedImaging,
    wake: CountingWake,
    clock: ManualClock<'static>,
    ids: TestIds,
    variables: FixedVariables,
    log: Log,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Service {
    fn new() -> Self {
        let (store, store_is_down) = memory_store();
        Self {
            store,
            store_is_down,
            blobs: MemoryBlobs::default(),
            imaging: ScriptedImaging::jpeg(),
            wake: CountingWake::default(),
            clock: ManualClock::default(),
            ids: TestIds,
            variables: FixedVariables::small(),
            log: Log::new("test"),
        }
    }

    fn upload<'a>(&'a self, store: &'a dyn JobStore) -> Upload<'a> {
        Upload {
            store,
            blobs: &self.blobs,
            imaging: &self.imaging,
            wake: &self.wake,
            clock: &self.clock,
            ids: &self.ids,
            variables: &self.variables,
            log: &self.log,
        }
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Body) -> Answer {
        self.send_to(&self.store, method, path, headers, body)
    }

    fn send_to(
        &self,
        store: &dyn JobStore,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> Answer {
        let request = request(method, path, headers);
        let upload = self.upload(store);
        let (status, headers, text) = text(&request, block_on(upload.handle(&request, body)));
        Answer { status, headers, text }
    }

    fn post(&self, query: &str, headers: &[(&str, &str)], bytes: &[u8]) -> Answer {
        self.send("POST", &format!("/jobs{query}"), headers, body::from_bytes(bytes.to_vec()))
    }

    fn post_form(&self, query: &str, parts: &[(&str, &str)]) -> Answer {
        let content_type = format!("multipart/form-data; boundary={BOUNDARY}");
        self.post(query, &[("content-type", &content_type)], form(parts).as_bytes())
    }

    fn jobs(&self) -> usize {
        let everything = ListQuery { status: None, limit: 100, after: None };
        self.store.list(&everything).unwrap().jobs.len()
    }

    /// Nothing stays of a request that was refused.
    fn assert_untouched(&self) {
        assert_eq!((self.jobs(), self.blobs.keys().len(), self.wake.count()), (0, 0, 0));
    }
}

fn form(parts: &[(&str, &str)]) -> String {
    let part = |(name, value): &(&str, &str)| {
        format!(
            "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"{name}\"; filename=\"x.txt\"\r\n\r\n{value}\r\n"
        )
    };
    let parts: String = parts.iter().map(part).collect();
    format!("{parts}--{BOUNDARY}--\r\n")
}

/// A body that never ends, and counts how often it was asked for another 100 bytes.
fn endless(head: &str, asked: Rc<Cell<u32>>) -> Body {
    let head = futures::stream::once(std::future::ready(Ok(Bytes::from(head.to_owned()))));
    let tail = futures::stream::repeat_with(move || {
        asked.set(asked.get() + 1);
        Ok(Bytes::from_static(&[7; 100]))
    });
    head.chain(tail).boxed_local()
}

#[test]
fn an_image_becomes_a_job_that_is_due() {
    let service = Service::new();
    let answer = service.post("", &[("x-request-id", "req-1")], b"an image");
    assert_eq!(answer.status, 202, "{}", answer.text);
    let job = answer.json();
    let id = JobId::parse(job["job_id"].as_str().unwrap()).unwrap();
    assert_eq!(job["status"], "processing");
    assert_eq!(job["correlation_id"], "req-1");
    assert_eq!(job["source"]["bytes"], 8);
    assert_eq!(job["source"]["content_type"], "image/jpeg");
    assert_eq!(answer.header("location"), format!("/jobs/{id}"));
    assert_eq!(answer.header("x-request-id"), "req-1");
    assert_eq!(answer.header("cache-control"), "no-store");
    let stored = service.blobs.read(&format!("uploads/{id}")).unwrap();
    assert_eq!(stored, ("image/jpeg".to_owned(), b"an image".to_vec()));
    assert!(service.store.has_due(ManualClock::START).unwrap());
    assert_eq!(service.wake.count(), 1);
}

#[test]
fn a_form_brings_image_and_options_in_any_order() {
    let service = Service::new();
    for parts in [
        [("width", "320"), ("image", "an image"), ("fit", "contain")],
        [("image", "an image"), ("fit", "contain"), ("width", "320")],
    ] {
        let answer = service.post_form("?format=webp", &parts);
        assert_eq!(answer.status, 202, "{}", answer.text);
        let parameters = &answer.json()["parameters"];
        assert_eq!(parameters["width"], 320);
        assert_eq!(parameters["height"], 100);
        assert_eq!(parameters["fit"], "contain");
        assert_eq!(parameters["format"], "webp");
    }
}

#[test]
fn options_that_are_wrong_are_named_and_nothing_stays() {
    for (query, parts, word) in [
        ("?width=0", vec![("image", "x")], "width"),
        ("?width=99999", vec![("image", "x")], "width"),
        ("?fit=x", vec![("image", "x")], "fit"),
        ("?widht=1", vec![("image", "x")], "widht"),
        ("?width=1&width=1", vec![("image", "x")], "width"),
        ("?width=1", vec![("image", "x"), ("width", "1")], "width"),
        ("", vec![("image", "x"), ("height", "-1")], "height"),
        ("", vec![("image", "x"), ("quality", "101")], "quality"),
    ] {
        let service = Service::new();
        let answer = service.post_form(query, &parts);
        assert_eq!(answer.status, 400, "{query} {parts:?}");
        assert_eq!(answer.json()["code"], "invalid-option", "{query} {parts:?}");
        assert!(answer.text.contains(word), "{}", answer.text);
        service.assert_untouched();
    }
    let long = "1".repeat(100);
    let answer = Service::new().post_form("", &[("image", "x"), ("width", &long)]);
    assert_eq!(answer.json()["code"], "invalid-option");
    assert_eq!(answer.json()["detail"], "The option \"width\" takes a whole number from 1 to 2048.");
}

#[test]
fn a_file_under_another_name_is_told_its_right_one_before_it_is_read() {
    let form_type = format!("multipart/form-data; boundary={BOUNDARY}");
    for (parameters, status, detail) in [
        (
            "name=\"file\"; filename=\"photo.jpg\"",
            "malformed-request",
            "The form has a file in the part \"file\". Send the image in the part \"image\".",
        ),
        (
            "filename=\"photo.jpg\"",
            "malformed-request",
            "The form has a file in the part \"\". Send the image in the part \"image\".",
        ),
        ("name=\"widht\"", "invalid-option", "There is no option \"widht\"."),
    ] {
        let service = Service::new();
        let head = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; {parameters}\r\n\r\n");
        let asked = Rc::new(Cell::new(0));
        let body = endless(&head, asked.clone());
        let answer = service.send("POST", "/jobs", &[("content-type", &form_type)], body);
        assert_eq!(answer.status, 400, "{}", answer.text);
        assert_eq!((&answer.json()["code"], &answer.json()["detail"]), (&status.into(), &detail.into()));
        assert!(asked.get() <= 2, "{parameters}: {} pieces", asked.get());
        service.assert_untouched();
    }
}

#[test]
fn a_name_within_the_name_of_a_file_is_none() {
    let form_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let part = "Content-Disposition: form-data; filename=\"x; name=evil.png\"; name=\"image\"";
    let form = format!("--{BOUNDARY}\r\n{part}\r\n\r\n{}\r\n--{BOUNDARY}--\r\n", "x".repeat(500));
    assert_eq!(Service::new().post("", &[("content-type", &form_type)], form.as_bytes()).status, 202);
}

#[test]
fn a_body_that_is_meant_as_a_form_is_not_taken_for_an_image() {
    for (content_type, why) in [
        ("multipart/form-data", "no boundary"),
        ("Multipart/Form-Data; charset=utf-8", "no boundary"),
        ("multipart/form-data; boundary=a=b", "quotes"),
        ("multipart/form-data; boundary=a:b", "quotes"),
        ("multipart/", "no form"),
        ("multipart/mixed; boundary=a", "no form"),
    ] {
        let service = Service::new();
        let answer = service.post("", &[("content-type", content_type)], b"--a\r\n");
        assert_eq!(answer.status, 400, "{content_type}: {}", answer.text);
        assert_eq!(answer.json()["code"], "malformed-request", "{content_type}");
        assert!(answer.json()["detail"].as_str().unwrap().contains(why), "{content_type}: {}", answer.text);
        service.assert_untouched();
    }
    for content_type in
        ["", "image/png", "text/plain", "application/x-www-form-urlencoded", "multiparted/x", ";"]
    {
        let answer = Service::new().post("", &[("content-type", content_type)], b"an image");
        assert_eq!(answer.status, 202, "{content_type}: {}", answer.text);
    }
}

#[test]
fn a_form_that_never_comes_to_a_part_is_cut_off() {
    let form_type = format!("multipart/form-data; boundary={BOUNDARY}");
    for head in ["", &format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"")] {
        let asked = Rc::new(Cell::new(0));
        let body = endless(head, asked.clone());
        let answer = Service::new().send("POST", "/jobs", &[("content-type", &form_type)], body);
        assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (400, "malformed-request"));
        // 64 KiB in pieces of 100 bytes.
        assert!((650..=660).contains(&asked.get()), "{} pieces", asked.get());
    }
}

#[test]
fn a_request_that_is_no_upload_is_malformed() {
    let form_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let other_part = form(&[("width", "5")]);
    let two_images = form(&[("image", "x"), ("image", "y")]);
    let empty_image = form(&[("image", "")]);
    for (content_type, body) in [
        ("", ""),
        ("image/png", ""),
        ("multipart/form-data", "x"),
        (form_type.as_str(), ""),
        (form_type.as_str(), "not a form"),
        (form_type.as_str(), "------b\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\nno end"),
        (form_type.as_str(), other_part.as_str()),
        (form_type.as_str(), two_images.as_str()),
        (form_type.as_str(), empty_image.as_str()),
    ] {
        let service = Service::new();
        let answer = service.post("", &[("content-type", content_type)], body.as_bytes());
        assert_eq!(answer.status, 400, "{content_type}: {body}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert_eq!(answer.json()["code"], "malformed-request", "{content_type}: {body}");
        service.assert_untouched();
    }
}

#[test]
fn an_upload_over_the_limit_is_cut_off_while_it_is_read() {
    let form_type = format!("multipart/form-data; boundary={BOUNDARY}");
    let part = format!("--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"image\"\r\n\r\n");
    for (content_type, head) in [("image/png", ""), (form_type.as_str(), part.as_str())] {
        let service = Service::new();
        let asked = Rc::new(Cell::new(0));
        let answer =
            service.send("POST", "/jobs", &[("content-type", content_type)], endless(head, asked.clone()));
        assert_eq!(answer.status, 413, "{}", answer.text);
        // The limit is 1,000 bytes, a piece has 100; the reader of forms looks a few pieces ahead.
        assert!((10..=15).contains(&asked.get()), "{content_type}: {} pieces", asked.get());
        service.assert_untouched();
    }
}

#[test]
fn an_upload_announced_over_the_limit_is_not_read_at_all() {
    let form_type = format!("multipart/form-data; boundary={BOUNDARY}");
    for (content_type, length) in [("image/png", "1001"), (form_type.as_str(), "70000")] {
        let service = Service::new();
        let asked = Rc::new(Cell::new(0));
        let headers = [("content-type", content_type), ("content-length", length)];
        let answer = service.send("POST", "/jobs", &headers, endless("", asked.clone()));
        assert_eq!((answer.status, asked.get()), (413, 0), "{content_type}");
    }
}

#[test]
fn an_upload_of_exactly_the_limit_is_taken() {
    let image = "x".repeat(1000);
    assert_eq!(Service::new().post("", &[], image.as_bytes()).status, 202);
    assert_eq!(Service::new().post_form("", &[("image", &image)]).status, 202);
    assert_eq!(Service::new().post("", &[], format!("{image}x").as_bytes()).status, 413);
    assert_eq!(Service::new().post_form("", &[("image", &format!("{image}x"))]).status, 413);
}

#[test]
fn a_body_that_breaks_off_is_no_image() {
    let service = Service::new();
    let pieces = [Ok(Bytes::from_static(b"half")), Err(BodyError::Broken("reset by secret-peer".into()))];
    let answer = service.send("POST", "/jobs", &[], futures::stream::iter(pieces).boxed_local());
    assert_eq!(answer.status, 400);
    assert!(!answer.text.contains("secret"), "{}", answer.text);
    service.assert_untouched();
}

#[test]
fn what_imaging_refuses_is_refused_with_its_reason() {
    let small = config::limits(&FixedVariables::small()).unwrap().image;
    let over = |bound| ImagingError::OverLimit(Excess::new(bound, &small, None));
    for (error, status, code) in [
        (ImagingError::UnsupportedFormat(None), 415, "unsupported-image"),
        (ImagingError::UnsupportedFeature("it is arithmetic-coded".into()), 422, "undecodable-image"),
        (ImagingError::Malformed("the header ends early".into()), 422, "undecodable-image"),
        (over(Bound::Pixels), 422, "image-over-limit"),
        (over(Bound::Frames), 422, "image-over-limit"),
    ] {
        let service = Service { imaging: ScriptedImaging(Err(error)), ..Service::new() };
        let answer = service.post("", &[], b"an image");
        assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (status, code));
        service.assert_untouched();
    }
}

#[test]
fn the_same_request_under_the_same_key_is_the_same_job() {
    let service = Service::new();
    let key = [("idempotency-key", "\"8e03978e\"")];
    let first = service.post("?width=50", &key, b"an image");
    let again = service.post("?width=50", &key, b"an image");
    let in_a_form = service.post_form("", &[("image", "an image"), ("width", "50")]);
    assert_eq!((first.status, again.status, in_a_form.status), (202, 202, 202));
    assert_eq!(again.json(), first.json());
    assert_ne!(in_a_form.json()["job_id"], first.json()["job_id"]);
    assert_eq!((service.jobs(), service.blobs.keys().len()), (2, 2));
}

/// A store that does not see, at the first look, what another request has just written.
struct Blind<'a>(&'a dyn JobStore);

impl JobStore for Blind<'_> {
    fn find_by_idempotency_key(&self, _: &IdempotencyKey) -> Result<Option<Job>, StoreError> {
        Ok(None)
    }

    fn migrate(&self) -> Result<(), StoreError> {
        self.0.migrate()
    }

    fn create(&self, job: &NewJob) -> Result<Created, StoreError> {
        self.0.create(job)
    }

    fn get(&self, id: &JobId) -> Result<Option<Job>, StoreError> {
        self.0.get(id)
    }

    fn find_by_worker(&self, worker: &WorkerId) -> Result<Option<Job>, StoreError> {
        self.0.find_by_worker(worker)
    }

    fn list(&self, query: &ListQuery) -> Result<Page, StoreError> {
        self.0.list(query)
    }

    fn claim(&self, worker: &WorkerId, policy: &RetryPolicy, now: Timestamp) -> Result<Claim, StoreError> {
        self.0.claim(worker, policy, now)
    }

    fn has_due(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.0.has_due(now)
    }

    fn succeed(
        &self,
        lease: Lease<'_>,
        made: &Thumbnail,
        cost: &Cost,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.0.succeed(lease, made, cost, now)
    }

    fn retry(
        &self,
        lease: Lease<'_>,
        failure: &Failure,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.0.retry(lease, failure, due_at, now)
    }

    fn give_back(
        &self,
        lease: Lease<'_>,
        failure: &Failure,
        due_at: Timestamp,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.0.give_back(lease, failure, due_at, now)
    }

    fn give_up(&self, lease: Lease<'_>, failure: &Failure, now: Timestamp) -> Result<bool, StoreError> {
        self.0.give_up(lease, failure, now)
    }

    fn note_wake_up(&self, id: &JobId, now: Timestamp) -> Result<bool, StoreError> {
        self.0.note_wake_up(id, now)
    }
}

#[test]
fn a_request_that_loses_the_race_for_its_key_gets_the_winners_job_and_leaves_no_blob() {
    let service = Service::new();
    let key = [("idempotency-key", "8e03978e")];
    let winner = service.post("", &key, b"an image");
    let store = Blind(&service.store);
    for (image, status) in [(&b"an image"[..], 202), (b"another", 422)] {
        let loser = service.send_to(&store, "POST", "/jobs", &key, body::from_bytes(image.to_vec()));
        assert_eq!(loser.status, status);
        if status == 202 {
            assert_eq!(loser.json(), winner.json());
        }
        assert_eq!((service.jobs(), service.blobs.keys().len(), service.wake.count()), (1, 1, 1));
    }
}

#[test]
fn another_request_under_the_same_key_is_refused() {
    let service = Service::new();
    let key = [("idempotency-key", "8e03978e")];
    assert_eq!(service.post("?width=50", &key, b"an image").status, 202);
    for (query, image) in [("?width=51", &b"an image"[..]), ("?width=50", b"another"), ("", b"an image")] {
        let answer = service.post(query, &key, image);
        assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (422, "idempotency-key-reused"));
    }
    assert_eq!((service.jobs(), service.blobs.keys().len()), (1, 1));
}

#[test]
fn a_key_that_is_none_is_refused() {
    for key in ["", "a b", &"k".repeat(256)] {
        let service = Service::new();
        let answer = service.post("", &[("idempotency-key", key)], b"an image");
        assert_eq!(
            (answer.status, answer.json()["code"].as_str().unwrap()),
            (400, "invalid-idempotency-key")
        );
        service.assert_untouched();
    }
}

#[test]
fn an_animation_under_a_preset_becomes_a_gif_that_fits() {
    let animation = SourceInfo {
        format: SourceFormat::Gif,
        width: 10,
        height: 10,
        frames: 5,
        orientation: 1,
        has_alpha: false,
        hidden_pixels: 0,
    };
    let service = Service { imaging: ScriptedImaging(Ok(animation)), ..Service::new() };
    let parameters = &service.post("?preset=slack", &[], b"x").json()["parameters"];
    assert_eq!(parameters["format"], "gif");
    assert_eq!(parameters["max_bytes"], 128_000);
    assert_eq!(parameters["max_frames"], 50);
}

/// A blob store that takes no image at all.
struct Tiny;

impl Blobs for Tiny {
    fn put(&self, _: &ObjectKey, _: &str, _: &[u8]) -> Result<(), BlobError> {
        Err(BlobError::TooLarge { max_bytes: 0 })
    }

    fn get(&self, _: &ObjectKey, _: u64) -> Result<Vec<u8>, BlobError> {
        Err(BlobError::NotFound)
    }

    fn delete(&self, _: &ObjectKey) -> Result<(), BlobError> {
        Ok(())
    }
}

#[test]
fn an_image_that_the_blob_store_does_not_take_is_too_large() {
    let service = Service::new();
    let request = request("POST", "/jobs", &[]);
    let upload = Upload { blobs: &Tiny, ..service.upload(&service.store) };
    let (status, _, text) = text(&request, block_on(upload.handle(&request, body::from_bytes("an image"))));
    assert_eq!(status, 413, "{text}");
    service.assert_untouched();
}

#[test]
fn storage_that_is_down_is_a_503_that_names_nobody() {
    let service = Service::new();
    service.blobs.set_down(true);
    let no_blobs = service.post("", &[], b"an image");
    assert_eq!(service.jobs(), 0);
    service.blobs.set_down(false);
    service.store_is_down.store(true, Ordering::Relaxed);
    let no_rows = service.post("", &[], b"an image");
    let no_list = service.send("GET", "/jobs", &[], body::from_bytes(""));
    for answer in [no_blobs, no_rows, no_list] {
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
        assert!(!answer.text.contains("secret"), "{}", answer.text);
    }
    assert_eq!(service.wake.count(), 0);
}

#[test]
fn lists_page_by_page_along_the_links() {
    let service = Service::new();
    for _ in 0..5 {
        service.clock.advance(std::time::Duration::from_millis(1));
        assert_eq!(service.post("", &[], b"an image").status, 202);
    }
    let mut seen = Vec::new();
    let mut next = Some("/jobs?limit=2".to_owned());
    while let Some(path) = next {
        let answer = service.send("GET", &path, &[], body::from_bytes(""));
        assert_eq!(answer.status, 200, "{path}");
        let page = answer.json();
        let ids =
            page["jobs"].as_array().unwrap().iter().map(|job| job["job_id"].as_str().unwrap().to_owned());
        seen.extend(ids);
        next = page["links"]["next"].as_str().map(str::to_owned);
    }
    let newest_first = seen.iter().rev().is_sorted();
    assert_eq!((seen.len(), newest_first), (5, true), "{seen:?}");
}

#[test]
fn a_list_that_is_asked_wrongly_says_how_to_ask() {
    for query in ["?limit=0", "?limit=101", "?status=done", "?cursor=x", "?page=2", "?limit=1&limit=1"] {
        let answer = Service::new().send("GET", &format!("/jobs{query}"), &[], body::from_bytes(""));
        assert_eq!(
            (answer.status, answer.json()["code"].as_str().unwrap()),
            (400, "invalid-option"),
            "{query}"
        );
    }
}

#[test]
fn other_methods_are_told_which_ones_work() {
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        let answer = Service::new().send(method, "/jobs", &[], body::from_bytes(""));
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD, POST"), "{method}");
    }
}

#[test]
fn an_unusable_request_id_is_replaced() {
    let long = "x".repeat(129);
    for sent in ["", "a b", "<script>", &long] {
        let answer = Service::new().post("", &[("x-request-id", sent)], b"");
        assert_eq!(answer.header("x-request-id"), "drawn");
        assert_eq!(answer.json()["correlation_id"], "drawn");
    }
}
