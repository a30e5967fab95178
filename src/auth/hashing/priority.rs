//! The priority of a lane beside the workers.

use std::io;

/// How much nicer a lane is than the program was started: where both want one core, a worker gets
/// nine tenths of it, and people are still let in.
#[cfg(target_os = "linux")]
const NICER: i32 = 10;

/// Lowers the priority of the calling thread, and of no other: on Linux each has its own.
#[cfg(target_os = "linux")]
pub fn lower() -> io::Result<()> {
    rustix::process::nice(NICER)?;
    Ok(())
}

/// Leaves the priority as it is: here it is that of the whole process.
#[cfg(not(target_os = "linux"))]
#[expect(clippy::unnecessary_wraps, reason = "where there is something to do it can fail")]
pub fn lower() -> io::Result<()> {
    Ok(())
}
