//! A call: who asks, and what there is to answer him with.

use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use futures_util::future::{Ready, ready};

use crate::auth::accounts::Accounts;
use crate::auth::audit::{self, About, Event, Trace};
use crate::auth::guard::{Caller, GuardRules};
use crate::auth::session::Renewal;
use crate::auth::{Auth, NewSession};
use crate::error::{Error, Result};
use crate::models::{User, UserId, UserSession};

/// Who calls, and what there is to answer him with.
pub struct Call {
    /// Who is speaking.
    pub caller: Caller,
    /// What he asks.
    pub request: HttpRequest,
    /// The kind of authentication in force.
    pub auth: web::Data<dyn Auth>,
    /// The accounts.
    pub accounts: web::Data<Accounts>,
    /// What the guard goes by.
    pub rules: web::Data<GuardRules>,
    /// Whether the caller has proved with this very call who he is.
    is_proved: bool,
}

impl FromRequest for Call {
    type Error = actix_web::Error;
    type Future = Ready<Result<Self, actix_web::Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Self::of(request, payload))
    }
}

impl Call {
    fn of(request: &HttpRequest, payload: &mut Payload) -> Result<Self, actix_web::Error> {
        Ok(Self {
            caller: Caller::from_request(request, payload).into_inner()?,
            request: request.clone(),
            auth: web::Data::from_request(request, payload).into_inner()?,
            accounts: web::Data::from_request(request, payload).into_inner()?,
            rules: web::Data::from_request(request, payload).into_inner()?,
            is_proved: false,
        })
    }

    /// Looks at the caller once more, and refuses him when he may not come in any more. What he
    /// may do is told by the caller as he is now.
    pub async fn again(&mut self) -> Result<()> {
        let (auth, rules) = (self.auth.as_ref(), self.rules.as_ref());
        self.caller = self.caller.again(auth, rules, &self.request).await?;
        Ok(())
    }

    /// The session that speaks, if it is one.
    pub async fn session(&self) -> Result<Option<Arc<UserSession>>> {
        self.auth.current_session(&self.request).await
    }

    /// Whether the caller has proved with this very call who he is.
    pub fn is_proved(&self) -> bool {
        self.is_proved
    }

    /// From here on the caller counts as having proved who he is.
    pub(super) fn note_proof(&mut self) {
        self.is_proved = true;
    }

    /// The session that speaks, if it is one, under a new id; and fresh, if the caller has proved with
    /// this call who he is. What it gets that for has been done already, so a failure is told to the
    /// log and not to the client.
    pub async fn renewed(&self) -> Option<NewSession> {
        let why = if self.is_proved { Renewal::Proved } else { Renewal::Asked };
        let renewed = match (self.auth.sessions(), self.caller.user(), self.session().await) {
            (Some(sessions), Some(user), Ok(Some(session))) => {
                sessions.renew(&session, user, why).await
            }
            (_, _, session) => session.map(|_| None),
        };
        renewed.unwrap_or_else(|error| {
            log::warn!("a session keeps its id for now: {error}");
            None
        })
    }

    /// The user whom a path names, by his id or as `me`: 403 for somebody whom the caller may not
    /// touch, 404 for nobody.
    pub async fn subject(&self, named: &str) -> Result<Arc<User>> {
        if named == "me" {
            return self.caller.user().cloned().ok_or_else(Error::not_found);
        }
        let id = named.parse().ok();
        self.caller.may_touch(id)?;
        let id = id.ok_or_else(Error::not_found)?;
        self.accounts.users.get(id).await?.ok_or_else(Error::not_found)
    }

    /// Whether this is the caller himself.
    pub fn is_himself(&self, user: UserId) -> bool {
        self.caller.user().is_some_and(|caller| caller.id == user)
    }

    /// With which session the caller acts, for [`Call::record`]; asked for before the act may end
    /// it.
    pub async fn acting(&self) -> Result<About> {
        Ok(About::default().session(self.session().await?.map(|session| session.id)))
    }

    /// Writes a line of the security log about what the caller did to a user, if to one.
    pub fn record(&self, event: Event, subject: Option<UserId>, about: About) {
        let actor = self.caller.user().map(|user| user.id);
        audit::record(event, &Trace::of(&self.request), &About { actor, subject, ..about });
    }
}
