//! Which pages may read answers.

use crate::harness::{Answer, Program, Server};

const KINDS: [&str; 6] =
    ["none", "auth", "basic_auth", "session_auth", "session_exp_auth", "session_db_auth"];
const SPA: &str = "https://spa.example.com";

fn preflight(server: &Server, path: &str, origin: &str) -> Answer {
    let request = server.request("OPTIONS", path).header("Origin", origin);
    request.header("Access-Control-Request-Method", "PUT").send()
}

fn shared(answer: &Answer) -> (Option<&str>, Option<&str>) {
    let headers = ["access-control-allow-origin", "access-control-allow-credentials"];
    let [origin, credentials] = headers.map(|name| answer.header(name));
    (origin, credentials)
}

#[test]
fn a_preflight_is_answered_without_credentials_in_every_kind() {
    for kind in KINDS {
        let server = Program::of(kind).set("CORS_ORIGINS", SPA).start();
        for path in ["/api/v1/users", "/api/v1/users/", "/api/v1/auth_session/login", "/api/v1/x"] {
            let answer = preflight(&server, path, SPA);
            assert_eq!((answer.status, answer.body.as_str()), (204, ""), "{kind} {path}");
            assert_eq!(shared(&answer), (Some(SPA), Some("true")), "{kind} {path}");
            let allows = |name: &str| answer.header(name).unwrap_or_default().to_owned();
            let methods = allows("access-control-allow-methods");
            for method in ["GET", "HEAD", "POST", "PUT", "DELETE"] {
                assert!(methods.split(", ").any(|allowed| allowed == method), "{methods}");
            }
            let headers = allows("access-control-allow-headers");
            assert!(headers.contains("Authorization") && headers.contains("Content-Type"));
            assert_eq!(answer.headers("vary"), ["Origin"]);
            assert_eq!(answer.headers("set-cookie").len(), 0);
        }
    }
}

#[test]
fn without_a_list_it_is_closed() {
    for kind in KINDS {
        let server = Server::of(kind);
        let answer = preflight(&server, "/api/v1/users", SPA);
        assert_eq!(answer.status, 204, "{kind}");
        let answers = [answer, server.get("/api/v1/status").header("Origin", SPA).send()];
        for answer in answers {
            let named = |name: &str| name.starts_with("access-control-");
            assert!(!answer.headers.iter().any(|(name, _)| named(name)), "{answer:?}");
        }
    }
}

#[test]
fn only_a_listed_origin_is_told_that_it_may() {
    let list = format!("{SPA}, http://localhost:3000");
    let server = Program::of("session_db_auth").set("CORS_ORIGINS", &list).start();
    for origin in [SPA, "http://localhost:3000"] {
        assert_eq!(
            shared(&preflight(&server, "/api/v1/users", origin)),
            (Some(origin), Some("true"))
        );
    }
    for origin in [
        "https://evil.example",
        "null",
        "https://spa.example.com.evil.example",
        "http://spa.example.com",
        "https://spa.example.com:8443",
        "https://SPA.example.com",
        "http://localhost",
        "*",
        "",
    ] {
        let answer = preflight(&server, "/api/v1/users", origin);
        assert_eq!((answer.status, shared(&answer)), (204, (None, None)), "{origin}");
        let answer = server.get("/api/v1/status").header("Origin", origin).send();
        assert_eq!((answer.status, shared(&answer)), (200, (None, None)), "{origin}");
    }
}

#[test]
fn answers_of_every_status_are_shared_with_a_listed_origin() {
    let server = Program::of("session_db_auth").set("CORS_ORIGINS", SPA).start();
    let admin = server.admin();
    for (request, status) in [
        (server.get("/api/v1/status"), 200),
        (server.get("/api/v1/users"), 401),
        (server.get("/api/v1/users").session("junk"), 403),
        (server.get("/api/v1/users").session(&admin), 200),
        (server.get("/api/v1/nothing").session(&admin), 404),
        (server.request("PATCH", "/api/v1/users").session(&admin), 405),
        (server.post("/api/v1/users").session(&admin), 400),
    ] {
        let answer = request.header("Origin", SPA).send();
        assert_eq!((answer.status, shared(&answer)), (status, (Some(SPA), Some("true"))));
        assert_eq!(answer.headers("vary"), ["Origin"], "{status}");
        let exposed = answer.header("access-control-expose-headers").unwrap();
        assert!(exposed.contains("Retry-After") && exposed.contains("X-Request-Id"), "{exposed}");
    }
    // An answer to somebody else differs, and caches must know.
    assert_eq!(server.get("/api/v1/status").send().headers("vary"), ["Origin"]);
}

#[test]
fn a_star_shares_what_needs_no_cookie_and_nothing_with_it() {
    let server = Program::of("session_db_auth").set("CORS_ORIGINS", &format!("*,{SPA}")).start();
    for origin in ["https://anybody.example", "null"] {
        let answer = preflight(&server, "/api/v1/users", origin);
        assert_eq!((answer.status, shared(&answer)), (204, (Some("*"), None)), "{origin}");
        let answer = server.get("/api/v1/status").header("Origin", origin).send();
        assert_eq!(shared(&answer), (Some("*"), None), "{origin}");
    }
    assert_eq!(shared(&preflight(&server, "/api/v1/users", SPA)), (Some(SPA), Some("true")));
}

#[test]
fn an_options_request_that_is_no_preflight_meets_the_gate() {
    let server = Program::of("session_db_auth").set("CORS_ORIGINS", SPA).start();
    let admin = server.admin();
    let options = || server.request("OPTIONS", "/api/v1/users");
    options().send().assert_error(401, "Unauthorized");
    options().header("Origin", SPA).send().assert_error(401, "Unauthorized");
    let method = options().header("Access-Control-Request-Method", "PUT");
    method.send().assert_error(401, "Unauthorized");
    let answer = options().session(&admin).send();
    answer.assert_error(405, "Method not allowed");
    assert_eq!(answer.header("allow"), Some("GET, HEAD, POST"));
}
