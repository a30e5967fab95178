//! What a store must know of a record, and the records there are.

use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::str::FromStr;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Timestamp;
use crate::error::Code;
use crate::models::{Email, SessionHash, User, UserId, UserSession};

/// A class of records: how they are named, found and kept consistent.
pub trait Record: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name of the class and of its files.
    const CLASS: &'static str;
    /// Told when a record's key or unique value belongs to another record.
    const TAKEN: (Code, &'static str);
    /// Told when a change would take the last vital record.
    const LAST: (Code, &'static str);
    /// What a record is found by; as bytes, each has one form.
    type Key: AsRef<[u8]>
        + Copy
        + Debug
        + Display
        + Eq
        + FromStr
        + Hash
        + Ord
        + Send
        + Serialize
        + Sync
        + DeserializeOwned;

    /// What this record is found by; it never changes.
    fn key(&self) -> &Self::Key;
    /// A value that no two records share.
    fn unique(&self) -> Option<String>;
    /// The user to whom this record belongs.
    fn owner(&self) -> Option<UserId>;
    /// Whether this is one of those records of which at least one must stay.
    fn is_vital(&self) -> bool;
    /// The newest time that stands in this record.
    fn newest_time(&self) -> Timestamp;
}

impl Record for User {
    const CLASS: &'static str = "User";
    const TAKEN: (Code, &'static str) = (Code::EmailTaken, "email is already taken");
    const LAST: (Code, &'static str) = (Code::LastAdmin, "this is the last enabled admin");
    type Key = UserId;

    fn key(&self) -> &UserId {
        &self.id
    }

    fn unique(&self) -> Option<String> {
        Some(Email::key(&self.email))
    }

    fn owner(&self) -> Option<UserId> {
        None
    }

    fn is_vital(&self) -> bool {
        self.is_enabled_admin()
    }

    fn newest_time(&self) -> Timestamp {
        self.created_at.max(self.updated_at)
    }
}

impl Record for UserSession {
    const CLASS: &'static str = "UserSession";
    const TAKEN: (Code, &'static str) = (Code::SessionTaken, "session exists already");
    const LAST: (Code, &'static str) = Self::TAKEN; // no session is vital
    type Key = SessionHash;

    fn key(&self) -> &SessionHash {
        &self.hash
    }

    fn unique(&self) -> Option<String> {
        None
    }

    fn owner(&self) -> Option<UserId> {
        Some(self.user_id)
    }

    fn is_vital(&self) -> bool {
        false
    }

    fn newest_time(&self) -> Timestamp {
        self.authenticated_at().max(self.last_seen_at.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::models::{Client, Lifetime, PasswordHash};
    use crate::random::SystemRandom;

    #[test]
    fn the_newest_time_of_a_session_is_that_of_its_last_use_or_proof() {
        let at = |millis| Timestamp::from_millis(millis);
        let id = UserId::generate(&SystemRandom).unwrap();
        let email = Email::new("bob@example.com").unwrap();
        let user = User::new(id, email, PasswordHash::of_nobody(4), at(1));
        let (hash, lifetime) = (SessionHash::from_bytes([7; 32]), Lifetime::default());
        let session =
            UserSession::new(hash, &user, Client::default(), lifetime, at(2), &SystemRandom);
        let mut session = session.unwrap();
        assert_eq!(session.newest_time(), at(2));
        session.last_seen_at.advance(at(3));
        assert_eq!(session.newest_time(), at(3));
        session.proved_at = Some(at(4));
        assert_eq!(session.newest_time(), at(4));
    }
}
