//! The session in use: login, logout, what it is, a new id, a fresh proof.

use std::sync::Arc;

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::body::Body;
use super::call::Call;
use super::openapi::bodies::{Login as LoginBody, LoginForm, Nothing, PasswordProof};
use super::openapi::refusals::{BODY, FORM, LOGIN, MAY_LACK, PASSWORD, REAUTH};
use super::view::{CurrentSessionView, UserView};
use crate::auth::accounts::{Accounts, Attempt, Pathway, Refusal};
use crate::auth::audit::{self, About, Event, Trace};
use crate::auth::guard::{Caller, GuardRules};
use crate::auth::session::{Renewal, Sessions};
use crate::auth::{Auth, Login, NewSession, client};
use crate::error::{Code, Error, Result};
use crate::models::{Password, User, UserSession};

/// What a browser forgets when its session ends, beside the cookie (ASVS 14.3.1).
const CLEAR_SITE_DATA: (&str, &str) = ("Clear-Site-Data", "\"cache\", \"storage\"");

/// How much a failed login tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginErrors {
    /// The same for every reason (ASVS 6.3.8).
    #[default]
    Uniform,
    /// Whether it was the e-mail address or the password, as the classic program does.
    Detailed,
}

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
    if auth.sessions().is_none() {
        return Err(Error::bad(
            Code::SessionsUnsupported,
            "there is no login: this service keeps no sessions",
        ));
    }
    let fields = body.any().await?;
    let email = fields.required("email")?;
    let password = Password::sent(fields.required("password")?);
    let remember = fields.flag("remember")?.unwrap_or(false);

    let (pathway, trace) = (Pathway::Login, Trace::of(&request));
    let attempt = Attempt { pathway, trace, session: None };
    let user = accounts.log_in(&email, password, &attempt).await?;
    let user = user.map_err(|why| refused(why, **errors))?;
    // The session that was presented is this user's: it ends as the new one begins.
    let presented = auth.current_session(&request).await?;
    let former = presented.filter(|session| session.user_id == user.id);
    let replaces = former.as_ref().map(|session| session.hash);
    let login = Login { client: client(&request), remember, replaces };
    let session = auth.create_session(&user, login).await?.ok_or_else(Error::not_found)?;
    if let Some(former) = former {
        let about = About::himself(user.id).session(former.id).detail("replaced by a login");
        audit::record(Event::SessionRevoked, &attempt.trace, &about);
    }
    // From here on it is he who speaks: the line in the log says so.
    request.extensions_mut().insert(Caller::User(Arc::clone(&user)));
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
    let session = auth.current_session(&request).await?;
    if !auth.destroy_session(&request).await? {
        let ended = auth.sessions().map(|_| rules.refusal());
        return Err(ended.unwrap_or_else(Error::not_found));
    }
    if let Some(session) = session {
        let about = About::himself(session.user_id).session(session.id);
        audit::record(Event::LoggedOut, &Trace::of(&request), &about);
    }
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
    let (sessions, session, user) = in_use(&call).await?;
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
    let (sessions, session, user) = in_use(&call).await?;
    let renewed = sessions.renew(&session, &user, Renewal::Asked).await?;
    let renewed = renewed.ok_or_else(|| call.rules.refusal())?;
    Ok(renewed_answer(&call, sessions, &renewed, &user))
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
    let (sessions, session, user) = in_use(&call).await?;
    let password = body.any().await?.required("password")?;
    let proved =
        call.prove(&user, password, Pathway::Reauth).await.map_err(|error| match error {
            Error::WrongPassword => {
                Error::Unauthorized((Code::WrongPassword, "wrong password").into())
            }
            other => other,
        })?;
    // Another password has ended the session: the new one does not bring it back.
    if proved.credential_version != session.credential_version {
        return Err(call.rules.refusal());
    }
    let renewed = sessions.renew(&session, &proved, Renewal::Proved).await?;
    let renewed = renewed.ok_or_else(|| call.rules.refusal())?;
    Ok(renewed_answer(&call, sessions, &renewed, &proved))
}

/// The session that speaks, and its user; 404 where there are no sessions.
async fn in_use(call: &Call) -> Result<(&Sessions, Arc<UserSession>, Arc<User>)> {
    let sessions = call.auth.sessions().ok_or_else(Error::not_found)?;
    let user = call.caller.user().ok_or_else(Error::not_found)?;
    let session = call.session().await?.ok_or_else(|| call.rules.refusal())?;
    Ok((sessions, session, Arc::clone(user)))
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

fn renewed_answer(
    call: &Call,
    sessions: &Sessions,
    renewed: &NewSession,
    user: &User,
) -> HttpResponse {
    let about = About::default().session(renewed.session.id);
    call.record(Event::SessionRenewed, Some(user.id), about);
    let view = view(call, sessions, &renewed.session, user);
    answer_with(call.auth.as_ref(), Some(renewed), view)
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

fn refused(why: Refusal, errors: LoginErrors) -> Error {
    match (errors, why) {
        (LoginErrors::Detailed, Refusal::UnknownUser) => {
            Error::NotFound((Code::UserUnknown, "no user found for this email").into())
        }
        (LoginErrors::Detailed, Refusal::WrongPassword) => {
            Error::Unauthorized((Code::WrongPassword, "wrong password").into())
        }
        _ => Error::Unauthorized((Code::LoginFailed, "wrong email or password").into()),
    }
}
