use std::path::PathBuf;

use crate::app::{Found, World};
use crate::auth::audit::{self, About, Event, Trace};
use crate::cli::{Failure, keep_security_log, tell};
use crate::config::Config;
use crate::store::repair::{Fault, Repair};

/// Mends the data files; tells each thing that was done, and what there is now.
pub fn repair(config: &Config) -> Result<Found, Failure> {
    keep_security_log(config)?;
    let path = config.data_dir.as_path();
    let (repair, found) = Found::repair(path, &World::default())?;
    record(&repair);
    for line in lines(&repair) {
        tell(&line)?;
    }
    if !repair.disabled.is_empty() && found.users.table().vital() == 0 {
        tell(
            "nobody is an enabled admin: 'sessiond user enable' lets one in again, \
             'sessiond user add --role admin you@example.com' makes one",
        )?;
    }
    match repair.count() {
        0 => tell(&format!("{}: there is nothing to repair", path.display()))?,
        count => tell(&format!("{}: repaired, {count} things were done", path.display()))?,
    }
    Ok(found)
}

fn lines(repair: &Repair) -> Vec<String> {
    let mut lines: Vec<String> = repair.faults.iter().map(fault).collect();
    if repair.ended > 0 {
        let (ended, kept) = (repair.ended, list(&repair.kept));
        lines.push(format!(
            "all {ended} sessions ended, since what was lost may have ended some; kept in {kept}"
        ));
    }
    lines.extend(repair.disabled.iter().map(|id| {
        format!("{id}: disabled, since what was lost names him; 'sessiond user enable {id}' lets him in again")
    }));
    if repair.nameless {
        lines.push(
            "what was lost does not name everybody whom it was about: users may be missing, be back, \
             or have a password, a role or a state of before; see 'sessiond user list'"
                .into(),
        );
    }
    let leftovers = repair.leftovers.iter();
    lines.extend(leftovers.map(|path| format!("{}: left by a crash, removed", path.display())));
    lines
}

fn fault(fault: &Fault) -> String {
    let Fault { file, place, kept } = fault;
    let (file, kept) = (file.display(), kept.display());
    let (line, at, length, what) = (place.line, place.at, place.length, &place.what);
    format!(
        "{file}: line {line}, byte {at}: {what}: {length} bytes taken out; the file as it was is {kept}"
    )
}

fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

/// Writes to the security log what was done to users and sessions.
fn record(repair: &Repair) {
    let trace = Trace::command_line();
    if repair.ended > 0 {
        audit::record(Event::SessionRevoked, &trace, &About::default().detail("everybody's"));
    }
    for id in &repair.disabled {
        let about = About::done_to(*id, None).detail("a repair lost what named him");
        audit::record(Event::UserDisabled, &trace, &about);
    }
}
