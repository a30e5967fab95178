//! Sessions as their owners and admins see and end them (ASVS 7.4.5, 7.5.2).

use std::sync::Arc;

use uuid::Uuid;

use super::call::Call;
use crate::auth::audit::{About, Event};
use crate::error::{Error, Result};
use crate::models::{SessionHash, User, UserId, UserSession};

/// Which sessions of a user to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// All but the one that asks.
    AllOthers,
}

impl Call {
    /// The live sessions of a user, oldest first, each with whether it is the one that asks.
    pub async fn sessions_of(&self, user: &User) -> Result<Vec<(Arc<UserSession>, bool)>> {
        let sessions = self.auth.sessions().ok_or_else(Error::not_found)?;
        let found = sessions.of_user(user).await?;
        let current = self.session().await?.map(|current| current.hash);
        let with_whether_current = |session: Arc<UserSession>| {
            let is_current = current == Some(session.hash);
            (session, is_current)
        };
        Ok(found.into_iter().map(with_whether_current).collect())
    }

    /// Ends the session of a user that has this public id; tells whether it was the one that asks.
    pub async fn end_session(&self, user: &User, id: &str) -> Result<bool> {
        let sessions = self.auth.sessions().ok_or_else(Error::not_found)?;
        let current = self.session().await?;
        let named = id.parse().ok().filter(|named: &Uuid| named.to_string() == id);
        let named = named.ok_or_else(Error::not_found)?;
        let ended = sessions.end(user, named).await?.ok_or_else(Error::not_found)?;
        self.record(Event::SessionRevoked, Some(user.id), About::default().session(ended.id));
        Ok(current.is_some_and(|current| current.hash == ended.hash))
    }

    /// Ends sessions of a user; tells whether the one that asks was among them. Needs a fresh proof.
    pub async fn end_sessions(
        &mut self,
        user: &User,
        which: Which,
        proof: Option<String>,
    ) -> Result<bool> {
        self.must_be_fresh(proof).await?;
        self.caller.may_touch(Some(user.id))?;
        let current = self.session().await?.map(|session| session.hash);
        let kept = current.filter(|_| which == Which::AllOthers);
        let sessions = self.auth.sessions().ok_or_else(Error::not_found)?;
        sessions.end_all(user.id, kept).await?;
        let himself = self.is_himself(user.id);
        let told = if himself && which == Which::AllOthers { "all others" } else { "all" };
        self.record(Event::SessionRevoked, Some(user.id), About::default().detail(told));
        Ok(himself && which == Which::All)
    }

    /// Ends everybody's sessions, that of the admin who asks among them. Needs a fresh proof.
    pub async fn end_everybodys_sessions(&mut self, proof: Option<String>) -> Result<()> {
        self.must_be_fresh(proof).await?;
        self.caller.must_be_admin()?;
        let sessions = self.auth.sessions().ok_or_else(Error::not_found)?;
        sessions.end_everybodys().await?;
        self.record(Event::SessionRevoked, None, About::default().detail("everybody's"));
        Ok(())
    }

    /// The sessions of a user who may not come in any more, or not under the password of old, have
    /// ended already, with his record; this only clears them away.
    pub(super) async fn forget_sessions(&self, id: UserId, except: Option<SessionHash>) {
        let Some(sessions) = self.auth.sessions() else { return };
        if let Err(error) = sessions.end_all(id, except).await {
            log::warn!("user {id}: his ended sessions stay in the store for now: {error}");
        }
    }
}
