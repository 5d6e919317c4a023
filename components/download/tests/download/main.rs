//! The download handler over the real job store and blobs in memory: the bytes, the headers that guard them, and what is said
//! where there are none.
#![expect(clippy::unwrap_used, reason = "a test fails loudly")]

mod several;

use std::sync::atomic::Ordering;
use std::time::Duration;

use http::HeaderMap;
use thumbs_domain::id::JobId;
use thumbs_domain::object_key::ObjectKey;
use thumbs_download::Download;
use thumbs_guest::blobs::Blobs;
use thumbs_guest::clock::Clock;
use thumbs_guest::digest::sha256;
use thumbs_guest::jobs::JobStore;
use thumbs_guest::log::Log;
use thumbs_guest::testing::{
    CountingWake, ManualClock, MemoryBlobs, end_job, memory_store, put_job, request, text,
};

const DATA: &[u8] = b"GIF89a of a thumbnail";

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn code(&self) -> String {
        let problem: serde_json::Value = serde_json::from_str(&self.text).unwrap();
        problem["code"].as_str().unwrap().to_owned()
    }
}

fn ask(
    store: &dyn JobStore,
    blobs: &MemoryBlobs,
    method: &str,
    id: &str,
    headers: &[(&str, &str)],
) -> Answer {
    ask_at(store, blobs, &CountingWake::default(), &ManualClock::default(), method, id, headers)
}

fn ask_at(
    store: &dyn JobStore,
    blobs: &MemoryBlobs,
    wake: &CountingWake,
    clock: &dyn Clock,
    method: &str,
    id: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let request = request(method, &format!("/thumbnails/{id}"), headers);
    let answer = Download { store, blobs, wake, wake_now: wake, parked: None, clock, log: &Log::new("test") }
        .handle(&request);
    let (status, headers, text) = text(&request, answer);
    Answer { status, headers, text }
}

fn finished(store: &dyn JobStore, blobs: &MemoryBlobs) -> JobId {
    let job = put_job(store);
    blobs.put(&ObjectKey::thumbnail(&job, &sha256(DATA)), "image/gif", DATA).unwrap();
    end_job(store, &job, Some(DATA));
    job
}

#[test]
fn a_thumbnail_comes_with_the_headers_that_guard_it() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = finished(&store, &blobs);
    for (method, data) in [("GET", DATA), ("HEAD", &[])] {
        let answer = ask(&store, &blobs, method, &job.to_string(), &[]);
        assert_eq!((answer.status, answer.text.as_bytes()), (200, data));
        for (name, value) in [
            ("content-type", "image/gif"),
            ("content-length", "21"),
            ("etag", format!("\"{}\"", sha256(DATA)).as_str()),
            ("cache-control", "public, max-age=86400, immutable"),
            ("x-content-type-options", "nosniff"),
            ("accept-ranges", "bytes"),
            ("content-security-policy", "default-src 'none'; sandbox"),
            ("content-disposition", format!("inline; filename=\"thumbnail-{job}.gif\"").as_str()),
        ] {
            assert_eq!(answer.header(name), value, "{method} {name}");
        }
    }
}

#[test]
fn what_is_asked_without_a_body_reads_no_blob() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = finished(&store, &blobs).to_string();
    blobs.set_down(true);
    let answer = ask(&store, &blobs, "HEAD", &job, &[]);
    assert_eq!((answer.status, answer.header("content-length")), (200, "21"));
    assert_eq!(ask(&store, &blobs, "GET", &job, &[]).status, 503);
}

#[test]
fn who_misses_a_thumbnail_wakes_the_workers_for_a_job_that_is_overdue() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = put_job(&store).to_string();
    let (wake, clock) = (CountingWake::default(), ManualClock::default());
    for woken in [0, 1, 1] {
        let answer = ask_at(&store, &blobs, &wake, &clock, "GET", &job, &[]);
        assert_eq!((answer.status, answer.code().as_str(), wake.count()), (409, "not-ready", woken));
        clock.advance(Duration::from_millis(2500));
    }
}

#[test]
fn a_client_that_has_the_bytes_gets_none() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = finished(&store, &blobs).to_string();
    let etag = format!("\"{}\"", sha256(DATA));
    // Not even the blob store is asked.
    blobs.set_down(true);
    for known in [etag.clone(), format!("W/{etag}"), format!("\"other\", {etag}"), "*".to_owned()] {
        let answer = ask(&store, &blobs, "GET", &job, &[("if-none-match", &known)]);
        assert_eq!((answer.status, answer.text.as_str()), (304, ""), "{known}");
        assert_eq!(answer.header("etag"), etag);
        assert_eq!(answer.header("content-length"), "");
    }
    blobs.set_down(false);
    for unknown in ["", "\"other\"", &etag[1..], &format!("{etag}x")] {
        assert_eq!(ask(&store, &blobs, "GET", &job, &[("if-none-match", unknown)]).status, 200, "{unknown}");
    }
}

#[test]
fn a_client_gets_the_bytes_that_it_asks_for() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = finished(&store, &blobs).to_string();
    let etag = format!("\"{}\"", sha256(DATA));
    for (range, content_range, bytes) in [
        ("bytes=0-5", "bytes 0-5/21", &DATA[..6]),
        ("bytes=10-", "bytes 10-20/21", &DATA[10..]),
        ("bytes=-3", "bytes 18-20/21", &DATA[18..]),
        ("bytes=0-1000", "bytes 0-20/21", DATA),
    ] {
        let answer = ask(&store, &blobs, "GET", &job, &[("range", range)]);
        assert_eq!((answer.status, answer.text.as_bytes()), (206, bytes), "{range}");
        assert_eq!(answer.header("content-range"), content_range);
        assert_eq!(answer.header("content-length"), bytes.len().to_string());
        assert_eq!((answer.header("etag"), answer.header("content-type")), (etag.as_str(), "image/gif"));
        assert_eq!(answer.header("cache-control"), "public, max-age=86400, immutable");
    }
    for headers in [
        &[("range", "bytes=0-1,3-4")][..],
        &[("range", "rows=0-1")],
        &[("range", "bytes=0-5"), ("if-range", "\"other\"")],
    ] {
        let answer = ask(&store, &blobs, "GET", &job, headers);
        assert_eq!((answer.status, answer.text.as_bytes()), (200, DATA), "{headers:?}");
    }
    let answer = ask(&store, &blobs, "GET", &job, &[("range", "bytes=0-5"), ("if-range", &etag)]);
    assert_eq!(answer.status, 206);
    let answer = ask(&store, &blobs, "GET", &job, &[("range", "bytes=0-5"), ("if-none-match", &etag)]);
    assert_eq!(answer.status, 304, "what it has is looked at first");
    let answer = ask(&store, &blobs, "HEAD", &job, &[("range", "bytes=0-5")]);
    assert_eq!((answer.status, answer.header("content-length")), (200, "21"), "a range is of GET alone");
    let answer = ask(&store, &blobs, "GET", &job, &[("range", "bytes=21-")]);
    assert_eq!((answer.status, answer.code().as_str()), (416, "range-not-satisfiable"));
    assert_eq!((answer.header("content-range"), answer.header("etag")), ("bytes */21", etag.as_str()));
}

#[test]
fn what_others_put_behind_a_link_is_passed_over_and_an_option_is_refused() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = finished(&store, &blobs);
    for query in ["v=2", "fbclid=x&wait=0", "wait=0&Key-Pair-Id=K2", "", "&", "widths=50"] {
        assert_eq!(ask(&store, &blobs, "GET", &format!("{job}?{query}"), &[]).status, 200, "{query}");
    }
    for (query, named) in [
        ("width=50", "width"),
        ("v=2&f%6Frmat=webp", "format"),
        ("variants=", "variants"),
        ("preset", "preset"),
    ] {
        let answer = ask(&store, &blobs, "GET", &format!("{job}?{query}"), &[]);
        assert_eq!((answer.status, answer.code().as_str()), (400, "invalid-option"), "{query}");
        assert!(
            answer.text.contains(&format!("\\\"{named}\\\" is an option of POST /jobs")),
            "{}",
            answer.text
        );
    }
}

#[test]
fn a_job_that_is_not_done_says_when_to_come_back() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = put_job(&store);
    let answer = ask(&store, &blobs, "GET", &job.to_string(), &[]);
    assert_eq!(
        (answer.status, answer.code().as_str(), answer.header("retry-after")),
        (409, "not-ready", "1")
    );
}

#[test]
fn a_failed_job_says_why_there_is_no_thumbnail() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = put_job(&store);
    end_job(&store, &job, None);
    let answer = ask(&store, &blobs, "GET", &job.to_string(), &[]);
    assert_eq!((answer.status, answer.code().as_str()), (410, "job-failed"));
    assert!(answer.text.contains("does not have the uploaded image"), "{}", answer.text);
}

#[test]
fn a_thumbnail_that_was_lost_is_gone() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = finished(&store, &blobs);
    blobs.delete(&ObjectKey::thumbnail(&job, &sha256(DATA))).unwrap();
    let answer = ask(&store, &blobs, "GET", &job.to_string(), &[]);
    assert_eq!((answer.status, answer.code().as_str()), (410, "thumbnail-gone"));
}

#[test]
fn an_id_that_was_never_given_out_is_not_found() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    finished(&store, &blobs);
    for id in ["01932c07-20a4-7b3c-8d4e-5f6071829304", "", "x", "..%2f..%2fuploads", "..", "uploads"] {
        let answer = ask(&store, &blobs, "GET", id, &[]);
        assert_eq!((answer.status, answer.code().as_str()), (404, "not-found"), "{id}");
    }
}

#[test]
fn storage_that_is_down_is_a_503_that_names_nobody() {
    let ((store, is_down), blobs) = (memory_store(), MemoryBlobs::default());
    let job = finished(&store, &blobs).to_string();
    blobs.set_down(true);
    let no_blobs = ask(&store, &blobs, "GET", &job, &[]);
    is_down.store(true, Ordering::Relaxed);
    let no_rows = ask(&store, &blobs, "GET", &job, &[]);
    for answer in [no_blobs, no_rows] {
        assert_eq!((answer.status, answer.header("retry-after")), (503, "5"));
        assert!(!answer.text.contains("secret"), "{}", answer.text);
    }
}

#[test]
fn only_reading_is_possible_here() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = finished(&store, &blobs).to_string();
    for method in ["POST", "PUT", "DELETE"] {
        let answer = ask(&store, &blobs, method, &job, &[]);
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD, OPTIONS"), "{method}");
    }
}

#[test]
fn a_thumbnail_that_is_waited_for_comes_as_soon_as_it_is_made() {
    let (store, _) = memory_store();
    let blobs = MemoryBlobs::default();
    let job = put_job(&store);
    let clock = ManualClock::with_others(|sleep| {
        if sleep == 3 {
            let key = ObjectKey::thumbnail(&job, &sha256(DATA));
            blobs.put(&key, "image/gif", DATA).unwrap();
            end_job(&store, &job, Some(DATA));
        }
    });
    let wake = CountingWake::default();
    let wait = |query: &str, headers: &[(&str, &str)]| {
        ask_at(&store, &blobs, &wake, &clock, "GET", &format!("{job}{query}"), headers)
    };
    let answer = wait("?wait=30", &[]);
    assert_eq!((answer.status, answer.text.as_bytes()), (200, DATA));
    assert_eq!(clock.sleeps(), 3);
    let answer = wait("", &[("prefer", "wait=5")]);
    assert_eq!((answer.status, answer.header("preference-applied")), (200, "wait=5"));
    let answer = wait("?wait=soon", &[]);
    assert_eq!((answer.status, answer.code()), (400, "invalid-option".to_owned()));
}

#[test]
fn a_thumbnail_that_is_not_made_in_time_is_not_ready() {
    let (store, _) = memory_store();
    let job = put_job(&store);
    let (wake, clock) = (CountingWake::default(), ManualClock::default());
    let id = format!("{job}?wait=2");
    let answer = ask_at(&store, &MemoryBlobs::default(), &wake, &clock, "GET", &id, &[]);
    assert_eq!((answer.status, answer.code()), (409, "not-ready".to_owned()));
    assert_eq!(clock.elapsed(), Duration::from_secs(2));
}

#[test]
fn where_the_host_can_wait_for_a_thumbnail_the_instance_does_not() {
    let ((store, _), blobs) = (memory_store(), MemoryBlobs::default());
    let job = put_job(&store);
    let (wake, clock) = (CountingWake::default(), ManualClock::default());
    let parked = |age_ms| {
        let request = request("GET", &format!("/thumbnails/{job}?wait=2"), &[]);
        let (log, parked) = (Log::new("test"), Some(Duration::from_millis(age_ms)));
        let download = Download {
            store: &store,
            blobs: &blobs,
            wake: &wake,
            wake_now: &wake,
            parked,
            clock: &clock,
            log: &log,
        };
        let (status, headers, _) = text(&request, download.handle(&request));
        (status, headers.get("thumbs-park").map(|wish| wish.to_str().unwrap().to_owned()))
    };
    assert_eq!(parked(0).1, Some(format!("2000 {job}")));
    assert_eq!(parked(1500).1, Some(format!("500 {job}")));
    assert_eq!(parked(2000), (409, None), "as without a wait");
    blobs.put(&ObjectKey::thumbnail(&job, &sha256(DATA)), "image/gif", DATA).unwrap();
    end_job(&store, &job, Some(DATA));
    assert_eq!(parked(100), (200, None));
    assert_eq!(clock.sleeps(), 0);
}
