//! What an import reads, and what must be right about it.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::json::{Members, record};
use crate::app::World;
use crate::auth::hashing::{MAX_KINDS, Toll};
use crate::cli::export::FORMAT;
use crate::clock::Timestamp;
use crate::models::{Email, PasswordHash, Role, User, UserId, UserSession, Work};
use crate::store::Record;

/// How far a time may be ahead of the clock, which never goes back behind the records.
const CLOCK_SKEW: Duration = Duration::from_mins(5);

/// What a file holds.
pub struct Found {
    /// The users, in the order in which they are to be kept.
    pub users: Vec<FoundUser>,
    /// Their sessions.
    pub sessions: Vec<UserSession>,
}

/// A user, and the unsalted SHA-256 in hex if that is what there is of his password.
pub struct FoundUser {
    /// The user.
    pub user: User,
    /// What is to be wrapped, and is not kept as it is.
    pub classic_hash: Option<String>,
    /// Whether the file gives no id, so that he is known by his e-mail address.
    pub has_new_id: bool,
}

/// Reads users of one of these forms, and checks all that can be checked without the records that
/// are there already: our own export, the file of the classic program, a list of users, or users
/// one after another. Touches no file; the error names the record.
pub fn read(content: &[u8], world: &World) -> Result<Found, String> {
    let values = serde_json::Deserializer::from_slice(content).into_iter();
    let values: Vec<&RawValue> = values.collect::<Result<_, _>>().map_err(no_json)?;
    let [json] = values[..] else {
        return read_list(&values, world);
    };
    if json.get().starts_with('[') {
        let list: Vec<&RawValue> = serde_json::from_str(json.get()).map_err(no_json)?;
        return read_list(&list, world);
    }
    let members = Members::read(json)?;
    if members.get("email").is_some_and(|value| !value.get().starts_with('{')) {
        read_list(&values, world)
    } else if members.get("format").is_some() {
        read_export(&members, world)
    } else {
        read_classic(&members, world)
    }
}

fn no_json(error: impl Display) -> String {
    format!("is no JSON of users: {error}")
}

/// Users as they are put together and checked.
struct Checked {
    latest: Timestamp,
    users: Vec<FoundUser>,
    ids: HashMap<UserId, u64>,
    addresses: HashSet<String>,
}

impl Checked {
    fn new(world: &World) -> Self {
        let latest = world.clock.now().plus(CLOCK_SKEW);
        Self { latest, users: Vec::new(), ids: HashMap::new(), addresses: HashSet::new() }
    }

    /// Takes a user; what is kept of his password may be the hash of any known program.
    fn add(&mut self, mut user: User, hash: &str, has_new_id: bool) -> Result<(), String> {
        let classic_hash = PasswordHash::is_classic(hash).then(|| hash.to_owned());
        if classic_hash.is_none() {
            let read = PasswordHash::read(hash);
            user.password_hash = read.map_err(|why| format!("the password hash {why}"))?;
        }
        for (member, name) in [("first_name", &user.first_name), ("last_name", &user.last_name)] {
            User::check_name(member, name.as_deref().unwrap_or(""))
                .map_err(|error| error.to_string())?;
        }
        self.check_time(&user)?;
        if self.ids.insert(user.id, user.credential_version).is_some() {
            return Err(format!("the id {} belongs to two users", user.id));
        }
        if !self.addresses.insert(user.email.key()) {
            return Err(format!("{} belongs to two users", user.email));
        }
        self.users.push(FoundUser { user, classic_hash, has_new_id });
        Ok(())
    }

    fn check_time<R: Record>(&self, record: &R) -> Result<(), String> {
        match record.newest_time() {
            time if time > self.latest => Err(format!("is of {time}, which is still to come")),
            _ => Ok(()),
        }
    }

    fn finish(self, sessions: Vec<UserSession>) -> Result<Found, String> {
        let hashes = self.users.iter().map(|found| &found.user.password_hash);
        check_kinds(hashes.filter_map(PasswordHash::work))?;
        Ok(Found { users: self.users, sessions })
    }
}

/// Whether hashes of these works may be in one store.
pub fn check_kinds(works: impl Iterator<Item = Work>) -> Result<(), String> {
    match Toll::of(works).kinds() {
        ..=MAX_KINDS => Ok(()),
        kinds => Err(format!(
            "the password hashes would be of {kinds} settings of argon2id and scrypt; at most \
             {MAX_KINDS} can be together, since each refused login does the work of all of them"
        )),
    }
}

fn named<T>(name: &str, read: Result<T, String>) -> Result<T, String> {
    read.map_err(|what| format!("record {name}: {what}"))
}

/// Our own export.
fn read_export(members: &Members<'_>, world: &World) -> Result<Found, String> {
    let mut classes = HashMap::new();
    for (name, value) in &members.0 {
        match name.as_str() {
            "format" => match serde_json::from_str::<String>(value.get()) {
                Ok(format) if format == FORMAT => {}
                _ => return Err(format!("format is {value}, not \"{FORMAT}\"")),
            },
            User::CLASS | UserSession::CLASS => {
                let records = Members::read(value).map_err(|what| format!("{name}: {what}"))?;
                classes.insert(name.as_str(), records);
            }
            _ => return Err(format!("{name} is nothing that an export has")),
        }
    }
    let mut class = |name| classes.remove(name).ok_or_else(|| format!("{name} is missing"));
    let (users, sessions) = (class(User::CLASS)?, class(UserSession::CLASS)?);
    let mut checked = Checked::new(world);
    for (key, json) in users.0 {
        let add = |user: User| {
            check_key(&user, &key)?;
            let hash: Hash = record(json)?;
            checked.add(user, &hash.password_hash, false)
        };
        named(&key, record(json).and_then(add))?;
    }
    let sessions = read_sessions(&sessions, &checked)?;
    checked.finish(sessions)
}

/// What a stored user's hash is read from, before it is taken for one.
#[derive(Deserialize)]
struct Hash {
    password_hash: String,
}

fn check_key<R: Record>(record: &R, key: &str) -> Result<(), String> {
    let own = record.key().to_string();
    if own == key { Ok(()) } else { Err(format!("holds the record of {own}")) }
}

fn read_sessions(records: &Members<'_>, checked: &Checked) -> Result<Vec<UserSession>, String> {
    let (mut sessions, mut public_ids) = (Vec::with_capacity(records.0.len()), HashSet::new());
    for (key, json) in &records.0 {
        let check = |session: UserSession| {
            check_key(&session, key)?;
            checked.check_time(&session)?;
            let user = session.user_id;
            match checked.ids.get(&user) {
                None => return Err(format!("its user {user} is not there")),
                Some(version) if session.credential_version > *version => {
                    return Err(format!("its credential_version is above that of user {user}"));
                }
                Some(_) => {}
            }
            if !public_ids.insert(session.id) {
                return Err(format!("its id {} belongs to two sessions", session.id));
            }
            Ok(session)
        };
        sessions.push(named(key, record(json).and_then(check))?);
    }
    Ok(sessions)
}

/// A user of another program.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    email: String,
    password_hash: String,
    id: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    role: Option<Role>,
    disabled: Option<bool>,
    must_change: Option<bool>,
    created_at: Option<Timestamp>,
}

fn read_list(records: &[&RawValue], world: &World) -> Result<Found, String> {
    if records.is_empty() {
        return Err("holds no users".into());
    }
    let mut checked = Checked::new(world);
    for (number, json) in records.iter().enumerate() {
        let add = |listed: Listed| {
            let (hash, has_new_id) = (listed.password_hash.clone(), listed.id.is_none());
            checked.add(user_of(listed, world)?, &hash, has_new_id)
        };
        named(&(number + 1).to_string(), record(json).and_then(add))?;
    }
    checked.finish(Vec::new())
}

fn user_of(listed: Listed, world: &World) -> Result<User, String> {
    let id = match listed.id {
        Some(id) => id.parse()?,
        None => UserId::generate(world.random.as_ref()).map_err(|error| error.to_string())?,
    };
    let email = Email::new(&listed.email).map_err(|error| error.to_string())?;
    let created_at = listed.created_at.unwrap_or_else(|| world.clock.now());
    let mut user = User::new(id, email, PasswordHash::of_nobody(4), created_at);
    (user.first_name, user.last_name) = (listed.first_name, listed.last_name);
    user.role = listed.role.unwrap_or_default();
    user.disabled = listed.disabled.unwrap_or_default();
    user.must_change = listed.must_change.unwrap_or_default();
    Ok(user)
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

fn read_classic(members: &Members<'_>, world: &World) -> Result<Found, String> {
    let mut found = Vec::with_capacity(members.0.len());
    for (key, json) in &members.0 {
        if Members::read(json).is_ok_and(|members| members.get("session_id").is_some()) {
            return Err("holds sessions of the classic program; only its users can be taken".into());
        }
        found.push((
            key,
            named(key, record(json).and_then(|classic| read_classic_user(key, classic)))?,
        ));
    }
    found.sort_by_key(|(_, (user, _))| (user.created_at, user.id));
    let mut checked = Checked::new(world);
    for (key, (user, hash)) in found {
        named(key, checked.add(user, &hash, false))?;
    }
    checked.finish(Vec::new())
}

fn read_classic_user(key: &str, classic: Classic) -> Result<(User, String), String> {
    let id: UserId = classic.id.parse()?;
    if classic.id != key {
        return Err(format!("has the id {}", classic.id));
    }
    let email = Email::new(&classic.email).map_err(|error| error.to_string())?;
    let created_at = time(&classic.created_at)?;
    let mut user = User::new(id, email, PasswordHash::of_nobody(4), created_at);
    user.updated_at = time(&classic.updated_at)?;
    (user.first_name, user.last_name) = (classic.first_name, classic.last_name);
    Ok((user, classic.password))
}

fn time(text: &str) -> Result<Timestamp, String> {
    text.parse().or_else(|_| Timestamp::from_naive_utc(text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use serde_json::{Value, json};
    use std::sync::Arc;

    const ID: &str = "3ea61b0b-4c46-4e76-9b2e-5f9b2b1d4c11";
    const OTHER_ID: &str = "7b0a4f60-2d0e-4b7e-8d0b-0e6a2c1f9d22";
    const NOW: Timestamp = Timestamp::from_millis(1_767_323_045_678);
    const BCRYPT: &str = "$2y$04$x/06zgAD4qKSMZzYJge4KO9Lcv6bU0.Ase/42/kkrQCLWFbDXtSBG";

    fn read_text(content: &str) -> Result<Found, String> {
        let world = World { clock: Arc::new(ManualClock::at(NOW)), ..World::default() };
        read(content.as_bytes(), &world)
    }

    #[track_caller]
    fn refusal(content: &str) -> String {
        let why = read_text(content).err().unwrap_or_else(|| panic!("taken: {content}"));
        assert!(!why.contains(['\n', '\r']), "{why}");
        why
    }

    fn classic(change: impl FnOnce(&mut Value)) -> String {
        let mut file = json!({ ID: {
            "id": ID, "email": "bob@hbtn.io", "first_name": "Bob", "last_name": null,
            "created_at": "2017-09-25T01:55:17", "updated_at": "2017-09-25 01:55:17.5",
            "_password": "a".repeat(64),
        }});
        change(&mut file);
        file.to_string()
    }

    #[test]
    fn a_classic_record_is_read_with_its_times_in_utc() {
        let found = read_text(&classic(|_| {})).unwrap().users.remove(0);
        assert_eq!(found.user.created_at.to_string(), "2017-09-25T01:55:17.000Z");
        assert_eq!(found.user.updated_at.to_string(), "2017-09-25T01:55:17.500Z");
        assert_eq!(found.user.first_name.as_deref(), Some("Bob"));
        assert_eq!(found.classic_hash, Some("a".repeat(64)));
    }

    #[test]
    fn what_is_wrong_with_a_record_is_told_with_its_id() {
        for (member, value) in [
            ("email", Value::Null),
            ("email", "bob".into()),
            ("_password", "secret".into()),
            ("_password", Value::Null),
            ("created_at", "yesterday".into()),
            ("updated_at", "2027-01-01T00:00:00".into()),
            ("first_name", 1.into()),
            ("first_name", "x".repeat(257).into()),
            ("id", "1".into()),
        ] {
            let error = refusal(&classic(|file| file[ID][member] = value));
            assert!(error.starts_with(&format!("record {ID}: ")), "{error}");
        }
    }

    #[test]
    fn what_is_no_file_of_users_is_refused() {
        for content in [
            "",
            " ",
            "1",
            "null",
            "\"x\"",
            "{",
            "[",
            "{\"a\":1}",
            "[1]",
            "[[]]",
            "[] []",
            "[],",
            "\0",
            "\u{feff}[]",
            "{\"format\":\"sessiond export 2\"}",
            "{\"format\":\"sessiond export 1\"}",
        ] {
            refusal(content);
        }
        let sessions = refusal(&classic(|file| file[ID]["session_id"] = "x".into()));
        assert!(sessions.contains("sessions"), "{sessions}");
    }

    #[test]
    fn a_listed_user_needs_an_address_and_a_hash_and_has_what_a_new_user_has() {
        let listed = json!({ "email": "bob@example.com", "password_hash": BCRYPT }).to_string();
        for content in [format!("[{listed}]"), listed.clone(), format!("{listed}\n")] {
            let found = read_text(&content).unwrap();
            let user = &found.users[0].user;
            assert_eq!((found.users.len(), found.sessions.len()), (1, 0), "{content}");
            assert_eq!(serde_json::to_value(&user.password_hash).unwrap(), BCRYPT);
            assert_eq!((user.role, user.disabled, user.must_change), (Role::User, false, false));
            assert_eq!((user.created_at, user.updated_at), (NOW, NOW));
            assert_eq!(user.first_name, None);
        }
        let other = listed.replace("bob", "ann");
        for content in [format!("[{listed},{other}]"), format!("{listed}\n{other}\n")] {
            let found = read_text(&content).unwrap();
            let emails: Vec<_> =
                found.users.iter().map(|found| found.user.email.as_str()).collect();
            assert_eq!(emails, ["bob@example.com", "ann@example.com"], "in their order");
            assert_ne!(found.users[0].user.id, found.users[1].user.id);
        }
    }

    #[test]
    fn a_listed_user_may_say_all_the_rest() {
        let found = read_text(&json!([{
            "email": "bob@example.com", "password_hash": "A".repeat(64), "id": ID, "role": "admin",
            "first_name": "Bob", "last_name": "", "disabled": true, "must_change": true,
            "created_at": "2017-09-25T01:55:17+02:00",
        }]).to_string());
        let FoundUser { user, classic_hash, .. } = found.unwrap().users.remove(0);
        assert_eq!((user.id.to_string().as_str(), user.role), (ID, Role::Admin));
        assert!(user.disabled && user.must_change && classic_hash.is_some());
        assert_eq!(
            (user.first_name.as_deref(), user.last_name.as_deref()),
            (Some("Bob"), Some(""))
        );
        assert_eq!(user.created_at.to_string(), "2017-09-24T23:55:17.000Z");
    }

    #[test]
    fn a_listed_user_who_breaks_a_rule_is_named_by_his_number() {
        let good = json!({ "email": "bob@example.com", "password_hash": BCRYPT });
        let with = |member: &str, value: Value| {
            let mut bad = json!({ "email": "ann@example.com", "password_hash": BCRYPT });
            bad[member] = value;
            json!([good, bad]).to_string()
        };
        for (content, says) in [
            (with("phone", json!(1)), "unknown field `phone`"),
            (with("updated_at", json!("2017-09-25T01:55:17Z")), "unknown field `updated_at`"),
            (with("email", json!("ann")), "email must be an address"),
            (with("email", json!("BOB@example.com")), "BOB@example.com belongs to two users"),
            (with("password_hash", json!("!")), "the password hash is of no form that is known"),
            (with("password_hash", json!(BCRYPT.replace("$04$", "$16$"))), "a cost of 4 to 15"),
            (with("password_hash", json!(null)), "invalid type: null"),
            (with("role", json!("owner")), "unknown variant `owner`"),
            (with("disabled", json!("no")), "invalid type: string"),
            (with("id", json!(ID.to_uppercase())), "is not a user id"),
            (with("created_at", json!("2017-09-25")), "is not an RFC 3339 time"),
            (with("created_at", json!("2026-01-02T03:09:05.679Z")), "which is still to come"),
            (
                json!([good, {"email": "x@example.com"}]).to_string(),
                "missing field `password_hash`",
            ),
            (json!([good, []]).to_string(), "expected an object"),
            (format!("[{good},{{\"role\":\"user\",\"role\":\"admin\"}}]"), "role is there twice"),
        ] {
            let error = refusal(&content);
            assert!(error.starts_with("record 2: ") && error.contains(says), "{error}");
            assert!(!error.contains(BCRYPT) && !error.contains("x/06zg"), "{error}");
        }
    }

    fn user(id: &str, email: &str) -> Value {
        json!({
            "id": id, "email": email, "password_hash": BCRYPT, "first_name": null,
            "last_name": null, "role": "user", "disabled": false, "credential_version": 3,
            "created_at": "2020-01-01T00:00:00.000Z", "updated_at": "2020-01-01T00:00:00.000Z",
        })
    }

    fn session(hash: &str, id: &str) -> Value {
        json!({
            "hash": hash, "id": id, "user_id": ID, "credential_version": 3,
            "created_at": "2020-01-01T00:00:00.000Z", "last_seen_at": "2020-01-01T00:00:00.000Z",
        })
    }

    fn export(change: impl FnOnce(&mut Value)) -> String {
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let mut file = json!({
            "format": FORMAT,
            "User": { ID: user(ID, "bob@example.com"), OTHER_ID: user(OTHER_ID, "ann@example.com") },
            "UserSession": { &a: session(&a, ID), &b: session(&b, OTHER_ID) },
        });
        change(&mut file);
        file.to_string()
    }

    #[test]
    fn an_export_is_read_in_its_order_with_what_later_versions_have_put_into_it() {
        let mut text = export(|file| file["User"][ID]["phone"] = "123".into());
        let found = read_text(&text).unwrap();
        assert_eq!((found.users.len(), found.sessions.len()), (2, 2));
        assert!(found.users.iter().any(|found| found.user.unknown.get("phone").unwrap() == "123"));
        // The one who comes first in the file, not the one with the smaller id.
        let (a, b) = (user(ID, "bob@example.com"), user(OTHER_ID, "ann@example.com"));
        text = format!(
            "{{\"UserSession\":{{}},\"User\":{{\"{OTHER_ID}\":{b},\"{ID}\":{a}}},\"format\":\"{FORMAT}\"}}"
        );
        assert_eq!(read_text(&text).unwrap().users[0].user.id.to_string(), OTHER_ID);
    }

    #[test]
    fn an_export_that_does_not_hold_together_is_refused() {
        type Change = Box<dyn Fn(&mut Value)>;
        let (a, b) = ("a".repeat(64), "b".repeat(64));
        let set = |path: [&str; 3], value: Value| -> Change {
            let path = path.map(str::to_owned);
            Box::new(move |file| file[&path[0]][&path[1]][&path[2]] = value.clone())
        };
        let changes: Vec<(Change, &str)> = vec![
            (set(["User", ID, "id"], json!(OTHER_ID)), "holds the record of"),
            (set(["User", ID, "email"], json!("ANN@example.com")), "belongs to two users"),
            (set(["User", ID, "password_hash"], json!("$2b$04$x")), "has not the shape"),
            (set(["User", ID, "password_hash"], json!(7)), "invalid type"),
            (set(["User", ID, "first_name"], json!("x".repeat(257))), "at most 256 characters"),
            (set(["User", ID, "updated_at"], json!("2030-01-01T00:00:00Z")), "still to come"),
            (set(["User", ID, "credential_version"], json!(2)), "credential_version is above"),
            (set(["UserSession", &a, "hash"], json!(b)), "holds the record of"),
            (set(["UserSession", &a, "hash"], json!("A".repeat(64))), "lower-case hex"),
            (
                set(["UserSession", &a, "user_id"], json!("8f0e6f0e-0000-4000-8000-000000000002")),
                "is not there",
            ),
            (set(["UserSession", &a, "id"], json!(OTHER_ID)), "belongs to two sessions"),
            (
                set(["UserSession", &a, "credential_version"], json!(4)),
                "credential_version is above",
            ),
            (
                set(["UserSession", &a, "last_seen_at"], json!("2030-01-01T00:00:00Z")),
                "still to come",
            ),
            (Box::new(|file| file["Extra"] = json!({})), "nothing that an export has"),
            (Box::new(|file| file["format"] = json!("sessiond export 2")), "format is"),
            (Box::new(|file| file["User"] = json!([])), "User: invalid type"),
            (
                Box::new(|file| {
                    file.as_object_mut().unwrap().remove("UserSession");
                }),
                "UserSession is missing",
            ),
        ];
        for (change, says) in changes {
            let error = refusal(&export(change));
            assert!(error.contains(says), "{says}: {error}");
        }
    }

    #[test]
    fn nothing_is_said_twice_at_any_level() {
        for (once, twice) in [
            (
                format!("\"format\":\"{FORMAT}\""),
                format!("\"format\":\"{FORMAT}\",\"format\":\"{FORMAT}\""),
            ),
            ("\"User\":{".into(), "\"User\":{},\"User\":{".into()),
            (
                format!("\"{ID}\":{{"),
                format!("\"{ID}\":{},\"{ID}\":{{", user(ID, "bob@example.com")),
            ),
            (
                "\"credential_version\":3".into(),
                "\"credential_version\":3,\"credential_version\":3".into(),
            ),
            (
                "\"credential_version\":3".into(),
                "\"credential_version\":3,\"phone\":1,\"phone\":2".into(),
            ),
            (
                "\"credential_version\":3".into(),
                "\"credential_version\":3,\"em\\u0061il\":\"x@y.z\"".into(),
            ),
        ] {
            let text = export(|_| {});
            assert!(text.contains(&once), "{once}");
            let error = refusal(&text.replacen(&once, &twice, 1));
            assert!(error.contains("is there twice"), "{twice}: {error}");
        }
    }

    #[test]
    fn settings_of_argon2id_and_scrypt_are_few() {
        let hash = |memory: usize| {
            format!(
                "$argon2id$v=19$m={memory},t=2,p=2$qLNTo43m27os3BuDF31cmA$AneQMk3Ev7iRICJST+7omthHLOesyIYjc/ra932D6Qk"
            )
        };
        let users = |count: usize| {
            let user = |n| json!({ "email": format!("u{n}@example.com"), "password_hash": hash(64 + n % count) });
            (0..20).map(user).collect::<Value>().to_string()
        };
        assert!(read_text(&users(MAX_KINDS)).is_ok());
        assert!(
            refusal(&users(MAX_KINDS + 1)).contains("5 settings of argon2id and scrypt; at most 4")
        );
    }
}
