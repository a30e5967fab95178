//! The server: listener, workers, what surrounds every request, and a graceful stop.

mod connection;
mod edge;
mod in_flight;
pub mod logging;
mod tls;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs as _};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::{Server, ServerHandle};
use actix_service::{
    IntoServiceFactory as _, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config,
};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use actix_web::{App, rt, web};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::either::Either;

use crate::api;
use crate::auth::audit::{self, About, Event, Trace};
use crate::config::{AuthType, Config};
use connection::Connection;
use edge::{Edge, edge};
use in_flight::InFlight;
pub use tls::Tls;

/// What a request that is on its way at a stop gets to arrive, on a connection that is open.
const LAST_CALL: Duration = Duration::from_millis(50);

/// What a client gets to take leave of a connection that is closed.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;
/// SIGXFSZ, sent to who writes beyond the limit of file sizes, on Linux and the BSDs alike.
const FILE_TOO_LARGE: i32 = 25;

/// A server that has its address and has not answered yet.
pub struct Bound {
    server: Server,
    addresses: Vec<SocketAddr>,
    in_flight: Arc<InFlight>,
    shutdown_timeout: Duration,
    tls: Option<Arc<Tls>>,
}

/// Takes the address, to answer these routes. The error is one line that names the address.
pub fn bind<R>(config: &Config, routes: R) -> Result<Bound, String>
where
    R: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
{
    let tls = Tls::open(config)?.map(Arc::new);
    let in_flight = Arc::new(InFlight::default());
    let (flights, https) = (Arc::clone(&in_flight), config.is_https());
    let application = move || {
        let here = Rc::new(Edge::new(Arc::clone(&flights), https));
        App::new()
            .configure(routes.clone())
            .default_service(web::to(api::not_found))
            .wrap_fn(move |request, application| edge(&here, request, application))
    };
    let taken = |cause| format!("{}:{}: {cause}", config.api_host, config.api_port);
    let (listeners, addresses) = listen(&config.api_host, config.api_port).map_err(taken)?;
    let mut server = Server::build().workers(config.workers()).disable_signals();
    let (keep_alive, head_timeout) = (config.keep_alive, config.head_timeout);
    for listener in listeners {
        let (application, tls) = (application.clone(), tls.clone());
        let connections = move || {
            let application = application().into_factory().map_err(|error| error.error_response());
            let http = HttpService::build()
                .keep_alive(keep_alive)
                .client_request_timeout(head_timeout)
                .client_disconnect_timeout(DISCONNECT_TIMEOUT)
                .on_connect_ext(|connection: &Connection, data| {
                    data.insert(connection.usage());
                })
                .finish(map_config(application, |()| AppConfig::default()));
            connections(tls.clone(), head_timeout, keep_alive + head_timeout).and_then(http)
        };
        server = server.listen("sessiond", listener, connections).map_err(taken)?;
    }
    announce(config, tls.as_deref(), &addresses);
    let (server, shutdown_timeout) = (server.run(), config.shutdown_timeout);
    Ok(Bound { server, addresses, in_flight, shutdown_timeout, tls })
}

/// Makes connections of streams: with TLS, if there is one, whose handshake gets as long as
/// `handshake_limit`; they end when they are quiet for longer than `limit`.
fn connections(
    tls: Option<Arc<Tls>>,
    handshake_limit: Duration,
    limit: Duration,
) -> impl ServiceFactory<
    TcpStream,
    Config = (),
    Response = (Connection, actix_http::Protocol, Option<SocketAddr>),
    Error = DispatchError,
    InitError = (),
> {
    fn_service(move |stream: TcpStream| {
        let tls = tls.clone();
        async move {
            // Without it an answer may wait for the client's next word.
            let _ = stream.set_nodelay(true);
            let peer = stream.peer_addr().ok();
            let stream = match tls {
                None => Either::Left(stream),
                Some(tls) => Either::Right(Box::new(tls.accept(stream, handshake_limit).await?)),
            };
            Ok((Connection::new(stream, limit), actix_http::Protocol::Http1, peer))
        }
    })
}

/// Listens on every address that a host name has here; one of them is enough.
fn listen(host: &str, port: u16) -> io::Result<(Vec<TcpListener>, Vec<SocketAddr>)> {
    let tried: Vec<_> = (host, port).to_socket_addrs()?.map(listen_at).collect();
    let any = tried.iter().any(Result::is_ok);
    let listeners = tried.into_iter().filter(|tried| tried.is_ok() || !any);
    let listeners: Vec<TcpListener> = listeners.collect::<io::Result<_>>()?;
    let addresses = listeners.iter().map(TcpListener::local_addr).collect::<io::Result<_>>()?;
    Ok((listeners, addresses))
}

fn listen_at(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

fn announce(config: &Config, tls: Option<&Tls>, addresses: &[SocketAddr]) {
    let scheme = if tls.is_some() { "https" } else { "http" };
    for address in addresses {
        let (version, kind) = (env!("CARGO_PKG_VERSION"), config.auth_type.name());
        log::info!("sessiond {version} listening on {scheme}://{address}, AUTH_TYPE={kind}");
        warn_of_risks(config, address.ip());
    }
    if let Some(tls) = tls {
        tls.warn_of_risks();
    }
}

fn warn_of_risks(config: &Config, address: IpAddr) {
    if !address.is_loopback() && !config.is_https() {
        log::warn!(
            "plain http on {address}: anybody on the way can read passwords; set TLS_CERT and TLS_KEY, or PUBLIC_URL to the https address of the proxy before it"
        );
    }
    if config.auth_type == AuthType::None {
        log::warn!("AUTH_TYPE=none: everybody who reaches {address} may do everything");
    }
}

/// The signals that ask to stop, SIGTERM and SIGINT, the one that asks to read files anew, SIGHUP,
/// and the one that asks for a backup, SIGUSR1.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
    user1: Signal,
}

impl Signals {
    /// From here on a write beyond the limit of file sizes (`ulimit -f`) fails, as one to a full
    /// disk does, and no longer ends the process.
    pub fn survive_file_size_limit() -> io::Result<()> {
        // What has been listened to once keeps its handler.
        signal(SignalKind::from_raw(FILE_TOO_LARGE)).map(drop)
    }

    /// From here on a signal no longer ends the process by itself.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
            user1: signal(SignalKind::user_defined1())?,
        })
    }

    /// Waits until a stop is asked for; reads files anew and makes backups meanwhile, as often as
    /// that is asked for.
    async fn stop(&mut self, reload: impl Fn(), back_up: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => reload(),
                _ = self.user1.recv() => back_up(),
            }
        }
    }
}

impl Bound {
    /// Where it listens: with port 0 in the settings, this tells the port that was found.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The server alone, for a program that stops it by its handle and not by a signal.
    pub fn into_server(self) -> Server {
        self.server
    }

    /// Answers requests until one of the signals, then lets those in flight finish. A second
    /// signal ends without waiting. Meanwhile `background` is done as well, and `back_up` whenever
    /// SIGUSR1 asks for it.
    pub async fn run(
        self,
        signals: Signals,
        back_up: impl Fn() + 'static,
        background: impl Future<Output = ()> + 'static,
    ) -> io::Result<()> {
        let (handle, tls) = (self.server.handle(), self.tls);
        let reload = move || reload(tls.as_deref());
        let (in_flight, timeout) = (self.in_flight, self.shutdown_timeout);
        let stop = stop(signals, reload, back_up, handle, in_flight, timeout);
        let stop = rt::spawn(stop);
        let background = rt::spawn(background);
        let ended = self.server.await;
        stop.abort();
        background.abort();
        ended
    }
}

/// Reads anew what may have been replaced while the service runs.
fn reload(tls: Option<&Tls>) {
    log::info!("reloading");
    logging::reopen();
    if let Some(tls) = tls {
        tls.reload();
    }
}

async fn stop(
    mut signals: Signals,
    reload: impl Fn(),
    back_up: impl Fn(),
    server: ServerHandle,
    in_flight: Arc<InFlight>,
    timeout: Duration,
) {
    signals.stop(reload, back_up).await;
    log::info!("stopping");
    audit::record(Event::Stopped, &Trace::default(), &About::default());
    server.pause().await;
    in_flight.close();
    let finished = async {
        loop {
            in_flight.finished().await;
            rt::time::sleep(LAST_CALL).await;
            // What came meanwhile, on a connection that was open, is answered as well.
            if in_flight.count() == 0 {
                return;
            }
        }
    };
    tokio::select! {
        () = finished => {}
        () = rt::time::sleep(timeout) => log::warn!("stopped with requests unanswered"),
        () = signals.stop(|| {}, || {}) => {}
    }
    server.stop(false).await;
}
