//! How long a start takes, beside that of reading the same bytes with `serde_json` alone; how long a
//! fold of the sessions takes, beside that of writing and syncing the same bytes alone; and what is
//! resident after a start.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::de::IgnoredAny;
use sessiond::app::{Service, World};
use sessiond::auth::Login;
use sessiond::config::Config;
use sessiond::models::{User, UserSession};
use sessiond::store::Record;
use sessiond::store::files::Disk;
use sessiond::store::load::Loaded;

use crate::data;
use crate::harness::records::run;
use crate::harness::scratch::Scratch;
use crate::process;

pub const HEAD: &str = "
| users, and sessions | MB | start | x serde_json alone | fold of the sessions | x its bytes alone | bytes a user | a session |
|---|---|---|---|---|---|---|---|";

pub fn measure(number: usize) {
    let scratch = Scratch::new();
    let child = std::env::var_os("SESSIOND_BENCH_DATA");
    let Some(path) = child else {
        data::write(scratch.path(), number);
        return again(scratch.path(), number);
    };
    let (path, this) = (Path::new(&path), std::process::id());
    let before = process::resident(this);
    let users = Loaded::<User>::read(&Disk, path).unwrap();
    let with_users = process::resident(this);
    let sessions = Loaded::<UserSession>::read(&Disk, path).unwrap();
    let with_both = process::resident(this);
    drop((users, sessions));
    let each = |bytes: usize| bytes / number;
    let (user, session) = (each(with_users - before), each(with_both - with_users));
    let (alone, bytes) = serde_alone(path);
    let started = Instant::now();
    let flags = ["--data-dir", path.to_str().unwrap()];
    let config = Config::from_arguments(&flags).unwrap();
    let service = Service::open_in(&config, &World::default()).unwrap();
    let start = started.elapsed();
    let (fold, written) = fold(&service, path);
    let [start, alone, fold, written] =
        [start, alone, fold, written].map(|time| time.as_secs_f64());
    println!(
        "| {number} | {:.1} | {start:.3} s | {:.2} | {fold:.3} s | {:.2} | {user} | {session} |",
        megabytes(bytes),
        start / alone,
        fold / written,
    );
}

/// How long it takes a stop to fold the sessions after one change, and to write and sync as many bytes.
fn fold(service: &Service, path: &Path) -> (Duration, Duration) {
    let user = data::user(0);
    run(service.auth().create_session(&user, Login::default())).unwrap();
    let started = Instant::now();
    run(service.close()).unwrap();
    let fold = started.elapsed();
    let content = fs::read(path.join(format!("{}.json", UserSession::CLASS))).unwrap();
    let started = Instant::now();
    let mut file = File::create(path.join("alone")).unwrap();
    file.write_all(&content).unwrap();
    file.sync_all().unwrap();
    (fold, started.elapsed())
}

/// In a process that has not made the data.
#[expect(clippy::disallowed_methods, reason = "this is no service")]
fn again(path: &Path, number: usize) {
    let mut this = std::process::Command::new(std::env::current_exe().unwrap());
    this.args(["start", &number.to_string()]).env("SESSIOND_BENCH_DATA", path);
    assert!(this.status().unwrap().success());
}

/// How long it takes to read both files and to parse them, without keeping anything.
fn serde_alone(path: &Path) -> (Duration, usize) {
    let started = Instant::now();
    let bytes = [User::CLASS, UserSession::CLASS].map(|class| {
        let content = fs::read(path.join(format!("{class}.json"))).unwrap();
        serde_json::from_slice::<IgnoredAny>(&content).unwrap();
        content.len()
    });
    (started.elapsed(), bytes.iter().sum())
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
