//! The session in use: login, logout, what it is, a new id, a fresh proof.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::body::Body;
use super::openapi::bodies::{Login as LoginBody, LoginForm, Nothing, PasswordProof};
use super::openapi::refusals::{BODY, FORM, LOGIN, MAY_LACK, PASSWORD, REAUTH};
use super::view::{CurrentSessionView, UserView};
use crate::acts::{
    Call, Credentials, InUse, LoggedIn, LoginErrors, log_in, log_out, must_have_sessions,
};
use crate::auth::accounts::Accounts;
use crate::auth::guard::GuardRules;
use crate::auth::session::Sessions;
use crate::auth::{Auth, NewSession};
use crate::error::{Code, Error, Result};
use crate::models::{Password, User, UserSession};

/// What a browser forgets when its session ends, beside the cookie (ASVS 14.3.1).
pub const CLEAR_SITE_DATA: (&str, &str) = ("clear-site-data", "\"cache\", \"storage\"");

/// Begins a session: form, multipart or JSON with `email`, `password` and perhaps `remember`.
#[utoipa::path(
    post, path = "/api/v1/auth_session/login", tag = "session", operation_id = "login",
    summary = "Log in", security(()),
    description = "Begins a session. The cookie of the answer is its secret, which is shown this \
        once. It works as a bearer token, too.",
    request_body(content(
        (LoginBody = "application/json"),
        (LoginForm = "application/x-www-form-urlencoded"),
        (LoginForm = "multipart/form-data"),
    )),
    responses((status = 200, description = "Who has logged in", body = UserView<'static>,
        headers(("Set-Cookie" = String, description = "The session cookie")))),
    extensions(("x-codes" = json!([LOGIN, BODY, FORM, PASSWORD]))),
)]
pub async fn login(
    request: HttpRequest,
    auth: web::Data<dyn Auth>,
    accounts: web::Data<Accounts>,
    errors: web::Data<LoginErrors>,
    body: Body,
) -> Result<HttpResponse> {
    must_have_sessions(auth.as_ref())?;
    let fields = body.any().await?;
    let email = fields.required("email")?;
    let password = Password::sent(fields.required("password")?);
    let remember = fields.flag("remember")?.unwrap_or(false);

    let with = Credentials { email, password, remember };
    let LoggedIn { user, session } =
        log_in(&request, auth.as_ref(), &accounts, **errors, with).await?;
    Ok(answer_with(auth.as_ref(), Some(&session), UserView::from(user.as_ref())))
}

/// Ends the session that speaks. Who comes second finds it ended, as with any ended session.
#[utoipa::path(
    delete, path = "/api/v1/auth_session/logout", tag = "session", operation_id = "logout",
    summary = "Log out", security(("session" = []), ("bearer" = [])),
    description = "Ends the session in use, at once and everywhere.",
    responses((status = 200, description = "It has ended", body = Nothing,
        headers(
            ("Set-Cookie" = String, description = "The cookie, expired, if its session ends"),
            ("Clear-Site-Data" = String, description = "What a browser is to forget with it"),
        ))),
    extensions(("x-codes" = json!([MAY_LACK]))),
)]
pub async fn logout(
    request: HttpRequest,
    auth: web::Data<dyn Auth>,
    rules: web::Data<GuardRules>,
) -> Result<HttpResponse> {
    log_out(&request, auth.as_ref(), &rules).await?;
    Ok(farewell(auth.as_ref()))
}

/// The answer to somebody whose session has ended because he asked for it.
pub fn farewell(auth: &dyn Auth) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    answer.cookie(auth.cookie().expire()).insert_header(CLEAR_SITE_DATA);
    answer.json(serde_json::json!({}))
}

/// Tells about the session in use.
#[utoipa::path(
    get, path = "/api/v1/auth_session", tag = "session", operation_id = "readSession",
    summary = "The session in use", security(("session" = []), ("bearer" = [])),
    description = "Whose it is, how much is left of it, and whether its login is fresh.",
    responses((status = 200, description = "The session", body = CurrentSessionView<'static>)),
    extensions(("x-codes" = json!([MAY_LACK]))),
)]
pub async fn read(call: Call) -> Result<HttpResponse> {
    let InUse { sessions, session, user } = call.in_use().await?;
    Ok(HttpResponse::Ok().json(view(&call, sessions, &session, &user)))
}

/// Gives the session in use a new id, which ends the old one.
#[utoipa::path(
    post, path = "/api/v1/auth_session/refresh", tag = "session", operation_id = "refreshSession",
    summary = "A new secret for the session", security(("session" = []), ("bearer" = [])),
    description = "The old one ends at once. The limits of the session stay.",
    responses((status = 200, description = "The session", body = CurrentSessionView<'static>,
        headers(("Set-Cookie" = String, description = "The session cookie")))),
    extensions(("x-codes" = json!([MAY_LACK]))),
)]
pub async fn refresh(call: Call) -> Result<HttpResponse> {
    renewed_answer(&call, &call.refresh().await?)
}

/// Takes the password once more, which makes the session in use fresh, and gives it a new id
/// (ASVS 7.2.4).
#[utoipa::path(
    post, path = "/api/v1/auth_session/reauth", tag = "session", operation_id = "reauthenticate",
    summary = "Give the password once more", security(("session" = []), ("bearer" = [])),
    description = "The session counts as fresh from here on, and has a new secret.",
    request_body = PasswordProof,
    responses((status = 200, description = "The session", body = CurrentSessionView<'static>,
        headers(("Set-Cookie" = String, description = "The session cookie")))),
    extensions(("x-codes" = json!([REAUTH, BODY, FORM, PASSWORD, MAY_LACK]))),
)]
pub async fn reauth(call: Call, body: Body) -> Result<HttpResponse> {
    let in_use = call.in_use().await?;
    let password = body.any().await?.required("password")?;
    let proved = call.reauthenticate(in_use, password).await.map_err(|error| match error {
        Error::WrongPassword => Error::Unauthorized((Code::WrongPassword, "wrong password").into()),
        other => other,
    })?;
    renewed_answer(&call, &proved)
}

fn view<'v>(
    call: &Call,
    sessions: &Sessions,
    session: &'v UserSession,
    user: &'v User,
) -> CurrentSessionView<'v> {
    let (now, window) = (sessions.clock.now(), call.rules.reauth_window);
    CurrentSessionView::new(session, user, sessions.lifetimes, window, now)
}

fn renewed_answer(call: &Call, renewed: &LoggedIn) -> Result<HttpResponse> {
    let sessions = call.auth.sessions().ok_or_else(Error::not_found)?;
    let LoggedIn { user, session } = renewed;
    let view = view(call, sessions, &session.session, user);
    Ok(answer_with(call.auth.as_ref(), Some(session), view))
}

/// An answer that hands out the id of a session, if there is one to hand out.
pub fn answer_with(
    auth: &dyn Auth,
    session: Option<&NewSession>,
    body: impl Serialize,
) -> HttpResponse {
    let mut answer = HttpResponse::Ok();
    if let Some(session) = session {
        answer.cookie(auth.cookie().issue(&session.id, session.keep));
    }
    answer.json(body)
}
