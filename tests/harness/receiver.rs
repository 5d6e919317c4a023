//! Somebody who is told of ended jobs: a server that keeps what it is sent, and answers as a test has it.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

/// How long a test waits to be told. A message that is tried again has to wait for the tick.
const PATIENCE: Duration = Duration::from_secs(60);

/// One message.
#[derive(Clone, Debug)]
#[expect(missing_docs, reason = "the parts of an HTTP request")]
pub struct Received {
    pub path: String,
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Received {
    /// The body as JSON.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a message is JSON")
    }

    /// A header of it.
    ///
    /// # Panics
    /// When it has none of this name.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).unwrap_or_else(|| panic!("no {name} in {:?}", self.headers))
    }
}

/// A receiver. Dropping it closes its port.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// On a port that the system chose. The n-th message gets the n-th of these answers, the last one whoever comes after it: whole
    /// responses without the line of their version, as `200 OK\r\n`.
    pub async fn start(answers: &'static [&'static str]) -> Self {
        Self::start_at(([127, 0, 0, 1], 0).into(), answers).await
    }

    /// The same at this address.
    ///
    /// # Panics
    /// When somebody else has it.
    pub async fn start_at(address: SocketAddr, answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind(address).await.expect("a free port");
        let address = listener.local_addr().expect("a bound port has an address");
        let received = Arc::<Mutex<Vec<Received>>>::default();
        let kept = Arc::clone(&received);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&kept), answers));
            }
        });
        Self { address, received, task }
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it is called.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// What came so far.
    ///
    /// # Panics
    /// When a connection of it panicked.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no connection panics").clone()
    }

    /// Waits until so many messages have come.
    ///
    /// # Panics
    /// When they do not.
    pub async fn wait_for(&self, messages: usize) -> Vec<Received> {
        let begin = Instant::now();
        loop {
            let received = self.received();
            if received.len() >= messages {
                return received;
            }
            assert!(begin.elapsed() < PATIENCE, "{messages} messages were to come: {received:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut socket: TcpStream, kept: Arc<Mutex<Vec<Received>>>, answers: &[&str]) -> Option<()> {
    let mut data = Vec::new();
    let head_end = loop {
        if let Some(at) = data.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if socket.read_buf(&mut data).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(data[..head_end].to_vec()).ok()?;
    let mut lines = head.lines();
    let path = lines.next()?.split(' ').nth(1)?.to_owned();
    let headers: BTreeMap<String, String> = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    let length: usize = headers.get("content-length")?.parse().ok()?;
    while data.len() < head_end + length {
        if socket.read_buf(&mut data).await.ok()? == 0 {
            return None;
        }
    }
    let message = Received { path, headers, body: data[head_end..].to_vec() };
    let answer = {
        let mut kept = kept.lock().ok()?;
        kept.push(message);
        *answers.get(kept.len() - 1).or(answers.last())?
    };
    socket.write_all(format!("HTTP/1.1 {answer}content-length: 0\r\n\r\n").as_bytes()).await.ok()
}
