//! Durable writes: how many there are in a second beside what the disk does when it is asked for one
//! after the other, and what they take of the processor beside the same in memory.
//!
//! Callers are tasks on one thread, as in a worker of the server; each makes the next change when the
//! last has been answered. What a change takes of the processor is what all threads take, divided. For
//! the bytes alone a bare thread writes and syncs as many in as many batches. There are no folds: see
//! `fold`. All take turns, so that what else the machine does counts for all.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_util::future::LocalBoxFuture;
use sessiond::app::World;
use sessiond::auth::cookie::SessionCookie;
use sessiond::auth::session::Sessions;
use sessiond::auth::session_db::SessionDBAuth;
use sessiond::auth::session_exp::SessionExpAuth;
use sessiond::auth::{Auth as _, Login};
use sessiond::models::{Client, Lifetime, Lifetimes, User};
use sessiond::store::files::Disk;
use sessiond::store::json::JsonTable;
use sessiond::store::load::Loaded;
use sessiond::store::memory::MemoryTable;
use sessiond::store::{Record, SessionStore, UserStore};

use crate::data::{self, AGENTS};
use crate::harness::scratch::Scratch;
use crate::harness::watched_files::{Fate, WatchedFiles};
use crate::size::median;
use crate::worker::{Cost, Worker};

/// How many are at it at once, and how much each of them does in a round.
const CALLERS: [(usize, usize); 3] = [(1, 150), (8, 100), (64, 50)];
const ROUNDS: usize = 15;

pub const HEAD: &str = "
| | callers | a second | x the disk | a batch | CPU | in memory | bytes alone | x both |
|---|---|---|---|---|---|---|---|---|";

/// Makes a change of what it is given, as one caller.
type Act<T> = Arc<dyn Fn(T) -> LocalBoxFuture<'static, ()> + Send + Sync>;

/// Sessions of so many users, and users.
pub fn measure(number: usize) {
    let scratch = Scratch::new();
    let worker = Worker::start();
    let users: Vec<_> = (0..number).map(|this| Arc::new(data::user(this))).collect();
    let mut users = users.into_iter().cycle().zip(AGENTS.into_iter().cycle());
    let login = move || {
        let (user, agent) = users.next().unwrap();
        let client = Client::new(Some([10, 0, 0, 7].into()), Some(agent));
        (user, Login { client, ..Login::default() })
    };
    let mut sessions = Series::new(scratch.path(), login, logins, logins);
    let mut numbers = 0..;
    let user = move || data::user(numbers.next().unwrap());
    let mut users = Series::new(scratch.path(), user, inserts, inserts);
    for _ in 0..ROUNDS {
        sessions.round(&worker);
        users.round(&worker);
    }
    sessions.tell("sessions");
    users.tell("users");
}

/// `Auth::create_session`: a login without its hash.
fn logins<S: SessionStore + 'static>(store: Arc<S>) -> Act<(Arc<User>, Login)> {
    let world = World::default();
    let sessions = Sessions {
        store,
        users: Arc::new(MemoryTable::<User>::default()),
        clock: world.clock,
        random: world.random,
        cookie: SessionCookie::default(),
        lifetimes: Lifetimes::default(),
        per_user: 25,
    };
    let hour = Duration::from_hours(1);
    let plain = Lifetime { absolute: Some(24 * hour), idle: Some(hour) };
    let auth = Arc::new(SessionDBAuth(SessionExpAuth::new(sessions, plain)));
    Arc::new(move |(user, login)| {
        let auth = Arc::clone(&auth);
        Box::pin(async move { assert!(auth.create_session(&user, login).await.unwrap().is_some()) })
    })
}

fn inserts<S: UserStore + 'static>(store: Arc<S>) -> Act<User> {
    Arc::new(move |user| {
        let store = Arc::clone(&store);
        Box::pin(async move { drop(store.insert(user).await.unwrap()) })
    })
}

/// The same changes in a durable store and in memory, by some callers at once.
struct Series<T> {
    new: Box<dyn FnMut() -> T>,
    durable: Act<T>,
    memory: Act<T>,
    journal: PathBuf,
    syncs: Arc<AtomicU32>,
    /// For the bytes alone.
    file: Arc<File>,
    rounds: [Vec<Round>; CALLERS.len()],
}

/// What a change took.
struct Round {
    durable: Cost,
    memory: Cost,
    /// The bytes alone.
    bytes: Cost,
    /// Changes that shared a sync.
    batch: f64,
}

impl<T: Send + 'static> Series<T> {
    fn new<R: Record>(
        path: &Path,
        new: impl FnMut() -> T + 'static,
        durable: impl FnOnce(Arc<JsonTable<R>>) -> Act<T>,
        memory: impl FnOnce(Arc<MemoryTable<R>>) -> Act<T>,
    ) -> Self {
        let syncs = Arc::new(AtomicU32::new(0));
        let (counted, sync) = (Arc::clone(&syncs), format!("sync {}.journal", R::CLASS));
        let files = WatchedFiles::new(Disk, move |operation| {
            counted.fetch_add(u32::from(operation == sync), Ordering::Relaxed);
            Fate::Done
        });
        let loaded = Loaded::read(&Disk, path).unwrap();
        let table = JsonTable::start_folding_at(u64::MAX, loaded, Arc::new(files));
        let alone = path.join(format!("{}.alone", R::CLASS));
        Self {
            new: Box::new(new),
            durable: durable(Arc::new(table)),
            memory: memory(Arc::default()),
            journal: path.join(format!("{}.journal", R::CLASS)),
            syncs,
            file: Arc::new(OpenOptions::new().append(true).create(true).open(alone).unwrap()),
            rounds: Default::default(),
        }
    }

    fn round(&mut self, worker: &Worker) {
        for (turn, (callers, each)) in CALLERS.into_iter().enumerate() {
            let count = callers * each;
            let [of_durable, of_memory] = [(), ()].map(|()| {
                let mut mine = || (0..each).map(|_| (self.new)()).collect();
                (0..callers).map(|_| mine()).collect()
            });
            let before = self.written();
            let durable = worker.at_once(of_durable, by(&self.durable));
            let after = self.written();
            let memory = worker.at_once(of_memory, by(&self.memory));
            let batches = after.1 - before.1;
            let length = (after.0 - before.0) / u64::from(batches);
            let (mut file, line) =
                (Arc::clone(&self.file), vec![b'x'; usize::try_from(length).unwrap()]);
            let bytes = worker.alone(count, move || {
                for _ in 0..batches {
                    file.write_all(&line).unwrap();
                    file.sync_data().unwrap();
                }
            });
            let batch = f64::from(u32::try_from(count).unwrap()) / f64::from(batches);
            self.rounds[turn].push(Round { durable, memory, bytes, batch });
        }
    }

    /// Bytes in the journal, and how often it was synced.
    fn written(&self) -> (u64, u32) {
        let length = fs::metadata(&self.journal).map_or(0, |metadata| metadata.len());
        (length, self.syncs.load(Ordering::Relaxed))
    }

    /// A row for each number of callers.
    fn tell(&self, what: &str) {
        let figure =
            |rounds: &[Round], of: fn(&Round) -> f64| median(rounds.iter().map(of).collect());
        // Alone, one caller's batches are single lines.
        let disk = figure(&self.rounds[0], |round| 1.0 / round.bytes.time.as_secs_f64());
        for ((callers, _), rounds) in CALLERS.iter().zip(&self.rounds) {
            let rate = figure(rounds, |round| 1.0 / round.durable.time.as_secs_f64());
            let [durable, memory, bytes] = [
                figure(rounds, |round| micros(round.durable.cpu)),
                figure(rounds, |round| micros(round.memory.cpu)),
                figure(rounds, |round| micros(round.bytes.cpu)),
            ];
            let (by_disk, batch) = (rate / disk, figure(rounds, |round| round.batch));
            let ratio = durable / (memory + bytes);
            println!(
                "| {what} | {callers} | {rate:.0} | {by_disk:.2} | {batch:.1} | {durable:.1} us | {memory:.1} us | {bytes:.1} us | {ratio:.2} |"
            );
        }
        println!("| {what}: the disk alone | 1 | {disk:.0} | 1 | 1 | | | | |");
    }
}

fn by<T: 'static>(
    act: &Act<T>,
) -> impl Fn(T) -> LocalBoxFuture<'static, ()> + Clone + Send + use<T> {
    let act = Arc::clone(act);
    move |this| act(this)
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}
