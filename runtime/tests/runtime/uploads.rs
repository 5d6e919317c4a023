//! The application that ships, as a process: what it takes while many upload at once.

use std::{net::SocketAddr, path::Path, process::Command};

use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::process::Process;

const MIB: usize = 1 << 20;
const UPLOADS: usize = 100;
/// The default of `max_upload_bytes`.
const IMAGE_BYTES: usize = 32 * MIB;

/// A PNG of so many bytes, as far as its header goes: what stands before its pixels, which are none.
fn head_of_png(image_bytes: usize) -> Vec<u8> {
    let mut head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x0a\0\0\0\x0a\x08\x02\0\0\0crc!".to_vec();
    let rest = u32::try_from(image_bytes - head.len() - 8).unwrap();
    head.extend_from_slice(&rest.to_be_bytes());
    head.extend_from_slice(b"IDAT");
    head
}

/// Sends the image but for its last byte. Given back are the connection and that byte.
async fn almost_all(address: SocketAddr) -> (TcpStream, u8) {
    let mut socket = TcpStream::connect(address).await.unwrap();
    let head = format!("POST /jobs HTTP/1.1\r\nhost: test\r\ncontent-length: {IMAGE_BYTES}\r\n\r\n");
    socket.write_all(head.as_bytes()).await.unwrap();
    let image_head = head_of_png(IMAGE_BYTES);
    socket.write_all(&image_head).await.unwrap();
    let (pixels, mut left) = (vec![7; 64 * 1024], IMAGE_BYTES - image_head.len());
    while left > 1 {
        let piece = &pixels[..pixels.len().min(left - 1)];
        socket.write_all(piece).await.unwrap();
        left -= piece.len();
    }
    (socket, 7)
}

/// The application that ships.
async fn start() -> Process {
    let mut command = Command::new(env!("CARGO_BIN_EXE_thumbs"));
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../spin.toml");
    command.arg("up").arg("--from").arg(manifest);
    command.arg("--cache-dir").arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("compiled"));
    // A busy machine may take longer than a client should wait.
    for limit in [
        "request_timeout_ms=600000",
        "blob_timeout_ms=600000",
        "body_timeout_ms=600000",
        "min_body_bytes_per_sec=0",
    ] {
        command.args(["--limit", limit]);
    }
    Process::of(command, TempDir::new().unwrap()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_uploads_of_32_mib_at_once_fit_into_256_mib() {
    // The first start compiles what it does not find compiled, which takes memory that a process keeps.
    drop(start().await);
    let process = start().await;
    let uploads: Vec<_> = (0..UPLOADS).map(|_| tokio::spawn(almost_all(process.address))).collect();
    let mut sockets = Vec::new();
    for upload in uploads {
        sockets.push(upload.await.unwrap());
    }
    let peak_bytes = process.peak_bytes();
    assert!(peak_bytes < 256 * MIB as u64, "{} MiB", peak_bytes / MIB as u64);
    // Any of them could end. The others break off, for the disk's sake.
    for (mut socket, last) in sockets.into_iter().take(3) {
        socket.write_all(&[last]).await.unwrap();
        let mut answer = [0; 12];
        socket.read_exact(&mut answer).await.unwrap();
        assert_eq!(&answer, b"HTTP/1.1 202");
    }
}
