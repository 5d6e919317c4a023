//! Sweeps over a store that does not answer when it is to delete some of its blobs.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::time::Duration;

use thumbs_domain::message::Message;
use thumbs_domain::object_key::ObjectKey;
use thumbs_domain::retention::Keep;
use thumbs_guest::blobs::{BlobError, BlobReader, BlobWriter, Blobs};
use thumbs_guest::clock::Clock;
use thumbs_guest::jobs::Search;
use thumbs_guest::testing::{ManualClock, MemoryBlobs, ScriptedImaging};

use crate::kit::*;
use crate::sweeps::*;

/// How long a store is waited for: `THUMBS_BLOB_TIMEOUT_MS`.
const HANGS: Duration = Duration::from_secs(10);
/// `THUMBS_MESSAGE_TIMEOUT_MS`, without two seconds for the statements.
const MESSAGE: Duration = Duration::from_secs(26);

/// What it does not delete takes as long as it is waited for, and everything else no time or what is said.
struct Hanging<'a> {
    blobs: &'a MemoryBlobs,
    clock: &'a ManualClock<'static>,
    delete_takes: Duration,
    tried: &'a RefCell<BTreeSet<String>>,
}

impl Blobs for Hanging<'_> {
    fn put(&self, key: &ObjectKey, content_type: &str, data: &[u8]) -> Result<(), BlobError> {
        self.blobs.put(key, content_type, data)
    }

    fn write<'a>(
        &'a self,
        key: &ObjectKey,
        content_type: &str,
    ) -> Result<Box<dyn BlobWriter + 'a>, BlobError> {
        self.blobs.write(key, content_type)
    }

    fn get(&self, key: &ObjectKey, max_bytes: u64) -> Result<Vec<u8>, BlobError> {
        self.blobs.get(key, max_bytes)
    }

    fn read<'a>(&'a self, key: &ObjectKey, max_bytes: u64) -> Result<Box<dyn BlobReader + 'a>, BlobError> {
        Blobs::read(self.blobs, key, max_bytes)
    }

    fn delete(&self, key: &ObjectKey) -> Result<(), BlobError> {
        self.tried.borrow_mut().insert(key.to_string());
        let deleted = self.blobs.delete(key);
        self.clock.advance(if deleted.is_ok() { self.delete_takes } else { HANGS });
        deleted
    }

    fn list(&self, prefix: &str, after: &str, limit: u32) -> Result<Vec<String>, BlobError> {
        self.blobs.list(prefix, after, limit)
    }
}

/// A service in which orphans are kept for a day, and which has swept once.
fn service() -> Service {
    let mut service = Service::new();
    service.retention.orphans = Keep::Days(1);
    sweep(&service, 0);
    service
}

/// One sweep, so many milliseconds after two days: gives how long it took.
fn sweep_hanging(
    service: &Service,
    millis: u64,
    delete_takes: Duration,
    tried: &RefCell<BTreeSet<String>>,
) -> Duration {
    service.store.call_for_sweep(ManualClock::START).unwrap();
    let clock = later(2 * DAY_SECS);
    clock.advance(Duration::from_millis(millis));
    let began = clock.elapsed();
    let blobs = Hanging { blobs: &service.blobs, clock: &clock, delete_takes, tried };
    assert_eq!(service.handle_with(&blobs, Message::WakeUp, &clock, &ScriptedImaging::jpeg()), Ok(()));
    clock.elapsed() - began
}

/// Noted, too young to be among those that are looked at as orphans, and kept by the store.
fn hanging_garbage(service: &Service, count: u64) {
    for number in 0..count {
        service.blobs.keep(&garbage(service, number, DAY_SECS + 3600 + number));
    }
}

#[test]
fn garbage_that_hangs_holds_up_neither_other_garbage_nor_orphans() {
    let service = service();
    hanging_garbage(&service, 12);
    let behind = garbage(&service, 100, DAY_SECS + 7200);
    let orphans = [orphan(&service, 2, 20), orphan(&service, 3, 20)];
    let tried = RefCell::default();
    let took = sweep_hanging(&service, 0, Duration::ZERO, &tried);
    assert!(took <= MESSAGE, "{took:?}");
    let place = ManualClock::START.plus_millis(1000 * i64::try_from(DAY_SECS + 3600).unwrap());
    assert_eq!(service.store.looked(Search::Garbage), Ok(Some(place)), "the next sweep goes on behind it");
    assert!(!orphans.iter().any(|key| is_there(&service, key)), "the orphans are reached");
    for minute in 1..30 {
        sweep_hanging(&service, 60_000 * minute, Duration::ZERO, &tried);
    }
    assert!(!is_there(&service, &behind));
    assert_eq!(service.store.garbage(BEGINNING, 100).unwrap().len(), 12);
}

#[test]
fn a_sweep_in_which_everything_hangs_ends_in_time_and_the_next_ones_try_others() {
    let service = service();
    hanging_garbage(&service, 3);
    let orphans: Vec<_> = (0..20).map(|number| orphan(&service, number, 20 + number)).collect();
    orphans.iter().for_each(|key| service.blobs.keep(key));
    let tried = RefCell::default();
    for minute in 0..200 {
        let took = sweep_hanging(&service, 60_037 * minute, Duration::ZERO, &tried);
        assert!(took <= MESSAGE, "{took:?}");
    }
    assert_eq!(tried.borrow().len(), 3 + 20);
}

#[test]
fn what_a_slow_store_has_no_time_for_is_left_to_a_sweep_that_follows_at_once() {
    let service = service();
    let noted: Vec<_> = (0..20).map(|number| garbage(&service, number, DAY_SECS + 3600 + number)).collect();
    let orphans: Vec<_> = (0..20).map(|number| orphan(&service, number, 20 + number)).collect();
    let (tried, all) = (RefCell::default(), || noted.iter().chain(&orphans));
    let took = sweep_hanging(&service, 0, Duration::from_secs(1), &tried);
    assert!(took <= MESSAGE, "{took:?}");
    assert_eq!(all().filter(|key| !is_there(&service, key)).count(), 6);
    assert_eq!(service.wake.count(), 1, "the next is called for");
    for number in 1..12 {
        sweep_hanging(&service, number, Duration::from_secs(1), &tried);
    }
    assert!(!all().any(|key| is_there(&service, key)));
}

#[test]
fn what_a_lost_worker_left_behind_takes_no_more_of_a_sweep_than_there_is() {
    let service = service();
    let key = garbage(&service, 0, DAY_SECS + 3600);
    let (_, id) = key.as_str().split_once('/').unwrap();
    let job = thumbs_domain::id::JobId::parse(id).unwrap();
    let left_behind: Vec<_> = (0..50_u8)
        .map(|number| ObjectKey::thumbnail(&job, &thumbs_guest::digest::sha256(&[number])))
        .collect();
    for blob in &left_behind {
        service.blobs.put(blob, "image/png", b"left behind").unwrap();
    }
    let tried = RefCell::default();
    let took = sweep_hanging(&service, 0, Duration::from_secs(1), &tried);
    assert!(took <= MESSAGE, "{took:?}");
    for minute in 1..30 {
        sweep_hanging(&service, 60_000 * minute, Duration::from_secs(1), &tried);
    }
    assert!(!left_behind.iter().any(|key| is_there(&service, key)));
    assert!(service.store.garbage(BEGINNING, 100).unwrap().is_empty());
}
