//! What those ask who keep the service going: whether it is alive, whether it can do its work, and
//! how much it does.
//!
//! None of it is for the world. It is answered at an address of its own, `METRICS_ADDR`; without
//! one, to this machine alone.

mod metrics;
mod readiness;

use std::net::IpAddr;
use std::sync::Arc;

use actix_web::dev::RequestHead;
use actix_web::http::header::{CONTENT_TYPE, HOST, HeaderValue};
use actix_web::http::uri::Authority;
use actix_web::{HttpResponse, guard as on, web};
use serde_json::json;
use utoipa::OpenApi as _;

use super::Stores;
use crate::api::{self, Document, Route, Status};
use crate::auth::accounts::Accounts;
use crate::auth::{Auth, proxies};
use crate::clock::Clock;
use crate::error::{Code, Result};
use crate::server::Traffic;
use crate::web::Health;

use metrics::Metrics;
use readiness::Readiness;

/// What the answer to `/metrics` is (OpenMetrics 1.0).
const OPEN_METRICS: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// What `/readyz` is refused with.
const NOT_READY: [(u16, Code); 1] = [(503, Code::NotReady)];

#[derive(utoipa::OpenApi)]
#[openapi(paths(alive, ready, numbers))]
struct Described;

/// The document of the API and of these routes, for a service whose session cookie has this name.
pub fn document(cookie: &str) -> Document {
    Document::new(cookie, Described::openapi)
}

/// Who is answered.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Who has come to the listener.
    Everybody,
    /// Who is on this machine, and asks for himself.
    ThisMachine,
}

/// The parts of a service that have something to tell.
pub struct Parts<'p> {
    /// Where records are.
    pub stores: &'p Arc<Stores>,
    /// The accounts.
    pub accounts: &'p Arc<Accounts>,
    /// The kind of authentication, and its name.
    pub auth: (&'p Arc<dyn Auth>, &'static str),
    /// What goes through the server.
    pub traffic: &'p Traffic,
}

/// The three routes.
#[derive(Clone)]
pub struct Monitoring {
    readiness: Arc<Readiness>,
    metrics: Arc<Metrics>,
}

impl Monitoring {
    /// Of these parts. The clock tells how long something has been known, or stuck.
    pub fn of(parts: &Parts<'_>, clock: Arc<dyn Clock>) -> Self {
        let readiness = Readiness::new(Arc::clone(parts.stores), Arc::clone(parts.accounts), clock);
        let metrics = Metrics::of(parts, &readiness);
        Self { readiness: Arc::new(readiness), metrics: Arc::new(metrics) }
    }

    /// What the pages of admins ask.
    pub fn health(&self) -> Health {
        let readiness = Arc::clone(&self.readiness);
        Arc::new(move || {
            let readiness = Arc::clone(&readiness);
            Box::pin(async move { readiness.ask().await })
        })
    }

    /// Adds the routes to an application. Whom they are not for finds nothing there.
    pub fn configure(&self, config: &mut web::ServiceConfig, reach: Reach) {
        config.app_data(web::Data::from(Arc::clone(&self.readiness)));
        config.app_data(web::Data::from(Arc::clone(&self.metrics)));
        for (path, handler) in [
            ("/healthz", api::get().to(alive)),
            ("/healthz/", api::get().to(alive)),
            ("/readyz", api::get().to(ready)),
            ("/readyz/", api::get().to(ready)),
            ("/metrics", api::get().to(numbers)),
            ("/metrics/", api::get().to(numbers)),
        ] {
            let is_meant = move |request: &on::GuardContext<'_>| {
                reach == Reach::Everybody || is_from_this_machine(request.head())
            };
            let route = Route::new(path.trim_end_matches('/').to_owned());
            let resource = api::resource(path, "GET, HEAD").app_data(route).route(handler);
            config.service(resource.guard(on::fn_guard(is_meant)));
        }
    }
}

/// Whether who asks is on this machine and asks for himself: a proxy here must not hand to the world
/// what is for this machine, nor a page of somewhere else whose name leads here.
fn is_from_this_machine(request: &RequestHead) -> bool {
    let is_here = request.peer_addr.is_some_and(|peer| peer.ip().to_canonical().is_loopback());
    is_here && !proxies::shows_a_proxy(request.headers()) && asks_this_machine(request)
}

/// Whether this machine is whom a request names as its host, if it names one.
fn asks_this_machine(request: &RequestHead) -> bool {
    let authority = |host: &HeaderValue| host.to_str().ok()?.parse::<Authority>().ok();
    let named = request.headers().get(HOST).map(|host| {
        authority(host).is_some_and(|authority| {
            let name = authority.host().trim_start_matches('[').trim_end_matches(']');
            let address = name.parse().map(|address: IpAddr| address.to_canonical());
            address.map_or(name.eq_ignore_ascii_case("localhost"), |address| address.is_loopback())
        })
    });
    named.unwrap_or(true)
}

/// Whether the service is alive: that it answers is the answer.
#[utoipa::path(
    get, path = "/healthz", tag = "service", operation_id = "readHealth",
    summary = "Whether the service is alive", security(()),
    description = "At `METRICS_ADDR`; without that, for this machine alone.",
    responses((status = 200, description = "It is", body = Status)),
)]
async fn alive() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "OK" }))
}

/// Whether it can do its work; 503 with what keeps it from that.
#[utoipa::path(
    get, path = "/readyz", tag = "service", operation_id = "readReadiness",
    summary = "Whether the service can do its work", security(()),
    description = "Whether changes can be written and passwords hashed. Where `/healthz` is.",
    responses((status = 200, description = "It can", body = Status)),
    extensions(("x-codes" = json!([NOT_READY]))),
)]
async fn ready(readiness: web::Data<Readiness>) -> Result<HttpResponse> {
    readiness.ask().await?;
    Ok(alive().await)
}

/// All that is counted.
#[utoipa::path(
    get, path = "/metrics", tag = "service", operation_id = "readMetrics",
    summary = "All that is counted", security(()),
    description = "For Prometheus and its like. Where `/healthz` is.",
    responses((status = 200, description = "The numbers, as OpenMetrics 1.0 has them", body = String,
        content_type = "application/openmetrics-text; version=1.0.0; charset=utf-8")),
)]
async fn numbers(metrics: web::Data<Metrics>) -> Result<HttpResponse> {
    let text = metrics.text().await?;
    Ok(HttpResponse::Ok().insert_header((CONTENT_TYPE, OPEN_METRICS)).body(text))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn is_meant(peer: &str, header: Option<&str>) -> bool {
        let request = TestRequest::default().peer_addr(peer.parse().unwrap());
        let request = header.into_iter().fold(request, |r, name| r.insert_header((name, "")));
        is_from_this_machine(request.to_http_request().head())
    }

    #[test]
    fn this_machine_asks_from_a_loopback_address_and_for_itself() {
        for (peer, expected) in [
            ("127.0.0.1:1", true),
            ("127.45.6.7:1", true),
            ("[::1]:1", true),
            ("[::ffff:127.0.0.1]:1", true),
            ("192.0.2.1:1", false),
            ("10.0.0.1:1", false),
            ("[2001:db8::1]:1", false),
            ("0.0.0.0:1", false),
        ] {
            assert_eq!(is_meant(peer, None), expected, "{peer}");
        }
        let proxies = [
            "Forwarded",
            "X-Forwarded-For",
            "X-Forwarded-Host",
            "x-forwarded-anything",
            "X-Original-URI",
            "X-Forwarded",
            "X-Real-IP",
            "X-Client-IP",
            "X-Cluster-Client-IP",
            "True-Client-IP",
            "CF-Connecting-IP",
            "Fly-Client-IP",
            "Fastly-Client-IP",
            "Via",
        ];
        for header in proxies {
            assert!(!is_meant("127.0.0.1:1", Some(header)), "{header}");
        }
        for header in ["X-Forwarding", "X-Requested-With", "Origin", "X-Real", "Forward"] {
            assert!(is_meant("127.0.0.1:1", Some(header)), "{header}");
        }
        assert!(!is_from_this_machine(TestRequest::default().to_http_request().head()));
    }

    #[test]
    fn this_machine_is_asked_under_a_name_of_its_own() {
        let is_meant = |host: &str| {
            let request = TestRequest::default().peer_addr("127.0.0.1:1".parse().unwrap());
            is_from_this_machine(request.insert_header((HOST, host)).to_http_request().head())
        };
        let own =
            ["localhost", "LOCALHOST:5000", "127.0.0.1:5000", "127.9.9.9", "[::1]", "[::1]:80"];
        for host in own {
            assert!(is_meant(host), "{host}");
        }
        for host in [
            "",
            "id.example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "192.0.2.1:5000",
            "0.0.0.0",
            "[2001:db8::1]",
            "127.0.0.1@evil.example",
            "a b",
        ] {
            assert!(!is_meant(host), "{host}");
        }
    }
}
