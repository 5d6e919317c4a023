//! The client against a scripted world: every answer that a server, a network or a host can give, in any order.
//!
//! Whether real servers accept the signatures is tested with them, not here.

mod list;
mod pieces;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;
use std::time::{Duration, SystemTime};

use super::*;
use crate::settings::tests::read;
use crate::transport::now;

const GONE: Fault = Fault::REFUSED;

#[derive(Clone, Default)]
struct Reply {
    status: u16,
    headers: BTreeMap<&'static str, String>,
    body: Vec<u8>,
    body_fault: Option<Fault>,
}

impl Reply {
    fn new(status: u16, headers: &[(&'static str, &str)], body: &[u8]) -> Self {
        let headers = headers.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        Self { status, headers, body: body.to_vec(), body_fault: None }
    }

    fn refusal(status: u16, code: &str) -> Self {
        Self::new(status, &[], format!("<Error><Code>{code}</Code></Error>").as_bytes())
    }
}

impl Answer for Reply {
    fn status(&self) -> u16 {
        self.status
    }
    fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name).cloned()
    }
    async fn body(self, max_bytes: u64) -> Result<Vec<u8>, BodyFault> {
        match self.body_fault {
            Some(fault) => Err(BodyFault::Fault(fault)),
            None if self.body.len() as u64 > max_bytes => Err(BodyFault::TooLarge),
            None => Ok(self.body),
        }
    }
}

struct Sent {
    method: Method,
    path: String,
    headers: BTreeMap<&'static str, String>,
    body: Bytes,
}

#[derive(Default)]
struct Happened {
    replies: VecDeque<Result<Reply, Fault>>,
    sent: Vec<Sent>,
    pauses: Vec<Duration>,
    clock: Duration,
}

/// Answers by the script; each request takes `latency`, each pause moves the clock.
#[derive(Default)]
struct Script {
    state: Mutex<Happened>,
    latency: Duration,
}

impl Script {
    fn new(replies: impl IntoIterator<Item = Result<Reply, Fault>>) -> Self {
        let happened = Happened { replies: replies.into_iter().collect(), ..Happened::default() };
        Self { state: Mutex::new(happened), latency: Duration::ZERO }
    }

    fn happened(&self) -> std::sync::MutexGuard<'_, Happened> {
        self.state.lock().unwrap()
    }
}

impl Transport for Script {
    type Answer = Reply;

    async fn send(&self, request: Request, body: Bytes, time_left: Duration) -> Result<Reply, Fault> {
        assert!(!time_left.is_zero());
        let mut happened = self.happened();
        happened.clock += self.latency.min(time_left);
        let Request { method, path, headers, .. } = request;
        happened.sent.push(Sent { method, path, headers: headers.into_iter().collect(), body });
        happened.replies.pop_front().expect("one request too many")
    }
    fn monotonic(&self) -> Duration {
        self.happened().clock
    }
    fn time_of_day(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)
    }
    async fn pause(&self, duration: Duration) {
        let mut happened = self.happened();
        happened.pauses.push(duration);
        happened.clock += duration;
    }
    fn random(&self) -> u64 {
        4
    }
}

fn with_client<R>(script: &Script, operate: impl AsyncFnOnce(&Client<'_, Script>, Key<'_>) -> R) -> R {
    let settings = read("s3://blobs/prod", &[]).unwrap();
    let client = Client::new(&settings, script, Policy::DEFAULT);
    now(operate(&client, Key::parse("uploads/a.png").unwrap()))
}

fn put(script: &Script) -> Result<(), Error> {
    let png = ContentType::parse("image/png").unwrap();
    with_client(script, async |client, key| client.put(key, png, Bytes::from_static(b"123456789")).await)
}

fn get(script: &Script, max_bytes: u64) -> Result<(Metadata, Vec<u8>), Error> {
    with_client(script, async |client, key| client.get(key, max_bytes).await)
}

fn head(script: &Script) -> Result<Metadata, Error> {
    with_client(script, async |client, key| client.head(key).await)
}

fn delete(script: &Script) -> Result<(), Error> {
    with_client(script, async |client, key| client.delete(key).await)
}

fn check(script: &Script) -> Result<(), Error> {
    with_client(script, async |client, _| client.check().await)
}

fn stored() -> Result<Reply, Fault> {
    Ok(Reply::new(200, &[("etag", "\"0\"")], b""))
}

fn found(data: &[u8]) -> Reply {
    Reply::new(200, &[("content-length", &data.len().to_string())], data)
}

#[test]
fn a_put_sends_the_bytes_with_their_type_and_digest() {
    let script = Script::new([stored()]);
    put(&script).unwrap();
    let happened = script.happened();
    let [sent] = happened.sent.as_slice() else { panic!("one request") };
    assert_eq!((sent.method, sent.path.as_str()), (Method::Put, "/blobs/prod/uploads/a.png"));
    assert_eq!(sent.body, b"123456789".as_slice());
    assert_eq!(sent.headers["content-type"], "image/png");
    assert_eq!(sent.headers["x-amz-content-sha256"], sign::digest(b"123456789"));
    assert_eq!(sent.headers["x-amz-date"], "20260921T141320Z");
}

#[test]
fn a_success_that_is_not_one_of_s3_stores_and_gives_nothing() {
    let yes = || Script::new([Ok(Reply::new(200, &[], b"<html>"))]);
    for said in [put(&yes()), get(&yes(), 100).map(drop), head(&yes()).map(drop)] {
        let Err(Error::Other(text)) = said else { panic!("{said:?}") };
        assert!(text.contains("is not one of S3"), "{text}");
    }
    let mut part = found(b"part");
    part.status = 206;
    assert!(matches!(get(&Script::new([Ok(part)]), 100), Err(Error::Other(_))));
}

#[test]
fn a_get_gives_the_bytes_and_the_type() {
    let headers = [("content-type", "image/gif"), ("content-length", "3")];
    let script = Script::new([Ok(Reply::new(200, &headers, b"GIF"))]);
    let (metadata, data) = get(&script, 3).unwrap();
    assert_eq!(metadata, Metadata { size_bytes: 3, content_type: "image/gif".to_owned() });
    assert_eq!(data, b"GIF");
    let untyped = get(&Script::new([Ok(found(b""))]), 0).unwrap();
    assert_eq!(untyped.0.content_type, NO_CONTENT_TYPE);
}

#[test]
fn of_a_blob_over_the_bound_nothing_is_read() {
    let mut large = Reply::new(200, &[("content-length", "4")], b"");
    large.body_fault = Some(Fault::Request("the body must not be read"));
    assert_eq!(get(&Script::new([Ok(large)]), 3), Err(Error::TooLarge(3)));
}

#[test]
fn a_body_of_another_length_than_its_head_says_is_fetched_again() {
    let says_four = |body| Ok(Reply::new(200, &[("content-length", "4")], body));
    let script = Script::new([says_four(b"123"), says_four(b"12345"), says_four(b"1234")]);
    assert_eq!(get(&script, 100).unwrap().1, b"1234");
}

#[test]
fn a_server_that_comes_back_is_not_noticed() {
    let mut broken = found(b"half");
    broken.body_fault = Some(Fault::BROKEN_OFF);
    let script =
        Script::new([Err(GONE), Ok(Reply::refusal(503, "SlowDown")), Ok(broken), Ok(found(b"whole"))]);
    assert_eq!(get(&script, 100).unwrap().1, b"whole");
    let pauses = &script.happened().pauses;
    assert_eq!(pauses.len(), 3);
    assert!(pauses.is_sorted(), "each pause is longer: {pauses:?}");
}

#[test]
fn a_server_that_stays_away_is_given_up() {
    let script = Script::new((0..10).map(|_| Err(GONE)));
    let Err(Error::Unavailable(text)) = put(&script) else { panic!("it is away") };
    assert!(text.contains("http://localhost:9000") && text.contains("attempts: 4"), "{text}");
    assert_eq!(script.happened().sent.len(), 4);
    assert!(script.happened().clock < Duration::from_secs(2));
}

#[test]
fn a_slow_server_is_given_up_within_the_total_time() {
    let mut script = Script::new((0..10).map(|_| Err(Fault::TooSlow)));
    script.latency = Duration::from_secs(10);
    let Err(Error::Unavailable(text)) = put(&script) else { panic!("it is slow") };
    assert!(text.contains("did not answer in time"), "{text}");
    assert_eq!(script.happened().sent.len(), 3);
    assert!(script.happened().clock <= Policy::DEFAULT.total);
}

#[test]
fn what_another_attempt_cannot_help_is_not_tried_again() {
    for (reply, error) in [
        (Ok(Reply::refusal(404, "NoSuchKey")), "no blob"),
        (Ok(Reply::refusal(404, "NoSuchBucket")), "bucket blobs"),
        (Ok(Reply::refusal(403, "SignatureDoesNotMatch")), "s3_secret_access_key"),
        (Err(Fault::Denied), "blob_outbound"),
        (Err(Fault::UNTRUSTED), "certificate"),
    ] {
        let script = Script::new([reply]);
        let text = get(&script, 100).unwrap_err().to_string();
        assert!(text.contains(error), "{text}");
        assert_eq!(script.happened().sent.len(), 1);
    }
}

#[test]
fn a_server_that_wants_a_pause_gets_it() {
    let script = Script::new([Ok(Reply::new(503, &[("retry-after", "2")], b"")), stored()]);
    put(&script).unwrap();
    assert_eq!(script.happened().pauses, [Duration::from_secs(2)]);
}

#[test]
fn a_head_gives_length_and_type() {
    let headers = [("content-length", "12345"), ("content-type", "image/webp")];
    let script = Script::new([Ok(Reply::new(200, &headers, b""))]);
    assert_eq!(head(&script), Ok(Metadata { size_bytes: 12345, content_type: "image/webp".to_owned() }));
    assert_eq!(script.happened().sent[0].method, Method::Head);
}

#[test]
fn a_refused_head_is_explained_by_a_get_of_one_byte() {
    for (code, expected) in
        [("NoSuchKey", Error::NotFound.to_string()), ("NoSuchBucket", "the bucket blobs".to_owned())]
    {
        let script = Script::new([Ok(Reply::new(404, &[], b"")), Ok(Reply::refusal(404, code))]);
        let error = head(&script).unwrap_err().to_string();
        assert!(error.contains(&expected), "{error}");
        let sent = &script.happened().sent;
        assert_eq!((sent[1].method, sent[1].headers["range"].as_str()), (Method::Get, "bytes=0-0"));
    }
}

#[test]
fn a_blob_that_appears_during_a_head_is_found() {
    let script = Script::new([
        Ok(Reply::new(404, &[], b"")),
        Ok(Reply::new(206, &[], b"x")),
        Ok(Reply::new(200, &[("content-length", "1")], b"")),
    ]);
    assert_eq!(head(&script).unwrap().size_bytes, 1);
}

#[test]
fn a_delete_of_nothing_succeeds_and_of_a_missing_bucket_fails() {
    assert_eq!(delete(&Script::new([Ok(Reply::new(204, &[], b""))])), Ok(()));
    assert_eq!(delete(&Script::new([Ok(Reply::refusal(404, "NoSuchKey"))])), Ok(()));
    assert!(matches!(delete(&Script::new([Ok(Reply::refusal(404, "NoSuchBucket"))])), Err(Error::Other(_))));
}

#[test]
fn a_check_asks_for_what_is_not_there() {
    let script = Script::new([Ok(Reply::refusal(404, "NoSuchKey"))]);
    assert_eq!(check(&script), Ok(()));
    let asked = &script.happened().sent[0].path;
    assert_eq!(Key::parse(asked.strip_prefix("/blobs/prod/").unwrap()), None, "{asked} is no key of a blob");
    assert!(matches!(
        check(&Script::new([Ok(Reply::refusal(403, "AccessDenied"))])),
        Err(Error::AccessDenied(_))
    ));
}

#[test]
fn an_error_document_without_an_end_does_not_hide_the_status() {
    let mut broken = Reply::new(403, &[], b"");
    broken.body_fault = Some(Fault::BROKEN_OFF);
    assert!(matches!(put(&Script::new([Ok(broken)])), Err(Error::AccessDenied(_))));
    let endless = Reply::new(403, &[], &vec![b'<'; 1 << 20]);
    assert!(matches!(put(&Script::new([Ok(endless)])), Err(Error::AccessDenied(_))));
}
