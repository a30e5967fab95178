//! Reading the files of one class at start: the JSON file, and over it the journals.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::change::Op;
use super::files::Files;
use super::table::{Record, Table};
use super::{OpenError, journal, snapshot};
use crate::clock::Timestamp;

/// The files of one class.
#[derive(Clone)]
pub struct Paths {
    /// What was folded.
    pub json: PathBuf,
    /// What has changed since.
    pub journal: PathBuf,
    /// The journal that is being folded.
    pub folding: PathBuf,
}

impl Paths {
    pub(super) fn of<R: Record>(directory: &Path) -> Self {
        let file = |name: &str| directory.join(format!("{}.{name}", R::CLASS));
        Self { json: file("json"), journal: file("journal"), folding: file("journal.folding") }
    }
}

/// One class as found on disk, read and verified; nothing has been changed yet.
pub struct Loaded<R: Record> {
    pub(super) table: Table<R>,
    pub(super) paths: Paths,
    /// How the journal ends; its changes are in the table.
    pub(super) replay: Option<journal::Replay<R>>,
    pub(super) json_length: u64,
    pub(super) has_folding: bool,
}

impl<R: Record> Loaded<R> {
    /// Reads the files of a class; an error names the file and the place.
    pub fn read(files: &dyn Files, directory: &Path) -> Result<Self, OpenError> {
        let paths = Paths::of::<R>(directory);
        let json = read_file(files, &paths.json)?;
        let mut records = Merge::default();
        if let Some(content) = &json {
            let read = snapshot::read::<R>(content)
                .map_err(|error| OpenError::damaged(&paths.json, error.to_string()))?;
            for record in read {
                records.put(record);
            }
        }
        let folding = read_journal::<R>(files, &paths.folding)?;
        if let Some(torn) = folding.as_ref().filter(|folding| folding.torn > 0) {
            let what = format!("its last {} bytes are no whole line", torn.torn);
            return Err(OpenError::damaged(&paths.folding, what));
        }
        let mut replay = read_journal::<R>(files, &paths.journal)?;
        for journal in [folding.as_ref(), replay.as_ref()].into_iter().flatten() {
            journal.changes.iter().flatten().for_each(|op| records.apply(op));
        }
        if let Some(replay) = &mut replay {
            replay.changes = Vec::new();
        }
        let table = records.into_table().map_err(|what| OpenError::damaged(&paths.json, what))?;
        let json_length = json.map_or(0, |content| content.len() as u64);
        Ok(Self { table, paths, replay, json_length, has_folding: folding.is_some() })
    }

    /// What is said of a change at the end of the journal whose write was cut short, if there is
    /// one: nobody was told that it had been made, so it is dropped.
    pub fn torn(&self) -> Option<String> {
        let torn = self.replay.as_ref().filter(|replay| replay.torn > 0)?;
        let (path, line, bytes) = (self.paths.journal.display(), torn.lines + 1, torn.torn);
        Some(format!("{path}: line {line}: {bytes} bytes of a change that was never answered"))
    }

    /// The records.
    pub fn table(&self) -> &Table<R> {
        &self.table
    }

    /// The newest time in the records.
    pub fn newest_time(&self) -> Option<Timestamp> {
        self.table.iter().map(|record| record.newest_time()).max()
    }
}

fn read_file(files: &dyn Files, path: &Path) -> Result<Option<Vec<u8>>, OpenError> {
    files.read(path).map_err(|cause| OpenError::io(path, &cause))
}

fn read_journal<R: Record>(
    files: &dyn Files,
    path: &Path,
) -> Result<Option<journal::Replay<R>>, OpenError> {
    let Some(content) = read_file(files, path)? else {
        return Ok(None);
    };
    journal::read(&content)
        .map(Some)
        .map_err(|(line, what)| OpenError::damaged(path, format!("line {line} {what}")))
}

/// Records as they are put together from file and journals; indexed only at the end, since in
/// between two of them may hold the same unique value.
struct Merge<R: Record> {
    records: Vec<Option<Arc<R>>>,
    places: HashMap<R::Key, usize>,
}

impl<R: Record> Default for Merge<R> {
    fn default() -> Self {
        Self { records: Vec::new(), places: HashMap::new() }
    }
}

impl<R: Record> Merge<R> {
    fn apply(&mut self, op: &Op<R>) {
        match op {
            Op::Put(record) => self.put(Arc::clone(record)),
            Op::Remove(key) => {
                if let Some(place) = self.places.remove(key) {
                    self.records[place] = None;
                }
            }
        }
    }

    fn put(&mut self, record: Arc<R>) {
        let place = *self.places.entry(record.key()).or_insert(self.records.len());
        if place == self.records.len() {
            self.records.push(None);
        }
        self.records[place] = Some(record);
    }

    fn into_table(self) -> Result<Table<R>, String> {
        let table = Table::<R>::default();
        for record in self.records.into_iter().flatten() {
            if let Some(value) = record.unique().filter(|value| table.by_unique(value).is_some()) {
                let other = table.by_unique(&value).map(|other| other.key().to_string());
                let (one, other) = (record.key(), other.unwrap_or_default());
                return Err(format!("{value} belongs to two records, {other} and {one}"));
            }
            table.apply(&[Op::Put(record)]);
        }
        Ok(table)
    }
}
