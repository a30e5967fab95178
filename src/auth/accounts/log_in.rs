//! The one way in: every pathway on which somebody proves who he is with a password ends here.

use std::sync::Arc;

use super::Accounts;
use crate::auth::audit::{self, About, Event, Trace};
use crate::error::Result;
use crate::models::{Password, PasswordHash, User};

/// On which way somebody proves who he is (ASVS 6.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pathway {
    /// `POST /auth_session/login`.
    Login,
    /// Basic credentials, where the kind is Basic.
    Basic,
    /// `POST /auth_session/reauth`.
    Reauth,
    /// The current password, with a request that needs a fresh proof.
    CurrentPassword,
}

impl Pathway {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Login, Self::Basic, Self::Reauth, Self::CurrentPassword];

    /// Its name in the security log.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Basic => "basic",
            Self::Reauth => "reauth",
            Self::CurrentPassword => "current password",
        }
    }
}

/// Somebody who wants to prove who he is.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// On which way.
    pub pathway: Pathway,
    /// From where.
    pub trace: Trace,
}

/// Why a login failed; for the service, rarely for the client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody has this e-mail address.
    UnknownUser,
    /// It is not the password.
    WrongPassword,
    /// The user is disabled.
    Disabled,
}

impl Refusal {
    const fn name(self) -> &'static str {
        match self {
            Self::UnknownUser => "unknown user",
            Self::WrongPassword => "wrong password",
            Self::Disabled => "disabled",
        }
    }
}

impl Accounts {
    /// Who has this e-mail address and this password. All that is refused takes the same time.
    pub async fn log_in(
        &self,
        email: &str,
        password: Password,
        attempt: &Attempt,
    ) -> Result<Result<Arc<User>, Refusal>> {
        let found = self.users.search(email).await?;
        let known = found.as_ref().map(|user| user.id);
        let outcome = self.verify(found, password).await?;
        let (event, detail) = match &outcome {
            Ok(_) => (Event::LoginSucceeded, attempt.pathway.name().into()),
            Err(why) => {
                (Event::LoginFailed, format!("{}: {}", attempt.pathway.name(), why.name()).into())
            }
        };
        // Whoever was refused has not shown that it is he.
        let actor = known.filter(|_| outcome.is_ok());
        let about = About { actor, subject: known, session: None, detail };
        audit::record(event, &attempt.trace, &about);
        Ok(outcome)
    }

    /// Whether this is the password of the user who was found.
    async fn verify(
        &self,
        found: Option<Arc<User>>,
        password: Password,
    ) -> Result<Result<Arc<User>, Refusal>> {
        let stored = found.as_ref().map(|user| user.password_hash.clone());
        let renew = found.as_ref().is_some_and(|user| !user.disabled);
        let verified = self.hasher.verify(stored, password, renew).await?;
        let Some(user) = found else { return Ok(Err(Refusal::UnknownUser)) };
        if user.disabled {
            return Ok(Err(Refusal::Disabled));
        }
        if !verified.right {
            return Ok(Err(Refusal::WrongPassword));
        }
        if let Some(hash) = verified.renewed {
            self.renew_hash(&user, hash).await;
        }
        // Hashing took a while; what counts is the user as he is now.
        let now = self.users.get(user.id).await?;
        let same = |now: &Arc<User>| now.credential_version == user.credential_version;
        Ok(now.filter(same).ok_or(Refusal::WrongPassword))
    }

    /// Puts a newly made hash of the same password in place of an outdated one. If that fails,
    /// the next login tries again.
    async fn renew_hash(&self, user: &User, hash: PasswordHash) {
        let outdated = user.password_hash.clone();
        let change = move |stored: &User| {
            let mut user = stored.clone();
            if user.password_hash == outdated {
                user.password_hash = hash;
            }
            Ok(user)
        };
        if let Err(error) = self.users.update(user.id, Box::new(change)).await {
            log::warn!("user {}: the outdated password hash stays for now: {error}", user.id);
        }
    }
}
