//! A stream whose incoming bytes are looked at before they are kept.
//!
//! The parsers of both protocols hold an answer whole, and neither bounds it: what is too large must not reach them.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Follows a protocol's framing through the bytes as they come.
pub(super) trait Framing: Unpin {
    /// Sees the next bytes, however they are cut.
    ///
    /// # Errors
    /// They announce too much, or are none of the protocol's. The stream ends there.
    fn follow(&mut self, bytes: &[u8]) -> io::Result<()>;
}

/// A stream `S` that ends where `F` says so.
#[derive(Debug)]
pub(super) struct Inspected<S, F> {
    stream: S,
    framing: F,
}

impl<S, F: Framing> Inspected<S, F> {
    pub(super) fn new(stream: S, framing: F) -> Self {
        Self { stream, framing }
    }

    /// What it was made of.
    pub(super) fn into_parts(self) -> (S, F) {
        (self.stream, self.framing)
    }

    /// What is inspected.
    pub(super) fn stream(&self) -> &S {
        &self.stream
    }
}

impl<S: AsyncRead + Unpin, F: Framing> AsyncRead for Inspected<S, F> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(context, buffer))?;
        Poll::Ready(self.framing.follow(buffer.filled().get(before..).unwrap_or_default()))
    }
}

impl<S: AsyncWrite + Unpin, F: Unpin> AsyncWrite for Inspected<S, F> {
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
