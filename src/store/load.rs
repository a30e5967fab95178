//! Reading the files of one class at start: the JSON file, and over it the journals.

use std::path::{Path, PathBuf};

use super::files::Files;
use super::record::Record;
use super::snapshot::Size;
use super::table::Table;
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
    newest_time: Option<Timestamp>,
    pub(super) paths: Paths,
    /// How the journal ends; its changes are in the table.
    pub(super) replay: Option<journal::Replay<R>>,
    pub(super) json: Size,
    pub(super) has_folding: bool,
}

impl<R: Record> Loaded<R> {
    /// Reads the files of a class; an error names the file and the place.
    pub fn read(files: &dyn Files, directory: &Path) -> Result<Self, OpenError> {
        let paths = Paths::of::<R>(directory);
        let json = read_file(files, &paths.json)?;
        let content = json.as_deref().unwrap_or(b"{}");
        let mut records = snapshot::read::<R>(content)
            .map_err(|error| OpenError::damaged(&paths.json, error.to_string()))?;
        let json = Size { length: json.map_or(0, |c| c.len() as u64), records: records.count() };
        let folding = read_journal::<R>(files, &paths.folding)?;
        if let Some(torn) = folding.as_ref().filter(|folding| folding.torn > 0) {
            let what = format!("its last {} bytes are no whole line", torn.torn);
            return Err(OpenError::damaged(&paths.folding, what));
        }
        let mut replay = read_journal::<R>(files, &paths.journal)?;
        if let Some(folding) = &folding
            && !replay.get_or_insert_with(journal::Replay::default).goes_on_after(folding)
        {
            let what = format!("does not end where {} goes on", paths.journal.display());
            return Err(OpenError::damaged(&paths.folding, what));
        }
        for journal in [folding.as_ref(), replay.as_ref()].into_iter().flatten() {
            journal.changes.iter().flatten().for_each(|op| records.apply(op));
        }
        if let Some(replay) = &mut replay {
            replay.changes = Vec::new();
        }
        let (table, newest_time) =
            records.finish().map_err(|what| OpenError::damaged(&paths.json, what))?;
        Ok(Self { table, newest_time, paths, replay, json, has_folding: folding.is_some() })
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
    pub const fn newest_time(&self) -> Option<Timestamp> {
        self.newest_time
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
