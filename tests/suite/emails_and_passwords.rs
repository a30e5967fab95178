//! What an e-mail address and a password may be.

use std::fs;

use serde_json::json;

use crate::harness::{ADMIN, Answer, PASSWORD, Server};

fn create(server: &Server, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    server.by_admin(server.post("/api/v1/users")).json(&body).send()
}

#[test]
fn what_is_no_plain_address_is_400() {
    let server = Server::of("session_db_auth");
    let long = format!("{}@example.com", "a".repeat(260));
    for email in [
        "bob",
        "@example.com",
        "bob@",
        "a@b@c.example",
        " bob@example.com",
        "bob@example.com ",
        "bob@example.com\n",
        "bob\0@example.com",
        "bob@ex\u{e4}mple.com",
        "bob\u{200b}@example.com",
        "a:b@example.com",
        "\"bob\"@example.com",
        "Bob <bob@example.com>",
        &long,
    ] {
        let says = "email must be an address like name@example.com, in ASCII letters";
        create(&server, email, PASSWORD).assert_error(400, &format!("Can't create User: {says}"));
    }
    assert_eq!(server.by_admin(server.get("/api/v1/stats")).send().body, r#"{"users":1}"#);
}

#[test]
fn an_address_is_kept_as_written_and_compared_without_case() {
    let server = Server::of("session_db_auth");
    let made = create(&server, "Bob@Example.COM", PASSWORD);
    assert_eq!((made.status, made.json()["email"].as_str()), (201, Some("Bob@Example.COM")));
    for email in ["bob@example.com", "BOB@EXAMPLE.COM", "Bob@Example.COM"] {
        let taken = "Can't create User: email is already taken";
        create(&server, email, PASSWORD).assert_error(409, taken);
        server.log_in(email, PASSWORD);
    }
    let server = server.kill().start();
    create(&server, "bOB@example.com", PASSWORD)
        .assert_error(409, "Can't create User: email is already taken");
}

#[test]
fn one_of_many_who_want_an_address_at_once_gets_it() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let attempts: Vec<_> = (0..8)
        .map(|n| {
            let email = if n % 2 == 0 { "bob@example.com" } else { "BOB@example.com" };
            let body = json!({ "email": email, "password": PASSWORD });
            server.post("/api/v1/users").session(&admin).json(&body).start()
        })
        .collect();
    let mut statuses: Vec<u16> = attempts.into_iter().map(|a| a.finish().status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
    assert_eq!(server.get("/api/v1/stats").session(&admin).send().body, r#"{"users":2}"#);
}

#[test]
fn a_password_that_breaks_a_rule_is_400_and_leaves_no_user() {
    let server = Server::of("session_db_auth");
    for (password, says) in [
        ("seven77", "password must have at least 8 characters"),
        ("\u{1f600}\u{1f600}\u{1f600}", "password must have at least 8 characters"),
        (&"x".repeat(257), "password must have at most 256 bytes in UTF-8"),
        (&"\u{e4}".repeat(129), "password must have at most 256 bytes in UTF-8"),
        ("password1", "password is one of the most common ones, choose another"),
        ("PASSWORD1", "password is one of the most common ones, choose another"),
        ("12345678", "password is one of the most common ones, choose another"),
    ] {
        let says = format!("Can't create User: {says}");
        create(&server, "bob@example.com", password).assert_error(400, &says);
    }
    assert_eq!(server.by_admin(server.get("/api/v1/stats")).send().body, r#"{"users":1}"#);
    assert_eq!(create(&server, "bob@example.com", PASSWORD).status, 201);
}

#[test]
fn members_of_another_type_are_400() {
    let server = Server::of("session_db_auth");
    for (body, says) in [
        (json!({ "email": 1, "password": PASSWORD }), "email must be a string"),
        (json!({ "email": ["a@b.c"], "password": PASSWORD }), "email must be a string"),
        (json!({ "email": "a@b.c", "password": 12_345_678 }), "password must be a string"),
        (json!({ "email": "a@b.c", "password": {} }), "password must be a string"),
        (
            json!({ "email": "a@b.c", "password": PASSWORD, "first_name": 1 }),
            "first_name must be a string",
        ),
        (
            json!({ "email": "a@b.c", "password": PASSWORD, "last_name": [] }),
            "last_name must be a string",
        ),
    ] {
        let answer = server.by_admin(server.post("/api/v1/users")).json(&body).send();
        answer.assert_error(400, &format!("Can't create User: {says}"));
    }
    assert_eq!(server.by_admin(server.get("/api/v1/stats")).send().body, r#"{"users":1}"#);
}

#[test]
fn a_password_counts_byte_for_byte_and_to_its_last_byte() {
    let server = Server::of("session_db_auth");
    let passwords = [
        "eight 88".to_owned(),
        "x".repeat(71),
        "x".repeat(72),
        "x".repeat(73),
        "x".repeat(256),
        "\u{e4}".repeat(128),
        "  padded  ".to_owned(),
        "with\0a NUL".to_owned(),
        "tab\tand\nline".to_owned(),
        "p\u{e4}ssw\u{f6}rt".to_owned(),
        "pa\u{308}sswo\u{308}rt".to_owned(),
    ];
    for (n, password) in passwords.iter().enumerate() {
        let email = format!("user{n}@example.com");
        assert_eq!(create(&server, &email, password).status, 201, "{password:?}");
        server.log_in(&email, password);
        let mut cut = password.clone();
        cut.pop();
        for wrong in [
            cut,
            format!("{password}x"),
            format!("{password}\0"),
            format!("{password}\0{password}"),
            password.trim().to_owned() + if password.trim() == password { " " } else { "" },
            password.to_uppercase() + if password.to_uppercase() == *password { "!" } else { "" },
            password.split('\0').next().unwrap().to_owned()
                + if password.contains('\0') { "" } else { "\0" },
        ] {
            let answer = server.login(&[("email", &email), ("password", &wrong)]).send();
            assert_eq!(answer.status, 401, "{password:?} is not {wrong:?}");
        }
    }
}

#[test]
fn every_password_is_hashed_with_a_salt_of_its_own() {
    let server = Server::of("session_db_auth");
    let ids = ["a@example.com", "b@example.com"].map(|email| server.add_user(email));
    let (program, ..) = server.stop();
    let stored = fs::read_to_string(program.data().join("User.json")).unwrap();
    let stored: serde_json::Value = serde_json::from_str(&stored).unwrap();
    let hashes = ids.map(|id| stored[&id]["password_hash"].as_str().unwrap().to_owned());
    assert!(hashes.iter().all(|hash| hash.starts_with("$2b$04$")) && hashes[0] != hashes[1]);
    assert!(!stored.to_string().contains(PASSWORD) && stored.to_string().contains(ADMIN));
}
