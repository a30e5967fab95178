//! The backups of a running service: in a folder of their own, named by their time.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::{Mutex, oneshot};

use super::OpenError;
use super::backup::{self, Contents};
use super::files::{Files, directory_of};
use crate::clock::{Clock, Timestamp};
use crate::error::{Code, Error, Result};

/// Makes backups, one at a time.
pub struct Backups {
    data: PathBuf,
    folder: PathBuf,
    files: Arc<dyn Files>,
    clock: Arc<dyn Clock>,
    /// Held while one is made.
    turn: Arc<Mutex<()>>,
}

/// A backup that has been made.
#[derive(Debug)]
pub struct Backup {
    /// The name of its folder, which sorts by time.
    pub name: String,
    /// Where that is.
    pub path: PathBuf,
    /// When it was begun.
    pub created_at: Timestamp,
    /// What it holds.
    pub contents: Contents,
}

impl Backups {
    /// Of the records in `data`, in a `folder` for them. The clock names them.
    pub fn new(data: &Path, folder: &Path, files: Arc<dyn Files>, clock: Arc<dyn Clock>) -> Self {
        let (data, folder) = (data.to_owned(), folder.to_owned());
        Self { data, folder, files, clock, turn: Arc::default() }
    }

    /// Makes a backup on a thread of its own. 409 while another one is being made, 503 when it
    /// cannot be written; then nothing is left of it.
    pub async fn make(&self) -> Result<Backup> {
        let turn = Arc::clone(&self.turn).try_lock_owned();
        let turn = turn.map_err(|_| {
            Error::conflict((Code::BackupRunning, "a backup is being made already"))
        })?;
        let (data, folder) = (self.data.clone(), self.folder.clone());
        let (files, created_at) = (Arc::clone(&self.files), self.clock.now());
        let (sender, made) = oneshot::channel();
        let work = move || {
            let made = make(files.as_ref(), &data, &folder, created_at);
            drop(turn);
            let _ = sender.send(made);
        };
        let failed = |cause: &dyn std::fmt::Display| Error::unavailable("backup", cause);
        let name = "backup".to_owned();
        std::thread::Builder::new().name(name).spawn(work).map_err(|cause| failed(&cause))?;
        let made = made.await.map_err(|_| failed(&"its thread has ended"))?;
        made.map_err(|cause| failed(&cause))
    }
}

fn make(
    files: &dyn Files,
    data: &Path,
    folder: &Path,
    created_at: Timestamp,
) -> Result<Backup, OpenError> {
    make_folder(files, folder).map_err(|cause| OpenError::io(folder, &cause))?;
    let time = created_at.to_string().replace(':', "-");
    let names = std::iter::once(time.clone()).chain((2..).map(|number| format!("{time}-{number}")));
    let name = names.into_iter().find(|name| folder.join(name).symlink_metadata().is_err());
    let name = name.expect("there is always one more number");
    let path = folder.join(&name);
    let contents = backup::make(files, data, &path)?;
    Ok(Backup { name, path, created_at, contents })
}

fn make_folder(files: &dyn Files, folder: &Path) -> io::Result<()> {
    match DirBuilder::new().mode(0o700).create(folder) {
        Ok(()) => files.sync_directory(directory_of(folder)),
        Err(cause) if cause.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(cause) => Err(cause),
    }
}
