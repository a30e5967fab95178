//! How long a start takes, beside that of reading the same bytes with `serde_json` alone; and what is
//! resident after it.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::de::IgnoredAny;
use sessiond::app::{Service, World};
use sessiond::config::Config;
use sessiond::models::{User, UserSession};
use sessiond::store::Record;
use sessiond::store::files::Disk;
use sessiond::store::load::Loaded;

use crate::data;
use crate::harness::scratch::Scratch;
use crate::process;

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
    drop(service);
    println!(
        "{number:>9} users and sessions, {:>7.1} MB: start {:.3} s, {:.2} x serde_json alone ({:.3} s); resident {user} bytes a user, {session} a session",
        megabytes(bytes),
        start.as_secs_f64(),
        start.as_secs_f64() / alone.as_secs_f64(),
        alone.as_secs_f64(),
    );
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
