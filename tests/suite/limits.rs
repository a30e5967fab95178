//! How large a request may be.

use serde_json::json;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Server};

const LIMIT: usize = 64 * 1024;

/// A JSON login of exactly this many bytes.
fn login_of(bytes: usize) -> String {
    let login = |pad: &str| json!({ "email": ADMIN, "password": ADMIN_PASSWORD, "pad": pad });
    let empty = login("").to_string().len();
    login(&"x".repeat(bytes - empty)).to_string()
}

#[test]
fn a_body_has_at_most_64_kib() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let login = "/api/v1/auth_session/login";
    let post = |bytes| server.post(login).body("application/json", login_of(bytes));
    assert_eq!(post(LIMIT).send().status, 200);
    let says = "body must have at most 65536 bytes";
    for bytes in [LIMIT + 1, 10 * LIMIT] {
        post(bytes).send().assert_error(413, says);
    }
    let large = "x".repeat(LIMIT + 1);
    for request in [
        server.post(login).form(&[("email", ADMIN), ("password", &large)]),
        server.post(login).body("multipart/form-data; boundary=x", large.clone()),
        server.post("/api/v1/users").session(&admin).body("application/json", large.clone()),
    ] {
        request.send().assert_error(413, says);
    }
    let me = server.get("/api/v1/users/me").session(&admin).send().json();
    let path = format!("/api/v1/users/{}", me["id"].as_str().unwrap());
    let put = server.put(&path).session(&admin).body("application/json", large);
    put.send().assert_error(413, says);
}

#[test]
fn a_body_in_chunks_has_the_same_limit() {
    let server = Server::of("session_db_auth");
    let send = |body: &str| {
        let mut connection = server.connect();
        connection.write(format!(
            "POST /api/v1/auth_session/login HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
            server.address
        ));
        for chunk in body.as_bytes().chunks(8 * 1024) {
            connection.write(format!("{:x}\r\n", chunk.len()));
            connection.write(chunk);
            connection.write("\r\n");
        }
        connection.write("0\r\n\r\n");
        connection.finish()
    };
    assert_eq!(send(&login_of(LIMIT)).status, 200);
    send(&login_of(LIMIT + 1)).assert_error(413, "body must have at most 65536 bytes");
}

#[test]
fn a_body_that_is_announced_too_large_is_refused_before_it_comes() {
    let server = Server::of("session_db_auth");
    for length in ["65537", "4294967296", "9223372036854775807"] {
        let mut connection = server.connect();
        connection.write(format!(
            "POST /api/v1/auth_session/login HTTP/1.1\r\nHost: {}\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{{",
            server.address
        ));
        let answer = connection.answer().unwrap();
        answer.assert_error(413, "body must have at most 65536 bytes");
        assert_eq!(answer.header("connection"), Some("close"));
        assert_eq!(connection.rest(), b"");
    }
}

#[test]
fn a_target_has_at_most_8_kib_and_a_header_16() {
    let server = Server::of("session_db_auth");
    let target = |bytes: usize| format!("/api/v1/status?{}", "x".repeat(bytes - 15));
    assert_eq!(server.get(&target(8 * 1024)).send().status, 200);
    let too_long = server.get(&target(8 * 1024 + 1)).send();
    too_long.assert_error(414, "URI must have at most 8192 bytes");
    let with =
        |bytes: usize| server.get("/api/v1/status").header("X-Pad", &"x".repeat(bytes)).send();
    assert_eq!(with(16_000).status, 200);
    for bytes in [16_400, 60_000] {
        with(bytes).assert_error(431, "header must have at most 16384 bytes");
    }
    let many = (0..80).fold(server.get("/api/v1/status"), |r, n| r.header(&format!("X-{n}"), "x"));
    assert_eq!(many.send().status, 200);
}

#[test]
fn what_is_far_too_large_is_refused_without_being_read_to_its_end() {
    let server = Server::of("session_db_auth");
    let endless = server.get("/api/v1/status").header("X-Pad", &"x".repeat(4 << 20)).start().rest();
    let answer = String::from_utf8_lossy(&endless);
    assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 4"), "{answer}");
    let many = (0..500).fold(server.get("/api/v1/status"), |r, n| r.header(&format!("X-{n}"), "x"));
    let answer = many.start().rest();
    assert!(String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 4"));
    assert_eq!(server.get("/api/v1/status").send().status, 200);
}

#[test]
fn json_that_is_nested_without_end_is_refused() {
    let server = Server::of("session_db_auth");
    for body in
        ["[".repeat(60_000), "{\"a\":".repeat(10_000), format!("{{\"a\":{}", "[".repeat(60_000))]
    {
        let login = server.post("/api/v1/auth_session/login").body("application/json", body);
        login.send().assert_error(400, "Wrong format");
    }
    assert_eq!(server.get("/api/v1/status").send().status, 200);
}
