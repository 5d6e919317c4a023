//! Connections to one service: HTTP/1.1, with TLS where the URL says so, kept for the next request.
//!
//! TLS is as everywhere in this host: rustls with ring and the system's authorities (`SSL_CERT_FILE` and `SSL_CERT_DIR` are heard). A proxy of
//! the environment is not used.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use url::Url;

use super::Reply;
use crate::clients::tls;

/// Connecting, TLS included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// One exchange on a connection that is there: a large upload over a slow line, and a wait of 30 s.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(300);
/// No answer of a service is longer: a thumbnail has at most 64 MiB.
const MAX_ANSWER_BYTES: usize = 128 << 20;

/// All connections to one service.
pub(super) struct Wires {
    host: String,
    port: u16,
    authority: HeaderValue,
    tls: Option<(TlsConnector, ServerName<'static>)>,
    /// The one used last is the last.
    idle: Mutex<Vec<SendRequest<Full<Bytes>>>>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Broken {
    /// With the address, and what to do.
    pub(super) sentence: String,
    /// Whether it may be otherwise in a moment.
    pub(super) may_pass: bool,
}

impl Wires {
    /// To the service of this URL, whose scheme is http or https.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn new(url: &Url) -> Result<Self, String> {
        let no_host = || format!("{url} names no host");
        let host = url.host_str().ok_or_else(no_host)?;
        let port = url.port_or_known_default().ok_or_else(no_host)?;
        let authority = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let tls = if url.scheme() == "https" { Some(tls_for(&host)?) } else { None };
        let authority = HeaderValue::try_from(authority).map_err(|_| no_host())?;
        Ok(Self { host, port, authority, tls, idle: Mutex::default() })
    }

    /// What stands in the header `Host`.
    pub(super) fn authority(&self) -> &HeaderValue {
        &self.authority
    }

    /// Sends a request and reads the whole answer.
    ///
    /// # Errors
    /// There is none.
    pub(super) async fn exchange(&self, request: Request<Full<Bytes>>) -> Result<Reply, Broken> {
        let mut wire = self.wire().await?;
        let exchanging = async {
            let response = wire.send_request(request).await.map_err(|error| error.to_string())?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await;
            let body = body.map_err(|error| error.to_string())?.to_bytes();
            Ok::<_, String>(Reply { status: head.status, headers: head.headers, body })
        };
        match tokio::time::timeout(EXCHANGE_TIMEOUT, exchanging).await {
            Ok(Ok(reply)) => {
                self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(wire);
                Ok(reply)
            }
            Ok(Err(reason)) => Err(self.broken(&format!("broke the connection off: {reason}"), true)),
            Err(_) => Err(self.broken("does not answer", true)),
        }
    }

    /// A connection: one that is there, or a new one.
    async fn wire(&self) -> Result<SendRequest<Full<Bytes>>, Broken> {
        loop {
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let Some(mut kept) = kept else { break };
            if kept.ready().await.is_ok() {
                return Ok(kept);
            }
        }
        let connecting = self.connect();
        tokio::time::timeout(CONNECT_TIMEOUT, connecting)
            .await
            .unwrap_or_else(|_| Err(self.broken("does not answer", true)))
    }

    async fn connect(&self) -> Result<SendRequest<Full<Bytes>>, Broken> {
        let stream = TcpStream::connect((self.host.as_str(), self.port)).await.map_err(|error| {
            let refused = error.kind() == std::io::ErrorKind::ConnectionRefused;
            let hint = if refused { "; does `thumbs up` run there? --server names another" } else { "" };
            self.broken(&format!("can't be reached: {error}{hint}"), true)
        })?;
        // A socket that can't be set so still is one.
        let _slower = stream.set_nodelay(true);
        let no_http = |error: hyper::Error| self.broken(&format!("does not speak HTTP: {error}"), false);
        // Each connection is driven by a task of its own, which ends with it.
        match &self.tls {
            None => {
                let (wire, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(no_http)?;
                let _task = tokio::spawn(driver);
                Ok(wire)
            }
            Some((tls, name)) => {
                let stream = tls.connect(name.clone(), stream).await.map_err(|error| {
                    self.broken(&format!("can't be trusted, or does not speak TLS: {error}"), false)
                })?;
                let (wire, driver) = http1::handshake(TokioIo::new(stream)).await.map_err(no_http)?;
                let _task = tokio::spawn(driver);
                Ok(wire)
            }
        }
    }

    fn broken(&self, why: &str, may_pass: bool) -> Broken {
        Broken { sentence: format!("the service at {}:{} {why}", self.host, self.port), may_pass }
    }
}

fn tls_for(host: &str) -> Result<(TlsConnector, ServerName<'static>), String> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| format!("{host:?} is no name that a TLS certificate could have"))?;
    let roots = tls::system_roots();
    if roots.is_empty() {
        return Err(
            "this system has no trusted certificates, which https needs: install ca-certificates, or \
                    set SSL_CERT_FILE"
                .to_owned(),
        );
    }
    let config = tls::configure().map_err(|error| format!("TLS can't be set up: {error}"))?;
    Ok((Arc::new(config.with_root_certificates(roots).with_no_client_auth()).into(), name))
}
