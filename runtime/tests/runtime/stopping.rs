//! Stopping: what runs is finished, what is new is not begun, and nothing waits for ever.

use std::time::Duration;

use thumbs::{limits::Limits, telemetry::CaptureSink};
use tokio::net::TcpStream;

use crate::{
    app::{App, line},
    client::{Exchange, get},
    guests::{message, request},
};

/// Says that it is there, waits a while, and answers.
const SLOW: &str = "(call $say (i32.const 64) (i32.const 5)) (call $wait-ms (i64.const 300))
    (call $answer (local.get $out) (i32.const 200))";
const STALL: &str =
    "(call $say (i32.const 64) (i32.const 5)) (call $wait-ms (i64.const 600000)) (unreachable)";

fn said(log: &CaptureSink, text: &str) -> bool {
    log.lines().iter().any(|line| line.fields.get("message") == Some(&text.into()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_in_flight_is_answered_and_a_new_connection_is_not_taken() {
    let service = App::new().serving("slow", &request("here\\0a", SLOW), "").start(Limits::default()).await;
    let (address, log) = (service.address(), service.log.clone());
    // Kept alive by the client: the server closes it after the answer.
    let exchange = Exchange::begin(address, "GET /slow HTTP/1.1\r\nhost: test\r\n\r\n").await;
    let idle = Exchange::begin(address, "").await;
    service.said("here").await;
    let stopping = tokio::spawn(service.running.shutdown());
    let reply = exchange.end().await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(idle.end().await.status, 0);
    stopping.await.unwrap();
    let stopped = line(&log, |line| line.event == "stopped").await;
    assert_eq!(stopped.fields["drained"], true);
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_end_is_cut_off() {
    let service = App::new()
        .serving("stall", &request("here\\0a", STALL), "")
        .handling(
            "work",
            &message(
                "woken\\0a",
                "(call $say (i32.const 64) (i32.const 6)) (call $wait-ms (i64.const 600000)) (unreachable)",
            ),
            "tick = { every_ms = 3600000, message = \"{}\" }",
        )
        .start(Limits { drain_timeout_ms: 50, ..Limits::default() })
        .await;
    let exchange = Exchange::begin(service.address(), "GET /stall HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.said("here").await;
    service.said("woken").await;
    let log = service.log.clone();
    let stopping = tokio::time::timeout(Duration::from_secs(20), service.running.shutdown());
    stopping.await.expect("the drain timeout ends it");
    assert_eq!(exchange.end().await.status, 0);
    let stopped = line(&log, |line| line.event == "stopped").await;
    assert_eq!(stopped.fields["drained"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_in_work_is_finished_and_none_is_taken_after_it() {
    let body = "(call $say (i32.const 64) (i32.const 6)) (call $wait-ms (i64.const 300))
        (call $say (i32.const 70) (i32.const 5)) (i32.const 512)";
    let service = App::new()
        .handling("work", &message("woken\\0adone\\0a", body), "tick = { every_ms = 1, message = \"{}\" }")
        .start_with(|builder| builder.workers(1))
        .await;
    let log = service.log.clone();
    service.said("woken").await;
    service.running.shutdown().await;
    assert!(said(&log, "done"), "{:#?}", log.lines());
    let count = |text: &str| {
        log.lines().iter().filter(|line| line.fields.get("message") == Some(&text.into())).count()
    };
    assert_eq!(count("woken"), count("done"));
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_a_runtime_ends_it_at_once() {
    let service = App::new().serving("stall", &request("here\\0a", STALL), "").start(Limits::default()).await;
    let exchange = Exchange::begin(service.address(), "GET /stall HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.said("here").await;
    drop(service);
    assert_eq!(exchange.end().await.status, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lame_duck_says_so_and_still_answers() {
    let ok = request("", "(call $answer (local.get $out) (i32.const 200))");
    let service =
        App::new().serving("ok", &ok, "").start(Limits { lame_duck_ms: 2_000, ..Limits::default() }).await;
    let (address, log) = (service.address(), service.log.clone());
    let ready = "/.well-known/thumbs/ready";
    assert_eq!(get(address, ready).await.status, 200);
    let stopping = tokio::spawn(service.running.shutdown());
    line(&log, |line| line.event == "stopping").await;
    assert_eq!(get(address, ready).await.status, 503);
    assert_eq!(get(address, "/ok").await.status, 200);
    assert_eq!(get(address, "/.well-known/spin/health").await.status, 200);
    stopping.await.unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
