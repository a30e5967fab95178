//! Changing passwords: one's own, and as an admin that of somebody else.

use std::sync::Arc;

use super::call::Call;
use crate::auth::NewSession;
use crate::auth::accounts::Pathway;
use crate::auth::audit::{About, Event};
use crate::auth::session::Renewal;
use crate::error::{Code, Error, Result};
use crate::models::{User, UserSession};

impl Call {
    /// Gives the caller, who is `user`, another password, for which he shows the current one
    /// (ASVS 6.2.3). All his sessions end but the one that asks, which gets a new id; if that fails,
    /// he logs in once more.
    pub async fn change_own_password(
        &mut self,
        user: &User,
        current: String,
        new: String,
    ) -> Result<(Arc<User>, Option<NewSession>)> {
        // A body takes its time; what counts is who is speaking now.
        self.again().await?;
        if current == new {
            let text = "new_password must differ from current_password";
            return Err(Error::bad(Code::PasswordUnchanged, text));
        }
        // A new password that is no good is told before the current one costs a hash.
        self.accounts.password_rules.check(new.clone(), user.email.as_str())?;
        let session = self.session().await?;
        let proved = self.prove(user, current, Pathway::CurrentPassword).await?;
        let hash = self.accounts.hash(new, user).await?;
        // Hashing took a while: a session that was ended meanwhile changes nothing any more.
        self.again().await?;
        let user = self.accounts.change_password(&proved, hash).await?;
        self.record_password(&user, session.as_deref());
        let renewed = self.under_the_new_password(session, &user).await;
        let kept = renewed.as_ref().map(|session| session.session.hash);
        self.forget_sessions(user.id, kept).await;
        Ok((user, renewed))
    }

    /// Gives somebody else another password, as an admin; all his sessions end. Needs a fresh proof.
    pub async fn set_password(
        &mut self,
        user: &User,
        new: String,
        must_change: bool,
        proof: Option<String>,
    ) -> Result<Arc<User>> {
        self.again().await?;
        self.caller.must_be_admin()?;
        // One's own is changed by whoever knows the current one.
        if self.is_himself(user.id) {
            return Err(Error::Forbidden);
        }
        let session = self.session().await?;
        self.must_be_fresh(proof).await?;
        let hash = self.accounts.hash(new, user).await?;
        // Hashing took a while; what counts is what the caller may do now.
        self.again().await?;
        self.caller.must_be_admin()?;
        let user = self.accounts.set_password(user.id, hash, must_change).await?;
        let user = user.ok_or_else(Error::not_found)?;
        self.record_password(&user, session.as_deref());
        self.forget_sessions(user.id, None).await;
        Ok(user)
    }

    fn record_password(&self, user: &User, session: Option<&UserSession>) {
        let by = About::default().session(session.map(|session| session.id));
        self.record(Event::PasswordChanged, Some(user.id), by);
    }

    /// The session that asked, under a new id and the new password. Without it the user logs in once
    /// more: his password has been changed already.
    async fn under_the_new_password(
        &self,
        session: Option<Arc<UserSession>>,
        user: &User,
    ) -> Option<NewSession> {
        let (sessions, session) = self.auth.sessions().zip(session)?;
        sessions.renew(&session, user, Renewal::Proved).await.unwrap_or_else(|error| {
            log::warn!("user {}: the session that changed his password ends: {error}", user.id);
            None
        })
    }
}
