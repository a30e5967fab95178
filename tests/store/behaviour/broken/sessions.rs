use std::collections::HashSet;
use std::sync::Arc;

use async_trait::async_trait;
use sessiond::clock::Timestamp;
use sessiond::error::Result;
use sessiond::models::{Lifetimes, SessionHash, UserId, UserSession};
use sessiond::store::behaviour::SESSION_STORE;
use sessiond::store::memory::MemoryTable;
use sessiond::store::{LookUp, Room, SessionChange, SessionStore};
use tokio::runtime::Handle;

use super::{assert_named, broken};
use crate::harness::records::run;

/// Each fault, and a promise that it breaks.
const FAULTS: [(Fault, &str); 16] = [
    (Fault::InsertOverwrites, "an insert never overwrites"),
    (Fault::InsertEndsFirst, "an insert that is refused ends nothing"),
    (Fault::ReplacedStays, "a session ends in the step that replaces it"),
    (Fault::NoLimit, "the oldest session gives way to one too many"),
    (Fault::NoLimit, "logins at once keep to the limit"),
    (Fault::DeadTakeRoom, "what is dead takes no room"),
    (Fault::OldHashStays, "a session gets another hash and keeps all else"),
    (Fault::TouchIsLost, "use is noted at once and time never goes back"),
    (Fault::TouchCreates, "use brings no session back"),
    (Fault::RemoveIsAlwaysFirst, "a session is ended by one caller"),
    (Fault::ExceptIsForgotten, "all sessions of a user end but one"),
    (Fault::KeptAreForgotten, "the sessions of others give way to new ones in one step"),
    (Fault::ClearCountsNothing, "everybodys sessions end at once"),
    (Fault::SweepHasNoEnd, "what is expired goes in bounded steps"),
    (Fault::OwnLimitsAlone, "what is expired by the lifetimes in force goes too"),
    (Fault::NewestFirst, "sessions of a user are told oldest first"),
];

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Nothing,
    InsertOverwrites,
    InsertEndsFirst,
    ReplacedStays,
    NoLimit,
    DeadTakeRoom,
    OldHashStays,
    TouchIsLost,
    TouchCreates,
    RemoveIsAlwaysFirst,
    ExceptIsForgotten,
    KeptAreForgotten,
    ClearCountsNothing,
    SweepHasNoEnd,
    OwnLimitsAlone,
    NewestFirst,
    /// No fault, but something that the suite must provide for.
    NeedsRuntime,
}

struct Broken {
    fault: Fault,
    sound: MemoryTable<UserSession>,
}

impl Broken {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }
}

fn said_of(fault: Fault) -> Vec<String> {
    broken(SESSION_STORE, |promise| {
        promise.check(&Broken { fault, sound: MemoryTable::default() });
    })
}

#[test]
fn each_broken_store_of_sessions_is_found() {
    for (fault, promise) in FAULTS {
        assert_named(&format!("{fault:?}"), &said_of(fault), promise);
    }
    assert_eq!(said_of(Fault::Nothing), [""; 0], "without a fault it is a store");
}

#[test]
fn a_store_that_needs_a_runtime_finds_the_one_that_the_caller_has_entered() {
    assert_eq!(said_of(Fault::NeedsRuntime).len(), SESSION_STORE.len(), "there is none");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let handle = runtime.handle().clone();
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let driver = std::thread::spawn(move || runtime.block_on(stopped));
    let entered = handle.enter();
    let said = said_of(Fault::NeedsRuntime);
    drop((entered, stop));
    assert!(driver.join().unwrap().is_err(), "stopped by the end of the sender");
    assert_eq!(said, [""; 0]);
}

#[async_trait]
impl SessionStore for Broken {
    async fn insert(&self, session: UserSession, mut room: Room) -> Result<Arc<UserSession>> {
        match self.fault {
            Fault::InsertOverwrites => drop(self.sound.remove(&session.hash).await?),
            Fault::ReplacedStays => room.replaced = None,
            Fault::NoLimit => room.at_most = None,
            Fault::DeadTakeRoom => room.in_force = Lifetimes::default(),
            Fault::InsertEndsFirst => {
                if let Some(replaced) = room.replaced.take() {
                    self.sound.remove(&replaced).await?;
                }
            }
            Fault::NeedsRuntime => Handle::current().spawn(async {}).await.unwrap(),
            _ => {}
        }
        self.sound.insert(session, room).await
    }

    async fn replace(
        &self,
        hash: &SessionHash,
        change: SessionChange,
    ) -> Result<Option<Arc<UserSession>>> {
        if !self.has(Fault::OldHashStays) {
            return self.sound.replace(hash, change).await;
        }
        let Some(stored) = self.sound.get(hash).await? else { return Ok(None) };
        self.sound.insert(change(&stored), Room::default()).await.map(Some)
    }

    fn get(&self, hash: &SessionHash) -> LookUp<'_, UserSession> {
        self.sound.get(hash)
    }

    fn touch(&self, session: &UserSession, now: Timestamp) {
        match self.fault {
            Fault::TouchIsLost => {}
            Fault::TouchCreates => {
                self.sound.touch(session, now);
                let _ = run(self.sound.insert(session.clone(), Room::default()));
            }
            _ => self.sound.touch(session, now),
        }
    }

    async fn remove(&self, hash: &SessionHash) -> Result<bool> {
        Ok(self.sound.remove(hash).await? || self.has(Fault::RemoveIsAlwaysFirst))
    }

    async fn remove_all(&self, user: UserId, except: Option<SessionHash>) -> Result<usize> {
        self.sound.remove_all(user, except.filter(|_| !self.has(Fault::ExceptIsForgotten))).await
    }

    async fn replace_all_but(
        &self,
        mut kept: HashSet<UserId>,
        sessions: Vec<UserSession>,
    ) -> Result<()> {
        kept.retain(|_| !self.has(Fault::KeptAreForgotten));
        self.sound.replace_all_but(kept, sessions).await
    }

    async fn clear(&self) -> Result<usize> {
        let ended = self.sound.clear().await?;
        Ok(if self.has(Fault::ClearCountsNothing) { 0 } else { ended })
    }

    async fn remove_expired(
        &self,
        in_force: Lifetimes,
        now: Timestamp,
        limit: usize,
    ) -> Result<usize> {
        match self.fault {
            Fault::SweepHasNoEnd => self.sound.remove_expired(in_force, now, usize::MAX).await,
            Fault::OwnLimitsAlone => {
                self.sound.remove_expired(Lifetimes::default(), now, limit).await
            }
            _ => self.sound.remove_expired(in_force, now, limit).await,
        }
    }

    async fn of_user(&self, user: UserId) -> Result<Vec<Arc<UserSession>>> {
        let mut sessions = self.sound.of_user(user).await?;
        if self.has(Fault::NewestFirst) {
            sessions.reverse();
        }
        Ok(sessions)
    }

    async fn count(&self) -> Result<usize> {
        SessionStore::count(&self.sound).await
    }
}
