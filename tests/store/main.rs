//! What a store promises, whatever it is built on, and what its files keep when things go wrong.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod harness;

mod behaviour;
mod durability;
mod faults;
mod model;
mod never_again;
mod repairs;
