//! Who is speaking, as handlers ask for it.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::Method;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest};

use super::GuardRules;
use crate::auth::{Auth, opens};
use crate::error::{Error, Result};
use crate::models::{Role, User, UserId};

/// What a user may do who must change his password: change it, or leave.
const WAYS_OUT: [(Method, &str); 5] = [
    (Method::PUT, "/api/v1/users/me/password"),
    (Method::DELETE, "/api/v1/auth_session/logout"),
    (Method::GET, PASSWORD_PAGE),
    (Method::HEAD, PASSWORD_PAGE),
    (Method::POST, PASSWORD_PAGE),
];

/// Where people change their password.
const PASSWORD_PAGE: &str = "/account/password";

/// Who is speaking, as the guard found. Handlers state their policy by asking for it.
#[derive(Clone, Debug)]
pub enum Caller {
    /// This service has no roles (`AUTH_TYPE=none`): everybody may do everything.
    Anybody,
    /// This user.
    User(Arc<User>),
}

impl Caller {
    /// The user, if there is one.
    pub fn user(&self) -> Option<&Arc<User>> {
        match self {
            Self::Anybody => None,
            Self::User(user) => Some(user),
        }
    }

    /// The same caller as he is now, or the guard's refusal when he may not come in any more. Asked
    /// again when something has taken its time since the guard let him through: a body, or a hash.
    pub async fn again(
        &self,
        auth: &dyn Auth,
        rules: &GuardRules,
        request: &HttpRequest,
    ) -> Result<Self> {
        let Self::User(_) = self else { return Ok(Self::Anybody) };
        let user = auth.current_user(request).await?.ok_or_else(|| rules.refusal())?;
        may_ask(&user, request)?;
        Ok(Self::User(user))
    }

    /// Whether this caller may do what admins may.
    pub fn is_admin(&self) -> bool {
        self.user().is_none_or(|user| user.role == Role::Admin)
    }

    /// 403 unless this caller may do what admins may.
    pub fn must_be_admin(&self) -> Result<()> {
        if self.is_admin() { Ok(()) } else { Err(Error::Forbidden) }
    }

    /// 403 unless this caller is an admin, or `id` is his own. No id is nobody's own.
    pub fn may_touch(&self, id: Option<UserId>) -> Result<()> {
        let himself = self.user().is_some_and(|user| Some(user.id) == id);
        if himself || self.is_admin() { Ok(()) } else { Err(Error::Forbidden) }
    }
}

impl FromRequest for Caller {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    /// 401 when the guard let nobody through: a route that forgot the guard stays shut.
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let caller = request.extensions().get::<Self>().cloned();
        ready(caller.ok_or_else(Error::unauthorized))
    }
}

/// A caller who may do what admins may; 403 for anybody else.
#[derive(Clone, Debug)]
pub struct Admin(pub Caller);

impl FromRequest for Admin {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload).into_inner();
        ready(caller.and_then(|caller| caller.must_be_admin().map(|()| Self(caller))))
    }
}

/// The user who is speaking; 401 where there is none, as with `AUTH_TYPE=none`.
///
/// ```
/// use sessiond::CurrentUser;
///
/// async fn hello(user: CurrentUser) -> String {
///     format!("Hello {}", user.display_name())
/// }
/// ```
#[derive(Clone, Debug)]
pub struct CurrentUser(pub Arc<User>);

impl FromRequest for CurrentUser {
    type Error = Error;
    type Future = Ready<Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let caller = Caller::from_request(request, payload).into_inner();
        let user = |caller: Caller| caller.user().cloned().map(Self);
        ready(caller.and_then(|caller| user(caller).ok_or_else(Error::unauthorized)))
    }
}

impl Deref for CurrentUser {
    type Target = User;

    fn deref(&self) -> &User {
        &self.0
    }
}

/// 403 for a user who must change his password before he may ask for this.
pub fn may_ask(user: &User, request: &HttpRequest) -> Result<()> {
    let is =
        |(method, path): &(Method, &str)| request.method() == method && opens(path, request.path());
    if user.must_change && !WAYS_OUT.iter().any(is) {
        return Err(Error::PasswordChangeRequired);
    }
    Ok(())
}
