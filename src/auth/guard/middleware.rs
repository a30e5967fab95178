//! The guard as a middleware.

use std::fmt;
use std::future::{Ready, ready};
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse, Transform, forward_ready};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, WWW_AUTHENTICATE};
use actix_web::{HttpMessage as _, ResponseError as _, rt};
use futures_util::future::{Either, LocalBoxFuture};
use tokio::task::JoinError;

use super::{GuardRules, admit, record_refused};
use crate::auth::{Auth, OPEN_PATHS};

/// The guard: `web::scope("/mine").wrap(service.guard())`.
#[derive(Clone)]
pub struct Guard {
    /// The kind of authentication in force.
    pub auth: Arc<dyn Auth>,
    /// What it goes by beside that.
    pub rules: Arc<GuardRules>,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").field("rules", &self.rules).finish_non_exhaustive()
    }
}

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
        ready(Ok(Guarded { guard: Rc::new(self.clone()), next: Rc::new(next) }))
    }
}

/// A service behind the guard.
pub struct Guarded<S> {
    guard: Rc<Guard>,
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
        Box::pin(answer(Rc::clone(&self.guard), request, Rc::clone(&self.next)))
    }
}

async fn answer<S, B>(
    guard: Rc<Guard>,
    request: ServiceRequest,
    next: Rc<S>,
) -> Result<ServiceResponse, actix_web::Error>
where
    S: Service<ServiceRequest, Response = ServiceResponse<B>, Error = actix_web::Error> + 'static,
    B: MessageBody + 'static,
{
    let auth = guard.auth.as_ref();
    let mut response = match admit(auth, &guard.rules, request.request(), OPEN_PATHS).await {
        Ok(caller) => {
            if let Some(caller) = caller {
                request.extensions_mut().insert(caller);
            }
            let changes_nothing = request.method().is_safe();
            let response = seen_through(changes_nothing, next.call(request)).await?;
            if response.status() == StatusCode::FORBIDDEN {
                record_refused(auth, &response).await;
            }
            response.map_into_boxed_body()
        }
        // An answer, not an error: an error would lose cookies that are set further out.
        Err(refused) => request.into_response(refused.error_response()),
    };
    if response.status() == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static(auth.challenge());
        response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    }
    Ok(response)
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
