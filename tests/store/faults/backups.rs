//! Backups that are made while a store goes on: each is a state that there has been, with all that
//! was answered before it began and nothing that was refused.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use sessiond::models::{PasswordHash, User, UserSession};
use sessiond::store::backup::{self, Contents};
use sessiond::store::files::{Disk, Files};
use sessiond::store::json::JsonTable;
use sessiond::store::load::Loaded;
use sessiond::store::{OpenError, Record, Room, SessionStore, UserStore};

use super::order::watched;
use super::{open, open_in};
use crate::harness::records::{run, session, user};
use crate::harness::scratch::Scratch;
use crate::harness::simulated_disk::SimulatedDisk;
use crate::harness::watched_files::{Fate, WatchedFiles};

const NEVER: u64 = u64::MAX;
/// Small enough for a fold every few changes.
const FOLD_AT: u64 = 900;

/// Makes a copy in the folder `copy`.
fn copy(files: &impl Files) -> Result<Contents, OpenError> {
    backup::copy(files, Path::new(""), Path::new("copy"))
}

fn records<R: Record>(files: &impl Files, folder: &Path) -> Vec<Arc<R>> {
    let loaded = Loaded::<R>::read(files, folder).unwrap();
    assert_eq!(loaded.torn(), None, "a copy ends with a whole line");
    loaded.table().iter().collect()
}

/// Which users there are.
type Names = BTreeSet<String>;

fn names(users: &[Arc<User>]) -> Names {
    users.iter().map(|user| user.email.to_string()).collect()
}

fn copied(files: &impl Files) -> Names {
    names(&records(files, Path::new("copy")))
}

fn stored(store: &JsonTable<User>) -> Names {
    names(&run(store.all()).unwrap())
}

fn insert(store: &JsonTable<User>, name: &str) {
    run(store.insert(user(name))).unwrap();
}

fn remove(store: &JsonTable<User>, name: &str) {
    let user = run(store.search(&format!("{name}@example.com"))).unwrap().unwrap();
    assert!(run(store.remove(user.id)).unwrap());
}

#[test]
fn a_backup_holds_what_was_answered_wherever_a_fold_is() {
    for step in [
        "rename User.journal",
        "create User.json.tmp",
        "write User.json.tmp",
        "sync User.json.tmp",
        "rename User.json.tmp",
        "remove User.journal.folding",
    ] {
        let disk = SimulatedDisk::default();
        let (store, watch) = watched::<User>(&disk, 0);
        insert(&store, "first");
        while disk.names() != ["User.json"] {
            std::thread::yield_now();
        }
        watch.hold(step);
        insert(&store, "second");
        watch.wait();
        // The writer itself moves the journal; all else goes on beside it.
        if step != "rename User.journal" {
            insert(&store, "third");
            remove(&store, "first");
        }
        let contents = copy(&disk).unwrap();
        assert_eq!(copied(&disk), stored(&store), "{step}");
        assert_eq!(contents.users, stored(&store).len(), "{step}");
        watch.hold("");
        watch.tell(&[Fate::Done]);
    }
}

/// Makes a copy while, at its operation `number`, `meanwhile` happens. Tells how many there were.
fn copy_with(
    disk: &SimulatedDisk,
    number: usize,
    meanwhile: impl Fn(&str) + Send + Sync + 'static,
) -> usize {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let files = WatchedFiles::new(disk.clone(), move |operation| {
        if counted.fetch_add(1, Ordering::SeqCst) == number {
            meanwhile(operation);
        }
        Fate::Done
    });
    copy(&files).unwrap();
    count.load(Ordering::SeqCst)
}

#[test]
fn a_backup_holds_a_state_that_was_whatever_happens_between_two_of_its_steps() {
    for (fold_at, changes) in [(0, 1), (0, 2), (FOLD_AT, 1), (FOLD_AT, 3), (FOLD_AT, 9), (NEVER, 2)]
    {
        let mut number = 0;
        loop {
            let disk = SimulatedDisk::default();
            let store = Arc::new(open::<User>(disk.clone(), fold_at).unwrap());
            let states = Arc::new(Mutex::new(Vec::new()));
            let (changing, known, seen) = (Arc::clone(&store), Arc::clone(&states), disk.clone());
            let change = move || {
                let mut states = known.lock().unwrap();
                let name = format!("user{}", states.len());
                match states.len() % 3 {
                    2 => remove(&changing, &format!("user{}", states.len() - 1)),
                    _ => insert(&changing, &name),
                }
                states.push(stored(&changing));
            };
            (0..8).for_each(|_| change());
            let before = states.lock().unwrap().len() - 1;
            let reached = copy_with(&disk, number, move |_| {
                (0..changes).for_each(|_| change());
                while seen.names().contains(&"User.journal.folding".to_owned()) {
                    std::thread::yield_now();
                }
            });
            let found = copied(&disk);
            let states = states.lock().unwrap();
            assert!(states[before..].contains(&found), "{changes} changes at {number}: {found:?}");
            if reached <= number {
                break;
            }
            number += 1;
        }
        assert!(number > 10, "{number}");
    }
}

#[test]
fn a_change_that_is_refused_while_a_backup_is_made_is_not_in_it() {
    let disk = SimulatedDisk::default();
    let (store, watch) = watched::<User>(&disk, NEVER);
    insert(&store, "bob");
    watch.hold("sync User.journal");
    let eve = std::thread::spawn(move || run(store.insert(user("eve"))).map(|_| store));
    watch.wait();
    // Her line is in the journal, whole, and not answered yet.
    let in_doubt = Mutex::new(Some((watch, eve)));
    let files = WatchedFiles::new(disk.clone(), move |operation| {
        if operation == "confirm User.journal"
            && let Some((watch, eve)) = in_doubt.lock().unwrap().take()
        {
            watch.tell(&[Fate::Failed, Fate::Done]);
            assert!(eve.join().unwrap().is_err());
        }
        Fate::Done
    });
    copy(&files).unwrap();
    assert_eq!(copied(&disk), ["bob@example.com".to_owned()].into());
}

#[test]
fn a_line_that_is_half_written_is_left_out_and_one_that_is_damaged_refuses_the_backup() {
    let disk = SimulatedDisk::default();
    let store = open::<User>(disk.clone(), NEVER).unwrap();
    insert(&store, "bob");
    insert(&store, "eve");
    let path = Path::new("User.journal");
    let whole = disk.read(path).unwrap().unwrap();
    let write = |content: &[u8]| disk.create(path).unwrap().write_all(content).unwrap();
    write(&whole[..whole.len() - 1]);
    copy(&disk).unwrap();
    assert_eq!(copied(&disk), ["bob@example.com".to_owned()].into());
    let mut damaged = whole.clone();
    damaged[whole.len() - 9] ^= 1;
    write(&damaged);
    let refused = copy(&disk).unwrap_err().to_string();
    assert_eq!(refused, "User.journal: damaged: line 3 does not fit its checksum");
    write(&whole);
    disk.create(Path::new("User.json")).unwrap().write_all(b"{").unwrap();
    let refused = copy(&disk).unwrap_err().to_string();
    assert!(refused.starts_with("User.json: damaged: "), "the source is named: {refused}");
}

#[test]
fn no_session_of_a_backup_is_of_a_later_password_than_its_user() {
    let disk = SimulatedDisk::default();
    let users = Arc::new(open::<User>(disk.clone(), NEVER).unwrap());
    let sessions = Arc::new(open::<UserSession>(disk.clone(), NEVER).unwrap());
    let bob = run(users.insert(user("bob"))).unwrap();
    run(sessions.insert(session(&bob, None), Room::default())).unwrap();
    let first = Mutex::new(None);
    let id = bob.id;
    let files = WatchedFiles::new(disk.clone(), move |operation| {
        // Between the two classes, in whatever order they are copied, he changes his password and
        // logs in once more.
        let class = operation.split([' ', '.']).nth(1).unwrap_or_default().to_owned();
        let mut first = first.lock().unwrap();
        let begun = first.get_or_insert_with(|| class.clone());
        if *begun != class && !begun.is_empty() {
            begun.clear();
            let change = |bob: &User| {
                let mut bob = bob.clone();
                bob.set_password(PasswordHash::of_nobody(5), false);
                Ok(bob)
            };
            let bob = run(users.update(id, Box::new(change))).unwrap().unwrap();
            run(sessions.insert(session(&bob, None), Room::default())).unwrap();
        }
        Fate::Done
    });
    copy(&files).unwrap();
    let bob = &records::<User>(&disk, Path::new("copy"))[0];
    let sessions = records::<UserSession>(&disk, Path::new("copy"));
    assert_eq!((bob.credential_version, sessions.len()), (1, 1));
    assert!(sessions.iter().all(|session| session.credential_version <= bob.credential_version));
}

#[test]
fn a_backup_that_fails_at_any_step_leaves_nothing_and_harms_nothing() {
    let scratch = Scratch::new();
    let (data, target) = (scratch.path().join("data"), scratch.path().join("backup"));
    fs::create_dir(&data).unwrap();
    let store = open_in::<User>(&data, Disk, NEVER).unwrap();
    insert(&store, "bob");
    for fate in [Fate::Failed, Fate::Torn] {
        for number in 0.. {
            let count = Arc::new(AtomicUsize::new(0));
            let counted = Arc::clone(&count);
            let files = WatchedFiles::new(Disk, move |_| {
                let now = counted.fetch_add(1, Ordering::SeqCst);
                if now == number { fate } else { Fate::Done }
            });
            let made = backup::make(&files, &data, &target);
            let left = fs::read_dir(scratch.path()).unwrap().count();
            if count.load(Ordering::SeqCst) <= number {
                assert_eq!((made.unwrap().users, left), (1, 2));
                fs::remove_dir_all(&target).unwrap();
                break;
            }
            let refused = made.unwrap_err().to_string();
            assert!(refused.contains("injected"), "{refused}");
            assert_eq!(left, 1, "{fate:?} at {number}");
            insert(&store, &format!("{fate:?}{number}"));
            let name = format!("{fate:?}{number}@example.com");
            let added = run(store.search(&name)).unwrap().unwrap();
            assert!(run(store.remove(added.id)).unwrap());
        }
    }
}

#[test]
fn backups_of_a_busy_store_on_a_real_disk_are_states_that_have_been() {
    let scratch = Scratch::new();
    let data = scratch.path().join("data");
    fs::create_dir(&data).unwrap();
    let store = Arc::new(open_in::<User>(&data, Disk, FOLD_AT).unwrap());
    let counter = run(store.insert(user("counter"))).unwrap().id;
    let (answered, ended) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let (busy, count, end) = (Arc::clone(&store), Arc::clone(&answered), Arc::clone(&ended));
    let writer = std::thread::spawn(move || {
        for number in 1.. {
            let change = move |user: &User| {
                Ok(User { first_name: Some(number.to_string()), ..user.clone() })
            };
            run(busy.update(counter, Box::new(change))).unwrap();
            count.store(number, Ordering::SeqCst);
            if end.load(Ordering::SeqCst) {
                return;
            }
        }
    });
    for number in 0..25 {
        while answered.load(Ordering::SeqCst) < number * 3 {
            std::thread::yield_now();
        }
        let target = scratch.path().join(format!("backup{number}"));
        let before = answered.load(Ordering::SeqCst);
        backup::make(&Disk, &data, &target).unwrap();
        let after = answered.load(Ordering::SeqCst) + 1;
        let found = records::<User>(&Disk, &target)[0].first_name.clone();
        let found: usize = found.map_or(0, |number| number.parse().unwrap());
        assert!((before..=after).contains(&found), "{before} <= {found} <= {after}");
    }
    ended.store(true, Ordering::SeqCst);
    writer.join().unwrap();
}
