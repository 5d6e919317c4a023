//! A guestbook, written for stock Spin, under our host.

use std::time::{Duration, Instant};

use reqwest::Method;
use thumbs::{
    Runtime,
    backends::BackendOptions,
    secret::Secret,
    telemetry::{CaptureSink, Level},
};
use thumbs_tests::{client::Client, repository_root, service};

/// What a test waits for comes within this, or never.
const DEADLINE: Duration = Duration::from_secs(60);

async fn text(client: &Client, path: &str) -> String {
    String::from_utf8(client.get(path).await.body).unwrap()
}

/// Two Redis servers are more than a test needs: the operator lets the host answer for both.
#[tokio::test(flavor = "multi_thread")]
async fn a_guestbook_runs_unchanged() {
    let state = service::empty_state_dir();
    let log = CaptureSink::new();
    let redis = Some(Secret::new("in-process"));
    let running = Runtime::builder(repository_root().join("tests/hosting/guestbook/spin.toml"))
        .state_dir(state.path())
        .cache_dir(service::compile_cache())
        .listen(([127, 0, 0, 1], 0).into())
        .backends(BackendOptions { redis, ..BackendOptions::default() })
        // Set, as on Spin, and no business of the host's whatever they are called.
        .variable("mail_url", "https://elsewhere.example")
        .variable("database_url", "mysql://guestbook@archive/book")
        .variable("blob_url", "ftp://elsewhere.example")
        .log(std::sync::Arc::new(log.clone()), Level::Debug)
        .start()
        .await
        .unwrap_or_else(|error| panic!("{error} (were the guests of tests built? `make suites`)"));
    let client = Client::new(format!("http://{}", running.local_addr()));

    // Equal messages, and one that looks like a report of the host's.
    let forged = r#"{"ended":{"worker":"x","reason":"trap"}}"#;
    let signed = [
        ("/entries", "Ada"),
        ("/entries", "Ada"),
        ("/complaints", "Bob"),
        ("/entries", "Ada"),
        ("/entries", forged),
    ];
    for (path, entry) in signed {
        let request = client.request(Method::POST, path).body(entry);
        let reply = client.send(request).await;
        assert_eq!(reply.status, 201, "{} {:#?}", String::from_utf8_lossy(&reply.body), log.lines());
    }
    assert_eq!(text(&client, "/visits").await, "5");
    assert_eq!(text(&client, "/entries").await, format!("Ada\nAda\nBob\nAda\n{forged}"));
    // Each message once, at the desk of its server.
    let expected = format!("back Bob\nfront Ada\nfront Ada\nfront Ada\nfront {forged}");
    let begun = Instant::now();
    while text(&client, "/notes").await != expected {
        assert!(begun.elapsed() < DEADLINE, "{} {:#?}", text(&client, "/notes").await, log.lines());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    running.shutdown().await;
    assert!(log.lines().iter().all(|line| line.level < Level::Warn), "{:#?}", log.lines());
}

/// Without a word of the operator's the manifest's servers are meant, and there is none.
#[tokio::test(flavor = "multi_thread")]
async fn a_servers_absence_is_said_and_the_rest_serves() {
    let state = service::empty_state_dir();
    let log = CaptureSink::new();
    let running = Runtime::builder(repository_root().join("tests/hosting/guestbook/spin.toml"))
        .state_dir(state.path())
        .cache_dir(service::compile_cache())
        .listen(([127, 0, 0, 1], 0).into())
        .variable("redis_url", "redis://127.0.0.1:1")
        .log(std::sync::Arc::new(log.clone()), Level::Debug)
        .start()
        .await
        .unwrap_or_else(|error| panic!("{error}"));
    let client = Client::new(format!("http://{}", running.local_addr()));
    assert_eq!(client.get("/entries").await.status, 200);
    let absent = |line: &thumbs::telemetry::LogLine| line.event == "server-unreachable";
    assert!(log.lines().iter().any(absent), "{:#?}", log.lines());
}
