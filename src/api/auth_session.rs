//! Login and logout.

use std::sync::Arc;

use actix_web::{HttpMessage as _, HttpRequest, HttpResponse, web};

use super::body::Body;
use super::view::UserView;
use crate::auth::accounts::{Accounts, Attempt, Pathway, Refusal};
use crate::auth::audit::Trace;
use crate::auth::guard::Caller;
use crate::auth::{Auth, Login, client};
use crate::error::{Error, Result};
use crate::models::Password;

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
pub async fn login(
    request: HttpRequest,
    auth: web::Data<dyn Auth>,
    accounts: web::Data<Accounts>,
    errors: web::Data<LoginErrors>,
    body: Body,
) -> Result<HttpResponse> {
    if !auth.keeps_sessions() {
        return Err(Error::bad("there is no login: this service keeps no sessions"));
    }
    let fields = body.any().await?;
    let email = fields.required("email")?;
    let password = Password::sent(fields.required("password")?);
    let remember = fields.flag("remember")?.unwrap_or(false);

    let attempt = Attempt { pathway: Pathway::Login, trace: Trace::of(&request) };
    let user = accounts.log_in(&email, password, &attempt).await?;
    let user = user.map_err(|why| refused(why, **errors))?;
    // The session that was presented is this user's: it ends as the new one begins.
    let presented = auth.current_session(&request).await?;
    let replaces = presented.filter(|session| session.user_id == user.id).map(|s| s.hash);
    let login = Login { client: client(&request), remember, replaces };
    let session = auth.create_session(&user, login).await?.ok_or_else(Error::not_found)?;
    let cookie = auth.cookie().issue(&session.id, session.keep);
    // From here on it is he who speaks: the line in the log says so.
    request.extensions_mut().insert(Caller::User(Arc::clone(&user)));
    Ok(HttpResponse::Ok().cookie(cookie).json(UserView::from(user.as_ref())))
}

/// Ends the session that speaks.
pub async fn logout(request: HttpRequest, auth: web::Data<dyn Auth>) -> Result<HttpResponse> {
    if !auth.destroy_session(&request).await? {
        return Err(Error::not_found());
    }
    Ok(HttpResponse::Ok().cookie(auth.cookie().expire()).json(serde_json::json!({})))
}

fn refused(why: Refusal, errors: LoginErrors) -> Error {
    match (errors, why) {
        (LoginErrors::Detailed, Refusal::UnknownUser) => {
            Error::NotFound("no user found for this email".into())
        }
        (LoginErrors::Detailed, Refusal::WrongPassword) => {
            Error::Unauthorized("wrong password".into())
        }
        _ => Error::Unauthorized("wrong email or password".into()),
    }
}
