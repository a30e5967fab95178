//! The folder of a backup: it is there whole or not at all.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::{Contents, copy};
use crate::store::OpenError;
use crate::store::files::{Files, directory_of};

/// How the name of a backup ends that is not finished; it begins with a dot.
const UNFINISHED: &str = ".unfinished";

/// Makes a backup of the data directory `data` in the folder `target`, which is new or empty
/// (mode 0700). It is written beside it under another name, and gets its name when it is durable.
pub fn make(files: &dyn Files, data: &Path, target: &Path) -> Result<Contents, OpenError> {
    if !fs::metadata(data).map_err(|cause| OpenError::io(data, &cause))?.is_dir() {
        return Err(OpenError::Unusable(format!("{}: is not a directory", data.display())));
    }
    check_target(data, target)?;
    warn_of_leftovers(directory_of(target));
    let error = |cause: io::Error| OpenError::io(target, &cause);
    let unfinished = unfinished(target);
    DirBuilder::new().mode(0o700).create(&unfinished).map_err(error)?;
    let made = copy(files, data, &unfinished).and_then(|contents| {
        files.rename(&unfinished, target).map_err(error)?;
        Ok(contents)
    });
    if made.is_err() {
        // What is left would be told at the next backup.
        let _ = fs::remove_dir_all(&unfinished);
    }
    let contents = made?;
    let durable = files.sync_directory(directory_of(target));
    if durable.is_err() {
        let _ = fs::remove_dir_all(target);
    }
    durable.map_err(error)?;
    Ok(contents)
}

fn unfinished(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    target.with_file_name(format!(".{name}.{}{UNFINISHED}", std::process::id()))
}

fn check_target(data: &Path, target: &Path) -> Result<(), OpenError> {
    let refused = |what: &str| Err(OpenError::Unusable(format!("{}: {what}", target.display())));
    let error = |cause: io::Error| OpenError::io(target, &cause);
    let parent = directory_of(target).canonicalize().map_err(error)?;
    let data = data.canonicalize().map_err(error)?;
    if target.file_name().is_none() {
        return refused("a backup is made in a folder that has a name of its own");
    }
    if parent.starts_with(&data) || target.canonicalize().is_ok_and(|target| target == data) {
        return refused("a backup is made outside of the data directory");
    }
    match fs::symlink_metadata(target) {
        Err(cause) if cause.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(cause) => Err(error(cause)),
        Ok(there) if !there.is_dir() => refused("is there, and no folder"),
        Ok(_) if fs::read_dir(target).map_err(error)?.next().is_some() => {
            refused("is not empty, and a backup replaces nothing")
        }
        Ok(_) => Ok(()),
    }
}

/// Names what a backup left behind that a crash cut short. It is for a person to remove, since
/// another process may be at work on it.
fn warn_of_leftovers(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let name = name.as_encoded_bytes();
        if name.starts_with(b".") && name.ends_with(UNFINISHED.as_bytes()) {
            let path = entry.path();
            log::warn!("{}: a backup that was not finished, and is none", path.display());
        }
    }
}
