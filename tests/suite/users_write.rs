//! Making, changing and deleting users.

use serde_json::{Value, json};

use super::users_read::assert_is_user;
use crate::harness::{ADMIN, KNOWING_KINDS, NOBODY, PASSWORD, SESSION_KINDS, Server};

const WRONG_FORMAT: &str = "Wrong format";

/// Bodies that are no JSON object.
const NO_OBJECTS: [&str; 12] = [
    "",
    " ",
    "{",
    "[]",
    "null",
    "true",
    "1",
    "\"email\"",
    "[{\"email\":\"bob@example.com\"}]",
    "{}{}",
    "{\"email\":\"bob@example.com\",}",
    "email=bob@example.com&password=x",
];

/// Media types under which nobody can send JSON.
const NO_JSON_TYPES: [&str; 9] = [
    "text/plain",
    "text/json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/jsonx",
    "application/json-patch",
    "application/octet-stream",
    "json",
    "",
];

#[test]
fn a_new_user_is_answered_and_can_be_read() {
    let server = Server::of("none");
    let body = json!({
        "email": "bob@example.com", "password": PASSWORD, "first_name": "Bob", "last_name": "Dylan"
    });
    let made = server.post("/api/v1/users").json(&body).send();
    assert_eq!(made.status, 201, "{made:?}");
    let user = made.json();
    assert_is_user(&user);
    assert_eq!((&user["first_name"], &user["last_name"]), (&json!("Bob"), &json!("Dylan")));
    let path = format!("/api/v1/users/{}", user["id"].as_str().unwrap());
    assert_eq!(server.get(&path).send().body, made.body);
}

#[test]
fn names_may_be_left_out_or_null_or_empty() {
    let server = Server::of("none");
    for (index, (names, expected)) in [
        (json!({}), json!([null, null])),
        (json!({ "first_name": null, "last_name": null }), json!([null, null])),
        (json!({ "first_name": "", "last_name": " " }), json!(["", " "])),
    ]
    .into_iter()
    .enumerate()
    {
        let mut body = json!({ "email": format!("u{index}@example.com"), "password": PASSWORD });
        body.as_object_mut().unwrap().extend(names.as_object().unwrap().clone());
        let user = server.post("/api/v1/users").json(&body).send().json();
        assert_eq!(json!([user["first_name"], user["last_name"]]), expected);
    }
}

#[test]
fn every_user_gets_an_id_of_his_own_whatever_is_asked_for() {
    let server = Server::of("none");
    let make = |email: &str| {
        let body = json!({
            "email": email, "password": PASSWORD, "id": NOBODY, "unknown": [1],
            "created_at": "2000-01-01T00:00:00.000Z", "updated_at": "2000-01-01T00:00:00.000Z",
            "password_hash": "x", "role": "admin", "disabled": true
        });
        let answer = server.post("/api/v1/users").json(&body).send();
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.json()
    };
    let (first, second) = (make("a@example.com"), make("b@example.com"));
    assert_ne!(first["id"], second["id"]);
    for user in [first, second] {
        assert_is_user(&user);
        assert_ne!(user["id"], NOBODY);
        assert!(!user["created_at"].as_str().unwrap().starts_with("2000"), "{user}");
    }
    server.get(&format!("/api/v1/users/{NOBODY}")).send().assert_error(404, "Not found");
}

#[test]
fn a_body_that_is_no_json_object_makes_no_user() {
    let server = Server::of("none");
    for body in NO_OBJECTS {
        let answer = server.post("/api/v1/users").body("application/json", body).send();
        answer.assert_error(400, WRONG_FORMAT);
    }
    server.get("/api/v1/stats").send().assert_is(200, r#"{"users":1}"#);
}

#[test]
fn a_body_of_another_media_type_makes_no_user() {
    let server = Server::of("none");
    let body = json!({ "email": "bob@example.com", "password": PASSWORD }).to_string();
    for media_type in NO_JSON_TYPES {
        let answer = server.post("/api/v1/users").body(media_type, body.clone()).send();
        assert_eq!(answer.status, 400, "{media_type}");
        answer.assert_error(400, WRONG_FORMAT);
    }
    server.post("/api/v1/users").untyped(body).send().assert_error(400, WRONG_FORMAT);
    server.post("/api/v1/users").send().assert_error(400, WRONG_FORMAT);
    server.get("/api/v1/stats").send().assert_is(200, r#"{"users":1}"#);
}

#[test]
fn every_media_type_of_json_is_taken() {
    let server = Server::of("none");
    let types = [
        "application/json",
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/vnd.api+json",
        "application/problem+json;x=y",
    ];
    for (index, media_type) in types.into_iter().enumerate() {
        let body = json!({ "email": format!("u{index}@example.com"), "password": PASSWORD });
        let answer = server.post("/api/v1/users").body(media_type, body.to_string()).send();
        assert_eq!(answer.status, 201, "{media_type}: {answer:?}");
        let path = format!("/api/v1/users/{}", answer.json()["id"].as_str().unwrap());
        let answer = server.put(&path).body(media_type, r#"{"first_name":"Bob"}"#).send();
        assert_eq!(answer.status, 200, "{media_type}: {answer:?}");
    }
}

#[test]
fn what_is_missing_is_named_and_the_email_first() {
    let server = Server::of("none");
    let (email, password) = ("bob@example.com", PASSWORD);
    for (body, error) in [
        (json!({}), "email missing"),
        (json!({ "email": "", "password": "" }), "email missing"),
        (json!({ "email": null, "password": password }), "email missing"),
        (json!({ "password": password }), "email missing"),
        (json!({ "Email": email, "password": password }), "email missing"),
        (json!({ "email": email }), "password missing"),
        (json!({ "email": email, "password": "" }), "password missing"),
        (json!({ "email": email, "password": null }), "password missing"),
        (json!({ "email": "no address" }), "password missing"),
    ] {
        server.post("/api/v1/users").json(&body).send().assert_error(400, error);
    }
    server.get("/api/v1/stats").send().assert_is(200, r#"{"users":1}"#);
}

#[test]
fn a_user_who_is_refused_for_another_reason_is_told_which() {
    let server = Server::of("none");
    let email = "bob@example.com";
    for (body, status) in [
        (json!({ "email": "no address", "password": PASSWORD }), 400),
        (json!({ "email": email, "password": "short" }), 400),
        (json!({ "email": email, "password": PASSWORD, "first_name": 1 }), 400),
        (json!({ "email": email, "password": PASSWORD, "last_name": "x".repeat(257) }), 400),
        (json!({ "email": [email], "password": PASSWORD }), 400),
        (json!({ "email": email, "password": { "$ne": "" } }), 400),
        (json!({ "email": ADMIN, "password": PASSWORD }), 409),
    ] {
        let answer = server.post("/api/v1/users").json(&body).send();
        assert_eq!(answer.status, status, "{answer:?}");
        let error = answer.json()["error"].as_str().unwrap().to_owned();
        let reason = error.strip_prefix("Can't create User: ").expect(&error);
        assert!(!reason.is_empty());
    }
    server.get("/api/v1/stats").send().assert_is(200, r#"{"users":1}"#);
}

#[test]
fn a_change_of_names_is_answered_and_kept() {
    let server = Server::of("none");
    let path = format!("/api/v1/users/{}", server.add_user("bob@example.com"));
    for (change, names) in [
        (json!({ "first_name": "Bob" }), ["Bob", "null"]),
        (json!({ "last_name": "Dylan" }), ["Bob", "Dylan"]),
        (json!({}), ["Bob", "Dylan"]),
        (json!({ "first_name": null, "last_name": null }), ["Bob", "Dylan"]),
        (json!({ "first_name": "" }), ["", "Dylan"]),
        (
            json!({ "first_name": null, "last_name": " \u{e9}\u{1f600} " }),
            ["", " \u{e9}\u{1f600} "],
        ),
        (json!({ "first_name": "A", "last_name": "" }), ["A", ""]),
    ] {
        let changed = server.put(&path).json(&change).send();
        assert_eq!(changed.status, 200, "{changed:?}");
        let user = changed.json();
        let expected = names.map(|name| if name == "null" { Value::Null } else { json!(name) });
        assert_eq!([user["first_name"].clone(), user["last_name"].clone()], expected, "{change}");
        assert_eq!(server.get(&path).send().body, changed.body);
    }
}

#[test]
fn a_change_dates_the_user_and_moves_nothing_that_was_not_asked_for() {
    let server = Server::of("none");
    let id = server.add_user("bob@example.com");
    let file = server.data().join("User.json");
    let (program, ..) = server.stop();
    // An old record, so that a new date is another date.
    let mut users: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    for date in ["created_at", "updated_at"] {
        users[&id][date] = json!("2020-02-02T02:02:02.002Z");
    }
    std::fs::write(&file, users.to_string()).unwrap();
    let server = program.start();
    let path = format!("/api/v1/users/{id}");
    let before = server.get(&path).send().json();
    assert_eq!(before["updated_at"], "2020-02-02T02:02:02.002Z");
    let change = json!({
        "id": NOBODY, "email": "eve@example.com", "password": "another one 3",
        "created_at": "2000-01-01T00:00:00.000Z", "updated_at": "2000-01-01T00:00:00.000Z",
        "password_hash": "x", "_password": "x", "unknown": { "a": [1] }, "last_name": "Dylan"
    });
    let after = server.put(&path).json(&change).send().json();
    assert!(after["updated_at"].as_str() > before["updated_at"].as_str(), "{after}");
    let mut expected = before;
    expected["last_name"] = json!("Dylan");
    expected["updated_at"] = after["updated_at"].clone();
    assert_eq!(after, expected);
    let server = server.stop().0.set("AUTH_TYPE", "session_auth").start();
    server.log_in("bob@example.com", PASSWORD);
}

#[test]
fn a_change_with_a_bad_body_is_refused_and_changes_nothing() {
    let server = Server::of("none");
    let path = format!("/api/v1/users/{}", server.add_user("bob@example.com"));
    let before = server.get(&path).send().body;
    for body in NO_OBJECTS {
        let answer = server.put(&path).body("application/json", body).send();
        answer.assert_error(400, WRONG_FORMAT);
    }
    for media_type in NO_JSON_TYPES {
        let answer = server.put(&path).body(media_type, r#"{"first_name":"Bob"}"#).send();
        answer.assert_error(400, WRONG_FORMAT);
    }
    server.put(&path).send().assert_error(400, WRONG_FORMAT);
    for body in [json!({ "first_name": 1 }), json!({ "first_name": "Bob", "last_name": ["x"] })] {
        assert_eq!(server.put(&path).json(&body).send().status, 400, "{body}");
    }
    assert_eq!(server.get(&path).send().body, before);
}

#[test]
fn a_change_to_nobody_is_404_whatever_the_body_is() {
    for kind in ["none", "basic_auth", "session_db_auth"] {
        let server = Server::of(kind);
        for id in [NOBODY, "0", "me", "nobody"] {
            let put = || server.by_admin(server.put(&format!("/api/v1/users/{id}")));
            put().json(&json!({ "first_name": "Bob" })).send().assert_error(404, "Not found");
            put().json(&json!({})).send().assert_error(404, "Not found");
            put().body("application/json", "[").send().assert_error(404, "Not found");
            put().body("text/plain", "x").send().assert_error(404, "Not found");
            put().send().assert_error(404, "Not found");
        }
    }
}

#[test]
fn me_cannot_be_changed_or_deleted_under_that_name() {
    for kind in KNOWING_KINDS {
        let server = Server::of(kind);
        let me = || server.by_admin(server.get("/api/v1/users/me")).send().body;
        let before = me();
        let put = server.by_admin(server.put("/api/v1/users/me"));
        put.json(&json!({ "first_name": "Bob" })).send().assert_error(404, "Not found");
        let delete = server.by_admin(server.delete("/api/v1/users/me"));
        delete.send().assert_error(404, "Not found");
        assert_eq!(me(), before, "{kind}");
    }
}

#[test]
fn a_user_is_deleted_once() {
    for kind in ["none", "basic_auth", "session_db_auth"] {
        let server = Server::of(kind);
        let path = format!("/api/v1/users/{}", server.add_user("bob@example.com"));
        let delete = || server.by_admin(server.delete(&path)).send();
        delete().assert_is(200, "{}");
        delete().assert_error(404, "Not found");
        server.by_admin(server.get(&path)).send().assert_error(404, "Not found");
        let put = server.by_admin(server.put(&path)).json(&json!({ "first_name": "Bob" }));
        put.send().assert_error(404, "Not found");
        let stats = server.by_admin(server.get("/api/v1/stats")).send();
        stats.assert_is(200, r#"{"users":1}"#);
    }
}

#[test]
fn a_body_with_a_deletion_is_ignored() {
    let server = Server::of("none");
    let path = format!("/api/v1/users/{}", server.add_user("bob@example.com"));
    server.delete(&path).body("application/json", "[").send().assert_is(200, "{}");
}

#[test]
fn nobody_is_deleted_under_an_id_that_nobody_has() {
    let server = Server::of("none");
    for id in [NOBODY, "0", "me", "*", "admin@example.com"] {
        server.delete(&format!("/api/v1/users/{id}")).send().assert_error(404, "Not found");
    }
    server.get("/api/v1/stats").send().assert_is(200, r#"{"users":1}"#);
}

#[test]
fn a_deleted_address_is_free_again_for_somebody_else() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let first = server.add_user("bob@example.com");
        let session = server.log_in("bob@example.com", PASSWORD);
        let delete = server.by_admin(server.delete(&format!("/api/v1/users/{first}")));
        delete.send().assert_is(200, "{}");
        let second = server.add_user("bob@example.com");
        assert_ne!(first, second);
        let me = server.get("/api/v1/users/me").session(&session).send();
        me.assert_error(403, "Forbidden");
        server.log_in("bob@example.com", PASSWORD);
    }
}
