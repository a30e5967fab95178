//! What the parts of the service are put together from.

use std::num::NonZeroU32;

use super::values::OriginList;
use super::{Config, FAST_COST, PublicUrl, SESSION_DURATION, SESSION_IDLE_TIMEOUT, cores};
use crate::auth::cookie::SessionCookie;
use crate::auth::guard::GuardRules;
use crate::auth::origins::Origins;
use crate::auth::redirects::{LoginUrl, Redirects};
use crate::models::{Lifetime, PasswordRules};

impl Config {
    /// The session cookie.
    pub fn cookie(&self) -> SessionCookie {
        let domain = self.cookie_domain.0.as_ref().map(|domain| domain.0.as_str());
        SessionCookie::new(&self.session_name, self.is_https(), domain)
    }

    /// The origin at which the service is reached, where it is set.
    pub fn origin(&self) -> Option<String> {
        self.public_url.0.as_ref().map(PublicUrl::origin)
    }

    /// What the guard goes by.
    pub fn guard_rules(&self) -> GuardRules {
        let OriginList { listed, any } = self.cors_origins.clone();
        let own = self.origin();
        GuardRules {
            invalid_status: self.invalid_status,
            origins: Origins { own, https: self.is_https(), listed, any },
            reauth_window: self.reauth_window,
        }
    }

    /// Where a login is, and to where it may lead back.
    pub fn redirects(&self) -> Redirects {
        let (set, listed) = (self.login_url.0.clone(), self.allowed_redirects.clone());
        let (login, allowed) = match &self.public_url.0 {
            Some(url) => (LoginUrl::at(&url.origin()), listed.and(url.host())),
            None => (LoginUrl::here(), listed),
        };
        Redirects { login: set.unwrap_or(login), allowed, https: self.is_https() }
    }

    /// How many mistakes a minute the throttle lets a person make; none when it is off.
    pub fn login_attempts(&self) -> Option<NonZeroU32> {
        self.login_throttle.then_some(self.login_attempts)
    }

    /// How many sessions a user may have.
    pub fn sessions_per_user(&self) -> usize {
        usize::try_from(self.sessions_per_user).unwrap_or(usize::MAX)
    }

    /// What new passwords must keep to.
    pub fn password_rules(&self) -> PasswordRules {
        let host = self.public_url.0.as_ref().map(PublicUrl::host);
        let context =
            host.into_iter().flat_map(|host| [host].into_iter().chain(host.split(['.', '-'])));
        let refused = self.password_blocklist.0.clone().unwrap_or_default();
        PasswordRules { context: context.map(str::to_owned).collect(), refused: refused.0 }
    }

    /// How long a session lives that is not remembered.
    pub fn lifetime(&self) -> Lifetime {
        Lifetime {
            absolute: self.session_duration.unwrap_or(SESSION_DURATION).limit(),
            idle: self.session_idle_timeout.unwrap_or(SESSION_IDLE_TIMEOUT).limit(),
        }
    }

    /// The cost of new password hashes.
    pub fn hash_cost(&self) -> u32 {
        if self.unsafe_fast_hash {
            FAST_COST
        } else {
            u32::try_from(self.bcrypt_cost).unwrap_or(15)
        }
    }

    /// Threads that hash, and passwords that may wait for them.
    pub fn hash_lanes(&self) -> (usize, usize) {
        let lanes = self.hash_lanes.0.map_or_else(|| (cores() / 2).max(1), |lanes| lanes.0.get());
        (lanes, usize::try_from(self.hash_queue).unwrap_or(usize::MAX))
    }

    /// Threads that answer requests.
    pub fn workers(&self) -> usize {
        self.workers.0.map_or_else(cores, |workers| workers.0.get())
    }
}
