//! Content types, methods, http and https.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::harness::{Client, Program};
use crate::v03_web_front_end::headers;
use crate::v08_authorization::matrix::MATRIX;
use crate::v08_authorization::stage::{Actor, Stage};

pub fn every_body_is_the_json_that_it_says() {
    for answer in headers::answers() {
        // JSON is in UTF-8 always; its media type has no charset (RFC 8259, 11).
        assert_eq!(answer.headers("content-type"), ["application/json"], "{answer:?}");
        if !answer.body.is_empty() {
            let body: Value = serde_json::from_str(&answer.body).unwrap();
            assert!(answer.status < 400 || body["error"].is_string(), "{answer:?}");
        }
    }
}

/// The methods of every path, as the matrix has them; HEAD is there where GET is.
fn methods() -> BTreeMap<&'static str, BTreeSet<&'static str>> {
    let mut methods: BTreeMap<_, BTreeSet<_>> = BTreeMap::new();
    for (method, route, _) in MATRIX {
        let of_route = methods.entry(*route).or_default();
        of_route.insert(*method);
        if *method == "GET" {
            of_route.insert("HEAD");
        }
    }
    methods
}

pub fn every_other_method_is_405() {
    let stage = Stage::new();
    let scene = stage.scene(Actor::Admin);
    for (route, methods) in methods() {
        let path = scene.path(route);
        for method in [
            "GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "TRACK",
            "PROPFIND", "PURGE", "get", "DELETED",
        ] {
            if methods.contains(method) {
                continue;
            }
            let answer = scene.as_actor(method, &path).send();
            assert_eq!(answer.status, 405, "{method} {route}: {answer:?}");
            let allowed: BTreeSet<&str> = answer.header("allow").unwrap().split(", ").collect();
            // `me` is no name for a change: those two methods are 404 there, and not offered.
            let is_offered = |m: &&&str| route != "/users/me" || !matches!(**m, "PUT" | "DELETE");
            assert_eq!(allowed, methods.iter().filter(is_offered).copied().collect(), "{route}");
        }
    }
    let connect = scene.as_actor("CONNECT", "/api/v1/status").send();
    connect.assert_error(405, "Method not allowed");
}

/// Neither an answer nor a redirect: what was sent has been seen by others already.
pub fn plain_http_gets_no_answer_over_tls() {
    let (program, _pair) = Program::of("session_db_auth").over_tls();
    let server = program.start();
    let plain = Client::at(server.address);
    let answer = plain.get("/api/v1/status").start().rest();
    assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
}

/// Behind a proxy the service cannot tell by which way a request came, and believes nobody who
/// says so.
pub fn plain_http_is_not_sent_on() {
    let server = Program::of("session_db_auth").set("PUBLIC_URL", "https://id.example.com").start();
    for path in ["/", "/api/v1/status", "/api/v1/users", "/api/v1/users/"] {
        for (name, value) in [("X-Forwarded-Proto", "http"), ("Forwarded", "proto=http")] {
            let answer = server.get(path).header(name, value).send();
            assert!(!(300..400).contains(&answer.status), "{answer:?}");
            assert_eq!(answer.header("location"), None);
        }
    }
}
