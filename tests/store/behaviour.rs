//! What every store promises: the public suite, held against the stores there are. That it finds
//! what is broken, `broken` shows.

mod broken;

use sessiond::models::{User, UserSession};
use sessiond::store::behaviour::{Promise, SESSION_STORE, USER_STORE};
use sessiond::store::memory::MemoryTable;
use sessiond::store::{Record, Records as _, Table, write_records};

use crate::harness::json_store::JsonStore;
use crate::harness::records::run;
use crate::harness::scratch::Scratch;

/// All that is in a table.
pub fn content<R: Record>(table: &Table<R>) -> String {
    let mut content = Vec::new();
    write_records(table, &mut content).unwrap();
    String::from_utf8(content).unwrap()
}

#[test]
fn a_table_in_memory_keeps_every_promise() {
    for promise in SESSION_STORE {
        promise.check(&MemoryTable::<UserSession>::default());
    }
    for promise in USER_STORE {
        promise.check(&MemoryTable::<User>::default());
    }
}

/// Holds a store of JSON files to a promise; and to this: whatever it did, all of it survives a
/// restart.
fn check_in_files<R: Record, S: ?Sized>(promise: &Promise<S>, as_store: fn(&JsonStore<R>) -> &S) {
    let scratch = Scratch::new();
    let store = JsonStore::<R>::open(scratch.path()).unwrap();
    promise.check(as_store(&store));
    let before = content(store.table());
    run(store.close()).unwrap();
    drop(store);
    let reopened = JsonStore::<R>::open(scratch.path()).unwrap();
    assert_eq!(content(reopened.table()), before, "{promise}: after a restart");
}

#[test]
fn json_files_keep_every_promise_about_sessions() {
    for promise in SESSION_STORE {
        check_in_files::<UserSession, _>(promise, |store| &**store);
    }
}

#[test]
fn json_files_keep_every_promise_about_users() {
    for promise in USER_STORE {
        check_in_files::<User, _>(promise, |store| &**store);
    }
}
