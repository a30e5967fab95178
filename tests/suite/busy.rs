//! What cannot be done now is 503 with Retry-After, never 401 or 403.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;
use sessiond::app::World;
use sessiond::random::{Random, SystemRandom};

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, Fate, InProcess, Program};

#[track_caller]
fn assert_unavailable(answer: &Answer, text: &str, code: &str) {
    answer.assert_refused(503, text, code);
    assert_eq!(answer.header("retry-after"), Some("1"));
    assert_eq!(answer.header("set-cookie"), None);
}

#[test]
fn a_full_hashing_queue_is_503_for_login_basic_and_new_users() {
    for kind in ["session_db_auth", "basic_auth"] {
        let program = Program::of(kind).unset("UNSAFE_FAST_HASH").set("BCRYPT_COST", "12");
        let server = program.set("HASH_LANES", "1").set("HASH_QUEUE", "1").start();
        let attempts: Vec<_> = (0..8)
            .map(|n| {
                // Different ones, since requests with one new credential share a verification.
                let email = format!("{n}@example.com");
                if kind == "basic_auth" {
                    server.get("/api/v1/users/me").basic(&email, ADMIN_PASSWORD).start()
                } else {
                    server.login(&[("email", &email), ("password", ADMIN_PASSWORD)]).start()
                }
            })
            .collect();
        let answers: Vec<Answer> =
            attempts.into_iter().map(crate::harness::Connection::finish).collect();
        let refused = if kind == "basic_auth" { 403 } else { 401 };
        let (busy, done): (Vec<_>, Vec<_>) = answers.iter().partition(|a| a.status == 503);
        assert!(!busy.is_empty() && !done.is_empty(), "{kind}: {answers:?}");
        for answer in busy {
            assert_unavailable(answer, "Busy, try again", "busy");
        }
        assert!(done.iter().all(|answer| answer.status == refused), "{kind}: {answers:?}");
        // What does not hash goes on meanwhile and afterwards.
        assert_eq!(server.get("/api/v1/status").send().status, 200);
        let good = if kind == "basic_auth" {
            server.get("/api/v1/users/me").basic(ADMIN, ADMIN_PASSWORD)
        } else {
            server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)])
        };
        assert_eq!(good.send().status, 200, "{kind}");
    }
}

/// A server on a disk that fails with these files when it is told to.
fn on_failing(names: &'static str) -> (Arc<AtomicBool>, InProcess) {
    let broken = Arc::new(AtomicBool::new(false));
    let fails = Arc::clone(&broken);
    let server = InProcess::on_disk(move |operation| {
        let (what, name) = operation.split_once(' ').unwrap();
        let is_write = ["open", "create", "write", "sync"].contains(&what);
        if fails.load(Ordering::SeqCst) && is_write && name.starts_with(names) {
            Fate::Torn
        } else {
            Fate::Done
        }
    });
    (broken, server)
}

#[test]
fn a_store_that_cannot_write_is_503_and_nothing_has_changed() {
    let (broken, server) = on_failing("");
    let admin = server.admin();
    let users = || server.get("/api/v1/users").session(&admin).send();
    let id = users().json()[0]["id"].as_str().unwrap().to_owned();
    let before = users().body;
    let path = format!("/api/v1/users/{id}");
    let new_user = json!({ "email": "bob@example.com", "password": "battery staple 2" });
    let requests = || {
        [
            (server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]), 200),
            (server.post("/api/v1/users").session(&admin).json(&new_user), 201),
            (server.put(&path).session(&admin).json(&json!({ "first_name": "Ann" })), 200),
            (server.delete("/api/v1/auth_session/logout").session(&admin), 200),
        ]
    };
    broken.store(true, Ordering::SeqCst);
    for (request, _) in requests() {
        let answer = request.send();
        assert_unavailable(&answer, "Service unavailable", "unavailable");
        assert!(!answer.body.contains("injected"));
        // What only reads goes on, and sees no trace of what was refused.
        assert_eq!((users().status, users().body.as_str()), (200, before.as_str()));
    }
    broken.store(false, Ordering::SeqCst);
    for (request, status) in requests() {
        assert_eq!(request.send().status, status, "it goes on without a restart");
    }
    assert_eq!(users().status, 403, "and the logout that worked has ended the session");
}

#[test]
fn a_password_is_changed_also_when_its_session_can_get_no_new_id() {
    let (broken, server) = on_failing("UserSession");
    let (old, other) = (server.admin(), server.admin());
    let new = "another one 3";
    let body = json!({ "current_password": ADMIN_PASSWORD, "new_password": new });
    broken.store(true, Ordering::SeqCst);
    let change = server.put("/api/v1/users/me/password").session(&old).json(&body).send();
    assert_eq!((change.status, change.header("set-cookie")), (200, None), "{}", change.body);
    broken.store(false, Ordering::SeqCst);
    for session in [&old, &other] {
        assert_eq!(server.get("/api/v1/users/me").session(session).send().status, 403);
    }
    assert_eq!(server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send().status, 401);
    server.log_in(ADMIN, new);
}

/// Randomness that can run out.
struct Exhausted(Arc<AtomicBool>);

impl Random for Exhausted {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Err(io::Error::other("no randomness"));
        }
        SystemRandom.fill(bytes)
    }
}

#[test]
fn without_randomness_there_is_no_session_rather_than_a_guessable_one() {
    let broken = Arc::new(AtomicBool::new(false));
    let world = World { random: Arc::new(Exhausted(Arc::clone(&broken))), ..World::default() };
    let server = InProcess::in_world(&[], world);
    broken.store(true, Ordering::SeqCst);
    let login = || server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send();
    assert_unavailable(&login(), "Service unavailable", "unavailable");
    broken.store(false, Ordering::SeqCst);
    assert_eq!(login().status, 200);
}

#[test]
fn as_many_logins_as_lanes_and_queue_hold_together_are_never_503() {
    let program = Program::of("session_db_auth").unset("UNSAFE_FAST_HASH").set("BCRYPT_COST", "10");
    let server = program.set("HASH_LANES", "2").set("HASH_QUEUE", "1").start();
    for round in 0..8 {
        let login = || server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).start();
        let three = [login(), login(), login()];
        let statuses = three.map(|login| login.finish().status);
        assert_eq!(statuses, [200; 3], "round {round}");
    }
}
