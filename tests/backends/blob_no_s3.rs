//! What is said about a server that is no S3 server, or one that misbehaves: it believes nothing, follows nowhere and reads no
//! more than it may.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, TcpListener};

use thumbs::capabilities::blob::{Backend, wit};
use thumbs::clients::ServerFault;
use thumbs_tests::servers::{Bucket, S3};

use super::component_blobs::ComponentBlobs;
use super::native_blobs::{clean, refusals, store, unavailable};

/// A server that gives each connection this answer, whatever it asks, and closes it. An answer to one of several requests has to say
/// `connection: close`: without it the next request may go out on a connection that is about to end.
struct Script {
    listener: TcpListener,
}

impl Script {
    fn new(answer: &'static [u8]) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let accepting = listener.try_clone().unwrap();
        // It ends with the test's process; nothing waits for it.
        std::thread::spawn(move || {
            while let Ok((mut socket, _)) = accepting.accept() {
                std::thread::spawn(move || {
                    let mut request = [0; 4096];
                    let _broken_off = socket
                        .read(&mut request)
                        .and_then(|_| socket.write_all(answer))
                        .and_then(|()| socket.shutdown(Shutdown::Write))
                        // To close with something unread would take the answer back.
                        .and_then(|()| io::copy(&mut socket, &mut io::sink()));
                });
            }
        });
        Self { listener }
    }

    fn bucket(&self, scheme: &str) -> Bucket {
        Bucket {
            endpoint: format!("{scheme}://{}", self.listener.local_addr().unwrap()),
            name: "blobs".to_owned(),
            region: "us-east-1".to_owned(),
            access_key_id: "key".to_owned(),
            secret_access_key: "secret/hunter2".to_owned(),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_no_s3_server_is_said_to_be_none() {
    for (answer, word) in [
        (&b"HTTP/1.1 404 Not Found\r\ncontent-length: 4\r\n\r\nnone"[..], "is it an S3 endpoint"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", "is not one of S3"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\nhello", "within HTTP"),
        (b"-ERR unknown command 'GET'\r\n", "within HTTP"),
        (b"", "broke off"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhello", "broke off"),
    ] {
        let script = Script::new(answer);
        let bucket = script.bucket("http");
        let error = store(&bucket).get("a", 10).await.unwrap_err();
        assert!(clean(&bucket, &error).contains(word), "{:?}: {error:?}", String::from_utf8_lossy(answer));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_web_server_that_says_yes_to_a_put_has_stored_nothing() {
    let script = Script::new(
        b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: text/html\r\ncontent-length: 0\r\n\r\n",
    );
    let bucket = script.bucket("http");
    let stores: [Box<dyn Backend>; 2] =
        [Box::new(store(&bucket)), Box::new(ComponentBlobs::over_s3(&bucket))];
    for store in stores {
        let error = store.put("a", "image/png", b"x".to_vec()).await.unwrap_err();
        assert!(matches!(&error, wit::Error::Other(text) if text.contains("is not one of S3")), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_length_over_the_bound_is_believed_and_nothing_is_read() {
    let script = Script::new(b"HTTP/1.1 200 OK\r\ncontent-length: 9007199254740993\r\n\r\n");
    let error = store(&script.bucket("http")).get("a", 1 << 20).await.unwrap_err();
    assert!(matches!(error, wit::Error::TooLarge(bound) if bound == 1 << 20), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn tls_where_the_server_speaks_http_is_named() {
    let script = Script::new(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n");
    let bucket = script.bucket("https");
    let error = store(&bucket).get("a", 10).await.unwrap_err();
    assert!(unavailable(&error).contains("does s3_endpoint_url say https"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_does_not_resolve_is_named() {
    let script = Script::new(b"");
    // RFC 6761, section 6.4: this name never resolves.
    let bucket = Bucket { endpoint: "http://s3.invalid:9000".to_owned(), ..script.bucket("http") };
    let error = store(&bucket).get("a", 10).await.unwrap_err();
    assert!(unavailable(&error).contains("its name can't be resolved"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirect_is_not_followed_with_credentials() {
    let s3 = S3::start();
    let target: &'static str = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nconnection: close\r\nlocation: {}/{}/a\r\ncontent-length: 0\r\n\r\n",
        s3.bucket().endpoint,
        s3.bucket().name
    )
    .leak();
    let script = Script::new(target.as_bytes());
    let store = store(&script.bucket("http"));
    for error in refusals(&store).await {
        assert!(matches!(error, wit::Error::Other(_)), "{error:?}");
        assert!(error.to_string().contains("redirects to another place"), "{error:?}");
    }
    let Err(ServerFault::Refused(text)) = store.check().await else { panic!("a redirect is refused") };
    assert!(text.contains("redirects to another place"), "{text}");
    assert_eq!(s3.handled(), []);
}
