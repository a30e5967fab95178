//! A table that lives as long as the process.

use std::fmt;
use std::sync::{Mutex, PoisonError};

use super::Records;
use super::change::{Op, Outcome, View, change};
use super::record::Record;
use super::table::Table;
use crate::error::Result;

/// Records in memory only.
pub struct MemoryTable<R: Record> {
    table: Table<R>,
    writing: Mutex<()>,
}

impl<R: Record> Default for MemoryTable<R> {
    fn default() -> Self {
        Self { table: Table::default(), writing: Mutex::new(()) }
    }
}

impl<R: Record> fmt::Debug for MemoryTable<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MemoryTable({}, {} records)", R::CLASS, self.table.count())
    }
}

impl<R: Record> Records<R> for MemoryTable<R> {
    fn table(&self) -> &Table<R> {
        &self.table
    }

    fn submit<T, F>(&self, decide: F) -> Outcome<T>
    where
        T: Send + 'static,
        F: FnOnce(&View<'_, R>) -> Result<(Vec<Op<R>>, T)> + Send + 'static,
    {
        let (mut change, outcome) = change(decide);
        {
            let _alone = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let ops = change.decide(&mut View::of(&self.table));
            self.table.apply(&ops);
        }
        change.finish(Ok(()));
        outcome
    }
}
