//! Records of one class in memory, with their indexes.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::{Debug, Display};
use std::hash::Hash;
use std::ops::Bound;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use dashmap::DashMap;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::change::Op;
use crate::clock::Timestamp;
use crate::models::{Email, SessionHash, User, UserId, UserSession};

/// A class of records: how they are named, found and kept consistent.
pub trait Record: Clone + Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The name of the class and of its files.
    const CLASS: &'static str;
    /// Told when a record's key or unique value belongs to another record.
    const TAKEN: &'static str;
    /// Told when a change would take the last vital record.
    const LAST: &'static str;
    /// What a record is found by.
    type Key: Copy
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
    fn key(&self) -> Self::Key;
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
    const TAKEN: &'static str = "email is already taken";
    const LAST: &'static str = "this is the last enabled admin";
    type Key = UserId;

    fn key(&self) -> UserId {
        self.id
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
    const TAKEN: &'static str = "session exists already";
    const LAST: &'static str = "";
    type Key = SessionHash;

    fn key(&self) -> SessionHash {
        self.hash
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

/// The place of a record in creation order.
pub type Row = u64;

/// All records of one class.
///
/// Looking up a key locks one shard of a map; everything else goes through the indexes. Only one
/// thread at a time changes a table (its writer).
pub struct Table<R: Record> {
    records: DashMap<R::Key, (Row, Arc<R>)>,
    indexes: RwLock<Indexes<R>>,
}

struct Indexes<R> {
    rows: BTreeMap<Row, Arc<R>>,
    unique: HashMap<String, Row>,
    owned: BTreeSet<(UserId, Row)>,
    next_row: Row,
    vital: usize,
}

impl<R: Record> Default for Table<R> {
    fn default() -> Self {
        let indexes = Indexes {
            rows: BTreeMap::new(),
            unique: HashMap::new(),
            owned: BTreeSet::new(),
            next_row: 0,
            vital: 0,
        };
        Self { records: DashMap::new(), indexes: RwLock::new(indexes) }
    }
}

impl<R: Record> Table<R> {
    /// The record with this key.
    pub fn get(&self, key: &R::Key) -> Option<Arc<R>> {
        self.records.get(key).map(|entry| Arc::clone(&entry.1))
    }

    /// The record with this unique value.
    pub fn by_unique(&self, value: &str) -> Option<Arc<R>> {
        let indexes = self.read();
        indexes.unique.get(value).and_then(|row| indexes.rows.get(row)).cloned()
    }

    /// The records of a user, oldest first.
    pub fn owned_by(&self, user: UserId) -> Vec<Arc<R>> {
        let indexes = self.read();
        let owned = indexes.owned.range((user, Row::MIN)..=(user, Row::MAX));
        owned.filter_map(|(_, row)| indexes.rows.get(row)).cloned().collect()
    }

    /// How many records there are.
    pub fn count(&self) -> usize {
        self.read().rows.len()
    }

    /// How many vital records there are.
    pub fn vital(&self) -> usize {
        self.read().vital
    }

    /// Up to `limit` records in creation order, with their rows, from after `after`.
    pub fn page(&self, after: Option<Row>, limit: usize) -> Vec<(Row, Arc<R>)> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let indexes = self.read();
        let rows = indexes.rows.range((start, Bound::Unbounded));
        rows.take(limit).map(|(row, record)| (*row, Arc::clone(record))).collect()
    }

    /// All records in creation order, fetched by pages, so that no lock is held for long.
    pub fn iter(&self) -> impl Iterator<Item = Arc<R>> + '_ {
        const PAGE: usize = 1024;
        let mut after = None;
        let pages = std::iter::from_fn(move || {
            let page = self.page(after, PAGE);
            after = page.last().map(|(row, _)| *row);
            (!page.is_empty()).then_some(page)
        });
        pages.flatten().map(|(_, record)| record)
    }

    /// Applies changes that have been admitted; readers see them from here on.
    pub fn apply(&self, ops: &[Op<R>]) {
        let mut indexes = self.write();
        for op in ops {
            match op {
                Op::Put(record) => self.put(&mut indexes, Arc::clone(record)),
                Op::Remove(key) => self.remove(&mut indexes, key),
            }
        }
    }

    fn put(&self, indexes: &mut Indexes<R>, record: Arc<R>) {
        let key = record.key();
        let row = self.records.get(&key).map(|entry| entry.0);
        let row = if let Some(row) = row {
            let old = indexes.rows.get(&row).cloned();
            indexes.forget(row, old.as_deref());
            row
        } else {
            indexes.next_row += 1;
            indexes.next_row
        };
        indexes.learn(row, &record);
        indexes.rows.insert(row, Arc::clone(&record));
        self.records.insert(key, (row, record));
    }

    fn remove(&self, indexes: &mut Indexes<R>, key: &R::Key) {
        if let Some((_, (row, record))) = self.records.remove(key) {
            indexes.forget(row, Some(&record));
            indexes.rows.remove(&row);
        }
    }

    // A panic while the lock is held can leave no half-made state that matters more than going
    // on: the indexes are plain maps, and the journal is what counts after a restart.
    fn read(&self) -> RwLockReadGuard<'_, Indexes<R>> {
        self.indexes.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Indexes<R>> {
        self.indexes.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<R: Record> Indexes<R> {
    fn learn(&mut self, row: Row, record: &R) {
        if let Some(value) = record.unique() {
            self.unique.insert(value, row);
        }
        if let Some(owner) = record.owner() {
            self.owned.insert((owner, row));
        }
        self.vital += usize::from(record.is_vital());
    }

    fn forget(&mut self, row: Row, record: Option<&R>) {
        let Some(record) = record else { return };
        if let Some(value) = record.unique()
            && self.unique.get(&value) == Some(&row)
        {
            self.unique.remove(&value);
        }
        if let Some(owner) = record.owner() {
            self.owned.remove(&(owner, row));
        }
        self.vital -= usize::from(record.is_vital());
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
