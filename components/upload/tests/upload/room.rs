//! A queue that is full takes nothing more, and says when to come again.

use crate::kit::Service;

#[test]
fn a_full_queue_refuses_before_it_reads() {
    let mut service = Service::new();
    service.variables.0.insert("max_queued_jobs", "2".to_owned());
    assert_eq!(
        [service.post("", &[], b"an image").status, service.post("", &[], b"an image").status],
        [202, 202]
    );
    let full = service.post("", &[], b"no image, which nobody finds out");
    assert_eq!((full.status, &full.json()["code"]), (503, &"queue-full".into()));
    assert_eq!(full.header("retry-after"), "10");
    assert_eq!((service.jobs(), service.blobs.keys().len()), (2, 2));
}

#[test]
fn who_lost_its_answer_gets_its_job_from_a_queue_that_is_full() {
    let mut service = Service::new();
    service.variables.0.insert("max_queued_jobs", "1".to_owned());
    let key = [("idempotency-key", "a-key")];
    let first = service.post("", &key, b"an image");
    assert_eq!(service.post("", &[], b"another").status, 503);
    let again = service.post("", &key, b"an image");
    assert_eq!((again.status, again.header("idempotency-replayed")), (202, "true"));
    assert_eq!(again.json()["job_id"], first.json()["job_id"]);
}
