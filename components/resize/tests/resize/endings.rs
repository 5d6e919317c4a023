//! Each way in which a message can end, and what the row says then.

use thumbs_domain::callback::CallbackUrl;
use thumbs_domain::job::{NewJob, Status};
use thumbs_domain::message::Message;
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::owner::Reach;
use thumbs_guest::blobs::Blobs;
use thumbs_guest::digest::sha256;
use thumbs_guest::imaging::ImagingError;
use thumbs_guest::testing::{ManualClock, POLICY, ScriptedImaging, new_job};

use crate::kit::*;

#[test]
fn a_due_job_gets_its_thumbnail_and_its_receipt() {
    let (service, id) = Service::with_job();
    service.wake_up(&ManualClock::default());
    let job = service.job(&id);
    let thumbnail = job.thumbnail.unwrap();
    let data = b"egami na".to_vec();
    assert_eq!(
        (job.status, job.attempts, thumbnail.bytes, thumbnail.sha256),
        (Status::Succeeded, 1, 8, sha256(&data))
    );
    let key = ObjectKey::thumbnail(&id, &thumbnail.sha256);
    assert_eq!(service.blobs.read(key.as_str()), Some(("image/png".to_owned(), data)));
    let cost = job.cost.unwrap();
    assert_eq!((cost.decode_ms, cost.finish_ms, cost.encode_ms), (1000.0, 2000.0, 3000.0));
    assert_eq!((cost.total_ms, cost.pixels), (6000.0, 1200));
    assert_eq!(service.told.jobs(), [id]);
}

#[test]
fn who_tells_others_is_woken_for_the_end_of_a_job_that_somebody_is_told_of() {
    for image in [ScriptedImaging::jpeg(), ScriptedImaging(Err(ImagingError::BudgetUnreachable))] {
        let service = Service::new();
        service.upload();
        assert_eq!(service.handle(Message::WakeUp, &ManualClock::default(), &image), Ok(()));
        assert_eq!(service.callbacks.count(), 0);
        let callback = CallbackUrl::parse("https://hooks.example/");
        service.upload_job(&NewJob { callback, ..new_job() });
        assert_eq!(service.handle(Message::WakeUp, &ManualClock::default(), &image), Ok(()));
        assert_eq!(service.callbacks.count(), 1);
    }
}

#[test]
fn no_job_no_work() {
    let service = Service::new();
    service.wake_up(&ManualClock::default());
    assert_eq!(service.wake.count(), 0);
}

#[test]
fn more_work_wakes_one_more_worker_before_this_one_begins() {
    let service = Service::new();
    for _ in 0..3 {
        service.upload();
    }
    let woken_at_work = std::cell::Cell::new(0);
    // The decoder sleeps while it works.
    let clock = ManualClock::with_others(|_| woken_at_work.set(service.wake.count()));
    service.wake_up(&clock);
    assert_eq!((woken_at_work.get(), service.wake.count()), (1, 1));
    service.wake_up(&clock);
    service.wake_up(&clock);
    assert_eq!(service.wake.count(), 2, "the last job leaves nobody to wake");
}

#[test]
fn of_a_job_that_was_deleted_meanwhile_nothing_is_left() {
    let (service, id) = Service::with_job();
    let clock = ManualClock::with_others(|_| {
        if service.store.delete(&id, Reach::All).unwrap() {
            service.blobs.delete(&ObjectKey::upload(&id)).unwrap();
        }
    });
    service.wake_up(&clock);
    assert_eq!(service.store.get(&id, Reach::All), Ok(None));
    assert_eq!(service.blobs.keys(), Vec::<String>::new());
}

#[test]
fn what_imaging_refuses_fails_at_once() {
    for (error, code) in [
        (ImagingError::Malformed("the data ends early".into()), "malformed-image"),
        (ImagingError::BudgetUnreachable, "budget-unreachable"),
        (ImagingError::UnsupportedFormat(None), "unsupported-image"),
    ] {
        let (service, id) = Service::with_job();
        let imaging = ScriptedImaging(Err(error));
        assert_eq!(service.handle(Message::WakeUp, &ManualClock::default(), &imaging), Ok(()));
        assert_eq!((service.job(&id).status, service.code(&id).as_str()), (Status::Failed, code));
        assert_eq!(service.blobs.keys(), [ObjectKey::upload(&id).to_string()]);
        assert_eq!(service.told.jobs(), [id]);
    }
}

#[test]
fn an_image_that_is_gone_fails_after_the_last_attempt() {
    let (service, id) = Service::with_job();
    service.blobs.delete(&ObjectKey::upload(&id)).unwrap();
    for (at_secs, status) in [(0, Status::Processing), (1, Status::Processing), (3, Status::Failed)] {
        service.wake_up(&later(at_secs));
        assert_eq!((service.job(&id).status, service.code(&id).as_str()), (status, "source-missing"));
    }
}

#[test]
fn an_image_that_a_store_denies_once_is_made_the_next_time() {
    let (service, id) = Service::with_job();
    let key = ObjectKey::upload(&id);
    let image = service.blobs.get(&key, u64::MAX).unwrap();
    service.blobs.delete(&key).unwrap();
    service.wake_up(&ManualClock::default());
    service.blobs.put(&key, "image/jpeg", &image).unwrap();
    service.wake_up(&later(1));
    assert_eq!((service.job(&id).status, service.job(&id).attempts), (Status::Succeeded, 2));
}

#[test]
fn storage_that_is_down_costs_no_attempt_and_is_tried_again_with_growing_pauses() {
    let (service, id) = Service::with_job();
    service.blobs.set_down(true);
    for (setbacks, at_secs, due_at_secs) in [(1, 0, 1), (2, 1, 3), (3, 3, 7), (4, 7, 15)] {
        service.wake_up(&later(at_secs));
        let job = service.job(&id);
        assert_eq!((job.status, job.attempts, job.setbacks), (Status::Processing, 0, setbacks));
        assert_eq!(job.due_at, Some(ManualClock::START.plus_millis(due_at_secs * 1000)));
        assert_eq!(service.code(&id), "storage-unavailable");
        assert!(!job.failure.unwrap().message.contains("secret"));
    }
    assert!(service.told.jobs().is_empty(), "it goes on");
    service.wake_up(&later(14));
    assert_eq!(service.job(&id).setbacks, 4, "nothing is due between the attempts");
    service.blobs.set_down(false);
    service.wake_up(&later(15));
    let job = service.job(&id);
    assert_eq!((job.status, job.attempts, job.failure), (Status::Succeeded, 1, None));
}

#[test]
fn storage_that_stays_down_fails_a_job_once_it_is_old() {
    let (service, id) = Service::with_job();
    service.blobs.set_down(true);
    service.wake_up(&later(u64::from(POLICY.max_job_age_secs) - 1));
    assert_eq!(service.job(&id).status, Status::Processing);
    service.wake_up(&later(u64::from(POLICY.max_job_age_secs)));
    assert_eq!(
        (service.job(&id).status, service.code(&id).as_str()),
        (Status::Failed, "storage-unavailable")
    );
}

#[test]
fn a_job_that_waited_long_in_the_queue_is_tried_all_the_same() {
    let (service, id) = Service::with_job();
    service.wake_up(&later(2 * u64::from(POLICY.max_job_age_secs)));
    assert_eq!(service.job(&id).status, Status::Succeeded);
}
