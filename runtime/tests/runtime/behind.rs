//! What goes on behind an answer: guests that are not done yet, and bodies that nobody reads.

use thumbs::limits::Limits;

use crate::{
    app::App,
    client::{Exchange, send},
    guests::request,
};

/// What is at address 64 in the guests here: what they say, the name of a header, its value.
const DATA: &str = "done\\0a\\20content-length\\20\\20\\20\\20\\20\\205";

/// Answers with five bytes, of which the header tells, and says five bytes later that it is done.
const WHOLE: &str = r"(local $fields i32) (local $response i32) (local $body i32) (local $stream i32)
    (local.set $fields (call $new-fields))
    (call $append-field (local.get $fields) (i32.const 70) (i32.const 14) (i32.const 90) (i32.const 1) (i32.const 0))
    (local.set $response (call $new-response (local.get $fields)))
    (call $response-body (local.get $response) (i32.const 0))
    (local.set $body (i32.load (i32.const 4)))
    (call $respond (local.get $out) (i32.const 0) (local.get $response)
        (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $body-stream (local.get $body) (i32.const 0))
    (local.set $stream (i32.load (i32.const 4)))
    (call $write (local.get $stream) (i32.const 64) (i32.const 5) (i32.const 0))
    (call $drop-output (local.get $stream))
    (call $wait-ms (i64.const 100))
    (call $end (local.get $body))
    (call $say (i32.const 64) (i32.const 5))";
/// Answers with the same five bytes in pieces, ends them, and is done later.
const PIECES: &str = r"(call $answer-with (local.get $out) (i32.const 64) (i32.const 5))
    (call $wait-ms (i64.const 100))
    (call $say (i32.const 64) (i32.const 5))";
/// Answers with a status that has no body, and is done later.
const EMPTY: &str = r"(call $answer (local.get $out) (i32.const 204))
    (call $wait-ms (i64.const 100))
    (call $say (i32.const 64) (i32.const 5))";

async fn ask(address: std::net::SocketAddr, method: &str, path: &str) -> Exchange {
    Exchange::begin(address, &format!("{method} {path} HTTP/1.1\r\nhost: test\r\n\r\n")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_goes_on_whatever_tells_that_its_answer_is_whole() {
    let service = App::new()
        .serving("whole", &request(DATA, WHOLE), "")
        .serving("pieces", &request(DATA, PIECES), "")
        .serving("empty", &request(DATA, EMPTY), "")
        .start(Limits::default())
        .await;
    let mut done = 0;
    for (method, path, body) in [
        ("GET", "/whole", "done\n"),
        ("HEAD", "/whole", ""),
        ("GET", "/pieces", "5\r\ndone\n\r\n0\r\n\r\n"),
        ("HEAD", "/pieces", ""),
        ("GET", "/empty", ""),
    ] {
        let reply = send(service.address(), method, path, "").await;
        assert_eq!(reply.body, body, "{method} {path}: {reply:?}");
        done += 1;
        service.said_times("done", done).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_has_its_answer_before_the_guest_is_done_and_may_ask_again_meanwhile() {
    let stall = "(call $answer-with (local.get $out) (i32.const 64) (i32.const 5)) (call $wait-ms (i64.const 600000))";
    let service = App::new()
        .serving("stall", &request(DATA, stall), "")
        .start(Limits { drain_timeout_ms: 1, ..Limits::default() })
        .await;
    // Both on one connection; the end of an answer in pieces is an empty piece.
    let twice = "GET /stall HTTP/1.1\r\nhost: test\r\n\r\n".to_owned()
        + "GET /stall HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";
    let replies = Exchange::begin(service.address(), &twice).await.end().await;
    assert_eq!(replies.body.matches("0\r\n\r\n").count(), 2, "{replies:?}");
    // Neither would be done before the end of the test: the end of the host stops them.
    service.running.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_that_goes_on_holds_its_place_and_the_end_of_the_host_waits_for_it() {
    let service = App::new()
        .serving("whole", &request(DATA, &WHOLE.replace("100", "300")), "")
        .start(Limits {
            max_concurrent_requests: 1,
            max_waiting_requests: 0,
            request_queue_ms: 1,
            ..Limits::default()
        })
        .await;
    let reply = ask(service.address(), "GET", "/whole").await.answer().await;
    assert_eq!(reply.body, "done\n");
    send(service.address(), "POST", "/whole", "").await.is_problem(503, "busy");
    let log = service.log.clone();
    service.running.shutdown().await;
    let said = |text: &str| log.lines().iter().any(|line| line.fields.get("message") == Some(&text.into()));
    assert!(said("done"), "{:#?}", log.lines());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_sends_all_of_its_body_before_it_looks_sees_why_it_was_refused() {
    let service = App::new()
        .serving("ok", &request("", "(call $answer (local.get $out) (i32.const 422))"), "")
        .start(Limits { max_request_body_bytes: 30_000_000, ..Limits::default() })
        .await;
    for (path, bytes, status) in
        [("/ok", 40_000_000, 413), ("/ok", 29_000_000, 422), ("/gone", 40_000_000, 404)]
    {
        let head = format!("POST {path} HTTP/1.1\r\nhost: test\r\ncontent-length: {bytes}\r\n\r\n");
        let mut exchange = Exchange::begin(service.address(), &head).await;
        let piece = vec![b'x'; 1_000_000];
        for _ in 0..bytes / piece.len() {
            assert!(exchange.send(&piece).await, "{path}: the connection was reset");
        }
        assert_eq!(exchange.answer().await.status, status, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_of_a_body_that_nobody_needs_is_bounded_in_bytes() {
    let service = App::new()
        .serving("ok", &request("", "(unreachable)"), "")
        .start(Limits { max_request_body_bytes: 1_000, max_linger_bytes: 1_000_000, ..Limits::default() })
        .await;
    let head = "POST /gone HTTP/1.1\r\nhost: test\r\ncontent-length: 1000000000\r\n\r\n";
    let mut exchange = Exchange::begin(service.address(), head).await;
    let piece = vec![b'x'; 1_000_000];
    // The system's buffers take some of it whatever the other side does.
    let mut pieces = 0;
    while pieces < 100 && exchange.send(&piece).await {
        pieces += 1;
    }
    assert!(pieces < 100, "all of it was read");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_read_of_a_body_that_nobody_needs_is_bounded_in_time() {
    let service = App::new()
        .serving("ok", &request("", "(unreachable)"), "")
        .start(Limits { linger_timeout_ms: 50, ..Limits::default() })
        .await;
    let head = "POST /gone HTTP/1.1\r\nhost: test\r\ncontent-length: 1000000000\r\n\r\nbegun";
    let reply = Exchange::begin(service.address(), head).await.end().await;
    assert_eq!(reply.status, 404, "and the connection is closed: {reply:?}");
}
