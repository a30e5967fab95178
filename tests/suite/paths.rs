//! A path has one spelling; any other is 400, whoever asks for whatever.

use crate::harness::{Answer, NO_SESSION, Request, Server};

const REFUSED: &str = "path must be written without encoded, empty or dot segments";

/// Spellings that a sloppy reader takes for a route, open or not.
const OTHER_SPELLINGS: &[&str] = &[
    "//",
    "//api/v1/users",
    "/api//v1/users",
    "/api/v1//users",
    "/api/v1/users//",
    "/api/v1/status//",
    "/api/v1/users//me",
    "/./api/v1/users",
    "/api/v1/./users",
    "/api/v1/users/.",
    "/api/v1/users/./",
    "/api/v1/status/../users",
    "/api/v1/status/..",
    "/api/v1/../v1/users",
    "/..",
    "/api/v1/users/%2e",
    "/api/v1/status/%2e%2e/users",
    "/api/v1/status/%2E%2E/users",
    "/api/v1/status/.%2e/users",
    "/api/v1/%75sers",
    "/api/v1/user%73",
    "/%61pi/v1/users",
    "/api/v1/statu%73",
    "/api%2fv1/users",
    "/api%2Fv1%2Fusers",
    "/api/v1/users%2f",
    "/api/v1/users/%2f",
    "/api/v1/status%2f..%2fusers",
    "/api/v1/users%5cme",
    "/api/v1/users%5Cme",
    "/api/v1/users\\me",
    "/api/v1/users%00",
    "/api/v1/users%0d%0ax",
    "/api/v1/users%7f",
    "/api/v1/%2575sers",
    "/api/v1/users%",
    "/api/v1/users%2",
    "/api/v1/users%zz",
    "*",
];

fn for_everyone(server: &Server, session: &str, mut ask: impl FnMut(&dyn Fn(Request) -> Answer)) {
    ask(&|request| request.send());
    ask(&|request| request.session(NO_SESSION).send());
    ask(&|request| request.header("Authorization", "Test").send());
    ask(&|request| request.basic("a@example.com", "b").send());
    ask(&|request| request.session(session).send());
    assert_eq!(server.get("/api/v1/users/me").session(session).send().status, 200);
}

#[test]
fn another_spelling_of_a_path_is_refused_for_everyone() {
    let server = Server::of("session_auth");
    let session = server.admin();
    for_everyone(&server, &session, |send| {
        for path in OTHER_SPELLINGS {
            send(server.get(path)).assert_error(400, REFUSED);
        }
    });
}

#[test]
fn another_spelling_of_a_path_is_refused_in_every_kind() {
    for kind in ["none", "auth", "basic_auth", "session_exp_auth", "session_db_auth"] {
        let server = Server::of(kind);
        for path in OTHER_SPELLINGS {
            let answer = server.get(path).send();
            assert_eq!(answer.status, 400, "{kind} {path}");
            answer.assert_error(400, REFUSED);
        }
    }
}

#[test]
fn another_spelling_of_a_path_is_refused_with_every_method() {
    let server = Server::of("none");
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO"] {
        for path in OTHER_SPELLINGS {
            server.request(method, path).send().assert_error(400, REFUSED);
        }
    }
    for path in OTHER_SPELLINGS {
        let answer = server.request("HEAD", path).send();
        assert_eq!((answer.status, answer.body.as_str()), (400, ""), "{path}");
    }
}

#[test]
fn no_unreserved_character_may_be_encoded() {
    let server = Server::of("none");
    let unreserved =
        ('a'..='z').chain('A'..='Z').chain('0'..='9').chain(['-', '.', '_', '~']).map(|c| c as u32);
    for code in unreserved {
        for path in [format!("/api/v1/users/x%{code:02x}"), format!("/api/v1/%{code:02X}/x")] {
            server.get(&path).send().assert_error(400, REFUSED);
        }
    }
}

#[test]
fn a_character_that_needs_encoding_may_be_encoded() {
    let server = Server::of("none");
    for path in ["/api/v1/a%20b", "/api/v1/users/%C3%A4", "/api/v1/users/a%40b.c", "/%22"] {
        server.get(path).send().assert_error(404, "Not found");
    }
}

#[test]
fn bytes_that_no_path_can_have_are_refused() {
    let server = Server::of("none");
    for path in ["/api/v1/stat us", "/api/v1/\u{e4}", "/api/v1/\u{7f}", "api/v1/status", "/a\tb"] {
        assert_eq!(server.get(path).send().status, 400, "{path}");
    }
}

#[test]
fn the_absolute_form_of_a_target_is_held_to_the_same_rules() {
    let server = Server::of("session_auth");
    let get = |path: &str| server.get(&format!("http://{}{path}", server.address)).send();
    get("/api/v1/status").assert_is(200, r#"{"status":"OK"}"#);
    get("/api/v1/users").assert_error(401, "Unauthorized");
    for path in ["/api/v1/status/../users", "/api/v1//users", "/api/v1/%75sers"] {
        get(path).assert_error(400, REFUSED);
    }
}

#[test]
fn a_query_or_fragment_does_not_open_a_path() {
    let server = Server::of("session_auth");
    for rest in ["?/api/v1/status", "?x=/../status", "#/api/v1/status", "#/../status", "?#"] {
        server.get(&format!("/api/v1/users{rest}")).send().assert_error(401, "Unauthorized");
    }
}

#[test]
fn a_query_is_no_part_of_the_path_that_must_be_canonical() {
    let server = Server::of("session_auth");
    for query in ["?", "?//", "?a=../b", "?%61", "?%2f%00", "?%zz%"] {
        let answer = server.get(&format!("/api/v1/status{query}")).send();
        answer.assert_is(200, r#"{"status":"OK"}"#);
    }
}
