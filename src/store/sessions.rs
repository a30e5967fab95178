//! What every store of sessions does, whatever it is built on.

use std::collections::HashSet;
use std::future::ready;
use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::Either;

use super::change::Op;
use super::record::Record;
use super::{LookUp, Records, Room, SessionChange, SessionStore, answer};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::models::{Lifetimes, SessionHash, UserId, UserSession};

#[async_trait]
impl<S: Records<UserSession>> SessionStore for S {
    async fn insert(&self, session: UserSession, room: Room) -> Result<Arc<UserSession>> {
        let session = Arc::new(session);
        let inserted = Arc::clone(&session);
        answer(self.submit(move |view| {
            refuse_known(view.get(&session.hash).is_some())?;
            let replaced = room.replaced.filter(|hash| view.get(hash).is_some());
            let owned = view.owned_by(session.user_id);
            let others = owned.into_iter().filter(|other| Some(other.hash) != replaced).collect();
            let ended = replaced.into_iter().chain(room.displaced(others, &session));
            let ended = ended.map(Op::Remove).collect::<Vec<_>>();
            Ok((std::iter::once(Op::Put(session)).chain(ended).collect(), ()))
        }))
        .await?;
        Ok(inserted)
    }

    async fn replace(
        &self,
        hash: &SessionHash,
        change: SessionChange,
    ) -> Result<Option<Arc<UserSession>>> {
        let hash = *hash;
        answer(self.submit(move |view| {
            let Some(stored) = view.get(&hash) else {
                return Ok((vec![], None));
            };
            let changed = Arc::new(change(&stored));
            let mut ops = vec![Op::Put(Arc::clone(&changed))];
            if changed.hash != hash {
                refuse_known(view.get(&changed.hash).is_some())?;
                ops.push(Op::Remove(hash));
            }
            Ok((ops, Some(changed)))
        }))
        .await
    }

    fn get(&self, hash: &SessionHash) -> LookUp<'_, UserSession> {
        Either::Left(ready(Ok(self.table().get(hash))))
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

    async fn replace_all_but(
        &self,
        kept: HashSet<UserId>,
        sessions: Vec<UserSession>,
    ) -> Result<()> {
        answer(self.submit(move |view| {
            let stored = view.keys().into_iter().filter_map(|hash| view.get(&hash));
            let (kept, ended): (Vec<_>, Vec<_>) =
                stored.partition(|session| kept.contains(&session.user_id));
            let mut taken: HashSet<_> = kept.iter().map(|session| session.hash).collect();
            refuse_known(sessions.iter().any(|session| !taken.insert(session.hash)))?;
            // What is put anew is not removed first: replaying that would move it to the end.
            let ended = ended.into_iter().map(|session| session.hash);
            let ended = ended.filter(|hash| !taken.contains(hash)).map(Op::Remove);
            let added = sessions.into_iter().map(|session| Op::Put(Arc::new(session)));
            Ok((ended.chain(added).collect(), ()))
        }))
        .await
    }

    async fn clear(&self) -> Result<usize> {
        answer(self.submit(move |view| {
            let ops: Vec<_> = view.keys().into_iter().map(Op::Remove).collect();
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

fn refuse_known(known: bool) -> Result<()> {
    if known { Err(Error::conflict(UserSession::TAKEN)) } else { Ok(()) }
}
