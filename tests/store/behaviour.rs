//! What every store does, whatever it is built on: one suite, run against each of them.

mod sessions;
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
            use crate::harness::json_store::JsonStore;
            use sessiond::store::Records as _;
            $(#[test]
            fn $test() {
                let scratch = crate::harness::scratch::Scratch::new();
                let store = JsonStore::<$record>::open(scratch.path()).unwrap();
                run(super::$test(&*store));
                // Whatever it did, all of it survives a restart.
                let before = crate::behaviour::content(store.table());
                run(store.close()).unwrap();
                drop(store);
                let reopened = JsonStore::<$record>::open(scratch.path()).unwrap();
                assert_eq!(crate::behaviour::content(reopened.table()), before, "after a restart");
            })*
        }
    };
}
pub(crate) use on_every_store;

/// All that is in a table.
pub fn content<R: Record>(table: &Table<R>) -> String {
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
