//! Hashing of passwords, on lanes of its own: a bounded number of threads with a bounded queue,
//! so that a flood of logins neither takes the workers nor the memory.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::{io, thread};

use tokio::sync::oneshot;

use crate::error::{Error, Result};
use crate::models::{Password, PasswordHash};
use crate::random::Random;

type Job = Box<dyn FnOnce() + Send>;

/// Threads that do one slow thing at a time, and a queue of bounded length before them.
pub struct Lanes(SyncSender<Job>);

impl Lanes {
    /// Starts `lanes` threads; `queue` jobs may wait for them.
    pub fn start(lanes: usize, queue: usize) -> io::Result<Self> {
        let (sender, jobs) = sync_channel::<Job>(queue);
        let jobs = Arc::new(Mutex::new(jobs));
        for lane in 0..lanes {
            let jobs = Arc::clone(&jobs);
            thread::Builder::new().name(format!("hash {lane}")).spawn(move || work(&jobs))?;
        }
        Ok(Self(sender))
    }

    /// Runs `job` on a lane. 503 when the queue is full; a job whose caller has gone away before
    /// its turn is skipped.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T> {
        let (caller, result) = oneshot::channel();
        let job = move || {
            if !caller.is_closed() {
                let _ = caller.send(job());
            }
        };
        self.0.try_send(Box::new(job)).map_err(|refused| match refused {
            TrySendError::Full(_) => Error::Busy,
            TrySendError::Disconnected(_) => Error::Unavailable("the hashing lanes ended".into()),
        })?;
        result.await.map_err(|_| Error::Internal("a hashing job panicked".into()))
    }
}

fn work(jobs: &Mutex<Receiver<Job>>) {
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
    /// A hasher that works at a cost (bcrypt: 2^cost rounds).
    pub fn new(lanes: Lanes, cost: u32, random: Arc<dyn Random>) -> Self {
        Self { lanes, cost, random }
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash> {
        let (cost, random) = (self.cost, Arc::clone(&self.random));
        self.lanes.run(move || PasswordHash::new(&password, cost, random.as_ref())).await?
    }

    /// Verifies a password against the hash of a user, or of nobody. A wrong password takes the
    /// same time whatever it is compared with (ASVS 6.3.8).
    pub async fn verify(
        &self,
        stored: Option<PasswordHash>,
        password: Password,
    ) -> Result<Verified> {
        let (cost, random) = (self.cost, Arc::clone(&self.random));
        self.lanes.run(move || verify(stored, &password, cost, random.as_ref())).await?
    }

    /// Wraps a hash of the classic program.
    pub async fn wrap_classic(&self, hex: String) -> Result<PasswordHash> {
        let (cost, random) = (self.cost, Arc::clone(&self.random));
        self.lanes.run(move || PasswordHash::from_classic(&hex, cost, random.as_ref())).await?
    }
}

fn verify(
    stored: Option<PasswordHash>,
    password: &Password,
    cost: u32,
    random: &dyn Random,
) -> Result<Verified> {
    // What no user can have is refused without work, alike for everybody.
    if password.is_too_long() {
        return Ok(Verified { right: false, renewed: None });
    }
    let stored = stored.unwrap_or_else(|| PasswordHash::of_nobody(cost));
    if !stored.verify(password) {
        even_out(&stored, password, cost);
        return Ok(Verified { right: false, renewed: None });
    }
    let renewed = stored.is_outdated(cost).then(|| PasswordHash::new(password, cost, random));
    Ok(Verified { right: true, renewed: renewed.transpose()? })
}

/// Makes up for the work that a hash of lower cost saved: 2^n + 2^n + 2^(n+1) + … = 2^cost.
fn even_out(stored: &PasswordHash, password: &Password, cost: u32) {
    match stored.cost() {
        Some(lower) => (lower..cost).for_each(|step| {
            PasswordHash::of_nobody(step).verify(password);
        }),
        None => {
            PasswordHash::of_nobody(cost).verify(password);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;
    use std::task::Poll;

    fn lanes() -> Lanes {
        Lanes::start(1, 1).unwrap()
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
    fn an_outdated_hash_is_renewed_when_the_password_is_right() {
        on_runtime(async {
            let random = Arc::new(SystemRandom);
            let old = Hasher::new(lanes(), 4, random.clone());
            let new = Hasher::new(lanes(), 5, random);
            let sent = |text: &str| Password::sent(text.to_owned());
            let hash = old.hash(sent("correct horse")).await.unwrap();
            assert!(
                old.verify(Some(hash.clone()), sent("correct horse"))
                    .await
                    .unwrap()
                    .renewed
                    .is_none()
            );
            assert!(new.verify(Some(hash.clone()), sent("wrong")).await.unwrap().renewed.is_none());
            let renewed =
                new.verify(Some(hash), sent("correct horse")).await.unwrap().renewed.unwrap();
            assert_eq!(renewed.cost(), Some(5));
            assert!(!new.verify(None, sent("")).await.unwrap().right);
        });
    }
}
