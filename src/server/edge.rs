//! What surrounds every request: limits, one spelling of paths, a request id, security headers,
//! a panic that becomes an answer, and the line in the log.

mod first_lines;

use std::cell::{Cell, RefCell};
use std::fmt::Write as _;
use std::future::ready;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::BoxBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::ConnectionType;
use actix_web::http::header::{HeaderMap, HeaderValue};
use actix_web::{HttpMessage as _, HttpResponse, ResponseError as _};
use bytes::BytesMut;
use futures_util::FutureExt as _;
use futures_util::future::Either;

use super::connection::Usage;
use super::in_flight::{Flight, Flying};
use super::traffic::{MethodNumber, Tally, Traffic};
use crate::auth::audit::{self, About, Event, OrDash, Trace, X_REQUEST_ID};
use crate::auth::guard::{Caller, seen_through};
use crate::auth::{client_address, path, proxies};
use crate::error::{Error, Result};
use crate::models::SessionId;
use crate::random::{self, SystemRandom};
use first_lines::FirstLines;

/// The most bytes of a request target.
const MAX_TARGET: usize = 8 * 1024;
/// The most bytes of all header names and values together.
const MAX_HEADERS: usize = 16 * 1024;

/// The most bytes of a request id that is made here: 32 bits and 64 bits in hex.
const LONGEST_ID: usize = 8 + 1 + 16;
/// How many bytes of request ids are allocated at once.
const ROOM: usize = 4 * 1024;

/// What the middleware needs to know; each worker has its own.
pub struct Edge {
    ids: RequestIds,
    first_lines: FirstLines,
    tally: Tally,
}

impl Edge {
    /// For a service that is reached over https, or over plain http.
    pub fn new(traffic: Traffic, https: bool) -> Self {
        let (ids, first_lines) = (RequestIds::new(), FirstLines::new(https));
        Self { ids, first_lines, tally: Tally::new(traffic) }
    }
}

/// Names requests that bring no name along: a number that a worker draws at start, and a count.
struct RequestIds {
    /// What the names of this worker begin with.
    prefix: String,
    count: Cell<u64>,
    /// Room for names, which are cut off from it one after the other.
    room: RefCell<BytesMut>,
}

impl RequestIds {
    /// Begins to count.
    fn new() -> Self {
        // Without randomness the names are only less unlike those of other workers and runs.
        let worker = random::bytes(&SystemRandom).map_or(0, u32::from_be_bytes);
        Self { prefix: format!("{worker:x}-"), count: Cell::new(0), room: RefCell::default() }
    }

    fn next(&self) -> HeaderValue {
        let count = self.count.get();
        self.count.set(count + 1);
        let mut room = self.room.borrow_mut();
        if room.capacity() < LONGEST_ID {
            room.reserve(ROOM);
        }
        let _ = write!(room, "{}{count:x}", self.prefix);
        HeaderValue::from_maybe_shared(room.split().freeze()).expect("hex is a value")
    }

    /// The id of a request: what its `X-Request-Id` says if it is sane, else a new one, which is
    /// what it says from here on.
    fn of(&self, request: &mut ServiceRequest) -> HeaderValue {
        let sent = request.headers().get(X_REQUEST_ID).filter(|id| is_sane(id.as_bytes()));
        sent.cloned().unwrap_or_else(|| {
            let id = self.next();
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

/// What is known of a request from its beginning to its end.
#[derive(Clone, Copy)]
struct Arrived {
    at: Instant,
    method: MethodNumber,
}

/// What surrounds the application: for `App::wrap_fn`, outermost.
pub fn edge<S>(
    here: &Rc<Edge>,
    mut request: ServiceRequest,
    application: &S,
) -> impl Future<Output = Result<ServiceResponse<Flying<BoxBody>>, actix_web::Error>> + use<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = actix_web::Error>,
    S::Future: 'static,
{
    let arrived = Arrived { at: Instant::now(), method: MethodNumber::of(request.method()) };
    let connection = request.request().conn_data::<Rc<Usage>>();
    let flight = Flight::begin(Arc::clone(here.tally.in_flight()), connection);
    let (bytes, is_handed_over) = scan(request.headers());
    if is_handed_over {
        here.tally.note_handed_over(request.request());
    }
    let changes_nothing = request.method().is_safe();
    let checked = check(&request, bytes);
    let id = here.ids.of(&mut request);
    let answer = match checked {
        Ok(()) => Either::Left(application.call(request)),
        Err(refused) => Either::Right(ready(Ok(refuse(request, &refused)))),
    };
    let here = Rc::clone(here);
    let answer = async move {
        match AssertUnwindSafe(answer).catch_unwind().await {
            Ok(response) => Ok(finish(&here, response?, arrived, id, flight)),
            Err(_panic) => Err(panicked(&here, id, arrived)),
        }
    };
    seen_through(changes_nothing, answer)
}

/// Turns a request away, and tells the security log.
fn refuse(request: ServiceRequest, refused: &Error) -> ServiceResponse {
    let about = About::refused(request.request(), refused);
    audit::record(Event::InputRefused, &Trace::of(request.request()), &about);
    request.into_response(refused.error_response())
}

/// Completes an answer, and tells the log about it.
fn finish(
    here: &Edge,
    mut response: ServiceResponse,
    arrived: Arrived,
    id: HeaderValue,
    flight: Flight,
) -> ServiceResponse<Flying<BoxBody>> {
    let took = arrived.at.elapsed();
    log(&response, took, &id);
    here.tally.note(response.request(), arrived.method, response.status(), took);
    here.first_lines.put(response.response_mut());
    response.headers_mut().insert(X_REQUEST_ID, id);
    if flight.is_the_last_of_its_connection() {
        response.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    response.map_body(|_, body| flight.carry(body))
}

/// The answer when something inside has panicked: the request is gone with it, so the answer
/// travels as an error. The panic hook has written the line in the log.
fn panicked(here: &Edge, id: HeaderValue, arrived: Arrived) -> actix_web::Error {
    here.tally.note_panic(arrived.method, arrived.at.elapsed());
    let error = Error::Internal("a request ended in a panic".into());
    let mut answer = HttpResponse::InternalServerError();
    let mut answer = answer.json(error.body());
    here.first_lines.put(&mut answer);
    answer.headers_mut().insert(X_REQUEST_ID, id);
    InternalError::from_response(error, answer).into()
}

/// How many bytes all names and values have together, and whether one of the names tells for whom
/// the request is handed over. Both at once, since it is done with every request.
fn scan(headers: &HeaderMap) -> (usize, bool) {
    headers.iter().fold((0, false), |(bytes, is_handed_over), (name, value)| {
        let name = name.as_str();
        (bytes + name.len() + value.len(), is_handed_over || proxies::tells_of_another(name))
    })
}

/// Refuses what is too large or oddly spelled, before anybody looks at it.
fn check(request: &ServiceRequest, header_bytes: usize) -> Result<()> {
    let target = request.uri().path_and_query().map_or(0, |target| target.as_str().len());
    if target > MAX_TARGET {
        return Err(Error::UriTooLong(format!("URI must have at most {MAX_TARGET} bytes").into()));
    }
    if header_bytes > MAX_HEADERS {
        return Err(Error::HeaderTooLarge(
            format!("header must have at most {MAX_HEADERS} bytes").into(),
        ));
    }
    path::check(request.path())
}

/// One line per request: no query, no header but the request id, no secrets.
fn log(response: &ServiceResponse, took: Duration, id: &HeaderValue) {
    let request = response.request();
    let extensions = request.extensions();
    let user = extensions.get::<Caller>().and_then(Caller::user).map(|user| user.id);
    log::info!(
        method = request.method().as_str(),
        path:% = path::shown(request.path()),
        status = response.status().as_u16(),
        ms = milliseconds(took),
        user:% = OrDash(user),
        request_id = id.to_str().unwrap_or_default(),
        client:% = OrDash(client_address(request));
        "request"
    );
}

/// How long that is, to the microsecond.
fn milliseconds(took: Duration) -> f64 {
    (took.as_secs_f64() * 1e6).round() / 1e3
}
