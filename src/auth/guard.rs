//! The guard: wraps the whole API, denies by default, and tells handlers who is speaking.

mod caller;
mod middleware;

use std::time::Duration;

use actix_web::dev::ServiceResponse;
use actix_web::{HttpMessage as _, HttpRequest, web};

use super::accounts::Accounts;
use super::audit::{self, About, Event, Trace};
use super::origins::Origins;
use super::session::presented_ids;
use super::{Auth, LOGIN_PAGE, LOGIN_PATH, credentials, opens, path, presents_credentials};
use crate::error::{Code, Error, Result};
use crate::models::User;

pub use caller::{Admin, Caller, CurrentUser, may_ask};
pub use middleware::{Guard, Guarded, seen_through};

/// What a request is answered whose credentials are no good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InvalidStatus {
    /// 403, as the classic program does.
    #[default]
    Forbidden,
    /// 401, as RFC 9110 has it.
    Unauthorized,
}

impl InvalidStatus {
    /// The refusal with this status.
    pub fn refusal(self) -> Error {
        match self {
            Self::Forbidden => Error::SessionInvalid,
            Self::Unauthorized => {
                Error::Unauthorized((Code::SessionInvalid, "Unauthorized").into())
            }
        }
    }
}

/// What the guard goes by, beside the kind of authentication.
#[derive(Clone, Debug, Default)]
pub struct GuardRules {
    /// The answer to credentials that are no good.
    pub invalid_status: InvalidStatus,
    /// The sites from which a browser may act.
    pub origins: Origins,
    /// For how long a proof of who is speaking is young enough for what matters most.
    pub reauth_window: Duration,
}

impl GuardRules {
    /// The refusal of credentials that are no good.
    pub fn refusal(&self) -> Error {
        self.invalid_status.refusal()
    }
}

/// Tells the security log of an answer that refused somebody what is not for him. A wrong
/// password has its line already.
pub async fn record_refused<B>(auth: &dyn Auth, response: &ServiceResponse<B>) {
    let caller = response.request().extensions().get::<Caller>().cloned();
    let Some(user) = caller.as_ref().and_then(Caller::user) else { return };
    let why = response.response().error().and_then(actix_web::Error::as_error::<Error>);
    if !matches!(why, Some(Error::WrongPassword)) {
        record_denial(auth, response.request(), user, why.unwrap_or(&Error::Forbidden)).await;
    }
}

async fn record_denial(auth: &dyn Auth, request: &HttpRequest, user: &User, why: &Error) {
    let session = auth.current_session(request).await.ok().flatten().map(|session| session.id);
    let about = About::refused(request, why).session(session);
    let about = About { actor: Some(user.id), ..about };
    audit::record(Event::AccessDenied, &Trace::of(request), &about);
}

/// Lets a request through, with the user who is speaking, or tells why not. The paths that are open
/// need nobody.
pub async fn admit(
    auth: &dyn Auth,
    rules: &GuardRules,
    request: &HttpRequest,
    open_paths: &[&str],
) -> Result<Option<Caller>> {
    let admitted = examine(auth, rules, request, open_paths).await;
    if let Err(Error::BadRequest(why)) = &admitted {
        audit::record(Event::InputRefused, &Trace::of(request), &About::refused(request, why));
    }
    admitted
}

async fn examine(
    auth: &dyn Auth,
    rules: &GuardRules,
    request: &HttpRequest,
    open_paths: &[&str],
) -> Result<Option<Caller>> {
    path::check(request.path())?;
    if is_cross_site(auth, rules, request)? {
        let about = About::refused(request, "cross-site");
        audit::record(Event::CrossSiteRefused, &Trace::of(request), &about);
        return Err(Error::CrossSite);
    }
    if !auth.require_auth(request.path(), open_paths) {
        presents_credentials(auth, request)?;
        return Ok((!auth.has_roles()).then_some(Caller::Anybody));
    }
    let Some(user) = auth.current_user(request).await? else {
        if !presents_credentials(auth, request)? {
            return Err(Error::unauthorized());
        }
        note_unknown_session(auth, request)?;
        return Err(rules.refusal());
    };
    if let Err(why) = may_ask(&user, request) {
        record_denial(auth, request, &user, &why).await;
        return Err(why);
    }
    Ok(Some(Caller::User(user)))
}

/// Writes down that a request is refused whose session id nobody has; 429 when there were too many
/// from its network: somebody may be guessing.
pub fn note_unknown_session(auth: &dyn Auth, request: &HttpRequest) -> Result<()> {
    if auth.sessions().is_none() || presented_ids(auth, request)?.iter().all(Option::is_none) {
        return Ok(());
    }
    let trace = Trace::of(request);
    let accounts = request.app_data::<web::Data<Accounts>>();
    let throttle = accounts.and_then(|accounts| accounts.throttle.as_ref());
    match throttle.map_or(Ok(()), |throttle| throttle.count_unknown_id(trace.client)) {
        Ok(()) => audit::record(Event::SessionUnknown, &trace, &About::default()),
        Err(wait) => {
            let about = About::default().detail("unknown session ids");
            audit::record(Event::Throttled, &trace, &about);
            return Err(Error::TooManyAttempts(wait));
        }
    }
    Ok(())
}

/// Whether another site makes the browser act with what the browser adds by itself: the cookie or
/// Basic credentials. A login is covered too (it would put the user into a foreign account). A
/// bearer token is never added by a browser.
fn is_cross_site(auth: &dyn Auth, rules: &GuardRules, request: &HttpRequest) -> Result<bool> {
    if request.method().is_safe() || !rules.origins.is_foreign(request) {
        return Ok(false);
    }
    let authorization = auth.authorization_header(request)?;
    let of_scheme =
        |scheme| authorization.is_some_and(|a| credentials::of_scheme(a, scheme).is_some());
    let ambient = auth.session_cookie(request)?.is_some() || of_scheme("Basic");
    let login = [LOGIN_PATH, LOGIN_PAGE].iter().any(|login| opens(login, request.path()));
    Ok((ambient || login) && !of_scheme("Bearer"))
}
