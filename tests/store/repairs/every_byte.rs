//! Every byte that can be wrong, and every place where a file can end.

use std::collections::BTreeSet;

use sessiond::models::{User, UserSession};

use super::{Contents, assert_kept, contents, disk_of, layouts, load, mend, sessions, users};

/// The lines of a file that a fault from one place to another touches.
fn touched(content: &[u8], from: usize, to: usize) -> String {
    let start = content[..from].iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let end = content[to..].iter().position(|byte| *byte == b'\n');
    let lines = &content[start..end.map_or(content.len(), |end| to + end)];
    String::from_utf8(lines.to_vec()).unwrap()
}

/// Mends a disk on which one file has been damaged, and holds what is promised of that. `hit` is
/// what the fault may have cost.
fn holds(sound: &Contents, file: &str, damaged: &[u8], hit: &str, context: &str) {
    let mut before = sound.clone();
    before.insert(file.to_owned(), damaged.to_vec());
    let disk = disk_of(&before);
    let was = (load::<User>(&disk), load::<UserSession>(&disk));
    let is_sound = matches!(&was, (Ok(u), Ok(s)) if u.torn().is_none() && s.torn().is_none());
    let repaired = mend(&disk).unwrap_or_else(|refused| panic!("{context}: {refused}"));
    let after = contents(&disk);
    if is_sound {
        assert_eq!(repaired.count(), 0, "{context}: {repaired:?}");
        assert_eq!(after, before, "{context}");
        return;
    }
    assert!(repaired.count() > 0, "{context}");
    assert_kept(file, damaged, &after, context);
    assert_eq!(mend(&disk).unwrap().count(), 0, "{context}: a second time");
    assert_eq!(contents(&disk), after, "{context}: a second time");
    let found = users(&disk);
    if let (Ok(were), Ok(logins)) = was {
        // Nothing but a change that was never answered.
        assert!(repaired.faults.iter().all(|fault| fault.place.torn), "{context}");
        assert_eq!(found.len(), were.table().count(), "{context}");
        assert!(were.table().iter().all(|user| found[&user.id] == *user), "{context}");
        assert_eq!(sessions(&disk), logins.table().count(), "{context}");
        return;
    }
    assert_eq!(sessions(&disk), 0, "{context}: a lost line may have ended one");
    let truth = users(&disk_of(sound));
    // Of what was behind a cut nothing is left that could name anybody.
    let is_said = repaired.nameless && damaged.len() < sound[file].len();
    for (id, user) in &found {
        let same = truth.get(id) == Some(user);
        assert!(same || user.disabled || is_said, "{context}: {user:?} is back, or as before");
    }
    for (id, user) in &truth {
        let unchanged = found.get(id) == Some(user);
        assert!(unchanged || hit.contains(&id.to_string()), "{context}: {} is lost", user.email);
    }
    let disabled: BTreeSet<_> = repaired.disabled.iter().collect();
    assert!(disabled.iter().all(|id| found[id].disabled), "{context}");
}

/// The files of a disk that are worth a test for each byte, or for each third where the same have
/// been tried in another layout.
fn worth(sound: &Contents) -> impl Iterator<Item = (&String, &Vec<u8>, usize)> {
    let is_there = |end: &str| sound.keys().any(|file| file.ends_with(end));
    let begin = match (is_there(".folding"), is_there(".journal")) {
        (false, _) => "",
        (true, false) => ".journal.folding",
        (true, true) => ".journal",
    };
    let is_alone = is_there(".journal") != is_there(".json");
    let step = if is_alone && !is_there(".folding") { 1 } else { 3 };
    let worth = sound.iter().filter(move |(file, _)| file.ends_with(begin));
    worth.map(move |(file, content)| (file, content, step))
}

#[test]
fn a_byte_that_is_wrong_costs_at_most_its_line() {
    for sound in layouts() {
        for (file, content, step) in worth(&sound) {
            // The last line end is left out: without it, the last line is torn.
            for at in (0..content.len() - 1).step_by(step) {
                let flip = 1 << (at % 8);
                let mut damaged = content.clone();
                damaged[at] ^= flip;
                let hit = touched(content, at, at + usize::from(content[at] == b'\n'));
                holds(&sound, file, &damaged, &hit, &format!("{file} ^ {flip} at {at}"));
            }
        }
    }
}

#[test]
fn a_file_that_is_cut_costs_at_most_what_was_behind_the_cut() {
    for sound in layouts() {
        for (file, content, step) in worth(&sound) {
            for length in (0..content.len()).step_by(step) {
                let hit = touched(content, length, content.len());
                holds(&sound, file, &content[..length], &hit, &format!("{file} cut at {length}"));
            }
        }
    }
}

#[test]
fn a_journal_that_was_moved_aside_and_has_lost_its_last_lines_is_told() {
    let sound = layouts().pop().unwrap();
    for (file, content) in sound.iter().filter(|(file, _)| file.ends_with(".folding")) {
        let ends = (0..content.len() - 1).filter(|at| *at == 0 || content[at - 1] == b'\n');
        for length in ends {
            let hit = touched(content, length, content.len());
            holds(&sound, file, &content[..length], &hit, &format!("{file} cut at {length}"));
        }
    }
}

#[test]
fn what_stands_between_two_lines_costs_none() {
    for sound in layouts() {
        for (file, content) in &sound {
            let ends = content.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
            let all: Vec<usize> = ends.map(|(at, _)| at + 1).collect();
            for at in &all[..all.len() - 1] {
                for garbage in [&b"\n"[..], b"garbage\n", b"\xff\0\n", b"\"x\": {},\n", b"{\n"] {
                    let damaged = [&content[..*at], garbage, &content[*at..]].concat();
                    let context = format!("{garbage:?} in {file} at {at}");
                    holds(&sound, file, &damaged, "", &context);
                }
            }
        }
    }
}

#[test]
fn a_line_that_is_missing_or_there_twice_gives_nobody_more_than_he_had() {
    for sound in layouts() {
        for (file, content) in sound.iter().filter(|(file, _)| file.contains("journal")) {
            let lines: Vec<&[u8]> = content.split_inclusive(|byte| *byte == b'\n').collect();
            for number in 1..lines.len() {
                let again = [&lines[..=number], &lines[number..]].concat().concat();
                let context = format!("{file}: line {number} twice");
                holds(&sound, file, &again, &String::from_utf8_lossy(lines[number]), &context);
            }
        }
    }
}
