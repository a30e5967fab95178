//! What another site makes a browser do.

use crate::harness::{ADMIN, ADMIN_PASSWORD, PASSWORD, Program, Request, Server};

/// What browsers say about where a request comes from, and whether it is foreign to a service
/// that is reached as `app.example.com`.
const SENT: &[(&[(&str, &str)], bool)] = &[
    (&[], false),
    (&[("Origin", "http://app.example.com")], false),
    (&[("Origin", "https://app.example.com")], false),
    (&[("Origin", "http://app.example.com"), ("Sec-Fetch-Site", "same-origin")], false),
    (&[("Sec-Fetch-Site", "same-origin")], false),
    (&[("Sec-Fetch-Site", "none")], false),
    (&[("Origin", "https://evil.example")], true),
    (&[("Origin", "null")], true),
    (&[("Origin", "")], true),
    (&[("Origin", "http://app.example.com.evil.example")], true),
    (&[("Origin", "http://app.example.com:8080")], true),
    (&[("Origin", "http://evil.example"), ("Sec-Fetch-Site", "same-origin")], true),
    (&[("Sec-Fetch-Site", "cross-site")], true),
    (&[("Sec-Fetch-Site", "same-site")], true),
    (&[("Origin", "http://app.example.com"), ("Sec-Fetch-Site", "cross-site")], true),
    (&[("Origin", "http://app.example.com"), ("Origin", "http://evil.example")], true),
];

fn with(request: Request, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

fn server(kind: &str) -> Server {
    Program::of(kind).start()
}

/// A request whose `Host` is that of the service, as a browser has it.
fn to(server: &Server, method: &str, path: &str) -> Request {
    Request::to_host(server.address, "app.example.com", method, path)
}

#[test]
fn a_foreign_site_changes_nothing_with_the_cookie() {
    let server = server("session_db_auth");
    let id = server.add_user("bob@example.com");
    let path = format!("/api/v1/users/{id}");
    let admin = server.admin();
    for (headers, foreign) in SENT {
        for (method, path, answer) in [
            ("PUT", path.as_str(), 200),
            ("PUT", "/api/v1/users/x", 404),
            ("DELETE", "/api/v1/users/x", 404),
            ("POST", "/api/v1/users", 400),
            ("PATCH", "/api/v1/users", 405),
            ("POST", "/api/v1/nothing", 404),
        ] {
            let request = with(to(&server, method, path).session(&admin), headers);
            let got = request.json(&serde_json::json!({})).send();
            let expected = if *foreign { 403 } else { answer };
            assert_eq!(got.status, expected, "{method} {path} {headers:?}: {}", got.body);
            if *foreign {
                got.assert_error(403, "Forbidden");
            }
        }
        let logout = with(to(&server, "DELETE", "/api/v1/auth_session/logout"), headers);
        let session = server.admin();
        let expected = if *foreign { 403 } else { 200 };
        assert_eq!(logout.session(&session).send().status, expected, "logout {headers:?}");
        let alive = server.get("/api/v1/users/me").session(&session).send().status;
        assert_eq!(alive, if *foreign { 200 } else { 403 }, "{headers:?}");
    }
    server.wait_for("event=malicious_csrf");
}

#[test]
fn what_only_reads_is_free() {
    let server = server("session_db_auth");
    let admin = server.admin();
    for (headers, _) in SENT {
        for method in ["GET", "HEAD"] {
            let request = with(to(&server, method, "/api/v1/users").session(&admin), headers);
            assert_eq!(request.send().status, 200, "{headers:?}");
        }
    }
}

#[test]
fn a_login_is_covered_with_and_without_a_cookie() {
    for kind in ["session_auth", "session_db_auth"] {
        let server = server(kind);
        for path in ["/api/v1/auth_session/login", "/api/v1/auth_session/login/"] {
            for (headers, foreign) in SENT {
                let login = with(to(&server, "POST", path), headers);
                let answer = login.form(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send();
                let expected = if *foreign { 403 } else { 200 };
                assert_eq!(answer.status, expected, "{headers:?}");
                assert_eq!(answer.session_id().is_none(), *foreign);
            }
        }
    }
}

#[test]
fn a_bearer_is_not_added_by_a_browser() {
    let server = server("session_db_auth");
    for (headers, _) in SENT {
        let (bearer, cookie) = (server.admin(), server.admin());
        let put = |request: Request| {
            let request = with(request, headers).bearer(&bearer);
            request.json(&serde_json::json!({})).send().status
        };
        assert_eq!(put(to(&server, "PUT", "/api/v1/users/x")), 404, "{headers:?}");
        assert_eq!(put(to(&server, "PUT", "/api/v1/users/x").session(&cookie)), 404, "{headers:?}");
    }
}

#[test]
fn basic_credentials_are_added_by_a_browser_like_the_cookie() {
    let server = server("basic_auth");
    for (headers, foreign) in SENT {
        let request = with(to(&server, "DELETE", "/api/v1/users/x"), headers);
        let answer = request.basic(ADMIN, ADMIN_PASSWORD).send();
        assert_eq!(answer.status, if *foreign { 403 } else { 404 }, "{headers:?}");
    }
}

#[test]
fn who_sends_no_credentials_is_told_so_first() {
    let server = server("session_db_auth");
    let request = to(&server, "DELETE", "/api/v1/users/x").header("Origin", "https://evil.example");
    request.send().assert_error(401, "Unauthorized");
}

#[test]
fn origins_that_are_listed_by_name_may_and_a_star_does_not_count() {
    let origins = "https://spa.example.com,*";
    let server = Program::of("session_db_auth").set("CORS_ORIGINS", origins).start();
    let admin = server.admin();
    for (headers, expected) in [
        (&[("Origin", "https://spa.example.com")][..], 404),
        (&[("Origin", "https://spa.example.com"), ("Sec-Fetch-Site", "cross-site")], 404),
        (&[("Origin", "https://spa.example.com"), ("Sec-Fetch-Site", "same-site")], 404),
        (&[("Origin", "https://SPA.example.com")], 403),
        (&[("Origin", "https://spa.example.com/")], 403),
        (&[("Origin", "http://spa.example.com")], 403),
        (&[("Origin", "https://spa.example.com"), ("Origin", "https://evil.example")], 403),
        (&[("Origin", "https://other.example")], 403),
        (&[("Origin", "*")], 403),
        (&[("Sec-Fetch-Site", "cross-site")], 403),
    ] {
        let request = with(to(&server, "DELETE", "/api/v1/users/x").session(&admin), headers);
        assert_eq!(request.send().status, expected, "{headers:?}");
    }
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
    assert_eq!(login.header("Origin", "https://spa.example.com").send().status, 200);
}

#[test]
fn a_public_url_is_the_only_own_origin() {
    let server = Program::of("session_db_auth").set("PUBLIC_URL", "https://id.example.com").start();
    let admin = server.admin();
    for (origin, expected) in [
        ("https://id.example.com", 404),
        ("http://id.example.com", 403),
        ("https://app.example.com", 403),
        ("http://app.example.com", 403),
    ] {
        let request = to(&server, "DELETE", "/api/v1/users/x").header("Origin", origin);
        let cookie = format!("__Host-_my_session_id={admin}");
        assert_eq!(request.header("Cookie", &cookie).send().status, expected, "{origin}");
    }
}

#[test]
fn forwarding_headers_make_nothing_ones_own() {
    let server = server("session_db_auth");
    let admin = server.admin();
    for (name, value) in [
        ("X-Forwarded-Host", "evil.example"),
        ("Forwarded", "host=evil.example"),
        ("X-Forwarded-Proto", "https"),
    ] {
        let request = to(&server, "DELETE", "/api/v1/users/x").session(&admin);
        let request = request.header(name, value).header("Origin", "https://evil.example");
        assert_eq!(request.send().status, 403, "{name}");
    }
}

#[test]
fn a_foreign_site_cannot_delete_the_user_who_visits_it() {
    let server = server("session_db_auth");
    let id = server.add_user("bob@example.com");
    let bob = server.log_in("bob@example.com", PASSWORD);
    let path = format!("/api/v1/users/{id}");
    let request = server.delete(&path).session(&bob).header("Sec-Fetch-Site", "cross-site");
    request.send().assert_error(403, "Forbidden");
    assert_eq!(server.get("/api/v1/users/me").session(&bob).send().status, 200);
}
