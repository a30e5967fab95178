//! Files that hold what the store has not written: refused or mended, and never made worse.

use std::fs;
use std::path::Path;

use sessiond::models::{User, UserSession};
use sessiond::store::UserStore;

use super::files;
use crate::harness::json_store::JsonStore;
use crate::harness::records::{run, user};
use crate::harness::scratch::Scratch;

/// Why the directory is refused; the files in it stay as they are.
fn refusal(path: &Path) -> String {
    let before = files(path);
    let refused = JsonStore::<User>::open(path).err().expect("should have been refused");
    assert_eq!(files(path), before, "a refusal changes nothing");
    refused.to_string()
}

/// Checks that `content` is refused as `User.json`, for a reason that holds `what`.
#[track_caller]
fn is_refused(scratch: &Scratch, content: &[u8], what: &str) {
    let file = scratch.path().join("User.json");
    fs::write(&file, content).unwrap();
    let refused = refusal(scratch.path());
    let reason = refused.strip_prefix(&format!("{}: damaged: ", file.display()));
    let reason = reason.unwrap_or_else(|| panic!("names another file: {refused}"));
    assert!(reason.contains(what), "{reason:?} should name {what:?}");
}

/// A file that holds two users, as it was written.
fn two_users(scratch: &Scratch) -> (User, User, String) {
    let (bob, eve) = (user("bob"), user("eve"));
    let store = JsonStore::<User>::open(scratch.path()).unwrap();
    run(store.insert_all(vec![bob.clone(), eve.clone()])).unwrap();
    run(store.close()).unwrap();
    (bob, eve, fs::read_to_string(scratch.path().join("User.json")).unwrap())
}

#[test]
fn a_file_that_is_no_json_is_refused_with_the_place() {
    let scratch = Scratch::new();
    let (_, _, good) = two_users(&scratch);
    is_refused(&scratch, b"", "line 1 column 0");
    is_refused(&scratch, b" \n", "line 2 column 0");
    is_refused(&scratch, &[0; 512], "line 1 column 1");
    is_refused(&scratch, format!("\u{feff}{good}").as_bytes(), "line 1 column 1");
    is_refused(&scratch, format!("{good}\0").as_bytes(), "line 5 column 1");
    is_refused(&scratch, format!("{good}{good}").as_bytes(), "line 5 column 1");
    is_refused(&scratch, good.replacen("\n}", ",\n}", 1).as_bytes(), "line 4 column 1");
    let broken = [&good.as_bytes()[..60], b"\xff", &good.as_bytes()[60..]].concat();
    is_refused(&scratch, &broken, "line 2 column");
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused_with_the_place() {
    let scratch = Scratch::new();
    let (_, _, good) = two_users(&scratch);
    // Only the last line end may be missing.
    for length in 0..good.len() - 1 {
        is_refused(&scratch, &good.as_bytes()[..length], "line ");
    }
    fs::write(scratch.path().join("User.json"), &good[..good.len() - 1]).unwrap();
    assert!(JsonStore::<User>::open(scratch.path()).is_ok());
}

#[test]
fn a_file_of_another_shape_is_refused_with_the_place() {
    let scratch = Scratch::new();
    let (bob, _, good) = two_users(&scratch);
    for other in ["[]", "null", "42", "\"text\"", "[{}]"] {
        is_refused(&scratch, other.as_bytes(), "line 1 column");
    }
    is_refused(&scratch, format!("{{\"{}\": null}}", bob.id).as_bytes(), "line 1 column");
    is_refused(&scratch, b"{\"bob\": {}}", "line 1 column");
    let disabled = |value: &str| good.replacen("\"disabled\":false", value, 1);
    for wrong in ["\"disabled\":\"no\"", "\"disabled\":0", "\"disabled\":null"] {
        is_refused(&scratch, disabled(wrong).as_bytes(), "line 2 column");
    }
    is_refused(&scratch, disabled("\"disabled\":true,\"disabled\":false").as_bytes(), "line 2");
    is_refused(&scratch, good.replacen("\"email\"", "\"mail\"", 1).as_bytes(), "line 2 column");
    is_refused(&scratch, good.replace("eve@", "e ve@").as_bytes(), "line 3 column");
    is_refused(&scratch, good.replace("\"user\"", "\"root\"").as_bytes(), "line 2 column");
    is_refused(&scratch, good.replacen('T', " at ", 1).as_bytes(), "line 2 column");
    let deep = format!("\"deep\":{}{}", "[".repeat(10_000), "]".repeat(10_000));
    is_refused(&scratch, disabled(&deep).as_bytes(), "line 2 column");
}

#[test]
fn a_file_that_contradicts_itself_is_refused() {
    let scratch = Scratch::new();
    let (bob, eve, good) = two_users(&scratch);
    let line = |number: usize| good.lines().nth(number).unwrap().trim_end_matches(',').to_owned();
    let twice = format!("{{\n{},\n{},\n{}\n}}\n", line(1), line(1), line(2));
    is_refused(&scratch, twice.as_bytes(), &format!("{} is there twice at line 3", bob.id));
    let swapped = good.replacen(&format!("\"{}\": ", bob.id), &format!("\"{}\": ", eve.id), 1);
    let what = format!("{} holds the record of {} at line 2", eve.id, bob.id);
    is_refused(&scratch, swapped.as_bytes(), &what);
    let one_address = good.replace("eve@example.com", "BOB@example.com");
    is_refused(&scratch, one_address.as_bytes(), "bob@example.com belongs to two records");
}

#[test]
fn a_member_whose_name_was_mistyped_is_refused_with_the_one_that_is_meant() {
    let scratch = Scratch::new();
    let (_, _, good) = two_users(&scratch);
    let with = |members: &str| good.replacen("\"disabled\":false", members, 1);
    for (name, meant) in [("disable", "disabled"), ("must-change", "must_change"), ("Role", "role")]
    {
        let what = format!("member '{name}' is unknown; is '{meant}' meant? at line 2 column");
        is_refused(&scratch, with(&format!("\"{name}\":true")).as_bytes(), &what);
    }
    is_refused(&scratch, with("\"dis\\bled\":true").as_bytes(), "no name at line 2 column");
    let twice = with("\"phone\":1,\"phone\":2");
    is_refused(&scratch, twice.as_bytes(), "member 'phone' is there twice at line 2 column");
    fs::write(scratch.path().join("User.json"), with("\"phone\":1,\"able\":true")).unwrap();
    assert!(JsonStore::<User>::open(scratch.path()).is_ok());
}

/// A journal of four changes, with the names that are in it, and its content.
fn four_changes(scratch: &Scratch) -> (Vec<String>, Vec<u8>) {
    let names = ["ann", "bob", "eve", "zoe"];
    let store = JsonStore::<User>::open(scratch.path()).unwrap();
    for name in names {
        run(store.insert(user(name))).unwrap();
    }
    drop(store);
    let journal = files(scratch.path()).remove("User.journal").unwrap();
    (names.map(|name| format!("{name}@example.com")).to_vec(), journal)
}

fn addresses(store: &JsonStore<User>) -> Vec<String> {
    run(store.all()).unwrap().iter().map(|user| user.email.to_string()).collect()
}

#[test]
fn a_torn_last_line_is_dropped_and_what_was_before_is_kept() {
    let scratch = Scratch::new();
    let (names, whole) = four_changes(&scratch);
    let file = scratch.path().join("User.journal");
    let last = whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    for length in last..whole.len() {
        fs::write(&file, &whole[..length]).unwrap();
        let store = JsonStore::<User>::open(scratch.path()).unwrap();
        assert_eq!(addresses(&store), names[..3], "cut at {length}");
        assert_eq!(fs::read(&file).unwrap(), whole[..length], "nothing is changed by reading");
        run(store.insert(user("next"))).unwrap();
        drop(store);
        let store = JsonStore::<User>::open(scratch.path()).unwrap();
        assert_eq!(addresses(&store)[..3], names[..3], "cut at {length}");
        assert_eq!(addresses(&store)[3..], ["next@example.com"], "cut at {length}");
    }
}

#[test]
fn a_journal_whose_first_write_was_torn_is_begun_anew() {
    let scratch = Scratch::new();
    let (_, whole) = four_changes(&scratch);
    let file = scratch.path().join("User.journal");
    let second = whole.split_inclusive(|byte| *byte == b'\n').take(2).map(<[u8]>::len).sum();
    for length in 0..second {
        fs::write(&file, &whole[..length]).unwrap();
        let store = JsonStore::<User>::open(scratch.path()).unwrap();
        assert_eq!(run(store.count()).unwrap(), 0, "cut at {length}");
        run(store.insert(user("next"))).unwrap();
        drop(store);
        let store = JsonStore::<User>::open(scratch.path()).unwrap();
        assert_eq!(addresses(&store), ["next@example.com"], "cut at {length}");
    }
}

#[test]
fn a_tail_of_zeros_after_a_crash_is_dropped() {
    let scratch = Scratch::new();
    let (names, whole) = four_changes(&scratch);
    fs::write(scratch.path().join("User.journal"), [&whole[..], &[0; 4096]].concat()).unwrap();
    let store = JsonStore::<User>::open(scratch.path()).unwrap();
    assert_eq!(addresses(&store), names);
    run(store.insert(user("next"))).unwrap();
    drop(store);
    assert_eq!(run(JsonStore::<User>::open(scratch.path()).unwrap().count()).unwrap(), 5);
}

#[test]
fn a_write_that_lost_a_page_before_its_end_is_refused_with_its_line_and_can_be_cut_off() {
    const PAGE: usize = 4096;
    let scratch = Scratch::new();
    let (names, before) = four_changes(&scratch);
    let store = JsonStore::<User>::open(scratch.path()).unwrap();
    // One write of many pages. The power goes in it, the last page is on the disk, another is not.
    run(store.insert_all((0..100).map(|number| user(&format!("u{number}"))).collect())).unwrap();
    drop(store);
    let file = scratch.path().join("User.journal");
    let whole = fs::read(&file).unwrap();
    let pages = before.len() / PAGE + 1..whole.len() / PAGE;
    assert!(pages.len() > 3, "{pages:?}");
    for page in pages {
        let mut lost = whole.clone();
        lost[page * PAGE..(page + 1) * PAGE].fill(0);
        fs::write(&file, &lost).unwrap();
        let expected = format!("{}: damaged: line 6 ", file.display());
        let refused = refusal(scratch.path());
        assert!(refused.starts_with(&expected), "{refused}, page {page}");
        fs::write(&file, &lost[..before.len()]).unwrap();
        assert_eq!(addresses(&JsonStore::<User>::open(scratch.path()).unwrap()), names);
    }
}

#[test]
fn damage_anywhere_else_in_a_journal_is_refused_with_the_line() {
    let scratch = Scratch::new();
    let (_, whole) = four_changes(&scratch);
    let file = scratch.path().join("User.journal");
    let mut line = 1;
    // The last line end is left out: without it, the last line is torn.
    for place in 0..whole.len() - 1 {
        for flip in [0x01, 0x80] {
            let mut damaged = whole.clone();
            damaged[place] ^= flip;
            fs::write(&file, &damaged).unwrap();
            let expected = format!("{}: damaged: line {line} ", file.display());
            let refused = refusal(scratch.path());
            assert!(refused.starts_with(&expected), "{refused}\n{expected} at byte {place}");
        }
        line += usize::from(whole[place] == b'\n');
    }
    assert_eq!(line, 5);
}

#[test]
fn a_line_that_is_missing_doubled_or_moved_is_refused() {
    let scratch = Scratch::new();
    let (_, whole) = four_changes(&scratch);
    let lines: Vec<&[u8]> = whole.split_inclusive(|byte| *byte == b'\n').collect();
    for order in [vec![1, 2], vec![0, 2], vec![0, 1, 3], vec![0, 1, 1], vec![0, 2, 1], vec![0, 0]] {
        let content: Vec<u8> = order.iter().flat_map(|number| lines[*number]).copied().collect();
        fs::write(scratch.path().join("User.journal"), content).unwrap();
        assert!(refusal(scratch.path()).contains("User.journal: damaged: line "), "{order:?}");
    }
}

#[test]
fn a_journal_of_a_later_version_or_another_class_is_refused() {
    let scratch = Scratch::new();
    let (_, whole) = four_changes(&scratch);
    let file = scratch.path().join("User.journal");
    let whole = String::from_utf8(whole).unwrap();
    for header in ["sessiond journal 2 User", "sessiond journal 1 UserSession", ""] {
        fs::write(&file, whole.replacen("sessiond journal 1 User", header, 1)).unwrap();
        let expected = "damaged: line 1 is not 'sessiond journal 1 User'";
        assert!(refusal(scratch.path()).ends_with(expected), "{header:?}");
    }
    fs::remove_file(&file).unwrap();
    fs::write(scratch.path().join("UserSession.journal"), &whole).unwrap();
    assert!(JsonStore::<UserSession>::open(scratch.path()).is_err());
}

#[test]
fn a_journal_that_was_moved_aside_has_no_torn_line() {
    let scratch = Scratch::new();
    let (names, whole) = four_changes(&scratch);
    let aside = scratch.path().join("User.journal.folding");
    fs::remove_file(scratch.path().join("User.journal")).unwrap();
    fs::write(&aside, &whole[..whole.len() - 1]).unwrap();
    let refused = refusal(scratch.path());
    assert!(refused.starts_with(&format!("{}: damaged: its last ", aside.display())), "{refused}");

    fs::write(&aside, &whole).unwrap();
    let store = JsonStore::<User>::open(scratch.path()).unwrap();
    assert_eq!(addresses(&store), names);
    run(store.close()).unwrap();
    assert_eq!(files(scratch.path()).keys().collect::<Vec<_>>(), ["User.json"]);
}
