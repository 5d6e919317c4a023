//! Whatever a server answers in the place of S3: each operation ends, asks for no more of a body than it may give, and what it gives is what
//! it promises.
//!
//! The first line is the operation, a number and two texts; answers follow, each behind a line with a record separator: a line with the status
//! (0 is none, a lost connection), lines of headers, an empty line, and the body. The last one comes again and again.

#![no_main]

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use thumbs_s3::request::Request;
use thumbs_s3::retry::Policy;
use thumbs_s3::transport::{Answer, BodyFault, Fault, Transport, now};
use thumbs_s3::{Client, ContentType, Download, Error, InvalidSetting, Key, Settings, Upload, key};

/// What an answer that is a document may have.
const DOCUMENT_BYTES: u64 = 64 << 10;
/// The same of a list.
const LISTING_BYTES: u64 = 4 << 20;
/// What is read of a blob at once.
const PIECE_BYTES: u64 = 1 << 20;
/// No operation takes as many requests: each takes a moment, and all together have their time.
const MAX_REQUESTS: u64 = 1_000;
const MOMENT: Duration = Duration::from_millis(100);
const SEPARATOR: &[u8] = b"\x1e\n";

libfuzzer_sys::fuzz_target!(|input: &[u8]| -> libfuzzer_sys::Corpus {
    let Some((head, script)) = split(input, b"\n") else { return libfuzzer_sys::Corpus::Reject };
    let Ok(head) = str::from_utf8(head) else { return libfuzzer_sys::Corpus::Reject };
    let mut words = head.split(' ');
    let (Some(operation), Some(number)) =
        (words.next(), words.next().and_then(|word| word.parse::<u16>().ok()))
    else {
        return libfuzzer_sys::Corpus::Reject;
    };
    let (one, other) = (words.next().unwrap_or("uploads/a"), words.next().unwrap_or_default());
    let server =
        Server { script: pieces(script), asked: AtomicU64::new(0), most: AtomicU64::new(DOCUMENT_BYTES) };
    let client = Client::new(settings(), &server, Policy::DEFAULT);
    let may_ask = |bytes: u64| server.most.fetch_max(bytes, Relaxed);
    let max_bytes = u64::from(number);
    let Some(key) = Key::parse(one).filter(|_| operation != "list") else {
        if operation != "list" || !key::is_start(one) || !key::is_start(other) {
            return libfuzzer_sys::Corpus::Reject;
        }
        may_ask(LISTING_BYTES);
        let listed = now(client.list(one, other, number.into()));
        check_list(listed, one, other, number.into());
        return libfuzzer_sys::Corpus::Keep;
    };
    match operation {
        "get" => {
            may_ask(max_bytes);
            if let Ok((metadata, data)) = now(client.get(key, max_bytes)) {
                assert_eq!(metadata.size_bytes, data.len() as u64);
                assert!(data.len() as u64 <= max_bytes);
            }
        }
        "head" => drop(now(client.head(key))),
        "check" => drop(now(client.check())),
        "delete" => drop(now(client.delete(key))),
        "put" | "upload" => {
            let Some(kind) = ContentType::parse("image/png") else { return libfuzzer_sys::Corpus::Reject };
            let data = if operation == "put" { &LARGE[..number.into()] } else { &LARGE[..] };
            drop(now(write(&client, Upload::new(key, kind), data)));
        }
        "read" => {
            may_ask(max_bytes.max(PIECE_BYTES));
            if let Ok(mut download) = now(Download::open(&client, key, max_bytes)) {
                let size = download.metadata().size_bytes;
                assert!(size <= max_bytes);
                let mut read = 0;
                while let Ok(piece) = now(download.read(&client)) {
                    if piece.is_empty() {
                        assert_eq!(read, size, "the whole blob, or an error");
                        break;
                    }
                    read += piece.len() as u64;
                    assert!(read <= size);
                }
            }
        }
        _ => return libfuzzer_sys::Corpus::Reject,
    }
    libfuzzer_sys::Corpus::Keep
});

/// A byte more than a part.
static LARGE: [u8; (5 << 20) + 1] = [7; (5 << 20) + 1];

async fn write(client: &Client<'_, Server>, mut upload: Upload, data: &[u8]) -> Result<(), Error> {
    match upload.write(client, data).await {
        Ok(()) => upload.finish(client).await,
        Err(error) => {
            upload.abort(client).await;
            Err(error)
        }
    }
}

fn check_list(listed: Result<Vec<String>, Error>, prefix: &str, after: &str, limit: usize) {
    let Ok(keys) = listed else { return };
    assert!(keys.len() <= limit);
    assert!(keys.is_sorted_by(|one, next| one < next), "in order, each once: {keys:?}");
    for key in keys {
        assert!(Key::parse(&key).is_some());
        assert!(key.starts_with(prefix) && key.as_str() > after, "{key:?} is not among what was asked for");
    }
}

fn settings() -> &'static Settings {
    static SETTINGS: std::sync::OnceLock<Settings> = std::sync::OnceLock::new();
    SETTINGS.get_or_init(|| {
        let variable = |name: &str| -> Result<String, InvalidSetting> {
            Ok(match name {
                "s3_endpoint_url" => "http://localhost:9000",
                "s3_region" => "us-east-1",
                "s3_path_style" => "true",
                "s3_access_key_id" => "AKIAEXAMPLE",
                "s3_secret_access_key" => "a-secret",
                _ => "",
            }
            .to_owned())
        };
        Settings::read("s3://blobs/prod", variable).expect("settings")
    })
}

/// Answers by the script.
struct Server {
    script: Vec<Reply>,
    asked: AtomicU64,
    /// The most that may be asked for of a body.
    most: AtomicU64,
}

#[derive(Clone, Debug)]
struct Reply {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    most: u64,
}

impl Answer for Reply {
    fn status(&self) -> u16 {
        self.status
    }

    fn header(&self, name: &str) -> Option<String> {
        let mut values = self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value);
        values.next().filter(|_| values.next().is_none()).cloned()
    }

    async fn body(self, max_bytes: u64) -> Result<Vec<u8>, BodyFault> {
        assert!(max_bytes <= self.most, "{max_bytes} bytes are asked for, and {} may be", self.most);
        if self.body.len() as u64 > max_bytes { Err(BodyFault::TooLarge) } else { Ok(self.body) }
    }
}

impl Transport for Server {
    type Answer = Reply;

    async fn send(&self, request: Request, _: Bytes, time_left: Duration) -> Result<Reply, Fault> {
        assert!(!time_left.is_zero());
        check_request(&request);
        let asked = self.asked.fetch_add(1, Relaxed);
        assert!(asked < MAX_REQUESTS, "there is no end of requests");
        let at = usize::try_from(asked).unwrap_or(usize::MAX).min(self.script.len().saturating_sub(1));
        let reply = self.script.get(at).ok_or(Fault::REFUSED)?;
        if reply.status == 0 {
            return Err(Fault::BROKEN_OFF);
        }
        Ok(Reply { most: self.most.load(Relaxed), ..reply.clone() })
    }

    fn monotonic(&self) -> Duration {
        MOMENT * u32::try_from(self.asked.load(Relaxed)).unwrap_or(u32::MAX)
    }

    fn time_of_day(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)
    }

    async fn pause(&self, _: Duration) {}

    fn random(&self) -> u64 {
        4
    }
}

/// It can be sent as it is, whatever of it the server said before.
fn check_request(request: &Request) {
    let target: Result<http::uri::PathAndQuery, _> = request.path.parse();
    assert!(target.is_ok_and(|target| target.as_str() == request.path), "{}", request.path);
    for (name, value) in &request.headers {
        assert!(http::HeaderValue::from_str(value).is_ok(), "{name}");
    }
}

fn pieces(script: &[u8]) -> Vec<Reply> {
    let mut rest = Some(script);
    let mut replies = Vec::new();
    while let Some(script) = rest {
        let (one, after) = match split(script, SEPARATOR) {
            Some((one, after)) => (one, Some(after)),
            None => (script, None),
        };
        rest = after;
        replies.extend(reply(one));
    }
    replies
}

/// None where HTTP would not let it through.
fn reply(text: &[u8]) -> Option<Reply> {
    let (status, mut rest) = split(text, b"\n")?;
    let status: u16 = str::from_utf8(status).ok()?.parse().ok()?;
    let mut headers = Vec::new();
    loop {
        let (line, after) = split(rest, b"\n")?;
        rest = after;
        if line.is_empty() {
            break;
        }
        let (name, value) = str::from_utf8(line).ok()?.split_once(": ")?;
        http::HeaderName::from_bytes(name.as_bytes()).ok()?;
        let value = http::HeaderValue::from_str(value).ok()?;
        headers.push((name.to_ascii_lowercase(), value.to_str().ok()?.trim().to_owned()));
    }
    (status == 0 || (200..600).contains(&status)).then(|| Reply {
        status,
        headers,
        body: rest.to_vec(),
        most: 0,
    })
}

fn split<'a>(bytes: &'a [u8], at: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let begin = bytes.windows(at.len()).position(|window| window == at)?;
    Some((&bytes[..begin], &bytes[begin + at.len()..]))
}
