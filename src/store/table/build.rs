//! A table put together from files, in bulk.

use std::collections::{BTreeMap, hash_map};
use std::sync::{Arc, RwLock};

use dashmap::Entry;
use foldhash::fast::RandomState;

use super::{ByKey, ByKeys, Indexes, Row, Table};
use crate::clock::Timestamp;
use crate::store::change::Op;
use crate::store::record::Record;

/// Records as they are put together from file and journals; indexed only at the end, since in
/// between two of them may hold the same unique value, and since all at once is quicker.
pub struct Build<R: Record> {
    records: ByKeys<R>,
    next_row: Row,
}

impl<R: Record> Default for Build<R> {
    fn default() -> Self {
        Self { records: ByKeys::default(), next_row: 0 }
    }
}

impl<R: Record> Build<R> {
    /// Room for about so many records.
    pub fn with_capacity(records: usize) -> Self {
        Self {
            records: ByKeys::with_capacity_and_hasher(records, RandomState::default()),
            next_row: 0,
        }
    }

    /// How many records there are so far.
    pub fn count(&self) -> u64 {
        self.records.len() as u64
    }

    /// Takes a change in.
    pub fn apply(&mut self, op: &Op<R>) {
        match op {
            Op::Put(record) => {
                self.put(Arc::clone(record));
            }
            Op::Remove(key) => {
                self.records.remove(key.as_ref());
            }
        }
    }

    /// Takes a record, in the place of one with the same key; tells whether there was none.
    pub fn put(&mut self, record: Arc<R>) -> bool {
        match self.records.entry(ByKey(record)) {
            Entry::Occupied(entry) => {
                let row = *entry.get();
                entry.replace_entry(row);
                false
            }
            Entry::Vacant(entry) => {
                self.next_row += 1;
                entry.insert(self.next_row);
                true
            }
        }
    }

    /// The records, in their order.
    pub fn into_records(self) -> Vec<Arc<R>> {
        self.rows().into_iter().map(|(_, record)| record).collect()
    }

    fn rows(&self) -> Vec<(Row, Arc<R>)> {
        let entries = self.records.iter().map(|entry| (*entry.value(), Arc::clone(&entry.key().0)));
        let mut rows: Vec<_> = entries.collect();
        rows.sort_unstable_by_key(|(row, _)| *row);
        rows
    }

    /// The table, and the newest time in its records. An error names two records with the same
    /// unique value.
    pub fn finish(self) -> Result<(Table<R>, Option<Timestamp>), String> {
        let rows = self.rows();
        let unique = rows.iter().filter_map(|(row, record)| Some((record.unique()?, row)));
        let mut holders = hash_map::HashMap::with_capacity(unique.size_hint().0);
        for (value, row) in unique {
            match holders.entry(value) {
                hash_map::Entry::Vacant(entry) => {
                    entry.insert(*row);
                }
                hash_map::Entry::Occupied(entry) => {
                    let key_at = |row| rows[rows.partition_point(|(r, _)| r < row)].1.key();
                    let (value, one, other) = (entry.key(), key_at(row), key_at(entry.get()));
                    return Err(format!("{value} belongs to two records, {other} and {one}"));
                }
            }
        }
        let indexes = Indexes {
            unique: holders,
            owned: rows.iter().filter_map(|(row, record)| Some((record.owner()?, *row))).collect(),
            vital: rows.iter().filter(|(_, record)| record.is_vital()).count(),
            next_row: self.next_row,
            rows: BTreeMap::new(),
        };
        let newest = rows.iter().map(|(_, record)| record.newest_time()).max();
        let indexes = Indexes { rows: rows.into_iter().collect(), ..indexes };
        Ok((Table { records: self.records, indexes: RwLock::new(indexes) }, newest))
    }
}
