//! What needs a fresh proof of who is speaking (ASVS 7.5.3). Where there is none, the password is asked for
//! and then it is done.

use actix_web::HttpResponse;
use serde::{Deserialize, Serialize};

use super::answer::{see_other, see_other_with};
use super::login::forget_session;
use super::view::Notice;
use super::visit::Visit;
use super::{confirm, words};
use crate::acts::Which;
use crate::auth::NewSession;
use crate::auth::accounts::UserPatch;
use crate::error::{Error, Result};
use crate::models::{Role, UserId};

/// Something that was asked for.
#[derive(Clone, Serialize, Deserialize)]
pub enum Step {
    /// To end all sessions of whoever asks, but for the one that asks.
    EndOtherSessions,
    /// To end all sessions of a user.
    EndSessions(UserId),
    /// To give a user another role.
    SetRole(UserId, Role),
    /// To see the form on which a user is given another password.
    OpenPasswordForm(UserId),
}

/// A step that was taken.
struct Taken {
    notice: Option<Notice>,
    to: String,
    session: Option<NewSession>,
    /// Whether the session that asks has ended with it.
    ended: bool,
}

impl Step {
    /// What it is to do, after "to".
    pub fn in_words(&self) -> &'static str {
        match self {
            Self::EndOtherSessions => "end all other sessions",
            Self::EndSessions(_) => "end all sessions of this user",
            Self::SetRole(..) => "change the role of this user",
            Self::OpenPasswordForm(_) => "set a password for this user",
        }
    }

    /// The page on which it was asked for.
    pub fn origin(&self) -> String {
        match self {
            Self::EndOtherSessions => "/account".into(),
            Self::EndSessions(id) | Self::SetRole(id, _) | Self::OpenPasswordForm(id) => {
                format!("/admin/users/{id}")
            }
        }
    }

    /// Takes it; or keeps it, and asks for the password.
    pub async fn take(self, visit: &mut Visit) -> Result<HttpResponse> {
        match self.carry_out(visit).await {
            Ok(mut taken) => {
                if let Some(notice) = &taken.notice {
                    visit.state.tell(notice);
                }
                if visit.call.is_proved() && !taken.ended && taken.session.is_none() {
                    taken.session = visit.call.renewed().await;
                }
                let auth = visit.call.auth.as_ref();
                let mut answer = see_other_with(auth, taken.session.as_ref(), &taken.to);
                if taken.ended {
                    forget_session(auth, &mut answer);
                }
                Ok(answer)
            }
            Err(Error::FreshLoginRequired) => {
                visit.state.begin(self, visit.user()?.id, visit.now());
                Ok(see_other(confirm::PATH))
            }
            Err(error @ Error::Conflict(_)) => {
                visit.state.tell(&Notice::bad(words::of(&error)));
                let session =
                    if visit.call.is_proved() { visit.call.renewed().await } else { None };
                Ok(see_other_with(visit.call.auth.as_ref(), session.as_ref(), &self.origin()))
            }
            Err(error) => Err(error),
        }
    }

    async fn carry_out(&self, visit: &mut Visit) -> Result<Taken> {
        let call = &mut visit.call;
        let (mut session, mut ended, mut to) = (None, false, self.origin());
        let told = match self {
            Self::EndOtherSessions => {
                let user = call.subject("me").await?;
                call.end_sessions(&user, Which::AllOthers, None).await?;
                Some("All other sessions have ended.".to_owned())
            }
            Self::EndSessions(id) => {
                let user = call.subject(&id.to_string()).await?;
                ended = call.end_sessions(&user, Which::All, None).await?;
                Some(format!("All sessions of {} have ended.", user.email.as_str()))
            }
            Self::SetRole(id, role) => {
                let patch = UserPatch { role: Some(*role), ..UserPatch::default() };
                let (user, renewed) = call.update_user(*id, patch, None).await?;
                session = renewed;
                // To whom the administration is closed now.
                if call.is_himself(*id) && *role != Role::Admin {
                    to = "/account".into();
                }
                Some(format!("{} is {} now.", user.email.as_str(), words::role(*role)))
            }
            Self::OpenPasswordForm(id) => {
                call.must_be_fresh(None).await?;
                call.caller.must_be_admin()?;
                to = format!("/admin/users/{id}/password");
                None
            }
        };
        Ok(Taken { notice: told.map(Notice::good), to, session, ended })
    }
}
