//! A disk in memory that can lose its power.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use sessiond::store::files::{Files, Identity, OpenFile, ReadFile};

/// Files in memory. What was written, renamed or removed is seen at once, and is durable once the
/// file, and for names the directory, has been synced. A clone is the same disk.
#[derive(Clone, Default)]
pub struct SimulatedDisk(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    names: Names,
    durable_names: Names,
}

type Names = BTreeMap<PathBuf, Arc<Mutex<Content>>>;

#[derive(Default)]
struct Content {
    now: Vec<u8>,
    durable: Vec<u8>,
}

/// What a power loss does with bytes that were not synced.
#[derive(Clone, Copy, Debug)]
pub enum Unsynced {
    Lost,
    Half,
    Zeroed,
    Kept,
}

/// Every way in which a power loss can end: what was done to names may be lost or kept too.
pub const POWER_LOSSES: [(Unsynced, bool); 8] = [
    (Unsynced::Lost, false),
    (Unsynced::Half, false),
    (Unsynced::Zeroed, false),
    (Unsynced::Kept, false),
    (Unsynced::Lost, true),
    (Unsynced::Half, true),
    (Unsynced::Zeroed, true),
    (Unsynced::Kept, true),
];

impl SimulatedDisk {
    /// The disk as it is found after a power loss.
    pub fn after_power_loss(&self, (unsynced, keeps_names): (Unsynced, bool)) -> Self {
        let state = self.0.lock().expect("no test panics while it holds the disk");
        let names = if keeps_names { &state.names } else { &state.durable_names };
        let copy = |(path, content): (&PathBuf, &Arc<Mutex<Content>>)| {
            let left = content.lock().expect("as above").left(unsynced);
            let content = Content { now: left.clone(), durable: left };
            (path.clone(), Arc::new(Mutex::new(content)))
        };
        let names: Names = names.iter().map(copy).collect();
        Self(Arc::new(Mutex::new(State { durable_names: names.clone(), names })))
    }

    /// The names of all files.
    pub fn names(&self) -> Vec<String> {
        let state = self.0.lock().expect("as above");
        state.names.keys().map(|path| path.display().to_string()).collect()
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.0.lock().expect("as above"))
    }
}

impl Content {
    fn left(&self, unsynced: Unsynced) -> Vec<u8> {
        let tail = self.now.strip_prefix(self.durable.as_slice());
        match (unsynced, tail) {
            (Unsynced::Kept, _) => self.now.clone(),
            (Unsynced::Half, Some(tail)) => [&self.durable, &tail[..tail.len() / 2]].concat(),
            (Unsynced::Zeroed, Some(tail)) => [&self.durable[..], &vec![0; tail.len()]].concat(),
            _ => self.durable.clone(),
        }
    }
}

/// The place in memory is nobody else's while the file is held.
fn identity(file: &Arc<Mutex<Content>>) -> Identity {
    (0, Arc::as_ptr(file) as u64)
}

struct Handle(Arc<Mutex<Content>>);

impl Files for SimulatedDisk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        let content = self.change(|state| state.names.get(path).cloned());
        Ok(content.map(|content| content.lock().expect("as above").now.clone()))
    }

    fn open_read(&self, path: &Path) -> io::Result<Option<Box<dyn ReadFile>>> {
        let content = self.change(|state| state.names.get(path).cloned());
        Ok(content.map(|content| Box::new(Handle(content)) as Box<dyn ReadFile>))
    }

    fn identity(&self, path: &Path) -> io::Result<Option<Identity>> {
        Ok(self.change(|state| state.names.get(path).map(identity)))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let open = |state: &mut State| Arc::clone(state.names.entry(path.into()).or_default());
        Ok(Box::new(Handle(self.change(open))))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.remove(path)?;
        self.open_append(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.change(|state| {
            let file = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
            state.names.insert(to.into(), file);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.change(|state| state.names.remove(path));
        Ok(())
    }

    fn sync_directory(&self, _: &Path) -> io::Result<()> {
        self.change(|state| state.durable_names = state.names.clone());
        Ok(())
    }
}

impl ReadFile for Handle {
    fn identity(&self) -> io::Result<Identity> {
        Ok(identity(&self.0))
    }

    fn content(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.0.lock().expect("as above").now.clone())
    }

    fn sync(&mut self) -> io::Result<()> {
        OpenFile::sync(self)
    }
}

impl OpenFile for Handle {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().expect("as above").now.extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut content = self.0.lock().expect("as above");
        let Content { now, durable } = &mut *content;
        durable.clone_from(now);
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).expect("a length in memory");
        self.0.lock().expect("as above").now.resize(length, 0);
        Ok(())
    }

    fn identity(&self) -> io::Result<Identity> {
        Ok(identity(&self.0))
    }
}
