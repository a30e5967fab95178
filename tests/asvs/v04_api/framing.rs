//! Where a message begins and ends.

use crate::files;
use crate::harness::{ADMIN, Answer, InProcess, NOBODY};
use crate::v03_web_front_end::headers;

const STATUS: &str = "GET /api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n";

/// Each of these is answered once, with a refusal, and the connection ends: the request behind it
/// is never answered.
pub fn what_is_ambiguous_is_refused() {
    let server = InProcess::with(&[]);
    let login = |rest: &str| format!("POST /api/v1/auth_session/login HTTP/1.1\r\n{rest}");
    let chunked = "Transfer-Encoding: chunked\r\n";
    let get = |rest: &str| format!("GET /api/v1/status HTTP/1.1\r\n{rest}\r\n\r\n");
    for text in [
        login(&format!("Host: x\r\nContent-Length: 4\r\n{chunked}\r\n0\r\n\r\n")),
        login(&format!("Host: x\r\n{chunked}Content-Length: 4\r\n\r\n0\r\n\r\n")),
        login(&format!("Host: x\r\n{chunked}{chunked}\r\n0\r\n\r\n")),
        login("Host: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n"),
        login("Host: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"),
        login("Host: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n"),
        login("Host: x\r\nContent-Length: 0\r\nContent-Length: 4\r\n\r\nabcd"),
        login("Host: x\r\nContent-Length: 0, 4\r\n\r\nabcd"),
        login("Host: x\r\nContent-Length: +4\r\n\r\nabcd"),
        login("Host: x\r\nContent-Length: 0x4\r\n\r\nabcd"),
        login("Host: x\r\nContent-Length:\r\n 4\r\n\r\nabcd"),
        get("Host: x\r\nHost: y"),
        get("X: y"),
        get("Host: x\r\nA: b\rC: d"),
        get("Host: x\r\nA: b\0c"),
        "GET /api/v1/status HTTP/1.7\r\nHost: x\r\n\r\n".to_owned(),
        "GET  /api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
    ] {
        let mut connection = server.connect();
        connection.write(format!("{text}{STATUS}"));
        let answer = connection.answer().unwrap_or_else(|| panic!("no answer to {text:?}"));
        assert!(matches!(answer.status, 400 | 505), "{text:?}: {answer:?}");
        assert_eq!(connection.rest(), b"", "{text:?}");
    }
}

/// A request that hides in the body of one that is refused would end the admin's session.
pub fn a_body_is_never_a_request() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let hidden = format!(
        "DELETE /api/v1/auth_session/logout HTTP/1.1\r\nHost: x\r\nCookie: _my_session_id={admin}\r\n\r\n"
    );
    for (line, header) in [
        ("POST /api/v1/users", String::new()),
        ("POST /api/v1//users", String::new()),
        ("GET /api/v1/status", String::new()),
        ("PUT /nothing", String::new()),
        ("POST /api/v1/auth_session/login", "Content-Type: text/plain\r\n".to_owned()),
        ("DELETE /api/v1/sessions", format!("Cookie: _my_session_id={NOBODY}\r\n")),
    ] {
        let length = hidden.len();
        let head =
            format!("{line} HTTP/1.1\r\nHost: x\r\n{header}Content-Length: {length}\r\n\r\n");
        let mut connection = server.connect();
        connection.write(format!("{head}{hidden}{STATUS}"));
        let first = connection.answer().unwrap();
        if let Some(next) = connection.answer() {
            assert_eq!(next.body, r#"{"status":"OK"}"#, "{line} {}", first.status);
        }
        let alive = server.get("/api/v1/users/me").session(&admin).send();
        assert_eq!(alive.json()["email"], ADMIN, "{line}");
    }
}

/// And nothing stands behind it: what HEAD is told is the length that GET would have.
pub fn the_length_is_that_of_the_body() {
    let length = |answer: &Answer| answer.header("content-length").map(|l| l.parse().unwrap());
    for answer in headers::answers() {
        let is_head = answer.body.is_empty();
        assert!(is_head || length(&answer) == Some(answer.body.len()), "{answer:?}");
        assert_eq!(answer.header("transfer-encoding"), None);
    }
    let server = InProcess::with(&[]);
    let admin = server.admin();
    for path in ["/api/v1/users", "/api/v1/status", "/api/v1/nothing", "/nothing"] {
        let get = server.get(path).session(&admin).send();
        let head = server.request("HEAD", path).session(&admin).send();
        assert_eq!((head.body.as_str(), length(&head)), ("", Some(get.body.len())), "{path}");
    }
    let mut connection = server.connect();
    connection.write(format!("{STATUS}{STATUS}"));
    for _ in 0..2 {
        connection.answer().unwrap().assert_is(200, r#"{"status":"OK"}"#);
    }
    connection.end();
    assert_eq!(connection.rest(), b"");
}

/// Neither by its preface nor by an upgrade, and no crate of it is built in.
pub fn http_2_is_not_spoken() {
    assert!(!files::crates().iter().any(|name| name == "h2"));
    assert!(files::read("deny.toml").contains("crate = \"h2\""));
    let server = InProcess::with(&[]);
    let mut connection = server.connect();
    connection.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    let answer = connection.rest();
    assert!(answer.starts_with(b"HTTP/1.1 4"), "{:?}", String::from_utf8_lossy(&answer));
    let upgrade = server.get("/api/v1/status").header("Upgrade", "h2c");
    let answer = upgrade.header("HTTP2-Settings", "AAMAAABkAAQAAP__").send();
    assert_eq!((answer.status, answer.header("upgrade")), (200, None));
}
