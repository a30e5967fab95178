//! No authentication at all.

use super::Auth;
use super::cookie::SessionCookie;

/// `AUTH_TYPE=none`: no gate. Everybody may do everything; for a laptop without visitors.
#[derive(Default)]
pub struct NoAuth {
    /// The cookie that this service would use.
    pub cookie: SessionCookie,
}

impl Auth for NoAuth {
    fn cookie(&self) -> &SessionCookie {
        &self.cookie
    }

    fn has_roles(&self) -> bool {
        false
    }

    fn require_auth(&self, _path: &str, _open_paths: &[&str]) -> bool {
        false
    }
}
