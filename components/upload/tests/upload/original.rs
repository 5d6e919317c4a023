//! Jobs of an image that another job brought.

use std::sync::atomic::Ordering;

use thumbs_domain::id::JobId;
use thumbs_domain::object_key::ObjectKey;
use thumbs_guest::blobs::Blobs;

use crate::kit::{Answer, Service};

fn id(answer: &Answer) -> JobId {
    JobId::parse(answer.json()["job_id"].as_str().unwrap()).unwrap()
}

fn code(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn another_job_is_made_of_a_copy() {
    let service = Service::new();
    let first = service.post("", &[], b"an image");
    let second = service.post(&format!("?source={}&width=50", id(&first)), &[], b"");
    assert_eq!(second.status, 202, "{}", second.text);
    let (first, second) = (id(&first), id(&second));
    assert_ne!(first, second);
    service.blobs.delete(&ObjectKey::upload(&first)).unwrap();
    let copy = service.blobs.read(ObjectKey::upload(&second).as_str());
    assert_eq!(copy, Some(("image/jpeg".to_owned(), b"an image".to_vec())));
    assert_eq!(service.wake.count(), 2);
}

#[test]
fn an_image_that_is_gone_or_was_never_there_is_told_apart() {
    let service = Service::new();
    let first = id(&service.post("", &[], b"an image"));
    let keys = service.blobs.keys();
    let never = service.post("?source=01932c07-20a4-7b3c-8d4e-5f6071829304", &[], b"");
    assert_eq!(code(&never), (404, "not-found".to_owned()));
    for wrong in ["?source=x", "?source=", &format!("?source={first}&source={first}")] {
        assert_eq!(code(&service.post(wrong, &[], b"")), (400, "invalid-option".to_owned()), "{wrong}");
    }
    let both = service.post(&format!("?source={first}"), &[], b"an image");
    assert_eq!(code(&both), (400, "malformed-request".to_owned()));
    assert_eq!(service.blobs.keys(), keys);
    service.blobs.delete(&ObjectKey::upload(&first)).unwrap();
    let gone = service.post(&format!("?source={first}"), &[], b"");
    assert_eq!(code(&gone), (410, "original-gone".to_owned()));
    assert_eq!((service.jobs(), service.blobs.keys().len(), service.blobs.open_writers()), (1, 0, 0));
    service.store_is_down.store(true, Ordering::Relaxed);
    assert_eq!(service.post(&format!("?source={first}"), &[], b"").status, 503);
}

/// The row knows what image it was, so that a repetition is found when the image is gone.
#[test]
fn a_repetition_is_found_without_the_image() {
    let service = Service::new();
    let first = id(&service.post("", &[], b"an image"));
    let key = [("idempotency-key", "a-key")];
    let path = format!("?source={first}&width=50");
    let second = service.post(&path, &key, b"");
    service.blobs.delete(&ObjectKey::upload(&first)).unwrap();
    let again = service.post(&path, &key, b"");
    assert_eq!((again.status, id(&again)), (202, id(&second)));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let other = service.post(&format!("?source={first}&width=51"), &key, b"");
    assert_eq!(code(&other), (422, "idempotency-key-reused".to_owned()));
}
