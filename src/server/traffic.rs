//! What goes through the server, in numbers.
//!
//! A request is told by the pattern of its route, its method and its status, never by its path: so
//! there are only so many numbers, and nothing in them is of a person.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, web};
use foldhash::fast::RandomState;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use super::in_flight::InFlight;
use crate::api::Route;
use crate::auth::proxies::{self, Proxies};

/// Seconds that an answer takes: from what is in memory to what waits for many passwords.
const SECONDS: [f64; 15] = [
    0.000_05, 0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5,
    10.0,
];
/// The route of requests that have none.
const UNMATCHED: &str = "unmatched";
/// The route of requests that ended in a panic, which takes along what is known of them.
const PANICKED: &str = "panicked";

/// The labels of a count of requests.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct RequestLabels {
    route: String,
    method: &'static str,
    status: u16,
}

/// The labels of what is told of a route.
#[derive(Clone, Debug, EncodeLabelSet, Eq, Hash, PartialEq)]
pub struct RouteLabels {
    route: String,
}

/// The numbers. Clones show the same.
#[derive(Clone)]
pub struct Traffic {
    /// Requests that have been answered.
    pub requests: Family<RequestLabels, Counter>,
    /// Seconds until their answers were there.
    pub duration: Family<RouteLabels, Histogram, fn() -> Histogram>,
    /// Requests that say whom they are handed over for, and come from nobody who is trusted to.
    pub untrusted: Counter,
    pub(super) in_flight: Arc<InFlight>,
}

impl Default for Traffic {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            duration: Family::new_with_constructor(|| Histogram::new(SECONDS)),
            untrusted: Counter::default(),
            in_flight: Arc::default(),
        }
    }
}

impl Traffic {
    /// How many requests are being answered.
    pub fn in_flight(&self) -> usize {
        self.in_flight.count()
    }
}

/// Counts for one worker, which looks up by labels only what it has not counted before.
pub struct Tally {
    traffic: Traffic,
    routes: RefCell<HashMap<String, OfRoute, RandomState>>,
}

/// What there is to count with for one route.
struct OfRoute {
    duration: Histogram,
    requests: Vec<(&'static str, u16, Counter)>,
}

impl Tally {
    /// For one more worker.
    pub fn new(traffic: Traffic) -> Self {
        Self { traffic, routes: RefCell::default() }
    }

    /// The requests that are being answered.
    pub fn in_flight(&self) -> &Arc<InFlight> {
        &self.traffic.in_flight
    }

    /// Counts a request that says for whom it is handed over, unless it comes from a trusted proxy.
    pub fn note_claims(&self, request: &HttpRequest) {
        if proxies::is_handed_over(request.headers()) {
            let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
            let proxies = request.app_data::<web::Data<Proxies>>();
            let trusted = peer.zip(proxies).is_some_and(|(peer, proxies)| proxies.trusts(peer));
            if !trusted {
                self.traffic.untrusted.inc();
            }
        }
    }

    /// Counts a request that has been answered.
    pub fn note(&self, request: &HttpRequest, status: StatusCode, took: Duration) {
        let method = method_name(request.method());
        if let Some(Route(route)) = request.app_data() {
            return self.count(route, method, status, took);
        }
        // It was refused before it came to a route, or there is none.
        let pattern = request.match_pattern();
        let route = pattern.as_deref().map_or(UNMATCHED, |p| p.strip_suffix('/').unwrap_or(p));
        self.count(route, method, status, took);
    }

    /// Counts a request that has ended in a panic.
    pub fn note_panic(&self, method: &'static str, took: Duration) {
        self.count(PANICKED, method, StatusCode::INTERNAL_SERVER_ERROR, took);
    }

    fn count(&self, route: &str, method: &'static str, status: StatusCode, took: Duration) {
        let mut routes = self.routes.borrow_mut();
        let known = match routes.get_mut(route) {
            Some(known) => known,
            None => routes.entry(route.to_owned()).or_insert_with(|| self.begin(route)),
        };
        known.duration.observe(took.as_secs_f64());
        known.requests(&self.traffic, route, method, status.as_u16()).inc();
    }

    fn begin(&self, route: &str) -> OfRoute {
        let labels = RouteLabels { route: route.to_owned() };
        OfRoute {
            duration: self.traffic.duration.get_or_create_owned(&labels),
            requests: Vec::new(),
        }
    }
}

impl OfRoute {
    /// The count of requests with this method and this status.
    fn requests(
        &mut self,
        traffic: &Traffic,
        route: &str,
        method: &'static str,
        status: u16,
    ) -> &Counter {
        let known = self.requests.iter().position(|(m, s, _)| (*m, *s) == (method, status));
        let at = known.unwrap_or_else(|| {
            let labels = RequestLabels { route: route.to_owned(), method, status };
            self.requests.push((method, status, traffic.requests.get_or_create_owned(&labels)));
            self.requests.len() - 1
        });
        &self.requests[at].2
    }
}

/// The name of a method, if it is one that is usual: clients can make up others.
pub fn method_name(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::PATCH => "PATCH",
        _ => "other",
    }
}
