//! Clients that take their time. The server's limits are what ends the waiting.

use std::sync::mpsc;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Connection, Program, Server};

fn hasty() -> Server {
    let program = Program::of("session_db_auth").set("KEEP_ALIVE", "1");
    program.set("HEAD_TIMEOUT", "1").set("BODY_TIMEOUT", "1").start()
}

fn post(server: &Server, path: &str, more: &str) -> Connection {
    let mut connection = server.connect();
    connection.write(format!(
        "POST {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n{more}\r\n",
        server.address
    ));
    connection
}

#[test]
fn a_head_that_does_not_end_is_408_and_the_connection_closed() {
    let server = hasty();
    for begun in ["GET", "GET /api/v1/status HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let mut connection = server.connect();
        connection.write(begun);
        let rest = String::from_utf8(connection.rest()).unwrap();
        assert!(rest.starts_with("HTTP/1.1 408 "), "{rest:?}");
    }
}

#[test]
fn a_body_that_does_not_come_is_408_in_json_and_the_connection_closed() {
    let server = hasty();
    let admin = server.admin();
    let cookie = format!("Cookie: _my_session_id={admin}\r\n");
    for (path, framing, begun) in [
        ("/api/v1/auth_session/login", "Content-Length: 20\r\n", ""),
        ("/api/v1/auth_session/login", "Content-Length: 20\r\n", "{\"email\":"),
        ("/api/v1/users", "Content-Length: 20\r\n", "{"),
    ] {
        let mut connection = post(&server, path, &format!("{cookie}{framing}"));
        connection.write(begun);
        let answer = connection.answer().unwrap();
        answer.assert_error(408, "Request body took too long");
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(connection.rest(), b"", "{path}");
    }
}

#[test]
fn how_long_is_too_long_is_what_the_settings_say() {
    let patient = Program::of("session_db_auth").set("HEAD_TIMEOUT", "60");
    let patient = patient.set("BODY_TIMEOUT", "60").start();
    let (login, length) = ("/api/v1/auth_session/login", "Content-Length: 2\r\n");
    let mut slow_body = post(&patient, login, length);
    let mut slow_head = patient.connect();
    slow_head.write("GET /api/v1/status HTTP/1.1\r\nHost: x\r\n");
    // These began later, and have already been given up when those go on.
    let hasty = hasty();
    let mut given_up = post(&hasty, login, length);
    let mut head_given_up = hasty.connect();
    head_given_up.write("GET");
    let statuses = [given_up.answer(), head_given_up.answer()].map(|answer| answer.unwrap().status);
    assert_eq!(statuses, [408, 408]);
    slow_body.write("{}");
    slow_head.write("\r\n");
    slow_body.answer().unwrap().assert_error(400, "email missing");
    assert_eq!(slow_head.answer().unwrap().status, 200);
}

#[test]
fn a_chunk_that_does_not_come_is_408_too() {
    let server = hasty();
    let mut connection =
        post(&server, "/api/v1/auth_session/login", "Transfer-Encoding: chunked\r\n");
    connection.write("5\r\n{\"ema");
    let answer = connection.answer().unwrap();
    answer.assert_error(408, "Request body took too long");
    assert_eq!(answer.header("connection"), Some("close"));
    // The framework waits for the rest of such a body; the connection does not.
    connection.write("i");
    assert_eq!(connection.rest(), b"");
}

#[test]
fn a_later_head_that_does_not_end_closes_the_connection() {
    let server = hasty();
    for begun in ["G", "GET /api/v1/status HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let mut connection = server.connect();
        let head = format!("GET /api/v1/status HTTP/1.1\r\nHost: {}\r\n", server.address);
        connection.write(format!("{head}\r\n"));
        assert_eq!(connection.answer().unwrap().status, 200);
        connection.write(begun);
        assert_eq!(connection.rest(), b"", "{begun}");
    }
}

/// Waits about a second by the server's own clock: until it gives up a head that does not end.
fn wait_a_second(server: &Server) {
    let mut connection = server.connect();
    connection.write("G");
    connection.rest();
}

#[test]
fn a_later_head_or_the_rest_of_a_body_that_dribbles_closes_the_connection() {
    let server = hasty();
    let status = format!("GET /api/v1/status HTTP/1.1\r\nHost: {}\r\n", server.address);
    for (framing, dribble) in [("\r\n", "G"), ("Transfer-Encoding: chunked\r\n\r\n", "1\r\nx\r\n")]
    {
        let mut connection = server.connect();
        connection.write(format!("{status}{framing}"));
        assert_eq!(connection.answer().unwrap().status, 200);
        // Two seconds are what it gets (KEEP_ALIVE and HEAD_TIMEOUT), whatever arrives meanwhile.
        for _ in 0..6 {
            wait_a_second(&server);
            connection.write(dribble);
        }
        let (sender, closed) = mpsc::channel();
        std::thread::spawn(move || sender.send(connection.rest()));
        wait_a_second(&server);
        assert_eq!(closed.try_recv().as_deref(), Ok(&b""[..]), "{framing:?}");
    }
}

#[test]
fn a_body_that_is_cut_off_changes_nothing() {
    let server = hasty();
    let admin = server.admin();
    let users = || server.get("/api/v1/stats").session(&admin).send().body;
    let body = r#"{"email":"bob@example.com","password":"battery staple 2"}"#;
    for framing in [
        format!("Content-Length: {}\r\n\r\n{body}", body.len() + 1),
        format!("Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n", body.len()),
    ] {
        let head = format!("Cookie: _my_session_id={admin}\r\n{framing}");
        let mut connection = server.connect();
        connection.write(format!(
            "POST /api/v1/users HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n{head}",
            server.address
        ));
        connection.end();
        connection.rest();
        assert_eq!(users(), r#"{"users":1}"#, "{framing}");
    }
}

#[test]
fn slow_clients_keep_nobody_else_waiting() {
    let server = Program::of("session_db_auth").set("WORKERS", "1").start();
    let slow: Vec<Connection> = (0..50)
        .map(|_| post(&server, "/api/v1/auth_session/login", "Content-Length: 20\r\n"))
        .collect();
    assert_eq!(server.get("/api/v1/status").send().status, 200);
    server.log_in(ADMIN, ADMIN_PASSWORD);
    drop(slow);
}

#[test]
fn an_idle_connection_is_closed_after_the_keep_alive() {
    let server = Program::of("session_db_auth").set("KEEP_ALIVE", "1").start();
    let mut connection = server.connect();
    connection.write(format!("GET /api/v1/status HTTP/1.1\r\nHost: {}\r\n\r\n", server.address));
    assert_eq!(connection.answer().unwrap().status, 200);
    assert_eq!(connection.rest(), b"");
}
