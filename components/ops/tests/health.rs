//! The ops handler over the real job store in memory: what it says where something is down, and that it says no more.

use std::sync::atomic::Ordering;

use serde_json::Value;
use thumbs_guest::log::Log;
use thumbs_guest::testing::{CountingWake, ManualClock, MemoryBlobs, memory_store, request, text};
use thumbs_ops::Ops;

struct Service {
    store: thumbs_guest::jobs::SqlJobStore<thumbs_guest::testing::Driver, thumbs_guest::sql::Sqlite>,
    is_down: std::sync::Arc<std::sync::atomic::AtomicBool>,
    blobs: MemoryBlobs,
    wake: CountingWake,
}

impl Service {
    fn new() -> Self {
        let (store, is_down) = memory_store();
        Self { store, is_down, blobs: MemoryBlobs::default(), wake: CountingWake::default() }
    }

    fn get(&self, path: &str) -> (u16, String) {
        let request = request("GET", path, &[]);
        let log = Log::new("test");
        let clock = ManualClock::default();
        let ops = Ops { store: &self.store, blobs: &self.blobs, wake: &self.wake, clock: &clock, log: &log };
        let (status, _, body) = text(&request, ops.handle(&request));
        (status, body)
    }
}

#[test]
fn readiness_follows_what_is_needed() {
    let service = Service::new();
    assert_eq!(service.get("/readyz").0, 200);
    service.is_down.store(true, Ordering::Relaxed);
    assert_eq!((service.get("/readyz").0, service.get("/healthz").0), (503, 200));
    service.is_down.store(false, Ordering::Relaxed);
    service.blobs.set_down(true);
    assert_eq!((service.get("/readyz").0, service.get("/healthz").0), (503, 200));
    service.blobs.set_down(false);
    assert_eq!(service.get("/readyz").0, 200);
    assert_eq!(service.wake.count(), 0, "readiness wakes nobody");
}

#[test]
fn the_report_says_what_is_down_and_what_to_do_and_no_address() {
    let service = Service::new();
    service.is_down.store(true, Ordering::Relaxed);
    service.blobs.set_down(true);
    let (status, body) = service.get("/healthz/detailed");
    assert_eq!(status, 503);
    assert!(!body.contains("secret-host"), "{body}");
    let report: Value = serde_json::from_str(&body).unwrap();
    let states: Vec<_> = report["dependencies"]
        .as_array()
        .unwrap()
        .iter()
        .map(|dependency| (dependency["name"].as_str().unwrap(), dependency["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, [("database", "down"), ("blobs", "down"), ("messages", "up")]);
    assert!(report["dependencies"][0]["remedy"].as_str().unwrap().contains("database_url"));
    assert!(report["dependencies"][2]["remedy"].is_null());
}
