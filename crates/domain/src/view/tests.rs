//! What clients see of a job in each state.

use super::*;
use crate::callback::{Callback, CallbackState, CallbackUrl};
use crate::failure::JobCode;
use crate::format::{OutputFormat, SourceFormat};
use crate::job::NamedThumbnail;
use crate::options::Draft;
use serde_json::json;

fn job() -> Job {
    Job {
        id: JobId::parse("01932c07-20a4-7b3c-8d4e-5f6071829304").unwrap(),
        status: Status::Processing,
        options: Draft::new(2048).finish(1),
        source: Source {
            sha256: Digest::from_bytes([0; 32]),
            format: SourceFormat::Jpeg,
            bytes: 1000,
            width: 4000,
            height: 3000,
            frames: 1,
        },
        thumbnail: None,
        failure: None,
        cost: None,
        attempts: 0,
        setbacks: 0,
        due_at: Some(Timestamp::from_unix_millis(0)),
        woken_at: None,
        created_at: Timestamp::from_unix_millis(0),
        updated_at: Timestamp::from_unix_millis(1),
        retried_at: None,
        correlation_id: CorrelationId::parse("req-1").unwrap(),
        trace_parent: None,
        owner: Owner::parse("shop"),
        callback: None,
    }
}

fn parameters() -> serde_json::Value {
    json!({
        "width": 100, "height": 100, "fit": "cover", "format": "png", "gravity": "center", "animated": true,
        "background": "transparent", "quality": null, "lossless": false, "max_bytes": null, "max_frames": null, "preset": null,
    })
}

#[test]
fn a_new_job_has_every_member() {
    assert_eq!(
        serde_json::to_value(JobView::new(&job())).unwrap(),
        json!({
            "job_id": "01932c07-20a4-7b3c-8d4e-5f6071829304",
            "status": "processing",
            "created_at": "1970-01-01T00:00:00.000Z",
            "updated_at": "1970-01-01T00:00:00.001Z",
            "parameters": parameters(),
            "source": {
                "sha256": "0".repeat(64), "content_type": "image/jpeg", "bytes": 1000, "width": 4000,
                "height": 3000, "frames": 1,
            },
            "result": null,
            "cached": false,
            "attempts": 0,
            "error": null,
            "cost": null,
            "callback": null,
            "correlation_id": "req-1",
            "links": {
                "self": "/jobs/01932c07-20a4-7b3c-8d4e-5f6071829304",
                "thumbnail": "/thumbnails/01932c07-20a4-7b3c-8d4e-5f6071829304",
            },
        })
    );
}

#[test]
fn a_finished_job_shows_its_thumbnail_and_its_receipt() {
    let cost = Cost {
        decode_ms: 20.5,
        finish_ms: 1.25,
        encode_ms: 3.0,
        total_ms: 30.0,
        peak_memory_bytes: 8_000_000,
        pixels: 12_000_000,
        frames: 1,
    };
    let finished = Job {
        status: Status::Succeeded,
        thumbnail: Some(Thumbnail {
            format: OutputFormat::Gif,
            bytes: 2000,
            width: 100,
            height: 100,
            sha256: Digest::from_bytes([0xff; 32]),
            frames: 2,
            placeholder: "1QcSHQRnh493V4dIh4eXh1h4kJUI".into(),
            warnings: vec![Warning::AnimationDropped, Warning::ProfileIgnored],
            concessions: vec![Concession::Colours(64)],
            webp: None,
            variants: Vec::new(),
        }),
        cost: Some(cost),
        attempts: 1,
        due_at: None,
        ..job()
    };
    let view = serde_json::to_value(JobView::new(&finished)).unwrap();
    assert_eq!(
        view["result"],
        json!({
            "content_type": "image/gif", "bytes": 2000, "width": 100, "height": 100, "sha256": "f".repeat(64),
            "frames": 2, "placeholder": "1QcSHQRnh493V4dIh4eXh1h4kJUI",
            "warnings": ["animation-dropped", "profile-ignored"],
            "concessions": [{"kind": "colours", "value": 64}],
        })
    );
    assert_eq!(
        view["cost"],
        json!({
            "decode_ms": 20.5, "finish_ms": 1.25, "encode_ms": 3.0, "total_ms": 30.0,
            "peak_memory_bytes": 8_000_000, "pixels": 12_000_000, "frames": 1,
        })
    );
}

#[test]
fn a_variant_has_its_address_at_once_and_the_rest_once_it_is_made() {
    let mut draft = Draft::new(2048);
    draft.set("variants", r#"[{"name":"a"},{"name":"b","format":"auto"}]"#).unwrap();
    let asked = Job { options: draft.finish(1), ..job() };
    let id = "01932c07-20a4-7b3c-8d4e-5f6071829304";
    let view = serde_json::to_value(JobView::new(&asked)).unwrap();
    let url = |name: &str| format!("/thumbnails/{id}/{name}");
    assert_eq!(view["variants"], json!([{"name": "a", "url": url("a")}, {"name": "b", "url": url("b")}]));
    assert_eq!(view["parameters"]["variants"][1]["format"], "auto");

    let plain = |bytes| Thumbnail {
        format: OutputFormat::Png,
        bytes,
        width: 100,
        height: 100,
        sha256: Digest::from_bytes([u8::try_from(bytes).unwrap(); 32]),
        frames: 1,
        placeholder: String::new(),
        warnings: Vec::new(),
        concessions: Vec::new(),
        webp: None,
        variants: Vec::new(),
    };
    let named = |name: &str, thumbnail| NamedThumbnail { name: VariantName::parse(name).unwrap(), thumbnail };
    let auto = Thumbnail { webp: Some(Box::new(plain(5))), ..plain(7) };
    let made = Thumbnail::of_variants(vec![named("a", plain(7)), named("b", auto)]).unwrap();
    let stored: Vec<_> = made.stored().iter().map(|thumbnail| thumbnail.bytes).collect();
    assert_eq!((stored, made.stored_bytes()), (vec![7, 5], 12), "each content once");
    let json = serde_json::to_string(&made).unwrap();
    assert_eq!(serde_json::from_str::<Thumbnail>(&json).unwrap(), made);
    let made = Job { status: Status::Succeeded, thumbnail: Some(made), ..asked };
    let expires_at = Timestamp::from_unix_millis(60_000);
    let sign = |path: &str| Some(SignedLink { href: format!("{path}?signed"), expires_at });
    let view = serde_json::to_value(JobView::new(&made).signed(sign)).unwrap();
    assert_eq!((&view["result"]["bytes"], &view["result"].get("webp")), (&json!(7), &None));
    let b = &view["variants"][1];
    assert_eq!((&b["bytes"], &b["webp"]["bytes"]), (&json!(7), &json!(5)));
    assert_eq!(b["signed_url"], format!("{}?signed", url("b")));
    assert_eq!(b["signed_url_expires_at"], "1970-01-01T00:01:00.000Z");
}

#[test]
fn a_failed_job_shows_why() {
    let failed = Job { status: Status::Failed, failure: Some(JobCode::WorkerLost.into()), ..job() };
    let view = serde_json::to_value(JobView::new(&failed)).unwrap();
    assert_eq!(view["error"]["code"], "worker-lost");
}

#[test]
fn a_callback_is_shown_without_its_address() {
    let url = CallbackUrl::parse("https://hooks.example/secret").unwrap();
    let callback = Callback {
        state: CallbackState::Pending,
        attempts: 2,
        last_status: Some(503),
        due_at: Some(Timestamp::from_unix_millis(60_000)),
        ..Callback::new(url)
    };
    let view = serde_json::to_value(JobView::new(&Job { callback: Some(callback), ..job() })).unwrap();
    assert_eq!(
        view["callback"],
        json!({
            "state": "pending", "attempts": 2, "last_status": 503, "last_error": null,
            "next_attempt_at": "1970-01-01T00:01:00.000Z", "delivered_at": null,
        })
    );
}

#[test]
fn nothing_internal_is_shown() {
    let text = serde_json::to_string(&JobView::new(&job())).unwrap();
    for name in ["lease", "key", "due", "woken", "trace", "setback", "owner", "signed"] {
        assert!(!text.contains(name), "{name} in {text}");
    }
}

#[test]
fn owner_and_signed_link_stand_where_they_are_given() {
    let job = job();
    let expires_at = Timestamp::from_unix_millis(60_000);
    let link = SignedLink { href: "/thumbnails/x?expires=60&signature=s".to_owned(), expires_at };
    let view =
        serde_json::to_value(JobView::new(&job).signed(|_| Some(link.clone())).owned(job.owner.as_ref()))
            .unwrap();
    assert_eq!(view["owner"], "shop");
    assert_eq!(view["links"]["signed_thumbnail"], "/thumbnails/x?expires=60&signature=s");
    assert_eq!(view["links"]["signed_thumbnail_expires_at"], "1970-01-01T00:01:00.000Z");
}
