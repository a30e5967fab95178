use std::net::IpAddr;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use super::{SessionHash, Unknown, User, UserAgent, UserId, unknown, user::uuid_v4};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::random::Random;

/// How long a session lives; `None` is no such limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetime {
    /// From its creation (ASVS 7.3.2).
    pub absolute: Option<Duration>,
    /// From its last use (ASVS 7.3.1).
    pub idle: Option<Duration>,
}

/// The lifetimes that are in force: of plain sessions and of remembered ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lifetimes {
    /// Of a session that is not remembered.
    pub plain: Lifetime,
    /// Of one that is.
    pub remembered: Lifetime,
}

impl Lifetimes {
    /// That of a session.
    pub const fn of(&self, remembered: bool) -> Lifetime {
        if remembered { self.remembered } else { self.plain }
    }
}

/// Where a request comes from, as kept with a session.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Client {
    /// The peer's address.
    pub address: Option<IpAddr>,
    /// What the client says it is.
    pub user_agent: Option<UserAgent>,
}

impl Client {
    /// Takes an address and what [`UserAgent::new`] makes of a user agent.
    pub fn new(address: Option<IpAddr>, user_agent: Option<&str>) -> Self {
        Self { address, user_agent: user_agent.map(UserAgent::new) }
    }
}

/// One login of one user. Stored in `UserSession.json` in this very form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct UserSession {
    /// The hash of the session id; the id itself is kept nowhere.
    pub hash: SessionHash,
    /// The public handle, by which a session can be named without being usable.
    pub id: Uuid,
    /// Whose session it is.
    pub user_id: UserId,
    /// The user's credential version at login; the session works while the user still has it.
    pub credential_version: u64,
    /// When the login was.
    pub created_at: Timestamp,
    /// When its user last proved who he is, if that was after the login.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proved_at: Option<Timestamp>,
    /// When the session was last used.
    pub last_seen_at: LastSeen,
    /// When it ends whatever happens, if ever.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// After how many seconds without use it ends, if ever.
    #[serde(default)]
    pub idle_timeout: Option<u64>,
    /// Whether the user asked to be remembered.
    #[serde(default)]
    pub remembered: bool,
    /// From where the login came.
    #[serde(default)]
    pub client_address: Option<IpAddr>,
    /// With what the login came.
    #[serde(default)]
    pub user_agent: Option<UserAgent>,
    /// Members that this version does not know.
    #[serde(flatten, deserialize_with = "left_over")]
    pub unknown: Unknown,
}

/// The members of a [`UserSession`] as stored.
const MEMBERS: [&str; 12] = [
    "hash",
    "id",
    "user_id",
    "credential_version",
    "created_at",
    "proved_at",
    "last_seen_at",
    "expires_at",
    "idle_timeout",
    "remembered",
    "client_address",
    "user_agent",
];

fn left_over<'de, D: Deserializer<'de>>(record: D) -> Result<Unknown, D::Error> {
    unknown::read(record, &MEMBERS)
}

impl UserSession {
    /// A new session of `user`; 503 when there is no randomness.
    pub fn new(
        hash: SessionHash,
        user: &User,
        client: Client,
        lifetime: Lifetime,
        now: Timestamp,
        random: &dyn Random,
    ) -> Result<Self> {
        Ok(Self {
            hash,
            id: uuid_v4(random)?,
            user_id: user.id,
            credential_version: user.credential_version,
            created_at: now,
            proved_at: None,
            last_seen_at: LastSeen::at(now),
            expires_at: lifetime.absolute.map(|absolute| now.plus(absolute)),
            idle_timeout: lifetime.idle.map(|idle| idle.as_secs()),
            remembered: false,
            client_address: client.address,
            user_agent: client.user_agent,
            unknown: Unknown::new(),
        })
    }

    /// When its user last proved who he is (ASVS 7.5.3).
    pub fn authenticated_at(&self) -> Timestamp {
        self.proved_at.unwrap_or(self.created_at)
    }

    /// When it ends whatever happens, by its own limit or by that in force.
    pub fn ends_at(&self, in_force: Lifetimes) -> Option<Timestamp> {
        let absolute = in_force.of(self.remembered).absolute;
        earlier(self.expires_at, absolute.map(|absolute| self.created_at.plus(absolute)))
    }

    /// When it ends unless it is used, by its own limit or by that in force.
    pub fn idle_ends_at(&self, in_force: Lifetimes) -> Option<Timestamp> {
        let own = self.idle_timeout.map(Duration::from_secs);
        let idle = earlier(own, in_force.of(self.remembered).idle);
        idle.map(|idle| self.last_seen_at.get().plus(idle))
    }

    /// Whether its time is up at `now`; an instant that is the limit is over it.
    pub fn is_expired(&self, in_force: Lifetimes, now: Timestamp) -> bool {
        let over = |end: Option<Timestamp>| end.is_some_and(|end| now >= end);
        over(self.ends_at(in_force)) || over(self.idle_ends_at(in_force))
    }
}

/// The smaller of two limits, where there are any.
fn earlier<T: Ord>(a: Option<T>, b: Option<T>) -> Option<T> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// When a session was last used. It moves with every request, without a write: what is stored
/// follows at most once a minute.
#[derive(Debug)]
pub struct LastSeen {
    seen: AtomicI64,
    /// What is stored, or on its way there.
    stored: AtomicI64,
}

/// How far the stored time may lag behind.
const STORED_LAG: Duration = Duration::from_mins(1);

impl LastSeen {
    /// Last seen at `time`, which is stored.
    pub fn at(time: Timestamp) -> Self {
        let millis = time.as_millis();
        Self { seen: AtomicI64::new(millis), stored: AtomicI64::new(millis) }
    }

    /// When that was.
    pub fn get(&self) -> Timestamp {
        Timestamp::from_millis(self.seen.load(Ordering::Relaxed))
    }

    /// Seen at `now`; an earlier time changes nothing. True for the one caller in a minute who
    /// should have it stored.
    pub fn advance(&self, now: Timestamp) -> bool {
        if now > self.get() {
            self.seen.fetch_max(now.as_millis(), Ordering::Relaxed);
        }
        let stored = self.stored.load(Ordering::Relaxed);
        now.since(Timestamp::from_millis(stored)) >= STORED_LAG
            && self
                .stored
                .compare_exchange(stored, now.as_millis(), Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
    }
}

impl Clone for LastSeen {
    fn clone(&self) -> Self {
        Self::at(self.get())
    }
}

impl PartialEq for LastSeen {
    fn eq(&self, other: &Self) -> bool {
        self.get() == other.get()
    }
}

impl Serialize for LastSeen {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.get().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for LastSeen {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Timestamp::deserialize(deserializer).map(Self::at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{Email, PasswordHash};
    use crate::random::SystemRandom;

    const START: Timestamp = Timestamp::from_millis(1_000_000);
    const NO_LIMITS: Lifetimes = Lifetimes {
        plain: Lifetime { absolute: None, idle: None },
        remembered: Lifetime { absolute: None, idle: None },
    };

    fn session(absolute: Option<u64>, idle: Option<u64>) -> UserSession {
        let id = UserId::generate(&SystemRandom).unwrap();
        let email = Email::new("bob@example.com").unwrap();
        let user = User::new(id, email, PasswordHash::of_nobody(4), START);
        let lifetime = lifetime(absolute, idle);
        let hash = SessionHash::from_bytes([7; 32]);
        UserSession::new(hash, &user, Client::default(), lifetime, START, &SystemRandom).unwrap()
    }

    fn lifetime(absolute: Option<u64>, idle: Option<u64>) -> Lifetime {
        Lifetime {
            absolute: absolute.map(Duration::from_secs),
            idle: idle.map(Duration::from_secs),
        }
    }

    fn after(millis: u64) -> Timestamp {
        START.plus(Duration::from_millis(millis))
    }

    #[test]
    fn a_session_ends_at_its_limit_to_the_millisecond() {
        for session in [session(Some(10), None), session(None, Some(10))] {
            assert!(!session.is_expired(NO_LIMITS, after(9_999)));
            assert!(session.is_expired(NO_LIMITS, after(10_000)));
        }
        assert!(!session(None, None).is_expired(NO_LIMITS, Timestamp::from_millis(i64::MAX)));
    }

    #[test]
    fn use_moves_the_idle_limit_and_never_the_absolute_one() {
        let session = session(Some(20), Some(10));
        session.last_seen_at.advance(after(9_000));
        assert!(!session.is_expired(NO_LIMITS, after(18_999)));
        session.last_seen_at.advance(after(18_000));
        assert!(session.is_expired(NO_LIMITS, after(20_000)));
    }

    #[test]
    fn a_shorter_lifetime_in_force_counts_too() {
        let mut session = session(None, None);
        let expired = |session: &UserSession, plain, millis| {
            let in_force = Lifetimes { plain, remembered: lifetime(Some(9), None) };
            session.is_expired(in_force, after(millis))
        };
        assert!(!expired(&session, lifetime(Some(5), Some(3)), 2_999));
        assert!(expired(&session, lifetime(None, Some(3)), 3_000));
        assert!(expired(&session, lifetime(Some(5), None), 5_000));
        assert!(!expired(&session, lifetime(None, None), u64::MAX));
        session.remembered = true;
        assert!(!expired(&session, lifetime(Some(5), None), 8_999));
        assert!(expired(&session, lifetime(None, None), 9_000));
    }

    #[test]
    fn use_is_stored_once_a_minute_and_never_goes_back() {
        let seen = LastSeen::at(START);
        assert!(!seen.advance(after(59_999)));
        assert!(seen.advance(after(60_000)));
        assert!(!seen.advance(after(60_001)));
        assert!(!seen.advance(after(1)));
        assert_eq!(seen.get(), after(60_001));
    }

    #[test]
    fn the_members_are_those_that_are_written() {
        let mut session = session(None, None);
        session.proved_at = Some(START);
        unknown::tests::assert_members(&session, &MEMBERS);
    }
}
