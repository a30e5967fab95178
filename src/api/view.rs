//! What of a record is told. Never the record itself: nothing that is added to one leaves the
//! service unasked (ASVS 15.3.1).

use std::net::IpAddr;
use std::time::Duration;

use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::openapi::bodies;
use crate::auth::session::is_fresh;
use crate::clock::Timestamp;
use crate::models::{Email, Lifetimes, Role, User, UserAgent, UserId, UserSession};
use crate::store::backup::Contents;
use crate::store::backups::Backup;

/// A user on the wire.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
pub struct UserView<'u> {
    #[schema(value_type = Uuid, example = "6f0b3c2e-8a4d-4c11-9d25-0a7b6f1c2d3e")]
    id: UserId,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-01-02T03:04:05.678Z")]
    created_at: Timestamp,
    /// When it was last changed.
    #[schema(value_type = String, format = DateTime, example = "2026-01-02T03:04:05.678Z")]
    updated_at: Timestamp,
    #[schema(value_type = String, format = Email, max_length = 254, example = "bob@example.com")]
    email: &'u Email,
    #[schema(required = true, max_length = 256, example = "Bob")]
    first_name: Option<&'u str>,
    #[schema(required = true, max_length = 256, example = "Dylan")]
    last_name: Option<&'u str>,
    #[schema(value_type = bodies::Role)]
    role: Role,
    /// Whether he is locked out.
    #[schema(example = false)]
    disabled: bool,
    /// Whether he must change his password before anything else; not there if he need not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false, default = false)]
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
#[derive(Serialize, ToSchema)]
#[schema(as = Backup)]
pub struct BackupView<'b> {
    /// The name of its folder.
    #[schema(example = "2026-01-02T03-04-05.678Z")]
    name: &'b str,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-01-02T03:04:05.678Z")]
    created_at: Timestamp,
    /// How large it is.
    #[schema(example = 8123)]
    bytes: u64,
    /// How many users are in it.
    #[schema(example = 3)]
    users: usize,
    /// How many sessions are in it.
    #[schema(example = 5)]
    sessions: usize,
}

impl<'b> From<&'b Backup> for BackupView<'b> {
    fn from(backup: &'b Backup) -> Self {
        let Contents { users, sessions, bytes } = backup.contents;
        Self { name: &backup.name, created_at: backup.created_at, bytes, users, sessions }
    }
}

/// A session on the wire: its public id, never the one that is of use.
#[derive(Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView<'s> {
    /// The public id, by which the session can be ended and nothing else.
    #[schema(value_type = Uuid, example = "0d9e1f57-3b6c-4f0a-8e21-5c4d7a9b1e60")]
    id: Uuid,
    /// When it was made.
    #[schema(value_type = String, format = DateTime, example = "2026-01-02T03:04:05.678Z")]
    created_at: Timestamp,
    /// When it was last used.
    #[schema(value_type = String, format = DateTime, example = "2026-01-02T03:04:05.678Z")]
    last_seen_at: Timestamp,
    /// When it ends whatever happens; null: never.
    #[schema(value_type = Option<String>, format = DateTime, required = true, example = "2026-01-02T03:04:05.678Z")]
    expires_at: Option<Timestamp>,
    /// When it ends unless it is used; null: never.
    #[schema(value_type = Option<String>, format = DateTime, required = true, example = "2026-01-02T03:04:05.678Z")]
    idle_expires_at: Option<Timestamp>,
    /// Whether its user asked to stay logged in for longer.
    remembered: bool,
    /// From where the login came.
    #[schema(value_type = Option<String>, required = true, example = "192.0.2.7")]
    client_address: Option<IpAddr>,
    /// With what the login came.
    #[schema(required = true, example = "curl/8.5.0")]
    user_agent: Option<&'s str>,
    /// Whether it is the one in use.
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
#[derive(Serialize, ToSchema)]
#[schema(as = CurrentSession)]
pub struct CurrentSessionView<'s> {
    #[serde(flatten)]
    session: SessionView<'s>,
    /// Seconds until it ends whatever happens; null: never.
    #[schema(required = true, example = 86_399)]
    expires_in: Option<u64>,
    /// Seconds until it ends unless it is used; null: never.
    #[schema(required = true, example = 3_600)]
    idle_expires_in: Option<u64>,
    /// When its user last proved who he is.
    #[schema(value_type = String, format = DateTime, example = "2026-01-02T03:04:05.678Z")]
    authenticated_at: Timestamp,
    /// What was shown at the last proof.
    #[schema(pattern = "^password$", example = "password")]
    authenticated_by: &'static str,
    /// Whether the last proof is within `REAUTH_WINDOW`.
    fresh: bool,
    /// Whose it is.
    #[schema(value_type = UserView<'static>)]
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
