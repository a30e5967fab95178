//! Health and metrics: where they are asked for, by whom, and what is answered.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;

use rustls::crypto::ring;

use crate::harness::{Answer, Client, InProcess, KINDS, NO_SESSION, Program, Server};

/// The routes, and how each answers.
const ROUTES: [(&str, &str); 3] = [
    ("/healthz", "application/json"),
    ("/readyz", "application/json"),
    ("/metrics", "application/openmetrics-text; version=1.0.0; charset=utf-8"),
];
/// What a proxy adds to a request.
const SIGNS: [&str; 8] = [
    "Forwarded",
    "X-Forwarded-For",
    "X-Forwarded-Host",
    "X-Forwarded-Proto",
    "X-Original-URI",
    "X-Original-Method",
    "X-Real-IP",
    "Via",
];

#[track_caller]
fn assert_answered(answer: &Answer, content_type: &str) {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some(content_type), "{answer:?}");
    // It has come through the same edge as all else.
    assert_eq!(answer.header("cache-control"), Some("no-store"), "{answer:?}");
    assert!(answer.header("x-request-id").is_some(), "{answer:?}");
    assert_eq!(answer.header("set-cookie"), None, "{answer:?}");
}

/// Holds that this client is told, whatever credentials it sends.
fn assert_told(client: &Client) {
    for (path, content_type) in ROUTES {
        for path in [path.to_owned(), format!("{path}/"), format!("{path}?query=ignored")] {
            assert_answered(&client.get(&path).send(), content_type);
        }
        let junk = client.get(path).session(NO_SESSION).header("Authorization", "Basic junk");
        assert_answered(&junk.send(), content_type);
        let head = client.request("HEAD", path).send();
        assert_answered(&head, content_type);
        assert_eq!(head.body, "");
        for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "BREW"] {
            let refused = client.request(method, path).send();
            assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));
        }
    }
    client.get("/healthz").send().assert_is(200, r#"{"status":"OK"}"#);
    client.get("/readyz").send().assert_is(200, r#"{"status":"OK"}"#);
}

#[test]
fn without_an_address_of_their_own_they_are_there_for_this_machine_in_every_kind() {
    for kind in KINDS {
        let server = InProcess::with(&["--auth-type", kind]);
        assert_told(&server);
        for (path, _) in ROUTES {
            let below = server.get(&format!("/api/v1{path}")).session(NO_SESSION).send();
            assert!(matches!(below.status, 403 | 404), "{kind}: {below:?}");
        }
    }
}

#[test]
fn whoever_comes_through_a_proxy_finds_what_is_found_at_any_unknown_path() {
    // Also where the proxy is trusted: it would hand to the world what is for this machine.
    let server = InProcess::with(&["--trusted-proxies", "127.0.0.1"]);
    let shape = |answer: Answer| {
        let kept = |(name, _): &(String, String)| name != "x-request-id" && name != "date";
        let headers: Vec<_> = answer.headers.into_iter().filter(kept).collect();
        (answer.status, headers, answer.body)
    };
    for sign in SIGNS {
        let ask = |method: &str, path: &str| {
            shape(server.request(method, path).header(sign, "192.0.2.1").send())
        };
        for method in ["GET", "POST"] {
            let unknown = ask(method, "/nothing/here");
            assert_eq!(unknown.0, 404);
            for (path, _) in ROUTES {
                assert_eq!(ask(method, path), unknown, "{method} {path} {sign}");
                assert_eq!(ask(method, &format!("{path}/")), unknown, "{method} {path}/ {sign}");
            }
        }
    }
    assert_told(&server);
}

#[test]
fn at_an_address_of_their_own_they_are_there_for_everybody_and_nowhere_else() {
    let server = InProcess::with(&["--metrics-addr", "127.0.0.1:0"]);
    let apart = server.monitoring();
    assert_ne!(apart.address, server.address);
    assert_told(apart);
    for (path, content_type) in ROUTES {
        server.get(path).send().assert_error(404, "Not found");
        for sign in SIGNS {
            assert_answered(&apart.get(path).header(sign, "192.0.2.1").send(), content_type);
        }
    }
    for path in ["/", "/api/v1/status", "/api/v1/users", "/api/v1/auth_session/login"] {
        apart.get(path).send().assert_error(404, "Not found");
    }
    assert_eq!(apart.get("/healthz//").send().status, 400);
    let long = format!("/healthz?{}", "x".repeat(9_000));
    assert_eq!(apart.get(&long).send().status, 414);
}

#[test]
fn the_log_tells_where_they_are_and_has_a_line_for_each_request() {
    let server = Program::of("session_db_auth").set("METRICS_ADDR", "127.0.0.1:0").start();
    let apart = Client::at(server.monitoring_address().unwrap());
    assert_answered(&apart.get("/readyz").header("X-Request-Id", "ask-1").send(), ROUTES[1].1);
    let line = server.wait_for("request_id=ask-1");
    assert!(line.contains("path=/readyz status=200"), "{line}");
    let (_, status, log) = server.stop();
    assert!(status.success(), "{log:?}");
    assert!(apart.try_connect().is_none(), "it stops with the server");
    assert!(Server::of("auth").monitoring_address().is_none());
}

#[test]
fn with_a_certificate_they_are_told_over_tls_alone() {
    let program = Program::of("session_db_auth").set("METRICS_ADDR", "127.0.0.1:0");
    let (program, pair) = program.over_tls();
    let server = program.start();
    let address = server.monitoring_address().unwrap();
    assert!(server.log().iter().any(|line| line.ends_with(&format!("on https://{address}"))));
    let trust = pair.trust(ring::default_provider(), rustls::ALL_VERSIONS);
    let told = Client::over_tls(address, trust).get("/metrics").send();
    assert_answered(&told, ROUTES[2].1);
    assert!(told.header("strict-transport-security").is_some(), "{told:?}");
    let plain = Client::at(address).get("/metrics").start().rest();
    assert!(!plain.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&plain));
}

#[test]
fn an_address_that_is_taken_is_one_line_and_no_record_has_been_written() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let program = Program::of("session_db_auth").set("METRICS_ADDR", &address);
    let Err((status, log)) = program.clone().try_start() else { panic!("it started") };
    assert_eq!(status.code(), Some(1));
    let last = log.last().unwrap();
    assert!(
        last.starts_with(&format!("sessiond: {address}: ")) && last.contains("in use"),
        "{last}"
    );
    let left = fs::read_dir(program.data()).unwrap().map(|entry| entry.unwrap().file_name());
    // The key of the pages is no record: nobody is there yet, and nothing has happened.
    let left: BTreeSet<_> = left.collect();
    assert_eq!(left, [".lock", "pages.key"].map(Into::into).into());
}

#[test]
fn plain_http_beyond_this_machine_is_warned_of() {
    for (address, expected) in [("0.0.0.0:0", true), ("127.0.0.1:0", false)] {
        let server = Program::of("auth").set("METRICS_ADDR", address).start();
        let warned = server.log().iter().any(|line| line.contains("can read the metrics"));
        assert_eq!(warned, expected, "{address}");
    }
}
