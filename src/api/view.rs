//! What of a record is told. Never the record itself: nothing that is added to one leaves the
//! service unasked (ASVS 15.3.1).

use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;
use uuid::Uuid;

use crate::auth::session::is_fresh;
use crate::clock::Timestamp;
use crate::models::{Email, Lifetimes, Role, User, UserAgent, UserId, UserSession};
use crate::store::backup::Contents;
use crate::store::backups::Backup;

/// A user on the wire.
#[derive(Serialize)]
pub struct UserView<'u> {
    id: UserId,
    created_at: Timestamp,
    updated_at: Timestamp,
    email: &'u Email,
    first_name: Option<&'u str>,
    last_name: Option<&'u str>,
    role: Role,
    disabled: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    must_change: bool,
}

impl<'u> From<&'u User> for UserView<'u> {
    fn from(user: &'u User) -> Self {
        Self {
            id: user.id,
            created_at: user.created_at,
            updated_at: user.updated_at,
            email: &user.email,
            first_name: user.first_name.as_deref(),
            last_name: user.last_name.as_deref(),
            role: user.role,
            disabled: user.disabled,
            must_change: user.must_change,
        }
    }
}

/// A backup on the wire: its name, and not where on the machine it is.
#[derive(Serialize)]
pub struct BackupView<'b> {
    name: &'b str,
    created_at: Timestamp,
    bytes: u64,
    users: usize,
    sessions: usize,
}

impl<'b> From<&'b Backup> for BackupView<'b> {
    fn from(backup: &'b Backup) -> Self {
        let Contents { users, sessions, bytes } = backup.contents;
        Self { name: &backup.name, created_at: backup.created_at, bytes, users, sessions }
    }
}

/// A session on the wire: its public id, never the one that is of use.
#[derive(Serialize)]
pub struct SessionView<'s> {
    id: Uuid,
    created_at: Timestamp,
    last_seen_at: Timestamp,
    expires_at: Option<Timestamp>,
    idle_expires_at: Option<Timestamp>,
    remembered: bool,
    client_address: Option<IpAddr>,
    user_agent: Option<&'s str>,
    current: bool,
}

impl<'s> SessionView<'s> {
    /// The session under the lifetimes in force; `current` if it is the one that asks.
    pub fn new(session: &'s UserSession, in_force: Lifetimes, current: bool) -> Self {
        Self {
            id: session.id,
            created_at: session.created_at,
            last_seen_at: session.last_seen_at.get(),
            expires_at: session.ends_at(in_force),
            idle_expires_at: session.idle_ends_at(in_force),
            remembered: session.remembered,
            client_address: session.client_address,
            user_agent: session.user_agent.as_ref().map(UserAgent::as_str),
            current,
        }
    }
}

/// The session in use: what the list tells of it, whose it is, and how much of it is left.
#[derive(Serialize)]
pub struct CurrentSessionView<'s> {
    #[serde(flatten)]
    session: SessionView<'s>,
    /// Seconds.
    expires_in: Option<u64>,
    /// Seconds.
    idle_expires_in: Option<u64>,
    authenticated_at: Timestamp,
    authenticated_by: &'static str,
    fresh: bool,
    user: UserView<'s>,
}

impl<'s> CurrentSessionView<'s> {
    /// The session as it is `now`; a proof within `window` is fresh.
    pub fn new(
        session: &'s UserSession,
        user: &'s User,
        in_force: Lifetimes,
        window: Duration,
        now: Timestamp,
    ) -> Self {
        let left = |end: Option<Timestamp>| end.map(|end| end.since(now).as_secs());
        Self {
            session: SessionView::new(session, in_force, true),
            expires_in: left(session.ends_at(in_force)),
            idle_expires_in: left(session.idle_ends_at(in_force)),
            authenticated_at: session.authenticated_at(),
            authenticated_by: "password",
            fresh: is_fresh(session, user, window, now),
            user: UserView::from(user),
        }
    }
}
