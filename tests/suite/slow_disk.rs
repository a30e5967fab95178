//! A disk on which a sync takes its time: who changes something waits for it, and nobody else does.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use serde_json::json;
use sessiond::app::World;
use sessiond::store::files::{Disk, Files, OpenFile, ReadFile};

use crate::harness::{InProcess, PASSWORD};

/// A disk whose journal of users tells when it is to be synced, and waits until it may.
struct SlowDisk {
    arrival: Sender<()>,
    release: Arc<Mutex<Receiver<()>>>,
}

struct SlowFile(Box<dyn OpenFile>, Sender<()>, Arc<Mutex<Receiver<()>>>);

impl Files for SlowDisk {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Disk.read(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Option<Box<dyn ReadFile>>> {
        Disk.open_read(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let file = Disk.open_append(path)?;
        if !path.ends_with("User.journal") {
            return Ok(file);
        }
        Ok(Box::new(SlowFile(file, self.arrival.clone(), Arc::clone(&self.release))))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        Disk.create(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        Disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        Disk.remove(path)
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        Disk.sync_directory(directory)
    }
}

impl OpenFile for SlowFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        let _ = self.1.send(());
        // When the test has gone, nothing is slow any more.
        let _ = self.2.lock().unwrap().recv();
        self.0.sync()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.0.truncate(length)
    }
}

#[test]
fn a_sync_that_takes_its_time_keeps_no_reader_and_no_session_waiting() {
    let ((arrival, arrived), (release, released)) = (channel(), channel());
    // Two for the journal that is opened for the first admin, and for him.
    for _ in 0..2 {
        release.send(()).unwrap();
    }
    let files = Arc::new(SlowDisk { arrival, release: Arc::new(Mutex::new(released)) });
    let server = InProcess::in_world(&["--workers", "1"], World { files, ..World::default() });
    let admin = server.admin();
    arrived.iter().take(2).for_each(drop);

    let body = json!({ "email": "bob@example.com", "password": PASSWORD });
    let create = server.post("/api/v1/users").session(&admin).json(&body).start();
    arrived.recv().unwrap();
    let users = || server.get("/api/v1/users").session(&admin).send().json();
    assert_eq!(users().as_array().unwrap().len(), 1, "nobody sees him yet");
    // Sessions are another class, with a writer of its own.
    let other = server.admin();
    let logout = server.delete("/api/v1/auth_session/logout").session(&other).send();
    assert_eq!(logout.status, 200);

    drop(release);
    assert_eq!(create.finish().status, 201);
    assert_eq!(users().as_array().unwrap().len(), 2);
}
