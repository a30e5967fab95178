//! A proxy with sessiond and the application behind it.

use std::net::SocketAddr;

use crate::app::{App, Received};
use crate::harness::{ADMIN, ADMIN_PASSWORD, Client, Program, Request, Server};
use crate::proxy::{Behind, Proxy, Running, free_address};
use crate::wiretap::Wiretap;

/// All of it, as `deploy/` has it: the program knows the proxy's address and the site's.
pub struct Site {
    // Ended before its folder goes away.
    _running: Running,
    pub address: SocketAddr,
    pub sessiond: Server,
    pub app: App,
    pub wiretap: Wiretap,
}

impl Site {
    /// Behind this proxy; none where it is not installed.
    pub fn behind(proxy: Proxy) -> Option<Self> {
        Self::with(proxy, |program| program)
    }

    /// The same with more settings of the program.
    pub fn with(proxy: Proxy, settings: impl FnOnce(Program) -> Program) -> Option<Self> {
        if !proxy.is_here() {
            return None;
        }
        let address = free_address();
        let program = Program::of("session_db_auth")
            .set("PUBLIC_URL", &format!("http://{address}"))
            .set("TRUSTED_PROXIES", "127.0.0.1");
        let sessiond = settings(program).start();
        let wiretap = Wiretap::before(sessiond.address);
        let app = App::start();
        let behind = Behind { sessiond: wiretap.address(), app: app.address() };
        let running = proxy.start(address, &behind, sessiond.program().folder());
        Some(Self { _running: running, address, sessiond, app, wiretap })
    }

    /// Somebody before the proxy.
    pub fn client(&self) -> Client {
        Client::at(self.address)
    }

    pub fn get(&self, path: &str) -> Request {
        self.client().get(path)
    }

    /// The session id of the first admin, logged in through the proxy.
    pub fn admin(&self) -> String {
        self.log_in(ADMIN, ADMIN_PASSWORD)
    }

    /// The same of anybody.
    pub fn log_in(&self, email: &str, password: &str) -> String {
        self.client().log_in(email, password)
    }

    /// The one request that the application has got.
    #[track_caller]
    pub fn one_request(&self) -> Received {
        let received = self.app.received();
        assert_eq!(received.len(), 1, "{received:?}");
        received.into_iter().next().unwrap()
    }

    /// Holds that nothing has come through to the application.
    #[track_caller]
    pub fn assert_unheard(&self) {
        assert!(self.app.received().is_empty());
    }

    /// The requests about other requests that the program has got so far.
    pub fn questions(&self) -> Vec<Received> {
        let is_one = |request: &Received| request.head.contains("/api/v1/auth_session/verify");
        self.wiretap.requests().into_iter().filter(is_one).collect()
    }
}
