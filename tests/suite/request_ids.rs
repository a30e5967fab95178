//! Every answer names its request, and has the headers that every answer has.

use std::collections::BTreeSet;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Server};

#[test]
fn a_sane_id_is_taken_and_any_other_replaced() {
    let server = Server::of("session_db_auth");
    let longest = "x".repeat(64);
    for id in ["a", "A-b_c.9", "0123456789", &longest] {
        let answer = server.get("/api/v1/status").header("X-Request-Id", id).send();
        assert_eq!(answer.headers("x-request-id"), [id]);
    }
    let long = "x".repeat(65);
    for id in ["", "a b", "a;b", "<a>", "a\tb", "\u{e4}", "a=b", &long] {
        let answer = server.get("/api/v1/status").header("X-Request-Id", id).send();
        let given = answer.header("x-request-id").unwrap();
        assert!(
            given != id && given.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-'),
            "{given}"
        );
    }
}

#[test]
fn requests_without_an_id_get_different_ones() {
    let server = Server::of("session_db_auth");
    let ids: BTreeSet<String> = (0..20)
        .map(|_| server.get("/api/v1/status").send().header("x-request-id").unwrap().to_owned())
        .collect();
    assert_eq!(ids.len(), 20);
}

#[test]
fn every_answer_has_an_id_and_the_headers_of_security() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    for (request, status) in [
        (server.get("/api/v1/status"), 200),
        (server.request("HEAD", "/api/v1/status"), 200),
        (server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]), 200),
        (
            server
                .request("OPTIONS", "/api/v1/users")
                .header("Origin", "https://x.example")
                .header("Access-Control-Request-Method", "PUT"),
            204,
        ),
        (server.get("/api/v1//users"), 400),
        (server.get("/api/v1/users"), 401),
        (server.get("/api/v1/users").session("junk"), 403),
        (server.get("/nothing"), 404),
        (server.get("/api/v1/nothing").session(&admin), 404),
        (server.request("PATCH", "/api/v1/users").session(&admin), 405),
        (
            server.post("/api/v1/auth_session/login").body("application/json", vec![b' '; 70_000]),
            413,
        ),
        (server.get(&format!("/{}", "x".repeat(9_000))), 414),
        (server.post("/api/v1/auth_session/login").body("text/plain", "x"), 415),
        (server.get("/").header("X", &"x".repeat(17_000)), 431),
    ] {
        let answer = request.header("X-Request-Id", "mine").send();
        assert_eq!(answer.status, status, "{}", answer.body);
        for (name, value) in [
            ("x-request-id", "mine"),
            ("cache-control", "no-store"),
            (
                "content-security-policy",
                "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
            ),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("referrer-policy", "no-referrer"),
            ("x-content-type-options", "nosniff"),
        ] {
            assert_eq!(answer.headers(name), [value], "{status} {name}");
        }
        assert_eq!(answer.header("server"), None);
        assert_eq!(answer.header("x-powered-by"), None);
        if status >= 400 {
            assert!(answer.json()["error"].is_string(), "{status}");
        }
    }
}
