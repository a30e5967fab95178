//! The data directory: who may have it, and what may be one.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use sessiond::store::directory::DataDirectory;

use crate::harness::scratch::Scratch;

fn refusal(path: &std::path::Path) -> String {
    let refused = DataDirectory::open(path).err().expect("should have been refused");
    refused.to_string().replace(&path.display().to_string(), "PATH")
}

#[test]
fn a_directory_belongs_to_one_process_at_a_time() {
    let scratch = Scratch::new();
    let first = DataDirectory::open(scratch.path()).unwrap();
    assert_eq!(refusal(scratch.path()), "PATH: in use by another sessiond process");
    let link = Scratch::new();
    let other_name = link.path().join("data");
    symlink(scratch.path(), &other_name).unwrap();
    assert_eq!(refusal(&other_name), "PATH: in use by another sessiond process");
    drop(first);
    assert!(DataDirectory::open(scratch.path()).is_ok(), "a lock file that is left is harmless");
}

#[test]
fn a_missing_directory_is_made_for_its_owner_only() {
    let scratch = Scratch::new();
    let path = scratch.path().join("data");
    let directory = DataDirectory::open(&path).unwrap();
    assert_eq!(directory.path(), path);
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o700);
}

#[test]
fn the_directory_above_must_be_there() {
    let scratch = Scratch::new();
    assert!(refusal(&scratch.path().join("missing/data")).starts_with("PATH: No such file"));
    assert!(!scratch.path().join("missing").exists());
}

#[test]
fn a_file_is_no_directory() {
    let scratch = Scratch::new();
    let path = scratch.path().join("data");
    fs::write(&path, "mine").unwrap();
    assert_eq!(refusal(&path), "PATH: is not a directory");
    assert_eq!(fs::read(&path).unwrap(), b"mine");
}

#[test]
fn a_directory_to_which_everybody_may_write_is_refused() {
    let scratch = Scratch::new();
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o777)).unwrap();
    assert_eq!(
        refusal(scratch.path()),
        "PATH: everybody may write to it; 'chmod o-w PATH' forbids that"
    );
    assert_eq!(fs::read_dir(scratch.path()).unwrap().count(), 0);
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o775)).unwrap();
    assert!(DataDirectory::open(scratch.path()).is_ok());
}
