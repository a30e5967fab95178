//! What surrounds every request: limits, one spelling of paths, a request id, security headers,
//! a panic that becomes an answer, and the line in the log.

use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::ConnectionType;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, HttpResponse, ResponseError as _, web};
use futures_util::FutureExt as _;

use super::connection::Usage;
use super::in_flight::{Flight, Flying, InFlight};
use crate::auth::audit::{self, About, Event, OrDash, Trace, X_REQUEST_ID};
use crate::auth::guard::{Caller, seen_through};
use crate::auth::{client_address, path};
use crate::error::{Error, Result};
use crate::models::SessionId;
use crate::random::{self, SystemRandom};

/// The most bytes of a request target.
const MAX_TARGET: usize = 8 * 1024;
/// The most bytes of all header names and values together.
const MAX_HEADERS: usize = 16 * 1024;

/// What the middleware needs to know.
pub struct Edge {
    ids: RequestIds,
    https: bool,
}

impl Edge {
    /// For a service that is reached over https, or over plain http.
    pub fn new(https: bool) -> Self {
        Self { ids: RequestIds::new(), https }
    }
}

/// Names requests that bring no name along: a number drawn at start, and a count.
struct RequestIds {
    process: u32,
    count: AtomicU64,
}

impl RequestIds {
    /// Begins to count.
    fn new() -> Self {
        // Without randomness the names are only less unlike those of the last run.
        let process = random::bytes(&SystemRandom).map_or(0, u32::from_be_bytes);
        Self { process, count: AtomicU64::new(0) }
    }

    /// The id of a request: what its `X-Request-Id` says if it is sane, else a new one, which is
    /// what it says from here on.
    fn of(&self, request: &mut ServiceRequest) -> HeaderValue {
        let sent = request.headers().get(X_REQUEST_ID).filter(|id| is_sane(id.as_bytes()));
        sent.cloned().unwrap_or_else(|| {
            let count = self.count.fetch_add(1, Ordering::Relaxed);
            let id = format!("{:x}-{count:x}", self.process);
            let id = HeaderValue::try_from(id).expect("hex is a value");
            request.headers_mut().insert(X_REQUEST_ID, id.clone());
            id
        })
    }
}

fn is_sane(id: &[u8]) -> bool {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    // A session id that is of use must not get into the log this way.
    (1..=64).contains(&id.len()) && id.iter().all(allowed) && SessionId::parse(id).is_none()
}

/// The middleware: for `actix_web::middleware::from_fn`, outermost.
pub async fn edge<B: MessageBody + 'static>(
    here: web::Data<Edge>,
    in_flight: web::Data<InFlight>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<Flying<EitherBody<B>>>, actix_web::Error> {
    let changes_nothing = request.method().is_safe();
    seen_through(changes_nothing, answer(here, in_flight, request, next)).await
}

async fn answer<B: MessageBody + 'static>(
    here: web::Data<Edge>,
    in_flight: web::Data<InFlight>,
    mut request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<Flying<EitherBody<B>>>, actix_web::Error> {
    let started = Instant::now();
    let flight = Flight::begin(in_flight, request.request().conn_data::<Rc<Usage>>());
    let checked = check(&request);
    let id = here.ids.of(&mut request);
    let response = match checked {
        Ok(()) => match AssertUnwindSafe(next.call(request)).catch_unwind().await {
            Ok(response) => response?.map_into_left_body(),
            Err(_panic) => return Err(panicked(id, here.https)),
        },
        Err(refused) => {
            let about = About::refused(request.request(), &refused);
            audit::record(Event::InputRefused, &Trace::of(request.request()), &about);
            request.into_response(refused.error_response()).map_into_right_body()
        }
    };
    Ok(finish(response, started, id, here.https, flight))
}

/// Completes an answer, and tells the log about it.
fn finish<B: MessageBody>(
    mut response: ServiceResponse<B>,
    started: Instant,
    id: HeaderValue,
    https: bool,
    flight: Flight,
) -> ServiceResponse<Flying<B>> {
    log(&response, started, &id);
    secure(response.headers_mut(), https);
    response.headers_mut().insert(X_REQUEST_ID, id);
    if flight.is_the_last_of_its_connection() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    response.map_body(|_, body| flight.carry(body))
}

/// The answer when something inside has panicked: the request is gone with it, so the answer
/// travels as an error. The panic hook has written the line in the log.
fn panicked(id: HeaderValue, https: bool) -> actix_web::Error {
    let error = Error::Internal("a request ended in a panic".into());
    let mut answer = HttpResponse::InternalServerError();
    let mut answer = answer.json(serde_json::json!({ "error": error.public_text() }));
    secure(answer.headers_mut(), https);
    answer.headers_mut().insert(X_REQUEST_ID, id);
    InternalError::from_response(error, answer).into()
}

/// Refuses what is too large or oddly spelled, before anybody looks at it.
fn check(request: &ServiceRequest) -> Result<()> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > MAX_TARGET {
        return Err(Error::UriTooLong(format!("URI must have at most {MAX_TARGET} bytes").into()));
    }
    let headers = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len());
    if headers.sum::<usize>() > MAX_HEADERS {
        return Err(Error::HeaderTooLarge(
            format!("header must have at most {MAX_HEADERS} bytes").into(),
        ));
    }
    path::check(request.path())
}

/// The headers that every answer has: nothing here is to be guessed at, framed, kept, leaked or
/// shared with other origins. Over https also that there is nothing without; over plain http that
/// must not be said (RFC 6797, 7.2).
fn secure(headers: &mut HeaderMap, https: bool) {
    const CSP: &str = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";
    const HSTS: &str = "max-age=31536000; includeSubDomains";
    for (name, value) in [
        (header::CACHE_CONTROL, "no-store"),
        (header::CONTENT_SECURITY_POLICY, CSP),
        (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        (header::CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if https {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static(HSTS));
    }
}

/// One line per request: no query, no header but the request id, no secrets.
fn log<B>(response: &ServiceResponse<B>, started: Instant, id: &HeaderValue) {
    let request = response.request();
    let extensions = request.extensions();
    let user = extensions.get::<Caller>().and_then(Caller::user).map(|user| user.id);
    log::info!(
        method = request.method().as_str(),
        path:% = path::shown(request.path()),
        status = response.status().as_u16(),
        ms = milliseconds(started),
        user:% = OrDash(user),
        request_id = id.to_str().unwrap_or_default(),
        client:% = OrDash(client_address(request));
        "request"
    );
}

/// How long ago that was, to the microsecond.
fn milliseconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 1e6).round() / 1e3
}
