//! What is told when it happens.

use serde_json::json;
use sessiond::auth::audit::Event;

use super::{Audited, BOB, WRONG};
use crate::harness::{ADMIN, ADMIN_PASSWORD, NO_SESSION, PASSWORD, Request};

pub fn attempts_are_logged() {
    let audited = Audited::of("session_db_auth");
    let server = &audited.server;
    let (bob, eve) = (server.add_user(BOB), server.add_user("eve@example.com"));
    let disable = server.put(&format!("/api/v1/users/{eve}"));
    let disable = server.by_admin(disable).json(&json!({ "disabled": true }));
    assert_eq!(disable.send().status, 200);
    let login =
        |email: &str, password: &str| server.login(&[("email", email), ("password", password)]);
    let session = server.log_in(BOB, PASSWORD);
    let reauth = |session: &str, password: &str| {
        let request = server.post("/api/v1/auth_session/reauth").session(session);
        request.form(&[("password", password)])
    };
    let change = |current: &str| {
        let body = json!({ "current_password": current, "new_password": "a new password 3" });
        server.put("/api/v1/users/me/password").session(&session).json(&body)
    };
    for (request, event, subject, detail) in [
        (login(BOB, PASSWORD), Event::LoginSucceeded, &*bob, "login"),
        (login(BOB, WRONG), Event::LoginFailed, &bob, "login: wrong password"),
        (login(BOB, PASSWORD), Event::LoginSucceededAfterFailures, &bob, "login"),
        (login("eve@example.com", PASSWORD), Event::LoginFailed, &eve, "login: disabled"),
        (login("x@y.z", PASSWORD), Event::LoginFailed, "-", "login: unknown user"),
        (reauth(&session, WRONG), Event::LoginFailed, &bob, "reauth: wrong password"),
        (change(WRONG), Event::LoginFailed, &bob, "current password: wrong password"),
    ] {
        let (answer, line) = audited.one(request);
        assert_eq!(line["event"], event.name(), "{answer:?}");
        assert_eq!((&line["subject"], &line["detail"]), (&json!(subject), &json!(detail)));
        // Who fails has not shown who he is, unless he has a session already.
        let is_known = event != Event::LoginFailed || line["session"] != "-";
        let actor = if is_known { subject } else { "-" };
        assert_eq!(line["actor"], actor, "{line}");
    }
    for _ in 0..11 {
        login("x@y.z", WRONG).send();
    }
    let (answer, line) = audited.one(login("x@y.z", PASSWORD));
    assert_eq!((answer.status, &line["event"]), (429, &json!("excess_rate_limit_exceeded")));
}

pub fn basic_attempts_are_logged() {
    let audited = Audited::of("basic_auth");
    let bob = audited.server.add_user(BOB);
    let me = || audited.server.get("/api/v1/users/me");
    for (request, status, event, detail) in [
        (me().basic(BOB, PASSWORD), 200, Event::LoginSucceeded, "basic"),
        (me().basic(BOB, WRONG), 403, Event::LoginFailed, "basic: wrong password"),
    ] {
        let (answer, line) = audited.one(request);
        assert_eq!((answer.status, &line["event"]), (status, &json!(event.name())));
        assert_eq!((&line["subject"], &line["detail"]), (&json!(bob), &json!(detail)));
    }
}

pub fn denials_are_logged() {
    let audited = Audited::of("session_db_auth");
    let server = &audited.server;
    let bob = server.add_user(BOB);
    let session = server.log_in(BOB, PASSWORD);
    let admin = server.by_admin(server.get("/api/v1/users/me")).send().json();
    let of_admin = format!("/api/v1/users/{}", admin["id"].as_str().unwrap());
    let name = json!({ "first_name": "x" });
    for (method, path) in [
        ("GET", "/api/v1/users"),
        ("POST", "/api/v1/users"),
        ("GET", &of_admin),
        ("PUT", &of_admin),
        ("DELETE", &of_admin),
        ("GET", &format!("{of_admin}/sessions")),
        ("DELETE", "/api/v1/sessions"),
    ] {
        let (answer, line) =
            audited.one(server.request(method, path).session(&session).json(&name));
        assert_eq!((answer.status, &line["event"]), (403, &json!("authz_fail")), "{method} {path}");
        assert_eq!(line["actor"], bob);
        assert_eq!(line["detail"], format!("Forbidden: {method} {path}"));
    }
    // Who says nothing of himself is a line of a request, with where it came from.
    assert_eq!(server.get("/api/v1/users").header("X-Request-Id", "a-1").send().status, 401);
    let (.., log) = audited.server.stop();
    let refused = log.iter().find(|line| line.contains("request_id=a-1")).unwrap();
    assert!(refused.contains("path=/api/v1/users status=401"), "{refused}");
    assert!(refused.ends_with("client=127.0.0.1"), "{refused}");
}

pub fn ways_around_are_logged() {
    let audited = Audited::of("session_db_auth");
    let server = &audited.server;
    let id = server.admin();
    let users = || server.get("/api/v1/users");
    let foreign = |request: Request| request.header("Sec-Fetch-Site", "cross-site");
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
    for (request, event) in [
        (users().session(NO_SESSION), Event::SessionUnknown),
        (users().bearer(NO_SESSION), Event::SessionUnknown),
        (users().session(&id).session(&id), Event::InputRefused),
        (users().bearer(&id).basic(ADMIN, ADMIN_PASSWORD), Event::InputRefused),
        (server.get("/api/v1/%75sers").session(&id), Event::InputRefused),
        (server.get("/api/v1/status/../users"), Event::InputRefused),
        (server.get("/api/v1//users"), Event::InputRefused),
        (users().header("X", &"x".repeat(17_000)), Event::InputRefused),
        (foreign(login), Event::CrossSiteRefused),
        (
            foreign(server.delete("/api/v1/auth_session/logout").session(&id)),
            Event::CrossSiteRefused,
        ),
    ] {
        let (answer, line) = audited.one(request);
        assert_eq!(line["event"], event.name(), "{answer:?}");
        assert_eq!(line["level"], "warn", "{line}");
        assert!(answer.status >= 400, "{answer:?}");
    }
}
