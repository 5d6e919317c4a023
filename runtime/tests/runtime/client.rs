//! HTTP written by hand: what a test sends is exactly what goes over the wire.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// An exchange takes no longer, or it hangs.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(30);

/// What came back until the connection was closed.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        Self { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    /// Asserts that the host explains itself, under the correlation id of the header.
    #[track_caller]
    pub(crate) fn is_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem: serde_json::Value =
            serde_json::from_str(&self.body).unwrap_or_else(|e| panic!("{e}: {self:?}"));
        assert_eq!(problem["code"], code, "{self:?}");
        assert_eq!(problem["status"], status, "{self:?}");
        assert_eq!(problem["correlation_id"].as_str(), self.header("x-request-id"), "{self:?}");
    }
}

/// A connection on which something was sent.
pub(crate) struct Exchange(TcpStream);

impl Exchange {
    /// Connects and sends.
    pub(crate) async fn begin(address: SocketAddr, request: &str) -> Self {
        let mut stream = timeout(EXCHANGE_TIMEOUT, TcpStream::connect(address)).await.unwrap().unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        Self(stream)
    }

    /// Sends more; false when the server does not take it.
    pub(crate) async fn send(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).await.is_ok()
    }

    /// Reads the answer, as far as its header says that it goes.
    pub(crate) async fn answer(mut self) -> Reply {
        self.read(|bytes| {
            let reply = Reply::parse(bytes);
            let length = reply.header("content-length").and_then(|length| length.parse().ok());
            length.is_some_and(|length: usize| reply.body.len() >= length)
        })
        .await
    }

    /// Reads until the server closes. A reset counts as closing: the answer may be there all the same.
    pub(crate) async fn end(mut self) -> Reply {
        self.read(|_| false).await
    }

    async fn read(&mut self, enough: impl Fn(&[u8]) -> bool) -> Reply {
        let mut bytes = Vec::new();
        let mut chunk = [0; 4096];
        let reading = async {
            while let Ok(read @ 1..) = self.0.read(&mut chunk).await {
                bytes.extend_from_slice(&chunk[..read]);
                if enough(&bytes) {
                    break;
                }
            }
        };
        timeout(EXCHANGE_TIMEOUT, reading).await.expect("the server answers, or closes");
        Reply::parse(&bytes)
    }
}

/// A request that ends its connection.
pub(crate) async fn send(address: SocketAddr, method: &str, path: &str, headers: &str) -> Reply {
    let request = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}\r\n");
    Exchange::begin(address, &request).await.end().await
}

/// `GET` without more.
pub(crate) async fn get(address: SocketAddr, path: &str) -> Reply {
    send(address, "GET", path, "").await
}
