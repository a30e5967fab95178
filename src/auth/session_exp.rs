//! Sessions that end by themselves.

use super::session::{REMEMBERED, SessionKind, Sessions};
use crate::models::{Lifetime, Lifetimes};

/// `AUTH_TYPE=session_exp_auth`: sessions in memory that end by themselves.
pub struct SessionExpAuth {
    /// Where the sessions are.
    pub sessions: Sessions,
    /// How long one lives that is not remembered.
    pub lifetime: Lifetime,
}

impl SessionKind for SessionExpAuth {
    fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    fn lifetimes(&self) -> Lifetimes {
        Lifetimes { plain: self.lifetime, remembered: REMEMBERED }
    }
}
