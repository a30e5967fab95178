//! Turns: of those who do the same thing, one or a few at a time.

use std::hash::Hash;
use std::sync::{Arc, Weak};

use dashmap::DashMap;

/// How many turns are kept before those that nobody holds are cleared away.
const CAPACITY: usize = 10_000;

/// A lock per key, which is there while somebody holds it or waits for it: a mutex for one at a
/// time, which carries what one leaves for the next; a semaphore for a few.
pub struct Turns<K, L>(DashMap<K, Weak<L>>);

impl<K: Eq + Hash, L> Turns<K, L> {
    /// No turns.
    pub fn new() -> Self {
        Self(DashMap::new())
    }

    /// The lock of a key, or a `fresh` one.
    pub fn of(&self, key: K, fresh: impl FnOnce() -> L) -> Arc<L> {
        if self.0.len() >= CAPACITY {
            self.purge();
        }
        let mut turn = self.0.entry(key).or_default();
        turn.upgrade().unwrap_or_else(|| {
            let fresh = Arc::new(fresh());
            *turn = Arc::downgrade(&fresh);
            fresh
        })
    }

    /// Clears away the turns that nobody holds.
    pub fn purge(&self) {
        self.0.retain(|_, turn| turn.strong_count() > 0);
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::Mutex;

    use super::*;

    #[test]
    fn a_key_has_one_turn_while_somebody_holds_it_and_a_fresh_one_later() {
        let turns = Turns::<u8, Mutex<u32>>::new();
        let held = turns.of(1, Mutex::default);
        *held.try_lock().unwrap() = 7;
        assert!(Arc::ptr_eq(&held, &turns.of(1, Mutex::default)));
        assert!(!Arc::ptr_eq(&held, &turns.of(2, Mutex::default)));
        drop(held);
        assert_eq!(*turns.of(1, Mutex::default).try_lock().unwrap(), 0);
    }

    #[test]
    fn turns_that_nobody_holds_take_no_memory_for_long() {
        let turns = Turns::<usize, Mutex<()>>::new();
        let held = turns.of(0, Mutex::default);
        for key in 1..3 * CAPACITY {
            turns.of(key, Mutex::default);
        }
        assert!(turns.0.len() <= CAPACITY);
        assert!(Arc::ptr_eq(&held, &turns.of(0, Mutex::default)), "one that is held stays");
    }
}
