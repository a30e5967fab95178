//! What programs may not do as often as they like.

use std::time::Duration;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, Connection, InProcess, NO_SESSION, Program};

fn is_turned_away(answer: &Answer) -> bool {
    if answer.status != 429 {
        return false;
    }
    answer.assert_error(429, "Too many attempts, try again later");
    assert!(answer.header("retry-after").unwrap().parse::<u32>().unwrap() >= 1);
    true
}

/// Whoever tries one password on many addresses runs dry; whoever is there already goes on.
pub fn passwords_cannot_be_tried_without_end() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let attempt = |n: usize| {
        let email = format!("user{n}@example.com");
        server.login(&[("email", &email), ("password", ADMIN_PASSWORD)]).send()
    };
    let tried = (0..1000).take_while(|n| !is_turned_away(&attempt(*n))).count();
    // The budget of a network: docs/CONTROLS.md#guessing.
    assert_eq!(tried, 8 * 12);
    assert!(is_turned_away(&server.login(&[("email", ADMIN), ("password", "x")]).send()));
    assert_eq!(server.get("/api/v1/users/me").session(&admin).send().status, 200);
    server.advance(Duration::from_mins(1));
    assert_eq!(attempt(0).status, 401, "and later on he may go on, slowly");
}

pub fn session_ids_cannot_be_tried_without_end() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let attempt = || server.get("/api/v1/users/me").session(NO_SESSION).send();
    let tried = (0..1000).take_while(|_| !is_turned_away(&attempt())).count();
    assert_eq!(tried, 120);
    assert_eq!(server.get("/api/v1/users/me").session(&admin).send().status, 200);
}

/// Hashing is the one thing that costs: more of it than the queue holds is 503 at once, and what
/// costs nothing goes on.
pub fn hashing_cannot_be_asked_for_without_end() {
    let program = Program::of("session_db_auth").unset("UNSAFE_FAST_HASH").set("BCRYPT_COST", "10");
    let server = program.set("HASH_LANES", "1").set("HASH_QUEUE", "1").start();
    let attempt = |n: usize| {
        let email = format!("user{n}@example.com");
        server.login(&[("email", &email), ("password", "wrong one 1")]).start()
    };
    let attempts: Vec<Connection> = (0..12).map(attempt).collect();
    assert_eq!(server.get("/api/v1/status").send().status, 200);
    let statuses: Vec<u16> = attempts.into_iter().map(|a| a.finish().status).collect();
    assert!(statuses.iter().all(|status| matches!(status, 401 | 503)), "{statuses:?}");
    assert!(statuses.contains(&503) && statuses.contains(&401), "{statuses:?}");
}
