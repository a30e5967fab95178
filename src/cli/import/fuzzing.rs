//! What the reader of imports promises, whatever it is given.

use std::collections::HashSet;

use super::read::read;
use crate::app::World;
use crate::cli::export::FORMAT;
use crate::models::{User, UserSession};
use crate::store::{Op, Record, Table, write_records};

/// Any bytes as a file to import. No two of the users that are taken share an address, and what is
/// taken, exported and read again is the same.
pub fn import(bytes: &[u8]) {
    let world = World::default();
    let Ok(found) = read(bytes, &world) else { return };
    let users: Vec<User> = found.users.into_iter().map(|found| found.user).collect();
    let mut addresses = HashSet::new();
    assert!(users.iter().all(|user| addresses.insert(user.email.key())), "an address twice");
    let exported = format!(
        "{{\"format\": \"{FORMAT}\", \"User\": {}, \"UserSession\": {}}}",
        written(&users),
        written(&found.sessions)
    );
    let again = read(exported.as_bytes(), &world).expect("what was exported is taken");
    let same = again.users.into_iter().map(|found| found.user).eq(users);
    assert!(same && sorted(again.sessions) == sorted(found.sessions), "{exported}");
}

fn sorted(mut sessions: Vec<UserSession>) -> Vec<UserSession> {
    sessions.sort_by_key(|session| session.hash);
    sessions
}

fn written<R: Record>(records: &[R]) -> String {
    let (table, mut out) = (Table::default(), Vec::new());
    let puts: Vec<_> = records.iter().map(|record| Op::Put(record.clone().into())).collect();
    table.apply(&puts);
    assert_eq!(table.count(), records.len(), "no two records have one key");
    write_records(&table, &mut out).expect("memory does not fail");
    String::from_utf8(out).expect("JSON is text")
}
