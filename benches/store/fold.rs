//! What those who ask notice of folds: the longest that one waited for a look-up, for a write and for
//! the list of his sessions, while many others write; and how much of the disk is taken meanwhile.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use sessiond::app::{Stores, World};
use sessiond::models::{SessionHash, SessionId};
use sessiond::store::SessionStore;

use crate::data;
use crate::harness::records::run;
use crate::harness::scratch::Scratch;

/// How many folds are watched.
const FOLDS: usize = 6;
/// Changes that are on their way at once.
const AT_ONCE: usize = 64;

pub fn measure(number: usize) {
    let scratch = Scratch::new();
    let known = data::write(scratch.path(), number);
    let stores = Stores::open(scratch.path(), &World::default()).unwrap();
    let done = AtomicBool::new(false);
    let (waits, most) = std::thread::scope(|scope| {
        let load = || {
            let mut rounds = known.chunks(AT_ONCE).cycle();
            while !done.load(Ordering::Relaxed) {
                let round = rounds.next().unwrap().iter();
                run(join_all(round.map(|id| change(&stores, id.hash()))));
            }
        };
        scope.spawn(load);
        let disk = scope.spawn(|| most_of_the_disk(scratch.path(), &done));
        let waits = watch(scratch.path(), &stores, &known);
        done.store(true, Ordering::Relaxed);
        (waits, disk.join().unwrap())
    });
    run(stores.close()).unwrap();
    let live = length(&scratch.path().join("UserSession.json"));
    #[expect(clippy::cast_precision_loss, reason = "for people")]
    let ratio = most as f64 / live as f64;
    println!("{number} sessions, {FOLDS} folds; files took at most {ratio:.2} x the live data");
    for (during, waits) in ["without a fold", "during folds"].iter().zip(waits) {
        let told = waits.iter().map(|(what, waits)| {
            let (most, count) = (waits.iter().max().unwrap(), waits.len());
            let slow = waits.iter().filter(|wait| **wait > Duration::from_millis(50)).count();
            format!(
                "{what} at most {:.1} ms ({slow} of {count} above 50)",
                most.as_secs_f64() * 1e3
            )
        });
        println!("  {during:<14}: {}", told.collect::<Vec<_>>().join(", "));
    }
}

/// A durable change of one session.
async fn change(stores: &Stores, hash: SessionHash) {
    let proved = Box::new(|stored: &sessiond::models::UserSession| {
        let mut session = stored.clone();
        session.proved_at = Some(stored.authenticated_at().plus(Duration::from_millis(1)));
        session
    });
    stores.sessions.replace(&hash, proved).await.unwrap();
}

type Waits = [(&'static str, Vec<Duration>); 3];

/// How long single requests wait, without and with a fold under way.
fn watch(path: &Path, stores: &Stores, known: &[SessionId]) -> [Waits; 2] {
    let none = || ["look-up", "list", "write"].map(|what| (what, Vec::new()));
    let mut waits = [none(), none()];
    let (mut folds, mut was_folding) = (0, false);
    for id in known.iter().cycle() {
        let began = is_folding(path);
        let hash = id.hash();
        let session = run(stores.sessions.get(&hash)).unwrap().unwrap();
        let times = [
            timed(|| drop(run(stores.sessions.get(&hash)))),
            timed(|| drop(run(stores.sessions.of_user(session.user_id)))),
            timed(|| run(change(stores, hash))),
        ];
        let folding = began || is_folding(path);
        for ((_, waits), time) in waits[usize::from(folding)].iter_mut().zip(times) {
            waits.push(time);
        }
        folds += usize::from(was_folding && !folding);
        was_folding = folding;
        if folds == FOLDS {
            break;
        }
    }
    waits
}

fn timed(act: impl FnOnce()) -> Duration {
    let started = Instant::now();
    act();
    started.elapsed()
}

fn is_folding(path: &Path) -> bool {
    path.join("UserSession.journal.folding").exists()
}

/// The most that the files of sessions take together, in bytes.
fn most_of_the_disk(path: &Path, done: &AtomicBool) -> u64 {
    let names = ["json", "json.tmp", "journal", "journal.folding"];
    let mut most = 0;
    while !done.load(Ordering::Relaxed) {
        let lengths = names.map(|name| length(&path.join(format!("UserSession.{name}"))));
        most = most.max(lengths.iter().sum());
        std::thread::sleep(Duration::from_millis(1));
    }
    most
}

fn length(path: &Path) -> u64 {
    fs::metadata(path).map_or(0, |metadata| metadata.len())
}
