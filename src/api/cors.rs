//! CORS: closed, but for the origins that are listed.
//!
//! Preflights are answered here, before the guard, since browsers send them without credentials.

use std::future::ready;
use std::rc::Rc;

use actix_web::HttpResponse;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use futures_util::future::Either;

use crate::auth::origins::Origins;

const METHODS: HeaderValue = HeaderValue::from_static("GET, HEAD, POST, PUT, DELETE");
const REQUEST_HEADERS: HeaderValue =
    HeaderValue::from_static("Authorization, Content-Type, X-Request-Id");
const ANSWER_HEADERS: HeaderValue =
    HeaderValue::from_static("Link, Retry-After, WWW-Authenticate, X-Request-Id");
/// For how many seconds a browser may remember the answer to a preflight.
const PREFLIGHT_MAX_AGE: HeaderValue = HeaderValue::from_static("600");

/// The middleware: for `Scope::wrap_fn`.
pub fn cors<S>(
    origins: &Rc<Origins>,
    request: ServiceRequest,
    next: &S,
) -> impl Future<Output = Result<ServiceResponse, actix_web::Error>> + use<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse, Error = actix_web::Error>,
{
    let origin = request.headers().get(header::ORIGIN).cloned();
    let answer = if is_preflight(&request) {
        Either::Left(ready(Ok(preflight(request, origins, origin.as_ref()))))
    } else {
        Either::Right(next.call(request))
    };
    let origins = Rc::clone(origins);
    async move {
        let mut response = answer.await?;
        share(&origins, origin.as_ref(), response.headers_mut());
        Ok(response)
    }
}

fn preflight(
    request: ServiceRequest,
    origins: &Origins,
    origin: Option<&HeaderValue>,
) -> ServiceResponse {
    let mut answer = HttpResponse::NoContent();
    if allowed(origins, origin).is_some() {
        answer.insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS));
        answer.insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, REQUEST_HEADERS));
        answer.insert_header((header::ACCESS_CONTROL_MAX_AGE, PREFLIGHT_MAX_AGE));
    }
    request.into_response(answer.finish())
}

fn is_preflight(request: &ServiceRequest) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

/// What an origin may do.
enum Allowed {
    /// Read answers to requests that carry the user's cookie.
    WithCookie,
    /// Read answers to requests that carry none.
    WithoutCookie,
}

fn allowed(origins: &Origins, origin: Option<&HeaderValue>) -> Option<Allowed> {
    let origin = origin?.to_str().ok()?;
    if origins.is_listed(origin) {
        Some(Allowed::WithCookie)
    } else {
        origins.any.then_some(Allowed::WithoutCookie)
    }
}

/// Tells the browser whether the page of this origin may read the answer.
fn share(origins: &Origins, origin: Option<&HeaderValue>, headers: &mut HeaderMap) {
    if !origins.listed.is_empty() {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
    let Some((origin, allowed)) = origin.zip(allowed(origins, origin)) else { return };
    let shared = match allowed {
        Allowed::WithCookie => {
            let yes = HeaderValue::from_static("true");
            headers.insert(header::ACCESS_CONTROL_ALLOW_CREDENTIALS, yes);
            origin.clone()
        }
        Allowed::WithoutCookie => HeaderValue::from_static("*"),
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, shared);
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, ANSWER_HEADERS);
}
