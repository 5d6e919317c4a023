//! What every S3 server must do for the tests: the client of `thumbs-s3`, over sockets, against a real server.
//!
//! What the service makes of a server is in the tests of its back ends.

use std::collections::HashMap;
use std::time::{Duration, Instant, SystemTime};

use thumbs_s3::request::Request;
use thumbs_s3::retry::Policy;
use thumbs_s3::transport::{Answer, BodyFault, Fault, Transport, now};
use thumbs_s3::{Client, ContentType, Error, InvalidSetting, Key, Metadata, Settings};

use super::Bucket;
use super::exchange::{Reply, exchange};

pub(super) const DATA: &[u8] = b"\x89PNG and some more";
/// The key of the one blob that [`keeps_blobs`] leaves.
pub(super) const LEFT_OVER: &str = "results/left-over";
const LARGE_BYTES: usize = 30 << 20;

/// The world by sockets and the system's clock. Each function waits inside.
struct Sockets {
    start: Instant,
}

impl Transport for Sockets {
    type Answer = Reply;

    async fn send(&self, request: Request, body: bytes::Bytes, _: Duration) -> Result<Reply, Fault> {
        let (_, port) = request.authority.rsplit_once(':').expect("test servers have ports of their own");
        let headers: Vec<_> = request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let port = port.parse().expect("a port is a number");
        exchange(port, request.method.as_str(), &request.path, &headers, &body)
            .map_err(|_| Fault::Network("a socket says no"))
    }
    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
    fn time_of_day(&self) -> SystemTime {
        SystemTime::now()
    }
    async fn pause(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
    fn random(&self) -> u64 {
        u64::from(self.start.elapsed().subsec_nanos())
    }
}

impl Answer for Reply {
    fn status(&self) -> u16 {
        self.status
    }
    fn header(&self, name: &str) -> Option<String> {
        self.headers.iter().find(|(its_name, _)| its_name == name).map(|(_, value)| value.clone())
    }
    async fn body(self, max_bytes: u64) -> Result<Vec<u8>, BodyFault> {
        if self.body.len() as u64 > max_bytes { Err(BodyFault::TooLarge) } else { Ok(self.body) }
    }
}

/// The client, run to the end of each operation.
struct Blobs {
    settings: Settings,
    sockets: Sockets,
}

impl Blobs {
    fn of(bucket: &Bucket) -> Self {
        let variables: HashMap<_, _> = bucket.variables().into_iter().collect();
        let value = |name: &str| Ok::<_, InvalidSetting>(variables[name].clone());
        let settings = Settings::read(&variables["blob_url"], value).expect("settings that are right");
        Self { settings, sockets: Sockets { start: Instant::now() } }
    }
    fn client(&self) -> Client<'_, Sockets> {
        Client::new(&self.settings, &self.sockets, Policy::DEFAULT)
    }
    fn put(&self, name: &str, content_type: &str, data: &[u8]) -> Result<(), Error> {
        let content_type = ContentType::parse(content_type).expect("a content type");
        now(self.client().put(key(name), content_type, data.to_vec().into()))
    }
    fn get(&self, name: &str, max_bytes: u64) -> Result<(Metadata, Vec<u8>), Error> {
        now(self.client().get(key(name), max_bytes))
    }
    fn head(&self, name: &str) -> Result<Metadata, Error> {
        now(self.client().head(key(name)))
    }
    fn delete(&self, name: &str) -> Result<(), Error> {
        now(self.client().delete(key(name)))
    }
}

fn key(name: &str) -> Key<'_> {
    Key::parse(name).expect("a key")
}

pub(super) fn put(bucket: &Bucket, name: &str) -> Result<(), Error> {
    Blobs::of(bucket).put(name, "image/png", DATA)
}

pub(super) fn get(bucket: &Bucket, name: &str) -> Result<Vec<u8>, Error> {
    Blobs::of(bucket).get(name, 1 << 20).map(|(_, data)| data)
}

fn head(bucket: &Bucket) -> Result<Metadata, Error> {
    Blobs::of(bucket).head(LEFT_OVER)
}

/// Puts, replaces, reads and deletes, small, empty and large.
pub(super) fn keeps_blobs(bucket: &Bucket) {
    let blobs = Blobs::of(bucket);
    let name = "uploads/0197/a_b-c.png";
    assert_eq!(blobs.get(name, 100), Err(Error::NotFound));
    assert_eq!(blobs.head(name), Err(Error::NotFound));
    assert_eq!(blobs.delete(name), Ok(()), "deleting what is not there");

    blobs.put(name, "image/gif", b"first").unwrap();
    blobs.put(name, "image/png", DATA).unwrap();
    let (metadata, data) = blobs.get(name, DATA.len() as u64).unwrap();
    assert_eq!((metadata.content_type.as_str(), data.as_slice()), ("image/png", DATA));
    assert_eq!(blobs.head(name), Ok(metadata));
    let one_less = DATA.len() as u64 - 1;
    assert_eq!(blobs.get(name, one_less), Err(Error::TooLarge(one_less)));
    blobs.delete(name).unwrap();
    assert_eq!(blobs.get(name, 100), Err(Error::NotFound));

    blobs.put("empty", "text/plain", b"").unwrap();
    assert_eq!(blobs.head("empty").unwrap().size_bytes, 0);
    assert_eq!(blobs.get("empty", 0).unwrap().1, b"");
    blobs.delete("empty").unwrap();

    let bytes: Vec<u8> = (0..LARGE_BYTES).map(|index| (index % 251) as u8).collect();
    blobs.put("large", "image/jpeg", &bytes).unwrap();
    assert_eq!(blobs.head("large").unwrap().size_bytes, LARGE_BYTES as u64);
    assert!(blobs.get("large", LARGE_BYTES as u64).unwrap().1 == bytes);
    blobs.delete("large").unwrap();

    blobs.put(LEFT_OVER, "image/png", DATA).unwrap();
}

/// Each wrong setting gets its own sentence, and no sentence has a secret in it.
pub(super) fn refuses_what_is_wrong(bucket: &Bucket) {
    let secret = &bucket.secret_access_key;
    let wrong_secret = Bucket { secret_access_key: format!("{secret}x"), ..bucket.clone() };
    let wrong_key = Bucket { access_key_id: "nobody".to_owned(), ..bucket.clone() };
    let wrong_region = Bucket { region: "us-east-1".to_owned(), ..bucket.clone() };
    for (wrong, word) in [
        (&wrong_secret, "s3_secret_access_key"),
        (&wrong_key, "s3_access_key_id"),
        (&wrong_region, "s3_region"),
    ] {
        for error in
            [put(wrong, "a").unwrap_err(), get(wrong, LEFT_OVER).unwrap_err(), head(wrong).unwrap_err()]
        {
            assert!(matches!(error, Error::AccessDenied(_)), "{word}: {error:?}");
            assert!(error.to_string().contains(word), "{word}: {error}");
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }
    let missing = Bucket { name: "no-such-bucket".to_owned(), ..bucket.clone() };
    for error in
        [put(&missing, "a").unwrap_err(), get(&missing, "a").unwrap_err(), head(&missing).unwrap_err()]
    {
        assert!(error.to_string().contains("no-such-bucket does not exist"), "{error:?}");
    }
}
