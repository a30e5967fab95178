//! Stores to test, records to put into them, and disks that fail.

pub mod json_store;
pub mod records;
pub mod samples;
pub mod scratch;
pub mod simulated_disk;
pub mod watched_files;
