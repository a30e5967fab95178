//! The data directory: made when missing, checked, and held by one process at a time.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use super::OpenError;
use super::files::{Disk, Files as _, directory_of};

/// A data directory that this process holds, until this value is dropped or the process ends.
pub struct DataDirectory {
    path: PathBuf,
    _lock: File,
}

impl DataDirectory {
    /// Makes the directory (not its parents) when it is missing, and locks it, to be written to.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        Self::make(path).map_err(|cause| OpenError::io(path, &cause))?;
        let directory = Self::open_existing(path)?;
        directory.probe()?;
        Ok(directory)
    }

    fn make(path: &Path) -> io::Result<()> {
        match DirBuilder::new().mode(0o700).create(path) {
            // Nothing in it outlives a crash if its own name does not.
            Ok(()) => Disk.sync_directory(directory_of(path)),
            Err(cause) if cause.kind() != io::ErrorKind::AlreadyExists => Err(cause),
            Err(_) => Ok(()),
        }
    }

    /// Locks a directory that is there.
    pub fn open_existing(path: &Path) -> Result<Self, OpenError> {
        let error = |cause: io::Error| OpenError::io(path, &cause);
        let metadata = fs::metadata(path).map_err(error)?;
        if !metadata.is_dir() {
            return Err(OpenError::Unusable(format!("{}: is not a directory", path.display())));
        }
        if metadata.permissions().mode() & 0o002 != 0 {
            let path = path.display();
            let what =
                format!("{path}: everybody may write to it; 'chmod o-w {path}' forbids that");
            return Err(OpenError::Unusable(what));
        }
        let lock = lock(&path.join(".lock"), path)?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// Finds out at start, and not at the first change, that files cannot be made here. A disk that
    /// is full or failing is no reason to refuse: what is there can still be read.
    fn probe(&self) -> Result<(), OpenError> {
        let probe = self.path.join(".probe");
        match Disk.create(&probe).and_then(|_| Disk.remove(&probe)) {
            Err(cause) if forbids(&cause) => {
                let path = self.path.display();
                Err(OpenError::Unusable(format!("{path}: nothing can be written to it: {cause}")))
            }
            _ => Ok(()),
        }
    }

    /// Takes from everybody but the owner what a copy or an editor may have given them: the right
    /// to read records.
    pub fn tighten(&self) -> io::Result<()> {
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let name = entry.file_name();
            let is_record =
                name.as_encoded_bytes().starts_with(b"User") && entry.file_type()?.is_file();
            if is_record && entry.metadata()?.permissions().mode() & 0o077 != 0 {
                fs::set_permissions(entry.path(), fs::Permissions::from_mode(0o600))?;
            }
        }
        Ok(())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Whether this is a matter of what is allowed, and not of how the disk is doing.
fn forbids(cause: &io::Error) -> bool {
    use io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    matches!(cause.kind(), PermissionDenied | ReadOnlyFilesystem)
}

fn lock(file: &Path, directory: &Path) -> Result<File, OpenError> {
    let open = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(file);
    let lock = open.map_err(|cause| OpenError::io(file, &cause))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse(directory.display().to_string())),
        Err(TryLockError::Error(cause)) => Err(OpenError::io(file, &cause)),
    }
}
