//! Keeping files as they were, under names that nothing reads.

use std::path::{Path, PathBuf};

use crate::store::OpenError;
use crate::store::files::{self, Files};

/// Keeps what a file held, in a file of its own that is durable and has mode 0600; an older one is
/// never overwritten. One that holds the same already is as good.
pub fn keep(files: &dyn Files, path: &Path, content: &[u8]) -> Result<PathBuf, OpenError> {
    for number in 1.. {
        let number = if number == 1 { String::new() } else { format!(".{number}") };
        let kept = with_end(path, &format!(".damaged{number}"));
        let there = files.read(&kept).map_err(|cause| OpenError::io(&kept, &cause))?;
        if there.is_none() {
            let write = |out: &mut dyn std::io::Write| out.write_all(content);
            files::replace(files, &kept, &temporary(path), write)
                .map_err(|cause| OpenError::io(&kept, &cause))?;
            return Ok(kept);
        }
        if there.is_some_and(|there| there == content) {
            return Ok(kept);
        }
    }
    unreachable!("there is always one more number")
}

/// Where a file is written that is kept, before it gets its name.
pub fn temporary(path: &Path) -> PathBuf {
    with_end(path, ".damaged.tmp")
}

fn with_end(path: &Path, end: &str) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!("{name}{end}"))
}
