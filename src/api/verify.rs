//! Whether a request may pass, as a reverse proxy asks before it lets one through: nginx by
//! `auth_request`, Caddy by `forward_auth`, Traefik by `forwardAuth` (`deploy/`).

use std::sync::Arc;

use actix_web::http::Method;
use actix_web::http::header::{
    Accept, Header as _, HeaderName, HeaderValue, LOCATION, Quality, QualityItem,
};
use actix_web::mime::Mime;
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use serde_json::json;

use super::body::Fields;
use super::openapi::bodies::Nothing;
use super::openapi::parameters::Verify;
use super::openapi::refusals::{VALUES, VERIFY};
use crate::auth::guard::{Caller, GuardRules, InvalidStatus, may_ask, note_unknown_session};
use crate::auth::proxies::Proxies;
use crate::auth::redirects::Redirects;
use crate::auth::{Auth, presents_credentials};
use crate::error::{Error, Result};
use crate::models::{Role, User};

/// 200 with who is speaking in `Remote-User` and its like, for the proxy to hand on; 401 for
/// anybody else. `?role=` demands a role (403), `?touch=0` does not count as a use of the session,
/// and with `?redirect=1` a browser that wants a page is sent to log in (302).
///
/// It never hashes on the way of a session, and answers from memory.
#[utoipa::path(
    get, path = "/api/v1/auth_session/verify", tag = "session", operation_id = "verify",
    summary = "Whether a request may pass a reverse proxy", params(Verify),
    description = "For `auth_request` of nginx, `forward_auth` of Caddy and `forwardAuth` of \
        Traefik. Without good credentials it is 401, whatever `INVALID_STATUS` says. The headers \
        with `redirect` tell of the request that is asked about. They count from \
        `TRUSTED_PROXIES` alone, and only where they do not contradict each other.",
    responses(
        (status = 200, description = "It may, and this is whose it is", body = Nothing, headers(
            ("Remote-User" = String, description = "The e-mail address"),
            ("Remote-Email" = String, description = "The e-mail address"),
            ("Remote-Name" = String, description = "First and last name, else the address"),
            ("Remote-Role" = String, description = "`user` or `admin`"),
            ("Remote-Id" = String, description = "The id of the user"),
        )),
        (status = 302, description = "Log in first: for a browser, with `redirect=1`",
            body = Nothing, headers(("Location" = String, description = "Where to log in"))),
    ),
    extensions(("x-codes" = json!([VERIFY, VALUES]))),
)]
pub async fn verify(
    request: HttpRequest,
    auth: web::Data<dyn Auth>,
    rules: web::Data<GuardRules>,
    proxies: web::Data<Proxies>,
    redirects: web::Data<Redirects>,
) -> Result<HttpResponse> {
    let query = Fields::from_query(&request, &["role", "touch", "redirect"])?;
    let role = query.role()?.unwrap_or(Role::User);
    let touch = query.flag_of_query("touch")?.unwrap_or(true);
    let redirect = query.flag_of_query("redirect")?.unwrap_or(false);
    let user = if touch { auth.current_user(&request).await } else { auth.peek(&request).await };
    let Some(user) = user? else {
        let refused = refusal(auth.as_ref(), &request)?;
        // Where there are no sessions, no page can begin one.
        let redirect = redirect && auth.sessions().is_some();
        let original = proxies.original(&request, rules.origins.https).filter(|_| redirect);
        let wanted = original.filter(|original| is_page(&request, &original.method));
        let back = wanted.and_then(|original| redirects.accept_or_tell(&original.address));
        return back.map(|back| sent_to(&redirects.to_login(&back))).ok_or(refused);
    };
    // The line in the log, and that of a refusal, say who it was.
    let caller = Caller::User(Arc::clone(&user));
    request.extensions_mut().insert(caller.clone());
    may_ask(&user, &request)?;
    if role == Role::Admin {
        caller.must_be_admin()?;
    }
    Ok(identified(&user))
}

/// 401, which proxies understand, whatever `INVALID_STATUS` says and however often it was asked.
fn refusal(auth: &dyn Auth, request: &HttpRequest) -> Result<Error> {
    if !presents_credentials(auth, request)? {
        return Ok(Error::unauthorized());
    }
    match note_unknown_session(auth, request) {
        Ok(()) | Err(Error::TooManyAttempts(_)) => Ok(InvalidStatus::Unauthorized.refusal()),
        Err(other) => Err(other),
    }
}

/// Whether this is a browser that wants to show a page.
fn is_page(request: &HttpRequest, method: &Method) -> bool {
    *method == Method::GET && wants_page(request)
}

/// Whether a page is an answer that the client can do with.
pub fn wants_page(request: &HttpRequest) -> bool {
    let html = |range: &QualityItem<Mime>| {
        range.item.essence_str() == "text/html" && range.quality > Quality::ZERO
    };
    Accept::parse(request).is_ok_and(|accepted| accepted.iter().any(html))
}

fn sent_to(address: &str) -> HttpResponse {
    HttpResponse::Found().insert_header((LOCATION, address)).json(json!({}))
}

/// Who is speaking, for what is behind the proxy.
fn identified(user: &User) -> HttpResponse {
    let (mut answer, email) = (HttpResponse::Ok(), header(user.email.as_str()));
    let name = header(&user.display_name());
    let name = if name.is_empty() { email.clone() } else { name };
    for (name, value) in [
        ("remote-user", email.clone()),
        ("remote-email", email),
        ("remote-name", name),
        ("remote-role", header(&user.role.to_string())),
        ("remote-id", header(&user.id.to_string())),
    ] {
        answer.insert_header((HeaderName::from_static(name), value));
    }
    answer.json(json!({}))
}

/// A text as the value of a header, in UTF-8. Characters that would end or hide something are
/// blanks there.
fn header(text: &str) -> HeaderValue {
    let clean = text.replace(char::is_control, " ");
    HeaderValue::from_bytes(clean.trim().as_bytes()).expect("it has no control characters")
}
