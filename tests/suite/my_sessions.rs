//! Sessions as their owners and admins see and end them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Client, InProcess, NOBODY, PASSWORD, SESSION_KINDS, START,
    Server,
};

const MINE: &str = "/api/v1/users/me/sessions";
const BOB: &str = "bob@example.com";

fn list(server: &Client, path: &str, session: &str) -> Vec<Value> {
    let answer = server.get(path).session(session).send();
    assert_eq!(answer.status, 200, "{}", answer.body);
    serde_json::from_value(answer.json()).unwrap()
}

fn me(server: &Client, session: &str) -> u16 {
    server.get("/api/v1/users/me").session(session).send().status
}

/// The public id of the session that asks.
fn public_id(server: &Client, session: &str) -> String {
    let sessions = list(server, MINE, session);
    let current = sessions.iter().find(|session| session["current"] == true).unwrap();
    current["id"].as_str().unwrap().to_owned()
}

fn assert_forgets_cookie(answer: &Answer) {
    let cookie = answer.header("set-cookie").expect("the cookie is taken back");
    assert!(cookie.starts_with("_my_session_id=;") && cookie.contains("Max-Age=0"), "{cookie}");
    assert_eq!(answer.header("clear-site-data"), Some("\"cache\", \"storage\""));
}

#[test]
fn a_user_sees_his_sessions_oldest_first_and_which_one_is_his() {
    for kind in SESSION_KINDS {
        let server = InProcess::with(&["--auth-type", kind]);
        let phone =
            server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD), ("remember", "1")]);
        let phone = phone.header("User-Agent", "Phone/1").send().session_id().unwrap();
        server.advance(Duration::from_secs(5));
        let desk = server.admin();
        server.advance(Duration::from_secs(5));
        let sessions = list(&server, MINE, &desk);
        let of = |name: &str| sessions.iter().map(|s| s[name].clone()).collect::<Vec<_>>();
        assert_eq!(of("current"), [json!(false), json!(true)], "{kind}");
        assert_eq!(of("remembered"), [json!(true), json!(false)]);
        assert_eq!(of("user_agent"), [json!("Phone/1"), Value::Null]);
        assert_eq!(of("client_address"), [json!("127.0.0.1"), json!("127.0.0.1")]);
        let created = [json!("2026-01-02T03:04:05.678Z"), json!("2026-01-02T03:04:10.678Z")];
        assert_eq!(of("created_at"), created);
        let seen = [json!("2026-01-02T03:04:05.678Z"), json!("2026-01-02T03:04:15.678Z")];
        assert_eq!(of("last_seen_at"), seen);
        let ends = match kind {
            "session_auth" => [Value::Null, Value::Null],
            _ => [json!("2026-02-01T03:04:05.678Z"), json!("2026-01-03T03:04:10.678Z")],
        };
        assert_eq!(of("expires_at"), ends);
        let ids = of("id");
        assert!(ids[0] != ids[1] && ids.iter().all(|id| id.as_str().unwrap().len() == 36));
        let body = server.get(MINE).session(&desk).send().body;
        assert!(!body.contains(&phone) && !body.contains(&desk) && !body.contains("hash"));
    }
}

#[test]
fn what_has_ended_is_not_listed() {
    let server = InProcess::with(&["--session-idle-timeout", "10"]);
    let first = server.admin();
    server.advance(Duration::from_secs(6));
    let second = server.admin();
    assert_eq!(list(&server, MINE, &second).len(), 2);
    server.advance(Duration::from_secs(6));
    // The first is over its limit, though nobody has swept it away.
    assert_eq!(list(&server, MINE, &second).len(), 1);
    assert_eq!(me(&server, &first), 403);
}

#[test]
fn a_user_ends_one_of_his_sessions() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let (lost, kept) = (server.admin(), server.admin());
        let path = format!("{MINE}/{}", public_id(&server, &lost));
        let ended = server.delete(&path).session(&kept).send();
        ended.assert_is(200, "{}");
        assert_eq!(ended.header("set-cookie"), None);
        assert_eq!((me(&server, &lost), me(&server, &kept)), (403, 200), "{kind}");
        server.delete(&path).session(&kept).send().assert_error(404, "Not found");

        // His own is like a logout.
        let path = format!("{MINE}/{}", public_id(&server, &kept));
        assert_forgets_cookie(&server.delete(&path).session(&kept).send());
        assert_eq!(me(&server, &kept), 403);
    }
}

#[test]
fn of_many_who_end_a_session_at_once_one_does() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let kept = server.admin();
        for round in 0..25 {
            let path = format!("{MINE}/{}", public_id(&server, &server.admin()));
            let end = || server.delete(&path).session(&kept).start();
            let mut statuses = [end(), end(), end()].map(|answer| answer.finish().status);
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 404, 404], "{kind} {round}");
        }
    }
}

#[test]
fn a_user_ends_all_his_other_sessions_or_all() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        server.add_user(BOB);
        let bob = server.log_in(BOB, PASSWORD);
        let (one, two, own) = (server.admin(), server.admin(), server.admin());
        let ended = server.delete(MINE).session(&own).send();
        ended.assert_is(200, "{}");
        assert_eq!(ended.header("set-cookie"), None);
        assert_eq!([&one, &two, &own, &bob].map(|id| me(&server, id)), [403, 403, 200, 200]);

        let other = server.admin();
        for bad in ["all=perhaps", "all=true&all=true"] {
            assert_eq!(server.delete(&format!("{MINE}?{bad}")).session(&own).send().status, 400);
        }
        assert_forgets_cookie(&server.delete(&format!("{MINE}?all=true")).session(&own).send());
        assert_eq!([&other, &own, &bob].map(|id| me(&server, id)), [403, 403, 200], "{kind}");
    }
}

#[test]
fn sessions_that_were_ended_stay_so_after_a_kill() {
    let server = Server::of("session_db_auth");
    let (one, two, own) = (server.admin(), server.admin(), server.admin());
    let path = format!("{MINE}/{}", public_id(&server, &one));
    assert_eq!(server.delete(&path).session(&own).send().status, 200);
    let server = server.kill().start();
    assert_eq!([&one, &two, &own].map(|id| me(&server, id)), [403, 200, 200]);
    assert_eq!(server.delete(MINE).session(&own).send().status, 200);
    let server = server.kill().start();
    assert_eq!([&two, &own].map(|id| me(&server, id)), [403, 200]);
    assert_eq!(server.delete("/api/v1/sessions").session(&own).send().status, 200);
    let server = server.kill().start();
    assert_eq!(me(&server, &own), 403);
}

#[test]
fn an_admin_does_the_same_for_anybody_and_a_user_only_for_himself() {
    let server = Server::of("session_db_auth");
    let bob_id = server.add_user(BOB);
    server.add_user("eve@example.com");
    let (admin, eve) = (server.admin(), server.log_in("eve@example.com", PASSWORD));
    let (one, two) = (server.log_in(BOB, PASSWORD), server.log_in(BOB, PASSWORD));
    let his = format!("/api/v1/users/{bob_id}/sessions");
    let one_path = format!("{his}/{}", public_id(&server, &one));

    for (method, path) in [("GET", &his), ("DELETE", &his), ("DELETE", &one_path)] {
        let refused = server.request(method, path).session(&eve).send();
        refused.assert_error(403, "Forbidden");
    }
    let sessions = list(&server, &his, &admin);
    assert_eq!(sessions.len(), 2);
    assert!(sessions.iter().all(|session| session["current"] == false));
    assert_eq!(list(&server, &his, &one).len(), 2, "he may use his id for me");

    // A session is only found under its own user.
    let elsewhere = format!("{MINE}/{}", public_id(&server, &one));
    assert_eq!(server.delete(&elsewhere).session(&admin).send().status, 404);
    assert_eq!(server.delete(&elsewhere).session(&eve).send().status, 404);
    assert_eq!(server.delete(&one_path).session(&admin).send().status, 200);
    assert_eq!([&one, &two].map(|id| me(&server, id)), [403, 200]);
    let ended = server.delete(&format!("{his}?all=true")).session(&admin).send();
    assert_eq!((ended.status, ended.header("set-cookie")), (200, None), "his own goes on");
    assert_eq!([&two, &admin, &eve].map(|id| me(&server, id)), [403, 200, 200]);

    let nobodys = format!("/api/v1/users/{NOBODY}/sessions");
    assert_eq!(server.get(&nobodys).session(&admin).send().status, 404);
    assert_eq!(server.delete(&nobodys).session(&admin).send().status, 404);
    assert_eq!(server.get(&nobodys).session(&eve).send().status, 403);
}

#[test]
fn an_admin_ends_everybodys_sessions_and_a_user_does_not() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        server.add_user(BOB);
        let (admin, bob) = (server.admin(), server.log_in(BOB, PASSWORD));
        server.delete("/api/v1/sessions").session(&bob).send().assert_error(403, "Forbidden");
        let ended = server.delete("/api/v1/sessions").session(&admin).send();
        ended.assert_is(200, "{}");
        assert_forgets_cookie(&ended);
        assert_eq!([&admin, &bob].map(|id| me(&server, id)), [403, 403], "{kind}");
        assert_eq!(me(&server, &server.admin()), 200);
    }
}

#[test]
fn one_login_too_many_ends_the_oldest_session() {
    for kind in SESSION_KINDS {
        let server = InProcess::with(&["--auth-type", kind, "--sessions-per-user", "3"]);
        let mut sessions = Vec::new();
        for _ in 0..5 {
            sessions.push(server.admin());
            server.advance(Duration::from_secs(1));
        }
        let statuses: Vec<u16> = sessions.iter().map(|id| me(&server, id)).collect();
        assert_eq!(statuses, [403, 403, 200, 200, 200], "{kind}");
        // One that replaces its predecessor ends no other.
        let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
        let newest = login.session(&sessions[4]).send().session_id().unwrap();
        sessions.push(newest);
        let statuses: Vec<u16> = sessions[2..].iter().map(|id| me(&server, id)).collect();
        assert_eq!(statuses, [200, 200, 403, 200], "{kind}");
    }
}

#[test]
fn a_session_that_is_over_takes_no_place() {
    let server = InProcess::with(&["--sessions-per-user", "2", "--session-idle-timeout", "10"]);
    let old = server.admin();
    server.advance(Duration::from_secs(6));
    let idle = server.admin();
    server.advance(Duration::from_secs(3));
    assert_eq!(me(&server, &old), 200, "in use");
    server.advance(Duration::from_secs(8));
    // `idle` is over its limit, so there is room beside the older one.
    let new = server.admin();
    assert_eq!([&old, &idle, &new].map(|id| me(&server, id)), [200, 403, 200]);
}

#[test]
fn a_session_that_is_over_by_the_limits_in_force_takes_no_place() {
    let server = InProcess::with(&["--sessions-per-user", "2"]);
    let old = server.admin();
    server.advance(Duration::from_secs(1));
    let idle = server.admin();
    let now = START.plus(Duration::from_secs(1));
    let server = server.restart_with(&["--session-idle-timeout", "10"], now);
    server.advance(Duration::from_secs(6));
    assert_eq!(me(&server, &old), 200, "in use");
    server.advance(Duration::from_secs(6));
    let new = server.admin();
    assert_eq!([&old, &idle, &new].map(|id| me(&server, id)), [200, 403, 200]);
}

#[test]
fn where_there_are_no_sessions_there_are_none_to_list() {
    let server = Server::of("basic_auth");
    let by_admin = |method, path: &str| server.by_admin(server.request(method, path)).send();
    // Not that there are none: those in the file live again under another kind.
    by_admin("GET", MINE).assert_error(404, "Not found");
    by_admin("DELETE", MINE).assert_error(404, "Not found");
    let all = by_admin("DELETE", "/api/v1/sessions");
    all.assert_error(404, "Not found");
    assert_eq!(all.header("set-cookie"), None);
    by_admin("DELETE", &format!("{MINE}/{NOBODY}")).assert_error(404, "Not found");
    by_admin("GET", "/api/v1/auth_session").assert_error(404, "Not found");
    by_admin("POST", "/api/v1/auth_session/refresh").assert_error(404, "Not found");
    let reauth = server.by_admin(server.post("/api/v1/auth_session/reauth"));
    reauth.form(&[("password", ADMIN_PASSWORD)]).send().assert_error(404, "Not found");
    let (.., log) = server.stop();
    assert!(!log.iter().any(|line| line.contains("authn_token_revoked")), "{log:?}");

    let server = Server::of("none");
    server.get(MINE).send().assert_error(404, "Not found");
    server.get("/api/v1/auth_session").send().assert_error(404, "Not found");
}

#[test]
fn other_methods_are_told_which_there_are() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    for (method, path, allowed) in [
        ("POST", MINE, "GET, HEAD, DELETE"),
        ("GET", &format!("{MINE}/{NOBODY}"), "DELETE"),
        ("GET", "/api/v1/sessions/", "DELETE"),
        ("POST", "/api/v1/auth_session", "GET, HEAD"),
        ("GET", "/api/v1/auth_session/refresh", "POST"),
        ("GET", "/api/v1/auth_session/reauth/", "POST"),
        ("POST", "/api/v1/users/me/password", "PUT"),
    ] {
        let answer = server.request(method, path).session(&admin).send();
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allowed)), "{path}");
        assert_eq!(server.request(method, path).send().status, 401, "{path}");
    }
}
