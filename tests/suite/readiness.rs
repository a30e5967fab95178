//! `/readyz` tells what keeps the service from its work, and that nothing does any more.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::json;
use sessiond::app::World;
use sessiond::models::Role;
use sessiond::random::{Random, SystemRandom};

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, Connection, Fate, InProcess, PASSWORD, START};

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
    /// This operation waits at the gate.
    slow: Mutex<Option<(&'static str, Arc<Gate>)>>,
    probes: AtomicUsize,
}

impl Mood {
    fn decide(&self, operation: &str) -> Fate {
        self.probes.fetch_add(usize::from(operation == "create User.probe"), Ordering::SeqCst);
        let slow = self.slow.lock().unwrap().clone();
        if let Some((_, gate)) = slow.filter(|(slow, _)| *slow == operation) {
            gate.pass();
        }
        let full = self.full.lock().unwrap();
        match (operation.strip_prefix("write "), *full) {
            (Some(name), Some(full)) if name.starts_with(full) => Fate::Failed,
            _ => Fate::Done,
        }
    }

    fn probes(&self) -> usize {
        self.probes.load(Ordering::SeqCst)
    }
}

fn on_moody_disk() -> (Arc<Mood>, InProcess) {
    let mood = Arc::new(Mood::default());
    let decides = Arc::clone(&mood);
    (mood, InProcess::on_disk(move |operation| decides.decide(operation)))
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

const NO_ROOM_FOR_USERS: &str = "changes of User cannot be written: no space is left on the disk";
const NO_ROOM_FOR_SESSIONS: &str =
    "changes of UserSession cannot be written: no space is left on the disk";

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

/// What is told of a journal that is not where or what it was.
const NO_JOURNAL: &str =
    "changes of User cannot be written: the journal was removed, renamed, replaced or damaged";

#[test]
fn a_journal_that_was_removed_renamed_or_replaced_is_told_until_it_is_back() {
    let (_, server) = on_moody_disk();
    let admin = server.admin();
    let (journal, kept) = (server.data().join("User.journal"), server.data().join("kept"));
    let content = std::fs::read(&journal).unwrap();
    let takings: [&dyn Fn(); 4] = [
        &|| std::fs::remove_file(&journal).unwrap(),
        &|| std::fs::rename(&journal, &kept).unwrap(),
        &|| {
            std::fs::hard_link(&journal, &kept).unwrap();
            std::fs::remove_file(&journal).unwrap();
        },
        &|| {
            std::fs::remove_file(&journal).unwrap();
            std::fs::write(&journal, "another one\n").unwrap();
        },
    ];
    for take in takings {
        assert_ready(&ask(&server));
        take();
        for _ in 0..2 {
            assert_not_ready(&ask(&server), NO_JOURNAL);
            let body = json!({ "email": "bob@example.com", "password": PASSWORD });
            let create = server.post("/api/v1/users").session(&admin).json(&body).send();
            assert_eq!(create.status, 503);
        }
        let _ = std::fs::remove_file(&kept);
        std::fs::write(&journal, &content).unwrap();
        assert_ready(&ask(&server));
    }
}

#[test]
fn a_data_directory_that_was_moved_is_told_until_it_is_back() {
    let (_, server) = on_moody_disk();
    let admin = server.admin();
    let moved = server.data().with_file_name("moved");
    assert_ready(&ask(&server));
    std::fs::rename(server.data(), &moved).unwrap();
    let sessions = NO_JOURNAL.replace("User", "UserSession");
    assert_not_ready(&ask(&server), &format!("{NO_JOURNAL}; {sessions}"));
    let logout = || server.delete("/api/v1/auth_session/logout").session(&admin).send().status;
    assert_eq!(logout(), 503);
    std::fs::rename(&moved, server.data()).unwrap();
    assert_ready(&ask(&server));
    assert_eq!(logout(), 200);
}

#[test]
fn a_data_directory_that_is_gone_is_told_also_before_there_is_a_journal() {
    let (_, server) = on_moody_disk();
    // A start after a stop opens no journal before it is asked for something.
    let server = server.restart(START);
    let moved = server.data().with_file_name("moved");
    std::fs::rename(server.data(), &moved).unwrap();
    let gone = ["User", "UserSession"]
        .map(|class| format!("changes of {class} cannot be written: the data directory is gone"));
    assert_not_ready(&ask(&server), &gone.join("; "));
    std::fs::rename(&moved, server.data()).unwrap();
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
    *mood.slow.lock().unwrap() = Some(("sync User.probe", Arc::clone(&gate)));
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
    *mood.slow.lock().unwrap() = Some(("sync User.journal", Arc::clone(&gate)));
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
