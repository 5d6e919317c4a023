//! PostgreSQL, Redis and the S3 server killed and started again under load, one after another: what was accepted is done in the end, what
//! can't be taken meanwhile is refused with 503 and a time to come back, and no service is restarted.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use futures::future::join_all;
use reqwest::StatusCode;
use thumbs::{
    limits::Limits,
    telemetry::{CaptureSink, Level},
};
use thumbs_tests::{
    client::Client,
    home::Home,
    images,
    servers::{self, Auth, Postgres, Redis, S3},
    service::{Service, empty_state_dir},
};
use tokio::task::block_in_place;

/// Uploads that go on all the time.
const CLIENTS: usize = 4;
/// Jobs that must be accepted before a server goes down and again after it is back.
const ACCEPTED_EACH_TIME: usize = 10;
/// What a test waits for comes within this, or never.
const DEADLINE: Duration = Duration::from_secs(60);
/// A password that must be nowhere but in URLs.
const PASSWORD: &str = "hunter2@:/";

/// What the clients have seen.
#[derive(Default)]
struct Load {
    stop: AtomicBool,
    accepted: AtomicUsize,
    refused: AtomicUsize,
}

impl Load {
    /// Uploads until told to stop; gives the ids of the jobs that were accepted.
    async fn upload(&self, client: Client, number: usize) -> Vec<String> {
        let mut ids = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            let side = u32::try_from(40 + (number + CLIENTS * ids.len()) % 100).unwrap();
            let reply = client.upload(&images::png(side, 30), &[]).await;
            match reply.status {
                StatusCode::ACCEPTED => {
                    ids.push(reply.json()["job_id"].as_str().unwrap().to_owned());
                    self.accepted.fetch_add(1, Ordering::Relaxed);
                }
                StatusCode::SERVICE_UNAVAILABLE => {
                    assert!(reply.header("retry-after").is_some(), "503 says when to come back");
                    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
                    assert!(!String::from_utf8_lossy(&reply.body).contains("hunter2"));
                    self.refused.fetch_add(1, Ordering::Relaxed);
                    // A client that keeps to Retry-After would make the test slow; this one only lets others run.
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                status => panic!("{status}: {}", String::from_utf8_lossy(&reply.body)),
            }
        }
        ids
    }

    /// Waits until so many more uploads were accepted.
    async fn accepts(&self, more: usize) {
        let goal = self.accepted.load(Ordering::Relaxed) + more;
        until("uploads are accepted", || self.accepted.load(Ordering::Relaxed) >= goal).await;
    }
}

async fn until(what: &str, reached: impl Fn() -> bool) {
    let begin = Instant::now();
    while !reached() {
        assert!(begin.elapsed() < DEADLINE, "after {DEADLINE:?} it is not so that {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

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

    let load = Arc::new(Load::default());
    let clients: Vec<_> = (0..CLIENTS)
        .map(|number| {
            let (load, client) = (Arc::clone(&load), service.client.clone());
            tokio::spawn(async move { load.upload(client, number).await })
        })
        .collect();

    load.accepts(ACCEPTED_EACH_TIME).await;
    block_in_place(|| redis.kill());
    // Without wake-ups the tick and whoever reads an overdue job make up for them: uploads are still taken.
    load.accepts(ACCEPTED_EACH_TIME).await;
    block_in_place(|| redis.restart());
    load.accepts(ACCEPTED_EACH_TIME).await;

    let refused = load.refused.load(Ordering::Relaxed);
    block_in_place(|| postgres.kill());
    until("uploads are refused", || load.refused.load(Ordering::Relaxed) > refused).await;
    block_in_place(|| postgres.restart());
    load.accepts(ACCEPTED_EACH_TIME).await;

    let refused = load.refused.load(Ordering::Relaxed);
    block_in_place(|| s3.kill());
    until("uploads are refused", || load.refused.load(Ordering::Relaxed) > refused).await;
    block_in_place(|| s3.restart());
    load.accepts(ACCEPTED_EACH_TIME).await;

    load.stop.store(true, Ordering::Relaxed);
    let ids: Vec<String> = join_all(clients).await.into_iter().flat_map(Result::unwrap).collect();
    let jobs = join_all(ids.iter().map(|id| service.client.finished(id))).await;
    let mut ends: BTreeMap<String, usize> = BTreeMap::new();
    for job in &jobs {
        *ends.entry(job["status"].to_string()).or_default() += 1;
    }
    assert_eq!(ends, BTreeMap::from([("\"succeeded\"".to_owned(), ids.len())]), "of {} jobs", ids.len());
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
