//! Where users and sessions are kept: what a store promises, and the stores there are.
//!
//! - [`memory::MemoryTable`] keeps records until the process ends.
//! - [`json::JsonTable`] keeps them in readable files, durable at every answer.
//!
//! Both are [`Records`]: a table and a way to change it. What [`UserStore`] and [`SessionStore`]
//! promise is written once, for all of them (`users.rs`, `sessions.rs`).
//!
//! A store of your own implements one of the two traits; [`behaviour`] is the suite that holds it to
//! what the trait promises, and `app::Builder` puts it into a service.

pub mod backup;
pub mod backups;
pub mod behaviour;
mod change;
pub mod directory;
pub mod files;
#[cfg(any(fuzzing, test))]
pub mod fuzzing;
pub mod instruments;
mod journal;
pub mod json;
pub mod load;
pub mod memory;
mod record;
pub mod repair;
mod sessions;
mod snapshot;
mod table;
mod users;

use std::collections::HashSet;
use std::future::Ready;
use std::io;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::{BoxFuture, Either};

pub use change::{Op, Outcome, View};
pub use record::Record;
pub use snapshot::write as write_records;
pub use table::Table;

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::models::{Lifetimes, SessionHash, User, UserId, UserSession};

/// A function from a user as stored to the user as he shall be; its error refuses the change.
pub type UserChange = Box<dyn FnOnce(&User) -> Result<User> + Send>;

/// A function from a session as stored to the session as it shall be.
pub type SessionChange = Box<dyn FnOnce(&UserSession) -> UserSession + Send>;

/// What comes of a look-up, of which each request makes two: what is in memory is there at once, and
/// costs no allocation; a store that has to ask elsewhere answers with a boxed future.
pub type LookUp<'s, R> =
    Either<Ready<Result<Option<Arc<R>>>>, BoxFuture<'s, Result<Option<Arc<R>>>>>;

/// What gives way to a new session. By default nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Room {
    /// The session that the new one takes the place of.
    pub replaced: Option<SessionHash>,
    /// How many live sessions the user may have, the new one among them; the oldest go.
    pub at_most: Option<usize>,
    /// By which lifetimes others count as live.
    pub in_force: Lifetimes,
}

impl Room {
    /// Which of a user's `others`, without the one that is replaced, end as he gets a new session,
    /// so that he has no more than he may: those that are dead already do not count and go, then
    /// the oldest.
    pub fn displaced(self, others: Vec<Arc<UserSession>>, new: &UserSession) -> Vec<SessionHash> {
        let Some(at_most) = self.at_most else { return Vec::new() };
        let is_live = |other: &Arc<UserSession>| {
            other.credential_version == new.credential_version
                && !other.is_expired(self.in_force, new.created_at)
        };
        let (mut live, dead): (Vec<_>, Vec<_>) = others.into_iter().partition(is_live);
        live.sort_by_key(|session| session.created_at);
        let too_many = (live.len() + 1).saturating_sub(at_most);
        live.truncate(too_many);
        dead.into_iter().chain(live).map(|session| session.hash).collect()
    }
}

/// Keeps users. Every change is one step, and is there after a crash once it has been answered.
///
/// Any method fails with 503 when the store does not work; then nothing has changed. The reason
/// of a 409 is `TAKEN` or `LAST` of the [`Record`]. A store of your own can be held to all of this:
/// [`behaviour::USER_STORE`].
#[async_trait]
pub trait UserStore: Send + Sync {
    /// Adds a user; 409 when the id or the e-mail address is taken. Never overwrites.
    async fn insert(&self, user: User) -> Result<Arc<User>>;
    /// Adds all of them or none; 409 as for [`UserStore::insert`].
    async fn insert_all(&self, users: Vec<User>) -> Result<()>;
    /// Changes a user as one step, or tells that there is none. 409 when the new e-mail address
    /// is taken or the last enabled admin would be none any more; 500 for a change that panics.
    async fn update(&self, id: UserId, change: UserChange) -> Result<Option<Arc<User>>>;
    /// Removes a user; tells whether there was one. 409 for the last enabled admin.
    async fn remove(&self, id: UserId) -> Result<bool>;
    /// The user with this id.
    fn get(&self, id: UserId) -> LookUp<'_, User>;
    /// The user with this e-mail address, in any case.
    async fn search(&self, email: &str) -> Result<Option<Arc<User>>>;
    /// How many users there are.
    async fn count(&self) -> Result<usize>;
    /// All users in creation order.
    async fn all(&self) -> Result<Vec<Arc<User>>>;
    /// Up to `limit` users in creation order, the first of all or those after the user `after`;
    /// or tells that there is no such user.
    async fn page(&self, after: Option<UserId>, limit: usize) -> Result<Option<Vec<Arc<User>>>>;
}

/// Keeps sessions, by the hash of their ids only.
///
/// Any method fails with 503 when the store does not work; then nothing has changed. A store of your
/// own can be held to all of this: [`behaviour::SESSION_STORE`].
#[async_trait]
pub trait SessionStore: Send + Sync {
    /// Adds a session, and ends in the same step what gives way to it: the one that is replaced, and
    /// those that are [`Room::displaced`]. Never overwrites: 409 with [`Record::TAKEN`] when the
    /// hash is taken, as below.
    async fn insert(&self, session: UserSession, room: Room) -> Result<Arc<UserSession>>;
    /// Puts what `change` makes of a session in its place, under another hash perhaps, as one
    /// step; none when the session has ended. Never overwrites.
    async fn replace(
        &self,
        hash: &SessionHash,
        change: SessionChange,
    ) -> Result<Option<Arc<UserSession>>>;
    /// The session with this hash, whether or not its time is up.
    fn get(&self, hash: &SessionHash) -> LookUp<'_, UserSession>;
    /// Notes that a session is in use. Never creates one, never waits for a disk, and stores the
    /// time at most once a minute per session.
    fn touch(&self, session: &UserSession, now: Timestamp);
    /// Ends a session; tells whether this call was the one that did.
    async fn remove(&self, hash: &SessionHash) -> Result<bool>;
    /// Ends all sessions of a user but `except`, as one step; tells how many.
    async fn remove_all(&self, user: UserId, except: Option<SessionHash>) -> Result<usize>;
    /// Ends the sessions of all users but `kept`, and adds `sessions` in their place, as one step.
    async fn replace_all_but(
        &self,
        kept: HashSet<UserId>,
        sessions: Vec<UserSession>,
    ) -> Result<()>;
    /// Ends everybody's sessions, as one step; tells how many.
    async fn clear(&self) -> Result<usize>;
    /// Removes up to `limit` sessions whose time is up, by their own limits or by those in force;
    /// tells how many.
    async fn remove_expired(
        &self,
        in_force: Lifetimes,
        now: Timestamp,
        limit: usize,
    ) -> Result<usize>;
    /// The sessions of a user, oldest first.
    async fn of_user(&self, user: UserId) -> Result<Vec<Arc<UserSession>>>;
    /// How many sessions there are.
    async fn count(&self) -> Result<usize>;
}

/// A table and a way to change it: what a store is built on.
pub trait Records<R: Record>: Send + Sync {
    /// What is stored, for readers.
    fn table(&self) -> &Table<R>;

    /// Hands in a change. `decide` runs alone, sees every change before it, and tells what to do
    /// and what to answer; the answer comes when what was done is durable.
    fn submit<T, F>(&self, decide: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_, R>) -> Result<(Vec<Op<R>>, T)> + Send + 'static;
}

/// The answer to a change, or 503 when the store ended before there was one.
async fn answer<T>(outcome: Outcome<T>) -> Result<T> {
    outcome.await.unwrap_or_else(|_| Err(Error::Unavailable("the store has been closed".into())))
}

/// Why a data directory cannot be used. One line for the person who starts the service.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses it.
    #[error("{0}: in use by another sessiond process")]
    InUse(String),
    /// A file holds what this program would not have written; nothing has been changed.
    #[error("{file}: damaged: {what}")]
    Damaged {
        /// Which file.
        file: String,
        /// What is wrong with it, and where.
        what: String,
    },
    /// It cannot be read or written.
    #[error("{0}")]
    Unusable(String),
}

impl OpenError {
    fn damaged(file: &Path, what: String) -> Self {
        Self::Damaged { file: file.display().to_string(), what }
    }

    fn io(path: &Path, cause: &io::Error) -> Self {
        Self::Unusable(format!("{}: {cause}", path.display()))
    }
}
