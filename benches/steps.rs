//! What the steps of a request cost, each beside the least that it could: `just bench-steps` (about a
//! minute).
//!
//! In this process and without a network. Arguments are those of criterion: a part of a name measures
//! only what has it in its name. The table at the end has ratios; a ratio compares two figures of one run.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "the result")]

#[allow(dead_code, unused_imports, reason = "the tests use the rest of it")]
#[path = "../tests/store/harness"]
mod harness {
    pub mod records;
    pub mod scratch;
}

#[allow(dead_code, reason = "the other bench uses the rest of it")]
#[path = "store/data.rs"]
mod data;
#[path = "steps/guarded.rs"]
mod guarded;
#[path = "steps/table.rs"]
mod table;
#[path = "steps/writes.rs"]
mod writes;

use std::path::Path;
use std::time::Duration;

use criterion::Criterion;

fn main() {
    let results = Path::new(env!("CARGO_TARGET_TMPDIR")).join("steps");
    // A table must not show what an earlier run has left.
    let _ = std::fs::remove_dir_all(&results);
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(3))
        .output_directory(&results)
        .configure_from_args();
    guarded::measure(&mut criterion);
    writes::measure(&mut criterion);
    table::print(&results);
}
