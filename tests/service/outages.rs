//! PostgreSQL, Redis and the S3 server killed and started again under load, one after another: what was accepted is done in the end, what
//! can't be taken meanwhile is refused with 503 and a time to come back, and no service is restarted.

use std::{sync::Arc, time::Instant};

use futures::future::join_all;
use reqwest::StatusCode;
use serde_json::Value;
use thumbs::{
    limits::Limits,
    telemetry::{CaptureSink, Level, LogLine},
};
use thumbs_tests::{
    home::Home,
    images,
    servers::{self, Auth, Postgres, Redis, S3},
    service::{Service, empty_state_dir},
};
use tokio::task::block_in_place;

use super::load::{ACCEPTED_EACH_TIME, DEADLINE, Load, until};

/// A password that must be nowhere but in URLs.
const PASSWORD: &str = "hunter2@:/";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_accepted_job_is_lost_when_servers_are_killed_and_come_back() {
    let started = block_in_place(|| {
        let postgres = servers::available(Postgres::start(Auth::Scram(PASSWORD.to_owned())))?;
        Some((postgres, servers::available(Redis::start_with_password(PASSWORD))?))
    });
    let Some((mut postgres, mut redis)) = started else { return };
    let mut s3 = block_in_place(S3::start);
    let home = Home::of_servers(postgres.url(), &redis, s3.bucket(), "outages".to_owned());
    let log = CaptureSink::new();
    let sink = Arc::new(log.clone());
    let service = home
        .start_with(|builder| {
            // Shorter than in production, so that a job whose worker lost the database comes back within the test.
            let limits = Limits { message_timeout_ms: 4_000, ..Limits::default() };
            builder.limits(limits).variable("lease_secs", "5").log(sink, Level::Info)
        })
        .await;

    let load = Load::on(&service.client);
    load.accepts(ACCEPTED_EACH_TIME).await;
    block_in_place(|| redis.kill());
    // Without wake-ups the tick and whoever reads an overdue job make up for them: uploads are still taken.
    load.accepts(ACCEPTED_EACH_TIME).await;
    block_in_place(|| redis.restart());
    load.accepts(ACCEPTED_EACH_TIME).await;

    let refused = load.refused();
    block_in_place(|| postgres.kill());
    load.refuses(refused).await;
    block_in_place(|| postgres.restart());
    load.accepts(ACCEPTED_EACH_TIME).await;

    let refused = load.refused();
    block_in_place(|| s3.kill());
    load.refuses(refused).await;
    block_in_place(|| s3.restart());
    load.accepts(ACCEPTED_EACH_TIME).await;

    let ids = load.end().await;
    for some in ids.chunks(64) {
        for job in join_all(some.iter().map(|id| service.client.finished_in_the_end(id))).await {
            assert_eq!(job["status"], "succeeded", "{job}, of which the log says {:?}", lines_of(&log, &job));
        }
    }
    for id in &ids {
        let reply = service.client.get(&format!("/thumbnails/{id}")).await;
        assert_eq!(reply.status, StatusCode::OK, "the thumbnail of {id}");
    }

    let secret = s3.bucket().secret_access_key;
    for line in log.lines() {
        let text = format!("{line:?}");
        let encoded = "hunter2%40";
        for secret in [PASSWORD, encoded, secret.as_str()] {
            assert!(!text.contains(secret), "a secret is in the log: {text}");
        }
    }
}

/// What was said of a job, and of workers that were ended.
fn lines_of(log: &CaptureSink, job: &Value) -> Vec<LogLine> {
    let is_of_it =
        |line: &LogLine| line.fields.get("job_id") == Some(&job["job_id"]) || line.event == "message-failed";
    log.lines().into_iter().filter(is_of_it).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_client_waits_for_a_redis_that_never_answers() {
    let Some(redis) = block_in_place(|| servers::available(Redis::start())) else { return };
    // Far longer than a client of the tests waits.
    let limits = Limits {
        redis_connect_timeout_ms: 600_000,
        redis_response_timeout_ms: 600_000,
        request_timeout_ms: 600_000,
        drain_timeout_ms: 0,
        ..Limits::default()
    };
    let log = CaptureSink::new();
    let sink = Arc::new(log.clone());
    // Without workers, so that every job is overdue after a while, and who reads it wakes them.
    let service = Service::start_with(empty_state_dir(), |builder| {
        builder.limits(limits).variable("redis_url", redis.url()).workers(0).log(sink, Level::Info)
    })
    .await;
    redis.pause();
    let overdue = || log.lines().iter().filter(|line| line.event == "job-overdue").count();
    for (number, path) in ["/jobs/", "/thumbnails/", "/jobs"].into_iter().enumerate() {
        let id = service.client.submit(&images::png(40, 30), &[]).await;
        let path = if path.ends_with('/') { format!("{path}{id}") } else { path.to_owned() };
        let begin = Instant::now();
        while overdue() == number {
            assert!(begin.elapsed() < DEADLINE, "no reader of {path} woke the workers");
            let status = service.client.get(&path).await.status;
            assert!(matches!(status, StatusCode::OK | StatusCode::CONFLICT), "{path}: {status}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_service_starts_while_its_servers_are_down_and_serves_when_they_come() {
    let started = block_in_place(|| {
        let postgres = servers::available(Postgres::start(Auth::Trust))?;
        Some((postgres, servers::available(Redis::start())?))
    });
    let Some((mut postgres, mut redis)) = started else { return };
    let mut s3 = block_in_place(S3::start);
    let home = Home::of_servers(postgres.url(), &redis, s3.bucket(), "late".to_owned());
    block_in_place(|| {
        postgres.stop();
        redis.stop();
        s3.stop();
    });
    let log = CaptureSink::new();
    let sink = Arc::new(log.clone());
    let service = home.start_with(|builder| builder.log(sink, Level::Info)).await;
    let settings = |event: &str| {
        let lines = log.lines();
        let mut settings: Vec<_> = lines
            .iter()
            .filter(|line| line.event == event)
            .map(|line| line.fields["setting"].as_str().unwrap().to_owned())
            .collect();
        settings.sort();
        settings.dedup();
        settings
    };
    let all = ["blob_url", "database_url", "redis_url"];
    assert_eq!(settings("server-unreachable"), all, "each is said to be down");
    let reply = service.client.upload(&images::png(30, 30), &[]).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(reply.header("retry-after").is_some());

    block_in_place(|| {
        postgres.restart();
        redis.restart();
        s3.restart();
    });
    until("each server is said to answer", || settings("server-answers") == all).await;
    service.client.thumbnail(&images::png(30, 30), &[]).await;
}
