//! Sessions in memory, and what all kinds with sessions share.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use async_trait::async_trait;
use uuid::Uuid;

use super::cookie::SessionCookie;
use super::{Auth, Login, NewSession, credentials};
use crate::clock::{Clock, Timestamp};
use crate::error::{Code, Error, Result};
use crate::models::{Lifetime, Lifetimes, SessionHash, SessionId, User, UserId, UserSession};
use crate::random::Random;
use crate::store::{Room, SessionStore, UserStore};

/// How long a remembered session lives, where sessions end by themselves; everywhere the browser
/// keeps its cookie for the longer of the two.
pub const REMEMBERED: Lifetime = Lifetime {
    absolute: Some(Duration::from_hours(30 * 24)),
    idle: Some(Duration::from_hours(14 * 24)),
};
/// How many expired sessions one sweep removes at a time.
const SWEEP: usize = 10_000;

/// The sessions of a kind, and what can be done with them.
pub struct Sessions {
    /// Where they are.
    pub store: Arc<dyn SessionStore>,
    /// Where their users are.
    pub users: Arc<dyn UserStore>,
    /// Tells when they end.
    pub clock: Arc<dyn Clock>,
    /// Makes their ids.
    pub random: Arc<dyn Random>,
    /// Carries their ids.
    pub cookie: SessionCookie,
    /// How long they live at most.
    pub lifetimes: Lifetimes,
    /// How many a user may have; one more ends the oldest.
    pub per_user: usize,
}

/// A kind with sessions.
pub trait SessionKind: Send + Sync {
    /// The sessions.
    fn kept(&self) -> &Sessions;
}

/// `AUTH_TYPE=session_auth`: sessions in memory, until they are ended or the process is.
pub struct SessionAuth(pub Sessions);

impl SessionKind for SessionAuth {
    fn kept(&self) -> &Sessions {
        &self.0
    }
}

/// Whether a session lives longer for being looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Counts,
    DoesNot,
}

/// A session that may be used, and its user.
type Live = (Arc<UserSession>, Arc<User>);

#[async_trait(?Send)]
impl<K: SessionKind> Auth for K {
    fn cookie(&self) -> &SessionCookie {
        &self.kept().cookie
    }

    fn sessions(&self) -> Option<&Sessions> {
        Some(self.kept())
    }

    async fn current_user(&self, request: &HttpRequest) -> Result<Option<Arc<User>>> {
        Ok(presented(self, request, Use::Counts).await?.map(|(_, user)| user))
    }

    async fn peek(&self, request: &HttpRequest) -> Result<Option<Arc<User>>> {
        Ok(presented(self, request, Use::DoesNot).await?.map(|(_, user)| user))
    }

    async fn current_session(&self, request: &HttpRequest) -> Result<Option<Arc<UserSession>>> {
        Ok(presented(self, request, Use::Counts).await?.map(|(session, _)| session))
    }

    async fn create_session(&self, user: &User, login: Login) -> Result<Option<NewSession>> {
        self.kept().begin(user, login).await.map(Some)
    }

    async fn user_id_for_session_id(&self, id: &SessionId) -> Result<Option<UserId>> {
        Ok(self.kept().live(id, Use::Counts).await?.map(|(session, _)| session.user_id))
    }

    async fn destroy_session(&self, request: &HttpRequest) -> Result<bool> {
        match self.current_session(request).await? {
            Some(session) => self.kept().store.remove(&session.hash).await,
            None => Ok(false),
        }
    }

    async fn is_fresh(&self, request: &HttpRequest, window: Duration) -> Result<bool> {
        let presented = presented(self, request, Use::Counts).await?;
        let now = self.kept().clock.now();
        Ok(presented.is_some_and(|(session, user)| is_fresh(&session, &user, window, now)))
    }

    async fn sweep(&self) -> Result<()> {
        self.kept().sweep().await
    }
}

impl Sessions {
    /// The session of this id and its user, if both may be used now. Its use is noted, if it counts.
    async fn live(&self, id: &SessionId, with: Use) -> Result<Option<Live>> {
        let Some(session) = self.store.get(&id.hash()).await? else { return Ok(None) };
        let Some(user) = self.users.get(session.user_id).await? else { return Ok(None) };
        let now = self.clock.now();
        if !self.is_live(&session, &user, now) {
            return Ok(None);
        }
        if with == Use::Counts {
            self.store.touch(&session, now);
        }
        Ok(Some((session, user)))
    }

    /// Whether a session may be used: in time, and by a user who is as he was at login. A new
    /// password, for one, is one durable record that ends all sessions, whatever happens next.
    fn is_live(&self, session: &UserSession, user: &User, now: Timestamp) -> bool {
        !session.is_expired(self.lifetimes, now)
            && !user.disabled
            && session.credential_version == user.credential_version
    }

    /// Begins a session.
    async fn begin(&self, user: &User, login: Login) -> Result<NewSession> {
        let random = self.random.as_ref();
        let id = SessionId::generate(random)?;
        let (lifetime, now) = (self.lifetimes.of(login.remember), self.clock.now());
        let mut session = UserSession::new(id.hash(), user, login.client, lifetime, now, random)?;
        session.remembered = login.remember;
        let (replaced, at_most) = (login.replaces, Some(self.per_user));
        let session = self
            .store
            .insert(session, Room { replaced, at_most, in_force: self.lifetimes })
            .await?;
        Ok(handed_out(id, session, now))
    }

    /// Gives a session of `user` a new id, which ends the old one (ASVS 7.2.4); none when it has
    /// ended already. Its limits stay as they are, and it is as old as before.
    pub async fn renew(
        &self,
        session: &UserSession,
        user: &User,
        why: Renewal,
    ) -> Result<Option<NewSession>> {
        let id = SessionId::generate(self.random.as_ref())?;
        let (hash, now) = (id.hash(), self.clock.now());
        let credential_version = user.credential_version;
        let change = move |old: &UserSession| {
            let proved_at = if why == Renewal::Proved { Some(now) } else { old.proved_at };
            UserSession { hash, credential_version, proved_at, ..old.clone() }
        };
        let renewed = self.store.replace(&session.hash, Box::new(change)).await?;
        Ok(renewed.map(|session| handed_out(id, session, now)))
    }

    /// The live sessions of a user, oldest first.
    pub async fn of_user(&self, user: &User) -> Result<Vec<Arc<UserSession>>> {
        let now = self.clock.now();
        let mut sessions = self.store.of_user(user.id).await?;
        sessions.retain(|session| self.is_live(session, user, now));
        sessions.sort_by_key(|session| session.created_at);
        Ok(sessions)
    }

    /// Ends the session of a user that has this public id; tells which that was, if there was one.
    pub async fn end(&self, user: &User, id: Uuid) -> Result<Option<Arc<UserSession>>> {
        let named = self.of_user(user).await?.into_iter().find(|session| session.id == id);
        match named {
            Some(session) if self.store.remove(&session.hash).await? => Ok(Some(session)),
            _ => Ok(None),
        }
    }

    /// Ends all sessions of a user but `except`; tells how many.
    pub async fn end_all(&self, user: UserId, except: Option<SessionHash>) -> Result<usize> {
        self.store.remove_all(user, except).await
    }

    /// Ends everybody's sessions; tells how many.
    pub async fn end_everybodys(&self) -> Result<usize> {
        self.store.clear().await
    }

    async fn sweep(&self) -> Result<()> {
        let sweep = || self.store.remove_expired(self.lifetimes, self.clock.now(), SWEEP);
        while sweep().await? == SWEEP {}
        Ok(())
    }
}

/// A session, as it is handed to its owner under a new id.
fn handed_out(id: SessionId, session: Arc<UserSession>, now: Timestamp) -> NewSession {
    let end = session.expires_at.map(|end| end.since(now)).or(REMEMBERED.absolute);
    NewSession { id, keep: end.filter(|_| session.remembered), session }
}

/// Why a session gets a new id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It was asked for, or what its user may do has changed.
    Asked,
    /// Its user has proved once more who he is.
    Proved,
}

/// Whether the proof of who is speaking is young enough for what matters (ASVS 7.5.3). One from
/// before the user had his role is not: a session that was stolen from a plain user does not
/// become that of an admin.
pub fn is_fresh(session: &UserSession, user: &User, window: Duration, now: Timestamp) -> bool {
    let proved_at = session.authenticated_at();
    now < proved_at.plus(window) && user.role_since.is_none_or(|since| since <= proved_at)
}

/// The live session that a request presents: that of its cookie, else that of its bearer token.
/// Two of different users in one request are a contradiction: 400.
async fn presented<K: SessionKind>(
    kind: &K,
    request: &HttpRequest,
    with: Use,
) -> Result<Option<Live>> {
    let sessions = kind.kept();
    let (cookie, bearer) = match presented_ids(kind, request)? {
        [Some(cookie), Some(bearer)] => (cookie, bearer),
        [None, None] => return Ok(None),
        [Some(id), None] | [None, Some(id)] => return sessions.live(&id, with).await,
    };
    match (sessions.live(&cookie, with).await?, sessions.live(&bearer, with).await?) {
        (Some((a, _)), Some((b, _))) if a.user_id != b.user_id => Err(Error::bad(
            Code::CredentialsContradict,
            "cookie and Authorization belong to different users",
        )),
        (by_cookie, by_bearer) => Ok(by_cookie.or(by_bearer)),
    }
}

/// The session ids that a request presents, whether somebody has them or not: in its cookie, and as
/// its bearer token.
pub(super) fn presented_ids<A: Auth + ?Sized>(
    auth: &A,
    request: &HttpRequest,
) -> Result<[Option<SessionId>; 2]> {
    let cookie = auth.session_cookie(request)?;
    let authorization = auth.authorization_header(request)?;
    let bearer = authorization.and_then(|header| credentials::of_scheme(header, "Bearer"));
    Ok([cookie, bearer].map(|sent| sent.and_then(SessionId::parse)))
}
