//! What criterion has found, as a table with ratios.

use std::fs::File;
use std::path::Path;

use serde::Deserialize;

/// What was measured, and what it is compared with.
const ROWS: [(&str, &str, &str); 11] = [
    ("the SHA-256 of an id", "session/hash", "session/hash"),
    ("a session and its user by an id", "session/look-up", "session/hash"),
    ("a GET, bare handler", "get/bare", "get/bare"),
    ("the same handler behind the guard", "get/guarded", "get/bare"),
    ("`GET /api/v1/users/me`", "get/API", "get/bare"),
    ("the session of a login, in memory", "login/memory", "login/memory"),
    ("the same, durable", "login/durable", "login/memory"),
    ("a line appended and synced, by the disk alone", "append/disk", "append/disk"),
    ("a session appended to the journal, 1 writer", "append/1", "append/disk"),
    ("the same, 8 writers", "append/8", "append/1"),
    ("the same, 64 writers", "append/64", "append/1"),
];

/// Rows of what has been measured; those that were left out are not in it.
pub fn print(results: &Path) {
    println!("\n| step | median | ratio | to |\n|---|---|---|---|");
    for (what, step, base) in ROWS {
        let [Some(time), Some(least)] = [step, base].map(|name| median(results, name)) else {
            continue;
        };
        let compared = if step == base { String::new() } else { format!("`{base}`") };
        println!("| {what} (`{step}`) | {} | {:.3} | {compared} |", told(time), time / least);
    }
}

fn told(nanos: f64) -> String {
    if nanos < 10_000.0 { format!("{nanos:.0} ns") } else { format!("{:.0} us", nanos / 1e3) }
}

/// In nanoseconds.
fn median(results: &Path, step: &str) -> Option<f64> {
    #[derive(Deserialize)]
    struct Estimates {
        median: Estimate,
    }
    #[derive(Deserialize)]
    struct Estimate {
        point_estimate: f64,
    }
    let file = File::open(results.join(step).join("new/estimates.json")).ok()?;
    let estimates: Estimates = serde_json::from_reader(file).expect("criterion has written it");
    Some(estimates.median.point_estimate)
}
