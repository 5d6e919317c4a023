//! What the host does for a request, around and in place of the guest.

use thumbs::{limits::Limits, telemetry::Level};

use crate::{
    app::App,
    client::{Exchange, get, send},
    guests::{echo_header, request},
};

const OK: &str = "(call $answer (local.get $out) (i32.const 200))";
const READ: &str = r"(if (call $read-all (local.get $request))
    (then (call $answer (local.get $out) (i32.const 400)))
    (else (call $answer (local.get $out) (i32.const 200))))";
/// Says that it is there, and waits for longer than any test.
const STALL: &str =
    "(call $say (i32.const 64) (i32.const 5)) (call $wait-ms (i64.const 600000)) (unreachable)";

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_answers_and_its_headers_are_the_hosts() {
    let service = App::new()
        .serving("ok", &request("", OK), "")
        .serving("id", &echo_header("x-request-id"), "")
        .serving("rest", &echo_header("spin-path-info"), "")
        .serving("client", &echo_header("spin-client-addr"), "")
        .serving("trace", &echo_header("traceparent"), "")
        .start(Limits::default())
        .await;
    let address = service.address();
    let reply = get(address, "/ok").await;
    assert_eq!((reply.status, reply.header("content-length")), (200, Some("0")), "{reply:?}");
    assert!(reply.header("x-request-id").is_some());

    let reply = send(address, "GET", "/id", "X-Request-Id: from-the-client\r\n").await;
    assert_eq!(
        (reply.body.as_str(), reply.header("x-request-id")),
        ("from-the-client", Some("from-the-client"))
    );
    let reply = send(address, "GET", "/id", "x-request-id: not {sane}\r\n").await;
    assert_eq!(Some(reply.body.as_str()), reply.header("x-request-id"));
    assert_eq!(reply.body.len(), 36, "a UUID in its place: {reply:?}");

    assert_eq!(get(address, "/rest/a/b%2fc?d").await.body, "/a/b%2fc");
    let reply = send(address, "GET", "/client", "spin-client-addr: 10.0.0.1:1\r\n").await;
    assert!(reply.body.starts_with("127.0.0.1:"), "{reply:?}");
    let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let reply = send(address, "GET", "/trace", &format!("traceparent: {traceparent}\r\n")).await;
    assert_eq!(reply.body, traceparent);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_leads_nowhere_is_the_hosts_to_answer() {
    let service = App::new()
        .serving("ok", &request("", OK), "")
        .manifest("[[trigger.http]]\nroute = \"/gone\"\nstatic_response = { status_code = 410, headers = { x-a = \"b\" }, body = \"moved\" }")
        .start(Limits::default())
        .await;
    let address = service.address();
    for path in ["/", "/okay", "/../ok", "//ok"] {
        get(address, path).await.is_problem(404, "not-found");
    }
    let reply = get(address, "/gone").await;
    assert_eq!((reply.status, reply.header("x-a"), reply.body.as_str()), (410, Some("b"), "moved"));
    assert_eq!(get(address, "/.well-known/spin/health").await.body, "OK");
    let reply = send(address, "TRACE", "/ok", "").await;
    reply.is_problem(405, "method-not-allowed");
    assert!(reply.header("allow").is_some());
    let reply = Exchange::begin(address, "GET /ok HTTP/1.1\r\nhost: a b\r\nconnection: close\r\n\r\n")
        .await
        .end()
        .await;
    reply.is_problem(400, "malformed-request");
    for hosts in ["", "host: a\r\nhost: b\r\n", "host: a\r\nhost: a\r\n"] {
        let request = format!("GET /ok HTTP/1.1\r\n{hosts}connection: close\r\n\r\n");
        let reply = Exchange::begin(address, &request).await.end().await;
        reply.is_problem(400, "malformed-request");
    }
    let reply = Exchange::begin(address, "GET /ok HTTP/1.0\r\n\r\n").await.end().await;
    assert_eq!(reply.status, 200, "HTTP/1.0 needs no Host: {reply:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trapped_guest_is_a_problem_and_harms_nobody() {
    let service = App::new()
        .serving("trap", &request("", "(unreachable)"), "")
        .serving("silent", &request("", ""), "")
        .serving("ok", &request("", OK), "")
        .start(Limits::default())
        .await;
    let reply = send(service.address(), "GET", "/trap", "x-request-id: find-me\r\n").await;
    reply.is_problem(500, "internal");
    let line = service.line(|line| line.correlation_id.as_deref() == Some("find-me")).await;
    assert_eq!((line.event.as_str(), &*line.component), ("request-failed", "trap"));
    assert_eq!(line.fields["reason"], "trap");
    get(service.address(), "/silent").await.is_problem(500, "internal");
    assert_eq!(send(service.address(), "GET", "/ok?secret=1", "x-request-id: well\r\n").await.status, 200);
    let line = service.line(|line| line.correlation_id.as_deref() == Some("well")).await;
    assert_eq!((line.event.as_str(), line.level), ("request-answered", Level::Info));
    assert_eq!(
        (&line.fields["method"], &line.fields["path"], &line.fields["status"]),
        (&"GET".into(), &"/ok".into(), &200.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_computes_for_ever_is_stopped() {
    let service = App::new()
        .serving("spin", &request("", "(call $compute-for-ever)"), "")
        .serving("ok", &request("", OK), "")
        .start(Limits { request_cpu_ms: 50, ..Limits::default() })
        .await;
    let reply = get(service.address(), "/spin").await;
    reply.is_problem(503, "deadline");
    assert!(reply.header("retry-after").is_some());
    assert_eq!(get(service.address(), "/ok").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_is_not_computing_but_ends_too() {
    let wait = "(call $wait-ms (i64.const 120)) (call $answer (local.get $out) (i32.const 200))";
    let app = || {
        App::new().serving("wait", &request("", wait), "").serving("stall", &request("here\\0a", STALL), "")
    };
    let patient = app().start(Limits { request_cpu_ms: 50, ..Limits::default() }).await;
    assert_eq!(
        get(patient.address(), "/wait").await.status,
        200,
        "120 ms of waiting are not 50 ms of running"
    );
    let hasty = app().start(Limits { request_timeout_ms: 50, ..Limits::default() }).await;
    get(hasty.address(), "/stall").await.is_problem(503, "deadline");
}

/// A body that comes in pieces for longer than the guest may run wakes it again and again, and each time for a moment.
#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_drips_for_longer_than_the_guest_may_run_is_read_to_its_end() {
    /// So much is awaited before there is a guest.
    const BEGINNING: usize = 64 * 1024;
    const PIECES: usize = 40;
    let length = BEGINNING + PIECES;
    let read_slowly = "(local $stream i32)
        (call $consume (local.get $request) (i32.const 0)) (call $open-body (i32.load (i32.const 4)) (i32.const 0))
        (local.set $stream (i32.load (i32.const 4)))
        (loop $more
            (global.set $next (i32.const 1024))
            (call $read (local.get $stream) (i64.const 16384) (i32.const 0))
            (if (i32.eqz (i32.load8_u (i32.const 0))) (then
                (call $say (i32.const 64) (i32.const 5))
                ;; Longer than a tick of the engine's clock: each piece is read in a tick of its own.
                (call $wait-ms (i64.const 12))
                (br $more))))
        (call $answer (local.get $out) (i32.const 200))";
    let service = App::new()
        .serving("drip", &request("read\\0a", read_slowly), "")
        .start(Limits { request_cpu_ms: 100, ..Limits::default() })
        .await;
    let head =
        format!("POST /drip HTTP/1.1\r\nhost: test\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    let mut exchange = Exchange::begin(service.address(), &head).await;
    assert!(exchange.send(&[b'x'; BEGINNING]).await);
    for piece in 1..=PIECES {
        assert!(exchange.send(b"x").await);
        service.said_times("read", piece).await;
    }
    assert_eq!(exchange.end().await.status, 200, "{:#?}", service.log.lines());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_over_the_bound_is_cut() {
    let service = App::new()
        .serving("read", &request("", READ), "")
        .start(Limits { max_request_body_bytes: 100_000, ..Limits::default() })
        .await;
    let address = service.address();
    let whole = |length: usize| format!("content-length: {length}\r\n\r\n{}", "a".repeat(length));
    assert_eq!(send(address, "POST", "/read", &whole(100_000)).await.status, 200);

    let declared = "POST /read HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 100001\r\n\r\n";
    Exchange::begin(address, declared).await.answer().await.is_problem(413, "upload-too-large");

    let chunked =
        "POST /read HTTP/1.1\r\nhost: test\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    let mut exchange = Exchange::begin(address, chunked).await;
    let chunk = format!("8000\r\n{}\r\n", "a".repeat(0x8000));
    for _ in 0..4 {
        exchange.send(chunk.as_bytes()).await;
    }
    exchange.answer().await.is_problem(413, "upload-too-large");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_sending_is_told_so() {
    let service = App::new()
        .serving("read", &request("", READ), "")
        .start(Limits { body_timeout_ms: 50, ..Limits::default() })
        .await;
    let request = "POST /read HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 10\r\n\r\nhalf";
    Exchange::begin(service.address(), request).await.answer().await.is_problem(408, "body-timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_are_bounded_in_size_and_time() {
    let service = App::new()
        .serving("ok", &request("", OK), "")
        .start(Limits { max_header_bytes: 8192, header_timeout_ms: 200, ..Limits::default() })
        .await;
    let long = format!("x-long: {}\r\n", "a".repeat(9000));
    assert_eq!(send(service.address(), "GET", "/ok", &long).await.status, 431);
    let unfinished = Exchange::begin(service.address(), "GET /ok HTTP/1.1\r\nhost: te").await;
    assert_ne!(unfinished.end().await.status, 200, "closed before the header was whole");
    let idle = Exchange::begin(service.address(), "GET /ok HTTP/1.1\r\nhost: test\r\n\r\n").await;
    assert_eq!(idle.end().await.status, 200, "an idle connection is closed after its answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_beyond_the_bound_wait_and_are_then_refused() {
    let service = App::new()
        .serving("stall", &request("here\\0a", STALL), "")
        .serving("ok", &request("", OK), "")
        .start(Limits {
            max_concurrent_requests: 1,
            max_waiting_requests: 0,
            request_queue_ms: 50,
            ..Limits::default()
        })
        .await;
    // Sleeping, it would make room, if there were a place to sleep; it may not be ended for want of one.
    let stall = "POST /stall HTTP/1.1\r\nhost: test\r\ncontent-length: 0\r\n\r\n";
    let stalled = Exchange::begin(service.address(), stall).await;
    service.said("here").await;
    let refused = get(service.address(), "/ok").await;
    refused.is_problem(503, "busy");
    assert_eq!(refused.header("retry-after"), Some("1"));
    // A client that goes away takes its guest along, and the place is free.
    drop(stalled);
    let mut status = 503;
    while status == 503 {
        status = get(service.address(), "/ok").await.status;
    }
    assert_eq!(status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_beyond_the_bound_wait() {
    let service = App::new()
        .serving("stall", &request("here\\0a", STALL), "")
        .serving("ok", &request("", OK), "")
        .start(Limits { max_connections: 1, ..Limits::default() })
        .await;
    let stalled = Exchange::begin(service.address(), "GET /stall HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.said("here").await;
    let mut waiting = Box::pin(get(service.address(), "/ok"));
    let early = futures_util::future::select(
        &mut waiting,
        Box::pin(tokio::time::sleep(std::time::Duration::from_millis(100))),
    );
    assert!(matches!(early.await, futures_util::future::Either::Right(_)), "answered on a second connection");
    drop(stalled);
    assert_eq!(waiting.await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_response_is_streamed_while_the_guest_goes_on() {
    // More than the host buffers, so that the guest waits for the client in the middle.
    let body = r"(local $body i32) (local $stream i32) (local $left i32)
        (local.set $body (call $begin (local.get $out)))
        (call $body-stream (local.get $body) (i32.const 0))
        (local.set $stream (i32.load (i32.const 4)))
        (local.set $left (i32.const 2000))
        (loop $more
            (call $write (local.get $stream) (i32.const 1024) (i32.const 4096) (i32.const 0))
            (local.set $left (i32.sub (local.get $left) (i32.const 1)))
            (br_if $more (local.get $left)))
        (call $drop-output (local.get $stream))
        (call $end (local.get $body))
        (call $say (i32.const 64) (i32.const 5))";
    let service = App::new().serving("stream", &request("done\\0a", body), "").start(Limits::default()).await;
    let reply = get(service.address(), "/stream").await;
    assert_eq!(reply.header("transfer-encoding"), Some("chunked"), "{}", reply.head);
    let bytes = reply.body.bytes().filter(|byte| *byte == 0).count();
    assert_eq!(bytes, 2000 * 4096);
    service.said("done").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_traps_in_its_response_breaks_the_connection_off() {
    let body = r"(call $body-stream (call $begin (local.get $out)) (i32.const 0))
        (call $write (i32.load (i32.const 4)) (i32.const 64) (i32.const 5) (i32.const 0))
        (call $wait-ms (i64.const 50))
        (unreachable)";
    let service = App::new().serving("break", &request("begun", body), "").start(Limits::default()).await;
    let reply = get(service.address(), "/break").await;
    assert_eq!(reply.status, 200);
    assert!(reply.body.contains("begun"), "{reply:?}");
    assert!(
        !reply.body.ends_with("0\r\n\r\n"),
        "a response that was broken off must not look whole: {reply:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_does_not_read_is_cut_off_and_its_guest_stopped() {
    let body = r"(local $stream i32)
        (call $body-stream (call $begin (local.get $out)) (i32.const 0))
        (local.set $stream (i32.load (i32.const 4)))
        (call $say (i32.const 64) (i32.const 5))
        (loop $more
            (call $write (local.get $stream) (i32.const 1024) (i32.const 4096) (i32.const 0))
            (br_if $more (i32.eqz (i32.load8_u (i32.const 0)))))";
    let service = App::new()
        .serving("flood", &request("here\\0a", body), "")
        .serving("ok", &request("", OK), "")
        .start(Limits {
            response_timeout_ms: 100,
            max_concurrent_requests: 1,
            request_queue_ms: 20_000,
            ..Limits::default()
        })
        .await;
    let unread = Exchange::begin(service.address(), "GET /flood HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.said("here").await;
    assert_eq!(get(service.address(), "/ok").await.status, 200, "the flood's place is free again");
    drop(unread);
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_sleep_keep_nobody_out_and_one_too_many_is_told_so() {
    let service = App::new()
        .serving("stall", &request("here\\0a", STALL), "")
        .serving("ok", &request("", OK), "")
        .start(Limits {
            max_concurrent_requests: 1,
            max_waiting_requests: 3,
            request_queue_ms: 20_000,
            ..Limits::default()
        })
        .await;
    let mut waiting = Vec::new();
    for count in 1..=3 {
        waiting.push(Exchange::begin(service.address(), "GET /stall HTTP/1.1\r\nhost: test\r\n\r\n").await);
        service.said_times("here", count).await;
    }
    assert_eq!(get(service.address(), "/ok").await.status, 200);
    let reply = get(service.address(), "/stall").await;
    reply.is_problem(503, "busy");
    assert_eq!(reply.header("retry-after"), Some("5"));
    assert!(reply.body.contains("without waiting"), "{reply:?}");
    let refused = service.line(|line| line.event == "request-refused").await;
    assert_eq!(refused.fields["reason"], "waiting");
    drop(waiting);
    let _next = Exchange::begin(service.address(), "GET /stall HTTP/1.1\r\nhost: test\r\n\r\n").await;
    service.said_times("here", 5).await;
}

/// The beginning of a body that is longer than what is awaited before a request has a place.
fn upload(path: &str, length: usize, sent: usize) -> String {
    format!(
        "POST {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{}",
        "a".repeat(sent)
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn bodies_that_arrive_keep_no_other_request_out() {
    let read = format!("(call $say (i32.const 64) (i32.const 5)) {READ}");
    let service = App::new()
        .serving("read", &request("here\\0a", &read), "")
        .serving("ok", &request("", OK), "")
        .start(Limits {
            max_concurrent_requests: 1,
            max_uploading_requests: 1,
            request_queue_ms: 50,
            ..Limits::default()
        })
        .await;
    let address = service.address();
    let begun = [upload("/read", 1_000_000, 10), upload("/read", 1_000_000, 0), upload("/read", 20, 19)];
    let mut little = Vec::new();
    for upload in &begun {
        little.push(Exchange::begin(address, upload).await);
    }
    let mut first = Exchange::begin(address, &upload("/read", 200_000, 100_000)).await;
    service.said("here").await;
    let reply = Exchange::begin(address, &upload("/read", 200_000, 100_000)).await.answer().await;
    reply.is_problem(503, "busy");
    assert_eq!(reply.header("retry-after"), Some("5"));
    assert_eq!(get(address, "/ok").await.status, 200);
    assert_eq!(
        Exchange::begin(address, &upload("/read", 10, 10)).await.answer().await.status,
        200,
        "one that is whole at once is no upload that goes on"
    );
    assert!(first.send("a".repeat(100_000).as_bytes()).await);
    assert_eq!(first.answer().await.status, 200);
    drop(little);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_drips_is_cut_and_one_that_is_merely_slow_is_not() {
    let service = App::new()
        .serving("read", &request("", READ), "")
        .start(Limits { body_grace_ms: 300, min_body_bytes_per_sec: 1_000, ..Limits::default() })
        .await;
    let mut pace = tokio::time::interval(std::time::Duration::from_millis(10));
    let mut slow = Exchange::begin(service.address(), &upload("/read", 50_000, 0)).await;
    let mut drip = Exchange::begin(service.address(), &upload("/read", 50_000, 0)).await;
    for _ in 0..50 {
        pace.tick().await;
        assert!(slow.send(&[b'a'; 1_000]).await);
        drip.send(b"a").await;
    }
    assert_eq!(slow.answer().await.status, 200);
    drip.answer().await.is_problem(408, "body-timeout");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_time_that_a_client_takes_for_its_body_is_not_the_guests() {
    let service = App::new()
        .serving("read", &request("", READ), "")
        .start(Limits { request_timeout_ms: 500, ..Limits::default() })
        .await;
    let mut pace = tokio::time::interval(std::time::Duration::from_millis(100));
    let mut slow = Exchange::begin(service.address(), &upload("/read", 80_000, 70_000)).await;
    for _ in 0..10 {
        pace.tick().await;
        assert!(slow.send(&[b'a'; 1_000]).await);
    }
    assert_eq!(slow.answer().await.status, 200);
}
