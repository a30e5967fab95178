//! File operations whose fate a test decides, one by one.

use std::io;
use std::path::Path;
use std::sync::Arc;

use sessiond::store::files::{Files, Identity, OpenFile, ReadFile};

/// How an operation ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Done,
    /// It does nothing and fails.
    Failed,
    /// A write leaves half of its bytes and fails; any other operation does nothing and fails.
    Torn,
}

/// Decides the fate of an operation, before it happens, from what it is and the file's name:
/// `"write User.journal"`, say.
pub type Decide = Arc<dyn Fn(&str) -> Fate + Send + Sync>;

/// Files that ask before each operation.
pub struct WatchedFiles {
    files: Arc<dyn Files>,
    decide: Decide,
}

impl WatchedFiles {
    pub fn new(files: impl Files, decide: impl Fn(&str) -> Fate + Send + Sync + 'static) -> Self {
        Self { files: Arc::new(files), decide: Arc::new(decide) }
    }

    fn ask(&self, operation: &str, path: &Path) -> io::Result<()> {
        let fate = (self.decide)(&describe(operation, path));
        if fate == Fate::Done { Ok(()) } else { Err(fault()) }
    }

    fn watch(&self, path: &Path, file: Box<dyn OpenFile>) -> Box<dyn OpenFile> {
        let name = describe("", path).trim_start().to_owned();
        Box::new(WatchedFile { file, name, decide: Arc::clone(&self.decide) })
    }
}

fn describe(operation: &str, path: &Path) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{operation} {name}")
}

fn fault() -> io::Error {
    io::Error::new(io::ErrorKind::StorageFull, "injected")
}

impl Files for WatchedFiles {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        self.ask("read", path)?;
        self.files.read(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Option<Box<dyn ReadFile>>> {
        self.ask("look", path)?;
        let file = self.files.open_read(path)?;
        let name = describe("", path).trim_start().to_owned();
        let watched = |file| WatchedReading { file, name, decide: Arc::clone(&self.decide) };
        Ok(file.map(|file| Box::new(watched(file)) as Box<dyn ReadFile>))
    }

    fn identity(&self, path: &Path) -> io::Result<Option<Identity>> {
        self.ask("find", path)?;
        self.files.identity(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.ask("open", path)?;
        Ok(self.watch(path, self.files.open_append(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.ask("create", path)?;
        Ok(self.watch(path, self.files.create(path)?))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.ask("rename", from)?;
        self.files.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.ask("remove", path)?;
        self.files.remove(path)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        self.ask("sync", Path::new("directory"))?;
        self.files.sync_directory(directory)
    }
}

struct WatchedFile {
    file: Box<dyn OpenFile>,
    name: String,
    decide: Decide,
}

impl WatchedFile {
    fn ask(&self, operation: &str) -> Fate {
        (self.decide)(&format!("{operation} {}", self.name))
    }
}

impl OpenFile for WatchedFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self.ask("write") {
            Fate::Done => self.file.write_all(bytes),
            Fate::Failed => Err(fault()),
            Fate::Torn => {
                self.file.write_all(&bytes[..bytes.len() / 2])?;
                Err(fault())
            }
        }
    }

    fn sync(&mut self) -> io::Result<()> {
        if self.ask("sync") == Fate::Done { self.file.sync() } else { Err(fault()) }
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        if self.ask("truncate") == Fate::Done { self.file.truncate(length) } else { Err(fault()) }
    }

    fn identity(&self) -> io::Result<Identity> {
        self.file.identity()
    }
}

struct WatchedReading {
    file: Box<dyn ReadFile>,
    name: String,
    decide: Decide,
}

impl WatchedReading {
    fn ask(&self, operation: &str) -> io::Result<()> {
        let fate = (self.decide)(&format!("{operation} {}", self.name));
        if fate == Fate::Done { Ok(()) } else { Err(fault()) }
    }
}

impl ReadFile for WatchedReading {
    fn identity(&self) -> io::Result<Identity> {
        self.file.identity()
    }

    fn content(&mut self) -> io::Result<Vec<u8>> {
        self.ask("copy")?;
        self.file.content()
    }

    fn sync(&mut self) -> io::Result<()> {
        self.ask("confirm")?;
        self.file.sync()
    }
}
