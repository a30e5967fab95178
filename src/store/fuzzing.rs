//! What the readers of journals and data files promise, whatever they are given.

mod memory;

use std::fmt::Debug;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use prometheus_client::metrics::histogram::Histogram;
use serde_json::{Map, Value};

use self::memory::Memory;
use super::change::Op;
use super::instruments::Instruments;
use super::journal::{self, Journal};
use super::load::Loaded;
use super::{OpenError, Record, write_records};
use crate::clock::Timestamp;
use crate::models::{User, UserSession};

/// Any bytes as the journal of either class. What is read is told whole: so many lines, the rest is
/// torn. A part of a journal is read as a part of its changes. The line that is named is the first
/// that is wrong. Whatever was read, a writer goes on behind it, and changes nothing before.
pub fn journal(bytes: &[u8]) {
    hold_journal::<User>(bytes);
    hold_journal::<UserSession>(bytes);
}

/// Lines of steps, written with their checksums by the writer of journals: those are taken that are
/// lists of steps, and what is read from them, written once more, is read as the same.
pub fn journal_lines(bytes: &[u8]) {
    hold_lines::<User>(bytes);
    hold_lines::<UserSession>(bytes);
}

/// Any bytes as the JSON file of either class. What is taken loses nothing when it is written again;
/// what is refused is refused with the name of the file and a place.
pub fn data_file(bytes: &[u8]) {
    hold_data_file::<User>(bytes);
    hold_data_file::<UserSession>(bytes);
}

fn hold_journal<R: Record>(bytes: &[u8]) {
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    let replay = match journal::read::<R>(bytes) {
        Ok(replay) => replay,
        Err((number, _)) => {
            let (before, rest) = lines.split_at(number - 1);
            assert!(rest[0].ends_with(b"\n"), "a line without its end is torn");
            assert!(journal::read::<R>(&before.concat()).is_ok(), "an earlier line is wrong");
            assert!(journal::read::<R>(&lines[..number].concat()).is_err());
            return;
        }
    };
    let whole = lines.iter().filter(|line| line.ends_with(b"\n")).count();
    assert_eq!((replay.lines, replay.changes.len()), (whole, whole.saturating_sub(1)));
    assert_eq!(replay.length + replay.torn, bytes.len() as u64);
    let changes = texts(&replay.changes);
    for number in 0..whole {
        let end = lines[..number].concat().len() + lines[number].len() / 2;
        let part = journal::read::<R>(&bytes[..end]).expect("a part of what is sound is sound");
        assert_eq!(texts(&part.changes), changes[..number.saturating_sub(1)]);
    }
    go_on(bytes, &replay, changes);
}

fn go_on<R: Record>(bytes: &[u8], replay: &journal::Replay<R>, mut changes: Vec<String>) {
    let path = PathBuf::from("journal");
    let files = Arc::new(Memory::of(&path, bytes));
    let mut journal = Journal::resume(files.clone(), path.clone(), Some(replay), not_timed());
    journal.append(&[b"[]".to_vec()]).expect("what was read can be gone on with");
    let content = files.content(&path);
    let kept = usize::try_from(replay.length).expect("a length in memory");
    assert_eq!(content[..kept], bytes[..kept]);
    changes.push("[]".into());
    let read = journal::read::<R>(&content).expect("what was written is sound");
    assert_eq!(texts(&read.changes), changes);
}

fn not_timed() -> Histogram {
    Instruments::default().sync_duration
}

fn texts<R: Record>(changes: &[Vec<Op<R>>]) -> Vec<String> {
    let text = |ops| serde_json::to_string(ops).expect("what was read can be written");
    changes.iter().map(text).collect()
}

fn written<R: Record>(payloads: &[Vec<u8>]) -> Vec<u8> {
    let path = PathBuf::from("journal");
    let files = Arc::new(Memory::default());
    let mut journal = Journal::resume::<R>(files.clone(), path.clone(), None, not_timed());
    journal.append(payloads).expect("memory does not fail");
    files.content(&path)
}

fn hold_lines<R: Record>(bytes: &[u8]) {
    let payloads: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    let content = written::<R>(&payloads);
    hold_journal::<R>(&content);
    let is_steps = |payload: &Vec<u8>| serde_json::from_slice::<Vec<Op<R>>>(payload).is_ok();
    match journal::read::<R>(&content) {
        Err((number, _)) => {
            assert_eq!(payloads.iter().position(|p| !is_steps(p)), Some(number - 2));
        }
        Ok(replay) => {
            assert_eq!((replay.changes.len(), replay.torn), (payloads.len(), 0));
            let changes = texts(&replay.changes);
            let again = changes.iter().map(|text| text.clone().into_bytes()).collect::<Vec<_>>();
            let again = written::<R>(&again);
            let again = journal::read::<R>(&again).expect("what was written is sound");
            assert_eq!(texts(&again.changes), changes);
        }
    }
}

fn load<R: Record>(bytes: &[u8]) -> Result<Vec<Arc<R>>, OpenError> {
    let files = Memory::of(Path::new(&format!("{}.json", R::CLASS)), bytes);
    Loaded::read(&files, Path::new("")).map(|loaded| loaded.table().iter().collect())
}

fn hold_data_file<R: Record + PartialEq + Debug>(bytes: &[u8]) {
    let records = match load::<R>(bytes) {
        Ok(records) => records,
        Err(refused) => {
            let refused = refused.to_string();
            assert!(refused.starts_with(&format!("{}.json: damaged: ", R::CLASS)), "{refused}");
            let has_place = refused.contains(" at line ") || refused.contains("two records");
            assert!(has_place, "{refused}");
            return;
        }
    };
    let written = {
        let (table, mut out) = (super::Table::default(), Vec::new());
        let puts: Vec<_> = records.iter().cloned().map(Op::Put).collect();
        table.apply(&puts);
        write_records(&table, &mut out).expect("memory does not fail");
        out
    };
    assert_eq!(load::<R>(&written).expect("what was written is sound"), records);
    hold_members::<R>(bytes, &written);
}

/// Holds that each member of each record is there once it has been written, and none besides.
fn hold_members<R: Record>(read: &[u8], written: &[u8]) {
    let json = |bytes| serde_json::from_slice(bytes).expect("it was read before");
    let (read, written): (Map<String, Value>, Map<String, Value>) = (json(read), json(written));
    assert_eq!(read.len(), written.len());
    for (key, record) in &read {
        let key: R::Key = serde_json::from_value(key.as_str().into()).expect("as before");
        let again = &written[&key.to_string()];
        for (name, value) in record.as_object().expect("as before") {
            assert!(is_same(name, value, &again[name]), "{name}: {value} became {}", again[name]);
        }
    }
}

/// Whether a member is written with the value it was read with. Times, addresses and ids have more
/// than one spelling; some members are left out when they have their default.
fn is_same(name: &str, read: &Value, written: &Value) -> bool {
    let texts = || read.as_str().zip(written.as_str());
    let has_default = matches!(name, "must_change" | "role_since" | "proved_at");
    let is_default = read.is_null() || *read == Value::Bool(false);
    read == written
        || has_default && is_default && written.is_null()
        || texts().is_some_and(|(read, written)| {
            let same_time = || read.parse::<Timestamp>() == written.parse::<Timestamp>();
            let same_id = || uuid::Uuid::try_parse(read) == uuid::Uuid::try_parse(written);
            let same_address = || read.parse::<IpAddr>() == written.parse::<IpAddr>();
            match name {
                "id" | "user_id" => same_id(),
                "client_address" => same_address(),
                "role_since" => same_time(),
                _ => name.ends_with("_at") && same_time(),
            }
        })
}
