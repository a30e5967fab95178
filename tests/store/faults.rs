//! A disk that fails, fills up or loses its power at any operation: what was answered is there,
//! what was refused is not, and readers never notice.

mod backups;
mod every_operation;
mod import;
mod order;
mod probe;

use std::path::Path;
use std::sync::Arc;

use sessiond::models::User;
use sessiond::store::files::Files;
use sessiond::store::json::JsonTable;
use sessiond::store::load::Loaded;
use sessiond::store::{OpenError, Record, UserStore};

use crate::harness::records::run;

/// Opens a class of a simulated disk. `fold_at` is the length, in bytes, of the first journal that
/// is folded.
fn open<R: Record>(files: impl Files, fold_at: u64) -> Result<JsonTable<R>, OpenError> {
    open_in(Path::new(""), files, fold_at)
}

/// The same in a directory.
fn open_in<R: Record>(
    directory: &Path,
    files: impl Files,
    fold_at: u64,
) -> Result<JsonTable<R>, OpenError> {
    let loaded = Loaded::read(&files, directory)?;
    Ok(JsonTable::start_folding_at(fold_at, loaded, Arc::new(files)))
}

fn all(store: &JsonTable<User>) -> Vec<User> {
    run(store.all()).unwrap().iter().map(|user| User::clone(user)).collect()
}
