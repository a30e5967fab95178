//! The guard: wraps the whole API, denies by default, and tells handlers who is speaking.

mod caller;

use std::any::type_name;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::{HttpMessage as _, HttpRequest, ResponseError as _, rt, web};
use futures_util::future::{Either, LocalBoxFuture};
use tokio::task::JoinError;

use super::accounts::Accounts;
use super::audit::{self, About, Event, Trace};
use super::origins::Origins;
use super::session::presented_ids;
use super::{Auth, LOGIN_PATH, OPEN_PATHS, credentials, opens, path};
use crate::error::{Error, Result};
use crate::models::User;
use caller::may_ask;
pub use caller::{Admin, Caller};

/// What a request is answered whose credentials are no good.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum InvalidStatus {
    /// 403, as the classic program does.
    #[default]
    Forbidden,
    /// 401, as RFC 9110 has it.
    Unauthorized,
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
        match self.invalid_status {
            InvalidStatus::Forbidden => Error::Forbidden,
            InvalidStatus::Unauthorized => Error::unauthorized(),
        }
    }
}

/// The guard as a middleware: `web::scope("/mine").wrap(Guard)`. It needs as application data
/// `dyn Auth` and [`GuardRules`].
#[derive(Clone, Copy, Debug)]
pub struct Guard;

impl<S, B> Transform<S, ServiceRequest> for Guard
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse;
    type Error = actix_web::Error;
    type InitError = ();
    type Transform = Guarded<S>;
    type Future = Ready<Result<Guarded<S>, ()>>;

    fn new_transform(&self, next: S) -> Self::Future {
        ready(Ok(Guarded { next: Rc::new(next) }))
    }
}

/// A service behind the guard.
pub struct Guarded<S> {
    next: Rc<S>,
}

impl<S, B> Service<ServiceRequest> for Guarded<S>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    type Response = ServiceResponse;
    type Error = actix_web::Error;
    type Future = LocalBoxFuture<'static, Result<ServiceResponse, actix_web::Error>>;

    forward_ready!(next);

    fn call(&self, request: ServiceRequest) -> Self::Future {
        Box::pin(guard(request, Rc::clone(&self.next)))
    }
}

async fn guard<S, B>(
    request: ServiceRequest,
    next: Rc<S>,
) -> Result<ServiceResponse, actix_web::Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    let (auth, rules) = (data::<dyn Auth>(&request)?, data::<GuardRules>(&request)?);
    let mut response = match admit(auth.as_ref(), &rules, request.request()).await {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            let changes_nothing = request.method().is_safe();
            let response = seen_through(changes_nothing, next.call(request)).await?;
            if response.status() == StatusCode::FORBIDDEN {
                record_refused(auth.as_ref(), &response).await;
            }
            response.map_into_boxed_body()
        }
        // An answer, not an error: an error would lose cookies that are set further out.
        Err(refused) => {
            if let Error::BadRequest(why) = &refused {
                let about = About::refused(request.request(), why);
                audit::record(Event::InputRefused, &Trace::of(request.request()), &about);
            }
            request.into_response(refused.error_response())
        }
    };
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static(auth.challenge());
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    Ok(response)
}

/// What the application must have been given.
fn data<T: ?Sized + 'static>(request: &ServiceRequest) -> Result<Arc<T>> {
    let data = request.app_data::<web::Data<T>>().cloned();
    data.map(web::Data::into_inner).ok_or_else(|| {
        Error::Internal(format!("the guard needs {} as application data", type_name::<T>()).into())
    })
}

/// What comes of a request. One that may change something is seen through to its end, also when its
/// client goes away meanwhile: what was done is recorded, and all that belongs to it is done.
pub fn seen_through<T: 'static>(
    changes_nothing: bool,
    request: impl Future<Output = T> + 'static,
) -> impl Future<Output = T> {
    if changes_nothing {
        return Either::Left(request);
    }
    let spawned = rt::spawn(request);
    Either::Right(async {
        match spawned.await.map_err(JoinError::try_into_panic) {
            Ok(answer) => answer,
            Err(Ok(panic)) => std::panic::resume_unwind(panic),
            // Only the end of the runtime stops it, and this with it.
            Err(Err(_)) => std::future::pending().await,
        }
    })
}

/// Tells the security log of an answer that refused somebody what is not for him. A wrong
/// password has its line already.
async fn record_refused<B>(auth: &dyn Auth, response: &ServiceResponse<B>) {
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

/// Lets a request through, with the user who is speaking, or tells why not.
async fn admit(
    auth: &dyn Auth,
    rules: &GuardRules,
    request: &HttpRequest,
) -> Result<Option<Caller>> {
    path::check(request.path())?;
    let cookie = auth.session_cookie(request)?;
    let authorization = auth.authorization_header(request)?;
    let open = !auth.require_auth(request.path(), OPEN_PATHS);
    if !open && cookie.is_none() && authorization.is_none() {
        return Err(Error::unauthorized());
    }
    if is_cross_site(auth, rules, request)? {
        let about = About::refused(request, "cross-site");
        audit::record(Event::CrossSiteRefused, &Trace::of(request), &about);
        return Err(Error::Forbidden);
    }
    if open {
        return Ok((!auth.has_roles()).then_some(Caller::Anybody));
    }
    let Some(user) = auth.current_user(request).await? else {
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
fn note_unknown_session(auth: &dyn Auth, request: &HttpRequest) -> Result<()> {
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
    let login = opens(LOGIN_PATH, request.path());
    Ok((ambient || login) && !of_scheme("Bearer"))
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use futures_util::FutureExt as _;
    use tokio::sync::oneshot;
    use tokio::task::yield_now;

    use super::*;

    #[actix_web::test]
    async fn what_changes_something_is_seen_through_though_nobody_waits_for_it() {
        for changes_nothing in [false, true] {
            let (go_on, told) = oneshot::channel();
            let done = Rc::new(Cell::new(false));
            let ended = Rc::clone(&done);
            let request = async move {
                // The sender is kept until the client has gone.
                let _ = told.await;
                ended.set(true);
            };
            let mut request = Box::pin(seen_through(changes_nothing, request));
            assert!((&mut request).now_or_never().is_none());
            drop(request);
            let _: Result<(), ()> = go_on.send(());
            for _ in 0..100 {
                yield_now().await;
            }
            assert_eq!(done.get(), !changes_nothing);
        }
    }

    #[actix_web::test]
    #[should_panic(expected = "as it was")]
    async fn a_panic_stays_one() {
        seen_through(false, async { panic!("as it was") }).await;
    }
}
