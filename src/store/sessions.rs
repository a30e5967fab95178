//! What every store of sessions does, whatever it is built on.

use std::sync::Arc;

use async_trait::async_trait;

use super::change::Op;
use super::table::Record;
use super::{Records, SessionStore, answer};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::models::{Lifetimes, SessionHash, UserId, UserSession};

#[async_trait]
impl<S: Records<UserSession>> SessionStore for S {
    async fn insert(
        &self,
        session: UserSession,
        replaced: Option<SessionHash>,
    ) -> Result<Arc<UserSession>> {
        let session = Arc::new(session);
        let inserted = Arc::clone(&session);
        answer(self.submit(move |view| {
            if view.get(&session.hash).is_some() {
                return Err(Error::Conflict(UserSession::TAKEN.into()));
            }
            let ended = replaced.filter(|hash| view.get(hash).is_some()).map(Op::Remove);
            Ok((std::iter::once(Op::Put(session)).chain(ended).collect(), ()))
        }))
        .await?;
        Ok(inserted)
    }

    async fn get(&self, hash: &SessionHash) -> Result<Option<Arc<UserSession>>> {
        Ok(self.table().get(hash))
    }

    fn touch(&self, session: &UserSession, now: Timestamp) {
        if session.last_seen_at.advance(now) {
            let hash = session.hash;
            // Nobody waits: the time in memory counts, what is stored only follows.
            drop(
                self.submit(move |view| {
                    Ok((view.get(&hash).map(Op::Put).into_iter().collect(), ()))
                }),
            );
        }
    }

    async fn remove(&self, hash: &SessionHash) -> Result<bool> {
        let hash = *hash;
        answer(self.submit(move |view| match view.get(&hash) {
            Some(_) => Ok((vec![Op::Remove(hash)], true)),
            None => Ok((vec![], false)),
        }))
        .await
    }

    async fn remove_all(&self, user: UserId, except: Option<SessionHash>) -> Result<usize> {
        answer(self.submit(move |view| {
            let owned = view.owned_by(user).into_iter().map(|session| session.hash);
            let ops: Vec<_> = owned.filter(|hash| Some(*hash) != except).map(Op::Remove).collect();
            let count = ops.len();
            Ok((ops, count))
        }))
        .await
    }

    async fn remove_expired(
        &self,
        in_force: Lifetimes,
        now: Timestamp,
        limit: usize,
    ) -> Result<usize> {
        let expired = self.table().iter().filter(|session| session.is_expired(in_force, now));
        let hashes: Vec<SessionHash> = expired.take(limit).map(|session| session.hash).collect();
        if hashes.is_empty() {
            return Ok(0);
        }
        answer(self.submit(move |view| {
            let still =
                |hash: &SessionHash| view.get(hash).is_some_and(|s| s.is_expired(in_force, now));
            let ops: Vec<_> = hashes.into_iter().filter(still).map(Op::Remove).collect();
            let count = ops.len();
            Ok((ops, count))
        }))
        .await
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Arc<UserSession>>> {
        Ok(self.table().owned_by(user))
    }

    async fn count(&self) -> Result<usize> {
        Ok(self.table().count())
    }
}
