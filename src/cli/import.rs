//! Users and sessions from a file: everything in it is checked first, and comes in whole or not
//! at all.

#[cfg(any(fuzzing, test))]
pub mod fuzzing;
mod json;
pub mod read;

use std::collections::HashSet;
use std::path::Path;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use self::read::{FoundUser, check_kinds, read};
use super::{Data, Failure, Outcome, tell, with_data};
use crate::app::World;
use crate::auth::audit::{self, About, Event, Trace};
use crate::config::Config;
use crate::error::Error;
use crate::models::{User, UserId, UserSession};
use crate::store::{SessionStore, UserStore};

/// Takes records from a file. Users that are there already stay as they are. Sessions come into a
/// directory without users only: elsewhere one that has ended since the export would live again.
pub(super) async fn import(config: &Config, file: &Path) -> Outcome {
    let named = |what: String| Failure::of(format!("{}: {what}", file.display()));
    let content = std::fs::read(file).map_err(|cause| named(cause.to_string()))?;
    let found = read(&content, &World::default()).map_err(named)?;
    drop(content);
    let lanes = config.hash_lanes().0;
    with_data(config, async |data| {
        let is_fresh = data.stores.users.count().await? == 0;
        let (new, known) = unknown(&data, found.users).await.map_err(named)?;
        let (count, session_count) = (new.len(), found.sessions.len());
        let users = wrap(&data, new, lanes).await?;
        let made: Vec<_> = users.iter().map(|user| (user.id, user.role)).collect();
        let to = (data.stores.users.as_ref() as _, data.stores.sessions.as_ref() as _);
        take(to, users, if is_fresh { found.sessions } else { Vec::new() }).await?;
        for (id, role) in made {
            let about = About::done_to(id, None).detail(format!("import, role {role}"));
            audit::record(Event::UserCreated, &Trace::command_line(), &about);
        }
        tell(&format!("imported {count} users, {known} were there already"))?;
        match session_count {
            0 => {}
            count if is_fresh => tell(&format!("imported {count} sessions"))?,
            count => tell(&format!(
                "left out {count} sessions: only an empty directory takes them, lest an ended one come back"
            ))?,
        }
        if !data.accounts.users.all().await?.iter().any(|user| user.is_enabled_admin()) {
            tell("nobody is an admin yet: sessiond user role you@example.com admin")?;
        }
        Ok(())
    })
    .await
}

/// Those that are not there yet, and how many are; or what keeps them from coming in: somebody
/// else has the e-mail address, or there would be too much work for each refused login.
async fn unknown(data: &Data, found: Vec<FoundUser>) -> Result<(Vec<FoundUser>, usize), String> {
    let users = &data.accounts.users;
    let (mut new, mut known) = (Vec::new(), 0);
    for found in found {
        let user = &found.user;
        let holder = users.search(user.email.as_str()).await.map_err(|error| error.to_string())?;
        if users.get(user.id).await.map_err(|error| error.to_string())?.is_some()
            || (found.has_new_id && holder.is_some())
        {
            known += 1;
        } else if let Some(holder) = holder {
            return Err(format!(
                "record {}: {} belongs to user {}",
                user.id, user.email, holder.id
            ));
        } else {
            new.push(found);
        }
    }
    let there = users.all().await.map_err(|error| error.to_string())?;
    let there = there.iter().filter_map(|user| user.password_hash.work());
    let coming = new.iter().filter_map(|found| found.user.password_hash.work());
    check_kinds(there.chain(coming))?;
    Ok((new, known))
}

/// Wraps the hashes of the classic program, on all lanes at once.
async fn wrap(data: &Data, found: Vec<FoundUser>, lanes: usize) -> Result<Vec<User>, Error> {
    let wrapped = stream::iter(found).map(|mut found| async move {
        if let Some(hex) = found.classic_hash {
            found.user.password_hash = data.accounts.hasher.wrap_classic(hex).await?;
        }
        Ok(found.user)
    });
    wrapped.buffered(lanes).try_collect().await
}

/// Takes users and sessions in. The sessions come first: without their users they do not work, so
/// that it is the users, all of them in one step, who bring the import about. What is left of a
/// user of another time, or of an import that was cut short, ends before he comes.
pub async fn take(
    to: (&dyn UserStore, &dyn SessionStore),
    users: Vec<User>,
    sessions: Vec<UserSession>,
) -> Result<(), Error> {
    if users.is_empty() {
        return Ok(());
    }
    let there: HashSet<UserId> = to.0.all().await?.iter().map(|user| user.id).collect();
    to.1.replace_all_but(there, sessions).await?;
    to.0.insert_all(users).await
}
