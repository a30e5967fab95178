use std::io::{self, Write as _};

use super::{Failure, Outcome};
use crate::config::Config;
use crate::models::{User, UserSession};
use crate::store::directory::DataDirectory;
use crate::store::files::Disk;
use crate::store::load::Loaded;

/// Settings have been checked when this is called; here come the data files. Changes nothing.
pub fn check(config: &Config) -> Outcome {
    let path = config.data_dir.as_path();
    let mut out = io::stdout();
    writeln!(out, "settings: good")?;
    if !path.exists() {
        writeln!(out, "{}: not there yet, the first start makes it", path.display())?;
        return Ok(());
    }
    let directory = DataDirectory::open(path)?;
    let users = Loaded::<User>::read(&Disk, directory.path())?;
    let sessions = Loaded::<UserSession>::read(&Disk, directory.path())?;
    let unusable: Vec<_> =
        users.table().iter().filter(|user| user.password_hash.cost().is_none()).collect();
    for user in &unusable {
        writeln!(out, "User.json: {}: password_hash is none, nobody can log in with it", user.id)?;
    }
    let orphans =
        sessions.table().iter().filter(|s| users.table().get(&s.user_id).is_none()).count();
    if orphans > 0 {
        writeln!(
            out,
            "UserSession.json: {orphans} sessions of users who are gone; they do not work"
        )?;
    }
    let (users, sessions) = (users.table().count(), sessions.table().count());
    writeln!(out, "{}: {users} users, {sessions} sessions", path.display())?;
    if unusable.is_empty() { Ok(()) } else { Err(Failure::of("some users cannot log in")) }
}
