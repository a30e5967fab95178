//! A fresh proof of who is speaking, as what matters most needs it (ASVS 7.5.1, 7.5.3).

use std::sync::Arc;

use super::call::Call;
use crate::auth::accounts::{Attempt, Pathway};
use crate::auth::audit::Trace;
use crate::error::{Error, Result};
use crate::models::{Password, User};

impl Call {
    /// 403 "Fresh login required" unless the caller proved lately who he is, or `proof` is his
    /// current password. From here on the caller is as he is now.
    pub async fn must_be_fresh(&mut self, proof: Option<String>) -> Result<()> {
        let Some(user) = self.caller.user() else { return Ok(()) };
        if !self.is_fresh().await? {
            let password = proof.filter(|password| !password.is_empty());
            let password = password.ok_or(Error::FreshLoginRequired)?;
            self.prove(user, password, Pathway::CurrentPassword).await?;
        }
        self.again().await
    }

    /// Takes the password of the caller, who is `user`: what he does with this call is done with a
    /// fresh proof. 403 if it is not his password.
    pub async fn give_proof(&mut self, user: &User, password: String) -> Result<()> {
        let proved = self.prove(user, password, Pathway::Reauth).await?;
        // Of another password than he came in with, the session knows nothing.
        let as_he_came = self.caller.user().map(|user| user.credential_version);
        if as_he_came != Some(proved.credential_version) {
            return Err(self.rules.refusal());
        }
        self.note_proof();
        Ok(())
    }

    /// Whether nothing more has to be shown for what needs a fresh proof.
    pub async fn needs_no_proof(&self) -> Result<bool> {
        Ok(self.caller.user().is_none() || self.is_fresh().await?)
    }

    /// The user, if this is his password; 403 if not, 429 after too many wrong ones.
    pub(super) async fn prove(
        &self,
        user: &User,
        password: String,
        pathway: Pathway,
    ) -> Result<Arc<User>> {
        let session = self.session().await?.map(|session| session.id);
        let attempt = Attempt { pathway, trace: Trace::of(&self.request), session };
        let password = Password::sent(password);
        let proved = self.accounts.log_in(user.email.as_str(), password, &attempt).await?;
        proved.ok().filter(|proved| proved.id == user.id).ok_or(Error::WrongPassword)
    }

    async fn is_fresh(&self) -> Result<bool> {
        Ok(self.is_proved() || self.auth.is_fresh(&self.request, self.rules.reauth_window).await?)
    }
}
