//! The gate that knows nobody.

use super::Auth;
use super::cookie::SessionCookie;

/// `AUTH_TYPE=auth`: the gate alone. It knows nobody, so only open paths answer.
#[derive(Default)]
pub struct BaseAuth {
    /// The cookie that counts as a credential.
    pub cookie: SessionCookie,
}

impl Auth for BaseAuth {
    fn cookie(&self) -> &SessionCookie {
        &self.cookie
    }
}
