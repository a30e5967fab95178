//! Reading users, and how many there are.

use serde_json::{Value, json};

use crate::harness::{ADMIN, ADMIN_PASSWORD, KNOWING_KINDS, NOBODY, PASSWORD, Server};

/// Holds that this is a user as the wire has him: these members, of these types, and no others.
#[track_caller]
pub fn assert_is_user(user: &Value) {
    let mut members: Vec<&str> = user.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    let expected =
        ["created_at", "disabled", "email", "first_name", "id", "last_name", "role", "updated_at"];
    assert_eq!(members, expected);
    for text in ["created_at", "email", "id", "role", "updated_at"] {
        assert!(user[text].is_string(), "{user}");
    }
    for name in ["first_name", "last_name"] {
        assert!(user[name].is_string() || user[name].is_null(), "{user}");
    }
    assert!(user["disabled"].is_boolean(), "{user}");
    let id = user["id"].as_str().unwrap();
    let shape = |(place, byte): (usize, u8)| match place {
        8 | 13 | 18 | 23 => byte == b'-',
        14 => byte == b'4',
        19 => b"89ab".contains(&byte),
        _ => matches!(byte, b'0'..=b'9' | b'a'..=b'f'),
    };
    assert!(id.len() == 36 && id.bytes().enumerate().all(shape), "no UUID v4 in lower case: {id}");
}

#[test]
fn every_answer_with_a_user_has_exactly_the_members_of_one() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let bob = json!({
        "email": "bob@example.com", "password": PASSWORD, "first_name": "Bob", "last_name": "Dylan"
    });
    let made = server.post("/api/v1/users").session(&admin).json(&bob).send().json();
    let path = format!("/api/v1/users/{}", made["id"].as_str().unwrap());
    let login = server.post("/api/v1/auth_session/login");
    let login = login.form(&[("email", "bob@example.com"), ("password", PASSWORD)]).send();
    let list = server.get("/api/v1/users").session(&admin).send().json();
    for user in [
        made,
        login.json(),
        server.get(&path).session(&admin).send().json(),
        server.put(&path).session(&admin).json(&json!({})).send().json(),
        list[0].clone(),
        list[1].clone(),
        server.get("/api/v1/users/me").session(&admin).send().json(),
    ] {
        assert_is_user(&user);
    }
}

#[test]
fn the_members_of_a_user_say_what_was_stored() {
    let server = Server::of("none");
    let body =
        json!({ "email": "bob@example.com", "password": PASSWORD, "first_name": "Bob \"\u{e9}" });
    let user = server.post("/api/v1/users").json(&body).send().json();
    assert_eq!(user["email"], "bob@example.com");
    assert_eq!((&user["first_name"], &user["last_name"]), (&json!("Bob \"\u{e9}"), &Value::Null));
    assert_eq!((&user["role"], &user["disabled"]), (&json!("user"), &json!(false)));
    assert_eq!(user["created_at"], user["updated_at"]);
    let admin = &server.get("/api/v1/users").send().json()[0];
    assert_eq!((&admin["email"], &admin["role"]), (&json!(ADMIN), &json!("admin")));
}

#[test]
fn the_list_has_all_users_in_creation_order() {
    let server = Server::of("none");
    let mut expected = vec![ADMIN.to_owned()];
    for name in ["zoe", "bob", "yan", "amy", "max", "eve", "kim", "ada"] {
        let email = format!("{name}@example.com");
        server.add_user(&email);
        expected.push(email);
    }
    let emails = |server: &Server| -> Vec<String> {
        let users = server.get("/api/v1/users").send().json();
        let emails = users.as_array().unwrap().iter();
        emails.map(|user| user["email"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(emails(&server), expected);
    // A change or a deletion moves nobody, nor does a restart.
    let users = server.get("/api/v1/users").send().json();
    let path = |index: usize| format!("/api/v1/users/{}", users[index]["id"].as_str().unwrap());
    server.put(&path(2)).json(&json!({ "first_name": "Bob" })).send().json();
    server.delete(&path(4)).send().assert_is(200, "{}");
    expected.remove(4);
    assert_eq!(emails(&server), expected);
    assert_eq!(emails(&server.stop().0.start()), expected);
}

#[test]
fn a_list_without_users_is_an_empty_array() {
    let program = crate::harness::Program::of("none").unset("ADMIN_EMAIL").unset("ADMIN_PASSWORD");
    let server = program.start();
    server.get("/api/v1/users").send().assert_is(200, "[]");
    server.get("/api/v1/stats").send().assert_is(200, r#"{"users":0}"#);
}

#[test]
fn stats_counts_the_users() {
    let server = Server::of("none");
    let stats = || server.get("/api/v1/stats").send();
    stats().assert_is(200, r#"{"users":1}"#);
    let bob = server.add_user("bob@example.com");
    stats().assert_is(200, r#"{"users":2}"#);
    server.put(&format!("/api/v1/users/{bob}")).json(&json!({ "disabled": true })).send().json();
    stats().assert_is(200, r#"{"users":2}"#);
    server.delete(&format!("/api/v1/users/{bob}")).send().assert_is(200, "{}");
    stats().assert_is(200, r#"{"users":1}"#);
}

#[test]
fn stats_are_for_everybody_past_the_gate() {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let bob = server.log_in("bob@example.com", PASSWORD);
    server.get("/api/v1/stats").session(&bob).send().assert_is(200, r#"{"users":2}"#);
}

#[test]
fn a_known_user_is_found_by_his_id() {
    let server = Server::of("none");
    let bob = server.add_user("bob@example.com");
    let user = server.get(&format!("/api/v1/users/{bob}")).send();
    assert_eq!(user.status, 200);
    assert_eq!(user.json()["id"], json!(bob));
    assert_eq!(user.json()["email"], "bob@example.com");
    let list = server.get("/api/v1/users").send().json();
    assert_eq!(list[1], user.json());
}

#[test]
fn an_id_that_nobody_has_is_404() {
    for kind in ["none", "basic_auth", "session_auth"] {
        let server = Server::of(kind);
        let bob = server.add_user("bob@example.com");
        let (plain, braced) = (bob.replace('-', ""), format!("urn:uuid:{bob}"));
        for id in [NOBODY, &bob[1..], &plain, &braced, "0", "bob@example.com", "Me", "meme", "%20"]
        {
            let answer = server.by_admin(server.get(&format!("/api/v1/users/{id}"))).send();
            answer.assert_error(404, "Not found");
        }
        let below = format!("/api/v1/users/{bob}/x");
        server.by_admin(server.get(&below)).send().assert_error(404, "Not found");
    }
}

#[test]
fn me_is_the_current_user() {
    for kind in KNOWING_KINDS {
        let server = Server::of(kind);
        let me = server.by_admin(server.get("/api/v1/users/me")).send();
        assert_eq!((me.status, &me.json()["email"]), (200, &json!(ADMIN)), "{kind}");
        let by_id = format!("/api/v1/users/{}", me.json()["id"].as_str().unwrap());
        assert_eq!(server.by_admin(server.get(&by_id)).send().body, me.body);
    }
}

#[test]
fn without_a_gate_there_is_no_me() {
    let server = Server::of("none");
    let me = || server.get("/api/v1/users/me");
    me().send().assert_error(404, "Not found");
    me().basic(ADMIN, ADMIN_PASSWORD).send().assert_error(404, "Not found");
}
