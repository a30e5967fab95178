//! A consistent copy of the records, made while their writers go on. No lock is needed: whoever
//! may read the files can make one, a running server as well as a command beside it.
//!
//! Sessions are copied before users. A session works while its user still has the credential
//! version that it carries, and that version only grows. So a user in the copy is at least as new
//! as any session in it: what had ended is dead. The other way round, a session of a new password
//! could stand beside the user with the old one, and come alive when he changes it again.

mod class;
mod folder;

use std::fmt;
use std::path::Path;

pub use folder::make;

use super::OpenError;
use super::files::{Files, OpenFile};
use super::load::Loaded;
use super::record::Record;
use crate::models::{User, UserSession};

/// What a backup holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Contents {
    /// How many users.
    pub users: usize,
    /// How many sessions of `session_db_auth`, ended ones that are still to be cleared away
    /// among them.
    pub sessions: usize,
    /// The bytes of all its files.
    pub bytes: u64,
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} users, {} sessions", self.users, self.sessions)
    }
}

/// Copies the records of one folder into another one, which is there and empty, and reads the copy
/// as a start would. It is durable but for the folder's own name. An error names a file of `from`.
pub fn copy(files: &dyn Files, from: &Path, into: &Path) -> Result<Contents, OpenError> {
    let bytes = copy_class::<UserSession>(files, from, into)? // first, see above
        + copy_class::<User>(files, from, into)?;
    files.sync_directory(into).map_err(|cause| OpenError::io(into, &cause))?;
    let sessions = count::<UserSession>(files, from, into)?;
    let users = count::<User>(files, from, into)?;
    Ok(Contents { users, sessions, bytes })
}

/// Copies the files of a class; tells how many bytes.
fn copy_class<R: Record>(files: &dyn Files, from: &Path, into: &Path) -> Result<u64, OpenError> {
    let mut bytes = 0;
    for (name, content) in class::read::<R>(files, from)? {
        let path = into.join(name);
        let write = |mut file: Box<dyn OpenFile>| {
            file.write_all(&content)?;
            file.sync()
        };
        files.create(&path).and_then(write).map_err(|cause| OpenError::io(&path, &cause))?;
        bytes += content.len() as u64;
    }
    Ok(bytes)
}

/// How many records of a class a start would find in a copy.
fn count<R: Record>(files: &dyn Files, from: &Path, copy: &Path) -> Result<usize, OpenError> {
    let loaded = Loaded::<R>::read(files, copy).map_err(|error| match error {
        // A copy is what it was made of: the file to mend is that one.
        OpenError::Damaged { file, what } => {
            let name = Path::new(&file).file_name().unwrap_or_default();
            OpenError::damaged(&from.join(name), what)
        }
        other => other,
    })?;
    Ok(loaded.table().count())
}
