//! A question whether changes can be written, and what a store counts and times of its work.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::{Metric, Registry};
use sessiond::models::User;
use sessiond::store::UserStore as _;
use sessiond::store::files::Files as _;
use sessiond::store::json::JsonTable;

use super::open;
use crate::harness::records::{admin, run, user};
use crate::harness::simulated_disk::SimulatedDisk;
use crate::harness::watched_files::{Fate, WatchedFiles};

const NEVER: u64 = u64::MAX;

/// What a question does to a disk, in its order.
const STEPS: [&str; 8] = [
    "read User.journal",
    "open User.journal",
    "sync User.journal",
    "sync directory",
    "create User.probe",
    "write User.probe",
    "sync User.probe",
    "remove User.probe",
];

fn probe(store: &JsonTable<User>) -> bool {
    run(store.probe()).expect("the writer lives").is_ok()
}

/// Something that a disk and a test both see.
type Shared<T> = Arc<Mutex<T>>;

/// A disk that fails with one operation, and the operations that were asked of it.
fn failing(disk: &SimulatedDisk) -> (WatchedFiles, Shared<String>, Shared<Vec<String>>) {
    let (fails, log) = (Arc::new(Mutex::new(String::new())), Arc::new(Mutex::new(Vec::new())));
    let (wrong, told) = (Arc::clone(&fails), Arc::clone(&log));
    let decide = move |operation: &str| {
        told.lock().unwrap().push(operation.to_owned());
        if *wrong.lock().unwrap() == operation { Fate::Failed } else { Fate::Done }
    };
    (WatchedFiles::new(disk.clone(), decide), fails, log)
}

#[test]
fn a_question_does_all_that_a_change_needs_and_tells_each_step_that_fails() {
    let disk = SimulatedDisk::default();
    run(open::<User>(disk.clone(), NEVER).unwrap().insert(admin("ann"))).unwrap();
    let before = disk.read("User.journal".as_ref()).unwrap();
    for step in STEPS {
        let (files, fails, log) = failing(&disk);
        let store: JsonTable<User> = open(files, NEVER).unwrap();
        log.lock().unwrap().clear();
        step.clone_into(&mut fails.lock().unwrap());
        assert!(!probe(&store), "{step}");
        fails.lock().unwrap().clear();
        assert!(probe(&store), "{step}");
        assert_eq!(disk.names(), ["User.journal"], "{step}");
        assert_eq!(disk.read("User.journal".as_ref()).unwrap(), before);
    }
}

#[test]
fn a_question_after_a_change_looks_only_whether_there_is_room() {
    let disk = SimulatedDisk::default();
    let (files, _, log) = failing(&disk);
    let store: JsonTable<User> = open(files, NEVER).unwrap();
    log.lock().unwrap().clear();
    assert!(probe(&store));
    assert_eq!(*log.lock().unwrap(), STEPS);
    run(store.insert(admin("ann"))).unwrap();
    log.lock().unwrap().clear();
    assert!(probe(&store));
    assert_eq!(log.lock().unwrap()[0], "find User.journal");
    assert_eq!(log.lock().unwrap()[1..], STEPS[4..]);
    // And the first change after a question has nothing left to open.
    run(store.close()).unwrap();
    assert_eq!(disk.names(), ["User.json"]);
}

#[test]
fn a_journal_that_a_failed_sync_has_left_suspect_is_verified_by_a_question() {
    let disk = SimulatedDisk::default();
    let (files, fails, log) = failing(&disk);
    let store: JsonTable<User> = open(files, NEVER).unwrap();
    run(store.insert(admin("ann"))).unwrap();
    "sync User.journal".clone_into(&mut fails.lock().unwrap());
    run(store.insert(user("bob"))).unwrap_err();
    assert!(!probe(&store));
    fails.lock().unwrap().clear();
    log.lock().unwrap().clear();
    assert!(probe(&store), "without any change in between");
    assert_eq!(*log.lock().unwrap(), STEPS);
    run(store.insert(user("bob"))).unwrap();
}

#[test]
fn a_file_in_the_place_of_the_journal_is_not_cut_even_if_nothing_had_been_written() {
    let (disk, other) = (SimulatedDisk::default(), SimulatedDisk::default());
    run(open::<User>(other.clone(), NEVER).unwrap().insert(admin("ann"))).unwrap();
    let journal = "User.journal".as_ref();
    let foreign = other.read(journal).unwrap().unwrap();
    for has_asked in [false, true] {
        let store: JsonTable<User> = open(disk.clone(), NEVER).unwrap();
        assert!(!has_asked || probe(&store));
        disk.create(journal).unwrap().write_all(&foreign).unwrap();
        for _ in 0..2 {
            assert!(!probe(&store));
            run(store.insert(admin("bob"))).unwrap_err();
            assert_eq!(disk.read(journal).unwrap().as_ref(), Some(&foreign), "{has_asked}");
        }
        drop(store);
        disk.remove(journal).unwrap();
    }
}

#[test]
fn a_writer_that_has_ended_is_an_answer() {
    let disk = SimulatedDisk::default();
    let store: JsonTable<User> = open(disk, NEVER).unwrap();
    run(store.close()).unwrap();
    assert!(run(store.probe()).is_err());
}

/// What a metric tells.
fn told(metric: impl Metric) -> String {
    let mut registry = Registry::default();
    registry.register("m", "A metric", metric);
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    text
}

#[test]
fn writes_folds_and_what_fails_of_them_are_counted() {
    let disk = SimulatedDisk::default();
    let folds = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&folds);
    // The first fold fails, the others do not.
    let decide = move |operation: &str| {
        let failed =
            operation == "create User.json.tmp" && seen.fetch_add(1, Ordering::SeqCst) == 0;
        if failed { Fate::Failed } else { Fate::Done }
    };
    let store: JsonTable<User> = open(WatchedFiles::new(disk.clone(), decide), 1_000).unwrap();
    run(store.insert(admin("ann"))).unwrap();
    let shown = store.instruments().clone();
    let length = disk.read("User.journal".as_ref()).unwrap().unwrap().len();
    assert!(probe(&store), "by now it has told what it has written");
    assert_eq!(shown.journal_length.get(), i64::try_from(length).unwrap());
    let mut writes = 1;
    while folds.load(Ordering::SeqCst) < 2 {
        writes += 1;
        run(store.insert(user(&format!("user{writes}")))).unwrap();
    }
    // Nothing is folded any more when it has ended, and nothing is lost of what was counted.
    run(store.close()).unwrap();
    let folded = told(shown.fold_duration.clone());
    assert!(folded.contains("m_count 2\n") || folded.contains("m_count 3\n"), "{folded}");
    assert!(told(shown.sync_duration.clone()).contains(&format!("m_count {writes}\n")));
    assert_eq!((shown.fold_errors.get(), shown.write_errors.get()), (1, 0));
}
