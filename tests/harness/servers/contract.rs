//! What every S3 server must do for the `blob-store` component: its client, run natively, against a real server.
//!
//! The same through the component's wasm, with the host's HTTP, is in the end-to-end tests.

use std::time::{Duration, Instant, SystemTime};

use thumbs_blob_store::error::Error;
use thumbs_blob_store::key::{ContentType, ObjectKey};
use thumbs_blob_store::retry;
use thumbs_blob_store::s3::client::S3Blobs;
use thumbs_blob_store::s3::host::{Answer, BodyFault, Fault, Host, Request};
use thumbs_blob_store::s3::settings::Settings;

use super::Bucket;
use super::exchange::{Reply, exchange};

pub(super) const DATA: &[u8] = b"\x89PNG and some more";
/// The key of the one blob that [`keeps_blobs`] leaves.
pub(super) const LEFT_OVER: &str = "results/left-over";
const LARGE_BYTES: usize = 30 << 20;

/// The world by sockets and the system's clock.
struct Native {
    start: Instant,
}

impl Host for Native {
    type Answer = Reply;

    fn send(&self, request: &Request, body: &[u8], _: Duration) -> Result<Reply, Fault> {
        let port = request.url.port().expect("test servers have ports of their own");
        let target = &request.url[url::Position::BeforePath..url::Position::AfterQuery];
        let headers: Vec<_> = request.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        exchange(port, request.method.to_str(), target, &headers, body)
            .map_err(|_| Fault::Network("a socket says no"))
    }
    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }
    fn timestamp(&self) -> jiff::Timestamp {
        SystemTime::now().try_into().expect("a time of this era")
    }
    fn pause(&self, duration: Duration) {
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
    fn body(self, max_bytes: u64) -> Result<Vec<u8>, BodyFault> {
        if self.body.len() as u64 > max_bytes { Err(BodyFault::TooLarge) } else { Ok(self.body) }
    }
}

fn with_blobs<T>(bucket: &Bucket, act: impl FnOnce(&S3Blobs<'_, Native>) -> T) -> T {
    let variables: std::collections::HashMap<_, _> = bucket.variables().into_iter().collect();
    let location = variables["blob_url"].strip_prefix("s3:").expect("a bucket's address").to_owned();
    let settings =
        Settings::read(&location, |name| Ok(variables[name].clone())).expect("settings that are right");
    act(&S3Blobs::new(&settings, &Native { start: Instant::now() }, retry::DEFAULT))
}

fn key(key: &str) -> ObjectKey {
    ObjectKey::parse(key.to_owned()).expect("a key")
}

fn content_type(text: &str) -> ContentType {
    ContentType::parse(text.to_owned()).expect("a content type")
}

pub(super) fn put(bucket: &Bucket, name: &str) -> Result<(), Error> {
    with_blobs(bucket, |blobs| blobs.put(&key(name), &content_type("image/png"), DATA))
}

pub(super) fn get(bucket: &Bucket, name: &str) -> Result<Vec<u8>, Error> {
    with_blobs(bucket, |blobs| blobs.get(&key(name), 1 << 20)).map(|(_, data)| data)
}

/// Puts, replaces, reads and deletes, small, empty and large.
pub(super) fn keeps_blobs(bucket: &Bucket) {
    with_blobs(bucket, |blobs| {
        let name = key("uploads/0197/a_b-c.png");
        assert_eq!(blobs.get(&name, 100), Err(Error::NotFound));
        assert_eq!(blobs.head(&name), Err(Error::NotFound));
        assert_eq!(blobs.delete(&name), Ok(()), "deleting what is not there");

        blobs.put(&name, &content_type("image/gif"), b"first").unwrap();
        blobs.put(&name, &content_type("image/png"), DATA).unwrap();
        let (metadata, data) = blobs.get(&name, DATA.len() as u64).unwrap();
        assert_eq!((metadata.content_type.as_str(), data.as_slice()), ("image/png", DATA));
        assert_eq!(blobs.head(&name), Ok(metadata));
        let one_less = DATA.len() as u64 - 1;
        assert_eq!(blobs.get(&name, one_less), Err(Error::TooLarge(one_less)));
        blobs.delete(&name).unwrap();
        assert_eq!(blobs.get(&name, 100), Err(Error::NotFound));

        let empty = key("empty");
        blobs.put(&empty, &content_type("text/plain"), b"").unwrap();
        assert_eq!(blobs.head(&empty).unwrap().size_bytes, 0);
        assert_eq!(blobs.get(&empty, 0).unwrap().1, b"");
        blobs.delete(&empty).unwrap();

        let large = key("large");
        let bytes: Vec<u8> = (0..LARGE_BYTES).map(|index| (index % 251) as u8).collect();
        blobs.put(&large, &content_type("image/jpeg"), &bytes).unwrap();
        assert_eq!(blobs.head(&large).unwrap().size_bytes, LARGE_BYTES as u64);
        assert!(blobs.get(&large, LARGE_BYTES as u64).unwrap().1 == bytes);
        blobs.delete(&large).unwrap();

        blobs.put(&key(LEFT_OVER), &content_type("image/png"), DATA).unwrap();
    });
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

fn head(bucket: &Bucket) -> Result<(), Error> {
    with_blobs(bucket, |blobs| blobs.head(&key(LEFT_OVER))).map(drop)
}
