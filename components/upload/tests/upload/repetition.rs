//! Requests under an `Idempotency-Key` that are one request.

use thumbs_domain::failure::Failure;
use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::{Cost, IdempotencyKey, Job, NewJob, Thumbnail};
use thumbs_domain::list::ListQuery;
use thumbs_domain::machine::RetryPolicy;
use thumbs_domain::owner::{Owner, Reach};
use thumbs_domain::timestamp::Timestamp;
use thumbs_guest::http::body;
use thumbs_guest::jobs::{Claim, Created, JobStore, Lease, Page, StoreError};
use thumbs_guest::recipe::Recipe;

use crate::kit::Service;

#[test]
fn the_same_request_under_the_same_key_is_the_same_job() {
    let service = Service::new();
    let key = [("idempotency-key", "\"8e03978e\"")];
    let first = service.post("?width=50", &key, b"an image");
    let again = service.post("?width=50", &key, b"an image");
    let in_a_form = service.post_form("", &[("image", "an image"), ("width", "50")]);
    assert_eq!((first.status, again.status, in_a_form.status), (202, 202, 202));
    assert_eq!(again.json(), first.json());
    assert_eq!((first.header("idempotency-replayed"), again.header("idempotency-replayed")), ("", "true"));
    assert_ne!(in_a_form.json()["job_id"], first.json()["job_id"]);
    assert_eq!((service.jobs(), service.blobs.keys().len()), (2, 2));
}

/// A store that does not see, at the first look, what another request has just written.
pub(crate) struct Blind<'a>(pub(crate) &'a dyn JobStore);

impl JobStore for Blind<'_> {
    fn find_by_idempotency_key(
        &self,
        _: &IdempotencyKey,
        _: Option<&Owner>,
    ) -> Result<Option<Job>, StoreError> {
        Ok(None)
    }

    fn migrate(&self) -> Result<(), StoreError> {
        self.0.migrate()
    }

    fn create(&self, job: &NewJob) -> Result<Created, StoreError> {
        self.0.create(job)
    }

    fn create_held(
        &self,
        job: &NewJob,
        worker: &WorkerId,
        lease_end: Timestamp,
    ) -> Result<Created, StoreError> {
        self.0.create_held(job, worker, lease_end)
    }

    fn find_made(&self, recipe: &Recipe, owner: Option<&Owner>) -> Result<Option<Job>, StoreError> {
        self.0.find_made(recipe, owner)
    }

    fn get(&self, id: &JobId, reach: Reach<'_>) -> Result<Option<Job>, StoreError> {
        self.0.get(id, reach)
    }

    fn find_by_worker(&self, worker: &WorkerId) -> Result<Option<Job>, StoreError> {
        self.0.find_by_worker(worker)
    }

    fn find(&self, ids: &[JobId], reach: Reach<'_>) -> Result<Page, StoreError> {
        self.0.find(ids, reach)
    }

    fn list(&self, query: &ListQuery, reach: Reach<'_>) -> Result<Page, StoreError> {
        self.0.list(query, reach)
    }

    fn claim(&self, worker: &WorkerId, policy: &RetryPolicy, now: Timestamp) -> Result<Claim, StoreError> {
        self.0.claim(worker, policy, now)
    }

    fn queued(&self) -> Result<u64, StoreError> {
        self.0.queued()
    }

    fn queued_of(&self, owner: &Owner, at_most: u64) -> Result<u64, StoreError> {
        self.0.queued_of(owner, at_most)
    }

    fn has_due(&self, now: Timestamp) -> Result<bool, StoreError> {
        self.0.has_due(now)
    }

    fn extend(&self, lease: Lease<'_>, lease_end: Timestamp) -> Result<bool, StoreError> {
        self.0.extend(lease, lease_end)
    }

    fn succeed(
        &self,
        lease: Lease<'_>,
        made: &Thumbnail,
        cost: &Cost,
        recipe: &Recipe,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        self.0.succeed(lease, made, cost, recipe, now)
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
fn who_repeats_a_request_because_of_the_silence_wakes_the_workers() {
    let service = Service::new();
    let key = [("idempotency-key", "8e03978e")];
    service.post("", &key, b"an image");
    service.post("", &key, b"an image");
    assert_eq!(service.wake.count(), 1, "it has not been due for long");
    service.clock.advance(std::time::Duration::from_secs(3));
    service.post("", &key, b"an image");
    assert_eq!(service.wake.count(), 2);
}

#[test]
fn two_keys_are_none() {
    let service = Service::new();
    let answer = service.post("", &[("idempotency-key", "a"), ("idempotency-key", "b")], b"an image");
    assert_eq!((answer.status, answer.json()["code"].as_str().unwrap()), (400, "invalid-idempotency-key"));
    service.assert_untouched();
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
