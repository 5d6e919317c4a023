//! HTTP written by hand on a socket, for what a well-behaved client never does: sending on although the answer is there, paths that a
//! client would clean up.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

/// An exchange takes no longer, or it hangs.
const EXCHANGE_TIMEOUT: Duration = Duration::from_secs(60);
/// Written at once, between two looks for an answer.
const CHUNK_BYTES: usize = 64 * 1024;

/// What happened to an upload that was refused.
#[derive(Debug)]
pub struct Refused {
    /// The status of the answer.
    pub status: u16,
    /// The answer as far as it came.
    pub response: String,
    /// Bytes of the body written before the answer, or the end of the connection.
    pub bytes: usize,
}

/// Posts a body of `size` bytes without saying how long it is, and stops when an answer comes.
///
/// # Panics
/// When the service does not answer at all.
pub async fn post_until_refused(address: SocketAddr, path: &str, size: usize) -> Refused {
    let exchange = async {
        let (mut read, mut write) =
            TcpStream::connect(address).await.expect("the service listens").into_split();
        let head = format!(
            "POST {path} HTTP/1.1\r\nhost: test\r\ncontent-type: image/png\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\n"
        );
        write.write_all(head.as_bytes()).await.expect("the service reads a head");
        let answer = tokio::spawn(async move {
            let mut answer = Vec::new();
            let mut buffer = [0; 4096];
            while let Ok(read @ 1..) = read.read(&mut buffer).await {
                answer.extend_from_slice(&buffer[..read]);
                // The connection may be reset after the answer because of what was still being sent.
                if answer.windows(4).any(|end| end == b"\r\n\r\n") && answer.ends_with(b"}") {
                    break;
                }
            }
            answer
        });
        let mut body = b"\x89PNG\r\n\x1a\n".to_vec();
        body.resize(CHUNK_BYTES, 0);
        let chunk = [format!("{CHUNK_BYTES:x}\r\n").as_bytes(), &body, b"\r\n"].concat();
        let mut bytes = 0;
        while bytes < size && !answer.is_finished() && write.write_all(&chunk).await.is_ok() {
            bytes += CHUNK_BYTES;
            tokio::task::yield_now().await;
        }
        (bytes, answer.await.expect("reading does not panic"))
    };
    let (bytes, answer) = timeout(EXCHANGE_TIMEOUT, exchange).await.expect("the service answers");
    let response = String::from_utf8_lossy(&answer).into_owned();
    let status = response.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Refused { status, response, bytes }
}

/// `GET` of exactly this path, and the whole response as text.
///
/// # Panics
/// When the service does not answer.
pub async fn get_raw(address: SocketAddr, path: &str) -> String {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.expect("the service listens");
        let head = format!("GET {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).await.expect("the service reads a head");
        let mut response = Vec::new();
        stream.read_to_end(&mut response).await.expect("the service answers and closes");
        String::from_utf8_lossy(&response).into_owned()
    };
    timeout(EXCHANGE_TIMEOUT, exchange).await.expect("the service answers")
}
