//! A bound on what one message of a PostgreSQL server may bring, held before the message is in memory.
//!
//! The client library keeps a message, and so a row, until its last byte has come. A statement can make a row of a gigabyte out of nothing
//! (`repeat('x', 1000000000)`), so the length that a message declares is looked at while its first bytes go by.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, TlsStream};

/// A message's type and its length, which counts itself and not the type.
const HEADER_BYTES: usize = 5;

/// Whether a connection was ended by its gate.
#[derive(Clone, Debug, Default)]
pub(super) struct Tripped(Arc<AtomicBool>);

impl Tripped {
    pub(super) fn get(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }
}

/// A stream of PostgreSQL's messages, decrypted, that ends at the first one that is too long.
#[derive(Debug)]
pub(super) struct Gate<S> {
    stream: S,
    tripped: Tripped,
    max_message_bytes: u64,
    header: [u8; HEADER_BYTES],
    header_len: usize,
    body_left: u64,
}

impl<S> Gate<S> {
    /// `stream` is at the beginning of a message.
    pub(super) fn new(stream: S, max_message_bytes: u64, tripped: Tripped) -> Self {
        Self { stream, tripped, max_message_bytes, header: [0; HEADER_BYTES], header_len: 0, body_left: 0 }
    }

    /// Follows the messages through the bytes that have just come.
    fn inspect(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            if self.body_left > 0 {
                let passed = usize::try_from(self.body_left).unwrap_or(usize::MAX).min(bytes.len());
                self.body_left -= passed as u64;
                bytes = bytes.get(passed..).unwrap_or_default();
                continue;
            }
            let (first, rest) = bytes.split_at(bytes.len().min(HEADER_BYTES - self.header_len));
            for byte in first {
                if let Some(slot) = self.header.get_mut(self.header_len) {
                    *slot = *byte;
                }
                self.header_len += 1;
            }
            bytes = rest;
            if self.header_len == HEADER_BYTES {
                let [_, length @ ..] = self.header;
                self.header_len = 0;
                self.body_left = u64::from(u32::from_be_bytes(length)).saturating_sub(4);
                if self.body_left > self.max_message_bytes {
                    self.tripped.0.store(true, Ordering::Release);
                    return Err(io::Error::new(io::ErrorKind::InvalidData, "a message is too long"));
                }
            }
        }
        Ok(())
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Gate<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        Poll::Ready(self.inspect(buffer.filled().get(before..).unwrap_or_default()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Gate<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

impl<S: TlsStream + Unpin> TlsStream for Gate<S> {
    fn channel_binding(&self) -> ChannelBinding {
        self.stream.channel_binding()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    fn message(body_bytes: usize) -> Vec<u8> {
        let mut message = vec![b'D'];
        message.extend((body_bytes as u32 + 4).to_be_bytes());
        message.extend(vec![7; body_bytes]);
        message
    }

    async fn read(bytes: &[u8], max_message_bytes: u64, step: usize) -> (usize, bool) {
        let tripped = Tripped::default();
        let mut gate = Gate::new(bytes, max_message_bytes, tripped.clone());
        let (mut buffer, mut passed) = (vec![0; step], 0);
        while let Ok(count @ 1..) = gate.read(&mut buffer).await {
            passed += count;
        }
        (passed, tripped.get())
    }

    #[tokio::test]
    async fn messages_pass_up_to_the_bound_however_they_are_cut() {
        let bytes = [message(0), message(10), message(3), message(10)].concat();
        for step in 1..=bytes.len() {
            assert_eq!(read(&bytes, 10, step).await, (bytes.len(), false), "{step}");
        }
    }

    #[tokio::test]
    async fn a_longer_message_ends_the_stream_at_its_header() {
        let bytes = [message(3), message(11)].concat();
        for step in 1..=HEADER_BYTES {
            let (passed, tripped) = read(&bytes, 10, step).await;
            assert!(tripped && passed < 8 + HEADER_BYTES, "{step}: {passed}");
        }
        let huge = [b'D', 0xff, 0xff, 0xff, 0xff, 1, 2, 3];
        assert_eq!(read(&huge, u64::from(u32::MAX) - 5, 64).await, (0, true));
    }

    #[tokio::test]
    async fn a_length_that_is_none_holds_up_nothing() {
        assert_eq!(read(&[b'D', 0, 0, 0, 0, b'Z', 0, 0, 0, 4], 10, 64).await, (10, false));
    }
}
