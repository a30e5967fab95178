use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use bytes::Bytes;
use serde::{Deserialize, Deserializer, Serialize};
use uuid::Uuid;

use super::{Email, PasswordHash, Told, Unknown, unknown};
use crate::clock::Timestamp;
use crate::error::{Code, Error, Result};
use crate::random::{self, Random};

/// The most characters of a first or last name.
const MAX_NAME_CHARACTERS: usize = 256;

/// Who a user is, for ever: a random UUID that is never used again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UserId(Uuid);

impl UserId {
    /// A new id; 503 when there is no randomness.
    pub fn generate(random: &dyn Random) -> Result<Self> {
        Ok(Self(uuid_v4(random)?))
    }
}

impl AsRef<[u8]> for UserId {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// A random UUID (RFC 9562, version 4).
pub(super) fn uuid_v4(random: &dyn Random) -> Result<Uuid> {
    Ok(uuid::Builder::from_random_bytes(random::bytes(random)?).into_uuid())
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl FromStr for UserId {
    type Err = String;

    /// Reads the one spelling that this service writes: lower case, with hyphens.
    fn from_str(text: &str) -> Result<Self, String> {
        let id = Uuid::try_parse(text).ok().map(Self);
        id.filter(|id| id.to_string() == text).ok_or_else(|| format!("'{text}' is not a user id"))
    }
}

/// What a user may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Anything with anybody.
    Admin,
    /// Read, change and delete himself.
    #[default]
    User,
}

impl FromStr for Role {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "admin" => Ok(Self::Admin),
            "user" => Ok(Self::User),
            _ => Err(Error::bad(Code::InvalidValue, "role must be \"admin\" or \"user\"")),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Admin => "admin",
            Self::User => "user",
        })
    }
}

/// Somebody who can log in. Stored in `User.json` in this very form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct User {
    /// Never changes.
    pub id: UserId,
    /// Unique, compared without case.
    pub email: Email,
    /// Never leaves the service but by `export`.
    pub password_hash: PasswordHash,
    /// At most 256 characters.
    #[serde(default)]
    pub first_name: Option<String>,
    /// At most 256 characters.
    #[serde(default)]
    pub last_name: Option<String>,
    /// What this user may do.
    #[serde(default)]
    pub role: Role,
    /// A disabled user cannot log in, and none of his sessions works.
    #[serde(default)]
    pub disabled: bool,
    /// Whether this user must change his password before he does anything else.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must_change: bool,
    /// Since when the role is what it is, if it has changed: a proof from before is not fresh.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role_since: Option<Timestamp>,
    /// Changes with what ends all sessions at once: a session made under another one is ended.
    #[serde(default)]
    pub credential_version: u64,
    /// When this user was made.
    pub created_at: Timestamp,
    /// When this record last changed.
    pub updated_at: Timestamp,
    /// Members that this version does not know.
    #[serde(flatten, deserialize_with = "left_over")]
    pub unknown: Unknown,
    /// What is told of this user, which is not stored.
    #[serde(skip)]
    pub told: Told,
}

/// The members of a [`User`] as stored.
const MEMBERS: [&str; 12] = [
    "id",
    "email",
    "password_hash",
    "first_name",
    "last_name",
    "role",
    "disabled",
    "must_change",
    "role_since",
    "credential_version",
    "created_at",
    "updated_at",
];

fn left_over<'de, D: Deserializer<'de>>(record: D) -> Result<Unknown, D::Error> {
    unknown::read(record, &MEMBERS)
}

impl User {
    /// A new user with the lowest role.
    pub fn new(id: UserId, email: Email, password_hash: PasswordHash, now: Timestamp) -> Self {
        Self {
            id,
            email,
            password_hash,
            first_name: None,
            last_name: None,
            role: Role::User,
            disabled: false,
            must_change: false,
            role_since: None,
            credential_version: 0,
            created_at: now,
            updated_at: now,
            unknown: Unknown::new(),
            told: Told::default(),
        }
    }

    /// "first last", else the one there is, else the e-mail address.
    pub fn display_name(&self) -> String {
        let names = [self.first_name.as_deref(), self.last_name.as_deref()];
        let names: Vec<&str> = names.into_iter().flatten().filter(|n| !n.is_empty()).collect();
        if names.is_empty() { self.email.to_string() } else { names.join(" ") }
    }

    /// What is told of this user; put into bytes by `tell` when that is asked for the first time.
    pub fn told(self: &Arc<Self>, tell: impl FnOnce() -> Vec<u8>) -> Bytes {
        self.told.once(tell)
    }

    /// Whether this user keeps the service administrable.
    pub fn is_enabled_admin(&self) -> bool {
        self.role == Role::Admin && !self.disabled
    }

    /// Takes another password, which ends all sessions; `must_change` if it is not his own choice.
    pub fn set_password(&mut self, hash: PasswordHash, must_change: bool) {
        self.password_hash = hash;
        self.must_change = must_change;
        self.credential_version = self.credential_version.wrapping_add(1);
    }

    /// Takes another role, which counts from the next request on.
    pub fn set_role(&mut self, role: Role, now: Timestamp) {
        if self.role != role {
            self.role = role;
            self.role_since = Some(now);
        }
    }

    /// Disables or enables; a change ends all sessions, so that none comes back later.
    pub fn set_disabled(&mut self, disabled: bool) {
        if self.disabled != disabled {
            self.disabled = disabled;
            self.credential_version = self.credential_version.wrapping_add(1);
        }
    }

    /// Checks a name; 400 naming the rule that it breaks.
    pub fn check_name(member: &str, name: &str) -> Result<()> {
        if name.chars().count() > MAX_NAME_CHARACTERS {
            return Err(Error::bad(
                Code::InvalidValue,
                format!("{member} must have at most 256 characters"),
            ));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    fn user(first: Option<&str>, last: Option<&str>) -> User {
        let id = UserId::generate(&SystemRandom).unwrap();
        let email = Email::new("bob@example.com").unwrap();
        let mut user = User::new(id, email, PasswordHash::of_nobody(4), Timestamp::from_millis(0));
        user.first_name = first.map(str::to_owned);
        user.last_name = last.map(str::to_owned);
        user
    }

    #[test]
    fn the_display_name_is_made_of_what_there_is() {
        assert_eq!(user(Some("Bob"), Some("Dylan")).display_name(), "Bob Dylan");
        assert_eq!(user(Some("Bob"), None).display_name(), "Bob");
        assert_eq!(user(Some(""), Some("Dylan")).display_name(), "Dylan");
        assert_eq!(user(None, Some("")).display_name(), "bob@example.com");
    }

    #[test]
    fn an_id_has_one_spelling() {
        let id = UserId::generate(&SystemRandom).unwrap();
        assert_eq!(id.to_string().parse(), Ok(id));
        for other in
            [id.to_string().to_uppercase(), id.to_string().replace('-', ""), format!("{{{id}}}")]
        {
            assert!(other.parse::<UserId>().is_err(), "{other}");
        }
    }

    #[test]
    fn disabling_ends_sessions_and_enabling_does_not_bring_them_back() {
        let mut user = user(None, None);
        user.set_disabled(true);
        let disabled = user.credential_version;
        user.set_disabled(true);
        assert_eq!(user.credential_version, disabled);
        user.set_disabled(false);
        assert_eq!((disabled, user.credential_version), (1, 2));
    }

    #[test]
    fn the_members_are_those_that_are_written() {
        let mut user = user(None, None);
        user.must_change = true;
        user.set_role(Role::Admin, user.created_at);
        unknown::tests::assert_members(&user, &MEMBERS);
    }

    #[test]
    fn members_of_a_later_version_survive() {
        let mut stored = serde_json::to_value(user(None, None)).unwrap();
        stored["phone"] = "123".into();
        let read: User = serde_json::from_value(stored.clone()).unwrap();
        assert_eq!(serde_json::to_value(read).unwrap(), stored);
    }
}
