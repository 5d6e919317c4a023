//! Requests that wait without an instance, for a message.

use thumbs::limits::Limits;

use crate::{
    app::{App, Service},
    client::{Exchange, Reply, get, send},
    guests::request,
};

/// What is at address 64 in the guests here: what they say, the name of the header, the wish, the address of the server, the channel, the name of
/// the other header, notes, what goes to the client, a wish that is soon over.
const DATA: &str =
    "asked\\0athumbs-park600000 keyredis://localhost:6379waitsthumbs-park-notennfirstlaterlast!300 key";
/// Lets requests of a component wait for messages of this channel.
const PARK: &str = "[component.wait.tool.thumbs]\npark = { channel = \"waits\" }";

/// Says that it was asked. Where it was offered to wait and has not waited yet, it wishes to; else its answer is for how long it waited.
const WAIT: &str = r"(local $fields i32) (local $response i32) (local $at i32)
    (call $say (i32.const 64) (i32.const 6))
    (local.set $at (call $find-variable (i32.const 9) (i32.const 0x4b524150)))
    (if (i32.eqz (local.get $at)) (then (call $answer (local.get $out) (i32.const 204)) return))
    (if (i32.ne (i32.load8_u (i32.load offset=8 (local.get $at))) (i32.const 48)) (then
        (call $answer-with (local.get $out) (i32.load offset=8 (local.get $at)) (i32.load offset=12 (local.get $at)))
        return))
    ;; So that not even the fastest message comes within the first millisecond.
    (call $wait-ms (i64.const 5))
    (local.set $fields (call $new-fields))
    (call $append-field (local.get $fields) (i32.const 70) (i32.const 11) (i32.const 81) (i32.const 10) (i32.const 0))
    (local.set $response (call $new-response (local.get $fields)))
    (call $respond (local.get $out) (i32.const 0) (local.get $response)
        (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))";
/// Says that it was asked. Has its answer go on twice, with a note that grows, and says which of the three instances it is.
const GO_ON: &str = r"(local $fields i32) (local $response i32) (local $body i32) (local $stream i32) (local $notes i32)
    (call $say (i32.const 64) (i32.const 6))
    (local.set $stream (call $find-variable (i32.const 11) (i32.const 0x4b524150)))
    (if (local.get $stream) (then (local.set $notes (i32.load offset=12 (local.get $stream)))))
    (if (i32.eq (local.get $notes) (i32.const 2)) (then
        (call $answer-with (local.get $out) (i32.const 146) (i32.const 5)) return))
    (local.set $fields (call $new-fields))
    (call $append-field (local.get $fields) (i32.const 70) (i32.const 11) (i32.const 81) (i32.const 10) (i32.const 0))
    (call $append-field (local.get $fields) (i32.const 118) (i32.const 16)
        (i32.const 134) (i32.add (local.get $notes) (i32.const 1)) (i32.const 0))
    (local.set $response (call $new-response (local.get $fields)))
    (call $response-body (local.get $response) (i32.const 0))
    (local.set $body (i32.load (i32.const 4)))
    (call $respond (local.get $out) (i32.const 0) (local.get $response)
        (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))
    (call $body-stream (local.get $body) (i32.const 0))
    (local.set $stream (i32.load (i32.const 4)))
    (call $write (local.get $stream) (i32.add (i32.const 136) (i32.mul (local.get $notes) (i32.const 5))) (i32.const 5) (i32.const 0))
    (call $drop-output (local.get $stream))
    (call $end (local.get $body))";
/// Says that it was asked. Where it can only wait by a note it leaves one, with an answer that nobody is to see; one that finds the note answers.
const BY_NOTE: &str = r"(local $fields i32) (local $response i32)
    (call $say (i32.const 64) (i32.const 6))
    (if (call $find-variable (i32.const 11) (i32.const 0x4b524150)) (then
        (call $answer-with (local.get $out) (i32.const 141) (i32.const 5)) return))
    (if (i32.eqz (call $find-variable (i32.const 12) (i32.const 0x4b524150))) (then
        (call $answer (local.get $out) (i32.const 204)) return))
    (local.set $fields (call $new-fields))
    (call $append-field (local.get $fields) (i32.const 70) (i32.const 11) (i32.const 81) (i32.const 10) (i32.const 0))
    (call $append-field (local.get $fields) (i32.const 118) (i32.const 16) (i32.const 134) (i32.const 1) (i32.const 0))
    (local.set $response (call $new-response (local.get $fields)))
    (call $respond (local.get $out) (i32.const 0) (local.get $response)
        (i32.const 0) (i64.const 0) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0))";
/// Says that it was asked, and answers after a while.
const HOLD: &str = r"(call $say (i32.const 64) (i32.const 6))
    (call $wait-ms (i64.const 5000))
    (call $answer (local.get $out) (i32.const 204))";
/// Sends the key.
const RING: &str = r"(call $open-redis (i32.const 91) (i32.const 22) (i32.const 0))
    (call $publish (i32.load (i32.const 4)) (i32.const 113) (i32.const 5) (i32.const 88) (i32.const 3) (i32.const 0))
    (call $answer (local.get $out) (i32.const 204))";

const WAITING: &str = "GET /wait HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";

async fn service(limits: Limits) -> Service {
    App::new()
        .serving("wait", &request(DATA, WAIT), PARK)
        .serving("go-on", &request(DATA, GO_ON), &PARK.replace("component.wait", "component.go-on"))
        .serving("by-note", &request(DATA, BY_NOTE), &PARK.replace("component.wait", "component.by-note"))
        .serving(
            "by-note-briefly",
            &request(
                DATA,
                &BY_NOTE.replace("(i32.const 81) (i32.const 10)", "(i32.const 151) (i32.const 7)"),
            ),
            &PARK.replace("component.wait", "component.by-note-briefly"),
        )
        .serving("hold", &request(DATA, HOLD), "")
        .serving("ring", &request(DATA, RING), "allowed_outbound_hosts = [\"redis://localhost:6379\"]")
        .start(limits)
        .await
}

/// No pause of a test ends by itself.
fn patient() -> Limits {
    Limits { min_parked_pause_ms: 600_000, ..Limits::default() }
}

async fn waiting(service: &Service, asked: usize) -> Exchange {
    let waiting = Exchange::begin(service.address(), WAITING).await;
    service.said_times("asked", asked).await;
    waiting
}

/// The guest's answer: for how many milliseconds it waited.
fn waited_ms(reply: &Reply) -> u128 {
    assert_eq!((reply.status, reply.header("thumbs-park")), (200, None), "{reply:?}");
    // Whether it comes in pieces or not.
    let text = reply.body.split("\r\n").max_by_key(|line| line.len());
    text.and_then(|text| text.parse().ok()).unwrap_or_else(|| panic!("{reply:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_waits_for_its_message_and_holds_no_place_meanwhile() {
    let service = service(Limits {
        max_concurrent_requests: 1,
        max_waiting_requests: 1,
        request_queue_ms: 20_000,
        ..patient()
    })
    .await;
    let mut all = Vec::new();
    for asked in 1..=3 {
        all.push(waiting(&service, asked).await);
    }
    assert_eq!(get(service.address(), "/ring").await.status, 204);
    for waiting in all {
        waited_ms(&waiting.end().await);
    }
    service.said_times("asked", 6).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_lost_is_made_good_by_a_look_now_and_then() {
    let service = service(Limits::default()).await;
    assert!(waited_ms(&waiting(&service, 1).await.end().await) >= 250);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_of_the_host_ends_all_waiting() {
    let service = service(patient()).await;
    let waiting = waiting(&service, 1).await;
    let reply = tokio::spawn(waiting.end());
    service.running.shutdown().await;
    assert_eq!(waited_ms(&reply.await.unwrap()), std::time::Duration::MAX.as_millis());
}

#[tokio::test(flavor = "multi_thread")]
async fn who_can_not_wait_is_not_offered_to_and_no_client_sees_or_forges_a_wish() {
    let service = service(Limits { max_parked_requests: 0, ..patient() }).await;
    assert_eq!(get(service.address(), "/wait").await.status, 204, "there is no room");
    let service = self::service(patient()).await;
    // It could not be asked once more as it was.
    for body in ["content-length: 0\r\n", "content-length: 1\r\n\r\nx"] {
        assert_eq!(send(service.address(), "POST", "/wait", body).await.status, 204);
    }
    // A day: no wait of this test lasts that long.
    let forged = "thumbs-park: 600000 key\r\nparked-ms: 86400000\r\nparked_ms: 86400000\r\n";
    let forged = WAITING.replace("connection", &format!("{forged}connection"));
    let waiting = Exchange::begin(service.address(), &forged).await;
    service.said_times("asked", 3).await;
    get(service.address(), "/ring").await;
    assert!(waited_ms(&waiting.end().await) < 86_400_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_goes_away_makes_room() {
    let service = service(Limits { max_parked_requests: 1, ..patient() }).await;
    drop(waiting(&service, 1).await);
    let mut asked = 1;
    loop {
        asked += 1;
        let ring = async {
            service.said_times("asked", asked).await;
            get(service.address(), "/ring").await
        };
        let (reply, _) = tokio::join!(get(service.address(), "/wait"), ring);
        if reply.status == 200 {
            break;
        }
        // Nobody noticed yet that the first is gone.
        assert_eq!(reply.status, 204);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_can_not_be_repeated_waits_by_a_note_of_what_was_done() {
    let service = service(Limits { max_concurrent_requests: 1, request_queue_ms: 20_000, ..patient() }).await;
    for (asked, body) in [(1, "content-length: 4\r\n\r\nbody"), (3, "content-length: 0\r\n\r\n")] {
        let request = format!("POST /by-note HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{body}");
        let waiting = Exchange::begin(service.address(), &request).await;
        service.said_times("asked", asked).await;
        assert_eq!(get(service.address(), "/ring").await.status, 204, "its place is free meanwhile");
        let reply = waiting.end().await;
        assert!(reply.status == 200 && reply.body.contains("later"), "{reply:?}");
        assert!(!reply.head.contains("thumbs-park"), "{reply:?}");
    }
    service.said_times("asked", 4).await;
    assert_eq!(
        get(service.address(), "/by-note").await.status,
        204,
        "one that can be repeated has no need of it"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn who_waits_by_a_note_and_finds_no_place_in_the_end_gets_the_answer_that_was_kept() {
    let service = service(Limits {
        max_concurrent_requests: 1,
        max_waiting_requests: 0,
        request_queue_ms: 0,
        ..patient()
    })
    .await;
    let post = |path| {
        format!("POST /{path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
    };
    let waiting = Exchange::begin(service.address(), &post("by-note-briefly")).await;
    service.said_times("asked", 1).await;
    // It has the only place for longer than the other waits.
    let _holder = Exchange::begin(service.address(), &post("hold")).await;
    service.said_times("asked", 2).await;
    let reply = waiting.end().await;
    assert_eq!((reply.status, reply.header("thumbs-park")), (200, None), "{reply:?}");
}

const GOING_ON: &str = "GET /go-on HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n";

/// What came of an answer in pieces: its lines without those of the framing.
fn pieces(reply: &Reply) -> Vec<&str> {
    assert_eq!((reply.status, reply.header("transfer-encoding")), (200, Some("chunked")), "{reply:?}");
    assert!(!reply.head.contains("thumbs-park") && !reply.head.contains("content-length"), "{reply:?}");
    assert!(reply.body.ends_with("0\r\n\r\n"), "it broke off: {reply:?}");
    reply.body.split("\r\n").filter(|line| line.len() == 5).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_goes_on_with_what_further_instances_say() {
    let service = service(Limits { max_concurrent_requests: 1, request_queue_ms: 20_000, ..patient() }).await;
    let going = Exchange::begin(service.address(), GOING_ON).await;
    for asked in [1, 2] {
        service.said_times("asked", asked).await;
        assert_eq!(get(service.address(), "/ring").await.status, 204, "its place is free meanwhile");
    }
    assert_eq!(pieces(&going.end().await), ["first", "later", "last!"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_ends_that_has_gone_on_for_long_and_when_the_host_stops() {
    let service = service(Limits { max_parked_answer_ms: 300, ..patient() }).await;
    let reply = Exchange::begin(service.address(), GOING_ON).await.end().await;
    assert_eq!(pieces(&reply), ["first", "later"], "nobody is asked after that");

    let service = self::service(patient()).await;
    let going = Exchange::begin(service.address(), GOING_ON).await;
    service.said_times("asked", 1).await;
    let reply = tokio::spawn(going.end());
    service.running.shutdown().await;
    assert_eq!(pieces(&reply.await.unwrap()), ["first", "later"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_no_room_an_answer_is_sent_as_it_is() {
    let service = service(Limits { max_parked_requests: 0, ..patient() }).await;
    let reply = get(service.address(), "/go-on").await;
    assert_eq!((reply.status, reply.header("thumbs-park-note")), (200, None), "{reply:?}");
    assert!(reply.body.contains("first") && !reply.head.contains("thumbs-park"), "{reply:?}");
}
