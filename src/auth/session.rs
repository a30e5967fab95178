//! Sessions in memory, and what all kinds with sessions share.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use async_trait::async_trait;

use super::cookie::SessionCookie;
use super::{Auth, Login, NewSession, credentials};
use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::models::{Lifetime, Lifetimes, SessionHash, SessionId, User, UserId, UserSession};
use crate::random::Random;
use crate::store::{SessionStore, UserStore};

/// How long a remembered session lives, where sessions end by themselves; everywhere the browser
/// keeps its cookie for the longer of the two.
pub const REMEMBERED: Lifetime = Lifetime {
    absolute: Some(Duration::from_hours(30 * 24)),
    idle: Some(Duration::from_hours(14 * 24)),
};
/// How many expired sessions one sweep removes at a time.
const SWEEP: usize = 10_000;

/// What every kind with sessions is made of.
pub struct Sessions {
    /// Where the sessions are.
    pub store: Arc<dyn SessionStore>,
    /// Where their users are.
    pub users: Arc<dyn UserStore>,
    /// Tells when they end.
    pub clock: Arc<dyn Clock>,
    /// Makes their ids.
    pub random: Arc<dyn Random>,
    /// Carries their ids.
    pub cookie: SessionCookie,
}

/// A kind with sessions: where it keeps them, and how long they live.
pub trait SessionKind: Send + Sync {
    /// The sessions.
    fn sessions(&self) -> &Sessions;

    /// How long its sessions live at most.
    fn lifetimes(&self) -> Lifetimes {
        Lifetimes::default()
    }
}

/// `AUTH_TYPE=session_auth`: sessions in memory, until they are ended or the process is.
pub struct SessionAuth(pub Sessions);

impl SessionKind for SessionAuth {
    fn sessions(&self) -> &Sessions {
        &self.0
    }
}

type Live = (Arc<UserSession>, Arc<User>);

#[async_trait(?Send)]
impl<K: SessionKind> Auth for K {
    fn cookie(&self) -> &SessionCookie {
        &self.sessions().cookie
    }

    fn keeps_sessions(&self) -> bool {
        true
    }

    async fn current_user(&self, request: &HttpRequest) -> Result<Option<Arc<User>>> {
        Ok(presented(self, request).await?.map(|(_, user)| user))
    }

    async fn current_session(&self, request: &HttpRequest) -> Result<Option<Arc<UserSession>>> {
        Ok(presented(self, request).await?.map(|(session, _)| session))
    }

    async fn create_session(&self, user: &User, login: Login) -> Result<Option<NewSession>> {
        let sessions = self.sessions();
        let id = SessionId::generate(sessions.random.as_ref())?;
        let lifetime = self.lifetimes().of(login.remember);
        let (now, random) = (sessions.clock.now(), sessions.random.as_ref());
        let mut session = UserSession::new(id.hash(), user, login.client, lifetime, now, random)?;
        session.remembered = login.remember;
        sessions.store.insert(session, login.replaces).await?;
        let keep = login.remember.then_some(REMEMBERED.absolute).flatten();
        Ok(Some(NewSession { id, keep }))
    }

    async fn user_id_for_session_id(&self, id: &SessionId) -> Result<Option<UserId>> {
        Ok(live(self, id).await?.map(|(session, _)| session.user_id))
    }

    async fn destroy_session(&self, request: &HttpRequest) -> Result<bool> {
        match self.current_session(request).await? {
            Some(session) => self.sessions().store.remove(&session.hash).await,
            None => Ok(false),
        }
    }

    async fn destroy_all(&self, user: UserId, except: Option<SessionHash>) -> Result<usize> {
        self.sessions().store.remove_all(user, except).await
    }

    async fn sweep(&self) -> Result<()> {
        let sessions = self.sessions();
        let sweep = || sessions.store.remove_expired(self.lifetimes(), sessions.clock.now(), SWEEP);
        while sweep().await? == SWEEP {}
        Ok(())
    }
}

/// The live session that a request presents: that of its cookie, else that of its bearer token.
/// Two of different users in one request are a contradiction: 400.
async fn presented<K: SessionKind>(kind: &K, request: &HttpRequest) -> Result<Option<Live>> {
    let cookie = kind.session_cookie(request)?.and_then(SessionId::parse);
    let authorization = kind.authorization_header(request)?;
    let bearer = authorization.and_then(|header| credentials::of_scheme(header, "Bearer"));
    let by_cookie = live_if(kind, cookie).await?;
    let by_bearer = live_if(kind, bearer.and_then(SessionId::parse)).await?;
    match (by_cookie, by_bearer) {
        (Some((a, _)), Some((b, _))) if a.user_id != b.user_id => {
            Err(Error::bad("cookie and Authorization belong to different users"))
        }
        (by_cookie, by_bearer) => Ok(by_cookie.or(by_bearer)),
    }
}

async fn live_if<K: SessionKind>(kind: &K, id: Option<SessionId>) -> Result<Option<Live>> {
    match id {
        Some(id) => live(kind, &id).await,
        None => Ok(None),
    }
}

/// The session of this id and its user, if both may be used now. Its use is noted.
async fn live<K: SessionKind>(kind: &K, id: &SessionId) -> Result<Option<Live>> {
    let sessions = kind.sessions();
    let Some(session) = sessions.store.get(&id.hash()).await? else { return Ok(None) };
    let Some(user) = sessions.users.get(session.user_id).await? else { return Ok(None) };
    let now = sessions.clock.now();
    if session.is_expired(kind.lifetimes(), now) || !speaks_for(&session, &user) {
        return Ok(None);
    }
    sessions.store.touch(&session, now);
    Ok(Some((session, user)))
}

/// Whether the user is as he was at login. A new password, for one, is one durable record that
/// ends all sessions, whatever happens next.
fn speaks_for(session: &UserSession, user: &User) -> bool {
    !user.disabled && session.credential_version == user.credential_version
}
