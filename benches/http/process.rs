//! What the system tells of a process, and where it lets it run.

use std::fs;
use std::time::Duration;

/// The core of the servers. The program takes it for all there is, and starts one worker and one
/// hashing lane.
pub const SERVER_CORE: &str = "0";
/// The core of those who ask.
pub const CLIENT_CORE: &str = "1";

/// Resident memory of a process, in bytes.
pub fn resident(process: u32) -> usize {
    let status = fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.split_whitespace().next().unwrap().parse::<usize>().unwrap() * 1024
}

/// How long the threads of a process have been on a core.
pub fn cpu(process: u32) -> Duration {
    let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap();
    let times = threads.map(|entry| {
        // A thread may end meanwhile: the runtime's blocking ones do.
        let times = fs::read_to_string(entry.unwrap().path().join("schedstat"));
        times.map_or(0, |times| times.split(' ').next().unwrap().parse::<u64>().unwrap())
    });
    Duration::from_nanos(times.sum())
}

/// Keeps this process, and all that it starts from now on, to the core of those who ask.
#[expect(clippy::disallowed_methods, reason = "this is no service")]
pub fn pin_client() {
    let this = std::process::id().to_string();
    let pinned = std::process::Command::new("taskset")
        .args(["--cpu-list", "--pid", CLIENT_CORE, &this])
        .output()
        .unwrap();
    assert!(pinned.status.success(), "two cores are needed: {pinned:?}");
}
