//! Hashing of passwords, on lanes of its own: a bounded number of threads with a bounded queue,
//! so that a flood of logins neither takes the workers nor the memory. Where they share a core with
//! a worker, the worker goes first.

mod priority;
mod toll;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use std::{io, thread};

use tokio::sync::oneshot;

use crate::clock::{Clock, Timestamp};
use crate::error::{Error, Result};
use crate::models::{Password, PasswordHash, Work};
use crate::random::Random;

pub use toll::{MAX_KINDS, Toll};

/// How long no job may end while there are some, until the lanes count as stuck. The slowest hash
/// takes seconds.
const STUCK_AFTER: Duration = Duration::from_secs(30);

type Job = Box<dyn FnOnce() + Send>;
type Jobs = Mutex<Receiver<Job>>;

/// Threads that do one slow thing at a time, and a queue of bounded length before them.
pub struct Lanes {
    sender: Sender<Job>,
    load: Arc<Load>,
    /// Held by each lane as long as it lives.
    jobs: Weak<Jobs>,
}

impl Lanes {
    /// Starts `lanes` threads; `queue` jobs may wait for them. The clock tells when they are stuck.
    pub fn start(lanes: usize, queue: usize, clock: Arc<dyn Clock>) -> io::Result<Self> {
        let (sender, jobs) = channel::<Job>();
        let jobs = Arc::new(Jobs::new(jobs));
        for lane in 0..lanes {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new().name(format!("hash {lane}")).spawn(move || {
                let lowered = priority::lower();
                // Once is enough: what keeps one lane from it keeps all.
                if let (0, Err(cause)) = (lane, lowered) {
                    log::info!("the hashing lanes keep the priority of the workers: {cause}");
                }
                work(&jobs);
            })?;
        }
        let load = Arc::new(Load::new(lanes.saturating_add(queue), clock));
        Ok(Self { sender, load, jobs: Arc::downgrade(&jobs) })
    }

    /// Runs `job` on a lane. 503 when the queue is full; a job whose caller has gone away before
    /// its turn is skipped.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let place = Place::take(&self.load).ok_or(Error::Busy)?;
        let (caller, result) = oneshot::channel();
        let job = move || {
            let result = (!caller.is_closed()).then(job);
            // The place is free before the caller hears, so that he may come back at once.
            drop(place);
            if let Some(result) = result {
                let _ = caller.send(result);
            }
        };
        let ended = |_| Error::Unavailable("the hashing lanes ended".into());
        self.sender.send(Box::new(job)).map_err(ended)?;
        result.await.map_err(|_| Error::Internal("a hashing job panicked".into()))
    }

    /// How many jobs are running or waiting.
    pub fn busy(&self) -> usize {
        self.load.busy.load(Ordering::SeqCst)
    }

    /// How many may be.
    pub fn capacity(&self) -> usize {
        self.load.capacity
    }

    /// What keeps the lanes from doing jobs, if something does.
    pub fn trouble(&self) -> Option<&'static str> {
        if self.jobs.strong_count() == 0 {
            Some("the hashing lanes have ended")
        } else if self.load.is_stuck() {
            Some("the hashing lanes are stuck")
        } else {
            None
        }
    }
}

/// How much the lanes have to do.
struct Load {
    /// How many jobs are running or waiting.
    busy: AtomicUsize,
    /// How many may be.
    capacity: usize,
    /// When a job has last ended, or come when there was none: in milliseconds since the epoch.
    moved: AtomicI64,
    clock: Arc<dyn Clock>,
}

impl Load {
    fn new(capacity: usize, clock: Arc<dyn Clock>) -> Self {
        Self { busy: AtomicUsize::new(0), capacity, moved: AtomicI64::new(0), clock }
    }

    fn moves(&self) {
        self.moved.store(self.clock.now().as_millis(), Ordering::SeqCst);
    }

    fn is_stuck(&self) -> bool {
        // In this order: whoever made it busy has noted the time before.
        let busy = self.busy.load(Ordering::SeqCst) > 0;
        let moved = Timestamp::from_millis(self.moved.load(Ordering::SeqCst));
        busy && self.clock.now().since(moved) >= STUCK_AFTER
    }
}

/// A place on the lanes or in the queue, until it is dropped.
struct Place(Arc<Load>);

impl Place {
    fn take(load: &Arc<Load>) -> Option<Self> {
        if load.busy.load(Ordering::SeqCst) == 0 {
            load.moves();
        }
        // Counted first, and taken back when there was none left.
        if load.busy.fetch_add(1, Ordering::SeqCst) < load.capacity {
            Some(Self(Arc::clone(load)))
        } else {
            load.busy.fetch_sub(1, Ordering::SeqCst);
            None
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.moves();
        self.0.busy.fetch_sub(1, Ordering::SeqCst);
    }
}

fn work(jobs: &Jobs) {
    loop {
        let next = jobs.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = next else { return };
        // The panic has been logged by the hook; its caller gets a 500, the lane goes on.
        let _ = catch_unwind(AssertUnwindSafe(job));
    }
}

/// Hashes and verifies passwords.
pub struct Hasher {
    lanes: Lanes,
    cost: u32,
    /// What a wrong password costs.
    toll: Arc<Toll>,
    random: Arc<dyn Random>,
}

/// What came of a verification.
pub struct Verified {
    /// Whether the password was right.
    pub right: bool,
    /// The hash to keep from now on, where the one there was is outdated.
    pub renewed: Option<PasswordHash>,
}

impl Hasher {
    /// A hasher that works at a cost (bcrypt: 2^cost rounds), beside hashes that are stored at up
    /// to `stored`.
    pub fn new(lanes: Lanes, cost: u32, stored: u32, random: Arc<dyn Random>) -> Self {
        let toll = Arc::new(Toll::of([Work::Bcrypt(cost.max(stored))]));
        Self { lanes, cost, toll, random }
    }

    /// The same beside hashes that take these works.
    #[must_use]
    pub fn beside(self, stored: impl IntoIterator<Item = Work>) -> Self {
        let mut toll = Toll::clone(&self.toll);
        stored.into_iter().for_each(|work| toll.add(work));
        if toll.kinds() > MAX_KINDS {
            log::warn!(
                "the password hashes have {} settings of argon2id and scrypt: how long a refused \
                 login takes is the same for {MAX_KINDS} of them, and tells of other users that \
                 they exist",
                toll.kinds()
            );
            toll.bound();
        }
        Self { toll: Arc::new(toll), ..self }
    }

    /// Where it hashes.
    pub fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        let (cost, random) = (self.cost, Arc::clone(&self.random));
        self.lanes.run(move || PasswordHash::new(&password, cost, random.as_ref())).await?
    }

    /// Verifies a password against the hash of a user, or of nobody. If it is right and lets its
    /// owner in (`admits`), it is hashed anew where the hash is outdated. All else takes the same
    /// time whatever it is compared with (ASVS 6.3.8).
    pub async fn verify(
        &self,
        stored: Option<PasswordHash>,
        password: Password,
        admits: bool,
    ) -> Result<Verified> {
        let (cost, toll, random) = (self.cost, Arc::clone(&self.toll), Arc::clone(&self.random));
        let verify = move || {
            let right = is_right(stored.as_ref(), &password, admits, &toll);
            let outdated = |hash: PasswordHash| hash.is_outdated(cost) || hash.cuts(&password);
            let renew = admits && right && stored.is_some_and(outdated);
            let renewed = renew.then(|| PasswordHash::new(&password, cost, random.as_ref()));
            Ok(Verified { right, renewed: renewed.transpose()? })
        };
        self.lanes.run(verify).await?
    }

    /// Wraps a hash of the classic program.
    pub async fn wrap_classic(&self, hex: String) -> Result<PasswordHash> {
        let (cost, random) = (self.cost, Arc::clone(&self.random));
        self.lanes.run(move || PasswordHash::from_classic(&hex, cost, random.as_ref())).await?
    }
}

fn is_right(stored: Option<&PasswordHash>, password: &Password, admits: bool, toll: &Toll) -> bool {
    // What no user can have is refused without work, alike for everybody. An empty password may be
    // what another program has stored; it is a proof of nothing.
    if password.is_empty() || password.is_too_long() {
        return false;
    }
    let right = stored.is_some_and(|stored| stored.verify(password));
    if !(right && admits) {
        for work in toll.rest(stored.and_then(PasswordHash::work)) {
            work.spend(password);
        }
    }
    right
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{ManualClock, SystemClock};
    use crate::random::SystemRandom;
    use std::sync::mpsc::sync_channel;
    use std::task::Poll;

    fn lanes() -> Lanes {
        Lanes::start(1, 1, Arc::new(SystemClock::new())).unwrap()
    }

    fn on_runtime<T>(test: impl Future<Output = T>) -> T {
        actix_web::rt::System::new().block_on(test)
    }

    #[test]
    fn a_full_queue_is_busy_and_what_waits_is_done() {
        on_runtime(async {
            let lanes = Arc::new(lanes());
            let (open, gate) = sync_channel::<()>(0);
            let (started, running) = sync_channel::<()>(0);
            let first = actix_web::rt::spawn({
                let lanes = Arc::clone(&lanes);
                async move {
                    lanes
                        .run(move || {
                            started.send(()).unwrap();
                            gate.recv().unwrap();
                        })
                        .await
                }
            });
            actix_web::rt::task::yield_now().await;
            running.recv().unwrap();
            let waiting = lanes.run(|| 2);
            let mut waiting = std::pin::pin!(waiting);
            let polled =
                std::future::poll_fn(|context| Poll::Ready(waiting.as_mut().poll(context)));
            assert!(polled.await.is_pending());
            assert!(matches!(lanes.run(|| 3).await, Err(Error::Busy)));
            open.send(()).unwrap();
            assert_eq!(waiting.await.unwrap(), 2);
            first.await.unwrap().unwrap();
        });
    }

    #[test]
    fn a_job_that_panics_takes_neither_lane_nor_process() {
        on_runtime(async {
            let lanes = lanes();
            assert!(matches!(lanes.run(|| panic!("on purpose")).await, Err(Error::Internal(_))));
            assert_eq!(lanes.run(|| 1).await.unwrap(), 1);
        });
    }

    #[test]
    fn lanes_are_stuck_when_there_are_jobs_and_for_half_a_minute_none_ends() {
        on_runtime(async {
            let clock = Arc::new(ManualClock::at(Timestamp::from_millis(0)));
            let lanes = Arc::new(Lanes::start(1, 1, clock.clone()).unwrap());
            let (started, running) = sync_channel::<()>(0);
            let job = |gate: Receiver<()>| {
                let (lanes, started) = (Arc::clone(&lanes), started.clone());
                let job = move || {
                    started.send(()).unwrap();
                    gate.recv().unwrap();
                };
                actix_web::rt::spawn(async move { lanes.run(job).await })
            };
            clock.advance(STUCK_AFTER);
            assert_eq!(lanes.trouble(), None, "nothing to do is no trouble");
            let ((open, gate), (open_next, next_gate)) = (channel(), channel());
            let jobs = [job(gate), job(next_gate)];
            actix_web::rt::task::yield_now().await;
            running.recv().unwrap();
            clock.advance(STUCK_AFTER.checked_sub(Duration::from_millis(1)).unwrap());
            assert_eq!(lanes.trouble(), None);
            clock.advance(Duration::from_millis(1));
            // Who finds the queue full moves nothing.
            assert!(matches!(lanes.run(|| ()).await, Err(Error::Busy)));
            assert_eq!(lanes.trouble(), Some("the hashing lanes are stuck"));
            open.send(()).unwrap();
            running.recv().unwrap();
            assert_eq!(lanes.trouble(), None, "one has ended");
            clock.advance(STUCK_AFTER);
            assert_eq!(lanes.trouble(), Some("the hashing lanes are stuck"));
            open_next.send(()).unwrap();
            for job in jobs {
                job.await.unwrap().unwrap();
            }
            assert_eq!(lanes.trouble(), None);
            let none = Lanes::start(0, 1, clock).unwrap();
            assert_eq!(none.trouble(), Some("the hashing lanes have ended"));
        });
    }

    #[test]
    fn as_many_may_wait_as_the_queue_holds_also_while_lanes_are_idle() {
        on_runtime(async {
            let lanes = Lanes::start(2, 1, Arc::new(SystemClock::new())).unwrap();
            let three = futures_util::future::join_all((0..3).map(|i| lanes.run(move || i)));
            assert!(three.await.into_iter().all(|result| result.is_ok()));
            assert_eq!(lanes.busy(), 0);
        });
    }

    #[test]
    fn an_outdated_hash_is_renewed_when_the_password_is_right_and_that_is_wanted() {
        on_runtime(async {
            let random = Arc::new(SystemRandom);
            for (before, after) in [(4, 5), (5, 4)] {
                let old = Hasher::new(lanes(), before, before, random.clone());
                let new = Hasher::new(lanes(), after, before, random.clone());
                let sent = |text: &str| Password::sent(text.to_owned());
                let hash = Some(old.hash(sent("correct horse")).await.unwrap());
                let same = old.verify(hash.clone(), sent("correct horse"), true).await.unwrap();
                assert!(same.right && same.renewed.is_none());
                let wrong = new.verify(hash.clone(), sent("wrong"), true).await.unwrap();
                assert!(!wrong.right && wrong.renewed.is_none());
                let unwanted =
                    new.verify(hash.clone(), sent("correct horse"), false).await.unwrap();
                assert!(unwanted.right && unwanted.renewed.is_none());
                let renewed = new.verify(hash, sent("correct horse"), true).await.unwrap().renewed;
                assert_eq!(renewed.unwrap().cost(), Some(after));
                assert!(!new.verify(None, sent(""), true).await.unwrap().right);
            }
        });
    }
}
