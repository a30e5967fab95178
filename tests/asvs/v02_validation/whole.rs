//! Steps in their order, changes as a whole, and what can be had only once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use super::desk::Desk;
use crate::harness::{ADMIN, ADMIN_PASSWORD, Connection, Fate, InProcess, PASSWORD, START};

const BOB: &str = "bob@example.com";
const NEW_PASSWORD: &str = "staple battery 3";

/// Who must change his password can do nothing before he has, whatever he tries.
pub fn the_change_of_a_password_cannot_be_skipped() {
    let server = InProcess::with(&[]);
    let new = json!({ "email": BOB, "password": PASSWORD, "must_change": true });
    let made = server.post("/api/v1/users").session(&server.admin()).json(&new).send();
    let path = format!("/api/v1/users/{}", made.json()["id"].as_str().unwrap());
    let first = server.log_in(BOB, PASSWORD);
    let own_password = format!("{path}/password");
    let change = json!({ "current_password": PASSWORD, "new_password": NEW_PASSWORD });
    for (method, path) in [
        ("GET", "/api/v1/users/me"),
        ("GET", "/api/v1/stats"),
        ("GET", "/api/v1/auth_session"),
        ("POST", "/api/v1/auth_session/refresh"),
        ("POST", "/api/v1/auth_session/reauth"),
        ("DELETE", "/api/v1/users/me/sessions"),
        ("GET", "/api/v1/users/me/password"),
        ("POST", "/api/v1/users/me/password"),
        ("GET", &path),
        ("PUT", &path),
        ("DELETE", &path),
        ("PUT", &own_password),
    ] {
        let answer = server.request(method, path).session(&first).json(&change).send();
        answer.assert_error(403, "Password change required");
        let answer = server.request(method, path).bearer(&first).json(&change).send();
        answer.assert_error(403, "Password change required");
    }
    let again = server.log_in(BOB, PASSWORD);
    assert_eq!(
        server.get("/api/v1/users/me").session(&again).send().status,
        403,
        "nor by one more login"
    );
    let done = server.put("/api/v1/users/me/password").session(&first).json(&change).send();
    let session = done.session_id().unwrap();
    assert_eq!(server.get("/api/v1/users/me").session(&session).send().status, 200);
    assert_eq!(server.get("/api/v1/users/me").session(&again).send().status, 403);
}

/// No attempt that fails leaves something behind that is worth more than before.
pub fn a_proof_cannot_be_skipped() {
    let server = InProcess::with(&["--reauth-window", "1"]);
    let admin = server.admin();
    server.advance(std::time::Duration::from_secs(1));
    let attempts = [
        server.login(&[("email", ADMIN), ("password", "wrong one 1")]).session(&admin).send(),
        server
            .post("/api/v1/auth_session/reauth")
            .session(&admin)
            .json(&json!({ "password": "no" }))
            .send(),
        server.post("/api/v1/auth_session/reauth").session(&admin).send(),
        server
            .put("/api/v1/users/me/password")
            .session(&admin)
            .json(&json!({ "new_password": NEW_PASSWORD }))
            .send(),
    ];
    for attempt in attempts {
        assert!(matches!(attempt.status, 400 | 401 | 403), "{attempt:?}");
        assert_eq!(attempt.header("set-cookie"), None, "{attempt:?}");
    }
    let refreshed = server.post("/api/v1/auth_session/refresh").session(&admin).send();
    let admin = refreshed.session_id().unwrap();
    let end = server.delete("/api/v1/sessions").session(&admin);
    end.send().assert_error(403, "Fresh login required");
    for wrong in [json!(""), json!(null), json!("wrong one 1"), json!(true)] {
        let end = server.delete("/api/v1/sessions").session(&admin);
        let status = end.json(&json!({ "current_password": wrong })).send().status;
        assert!(matches!(status, 400 | 403), "{wrong}: {status}");
    }
}

/// On a full disk nothing changes, in memory or after a restart; `tests/store` lets every single
/// operation on files fail.
pub fn a_change_that_cannot_be_written_does_not_happen() {
    let full = Arc::new(AtomicBool::new(false));
    let is_full = Arc::clone(&full);
    let server = InProcess::on_disk(move |operation| {
        let is_refused = operation.starts_with("write ") && is_full.load(Ordering::SeqCst);
        // A full disk takes the first half.
        if is_refused { Fate::Torn } else { Fate::Done }
    });
    let (admin, other) = (server.admin(), server.admin());
    let users = |server: &InProcess| server.get("/api/v1/users").session(&admin).send().body;
    let before = users(&server);
    let id = server.get("/api/v1/users/me").session(&admin).send().json();
    let path = format!("/api/v1/users/{}", id["id"].as_str().unwrap());
    let by_admin = |method, path: &str| server.request(method, path).session(&admin);
    full.store(true, Ordering::SeqCst);
    for request in [
        by_admin("POST", "/api/v1/users").json(&json!({ "email": BOB, "password": PASSWORD })),
        by_admin("PUT", &path).json(&json!({ "first_name": "Zoe", "last_name": "Lee" })),
        by_admin("PUT", "/api/v1/users/me/password")
            .json(&json!({ "current_password": ADMIN_PASSWORD, "new_password": NEW_PASSWORD })),
        by_admin("POST", "/api/v1/auth_session/refresh"),
        by_admin("DELETE", "/api/v1/sessions"),
        by_admin("DELETE", "/api/v1/auth_session/logout"),
        server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]),
    ] {
        let answer = request.send();
        assert_eq!((answer.status, answer.header("set-cookie")), (503, None), "{answer:?}");
        assert_eq!(users(&server), before);
    }
    full.store(false, Ordering::SeqCst);
    let server = server.restart(START);
    assert_eq!(users(&server), before);
    assert_eq!(server.get("/api/v1/users/me").session(&other).send().status, 200);
}

/// Of many who want one address at once, one gets it.
pub fn an_address_is_given_once() {
    let desk = Desk::new();
    for round in 0..5 {
        let create = |n: usize| {
            let email = format!("bob{round}@example.com");
            let email = if n.is_multiple_of(2) { email } else { email.to_uppercase() };
            let body = json!({ "email": email, "password": PASSWORD });
            desk.server.post("/api/v1/users").session(&desk.admin).json(&body).start()
        };
        let creations: Vec<Connection> = (0..6).map(create).collect();
        let mut statuses: Vec<u16> = creations.into_iter().map(|c| c.finish().status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409]);
    }
}

/// Two admins who demote each other at once do not both succeed.
pub fn the_last_admin_stays() {
    let desk = Desk::new();
    let me = |session: &str| desk.server.get("/api/v1/users/me").session(session).send().json();
    let new = json!({ "email": BOB, "password": PASSWORD });
    let bob = desk.server.post("/api/v1/users").session(&desk.admin).json(&new).send().json();
    let path = |user: &serde_json::Value| format!("/api/v1/users/{}", user["id"].as_str().unwrap());
    let promote =
        desk.server.put(&path(&bob)).session(&desk.admin).json(&json!({ "role": "admin" }));
    assert_eq!(promote.send().status, 200);
    let (admin, bobs) = (desk.server.admin(), desk.server.log_in(BOB, PASSWORD));
    let (admins_path, bobs_path) = (path(&me(&admin)), path(&bob));
    let demote = |by: &str, path: &str| {
        desk.server.put(path).session(by).json(&json!({ "role": "user" })).start()
    };
    let both = [demote(&admin, &bobs_path), demote(&bobs, &admins_path)];
    let statuses = both.map(|answer| answer.finish().status);
    assert!(matches!(statuses, [200, 403 | 409] | [403 | 409, 200]), "{statuses:?}");
    // The one who succeeded has a new id, so both log in once more.
    let sessions = [desk.server.admin(), desk.server.log_in(BOB, PASSWORD)];
    let admins = sessions.map(|session| me(&session)["role"] == "admin");
    assert_eq!(admins.iter().filter(|is| **is).count(), 1);
}

/// Logins at once do not get more than the number of sessions that one user may have.
pub fn places_for_sessions_are_not_given_twice() {
    let desk = Desk::with(&["--sessions-per-user", "3"]);
    let fields = [("email", ADMIN), ("password", ADMIN_PASSWORD)];
    let logins: Vec<Connection> = (0..8).map(|_| desk.server.login(&fields).start()).collect();
    let sessions: Vec<String> =
        logins.into_iter().map(|login| login.finish().session_id().unwrap()).collect();
    let live = |id: &&String| desk.server.get("/api/v1/users/me").session(id).send().status == 200;
    assert_eq!(sessions.iter().filter(live).count(), 3);
}
