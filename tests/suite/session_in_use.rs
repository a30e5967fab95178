//! The session in use: what it tells of itself, and how it gets a new id.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Client, InProcess, PASSWORD, SESSION_KINDS, Server,
};

const CURRENT: &str = "/api/v1/auth_session";
const REFRESH: &str = "/api/v1/auth_session/refresh";
const REAUTH: &str = "/api/v1/auth_session/reauth";

fn me(server: &Client, session: &str) -> u16 {
    server.get("/api/v1/users/me").session(session).send().status
}

fn current(server: &Client, session: &str) -> Value {
    let answer = server.get(CURRENT).session(session).send();
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert!(!answer.body.contains(session), "{}", answer.body);
    answer.json()
}

fn reauth(server: &Client, session: &str, password: &str) -> Answer {
    server.post(REAUTH).session(session).form(&[("password", password)]).send()
}

#[test]
fn a_session_tells_about_itself_and_what_is_left_of_it() {
    let server = InProcess::with(&[]);
    let session = server.admin();
    server.advance(Duration::from_secs(1000));
    let told = current(&server, &session);
    assert_eq!(told["user"], server.get("/api/v1/users/me").session(&session).send().json());
    for (member, value) in [
        ("created_at", json!("2026-01-02T03:04:05.678Z")),
        ("last_seen_at", json!("2026-01-02T03:20:45.678Z")),
        ("expires_at", json!("2026-01-03T03:04:05.678Z")),
        ("expires_in", json!(85_400)),
        ("idle_expires_at", json!("2026-01-02T04:20:45.678Z")),
        ("idle_expires_in", json!(3600)),
        ("remembered", json!(false)),
        ("authenticated_at", json!("2026-01-02T03:04:05.678Z")),
        ("authenticated_by", json!("password")),
        ("fresh", json!(false)),
        ("current", json!(true)),
    ] {
        assert_eq!(told[member], value, "{member}");
    }
    let server = InProcess::with(&["--auth-type", "session_auth"]);
    let told = current(&server, &server.admin());
    for member in ["expires_at", "expires_in", "idle_expires_at", "idle_expires_in"] {
        assert_eq!(told.get(member), Some(&Value::Null), "{member}");
    }
    assert_eq!(told["fresh"], true);
}

#[test]
fn a_refresh_gives_a_new_id_and_ends_the_old_one() {
    for kind in SESSION_KINDS {
        let server = InProcess::with(&["--auth-type", kind]);
        let fields = [("email", ADMIN), ("password", ADMIN_PASSWORD), ("remember", "1")];
        let old = server.login(&fields).send().session_id().unwrap();
        let before = current(&server, &old);
        server.advance(Duration::from_secs(100));
        let answer = server.post(REFRESH).session(&old).send();
        assert_eq!(answer.status, 200, "{kind}: {}", answer.body);
        let new = answer.session_id().unwrap();
        assert!(new.len() == 43 && new != old);
        assert!(!answer.body.contains(&new), "only the cookie has it");
        let cookie = answer.header("set-cookie").unwrap();
        // The browser shall keep it as long as the session lives, and no longer.
        let left = if kind == "session_auth" { 2_592_000 } else { 2_592_000 - 100 };
        assert!(cookie.contains(&format!("Max-Age={left}")), "{cookie}");
        assert!(cookie.contains("HttpOnly; SameSite=Lax"), "{cookie}");
        assert_eq!((me(&server, &old), me(&server, &new)), (403, 200), "{kind}");
        server.post(REFRESH).session(&old).send().assert_error(403, "Forbidden");

        let after = current(&server, &new);
        for same in ["id", "created_at", "expires_at", "remembered", "authenticated_at", "user"] {
            assert_eq!(before[same], after[same], "{kind}: {same}");
        }
        assert_eq!(answer.json()["id"], after["id"]);
        let by_bearer = server.post(REFRESH).bearer(&new).send();
        let newest = by_bearer.session_id().unwrap();
        assert_eq!((me(&server, &new), me(&server, &newest)), (403, 200), "{kind}");
    }
}

#[test]
fn refreshing_prolongs_nothing() {
    let flags = ["--session-duration", "100", "--session-idle-timeout", "60"];
    let server = InProcess::with(&flags);
    let mut session = server.admin();
    for _ in 0..3 {
        server.advance(Duration::from_secs(30));
        session = server.post(REFRESH).session(&session).send().session_id().unwrap();
    }
    server.advance(Duration::from_secs(10));
    assert_eq!(server.post(REFRESH).session(&session).send().status, 403);
}

#[test]
fn a_refresh_survives_a_kill_and_so_does_the_end_of_the_old_id() {
    let server = Server::of("session_db_auth");
    let old = server.admin();
    let new = server.post(REFRESH).session(&old).send().session_id().unwrap();
    let server = server.kill().start();
    assert_eq!((me(&server, &old), me(&server, &new)), (403, 200));
}

#[test]
fn of_many_who_refresh_or_log_out_at_once_one_wins() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        for round in 0..10 {
            let id = server.admin();
            let mut started: Vec<_> =
                (0..3).map(|_| server.post(REFRESH).session(&id).start()).collect();
            let logout = server.delete("/api/v1/auth_session/logout").session(&id).start();
            let using = server.get("/api/v1/users/me").session(&id).start();
            started.push(logout);
            let answers: Vec<Answer> =
                started.into_iter().map(crate::harness::Connection::finish).collect();
            let won: Vec<&Answer> = answers.iter().filter(|answer| answer.status == 200).collect();
            let lost = answers.iter().filter(|answer| answer.status == 403).count();
            let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
            assert!(won.len() == 1 && lost == 3, "{kind} {round}: {statuses:?}");
            assert!(matches!(using.finish().status, 200 | 403));
            assert_eq!(me(&server, &id), 403, "{kind} {round}: revived");
            if let Some(new) = won[0].session_id() {
                assert_eq!(me(&server, &new), 200, "{kind} {round}");
            }
        }
    }
}

#[test]
fn a_fresh_proof_gives_a_new_id() {
    for kind in SESSION_KINDS {
        let server = InProcess::with(&["--auth-type", kind, "--reauth-window", "60"]);
        let old = server.admin();
        server.advance(Duration::from_mins(1));
        assert_eq!(current(&server, &old)["fresh"], false, "{kind}");
        reauth(&server, &old, PASSWORD).assert_error(401, "wrong password");
        server.post(REAUTH).session(&old).send().assert_error(400, "password missing");
        assert_eq!(me(&server, &old), 200, "a wrong password ends nothing");
        let answer = reauth(&server, &old, ADMIN_PASSWORD);
        let new = answer.session_id().unwrap();
        assert_eq!((answer.status, answer.json()["fresh"].as_bool()), (200, Some(true)));
        assert_eq!((me(&server, &old), me(&server, &new)), (403, 200), "{kind}");
        let told = current(&server, &new);
        assert_eq!(told["created_at"], "2026-01-02T03:04:05.678Z");
        assert_eq!(told["authenticated_at"], "2026-01-02T03:05:05.678Z");
        server.advance(Duration::from_secs(59));
        assert_eq!(current(&server, &new)["fresh"], true);
        server.advance(Duration::from_secs(1));
        assert_eq!(current(&server, &new)["fresh"], false);
    }
}

#[test]
fn a_proof_survives_a_restart() {
    let server = InProcess::with(&[]);
    let old = server.admin();
    server.advance(Duration::from_secs(2000));
    let new = reauth(&server, &old, ADMIN_PASSWORD).session_id().unwrap();
    let now = server.service.accounts().clock.now();
    let server = server.restart(now);
    assert_eq!(current(&server, &new)["fresh"], true);
    assert_eq!(me(&server, &old), 403);
}

#[test]
fn without_a_session_there_is_nothing_to_tell_or_renew() {
    let server = Server::of("session_db_auth");
    for (method, path) in [("GET", CURRENT), ("POST", REFRESH), ("POST", REAUTH)] {
        server.request(method, path).send().assert_error(401, "Unauthorized");
        let ended = server.request(method, path).session(crate::harness::NO_SESSION).send();
        ended.assert_error(403, "Forbidden");
    }
}
