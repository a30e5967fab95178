//! The few file operations that the store is made of, behind one seam, so that a test can let the
//! n-th of them fail, tear a write or stop the world between two of them.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Only the owner reads or writes what the service stores.
const MODE: u32 = 0o600;

/// File operations on the data directory.
pub trait Files: Send + Sync + 'static {
    /// The whole content, or none when there is no such file.
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>>;
    /// Opens a file to read, if there is one. It stays this file, whatever becomes of its name.
    fn open_read(&self, path: &Path) -> io::Result<Option<Box<dyn ReadFile>>>;
    /// Which file has this name now, if there is one.
    fn identity(&self, path: &Path) -> io::Result<Option<Identity>>;
    /// Opens a file to append to, making it (mode 0600) when there is none.
    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;
    /// Makes an empty file (mode 0600), in place of one that is there.
    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>>;
    /// Renames atomically, in place of a file that is there.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file; no error when there is none.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// Makes what was created, renamed and removed in `directory` durable.
    fn sync_directory(&self, directory: &Path) -> io::Result<()>;
}

/// A file that is open for writing.
pub trait OpenFile: Send {
    /// Writes all of `bytes` at the end.
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()>;
    /// Makes content and length durable (fdatasync).
    fn sync(&mut self) -> io::Result<()>;
    /// Cuts the file to `length` bytes.
    fn truncate(&mut self, length: u64) -> io::Result<()>;
    /// Which file it is: no other has the same while this one is open.
    fn identity(&self) -> io::Result<Identity>;
}

/// A file that is open for reading, while others may write to it.
pub trait ReadFile: Send {
    /// Which file it is: no other has the same while this one is open.
    fn identity(&self) -> io::Result<Identity>;
    /// The whole content as it is now.
    fn content(&mut self) -> io::Result<Vec<u8>>;
    /// Makes durable what can be read now, whoever has written it; fails if some of what was
    /// written since the file was opened has been lost.
    fn sync(&mut self) -> io::Result<()>;
}

/// What tells two files apart: device and inode.
pub type Identity = (u64, u64);

/// The real file system.
pub struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        none_if_missing(fs::read(path))
    }

    fn open_read(&self, path: &Path) -> io::Result<Option<Box<dyn ReadFile>>> {
        let file = none_if_missing(File::open(path))?;
        Ok(file.map(|file| Box::new(file) as Box<dyn ReadFile>))
    }

    fn identity(&self, path: &Path) -> io::Result<Option<Identity>> {
        Ok(none_if_missing(fs::metadata(path))?.as_ref().map(identity))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let file = OpenOptions::new().append(true).create(true).mode(MODE).open(path)?;
        Ok(Box::new(file))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        // Removed first, so that the mode of an older file is not kept.
        self.remove(path)?;
        Ok(Box::new(OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        none_if_missing(fs::remove_file(path)).map(|_| ())
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        File::open(directory)?.sync_all()
    }
}

impl ReadFile for File {
    fn identity(&self) -> io::Result<Identity> {
        Ok(identity(&self.metadata()?))
    }

    fn content(&mut self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.rewind()?;
        self.read_to_end(&mut content)?;
        Ok(content)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

impl OpenFile for File {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        io::Write::write_all(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn identity(&self) -> io::Result<Identity> {
        Ok(identity(&self.metadata()?))
    }
}

/// How many bytes of a new file may wait to be synced. More would hold up the sync of a journal on
/// the same disk for as long as they take.
const MAX_UNSYNCED: usize = 4 << 20;

/// Puts `content` in place of the file at `path` as one step: after a crash there is the old file
/// or the new one, whole. `temporary` is a name in the same directory.
pub fn replace(
    files: &dyn Files,
    path: &Path,
    temporary: &Path,
    content: impl FnOnce(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<()> {
    let mut file = files.create(temporary)?;
    let written = (|| {
        let mut buffer = io::BufWriter::with_capacity(1 << 18, Writing::to(file.as_mut()));
        content(&mut buffer)?;
        buffer.flush()?;
        drop(buffer);
        file.sync()?;
        files.rename(temporary, path)
    })();
    if written.is_err() {
        // Nothing happened but for a file that nobody reads; a failure to remove it is no matter.
        let _ = files.remove(temporary);
    }
    written?;
    files.sync_directory(directory_of(path))
}

/// The directory that holds the file at `path`.
pub fn directory_of(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Writes to a file, and syncs it now and then.
struct Writing<'f> {
    file: &'f mut dyn OpenFile,
    unsynced: usize,
}

impl<'f> Writing<'f> {
    fn to(file: &'f mut dyn OpenFile) -> Self {
        Self { file, unsynced: 0 }
    }
}

impl io::Write for Writing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.unsynced >= MAX_UNSYNCED {
            self.file.sync()?;
            self.unsynced = 0;
        }
        self.file.write_all(bytes)?;
        self.unsynced += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn identity(metadata: &Metadata) -> Identity {
    (metadata.dev(), metadata.ino())
}

fn none_if_missing<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
