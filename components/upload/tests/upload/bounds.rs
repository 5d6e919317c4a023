//! What is refused for its size or its content, and storage that does not take it.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use futures::StreamExt;
use futures::executor::block_on;
use thumbs_domain::object_key::ObjectKey;
use thumbs_guest::blobs::{BlobError, BlobReader, BlobWriter, Blobs};
use thumbs_guest::config;
use thumbs_guest::http::{BodyError, body};
use thumbs_guest::imaging::{Bound, Excess, ImagingError};
use thumbs_guest::testing::{FixedVariables, ScriptedImaging, request, text};
use thumbs_upload::Upload;

use crate::kit::{BOUNDARY, Service, endless};

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
fn a_format_that_is_turned_off_is_refused_by_its_name() {
    let mut service = Service::new();
    service.variables.0.insert("formats", "png,avif".to_owned());
    let answer = service.post("", &[], b"an image");
    assert_eq!(answer.status, 415);
    assert!(answer.json()["detail"].as_str().unwrap().contains("JPEG"), "{}", answer.text);
    service.assert_untouched();
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

/// A blob store that takes no image at all.
struct Tiny;

impl Blobs for Tiny {
    fn put(&self, _: &ObjectKey, _: &str, _: &[u8]) -> Result<(), BlobError> {
        Err(BlobError::TooLarge { max_bytes: 0 })
    }

    fn write<'a>(&'a self, _: &ObjectKey, _: &str) -> Result<Box<dyn BlobWriter + 'a>, BlobError> {
        Err(BlobError::TooLarge { max_bytes: 0 })
    }

    fn get(&self, _: &ObjectKey, _: u64) -> Result<Vec<u8>, BlobError> {
        Err(BlobError::NotFound)
    }

    fn read<'a>(&'a self, _: &ObjectKey, _: u64) -> Result<Box<dyn BlobReader + 'a>, BlobError> {
        Err(BlobError::NotFound)
    }

    fn delete(&self, _: &ObjectKey) -> Result<(), BlobError> {
        Ok(())
    }

    fn list(&self, _: &str, _: &str, _: u32) -> Result<Vec<String>, BlobError> {
        Ok(Vec::new())
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
