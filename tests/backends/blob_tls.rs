//! TLS between the native store and an S3 server: whose certificates it trusts, and that it asks no proxy.
//!
//! The certificate in `fixtures/tls` is for `localhost`, signed by itself and good for a hundred years; its key guards nothing.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use thumbs::capabilities::blob::{Backend as _, wit};
use thumbs::clients::ServerFault;
use thumbs_tests::servers::{Bucket, S3};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::native_blobs::store;

/// Where rustls looks for the system's certificates.
pub(crate) const TRUSTED: &str = "SSL_CERT_FILE";

pub(crate) fn fixture(name: &str) -> PathBuf {
    thumbs_tests::repository_root().join("tests/fixtures/tls").join(name)
}

/// The same bucket by TLS.
async fn by_tls(bucket: Bucket) -> Bucket {
    let behind = bucket.endpoint.strip_prefix("http://").unwrap().parse().unwrap();
    let port = tls_before(behind).await;
    Bucket { endpoint: format!("https://localhost:{port}"), ..bucket }
}

/// The port of a front on `localhost` that takes TLS off and passes the bytes on, until the test's runtime ends.
pub(crate) async fn tls_before(behind: SocketAddr) -> u16 {
    let certificate = CertificateDer::from_pem_file(fixture("localhost.crt")).unwrap();
    let key = PrivateKeyDer::from_pem_file(fixture("localhost.key")).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let Ok(mut client) = acceptor.accept(socket).await else { return };
                let Ok(mut server) = TcpStream::connect(behind).await else { return };
                let _broken_off = tokio::io::copy_bidirectional(&mut client, &mut server).await;
            });
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_the_system_does_not_trust_is_refused() {
    let s3 = S3::start();
    let store = store(&by_tls(s3.bucket()).await);
    let error = store.get("a", 10).await.unwrap_err();
    assert!(matches!(&error, wit::Error::Other(text) if text.contains("not trusted")), "{error:?}");
    let Err(ServerFault::Refused(text)) = store.check().await else { panic!("it is refused") };
    assert!(text.contains("not trusted"), "{text}");
    assert_eq!(s3.handled(), []);
}

/// Runs itself again in a process of its own, because what is trusted and which proxy there is stands in the environment.
#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_the_system_trusts_is_taken_and_no_proxy_is_asked() {
    const NAME: &str =
        "backends::blob_tls::a_certificate_that_the_system_trusts_is_taken_and_no_proxy_is_asked";
    let certificate = fixture("localhost.crt");
    if std::env::var_os(TRUSTED).is_some_and(|trusted| trusted == certificate) {
        return is_spoken_to().await;
    }
    let mut again = Command::new(std::env::current_exe().unwrap());
    again.args(["--exact", NAME]).env(TRUSTED, certificate).env_remove("NO_PROXY").env_remove("no_proxy");
    for proxy in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        // Nothing listens there.
        again.env(proxy, "http://127.0.0.1:1");
    }
    let output = again.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

async fn is_spoken_to() {
    let s3 = S3::start();
    for bucket in [by_tls(s3.bucket()).await, s3.bucket()] {
        let store = store(&bucket);
        store.check().await.unwrap();
        store.put("a", "image/png", b"x".to_vec()).await.unwrap();
        assert_eq!(store.get("a", 1).await.unwrap().data, b"x");
        store.delete("a").await.unwrap();
    }
}
