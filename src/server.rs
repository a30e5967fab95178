//! The server: listener, workers, what surrounds every request, and a graceful stop.

mod connection;
mod edge;
mod in_flight;
pub mod logging;
mod stop;
mod tls;
mod traffic;

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener, ToSocketAddrs as _};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::HttpService;
use actix_http::error::DispatchError;
use actix_server::{Server, ServerBuilder};
use actix_service::{
    IntoServiceFactory as _, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config,
};
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use actix_web::{App, rt, web};
use socket2::{Domain, Protocol, Socket, Type};
use tokio_util::either::Either;

use crate::api;
use crate::config::{AuthType, Config};
use connection::Connection;
use edge::{Edge, edge};
pub use stop::Signals;
use stop::stop;
pub use tls::Tls;
pub use traffic::Traffic;

/// What a client gets to take leave of a connection that is closed.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How many connections may wait to be accepted.
const BACKLOG: i32 = 1024;

/// A server that has its addresses and has not answered yet.
pub struct Bound {
    server: Server,
    addresses: Vec<SocketAddr>,
    monitoring: Option<SocketAddr>,
    traffic: Traffic,
    shutdown_timeout: Duration,
    tls: Option<Arc<Tls>>,
}

/// Takes the address, to answer these routes, and `METRICS_ADDR`, if it is set, to answer those of
/// `monitoring` there. The error is one line that names the address.
pub fn bind(
    config: &Config,
    traffic: &Traffic,
    routes: impl Fn(&mut web::ServiceConfig) + Send + Sync + 'static,
    monitoring: impl Fn(&mut web::ServiceConfig) + Send + Sync + 'static,
) -> Result<Bound, String> {
    let routes: Routes = Arc::new(routes);
    let front = Front::new(config, traffic.clone(), Tls::open(config)?.map(Arc::new));
    let taken = |cause| format!("{}:{}: {cause}", config.api_host, config.api_port);
    let (listeners, addresses) = listen(&config.api_host, config.api_port).map_err(taken)?;
    let mut server = Server::build().workers(config.workers()).disable_signals();
    for listener in listeners {
        server = front.answer(server, listener, Arc::clone(&routes)).map_err(taken)?;
    }
    let mut apart = None;
    if let Some(address) = config.metrics_addr.0 {
        let taken = |cause| format!("{address}: {cause}");
        let listener = listen_at(address).map_err(taken)?;
        apart = Some(listener.local_addr().map_err(taken)?);
        server = front.answer(server, listener, Arc::new(monitoring)).map_err(taken)?;
    }
    announce(config, front.tls.as_deref(), &addresses, apart);
    let (server, shutdown_timeout) = (server.run(), config.shutdown_timeout);
    let (traffic, tls) = (front.traffic, front.tls);
    Ok(Bound { server, addresses, monitoring: apart, traffic, shutdown_timeout, tls })
}

/// Adds routes to an application. One type for all of them, so that what answers them is compiled
/// once, and as a whole.
type Routes = Arc<dyn Fn(&mut web::ServiceConfig) + Send + Sync>;

/// What stands before all routes, whatever the listener.
struct Front {
    traffic: Traffic,
    tls: Option<Arc<Tls>>,
    https: bool,
    keep_alive: Duration,
    head_timeout: Duration,
}

impl Front {
    fn new(config: &Config, traffic: Traffic, tls: Option<Arc<Tls>>) -> Self {
        let (keep_alive, head_timeout) = (config.keep_alive, config.head_timeout);
        Self { traffic, tls, https: config.is_https(), keep_alive, head_timeout }
    }

    /// Has a server answer these routes to whoever comes to the listener.
    fn answer(
        &self,
        server: ServerBuilder,
        listener: TcpListener,
        routes: Routes,
    ) -> io::Result<ServerBuilder> {
        let (traffic, tls, https) = (self.traffic.clone(), self.tls.clone(), self.https);
        let (keep_alive, head_timeout) = (self.keep_alive, self.head_timeout);
        server.listen("sessiond", listener, move || {
            let here = Rc::new(Edge::new(traffic.clone(), https));
            let application = App::new()
                .default_service(web::to(api::not_found))
                .configure(routes.as_ref())
                .wrap_fn(move |request, application| edge(&here, request, application));
            let application = application.into_factory().map_err(|error| error.error_response());
            let http = HttpService::build()
                .keep_alive(keep_alive)
                .client_request_timeout(head_timeout)
                .client_disconnect_timeout(DISCONNECT_TIMEOUT)
                .on_connect_ext(|connection: &Connection, data| {
                    data.insert(connection.usage());
                })
                .finish(map_config(application, |()| AppConfig::default()));
            connections(tls.clone(), head_timeout, keep_alive + head_timeout).and_then(http)
        })
    }
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

fn announce(
    config: &Config,
    tls: Option<&Tls>,
    addresses: &[SocketAddr],
    monitoring: Option<SocketAddr>,
) {
    let scheme = if tls.is_some() { "https" } else { "http" };
    for address in addresses {
        let (version, kind) = (env!("CARGO_PKG_VERSION"), config.auth_type.name());
        log::info!("sessiond {version} listening on {scheme}://{address}, AUTH_TYPE={kind}");
        warn_of_risks(config, address.ip());
    }
    if let Some(address) = monitoring {
        log::info!("health and metrics on {scheme}://{address}");
        if tls.is_none() && !address.ip().is_loopback() {
            log::warn!(
                "plain http on {address}: anybody on the way can read the metrics; set TLS_CERT and TLS_KEY, or a METRICS_ADDR of this machine alone"
            );
        }
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

impl Bound {
    /// Where it listens: with port 0 in the settings, this tells the port that was found.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Where health and metrics are asked for, if that is not where all else is.
    pub fn monitoring_address(&self) -> Option<SocketAddr> {
        self.monitoring
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
        let (in_flight, timeout) = (self.traffic.in_flight, self.shutdown_timeout);
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
