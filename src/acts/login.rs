//! Login, logout, a new id, a fresh proof.

use std::sync::Arc;

use actix_web::{HttpMessage as _, HttpRequest};

use super::call::Call;
use crate::auth::accounts::{Accounts, Attempt, Pathway, Refusal};
use crate::auth::audit::{self, About, Event, Trace};
use crate::auth::guard::{Caller, GuardRules};
use crate::auth::session::{Renewal, Sessions};
use crate::auth::{Auth, Login, NewSession, client};
use crate::error::{Code, Error, Result};
use crate::models::{Password, User, UserSession};

/// How much a failed login tells.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LoginErrors {
    /// The same for every reason (ASVS 6.3.8).
    #[default]
    Uniform,
    /// Whether it was the e-mail address or the password, as the classic program does.
    Detailed,
}

/// What somebody logs in with.
pub struct Credentials {
    /// The address, as it was typed.
    pub email: String,
    /// The password, as it was typed.
    pub password: Password,
    /// Whether to stay logged in when the browser is closed.
    pub remember: bool,
}

/// Somebody who has logged in.
pub struct LoggedIn {
    /// Who it is.
    pub user: Arc<User>,
    /// The session that has begun.
    pub session: NewSession,
}

/// The session that speaks.
pub struct InUse<'c> {
    /// Where it is kept.
    pub sessions: &'c Sessions,
    /// What is kept of it.
    pub session: Arc<UserSession>,
    /// Whose it is.
    pub user: Arc<User>,
}

/// 400 where there are no sessions to begin.
pub fn must_have_sessions(auth: &dyn Auth) -> Result<()> {
    let text = "there is no login: this service keeps no sessions";
    auth.sessions().map(|_| ()).ok_or_else(|| Error::bad(Code::SessionsUnsupported, text))
}

/// Begins a session. One that the request presents and that is the same user's ends with it.
pub async fn log_in(
    request: &HttpRequest,
    auth: &dyn Auth,
    accounts: &Accounts,
    errors: LoginErrors,
    with: Credentials,
) -> Result<LoggedIn> {
    let (pathway, trace) = (Pathway::Login, Trace::of(request));
    let attempt = Attempt { pathway, trace, session: None };
    let user = accounts.log_in(&with.email, with.password, &attempt).await?;
    let user = user.map_err(|why| refused(why, errors))?;
    let presented = auth.current_session(request).await?;
    let former = presented.filter(|session| session.user_id == user.id);
    let replaces = former.as_ref().map(|session| session.hash);
    let login = Login { client: client(request), remember: with.remember, replaces };
    let session = auth.create_session(&user, login).await?.ok_or_else(Error::not_found)?;
    if let Some(former) = former {
        let about = About::himself(user.id).session(former.id).detail("replaced by a login");
        audit::record(Event::SessionRevoked, &attempt.trace, &about);
    }
    // From here on it is he who speaks: the line in the log says so.
    request.extensions_mut().insert(Caller::User(Arc::clone(&user)));
    Ok(LoggedIn { user, session })
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

/// Ends the session that speaks. Who comes second finds it ended, as with any ended session.
pub async fn log_out(request: &HttpRequest, auth: &dyn Auth, rules: &GuardRules) -> Result<()> {
    let session = auth.current_session(request).await?;
    if !auth.destroy_session(request).await? {
        let ended = auth.sessions().map(|_| rules.refusal());
        return Err(ended.unwrap_or_else(Error::not_found));
    }
    if let Some(session) = session {
        let about = About::himself(session.user_id).session(session.id);
        audit::record(Event::LoggedOut, &Trace::of(request), &about);
    }
    Ok(())
}

impl Call {
    /// The session that speaks, and its user; 404 where there are no sessions.
    pub async fn in_use(&self) -> Result<InUse<'_>> {
        let sessions = self.auth.sessions().ok_or_else(Error::not_found)?;
        let user = self.caller.user().ok_or_else(Error::not_found)?;
        let session = self.session().await?.ok_or_else(|| self.rules.refusal())?;
        Ok(InUse { sessions, session, user: Arc::clone(user) })
    }

    /// Gives the session in use a new id, which ends the old one.
    pub async fn refresh(&self) -> Result<LoggedIn> {
        let InUse { sessions, session, user } = self.in_use().await?;
        self.under_a_new_id(sessions, &session, user, Renewal::Asked).await
    }

    /// Takes the password once more, which makes the session in use fresh, and gives it a new id
    /// (ASVS 7.2.4). 403 if it is not the password.
    pub async fn reauthenticate(&self, in_use: InUse<'_>, password: String) -> Result<LoggedIn> {
        let InUse { sessions, session, user } = in_use;
        let proved = self.prove(&user, password, Pathway::Reauth).await?;
        // Another password has ended the session: the new one does not bring it back.
        if proved.credential_version != session.credential_version {
            return Err(self.rules.refusal());
        }
        self.under_a_new_id(sessions, &session, proved, Renewal::Proved).await
    }

    async fn under_a_new_id(
        &self,
        sessions: &Sessions,
        session: &UserSession,
        user: Arc<User>,
        why: Renewal,
    ) -> Result<LoggedIn> {
        let renewed = sessions.renew(session, &user, why).await?;
        let session = renewed.ok_or_else(|| self.rules.refusal())?;
        let about = About::default().session(session.session.id);
        self.record(Event::SessionRenewed, Some(user.id), about);
        Ok(LoggedIn { user, session })
    }
}
