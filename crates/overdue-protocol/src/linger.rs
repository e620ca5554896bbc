//! Closing a connection so that the client gets the last answer.
//!
//! An answer may be ready while the request still arrives: the key is wrong, the body too large. A socket
//! that is closed with unread bytes in it resets the connection, and the client then fails to write, or loses
//! the answer. So the server ends its own half first, and reads on until the client ends the other.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, Sleep, sleep};

/// How long the server reads on, and how long it waits for the next byte meanwhile.
const LINGER: Duration = Duration::from_secs(30);
const SILENCE: Duration = Duration::from_secs(5);

/// A connection whose shutdown lasts until the client has closed its half, or has been given up.
#[derive(Debug)]
pub(crate) struct Lingering {
    stream: TcpStream,
    /// Set once the server stops: then nobody is waited for.
    stopping: Arc<AtomicBool>,
    state: State,
}

#[derive(Debug)]
enum State {
    Open,
    /// The server's half is closed; what the client sends is thrown away.
    Draining {
        end: Instant,
        silence: Pin<Box<Sleep>>,
    },
    Closed,
}

impl Lingering {
    pub(crate) const fn new(stream: TcpStream, stopping: Arc<AtomicBool>) -> Self {
        Self { stream, stopping, state: State::Open }
    }

    /// Reads and throws away what the client sends. Ready once it has closed its half, takes too long or is
    /// gone.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let State::Draining { end, silence } = &mut self.state else { return Poll::Ready(()) };
        let mut bytes = [0; 16 << 10];
        loop {
            // Leaves the runtime to others now and then, by tokio's budget for reads.
            let mut buffer = ReadBuf::new(&mut bytes);
            match Pin::new(&mut self.stream).poll_read(cx, &mut buffer) {
                Poll::Ready(Ok(())) if !buffer.filled().is_empty() => {
                    let now = Instant::now();
                    if now >= *end {
                        return Poll::Ready(());
                    }
                    silence.as_mut().reset((now + SILENCE).min(*end));
                }
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return silence.as_mut().poll(cx),
            }
        }
    }
}

impl AsyncRead for Lingering {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Lingering {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if matches!(self.state, State::Open) {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.state = if self.stopping.load(Ordering::Relaxed) {
                State::Closed
            } else {
                State::Draining { end: Instant::now() + LINGER, silence: Box::pin(sleep(SILENCE)) }
            };
        }
        ready!(self.poll_drain(cx));
        self.state = State::Closed;
        Poll::Ready(Ok(()))
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(cx, parts)
    }
}
