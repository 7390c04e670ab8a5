//! The stream of a connection, which can discard unread bytes before it is closed.
//!
//! [`ConnectionIo`](super::connection_io::ConnectionIo) does so for HTTP. A WebSocket ends when its
//! stream is dropped.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::TcpStream,
    runtime::Handle,
};

use super::{
    connection_io::{DISCARD_TIMEOUT, MAX_DISCARDED_BYTES},
    connection_limit::ConnectionPermit,
};

/// Lets a connection that is no longer HTTP discard unread bytes before it is closed, as an extension
/// of the request that was upgraded.
///
/// The system resets a connection that is closed with unread bytes. The client may then lose the last
/// bytes of the gateway.
#[derive(Clone, Debug, Default)]
pub(super) struct DiscardOnClose(Arc<AtomicBool>);

impl DiscardOnClose {
    /// Discards unread bytes when the connection is closed.
    pub(super) fn request(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Returns whether unread bytes are discarded.
    pub(super) fn is_requested(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The TCP stream of a connection.
pub(super) struct ClosingStream {
    /// `None` after the stream was dropped.
    stream: Option<TcpStream>,
    permit: Arc<ConnectionPermit>,
    discard: DiscardOnClose,
}

impl ClosingStream {
    pub(super) const fn new(
        stream: TcpStream,
        permit: Arc<ConnectionPermit>,
        discard: DiscardOnClose,
    ) -> Self {
        Self { stream: Some(stream), permit, discard }
    }

    fn poll_stream<T>(
        &mut self,
        poll: impl FnOnce(Pin<&mut TcpStream>) -> Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        match &mut self.stream {
            Some(stream) => poll(Pin::new(stream)),
            None => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl AsyncRead for ClosingStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_stream(|stream| stream.poll_read(cx, buf))
    }
}

impl AsyncWrite for ClosingStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_stream(|stream| stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_stream(|stream| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(TcpStream::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_stream(|stream| stream.poll_flush(cx))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_stream(|stream| stream.poll_shutdown(cx))
    }
}

impl Drop for ClosingStream {
    fn drop(&mut self) {
        if self.discard.is_requested()
            && let Some(stream) = self.stream.take()
            && let Ok(runtime) = Handle::try_current()
        {
            runtime.spawn(close(stream, self.permit.clone()));
        }
    }
}

/// Closes this side of a connection, and then discards unread bytes until the client closes its side.
async fn close(mut stream: TcpStream, permit: Arc<ConnectionPermit>) {
    let discard = async {
        stream.shutdown().await?;
        let mut rest = stream.take(MAX_DISCARDED_BYTES as u64);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(DISCARD_TIMEOUT, discard).await;
    // The connection is open until now.
    drop(permit);
}
