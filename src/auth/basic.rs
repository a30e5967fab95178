//! Basic authentication (RFC 7617).

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use async_trait::async_trait;
use dashmap::DashMap;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use tokio::sync::Mutex;

use super::accounts::{Accounts, Attempt, Pathway};
use super::audit::{self, About, Event, Trace};
use super::cookie::SessionCookie;
use super::turns::Turns;
use super::{Auth, credentials};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::models::User;
use crate::random::{self, Random};

/// How long a verified credential is remembered.
const REMEMBERED_FOR: Duration = Duration::from_mins(1);
/// How many verified credentials are remembered at most.
const CAPACITY: usize = 10_000;

/// `AUTH_TYPE=basic_auth`: every request carries e-mail address and password (RFC 7617).
pub struct BasicAuth {
    accounts: Arc<Accounts>,
    cookie: SessionCookie,
    verified: VerifiedCredentials,
}

impl BasicAuth {
    /// The kind over these accounts; 503 when there is no randomness.
    pub fn new(accounts: Arc<Accounts>, cookie: SessionCookie) -> Result<Self> {
        let verified = VerifiedCredentials::new(accounts.random.as_ref())?;
        Ok(Self { accounts, cookie, verified })
    }

    fn now(&self) -> Timestamp {
        self.accounts.clock.now()
    }

    /// The user of a credential that was verified a moment ago, if he is still the same: any
    /// change of the record (password, role, disabled, anything) makes it another one.
    async fn remembered(&self, key: &Key) -> Result<Option<Arc<User>>> {
        let Some(known) = self.verified.get(key, self.now()) else { return Ok(None) };
        let current = self.accounts.users.get(known.id).await?;
        Ok(current.filter(|current| Arc::ptr_eq(current, &known)))
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
        self.session_cookie(request)?; // which does not count here, and must not be malformed
        let authorization = self.authorization_header(request)?;
        let token = authorization.and_then(|header| credentials::of_scheme(header, "Basic"));
        let Some(token) = token else { return Ok(None) };
        let decoded = credentials::decode_basic(token);
        let key = decoded.as_ref().map(|decoded| self.verified.key(decoded));
        if let Some(key) = &key
            && let Some(user) = self.remembered(key).await?
        {
            return Ok(Some(user));
        }
        let sent = decoded.as_ref().and_then(|decoded| credentials::split_basic(decoded));
        let Some((key, sent)) = key.zip(sent) else {
            let about = About::refused(request, "malformed Basic credentials");
            audit::record(Event::InputRefused, &Trace::of(request), &about);
            return Ok(None);
        };
        // Many requests at once with one new credential do not all hash it: they wait for each
        // other, and share what came of a verification that began after they did.
        let (turn, arrived) = (self.verified.turns.of(key, Mutex::default), self.now());
        let mut refused = turn.lock().await;
        if refused.is_some_and(|began| arrived < began) {
            return Ok(None);
        }
        if let Some(user) = self.remembered(&key).await? {
            return Ok(Some(user));
        }
        let began = self.now();
        let (pathway, trace) = (Pathway::Basic, Trace::of(request));
        let attempt = Attempt { pathway, trace, session: None };
        let user = self.accounts.log_in(&sent.email, sent.password, &attempt).await?.ok();
        match &user {
            Some(user) => self.verified.remember(key, user, self.now()),
            None => *refused = Some(began),
        }
        Ok(user)
    }

    /// Each request brings the password along.
    async fn is_fresh(&self, request: &HttpRequest, _window: Duration) -> Result<bool> {
        Ok(self.current_user(request).await?.is_some())
    }

    async fn sweep(&self) -> Result<()> {
        self.verified.purge(self.now());
        Ok(())
    }
}

/// Credentials that were verified a moment ago, so that bcrypt need not run on every request.
///
/// They are known by their HMAC under a key that lives as long as the process: what is in memory
/// tells no password.
struct VerifiedCredentials {
    /// Has taken the key in already, which is half of the work.
    keyed: Hmac<Sha256>,
    known: DashMap<Key, (Arc<User>, Timestamp)>,
    /// Held by the request that verifies a credential; tells the others when the last verification
    /// began that refused it.
    turns: Turns<Key, Mutex<Option<Timestamp>>>,
}

/// The HMAC of an e-mail address and a password.
type Key = [u8; 32];

impl VerifiedCredentials {
    fn new(random: &dyn Random) -> Result<Self> {
        let key: [u8; 32] = random::bytes(random)?;
        let keyed = Hmac::new_from_slice(&key).expect("any length is a key");
        Ok(Self { keyed, known: DashMap::new(), turns: Turns::new() })
    }

    fn key(&self, credentials: &str) -> Key {
        let mut mac = self.keyed.clone();
        mac.update(credentials.as_bytes());
        mac.finalize().into_bytes().into()
    }

    fn get(&self, key: &Key, now: Timestamp) -> Option<Arc<User>> {
        let known = self.known.get(key)?;
        (now < known.1).then(|| Arc::clone(&known.0))
    }

    fn remember(&self, key: Key, user: &Arc<User>, now: Timestamp) {
        if self.known.len() >= CAPACITY {
            self.purge(now);
        }
        if self.known.len() < CAPACITY {
            self.known.insert(key, (Arc::clone(user), now.plus(REMEMBERED_FOR)));
        }
    }

    fn purge(&self, now: Timestamp) {
        self.known.retain(|_, (_, until)| now < *until);
        self.turns.purge();
    }
}
