//! More work than there is room for.

use crate::harness::{Answer, Client, Connection, PASSWORD, Program};

/// Logins that are sent all at once.
fn flood(server: &Client, number: usize) -> Vec<Connection> {
    let login = |n| server.login(&[("email", &format!("{n}@example.com")), ("password", PASSWORD)]);
    (0..number).map(|n| login(n).start()).collect()
}

pub fn floods_are_bounded() {
    let program = Program::of("session_db_auth").set("LOGIN_THROTTLE", "off");
    let program = program.set("HASH_LANES", "1").set("HASH_QUEUE", "1");
    let server = program.start();
    let admin = server.admin();
    let (program, ..) = server.stop();
    let server = program.set("UNSAFE_FAST_HASH", "0").set("BCRYPT_COST", "12").start();
    let flood = flood(&server, 12);
    // While the lane is busy with one and another waits.
    for _ in 0..5 {
        server.get("/api/v1/status").send().assert_is(200, r#"{"status":"OK"}"#);
        assert_eq!(server.get("/api/v1/users/me").session(&admin).send().status, 200);
    }
    let answers: Vec<Answer> = flood.into_iter().map(Connection::finish).collect();
    let (busy, done): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 503);
    assert!(!busy.is_empty() && !done.is_empty(), "{answers:?}");
    for answer in busy {
        answer.assert_error(503, "Busy, try again");
        assert_eq!(answer.header("retry-after"), Some("1"));
    }
    assert!(done.iter().all(|answer| answer.status == 401), "{answers:?}");
    server.admin();
}

pub fn bodies_are_bounded() {
    let server = Program::of("session_db_auth").set("BODY_TIMEOUT", "1").start();
    let large = "x".repeat(65_537);
    let large = server.post("/api/v1/auth_session/login").body("application/json", large).send();
    large.assert_error(413, "body must have at most 65536 bytes");
    let mut slow = server.connect();
    slow.write(format!(
        "POST /api/v1/auth_session/login HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n\
         Content-Length: 100\r\n\r\n{{",
        server.address
    ));
    assert_eq!(slow.answer().unwrap().status, 408);
}
