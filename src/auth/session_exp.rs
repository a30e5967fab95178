//! Sessions that end by themselves.

use super::session::{REMEMBERED, SessionKind, Sessions};
use crate::models::{Lifetime, Lifetimes};

/// `AUTH_TYPE=session_exp_auth`: sessions in memory that end by themselves.
pub struct SessionExpAuth(Sessions);

impl SessionExpAuth {
    /// The kind over these sessions, of which one that is not remembered lives as long as `plain`.
    pub fn new(sessions: Sessions, plain: Lifetime) -> Self {
        let lifetimes = Lifetimes { plain, remembered: REMEMBERED };
        Self(Sessions { lifetimes, ..sessions })
    }
}

impl SessionKind for SessionExpAuth {
    fn kept(&self) -> &Sessions {
        &self.0
    }
}
