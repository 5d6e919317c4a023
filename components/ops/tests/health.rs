//! The ops handler over the real job store in memory: what it says where something is down, and that it says no more.

use std::sync::atomic::Ordering;

use serde_json::Value;
use thumbs_domain::variable::Variable;
use thumbs_guest::log::Log;
use thumbs_guest::testing::{
    CountingWake, FixedVariables, ManualClock, MemoryBlobs, end_job, memory_store, put_job, request, text,
};
use thumbs_ops::Ops;

/// All defaults, but for what a test has to find, or not to find.
fn settings() -> FixedVariables {
    let rows = Variable::ALL.iter().map(|variable| variable.row());
    let mut settings: std::collections::BTreeMap<_, _> =
        rows.map(|row| (row.name, row.default.to_owned())).collect();
    settings.insert("database_url", "postgres://thumbs:hunter2@db.example:5432/thumbs".to_owned());
    settings.insert("api_keys", format!("ops:admin:2999-12-31:{}", "ab".repeat(32)));
    FixedVariables(settings)
}

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
        let variables = settings();
        let ops = Ops {
            store: &self.store,
            blobs: &self.blobs,
            wake: &self.wake,
            variables: &variables,
            log_tail: || Some("{\"event\":\"a\"}\n{\"event\":\"b\"}\n".to_owned()),
            clock: &clock,
            log: &log,
        };
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

#[test]
fn who_looks_for_a_fault_is_told_the_settings_and_no_secret() {
    let (status, body) = Service::new().get("/debug/info");
    assert_eq!(status, 200);
    assert!(!body.contains("hunter2") && !body.contains("abab"), "{body}");
    let info: Value = serde_json::from_str(&body).unwrap();
    let channel = serde_json::json!({"value": "thumbs-wake", "is_secret": false, "is_default": true});
    assert_eq!(info["settings"]["wake_channel"], channel);
    let database = serde_json::json!({"value": null, "is_secret": true, "is_default": false});
    assert_eq!(info["settings"]["database_url"], database);
    let key = serde_json::json!({"name": "ops", "scopes": "admin", "last_day": "2999-12-31"});
    assert_eq!(info["keys"], serde_json::json!([key]));
}

#[test]
fn who_looks_for_a_fault_is_told_where_things_are_and_how_they_answer() {
    let service = Service::new();
    service.blobs.set_down(true);
    let (status, body) = service.get("/debug/connectivity");
    assert_eq!(status, 200, "the report is there, whatever it says");
    assert!(!body.contains("hunter2") && !body.contains("secret-host"), "{body}");
    let report: Value = serde_json::from_str(&body).unwrap();
    let [database, blobs, messages] = &report["dependencies"].as_array().unwrap()[..] else {
        panic!("{body}")
    };
    assert_eq!(database["address"], "postgres://db.example:5432/thumbs");
    let asked = |of: &Value| of["latencies_ms"].as_array().unwrap().len();
    assert_eq!((asked(database), asked(blobs), asked(messages)), (3, 1, 3));
    assert_eq!((&blobs["state"], &messages["state"]), (&"down".into(), &"up".into()));
}

#[test]
fn who_looks_for_a_fault_is_told_what_waits_and_what_failed() {
    let service = Service::new();
    let failed = put_job(&service.store);
    end_job(&service.store, &failed, None);
    let waiting = put_job(&service.store);
    let jobs: Value = serde_json::from_str(&service.get("/debug/jobs").1).unwrap();
    let ids = |list: &str| {
        let jobs = jobs[list]["jobs"].as_array().unwrap().iter();
        jobs.map(|job| job["job"]["job_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        (ids("longest_due"), ids("last_failed")),
        (vec![waiting.to_string()], vec![failed.to_string()])
    );
    assert_eq!(jobs["queue"]["leased"], 0);
    assert!(jobs["longest_due"]["jobs"][0]["due_at"].is_string());
}

#[test]
fn who_looks_for_a_fault_is_shown_the_last_lines_of_the_log() {
    let logs: Value = serde_json::from_str(&Service::new().get("/debug/logs").1).unwrap();
    assert_eq!(logs, serde_json::json!({"lines": [{"event": "a"}, {"event": "b"}], "remedy": null}));
}
