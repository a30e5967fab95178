//! The files of `deploy/`, as they are shipped: nginx and Caddy in front of the real program and an
//! application, and what clients, the application and the program see of each other.
//!
//! Each of the cases in `guarded` is played behind both. Where nginx, Caddy or another tool is
//! missing, the tests that need it say that they are skipped; with `DEMAND_PROXIES=1` that is a
//! failure. Traefik and the compose files are only read (`containers`).

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, unused_imports, reason = "tests/suite uses the rest of it")]
#[path = "../suite"]
mod suite {
    pub mod harness;
}
use suite::harness;

mod app;
mod containers;
mod guarded;
mod proxy;
mod shipped;
mod site;
mod systemd;
mod wiretap;
