//! What all answers have in common.

use serde_json::json;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, NOBODY, PASSWORD, Server};

/// Every route, and the methods it has.
const ROUTES: [(&str, &str); 9] = [
    ("/api/v1/status", "GET, HEAD"),
    ("/api/v1/unauthorized", "GET, HEAD"),
    ("/api/v1/forbidden", "GET, HEAD"),
    ("/api/v1/stats", "GET, HEAD"),
    ("/api/v1/users", "GET, HEAD, POST"),
    ("/api/v1/users/me", "GET, HEAD"),
    ("/api/v1/users/nobody", "GET, HEAD, PUT, DELETE"),
    ("/api/v1/auth_session/login", "POST"),
    ("/api/v1/auth_session/logout", "DELETE"),
];
const METHODS: [&str; 10] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "FOO", "get"];

/// Those headers of an answer that do not differ between any two requests.
fn lasting_headers(answer: &Answer) -> Vec<(String, String)> {
    let passing = ["date", "x-request-id"];
    let lasting = answer.headers.iter().filter(|(name, _)| !passing.contains(&name.as_str()));
    let mut lasting: Vec<_> = lasting.cloned().collect();
    lasting.sort_unstable();
    lasting
}

#[test]
fn every_answer_is_compact_json() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let login = || server.post("/api/v1/auth_session/login");
    let by_admin = |method, path: &str| server.request(method, path).session(&admin);
    let bob =
        json!({ "email": "bob@example.com", "password": PASSWORD, "first_name": "Bob \u{e9}" });
    let answers = [
        (200, server.get("/api/v1/status").send()),
        (401, server.get("/api/v1/unauthorized").send()),
        (403, server.get("/api/v1/forbidden").send()),
        (401, server.get("/api/v1/users").send()),
        (403, server.get("/api/v1/users").session("junk").send()),
        (200, by_admin("GET", "/api/v1/stats").send()),
        (201, by_admin("POST", "/api/v1/users").json(&bob).send()),
        (409, by_admin("POST", "/api/v1/users").json(&bob).send()),
        (400, by_admin("POST", "/api/v1/users").send()),
        (200, by_admin("GET", "/api/v1/users").send()),
        (200, by_admin("GET", "/api/v1/users/me").send()),
        (404, by_admin("GET", &format!("/api/v1/users/{NOBODY}")).send()),
        (405, by_admin("PATCH", "/api/v1/users/me").send()),
        (404, by_admin("GET", "/api/v1/nope").send()),
        (404, server.get("/nope").send()),
        (400, server.get("/api//v1").send()),
        (400, login().send()),
        (401, login().form(&[("email", ADMIN), ("password", "wrong")]).send()),
        (200, login().form(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send()),
        (415, login().body("text/plain", "x").send()),
        (413, login().body("application/json", vec![b' '; 100_000]).send()),
        (200, by_admin("DELETE", "/api/v1/auth_session/logout").send()),
    ];
    for (status, answer) in answers {
        assert_eq!(answer.status, status, "{answer:?}");
        let body = answer.json();
        if status >= 400 {
            let members = body.as_object().unwrap();
            assert_eq!(members.len(), 2, "{body}");
            assert!(!members["error"].as_str().unwrap().is_empty(), "{body}");
            assert!(!members["code"].as_str().unwrap().is_empty(), "{body}");
        }
    }
}

#[test]
fn a_wrong_method_is_told_which_there_are() {
    for kind in ["none", "basic_auth", "session_db_auth"] {
        let server = Server::of(kind);
        for (path, allowed) in ROUTES {
            // `me` is no name for a change: that is 404.
            let others: &[&str] = if path.ends_with("/me") { &["PUT", "DELETE"] } else { &[] };
            let there = |m: &str| allowed.split(", ").any(|a| a == m) || others.contains(&m);
            for method in METHODS.iter().filter(|method| !there(method)) {
                for slash in ["", "/"] {
                    let request = server.request(method, &format!("{path}{slash}"));
                    let answer = server.by_admin(request).send();
                    if *method == "HEAD" {
                        assert_eq!((answer.status, answer.body.as_str()), (405, ""), "{path}");
                    } else {
                        answer.assert_error(405, "Method not allowed");
                    }
                    assert_eq!(answer.header("allow"), Some(allowed), "{kind} {method} {path}");
                }
            }
        }
    }
}

#[test]
fn a_method_that_is_allowed_is_not_answered_405() {
    let server = Server::of("none");
    for (path, allowed) in ROUTES {
        for method in allowed.split(", ") {
            let answer = server.request(method, path).send();
            assert_ne!(answer.status, 405, "{method} {path}");
            assert_eq!(answer.header("allow"), None, "{method} {path}");
        }
    }
}

#[test]
fn one_trailing_slash_makes_no_difference() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let bob = server.add_user("bob@example.com");
    let known = format!("/api/v1/users/{bob}");
    let unknown = format!("/api/v1/users/{NOBODY}");
    for (method, path) in [
        ("GET", "/api/v1/status"),
        ("HEAD", "/api/v1/status"),
        ("GET", "/api/v1/unauthorized"),
        ("GET", "/api/v1/forbidden"),
        ("GET", "/api/v1/stats"),
        ("GET", "/api/v1/users"),
        ("HEAD", "/api/v1/users"),
        ("POST", "/api/v1/users"),
        ("PATCH", "/api/v1/users"),
        ("GET", "/api/v1/users/me"),
        ("PUT", "/api/v1/users/me"),
        ("DELETE", "/api/v1/users/me"),
        ("GET", &known),
        ("PUT", &known),
        ("GET", &unknown),
        ("PUT", &unknown),
        ("DELETE", &unknown),
        ("GET", "/api/v1/auth_session/login"),
        ("POST", "/api/v1/auth_session/login"),
        ("GET", "/api/v1/auth_session/logout"),
        ("GET", "/api/v1/nope"),
        ("GET", "/nope"),
    ] {
        for session in [Some(admin.as_str()), Some("junk"), None] {
            let [without, with] = ["", "/"].map(|slash| {
                let request = server.request(method, &format!("{path}{slash}"));
                session.into_iter().fold(request, crate::harness::Request::session).send()
            });
            assert_eq!(without.status, with.status, "{method} {path}");
            assert_eq!(without.body, with.body, "{method} {path}");
            assert_eq!(lasting_headers(&without), lasting_headers(&with), "{method} {path}");
            assert!(!(300..400).contains(&with.status), "{method} {path} is redirected");
        }
    }
}

#[test]
fn what_changes_something_does_so_with_a_trailing_slash_too() {
    let server = Server::of("session_db_auth");
    let login = server.post("/api/v1/auth_session/login/");
    let login = login.form(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send();
    let admin = login.session_id().unwrap();
    let bob = json!({ "email": "bob@example.com", "password": PASSWORD });
    let made = server.post("/api/v1/users/").session(&admin).json(&bob).send();
    assert_eq!(made.status, 201);
    let user = format!("/api/v1/users/{}/", made.json()["id"].as_str().unwrap());
    let changed = server.put(&user).session(&admin).json(&json!({ "first_name": "Bob" })).send();
    assert_eq!(changed.json()["first_name"], "Bob");
    assert_eq!(server.get(&user).session(&admin).send().body, changed.body);
    server.delete(&user).session(&admin).send().assert_is(200, "{}");
    server.get(&user).session(&admin).send().assert_error(404, "Not found");
    server.delete("/api/v1/auth_session/logout/").session(&admin).send().assert_is(200, "{}");
    server.get("/api/v1/users/").session(&admin).send().assert_error(403, "Forbidden");
}

#[test]
fn paths_are_case_sensitive() {
    let server = Server::of("none");
    let bob = server.add_user("bob@example.com");
    let shouted = format!("/api/v1/users/{}", bob.to_uppercase());
    // An id that happens to have no letters has no other case.
    assert_ne!(shouted, format!("/api/v1/users/{bob}"));
    for path in [
        "/API/v1/status",
        "/api/V1/status",
        "/api/v1/Status",
        "/api/v1/STATUS",
        "/api/v1/Users",
        "/api/v1/users/ME",
        "/api/v1/auth_session/Login",
        &shouted,
    ] {
        server.get(path).send().assert_error(404, "Not found");
    }
}

#[test]
fn a_query_that_a_route_does_not_define_is_ignored() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    for path in [
        "/api/v1/status",
        "/api/v1/unauthorized",
        "/api/v1/stats",
        "/api/v1/users",
        "/api/v1/users/me",
        "/api/v1/nope",
        "/api/v1/auth_session/login",
    ] {
        let plain = server.get(path).session(&admin).send();
        for query in ["?", "?x", "?x=1&x=2", "?name=a&id=b", "?%zz=%", "?_method=DELETE"] {
            let answer = server.get(&format!("{path}{query}")).session(&admin).send();
            assert_eq!((answer.status, &answer.body), (plain.status, &plain.body), "{path}{query}");
        }
    }
    assert_eq!(server.get("/api/v1/users/me").session(&admin).send().status, 200);
}

#[test]
fn credentials_in_a_query_are_none() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let query = format!("?_my_session_id={admin}&access_token={admin}");
    server.get(&format!("/api/v1/users{query}")).send().assert_error(401, "Unauthorized");
    let query = "?email=admin%40example.com&password=correct%20horse%201";
    let login = server.post(&format!("/api/v1/auth_session/login{query}")).send();
    login.assert_error(400, "email missing");
}

#[test]
fn head_answers_like_get_without_the_body() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let bob = format!("/api/v1/users/{}", server.add_user("bob@example.com"));
    let nobody = format!("/api/v1/users/{NOBODY}");
    for path in [
        "/api/v1/status",
        "/api/v1/unauthorized",
        "/api/v1/forbidden",
        "/api/v1/stats",
        "/api/v1/users",
        "/api/v1/users/",
        "/api/v1/users/me",
        &bob,
        &nobody,
        "/api/v1/nope",
        "/nope",
    ] {
        for session in [admin.as_str(), "junk", ""] {
            let ask = |method| {
                let request = server.request(method, path);
                if session.is_empty() { request.send() } else { request.session(session).send() }
            };
            let (get, head) = (ask("GET"), ask("HEAD"));
            assert_eq!(head.status, get.status, "{path}");
            assert_eq!(lasting_headers(&head), lasting_headers(&get), "{path}");
            assert_eq!(head.header("content-length"), Some(get.body.len().to_string().as_str()));
            assert_eq!(head.body, "", "{path}");
        }
    }
}
