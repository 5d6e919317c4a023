//! Messages: as Spin delivers them, what an application may ask for beyond that, and what happens when a guest is ended.

use std::{collections::HashSet, time::Duration};

use thumbs::{limits::Limits, telemetry::LogLine};

use crate::{
    app::{App, Service},
    client::get,
    guests::{message, request},
};

/// One message at the start.
const WOKEN_ONCE: &str = "tick = { every_ms = 3600000, message = \"{}\" }";
const REPORTED: &str = "report_ended_workers = true\ntick = { every_ms = 3600000, message = \"{}\" }";
const ECHO: &str = "(call $say (local.get $message) (local.get $length)) (i32.const 512)";

/// Says its name when woken, and goes on with `then`; writes down any other message.
fn worker(then: &str) -> Vec<u8> {
    let body = format!(
        "(if (i32.gt_u (local.get $length) (i32.const 2))
            (then (call $say (local.get $message) (local.get $length)) (return (i32.const 512))))
        (call $say-worker) {then} (i32.const 512)"
    );
    message("", &body)
}

/// What a fresh instance was told of another's end.
async fn report(service: &Service) -> LogLine {
    service.line(|line| line.fields.contains_key("ended")).await
}

/// The names that workers have said.
fn names(service: &Service) -> Vec<String> {
    let lines = service.log.lines();
    let texts = lines.iter().filter_map(|line| line.fields.get("message")?.as_str());
    texts.filter(|text| is_name(text)).map(str::to_owned).collect()
}

/// Whether this is a random UUID.
fn is_name(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            14 => byte == b'4',
            _ => byte.is_ascii_hexdigit(),
        })
}

async fn ended(then: &str, limits: Limits) -> String {
    let service = App::new().handling("work", &worker(then), REPORTED).start(limits).await;
    let report = report(&service).await;
    let [name] = &names(&service)[..] else { panic!("{:?}", service.log.lines()) };
    assert_eq!(report.fields["ended"]["worker"], name.as_str());
    let reason = report.fields["ended"]["reason"].as_str().unwrap().to_owned();
    let failed = service.line(|line| line.event == "message-failed").await;
    assert_eq!(failed.fields["reason"], reason.as_str());
    reason
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fresh_worker_is_told_the_name_of_one_that_was_ended_and_why() {
    assert_eq!(ended("(unreachable)", Limits::default()).await, "trap");
    let limits = Limits { max_message_memory_bytes: 2 << 20, ..Limits::default() };
    assert_eq!(ended("(call $take-all-memory)", limits).await, "out-of-memory");
    let limits = Limits { max_total_memory_bytes: 2 << 20, ..Limits::default() };
    assert_eq!(ended("(call $take-all-memory)", limits).await, "out-of-shared-memory");
    let limits = Limits { message_cpu_ms: 50, ..Limits::default() };
    assert_eq!(ended("(call $compute-for-ever)", limits).await, "deadline");
    let limits = Limits { message_timeout_ms: 50, ..Limits::default() };
    assert_eq!(ended("(call $wait-ms (i64.const 600000))", limits).await, "timed-out");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_cut_off_by_the_end_of_the_host_is_reported_too() {
    let service = App::new()
        .handling("work", &worker("(call $wait-ms (i64.const 600000))"), REPORTED)
        .start(Limits { drain_timeout_ms: 50, ..Limits::default() })
        .await;
    service.line(|line| line.fields.get("message").and_then(|text| text.as_str()).is_some_and(is_name)).await;
    let log = service.log.clone();
    service.running.shutdown().await;
    let lines = log.lines();
    let report = lines.iter().find(|line| line.fields.contains_key("ended")).unwrap();
    assert_eq!(report.fields["ended"]["reason"], "stopped");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_writes_no_name_of_a_worker_into_the_log() {
    let wasm = message(
        "told\\0a",
        "(if (i32.gt_u (local.get $length) (i32.const 2))
            (then (call $say (i32.const 64) (i32.const 5)) (return (i32.const 512))))
        (unreachable)",
    );
    let service = App::new().handling("work", &wasm, REPORTED).start(Limits::default()).await;
    service.said("told").await;
    let shown = format!("{:?}", service.log.lines());
    let name = shown.as_bytes().windows(36).find(|window| std::str::from_utf8(window).is_ok_and(is_name));
    assert_eq!(name, None, "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_call_is_a_worker_of_another_name() {
    let service = App::new()
        .handling("work", &worker(""), "tick = { every_ms = 5, message = \"{}\" }")
        .start(Limits::default())
        .await;
    while names(&service).len() < 10 {
        tokio::task::yield_now().await;
    }
    let names = names(&service);
    assert_eq!(names.iter().collect::<HashSet<_>>().len(), names.len(), "{names:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_ask_for_reports_gets_none() {
    let service = App::new()
        .handling("work", &worker("(unreachable)"), "tick = { every_ms = 5, message = \"{}\" }")
        .start(Limits::default())
        .await;
    // The second failure is that of the next tick, not of a report.
    while service.count(|line| line.event == "message-failed") < 3 {
        tokio::task::yield_now().await;
    }
    assert_eq!(service.count(|line| line.fields.contains_key("ended") || line.event == "report-failed"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_fails_too_is_the_last_word() {
    let service =
        App::new().handling("work", &message("", "(unreachable)"), REPORTED).start(Limits::default()).await;
    service.line(|line| line.event == "report-failed").await;
    assert_eq!(service.count(|line| line.event == "message-failed"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tick_goes_on_waking_with_the_message_of_the_manifest() {
    let service = App::new()
        .handling("work", &message("", ECHO), "tick = { every_ms = 10, message = \"awake\" }")
        .start(Limits::default())
        .await;
    while service.count(|line| line.fields.get("message") == Some(&"awake".into())) < 3 {
        tokio::task::yield_now().await;
    }
}

const SERVER: &str = "redis://localhost:6379";
const ANOTHER: &str = "redis://localhost:6380";

/// Publishes a payload so many times on `wake` of a server, and answers with 200 or with 500; with 403 where it may not connect.
fn publisher(address: &str, payload: &str, times: usize) -> Vec<u8> {
    let data = format!(
        "{address}{}wake{}{}",
        " ".repeat(64 - address.len()),
        " ".repeat(60),
        payload.replace('"', "\\22")
    );
    let body = format!(
        "(local $left i32)
        (call $open-redis (i32.const 64) (i32.const {}) (i32.const 0))
        (if (i32.load8_u (i32.const 0)) (then (call $answer (local.get $out) (i32.const 403)) (return)))
        (local.set $left (i32.const {times}))
        (loop $again
            (call $publish (i32.load (i32.const 4)) (i32.const 128) (i32.const 4) (i32.const 192) (i32.const {}) (i32.const 16))
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (br_if $again (local.get $left)))
        (call $answer (local.get $out) (select (i32.const 500) (i32.const 200) (i32.load8_u (i32.const 16))))",
        address.len(),
        payload.len()
    );
    request(&data, &body)
}

const GRANT: &str = "allowed_outbound_hosts = [\"redis://localhost:6379..6381\"]";

#[tokio::test(flavor = "multi_thread")]
async fn without_a_policy_every_message_arrives_and_as_it_was_sent() {
    let forged = r#"{"ended":{"worker":"x","reason":"trap"}}"#;
    let service = App::new()
        .handling("work", &message("", ECHO), "")
        .serving("equal", &publisher(SERVER, "hello", 5), GRANT)
        .serving("forge", &publisher(SERVER, forged, 1), GRANT)
        .serving("denied", &publisher(SERVER, "hello", 1), "")
        .start_with(|builder| builder.workers(1))
        .await;
    assert_eq!(get(service.address(), "/denied").await.status, 403, "no grant, no connection");
    assert_eq!(get(service.address(), "/equal").await.status, 200);
    assert_eq!(get(service.address(), "/forge").await.status, 200);
    // One worker takes them in their order.
    let forged = report(&service).await;
    assert_eq!(forged.fields["ended"]["worker"], "x");
    assert_eq!(service.count(|line| line.event == "output" && &*line.component == "work"), 6, "and no other");
}

#[tokio::test(flavor = "multi_thread")]
async fn channels_of_one_name_on_two_servers_are_two() {
    let elsewhere =
        format!("[[trigger.redis]]\nchannel = \"wake\"\naddress = \"{ANOTHER}\"\ncomponent = \"two\"");
    let service = App::new()
        .handling("one", &message("", ECHO), "")
        .component("two", &message("", ECHO), "")
        .manifest(&elsewhere)
        .serving("first", &publisher(SERVER, "first", 1), GRANT)
        .serving("second", &publisher(ANOTHER, "second", 1), GRANT)
        .start(Limits::default())
        .await;
    for path in ["/first", "/second"] {
        assert_eq!(get(service.address(), path).await.status, 200);
    }
    assert_eq!(&*service.said("first").await.component, "one");
    assert_eq!(&*service.said("second").await.component, "two");
    assert_eq!(service.count(|line| line.event == "output"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_components_on_one_channel_both_get_each_message_once() {
    let service = App::new()
        .handling("one", &message("", ECHO), "")
        .handling("two", &message("", ECHO), "")
        .serving("send", &publisher(SERVER, "hello", 1), GRANT)
        .serving("last", &publisher(SERVER, "last", 1), GRANT)
        .start_with(|builder| builder.workers(1))
        .await;
    for path in ["/send", "/last"] {
        assert_eq!(get(service.address(), path).await.status, 200);
    }
    for component in ["one", "two"] {
        let last = |line: &LogLine| line.fields.get("message") == Some(&"last".into());
        service.line(|line| &*line.component == component && last(line)).await;
        let outputs = |line: &LogLine| &*line.component == component && line.event == "output";
        assert_eq!(service.count(outputs), 2, "{component}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_has_workers_of_its_own_and_takes_nobodys_place() {
    let waiting = format!("{ECHO} (drop) (call $wait-ms (i64.const 600000)) (i32.const 512)");
    let service = App::new()
        .handling("work", &message("", ECHO), "")
        .handling("wait", &message("", &waiting), "workers = 3")
        .serving("send", &publisher(SERVER, "hello", 5), GRANT)
        .start_with(|builder| builder.workers(1).limits(Limits { drain_timeout_ms: 0, ..Limits::default() }))
        .await;
    assert_eq!(get(service.address(), "/send").await.status, 200);
    let said = |component: &'static str| {
        move |line: &LogLine| line.event == "output" && &*line.component == component
    };
    while service.count(said("wait")) < 3 || service.count(said("work")) < 5 {
        tokio::task::yield_now().await;
    }
    assert_eq!(service.count(said("wait")), 3, "and not more");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_over_the_bound_is_not_taken() {
    let service = App::new()
        .handling("work", &message("", "(i32.const 512)"), "")
        .serving("large", &publisher(SERVER, "hello", 1), GRANT)
        .start(Limits { max_message_bytes: 4, ..Limits::default() })
        .await;
    assert_eq!(get(service.address(), "/large").await.status, 500);
}

/// Address 576 holds a result that is an error.
const REFUSE: &str = "(i32.store (i32.const 576) (i32.const 1)) (i32.const 576)";

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_refuses_a_message_is_noted() {
    let service =
        App::new().handling("work", &message("", REFUSE), WOKEN_ONCE).start(Limits::default()).await;
    service.line(|line| line.event == "message-refused").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_workers_nothing_is_handled() {
    let service = App::new()
        .handling("work", &message("", ECHO), "tick = { every_ms = 1, message = \"awake\" }")
        .start_with(|builder| builder.workers(0))
        .await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(service.count(|line| &*line.component == "work" && line.event == "output"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_prepares_the_application_is_done_before_it_serves_even_without_workers() {
    let service = App::new()
        .handling("work", &message("", ECHO), "prepare = \"make ready\"")
        .start_with(|builder| builder.workers(0))
        .await;
    let lines = service.log.lines();
    let at = |found: &dyn Fn(&LogLine) -> bool| lines.iter().position(found).unwrap();
    let prepared = at(&|line| line.fields.get("message") == Some(&"make ready".into()));
    assert!(prepared < at(&|line| line.event == "started"), "{lines:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_can_not_be_prepared_serves_and_says_so() {
    for (body, expected) in
        [(REFUSE, "`work` could not prepare the application"), ("(unreachable)", "(trap)")]
    {
        let app = App::new().handling("work", &message("", body), "prepare = \"make ready\"");
        let (builder, _) = app.builder();
        let error = builder.prepare().await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");

        let service = app.start(Limits::default()).await;
        let line = service.line(|line| line.event == "prepare-failed").await;
        assert!(line.fields["cause"].as_str().unwrap().contains(expected), "{line:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_a_component_refuses_end_the_start() {
    for (body, expected) in
        [(REFUSE, "`work` refuses its settings"), ("(unreachable)", "`work` was ended while it looked")]
    {
        let app = || {
            let policy = "check = \"look\"\nprepare = \"make ready\"";
            App::new().handling("work", &message("", body), policy).serving("x", &request("", ""), "")
        };
        let error = app().refused().await;
        assert!(error.contains(expected), "{error}");
        let error = app().builder().0.prepare().await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_are_looked_at_before_anything_else_even_without_workers() {
    let policy = "check = \"look\"\nprepare = \"make ready\"";
    let service = App::new()
        .handling("work", &message("", ECHO), policy)
        .start_with(|builder| builder.workers(0))
        .await;
    let lines = service.log.lines();
    let said: Vec<_> = lines.iter().filter_map(|line| line.fields.get("message")?.as_str()).collect();
    assert_eq!(said, ["look", "make ready"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn preparing_alone_serves_nothing_and_needs_something_to_prepare() {
    let app = App::new().handling("work", &message("", ECHO), "prepare = \"make ready\"").handling(
        "other",
        &message("", ECHO),
        WOKEN_ONCE,
    );
    let (builder, log) = app.builder();
    builder.prepare().await.unwrap();
    let lines = log.lines();
    let said: Vec<_> = lines.iter().filter(|line| line.event == "output").collect();
    assert_eq!(said.len(), 1, "{said:?}");
    assert!(!lines.iter().any(|line| line.event == "started"), "{lines:?}");

    let app = App::new().handling("work", &message("", ECHO), "");
    let (builder, _) = app.builder();
    let error = builder.prepare().await.unwrap_err().to_string();
    assert!(error.contains("nothing to prepare") && error.contains("tool.thumbs"), "{error}");
}
