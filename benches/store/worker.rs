//! A thread that runs tasks as a worker of the server does, and what they take.

use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use actix_web::rt::{self, System};
use futures_util::future::join_all;
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use crate::cpu;

/// How long threads are given to go to sleep, so that all that they had of a core has been counted.
const ASLEEP: Duration = Duration::from_millis(2);

type Job = Box<dyn FnOnce() + Send>;

pub struct Worker(UnboundedSender<Job>);

/// What some changes took, each.
#[derive(Clone, Copy)]
pub struct Cost {
    /// From the first to the last, divided by how many there were.
    pub time: Duration,
    /// Of all threads together.
    pub cpu: Duration,
}

impl Worker {
    pub fn start() -> Self {
        let (sender, mut jobs) = unbounded_channel::<Job>();
        thread::spawn(move || {
            System::new().block_on(async move {
                while let Some(job) = jobs.recv().await {
                    job();
                }
            });
        });
        Self(sender)
    }

    /// Each caller does what it has been given, one after the other, all callers at once.
    pub fn at_once<T, A, F>(&self, callers: Vec<Vec<T>>, act: A) -> Cost
    where
        T: Send + 'static,
        A: Fn(T) -> F + Clone + Send + 'static,
        F: Future<Output = ()> + 'static,
    {
        let count = callers.iter().map(Vec::len).sum();
        self.measure(count, move |done| {
            let callers = callers.into_iter().map(move |mine| {
                let act = act.clone();
                rt::spawn(async move {
                    for this in mine {
                        act(this).await;
                    }
                })
            });
            rt::spawn(async move {
                join_all(callers).await.into_iter().for_each(|ended| ended.unwrap());
                done.send(()).unwrap();
            });
        })
    }

    /// Does something that makes `count` changes, and does not wait as tasks do.
    pub fn alone(&self, count: usize, act: impl FnOnce() + Send + 'static) -> Cost {
        self.measure(count, |done| {
            act();
            done.send(()).unwrap();
        })
    }

    fn measure(&self, count: usize, act: impl FnOnce(mpsc::Sender<()>) + Send + 'static) -> Cost {
        let (done, ended) = mpsc::channel();
        thread::sleep(ASLEEP);
        let (before, started) = (cpu::of_others(), Instant::now());
        assert!(self.0.send(Box::new(|| act(done))).is_ok());
        ended.recv().unwrap();
        let time = started.elapsed();
        thread::sleep(ASLEEP);
        let cpu = cpu::of_others().saturating_sub(before);
        let count = u32::try_from(count).unwrap();
        Cost { time: time / count, cpu: cpu / count }
    }
}
