//! The file of the security log: each line is appended with one write, and what cannot be written
//! stops nothing.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{FileExt as _, FileTypeExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Only the owner reads or writes the security log.
const MODE: u32 = 0o600;

/// The file, open as long as the process lives.
pub struct AuditFile {
    path: PathBuf,
    open: Mutex<Open>,
}

impl AuditFile {
    /// Opens the file, made if it is missing. The error is one line that names it.
    pub fn open(path: &Path) -> Result<Self, String> {
        let open = Open::at(path).map_err(|cause| named(path, cause))?;
        Ok(Self { path: path.to_owned(), open: Mutex::new(open) })
    }

    /// Appends a line.
    pub fn append(&self, line: String) {
        let told = self.with_open(|open| open.append(line));
        if let Some(what) = told {
            log::error!("{}", named(&self.path, what));
        }
    }

    /// Opens what has the name now, made if it is missing. If that fails, the file that was open
    /// goes on.
    pub fn reopen(&self) {
        match Open::at(&self.path) {
            Ok(new) => {
                self.with_open(|open| *open = Open { lost: open.lost, ..new });
                log::info!("{}", named(&self.path, "opened anew"));
            }
            Err(cause) => {
                let what = format!("{cause}; the file that was open goes on");
                log::error!("{}", named(&self.path, what));
            }
        }
    }

    /// Does something while no other thread writes. The log must not be told meanwhile.
    fn with_open<T>(&self, work: impl FnOnce(&mut Open) -> T) -> T {
        work(&mut self.open.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Whether a file could be opened so; changes nothing. The error is one line that names it.
pub fn can_append_to(path: &Path) -> Result<(), String> {
    let folder = path.parent();
    let has_place = folder.is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir());
    match open(path, false) {
        Err(cause) if cause.kind() == ErrorKind::NotFound && has_place => Ok(()),
        opened => opened.map(drop).map_err(|cause| named(path, cause)),
    }
}

fn named(path: &Path, what: impl std::fmt::Display) -> String {
    format!("AUDIT_FILE='{}': {what}", path.display())
}

fn open(path: &Path, create: bool) -> io::Result<File> {
    if fs::metadata(path).is_ok_and(|found| found.file_type().is_fifo()) {
        return Err(io::Error::other("is a pipe; whoever reads it could stop the service"));
    }
    OpenOptions::new().read(true).append(true).create(create).mode(MODE).open(path)
}

/// An open file, and how it stands with it.
struct Open {
    file: File,
    /// Whether its last line lacks its end.
    torn: bool,
    /// How many lines could not be written since the last one that could.
    lost: u64,
}

impl Open {
    fn at(path: &Path) -> io::Result<Self> {
        let file = open(path, true)?;
        let found = file.metadata()?;
        if found.is_file() && found.permissions().mode() & 0o077 != 0 {
            let tightened = file.set_permissions(Permissions::from_mode(MODE));
            let what = match tightened {
                Ok(()) => "others could read or write it; its mode is 0600 now".into(),
                Err(cause) => format!("others may read or write it: {cause}"),
            };
            log::warn!("{}", named(path, what));
        }
        let mut last = [b'\n'];
        if let Some(end) = found.len().checked_sub(1).filter(|_| found.is_file()) {
            file.read_exact_at(&mut last, end)?;
        }
        Ok(Self { file, torn: last != [b'\n'], lost: 0 })
    }

    /// Appends a line, and tells what there is to say about it: when it begins to fail, and when
    /// it works again.
    fn append(&mut self, line: String) -> Option<String> {
        let line = if self.torn { format!("\n{line}\n") } else { line + "\n" };
        match self.write(line.as_bytes()) {
            Ok(()) => {
                let lost = std::mem::take(&mut self.lost);
                (lost > 0).then(|| format!("is written again; {lost} lines are missing"))
            }
            Err(cause) => {
                self.lost += 1;
                (self.lost == 1).then(|| format!("{cause}; lines are missing from here on"))
            }
        }
    }

    /// Writes with one call, but for a disk that takes only a part.
    fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            match self.file.write(bytes) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => {
                    self.torn = bytes[count - 1] != b'\n';
                    bytes = &bytes[count..];
                }
                Err(cause) if cause.kind() == ErrorKind::Interrupted => {}
                Err(cause) => return Err(cause),
            }
        }
        Ok(())
    }
}
