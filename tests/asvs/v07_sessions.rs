//! Sessions.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};
use sessiond::app::World;
use sessiond::auth::session::REMEMBERED;
use sessiond::random::{Random, SystemRandom};

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Client, InProcess, KINDS, PASSWORD, SESSION_KINDS, Server,
};
use crate::pages;
use crate::registry::{Chapter, requirement};
use crate::{files, settings};

pub const CHAPTER: Chapter = Chapter {
    title: "V7 Sessions",
    rows: &[
        requirement("7.1.1", 2, "Lifetimes documented, deviations from NIST justified").documented(
            "docs/CONTROLS.md#sessions",
            &[("the lifetimes are those of the program", lifetimes_are_documented)],
        ),
        requirement("7.1.2", 2, "Parallel sessions: how many, what at the limit").documented(
            "docs/CONTROLS.md#sessions",
            &[("one login too many ends the oldest session", one_too_many_ends_the_oldest)],
        ),
        requirement("7.1.3", 2, "Federated sessions documented").not_applicable("no federation"),
        requirement("7.2.1", 1, "Verification in the back end").tested(&[(
            "an id counts only as the store has it, byte for byte",
            only_the_very_id_counts,
        )]),
        requirement("7.2.2", 1, "Dynamic tokens, no static keys").tested(&[
            ("each login makes another id", ids_are_random),
            ("no static key opens the session kinds", no_static_key_counts),
        ]),
        requirement("7.2.3", 1, "Unique, CSPRNG, >= 128 bits").tested(&[
            ("an id is 256 bits of the system's randomness", ids_are_random),
            ("without randomness there is no id", without_randomness_there_is_no_id),
        ]),
        requirement("7.2.4", 1, "New token on login, old one dies").tested(&[
            ("a login ends the session that it came with", login_ends_the_session_presented),
            ("a proof of who is speaking gives a new id", reauthentication_gives_a_new_id),
        ]),
        requirement("7.3.1", 2, "Idle timeout")
            .tested(&[("a session that is not used ends to the millisecond", idle_sessions_end)]),
        requirement("7.3.2", 2, "Absolute lifetime").tested(&[
            ("use does not prolong a session beyond its end", use_prolongs_nothing),
            ("nor does a restart, nor a new id", restarts_and_new_ids_prolong_nothing),
        ]),
        requirement("7.4.1", 1, "Ended sessions stay ended").tested(&[
            ("a logout counts at once, in every form of the id", logout_counts_at_once),
            ("a logout that was answered survives a kill", logout_survives_a_kill),
            ("of those who end a session at once one does", one_logout_wins),
        ]),
        requirement("7.4.2", 1, "Deleting or disabling a user ends all sessions").tested(&[(
            "sessions end with their user, also beyond a kill and one who comes after him",
            sessions_end_with_their_user,
        )]),
        requirement("7.4.3", 2, "Offer (we: enforce) ending other sessions after a factor change")
            .tested(&[(
                "a new password ends all other sessions",
                a_new_password_ends_other_sessions,
            )]),
        requirement("7.4.4", 2, "Logout easy to find").documented(
            "docs/CONTROLS.md#sessions",
            &[
                (
                    "the documents name the logout, which works by its address alone",
                    logout_is_named,
                ),
                (
                    "every page behind the login has it",
                    pages::every_page_behind_the_login_has_the_logout,
                ),
            ],
        ),
        requirement("7.4.5", 2, "Admins end sessions of one or all").tested(&[(
            "an admin ends the sessions of a user and of everybody, for good",
            admins_end_sessions,
        )]),
        requirement("7.5.1", 2, "Re-authenticate before changing e-mail or factors").tested(&[
            ("a password is changed only with the current one", a_change_needs_the_password),
            ("an e-mail address cannot be changed", addresses_do_not_change),
        ]),
        requirement("7.5.2", 2, "Users see and end their sessions").tested(&[
            ("a user sees times, address and agent, and no usable id", users_see_their_sessions),
            ("a user ends one, and all others, but nobody else's", users_end_their_sessions),
            ("so he does on a page", pages::people_see_and_end_their_sessions),
        ]),
        requirement("7.5.3", 3, "Second proof for highly sensitive operations").tested(&[
            (
                "roles, deletions and mass revocation need a fresh proof",
                what_matters_needs_a_fresh_proof,
            ),
            (
                "so they do on pages, which ask for it",
                pages::what_matters_most_needs_the_password_on_pages_too,
            ),
        ]),
        requirement("7.6.1", 2, "Lifetimes between provider and relying party are as documented")
            .not_applicable("no federation"),
        requirement("7.6.2", 2, "A session starts only by an explicit act").tested(&[
            ("nothing but a login begins a session", only_a_login_begins_a_session),
            ("no foreign page logs anybody in", no_foreign_page_logs_in),
        ]),
    ],
};

const BOB: &str = "bob@example.com";
const NEW: &str = "a new password 3";

fn me(server: &Client, session: &str) -> u16 {
    server.get("/api/v1/users/me").session(session).send().status
}

fn all_me<const N: usize>(server: &Client, sessions: [&String; N]) -> [u16; N] {
    sessions.map(|session| me(server, session))
}

fn logout(server: &Client, session: &str) -> Answer {
    server.delete("/api/v1/auth_session/logout").session(session).send()
}

fn list(server: &Client, session: &str) -> Vec<Value> {
    let answer = server.get("/api/v1/users/me/sessions").session(session).send();
    serde_json::from_value(answer.json()).unwrap()
}

pub fn lifetimes_are_documented() {
    let section = files::section("docs/CONTROLS.md", "Sessions");
    let named = ["SESSION_DURATION", "SESSION_IDLE_TIMEOUT", "SESSIONS_PER_USER", "REAUTH_WINDOW"];
    settings::assert_defaults(&section, &named);
    let days = |limit: Option<Duration>| limit.unwrap().as_secs() / 86_400;
    for row in [
        format!("| days that a remembered session lives | | {} |", days(REMEMBERED.absolute)),
        format!("| days that it lives without being used | | {} |", days(REMEMBERED.idle)),
    ] {
        assert!(section.contains(&row), "{row}");
    }
}

fn one_too_many_ends_the_oldest() {
    for kind in SESSION_KINDS {
        let server = InProcess::with(&["--auth-type", kind, "--sessions-per-user", "2"]);
        let login = || {
            server.advance(Duration::from_millis(1));
            server.admin()
        };
        let (one, two) = (login(), login());
        assert_eq!(all_me(&server, [&one, &two]), [200, 200], "{kind}");
        let three = login();
        assert_eq!(all_me(&server, [&one, &two, &three]), [403, 200, 200], "{kind}");
    }
}

fn only_the_very_id_counts() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let id = server.admin();
        let swapped = id.chars().map(|c| if c.is_lowercase() { c.to_ascii_uppercase() } else { c });
        for other in [
            swapped.collect(),
            id[..42].to_owned(),
            format!("{id}A"),
            format!("{id}="),
            format!("\"{id}\""),
            format!("%{:02x}{}", id.as_bytes()[0], &id[1..]),
            id.chars().rev().collect(),
            String::new(),
            "../".repeat(14) + "A",
        ] {
            if other != id {
                assert_eq!(me(&server, &other), 403, "{kind}: {other}");
            }
        }
        assert_eq!(me(&server, &id), 200);
    }
}

pub fn ids_are_random() {
    let server = Server::of("session_auth");
    let mut ids: Vec<String> = (0..20).map(|_| server.admin()).collect();
    for id in &ids {
        let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        assert!(id.len() == 43 && id.bytes().all(alphabet), "{id}: 256 bits in base64url");
    }
    // No place of the id is the same in all of them: 20 times one of 64 by chance never happens.
    for place in 0..42 {
        let first = ids[0].as_bytes()[place];
        assert!(ids.iter().any(|id| id.as_bytes()[place] != first), "place {place}: {ids:?}");
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 20);
}

fn no_static_key_counts() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let basic = server.get("/api/v1/users/me").basic(ADMIN, ADMIN_PASSWORD).send();
        basic.assert_error(403, "Forbidden");
    }
}

/// Randomness that ends when it is told to.
#[derive(Default)]
struct Ending(AtomicBool);

impl Random for Ending {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            return Err(io::Error::other("no entropy"));
        }
        SystemRandom.fill(bytes)
    }
}

fn without_randomness_there_is_no_id() {
    let random = Arc::new(Ending::default());
    let world = World { random: random.clone(), ..World::default() };
    let server = InProcess::in_world(&[], world);
    let session = server.admin();
    random.0.store(true, Ordering::SeqCst);
    for request in [
        server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]),
        server.post("/api/v1/auth_session/refresh").session(&session),
    ] {
        let refused = request.send();
        assert_eq!((refused.status, refused.session_id()), (503, None));
    }
    assert_eq!(me(&server, &session), 200, "the old id goes on");
}

fn login_ends_the_session_presented() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let fields = [("email", ADMIN), ("password", ADMIN_PASSWORD)];
        let old = server.admin();
        let new = server.login(&fields).session(&old).send().session_id().unwrap();
        assert_eq!(all_me(&server, [&old, &new]), [403, 200], "{kind}");
        // An id that somebody else has chosen is not taken over.
        let fixed = "A".repeat(43);
        let own = server.login(&fields).session(&fixed).send().session_id().unwrap();
        assert!(own != fixed && me(&server, &fixed) == 403, "{kind}");
    }
}

fn reauthentication_gives_a_new_id() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let old = server.admin();
        let proof = server.post("/api/v1/auth_session/reauth").session(&old);
        let new = proof.form(&[("password", ADMIN_PASSWORD)]).send().session_id().unwrap();
        assert_eq!(all_me(&server, [&old, &new]), [403, 200], "{kind}");
    }
}

pub fn idle_sessions_end() {
    for kind in ["session_exp_auth", "session_db_auth"] {
        let server = InProcess::with(&["--auth-type", kind, "--session-idle-timeout", "60"]);
        let (left, used) = (server.admin(), server.admin());
        for (wait, statuses) in [(59_999, [200, 200]), (59_999, [200, 200])] {
            server.advance(Duration::from_millis(wait));
            assert_eq!(all_me(&server, [&left, &used]), statuses, "{kind}");
        }
        server.advance(Duration::from_millis(1));
        assert_eq!(me(&server, &used), 200);
        server.advance(Duration::from_millis(59_999));
        assert_eq!(all_me(&server, [&left, &used]), [403, 200], "{kind}: at the limit it is over");
    }
}

fn use_prolongs_nothing() {
    for kind in ["session_exp_auth", "session_db_auth"] {
        let server = InProcess::with(&["--auth-type", kind]);
        let session = server.admin();
        for minute in 1..24 * 60 {
            server.advance(Duration::from_mins(1));
            if minute % 30 == 0 {
                assert_eq!(me(&server, &session), 200, "{kind} {minute}");
            }
        }
        server.advance(Duration::from_millis(59_999));
        assert_eq!(me(&server, &session), 200, "{kind}");
        server.advance(Duration::from_millis(1));
        assert_eq!(me(&server, &session), 403, "{kind}");
    }
}

pub fn restarts_and_new_ids_prolong_nothing() {
    let mut server = InProcess::with(&["--session-duration", "100"]);
    let mut session = server.admin();
    for _ in 0..3 {
        server.advance(Duration::from_secs(33));
        let refresh = server.post("/api/v1/auth_session/refresh").session(&session).send();
        session = refresh.session_id().unwrap();
        let proof = server.post("/api/v1/auth_session/reauth").session(&session);
        session = proof.form(&[("password", ADMIN_PASSWORD)]).send().session_id().unwrap();
        let now = server.service.accounts().clock.now();
        server = server.restart(now);
    }
    assert_eq!(me(&server, &session), 200);
    server.advance(Duration::from_secs(1));
    assert_eq!(me(&server, &session), 403);
}

pub fn logout_counts_at_once() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let (session, other) = (server.admin(), server.admin());
        let answer = logout(&server, &session);
        assert_eq!(answer.status, 200, "{kind}");
        assert!(answer.header("set-cookie").unwrap().contains("Max-Age=0"));
        assert_eq!(all_me(&server, [&session, &other]), [403, 200], "{kind}");
        let bearer = server.get("/api/v1/users/me").bearer(&session).send();
        assert_eq!((bearer.status, logout(&server, &session).status), (403, 403), "{kind}");
    }
}

fn logout_survives_a_kill() {
    let server = Server::of("session_db_auth");
    let (session, other) = (server.admin(), server.admin());
    assert_eq!(logout(&server, &session).status, 200);
    let server = server.kill().start();
    assert_eq!(all_me(&server, [&session, &other]), [403, 200]);
}

fn one_logout_wins() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        for _ in 0..10 {
            let id = server.admin();
            let request = || server.delete("/api/v1/auth_session/logout").session(&id).start();
            let mut statuses = [request(), request(), request()].map(|one| one.finish().status);
            statuses.sort_unstable();
            assert_eq!((statuses, me(&server, &id)), ([200, 403, 403], 403), "{kind}");
        }
    }
}

fn sessions_end_with_their_user() {
    for kind in SESSION_KINDS {
        let mut server = Server::of(kind);
        let path = format!("/api/v1/users/{}", server.add_user(BOB));
        let disable = |server: &Server, disabled: bool| {
            let change = server.by_admin(server.put(&path)).json(&json!({ "disabled": disabled }));
            assert_eq!(change.send().status, 200);
        };
        let bob = server.log_in(BOB, PASSWORD);
        disable(&server, true);
        if kind == "session_db_auth" {
            server = server.kill().start();
        }
        assert_eq!(me(&server, &bob), 403, "{kind}");
        disable(&server, false);
        assert_eq!(me(&server, &bob), 403, "{kind}: enabled again");
        let again = server.log_in(BOB, PASSWORD);
        assert_eq!(server.by_admin(server.delete(&path)).send().status, 200);
        if kind == "session_db_auth" {
            server = server.kill().start();
        }
        assert_eq!(me(&server, &again), 403, "{kind}: deleted");
        server.add_user(BOB);
        assert_eq!(all_me(&server, [&bob, &again]), [403, 403], "{kind}: another of his name");
    }
}

fn a_new_password_ends_other_sessions() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let (own, other) = (server.admin(), server.admin());
        let body = json!({ "current_password": ADMIN_PASSWORD, "new_password": NEW });
        let changed = server.put("/api/v1/users/me/password").session(&own).json(&body).send();
        let renewed = changed.session_id().unwrap();
        assert_eq!(all_me(&server, [&own, &other, &renewed]), [403, 403, 200], "{kind}");
    }
}

fn logout_is_named() {
    assert!(files::section("docs/CONTROLS.md", "Sessions").contains("DELETE /auth_session/logout"));
    assert!(
        files::read("README.md")
            .contains("-X DELETE http://127.0.0.1:5000/api/v1/auth_session/logout")
    );
    let server = Server::of("session_db_auth");
    assert_eq!(logout(&server, &server.admin()).status, 200);
}

fn admins_end_sessions() {
    let server = Server::of("session_db_auth");
    let path = format!("/api/v1/users/{}/sessions", server.add_user(BOB));
    let (bob, admin) = (server.log_in(BOB, PASSWORD), server.admin());
    assert_eq!(server.delete(&path).session(&admin).send().status, 200);
    let server = server.kill().start();
    assert_eq!(all_me(&server, [&bob, &admin]), [403, 200]);
    let bob = server.log_in(BOB, PASSWORD);
    assert_eq!(server.delete("/api/v1/sessions").session(&bob).send().status, 403);
    assert_eq!(server.delete("/api/v1/sessions").session(&admin).send().status, 200);
    let server = server.kill().start();
    assert_eq!(all_me(&server, [&bob, &admin]), [403, 403]);
}

fn a_change_needs_the_password() {
    for kind in KINDS.into_iter().filter(|kind| !matches!(*kind, "none" | "auth")) {
        let server = Server::of(kind);
        for (current, status) in [("", 400), (PASSWORD, 403), (ADMIN_PASSWORD, 200)] {
            let body = json!({ "current_password": current, "new_password": NEW });
            let put = server.by_admin(server.put("/api/v1/users/me/password"));
            assert_eq!(put.json(&body).send().status, status, "{kind}: {current:?}");
        }
    }
}

fn addresses_do_not_change() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let me = || server.get("/api/v1/users/me").session(&admin).send().json();
    let path = format!("/api/v1/users/{}", me()["id"].as_str().unwrap());
    let put = server.put(&path).session(&admin).json(&json!({ "email": "other@example.com" }));
    assert_eq!(put.send().status, 200);
    assert_eq!(me()["email"], ADMIN);
}

fn users_see_their_sessions() {
    let server = InProcess::with(&[]);
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
    let one = login.header("User-Agent", "Phone/1").send().session_id().unwrap();
    server.advance(Duration::from_secs(7));
    let two = server.admin();
    let sessions = list(&server, &two);
    assert_eq!(sessions.len(), 2);
    for (member, value) in [
        ("created_at", "2026-01-02T03:04:05.678Z"),
        ("last_seen_at", "2026-01-02T03:04:05.678Z"),
        ("client_address", "127.0.0.1"),
        ("user_agent", "Phone/1"),
    ] {
        assert_eq!(sessions[0][member], value);
    }
    let told = serde_json::to_string(&sessions).unwrap();
    assert!(!told.contains(&one) && !told.contains(&two));
    for session in &sessions {
        assert_eq!(me(&server, session["id"].as_str().unwrap()), 403, "a public id is no key");
    }
}

fn users_end_their_sessions() {
    let server = Server::of("session_db_auth");
    server.add_user(BOB);
    let bob = server.log_in(BOB, PASSWORD);
    let [lost, other, own] = [(); 3].map(|()| server.admin());
    let id = list(&server, &lost).iter().find(|one| one["current"] == true).unwrap()["id"].clone();
    let path = format!("/api/v1/users/me/sessions/{}", id.as_str().unwrap());
    assert_eq!(server.delete(&path).session(&bob).send().status, 404);
    assert_eq!(server.delete(&path).session(&own).send().status, 200);
    assert_eq!(all_me(&server, [&lost, &other, &own, &bob]), [403, 200, 200, 200]);
    assert_eq!(server.delete("/api/v1/users/me/sessions").session(&own).send().status, 200);
    assert_eq!(all_me(&server, [&other, &own, &bob]), [403, 200, 200]);
}

fn what_matters_needs_a_fresh_proof() {
    let server = InProcess::with(&["--reauth-window", "60"]);
    let admin = server.admin();
    let new = json!({ "email": BOB, "password": PASSWORD });
    let bob = server.post("/api/v1/users").session(&admin).json(&new).send().json();
    let path = format!("/api/v1/users/{}", bob["id"].as_str().unwrap());
    server.advance(Duration::from_mins(1));
    for (method, path, body) in [
        ("PUT", path.clone(), json!({ "role": "admin" })),
        ("PUT", format!("{path}/password"), json!({ "new_password": NEW })),
        ("DELETE", path.clone(), json!({})),
        ("DELETE", format!("{path}/sessions"), json!({})),
        ("DELETE", "/api/v1/users/me/sessions".into(), json!({})),
        ("DELETE", "/api/v1/sessions".into(), json!({})),
    ] {
        let refused = server.request(method, &path).session(&admin).json(&body).send();
        refused.assert_error(403, "Fresh login required");
    }
    assert_eq!(server.get(&path).session(&admin).send().json()["role"], "user");
    let body = json!({ "role": "admin", "current_password": ADMIN_PASSWORD });
    assert_eq!(server.put(&path).session(&admin).json(&body).send().status, 200);
}

fn only_a_login_begins_a_session() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let session = server.admin();
        for path in ["/api/v1/status", "/api/v1/users/me", "/api/v1/auth_session", "/", "/api/v1/x"]
        {
            for request in [server.get(path), server.get(path).session(&session)] {
                assert_eq!(request.send().header("set-cookie"), None, "{kind}: {path}");
            }
        }
        let wrong = server.login(&[("email", ADMIN), ("password", PASSWORD)]).send();
        assert_eq!((wrong.status, wrong.header("set-cookie")), (401, None));
        let right = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send();
        assert_eq!(right.headers("set-cookie").len(), 1);
        assert_eq!(list(&server, &session).len(), 2, "{kind}");
    }
}

fn no_foreign_page_logs_in() {
    let server = Server::of("session_db_auth");
    for (name, value) in [
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
        ("Sec-Fetch-Site", "cross-site"),
        ("Sec-Fetch-Site", "same-site"),
    ] {
        let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
        let refused = login.header(name, value).send();
        assert_eq!((refused.status, refused.header("set-cookie")), (403, None), "{name}: {value}");
    }
}
