//! What a decision goes by, and what it does not.

use std::time::Duration;

use serde_json::json;
use sessiond::auth::accounts::UserPatch;
use sessiond::models::Role;

use super::matrix::{MATRIX, OPEN};
use super::stage::{Actor, Stage};
use crate::harness::{NOBODY, PASSWORD};
use crate::{files, settings};

const CONTROLS: &str = "docs/CONTROLS.md";

pub fn context_is_named() {
    settings::assert_defaults(
        &files::section(CONTROLS, "Context"),
        &["REAUTH_WINDOW", "CORS_ORIGINS"],
    );
}

/// A session goes on when address and agent change: nothing but the id counts.
pub fn address_and_agent_decide_nothing() {
    let stage = Stage::new();
    let bob = stage.person(Role::User);
    for agent in ["curl/8", "Mozilla/5.0 (X11; Linux x86_64)", ""] {
        let me = stage.server.get("/api/v1/users/me").session(&bob.session);
        let me = me.header("User-Agent", agent).header("Accept-Language", "tlh");
        assert_eq!(me.header("X-Forwarded-For", "203.0.113.7").send().status, 200, "{agent}");
    }
}

/// A proof is fresh for `REAUTH_WINDOW`, and only if it is not older than the role.
pub fn the_age_of_a_proof_decides() {
    let stage = Stage::new();
    let window: u64 = settings::default_of("REAUTH_WINDOW").parse().unwrap();
    let bob = stage.person(Role::User);
    let end_others =
        |session: &str| stage.server.delete("/api/v1/users/me/sessions").session(session).send();
    stage.server.advance(Duration::from_millis(window * 1000 - 1));
    end_others(&bob.session).assert_is(200, "{}");
    stage.server.advance(Duration::from_millis(1));
    end_others(&bob.session).assert_error(403, "Fresh login required");
    let reauth = stage.server.post("/api/v1/auth_session/reauth").session(&bob.session);
    let reauth = reauth.json(&json!({ "password": PASSWORD })).send();
    let session = reauth.session_id().unwrap();
    end_others(&session).assert_is(200, "{}");
    stage.server.advance(Duration::from_millis(1));
    stage.change(bob.id, UserPatch { role: Some(Role::Admin), ..UserPatch::default() });
    end_others(&session).assert_error(403, "Fresh login required");
}

/// The same for what admins do to others: a password, a role, an end.
pub fn the_age_of_a_proof_decides_for_admins() {
    let stage = Stage::new();
    let role = json!({ "role": "admin" });
    for (method, route) in [
        ("PUT", "/users/{id}"),
        ("PUT", "/users/{id}/password"),
        ("DELETE", "/users/{id}"),
        ("DELETE", "/users/{id}/sessions"),
        ("DELETE", "/sessions"),
        ("POST", "/admin/backup"),
    ] {
        let call = |actor| {
            let scene = stage.scene(actor);
            if route == "/users/{id}" && method == "PUT" {
                return scene.as_actor(method, &scene.path(route)).json(&role).send();
            }
            scene.call(method, route)
        };
        let done = if method == "POST" { 201 } else { 200 };
        assert_eq!(call(Actor::Admin).status, done, "{method} {route}");
        call(Actor::OldProof).assert_error(403, "Fresh login required");
    }
}

/// Neither by his id nor by the id of what is his can anybody reach what belongs to somebody else.
pub fn anothers_records_are_out_of_reach() {
    let stage = Stage::new();
    let (bob, cat) = (stage.person(Role::User), stage.person(Role::User));
    let cats = stage.server.get("/api/v1/auth_session").session(&cat.session).send();
    let cats = cats.json()["id"].as_str().unwrap().to_owned();
    let before = stage.stored(cat.id);
    let cat_path = format!("/api/v1/users/{}", cat.id);
    for (method, path, status) in [
        ("GET", cat_path.clone(), 403),
        ("PUT", cat_path.clone(), 403),
        ("DELETE", cat_path.clone(), 403),
        ("PUT", format!("{cat_path}/password"), 403),
        ("GET", format!("{cat_path}/sessions"), 403),
        ("DELETE", format!("{cat_path}/sessions"), 403),
        ("DELETE", format!("{cat_path}/sessions/{cats}"), 403),
        ("DELETE", format!("/api/v1/users/me/sessions/{cats}"), 404),
        ("DELETE", format!("/api/v1/users/{}/sessions/{cats}", bob.id), 404),
    ] {
        let body = json!({
            "first_name": "Mallory", "current_password": PASSWORD, "new_password": "x y z 1 2 3",
            "id": cat.id.to_string(), "user_id": cat.id.to_string(),
        });
        let request = stage.server.request(method, &path).session(&bob.session);
        assert_eq!(request.json(&body).send().status, status, "{method} {path}");
    }
    assert_eq!(stage.stored(cat.id), before);
    assert_eq!(stage.server.get("/api/v1/users/me").session(&cat.session).send().status, 200);
    let list = stage.server.get("/api/v1/users/me/sessions").session(&bob.session).send();
    assert!(!list.body.contains(&cats), "{}", list.body);
}

/// To a plain user somebody else and nobody are the same.
pub fn nobody_is_told_who_exists() {
    let stage = Stage::new();
    let (bob, cat) = (stage.person(Role::User), stage.person(Role::User));
    for (method, rest) in MATRIX.iter().filter_map(|(method, route, _)| {
        route.strip_prefix("/users/{id}").map(|rest| (*method, rest.replace("{session}", NOBODY)))
    }) {
        let ask = |id: &str| {
            let path = format!("/api/v1/users/{id}{rest}");
            let answer = stage.server.request(method, &path).session(&bob.session).send();
            (answer.status, answer.body)
        };
        let known = ask(&cat.id.to_string());
        assert_eq!(known.0, 403, "{method} {rest}");
        for id in [NOBODY, "x", "0", "admin@example.com", "%C3%A4"] {
            assert_eq!(ask(id), known, "{method} {rest} {id}");
        }
    }
}

/// What makes a sloppy reader take a request for one that is free.
pub fn nothing_gets_around_the_guard() {
    let stage = Stage::new();
    for path in [
        "//api/v1/users",
        "/api//v1/users",
        "/api/v1/%75sers",
        "/%61pi/v1/users",
        "/api/v1/users//",
        "/api/v1/status/../users",
        "/api/v1/status/%2e%2e/users",
        "/api/v1/./users",
        "/api/v1/users%2fme",
        "/api/v1/users%00",
        "/api/v1/users\\me",
    ] {
        assert_eq!(stage.server.get(path).send().status, 400, "{path}");
    }
    for path in [
        "/api/v1/users?/api/v1/status",
        "/api/v1/users#/api/v1/status",
        "/api/v1/users/",
        "/api/v1/status;x",
        "/api/v1/users.json",
        "/api/v1/statusx",
        "/api/v1/status/x",
    ] {
        let answer = stage.server.get(path).send();
        assert_eq!(answer.status, 401, "{path}: {answer:?}");
    }
    for path in ["/users", "/API/V1/users", "/api/v2/users", "/v1/users"] {
        stage.server.get(path).send().assert_error(404, "Not found");
    }
    for (name, value) in [
        ("X-Original-URL", "/api/v1/status"),
        ("X-Rewrite-URL", "/api/v1/status"),
        ("X-HTTP-Method-Override", "GET"),
        ("X-Middleware-Subrequest", "1"),
        ("X-Forwarded-User", crate::harness::ADMIN),
        ("X-Forwarded-For", "127.0.0.1"),
        ("Forwarded", "for=127.0.0.1"),
        ("User-Agent", "kube-probe/1.30"),
        ("Upgrade", "websocket"),
    ] {
        for (method, path) in [("GET", "/api/v1/users"), ("DELETE", "/api/v1/sessions")] {
            let answer = stage.server.request(method, path).header(name, value).send();
            assert_eq!(answer.status, 401, "{method} {name}");
        }
    }
}

/// Who loses a right loses it with the next request, and who gets one has it then.
pub fn changes_count_at_once() {
    let stage = Stage::new();
    let bob = stage.person(Role::User);
    let list = || stage.server.get("/api/v1/users").session(&bob.session).send().status;
    let change = |patch| stage.change(bob.id, patch);
    let role = |role| UserPatch { role: Some(role), ..UserPatch::default() };
    assert_eq!(list(), 403);
    change(role(Role::Admin));
    assert_eq!(list(), 200);
    change(role(Role::User));
    assert_eq!(list(), 403);
    change(role(Role::Admin));
    change(UserPatch { disabled: Some(true), ..UserPatch::default() });
    assert_eq!(list(), 403);
    change(UserPatch { disabled: Some(false), ..UserPatch::default() });
    assert_eq!(list(), 403, "his sessions have ended");
}

/// A proxy that keeps one connection for many users does not lend one the rights of another.
pub fn on_one_connection_every_request_counts_for_itself() {
    let stage = Stage::new();
    let (bob, admin) = (stage.person(Role::User), stage.person(Role::Admin));
    let mut connection = stage.server.connect();
    let mut list = |cookie: &str| {
        let host = stage.server.address;
        connection.write(format!("GET /api/v1/users HTTP/1.1\r\nHost: {host}\r\n{cookie}\r\n"));
        connection.answer().unwrap().status
    };
    let cookie = |session: &str| format!("Cookie: _my_session_id={session}\r\n");
    let (bob, admin) = (cookie(&bob.session), cookie(&admin.session));
    let statuses = [&admin, &bob, "", &admin, ""].map(&mut list);
    assert_eq!(statuses, [200, 403, 401, 200, 401]);
}

/// A cookie and a bearer token of different users are a contradiction, in either order.
pub fn two_users_in_one_request_are_refused() {
    let stage = Stage::new();
    let (bob, admin) = (stage.person(Role::User), stage.person(Role::Admin));
    for (cookie, bearer) in [(&bob, &admin), (&admin, &bob)] {
        for (method, path) in [("GET", "/api/v1/users"), ("DELETE", "/api/v1/sessions")] {
            let request = stage.server.request(method, path).session(&cookie.session);
            let answer = request.bearer(&bearer.session).send();
            answer.assert_error(400, "cookie and Authorization belong to different users");
        }
    }
}

/// The routes where a plain user is refused, be it for another user's sake, and an admin is not.
pub fn admin_functions_are_listed() {
    let section = files::section(CONTROLS, "Admin functions");
    let place = |actor| Actor::ALL.iter().position(|(a, _)| *a == actor).unwrap();
    let column = |statuses: &[u16; 10], actor| statuses[place(actor)];
    let only = MATRIX.iter().filter(|(_, route, statuses)| {
        !OPEN.contains(route)
            && column(statuses, Actor::Another) == 403
            && column(statuses, Actor::Admin) < 300
    });
    let listed = only.map(|(method, route, statuses)| {
        let whose = if column(statuses, Actor::Himself) < 300 { " of another" } else { "" };
        format!("- `{method} {route}`{whose}")
    });
    let listed: Vec<String> = listed.collect();
    assert!(listed.len() > 5 && section.contains(&listed.join("\n")), "{}", listed.join("\n"));
}
