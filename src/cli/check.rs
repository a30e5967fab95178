mod repair;

use std::io::{self, ErrorKind, Write as _};
use std::path::Path;

use super::{Failure, Outcome};
use crate::app::{Found, World};
use crate::config::Config;
use crate::server::{Tls, logging};
use crate::store::files::directory_of;

/// Settings have been checked when this is called; here come the files. Changes nothing unless it
/// is told to mend them.
pub fn check(config: &Config, repair: bool) -> Outcome {
    Tls::open(config).map_err(Failure::usage)?;
    let path = config.data_dir.as_path();
    config.audit_file().map_or(Ok(()), logging::can_append_to).map_err(Failure::usage)?;
    let mut out = io::stdout();
    writeln!(out, "settings: good")?;
    if is_still_to_be_made(path) {
        writeln!(out, "{}: not there yet, the first start makes it", path.display())?;
        return Ok(());
    }
    let found =
        if repair { repair::repair(config)? } else { Found::read(path, &World::default())? };
    for torn in [found.users.torn(), found.sessions.torn()].into_iter().flatten() {
        writeln!(out, "{torn}")?;
    }
    let (users, sessions) = (found.users.table(), found.sessions.table());
    let unusable: Vec<_> =
        users.iter().filter(|user| user.password_hash.work().is_none()).collect();
    for user in &unusable {
        writeln!(out, "User.json: {}: password_hash is none, nobody can log in with it", user.id)?;
    }
    let orphans = sessions.iter().filter(|s| users.get(&s.user_id).is_none()).count();
    if orphans > 0 {
        writeln!(
            out,
            "UserSession.json: {orphans} sessions of users who are gone; they do not work"
        )?;
    }
    if users.vital() == 0 {
        writeln!(out, "User.json: nobody is an enabled admin")?;
    }
    let (users, sessions) = (users.count(), sessions.count());
    writeln!(out, "{}: {users} users, {sessions} sessions", path.display())?;
    if unusable.is_empty() { Ok(()) } else { Err(Failure::of("some users cannot log in")) }
}

/// Whether there is nothing yet, and the first start can make it.
fn is_still_to_be_made(path: &Path) -> bool {
    let missing = path.symlink_metadata().is_err_and(|cause| cause.kind() == ErrorKind::NotFound);
    missing && directory_of(path).is_dir()
}
