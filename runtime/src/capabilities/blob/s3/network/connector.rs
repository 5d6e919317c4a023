//! Connections to the bucket's server: a name, a socket, TLS where the endpoint says so, and why one of them fails.
//!
//! TLS is rustls with ring and the system's roots (`SSL_CERT_FILE` and `SSL_CERT_DIR` are heard); no default of the process is read or set.

use std::{
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::Uri;
use hyper::rt::ReadBufCursor;
use hyper_util::{
    client::legacy::connect::{Connected, Connection},
    rt::TokioIo,
};
use rustls::{ClientConfig, RootCertStore, pki_types::ServerName};
use thiserror::Error;
use thumbs_s3::transport::Fault;
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::either::Either;
use tower_service::Service;

/// Why there is no connection.
#[derive(Debug, Error)]
#[error("there is no connection: {0:?}")]
pub(super) struct Unconnected(pub(super) Fault);

/// Makes connections to one server.
#[derive(Clone)]
pub(super) struct Connector {
    tls: Option<TlsConnector>,
    patience: Duration,
}

impl Connector {
    /// `patience` is the time for one connection, its name and TLS included.
    ///
    /// # Errors
    /// The system has no trusted certificates, and the endpoint speaks TLS. One sentence.
    pub(super) fn new(place: &str, is_https: bool, patience: Duration) -> Result<Self, String> {
        let tls = if is_https { Some(tls(place)?) } else { None };
        Ok(Self { tls, patience })
    }

    async fn connect(self, uri: Uri) -> Result<Stream, Fault> {
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        let port = uri.port_u16().unwrap_or(if self.tls.is_some() { 443 } else { 80 });
        let addresses: Vec<_> =
            tokio::net::lookup_host((host, port)).await.map_err(|_| Fault::NO_SUCH_NAME)?.collect();
        let socket = TcpStream::connect(addresses.as_slice()).await.map_err(|error| match error.kind() {
            io::ErrorKind::ConnectionRefused => Fault::REFUSED,
            io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => Fault::NO_WAY,
            io::ErrorKind::TimedOut => Fault::TooSlow,
            _ => Fault::Network("the connection can't be made"),
        })?;
        // A socket that can't be set so still is one.
        let _slower = socket.set_nodelay(true);
        // A server that vanished without a word leaves connections on which nothing is ever acknowledged. The kernel gives those up early
        // enough for another attempt; a server that is merely slow acknowledges.
        #[cfg(target_os = "linux")]
        let _later = socket2::SockRef::from(&socket).set_tcp_user_timeout(Some(self.patience));
        let Some(tls) = self.tls else { return Ok(Stream(TokioIo::new(Either::Left(socket)))) };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|_| Fault::Request("its name is none that a TLS certificate could have"))?;
        let stream = tls.connect(name, socket).await.map_err(|error| tls_fault(&error))?;
        Ok(Stream(TokioIo::new(Either::Right(Box::new(stream)))))
    }
}

impl Service<Uri> for Connector {
    type Response = Stream;
    type Error = Unconnected;
    type Future = Pin<Box<dyn Future<Output = Result<Stream, Unconnected>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Unconnected>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let connector = self.clone();
        Box::pin(async move {
            let patience = connector.patience;
            let connected = tokio::time::timeout(patience, connector.connect(uri)).await;
            connected.unwrap_or(Err(Fault::TooSlow)).map_err(Unconnected)
        })
    }
}

fn tls(place: &str) -> Result<TlsConnector, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(format!(
            "this system has no trusted certificates, which {place} needs: install ca-certificates, or set SSL_CERT_FILE"
        ));
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|_| "TLS can't be set up".to_owned())?;
    Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()).into())
}

fn tls_fault(error: &io::Error) -> Fault {
    match error.get_ref().and_then(|error| error.downcast_ref()) {
        Some(rustls::Error::InvalidCertificate(_)) => Fault::UNTRUSTED,
        Some(_) => Fault::NO_TLS,
        None => Fault::BROKEN_OFF,
    }
}

/// A connection, as hyper wants one.
pub(super) struct Stream(TokioIo<Either<TcpStream, Box<TlsStream<TcpStream>>>>);

impl Connection for Stream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl hyper::rt::Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(context, buffer)
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}
