//! Who may read and write what of a record.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use sessiond::models::Role;

use super::stage::Stage;
use crate::files;
use crate::harness::{NOBODY, PASSWORD};

/// What becomes of a member that is sent.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Write {
    Set,
    Ignored,
    Refused,
}
use Write::{Ignored, Refused, Set};

/// When a member is shown, to those who may read the record.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Read {
    Always,
    WhileTrue,
    Never,
}
use Read::{Always, Never, WhileTrue};

/// The members of a user: when they are read, and what becomes of them in a `POST /users` of an
/// admin, in a `PUT /users/{id}` of the user himself, and in one of an admin.
const USER: &[(&str, Read, [Write; 3])] = &[
    ("id", Always, [Ignored, Ignored, Ignored]),
    ("created_at", Always, [Ignored, Ignored, Ignored]),
    ("updated_at", Always, [Ignored, Ignored, Ignored]),
    ("email", Always, [Set, Ignored, Ignored]),
    ("first_name", Always, [Set, Set, Set]),
    ("last_name", Always, [Set, Set, Set]),
    ("role", Always, [Ignored, Refused, Set]),
    ("disabled", Always, [Ignored, Refused, Set]),
    ("must_change", WhileTrue, [Set, Ignored, Ignored]),
    ("password_hash", Never, [Ignored, Ignored, Ignored]),
    ("role_since", Never, [Ignored, Ignored, Ignored]),
    ("credential_version", Never, [Ignored, Ignored, Ignored]),
];

/// The members of a session: whether they are in the list of sessions, in what is told of the
/// session in use, and in the record.
const SESSION: &[(&str, [bool; 3])] = &[
    ("id", [true, true, true]),
    ("created_at", [true, true, true]),
    ("last_seen_at", [true, true, true]),
    ("expires_at", [true, true, true]),
    ("idle_expires_at", [true, true, false]),
    ("remembered", [true, true, true]),
    ("client_address", [true, true, true]),
    ("user_agent", [true, true, true]),
    ("current", [true, true, false]),
    ("expires_in", [false, true, false]),
    ("idle_expires_in", [false, true, false]),
    ("authenticated_at", [false, true, false]),
    ("authenticated_by", [false, true, false]),
    ("fresh", [false, true, false]),
    ("user", [false, true, false]),
    ("hash", [false, false, true]),
    ("user_id", [false, false, true]),
    ("credential_version", [false, false, true]),
    ("proved_at", [false, false, true]),
    ("idle_timeout", [false, false, true]),
];

/// Something else than what is stored, of the right type.
fn another_value(member: &str) -> Value {
    match member {
        "id" => json!(NOBODY),
        "email" => json!("somebody.else@example.com"),
        "role" => json!("admin"),
        "disabled" | "must_change" => json!(true),
        "credential_version" => json!(77),
        "password_hash" => json!(format!("$2b$04${}", "O".repeat(53))),
        "first_name" | "last_name" => json!("Zoe"),
        _ => json!("2001-02-03T04:05:06.000Z"),
    }
}

fn members(object: &Value) -> BTreeSet<&str> {
    object.as_object().unwrap().keys().map(String::as_str).collect()
}

fn shown() -> BTreeSet<&'static str> {
    USER.iter().filter(|(_, read, _)| *read == Always).map(|(member, ..)| *member).collect()
}

/// Every answer that holds a user holds those members and no other, whoever asks.
pub fn exactly_the_readable_members_of_a_user_are_told() {
    let stage = Stage::new();
    let (bob, admin) = (stage.person(Role::User), stage.person(Role::Admin));
    let path = format!("/api/v1/users/{}", bob.id);
    let get = |path: &str, session: &str| stage.server.get(path).session(session).send().json();
    let login = stage.server.login(&[("email", &bob.email), ("password", PASSWORD)]).send();
    let new = json!({ "email": stage.address(), "password": PASSWORD });
    let made = stage.server.post("/api/v1/users").session(&admin.session).json(&new).send();
    let change = |session: &str| stage.server.put(&path).session(session).json(&json!({})).send();
    for user in [
        get(&path, &bob.session),
        get(&path, &admin.session),
        get("/api/v1/users/me", &bob.session),
        get("/api/v1/users", &admin.session)[1].clone(),
        get("/api/v1/auth_session", &bob.session)["user"].clone(),
        login.json(),
        made.json(),
        change(&bob.session).json(),
        change(&admin.session).json(),
    ] {
        assert_eq!(members(&user), shown(), "{user}");
    }
    let new = json!({ "email": stage.address(), "password": PASSWORD, "must_change": true });
    let made = stage.server.post("/api/v1/users").session(&admin.session).json(&new).send().json();
    let mut while_true = shown();
    while_true.extend(USER.iter().filter(|row| row.1 == WhileTrue).map(|row| row.0));
    assert_eq!(members(&made), while_true);
}

/// Whatever is sent, no other members change; a refusal changes nothing.
pub fn exactly_the_writable_members_of_a_user_are_written() {
    for (member, _, writes) in USER {
        let stage = Stage::new();
        let (bob, admin) = (stage.person(Role::User), stage.person(Role::Admin));
        let value = another_value(member);
        let sent = Map::from_iter([((*member).to_owned(), value.clone())]);
        let mut new = json!({ "email": stage.address(), "password": PASSWORD });
        new.as_object_mut().unwrap().extend(sent.clone());
        let made = stage.server.post("/api/v1/users").session(&admin.session).json(&new).send();
        assert_eq!(made.status, 201, "{member}: {made:?}");
        let id = made.json()["id"].as_str().unwrap().parse().unwrap();
        assert_eq!(stage.stored(id)[member] == value, writes[0] == Set, "{member}");
        assert_ne!(writes[0], Refused, "nothing is refused there");

        let path = format!("/api/v1/users/{}", bob.id);
        for (session, write) in [(&bob.session, writes[1]), (&admin.session, writes[2])] {
            let before = stage.stored(bob.id);
            let put = stage.server.put(&path).session(session);
            let status = put.json(&Value::Object(sent.clone())).send().status;
            assert_eq!(status, if write == Refused { 403 } else { 200 }, "{member}");
            let after = stage.stored(bob.id);
            if write == Set {
                assert_eq!(after[member], value, "{member}");
            } else {
                assert_eq!(after, before, "{member}");
            }
        }
    }
}

/// A password is given by the routes for it alone; what else is sent has no effect.
pub fn a_change_of_a_user_changes_no_password() {
    let stage = Stage::new();
    let (bob, admin) = (stage.person(Role::User), stage.person(Role::Admin));
    let path = format!("/api/v1/users/{}", bob.id);
    let before = stage.stored(bob.id);
    for member in ["password", "new_password", "_password", "password_hash"] {
        for session in [&bob.session, &admin.session] {
            let body = json!({ member: "another secret 4", "current_password": PASSWORD });
            let answer = stage.server.put(&path).session(session).json(&body).send();
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }
    assert_eq!(stage.stored(bob.id), before);
}

/// The list of sessions and the session in use tell these members and no other.
pub fn exactly_the_readable_members_of_a_session_are_told() {
    let stage = Stage::new();
    let bob = stage.person(Role::User);
    // A proof after the login is stored with the session.
    let reauth = stage.server.post("/api/v1/auth_session/reauth").session(&bob.session);
    let reauth = reauth.json(&json!({ "password": PASSWORD })).send();
    let session = reauth.session_id().unwrap();
    let list = stage.server.get("/api/v1/users/me/sessions").session(&session).send().json();
    let in_use = stage.server.get("/api/v1/auth_session").session(&session).send().json();
    let stored = stage.stored_session(&session);
    for (place, object) in [&list[0], &in_use, &stored].into_iter().enumerate() {
        let expected =
            SESSION.iter().filter(|(_, places)| places[place]).map(|(member, _)| *member);
        assert_eq!(members(object), expected.collect(), "{object}");
    }
    let told = [list.to_string(), in_use.to_string(), reauth.body];
    for secret in [session.as_str(), stored["hash"].as_str().unwrap()] {
        assert!(!told.iter().any(|text| text.contains(secret)));
    }
}

/// Every member of a stored record has its row, also one that will be added.
pub fn every_stored_member_has_a_row() {
    let model = |name: &str, record: &str| -> BTreeSet<String> {
        let source = files::read(name);
        let (_, record) = source.split_once(&format!("pub struct {record} {{")).unwrap();
        let (record, _) = record.split_once("\n}").unwrap();
        let members = record.lines().filter_map(|line| line.trim().strip_prefix("pub "));
        members.map(|member| member.split(':').next().unwrap().to_owned()).collect()
    };
    let mut user = model("src/models/user.rs", "User");
    // What a later version has written is kept, and told nobody.
    assert!(user.remove("unknown"));
    // Is made of the others, and not stored.
    assert!(user.remove("told"));
    assert_eq!(user, USER.iter().map(|(member, ..)| (*member).to_owned()).collect());
    let mut session = model("src/models/user_session.rs", "UserSession");
    assert!(session.remove("unknown"));
    let stored = SESSION.iter().filter(|(_, places)| places[2]);
    assert_eq!(session, stored.map(|(member, _)| (*member).to_owned()).collect());
}

/// The tables of the documents are those above.
pub fn the_members_are_documented() {
    let section = files::section("docs/CONTROLS.md", "Members");
    let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let head = ["of a user", "read", "`POST /users`", "`PUT`, himself", "`PUT`, admin"];
    let mut rows = vec![text(&head)];
    for (member, read, writes) in USER {
        let read = match read {
            Always => "yes",
            WhileTrue => "while true",
            Never => "never",
        };
        let written = writes.map(|write| match write {
            Set => "set",
            Ignored => "ignored",
            Refused => "403",
        });
        rows.push(text(&[&[format!("`{member}`").as_str(), read], &written[..]].concat()));
    }
    files::assert_table(&section, &rows);
    let mut rows = vec![text(&["of a session", "in the list", "in `GET /auth_session`", "stored"])];
    for (member, places) in SESSION {
        let places = places.map(|place| if place { "yes" } else { "no" });
        rows.push(text(&[&[format!("`{member}`").as_str()], &places[..]].concat()));
    }
    files::assert_table(&section, &rows);
}
