//! Jobs that make more than one thumbnail.

use thumbs_domain::job::{Job, Status, Thumbnail};
use thumbs_domain::message::Message;
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::options::Draft;
use thumbs_domain::owner::Reach;
use thumbs_guest::blobs::Blobs;
use thumbs_guest::testing::{Fate, ManualClock, ScriptedImaging, new_job};

use crate::kit::*;

const VARIANTS: &str = r#"[{"name":"small","width":8},{"name":"card","format":"auto"}]"#;

/// A service with a job that asks for both.
fn with_job() -> (Service, Job) {
    let service = Service::new();
    let mut draft = Draft::new(2048);
    draft.set("variants", VARIANTS).unwrap();
    let mut job = new_job();
    job.options = draft.finish(1);
    service.store.create(&job).unwrap();
    service.blobs.put(&ObjectKey::upload(&job.id), "image/jpeg", IMAGE).unwrap();
    let job = job.stored();
    (service, job)
}

#[test]
fn all_are_stored_before_the_row_says_so() {
    let (service, job) = with_job();
    service.wake_up(&ManualClock::default());
    let done = service.job(&job.id);
    let made = done.thumbnail.unwrap();
    assert_eq!((done.status, made.variants.len(), made.width), (Status::Succeeded, 2, 8));
    let read = |thumbnail: &Thumbnail| {
        let key = ObjectKey::thumbnail(&job.id, &thumbnail.sha256);
        let (content_type, data) = service.blobs.read(key.as_str()).unwrap();
        assert_eq!(data.len() as u64, thumbnail.bytes);
        (content_type, String::from_utf8(data).unwrap())
    };
    let stored: Vec<_> = made.stored().into_iter().map(read).collect();
    let expected = [
        ("image/png", "egami nasmall"),
        ("image/jpeg", "egami nacard"),
        ("image/webp", "egami nacard as WebP"),
    ]
    .map(|(content_type, data)| (content_type.to_owned(), data.to_owned()));
    assert_eq!(stored, expected);
}

#[test]
fn of_a_job_that_was_deleted_meanwhile_none_is_left() {
    let (service, job) = with_job();
    let clock = ManualClock::with_others(|_| {
        if service.store.delete(&job.id, Reach::All).unwrap() {
            service.blobs.delete(&ObjectKey::upload(&job.id)).unwrap();
        }
    });
    service.wake_up(&clock);
    assert_eq!(service.blobs.keys(), Vec::<String>::new());
}

/// Where the row can't be written, it names nothing, and the next attempt makes all of them.
#[test]
fn there_is_never_half_a_set() {
    let (service, job) = with_job();
    service.let_fate(|statement| match statement.contains("status = 'succeeded'") {
        true => Fate::Stopped,
        false => Fate::Done,
    });
    let lost = service.handle(Message::WakeUp, &ManualClock::default(), &ScriptedImaging::jpeg());
    assert!(lost.is_err());
    assert_eq!(service.job(&job.id).thumbnail, None);
    service.let_fate(|_| Fate::Done);
    service.wake_up(&later(60));
    assert_eq!(service.job(&job.id).thumbnail.unwrap().variants.len(), 2);
}
