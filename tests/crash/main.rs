//! The real program, broken from outside: killed under load, at each of its system calls, and on
//! disks that are full, read-only or failing. What was answered with success is there after it; what
//! was refused or ended is not.
//!
//! `cargo test --test crash` takes some seconds; `just crash` runs the long way. Some tests need
//! `strace`, or `unshare` and the right to use it. Where they are missing these tests say that they
//! were skipped; with `DEMAND_FAULTS=1` that is a failure.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[allow(dead_code, unused_imports, reason = "tests/suite uses the rest of it")]
#[path = "../suite"]
mod suite {
    pub mod harness;
}
use suite::harness;

mod faults;
mod full_disk;
mod kills;
mod load;
mod model;
mod order;
mod read_only;
mod taken_away;
mod tools;
