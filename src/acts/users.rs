//! Users: made, changed and removed.

use std::sync::Arc;

use super::call::Call;
use crate::auth::NewSession;
use crate::auth::accounts::{NewUser, UserPatch};
use crate::auth::audit::Event;
use crate::error::{Error, Result};
use crate::models::{User, UserId};

impl Call {
    /// Makes a user, as an admin. 400 naming the rule that is broken, 409 when the address is taken.
    pub async fn create_user(&mut self, new: NewUser) -> Result<Arc<User>> {
        let detail = format!("role {}", new.role);
        let user = self.accounts.prepare(new).await?;
        // Hashing took a while; what counts is what the caller may do now.
        self.again().await?;
        self.caller.must_be_admin()?;
        let by = self.acting().await?;
        let user = self.accounts.users.insert(user).await?;
        self.record(Event::UserCreated, Some(user.id), by.detail(detail));
        Ok(user)
    }

    /// Changes a user: himself, but for what is for admins. Another role needs a fresh proof, and
    /// gives the session that asks a new id.
    pub async fn update_user(
        &mut self,
        id: UserId,
        mut patch: UserPatch,
        proof: Option<String>,
    ) -> Result<(Arc<User>, Option<NewSession>)> {
        // A body takes its time; what counts is who is speaking now.
        self.again().await?;
        self.caller.may_touch(Some(id))?;
        if patch.is_for_admins() {
            self.caller.must_be_admin()?;
        }
        let user = self.accounts.users.get(id).await?.ok_or_else(Error::not_found)?;
        patch.role = patch.role.filter(|role| *role != user.role);
        if patch.role.is_some() {
            self.must_be_fresh(proof).await?;
            self.caller.must_be_admin()?;
        }
        let (another_role, locked_out) = (patch.role.is_some(), patch.disabled == Some(true));
        let by = self.acting().await?;
        let changed = self.accounts.update(id, patch).await?.ok_or_else(Error::not_found)?;
        for (event, detail) in changed.events() {
            self.record(event, Some(id), by.clone().detail(detail));
        }
        if locked_out {
            self.forget_sessions(id, None).await;
        }
        let renewed = if another_role { self.renewed().await } else { None };
        Ok((changed.now, renewed))
    }

    /// Removes a user: himself, or as an admin anybody. Needs a fresh proof.
    pub async fn delete_user(&mut self, id: UserId, proof: Option<String>) -> Result<()> {
        self.must_be_fresh(proof).await?;
        self.caller.may_touch(Some(id))?;
        let by = self.acting().await?;
        if !self.accounts.users.remove(id).await? {
            return Err(Error::not_found());
        }
        self.record(Event::UserDeleted, Some(id), by);
        self.forget_sessions(id, None).await;
        Ok(())
    }
}
