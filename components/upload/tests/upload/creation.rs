//! What becomes of an upload that is as it should be, and of a request that is no upload.

use thumbs_domain::format::SourceFormat;
use thumbs_domain::id::JobId;
use thumbs_guest::http::body;
use thumbs_guest::imaging::SourceInfo;
use thumbs_guest::jobs::JobStore;
use thumbs_guest::testing::{ManualClock, ScriptedImaging};

use crate::kit::Service;

#[test]
fn an_image_becomes_a_job_that_is_due() {
    let service = Service::new();
    let answer = service.post("", &[("x-request-id", "req-1")], b"an image");
    assert_eq!(answer.status, 202, "{}", answer.text);
    let job = answer.json();
    let id = JobId::parse(job["job_id"].as_str().unwrap()).unwrap();
    assert_eq!(job["status"], "processing");
    assert_eq!(job["correlation_id"], "req-1");
    assert_eq!(job["source"]["bytes"], 8);
    assert_eq!(job["source"]["content_type"], "image/jpeg");
    assert_eq!(answer.header("location"), format!("/jobs/{id}"));
    assert_eq!(answer.header("x-request-id"), "req-1");
    assert_eq!(answer.header("cache-control"), "no-store");
    let stored = service.blobs.read(&format!("uploads/{id}")).unwrap();
    assert_eq!(stored, ("image/jpeg".to_owned(), b"an image".to_vec()));
    assert!(service.store.has_due(ManualClock::START).unwrap());
    assert_eq!(service.wake.count(), 1);
}

#[test]
fn an_animation_under_a_preset_becomes_a_gif_that_fits() {
    let animation = SourceInfo {
        format: SourceFormat::Gif,
        width: 10,
        height: 10,
        frames: 5,
        orientation: 1,
        has_alpha: false,
        hidden_pixels: 0,
    };
    let service = Service { imaging: ScriptedImaging(Ok(animation)), ..Service::new() };
    let parameters = &service.post("?preset=slack", &[], b"x").json()["parameters"];
    assert_eq!(parameters["format"], "gif");
    assert_eq!(parameters["max_bytes"], 128_000);
    assert_eq!(parameters["max_frames"], 50);
}

#[test]
fn other_methods_are_told_which_ones_work() {
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"] {
        let answer = Service::new().send(method, "/jobs", &[], body::from_bytes(""));
        assert_eq!((answer.status, answer.header("allow")), (405, "GET, HEAD, OPTIONS, POST"), "{method}");
    }
}

#[test]
fn an_unusable_request_id_is_replaced() {
    let long = "x".repeat(129);
    for sent in ["", "a b", "<script>", &long] {
        let answer = Service::new().post("", &[("x-request-id", sent)], b"");
        assert_eq!(answer.header("x-request-id"), "drawn");
        assert_eq!(answer.json()["correlation_id"], "drawn");
    }
}

#[test]
fn with_a_setting_that_makes_no_sense_nothing_is_accepted() {
    for (name, value) in [("max_attempts", "0"), ("lease_secs", "x"), ("max_pixels", "abc")] {
        let mut service = Service::new();
        service.variables.0.insert(name, value.to_owned());
        let answer = service.post("", &[], b"an image");
        assert_eq!(
            (answer.status, answer.json()["code"].as_str().unwrap()),
            (500, "misconfigured"),
            "{name}"
        );
        assert!(!answer.text.contains(name), "the operator's to know: {}", answer.text);
        service.assert_untouched();
    }
}
