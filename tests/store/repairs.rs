//! Files that are damaged anywhere, and mended: what was not hit is there, what was hit gives
//! nobody more than he had, and no byte is lost.

mod crash;
mod every_byte;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use sessiond::models::{PasswordHash, Role, User, UserId, UserSession};
use sessiond::store::files::Files as _;
use sessiond::store::json::JsonTable;
use sessiond::store::load::Loaded;
use sessiond::store::repair::{Repair, repair};
use sessiond::store::{OpenError, Record, Room, SessionStore, UserStore};

use crate::harness::records::{admin, run, session, user};
use crate::harness::simulated_disk::SimulatedDisk;
use crate::harness::watched_files::{Fate, WatchedFiles};

/// Every file of a disk.
type Contents = BTreeMap<String, Vec<u8>>;

fn contents(disk: &SimulatedDisk) -> Contents {
    let read = |name: String| {
        let content = disk.read(Path::new(&name)).unwrap().unwrap();
        (name, content)
    };
    disk.names().into_iter().map(read).collect()
}

fn disk_of(contents: &Contents) -> SimulatedDisk {
    let disk = SimulatedDisk::default();
    for (name, content) in contents {
        let mut file = disk.create(Path::new(name)).unwrap();
        file.write_all(content).unwrap();
        file.sync().unwrap();
    }
    disk.sync_directory(Path::new("")).unwrap();
    disk
}

fn mend(disk: &SimulatedDisk) -> Result<Repair, OpenError> {
    repair(disk, Path::new(""))
}

fn load<R: Record>(disk: &SimulatedDisk) -> Result<Loaded<R>, OpenError> {
    Loaded::read(disk, Path::new(""))
}

/// The users that a disk holds.
fn users(disk: &SimulatedDisk) -> BTreeMap<UserId, User> {
    let loaded = load::<User>(disk).unwrap();
    loaded.table().iter().map(|user| (user.id, User::clone(&user))).collect()
}

fn sessions(disk: &SimulatedDisk) -> usize {
    load::<UserSession>(disk).unwrap().table().count()
}

fn open<R: Record>(disk: &SimulatedDisk) -> JsonTable<R> {
    JsonTable::start(load(disk).unwrap(), Arc::new(disk.clone()))
}

/// Users and sessions come, change and go: a password, a role, a lock-out, a deletion, a logout.
fn live(disk: &SimulatedDisk, folded: bool) {
    let store = open::<User>(disk);
    let everybody = [admin("root"), user("ann"), admin("max"), user("bob"), user("zoe")];
    for user in &everybody {
        run(store.insert(user.clone())).unwrap();
    }
    let logins = open::<UserSession>(disk);
    let login = |user: &User| run(logins.insert(session(user, None), Room::default())).unwrap();
    let (first, second, third) = (login(&everybody[0]), login(&everybody[1]), login(&everybody[3]));
    let (store, logins) = if folded {
        run(store.close()).unwrap();
        run(logins.close()).unwrap();
        (open::<User>(disk), open::<UserSession>(disk))
    } else {
        (store, logins)
    };
    let change = |id, change: fn(&mut User)| {
        let changed = move |user: &User| {
            let mut user = user.clone();
            change(&mut user);
            Ok(user)
        };
        run(store.update(id, Box::new(changed))).unwrap().unwrap();
    };
    change(everybody[1].id, |ann| ann.set_password(PasswordHash::of_nobody(5), false));
    change(everybody[2].id, |max| max.role = Role::User);
    change(everybody[3].id, |bob| bob.set_disabled(true));
    run(store.remove(everybody[4].id)).unwrap();
    change(everybody[0].id, |root| root.first_name = Some("Root".into()));
    run(logins.remove(&second.hash)).unwrap();
    run(logins.remove(&third.hash)).unwrap();
    assert!(run(logins.get(&first.hash)).unwrap().is_some());
}

/// Disks on which the same has been done, and which hold it in different files.
fn layouts() -> Vec<Contents> {
    let journals = SimulatedDisk::default();
    live(&journals, false);
    let both = SimulatedDisk::default();
    live(&both, true);
    let files = disk_of(&contents(&both));
    run(open::<User>(&files).close()).unwrap();
    run(open::<UserSession>(&files).close()).unwrap();
    // A crash came when the journals had been moved aside.
    let mut aside = contents(&both);
    for class in ["User", "UserSession"] {
        let journal = aside.remove(&format!("{class}.journal")).unwrap();
        aside.insert(format!("{class}.journal.folding"), journal);
    }
    let going_on = going_on(&aside);
    vec![contents(&journals), contents(&both), contents(&files), aside, going_on]
}

/// The same when journals have been begun that go on after those, and no fold has come to its end.
fn going_on(aside: &Contents) -> Contents {
    let disk = disk_of(aside);
    let refuse = |operation: &str| {
        if operation.starts_with("create") { Fate::Failed } else { Fate::Done }
    };
    let files = || Arc::new(WatchedFiles::new(disk.clone(), refuse));
    let store = JsonTable::<User>::start(load(&disk).unwrap(), files());
    let logins = JsonTable::<UserSession>::start(load(&disk).unwrap(), files());
    for name in ["eve", "kim"] {
        let new = run(store.insert(user(name))).unwrap();
        run(logins.insert(session(&new, None), Room::default())).unwrap();
    }
    drop((store, logins));
    let found = contents(&disk);
    assert!(found.contains_key("User.journal") && found.contains_key("User.journal.folding"));
    found
}

/// Holds that a file is there with this content, or kept with it under another name.
#[track_caller]
fn assert_kept(file: &str, bytes: &[u8], after: &Contents, context: &str) {
    let kept = format!("{file}.damaged");
    let mut found = after.iter().filter(|(name, _)| *name == file || name.starts_with(&kept));
    assert!(found.any(|(_, found)| found == bytes), "{context}: {file} is lost");
}

#[test]
fn what_is_sound_is_left_alone() {
    for before in layouts() {
        let disk = disk_of(&before);
        let repaired = mend(&disk).unwrap();
        assert_eq!(repaired.count(), 0, "{repaired:?}");
        assert_eq!(contents(&disk), before);
    }
    assert_eq!(mend(&SimulatedDisk::default()).unwrap().count(), 0);
}

#[test]
fn a_file_of_a_later_version_and_one_that_cannot_be_read_are_refused_untouched() {
    let mut before = layouts().remove(0);
    // There is something to mend as well.
    before.get_mut("UserSession.journal").unwrap().push(b'x');
    let journal = before.get_mut("User.journal").unwrap();
    let text = String::from_utf8(journal.clone()).unwrap();
    let (_, rest) = text.split_once('\n').unwrap();
    // Its lines are verified from another begin.
    *journal = format!("sessiond journal 2 User\nx{rest}").into_bytes();
    let disk = disk_of(&before);
    let refused = mend(&disk).unwrap_err().to_string();
    let expected = "User.journal: is 'sessiond journal 2 User', of a later version: nothing has \
                    been changed";
    assert_eq!(refused, expected);
    assert_eq!(contents(&disk), before);
}

#[test]
fn the_older_damage_is_kept_beside_the_newer_one() {
    let whole = layouts().remove(2);
    let disk = disk_of(&whole);
    let path = Path::new("User.json");
    for (content, kept) in [("one", ""), ("two", ".2"), ("one", ""), ("three", ".3")] {
        disk.create(path).unwrap().write_all(content.as_bytes()).unwrap();
        let repaired = mend(&disk).unwrap();
        let name = format!("User.json.damaged{kept}");
        assert_eq!(repaired.faults[0].kept, Path::new(&name));
        assert_eq!(contents(&disk)[&name], content.as_bytes());
    }
}

#[test]
fn what_a_crash_left_half_written_is_removed() {
    let mut before = layouts().remove(1);
    let sound = before.clone();
    let names = ["User.journal.damaged.tmp", "User.json.tmp", "UserSession.json.tmp"];
    before.extend(names.map(|name| (name.to_owned(), b"{".to_vec())));
    let disk = disk_of(&before);
    let mut left = mend(&disk).unwrap().leftovers;
    left.sort();
    assert_eq!(left, names.map(Path::new));
    assert_eq!(contents(&disk), sound);
}

#[test]
fn of_two_users_with_one_address_the_one_who_is_not_in_doubt_stays() {
    let disk = SimulatedDisk::default();
    let (root, old, new) = (admin("root"), user("bob"), user("bob"));
    let store = open::<User>(&disk);
    run(store.insert(root)).unwrap();
    run(store.insert(old.clone())).unwrap();
    run(store.remove(old.id)).unwrap();
    run(store.insert(new.clone())).unwrap();
    drop(store);
    let mut files = contents(&disk);
    let journal = files.get_mut("User.journal").unwrap();
    let removed = journal.windows(8).position(|text| text == b"\"remove\"").unwrap();
    journal[removed + 1] = b'x';
    let disk = disk_of(&files);
    mend(&disk).unwrap();
    let users = users(&disk);
    assert_eq!((users.len(), users.get(&new.id)), (2, Some(&new)));
    // Where nothing tells who is in doubt, the first one stays.
    let entry = |user: &User| format!("\"{}\":{}", user.id, serde_json::to_string(user).unwrap());
    let table = format!("{{{},{}}}", entry(&old), entry(&new));
    let disk = disk_of(&Contents::from([("User.json".to_owned(), table.into_bytes())]));
    let repaired = mend(&disk).unwrap();
    assert!(repaired.faults[0].place.what.contains("one e-mail address"), "{repaired:?}");
    assert_eq!(self::users(&disk), BTreeMap::from([(old.id, old)]));
}
