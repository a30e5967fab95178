use std::path::Path;

use super::{Failure, Outcome, is_new, tell};
use crate::app::World;
use crate::config::Config;
use crate::store::backup;

/// Copies all records into a folder. No lock is asked for: a server may be at work on them.
pub fn backup(config: &Config, folder: &Path) -> Outcome {
    let data = config.data_dir.as_path();
    if data.is_dir() && is_new(config) {
        // A backup of the wrong folder would be found out when it is needed.
        return Err(Failure::of(format!("{}: no records are there", data.display())));
    }
    let contents = backup::make(World::default().files.as_ref(), data, folder)?;
    tell(&format!("backed up {contents} to {}", folder.display()))
}
