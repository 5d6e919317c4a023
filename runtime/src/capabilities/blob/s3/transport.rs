//! How requests to the bucket travel, and where their failures get their meaning.
//!
//! `object_store` signs a request and decides when to try it again; what it hands over goes out here. An answer that is not a success never
//! goes back to it as an answer: it would read the whole of a stranger's error document and put it into its own error. It becomes a
//! [`Fault`] here, which travels back through the errors of `object_store` (their chain of sources), with the one bit that its retries look at.
//! All operations on a bucket are idempotent, a put of a whole object too, so whatever another attempt may mend is tried again.
//!
//! The client is ours as a whole and shares nothing with the rest of the process: TLS by rustls with ring and the system's roots
//! (`SSL_CERT_FILE` and `SSL_CERT_DIR` are heard), no default of the process is read or set. Redirects are not followed, for a signature is
//! for one host. A proxy of the environment (`HTTPS_PROXY` and the like) is not used: where requests with credentials go is decided by the
//! `s3_*` variables and by nothing else.

use std::{
    error::Error as StdError,
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use http_body_util::BodyExt as _;
use object_store::client::{
    ClientOptions, HttpClient, HttpConnector, HttpError, HttpErrorKind, HttpRequest, HttpResponse,
    HttpResponseBody, HttpService,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

use super::{
    answer::{Fault, MAX_DOCUMENT_BYTES, Refusal},
    settings::S3Settings,
};

/// Which region the bucket is in, where the request went to another one.
const BUCKET_REGION: &str = "x-amz-bucket-region";

/// Sends requests to one bucket.
#[derive(Clone)]
pub(super) struct Transport {
    settings: Arc<S3Settings>,
    tls: rustls::ClientConfig,
    patience: Duration,
    /// One for each Tokio runtime. A connection lives on the runtime that made it: requests of another would wait for whatever that one is
    /// busy with, which is guests where it is the workers', and would lose the connection when it ends.
    clients: Arc<Mutex<Vec<(tokio::runtime::Id, reqwest::Client)>>>,
}

impl Transport {
    /// `patience` is the time of a whole operation: connecting takes a part of it at most, so that a second attempt still has time.
    ///
    /// # Errors
    /// The system has no trusted certificates, and the endpoint speaks TLS. One sentence.
    pub(super) fn new(settings: Arc<S3Settings>, patience: Duration) -> Result<Self, String> {
        Ok(Self { tls: tls(&settings)?, settings, patience, clients: Arc::default() })
    }

    /// The client of this runtime.
    fn client(&self) -> Result<reqwest::Client, Fault> {
        let runtime = tokio::runtime::Handle::current().id();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(of, _)| *of == runtime) {
            return Ok(client.clone());
        }
        let builder = reqwest::Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .dns_resolver(Arc::new(Names))
            .http1_only()
            .connect_timeout(self.patience / 3)
            .redirect(reqwest::redirect::Policy::none())
            .referer(false)
            .no_proxy()
            // A blob's length is the answer's, so nothing may be unpacked on the way.
            .no_gzip()
            .no_brotli()
            .no_zstd()
            .no_deflate()
            .user_agent(concat!("thumbs/", env!("CARGO_PKG_VERSION")));
        // A server that vanished without a word leaves connections on which nothing is ever acknowledged. The kernel gives those up early enough
        // for another attempt; a server that is merely slow acknowledges.
        #[cfg(target_os = "linux")]
        let builder = builder.tcp_user_timeout(self.patience / 3);
        let client =
            builder.build().map_err(|_| Fault::Other("this host can't set up an HTTP client".to_owned()))?;
        clients.push((runtime, client.clone()));
        Ok(client)
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Fault> {
        let is_head = request.method() == http::Method::HEAD;
        let response = HttpService::call(&self.client()?, request)
            .await
            .map_err(|error| unanswered(&error, &self.settings))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        // The statuses in between are those whose reason stands in the body.
        if is_head && (300..500).contains(&status.as_u16()) {
            return Err(Fault::Unexplained);
        }
        let (head, body) = response.into_parts();
        let region = head.headers.get(BUCKET_REGION).and_then(|value| value.to_str().ok());
        Err(Refusal::read(status.as_u16(), &document(body).await, region).judge(&self.settings))
    }
}

impl fmt::Debug for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transport").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl HttpConnector for Transport {
    fn connect(&self, _: &ClientOptions) -> object_store::Result<HttpClient> {
        Ok(HttpClient::new(self.clone()))
    }
}

impl HttpService for Transport {
    // Written out, because the trait is of the crate `async-trait`, which is not worth a dependency for one function.
    fn call<'life0, 'async_trait>(
        &'life0 self,
        request: HttpRequest,
    ) -> Pin<Box<dyn Future<Output = Result<HttpResponse, HttpError>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            self.send(request).await.map_err(|fault| {
                let kind = match fault {
                    Fault::Unavailable(_) => RETRIED,
                    _ => HttpErrorKind::Unknown,
                };
                HttpError::new(kind, fault)
            })
        })
    }
}

/// The kind that `object_store` tries again whatever the method.
const RETRIED: HttpErrorKind = HttpErrorKind::Request;

/// The meaning of an error of `object_store`.
pub(super) fn fault(error: &object_store::Error, settings: &S3Settings) -> Fault {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    let mut broken_off = false;
    while let Some(error) = cause {
        if let Some(fault) = error.downcast_ref::<Fault>() {
            return fault.clone();
        }
        broken_off |= error.is::<HttpError>();
        cause = error.source();
    }
    if broken_off {
        // Every failure to get an answer has a fault in it, so this one came while the body was read.
        return unreachable(settings, "the connection broke off");
    }
    Fault::Other(format!("the answer of {} is not one of S3", settings.endpoint()))
}

/// The body of a refusal; nothing where it is too long or breaks off, which leaves the status to judge by.
async fn document(mut body: HttpResponseBody) -> Vec<u8> {
    let mut document = Vec::new();
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return Vec::new() };
        let Ok(piece) = frame.into_data() else { continue };
        if document.len() + piece.len() > MAX_DOCUMENT_BYTES {
            return Vec::new();
        }
        document.extend_from_slice(&piece);
    }
    document
}

/// The meaning of an answer that did not come, or not to its end.
fn unanswered(error: &HttpError, settings: &S3Settings) -> Fault {
    let reason = match reason(error) {
        Some(Reason::Untrusted) => {
            let endpoint = settings.endpoint();
            return Fault::Other(format!("the store at {endpoint}: its TLS certificate is not trusted"));
        }
        Some(Reason::Network(text)) => text,
        None => match error.kind() {
            HttpErrorKind::Timeout => "it was too slow",
            HttpErrorKind::Connect => "the connection can't be made",
            HttpErrorKind::Request | HttpErrorKind::Interrupted => "the connection broke off",
            _ => "the exchange failed within HTTP",
        },
    };
    unreachable(settings, reason)
}

fn unreachable(settings: &S3Settings, reason: &str) -> Fault {
    Fault::Unavailable(format!("the store at {} can't be reached: {reason}", settings.endpoint()))
}

enum Reason {
    Network(&'static str),
    Untrusted,
}

/// What an error, or one of those it comes from, says, where it is of a kind that says something.
fn reason(error: &(dyn StdError + 'static)) -> Option<Reason> {
    if error.is::<NoSuchName>() {
        return Some(Reason::Network("its name can't be resolved"));
    }
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(tls_reason(tls));
    }
    let Some(io) = error.downcast_ref::<io::Error>() else { return error.source().and_then(reason) };
    match io.kind() {
        io::ErrorKind::ConnectionRefused => Some(Reason::Network("it refuses the connection")),
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            Some(Reason::Network("there is no way to it"))
        }
        // The source of an I/O error is that of what it wraps, so what it wraps has to be asked for.
        _ => reason(io.get_ref()?),
    }
}

fn tls_reason(error: &rustls::Error) -> Reason {
    match error {
        rustls::Error::InvalidCertificate(_) => Reason::Untrusted,
        _ => Reason::Network("TLS fails: does s3_endpoint_url say https where the server speaks http?"),
    }
}

fn tls(settings: &S3Settings) -> Result<rustls::ClientConfig, String> {
    let mut roots = rustls::RootCertStore::empty();
    if settings.is_https() {
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        if roots.is_empty() {
            return Err(format!(
                "this system has no trusted certificates, which {} needs: install ca-certificates, or set SSL_CERT_FILE",
                settings.endpoint()
            ));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| "TLS can't be set up".to_owned())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// Resolves names as the system does, with an error that can be told from the others of connecting.
#[derive(Debug)]
struct Names;

#[derive(Debug, Error)]
#[error("the name can't be resolved")]
struct NoSuchName;

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            match tokio::net::lookup_host((name.as_str(), 0)).await {
                Ok(addresses) => Ok(Box::new(addresses.collect::<Vec<_>>().into_iter()) as Addrs),
                Err(_) => Err(Box::new(NoSuchName) as _),
            }
        })
    }
}
