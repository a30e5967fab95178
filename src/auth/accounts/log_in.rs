//! The one way in: every pathway on which somebody proves who he is with a password ends here.

use std::borrow::Cow;
use std::sync::Arc;

use uuid::Uuid;

use super::Accounts;
use crate::auth::audit::{self, About, Event, Trace};
use crate::auth::throttle::Counted;
use crate::error::{Error, Result};
use crate::models::{Password, PasswordHash, User, UserId};

/// On which way somebody proves who he is (ASVS 6.1.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pathway {
    /// The login, by the API or on its page.
    Login,
    /// Basic credentials, where the kind is Basic.
    Basic,
    /// The password once more, by `POST /auth_session/reauth` or on its page.
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
    /// With which session, if there is one already: its owner is who tries.
    pub session: Option<Uuid>,
}

impl Attempt {
    /// Writes down what came of it, for the user who has the e-mail address.
    fn record(
        &self,
        event: Event,
        is_he: bool,
        subject: Option<UserId>,
        detail: Cow<'static, str>,
    ) {
        let actor = subject.filter(|_| is_he || self.session.is_some());
        audit::record(event, &self.trace, &About { actor, subject, session: self.session, detail });
    }
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
    /// Who has this e-mail address and this password. All that is refused takes the same time; 429
    /// where too much was refused before.
    pub async fn log_in(
        &self,
        email: &str,
        password: Password,
        attempt: &Attempt,
    ) -> Result<Result<Arc<User>, Refusal>> {
        let decided = self.decide(email, password, attempt).await;
        self.attempts.note(attempt.pathway, &decided, self.clock.now());
        decided
    }

    async fn decide(
        &self,
        email: &str,
        password: Password,
        attempt: &Attempt,
    ) -> Result<Result<Arc<User>, Refusal>> {
        let counted = self.count(email, attempt).await?;
        let (known, outcome) = match self.examine(email, password).await {
            Ok(examined) => examined,
            Err(error) => {
                if let Some(counted) = counted {
                    counted.was_no_guess();
                }
                return Err(error);
            }
        };
        let after_failures = counted.is_some_and(|counted| counted.settle(outcome.is_ok()));
        let pathway = attempt.pathway.name();
        let (event, detail) = match &outcome {
            Ok(_) if after_failures => (Event::LoginSucceededAfterFailures, pathway.into()),
            Ok(_) => (Event::LoginSucceeded, pathway.into()),
            Err(why) => (Event::LoginFailed, format!("{pathway}: {}", why.name()).into()),
        };
        // Whoever was refused has not shown that it is he.
        attempt.record(event, outcome.is_ok(), known, detail);
        Ok(outcome)
    }

    /// Counts an attempt, unless the throttle is off; 429 where there were too many.
    async fn count(&self, email: &str, attempt: &Attempt) -> Result<Option<Counted<'_>>> {
        let Some(throttle) = &self.throttle else { return Ok(None) };
        match throttle.count(email, attempt.trace.client).await {
            Ok(counted) => Ok(Some(counted)),
            Err(wait) => {
                let known = self.users.search(email).await?.map(|user| user.id);
                attempt.record(Event::Throttled, false, known, attempt.pathway.name().into());
                Err(Error::TooManyAttempts(wait))
            }
        }
    }

    /// Whom an e-mail address names, and whether this is his password.
    async fn examine(
        &self,
        email: &str,
        password: Password,
    ) -> Result<(Option<UserId>, Result<Arc<User>, Refusal>)> {
        let found = self.users.search(email).await?;
        let known = found.as_ref().map(|user| user.id);
        Ok((known, self.verify(found, password).await?))
    }

    /// Whether this is the password of the user who was found.
    async fn verify(
        &self,
        found: Option<Arc<User>>,
        password: Password,
    ) -> Result<Result<Arc<User>, Refusal>> {
        let stored = found.as_ref().map(|user| user.password_hash.clone());
        let admits = found.as_ref().is_some_and(|user| !user.disabled);
        let verified = self.hasher.verify(stored, password, admits).await?;
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

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::auth::accounts::Attempts;
    use crate::auth::hashing::{Hasher, Lanes};
    use crate::auth::throttle::Throttle;
    use crate::clock::{ManualClock, SystemClock, Timestamp};
    use crate::models::PasswordRules;
    use crate::random::SystemRandom;
    use crate::store::memory::MemoryTable;

    fn hasher(lanes: usize) -> Hasher {
        Hasher::new(
            Lanes::start(lanes, 0, Arc::new(SystemClock::new())).unwrap(),
            4,
            4,
            Arc::new(SystemRandom),
        )
    }

    #[test]
    fn an_attempt_that_is_answered_503_costs_nothing() {
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(0)));
        let mut accounts = Accounts {
            users: Arc::new(MemoryTable::<User>::default()),
            hasher: hasher(0),
            password_rules: PasswordRules::default(),
            throttle: Some(Throttle::new(NonZeroU32::MIN, 1, clock.clone())),
            clock,
            random: Arc::new(SystemRandom),
            attempts: Attempts::default(),
        };
        let (pathway, trace) = (Pathway::Login, Trace::default());
        let attempt = Attempt { pathway, trace, session: None };
        let log_in = async |accounts: &Accounts| {
            accounts.log_in("bob@example.com", Password::sent("wrong".into()), &attempt).await
        };
        actix_web::rt::System::new().block_on(async {
            for _ in 0..100 {
                assert!(matches!(log_in(&accounts).await, Err(Error::Busy)));
            }
            accounts.hasher = hasher(1);
            assert_eq!(log_in(&accounts).await.unwrap().unwrap_err(), Refusal::UnknownUser);
            assert!(matches!(log_in(&accounts).await, Err(Error::TooManyAttempts(_))));
        });
    }
}
