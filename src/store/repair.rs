//! Mending files that hold what the store has not written: what can be read is kept, and nothing
//! is thrown away.
//!
//! What was lost may have been the end of a session, another password, or the end of a user. So
//! whenever more is lost than a change that was never answered, all sessions end, and every user
//! whom the lost bytes name is disabled: nobody gets in on doubt.
//!
//! All files are read before the first is changed. Each that has a fault is then kept whole under
//! a name that ends in `.damaged`. When that is durable, the journal is replaced by one that comes
//! to the outcome whatever is in the files before it; then the JSON file is replaced, and the
//! journals are removed. A crash in between leaves a fault there to be found again, or files that
//! come to the outcome. Sessions are mended before users, since it is a fault among the users that
//! tells a second run to end them.

mod class;
mod entries;
mod lines;
mod names;
mod quarantine;

use std::path::{Path, PathBuf};

use class::Class;

use super::OpenError;
use super::files::Files;
use crate::models::{User, UserId, UserSession};

/// What was done to mend a data directory.
#[derive(Debug, Default)]
pub struct Repair {
    /// What was taken out of the files of users and sessions.
    pub faults: Vec<Fault>,
    /// How many sessions were ended, because of the faults.
    pub ended: usize,
    /// Where the sessions are kept that were ended.
    pub kept: Vec<PathBuf>,
    /// Who was disabled, because something that was lost names him.
    pub disabled: Vec<UserId>,
    /// Whether something about users was lost that names nobody who is left.
    pub nameless: bool,
    /// Files that a crash left half-written, and that are removed.
    pub leftovers: Vec<PathBuf>,
}

/// Something that could not be read.
#[derive(Debug)]
pub struct Fault {
    /// In which file.
    pub file: PathBuf,
    /// Where in it.
    pub place: Lost,
    /// The file as it was.
    pub kept: PathBuf,
}

/// A part of a file that is passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The line that it begins in, from 1.
    pub line: usize,
    /// How many bytes are before it.
    pub at: usize,
    /// How many bytes it has.
    pub length: usize,
    /// What is wrong with it.
    pub what: String,
    /// Whether it is a change that was never answered, so that nobody misses it.
    pub torn: bool,
}

impl Lost {
    /// What is between two places of a file.
    fn between(content: &[u8], from: usize, to: usize, what: impl Into<String>) -> Self {
        let line = content[..from].split(|byte| *byte == b'\n').count();
        Self { line, at: from, length: to - from, what: what.into(), torn: false }
    }

    /// The bytes.
    fn of<'c>(&self, content: &'c [u8]) -> &'c [u8] {
        &content[self.at..self.at + self.length]
    }
}

impl Repair {
    /// How many things were done.
    pub fn count(&self) -> usize {
        self.faults.len() + usize::from(self.ended > 0) + self.disabled.len() + self.leftovers.len()
    }
}

/// Mends the files of a data directory that nobody else uses; tells what it did. What is refused
/// (a later format, a file that cannot be read) is refused before anything has been changed.
pub fn repair(files: &dyn Files, directory: &Path) -> Result<Repair, OpenError> {
    let mut sessions = Class::<UserSession>::read(files, directory)?;
    let mut users = Class::<User>::read(files, directory)?;
    let mut repair = Repair::default();
    (repair.disabled, repair.nameless) = users.settle();
    if sessions.is_in_doubt() || users.is_in_doubt() {
        repair.ended = sessions.end_all();
    }
    repair.faults.extend(users.keep_aside(files)?);
    repair.faults.extend(sessions.keep_aside(files)?);
    if repair.ended > 0 {
        repair.kept = sessions.kept();
    }
    sessions.replace(files)?;
    users.replace(files)?;
    repair.leftovers.extend(sessions.remove_leftovers(files)?);
    repair.leftovers.extend(users.remove_leftovers(files)?);
    Ok(repair)
}
