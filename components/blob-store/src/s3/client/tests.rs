//! The client against a scripted world: every answer that a server, a network or a host can give, in any order.
//!
//! Whether real servers accept the signatures is tested end to end, not here.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use jiff::Timestamp;
use rusty_s3::Method;

use super::*;
use crate::retry;
use crate::s3::host::{Answer, BodyFault, Fault, Host, Request};

const GONE: Fault = Fault::Network("it refuses the connection");

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
    fn body(self, max_bytes: u64) -> Result<Vec<u8>, BodyFault> {
        match self.body_fault {
            Some(fault) => Err(BodyFault::Fault(fault)),
            None if self.body.len() as u64 > max_bytes => Err(BodyFault::TooLarge),
            None => Ok(self.body),
        }
    }
}

struct Sent {
    method: Method,
    url: url::Url,
    headers: BTreeMap<&'static str, String>,
    body: Vec<u8>,
}

/// Answers by the script; each request takes `latency`, each pause moves the clock.
#[derive(Default)]
struct Script {
    replies: RefCell<VecDeque<Result<Reply, Fault>>>,
    sent: RefCell<Vec<Sent>>,
    pauses: RefCell<Vec<Duration>>,
    clock: Cell<Duration>,
    latency: Duration,
}

impl Script {
    fn new(replies: impl IntoIterator<Item = Result<Reply, Fault>>) -> Self {
        Self { replies: RefCell::new(replies.into_iter().collect()), ..Self::default() }
    }

    fn attempts(&self) -> usize {
        self.sent.borrow().len()
    }
}

impl Host for Script {
    type Answer = Reply;

    fn send(&self, request: &Request, body: &[u8], time_left: Duration) -> Result<Reply, Fault> {
        assert!(!time_left.is_zero());
        self.clock.set(self.clock.get() + self.latency.min(time_left));
        self.sent.borrow_mut().push(Sent {
            method: request.method,
            url: request.url.clone(),
            headers: request.headers.iter().cloned().collect(),
            body: body.to_vec(),
        });
        self.replies.borrow_mut().pop_front().expect("one request too many")
    }
    fn monotonic(&self) -> Duration {
        self.clock.get()
    }
    fn timestamp(&self) -> Timestamp {
        Timestamp::from_second(1_790_000_000).unwrap()
    }
    fn pause(&self, duration: Duration) {
        self.pauses.borrow_mut().push(duration);
        self.clock.set(self.clock.get() + duration);
    }
    fn random(&self) -> u64 {
        4
    }
}

fn settings() -> Settings {
    Settings::read("//blobs/prod", |name| {
        Ok(match name {
            "s3_endpoint_url" => "http://localhost:9000",
            "s3_region" => "us-east-1",
            "s3_path_style" => "true",
            "s3_access_key_id" => "AKIAEXAMPLE",
            "s3_secret_access_key" => "hunter2",
            other => panic!("{other} was asked for"),
        }
        .to_owned())
    })
    .unwrap()
}

fn key() -> ObjectKey {
    ObjectKey::parse("uploads/a.png".to_owned()).unwrap()
}

fn png() -> ContentType {
    ContentType::parse("image/png".to_owned()).unwrap()
}

fn put(script: &Script) -> Result<(), Error> {
    S3Blobs::new(&settings(), script, retry::DEFAULT).put(&key(), &png(), b"123456789")
}

fn get(script: &Script, max_bytes: u64) -> Result<(Metadata, Vec<u8>), Error> {
    S3Blobs::new(&settings(), script, retry::DEFAULT).get(&key(), max_bytes)
}

fn head(script: &Script) -> Result<Metadata, Error> {
    S3Blobs::new(&settings(), script, retry::DEFAULT).head(&key())
}

fn delete(script: &Script) -> Result<(), Error> {
    S3Blobs::new(&settings(), script, retry::DEFAULT).delete(&key())
}

fn ok() -> Result<Reply, Fault> {
    Ok(Reply::new(200, &[], b""))
}

#[test]
fn a_put_is_signed_with_its_type_and_checksum() {
    let script = Script::new([ok()]);
    put(&script).unwrap();
    let sent = script.sent.borrow();
    let [sent] = sent.as_slice() else { panic!("one request") };
    assert_eq!((sent.method, sent.url.path()), (Method::Put, "/blobs/prod/uploads/a.png"));
    assert_eq!(sent.body, b"123456789");
    assert_eq!(sent.headers["content-type"], "image/png");
    assert_eq!(sent.headers["content-length"], "9");
    // The check value of CRC-32/ISO-HDLC for these nine digits is cbf43926.
    assert_eq!(sent.headers["x-amz-checksum-crc32"], "y/Q5Jg==");
    let query: BTreeMap<_, _> = sent.url.query_pairs().into_owned().collect();
    assert_eq!(query["X-Amz-SignedHeaders"], "content-type;host;x-amz-checksum-crc32");
    assert!(query["X-Amz-Credential"].ends_with("/us-east-1/s3/aws4_request"));
    assert!(!sent.url.as_str().contains("hunter2"));
}

#[test]
fn a_get_gives_the_bytes_and_the_type() {
    let script = Script::new([Ok(Reply::new(200, &[("content-type", "image/gif")], b"GIF"))]);
    let (metadata, data) = get(&script, 3).unwrap();
    assert_eq!(metadata, Metadata { size_bytes: 3, content_type: "image/gif".to_owned() });
    assert_eq!(data, b"GIF");
}

#[test]
fn a_blob_over_the_bound_is_refused_by_its_length_and_without_one() {
    let mut declared = Reply::new(200, &[("content-length", "4")], b"");
    declared.body_fault = Some(Fault::Request("the body must not be read"));
    assert_eq!(get(&Script::new([Ok(declared)]), 3), Err(Error::TooLarge(3)));
    let undeclared = Reply::new(200, &[], b"four");
    assert_eq!(get(&Script::new([Ok(undeclared)]), 3), Err(Error::TooLarge(3)));
}

#[test]
fn a_server_that_comes_back_is_not_noticed() {
    let mut broken = Reply::new(200, &[], b"half");
    broken.body_fault = Some(Fault::Network("the connection broke off"));
    let script = Script::new([
        Err(GONE),
        Ok(Reply::refusal(503, "SlowDown")),
        Ok(broken),
        Ok(Reply::new(200, &[], b"whole")),
    ]);
    assert_eq!(get(&script, 100).unwrap().1, b"whole");
    assert_eq!(script.pauses.borrow().len(), 3);
    assert!(script.pauses.borrow().is_sorted(), "each pause is longer: {:?}", script.pauses);
}

#[test]
fn a_server_that_stays_away_is_given_up() {
    let script = Script::new((0..10).map(|_| Err(GONE)));
    let Err(Error::Unavailable(text)) = put(&script) else { panic!("it is away") };
    assert!(text.contains("http://localhost:9000") && text.contains("attempts: 4"), "{text}");
    assert_eq!(script.attempts(), 4);
    assert!(script.clock.get() < Duration::from_secs(2));
}

#[test]
fn a_slow_server_is_given_up_within_the_total_time() {
    let mut script = Script::new((0..10).map(|_| Err(Fault::Network("it was too slow"))));
    script.latency = Duration::from_secs(10);
    assert!(matches!(put(&script), Err(Error::Unavailable(_))));
    assert_eq!(script.attempts(), 3);
    assert!(script.clock.get() <= retry::DEFAULT.total);
}

#[test]
fn what_another_attempt_cannot_help_is_not_tried_again() {
    for (reply, error) in [
        (Ok(Reply::refusal(404, "NoSuchKey")), "no blob"),
        (Ok(Reply::refusal(404, "NoSuchBucket")), "bucket blobs"),
        (Ok(Reply::refusal(403, "SignatureDoesNotMatch")), "s3_secret_access_key"),
        (Err(Fault::Denied), "blob_outbound"),
        (Err(Fault::Request("its TLS certificate is not trusted")), "certificate"),
    ] {
        let script = Script::new([reply]);
        let text = get(&script, 100).unwrap_err().to_string();
        assert!(text.contains(error), "{text}");
        assert_eq!(script.attempts(), 1);
    }
}

#[test]
fn a_server_that_wants_a_pause_gets_it() {
    let script = Script::new([Ok(Reply::new(503, &[("retry-after", "2")], b"")), ok()]);
    put(&script).unwrap();
    assert_eq!(*script.pauses.borrow(), [Duration::from_secs(2)]);
}

#[test]
fn a_head_gives_length_and_type() {
    let headers = [("content-length", "12345"), ("content-type", "image/webp")];
    let script = Script::new([Ok(Reply::new(200, &headers, b""))]);
    assert_eq!(head(&script), Ok(Metadata { size_bytes: 12345, content_type: "image/webp".to_owned() }));
    assert_eq!(script.sent.borrow()[0].method, Method::Head);
}

#[test]
fn a_refused_head_is_explained_by_a_get_of_one_byte() {
    for (code, expected) in
        [("NoSuchKey", Error::NotFound.to_string()), ("NoSuchBucket", "the bucket blobs".to_owned())]
    {
        let script = Script::new([Ok(Reply::new(404, &[], b"")), Ok(Reply::refusal(404, code))]);
        let error = head(&script).unwrap_err().to_string();
        assert!(error.contains(&expected), "{error}");
        let sent = script.sent.borrow();
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
fn an_error_document_without_an_end_does_not_hide_the_status() {
    let mut broken = Reply::new(403, &[], b"");
    broken.body_fault = Some(Fault::Network("the connection broke off"));
    assert!(matches!(put(&Script::new([Ok(broken)])), Err(Error::AccessDenied(_))));
    let endless = Reply::new(403, &[], &vec![b'<'; 1 << 20]);
    assert!(matches!(put(&Script::new([Ok(endless)])), Err(Error::AccessDenied(_))));
}
