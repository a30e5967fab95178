//! The session of a login, in memory and durable; and changes of a journal, by some writers at once.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use criterion::{Criterion, SamplingMode};
use futures_util::stream::{self, StreamExt as _};
use sessiond::app::{Service, Stores, World};
use sessiond::auth::Login;
use sessiond::config::Config;
use sessiond::models::{User, UserSession};
use sessiond::store::{Room, SessionStore as _};

use crate::data;
use crate::harness::records::run;
use crate::harness::scratch::Scratch;

/// Users whose sessions are made in turn: so many that none comes to the most that he may have.
const USERS: usize = 100_000;
/// Bytes of a line of the journal that holds a session.
const LINE: usize = 525;

pub fn measure(criterion: &mut Criterion) {
    let users: Vec<User> = (0..USERS).map(data::user).collect();
    logins(criterion, &users);
    appends(criterion, &users);
}

/// All of a login but the hash.
fn logins(criterion: &mut Criterion, users: &[User]) {
    let mut group = criterion.benchmark_group("login");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    for (name, kind) in [("memory", "session_exp_auth"), ("durable", "session_db_auth")] {
        let scratch = Scratch::new();
        let flags = ["--data-dir", scratch.path().to_str().unwrap(), "--auth-type", kind];
        let service = Service::open(&Config::from_arguments(&flags).unwrap()).unwrap();
        let mut users = users.iter().cycle();
        group.bench_function(name, |bench| {
            bench.iter(|| {
                let user = users.next().unwrap();
                run(service.auth().create_session(user, Login::default())).unwrap()
            });
        });
        run(service.close()).unwrap();
    }
}

fn appends(criterion: &mut Criterion, users: &[User]) {
    let mut group = criterion.benchmark_group("append");
    group.sample_size(10).sampling_mode(SamplingMode::Flat);
    let scratch = Scratch::new();
    let mut file = File::create(scratch.path().join("alone")).unwrap();
    group.bench_function("disk", |bench| {
        bench.iter(|| {
            file.write_all(&[b'x'; LINE]).unwrap();
            file.sync_data().unwrap();
        });
    });
    let stores = Stores::open(scratch.path(), &World::default()).unwrap();
    let mut users = users.iter().cycle();
    for writers in [1, 8, 64] {
        group.bench_function(writers.to_string(), |bench| {
            bench.iter_custom(|count| {
                let new = users.by_ref().take(usize::try_from(count).unwrap());
                let new: Vec<_> =
                    new.enumerate().map(|(number, user)| data::session(user, number).1).collect();
                append(&stores, new, writers)
            });
        });
    }
    run(stores.close()).unwrap();
}

/// How long it takes to store all of them, when so many are on their way at once.
fn append(stores: &Stores, new: Vec<UserSession>, writers: usize) -> Duration {
    let sessions = Arc::clone(&stores.sessions);
    let insert = |session| sessions.insert(session, Room::default());
    let started = Instant::now();
    let answers = stream::iter(new).map(insert).buffer_unordered(writers);
    run(answers.for_each(|answer| {
        answer.unwrap();
        std::future::ready(())
    }));
    started.elapsed()
}
