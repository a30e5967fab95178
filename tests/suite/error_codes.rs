//! What a program tells failures apart by: the member `code` beside the text.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use sessiond::error::{Code, Error};
use sessiond::models::Role;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, InProcess, NOBODY, PASSWORD, Program, Request, Server,
};

const LOGIN: &str = "/api/v1/auth_session/login";
const ME: &str = "/api/v1/users/me";
const OWN_PASSWORD: &str = "/api/v1/users/me/password";
const BOB: &str = "bob@example.com";

/// The codes that no request of these tests can bring about: each with the test that holds it.
const ELSEWHERE: &[Code] = &[
    Code::SessionTaken,  // two sessions with one hash
    Code::BackupRunning, // `backups`
    Code::InternalError, // `panics`
    Code::Busy,          // `busy`
    Code::NotReady,      // `readiness`
    Code::Unavailable,   // `busy`, and the unit test of `error`
];

#[test]
fn every_code_is_there_and_belongs_to_its_failure() {
    let mut seen = BTreeSet::new();
    let mut check = |answers: Vec<(Code, u16, Answer)>| {
        for (code, status, answer) in answers {
            let body = answer.json();
            assert_eq!((answer.status, &body["code"]), (status, &json!(code.name())), "{body}");
            seen.insert(code.name());
        }
    };
    check(of_bodies());
    check(of_the_guard());
    check(of_accounts());
    check(of_proofs());
    check(of_limits());
    let all: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    seen.extend(ELSEWHERE.iter().map(|code| code.name()));
    assert_eq!(seen, all);
}

/// What is wrong with a body, a query or a header.
fn of_bodies() -> Vec<(Code, u16, Answer)> {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let login = || server.post(LOGIN);
    let create = |password: &str| {
        let body = json!({ "email": BOB, "password": password });
        server.post("/api/v1/users").session(&admin).json(&body).send()
    };
    let change = |body: serde_json::Value| server.put(OWN_PASSWORD).session(&admin).json(&body);
    let twice = format!("_my_session_id={admin}; _my_session_id={admin}");
    vec![
        (Code::InvalidValue, 400, server.get("/api/v1/users?limit=0").session(&admin).send()),
        (Code::WrongFormat, 400, login().body("application/json", "[]").send()),
        (Code::SentTwice, 400, server.get(ME).cookie(&twice).send()),
        (Code::SentTwice, 400, login().form(&[("email", ADMIN), ("email", ADMIN)]).send()),
        (Code::PathNotCanonical, 400, server.get("/api//v1").send()),
        (Code::EmailMissing, 400, login().send()),
        (Code::PasswordMissing, 400, login().form(&[("email", ADMIN)]).send()),
        (Code::CurrentPasswordMissing, 400, change(json!({})).send()),
        (Code::NewPasswordMissing, 400, change(json!({ "current_password": "x" })).send()),
        (
            Code::PasswordUnchanged,
            400,
            change(json!({ "current_password": "x", "new_password": "x" })).send(),
        ),
        (Code::PasswordTooShort, 400, create("x")),
        (Code::PasswordTooLong, 400, create(&"x".repeat(257))),
        (Code::PasswordTooCommon, 400, create("password1")),
        (Code::PasswordGuessable, 400, create("bob@example.com1")),
        (
            Code::EmailInvalid,
            400,
            server
                .post("/api/v1/users")
                .session(&admin)
                .json(&json!({ "email": "bob", "password": PASSWORD }))
                .send(),
        ),
        (Code::UnsupportedMediaType, 415, login().body("text/plain", "x").send()),
        (Code::BodyTooLarge, 413, login().body("application/json", vec![b' '; 100_000]).send()),
    ]
}

/// What the guard and the router refuse.
fn of_the_guard() -> Vec<(Code, u16, Answer)> {
    let server = Server::of("session_db_auth");
    server.add_user(BOB);
    let (admin, bob) = (server.admin(), server.log_in(BOB, PASSWORD));
    let strict = Program::of("session_db_auth").set("INVALID_STATUS", "401").start();
    let foreign = |request: Request| request.header("Origin", "https://evil.example").send();
    vec![
        (Code::SessionRequired, 401, server.get(ME).send()),
        (Code::SessionRequired, 401, server.get("/api/v1/unauthorized").send()),
        (Code::SessionInvalid, 403, server.get(ME).cookie("_my_session_id=junk").send()),
        (Code::SessionInvalid, 403, server.get(ME).header("Authorization", "Test").send()),
        (Code::SessionInvalid, 401, strict.get(ME).cookie("_my_session_id=junk").send()),
        (Code::Forbidden, 403, server.get("/api/v1/users").session(&bob).send()),
        (Code::Forbidden, 403, server.get("/api/v1/forbidden").send()),
        (Code::CrossSite, 403, foreign(server.delete("/api/v1/sessions").session(&admin))),
        (Code::CredentialsContradict, 400, server.get(ME).session(&admin).bearer(&bob).send()),
        (Code::NotFound, 404, server.get("/api/v1/nope").session(&admin).send()),
        (Code::NotFound, 404, server.get("/nope").send()),
        (Code::MethodNotAllowed, 405, server.get(LOGIN).send()),
        (Code::SessionsUnsupported, 400, Server::of("basic_auth").post(LOGIN).send()),
    ]
}

/// What contradicts what is stored, and logins that fail.
fn of_accounts() -> Vec<(Code, u16, Answer)> {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let detailed = Program::of("session_db_auth").set("LOGIN_ERRORS", "detailed").start();
    let hasty = Program::of("session_db_auth").set("LOGIN_ATTEMPTS", "1").start();
    let wrong = [("email", ADMIN), ("password", "wrong")];
    let id = server.get(ME).session(&admin).send().json()["id"].as_str().unwrap().to_owned();
    let again = json!({ "email": ADMIN, "password": PASSWORD });
    let user = format!("/api/v1/users/{id}");
    assert_eq!(hasty.login(&wrong).send().status, 401);
    vec![
        (Code::LoginFailed, 401, server.login(&wrong).send()),
        (Code::LoginFailed, 401, server.login(&[("email", BOB), ("password", "wrong")]).send()),
        (Code::WrongPassword, 401, detailed.login(&wrong).send()),
        (Code::UserUnknown, 404, detailed.login(&[("email", BOB), ("password", "x")]).send()),
        (Code::Throttled, 429, hasty.login(&wrong).send()),
        (Code::EmailTaken, 409, server.post("/api/v1/users").session(&admin).json(&again).send()),
        (Code::LastAdmin, 409, server.delete(&user).session(&admin).send()),
        (
            Code::NotFound,
            404,
            server.get(&format!("/api/v1/users/{NOBODY}")).session(&admin).send(),
        ),
    ]
}

/// What needs another proof of who is speaking.
fn of_proofs() -> Vec<(Code, u16, Answer)> {
    let server = InProcess::with(&[]);
    let bob = server.add_user(BOB, Role::User);
    let admin = server.admin();
    let must = json!({ "new_password": "another one 7" });
    let path = format!("/api/v1/users/{}/password", bob.id);
    assert_eq!(server.put(&path).session(&admin).json(&must).send().status, 200);
    let bob = server.log_in(BOB, "another one 7");
    let wrong = [("password", "wrong")];
    let reauth = server.post("/api/v1/auth_session/reauth").session(&admin).form(&wrong).send();
    server.advance(Duration::from_secs(901));
    let end_all = || server.delete("/api/v1/users/me/sessions").session(&admin);
    vec![
        (Code::PasswordChangeRequired, 403, server.get(ME).session(&bob).send()),
        (Code::WrongPassword, 401, reauth),
        (Code::FreshLoginRequired, 403, end_all().send()),
        (Code::WrongPassword, 403, end_all().form(&[("current_password", "wrong")]).send()),
    ]
}

/// What is too large, and what takes too long.
fn of_limits() -> Vec<(Code, u16, Answer)> {
    let server = Program::of("session_db_auth").set("BODY_TIMEOUT", "1").start();
    let mut slow = server.connect();
    slow.write(format!(
        "POST {LOGIN} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 20\r\n\r\n",
        server.address
    ));
    let long = format!("/api/v1/status?{}", "x".repeat(9_000));
    vec![
        (Code::UriTooLong, 414, server.get(&long).send()),
        (
            Code::HeaderTooLarge,
            431,
            server.get("/api/v1/status").header("X-Long", &"x".repeat(17_000)).send(),
        ),
        (Code::BodyTimeout, 408, slow.finish()),
    ]
}

#[test]
fn names_are_what_programs_write_and_no_two_are_alike() {
    let names: BTreeSet<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(names.len(), Code::ALL.len());
    for name in names {
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
    }
    assert!(matches!(Error::Busy.code(), Code::Busy));
}

#[test]
fn a_failed_login_has_one_code_whatever_the_reason() {
    let server = Server::of("session_db_auth");
    let id = server.add_user(BOB);
    let disable = json!({ "disabled": true });
    let path = format!("/api/v1/users/{id}");
    assert_eq!(server.by_admin(server.put(&path)).json(&disable).send().status, 200);
    for (email, password) in [(ADMIN, "wrong"), ("nobody@example.com", "x"), (BOB, PASSWORD)] {
        let answer = server.login(&[("email", email), ("password", password)]).send();
        answer.assert_refused(401, "wrong email or password", "login_failed");
    }
    assert_eq!(server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send().status, 200);
}
