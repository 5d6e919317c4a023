//! Uploads that are waited for: the job once it is done, or the thumbnail itself.

use std::time::Duration;

use thumbs_domain::id::JobId;
use thumbs_domain::list::ListQuery;
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::owner::Reach;
use thumbs_guest::blobs::Blobs;
use thumbs_guest::clock::Clock;
use thumbs_guest::digest::sha256;
use thumbs_guest::http::body;
use thumbs_guest::http::park::Offer;
use thumbs_guest::jobs::{JobStore, Life};
use thumbs_guest::testing::{ManualClock, end_job, request, text};
use thumbs_upload::Upload;

use crate::kit::{Answer, Service};

const DATA: &[u8] = b"GIF89a of a thumbnail";

/// The only job there is.
fn job(service: &Service) -> JobId {
    let all = ListQuery { status: None, code: None, limit: 1, after: None };
    service.store.list(&all, Reach::All).unwrap().jobs[0].id
}

/// Posts while a worker ends the job at the third look at it: with a thumbnail, or without.
fn post(
    service: &Service,
    query: &str,
    headers: &[(&str, &str)],
    thumbnail: Option<&[u8]>,
) -> (Answer, Duration) {
    let clock = ManualClock::with_others(|sleep| {
        if sleep == 3 {
            let job = job(service);
            if let Some(data) = thumbnail {
                let key = ObjectKey::thumbnail(&job, &sha256(data));
                service.blobs.put(&key, "image/gif", data).unwrap();
            }
            end_job(&service.store, &job, thumbnail);
        }
    });
    let request = request("POST", &format!("/jobs{query}"), headers);
    let upload = Upload { clock: &clock, ..service.upload(&service.store) };
    let answer = futures::executor::block_on(upload.handle(&request, body::from_bytes(b"an image".to_vec())));
    let (status, headers, text) = text(&request, answer);
    (Answer { status, headers, text }, clock.elapsed())
}

#[test]
fn who_waits_gets_the_job_that_is_done() {
    for (thumbnail, stands) in [(Some(DATA), "succeeded"), (None, "failed")] {
        let service = Service::new();
        let (answer, held) = post(&service, "?wait=30&width=50", &[], thumbnail);
        assert_eq!((answer.status, &answer.json()["status"]), (200, &stands.into()));
        assert_eq!(answer.json()["parameters"]["width"], 50);
        assert_eq!(answer.header("location"), format!("/jobs/{}", job(&service)));
        assert!(held < Duration::from_millis(100), "{held:?}");
    }
}

#[test]
fn who_waits_in_vain_gets_what_one_gets_who_does_not_wait() {
    let service = Service::new();
    let answer = service.post("?wait=2", &[("accept", "image/*")], b"an image");
    assert_eq!((answer.status, &answer.json()["status"]), (202, &"processing".into()));
    assert_eq!(service.clock.elapsed(), Duration::from_secs(2));
}

#[test]
fn who_prefers_an_image_gets_the_thumbnail() {
    for (accept, content_type) in [
        ("image/*", "image/gif"),
        ("image/png, */*;q=0.1", "image/gif"),
        ("image/avif,image/webp,*/*", "application/json"),
        ("*/*", "application/json"),
        ("application/json", "application/json"),
    ] {
        let service = Service::new();
        let headers = [("accept", accept), ("prefer", "wait=10")];
        let (answer, _) = post(&service, "?format=png", &headers, Some(DATA));
        let said = (answer.status, answer.header("content-type"), answer.header("preference-applied"));
        assert_eq!(said, (200, content_type, "wait=10"), "{accept}");
        assert_eq!(
            (answer.text.as_bytes() == DATA, answer.header("cache-control")),
            (content_type == "image/gif", "no-store")
        );
        let of_a_thumbnail = format!("/thumbnails/{}", job(&service));
        assert_eq!(answer.header("content-location") == of_a_thumbnail, content_type == "image/gif");
    }
}

#[test]
fn who_prefers_an_image_of_a_job_that_failed_is_told_why_there_is_none() {
    let service = Service::new();
    let (answer, _) = post(&service, "?wait=9", &[("accept", "image/*")], None);
    assert_eq!((answer.status, &answer.json()["code"]), (410, &"job-failed".into()));
    assert!(answer.json()["detail"].as_str().unwrap().contains("does not have the uploaded image"));
}

#[test]
fn a_repetition_waits_too_and_a_wait_that_is_none_is_refused_before_the_upload() {
    let service = Service::new();
    let key = [("idempotency-key", "a-key")];
    assert_eq!(service.post("", &key, b"an image").status, 202);
    end_job(&service.store, &job(&service), None);
    let answer = service.post("?wait=5", &key, b"an image");
    assert_eq!((answer.status, answer.header("idempotency-replayed")), (200, "true"));
    let answer = service.post("", &key, b"an image");
    assert_eq!(
        (answer.status, &answer.json()["status"]),
        (202, &"failed".into()),
        "as ever, who does not wait"
    );
    let service = Service::new();
    for query in ["?wait=soon", "?wait=1&wait=1", "?wait="] {
        assert_eq!(service.post(query, &[], b"an image").status, 400, "{query}");
    }
    service.assert_untouched();
}

/// What one instance answers to which the host offers this.
fn offered(service: &Service, offer: Offer, headers: &[(&str, &str)], bytes: &[u8]) -> Answer {
    let request = request("POST", "/jobs?wait=30", headers);
    let upload = Upload { offer, ..service.upload(&service.store) };
    let answer = futures::executor::block_on(upload.handle(&request, body::from_bytes(bytes.to_vec())));
    let (status, headers, text) = text(&request, answer);
    Answer { status, headers, text }
}

#[test]
fn where_the_host_can_wait_an_upload_goes_on_by_a_note_and_is_taken_in_once() {
    let service = Service::new();
    let by_note = Offer { by_note: true, ..Offer::default() };
    let headers = [("idempotency-key", "a-key")];
    let mut answer = offered(&service, by_note.clone(), &headers, b"an image");
    let job = job(&service);
    for age_ms in [0, 10_000, 29_999] {
        let left = format!("{} {job}", 30_000 - age_ms);
        assert_eq!((answer.status, answer.header("thumbs-park")), (202, left.as_str()), "{age_ms}");
        let note = Some(answer.header("thumbs-park-note").to_owned());
        assert!(note.as_ref().is_some_and(|note| !note.is_empty()));
        let next_ms = if age_ms == 0 { 10_000 } else { 29_999 };
        let offer = Offer { age: Some(Duration::from_millis(next_ms)), note, by_note: false };
        answer = offered(&service, offer, &headers, b"");
    }
    let note = Some(answer.header("thumbs-park-note").to_owned());
    let over = Offer { age: Some(Duration::from_secs(30)), note: note.clone(), by_note: false };
    let answer = offered(&service, over, &headers, b"");
    assert_eq!((answer.status, answer.header("thumbs-park"), answer.header("retry-after")), (202, "", "1"));
    end_job(&service.store, &job, None);
    let done = Offer { age: Some(Duration::from_secs(20)), note, by_note: false };
    let answer = offered(&service, done, &headers, b"");
    assert_eq!((answer.status, answer.header("thumbs-park")), (200, ""));
    assert_eq!(answer.header("idempotency-replayed"), "", "it is the first request still");
    assert_eq!((service.jobs(), service.clock.sleeps()), (1, 0));
    let again = offered(&service, by_note, &headers, b"an image");
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, "true"));
}

#[test]
fn of_a_job_that_was_deleted_while_the_host_waited_its_client_is_told() {
    let service = Service::new();
    let answer = offered(&service, Offer { by_note: true, ..Offer::default() }, &[], b"an image");
    let note = Some(answer.header("thumbs-park-note").to_owned());
    service.store.delete(&job(&service), Reach::All).unwrap();
    let answer =
        offered(&service, Offer { age: Some(Duration::from_secs(1)), note, by_note: false }, &[], b"");
    assert_eq!((answer.status, &answer.json()["code"]), (404, &"not-found".into()));
}
