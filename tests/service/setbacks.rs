//! What the service itself fails costs a job none of its attempts, of which each has one here: memory that others have, a store that is
//! away, a host that stops.

use std::sync::Arc;

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::Value;
use thumbs::{
    RuntimeBuilder,
    limits::Limits,
    telemetry::{CaptureSink, Level},
};
use thumbs_tests::{home::Home, images, servers::S3, service::Service};
use tokio::task::block_in_place;

thumbs_tests::in_every_home! {
    memory_that_all_share_costs_no_attempt,
    a_host_that_stops_costs_no_attempt,
}

/// Seconds of work.
const ENDLESS: &[(&str, &str)] =
    &[("width", "2048"), ("height", "2048"), ("format", "webp"), ("max_bytes", "20000")];

fn with_one_attempt(builder: RuntimeBuilder) -> RuntimeBuilder {
    builder.variable("max_attempts", "1")
}

/// The job once it says that an attempt failed.
async fn set_back(service: &Service, id: &str) -> Value {
    loop {
        let job = service.client.get(&format!("/jobs/{id}")).await.json();
        if !job["error"].is_null() {
            return job;
        }
        tokio::task::yield_now().await;
    }
}

fn assert_is_set_back(job: &Value, code: &str) {
    assert_eq!((&job["status"], &job["attempts"]), (&"processing".into(), &0.into()), "{job}");
    assert_eq!(job["error"]["code"], code, "{job}");
}

fn assert_succeeded_at_once(job: &Value) {
    assert_eq!((&job["status"], &job["attempts"]), (&"succeeded".into(), &1.into()), "{job}");
}

async fn memory_that_all_share_costs_no_attempt(home: Home) {
    let tight = Limits { max_total_memory_bytes: 24 * 1024 * 1024, ..Limits::default() };
    let service = home.start_with(|builder| with_one_attempt(builder).limits(tight)).await;
    let options = [("width", "1400"), ("height", "1400")];
    let id = service.client.submit(&images::png(1500, 1500), &options).await;
    assert_is_set_back(&set_back(&service, &id).await, "out-of-shared-memory");
    service.stop().await;

    let roomy = home.start_with(with_one_attempt).await;
    assert_succeeded_at_once(&roomy.client.finished(&id).await);
}

async fn a_host_that_stops_costs_no_attempt(home: Home) {
    let impatient = Limits { drain_timeout_ms: 0, ..Limits::default() };
    let service = home.start_with(|builder| with_one_attempt(builder).limits(impatient)).await;
    let id = service.client.submit(&images::noisy_jpeg(4400, 4000), ENDLESS).await;
    let begun = || async { service.client.get(&format!("/jobs/{id}")).await.json()["attempts"] == 1 };
    while !begun().await {
        tokio::task::yield_now().await;
    }
    service.stop().await;

    let without_workers = home.start_with(|builder| builder.workers(0)).await;
    let job = without_workers.client.get(&format!("/jobs/{id}")).await.json();
    assert_is_set_back(&job, "worker-stopped");
}

/// Tried so often, a job would have failed for good.
const SETBACKS: usize = 3;

#[tokio::test(flavor = "multi_thread")]
async fn a_blob_store_that_is_away_costs_no_job_its_life() {
    let mut s3 = block_in_place(S3::start);
    let home = Home::embedded();
    let variables = s3.bucket().variables();
    let configure = |builder: RuntimeBuilder| {
        variables
            .iter()
            .fold(with_one_attempt(builder), |builder, (name, value)| builder.variable(name, value))
            .variable("retry_backoff_ms", "10")
    };
    let first = home.start_with(|builder| configure(builder).workers(0)).await;
    let mut ids = Vec::new();
    for side in 0..12 {
        ids.push(first.client.submit(&images::png(40 + side, 40), &[]).await);
    }
    first.stop().await;
    block_in_place(|| s3.stop());

    let log = CaptureSink::new();
    let sink = Arc::new(log.clone());
    let second = home.start_with(|builder| configure(builder).log(sink, Level::Info)).await;
    let given_back = |id: &str| {
        log.lines()
            .iter()
            .filter(|line| line.event == "attempt-given-back" && line.fields["job_id"] == *id)
            .count()
    };
    // The workers take the job that is due longest, so the first is tried again once each had its turn.
    while given_back(&ids[0]) < SETBACKS {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    block_in_place(|| s3.restart());
    let jobs = join_all(ids.iter().map(|id| second.client.finished(id))).await;
    jobs.iter().for_each(assert_succeeded_at_once);
}

/// As where the disk is full: nothing can be written, and all that is there can be read.
#[tokio::test(flavor = "multi_thread")]
async fn a_database_without_room_hides_no_job_and_loses_none() {
    const UPLOADS_AT_ONCE: usize = 16;
    let home = Home::embedded();
    let small = Limits { sql_max_database_bytes: 1024 * 1024, ..Limits::default() };
    let full = home.start_with(|builder| with_one_attempt(builder).limits(small).workers(0)).await;
    let image = images::png(20, 20);
    let upload = |number: usize| {
        // Long rows, so that they are few.
        let key = format!("{number:0>200}");
        let request = full.client.request(Method::POST, "/jobs").body(image.clone());
        full.client.send(request.header("idempotency-key", key))
    };
    let mut accepted = Vec::new();
    let refused = loop {
        let replies =
            join_all((0..UPLOADS_AT_ONCE).map(|index| upload(accepted.len() * UPLOADS_AT_ONCE + index)))
                .await;
        let (taken, refused): (Vec<_>, Vec<_>) =
            replies.into_iter().partition(|reply| reply.status == StatusCode::ACCEPTED);
        accepted.extend(taken.iter().map(|reply| reply.json()["job_id"].as_str().unwrap().to_owned()));
        if let Some(refused) = refused.into_iter().next() {
            break refused;
        }
    };
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE, "{refused:?}");
    assert!(refused.header("retry-after").is_some());
    let (first, last) = (&accepted[0], &accepted[accepted.len() - 1]);
    for id in [first, last] {
        let reply = full.client.get(&format!("/jobs/{id}")).await;
        assert_eq!((reply.status, &reply.json()["status"]), (StatusCode::OK, &"processing".into()));
    }
    full.stop().await;

    let roomy = home.start_with(with_one_attempt).await;
    for id in [first, last] {
        assert_succeeded_at_once(&roomy.client.finished(id).await);
    }
}
