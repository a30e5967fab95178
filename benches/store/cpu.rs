//! What threads take of the processor.

use std::time::Duration;

/// How long the threads of this process have been on a core, but for the one that asks. What a thread
/// that is on one right now has had since the last tick is not in it.
pub fn of_others() -> Duration {
    let this = std::process::id().to_string();
    let others = std::fs::read_dir("/proc/self/task").unwrap().map(|entry| entry.unwrap());
    let others = others.filter(|entry| entry.file_name().to_str() != Some(&*this));
    let times = others.map(|entry| {
        let times = std::fs::read_to_string(entry.path().join("schedstat")).unwrap();
        times.split(' ').next().unwrap().parse::<u64>().unwrap()
    });
    Duration::from_nanos(times.sum())
}
