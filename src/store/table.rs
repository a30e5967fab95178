//! Records of one class in memory, with their indexes.

mod build;

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::{Hash, Hasher};
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use dashmap::{DashMap, Entry};
use foldhash::fast::RandomState;

use super::change::Op;
use super::record::Record;
use crate::models::UserId;

pub use build::Build;

/// The place of a record in creation order.
pub type Row = u64;

/// All records of one class.
///
/// Looking up a key locks one shard of a map; everything else goes through the indexes. Only one
/// thread at a time changes a table (its writer).
pub struct Table<R: Record> {
    records: ByKeys<R>,
    indexes: RwLock<Indexes<R>>,
}

/// Records by their keys. Those are random or digests, and nobody outside chooses them.
type ByKeys<R> = DashMap<ByKey<R>, Row, RandomState>;

/// A record, equal to any other with its key: so a map needs no copies of keys, which are half of
/// what it would take.
struct ByKey<R>(Arc<R>);

impl<R: Record> Borrow<[u8]> for ByKey<R> {
    fn borrow(&self) -> &[u8] {
        self.0.key().as_ref()
    }
}

impl<R: Record> Hash for ByKey<R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Borrow::<[u8]>::borrow(self).hash(state);
    }
}

impl<R: Record> PartialEq for ByKey<R> {
    fn eq(&self, other: &Self) -> bool {
        self.0.key() == other.0.key()
    }
}

impl<R: Record> Eq for ByKey<R> {}

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
        Self { records: DashMap::default(), indexes: RwLock::new(indexes) }
    }
}

impl<R: Record> Table<R> {
    /// The record with this key.
    pub fn get(&self, key: &R::Key) -> Option<Arc<R>> {
        self.records.get(key.as_ref()).map(|entry| Arc::clone(&entry.key().0))
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

    /// The place of the record with this key, to go on from there.
    pub fn row(&self, key: &R::Key) -> Option<Row> {
        self.records.get(key.as_ref()).map(|entry| *entry.value())
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
        const PAGE: usize = 256;
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
        let row = match self.records.entry(ByKey(Arc::clone(&record))) {
            Entry::Occupied(entry) => {
                let row = *entry.get();
                // The key is the record: it changes with it, as one step for readers.
                let (old, _) = entry.replace_entry(row);
                indexes.forget(row, &old.0);
                row
            }
            Entry::Vacant(entry) => {
                indexes.next_row += 1;
                *entry.insert(indexes.next_row)
            }
        };
        indexes.learn(row, &record);
        indexes.rows.insert(row, record);
    }

    fn remove(&self, indexes: &mut Indexes<R>, key: &R::Key) {
        if let Some((old, row)) = self.records.remove(key.as_ref()) {
            indexes.forget(row, &old.0);
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

    fn forget(&mut self, row: Row, record: &R) {
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
