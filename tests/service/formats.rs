//! Formats that other components than imaging decode, and the operator who wants to be without one.

use thumbs_tests::service::{Service, empty_state_dir};

fn fixture(name: &str) -> Vec<u8> {
    std::fs::read(thumbs_tests::repository_root().join("components/imaging/tests/fixtures/heif").join(name))
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_photo_of_a_phone_becomes_a_thumbnail() {
    let service = Service::start().await;
    for (name, content_type) in [("rotated-3.heic", "image/heic"), ("rotated-3.avif", "image/avif")] {
        let (job, reply) = service.client.thumbnail(&fixture(name), &[("format", "jpeg")]).await;
        assert_eq!(job["source"]["content_type"], content_type);
        assert_eq!((&job["source"]["width"], &job["source"]["height"]), (&64.into(), &96.into()), "as shown");
        assert_eq!(reply.header("content-type"), Some("image/jpeg"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_sequence_the_first_frame_is_taken_and_said() {
    let service = Service::start().await;
    let (job, _) = service.client.thumbnail(&fixture("sequence.avif"), &[("format", "gif")]).await;
    assert_eq!((&job["source"]["frames"], &job["result"]["frames"]), (&3.into(), &1.into()));
    assert!(job["result"]["warnings"].as_array().unwrap().contains(&"animation-dropped".into()), "{job}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_format_that_is_turned_off_is_refused_by_its_name() {
    let service = Service::start_with(empty_state_dir(), |builder| {
        builder.variable("formats", "jpeg,png,gif,webp,avif")
    })
    .await;
    let reply = service.client.upload(&fixture("420.heic"), &[]).await;
    assert_eq!(reply.status.as_u16(), 415);
    assert!(reply.json()["detail"].as_str().unwrap().contains("HEIC"), "{}", reply.json());
    service.client.thumbnail(&fixture("420.avif"), &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_without_loss_has_the_same_pixels_in_each_format_that_can() {
    let service = Service::start().await;
    let photo = std::fs::read(
        thumbs_tests::repository_root().join("components/imaging/tests/fixtures/baseline-420.jpg"),
    )
    .unwrap();
    let (job, webp) = service.client.thumbnail(&photo, &[("format", "webp"), ("lossless", "true")]).await;
    assert_eq!(job["parameters"]["lossless"], true);
    assert_eq!(&webp.body[12..16], b"VP8L");
    let (_, webp) = service.client.thumbnail(&photo, &[("format", "webp")]).await;
    assert_eq!(&webp.body[12..16], b"VP8 ");
    service.client.thumbnail(&photo, &[("format", "png"), ("lossless", "true")]).await;
    for options in [
        [("format", "jpeg"), ("lossless", "true"), ("width", "90")],
        [("format", "gif"), ("lossless", "true"), ("width", "90")],
        [("format", "webp"), ("lossless", "true"), ("quality", "80")],
    ] {
        let reply = service.client.upload(&photo, &options).await;
        assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (400, &"invalid-option".into()));
        assert!(reply.json()["detail"].as_str().unwrap().contains("leave"), "{}", reply.json());
    }
}
