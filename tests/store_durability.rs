//! What the files of a store keep, over restarts, crashes, damage and a person's edits.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "harness/json_store.rs"]
mod json_store;
#[path = "harness/records.rs"]
mod records;
#[path = "harness/scratch.rs"]
mod scratch;

#[path = "store_durability/damage.rs"]
mod damage;
#[path = "store_durability/directory.rs"]
mod directory;
#[path = "store_durability/restart.rs"]
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
