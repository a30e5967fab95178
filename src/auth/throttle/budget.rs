//! How many attempts there may be: governor's GCRA, over tallies that can be given back.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::{Quota, RateLimiter};

use super::Key;
use crate::clock::{Clock, Timestamp};

/// How many keys are remembered at most, whatever for.
pub const CAPACITY: usize = 100_000;
/// How far the clock may jump: governor counts nanoseconds, and 64 bits hold 584 years of them.
const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

/// So many attempts at once per key, and so many more as time passes.
pub struct Budget {
    limiter: RateLimiter<Key, Tallies, Elapsed, NoOpMiddleware<Duration>>,
    tallies: Tallies,
    /// What one attempt costs: the time after which there may be one more.
    cost: Nanos,
}

impl Budget {
    /// An untouched budget.
    pub fn new(quota: Quota, clock: &Arc<dyn Clock>) -> Self {
        Self::of_capacity(CAPACITY, quota, clock)
    }

    fn of_capacity(capacity: usize, quota: Quota, clock: &Arc<dyn Clock>) -> Self {
        let tallies = Tallies { capacity, known: Arc::default() };
        let clock = Elapsed { began: clock.now(), clock: Arc::clone(clock) };
        let limiter = RateLimiter::new(quota, tallies.clone(), clock);
        Self { limiter, tallies, cost: quota.replenish_interval().into() }
    }

    /// Counts an attempt; or tells for how long there may be none.
    pub fn count(&self, key: &Key) -> Result<(), Duration> {
        let now = || governor::clock::Clock::now(self.limiter.clock());
        self.limiter.check_key(key).map_err(|not_until| not_until.wait_time_from(now()))
    }

    /// Takes an attempt back that was counted.
    pub fn give_back(&self, key: &Key) {
        if let Some(tally) = self.tallies.lock().get_mut(key) {
            tally.paid_until = tally.paid_until.saturating_sub(self.cost);
        }
    }

    /// Notes that an attempt that was counted has failed.
    pub fn note_failure(&self, key: &Key) {
        if let Some(tally) = self.tallies.lock().get_mut(key) {
            tally.failed = true;
        }
    }

    /// Whether attempts have failed since this was asked last.
    pub fn take_failures(&self, key: &Key) -> bool {
        let mut tallies = self.tallies.lock();
        tallies.get_mut(key).is_some_and(|tally| std::mem::take(&mut tally.failed))
    }

    /// Begins anew for a key.
    pub fn forget(&self, key: &Key) {
        self.tallies.lock().remove(key);
    }
}

/// What is remembered of a key.
struct Tally {
    /// When all that was counted has been made up for: GCRA's theoretical arrival time.
    paid_until: Nanos,
    /// Whether an attempt has failed.
    failed: bool,
}

/// The tallies of a budget.
#[derive(Clone)]
struct Tallies {
    capacity: usize,
    known: Arc<Mutex<HashMap<Key, Tally>>>,
}

impl Tallies {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Tally>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl StateStore for Tallies {
    type Key = Key;

    fn measure_and_replace<T, F, E>(&self, key: &Key, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let mut tallies = self.lock();
        if let Some(tally) = tallies.get_mut(key) {
            let (answer, paid_until) = measure(Some(tally.paid_until))?;
            tally.paid_until = paid_until;
            return Ok(answer);
        }
        let (answer, paid_until) = measure(None)?;
        if tallies.len() >= self.capacity {
            forget_a_quarter(&mut tallies, |tally| tally.paid_until);
        }
        tallies.insert(*key, Tally { paid_until, failed: false });
        Ok(answer)
    }
}

/// Makes room: forgets the quarter of the entries that rank lowest.
pub fn forget_a_quarter<K: Eq + Hash, V, R: Ord + Copy>(
    entries: &mut HashMap<K, V>,
    rank: impl Fn(&V) -> R,
) {
    let mut ranks: Vec<R> = entries.values().map(&rank).collect();
    let Some(last) = ranks.len().div_ceil(4).checked_sub(1) else { return };
    let (lower, &mut highest, _) = ranks.select_nth_unstable(last);
    let mut equal = 1 + lower.iter().filter(|rank| **rank == highest).count();
    entries.retain(|_, entry| match rank(entry).cmp(&highest) {
        Ordering::Less => false,
        Ordering::Greater => true,
        Ordering::Equal => {
            let stays = equal == 0;
            equal -= usize::from(!stays);
            stays
        }
    });
}

/// The clock as governor reads it: how long it has run.
struct Elapsed {
    clock: Arc<dyn Clock>,
    began: Timestamp,
}

impl governor::clock::Clock for Elapsed {
    type Instant = Duration;

    fn now(&self) -> Duration {
        self.clock.now().since(self.began).min(LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use proptest::prelude::*;

    use super::*;
    use crate::clock::ManualClock;

    const START: Timestamp = Timestamp::from_millis(1_767_323_045_678);

    fn key(account: u64) -> Key {
        Key { account: Some(account), network: None }
    }

    fn three_a_minute(capacity: usize) -> (Arc<ManualClock>, Budget) {
        let clock = Arc::new(ManualClock::at(START));
        let quota = Quota::per_minute(NonZeroU32::new(3).unwrap());
        let budget = Budget::of_capacity(capacity, quota, &(Arc::clone(&clock) as Arc<dyn Clock>));
        (clock, budget)
    }

    #[test]
    fn there_are_so_many_at_once_and_one_more_after_the_time_that_is_told() {
        let (clock, budget) = three_a_minute(10);
        for _ in 0..3 {
            assert_eq!(budget.count(&key(1)), Ok(()));
        }
        for _ in 0..5 {
            let wait = budget.count(&key(1)).unwrap_err();
            assert_eq!(wait, Duration::from_secs(20), "to be refused costs nothing");
            clock.advance(wait.saturating_sub(Duration::from_millis(1)));
            assert_eq!(budget.count(&key(1)), Err(Duration::from_millis(1)));
            clock.advance(Duration::from_millis(1));
            assert_eq!(budget.count(&key(1)), Ok(()));
        }
        assert_eq!(budget.count(&key(2)), Ok(()), "each key has its own");
        clock.advance(Duration::from_mins(1));
        let room = (0..9).filter(|_| budget.count(&key(1)).is_ok()).count();
        assert_eq!(room, 3, "never more at once than at first");
    }

    #[test]
    fn what_is_given_back_was_never_counted() {
        let (_, budget) = three_a_minute(10);
        budget.give_back(&key(1));
        for _ in 0..100 {
            budget.count(&key(1)).unwrap();
            budget.give_back(&key(1));
        }
        for _ in 0..3 {
            budget.count(&key(1)).unwrap();
        }
        budget.count(&key(1)).unwrap_err();
        budget.give_back(&key(1));
        budget.count(&key(1)).unwrap();
        budget.count(&key(1)).unwrap_err();
        budget.forget(&key(1));
        assert_eq!((0..9).filter(|_| budget.count(&key(1)).is_ok()).count(), 3);
    }

    #[test]
    fn a_failure_is_told_once() {
        let (_, budget) = three_a_minute(10);
        budget.note_failure(&key(1));
        assert!(!budget.take_failures(&key(1)), "nothing was counted");
        budget.count(&key(1)).unwrap();
        assert!(!budget.take_failures(&key(1)));
        budget.note_failure(&key(1));
        budget.count(&key(1)).unwrap();
        assert!(budget.take_failures(&key(1)));
        assert!(!budget.take_failures(&key(1)));
    }

    #[test]
    fn the_end_of_time_is_no_end_of_the_process() {
        let (clock, budget) = three_a_minute(10);
        for step in [Duration::from_hours(24 * 365 * 80), Duration::MAX, Duration::from_mins(1)] {
            assert_eq!(budget.count(&key(1)), Ok(()));
            clock.advance(step);
        }
        let _ = budget.count(&key(1));
    }

    #[test]
    fn a_million_keys_take_no_more_memory_than_the_capacity() {
        let (clock, budget) = three_a_minute(CAPACITY);
        let victim = key(u64::MAX);
        while budget.count(&victim).is_ok() {}
        for account in 0..1_000_000 {
            budget.count(&key(account)).unwrap();
        }
        assert!(budget.tallies.lock().len() <= CAPACITY);
        assert!(budget.tallies.lock().capacity() <= 4 * CAPACITY);
        budget.count(&victim).unwrap_err();
        clock.advance(Duration::from_secs(20));
        assert_eq!(budget.count(&victim), Ok(()), "and it is as it would be without them");
        budget.count(&victim).unwrap_err();
    }

    proptest! {
        #[test]
        fn memory_is_bounded_and_who_is_refused_stays_refused_however_many_come(
            steps in prop::collection::vec((0_u64..20, 1..3, 0_u64..90), 1..20)
        ) {
            let (clock, budget) = three_a_minute(8);
            let victim = key(u64::MAX);
            let mut strangers = (0..).map(key);
            for (count, attempts, seconds) in steps {
                while budget.count(&victim).is_ok() {}
                for stranger in strangers.by_ref().take(usize::try_from(count).unwrap()) {
                    for _ in 0..attempts {
                        budget.count(&stranger).unwrap();
                    }
                    prop_assert!(budget.tallies.lock().len() <= 8);
                }
                prop_assert!(budget.count(&victim).is_err());
                clock.advance(Duration::from_secs(seconds));
            }
        }
    }

    #[test]
    fn the_most_exhausted_are_forgotten_last() {
        let ranked =
            |ranks: &[u32]| -> HashMap<usize, u32> { ranks.iter().copied().enumerate().collect() };
        for (ranks, left) in [
            (&[5, 1, 4, 2, 3, 8, 7, 6][..], &[3, 4, 5, 6, 7, 8][..]),
            (&[9, 9, 9, 9], &[9, 9, 9]),
            (&[1, 9, 9, 9, 9, 9], &[9, 9, 9, 9]),
            (&[1], &[]),
            (&[], &[]),
        ] {
            let mut entries = ranked(ranks);
            forget_a_quarter(&mut entries, |rank| *rank);
            let mut stay: Vec<u32> = entries.into_values().collect();
            stay.sort_unstable();
            assert_eq!(stay, left, "{ranks:?}");
        }
    }
}
