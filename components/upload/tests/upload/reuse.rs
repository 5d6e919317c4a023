//! Uploads whose thumbnail was made before.

use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::owner::Reach;
use thumbs_guest::blobs::Blobs;
use thumbs_guest::config;
use thumbs_guest::http::body;
use thumbs_guest::jobs::{Claim, JobStore, Lease, Life};
use thumbs_guest::recipe::Recipe;
use thumbs_guest::testing::{ManualClock, POLICY, cost, thumbnail_of};

use crate::kit::{Answer, Service};
use crate::repetition::Blind;

const MADE: &[u8] = b"a thumbnail";

/// Makes the job that is due as a worker does.
fn make(service: &Service) -> JobId {
    let (worker, now) = (WorkerId::new("of-the-test"), ManualClock::START);
    let claimed = match service.store.claim(&worker, &POLICY, now) {
        Ok(Claim::Leased { job, .. }) => Some(job),
        _ => None,
    };
    let job = claimed.unwrap();
    let thumbnail = thumbnail_of(MADE);
    service.blobs.put(&ObjectKey::thumbnail(&job.id, &thumbnail.sha256), "image/gif", MADE).unwrap();
    let limits = config::limits(&service.variables).unwrap().image;
    let recipe = Recipe::of(&job.source.sha256, &job.options, &limits).unwrap();
    let lease = Lease { job: &job.id, worker: &worker };
    assert_eq!(service.store.succeed(lease, &thumbnail, &cost(), &recipe, now), Ok(true));
    job.id
}

/// A service that made this image with these options.
fn having_made(query: &str, image: &[u8]) -> (Service, JobId) {
    let service = Service::new();
    let first = service.post(query, &[], image).json();
    assert_eq!((&first["status"], &first["cached"]), (&"processing".into(), &false.into()));
    let made = make(&service);
    (service, made)
}

fn id(answer: &Answer) -> JobId {
    JobId::parse(answer.json()["job_id"].as_str().unwrap()).unwrap()
}

#[test]
fn what_was_made_before_is_done_at_once_with_a_copy() {
    let (service, first) = having_made("?width=50", b"an image");
    let again = service.post("?width=50", &[], b"an image");
    let (job, id) = (again.json(), id(&again));
    assert_eq!((again.status, &job["status"], &job["cached"]), (202, &"succeeded".into(), &true.into()));
    assert_eq!(job["result"]["sha256"], thumbnail_of(MADE).sha256.to_string());
    assert_eq!(
        (&job["attempts"], &job["cost"]["decode_ms"], &job["cost"]["pixels"]),
        (&0.into(), &0.0.into(), &0.into())
    );
    assert_eq!(service.wake.count(), 1, "nobody has to be woken for it");

    let stored = service.store.get(&id, Reach::All).unwrap().unwrap();
    assert!(stored.is_cached() && stored.due_at.is_none());
    let copy = ObjectKey::thumbnail(&id, &stored.thumbnail.unwrap().sha256);
    assert_eq!(service.blobs.read(copy.as_str()).unwrap(), ("image/gif".to_owned(), MADE.to_vec()));
    assert_ne!(id, first);
    assert_eq!(service.blobs.keys().len(), 4, "two originals and two thumbnails");
}

#[test]
fn who_waits_gets_the_thumbnail_in_the_same_call() {
    let (service, _) = having_made("", b"an image");
    let again = service.post("?wait=5", &[("accept", "image/*")], b"an image");
    assert_eq!((again.status, again.text.as_bytes()), (200, MADE));
}

#[test]
fn a_copy_is_copied_when_its_first_is_gone() {
    let (service, first) = having_made("", b"an image");
    assert_eq!(service.post("", &[], b"an image").json()["cached"], true);
    assert_eq!(service.store.delete(&first, Reach::All), Ok(true));
    assert_eq!(service.post("", &[], b"an image").json()["cached"], true);
}

#[test]
fn another_image_other_options_or_other_limits_are_made() {
    let (mut service, _) = having_made("?width=50", b"an image");
    for (query, image) in
        [("?width=50", &b"another image"[..]), ("?width=51", b"an image"), ("", b"an image")]
    {
        assert_eq!(service.post(query, &[], image).json()["status"], "processing", "{query}");
    }
    service.variables.0.insert("max_output_pixels", "4194303".to_owned());
    assert_eq!(service.post("?width=50", &[], b"an image").json()["status"], "processing");
}

#[test]
fn nothing_is_given_out_again_where_the_operator_says_so() {
    let (mut service, _) = having_made("", b"an image");
    service.variables.0.insert("result_cache", "false".to_owned());
    assert_eq!(service.post("", &[], b"an image").json()["status"], "processing");
}

#[test]
fn who_wants_it_made_anew_has_it_made() {
    let (service, _) = having_made("", b"an image");
    for (value, cached) in [("no-cache", false), ("max-age=0, No-Cache", false), ("no-store", true)] {
        let job = service.post("", &[("cache-control", value)], b"an image").json();
        assert_eq!(job["cached"], cached, "{value}");
    }
}

#[test]
fn a_thumbnail_that_is_gone_is_made_again() {
    let (service, first) = having_made("", b"an image");
    service.blobs.delete(&ObjectKey::thumbnail(&first, &thumbnail_of(MADE).sha256)).unwrap();
    let again = service.post("", &[], b"an image");
    assert_eq!((again.status, again.json()["status"].as_str()), (202, Some("processing")));
    assert_eq!((service.wake.count(), service.blobs.keys().len()), (2, 2));
}

#[test]
fn of_two_requests_under_one_key_the_slower_leaves_nothing() {
    let (service, _) = having_made("", b"an image");
    let key = [("idempotency-key", "a-key")];
    let first = service.post("", &key, b"an image");
    let blobs = service.blobs.keys();
    let slower = service.send_to(
        &Blind(&service.store),
        "POST",
        "/jobs",
        &key,
        body::from_bytes(b"an image".to_vec()),
    );
    assert_eq!((slower.json(), slower.header("idempotency-replayed")), (first.json(), "true"));
    assert_eq!(service.blobs.keys(), blobs);
}
