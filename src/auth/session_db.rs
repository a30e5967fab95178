//! Sessions that survive a restart.

use super::session::{SessionKind, Sessions};
use super::session_exp::SessionExpAuth;
use crate::models::Lifetimes;

/// `AUTH_TYPE=session_db_auth`: sessions that end by themselves and survive a restart. It is
/// [`SessionExpAuth`] on a durable store.
pub struct SessionDBAuth(pub SessionExpAuth);

impl SessionKind for SessionDBAuth {
    fn sessions(&self) -> &Sessions {
        self.0.sessions()
    }

    fn lifetimes(&self) -> Lifetimes {
        self.0.lifetimes()
    }
}
