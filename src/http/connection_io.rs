//! The bytes of a connection, as hyper reads and writes them.
//!
//! hyper gets only heads that [`RequestScanner`] accepts. A client may close its side of the
//! connection after a request and still gets the response, unless that is an event stream. The bytes
//! of a WebSocket pass unchanged. A client that reads nothing is disconnected after [`WRITE_TIMEOUT`].

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Sleep, sleep},
};

use super::{
    connection_limit::ConnectionPermit,
    content_sniffing,
    request_scanner::{RejectedPart, RequestScanner},
};

/// The maximum time for which a client may read nothing of a response.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);
/// The time for which the rest of an unread request is discarded after the response.
///
/// If bytes are unread, the system resets a connection that is closed, and the client may lose the
/// response.
pub(super) const DISCARD_TIMEOUT: Duration = Duration::from_secs(2);
/// The maximum number of discarded bytes.
pub(super) const MAX_DISCARDED_BYTES: usize = 1024 * 1024;
/// Replaces the rest of a rejected head. hyper accepts NUL nowhere and responds with 400.
const INVALID_HEAD_END: &[u8] = b"\0\r\n\r\n";

/// The stream of one connection.
pub(super) struct ConnectionIo<S> {
    stream: S,
    permit: Arc<ConnectionPermit>,
    scanner: RequestScanner,
    /// The replacement of the rest of the stream, once a request has been rejected.
    rejected: Option<RejectedStream>,
    /// True if the client has closed its side during a request. hyper reads the end after the response.
    is_half_closed: bool,
    /// The deadline for the client to read more of the response.
    write_deadline: Option<Pin<Box<Sleep>>>,
    discarding: Option<Discarding>,
    /// The rest of hyper's own response to an invalid head.
    unsent: Vec<u8>,
}

/// The stream after the accepted bytes of a rejected request.
enum RejectedStream {
    /// The rest of [`INVALID_HEAD_END`].
    InvalidHead(&'static [u8]),
    /// An error, because the response to an invalid body is up to the service.
    InvalidBody,
}

/// The discarding of unread bytes before the connection is closed.
struct Discarding {
    deadline: Pin<Box<Sleep>>,
    bytes: usize,
}

impl<S: AsyncRead + AsyncWrite + Unpin> ConnectionIo<S> {
    /// Wraps the stream of a new connection.
    pub(super) const fn new(stream: S, permit: Arc<ConnectionPermit>) -> Self {
        Self {
            stream,
            permit,
            scanner: RequestScanner::new(),
            rejected: None,
            is_half_closed: false,
            write_deadline: None,
            discarding: None,
            unsent: Vec::new(),
        }
    }

    /// Scans the bytes of the buffer from `start`, and cuts it off before the first rejected one.
    fn scan(&mut self, buf: &mut ReadBuf<'_>, start: usize) {
        if let Err(rejection) = self.scanner.scan(&buf.filled()[start..]) {
            buf.set_filled(start + rejection.offset);
            self.rejected = Some(match rejection.part {
                RejectedPart::Head => RejectedStream::InvalidHead(INVALID_HEAD_END),
                RejectedPart::Body => RejectedStream::InvalidBody,
            });
        }
    }

    /// Returns whether the end of the stream only means that no further request follows.
    fn is_half_close(&self) -> bool {
        self.permit.can_be_half_closed() && !self.scanner.is_in_body()
    }

    /// Writes the rest of hyper's own response.
    fn poll_write_unsent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let unsent = std::mem::take(&mut self.unsent);
            let result = self.poll_write_with(cx, |stream, cx| stream.poll_write(cx, &unsent));
            self.unsent = unsent;
            match ready!(result)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => drop(self.unsent.drain(..written)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes to the stream, and fails if the client reads nothing until the deadline.
    fn poll_write_with(
        &mut self,
        cx: &mut Context<'_>,
        write: impl FnOnce(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        let result = write(Pin::new(&mut self.stream), cx);
        if result.is_ready() {
            self.write_deadline = None;
            return result;
        }
        let new_deadline = || Box::pin(sleep(WRITE_TIMEOUT));
        ready!(self.write_deadline.get_or_insert_with(new_deadline).as_mut().poll(cx));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for ConnectionIo<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.permit.is_upgraded() {
            return Pin::new(&mut this.stream).poll_read(cx, buf);
        }
        let start = buf.filled().len();
        if this.rejected.is_none() && !this.is_half_closed {
            ready!(Pin::new(&mut this.stream).poll_read(cx, buf))?;
            this.is_half_closed = buf.filled().len() == start && this.is_half_close();
            this.scan(buf, start);
        }
        match &mut this.rejected {
            _ if buf.filled().len() > start => Poll::Ready(Ok(())),
            // hyper responds to the bytes that it has, and then closes the connection.
            Some(RejectedStream::InvalidHead([])) => Poll::Pending,
            Some(RejectedStream::InvalidHead(rest)) => {
                let (now, later) = rest.split_at(rest.len().min(buf.remaining()));
                buf.put_slice(now);
                *rest = later;
                Poll::Ready(Ok(()))
            }
            Some(RejectedStream::InvalidBody) => {
                let message = "invalid framing of a chunked body";
                Poll::Ready(Err(io::Error::new(io::ErrorKind::InvalidData, message)))
            }
            // `poll_flush` wakes the task after the response, or when an event stream begins.
            None if this.is_half_closed && this.permit.can_be_half_closed() => Poll::Pending,
            None => Poll::Ready(Ok(())),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for ConnectionIo<S> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        ready!(this.poll_write_unsent(cx))?;
        // Without a request in progress, this is hyper's response to a head that it rejects.
        if !this.permit.is_busy()
            && let Some(response) = content_sniffing::forbid_in(buf)
        {
            this.unsent = response;
            return Poll::Ready(Ok(buf.len()));
        }
        this.poll_write_with(cx, |stream, cx| stream.poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.permit.is_busy() {
            let first = bufs.iter().find(|buf| !buf.is_empty());
            return self.poll_write(cx, first.map_or(&[], |buf| buf));
        }
        self.get_mut().poll_write_with(cx, |stream, cx| stream.poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    /// hyper flushes when it has written all bytes that it has.
    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        ready!(this.poll_write_unsent(cx))?;
        ready!(Pin::new(&mut this.stream).poll_flush(cx))?;
        this.permit.end_written_request();
        if this.is_half_closed && !this.permit.can_be_half_closed() {
            cx.waker().wake_by_ref();
        }
        Poll::Ready(Ok(()))
    }

    /// Closes this side of the connection, and then discards the rest of an unread request.
    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.discarding.is_none() {
            ready!(this.poll_write_unsent(cx))?;
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            if this.rejected.is_none() && this.scanner.is_between_requests() {
                return Poll::Ready(Ok(()));
            }
        }
        let new = || Discarding { deadline: Box::pin(sleep(DISCARD_TIMEOUT)), bytes: 0 };
        let discarding = this.discarding.get_or_insert_with(new);
        while discarding.bytes < MAX_DISCARDED_BYTES {
            let mut bytes = [0; 4096];
            let mut buf = ReadBuf::new(&mut bytes);
            match Pin::new(&mut this.stream).poll_read(cx, &mut buf) {
                Poll::Ready(Ok(())) if !buf.filled().is_empty() => {
                    discarding.bytes += buf.filled().len();
                }
                Poll::Ready(_) => break,
                Poll::Pending => return discarding.deadline.as_mut().poll(cx).map(Ok),
            }
        }
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex},
        time::Instant,
    };

    use super::*;
    use crate::http::{connection_limit::ConnectionLimit, proxies::TrustedProxies};

    async fn connection(buffer: usize) -> (ConnectionIo<DuplexStream>, DuplexStream) {
        let limit = ConnectionLimit::new(1, 1, TrustedProxies::default(), None);
        let permit = limit.admit(Ipv4Addr::LOCALHOST.into()).await.expect("a place");
        let (server, client) = duplex(buffer);
        (ConnectionIo::new(server, permit), client)
    }

    #[tokio::test(start_paused = true)]
    async fn client_that_reads_nothing_is_disconnected() {
        let (mut io, mut client) = connection(8).await;
        let start = Instant::now();
        let read_slowly = async {
            for _ in 0..5 {
                tokio::time::sleep(WRITE_TIMEOUT - Duration::from_secs(1)).await;
                client.read_exact(&mut [0; 8]).await.expect("a part of the response");
            }
            // The client reads no more, but keeps the connection open.
            std::future::pending::<()>().await;
        };
        let error = tokio::select! {
            result = io.write_all(&[0; 100]) => result.expect_err("a timeout"),
            () = read_slowly => unreachable!(),
        };
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(start.elapsed() > 5 * (WRITE_TIMEOUT - Duration::from_secs(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn rest_of_a_request_is_discarded_before_the_connection_is_closed() {
        let (mut io, mut client) = connection(64 * 1024).await;
        client.write_all(b"GET / HTTP/1.1\nhost: x").await.expect("sent");
        let mut received = vec![0; 64];
        let read = io.read(&mut received).await.expect("accepted bytes");
        assert_eq!(&received[..read], b"GET / HTTP/1.1");
        let read = io.read(&mut received).await.expect("the replaced end");
        assert_eq!(&received[..read], INVALID_HEAD_END);
        let send = async {
            client.write_all(&vec![0; MAX_DISCARDED_BYTES / 2]).await.expect("sent");
            drop(client);
        };
        let (closed, ()) = tokio::join!(io.shutdown(), send);
        closed.expect("a closed connection");
        // A client that sends no more and keeps the connection open does not hold it.
        let (mut io, mut client) = connection(64 * 1024).await;
        client.write_all(b"GET / ").await.expect("sent");
        let read = io.read(&mut received).await.expect("accepted bytes");
        assert_eq!(&received[..read], b"GET / ");
        let start = Instant::now();
        io.shutdown().await.expect("a closed connection");
        assert!(start.elapsed() >= DISCARD_TIMEOUT);
    }
}
