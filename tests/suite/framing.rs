//! Where one request ends and the next begins, and requests about which two readers could
//! disagree.

use crate::harness::{ADMIN, ADMIN_PASSWORD, Connection, Server};

fn connection(server: &Server, text: &str) -> Connection {
    let mut connection = server.connect();
    connection.write(text.replace("HOST", &server.address.to_string()));
    connection
}

const STATUS: &str = "GET /api/v1/status HTTP/1.1\r\nHost: HOST\r\n\r\n";

#[test]
fn requests_on_one_connection_are_answered_in_their_order() {
    let server = Server::of("session_db_auth");
    let unauthorized = STATUS.replace("status", "users");
    let mut connection = connection(&server, &[STATUS, &unauthorized, STATUS].concat());
    let statuses = [(); 3].map(|()| connection.answer().unwrap().status);
    assert_eq!(statuses, [200, 401, 200]);
    connection.end();
    assert_eq!(connection.rest(), b"");
}

#[test]
fn one_request_on_a_connection_leaves_nothing_to_the_next() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let me = "GET /api/v1/users/me HTTP/1.1\r\nHost: HOST\r\n";
    let with = format!("{me}Cookie: _my_session_id={admin}\r\n\r\n");
    let mut connection = connection(&server, &format!("{with}{me}\r\n{with}"));
    let statuses = [(); 3].map(|()| connection.answer().unwrap().status);
    assert_eq!(statuses, [200, 401, 200]);
}

#[test]
fn the_body_of_a_refused_request_is_never_a_request() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    // What must not be carried out: it would end the admin's session.
    let hidden = format!(
        "DELETE /api/v1/auth_session/logout HTTP/1.1\r\nHost: HOST\r\n\
         Cookie: _my_session_id={admin}\r\nX: ",
    );
    let hidden =
        hidden.replace("HOST", &server.address.to_string()) + &"x".repeat(70_000) + "\r\n\r\n";
    let length = hidden.len();
    for (line, headers) in [
        ("POST /api/v1/users", ""),
        ("POST /api/v1/users", "Cookie: _my_session_id=junk\r\n"),
        ("POST /api/v1//users", ""),
        ("PUT /nothing", ""),
        ("PATCH /api/v1/auth_session/login", ""),
        ("GET /api/v1/status", ""),
        ("POST /api/v1/auth_session/login", "Content-Type: application/json\r\n"),
        ("POST /api/v1/auth_session/login", "Content-Type: text/plain\r\n"),
        ("OPTIONS /api/v1/users", "Origin: https://x.example\r\n"),
    ] {
        let head =
            format!("{line} HTTP/1.1\r\nHost: HOST\r\n{headers}Content-Length: {length}\r\n\r\n");
        let mut connection = connection(&server, &head);
        connection.write(&hidden);
        let first = connection.answer().unwrap();
        connection.write(STATUS.replace("HOST", &server.address.to_string()));
        // Either the next request is answered as what it is, or the connection is at its end.
        if let Some(next) = connection.answer() {
            assert_eq!((next.status, next.body.as_str()), (200, r#"{"status":"OK"}"#), "{line}");
        }
        let alive = server.get("/api/v1/users/me").session(&admin).send().status;
        assert_eq!(alive, 200, "{line} {} was followed by what its body hides", first.status);
    }
}

#[test]
fn a_small_body_that_nobody_reads_is_skipped() {
    let server = Server::of("session_db_auth");
    let status = STATUS.replace("HOST", &server.address.to_string());
    let length = status.len();
    for line in ["POST /api/v1/users", "GET /api/v1/status", "POST /nothing"] {
        let head = format!("{line} HTTP/1.1\r\nHost: HOST\r\nContent-Length: {length}\r\n\r\n");
        let mut connection = connection(&server, &format!("{head}{status}{status}"));
        connection.answer().unwrap();
        if let Some(next) = connection.answer() {
            assert_eq!(next.status, 200, "{line}");
            connection.end();
            assert_eq!(connection.rest(), b"", "{line}: its body was answered too");
        }
    }
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    let server = Server::of("session_db_auth");
    let login = "POST /api/v1/auth_session/login HTTP/1.1\r\n";
    for (what, text) in [
        (
            "length and chunks",
            format!(
                "{login}Host: HOST\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
        ),
        (
            "chunks and length",
            format!(
                "{login}Host: HOST\r\nTransfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n"
            ),
        ),
        (
            "two lengths",
            format!("{login}Host: HOST\r\nContent-Length: 0\r\nContent-Length: 4\r\n\r\nabcd"),
        ),
        ("a list of lengths", format!("{login}Host: HOST\r\nContent-Length: 0, 4\r\n\r\nabcd")),
        ("a signed length", format!("{login}Host: HOST\r\nContent-Length: +4\r\n\r\nabcd")),
        ("a length below zero", format!("{login}Host: HOST\r\nContent-Length: -1\r\n\r\n")),
        ("a length in hex", format!("{login}Host: HOST\r\nContent-Length: 0x4\r\n\r\nabcd")),
        (
            "another encoding",
            format!("{login}Host: HOST\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        ),
        (
            "chunked twice",
            format!(
                "{login}Host: HOST\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
            ),
        ),
        (
            "chunked not last",
            format!("{login}Host: HOST\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        ),
        (
            "a space before the colon",
            format!("{login}Host: HOST\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        ),
        ("a folded line", format!("{login}Host: HOST\r\nContent-Length:\r\n 4\r\n\r\nabcd")),
        ("two hosts", "GET /api/v1/status HTTP/1.1\r\nHost: HOST\r\nHost: other\r\n\r\n".into()),
        ("no host", "GET /api/v1/status HTTP/1.1\r\n\r\n".into()),
        ("a NUL in a value", "GET /api/v1/status HTTP/1.1\r\nHost: HOST\r\nX: a\0b\r\n\r\n".into()),
        ("a bare CR", "GET /api/v1/status HTTP/1.1\r\nHost: HOST\r\nX: a\rY: b\r\n\r\n".into()),
        ("another protocol", "GET /api/v1/status HTTP/3.7\r\nHost: HOST\r\n\r\n".into()),
        ("no protocol", "GET /api/v1/status\r\nHost: HOST\r\n\r\n".into()),
        ("no request", "\u{16}\u{3}\u{1}\u{0}\u{5}hello\r\n\r\n".into()),
    ] {
        // A request behind it must not be answered.
        let mut connection = connection(&server, &format!("{text}{STATUS}"));
        let answer = connection.answer().unwrap_or_else(|| panic!("{what}: no answer"));
        assert!(matches!(answer.status, 400 | 505), "{what}: {answer:?}");
        assert_eq!(connection.rest(), b"", "{what}");
    }
    assert_eq!(server.get("/api/v1/status").send().status, 200);
}

#[test]
fn a_body_in_chunks_is_put_together() {
    let server = Server::of("session_db_auth");
    let body = format!("email={ADMIN}&password={}", ADMIN_PASSWORD.replace(' ', "+"));
    let (first, second) = body.split_at(9);
    let head = "POST /api/v1/auth_session/login HTTP/1.1\r\nHost: HOST\r\nTransfer-Encoding: chunked\r\n\
                Content-Type: application/x-www-form-urlencoded\r\n\r\n";
    let chunks = format!("9\r\n{first}\r\n{:X}\r\n{second}\r\n0\r\n\r\n", second.len());
    let mut connection = connection(&server, &format!("{head}{chunks}{STATUS}"));
    let statuses = [(); 2].map(|()| connection.answer().unwrap().status);
    assert_eq!(statuses, [200, 200]);
}
