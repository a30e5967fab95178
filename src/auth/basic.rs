//! Basic authentication (RFC 7617).

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use async_trait::async_trait;
use dashmap::DashMap;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::accounts::Accounts;
use super::cookie::SessionCookie;
use super::{Auth, credentials};
use crate::clock::{Clock, Timestamp};
use crate::error::Result;
use crate::models::User;
use crate::random::{self, Random};
use crate::store::UserStore;

/// How long a verified credential is remembered.
const REMEMBERED: Duration = Duration::from_mins(1);
/// How many verified credentials are remembered at most.
const CAPACITY: usize = 10_000;

/// `AUTH_TYPE=basic_auth`: every request carries e-mail address and password (RFC 7617).
pub struct BasicAuth {
    accounts: Arc<Accounts>,
    users: Arc<dyn UserStore>,
    clock: Arc<dyn Clock>,
    cookie: SessionCookie,
    verified: VerifiedCredentials,
}

impl BasicAuth {
    /// The kind over these accounts; 503 when there is no randomness.
    pub fn new(accounts: Arc<Accounts>, cookie: SessionCookie) -> Result<Self> {
        let verified = VerifiedCredentials::new(accounts.random.as_ref())?;
        let (users, clock) = (Arc::clone(&accounts.users), Arc::clone(&accounts.clock));
        Ok(Self { accounts, users, clock, cookie, verified })
    }
}

#[async_trait(?Send)]
impl Auth for BasicAuth {
    fn cookie(&self) -> &SessionCookie {
        &self.cookie
    }

    fn challenge(&self) -> &'static str {
        r#"Basic realm="sessiond", charset="UTF-8""#
    }

    async fn current_user(&self, request: &HttpRequest) -> Result<Option<Arc<User>>> {
        let authorization = self.authorization_header(request)?;
        let token = authorization.and_then(|header| credentials::of_scheme(header, "Basic"));
        let Some(decoded) = token.and_then(credentials::decode_basic) else { return Ok(None) };
        let Some(sent) = credentials::split_basic(&decoded) else { return Ok(None) };
        let key = self.verified.key(&decoded);
        if let Some(known) = self.verified.get(&key, self.clock.now()) {
            // Any change of the record (password, role, disabled, anything) is another record.
            let current = self.users.get(known.id).await?;
            if current.is_some_and(|current| Arc::ptr_eq(&current, &known)) {
                return Ok(Some(known));
            }
            self.verified.forget(&key);
        }
        let user = self.accounts.log_in(&sent.email, sent.password).await?.ok();
        if let Some(user) = &user {
            self.verified.remember(key, user, self.clock.now());
        }
        Ok(user)
    }

    async fn sweep(&self) -> Result<()> {
        self.verified.purge(self.clock.now());
        Ok(())
    }
}

/// Credentials that were verified a moment ago, so that bcrypt need not run on every request.
///
/// They are known by their HMAC under a key that lives as long as the process: what is in memory
/// tells no password.
struct VerifiedCredentials {
    key: [u8; 32],
    known: DashMap<[u8; 32], (Arc<User>, Timestamp)>,
}

impl VerifiedCredentials {
    fn new(random: &dyn Random) -> Result<Self> {
        Ok(Self { key: random::bytes(random)?, known: DashMap::new() })
    }

    fn key(&self, credentials: &str) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length is a key");
        mac.update(credentials.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn get(&self, key: &[u8; 32], now: Timestamp) -> Option<Arc<User>> {
        let known = self.known.get(key)?;
        (now < known.1).then(|| Arc::clone(&known.0))
    }

    fn remember(&self, key: [u8; 32], user: &Arc<User>, now: Timestamp) {
        if self.known.len() >= CAPACITY {
            self.purge(now);
        }
        if self.known.len() < CAPACITY {
            self.known.insert(key, (Arc::clone(user), now.plus(REMEMBERED)));
        }
    }

    fn forget(&self, key: &[u8; 32]) {
        self.known.remove(key);
    }

    fn purge(&self, now: Timestamp) {
        self.known.retain(|_, (_, until)| now < *until);
    }
}
