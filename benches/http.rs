//! The program over loopback, side by side with a bare handler and its peers: `just bench-http`
//! (about eight minutes, on a machine with two cores that does nothing else; 3 GB of memory).
//!
//! The servers have one core, those who ask the other one. With the name of a part as an argument
//! it does only that; with `quick` fewer and shorter rounds, to see that all of it works. Each part
//! says how its figures are made. Needs wrk, taskset (util-linux) and strip (binutils).

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "the result")]

#[allow(dead_code, unused_imports, reason = "the tests use the rest of it")]
#[path = "../tests/suite"]
mod suite {
    pub mod harness;
}
use suite::harness;

#[path = "store/data.rs"]
mod data;
#[path = "http/figures.rs"]
mod figures;
#[path = "http/footprint.rs"]
mod footprint;
#[path = "http/load.rs"]
mod load;
#[path = "http/logins.rs"]
mod logins;
#[path = "http/process.rs"]
mod process;
#[path = "http/requests.rs"]
mod requests;
#[path = "http/server.rs"]
mod server;

use std::time::Duration;

/// How much is done.
struct Effort {
    /// Rounds of requests, and how long each asks a server.
    rounds: usize,
    round: Duration,
    /// Rounds of logins, and how long each is at rest, and under the flood.
    floods: usize,
    flood: Duration,
    /// The most users and sessions.
    many: usize,
}

const FULL: Effort = Effort {
    rounds: 9,
    round: Duration::from_secs(2),
    floods: 5,
    flood: Duration::from_secs(5),
    many: 1_000_000,
};

const QUICK: Effort = Effort {
    rounds: 2,
    round: Duration::from_secs(1),
    floods: 1,
    flood: Duration::from_secs(2),
    many: 100_000,
};

/// A part: its name, and what it does.
type Part = (&'static str, fn(&Effort));

/// The footprint comes first: the others keep this process to one core.
const PARTS: [Part; 3] = [
    ("footprint", footprint::measure),
    ("requests", requests::measure),
    ("logins", logins::measure),
];

/// Tools, and the Debian packages that have them.
const TOOLS: [(&str, &str); 3] = [("wrk", "wrk"), ("taskset", "util-linux"), ("strip", "binutils")];

fn main() {
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let (quick, names): (Vec<_>, Vec<_>) = arguments.iter().partition(|word| *word == "quick");
    let effort = if quick.is_empty() { FULL } else { QUICK };
    for name in &names {
        let known = PARTS.iter().any(|(part, _)| part == name);
        assert!(known, "{name}: one of {:?}, or quick", PARTS.map(|(name, _)| name));
    }
    for (tool, package) in TOOLS {
        must_be_there(tool, package);
    }
    for (name, measure) in PARTS {
        if names.is_empty() || names.iter().any(|asked| *asked == name) {
            println!("\n{name}\n");
            measure(&effort);
        }
    }
}

fn must_be_there(tool: &str, package: &str) {
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&folders).any(|folder| folder.join(tool).exists());
    assert!(found, "{tool} is missing: it is in the package {package}");
}
