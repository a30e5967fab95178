//! Sessions that survive a restart.

use super::session::{SessionKind, Sessions};
use super::session_exp::SessionExpAuth;

/// `AUTH_TYPE=session_db_auth`: sessions that end by themselves and survive a restart. It is
/// [`SessionExpAuth`] on a durable store.
pub struct SessionDBAuth(pub SessionExpAuth);

impl SessionKind for SessionDBAuth {
    fn kept(&self) -> &Sessions {
        self.0.kept()
    }
}
