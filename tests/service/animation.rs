//! Animations through the whole service: frames in and out stand in the job, and what became of them.

use serde_json::Value;
use thumbs_domain::preset::Preset;
use thumbs_imaging::options::Limits;
use thumbs_tests::service::Service;

/// Six frames.
fn animation(name: &str) -> Vec<u8> {
    std::fs::read(thumbs_tests::repository_root().join("components/imaging/tests/fixtures").join(name))
        .unwrap()
}

fn frames(job: &Value) -> (u64, u64, u64) {
    let number = |part: &str| job[part]["frames"].as_u64().unwrap();
    (number("source"), number("result"), number("cost"))
}

fn has_warning(job: &Value, warning: &str) -> bool {
    job["result"]["warnings"].as_array().unwrap().contains(&warning.into())
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_in_and_out_stand_in_the_job() {
    let service = Service::start().await;
    for name in ["animated.gif", "animated.webp", "animated.png"] {
        for format in ["gif", "webp", "png"] {
            let (job, reply) = service.client.thumbnail(&animation(name), &[("format", format)]).await;
            assert_eq!(frames(&job), (6, 6, 6), "{name} to {format}");
            assert!(!has_warning(&job, "animation-dropped"), "{job}");
            let made = thumbs_imaging::probe(&reply.body, &Limits::default()).unwrap();
            assert_eq!((made.frames, made.width, made.height), (6, 100, 100), "{name} to {format}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_still_is_made_where_one_is_asked_for_or_nothing_else_fits() {
    let service = Service::start().await;
    for options in [[("animated", "false"), ("format", "gif")], [("animated", "true"), ("format", "jpeg")]] {
        let (job, reply) = service.client.thumbnail(&animation("animated.gif"), &options).await;
        assert_eq!(frames(&job), (6, 1, 1), "{options:?}");
        assert!(has_warning(&job, "animation-dropped"), "{job}");
        assert_eq!(thumbs_imaging::probe(&reply.body, &Limits::default()).unwrap().frames, 1, "{options:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_preset_makes_an_emoji_that_its_platform_takes() {
    let service = Service::start().await;
    for preset in Preset::ALL {
        let asked = [("preset", preset.name())];
        let (job, reply) = service.client.thumbnail(&animation("animated.webp"), &asked).await;
        let side = Value::from(preset.row().side);
        assert_eq!(job["result"]["content_type"], "image/gif", "{job}");
        assert_eq!((&job["result"]["width"], &job["result"]["height"]), (&side, &side), "{job}");
        assert!(reply.body.len() as u64 <= preset.row().max_bytes && frames(&job) == (6, 6, 6), "{job}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_byte_budget_cost_stands_in_the_job() {
    let service = Service::start().await;
    let options = [("format", "gif"), ("max_bytes", "1500")];
    let (job, reply) = service.client.thumbnail(&animation("animated.gif"), &options).await;
    assert!(reply.body.len() <= 1500, "{job}");
    let concessions = job["result"]["concessions"].as_array().unwrap();
    assert!(!concessions.is_empty(), "{job}");
    for concession in concessions {
        match concession["kind"].as_str().unwrap() {
            "frames" => assert_eq!(concession["value"], job["result"]["frames"], "{job}"),
            "width" => assert_eq!(concession["value"], job["result"]["width"], "{job}"),
            kind => assert_eq!(kind, "colours", "{job}"),
        }
    }
}
