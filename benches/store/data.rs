//! Data directories of a size.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::sync::Arc;

use sessiond::clock::{Clock as _, SystemClock};
use sessiond::models::{
    Client, Email, Lifetime, PasswordHash, Role, SessionId, User, UserId, UserSession,
};
use sessiond::random::SystemRandom;
use sessiond::store::{Op, Record, Table, write_records};

/// What browsers say they are.
pub const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:142.0) Gecko/20100101 Firefox/142.0",
    "curl/8.14.1",
];

/// How many sessions are asked for.
const SOME: usize = 10_000;

pub fn user(number: usize) -> User {
    let id = UserId::generate(&SystemRandom).unwrap();
    let email = Email::new(&format!("user.number.{number}@example.com")).unwrap();
    let mut user = User::new(id, email, PasswordHash::of_nobody(12), SystemClock::new().now());
    (user.first_name, user.last_name) = (Some("Ada".into()), Some("Lovelace".into()));
    if number == 0 {
        user.role = Role::Admin;
    }
    user
}

pub fn session(user: &User, number: usize) -> (SessionId, UserSession) {
    let id = SessionId::generate(&SystemRandom).unwrap();
    let address = [10, 0, u8::try_from(number / 256 % 256).unwrap(), 7].into();
    let client = Client::new(Some(address), Some(AGENTS[number % AGENTS.len()]));
    let hour = std::time::Duration::from_hours(1);
    let lifetime = Lifetime { absolute: Some(24 * hour), idle: Some(hour) };
    let (hash, now) = (id.hash(), SystemClock::new().now());
    let session = UserSession::new(hash, user, client, lifetime, now, &SystemRandom).unwrap();
    (id, session)
}

/// Writes `number` users with a session each into a folder; returns the ids of some sessions, from
/// all over the files.
pub fn write(path: &Path, number: usize) -> Vec<SessionId> {
    let (users, sessions) = (Table::default(), Table::default());
    let mut some = Vec::new();
    for this in 0..number {
        let user = user(this);
        let (id, session) = session(&user, this);
        if this % (number / SOME).max(1) == 0 {
            some.push(id);
        }
        sessions.apply(&[Op::Put(Arc::new(session))]);
        users.apply(&[Op::Put(Arc::new(user))]);
    }
    write_table(path, &users);
    write_table(path, &sessions);
    some
}

fn write_table<R: Record>(path: &Path, table: &Table<R>) {
    let file = File::create(path.join(format!("{}.json", R::CLASS))).unwrap();
    let mut out = BufWriter::new(file);
    write_records(table, &mut out).unwrap();
    // So that the system does not write it out while something is measured.
    out.into_inner().unwrap().sync_all().unwrap();
}
