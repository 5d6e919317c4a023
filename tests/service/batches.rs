//! Several images in one request, and waiting for all of them.

use reqwest::{Method, StatusCode, multipart};
use serde_json::Value;
use thumbs::limits::Limits;
use thumbs_tests::{
    client::Reply,
    home::Home,
    images, in_every_home,
    service::{Service, empty_state_dir},
};

const MIB: usize = 1024 * 1024;

in_every_home!(each_image_of_a_batch_becomes_a_thumbnail);

fn parts(reply: &Reply) -> Vec<Value> {
    reply.json()["parts"].as_array().unwrap().clone()
}

async fn each_image_of_a_batch_becomes_a_thumbnail(home: Home) {
    // Only messages end a wait, or its time.
    let patient = Limits { min_parked_pause_ms: 600_000, ..Limits::default() };
    let service = home.start_with(|builder| builder.limits(patient)).await;
    let client = &service.client;
    let (png, jpeg, broken) =
        (images::png(300, 200), images::jpeg(64, 64), images::png_with_broken_pixels(30, 30));
    let reply = client.batch(&[&png[..], b"hello", &jpeg, &broken]).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{home}");
    let answer = reply.json();
    assert_eq!(
        (&answer["is_complete"], &answer["counts"]["processing"], &answer["counts"]["refused"]),
        (&true.into(), &3.into(), &1.into()),
        "{home}"
    );
    assert_eq!(parts(&reply)[1]["problem"]["code"], "unsupported-image", "{home}");
    let path = reply.header("location").unwrap().to_owned();
    let done = client.get(&format!("{path}?wait=30")).await;
    assert_eq!(
        done.json()["counts"],
        serde_json::json!({"processing": 0, "succeeded": 2, "failed": 1}),
        "{home}"
    );
    let stand: Vec<_> = parts(&done)
        .iter()
        .map(|part| (part["part"].as_u64().unwrap(), part["job"]["status"].as_str().unwrap().to_owned()))
        .collect();
    assert_eq!(stand, [(1, "succeeded".into()), (3, "succeeded".into()), (4, "failed".into())], "{home}");
    assert_eq!(parts(&done)[1]["file_name"], "3.bin");
    let thumbnail = client.get(parts(&done)[0]["job"]["links"]["thumbnail"].as_str().unwrap()).await;
    let (_, alone) = client.thumbnail(&png, &[]).await;
    assert_eq!(thumbnail.body, alone.body, "{home}: as if it had come alone");
}

/// Of an image that goes on behind its end, which decoders pass over.
fn long_jpeg(bytes: usize) -> Vec<u8> {
    let mut image = images::jpeg(64, 64);
    image.resize(bytes, 0);
    image
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_larger_than_the_memory_that_takes_it_in() {
    let limits = Limits { max_request_memory_bytes: 32 << 20, ..Limits::default() };
    let service = Service::start_with(empty_state_dir(), |builder| builder.limits(limits).workers(0)).await;
    let image = long_jpeg(12 * MIB);
    let reply = service.client.batch(&[&image; 5]).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", String::from_utf8_lossy(&reply.body));
    assert_eq!(reply.json()["counts"]["processing"], 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_ends_where_its_bounds_are() {
    let service = Service::start_with(empty_state_dir(), |builder| {
        builder
            .workers(0)
            .variable("max_batch_parts", "2")
            .variable("max_batch_bytes", "3000000")
            .variable("max_upload_bytes", "2000000")
    })
    .await;
    let (client, small) = (&service.client, images::png(30, 20));
    let reply = client.batch(&[&small; 4]).await;
    let codes: Vec<_> = parts(&reply).iter().map(|part| part["problem"]["code"].clone()).collect();
    assert_eq!(codes, [Value::Null, Value::Null, "batch-too-large".into()]);
    assert_eq!(reply.json()["is_complete"], false);
    let reply = client.batch(&[long_jpeg(1_900_000), long_jpeg(1_900_000)]).await;
    assert_eq!((reply.status.as_u16(), &reply.json()["code"]), (413, &"batch-too-large".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_for_a_batch_has_no_instance() {
    let limits = Limits {
        max_concurrent_requests: 1,
        max_waiting_requests: 0,
        request_queue_ms: 20_000,
        min_parked_pause_ms: 600_000,
        ..Limits::default()
    };
    let service = Service::start_with(empty_state_dir(), |builder| builder.limits(limits).workers(0)).await;
    let image = images::png(30, 20);
    let path = service.client.batch(&[&image; 3]).await.header("location").unwrap().to_owned();
    let path = format!("{path}?wait=2");
    for reply in futures::future::join_all((0..40).map(|_| service.client.get(&path))).await {
        assert_eq!((reply.status.as_u16(), &reply.json()["counts"]["processing"]), (200, &3.into()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_comes_again_under_its_key_makes_no_job_anew() {
    let service = Home::embedded().start().await;
    let image = images::png(30, 20);
    let send = async || {
        let part = || multipart::Part::bytes(image.clone()).file_name("a.png");
        let form = multipart::Form::new().part("image", part()).part("file", part());
        let request = service.client.request(Method::POST, "/batches").header("idempotency-key", "album");
        service.client.send(request.multipart(form)).await
    };
    let (first, again) = (send().await, send().await);
    assert_eq!(first.json()["batch_id"], again.json()["batch_id"]);
    let ids = |reply: &Reply| {
        parts(reply).iter().map(|part| part["job"]["job_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((ids(&first).len(), ids(&first)), (2, ids(&again)));
    assert_eq!(
        (first.header("idempotency-replayed"), again.header("idempotency-replayed")),
        (None, Some("true"))
    );
}
