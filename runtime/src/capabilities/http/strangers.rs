//! Requests to hosts that others than the operator have a say in: a client names an address, and the name in it leads wherever its owner likes.
//!
//! The address is looked at that the connection is made to, once the name was looked up and before anything is sent, so a name that leads
//! elsewhere the second time gains nothing. No proxy of the environment is used, no redirect is followed, and certificates are checked against
//! the machine's authorities.

use std::{net::IpAddr, sync::Arc, time::Duration};

use http::{Uri, uri::Scheme};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::{
    net::{TcpStream, lookup_host},
    sync::OnceCell,
    time::timeout,
};
use tokio_rustls::{TlsConnector, client::TlsStream};
use tokio_util::either::Either;
use wasmtime_wasi_http::{Error, RequestOptions, WasiBody};

use super::{Carrier, IoResult, Sending};
use crate::{blocking::blocking, clients::tls};

/// What holds where a carrier is asked without timeouts, which the host never does.
const PATIENCE: Duration = Duration::from_secs(10);

/// Carries over the network to addresses of the public internet alone, unless the operator allows others.
#[derive(Clone, Debug)]
pub struct Strangers(Arc<Inner>);

struct Inner {
    /// Whether addresses of the machine and of its networks are reached as well.
    private: bool,
    /// Made when the first connection needs it, which takes reading a few hundred certificates.
    tls: OnceCell<TlsConnector>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inner").field("private", &self.private).finish_non_exhaustive()
    }
}

impl Strangers {
    /// `private` allows addresses that are not public.
    #[must_use]
    pub fn new(private: bool) -> Self {
        Self(Arc::new(Inner { private, tls: OnceCell::new() }))
    }
}

impl Carrier for Strangers {
    /// The body of the answer has the time of the instance.
    fn carry(&self, request: http::Request<WasiBody>, options: RequestOptions) -> Sending {
        let inner = Arc::clone(&self.0);
        Box::new(async move { inner.send(request, options).await })
    }
}

type Connection = Either<TcpStream, Box<TlsStream<TcpStream>>>;

impl Inner {
    async fn send(
        &self,
        mut request: http::Request<WasiBody>,
        options: RequestOptions,
    ) -> Result<(http::Response<WasiBody>, IoResult), Error> {
        let patience = options.connect_timeout.unwrap_or(PATIENCE);
        let connected = timeout(patience, self.connect(request.uri())).await;
        let stream = connected.map_err(|_| Error::ConnectionTimeout)??;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
        *request.uri_mut() = path.parse().map_err(|_| Error::HttpRequestUriInvalid)?;
        let mut connection = Some(Box::pin(connection));
        let answered = timeout(options.first_byte_timeout.unwrap_or(PATIENCE), async {
            let mut sent = std::pin::pin!(sender.send_request(request));
            // Nothing moves on a connection unless it is polled.
            let ended = match &mut connection {
                Some(connection) => tokio::select! {
                    answer = &mut sent => return answer,
                    ended = connection => ended,
                },
                None => Ok(()),
            };
            connection = None;
            ended.and(sent.await)
        });
        let answer = answered.await.map_err(|_| Error::ConnectionReadTimeout)??;
        let rest: IoResult = Box::new(async move {
            match connection {
                Some(connection) => Ok(connection.await?),
                None => Ok(()),
            }
        });
        Ok((answer.map(|body| body.map_err(Error::from).boxed_unsync()), rest))
    }

    async fn connect(&self, uri: &Uri) -> Result<Connection, Error> {
        let is_https = uri.scheme() == Some(&Scheme::HTTPS);
        let host = uri.host().ok_or(Error::HttpRequestUriInvalid)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        let port = uri.port_u16().unwrap_or(if is_https { 443 } else { 80 });
        let unknown = |_| Error::DnsError { rcode: None, info_code: None };
        let mut addresses: Vec<_> = lookup_host((host.as_str(), port)).await.map_err(unknown)?.collect();
        addresses.retain(|address| self.private || is_public(address.ip()));
        if addresses.is_empty() {
            return Err(Error::DestinationIpProhibited);
        }
        let socket = TcpStream::connect(addresses.as_slice()).await.map_err(Error::Connect)?;
        if !is_https {
            return Ok(Either::Left(socket));
        }
        let name = ServerName::try_from(host).map_err(|_| Error::HttpRequestUriInvalid)?;
        let stream = self.tls().await?.connect(name, socket).await.map_err(Error::Tls)?;
        Ok(Either::Right(Box::new(stream)))
    }

    async fn tls(&self) -> Result<&TlsConnector, Error> {
        let made = self.tls.get_or_try_init(|| {
            blocking(|| {
                let config = tls::configure().map_err(|_| Error::TlsProtocolError)?;
                let config = config.with_root_certificates(tls::system_roots()).with_no_client_auth();
                Ok(TlsConnector::from(Arc::new(config)))
            })
        });
        made.await
    }
}

/// Whether an address is reached over the public internet, by the registries of special addresses (RFC 6890 and its updates).
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => is_public_v4(address.octets()),
        IpAddr::V6(address) => match address.segments() {
            // NAT64 (RFC 6052) leads to the address of version 4 that it ends with.
            [0x64, 0xff9b, 0, 0, 0, 0, ..] => {
                let [.., a, b, c, d] = address.octets();
                is_public_v4([a, b, c, d])
            }
            // Protocol assignments and Teredo, documentation twice, 6to4.
            [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] | [0x2002, ..] => false,
            [first, ..] => first & 0xe000 == 0x2000,
        },
    }
}

fn is_public_v4(octets: [u8; 4]) -> bool {
    !matches!(
        octets,
        // This network, private ones, those of carriers, loopback, link-local.
        [0 | 10 | 127, ..]
            | [172, 16..=31, ..]
            | [192, 168, ..]
            | [100, 64..=127, ..]
            | [169, 254, ..]
            // Protocol assignments, documentation three times, relays of 6to4, measurements.
            | [192, 0, 0 | 2, _]
            | [198, 51, 100, _]
            | [203, 0, 113, _]
            | [192, 88, 99, _]
            | [198, 18 | 19, ..]
            // Multicast, reserved, broadcast.
            | [224..=255, ..]
    )
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;

    #[test]
    fn what_is_not_of_the_public_internet_is_known() {
        for address in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "198.20.0.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
        ] {
            assert!(is_public(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "10.0.0.1",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "100.64.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "198.18.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "fe80::1",
            "fc00::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2001::1",
            "2002:7f00:1::",
            "3fff::1",
        ] {
            assert!(!is_public(address.parse().unwrap()), "{address}");
        }
    }

    fn request(uri: &str) -> http::Request<WasiBody> {
        let body = http_body_util::Full::new(bytes::Bytes::from_static(b"hello"));
        http::Request::post(uri).body(body.map_err(|never| match never {}).boxed_unsync()).unwrap()
    }

    fn options() -> RequestOptions {
        let patience = Some(Duration::from_secs(60));
        RequestOptions {
            connect_timeout: patience,
            first_byte_timeout: patience,
            between_bytes_timeout: patience,
        }
    }

    async fn carry(carrier: &Strangers, uri: &str) -> Result<http::Response<WasiBody>, Error> {
        Box::into_pin(carrier.carry(request(uri), options())).await.map(|(response, _)| response)
    }

    #[tokio::test]
    async fn an_address_that_is_not_public_is_connected_to_only_where_that_is_allowed() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for host in ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"] {
            let refused = carry(&Strangers::new(false), &format!("http://{host}:{port}/")).await;
            assert!(matches!(refused, Err(Error::DestinationIpProhibited)), "{host}: {refused:?}");
        }
        let answering = async {
            // The first connection is the one that is allowed.
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"hello") {
                socket.read_buf(&mut request).await.unwrap();
            }
            socket
                .write_all(b"HTTP/1.1 302 Found\r\nlocation: /other\r\ncontent-length: 0\r\n\r\n")
                .await
                .unwrap();
            String::from_utf8(request).unwrap()
        };
        let uri = format!("http://127.0.0.1:{port}/a?b=c");
        let carrier = Strangers::new(true);
        let (request, answer) = tokio::join!(answering, carry(&carrier, &uri));
        assert_eq!(answer.unwrap().status(), 302, "it is not followed");
        assert!(request.starts_with("POST /a?b=c HTTP/1.1\r\n"), "{request}");
    }

    #[tokio::test]
    async fn a_name_that_leads_nowhere_is_told_apart() {
        let unknown = carry(&Strangers::new(false), "http://does-not-exist.invalid/").await;
        assert!(matches!(unknown, Err(Error::DnsError { .. })), "{unknown:?}");
    }
}
