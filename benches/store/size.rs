//! Look-ups and durable writes at a size.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sessiond::app::{Stores, World};
use sessiond::models::SessionId;
use sessiond::store::{Records as _, Room, SessionStore};

use crate::data;
use crate::harness::records::run;
use crate::harness::scratch::Scratch;

const LOOK_UPS: usize = 1_000_000;
/// Callers at once, and how many sessions each makes.
const CALLERS: usize = 64;
const INSERTS: usize = 200;

pub fn measure(number: usize) {
    let scratch = Scratch::new();
    let known = data::write(scratch.path(), number);
    let stores = Stores::open(scratch.path(), &World::default()).unwrap();
    let look_up = look_ups(&stores, &known);
    let insert = inserts(&stores);
    println!(
        "{number:>9} users and sessions: a look-up with its hash {:>4.0} ns, {CALLERS} inserts at once {:>6.0} us",
        look_up.as_secs_f64() * 1e9,
        insert.as_secs_f64() * 1e6,
    );
    run(stores.close()).unwrap();
}

/// A session by its id, and its user, as the guard does it.
fn look_ups(stores: &Stores, known: &[SessionId]) -> Duration {
    let started = Instant::now();
    for id in known.iter().cycle().take(LOOK_UPS) {
        let session = stores.sessions.table().get(&id.hash()).unwrap();
        let user = stores.users.table().get(&session.user_id).unwrap();
        std::hint::black_box(user);
    }
    started.elapsed() / u32::try_from(LOOK_UPS).unwrap()
}

/// The median of rounds in which many make a session at once.
fn inserts(stores: &Stores) -> Duration {
    let sessions = Arc::clone(&stores.sessions);
    let mut rounds: Vec<Duration> = (0..INSERTS)
        .map(|round| {
            let new = (0..CALLERS).map(|caller| {
                let user = data::user(round * CALLERS + caller);
                sessions.insert(data::session(&user, caller).1, Room::default())
            });
            let new = join_all(new);
            let started = Instant::now();
            run(new).into_iter().for_each(|inserted| drop(inserted.unwrap()));
            started.elapsed()
        })
        .collect();
    rounds.sort();
    rounds[INSERTS / 2]
}
