//! The server: listener, workers, what surrounds every request, and a graceful stop.

mod edge;
mod in_flight;
pub mod logging;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{Server, ServerHandle};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, rt, web};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::api;
use crate::config::{AuthType, Config};
use edge::{RequestIds, edge};
use in_flight::InFlight;

/// What a last answer gets to leave the machine after its request is finished.
const FLUSH: Duration = Duration::from_millis(50);

/// A server that has its address and has not answered yet.
pub struct Bound {
    server: Server,
    addresses: Vec<SocketAddr>,
    in_flight: Arc<InFlight>,
    shutdown_timeout: Duration,
}

/// Takes the address, to answer these routes. The error is one line that names the address.
pub fn bind<R>(config: &Config, routes: R) -> Result<Bound, String>
where
    R: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
{
    let in_flight = Arc::new(InFlight::default());
    let (request_ids, flights) =
        (web::Data::new(RequestIds::new()), web::Data::from(Arc::clone(&in_flight)));
    let application = move || {
        App::new()
            .app_data(request_ids.clone())
            .app_data(flights.clone())
            .configure(routes.clone())
            .default_service(web::to(api::not_found))
            .wrap(from_fn(edge))
    };
    let address = (config.api_host.as_str(), config.api_port);
    let server = HttpServer::new(application)
        .workers(config.workers())
        .keep_alive(config.keep_alive)
        .client_request_timeout(config.head_timeout)
        .disable_signals()
        .bind(address)
        .map_err(|cause| format!("{}:{}: {cause}", config.api_host, config.api_port))?;
    let addresses = server.addrs();
    for address in &addresses {
        let (version, kind) = (env!("CARGO_PKG_VERSION"), config.auth_type.name());
        log::info!("sessiond {version} listening on http://{address}, AUTH_TYPE={kind}");
        warn_of_risks(config, address.ip());
    }
    let (server, shutdown_timeout) = (server.run(), config.shutdown_timeout);
    Ok(Bound { server, addresses, in_flight, shutdown_timeout })
}

fn warn_of_risks(config: &Config, address: IpAddr) {
    if !address.is_loopback() && !config.is_https() {
        log::warn!(
            "plain http on {address}: anybody on the way can read passwords; set PUBLIC_URL to the https address of the proxy before it"
        );
    }
    if config.auth_type == AuthType::None {
        log::warn!("AUTH_TYPE=none: everybody who reaches {address} may do everything");
    }
}

/// The signals that ask to stop: SIGTERM and SIGINT.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From here on a signal no longer ends the process by itself.
    pub fn listen() -> io::Result<Self> {
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Self { terminate: signal(terminate)?, interrupt: signal(interrupt)? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
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
    /// signal ends without waiting. Meanwhile `background` is done as well.
    pub async fn run(
        self,
        signals: Signals,
        background: impl Future<Output = ()> + 'static,
    ) -> io::Result<()> {
        let stop = stop(signals, self.server.handle(), self.in_flight, self.shutdown_timeout);
        let stop = rt::spawn(stop);
        let background = rt::spawn(background);
        let ended = self.server.await;
        stop.abort();
        background.abort();
        ended
    }
}

async fn stop(
    mut signals: Signals,
    server: ServerHandle,
    in_flight: Arc<InFlight>,
    timeout: Duration,
) {
    signals.next().await;
    log::info!("stopping");
    server.pause().await;
    in_flight.close();
    let finished = async {
        loop {
            in_flight.finished().await;
            rt::time::sleep(FLUSH).await;
            // What came meanwhile, on a connection that was open, is answered as well.
            if in_flight.count() == 0 {
                return;
            }
        }
    };
    tokio::select! {
        () = finished => {}
        () = rt::time::sleep(timeout) => log::warn!("stopped with requests unanswered"),
        () = signals.next() => {}
    }
    server.stop(false).await;
}
