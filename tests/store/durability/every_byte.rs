//! Each file of each class, cut at every length and damaged in every byte: what is read then is a
//! prefix of what was written, or a refusal that names the place. Nothing is lost without a word.

use std::fs;
use std::sync::Arc;

use sessiond::models::{User, UserSession};
use sessiond::store::Record;

use super::files;
use crate::harness::json_store::JsonStore;
use crate::harness::samples::{History, Sample, load, members, name};
use crate::harness::scratch::Scratch;

/// What a byte is made of it when not all 255 others are tried: each bit flipped, and what means
/// something in a file.
fn others(byte: u8) -> Vec<u8> {
    let mut others = flips(byte);
    others.extend(*b"\0 \"\\,:}]0e\xff");
    others.sort_unstable();
    others.dedup();
    others.retain(|other| *other != byte);
    others
}

/// What a byte is made of it where all that matters is that it is another: each bit flipped, and the
/// end of a line.
fn flips(byte: u8) -> Vec<u8> {
    (0..8).map(|bit| byte ^ 1 << bit).chain([b'\n']).collect()
}

/// The content with each of its bytes made another, with the place of that byte.
fn damaged<O: IntoIterator<Item = u8>>(
    content: &[u8],
    others: impl Fn(u8) -> O,
) -> impl Iterator<Item = (usize, Vec<u8>)> {
    content.iter().enumerate().flat_map(move |(place, byte)| {
        let made = others(*byte).into_iter().filter(move |other| other != byte);
        made.map(move |other| {
            let mut content = content.to_vec();
            content[place] = other;
            (place, content)
        })
    })
}

/// The number of the line in which a byte is.
fn line_of(content: &[u8], place: usize) -> usize {
    content[..place].split(|byte| *byte == b'\n').count()
}

/// How many changes the whole lines of a journal hold.
fn changes_in(journal: &[u8]) -> usize {
    journal.split(|byte| *byte == b'\n').count().saturating_sub(2)
}

fn every_cut_of_a_journal<R: Sample>() {
    let history = History::<R>::new();
    let whole = history.journal(0..5);
    for length in 0..=whole.len() {
        let cut = &whole[..length];
        let (records, torn) = load::<R>(&[("journal", cut)]).unwrap();
        assert_eq!(records, history.states[changes_in(cut)], "cut at {length}");
        let is_whole = cut.is_empty() || cut.ends_with(b"\n");
        assert_eq!(torn.is_none(), is_whole, "cut at {length}: {torn:?}");
    }
}

#[test]
fn a_journal_that_is_cut_anywhere_holds_what_was_written_before() {
    every_cut_of_a_journal::<User>();
    every_cut_of_a_journal::<UserSession>();
}

/// Holds that the damage is refused with its line. Only the end of the last line is none: without
/// it, that line is torn.
fn every_damage_of_a_journal<R: Sample, O: IntoIterator<Item = u8>>(
    changes: std::ops::Range<usize>,
    others: impl Fn(u8) -> O,
) {
    let history = History::<R>::new();
    let whole = history.journal(changes);
    let but_the_last =
        whole[..whole.len() - 1].iter().rposition(|byte| *byte == b'\n').unwrap() + 1;
    let but_the_last = load::<R>(&[("journal", &whole[..but_the_last])]).unwrap().0;
    for (place, damaged) in damaged(&whole, others) {
        let found = load::<R>(&[("journal", &damaged)]);
        if place == whole.len() - 1 {
            let (records, torn) = found.unwrap();
            assert_eq!(records, but_the_last);
            assert!(torn.unwrap().contains("bytes of a change that was never answered"));
            continue;
        }
        let expected =
            format!("{}: damaged: line {} ", name::<R>("journal"), line_of(&whole, place));
        let refused = found.expect_err("damage is refused");
        assert!(refused.starts_with(&expected), "{refused}: {expected} at byte {place}");
    }
}

#[test]
fn a_journal_that_is_damaged_in_any_byte_is_refused_with_the_line() {
    every_damage_of_a_journal::<User, _>(0..3, flips);
    every_damage_of_a_journal::<UserSession, _>(0..3, flips);
    every_damage_of_a_journal::<User, _>(5..6, |_| 0..=255);
    every_damage_of_a_journal::<UserSession, _>(5..6, |_| 0..=255);
}

fn every_cut_of_a_file<R: Sample>() {
    let history = History::<R>::new();
    let whole = history.json(2);
    for length in 0..whole.len() - 1 {
        let refused = load::<R>(&[("json", &whole[..length])]).expect_err("a part is refused");
        let place = format!("{}: damaged: ", name::<R>("json"));
        assert!(refused.starts_with(&place) && refused.contains(" at line "), "{refused}");
    }
    let without_end = &whole[..whole.len() - 1];
    assert_eq!(load::<R>(&[("json", without_end)]).unwrap().0, history.states[2]);
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    every_cut_of_a_file::<User>();
    every_cut_of_a_file::<UserSession>();
}

/// For each byte of a file of records whether it is part of a value, and may be edited: all others
/// are keys, the names of known members, and what holds them together.
fn editable(content: &[u8], known: &[String]) -> Vec<bool> {
    let text = std::str::from_utf8(content).unwrap();
    let mut editable = vec![true; content.len()];
    let mut forbid = |part: &str| {
        for (start, _) in text.match_indices(part) {
            editable[start..start + part.len()].fill(false);
        }
    };
    for name in known {
        forbid(&format!("\"{name}\":"));
    }
    editable
}

/// Holds that damage of a JSON file, which has no checksum since people edit it, is refused with its
/// place, or is an edit of one value: in one record at most, and there in one member.
fn every_damage_of_a_file<R: Sample, O: IntoIterator<Item = u8>>(others: impl Fn(u8) -> O) {
    let history = History::<R>::new();
    let (whole, before) = (history.json(2), &history.states[2]);
    let unknown = ["phone", "device"];
    let known = members(&*before[0]).into_iter().map(|(name, _)| name);
    let known: Vec<String> = known.filter(|name| !unknown.contains(&name.as_str())).collect();
    let editable = editable(&whole, &known);
    let (mut refusals, mut edits) = (0, 0);
    for (place, damaged) in damaged(&whole, others) {
        let line = line_of(&whole, place);
        let records = match load::<R>(&[("json", &damaged)]) {
            Ok((records, _)) => records,
            Err(refused) => {
                assert_refused_with_place::<R>(&refused, line);
                refusals += 1;
                continue;
            }
        };
        assert!(editable[place], "byte {place}: {}", damaged.escape_ascii());
        assert_eq!(keys(&records), keys(before), "byte {place}");
        for (number, (record, before)) in records.iter().zip(before).enumerate() {
            let changed = changed(&**record, &**before, &unknown);
            assert!(changed.len() <= usize::from(number + 2 == line), "byte {place}: {changed:?}");
            edits += changed.len();
        }
    }
    assert!(refusals > edits && edits > 0, "{refusals} refusals, {edits} edits");
}

fn assert_refused_with_place<R: Record>(refused: &str, line: usize) {
    assert!(refused.starts_with(&format!("{}: damaged: ", name::<R>("json"))), "{refused}");
    let told = refused.rsplit_once(" at line ").and_then(|(_, place)| place.split_once(" column "));
    // What is not closed is found out further on.
    let is_place = told.is_some_and(|(told, _)| told.parse::<usize>().unwrap() >= line);
    assert!(is_place || refused.contains("belongs to two records"), "{refused}: line {line}");
}

fn keys<R: Record>(records: &[Arc<R>]) -> Vec<R::Key> {
    records.iter().map(|record| record.key()).collect()
}

/// The members in which two records differ; one that is unknown may have another name as well.
fn changed<R: Record>(record: &R, before: &R, unknown: &[&str]) -> Vec<String> {
    let (mut record, mut before) = (members(record), members(before));
    let (names, old_names): (Vec<_>, Vec<_>) =
        (record.keys().cloned().collect(), before.keys().cloned().collect());
    let mut changed = Vec::new();
    if let Some(renamed) = old_names.iter().find(|name| !names.contains(name)) {
        assert!(unknown.contains(&renamed.as_str()), "{renamed} is lost");
        let new = names.iter().find(|name| !old_names.contains(name)).expect("another is there");
        assert_eq!(record.remove(new), before.remove(renamed));
        changed.push(renamed.clone());
    }
    assert_eq!(record.len(), before.len());
    changed.extend(
        before.into_iter().filter(|(name, old)| record[name] != *old).map(|(name, _)| name),
    );
    changed
}

#[test]
fn a_file_that_is_damaged_in_any_byte_is_refused_or_edited_in_one_value() {
    every_damage_of_a_file::<User, _>(others);
    every_damage_of_a_file::<UserSession, _>(others);
}

/// All three files of a class at once: two changes are in the JSON file, two in a journal that was
/// moved aside, and two in the one that goes on after it.
#[derive(Clone)]
struct Three {
    json: Vec<u8>,
    aside: Vec<u8>,
    journal: Vec<u8>,
}

impl Three {
    fn of<R: Sample>(history: &History<R>) -> Self {
        let aside = history.journal(2..4);
        let journal = history.journal_after(&aside, 4..6);
        Self { json: history.json(2), aside, journal }
    }

    fn load<R: Record>(&self) -> Result<(Vec<Arc<R>>, Option<String>), String> {
        let Self { json, aside, journal } = self;
        load(&[("json", json), ("journal.folding", aside), ("journal", journal)])
    }
}

fn every_cut_of_three_files<R: Sample>() {
    let history = History::<R>::new();
    let whole = Three::of(&history);
    assert_eq!(whole.load::<R>().unwrap(), (history.states[6].clone(), None));
    for length in 0..whole.json.len() - 1 {
        let cut = Three { json: whole.json[..length].to_vec(), ..whole.clone() };
        assert!(cut.load::<R>().unwrap_err().contains(".json: damaged: "), "cut at {length}");
    }
    // Also where a line ends: the journal says after which line it goes on.
    for length in 0..whole.aside.len() {
        let cut = Three { aside: whole.aside[..length].to_vec(), ..whole.clone() };
        let refused = cut.load::<R>().expect_err("something in the middle is missing");
        assert!(refused.contains(".journal.folding: damaged: "), "cut at {length}: {refused}");
    }
    for length in 0..whole.journal.len() {
        let cut = Three { journal: whole.journal[..length].to_vec(), ..whole.clone() };
        let expected = &history.states[4 + changes_in(&cut.journal)];
        assert_eq!(cut.load::<R>().unwrap().0, *expected, "cut at {length}");
    }
}

#[test]
fn of_three_files_one_that_is_cut_leaves_a_prefix_or_is_refused() {
    every_cut_of_three_files::<User>();
    every_cut_of_three_files::<UserSession>();
}

fn every_flip_of_three_files<R: Sample>() {
    let history = History::<R>::new();
    let whole = Three::of(&history);
    let flips = |byte: u8| [byte ^ 1, byte ^ 0x20, byte ^ 0x80];
    for (place, aside) in damaged(&whole.aside, flips) {
        let refused = Three { aside, ..whole.clone() }.load::<R>().expect_err("is damaged");
        assert!(refused.contains(".journal.folding: damaged: "), "byte {place}: {refused}");
    }
    for (place, journal) in damaged(&whole.journal[..whole.journal.len() - 1], flips) {
        let refused = Three { journal: [&journal[..], b"\n"].concat(), ..whole.clone() };
        let refused = refused.load::<R>().expect_err("is damaged");
        assert!(refused.contains(".journal: damaged: line "), "byte {place}: {refused}");
    }
    for (place, json) in damaged(&whole.json, flips) {
        match (Three { json, ..whole.clone() }).load::<R>() {
            Err(refused) => assert_refused_with_place::<R>(&refused, line_of(&whole.json, place)),
            // What was edited has been written anew since, in the journals.
            Ok((records, _)) => assert_eq!(records, history.states[6], "byte {place}"),
        }
    }
}

#[test]
fn of_three_files_one_that_is_damaged_is_refused() {
    every_flip_of_three_files::<User>();
    every_flip_of_three_files::<UserSession>();
}

#[test]
fn a_refusal_leaves_all_files_as_they_are_and_is_the_same_again() {
    let scratch = Scratch::new();
    let history = History::<UserSession>::new();
    let whole = Three::of(&history);
    let parts =
        [("json", &whole.json), ("journal.folding", &whole.aside), ("journal", &whole.journal)];
    let write = |extension: &str, content: &[u8]| {
        fs::write(scratch.path().join(name::<UserSession>(extension)), content).unwrap();
    };
    for (extension, content) in parts {
        write(extension, content);
    }
    let refuse =
        || JsonStore::<UserSession>::open(scratch.path()).err().expect("is damaged").to_string();
    for (extension, content) in parts {
        for place in (0..content.len() - 1).step_by(content.len() / 7) {
            let mut damaged = content.clone();
            damaged[place] = 0xff;
            write(extension, &damaged);
            let before = files(scratch.path());
            let refused = refuse();
            assert!(refused.contains(&format!("{}: damaged: ", name::<UserSession>(extension))));
            assert_eq!((refuse(), files(scratch.path())), (refused, before), "byte {place}");
        }
        write(extension, content);
    }
    let store = JsonStore::<UserSession>::open(scratch.path()).unwrap();
    assert_eq!(
        crate::harness::records::run(sessiond::store::SessionStore::count(&*store)).unwrap(),
        2
    );
}
