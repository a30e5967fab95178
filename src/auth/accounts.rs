//! What can be done with accounts, whoever asks: the API, the pages, the command line.

mod attempts;
mod log_in;

use std::sync::{Arc, OnceLock};

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::models::{Email, PasswordHash, PasswordRules, Role, User, UserId};
use crate::random::Random;
use crate::store::{Record as _, UserStore};

use super::audit::Event;
use super::hashing::Hasher;
use super::throttle::Throttle;

pub use attempts::Attempts;
pub use log_in::{Attempt, Pathway, Refusal};

/// How many users are looked through at once.
const LOOKED_THROUGH: usize = 1000;

/// A user to be made; by default a plain one without names.
#[derive(Default)]
pub struct NewUser {
    /// The address, still unchecked.
    pub email: String,
    /// The password in clear, still unchecked.
    pub password: String,
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// What the user may do.
    pub role: Role,
    /// Whether the user must change the password before he does anything else.
    pub must_change: bool,
}

/// What shall be different about a user; `None` stays as it is.
#[derive(Debug, Default)]
pub struct UserPatch {
    /// The first name.
    pub first_name: Option<String>,
    /// The last name.
    pub last_name: Option<String>,
    /// What the user may do.
    pub role: Option<Role>,
    /// Whether the user is locked out.
    pub disabled: Option<bool>,
}

impl UserPatch {
    /// Whether only admins may change it.
    pub fn is_for_admins(&self) -> bool {
        self.role.is_some() || self.disabled.is_some()
    }
}

/// A user before and after a change.
pub struct Changed {
    /// As he was.
    pub before: User,
    /// As he is now.
    pub now: Arc<User>,
}

impl Changed {
    /// What the security log is to be told of it, each event with its detail.
    pub fn events(&self) -> impl Iterator<Item = (Event, String)> {
        let Self { before, now } = self;
        let role = (before.role != now.role)
            .then(|| (Event::RoleChanged, format!("from {} to {}", before.role, now.role)));
        let event = if now.disabled { Event::UserDisabled } else { Event::UserEnabled };
        let state = (before.disabled != now.disabled).then(|| (event, String::new()));
        role.into_iter().chain(state)
    }
}

/// The accounts of a service.
pub struct Accounts {
    /// Where they are.
    pub users: Arc<dyn UserStore>,
    /// Hashes their passwords.
    pub hasher: Hasher,
    /// What their passwords must keep to.
    pub password_rules: PasswordRules,
    /// Bounds how often those may be guessed, unless that is switched off.
    pub throttle: Option<Throttle>,
    /// Dates their changes.
    pub clock: Arc<dyn Clock>,
    /// Makes their ids.
    pub random: Arc<dyn Random>,
    /// Counts who has tried to log in, and what came of it.
    pub attempts: Attempts,
}

impl Accounts {
    /// Makes a user. 400 naming the rule that is broken, 409 when the address is taken.
    pub async fn create(&self, new: NewUser) -> Result<Arc<User>> {
        self.users.insert(self.prepare(new).await?).await
    }

    /// What [`Accounts::create`] does, but for storing the user.
    pub async fn prepare(&self, new: NewUser) -> Result<User> {
        let email = Email::new(&new.email)?;
        let password = self.password_rules.check(new.password, email.as_str())?;
        check_names(new.first_name.as_deref(), new.last_name.as_deref())?;
        // Asked here too, so that a duplicate does not cost a hash.
        if self.users.search(email.as_str()).await?.is_some() {
            return Err(Error::conflict(User::TAKEN));
        }
        let hash = self.hasher.hash(password).await?;
        let id = UserId::generate(self.random.as_ref())?;
        let mut user = User::new(id, email, hash, self.clock.now());
        (user.first_name, user.last_name, user.role) = (new.first_name, new.last_name, new.role);
        user.must_change = new.must_change;
        Ok(user)
    }

    /// At most `limit` users who have `part` in their e-mail address, whatever its case, in the order in
    /// which they were made, from after the user `after`; none when he is not there.
    pub async fn find(
        &self,
        part: &str,
        mut after: Option<UserId>,
        limit: usize,
    ) -> Result<Option<Vec<Arc<User>>>> {
        let part = part.to_lowercase();
        let mut found = Vec::new();
        loop {
            let at_once = if part.is_empty() { limit } else { LOOKED_THROUGH };
            let Some(users) = self.users.page(after, at_once).await? else { return Ok(None) };
            let (count, last) = (users.len(), users.last().map(|user| user.id));
            found.extend(
                users.into_iter().filter(|user| user.email.as_str().to_lowercase().contains(&part)),
            );
            if count < at_once || found.len() >= limit {
                found.truncate(limit);
                return Ok(Some(found));
            }
            after = last;
            // Others have their turn.
            tokio::task::yield_now().await;
        }
    }

    /// Changes a user, or tells that there is none. 400 naming the rule that is broken, 409 for
    /// the last enabled admin.
    pub async fn update(&self, id: UserId, patch: UserPatch) -> Result<Option<Changed>> {
        check_names(patch.first_name.as_deref(), patch.last_name.as_deref())?;
        let time = self.clock.now();
        let before = Arc::new(OnceLock::new());
        let seen = Arc::clone(&before);
        let now = self.change(id, move |user| {
            let _ = seen.set(user.clone());
            user.first_name = patch.first_name.or(user.first_name.take());
            user.last_name = patch.last_name.or(user.last_name.take());
            user.set_role(patch.role.unwrap_or(user.role), time);
            user.set_disabled(patch.disabled.unwrap_or(user.disabled));
            Ok(())
        });
        let now = now.await?;
        Ok(before.get().cloned().zip(now).map(|(before, now)| Changed { before, now }))
    }

    /// Hashes a new password of a user. 400 naming the rule that it breaks.
    pub async fn hash(&self, password: String, user: &User) -> Result<PasswordHash> {
        let password = self.password_rules.check(password, user.email.as_str())?;
        self.hasher.hash(password).await
    }

    /// Gives a user another password, which ends his sessions; or tells that there is none. If it
    /// is not his own choice, he `must_change` it.
    pub async fn set_password(
        &self,
        id: UserId,
        hash: PasswordHash,
        must_change: bool,
    ) -> Result<Option<Arc<User>>> {
        self.change(id, move |user| {
            user.set_password(hash, must_change);
            Ok(())
        })
        .await
    }

    /// Gives a user the password of his choice, which ends his sessions. 403 when he is not any
    /// more as he was when he proved who he is: of two changes at once, one wins.
    pub async fn change_password(&self, proved: &User, hash: PasswordHash) -> Result<Arc<User>> {
        let version = proved.credential_version;
        let change = move |user: &mut User| {
            if user.credential_version != version {
                return Err(Error::Forbidden);
            }
            user.set_password(hash, false);
            Ok(())
        };
        self.change(proved.id, change).await?.ok_or(Error::Forbidden)
    }

    async fn change(
        &self,
        id: UserId,
        change: impl FnOnce(&mut User) -> Result<()> + Send + 'static,
    ) -> Result<Option<Arc<User>>> {
        let clock = Arc::clone(&self.clock);
        let change = move |stored: &User| {
            let mut user = stored.clone();
            change(&mut user)?;
            user.updated_at = clock.now();
            Ok(user)
        };
        self.users.update(id, Box::new(change)).await
    }
}

fn check_names(first_name: Option<&str>, last_name: Option<&str>) -> Result<()> {
    first_name.map_or(Ok(()), |name| User::check_name("first_name", name))?;
    last_name.map_or(Ok(()), |name| User::check_name("last_name", name))
}
