//! What goes through the server, in numbers.
//!
//! A request is told by the pattern of its route, its method and its status, never by its path: so
//! there are only so many numbers, and nothing in them is of a person.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actix_web::{HttpRequest, web};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::histogram::Histogram;

use super::in_flight::InFlight;
use crate::api::Route;
use crate::auth::proxies::Proxies;

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
    routes: RefCell<Vec<OfRoute>>,
}

/// What there is to count with for one route.
struct OfRoute {
    pattern: String,
    duration: Histogram,
    requests: Vec<(u16, MethodNumber, Counter)>,
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
    pub fn note_handed_over(&self, request: &HttpRequest) {
        let peer = request.peer_addr().map(|peer| peer.ip().to_canonical());
        let proxies = request.app_data::<web::Data<Proxies>>();
        if !peer.zip(proxies).is_some_and(|(peer, proxies)| proxies.trusts(peer)) {
            self.traffic.untrusted.inc();
        }
    }

    /// Counts a request that has been answered.
    pub fn note(
        &self,
        request: &HttpRequest,
        method: MethodNumber,
        status: StatusCode,
        took: Duration,
    ) {
        let number = request.app_data::<Route>().map_or_else(
            || self.number_of_none(request),
            |route| route.number.get().unwrap_or_else(|| self.number(route)),
        );
        self.count(number, method, status, took);
    }

    /// Counts a request that has ended in a panic.
    pub fn note_panic(&self, method: MethodNumber, took: Duration) {
        self.count(self.number_of(PANICKED), method, StatusCode::INTERNAL_SERVER_ERROR, took);
    }

    /// The number of a request that was refused before it came to its route, or has none.
    fn number_of_none(&self, request: &HttpRequest) -> usize {
        let pattern = request.match_pattern();
        let pattern = pattern.as_deref().unwrap_or(UNMATCHED);
        self.number_of(pattern.strip_suffix('/').unwrap_or(pattern))
    }

    /// Gives a route its number.
    fn number(&self, route: &Route) -> usize {
        let number = self.number_of(&route.pattern);
        route.number.set(Some(number));
        number
    }

    /// The number of a route, which it gets if it has none. There are a few dozen.
    fn number_of(&self, pattern: &str) -> usize {
        let mut routes = self.routes.borrow_mut();
        let known = routes.iter().position(|route| route.pattern == pattern);
        known.unwrap_or_else(|| {
            let labels = RouteLabels { route: pattern.to_owned() };
            let duration = self.traffic.duration.get_or_create_owned(&labels);
            routes.push(OfRoute { pattern: labels.route, duration, requests: Vec::new() });
            routes.len() - 1
        })
    }

    fn count(&self, number: usize, method: MethodNumber, status: StatusCode, took: Duration) {
        let mut routes = self.routes.borrow_mut();
        let route = &mut routes[number];
        route.duration.observe(took.as_secs_f64());
        let status = status.as_u16();
        let known = route.requests.iter().find(|(s, m, _)| *s == status && *m == method);
        if let Some((_, _, counter)) = known {
            counter.inc();
        } else {
            let route_name = route.pattern.clone();
            let labels = RequestLabels { route: route_name, method: method.name(), status };
            let counter = self.traffic.requests.get_or_create_owned(&labels);
            counter.inc();
            route.requests.push((status, method, counter));
        }
    }
}

/// A method by its place among those that are usual; clients can make up others.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct MethodNumber(u8);

/// The names of methods, by their numbers.
const METHODS: [&str; 8] = ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH", "other"];

impl MethodNumber {
    /// That of a method.
    pub fn of(method: &Method) -> Self {
        Self(match *method {
            Method::GET => 0,
            Method::HEAD => 1,
            Method::POST => 2,
            Method::PUT => 3,
            Method::DELETE => 4,
            Method::OPTIONS => 5,
            Method::PATCH => 6,
            _ => 7,
        })
    }

    fn name(self) -> &'static str {
        METHODS[usize::from(self.0)]
    }
}
