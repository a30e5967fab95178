//! An import, which is one step of each class, with a fault at every operation.

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sessiond::cli::import::take;
use sessiond::models::{User, UserSession};
use sessiond::store::json::JsonTable;
use sessiond::store::{Records as _, SessionStore as _};

use super::{all, open_in};
use crate::behaviour::content;
use crate::harness::records::{admin, run, session, user};
use crate::harness::simulated_disk::{POWER_LOSSES, SimulatedDisk};
use crate::harness::watched_files::{Fate, WatchedFiles};

/// Small enough for a fold of each class.
const FOLD_AT: u64 = 100;

type Stores = (JsonTable<User>, JsonTable<UserSession>);

fn open(files: impl Fn() -> WatchedFiles) -> Stores {
    let class = Path::new("");
    (open_in(class, files(), FOLD_AT).unwrap(), open_in(class, files(), FOLD_AT).unwrap())
}

fn untouched(disk: &SimulatedDisk) -> impl Fn() -> WatchedFiles {
    move || WatchedFiles::new(disk.clone(), |_| Fate::Done)
}

fn import(stores: &Stores, users: &[User], sessions: &[UserSession]) -> bool {
    run(take((&stores.0, &stores.1), users.to_vec(), sessions.to_vec())).is_ok()
}

fn contents((users, sessions): &Stores) -> (String, String) {
    (content(users.table()), content(sessions.table()))
}

#[test]
fn an_import_that_is_cut_short_at_any_operation_is_there_whole_or_not_at_all() {
    let users = [admin("root"), user("bob"), user("ann")];
    let sessions = [0, 1, 1, 2].map(|number| session(&users[number], None));
    // What was there: a session that is no longer anybody's, and one that the import brings too.
    let left_over = [session(&user("gone"), None), sessions[0].clone()];
    let whole = SimulatedDisk::default();
    let whole = open(untouched(&whole));
    assert!(import(&whole, &users, &sessions));
    let whole = contents(&whole);
    for fate in [Fate::Failed, Fate::Torn] {
        let mut number = 0;
        loop {
            let disk = SimulatedDisk::default();
            let before = open(untouched(&disk));
            run(before.1.replace_all_but(HashSet::new(), left_over.to_vec())).unwrap();
            drop(before);
            // From one operation on nothing works any more, as after a kill.
            let count = Arc::new(AtomicUsize::new(0));
            let stores = open(|| {
                let count = Arc::clone(&count);
                WatchedFiles::new(disk.clone(), move |operation| match operation {
                    reading if reading.starts_with("read") => Fate::Done,
                    _ if count.fetch_add(1, Ordering::SeqCst) >= number => fate,
                    _ => Fate::Done,
                })
            });
            let answered = import(&stores, &users, &sessions);
            drop(stores);
            for kind in POWER_LOSSES {
                let disk = disk.after_power_loss(kind);
                let stores = open(untouched(&disk));
                let context = format!("{fate:?} from {number}, {kind:?}");
                if !all(&stores.0).is_empty() {
                    assert!(contents(&stores) == whole, "{context}");
                    continue;
                }
                assert!(!answered, "{context}: answered and gone");
                assert!(import(&stores, &users, &sessions), "{context}: repeated");
                assert!(contents(&stores) == whole, "{context}: repeated");
            }
            if count.load(Ordering::SeqCst) <= number {
                assert!(answered);
                break;
            }
            number += 1;
        }
        assert!(number > 6, "{number} operations");
    }
}
