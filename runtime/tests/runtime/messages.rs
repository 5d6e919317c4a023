//! Wake-ups: the tick, what happens when a guest is stopped, and what can't be forged.

use std::time::Duration;

use thumbs::{limits::Limits, telemetry::LogLine};

use crate::{
    app::{App, Service},
    client::get,
    guests::{message, request},
};

const CLAIM: &str = "{\\22event\\22:\\22job-claimed\\22,\\22job_id\\22:\\22job-1\\22,\\22lease_token\\22:\\22tok-1\\22,\\22correlation_id\\22:\\22req-1\\22}\\0a";
const CLAIM_BYTES: usize = 88;
const FORGED: &str = "{\\22failed\\22:{}}";
const FORGED_BYTES: usize = 13;

/// Only the wake-up at the start comes by itself.
fn without_tick() -> Limits {
    Limits { tick_ms: 3_600_000, ..Limits::default() }
}

/// Announces a claim when woken and goes on with `then`; writes down any other message.
fn worker(then: &str) -> Vec<u8> {
    let body = format!(
        "(if (i32.gt_u (local.get $length) (i32.const 2))
            (then (call $say (local.get $message) (local.get $length)) (return (i32.const 512))))
        (call $say (i32.const 64) (i32.const {CLAIM_BYTES})) {then} (i32.const 512)"
    );
    message(CLAIM, &body)
}

/// What a fresh instance was told of another's end.
async fn report(service: &Service) -> LogLine {
    service.line(|line| line.fields.contains_key("failed")).await
}

async fn stopped(then: &str, limits: Limits) -> (Service, String) {
    let service = App::new().handling("work", &worker(then)).start(limits).await;
    let report = report(&service).await;
    assert_eq!(report.fields["failed"]["job_id"], "job-1");
    let reason = report.fields["failed"]["reason"].as_str().unwrap().to_owned();
    let failed = service.line(|line| line.event == "message-failed").await;
    assert_eq!(failed.fields["reason"], reason.as_str());
    assert_eq!(failed.fields["job_id"], "job-1");
    assert_eq!(failed.correlation_id.as_deref(), Some("req-1"), "the upload's id finds its end");
    (service, reason)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_is_stopped_is_reported_to_a_fresh_one_with_the_reason() {
    let (_, reason) = stopped("(unreachable)", without_tick()).await;
    assert_eq!(reason, "trap");
    let limits = Limits { max_image_memory_bytes: 2 << 20, ..without_tick() };
    let (_, reason) = stopped("(call $take-all-memory)", limits).await;
    assert_eq!(reason, "out_of_memory");
    let (_, reason) =
        stopped("(call $compute-for-ever)", Limits { image_deadline_ms: 50, ..without_tick() }).await;
    assert_eq!(reason, "deadline");
    let limits = Limits { message_timeout_ms: 50, ..without_tick() };
    let (_, reason) = stopped("(call $wait-ms (i64.const 600000))", limits).await;
    assert_eq!(reason, "deadline");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lease_token_is_told_to_the_guest_and_to_no_log() {
    let tell = "(if (i32.gt_u (local.get $length) (i32.const 2)) (then
            ;; The token stands in the message: tok-1 is looked for by its first letters.
            (local.set $at (local.get $message))
            (loop $next
                (if (i32.eq (i32.load (local.get $at)) (i32.const 0x2d6b6f74)) (then (call $say (i32.const 192) (i32.const 6))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $at) (i32.add (local.get $message) (local.get $length)))))
            (return (i32.const 512))))
        (call $say (i32.const 64) (i32.const CLAIM_BYTES)) (unreachable)";
    let padding = " ".repeat(192 - 64 - CLAIM_BYTES);
    let body = format!("(local $at i32) {}", tell.replace("CLAIM_BYTES", &CLAIM_BYTES.to_string()));
    let wasm = message(&format!("{CLAIM}{padding}found\\0a"), &body);
    let service = App::new().handling("work", &wasm).start(without_tick()).await;
    service.said("found").await;
    let shown = format!("{:?}", service.log.lines());
    assert!(shown.contains("job-1") && !shown.contains("tok-1"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_claimed_nothing_is_not_reported() {
    let silent = message("", "(unreachable)");
    let service =
        App::new().handling("work", &silent).start(Limits { tick_ms: 20, ..Limits::default() }).await;
    // The second failure is that of the next tick, not of a report.
    service.line(|line| line.event == "message-failed").await;
    let failures = || service.count(|line| line.event == "message-failed");
    while failures() < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(service.count(|line| line.event == "failure-not-recorded"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_fails_too_is_the_last_word() {
    let body = format!("(call $say (i32.const 64) (i32.const {CLAIM_BYTES})) (unreachable)");
    let service = App::new().handling("work", &message(CLAIM, &body)).start(without_tick()).await;
    let line = service.line(|line| line.event == "failure-not-recorded").await;
    assert_eq!(line.fields["job_id"], "job-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tick_goes_on_waking() {
    let service = App::new()
        .handling("work", &message("awake\\0a", "(call $say (i32.const 64) (i32.const 6)) (i32.const 512)"))
        .start(Limits { tick_ms: 10, ..Limits::default() })
        .await;
    service.said("awake").await;
    while service.count(|line| line.fields.get("message") == Some(&"awake".into())) < 3 {
        tokio::task::yield_now().await;
    }
}

/// Publishes on `wake` what stands at address 192, and answers with 200 or with 500.
fn publisher(payload: &str, length: usize) -> Vec<u8> {
    let address = "redis://localhost:6379";
    let data = format!("{address}{}wake{}{payload}", " ".repeat(64 - address.len()), " ".repeat(60));
    let body = format!(
        "(call $open-redis (i32.const 64) (i32.const {}) (i32.const 0))
        (if (i32.load8_u (i32.const 0)) (then (call $answer (local.get $out) (i32.const 403)) (return)))
        (call $publish (i32.load (i32.const 4)) (i32.const 128) (i32.const 4) (i32.const 192) (i32.const {length}) (i32.const 16))
        (call $answer (local.get $out) (select (i32.const 500) (i32.const 200) (i32.load8_u (i32.const 16))))",
        address.len()
    );
    request(&data, &body)
}

const GRANT: &str = "allowed_outbound_hosts = [\"redis://localhost:6379\"]";

#[tokio::test(flavor = "multi_thread")]
async fn a_published_message_wakes_and_a_forged_report_is_only_a_wake_up() {
    let echo = message("woken\\0a", "
        (if (i32.eq (local.get $length) (i32.const 2)) (then (call $say (i32.const 64) (i32.const 6)) (return (i32.const 512))))
        (call $say (local.get $message) (local.get $length))
        (i32.const 512)");
    let service = App::new()
        .handling("work", &echo)
        .serving("hello", &publisher("hello", 5), GRANT)
        .serving("forge", &publisher(FORGED, FORGED_BYTES), GRANT)
        .serving("denied", &publisher("hello", 5), "")
        .start(without_tick())
        .await;
    service.said("woken").await;
    assert_eq!(get(service.address(), "/denied").await.status, 403, "no grant, no connection");
    assert_eq!(get(service.address(), "/hello").await.status, 200);
    service.said("hello").await;
    let woken = || service.count(|line| line.fields.get("message") == Some(&"woken".into()));
    let before = woken();
    assert_eq!(get(service.address(), "/forge").await.status, 200);
    while woken() == before {
        tokio::task::yield_now().await;
    }
    assert_eq!(service.count(|line| line.fields.contains_key("failed")), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_the_bound_is_not_taken() {
    let service = App::new()
        .handling("work", &message("", "(i32.const 512)"))
        .serving("large", &publisher("hello", 5), GRANT)
        .start(Limits { max_message_bytes: 4, ..without_tick() })
        .await;
    assert_eq!(get(service.address(), "/large").await.status, 500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_refuses_a_message_is_noted() {
    // Address 576 holds a result that is an error.
    let refuse = message("", "(i32.store (i32.const 576) (i32.const 1)) (i32.const 576)");
    let service = App::new().handling("work", &refuse).start(without_tick()).await;
    service.line(|line| line.event == "message-refused").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_workers_nothing_is_handled() {
    let wasm = message("awake\\0a", "(call $say (i32.const 64) (i32.const 6)) (i32.const 512)");
    let limits = Limits { tick_ms: 1, ..Limits::default() };
    let service = App::new()
        .handling("work", &wasm)
        .start_with(|builder| builder.limits(limits).resize_workers(0))
        .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(service.count(|line| &*line.component == "work" && line.event == "output"), 0);
}
