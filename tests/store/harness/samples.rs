//! Records with every member there is, and the files that hold them.

use std::fmt::Debug;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};
use sessiond::models::{User, UserSession};
use sessiond::store::files::Files;
use sessiond::store::json::JsonTable;
use sessiond::store::load::Loaded;
use sessiond::store::{Op, Record, Records as _, Table, write_records};

use super::records::run;
use super::simulated_disk::SimulatedDisk;
use super::watched_files::{Fate, WatchedFiles};

/// A class of records, and three of them: with all members, with few, and with some.
pub trait Sample: Record + Debug + PartialEq {
    fn samples() -> [Self; 3];
}

const TIME: &str = "2026-01-02T03:04:05.678Z";

impl Sample for User {
    fn samples() -> [Self; 3] {
        let user = |number: u8, more: Value| {
            let hash = format!("$2b$04${}", "O".repeat(53));
            record(
                json!({ "id": format!("8f0e6f0e-abcd-4000-8000-00000000000{number}"),
                    "email": format!("u{number}@example.com"), "password_hash": hash,
                    "created_at": TIME, "updated_at": TIME }),
                &more,
            )
        };
        [
            user(
                1,
                json!({ "first_name": "B\u{f6}b \"b\"", "last_name": "null", "role": "admin",
                    "disabled": true, "must_change": true, "role_since": TIME,
                    "credential_version": 17, "phone": { "home": [1, 2.5, null] } }),
            ),
            user(2, json!({})),
            user(3, json!({ "last_name": "", "credential_version": 1 })),
        ]
    }
}

impl Sample for UserSession {
    fn samples() -> [Self; 3] {
        let session = |number: u8, more: Value| {
            record(
                json!({ "hash": format!("a{number}").repeat(32),
                    "id": format!("8f0e6f0e-abcd-4000-8000-00000000000{number}"),
                    "user_id": "8f0e6f0e-abcd-4000-8000-000000000001", "credential_version": 17,
                    "created_at": TIME, "last_seen_at": TIME }),
                &more,
            )
        };
        [
            session(
                1,
                json!({ "proved_at": TIME, "expires_at": TIME, "idle_timeout": 3600,
                    "remembered": true, "client_address": "192.0.2.10", "user_agent": "a browser",
                    "device": "phone" }),
            ),
            session(2, json!({})),
            session(3, json!({ "client_address": "2001:db8::1", "idle_timeout": 60 })),
        ]
    }
}

fn record<R: Record>(mut members: Value, more: &Value) -> R {
    members.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    serde_json::from_value(members).unwrap()
}

/// Changes of a class, each a line of the journal, and what is there after each of them.
pub struct History<R: Record> {
    pub changes: Vec<Vec<Op<R>>>,
    pub states: Vec<Vec<Arc<R>>>,
}

impl<R: Sample> History<R> {
    /// Puts, changes and removes.
    pub fn new() -> Self {
        let [full, plain, other] = R::samples().map(Arc::new);
        let mut again = serde_json::to_value(&*plain).unwrap();
        again["later"] = true.into();
        let again: Arc<R> = Arc::new(serde_json::from_value(again).unwrap());
        Self::of(vec![
            vec![Op::Put(Arc::clone(&full))],
            vec![Op::Put(plain)],
            vec![Op::Put(Arc::clone(&other)), Op::Remove(*full.key())],
            vec![Op::Put(again)],
            vec![Op::Put(full)],
            vec![Op::Remove(*other.key())],
        ])
    }

    fn of(changes: Vec<Vec<Op<R>>>) -> Self {
        let table = Table::default();
        let records = |table: &Table<R>| table.iter().collect::<Vec<_>>();
        let states = changes.iter().map(|ops| {
            table.apply(ops);
            records(&table)
        });
        let states = std::iter::once(Vec::new()).chain(states).collect();
        Self { changes, states }
    }

    /// The journal of some of the changes.
    pub fn journal(&self, changes: Range<usize>) -> Vec<u8> {
        self.journal_after(b"", changes)
    }

    /// The journal of some of the changes that goes on after one that was moved aside.
    pub fn journal_after(&self, aside: &[u8], changes: Range<usize>) -> Vec<u8> {
        // A disk that cannot fold what was moved aside.
        let disk = if aside.is_empty() {
            disk::<R>(&[])
        } else {
            disk::<R>(&[("journal.folding", aside)])
        };
        let unfolded = |operation: &str| {
            if operation.ends_with(".json.tmp") { Fate::Failed } else { Fate::Done }
        };
        let loaded = Loaded::read(&disk, Path::new("")).unwrap();
        let files = WatchedFiles::new(disk.clone(), unfolded);
        let table = JsonTable::<R>::start(loaded, Arc::new(files));
        for ops in self.changes[changes].iter().cloned() {
            run(table.submit(move |_| Ok((ops, ())))).unwrap().unwrap();
        }
        drop(table);
        disk.read(Path::new(&name::<R>("journal"))).unwrap().unwrap()
    }

    /// The JSON file as it is after so many changes.
    pub fn json(&self, changes: usize) -> Vec<u8> {
        let (table, mut content) = (Table::default(), Vec::new());
        self.changes[..changes].iter().for_each(|ops| table.apply(ops));
        write_records(&table, &mut content).unwrap();
        content
    }
}

/// The name of a file of a class.
pub fn name<R: Record>(extension: &str) -> String {
    format!("{}.{extension}", R::CLASS)
}

fn disk<R: Record>(files: &[(&str, &[u8])]) -> SimulatedDisk {
    let disk = SimulatedDisk::default();
    for (extension, content) in files {
        let mut file = disk.create(Path::new(&name::<R>(extension))).unwrap();
        file.write_all(content).unwrap();
    }
    disk
}

/// What is read from these files: the records, and what was said of a torn end.
pub fn load<R: Record>(files: &[(&str, &[u8])]) -> Result<(Vec<Arc<R>>, Option<String>), String> {
    let disk = disk::<R>(files);
    let loaded = Loaded::<R>::read(&disk, Path::new("")).map_err(|refused| refused.to_string())?;
    Ok((loaded.table().iter().collect(), loaded.torn()))
}

/// The members of a record, by name.
pub fn members<R: Record>(record: &R) -> Map<String, Value> {
    let Value::Object(members) = serde_json::to_value(record).unwrap() else { unreachable!() };
    members
}
