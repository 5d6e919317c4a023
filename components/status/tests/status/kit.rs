//! Asks the handler as a host does, with or without keeping requests for it.

use std::time::Duration;

use http::HeaderMap;
use serde_json::Value;
use thumbs_domain::id::JobId;
use thumbs_guest::clock::Clock;
use thumbs_guest::http::park::Offer;
use thumbs_guest::jobs::Whole;
use thumbs_guest::log::Log;
use thumbs_guest::testing::{CountingWake, ManualClock, request, text};
use thumbs_status::Status;

pub(crate) const UNKNOWN: &str = "01932c07-20a4-7b3c-8d4e-5f6071829304";

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) json: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

pub(crate) fn ask(
    store: &dyn Whole,
    wake: &CountingWake,
    clock: &dyn Clock,
    method: &str,
    path: &str,
) -> Answer {
    let log = Log::new("test");
    answer(
        Status { store, batches: store, wake, wake_now: wake, offer: Offer::default(), clock, log: &log },
        method,
        path,
    )
}

/// Where the host can keep a request, and has for so long. The workers are woken by the one after the answer, by the other at once.
pub(crate) fn ask_parked(
    store: &dyn Whole,
    (wake, wake_now): (&CountingWake, &CountingWake),
    clock: &dyn Clock,
    parked: Option<Duration>,
    method: &str,
    path: &str,
) -> Answer {
    let log = Log::new("test");
    answer(
        Status {
            store,
            batches: store,
            wake,
            wake_now,
            offer: Offer { age: parked, ..Offer::default() },
            clock,
            log: &log,
        },
        method,
        path,
    )
}

pub(crate) fn answer(status: Status<'_>, method: &str, path: &str) -> Answer {
    let request = request(method, path, &[]);
    let (status, headers, body) = text(&request, status.handle(&request));
    Answer { status, headers, json: serde_json::from_str(&body).unwrap_or_default() }
}

pub(crate) fn get(store: &dyn Whole, path: &str) -> Answer {
    ask(store, &CountingWake::default(), &ManualClock::default(), "GET", path)
}

pub(crate) fn path(job: &JobId) -> String {
    format!("/jobs/{job}")
}
