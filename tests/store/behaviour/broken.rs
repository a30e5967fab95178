//! Stores that are broken on purpose: the suite finds each of them, and names what it breaks.

mod sessions;
mod users;

use std::panic::{AssertUnwindSafe, catch_unwind};

use sessiond::store::behaviour::Promise;

/// What the suite says of the promises that a store breaks.
fn broken<S: ?Sized>(suite: &[Promise<S>], check: impl Fn(&Promise<S>)) -> Vec<String> {
    let checked = suite.iter().map(|promise| catch_unwind(AssertUnwindSafe(|| check(promise))));
    checked.filter_map(Result::err).map(|panic| *panic.downcast::<String>().unwrap()).collect()
}

/// Holds that among what the suite says there is that this promise is broken.
fn assert_named(fault: &str, said: &[String], promise: &str) {
    let beginning = format!("the store breaks a promise: {promise}: ");
    assert!(said.iter().any(|said| said.starts_with(&beginning)), "{fault}: {said:#?}");
}
