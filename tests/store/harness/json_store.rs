//! A durable table in a directory, opened as the service opens it.

use std::ops::Deref;
use std::path::Path;
use std::sync::Arc;

use sessiond::store::directory::DataDirectory;
use sessiond::store::files::Disk;
use sessiond::store::json::JsonTable;
use sessiond::store::load::Loaded;
use sessiond::store::{OpenError, Record};

/// A table together with its lock. Dropped without `close`, it ends as in a crash.
pub struct JsonStore<R: Record> {
    table: JsonTable<R>,
    _directory: DataDirectory,
}

impl<R: Record> JsonStore<R> {
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let directory = DataDirectory::open(path)?;
        let table = JsonTable::start(Loaded::read(&Disk, path)?, Arc::new(Disk));
        Ok(Self { table, _directory: directory })
    }
}

impl<R: Record> Deref for JsonStore<R> {
    type Target = JsonTable<R>;

    fn deref(&self) -> &JsonTable<R> {
        &self.table
    }
}
