//! The same changes, with a fault at the first file operation, at the second, and so on, until
//! they pass untouched.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use sessiond::error::{Error, Result};
use sessiond::models::{User, UserId};
use sessiond::store::UserStore;
use sessiond::store::files::{Disk, Files};
use sessiond::store::json::JsonTable;

use super::{all, open, open_in};
use crate::harness::records::{admin, run, user};
use crate::harness::scratch::Scratch;
use crate::harness::simulated_disk::{POWER_LOSSES, SimulatedDisk};
use crate::harness::watched_files::{Fate, WatchedFiles};

/// Small enough for several folds in one script.
const FOLD_AT: u64 = 900;

enum Step {
    Insert(Vec<User>),
    Rename(UserId, &'static str),
    Remove(UserId),
}

/// Changes of all kinds, enough for several folds.
fn script() -> Vec<Step> {
    let users: Vec<User> = ["ann", "bob", "eve", "kim", "zoe"].map(user).into();
    let id = |number: usize| users[number].id;
    vec![
        Step::Insert(vec![admin("root")]),
        Step::Insert(users[..2].to_vec()),
        Step::Rename(id(0), "Ann"),
        Step::Insert(vec![users[2].clone()]),
        Step::Remove(id(1)),
        Step::Insert(users[3..].to_vec()),
        Step::Rename(id(3), "Kim"),
        Step::Remove(id(0)),
        Step::Rename(id(2), "Eve"),
    ]
}

impl Step {
    /// What there is after this step, if there was `before`.
    fn applied(&self, before: &[User]) -> Vec<User> {
        let mut users = before.to_vec();
        match self {
            Self::Insert(new) => users.extend_from_slice(new),
            Self::Rename(id, name) => {
                for user in users.iter_mut().filter(|user| user.id == *id) {
                    user.first_name = Some((*name).to_owned());
                }
            }
            Self::Remove(id) => users.retain(|user| user.id != *id),
        }
        users
    }

    fn attempt(&self, store: &JsonTable<User>) -> Result<()> {
        match self {
            Self::Insert(users) => run(store.insert_all(users.clone())),
            Self::Rename(id, name) => {
                let rename = |stored: &User| {
                    Ok(User { first_name: Some((*name).to_owned()), ..stored.clone() })
                };
                run(store.update(*id, Box::new(rename))).map(|_| ())
            }
            Self::Remove(id) => run(store.remove(*id)).map(|_| ()),
        }
    }
}

/// Which operations fail, counted from 0, and how.
#[derive(Clone)]
struct Faults {
    count: Arc<AtomicUsize>,
    fails: Arc<dyn Fn(usize) -> bool + Send + Sync>,
    fate: Fate,
}

impl Faults {
    fn new(fate: Fate, fails: impl Fn(usize) -> bool + Send + Sync + 'static) -> Self {
        Self { count: Arc::new(AtomicUsize::new(0)), fails: Arc::new(fails), fate }
    }

    fn on(&self, disk: &SimulatedDisk) -> WatchedFiles {
        self.over(disk.clone())
    }

    fn over(&self, files: impl Files) -> WatchedFiles {
        let faults = self.clone();
        WatchedFiles::new(files, move |_| {
            let number = faults.count.fetch_add(1, Ordering::SeqCst);
            if (faults.fails)(number) { faults.fate } else { Fate::Done }
        })
    }

    /// How many operations there have been.
    fn reached(&self) -> usize {
        self.count.load(Ordering::SeqCst)
    }
}

/// What is known of a store after some changes.
#[derive(Default)]
struct Known {
    /// What was answered, and what is to be read.
    answered: Vec<User>,
    /// What there would be with one of the changes that failed since.
    in_doubt: Vec<Vec<User>>,
}

impl Known {
    /// Makes a change, and checks what is answered and what is to be read.
    fn make(&mut self, step: &Step, store: &JsonTable<User>) {
        let after = step.applied(&self.answered);
        match step.attempt(store) {
            Ok(()) if after == self.answered => {}
            Ok(()) => *self = Self { answered: after, in_doubt: Vec::new() },
            Err(Error::Unavailable(_)) => self.in_doubt.push(after),
            Err(other) => panic!("{other}"),
        }
        assert_eq!(all(store), self.answered);
        for user in &self.answered {
            assert_eq!(*run(store.search(user.email.as_str())).unwrap().unwrap(), *user);
        }
    }

    /// Checks what a disk holds, once as it is and once after each kind of power loss; what is in
    /// doubt may be there when `with_doubt`.
    #[track_caller]
    fn check(&self, disk: &SimulatedDisk, with_doubt: bool, context: &str) {
        let power_losses =
            POWER_LOSSES.map(|kind| (format!("{kind:?}"), disk.after_power_loss(kind)));
        for (kind, disk) in power_losses.into_iter().chain([("kill".into(), disk.clone())]) {
            let store = match open(disk.clone(), FOLD_AT) {
                Ok(store) => store,
                Err(refused) => panic!("{context}, {kind}: {refused}"),
            };
            let found = all(&store);
            let in_doubt = with_doubt && self.in_doubt.contains(&found);
            if found != self.answered && !in_doubt {
                let (found, answered) = (addresses(&found), addresses(&self.answered));
                panic!("{context}, {kind}: {found:?}, but answered was {answered:?}");
            }
            // To start and to stop is no change.
            run(store.close()).unwrap();
            assert!(["", "User.json"].contains(&disk.names().join(" ").as_str()), "{context}");
            assert_eq!(
                all(&open(disk, FOLD_AT).unwrap()),
                found,
                "{context}, {kind}: after a stop"
            );
        }
    }
}

fn addresses(users: &[User]) -> Vec<&str> {
    users.iter().map(|user| user.email.as_str()).collect()
}

/// Runs `test` with a fault at the first operation, at the second, and so on. It tells how many
/// operations there were; the first run that does not come to its fault is the last.
fn at_every_operation(from: usize, mut test: impl FnMut(usize) -> usize) {
    let mut number = from;
    while test(number) > number {
        number += 1;
    }
}

#[test]
fn a_change_is_answered_and_kept_or_refused_and_gone_whichever_operation_fails() {
    for fate in [Fate::Failed, Fate::Torn] {
        at_every_operation(0, |number| {
            let context = format!("{fate:?} at {number}");
            let faults = Faults::new(fate, move |operation| operation == number);
            let disk = SimulatedDisk::default();
            let Ok(store) = open(faults.on(&disk), FOLD_AT) else {
                return faults.reached(); // reading failed at start: refused, see below
            };
            let mut known = Known::default();
            for step in &script() {
                known.make(step, &store);
                known.check(&disk.after_power_loss(POWER_LOSSES[7]), false, &context);
            }
            let closed = run(store.close());
            assert_eq!(all(&store), known.answered);
            if closed.is_ok() {
                assert_eq!(disk.names(), ["User.json"], "{context}");
            }
            drop(store);
            known.check(&disk, false, &context);
            faults.reached()
        });
    }
}

/// Makes the changes of the script while somebody reads over and over. Tells the users as they were
/// answered at any time, and as they were read. (A list is read by pages, so that it is no picture of
/// one moment; each user in it is.)
fn read_meanwhile(store: &JsonTable<User>) -> (Vec<User>, Vec<User>) {
    let (mut known, mut answered, over) = (Known::default(), Vec::new(), AtomicBool::new(false));
    let read = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut read = Vec::new();
            while !over.load(Ordering::SeqCst) {
                for user in all(store) {
                    if !read.contains(&user) {
                        read.push(user);
                    }
                }
            }
            read
        });
        for step in &script() {
            known.make(step, store);
            answered.extend_from_slice(&known.answered);
        }
        over.store(true, Ordering::SeqCst);
        reader.join().unwrap()
    });
    (answered, read)
}

#[test]
fn a_reader_at_any_moment_sees_nothing_that_is_refused_in_the_end() {
    for fate in [Fate::Failed, Fate::Torn] {
        at_every_operation(3, |number| {
            let faults = Faults::new(fate, move |operation| operation == number);
            let store = open(faults.on(&SimulatedDisk::default()), FOLD_AT).unwrap();
            let (answered, read) = read_meanwhile(&store);
            for seen in read {
                assert!(answered.contains(&seen), "{fate:?} at {number}: {seen:?}");
            }
            faults.reached()
        });
    }
}

#[test]
fn a_real_disk_keeps_the_same_when_an_operation_fails() {
    at_every_operation(3, |number| {
        let scratch = Scratch::new();
        let faults = Faults::new(Fate::Torn, move |operation| operation == number);
        let store = open_in(scratch.path(), faults.over(Disk), FOLD_AT).unwrap();
        let mut known = Known::default();
        for step in &script() {
            known.make(step, &store);
        }
        let _ = run(store.close());
        drop(store);
        for _ in ["after the fault", "after a stop"] {
            let store = open_in(scratch.path(), Disk, FOLD_AT).unwrap();
            assert_eq!(all(&store), known.answered, "fault at {number}");
            run(store.close()).unwrap();
        }
        faults.reached()
    });
}

#[test]
fn when_the_fault_is_gone_changes_work_again_without_a_restart() {
    for (fate, length) in [(Fate::Failed, 2), (Fate::Torn, 2), (Fate::Failed, 5), (Fate::Torn, 5)] {
        at_every_operation(3, |number| {
            let context = format!("{length} x {fate:?} at {number}");
            let faults =
                Faults::new(fate, move |operation| (number..number + length).contains(&operation));
            let disk = SimulatedDisk::default();
            let store = open(faults.on(&disk), FOLD_AT).unwrap();
            let mut known = Known::default();
            for step in &script() {
                known.make(step, &store);
            }
            let reached = faults.reached();
            while faults.reached() < number + length {
                known.make(&Step::Insert(vec![user(&format!("late{}", faults.reached()))]), &store);
            }
            known.make(&Step::Insert(vec![user("last")]), &store);
            assert!(known.in_doubt.is_empty(), "{context}: the last change has been answered");
            drop(store);
            known.check(&disk, false, &context);
            reached
        });
    }
}

#[test]
fn a_crash_at_any_operation_loses_nothing_that_was_answered() {
    for fate in [Fate::Failed, Fate::Torn] {
        at_every_operation(3, |number| {
            let faults = Faults::new(fate, move |operation| operation >= number);
            let disk = SimulatedDisk::default();
            let store = open(faults.on(&disk), FOLD_AT).unwrap();
            let mut known = Known::default();
            for step in &script() {
                known.make(step, &store);
            }
            let closed = run(store.close());
            assert_eq!(closed.is_ok(), faults.reached() <= number);
            drop(store);
            known.check(&disk, true, &format!("{fate:?} from {number}"));
            faults.reached()
        });
    }
}

#[test]
fn a_fault_and_a_crash_after_it_lose_nothing_that_was_answered() {
    at_every_operation(3, |fault| {
        let mut reached = 0;
        at_every_operation(fault + 1, |crash| {
            let fails = move |operation| operation == fault || operation >= crash;
            let faults = Faults::new(Fate::Torn, fails);
            let disk = SimulatedDisk::default();
            let store = open(faults.on(&disk), FOLD_AT).unwrap();
            let mut known = Known::default();
            for step in &script() {
                known.make(step, &store);
            }
            drop(store);
            known.check(&disk, true, &format!("fault at {fault}, crash at {crash}"));
            reached = faults.reached();
            reached
        });
        reached
    });
}

#[test]
fn a_start_that_cannot_read_its_files_is_refused_and_changes_nothing() {
    let disk = SimulatedDisk::default();
    let store = open(disk.clone(), FOLD_AT).unwrap();
    let mut known = Known::default();
    for step in &script()[..2] {
        known.make(step, &store);
    }
    run(store.close()).unwrap();
    for number in 0..3 {
        let faults = Faults::new(Fate::Failed, move |operation| operation == number);
        let refused = open::<User>(faults.on(&disk), FOLD_AT).err().unwrap().to_string();
        assert!(refused.starts_with("User.j") && refused.ends_with(": injected"), "{refused}");
        known.check(&disk, false, "after a refused start");
    }
}
