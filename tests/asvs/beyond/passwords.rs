//! How long a password may be, and hashes that others made.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{ADMIN, InProcess, PASSWORD, Server};

pub fn are_bounded() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let create = |email: &str, password: &str| {
        let body = json!({ "email": email, "password": password });
        server.post("/api/v1/users").session(&admin).json(&body).send()
    };
    let login = |email: &str, password: &str| {
        server.login(&[("email", email), ("password", password)]).send().status
    };
    let longest = "a long password ".repeat(16);
    assert_eq!(longest.len(), 256);
    assert_eq!(create("bob@example.com", &longest).status, 201);
    let longer = format!("{longest}x");
    let refused = create("eve@example.com", &longer);
    assert_eq!(refused.status, 400);
    assert!(refused.body.contains("at most 256 bytes"), "{refused:?}");
    assert_eq!(login("bob@example.com", &longest), 200);
    for wrong in [&longest[..255], &longer, &longest.repeat(2), &longest.repeat(50)] {
        assert_eq!(login("bob@example.com", wrong), 401, "{}", wrong.len());
    }
    assert_eq!(login("bob@example.com", &"x".repeat(1 << 20)), 413);
}

/// The HMAC of a long password, or of one with a NUL, is keyed with the salt, as passlib does it.
pub fn hashes_of_passlib_log_in() {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let (mut program, ..) = server.stop();
    let file = program.data().join("User.json");
    let users = fs::read_to_string(&file).unwrap();
    let records: Value = serde_json::from_str(&users).unwrap();
    let bob = records.as_object().unwrap().values().find(|user| user["email"] != ADMIN).unwrap();
    let made_here = bob["password_hash"].as_str().unwrap();
    for (made_by_passlib, password) in [
        (
            "$2b$04$n79VH.0Q2TMWmt3Oqt9ukucXR.qETX0VDJ8OVniC7PKcq0g6fVhD2",
            "correct horse".to_owned(),
        ),
        (
            "$bcrypt-sha256$v=2,t=2b,r=4$n79VH.0Q2TMWmt3Oqt9uku$4ekxwCZsN4Xl3GaUV74TX1Z.FSfT7.y",
            format!("p\u{e4}ssword\0{}", "x".repeat(80)),
        ),
    ] {
        fs::write(&file, users.replace(made_here, made_by_passlib)).unwrap();
        let server = program.start();
        server.log_in("bob@example.com", &password);
        for wrong in [PASSWORD, &password[..password.len() - 1]] {
            let login = server.login(&[("email", "bob@example.com"), ("password", wrong)]).send();
            login.assert_error(401, "wrong email or password");
        }
        (program, ..) = server.stop();
    }
}
