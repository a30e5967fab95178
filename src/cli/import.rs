#[cfg(any(fuzzing, test))]
pub mod fuzzing;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use futures_util::future::join_all;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Deserialize;
use serde_json::Value;

use super::export::FORMAT;
use super::{Data, Failure, Outcome, tell, with_data};
use crate::auth::audit::{self, About, Event, Trace};
use crate::clock::Timestamp;
use crate::config::Config;
use crate::error::Error;
use crate::models::{Email, PasswordHash, SessionHash, User, UserId, UserSession};
use crate::store::{Record, Room, SessionStore as _, UserStore as _};

/// How many sessions are written together.
const CHUNK: usize = 1000;

/// Takes records from a file. Everything in it is checked first, and the users come in all or not
/// at all; users that are there already stay as they are. Sessions come into an empty directory
/// only: elsewhere one that has ended since the export would live again.
pub async fn import(config: &Config, file: &Path) -> Outcome {
    let named = |what: String| Failure::of(format!("{}: {what}", file.display()));
    let content = std::fs::read(file).map_err(|cause| named(cause.to_string()))?;
    let found = read(&content).map_err(named)?;
    let lanes = config.hash_lanes().0;
    with_data(config, async |data| {
        let stores = &data.stores;
        let is_fresh = stores.users.count().await? == 0 && stores.sessions.count().await? == 0;
        let (new, known) = unknown(&data, found.users).await.map_err(named)?;
        let count = new.len();
        let users = wrap(&data, new, lanes).await?;
        let made: Vec<_> = users.iter().map(|user| (user.id, user.role)).collect();
        data.accounts.users.insert_all(users).await?;
        for (id, role) in made {
            let about = About::done_to(id, None).detail(format!("import, role {role}"));
            audit::record(Event::UserCreated, &Trace::command_line(), &about);
        }
        tell(&format!("imported {count} users, {known} were there already"))?;
        match found.sessions.len() {
            0 => {}
            count if is_fresh => {
                take_sessions(&data, found.sessions).await?;
                tell(&format!("imported {count} sessions"))?;
            }
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

/// What a file holds.
#[derive(Default)]
struct Found {
    users: Vec<FoundUser>,
    sessions: Vec<UserSession>,
}

/// A user, and the unsalted hash of the classic program if that is where he comes from.
struct FoundUser {
    user: User,
    classic_hash: Option<String>,
}

fn read(content: &[u8]) -> Result<Found, String> {
    let records: HashMap<String, Value> = serde_json::from_slice(content)
        .map_err(|error| format!("is no object of records: {error}"))?;
    let mut found =
        if records.contains_key("format") { read_export(records)? } else { read_classic(records)? };
    found.users.sort_by_key(|found| (found.user.created_at, found.user.id));
    found.sessions.sort_by_key(|session| session.created_at);
    let mut addresses = HashSet::new();
    match found.users.iter().find(|found| !addresses.insert(found.user.email.key())) {
        Some(twice) => Err(format!("{} belongs to two users", twice.user.email)),
        None => Ok(found),
    }
}

#[derive(Deserialize)]
struct Export {
    format: String,
    #[serde(rename = "User")]
    users: HashMap<UserId, User>,
    #[serde(rename = "UserSession")]
    sessions: HashMap<SessionHash, UserSession>,
}

fn read_export(records: HashMap<String, Value>) -> Result<Found, String> {
    let export = Value::Object(records.into_iter().collect());
    let export: Export = serde_json::from_value(export).map_err(|error| error.to_string())?;
    if export.format != FORMAT {
        return Err(format!("format is '{}', not '{FORMAT}'", export.format));
    }
    let users = under_own_keys(export.users)?.into_iter();
    let users = users.map(|user| FoundUser { user, classic_hash: None }).collect();
    Ok(Found { users, sessions: under_own_keys(export.sessions)? })
}

/// The records, each of which is there once, since it stands under its own key.
fn under_own_keys<R: Record>(records: HashMap<R::Key, R>) -> Result<Vec<R>, String> {
    match records.iter().find(|(key, record)| **key != record.key()) {
        Some((key, record)) => Err(format!("record {key}: is the record of {}", record.key())),
        None => Ok(records.into_values().collect()),
    }
}

/// A record of the classic program's `.db_User.json`; its times are UTC without saying so.
#[derive(Deserialize)]
struct Classic {
    id: String,
    email: String,
    #[serde(rename = "_password")]
    password: String,
    first_name: Option<String>,
    last_name: Option<String>,
    created_at: String,
    updated_at: String,
}

fn read_classic(records: HashMap<String, Value>) -> Result<Found, String> {
    let mut found = Found::default();
    for (key, record) in records {
        if record.get("session_id").is_some() {
            return Err("holds sessions of the classic program; only its users can be taken".into());
        }
        let user =
            read_classic_user(&key, record).map_err(|what| format!("record {key}: {what}"))?;
        found.users.push(user);
    }
    Ok(found)
}

fn read_classic_user(key: &str, record: Value) -> Result<FoundUser, String> {
    let record: Classic = serde_json::from_value(record).map_err(|error| error.to_string())?;
    let id: UserId = record.id.parse()?;
    if record.id != key {
        return Err(format!("has the id {}", record.id));
    }
    let email = Email::new(&record.email).map_err(|error| error.to_string())?;
    let hash = record.password;
    if !PasswordHash::is_classic(&hash) {
        return Err("_password is no SHA-256 in hex".into());
    }
    let mut user = User::new(id, email, PasswordHash::of_nobody(4), time(&record.created_at)?);
    user.updated_at = time(&record.updated_at)?;
    for (member, name) in [("first_name", &record.first_name), ("last_name", &record.last_name)] {
        User::check_name(member, name.as_deref().unwrap_or(""))
            .map_err(|error| error.to_string())?;
    }
    (user.first_name, user.last_name) = (record.first_name, record.last_name);
    Ok(FoundUser { user, classic_hash: Some(hash) })
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().or_else(|_| Timestamp::from_naive_utc(text))
}

/// Those that are not there yet, and how many are; or whose e-mail address somebody else has.
async fn unknown(data: &Data, found: Vec<FoundUser>) -> Result<(Vec<FoundUser>, usize), String> {
    let users = &data.accounts.users;
    let (mut new, mut known) = (Vec::new(), 0);
    for found in found {
        let user = &found.user;
        if users.get(user.id).await.map_err(|error| error.to_string())?.is_some() {
            known += 1;
            continue;
        }
        let holder = users.search(user.email.as_str()).await.map_err(|error| error.to_string())?;
        if let Some(holder) = holder {
            return Err(format!(
                "record {}: {} belongs to user {}",
                user.id, user.email, holder.id
            ));
        }
        new.push(found);
    }
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

async fn take_sessions(data: &Data, sessions: Vec<UserSession>) -> Result<(), Error> {
    let store = &data.stores.sessions;
    let mut sessions = sessions.into_iter().peekable();
    while sessions.peek().is_some() {
        let chunk =
            sessions.by_ref().take(CHUNK).map(|session| store.insert(session, Room::default()));
        for inserted in join_all(chunk).await {
            inserted?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "3ea61b0b-4c46-4e76-9b2e-5f9b2b1d4c11";

    fn classic(change: impl FnOnce(&mut Value)) -> Result<Found, String> {
        let mut file = serde_json::json!({ ID: {
            "id": ID, "email": "bob@hbtn.io", "first_name": "Bob", "last_name": null,
            "created_at": "2017-09-25T01:55:17", "updated_at": "2017-09-25 01:55:17.5",
            "_password": "a".repeat(64),
        }});
        change(&mut file);
        read(file.to_string().as_bytes())
    }

    #[test]
    fn a_classic_record_is_read_with_its_times_in_utc() {
        let found = classic(|_| {}).unwrap().users.remove(0);
        assert_eq!(found.user.created_at.to_string(), "2017-09-25T01:55:17.000Z");
        assert_eq!(found.user.updated_at.to_string(), "2017-09-25T01:55:17.500Z");
        assert_eq!(found.user.first_name.as_deref(), Some("Bob"));
    }

    #[test]
    fn what_is_wrong_with_a_record_is_told_with_its_id() {
        for (member, value) in [
            ("email", Value::Null),
            ("email", "bob".into()),
            ("_password", "secret".into()),
            ("_password", Value::Null),
            ("created_at", "yesterday".into()),
            ("first_name", 1.into()),
            ("id", "1".into()),
        ] {
            let error = classic(|file| file[ID][member] = value).err().unwrap();
            assert!(error.starts_with(&format!("record {ID}: ")), "{error}");
        }
    }

    #[test]
    fn a_record_under_the_key_of_another_is_refused() {
        let other = ID.replace('3', "4");
        let now = "2017-09-25T01:55:17Z";
        let user = serde_json::json!({ "id": ID, "email": "bob@hbtn.io", "password_hash": "",
            "created_at": now, "updated_at": now });
        let (hash, other_hash) = ("0".repeat(64), "1".repeat(64));
        let session = serde_json::json!({ "hash": hash, "id": ID, "user_id": ID,
            "credential_version": 0, "created_at": now, "last_seen_at": now });
        for (user_key, session_key, refused) in [
            (ID, &hash, None),
            (&other, &hash, Some(format!("record {other}: is the record of {ID}"))),
            (ID, &other_hash, Some(format!("record {other_hash}: is the record of {hash}"))),
        ] {
            let file = serde_json::json!({ "format": FORMAT, "User": { user_key: user },
                "UserSession": { session_key: session } });
            assert_eq!(read(file.to_string().as_bytes()).err(), refused);
        }
    }

    #[test]
    fn what_is_no_file_of_users_is_refused() {
        for content in ["", "[]", "{\"a\":1}", "{\"format\":\"sessiond export 2\"}"] {
            assert!(read(content.as_bytes()).is_err(), "{content}");
        }
        let sessions = classic(|file| file[ID]["session_id"] = "x".into()).err().unwrap();
        assert!(sessions.contains("sessions"), "{sessions}");
    }
}
