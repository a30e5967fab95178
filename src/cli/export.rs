use std::io::{self, Write};
use std::path::Path;

use super::{Failure, Outcome};
use crate::app::{Found, World};
use crate::config::Config;
use crate::models::{User, UserSession};
use crate::store::files;
use crate::store::{Op, Record, Table, write_records};

/// Names what an export is; `import` looks for it.
pub const FORMAT: &str = "sessiond export 1";

/// Writes all users and their sessions; changes nothing.
pub fn export(config: &Config, file: Option<&Path>) -> Outcome {
    let world = World::default();
    let found = Found::read(&config.data_dir, &world)?;
    let Some(path) = file else {
        let mut out = io::BufWriter::new(io::stdout().lock());
        return write(&found, &mut out).and_then(|()| out.flush()).map_err(Failure::from);
    };
    let named = |cause: io::Error| Failure::of(format!("{}: {cause}", path.display()));
    if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return Err(named(io::Error::other("is there, and no regular file")));
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.{}.tmp", std::process::id()));
    files::replace(world.files.as_ref(), path, &temporary, |out| write(&found, out)).map_err(named)
}

fn write(found: &Found, out: &mut dyn Write) -> io::Result<()> {
    let users = found.users.table();
    // What is left of users who are gone does not work, and would be damage to whoever reads this.
    let sessions = Table::default();
    for session in found.sessions.table().iter().filter(|s| users.get(&s.user_id).is_some()) {
        sessions.apply(&[Op::Put(session)]);
    }
    write!(out, "{{\"format\": \"{FORMAT}\",\n\"{}\": ", User::CLASS)?;
    write_records(users, out)?;
    write!(out, ",\n\"{}\": ", UserSession::CLASS)?;
    write_records(&sessions, out)?;
    out.write_all(b"}\n")
}
