//! Reading the files of one class as they were at one moment, past their writer.
//!
//! A class is a JSON file, which is replaced and never changed; a journal that was moved aside,
//! which is never changed either; and the journal, which grows, and shrinks only to what is
//! durable. All three are opened, the journal first, and their names are looked up once more.
//! While a file is open nobody else gets its identity, and no name that has gone to another file
//! comes back. So names that all still lead to what was opened did so at one moment, and a crash at
//! that moment would have left these three files to the next start, which copes with them: a line
//! holds whole records, and a JSON file that has seen some of the lines already changes nothing.
//!
//! The journal is read after that moment, so it holds every line that the JSON file may have seen,
//! and every change that was answered before. What is in the middle of being written is a matter
//! of the end: half a line is left out. A whole one may still be refused, when its sync fails, and
//! is cut off then. So the journal is synced here, too: what that confirms will not be lost to its
//! writer, and a failure shows here as well. And if what was read is not there any more after it,
//! all begins again.

use std::ffi::OsString;
use std::io;
use std::path::Path;

use crate::store::OpenError;
use crate::store::files::{Files, Identity, ReadFile};
use crate::store::journal;
use crate::store::load::Paths;
use crate::store::record::Record;

/// How often it is tried to find the files standing still.
const TRIES: usize = 20;

/// Names and contents of files.
pub type Contents = Vec<(OsString, Vec<u8>)>;

/// How one try ended.
enum Try {
    Read(Contents),
    /// Something changed meanwhile; this is told if it always does.
    Again(OpenError),
}

/// The files of a class, those that there are.
pub fn read<R: Record>(files: &dyn Files, directory: &Path) -> Result<Contents, OpenError> {
    let paths = Paths::of::<R>(directory);
    let mut last = None;
    for _ in 0..TRIES {
        match try_to_read::<R>(files, &paths)? {
            Try::Read(contents) => return Ok(contents),
            Try::Again(why) => last = Some(why),
        }
    }
    Err(last.expect("it was tried"))
}

fn try_to_read<R: Record>(files: &dyn Files, paths: &Paths) -> Result<Try, OpenError> {
    let names = [&paths.journal, &paths.folding, &paths.json];
    let mut opened = Vec::new();
    for path in names {
        opened.push(open(files, path)?);
    }
    for (path, file) in names.into_iter().zip(&opened) {
        let now = open(files, path)?;
        if identity(path, now.as_deref())? != identity(path, file.as_deref())? {
            let what = format!("{}: is replaced too often to be copied", path.display());
            return Ok(Try::Again(OpenError::Unusable(what)));
        }
    }
    let mut contents = Contents::new();
    for (path, file) in names.into_iter().zip(opened) {
        let Some(mut file) = file else { continue };
        let error = |cause: io::Error| OpenError::io(path, &cause);
        let mut content = file.content().map_err(error)?;
        if path == &paths.journal {
            match journal::read::<R>(&content) {
                Ok(replay) => content.truncate(usize::try_from(replay.length).unwrap_or(0)),
                Err((line, what)) => {
                    let what = format!("line {line} {what}");
                    return Ok(Try::Again(OpenError::damaged(path, what)));
                }
            }
            file.sync().map_err(error)?;
            if !file.content().map_err(error)?.starts_with(&content) {
                let what = format!("{}: is cut too often to be copied", path.display());
                return Ok(Try::Again(OpenError::Unusable(what)));
            }
        }
        contents.push((path.file_name().unwrap_or_default().to_owned(), content));
    }
    Ok(Try::Read(contents))
}

fn open(files: &dyn Files, path: &Path) -> Result<Option<Box<dyn ReadFile>>, OpenError> {
    files.open_read(path).map_err(|cause| OpenError::io(path, &cause))
}

fn identity(path: &Path, file: Option<&dyn ReadFile>) -> Result<Option<Identity>, OpenError> {
    let identity = file.map(ReadFile::identity).transpose();
    identity.map_err(|cause| OpenError::io(path, &cause))
}
