//! A database that is not as this version left it.

use std::sync::Arc;

use reqwest::StatusCode;
use thumbs::telemetry::{CaptureSink, Level};
use thumbs_tests::{
    home::Home,
    images,
    servers::{self, Auth, Postgres, Redis, S3},
};
use tokio::task::block_in_place;

#[tokio::test(flavor = "multi_thread")]
async fn a_newer_schema_is_read_and_not_written_and_the_log_says_so() {
    let started = block_in_place(|| {
        let postgres = servers::available(Postgres::start(Auth::Trust))?;
        Some((postgres, servers::available(Redis::start())?))
    });
    let Some((postgres, redis)) = started else { return };
    let s3 = block_in_place(S3::start);
    let home = Home::of_servers(postgres.url(), &redis, s3.bucket(), "schema".to_owned());

    // A database without the schema is given it by the first request.
    let service = home.start().await;
    let (job, _) = service.client.thumbnail(&images::png(30, 30), &[]).await;
    service.stop().await;
    block_in_place(|| {
        drop(
            postgres.query("thumbs", "INSERT INTO thumbs_schema (version, min_compatible) VALUES (999, 999)"),
        )
    });

    let log = CaptureSink::new();
    let sink = Arc::new(log.clone());
    let service = home.start_with(|builder| builder.log(sink, Level::Info)).await;
    let path = format!("/jobs/{}", job["job_id"].as_str().unwrap());
    assert_eq!(service.client.get(&path).await.status, StatusCode::OK, "it is read");
    let reply = service.client.upload(&images::png(30, 30), &[]).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    assert!(!String::from_utf8_lossy(&reply.body).contains("999"), "what is wrong stays in the log");
    let told = log.lines().iter().any(|line| format!("{line:?}").contains("schema 999"));
    assert!(told, "{:?}", log.lines());
    let rows = block_in_place(|| postgres.query("thumbs", "SELECT count(*) FROM thumbs_jobs"));
    assert_eq!(rows.trim(), "1", "nothing was written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_not_create_the_tables_is_told_in_the_log() {
    let started = block_in_place(|| {
        let postgres = servers::available(Postgres::start(Auth::Trust))?;
        Some((postgres, servers::available(Redis::start())?))
    });
    let Some((postgres, redis)) = started else { return };
    let s3 = block_in_place(S3::start);
    block_in_place(|| {
        drop(postgres.query("thumbs", "CREATE ROLE reader LOGIN"));
        drop(postgres.query("thumbs", "REVOKE CREATE ON SCHEMA public FROM PUBLIC"));
    });
    let url = postgres.url().replace("://thumbs@", "://reader@");
    assert_ne!(url, postgres.url());
    let home = Home::of_servers(url, &redis, s3.bucket(), "role".to_owned());
    let log = CaptureSink::new();
    let sink = Arc::new(log.clone());
    let service = home.start_with(|builder| builder.log(sink, Level::Info)).await;
    let reply = service.client.upload(&images::png(30, 30), &[]).await;
    assert!(reply.status.is_server_error(), "{}", reply.status);
    let told = log.lines().iter().any(|line| format!("{line:?}").contains("permission denied"));
    assert!(told, "{:?}", log.lines());
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
}
