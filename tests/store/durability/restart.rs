//! Stopping, crashing and starting again.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use sessiond::models::{Lifetimes, Role, SessionId, User, UserSession};
use sessiond::random::SystemRandom;
use sessiond::store::files::Disk;
use sessiond::store::json::JsonTable;
use sessiond::store::load::Loaded;
use sessiond::store::{Room, SessionStore, UserStore};

use super::files;
use crate::harness::json_store::JsonStore;
use crate::harness::records::{admin, after, refusal, run, session, user};
use crate::harness::scratch::Scratch;

fn users(path: &Path) -> JsonStore<User> {
    JsonStore::open(path).unwrap()
}

fn all(store: &JsonStore<User>) -> Vec<User> {
    run(store.all()).unwrap().iter().map(|user| User::clone(user)).collect()
}

/// Some changes of each kind; tells what there is in the end.
fn change_a_little(store: &JsonStore<User>) -> Vec<User> {
    let list = ["root", "zoe", "ann", "bob"].map(admin);
    run(store.insert_all(list.to_vec())).unwrap();
    assert!(run(store.remove(list[2].id)).unwrap());
    let change = |stored: &User| Ok(User { role: Role::User, ..stored.clone() });
    let zoe = run(store.update(list[1].id, Box::new(change))).unwrap().unwrap();
    run(store.insert(user("ann"))).unwrap();
    let expected = all(store);
    assert_eq!(expected.len(), 4);
    assert_eq!(expected[1], *zoe);
    expected
}

#[test]
fn a_stop_leaves_one_readable_file_and_no_journal() {
    let scratch = Scratch::new();
    let store = users(scratch.path());
    let expected = change_a_little(&store);
    run(store.close()).unwrap();
    let files = files(scratch.path());
    assert_eq!(files.keys().collect::<Vec<_>>(), ["User.json"]);
    let mode = fs::metadata(scratch.path().join("User.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    // A record a line, in creation order.
    let content = std::str::from_utf8(&files["User.json"]).unwrap();
    let lines: Vec<&str> = content.lines().collect();
    assert_eq!((lines[0], lines[lines.len() - 1], lines.len()), ("{", "}", expected.len() + 2));
    for (line, user) in lines[1..].iter().zip(&expected) {
        let record = line.strip_prefix(&format!("\"{}\": ", user.id)).unwrap();
        let record = record.strip_suffix(',').unwrap_or(record);
        assert_eq!(serde_json::from_str::<User>(record).unwrap(), *user);
    }
    drop(store);
    assert_eq!(all(&users(scratch.path())), expected);
}

#[test]
fn a_crash_loses_nothing_that_was_answered() {
    let scratch = Scratch::new();
    let store = users(scratch.path());
    let mut expected = change_a_little(&store);
    drop(store);
    assert_eq!(files(scratch.path()).keys().collect::<Vec<_>>(), ["User.journal"]);
    let mode = fs::metadata(scratch.path().join("User.journal")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    for name in ["second", "third"] {
        let store = users(scratch.path());
        assert_eq!(all(&store), expected);
        expected.push(User::clone(&run(store.insert(user(name))).unwrap()));
    }
    let store = users(scratch.path());
    assert_eq!(all(&store), expected);
    run(store.close()).unwrap();
    drop(store);
    assert_eq!(all(&users(scratch.path())), expected);
}

#[test]
fn a_start_without_a_change_writes_nothing() {
    let scratch = Scratch::new();
    drop(users(scratch.path()));
    assert!(files(scratch.path()).is_empty());
    let store = users(scratch.path());
    change_a_little(&store);
    drop(store);
    let crashed = files(scratch.path());
    drop(users(scratch.path()));
    assert_eq!(files(scratch.path()), crashed);

    run(users(scratch.path()).close()).unwrap();
    let stopped = files(scratch.path());
    run(users(scratch.path()).close()).unwrap();
    assert_eq!(files(scratch.path()), stopped);
}

#[test]
fn what_a_crash_left_of_a_fold_is_cleared_away() {
    let scratch = Scratch::new();
    let left = scratch.path().join("User.json.tmp");
    fs::write(&left, "{\n").unwrap();
    let store = users(scratch.path());
    assert_eq!(all(&store), []);
    assert!(!left.exists());
}

/// Where a journal goes that is taken away and kept.
const KEPT: &str = "kept";

/// The ways in which somebody may take the journal away from under a store that is open. What is in
/// the directory of the store's may be kept beside it.
const TAKEN_AWAY: [fn(&Path); 6] = [
    |directory| fs::remove_file(directory.join("User.journal")).unwrap(),
    |directory| fs::rename(directory.join("User.journal"), directory.join(KEPT)).unwrap(),
    |directory| {
        fs::hard_link(directory.join("User.journal"), directory.join(KEPT)).unwrap();
        fs::remove_file(directory.join("User.journal")).unwrap();
    },
    |directory| {
        fs::write(directory.join("other"), "sessiond journal 1 User\n").unwrap();
        fs::rename(directory.join("other"), directory.join("User.journal")).unwrap();
    },
    |directory| fs::remove_dir_all(directory).unwrap(),
    |directory| fs::rename(directory, directory.with_file_name(KEPT)).unwrap(),
];

#[test]
fn a_journal_that_is_taken_away_takes_no_change_and_readers_go_on() {
    for take_away in TAKEN_AWAY {
        let scratch = Scratch::new();
        let path = scratch.path().join("data");
        let store = users(&path);
        let expected = change_a_little(&store);
        let journal = fs::read(path.join("User.journal")).unwrap();
        take_away(&path);
        for _ in 0..2 {
            assert!(refusal(run(store.insert(user("late")))).starts_with("503 "));
            assert_eq!(all(&store), expected);
            for kept in [path.join(KEPT), path.with_file_name(KEPT).join("User.journal")] {
                assert!(fs::read(kept).map_or(true, |kept| kept == journal), "as it was");
            }
        }
        // A stop brings to the file what is in memory, if there is still a place for it.
        let is_there = path.exists();
        assert_eq!(run(store.close()).is_ok(), is_there);
        drop(store);
        if is_there {
            assert_eq!(all(&users(&path)), expected);
        }
    }
}

/// Ways after which the journal has its name and its content, be it the same file or not.
const BACK: [fn(&Path); 3] = [
    |directory| {
        let kept = directory.with_file_name(KEPT);
        fs::rename(directory, &kept).unwrap();
        fs::rename(kept, directory).unwrap();
    },
    |directory| {
        let kept = directory.with_file_name(KEPT);
        fs::rename(directory, &kept).unwrap();
        std::os::unix::fs::symlink(kept, directory).unwrap();
    },
    |directory| {
        fs::copy(directory.join("User.journal"), directory.join(KEPT)).unwrap();
        fs::rename(directory.join(KEPT), directory.join("User.journal")).unwrap();
    },
];

#[test]
fn a_journal_that_has_its_name_and_content_again_goes_on_and_keeps_what_is_answered() {
    for (number, and_back) in BACK.into_iter().enumerate() {
        let scratch = Scratch::new();
        let path = scratch.path().join("data");
        let store = users(&path);
        change_a_little(&store);
        and_back(&path);
        // A change finds that it is another file; the next one has looked at what is in it.
        let is_other = number == 2;
        assert_eq!(run(store.insert(user("first"))).is_err(), is_other, "{number}");
        run(store.insert(user("second"))).unwrap();
        let expected = all(&store);
        drop(store);
        assert_eq!(all(&users(&path)), expected, "{number}");
    }
}

#[test]
fn a_file_that_is_renamed_while_changes_go_on_is_written_anew_and_whole() {
    let scratch = Scratch::new();
    let store = users(scratch.path());
    change_a_little(&store);
    run(store.close()).unwrap();
    drop(store);
    let store = users(scratch.path());
    fs::rename(scratch.path().join("User.json"), scratch.path().join(KEPT)).unwrap();
    run(store.insert(user("late"))).unwrap();
    let expected = all(&store);
    run(store.close()).unwrap();
    drop(store);
    assert_eq!(all(&users(scratch.path())), expected);
}

#[test]
fn a_store_that_was_closed_takes_no_change_and_still_tells_what_it_holds() {
    let scratch = Scratch::new();
    let store = users(scratch.path());
    let expected = change_a_little(&store);
    run(store.close()).unwrap();
    assert_eq!(refusal(run(store.insert(user("late")))), "503 the store has been closed");
    assert_eq!(all(&store), expected);
}

#[test]
fn members_that_are_not_known_survive_changes_and_rewrites() {
    let scratch = Scratch::new();
    let store = users(scratch.path());
    let bob = run(store.insert(user("bob"))).unwrap();
    run(store.close()).unwrap();
    drop(store);
    let file = scratch.path().join("User.json");
    // In the order and spelling in which they are written.
    let members = concat!(
        r#""big":18446744073709551615,"odd":0.14145678901234499,"#,
        r#""phone":{"home":[1,null,"ä"]},"small":8.383658838626809e-78"#,
    );
    let edited =
        fs::read_to_string(&file).unwrap().replacen("}\n}", &format!(",{members}}}\n}}"), 1);
    fs::write(&file, &edited).unwrap();

    let change = |stored: &User| Ok(User { first_name: Some("Bob".into()), ..stored.clone() });
    let store = users(scratch.path());
    run(store.update(bob.id, Box::new(change))).unwrap();
    drop(store);
    for _ in 0..3 {
        run(users(scratch.path()).close()).unwrap();
        let content = fs::read_to_string(&file).unwrap();
        assert!(
            content.contains(members) && content.contains(r#""first_name":"Bob""#),
            "{content}"
        );
        run(users(scratch.path()).update(bob.id, Box::new(|stored| Ok(stored.clone())))).unwrap();
    }
}

#[test]
fn members_of_a_session_that_are_not_known_survive_too() {
    let scratch = Scratch::new();
    let mut login = session(&user("bob"), None);
    login.unknown.insert("device".into(), serde_json::json!({ "name": ["phone", null] }));
    let store = JsonStore::<UserSession>::open(scratch.path()).unwrap();
    run(store.insert(login.clone(), Room::default())).unwrap();
    drop(store);
    for seconds in [60, 120, 180] {
        let store = JsonStore::<UserSession>::open(scratch.path()).unwrap();
        let stored = run(store.get(&login.hash)).unwrap().unwrap();
        assert_eq!(stored.unknown, login.unknown);
        store.touch(&stored, after(seconds));
        run(store.close()).unwrap();
    }
}

#[test]
fn an_edit_of_the_file_while_stopped_is_taken() {
    let scratch = Scratch::new();
    let store = users(scratch.path());
    let expected = change_a_little(&store);
    run(store.close()).unwrap();
    drop(store);
    let file = scratch.path().join("User.json");
    let mut edited: serde_json::Map<_, _> =
        serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    edited[&expected[0].id.to_string()]["first_name"] = "Edited".into();
    edited.remove(&expected[3].id.to_string());
    // Over many lines, as an editor would write it, and with the line ends of another system.
    let text = serde_json::to_string_pretty(&edited).unwrap().replace('\n', "\r\n");
    fs::write(&file, text).unwrap();

    let store = users(scratch.path());
    assert_eq!(run(store.count()).unwrap(), 3);
    let first = run(store.get(expected[0].id)).unwrap().unwrap();
    assert_eq!(first.first_name.as_deref(), Some("Edited"));
    assert_eq!(run(store.get(expected[3].id)).unwrap(), None);
    run(store.insert(user("next"))).unwrap();
    drop(store);
    assert_eq!(run(users(scratch.path()).count()).unwrap(), 4);
}

#[test]
fn use_is_stored_at_most_once_a_minute() {
    let scratch = Scratch::new();
    let store = JsonStore::<UserSession>::open(scratch.path()).unwrap();
    let login = run(store.insert(session(&user("bob"), None), Room::default())).unwrap();
    for second in 0..150 {
        store.touch(&login, after(second));
    }
    drop(store);
    let journal = files(scratch.path()).remove("UserSession.journal").unwrap();
    let lines = std::str::from_utf8(&journal).unwrap().lines().count();
    assert_eq!(lines, 2 + 2, "a header, the insert, and two more in two and a half minutes");

    let store = JsonStore::<UserSession>::open(scratch.path()).unwrap();
    let stored = run(store.get(&login.hash)).unwrap().unwrap();
    assert!(stored.last_seen_at.get() >= after(120), "what is stored lags by less than a minute");
    run(store.close()).unwrap();
}

#[test]
fn a_session_that_ended_stays_ended_after_a_crash_and_after_a_stop() {
    let scratch = Scratch::new();
    let bob = user("bob");
    let sessions: Vec<_> = (0..4).map(|_| session(&bob, Some(10))).collect();
    let [out, old, new, expired] = &sessions[..] else { unreachable!() };
    let store = JsonStore::<UserSession>::open(scratch.path()).unwrap();
    for login in [out, old, expired] {
        run(store.insert(login.clone(), Room::default())).unwrap();
    }
    run(store.insert(
        UserSession { expires_at: None, ..new.clone() },
        Room { replaced: Some(old.hash), ..Room::default() },
    ))
    .unwrap();
    assert!(run(store.remove(&out.hash)).unwrap());
    assert_eq!(run(store.remove_expired(Lifetimes::default(), after(10), 10)).unwrap(), 1);
    drop(store);
    for _ in ["after a crash", "after a stop"] {
        let store = JsonStore::<UserSession>::open(scratch.path()).unwrap();
        let left: Vec<_> = run(store.of_user(bob.id)).unwrap().iter().map(|s| s.hash).collect();
        assert_eq!(left, [new.hash]);
        run(store.close()).unwrap();
    }
}

#[test]
fn no_file_holds_a_session_id() {
    let scratch = Scratch::new();
    let id = SessionId::generate(&SystemRandom).unwrap();
    let login = UserSession { hash: id.hash(), ..session(&user("bob"), None) };
    let store = JsonStore::<UserSession>::open(scratch.path()).unwrap();
    run(store.insert(login, Room::default())).unwrap();
    let holds = |what: &str| {
        let holds = |content: Vec<u8>| String::from_utf8(content).unwrap().contains(what);
        files(scratch.path()).into_values().any(holds)
    };
    let hash = id.hash().to_string();
    assert!(holds(&hash) && !holds(id.reveal()), "in the journal");
    run(store.close()).unwrap();
    assert!(holds(&hash) && !holds(id.reveal()), "in the file");
}

#[test]
fn a_journal_that_has_outgrown_the_file_is_folded_while_changes_go_on() {
    let scratch = Scratch::new();
    let start = || {
        let loaded = Loaded::<User>::read(&Disk, scratch.path()).unwrap();
        JsonTable::start_folding_at(2_000, loaded, Arc::new(Disk))
    };
    let store = start();
    let bob = run(store.insert(user("bob"))).unwrap();
    for version in 1..=200 {
        let change =
            move |stored: &User| Ok(User { credential_version: version, ..stored.clone() });
        run(store.update(bob.id, Box::new(change))).unwrap();
    }
    drop(store);
    // A fold that was begun is ended before the store is gone.
    assert!(files(scratch.path()).contains_key("User.json"));

    let store = start();
    assert_eq!(run(store.get(bob.id)).unwrap().unwrap().credential_version, 200);
    run(store.close()).unwrap();
    drop(store);
    assert_eq!(run(start().get(bob.id)).unwrap().unwrap().credential_version, 200);
}
