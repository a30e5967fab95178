//! A world in which the disk and the randomness can be made to fail.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sessiond::app::World;
use sessiond::random::{Random, SystemRandom};
use sessiond::store::files::{Disk, Files, OpenFile, ReadFile};

use crate::harness::InProcess;

/// What a disk says that fails, as no client may read it.
pub const CAUSE: &str = "disk on fire";

/// Something that works until it is broken.
#[derive(Clone, Default)]
pub struct Fault(Arc<AtomicBool>);

impl Fault {
    pub fn set(&self, broken: bool) {
        self.0.store(broken, Ordering::SeqCst);
    }

    fn check(&self) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) { Err(io::Error::other(CAUSE)) } else { Ok(()) }
    }
}

/// A server, its disk and its randomness.
pub fn fallible(flags: &[&str]) -> (InProcess, Fault, Fault) {
    let (disk, random) = (Fault::default(), Fault::default());
    let (files, randomness) =
        (Arc::new(FallibleDisk(disk.clone())), Arc::new(FallibleRandom(random.clone())));
    let world = World { files, random: randomness, ..World::default() };
    (InProcess::in_world(flags, world), disk, random)
}

struct FallibleRandom(Fault);

impl Random for FallibleRandom {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        self.0.check()?;
        SystemRandom.fill(bytes)
    }
}

/// A disk that can be read and, unless it is broken, written to.
struct FallibleDisk(Fault);

impl Files for FallibleDisk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Disk.read(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Option<Box<dyn ReadFile>>> {
        Disk.open_read(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.0.check()?;
        Ok(Box::new(FallibleFile(Disk.open_append(path)?, self.0.clone())))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.0.check()?;
        Disk.create(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.0.check()?;
        Disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Disk.remove(path)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        Disk.sync_directory(directory)
    }
}

struct FallibleFile(Box<dyn OpenFile>, Fault);

impl OpenFile for FallibleFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.1.check()?;
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.1.check()?;
        self.0.sync()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.0.truncate(length)
    }
}
