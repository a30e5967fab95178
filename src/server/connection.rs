//! A connection, and how long it may be quiet.
//!
//! The framework watches the head of the first request of a connection. From the second on a head
//! may dribble for ever, and so may what is left of a chunked body after its answer. So the stream
//! itself watches: after an answer the next head must be there within `KEEP_ALIVE` and
//! `HEAD_TIMEOUT`, however many bytes arrive until then.

use std::cell::Cell;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Instant, Sleep, sleep};

use super::in_flight::Counted;

/// How a connection is used: by a request that is being answered, or if not, since when by none.
pub struct Usage {
    limit: Duration,
    busy: Cell<bool>,
    since: Cell<Instant>,
    /// The request whose answer has been handed over and may not have been sent yet.
    unsent: Cell<Option<Counted>>,
}

impl Usage {
    /// A request has begun: its head is there.
    pub fn begin(&self) {
        self.busy.set(true);
    }

    /// Its answer has been handed over.
    pub fn end(&self, request: Counted) {
        self.busy.set(false);
        self.since.set(Instant::now());
        self.unsent.set(Some(request));
    }

    /// When it has been quiet for too long, as it looks now.
    fn deadline(&self) -> Instant {
        if self.busy.get() { Instant::now() + self.limit } else { self.since.get() + self.limit }
    }
}

/// The stream of a connection, which ends when it has been quiet for too long.
pub struct Connection {
    stream: TcpStream,
    usage: Rc<Usage>,
    timer: Pin<Box<Sleep>>,
}

impl Connection {
    /// A connection that may be quiet for as long as `limit`.
    pub fn new(stream: TcpStream, limit: Duration) -> Self {
        let (busy, since) = (Cell::new(false), Cell::new(Instant::now()));
        let usage = Rc::new(Usage { limit, busy, since, unsent: Cell::new(None) });
        Self { stream, usage, timer: Box::pin(sleep(limit)) }
    }

    /// How it is used, as its requests tell.
    pub fn usage(&self) -> Rc<Usage> {
        Rc::clone(&self.usage)
    }

    fn is_quiet_for_too_long(&mut self, context: &mut Context<'_>) -> bool {
        while self.timer.as_mut().poll(context).is_ready() {
            let deadline = self.usage.deadline();
            if deadline <= Instant::now() {
                return true;
            }
            self.timer.as_mut().reset(deadline);
        }
        false
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_quiet_for_too_long(context) {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // The framework flushes when it has written all that was handed over.
        drop(self.usage.unsent.take());
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
