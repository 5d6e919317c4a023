//! The way to a collector: HTTP/1.1, with TLS where its URL says so, over one connection that is kept.
//!
//! TLS is as everywhere in this host: rustls with ring and the system's authorities. Redirects are not followed and no proxy of the environment
//! is used: where spans go is decided by what names the collector.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use crate::clients::tls;

/// An answer says in a few words what of the spans was refused.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// Why spans were not taken.
#[derive(Debug)]
pub(super) struct Fault {
    /// In a sentence without a secret.
    pub(super) reason: String,
    /// Whether the same may be taken later.
    pub(super) may_pass: bool,
}

/// To one collector.
pub(super) struct Wire {
    host: String,
    port: u16,
    path: String,
    headers: HeaderMap,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    timeout: Duration,
    kept: Option<SendRequest<Full<Bytes>>>,
}

impl Wire {
    /// To the collector of this URL, whose scheme is http or https, with these headers of the operator's; an exchange takes so long at most.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn new(url: &Url, headers: HeaderMap, timeout: Duration) -> Result<Self, String> {
        let no_host = || "it names no host".to_owned();
        let named = url.host_str().ok_or_else(no_host)?;
        let port = url.port_or_known_default().ok_or_else(no_host)?;
        let authority = url.port().map_or_else(|| named.to_owned(), |port| format!("{named}:{port}"));
        let host = named.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = if url.scheme() == "https" { Some(connector(&host)?) } else { None };
        let mut all = headers;
        all.insert(header::HOST, HeaderValue::try_from(authority).map_err(|_| no_host())?);
        all.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/x-protobuf"));
        all.insert(
            header::USER_AGENT,
            HeaderValue::from_static(concat!("thumbs/", env!("CARGO_PKG_VERSION"), " OTLP")),
        );
        let path = url[url::Position::BeforePath..url::Position::AfterQuery].to_owned();
        Ok(Self { host, port, path, headers: all, tls, timeout, kept: None })
    }

    /// Sends a body, and gives that of the answer.
    ///
    /// # Errors
    /// It was not taken.
    pub(super) async fn send(&mut self, body: Bytes) -> Result<Bytes, Fault> {
        let timeout = self.timeout;
        // Taken out for the time: a connection on which something broke, or which was too slow, is no connection for the next.
        let kept = self.kept.take();
        let exchanged = tokio::time::timeout(timeout, self.exchange(kept, body)).await;
        let (wire, status, answer) = exchanged
            .map_err(|_| passing(format!("it did not answer within {} ms", timeout.as_millis())))??;
        self.kept = Some(wire);
        match status {
            status if status.is_success() => Ok(answer),
            StatusCode::TOO_MANY_REQUESTS
            | StatusCode::BAD_GATEWAY
            | StatusCode::SERVICE_UNAVAILABLE
            | StatusCode::GATEWAY_TIMEOUT => Err(passing(format!("it answered {status}"))),
            status => Err(Fault { reason: format!("it answered {status}"), may_pass: false }),
        }
    }

    async fn exchange(
        &self,
        kept: Option<SendRequest<Full<Bytes>>>,
        body: Bytes,
    ) -> Result<(SendRequest<Full<Bytes>>, StatusCode, Bytes), Fault> {
        if let Some(mut wire) = kept
            && wire.ready().await.is_ok()
            // It may have been closed just now, which is nobody's fault.
            && let Ok((status, answer)) = self.ask(&mut wire, body.clone()).await
        {
            return Ok((wire, status, answer));
        }
        let mut wire = self.connect().await?;
        let (status, answer) = self.ask(&mut wire, body).await?;
        Ok((wire, status, answer))
    }

    async fn ask(
        &self,
        wire: &mut SendRequest<Full<Bytes>>,
        body: Bytes,
    ) -> Result<(StatusCode, Bytes), Fault> {
        let mut request = Request::post(&self.path)
            .body(Full::new(body))
            .map_err(|error| Fault { reason: error.to_string(), may_pass: false })?;
        *request.headers_mut() = self.headers.clone();
        let broken = |error: &dyn std::fmt::Display| passing(format!("the connection broke off: {error}"));
        let response = wire.send_request(request).await.map_err(|error| broken(&error))?;
        let status = response.status();
        let answer = Limited::new(response.into_body(), MAX_ANSWER_BYTES).collect().await;
        Ok((status, answer.map_err(|error| broken(&error))?.to_bytes()))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Fault> {
        let unreached = |error: &dyn std::fmt::Display| passing(format!("it can't be reached: {error}"));
        let stream =
            TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|error| unreached(&error))?;
        // A socket that can't be set so still is one.
        let _slower = stream.set_nodelay(true);
        // Each connection is driven by a task of its own, which ends with it.
        match &self.tls {
            None => {
                let (wire, connection) =
                    http1::handshake(TokioIo::new(stream)).await.map_err(|error| unreached(&error))?;
                tokio::spawn(connection);
                Ok(wire)
            }
            Some((tls, name)) => {
                let stream = tls.connect(name.clone(), stream).await.map_err(|error| unreached(&error))?;
                let (wire, connection) =
                    http1::handshake(TokioIo::new(stream)).await.map_err(|error| unreached(&error))?;
                tokio::spawn(connection);
                Ok(wire)
            }
        }
    }
}

fn passing(reason: String) -> Fault {
    Fault { reason, may_pass: true }
}

fn connector(host: &str) -> Result<(TlsConnector, ServerName<'static>), String> {
    let roots = tls::system_roots();
    if roots.is_empty() {
        return Err("this system has no trusted certificates: install ca-certificates, or set SSL_CERT_FILE"
            .to_owned());
    }
    let configured = tls::configure().map_err(|error| error.to_string())?;
    let config = configured.with_root_certificates(roots).with_no_client_auth();
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| "its name is none that a TLS certificate could have".to_owned())?;
    Ok((std::sync::Arc::new(config).into(), name))
}
