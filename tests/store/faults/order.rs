//! What is done to files, in which order, and when readers and callers get to know.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{join, join_all};
use sessiond::models::{User, UserSession};
use sessiond::store::files::Files as _;
use sessiond::store::json::JsonTable;
use sessiond::store::{Record, Room, SessionStore, UserStore};

use super::{all, open};
use crate::harness::records::{admin, after, email, refusal, run, session, user};
use crate::harness::simulated_disk::{POWER_LOSSES, SimulatedDisk};
use crate::harness::watched_files::{Fate, WatchedFiles};

const NEVER: u64 = u64::MAX;
const SYNC: &str = "sync User.journal";

/// Watches the operations on a disk, and holds some of them until their fate is told.
pub struct Watch {
    log: Arc<Mutex<Vec<String>>>,
    held: Arc<Mutex<&'static str>>,
    arrived: Receiver<()>,
    fate: Sender<Fate>,
}

impl Watch {
    fn on(disk: &SimulatedDisk) -> (WatchedFiles, Self) {
        let log = Arc::new(Mutex::new(Vec::new()));
        let held = Arc::new(Mutex::new(""));
        let (arrival, arrived) = channel();
        let (fate, told) = channel();
        let told = Mutex::new(told);
        let watch = Self { log: Arc::clone(&log), held: Arc::clone(&held), arrived, fate };
        let decide = move |operation: &str| {
            log.lock().unwrap().push(operation.to_owned());
            if *held.lock().unwrap() != operation {
                return Fate::Done;
            }
            let _ = arrival.send(());
            told.lock().unwrap().recv().unwrap_or(Fate::Done)
        };
        (WatchedFiles::new(disk.clone(), decide), watch)
    }

    /// From now on holds `operation`, and lets others pass.
    pub fn hold(&self, operation: &'static str) {
        *self.held.lock().unwrap() = operation;
    }

    /// Waits until an operation is held.
    pub fn wait(&self) {
        let arrived = self.arrived.recv_timeout(Duration::from_mins(1));
        arrived.expect("the operation should have come");
    }

    /// Lets the operations that come to be held end like this.
    pub fn tell(&self, fates: &[Fate]) {
        for fate in fates {
            self.fate.send(*fate).unwrap();
        }
    }

    /// The operations since this was last asked.
    fn operations(&self) -> Vec<String> {
        std::mem::take(&mut *self.log.lock().unwrap())
    }
}

/// An empty store that is watched. The watch is second, so that it goes first: what it holds is
/// let go then, and a test that fails does not hang.
pub fn watched<R: Record>(disk: &SimulatedDisk, fold_at: u64) -> (JsonTable<R>, Watch) {
    let (files, watch) = Watch::on(disk);
    (open(files, fold_at).unwrap(), watch)
}

fn insert(store: &JsonTable<User>, name: &str) -> String {
    match run(store.insert(user(name))) {
        Ok(_) => "done".into(),
        refused => refusal(refused),
    }
}

const BROKEN: &str = "503 User.journal: injected";

#[test]
fn a_change_is_written_and_synced_before_it_is_answered() {
    let disk = SimulatedDisk::default();
    let (store, watch) = watched::<User>(&disk, NEVER);
    let read = [
        "read User.json",
        "read User.journal.folding",
        "read User.journal",
        "remove User.json.tmp",
    ];
    assert_eq!(watch.operations(), read);
    let admin = run(store.insert(admin("root"))).unwrap();
    assert_eq!(
        watch.operations(),
        [
            "read User.journal",
            "open User.journal",
            "sync User.journal",
            "sync directory",
            "write User.journal",
            "sync User.journal",
            "find User.journal",
        ]
    );
    assert_eq!(insert(&store, "bob"), "done");
    assert_eq!(
        watch.operations(),
        ["write User.journal", "sync User.journal", "find User.journal"]
    );

    run(store.remove(admin.id)).unwrap_err();
    assert!(!run(store.remove(user("nobody").id)).unwrap());
    assert_eq!(watch.operations(), [""; 0], "what changes nothing writes nothing");
}

#[test]
fn a_stop_replaces_the_file_and_then_removes_the_journal() {
    let disk = SimulatedDisk::default();
    let (store, watch) = watched::<User>(&disk, NEVER);
    assert_eq!(insert(&store, "bob"), "done");
    watch.operations();
    run(store.close()).unwrap();
    assert_eq!(
        watch.operations(),
        [
            "create User.json.tmp",
            "write User.json.tmp",
            "sync User.json.tmp",
            "rename User.json.tmp",
            "sync directory",
            "remove User.journal.folding",
            "sync directory",
            "remove User.journal",
            "sync directory",
        ]
    );
}

#[test]
fn nobody_sees_a_change_before_it_is_synced() {
    let disk = SimulatedDisk::default();
    let (store, watch) = watched::<User>(&disk, NEVER);
    watch.hold(SYNC);
    watch.tell(&[Fate::Done]); // of the journal that is opened
    let mut inserted = store.insert(user("bob"));
    assert!((&mut inserted).now_or_never().is_none());
    watch.wait();
    watch.wait();
    assert_eq!(watch.operations().last().unwrap(), SYNC);
    assert_eq!(run(store.search("bob@example.com")).unwrap(), None);
    assert_eq!(run(store.count()).unwrap(), 0);
    assert_eq!(all(&store), []);
    assert!((&mut inserted).now_or_never().is_none(), "not answered yet");

    watch.tell(&[Fate::Done]);
    let inserted = run(inserted).unwrap();
    assert_eq!(run(store.get(inserted.id)).unwrap(), Some(inserted));
}

#[test]
fn a_change_is_made_even_if_its_caller_has_gone_away() {
    let disk = SimulatedDisk::default();
    let (store, _watch) = watched::<User>(&disk, NEVER);
    // Asked once and dropped, answered or (as a rule) not.
    drop(store.insert(user("bob")).now_or_never());
    assert_eq!(insert(&store, "eve"), "done");
    assert_eq!(all(&store).len(), 2);
    drop(store);
    assert_eq!(all(&open(disk, NEVER).unwrap()).len(), 2);
}

/// Hands in `changes` while the writer is busy with another one, so that they are one batch whose
/// sync ends as `fate`. Tells how each was answered.
fn as_one_batch(
    store: &JsonTable<User>,
    watch: &Watch,
    fate: Fate,
    changes: impl FnOnce() -> Vec<Answer>,
) -> Vec<String> {
    assert_eq!(insert(store, "first"), "done");
    watch.hold(SYNC);
    assert!(store.insert(user("busy")).now_or_never().is_none());
    watch.wait();
    watch.operations();
    let release = async { watch.tell(&[Fate::Done, fate, Fate::Done]) };
    let (answers, ()) = run(join(join_all(changes()), release));
    watch.hold("");
    answers
}

type Answer = std::pin::Pin<Box<dyn Future<Output = String>>>;

/// Changes of which some contradict each other.
fn contradicting(store: &Arc<JsonTable<User>>) -> Vec<Answer> {
    let (bob, second) = (user("bob"), user("bob"));
    let id = bob.id;
    let insert = |user: User| -> Answer {
        let store = Arc::clone(store);
        Box::pin(async move {
            store.insert(user).await.map_or_else(|e| e.to_string(), |_| "inserted".into())
        })
    };
    let (renaming, removing) = (Arc::clone(store), Arc::clone(store));
    let rename: Answer = Box::pin(async move {
        let change = |stored: &User| Ok(User { email: email("robert"), ..stored.clone() });
        let renamed = renaming.update(id, Box::new(change)).await;
        renamed.map_or_else(|e| e.to_string(), |user| user.unwrap().email.to_string())
    });
    let remove: Answer = Box::pin(async move {
        let removed = removing.remove(id).await;
        removed.map_or_else(|e| e.to_string(), |removed| removed.to_string())
    });
    vec![
        insert(bob),
        insert(second.clone()),
        rename,
        insert(second),
        insert(user("ROBERT")),
        remove,
        insert(user("Robert")),
    ]
}

#[test]
fn changes_that_wait_share_one_sync_and_see_each_other() {
    let disk = SimulatedDisk::default();
    let (store, watch) = watched::<User>(&disk, NEVER);
    let store = Arc::new(store);
    let answers = as_one_batch(&store, &watch, Fate::Done, || contradicting(&store));
    let taken = "email is already taken";
    let expected = ["inserted", taken, "robert@example.com", "inserted", taken, "true", "inserted"];
    assert_eq!(answers, expected);
    // The first is the end of the batch before.
    let found = "find User.journal";
    assert_eq!(watch.operations(), [found, "write User.journal", SYNC, found]);
    let addresses = |store: &_| all(store).iter().map(|u| u.email.to_string()).collect::<Vec<_>>();
    let expected = ["first", "busy", "bob", "Robert"].map(|name| format!("{name}@example.com"));
    assert_eq!(addresses(&store), expected);
    drop(store);
    assert_eq!(addresses(&open(disk, NEVER).unwrap()), expected);
}

#[test]
fn changes_that_share_a_sync_that_fails_are_all_refused_and_none_is_there() {
    let disk = SimulatedDisk::default();
    let (store, watch) = watched::<User>(&disk, NEVER);
    let store = Arc::new(store);
    let answers = as_one_batch(&store, &watch, Fate::Failed, || contradicting(&store));
    // Even a change that was refused for another: that one has not come about.
    assert_eq!(answers, ["User.journal: injected"; 7]);
    assert_eq!(all(&store).len(), 2);
    for loss in POWER_LOSSES {
        assert_eq!(all(&open(disk.after_power_loss(loss), NEVER).unwrap()).len(), 2, "{loss:?}");
    }
    assert_eq!(insert(&store, "bob"), "done");
    assert_eq!(all(&open(disk, NEVER).unwrap()).len(), 3);
}

#[test]
fn after_a_failed_sync_the_journal_is_verified_before_anything_is_written() {
    let disk = SimulatedDisk::default();
    let (store, watch) = watched::<User>(&disk, NEVER);
    assert_eq!(insert(&store, "bob"), "done");
    watch.hold(SYNC);
    watch.tell(&[Fate::Failed, Fate::Done]);
    assert_eq!(insert(&store, "eve"), BROKEN);
    watch.hold("");
    watch.operations();
    assert_eq!(insert(&store, "eve"), "done");
    assert_eq!(
        watch.operations(),
        [
            "read User.journal",
            "open User.journal",
            "sync User.journal",
            "sync directory",
            "write User.journal",
            "sync User.journal",
            "find User.journal",
        ]
    );
}

#[test]
fn a_journal_that_lost_something_to_a_failed_sync_takes_no_more_and_readers_go_on() {
    let disk = SimulatedDisk::default();
    let (store, watch) = watched::<User>(&disk, NEVER);
    assert_eq!(insert(&store, "bob"), "done");
    watch.hold(SYNC);
    watch.tell(&[Fate::Failed, Fate::Done]);
    assert_eq!(insert(&store, "eve"), BROKEN);
    watch.hold("");
    let path = Path::new("User.journal");
    let mut damaged = disk.read(path).unwrap().unwrap();
    let place = damaged.len() - 40;
    damaged[place] ^= 1;
    disk.create(path).unwrap().write_all(&damaged).unwrap();

    for _ in 0..2 {
        let refused = insert(&store, "eve");
        assert!(refused.ends_with("User.journal: its content has changed underneath"), "{refused}");
        assert_eq!(disk.read(path).unwrap().unwrap(), damaged, "nothing is written");
        assert_eq!(run(store.search("bob@example.com")).unwrap().unwrap().email, email("bob"));
    }
    // What is in memory is all there is, and a stop brings it to the file.
    run(store.close()).unwrap();
    assert_eq!(all(&open(disk, NEVER).unwrap()).len(), 1);
}

#[test]
fn a_journal_that_is_renamed_while_it_is_synced_is_noticed_before_the_answer() {
    let disk = SimulatedDisk::default();
    let (store, watch) = watched::<User>(&disk, NEVER);
    assert_eq!(insert(&store, "bob"), "done");
    let (journal, elsewhere) = (Path::new("User.journal"), Path::new("elsewhere"));
    let before = disk.read(journal).unwrap();
    watch.hold(SYNC);
    let mut eve = store.insert(user("eve"));
    assert!((&mut eve).now_or_never().is_none());
    watch.wait();
    disk.rename(journal, elsewhere).unwrap();
    watch.tell(&[Fate::Done, Fate::Done]); // of what is taken back, too
    let renamed = "503 User.journal: it was removed, renamed or replaced";
    assert_eq!(refusal(run(eve)), renamed);
    watch.hold("");
    assert_eq!(disk.read(elsewhere).unwrap(), before, "nothing is left of her");

    watch.operations();
    assert_eq!(insert(&store, "eve"), "503 User.journal: it is gone");
    assert_eq!(watch.operations(), ["read User.journal"], "and nothing more is written to it");
    disk.rename(elsewhere, journal).unwrap();
    assert_eq!(insert(&store, "eve"), "done");
    assert_eq!(all(&open(disk, NEVER).unwrap()), all(&store));
}

#[test]
fn a_file_in_the_place_of_the_journal_is_not_folded() {
    let disk = SimulatedDisk::default();
    let (store, watch) = watched::<User>(&disk, 0);
    watch.hold("find User.journal");
    let mut bob = store.insert(user("bob"));
    assert!((&mut bob).now_or_never().is_none());
    watch.wait();
    watch.tell(&[Fate::Done]);
    // Now he is answered, and the journal is looked for once more to be moved.
    run(bob).unwrap();
    watch.wait();
    disk.create(Path::new("User.journal")).unwrap().write_all(b"another one\n").unwrap();
    watch.hold("");
    watch.tell(&[Fate::Done]);
    let changed = "503 User.journal: its content has changed underneath";
    assert_eq!(insert(&store, "eve"), changed);
    assert_eq!(disk.names(), ["User.journal"]);
    run(store.close()).unwrap();
    assert_eq!(all(&open(disk, NEVER).unwrap()), all(&store));
}

#[test]
fn a_fold_holds_up_no_change_and_a_crash_in_it_loses_none() {
    let disk = SimulatedDisk::default();
    let (store, watch) = watched::<User>(&disk, 0);
    watch.hold("sync User.json.tmp");
    assert_eq!(insert(&store, "bob"), "done");
    watch.wait();
    for name in ["ann", "eve", "zoe"] {
        assert_eq!(insert(&store, name), "done");
    }
    assert_eq!(disk.names(), ["User.journal", "User.journal.folding", "User.json.tmp"]);
    for loss in POWER_LOSSES {
        let found = all(&open(disk.after_power_loss(loss), NEVER).unwrap());
        assert_eq!(found, all(&store), "{loss:?}");
    }
    watch.hold("");
    watch.tell(&[Fate::Done]);
    run(store.close()).unwrap();
    assert_eq!(disk.names(), ["User.json"]);
    assert_eq!(all(&open(disk, NEVER).unwrap()), all(&store));
}

#[test]
fn a_fold_that_fails_refuses_no_change_and_is_done_later() {
    let disk = SimulatedDisk::default();
    let (store, watch) = watched::<User>(&disk, 0);
    watch.hold("sync User.json.tmp");
    assert_eq!(insert(&store, "bob"), "done");
    watch.wait();
    watch.tell(&[Fate::Failed]);
    while !watch.operations().contains(&"remove User.json.tmp".to_owned()) {
        std::thread::yield_now();
    }
    // The next fold begins with what the last one left.
    for name in ["ann", "eve", "kim"] {
        assert_eq!(insert(&store, name), "done");
    }
    while watch.arrived.try_recv().is_err() {
        insert(&store, &format!("more{}", all(&store).len()));
    }
    watch.hold("");
    watch.tell(&[Fate::Done]);
    run(store.close()).unwrap();
    assert_eq!(disk.names(), ["User.json"]);
    assert_eq!(all(&open(disk, NEVER).unwrap()), all(&store));
}

#[test]
fn a_session_in_use_waits_for_no_disk() {
    let disk = SimulatedDisk::default();
    let (store, watch) = watched::<UserSession>(&disk, NEVER);
    let login = run(store.insert(session(&user("bob"), None), Room::default())).unwrap();
    watch.hold("write UserSession.journal");
    store.touch(&login, after(60));
    watch.wait();
    store.touch(&login, after(120));
    let stored = run(store.get(&login.hash)).unwrap().unwrap();
    assert_eq!(stored.last_seen_at.get(), after(120));
    // That the time is not stored ends nothing.
    let release = async { watch.tell(&[Fate::Failed, Fate::Torn]) };
    let (removed, ()) = run(join(store.remove(&login.hash), release));
    assert_eq!(refusal(removed), "503 UserSession.journal: injected");
    assert!(run(store.get(&login.hash)).unwrap().is_some());
    watch.hold("");
    assert!(run(store.remove(&login.hash)).unwrap());
    drop(store);
    assert_eq!(run(open::<UserSession>(disk, NEVER).unwrap().count()).unwrap(), 0);
}
