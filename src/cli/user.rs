use std::io::{self, BufRead as _, IsTerminal as _};
use std::sync::Arc;

use super::{Data, Failure, Outcome, tell, with_data};
use crate::app::{Found, World};
use crate::auth::accounts::{NewUser, UserPatch};
use crate::auth::audit::{self, About, Event, Trace};
use crate::config::Config;
use crate::models::{Role, User};
use crate::store::SessionStore as _;

/// What to do with users.
#[derive(clap::Subcommand)]
pub enum UserCommand {
    /// Add a user; the password is asked for, or read from standard input
    Add {
        /// E-mail address
        email: String,
        /// First name
        #[arg(long)]
        first_name: Option<String>,
        /// Last name
        #[arg(long)]
        last_name: Option<String>,
        /// admin, or user
        #[arg(long, default_value = "user")]
        role: Role,
        /// The user must change the password before anything else
        #[arg(long)]
        must_change: bool,
    },
    /// List all users: id, e-mail address, role, state, creation
    List,
    #[command(flatten)]
    Change(Change),
}

/// What to do with a user who is there.
#[derive(clap::Subcommand)]
pub enum Change {
    /// Give a user another password, which ends his sessions
    Passwd {
        /// E-mail address, or id
        user: String,
        /// The user must change the password before anything else
        #[arg(long)]
        must_change: bool,
    },
    /// Make a user an admin, or a plain user again
    Role {
        /// E-mail address, or id
        user: String,
        /// admin, or user
        role: Role,
    },
    /// Lock a user out, which ends his sessions
    Disable {
        /// E-mail address, or id
        user: String,
    },
    /// Let a user in again
    Enable {
        /// E-mail address, or id
        user: String,
    },
    /// Delete a user and his sessions
    Delete {
        /// E-mail address, or id
        user: String,
    },
}

pub async fn user(config: &Config, command: UserCommand) -> Outcome {
    let found = || Found::read(&config.data_dir, &World::default());
    match command {
        UserCommand::List => list(&found()?),
        // The first user makes the directory.
        UserCommand::Add { email, first_name, last_name, role, must_change } => {
            with_data(config, async |data| {
                let password = ask_password(&email)?;
                let new = NewUser { email, password, first_name, last_name, role, must_change };
                let user = data.accounts.create(new).await?;
                record(Event::UserCreated, &user, format!("role {role}"));
                tell(&format!("added {} {} {}", user.role, user.email, user.id))
            })
            .await
        }
        UserCommand::Change(change) => {
            drop(found()?);
            with_data(config, async |data| run(&data, change).await).await
        }
    }
}

async fn run(data: &Data, command: Change) -> Outcome {
    match command {
        Change::Passwd { user, must_change } => {
            let user = find(data, &user).await?;
            let password = ask_password(user.email.as_str())?;
            let hash = data.accounts.hash(password, &user).await?;
            data.accounts.set_password(user.id, hash, must_change).await?;
            record(Event::PasswordChanged, &user, String::new());
            end_sessions(data, &user).await?;
            tell(&format!("changed the password of {}", user.email))
        }
        Change::Role { user, role } => {
            let patch = UserPatch { role: Some(role), ..UserPatch::default() };
            let user = change(data, &user, patch).await?;
            tell(&format!("{} is {role} now", user.email))
        }
        Change::Disable { user } => {
            let user = change(data, &user, disabled(true)).await?;
            end_sessions(data, &user).await?;
            tell(&format!("disabled {}", user.email))
        }
        Change::Enable { user } => {
            let user = change(data, &user, disabled(false)).await?;
            tell(&format!("enabled {}", user.email))
        }
        Change::Delete { user } => {
            let user = find(data, &user).await?;
            data.accounts.users.remove(user.id).await?;
            record(Event::UserDeleted, &user, String::new());
            end_sessions(data, &user).await?;
            tell(&format!("deleted {}", user.email))
        }
    }
}

fn list(found: &Found) -> Outcome {
    for user in found.users.table().iter() {
        let state = if user.disabled { "disabled" } else { "enabled" };
        let User { id, email, role, created_at, .. } = user.as_ref();
        tell(&format!("{id}\t{email}\t{role}\t{state}\t{created_at}"))?;
    }
    Ok(())
}

fn disabled(disabled: bool) -> UserPatch {
    UserPatch { disabled: Some(disabled), ..UserPatch::default() }
}

async fn change(data: &Data, user: &str, patch: UserPatch) -> Result<Arc<User>, Failure> {
    let user = find(data, user).await?;
    if let Some(changed) = data.accounts.update(user.id, patch).await? {
        changed.events().for_each(|(event, detail)| record(event, &user, detail));
    }
    Ok(user)
}

/// Writes to the security log what was done to a user.
fn record(event: Event, user: &User, detail: String) {
    let about = About::done_to(user.id, None).detail(detail);
    audit::record(event, &Trace::command_line(), &about);
}

async fn end_sessions(data: &Data, user: &User) -> Outcome {
    data.stores.sessions.remove_all(user.id, None).await?;
    Ok(())
}

/// The user with this e-mail address or id.
async fn find(data: &Data, user: &str) -> Result<Arc<User>, Failure> {
    let users = &data.accounts.users;
    let found = match user.parse() {
        Ok(id) => users.get(id).await?,
        Err(_) => users.search(user).await?,
    };
    found.ok_or_else(|| Failure::of(format!("no user has the e-mail address or id '{user}'")))
}

/// A password from the terminal, unseen and twice; or the first line of standard input.
fn ask_password(email: &str) -> Result<String, Failure> {
    if !io::stdin().is_terminal() {
        let mut line = String::new();
        io::stdin()
            .lock()
            .read_line(&mut line)
            .map_err(|cause| Failure::of(format!("password: {cause}")))?;
        let line = line.strip_suffix('\n').unwrap_or(&line);
        return Ok(line.strip_suffix('\r').unwrap_or(line).to_owned());
    }
    let password = rpassword::prompt_password(format!("Password for {email}: "))?;
    if rpassword::prompt_password("Once more: ")? != password {
        return Err(Failure::of("the two passwords differ"));
    }
    Ok(password)
}
