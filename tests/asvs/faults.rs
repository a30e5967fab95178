//! A world in which the disk and the randomness can be made to fail.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sessiond::app::World;
use sessiond::random::{Random, SystemRandom};
use sessiond::store::files::Disk;

use crate::harness::{Fate, InProcess, WatchedFiles};

/// What disk and randomness say when they fail, as no client may read it.
pub const CAUSE: &str = "injected";

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
    let broken = disk.clone();
    // It can be read and, unless it is broken, written to.
    let files = Arc::new(WatchedFiles::new(Disk, move |operation| {
        let what = operation.split(' ').next().unwrap();
        let is_write = ["open", "create", "rename", "write", "sync"].contains(&what);
        if is_write && broken.check().is_err() { Fate::Failed } else { Fate::Done }
    }));
    let randomness = Arc::new(FallibleRandom(random.clone()));
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
