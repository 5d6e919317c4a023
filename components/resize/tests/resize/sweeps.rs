//! What is kept, for how long, and what becomes of blobs that no row names.

use thumbs_domain::id::{JobId, WorkerId};
use thumbs_domain::job::NewJob;
use thumbs_domain::object_key::{Kind, ObjectKey};
use thumbs_domain::owner::Reach;
use thumbs_domain::retention::{Keep, Retention};
use thumbs_domain::timestamp::Timestamp;
use thumbs_guest::blobs::Blobs;
use thumbs_guest::digest::sha256;
use thumbs_guest::jobs::Search;
use thumbs_guest::testing::{ManualClock, POLICY, end_job, new_job};

use crate::kit::*;

pub(crate) const BEGINNING: Timestamp = Timestamp::from_unix_millis(0);

/// Jobs that are done, each with its original and its thumbnail, and a sweep that is due.
fn with_done_jobs(jobs: u32, retention: Retention) -> Service {
    let mut service = Service::new();
    service.retention = retention;
    for _ in 0..jobs {
        service.upload();
        service.wake_up(&ManualClock::default());
    }
    service.store.call_for_sweep(ManualClock::START).unwrap();
    service
}

fn kinds(service: &Service) -> [usize; 2] {
    let keys = service.blobs.keys();
    ["uploads/", "thumbnails/"].map(|kind| keys.iter().filter(|key| key.starts_with(kind)).count())
}

#[test]
fn nothing_goes_that_nobody_said_should() {
    let service = with_done_jobs(3, Retention::FOREVER);
    service.wake_up(&later(100 * 365 * 24 * 3600));
    assert_eq!((kinds(&service), service.wake.count()), ([3, 3], 0));
}

#[test]
fn originals_go_when_their_jobs_are_done_and_those_of_others_stay() {
    let service = with_done_jobs(3, Retention { originals: Keep::UntilDone, ..Retention::FOREVER });
    service.upload();
    let (before, clock) = (service.wake.count(), later(10));
    service.wake_up(&clock);
    assert_eq!(kinds(&service), [1, 3]);
    assert_eq!(service.wake.count() - before, 1, "the job that waits is for another worker");
    service.wake_up(&clock);
    assert_eq!(kinds(&service), [1, 4], "no other sweep within the minute, so the job is made");
    service.wake_up(&later(80));
    assert_eq!(kinds(&service), [0, 4]);
}

#[test]
fn jobs_go_with_all_that_is_theirs_when_they_are_old() {
    let service = with_done_jobs(2, Retention { jobs: Keep::Days(2), ..Retention::FOREVER });
    service.upload();
    service.store.claim(&WorkerId::new("another"), &POLICY, ManualClock::START).unwrap();
    service.wake_up(&later(2 * DAY_SECS));
    assert_eq!(kinds(&service), [3, 2]);
    service.store.call_for_sweep(ManualClock::START).unwrap();
    service.wake_up(&later(2 * DAY_SECS + 1));
    assert_eq!(kinds(&service), [1, 0], "one is not done");
}

#[test]
fn a_sweep_takes_a_little_and_calls_for_another() {
    let service = with_done_jobs(120, Retention { originals: Keep::UntilDone, ..Retention::FOREVER });
    let mut left = Vec::new();
    for _ in 0..3 {
        let before = service.wake.count();
        service.wake_up(&later(10));
        left.push((kinds(&service)[0], service.wake.count() - before));
    }
    assert_eq!(left, [(70, 1), (20, 1), (0, 0)]);
}

#[test]
fn a_blob_that_can_not_be_deleted_is_deleted_by_a_later_sweep() {
    let service = with_done_jobs(60, Retention { originals: Keep::UntilDone, ..Retention::FOREVER });
    service.blobs.set_down(true);
    service.wake_up(&later(10));
    assert_eq!((kinds(&service), service.store.garbage(BEGINNING, 100).unwrap().len()), ([60, 60], 50));
    service.blobs.set_down(false);
    service.wake_up(&later(11));
    assert_eq!((kinds(&service), service.store.garbage(BEGINNING, 100).unwrap().len()), ([0, 60], 0));
}

/// A job that failed, and the thumbnail of a worker that stored it and did not come to say so.
fn with_one_left_behind(retention: Retention) -> (Service, JobId) {
    let mut service = Service::new();
    service.retention = retention;
    let job = service.upload();
    let left_behind = ObjectKey::thumbnail(&job, &sha256(b"left behind"));
    service.blobs.put(&left_behind, "image/png", b"left behind").unwrap();
    end_job(service.store.as_ref(), &job, None);
    (service, job)
}

#[test]
fn what_a_lost_worker_left_behind_goes_with_the_job_that_failed() {
    let (service, job) = with_one_left_behind(Retention::FOREVER);
    sweep(&service, 10);
    assert_eq!(kinds(&service), [1, 1], "it may be tried again, and make the same");
    service.store.delete(&job, Reach::All).unwrap();
    sweep(&service, 20);
    assert_eq!(kinds(&service), [0, 0]);
}

#[test]
fn what_a_lost_worker_left_behind_goes_with_the_original_of_a_job_that_failed() {
    let (service, _) = with_one_left_behind(Retention { originals: Keep::UntilDone, ..Retention::FOREVER });
    let done = service.upload();
    end_job(service.store.as_ref(), &done, Some(b"made"));
    let made = ObjectKey::thumbnail(&done, &sha256(b"made"));
    service.blobs.put(&made, "image/gif", b"made").unwrap();
    sweep(&service, 10);
    assert_eq!((kinds(&service), is_there(&service, &made)), ([0, 1], true));
}

pub(crate) const DAY_SECS: u64 = 24 * 3600;

/// A blob that was stored for a job of this number, so many seconds after the start, of which there never was a row.
pub(crate) fn orphan(service: &Service, number: u64, secs: u64) -> ObjectKey {
    let millis = u64::try_from(ManualClock::START.unix_millis()).unwrap() + 1000 * secs;
    let digits = format!("{millis:012x}");
    let (high, low) = digits.split_at(8);
    let job = JobId::parse(&format!("{high}-{low}-7000-8000-{number:012x}")).unwrap();
    let key = match number % 2 {
        0 => ObjectKey::upload(&job),
        _ => ObjectKey::thumbnail(&job, &sha256(IMAGE)),
    };
    service.blobs.put(&key, "image/jpeg", IMAGE).unwrap();
    key
}

pub(crate) fn sweep(service: &Service, secs: u64) {
    service.store.call_for_sweep(ManualClock::START).unwrap();
    service.wake_up(&later(secs));
}

pub(crate) fn is_there(service: &Service, key: &ObjectKey) -> bool {
    service.blobs.read(key.as_str()).is_some()
}

#[test]
fn a_blob_that_no_job_ever_had_goes_when_it_is_old_and_no_other() {
    let service = with_done_jobs(3, Retention { orphans: Keep::Days(7), ..Retention::FOREVER });
    let waits = service.upload();
    service.store.claim(&WorkerId::new("another"), &POLICY, ManualClock::START).unwrap();
    let before = orphan(&service, 1, 0);
    sweep(&service, 10);
    let (upload, thumbnail) = (orphan(&service, 2, 20), orphan(&service, 3, 20));
    let done = service.blobs.keys().into_iter().find(|key| key.starts_with("thumbnails/")).unwrap();
    let young = orphan(&service, 4, 2 * DAY_SECS);
    sweep(&service, 7 * DAY_SECS);
    assert!(is_there(&service, &upload) && is_there(&service, &thumbnail), "not yet");
    sweep(&service, 8 * DAY_SECS);
    assert!(!is_there(&service, &upload) && !is_there(&service, &thumbnail));
    assert!(is_there(&service, &young));
    assert!(is_there(&service, &before), "it lay there before anybody swept, and may be another's");
    assert!(is_there(&service, &ObjectKey::upload(&waits)) && service.blobs.read(&done).is_some());
    assert_eq!(kinds(&service), [5, 4]);
}

#[test]
fn a_thumbnail_that_its_job_does_not_name_goes_too() {
    let mut service = Service::new();
    service.retention.orphans = Keep::Days(1);
    sweep(&service, 0);
    let id = service.upload();
    let other = ObjectKey::thumbnail(&id, &sha256(b"of a worker that came late"));
    service.blobs.put(&other, "image/png", b"late").unwrap();
    service.store.look(Search::Orphans(Kind::Thumbnail), ManualClock::START.plus_millis(-1000)).unwrap();
    sweep(&service, 2 * DAY_SECS);
    assert!(is_there(&service, &other), "the job may have it yet");
    service.wake_up(&later(1));
    service.store.look(Search::Orphans(Kind::Thumbnail), ManualClock::START.plus_millis(-1000)).unwrap();
    sweep(&service, 2 * DAY_SECS);
    assert_eq!((is_there(&service, &other), kinds(&service)), (false, [1, 1]));
}

#[test]
fn orphans_go_a_page_at_a_time_and_what_fails_is_looked_at_again() {
    let mut service = Service::new();
    service.retention.orphans = Keep::Days(1);
    sweep(&service, 0);
    for number in 0..1200 {
        orphan(&service, 2 * number, 1 + number);
    }
    let mut left = Vec::new();
    for _ in 0..4 {
        let before = service.wake.count();
        sweep(&service, 2 * DAY_SECS);
        left.push((kinds(&service)[0], service.wake.count() - before));
    }
    assert_eq!(left, [(700, 1), (200, 1), (0, 0), (0, 0)]);
    let late = orphan(&service, 2, 2 * DAY_SECS);
    service.blobs.set_down(true);
    sweep(&service, 4 * DAY_SECS);
    service.blobs.set_down(false);
    assert!(is_there(&service, &late));
    sweep(&service, 4 * DAY_SECS);
    assert!(!is_there(&service, &late));
}

#[test]
fn an_orphan_that_can_not_be_deleted_holds_up_the_others_for_a_day() {
    let mut service = Service::new();
    service.retention.orphans = Keep::Days(1);
    sweep(&service, 0);
    let stays = orphan(&service, 0, 0);
    service.blobs.keep(&stays);
    // More than a page of blobs that jobs have, and one behind them that none has.
    for _ in 0..600 {
        service.upload();
    }
    let behind = orphan(&service, 2, 20);
    for secs in [2 * DAY_SECS, 2 * DAY_SECS + 60, 3 * DAY_SECS] {
        sweep(&service, secs);
        assert!(is_there(&service, &behind), "the store may be mended yet");
    }
    for secs in [1, 2] {
        sweep(&service, 3 * DAY_SECS + secs);
    }
    assert_eq!((is_there(&service, &stays), is_there(&service, &behind)), (true, false));
}

#[test]
fn each_page_that_can_not_be_deleted_is_tried_for_a_day_of_its_own() {
    let mut service = Service::new();
    service.retention.orphans = Keep::Days(1);
    sweep(&service, 0);
    let (first, second) = (orphan(&service, 2, 20), orphan(&service, 4, DAY_SECS));
    service.blobs.keep(&first);
    service.blobs.keep(&second);
    sweep(&service, 2 * DAY_SECS);
    sweep(&service, 3 * DAY_SECS + 1);
    sweep(&service, 3 * DAY_SECS + 3600);
    service.blobs.keep_none();
    sweep(&service, 4 * DAY_SECS);
    assert_eq!((is_there(&service, &first), is_there(&service, &second)), (true, false));
}

/// However far it is behind: the service was off for days, or orphans are now kept for less long than before.
#[test]
fn a_search_that_is_days_behind_leaves_nothing_because_a_store_failed_a_few_times() {
    let mut service = Service::new();
    service.retention.orphans = Keep::Days(1);
    sweep(&service, 0);
    let orphans: Vec<_> = (0..60).map(|number| orphan(&service, number, 10 + number)).collect();
    orphans.iter().for_each(|key| service.blobs.keep(key));
    for minute in 0..3 {
        sweep(&service, 10 * DAY_SECS + 60 * minute);
    }
    assert!(orphans.iter().all(|key| is_there(&service, key)));
    service.blobs.keep_none();
    sweep(&service, 10 * DAY_SECS + 180);
    assert!(!orphans.iter().any(|key| is_there(&service, key)));
}

/// A job of this number, made so many seconds after the start and deleted since, whose original is noted and there.
pub(crate) fn garbage(service: &Service, number: u64, secs: u64) -> ObjectKey {
    let key = orphan(service, 2 * number, secs);
    let (_, id) = key.as_str().split_once('/').unwrap();
    let job = NewJob { id: JobId::parse(id).unwrap(), ..new_job() };
    service.store.create(&job).unwrap();
    service.store.delete(&job.id, Reach::All).unwrap();
    key
}

#[test]
fn garbage_that_can_not_be_deleted_holds_up_no_other() {
    let mut service = Service::new();
    service.retention = Retention::FOREVER;
    let keys: Vec<_> = (0..300).map(|number| garbage(&service, number, number)).collect();
    let (stay, behind) = keys.split_at(260);
    stay.iter().for_each(|key| service.blobs.keep(key));
    for _ in 0..30 {
        sweep(&service, 1000);
    }
    assert!(!behind.iter().any(|key| is_there(&service, key)));
    assert_eq!(service.store.garbage(BEGINNING, 1000).unwrap().len(), 260, "they stay noted");
    assert!(stay.iter().all(|key| is_there(&service, key)));
}

#[test]
fn garbage_that_can_not_be_deleted_holds_up_none_of_the_same_millisecond() {
    let service = Service::new();
    let keys: Vec<_> = (0..30).map(|number| garbage(&service, number, 5)).collect();
    let (stay, behind) = keys.split_at(25);
    stay.iter().for_each(|key| service.blobs.keep(key));
    for minute in 0..60 {
        sweep(&service, 1000 + 61 * minute);
    }
    assert!(!behind.iter().any(|key| is_there(&service, key)));
    assert_eq!(service.store.garbage(BEGINNING, 1000).unwrap().len(), 25);
}

#[test]
fn a_clock_that_was_far_ahead_hides_no_orphan() {
    let mut service = Service::new();
    service.retention.orphans = Keep::Days(1);
    sweep(&service, 400 * DAY_SECS);
    sweep(&service, 1);
    let key = orphan(&service, 2, 5);
    sweep(&service, 2 * DAY_SECS);
    assert!(!is_there(&service, &key));
}
