//! A store of sessions of one's own: a map behind a lock, held to what every store promises.
//!
//!     cargo test --example own_store
//!     ADMIN_EMAIL=me@example.com ADMIN_PASSWORD='correct horse 1' cargo run --example own_store

use std::collections::{BTreeMap, HashSet};
use std::future::ready;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures_util::future::Either;
use sessiond::clock::Timestamp;
use sessiond::error::{Error, Result};
use sessiond::models::{Lifetimes, SessionHash, UserId, UserSession};
use sessiond::server::{Signals, logging};
use sessiond::store::{LookUp, Record as _, Room, SessionChange, SessionStore};
use sessiond::{Config, Service};

/// Sessions by their hashes. What is done under the lock is one step for everybody else.
#[derive(Default)]
struct Map(Mutex<BTreeMap<SessionHash, Arc<UserSession>>>);

impl Map {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<SessionHash, Arc<UserSession>>> {
        // No step leaves anything half done: whoever panicked did so before he changed the map.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends up to `limit` of those sessions, as one step; tells how many.
    fn end(&self, limit: usize, which: impl Fn(&UserSession) -> bool) -> usize {
        let mut sessions = self.lock();
        let before = sessions.len();
        let ended = sessions.extract_if(.., |_, session| which(session));
        ended.take(limit).for_each(drop);
        before - sessions.len()
    }
}

fn taken<T>() -> Result<T> {
    Err(Error::conflict(UserSession::TAKEN))
}

#[async_trait]
impl SessionStore for Map {
    async fn insert(&self, session: UserSession, room: Room) -> Result<Arc<UserSession>> {
        let mut sessions = self.lock();
        if sessions.contains_key(&session.hash) {
            return taken();
        }
        if let Some(replaced) = room.replaced {
            sessions.remove(&replaced);
        }
        let others = sessions.values().filter(|other| other.user_id == session.user_id);
        for hash in room.displaced(others.cloned().collect(), &session) {
            sessions.remove(&hash);
        }
        let session = Arc::new(session);
        sessions.insert(session.hash, Arc::clone(&session));
        Ok(session)
    }

    async fn replace(
        &self,
        hash: &SessionHash,
        change: SessionChange,
    ) -> Result<Option<Arc<UserSession>>> {
        let mut sessions = self.lock();
        let Some(stored) = sessions.get(hash) else { return Ok(None) };
        let changed = Arc::new(change(stored));
        if changed.hash != *hash && sessions.contains_key(&changed.hash) {
            return taken();
        }
        sessions.remove(hash);
        sessions.insert(changed.hash, Arc::clone(&changed));
        Ok(Some(changed))
    }

    fn get(&self, hash: &SessionHash) -> LookUp<'_, UserSession> {
        Either::Left(ready(Ok(self.lock().get(hash).cloned())))
    }

    fn touch(&self, session: &UserSession, now: Timestamp) {
        // A store that writes does so when `advance` says that it is time to.
        if let Some(stored) = self.lock().get(&session.hash) {
            stored.last_seen_at.advance(now);
        }
    }

    async fn remove(&self, hash: &SessionHash) -> Result<bool> {
        Ok(self.lock().remove(hash).is_some())
    }

    async fn remove_all(&self, user: UserId, except: Option<SessionHash>) -> Result<usize> {
        Ok(self.end(usize::MAX, |s| s.user_id == user && Some(s.hash) != except))
    }

    async fn replace_all_but(
        &self,
        kept: HashSet<UserId>,
        sessions: Vec<UserSession>,
    ) -> Result<()> {
        let mut stored = self.lock();
        let mut after = stored.clone();
        after.retain(|_, session| kept.contains(&session.user_id));
        for session in sessions {
            if after.insert(session.hash, Arc::new(session)).is_some() {
                return taken();
            }
        }
        *stored = after;
        Ok(())
    }

    async fn clear(&self) -> Result<usize> {
        Ok(self.end(usize::MAX, |_| true))
    }

    async fn remove_expired(
        &self,
        in_force: Lifetimes,
        now: Timestamp,
        limit: usize,
    ) -> Result<usize> {
        Ok(self.end(limit, |session| session.is_expired(in_force, now)))
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Arc<UserSession>>> {
        let sessions = self.lock().values().filter(|s| s.user_id == user).cloned().collect();
        Ok(oldest_first(sessions))
    }

    async fn count(&self) -> Result<usize> {
        Ok(self.lock().len())
    }
}

fn oldest_first(mut sessions: Vec<Arc<UserSession>>) -> Vec<Arc<UserSession>> {
    sessions.sort_by_key(|session| session.created_at);
    sessions
}

#[actix_web::main]
async fn main() -> std::result::Result<(), Box<dyn std::error::Error>> {
    let config = Config::from_environment()?;
    logging::start(config.log_format, &config.rust_log);
    let service = Arc::new(Service::builder(&config).sessions(Arc::new(Map::default())).open()?);
    service.ensure_first_admin(&config).await?;
    let server = service.bind(&config)?;
    server.run(Signals::listen()?, || (), Arc::clone(&service).sweep()).await?;
    Ok(service.close().await?)
}

#[cfg(test)]
mod tests {
    use super::Map;
    use sessiond::store::behaviour::SESSION_STORE;

    #[test]
    fn it_keeps_every_promise_of_a_store() {
        for promise in SESSION_STORE {
            promise.check(&Map::default());
        }
    }
}
