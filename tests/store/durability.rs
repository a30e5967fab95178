//! What the files of a store keep, over restarts, crashes, damage and a person's edits.

mod damage;
mod directory;
mod every_byte;
mod restart;

use std::collections::BTreeMap;
use std::path::Path;

/// Every file of a directory but the lock: its name and content.
fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    let files = entries.map(|path| (name(&path), std::fs::read(&path).unwrap()));
    files.filter(|(name, _)| name != ".lock").collect()
}
