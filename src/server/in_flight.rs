//! The requests that are being answered, until the last byte has been sent: what a graceful stop
//! waits for.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::{Context, Poll};

use actix_web::body::{BodySize, MessageBody};
use actix_web::web::Bytes;
use pin_project_lite::pin_project;
use tokio::sync::Notify;

use super::connection::Usage;

/// How much of a body is handed over at a time, in bytes: more is asked for when it has been sent.
const PIECE: usize = 32 * 1024;

/// Counts them.
#[derive(Default)]
pub struct InFlight {
    count: AtomicUsize,
    closing: AtomicBool,
    changed: Notify,
}

impl InFlight {
    /// From here on each connection ends with its next answer.
    pub fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }

    /// Waits until there are none.
    pub async fn finished(&self) {
        loop {
            let changed = self.changed.notified();
            if self.count() == 0 {
                return;
            }
            changed.await;
        }
    }
}

/// One of them, as long as this is there.
pub struct Counted(Arc<InFlight>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
        if self.0.closing.load(Ordering::SeqCst) {
            self.0.changed.notify_waiters();
        }
    }
}

/// A request from its head to the last piece of its answer. Its connection goes on counting it
/// until that piece has been sent.
pub struct Flight {
    counted: Option<Counted>,
    connection: Option<Rc<Usage>>,
}

impl Flight {
    /// Counts one more, which came on this connection.
    pub fn begin(in_flight: Arc<InFlight>, connection: Option<&Rc<Usage>>) -> Self {
        in_flight.count.fetch_add(1, Ordering::SeqCst);
        let connection = connection.cloned();
        if let Some(connection) = &connection {
            connection.begin();
        }
        Self { counted: Some(Counted(in_flight)), connection }
    }

    /// Whether its connection shall end with its answer.
    pub fn is_the_last_of_its_connection(&self) -> bool {
        self.counted.as_ref().is_some_and(|counted| counted.0.closing.load(Ordering::SeqCst))
    }

    /// A body with which this ends.
    pub fn carry<B>(self, body: B) -> Flying<B> {
        Flying { body, rest: Bytes::new(), _flight: self }
    }
}

impl Drop for Flight {
    fn drop(&mut self) {
        if let (Some(connection), Some(counted)) = (&self.connection, self.counted.take()) {
            connection.end(counted);
        }
    }
}

pin_project! {
    /// A body that is handed over piece by piece, as fast as it is sent.
    pub struct Flying<B> {
        #[pin]
        body: B,
        rest: Bytes,
        _flight: Flight,
    }
}

impl<B: MessageBody> MessageBody for Flying<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        let this = self.project();
        if this.rest.is_empty() {
            match this.body.poll_next(context) {
                Poll::Ready(Some(Ok(bytes))) => *this.rest = bytes,
                other => return other,
            }
        }
        let piece = match this.rest.len() {
            ..=PIECE => std::mem::take(this.rest),
            _ => this.rest.split_to(PIECE),
        };
        Poll::Ready(Some(Ok(piece)))
    }
}
