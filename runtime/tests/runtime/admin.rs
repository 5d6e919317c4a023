//! The admin listener: what a process tells of itself, and to whom.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use thumbs::{RuntimeBuilder, limits::Limits, numbers::TABLE, telemetry::Level};

use crate::{
    app::{App, Service},
    client::{Exchange, get, send},
    guests::{message, request},
};

const OK: &str = "(call $answer (local.get $out) (i32.const 200))";
const LOOPBACK: [u8; 4] = [127, 0, 0, 1];

async fn start(app: App, configure: impl FnOnce(RuntimeBuilder) -> RuntimeBuilder) -> (Service, SocketAddr) {
    let service = app.start_with(|builder| configure(builder.admin((LOOPBACK, 0).into()))).await;
    let admin = service.running.admin_addr().unwrap();
    (service, admin)
}

async fn metrics(admin: SocketAddr) -> String {
    let reply = get(admin, "/metrics").await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    reply.body
}

fn value(metrics: &str, sample: &str) -> Option<f64> {
    metrics.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')?.parse().ok())
}

/// Waits until a sample is told with this value.
async fn until(admin: SocketAddr, sample: &str, expected: f64) {
    let begun = Instant::now();
    loop {
        let metrics = metrics(admin).await;
        if value(&metrics, sample) == Some(expected) {
            return;
        }
        assert!(begun.elapsed().as_secs() < 30, "{sample} is not {expected} in\n{metrics}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_of_the_table_is_told() {
    let (_service, admin) = start(App::new().serving("ok", &request("", OK), ""), |builder| builder).await;
    let metrics = metrics(admin).await;
    let told: Vec<_> = metrics.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let expected: Vec<_> = TABLE.iter().map(|row| format!("{} {}", row.name, row.kind.name())).collect();
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_requests_and_instances_is_counted() {
    let app = App::new().serving("ok", &request("", OK), "").serving("trap", &request("", "unreachable"), "");
    let limits = Limits { max_request_body_bytes: 10, ..Limits::default() };
    let (service, admin) = start(app, |builder| builder.limits(limits)).await;
    for path in ["/ok", "/ok/further", "/trap", "/nowhere"] {
        get(service.address(), path).await;
    }
    let upload = "POST /ok HTTP/1.1\r\nhost: test\r\ncontent-length: 11\r\n\r\nhello world";
    assert_eq!(Exchange::begin(service.address(), upload).await.answer().await.status, 413);
    let metrics = metrics(admin).await;
    for (sample, expected) in [
        ("thumbs_host_requests_total{route=\"/ok/...\",status=\"200\"}", 2.0),
        ("thumbs_host_requests_total{route=\"/ok/...\",status=\"413\"}", 1.0),
        ("thumbs_host_requests_total{route=\"/trap/...\",status=\"500\"}", 1.0),
        ("thumbs_host_requests_total{route=\"\",status=\"404\"}", 1.0),
        ("thumbs_host_request_seconds_count{route=\"/ok/...\"}", 3.0),
        ("thumbs_host_refusals_total{reason=\"body-too-large\"}", 1.0),
        ("thumbs_host_refusals_total{reason=\"busy\"}", 0.0),
        ("thumbs_host_calls_total{component=\"ok\"}", 2.0),
        ("thumbs_host_call_failures_total{component=\"trap\",reason=\"trap\"}", 1.0),
        ("thumbs_host_call_failures_total{component=\"ok\",reason=\"trap\"}", 0.0),
        ("thumbs_host_memory_max_bytes{of=\"requests\"}", 2_147_483_648.0),
        ("thumbs_host_memory_max_bytes{of=\"messages\"}", 0.0),
    ] {
        assert_eq!(value(&metrics, sample), Some(expected), "{sample} in\n{metrics}");
    }
    for sample in [
        "thumbs_host_guest_cpu_seconds_total{component=\"ok\"}",
        "thumbs_host_request_seconds_sum{route=\"/ok/...\"}",
        "process_cpu_seconds_total",
        "process_start_time_seconds",
    ] {
        assert!(value(&metrics, sample).unwrap() > 0.0, "{sample}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_count_as_requests_do() {
    let (service, admin) = start(
        App::new().handling(
            "work",
            &message("", "(call $compute-for-ever) (i32.const 512)"),
            "tick = { every_ms = 100, message = \"look\" }",
        ),
        |builder| builder.limits(Limits { message_cpu_ms: 20, ..Limits::default() }).workers(1),
    )
    .await;
    service.line(|line| line.event == "message-failed").await;
    let metrics = metrics(admin).await;
    let failed = value(&metrics, "thumbs_host_call_failures_total{component=\"work\",reason=\"deadline\"}");
    assert!(failed >= Some(1.0), "{metrics}");
    let cpu = value(&metrics, "thumbs_host_guest_cpu_seconds_total{component=\"work\"}");
    assert!(cpu >= Some(0.02), "{metrics}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_in_work_shows_while_it_is_and_where_no_place_is_left() {
    let sleep = "(call $say (i32.const 64) (i32.const 7)) (call $wait-ms (i64.const 600000))";
    let app = App::new().serving("sleep", &request("asleep\\0a", sleep), "");
    let limits = Limits { max_waiting_requests: 1, ..Limits::default() };
    let (service, admin) = start(app, |builder| builder.limits(limits)).await;
    let request = "GET /sleep HTTP/1.1\r\nhost: test\r\n\r\n";
    let sleeping = Exchange::begin(service.address(), request).await;
    service.said("asleep").await;
    until(admin, "thumbs_host_requests_in_work{state=\"waiting\"}", 1.0).await;
    assert_eq!(get(service.address(), "/sleep").await.status, 503);
    let told = metrics(admin).await;
    for (sample, expected) in [
        ("thumbs_host_requests_in_work_max{state=\"waiting\"}", 1.0),
        ("thumbs_host_instances{component=\"sleep\"}", 1.0),
        ("thumbs_host_refusals_total{reason=\"waiting\"}", 1.0),
    ] {
        assert_eq!(value(&told, sample), Some(expected), "{sample} in\n{told}");
    }
    assert!(value(&told, "thumbs_host_memory_bytes{of=\"requests\"}") >= Some(65_536.0), "{told}");
    drop(sleeping);
    until(admin, "thumbs_host_instances{component=\"sleep\"}", 0.0).await;
    until(admin, "thumbs_host_connections", 0.0).await;
    until(admin, "thumbs_host_memory_bytes{of=\"requests\"}", 0.0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_lives_to_the_end_and_is_not_ready_once_it_is_told_to_stop() {
    let app = App::new().serving("ok", &request("", OK), "");
    let limits = Limits { lame_duck_ms: 600_000, ..Limits::default() };
    let (service, admin) = start(app, |builder| builder.limits(limits)).await;
    assert_eq!(get(admin, "/readyz").await.status, 200);
    let Service { running, log, folder: _folder } = service;
    let stopping = tokio::spawn(running.shutdown());
    crate::app::line(&log, |line| line.event == "stopping").await;
    let begun = Instant::now();
    while get(admin, "/readyz").await.status != 503 {
        assert!(begun.elapsed().as_secs() < 30);
    }
    assert_eq!(get(admin, "/livez").await.status, 200);
    stopping.abort();
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_nothing_but_to_read() {
    let (_service, admin) = start(App::new().serving("ok", &request("", OK), ""), |builder| builder).await;
    let refused = send(admin, "POST", "/metrics", "content-length: 0\r\n").await;
    assert_eq!((refused.status, refused.header("allow")), (405, Some("get, head")));
    assert_eq!(get(admin, "/ok").await.status, 404, "it serves no application");
    assert_eq!(send(admin, "HEAD", "/metrics", "").await.body, "");
}

/// The first one never ends its header, so it has its place for as long as a header may take.
#[tokio::test(flavor = "multi_thread")]
async fn so_many_connections_are_answered_and_the_next_one_waits() {
    let app = App::new().serving("ok", &request("", OK), "");
    let limits = Limits { max_admin_connections: 1, header_timeout_ms: 300, ..Limits::default() };
    let (_service, admin) = start(app, |builder| builder.limits(limits)).await;
    let begun = Instant::now();
    let first = Exchange::begin(admin, "GET /livez HTTP/1.1\r\nhost: test\r\n").await;
    assert_eq!(get(admin, "/livez").await.status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
    drop(first);
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_off_where_nobody_asks_for_it_and_loud_where_everybody_reaches_it() {
    let app = || App::new().serving("ok", &request("", OK), "");
    let quiet = app().start(Limits::default()).await;
    assert_eq!(quiet.running.admin_addr(), None);
    assert_eq!(quiet.count(|line| line.event.starts_with("admin-")), 0);

    let (service, _) = start(app(), |builder| builder).await;
    assert_eq!(service.count(|line| line.event == "admin-listens"), 1);
    assert_eq!(service.count(|line| line.event == "admin-open"), 0);

    let open = app().start_with(|builder| builder.admin(([0, 0, 0, 0], 0).into())).await;
    let line = open.line(|line| line.event == "admin-open").await;
    assert_eq!(line.level, Level::Warn);
    assert!(open.running.banner().contains("WARNING: whoever reaches 0.0.0.0:"), "{}", open.running.banner());

    let taken = service.running.admin_addr().unwrap();
    let error = app().try_start(|builder| builder.admin(taken)).await.err().unwrap().to_string();
    assert!(error.contains(&taken.to_string()) && error.contains("--admin"), "{error}");
}
