//! What every store does, whatever it is built on: one suite, run against each of them.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "harness/json_store.rs"]
mod json_store;
#[path = "harness/records.rs"]
mod records;
#[path = "harness/scratch.rs"]
mod scratch;

#[path = "store_behaviour/sessions.rs"]
mod sessions;
#[path = "store_behaviour/users.rs"]
mod users;

use std::sync::Barrier;
use std::thread;

use sessiond::store::{Record, Table, write_records};

/// Runs each of the named tests against each store.
macro_rules! on_every_store {
    ($record:ident: $($test:ident),* $(,)?) => {
        mod in_memory {
            use super::*;
            $(#[test]
            fn $test() {
                run(super::$test(&sessiond::store::memory::MemoryTable::<$record>::default()));
            })*
        }

        mod in_json_files {
            use super::*;
            use crate::json_store::JsonStore;
            use sessiond::store::Records as _;
            $(#[test]
            fn $test() {
                let scratch = crate::scratch::Scratch::new();
                let store = JsonStore::<$record>::open(scratch.path()).unwrap();
                run(super::$test(&*store));
                // Whatever it did, all of it survives a restart.
                let before = crate::content(store.table());
                run(store.close()).unwrap();
                drop(store);
                let reopened = JsonStore::<$record>::open(scratch.path()).unwrap();
                assert_eq!(crate::content(reopened.table()), before, "after a restart");
            })*
        }
    };
}
pub(crate) use on_every_store;

/// All that is in a table.
fn content<R: Record>(table: &Table<R>) -> String {
    let mut content = Vec::new();
    write_records(table, &mut content).unwrap();
    String::from_utf8(content).unwrap()
}

/// Does something `count` times at once, each in a thread of its own.
fn at_once<T: Send>(count: usize, act: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let barrier = Barrier::new(count);
    let act = &|number| {
        barrier.wait();
        act(number)
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..count).map(|number| scope.spawn(move || act(number))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}
