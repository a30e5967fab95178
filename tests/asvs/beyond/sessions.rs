//! Session ids: where they are taken from, when they change, what is kept of them.

use std::time::Duration;

use serde_json::{Value, json};
use sessiond::models::SessionId;

use crate::harness::{ADMIN, ADMIN_PASSWORD, InProcess, NO_SESSION, PASSWORD, Program, Server};

const BOB: &str = "bob@example.com";
const ME: &str = "/api/v1/users/me";
const LOGIN: [(&str, &str); 2] = [("email", ADMIN), ("password", ADMIN_PASSWORD)];

/// The lines of the security log, by their events.
fn events(log: &[String]) -> Vec<(String, Value)> {
    let lines = log.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let lines = lines.filter(|line| line["target"] == "security");
    lines.map(|line| (line["event"].as_str().unwrap().to_owned(), line)).collect()
}

/// What is kept of a session id.
fn hash(id: &str) -> String {
    SessionId::parse(id.as_bytes()).unwrap().hash().to_string()
}

fn server_with_log() -> Server {
    Program::of("session_db_auth").set("LOG_FORMAT", "json").start()
}

/// An id that the service did not make stays unknown, whatever is done with it.
pub fn an_unknown_id_is_never_adopted() {
    let server = InProcess::with(&[]);
    let chosen = "B".repeat(43);
    for path in [ME, "/api/v1/status", "/api/v1/auth_session"] {
        let answer = server.get(path).session(&chosen).send();
        assert!(answer.header("set-cookie").is_none(), "{answer:?}");
    }
    let login = server.login(&LOGIN).session(&chosen).send();
    let made = login.session_id().unwrap();
    assert_ne!(made, chosen);
    for path in ["/api/v1/auth_session/refresh", "/api/v1/auth_session/reauth"] {
        let answer =
            server.post(path).session(&chosen).json(&json!({ "password": ADMIN_PASSWORD }));
        answer.send().assert_error(403, "Forbidden");
    }
    assert_eq!(server.get(ME).session(&chosen).send().status, 403);
    assert_eq!(server.get(ME).session(&made).send().status, 200);
}

pub fn an_unknown_id_is_logged() {
    let server = server_with_log();
    server.get(ME).session(NO_SESSION).send().assert_error(403, "Forbidden");
    let (.., log) = server.stop();
    let events = events(&log);
    let unknown: Vec<_> = events.iter().filter(|(name, _)| name == "authn_token_unknown").collect();
    assert_eq!(unknown.len(), 1, "{events:?}");
    assert_eq!(
        (&unknown[0].1["level"], &unknown[0].1["client"]),
        (&json!("warn"), &json!("127.0.0.1"))
    );
    assert!(!log.iter().any(|line| line.contains(NO_SESSION)), "the id itself is told nobody");
}

pub fn guessing_of_ids_is_turned_away_and_logged() {
    let server = server_with_log();
    let admin = server.admin();
    let statuses: Vec<u16> =
        (0..125).map(|_| server.get(ME).session(NO_SESSION).send().status).collect();
    assert_eq!((statuses[119], statuses[124]), (403, 429));
    assert_eq!(server.get(ME).session(&admin).send().status, 200);
    let (.., log) = server.stop();
    let named = |name: &str| events(&log).iter().filter(|(event, _)| event == name).count();
    assert!(named("authn_token_unknown") >= 120 && named("excess_rate_limit_exceeded") >= 1);
}

/// In the cookie or as a bearer token, which is the same secret in a header that browsers never
/// add; and nowhere else.
pub fn an_id_counts_nowhere_else() {
    let server = InProcess::with(&[]);
    let id = server.admin();
    assert_eq!(server.get(ME).session(&id).send().status, 200);
    assert_eq!(server.get(ME).bearer(&id).send().status, 200);
    for query in ["_my_session_id", "session", "sid", "access_token", "token", "jsessionid"] {
        server.get(&format!("{ME}?{query}={id}")).send().assert_error(401, "Unauthorized");
    }
    server.get(&format!("{ME};jsessionid={id}")).send().assert_error(401, "Unauthorized");
    for name in
        ["X-Session-Id", "X-Auth-Token", "Session", "X-Access-Token", "Cookie2", "_my_session_id"]
    {
        let answer = server.get(ME).header(name, &id).send();
        answer.assert_error(401, "Unauthorized");
    }
    for authorization in
        [id.clone(), format!("Session {id}"), format!("Token {id}"), format!("Basic {id}")]
    {
        let answer = server.get(ME).header("Authorization", &authorization).send();
        answer.assert_error(403, "Forbidden");
    }
    let body = json!({ "_my_session_id": id, "session": id, "access_token": id });
    let answer = server.post("/api/v1/auth_session/refresh").json(&body).send();
    answer.assert_error(401, "Unauthorized");
}

/// A login, a proof, another password, and a role that one changes give a new id, and the old one
/// is ended. Whoever gets a role proves first who he is, and so gets one, before what matters most.
pub fn a_change_of_rights_changes_the_id() {
    let server = InProcess::with(&[]);
    let new = json!({ "email": BOB, "password": PASSWORD });
    let admin = server.admin();
    let made = server.post("/api/v1/users").session(&admin).json(&new).send().json();
    let path = format!("/api/v1/users/{}", made["id"].as_str().unwrap());
    let bob = server.log_in(BOB, PASSWORD);
    server.advance(Duration::from_secs(1));
    let mut session = admin;
    for (method, path, body) in [
        (
            "POST",
            "/api/v1/auth_session/login",
            json!({ "email": ADMIN, "password": ADMIN_PASSWORD }),
        ),
        ("POST", "/api/v1/auth_session/reauth", json!({ "password": ADMIN_PASSWORD })),
        ("POST", "/api/v1/auth_session/refresh", json!({})),
        ("PUT", path.as_str(), json!({ "role": "admin" })),
        (
            "PUT",
            "/api/v1/users/me/password",
            json!({ "current_password": ADMIN_PASSWORD, "new_password": PASSWORD }),
        ),
    ] {
        let answer = server.request(method, path).session(&session).json(&body).send();
        assert_eq!(answer.status, 200, "{answer:?}");
        let renewed = answer.session_id().unwrap_or_else(|| panic!("{path} gives a new id"));
        assert_eq!(server.get(ME).session(&session).send().status, 403, "{path}");
        assert_eq!(server.get(ME).session(&renewed).send().status, 200, "{path}");
        session = renewed;
    }
    let end = |session: &str| server.delete("/api/v1/sessions").session(session).send();
    end(&bob).assert_error(403, "Fresh login required");
    let reauth = server.post("/api/v1/auth_session/reauth").session(&bob);
    let reauth = reauth.json(&json!({ "password": PASSWORD })).send();
    assert_eq!(server.get(ME).session(&bob).send().status, 403);
    end(&reauth.session_id().unwrap()).assert_is(200, "{}");
}

/// What has not the shape of an id is looked up nowhere, and is no guess either.
pub fn what_is_no_id_is_not_looked_up() {
    let server = server_with_log();
    let id = server.admin();
    let hash = hash(&id);
    for hostile in [
        &b""[..],
        b"x",
        b"../../etc/passwd",
        b"' or 1=1 --",
        b"%00",
        b"\xff\xfe\xfd",
        b"\"\"",
        b"[]",
        b"{}",
        &id.as_bytes()[..42],
        format!("{id}A").as_bytes(),
        hash.as_bytes(),
        "A".repeat(8000).as_bytes(),
        format!("{}=", &id[..42]).as_bytes(),
        "\u{e4}".repeat(43).as_bytes(),
        format!("{}+", &id[..42]).as_bytes(),
    ] {
        let cookie = [b"_my_session_id=", hostile].concat();
        let answer = server.get(ME).header_bytes("Cookie", &cookie).send();
        answer.assert_error(403, "Forbidden");
        let bearer = [b"Bearer ", hostile].concat();
        server.get(ME).header_bytes("Authorization", &bearer).send().assert_error(403, "Forbidden");
    }
    let (.., log) = server.stop();
    let unknown = events(&log).iter().filter(|(name, _)| name == "authn_token_unknown").count();
    assert_eq!(unknown, 0);
}

/// Each login that asks to be remembered has an id and limits of its own; one that does not ask ends
/// with the browser.
pub fn only_who_asks_is_remembered() {
    let server = InProcess::with(&[]);
    let cookie = |remember: Option<&str>| {
        let fields = LOGIN.into_iter().chain(remember.map(|word| ("remember", word)));
        let fields: Vec<_> = fields.collect();
        let answer = server.login(&fields).send();
        (answer.header("set-cookie").unwrap().to_owned(), answer.session_id().unwrap())
    };
    for plain in [None, Some("0"), Some("off"), Some("")] {
        let (cookie, _) = cookie(plain);
        assert!(!cookie.contains("Max-Age") && !cookie.contains("Expires"), "{cookie}");
    }
    let (first, id) = cookie(Some("1"));
    let (second, other) = cookie(Some("1"));
    assert!(first.contains("Max-Age=2592000") && second.contains("Max-Age=2592000"));
    assert_ne!(id, other);
    let session = |id: &str| server.get("/api/v1/auth_session").session(id).send().json();
    let day = 86_400;
    assert_eq!(session(&id)["expires_in"], 30 * day);
    assert_eq!(session(&id)["idle_expires_in"], 14 * day);
    let out = server.delete("/api/v1/auth_session/logout").session(&id).send();
    assert_eq!((out.status, session(&other)["remembered"].as_bool()), (200, Some(true)));
}

/// By the public id, with which nobody can do anything; neither the id itself nor its hash.
pub fn sessions_are_logged_by_their_public_id() {
    let server = server_with_log();
    let id = server.admin();
    let session = server.get("/api/v1/auth_session").session(&id).send().json();
    let public = session["id"].as_str().unwrap().to_owned();
    let refresh = server.post("/api/v1/auth_session/refresh").session(&id).send();
    let renewed = refresh.session_id().unwrap();
    let logout = server.delete("/api/v1/auth_session/logout").session(&renewed);
    logout.send().assert_is(200, "{}");
    let (.., log) = server.stop();
    let events = events(&log);
    for name in ["session_renewed", "authn_logout"] {
        let line = events.iter().find(|(event, _)| event == name);
        let (_, line) = line.unwrap_or_else(|| panic!("{name} is among {events:?}"));
        assert_eq!(line["session"], public.as_str());
    }
    for id in [&id, &renewed] {
        let hash = hash(id);
        assert!(!log.iter().any(|line| line.contains(id.as_str()) || line.contains(&hash)));
    }
}
