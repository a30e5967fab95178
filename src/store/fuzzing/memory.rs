//! Files in memory that never fail.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::store::files::{Files, Identity, OpenFile, ReadFile};

type Contents = BTreeMap<PathBuf, Vec<u8>>;

#[derive(Clone, Default)]
pub struct Memory(Arc<Mutex<Contents>>);

impl Memory {
    /// One file.
    pub fn of(path: &Path, content: &[u8]) -> Self {
        Self(Arc::new(Mutex::new([(path.to_owned(), content.to_owned())].into())))
    }

    /// What is in a file.
    pub fn content(&self, path: &Path) -> Vec<u8> {
        self.lock().get(path).cloned().unwrap_or_default()
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Files for Memory {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Ok(self.lock().get(path).cloned())
    }

    fn open_read(&self, path: &Path) -> io::Result<Option<Box<dyn ReadFile>>> {
        let there = self.lock().contains_key(path);
        Ok(there.then(|| Box::new(Open(self.clone(), path.to_owned())) as Box<dyn ReadFile>))
    }

    fn identity(&self, path: &Path) -> io::Result<Option<Identity>> {
        Ok(self.lock().contains_key(path).then_some((0, 0)))
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.lock().entry(path.to_owned()).or_default();
        Ok(Box::new(Open(self.clone(), path.to_owned())))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        self.remove(path)?;
        self.open_append(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let content = self.lock().remove(from).ok_or(io::ErrorKind::NotFound)?;
        self.lock().insert(to.to_owned(), content);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.lock().remove(path);
        Ok(())
    }

    fn sync_directory(&self, _: &Path) -> io::Result<()> {
        Ok(())
    }
}

struct Open(Memory, PathBuf);

impl OpenFile for Open {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.lock().entry(self.1.clone()).or_default().extend_from_slice(bytes);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        let length = usize::try_from(length).map_err(io::Error::other)?;
        self.0.lock().entry(self.1.clone()).or_default().truncate(length);
        Ok(())
    }

    fn identity(&self) -> io::Result<Identity> {
        Ok((0, 0))
    }
}

impl ReadFile for Open {
    fn identity(&self) -> io::Result<Identity> {
        Ok((0, 0))
    }

    fn content(&mut self) -> io::Result<Vec<u8>> {
        Ok(self.0.content(&self.1))
    }

    fn sync(&mut self) -> io::Result<()> {
        Ok(())
    }
}
