//! `/readyz` tells what keeps the service from its work, and that nothing does any more.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::json;
use sessiond::app::World;
use sessiond::models::Role;
use sessiond::random::{Random, SystemRandom};
use sessiond::store::files::{Disk, Files, OpenFile, ReadFile};

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, Connection, InProcess, PASSWORD};

/// How long an outcome is told again.
const FRESH: Duration = Duration::from_secs(1);

/// Something that waits at a gate as long as that is closed, and tells that it has come.
struct Gate {
    closed: Mutex<bool>,
    changed: Condvar,
    arrival: Mutex<Sender<()>>,
}

impl Gate {
    fn new() -> (Arc<Self>, Receiver<()>) {
        let (arrival, arrived) = channel();
        let (closed, changed) = (Mutex::new(false), Condvar::new());
        (Arc::new(Self { closed, changed, arrival: Mutex::new(arrival) }), arrived)
    }

    fn set(&self, closed: bool) {
        *self.closed.lock().unwrap() = closed;
        self.changed.notify_all();
    }

    fn pass(&self) {
        let mut closed = self.closed.lock().unwrap();
        if *closed {
            // A test that has seen enough listens no more.
            let _ = self.arrival.lock().unwrap().send(());
        }
        while *closed {
            closed = self.changed.wait(closed).unwrap();
        }
    }
}

/// What a disk does with some of its files.
#[derive(Default)]
struct Mood {
    /// There is no room for files whose names begin so.
    full: Mutex<Option<&'static str>>,
    /// Syncs of the file with this name wait at the gate.
    slow: Mutex<Option<(&'static str, Arc<Gate>)>>,
    /// The names of all files that were made.
    made: Mutex<Vec<String>>,
}

impl Mood {
    fn check_room(&self, name: &str) -> io::Result<()> {
        match *self.full.lock().unwrap() {
            Some(full) if name.starts_with(full) => Err(io::ErrorKind::StorageFull.into()),
            _ => Ok(()),
        }
    }

    fn wait(&self, name: &str) {
        let gate = self.slow.lock().unwrap().clone().filter(|(slow, _)| *slow == name);
        if let Some((_, gate)) = gate {
            gate.pass();
        }
    }

    fn probes(&self) -> usize {
        let made = self.made.lock().unwrap();
        made.iter().filter(|name| *name == "User.probe").count()
    }
}

/// A disk with moods.
struct Moody(Arc<Mood>);

struct MoodyFile {
    file: Box<dyn OpenFile>,
    mood: Arc<Mood>,
    name: String,
}

impl Moody {
    fn file(&self, path: &Path, file: Box<dyn OpenFile>) -> Box<dyn OpenFile> {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        Box::new(MoodyFile { file, mood: Arc::clone(&self.0), name })
    }
}

impl Files for Moody {
    fn read(&self, path: &Path) -> io::Result<Option<Vec<u8>>> {
        Disk.read(path)
    }

    fn open_read(&self, path: &Path) -> io::Result<Option<Box<dyn ReadFile>>> {
        Disk.open_read(path)
    }

    fn open_append(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        Ok(self.file(path, Disk.open_append(path)?))
    }

    fn create(&self, path: &Path) -> io::Result<Box<dyn OpenFile>> {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        self.0.made.lock().unwrap().push(name);
        Ok(self.file(path, Disk.create(path)?))
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

impl OpenFile for MoodyFile {
    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.mood.check_room(&self.name)?;
        self.file.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.mood.wait(&self.name);
        self.file.sync()
    }

    fn truncate(&mut self, length: u64) -> io::Result<()> {
        self.file.truncate(length)
    }

    fn is_there(&self) -> io::Result<bool> {
        self.file.is_there()
    }
}

fn on_moody_disk() -> (Arc<Mood>, InProcess) {
    let mood = Arc::new(Mood::default());
    let files = Arc::new(Moody(Arc::clone(&mood)));
    (mood, InProcess::in_world(&[], World { files, ..World::default() }))
}

/// What is answered when what was found before counts no more.
fn ask(server: &InProcess) -> Answer {
    server.advance(FRESH);
    server.get("/readyz").send()
}

#[track_caller]
fn assert_ready(answer: &Answer) {
    answer.assert_is(200, r#"{"status":"OK"}"#);
}

/// Holds that the service is not ready for these reasons and no other.
#[track_caller]
fn assert_not_ready(answer: &Answer, reasons: &str) {
    answer.assert_refused(503, &format!("not ready: {reasons}"), "not_ready");
    assert_eq!(answer.header("retry-after"), Some("1"));
}

const NO_ROOM_FOR_USERS: &str = "changes of User cannot be written (no storage space)";
const NO_ROOM_FOR_SESSIONS: &str = "changes of UserSession cannot be written (no storage space)";

#[test]
fn a_full_disk_is_told_and_so_is_room_without_any_other_write() {
    let (mood, server) = on_moody_disk();
    assert_ready(&ask(&server));
    let both = format!("{NO_ROOM_FOR_USERS}; {NO_ROOM_FOR_SESSIONS}");
    for (full, reasons) in
        [("User.", NO_ROOM_FOR_USERS), ("UserSession.", NO_ROOM_FOR_SESSIONS), ("", &both)]
    {
        *mood.full.lock().unwrap() = Some(full);
        for _ in 0..2 {
            assert_not_ready(&ask(&server), reasons);
        }
        server.get("/healthz").send().assert_is(200, r#"{"status":"OK"}"#);
        *mood.full.lock().unwrap() = None;
        assert_ready(&ask(&server));
    }
}

#[test]
fn a_question_leaves_nothing_in_the_files() {
    let (_, server) = on_moody_disk();
    server.admin();
    let files = || {
        let entries = std::fs::read_dir(server.data()).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> =
            entries.map(|path| (path.clone(), std::fs::read(path).unwrap())).collect();
        files.sort();
        files
    };
    let before = files();
    for _ in 0..3 {
        assert_ready(&ask(&server));
    }
    assert_eq!(files(), before);
}

#[test]
fn a_journal_that_was_removed_or_replaced_is_told_until_it_is_back() {
    let (_, server) = on_moody_disk();
    let journal = server.data().join("User.journal");
    let content = std::fs::read(&journal).unwrap();
    let told = "changes of User cannot be written (other error)";
    assert_ready(&ask(&server));
    std::fs::remove_file(&journal).unwrap();
    for replaced in [false, true] {
        if replaced {
            std::fs::write(&journal, "another one\n").unwrap();
        }
        let answer = ask(&server);
        assert_not_ready(&answer, told);
    }
    std::fs::write(&journal, content).unwrap();
    assert_ready(&ask(&server));
}

#[test]
fn an_outcome_is_told_again_for_a_second() {
    let (mood, server) = on_moody_disk();
    assert_ready(&ask(&server));
    let probes = mood.probes();
    *mood.full.lock().unwrap() = Some("");
    for _ in 0..100 {
        assert_ready(&server.get("/readyz").send());
    }
    assert_eq!(mood.probes(), probes);
    server.advance(FRESH.checked_sub(Duration::from_millis(1)).unwrap());
    assert_ready(&server.get("/readyz").send());
    server.advance(Duration::from_millis(1));
    assert_eq!(server.get("/readyz").send().status, 503);
}

#[test]
fn all_who_ask_at_once_share_one_look() {
    let (mood, server) = on_moody_disk();
    let (gate, arrived) = Gate::new();
    *mood.slow.lock().unwrap() = Some(("User.probe", Arc::clone(&gate)));
    gate.set(true);
    let asked: Vec<Connection> = (0..8).map(|_| server.get("/readyz").start()).collect();
    arrived.recv().unwrap();
    gate.set(false);
    for answer in asked {
        assert_ready(&answer.finish());
    }
    assert_eq!(mood.probes(), 1);
}

#[test]
fn a_writer_that_is_stuck_is_told_and_holds_up_no_other() {
    let (mood, server) = on_moody_disk();
    let admin = server.admin();
    let (gate, arrived) = Gate::new();
    *mood.slow.lock().unwrap() = Some(("User.journal", Arc::clone(&gate)));
    gate.set(true);
    let body = json!({ "email": "bob@example.com", "password": PASSWORD });
    let create = server.post("/api/v1/users").session(&admin).json(&body).start();
    arrived.recv().unwrap();
    for _ in 0..2 {
        assert_not_ready(&ask(&server), "the writer of User does not answer");
    }
    gate.set(false);
    assert_eq!(create.finish().status, 201);
    assert_ready(&ask(&server));
    // Nobody waits any more for what was asked meanwhile, so nothing is done for it.
    assert_eq!(mood.probes(), 1);
}

/// Randomness that runs out for a while, for hashing alone.
struct Slow(Arc<Gate>);

impl Random for Slow {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        if std::thread::current().name().is_some_and(|name| name.starts_with("hash ")) {
            self.0.pass();
        }
        SystemRandom.fill(bytes)
    }
}

#[test]
fn lanes_that_are_stuck_are_told_and_are_counted() {
    let (gate, arrived) = Gate::new();
    let world = World { random: Arc::new(Slow(Arc::clone(&gate))), ..World::default() };
    let server = InProcess::in_world(&["--hash-lanes", "1", "--hash-queue", "1"], world);
    server.add_user("ann@example.com", Role::User);
    let admin = server.admin();
    gate.set(true);
    let create = |email: &str| {
        let body = json!({ "email": email, "password": PASSWORD });
        server.post("/api/v1/users").session(&admin).json(&body).start()
    };
    let first = create("bob@example.com");
    arrived.recv().unwrap();
    let second = create("eve@example.com");
    let metrics = || server.get("/metrics").send().body;
    while !metrics().contains("\nsessiond_hashing_jobs 2\n") {
        std::thread::yield_now();
    }
    assert!(metrics().contains("\nsessiond_hashing_capacity 2\n"));
    assert_eq!(server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send().status, 503);
    let busy = "\nsessiond_logins_total{pathway=\"login\",outcome=\"busy\"} 1\n";
    assert!(metrics().contains(busy), "{}", metrics());
    server.advance(Duration::from_millis(29_999));
    assert_ready(&server.get("/readyz").send());
    assert!(metrics().contains("\nsessiond_ready 1\n"));
    assert_not_ready(&ask(&server), "the hashing lanes are stuck");
    assert!(metrics().contains("\nsessiond_ready 0\n"));
    gate.set(false);
    assert_eq!((first.finish().status, second.finish().status), (201, 201));
    assert_ready(&ask(&server));
    assert!(metrics().contains("\nsessiond_ready 1\n"));
    assert!(metrics().contains("\nsessiond_hashing_jobs 0\n"));
}
