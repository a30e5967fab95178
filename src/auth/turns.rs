//! Turns: of those who do the same thing, one at a time.

use std::hash::Hash;
use std::sync::{Arc, Weak};

use dashmap::DashMap;
use tokio::sync::Mutex;

/// How many turns are kept before those that nobody holds are cleared away.
const CAPACITY: usize = 10_000;

/// A turn per key. It is there while somebody holds it or waits for it, and carries what one leaves
/// for the next.
pub struct Turns<K, T>(DashMap<K, Weak<Mutex<T>>>);

impl<K: Eq + Hash, T: Default> Turns<K, T> {
    /// No turns.
    pub fn new() -> Self {
        Self(DashMap::new())
    }

    /// The turn of a key: to be locked.
    pub fn of(&self, key: K) -> Arc<Mutex<T>> {
        if self.0.len() >= CAPACITY {
            self.purge();
        }
        let mut turn = self.0.entry(key).or_default();
        turn.upgrade().unwrap_or_else(|| {
            let fresh = Arc::new(Mutex::default());
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
    use super::*;

    #[test]
    fn a_key_has_one_turn_while_somebody_holds_it_and_a_fresh_one_later() {
        let turns = Turns::<u8, u32>::new();
        let held = turns.of(1);
        *held.try_lock().unwrap() = 7;
        assert!(Arc::ptr_eq(&held, &turns.of(1)));
        assert!(!Arc::ptr_eq(&held, &turns.of(2)));
        drop(held);
        assert_eq!(*turns.of(1).try_lock().unwrap(), 0);
    }

    #[test]
    fn turns_that_nobody_holds_take_no_memory_for_long() {
        let turns = Turns::<usize, ()>::new();
        let held = turns.of(0);
        for key in 1..3 * CAPACITY {
            turns.of(key);
        }
        assert!(turns.0.len() <= CAPACITY);
        assert!(Arc::ptr_eq(&held, &turns.of(0)), "one that is held stays");
    }
}
