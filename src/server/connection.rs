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
use tokio_rustls::server::TlsStream;
use tokio_util::either::Either;

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

/// What is said on a connection: plainly, or over TLS.
pub type Stream = Either<TcpStream, Box<TlsStream<TcpStream>>>;

/// The stream of a connection, which ends when it has been quiet for too long.
pub struct Connection {
    stream: Stream,
    usage: Rc<Usage>,
    timer: Pin<Box<Sleep>>,
}

impl Connection {
    /// A connection that may be quiet for as long as `limit`.
    pub fn new(stream: Stream, limit: Duration) -> Self {
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
        let flushed = Pin::new(&mut self.stream).poll_flush(context);
        // The framework flushes when it has written all that was handed over. Of that TLS keeps
        // what the network does not take at once.
        if flushed.is_ready() {
            drop(self.usage.unsent.take());
        }
        flushed
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::sync::Arc;

    use rustls::crypto::ring;
    use rustls::pki_types::PrivateKeyDer;
    use rustls::{ClientConfig, RootCertStore, ServerConfig};
    use tokio::io::AsyncReadExt as _;
    use tokio::net::TcpListener;
    use tokio_rustls::{TlsAcceptor, TlsConnector, client};

    use super::*;
    use crate::server::in_flight::{Flight, InFlight};

    /// Both ends of a connection over TLS.
    async fn ends() -> (TlsStream<TcpStream>, client::TlsStream<TcpStream>) {
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = rcgen::CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
        let certificate = certificate.self_signed(&key).unwrap().der().clone();
        let mut roots = RootCertStore::empty();
        roots.add(certificate.clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        let server = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], PrivateKeyDer::from(key))
            .unwrap();
        let client = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = TcpStream::connect(address).await.unwrap();
        let connector = TlsConnector::from(Arc::new(client));
        let (server, client) = tokio::join!(
            TlsAcceptor::from(Arc::new(server)).accept(listener.accept().await.unwrap().0),
            connector.connect(address.ip().into(), stream),
        );
        (server.unwrap(), client.unwrap())
    }

    #[actix_web::test]
    async fn what_tls_holds_back_has_not_been_sent() {
        let (server, mut client) = ends().await;
        let mut connection =
            Connection::new(Either::Right(Box::new(server)), Duration::from_mins(1));
        let in_flight = Arc::new(InFlight::default());
        let flight = Flight::begin(Arc::clone(&in_flight), Some(&connection.usage()));
        let mut connection = Pin::new(&mut connection);
        // Nobody reads: in the end neither the network nor TLS takes more.
        poll_fn(|context| {
            while connection.as_mut().poll_write(context, &[0; 16_384]).is_ready() {}
            Poll::Ready(())
        })
        .await;
        drop(flight);
        let flushed = poll_fn(|context| Poll::Ready(connection.as_mut().poll_flush(context))).await;
        assert!(flushed.is_pending());
        assert_eq!(in_flight.count(), 1);
        let reader = actix_web::rt::spawn(async move {
            let mut buffer = vec![0; 65_536];
            while client.read(&mut buffer).await.is_ok_and(|read| read > 0) {}
        });
        poll_fn(|context| connection.as_mut().poll_flush(context)).await.unwrap();
        assert_eq!(in_flight.count(), 0);
        reader.abort();
    }
}
