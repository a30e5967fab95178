//! Changing passwords, and users who must.

use serde_json::{Value, json};
use sessiond::error::Error;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Client, InProcess, NOBODY, PASSWORD, Program, SESSION_KINDS,
    Server, block_on,
};

const OWN: &str = "/api/v1/users/me/password";
const NEW: &str = "a new password 3";
const BOB: &str = "bob@example.com";
const MUST: &str = "Password change required";

fn me(server: &Client, session: &str) -> u16 {
    server.get("/api/v1/users/me").session(session).send().status
}

fn change(server: &Client, session: &str, current: &str, new: &str) -> Answer {
    let body = json!({ "current_password": current, "new_password": new });
    server.put(OWN).session(session).json(&body).send()
}

fn may_log_in(server: &Client, email: &str, password: &str) -> bool {
    server.login(&[("email", email), ("password", password)]).send().status == 200
}

#[test]
fn a_new_password_ends_all_sessions_but_the_one_that_asks() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        server.add_user(BOB);
        let bob = server.log_in(BOB, PASSWORD);
        let (old, other) = (server.admin(), server.admin());
        let answer = change(&server, &old, ADMIN_PASSWORD, NEW);
        assert_eq!((answer.status, &answer.json()["email"]), (200, &json!(ADMIN)));
        let new = answer.session_id().expect("a new id");
        let now = [&old, &other, &new, &bob].map(|id| me(&server, id));
        assert_eq!(now, [403, 403, 200, 200], "{kind}");
        assert!(!may_log_in(&server, ADMIN, ADMIN_PASSWORD) && may_log_in(&server, ADMIN, NEW));
    }
}

#[test]
fn a_new_password_and_its_sessions_survive_a_kill() {
    let server = Server::of("session_db_auth");
    let (old, other) = (server.admin(), server.admin());
    let new = change(&server, &old, ADMIN_PASSWORD, NEW).session_id().unwrap();
    let server = server.kill().start();
    assert_eq!([&old, &other, &new].map(|id| me(&server, id)), [403, 403, 200]);
    assert!(may_log_in(&server, ADMIN, NEW));
}

#[test]
fn the_current_password_is_needed_and_the_new_one_keeps_the_rules() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let put = |body: &Value| server.put(OWN).session(&admin).json(body).send();
    for (body, says) in [
        (json!({}), "current_password missing"),
        (json!({ "new_password": NEW }), "current_password missing"),
        (json!({ "current_password": "", "new_password": NEW }), "current_password missing"),
        (json!({ "current_password": ADMIN_PASSWORD }), "new_password missing"),
        (
            json!({ "current_password": 1, "new_password": NEW }),
            "current_password must be a string",
        ),
        (
            json!({ "current_password": ADMIN_PASSWORD, "new_password": [] }),
            "new_password must be a string",
        ),
        (
            json!({ "current_password": ADMIN_PASSWORD, "new_password": ADMIN_PASSWORD }),
            "new_password must differ from current_password",
        ),
        (
            json!({ "current_password": ADMIN_PASSWORD, "new_password": "short" }),
            "password must have at least 8 characters",
        ),
        (
            json!({ "current_password": ADMIN_PASSWORD, "new_password": "Password1" }),
            "password is one of the most common ones, choose another",
        ),
    ] {
        put(&body).assert_error(400, says);
    }
    for context in [ADMIN, "ADMIN@example.com!", "sessiond-2026", "example.com"] {
        let refused = change(&server, &admin, ADMIN_PASSWORD, context);
        assert_eq!(refused.status, 400, "{context}");
        assert!(refused.body.contains("made of"), "{context}: {}", refused.body);
    }
    change(&server, &admin, PASSWORD, NEW).assert_error(403, "wrong password");
    let put = server.put(OWN).session(&admin);
    put.body("text/plain", "{}").send().assert_error(400, "Wrong format");
    assert_eq!(me(&server, &admin), 200);
    server.put(OWN).send().assert_error(401, "Unauthorized");
    // Any composition and length within the limits is fine, byte for byte.
    let long = "\u{e4}b ".repeat(64);
    let admin = change(&server, &admin, ADMIN_PASSWORD, &long).session_id().unwrap();
    assert!(may_log_in(&server, ADMIN, &long) && !may_log_in(&server, ADMIN, long.trim_end()));
    change(&server, &admin, &long, "aaaaaaaaaaaaaaaaaaaaab").assert_is_user();
}

impl Answer {
    #[track_caller]
    fn assert_is_user(&self) {
        assert_eq!(self.status, 200, "{}", self.body);
        assert!(self.json()["id"].is_string(), "{}", self.body);
    }
}

#[test]
fn of_two_changes_at_once_one_wins() {
    let server = Server::of("session_db_auth");
    for round in 0..5 {
        let current = if round == 0 { ADMIN_PASSWORD.to_owned() } else { format!("{NEW} {round}") };
        let sessions = [server.log_in(ADMIN, &current), server.log_in(ADMIN, &current)];
        let next = format!("{NEW} {}", round + 1);
        let started = sessions.map(|session| {
            let body = json!({ "current_password": current, "new_password": next });
            server.put(OWN).session(&session).json(&body).start()
        });
        let mut statuses = started.map(|answer| answer.finish().status);
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 403], "{round}");
    }
}

#[test]
fn a_password_is_changed_by_somebody_who_is_still_as_he_was_when_he_proved_himself() {
    let server = InProcess::with(&[]);
    let accounts = server.service.accounts();
    block_on(async {
        let proved = accounts.users.search(ADMIN).await.unwrap().unwrap();
        let hash = accounts.hash(NEW.into(), &proved).await.unwrap();
        accounts.change_password(&proved, hash.clone()).await.unwrap();
        let again = accounts.change_password(&proved, hash).await;
        assert!(matches!(again, Err(Error::Forbidden)), "{again:?}");
    });
}

#[test]
fn basic_credentials_change_with_the_password() {
    let server = Server::of("basic_auth");
    let get = |password: &str| server.get("/api/v1/users/me").basic(ADMIN, password).send().status;
    assert_eq!(get(ADMIN_PASSWORD), 200);
    let body = json!({ "current_password": ADMIN_PASSWORD, "new_password": NEW });
    let answer = server.put(OWN).basic(ADMIN, ADMIN_PASSWORD).json(&body).send();
    answer.assert_is_user();
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!((get(ADMIN_PASSWORD), get(NEW)), (403, 200));
}

#[test]
fn an_admin_sets_a_password_that_must_be_changed() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let bob_id = server.add_user(BOB);
        server.add_user("eve@example.com");
        let (admin, before) = (server.admin(), server.log_in(BOB, PASSWORD));
        let eve = server.log_in("eve@example.com", PASSWORD);
        let path = format!("/api/v1/users/{bob_id}/password");
        let set = |by: &str, body: &Value| server.put(&path).session(by).json(body).send();
        set(&eve, &json!({ "new_password": NEW })).assert_error(403, "Forbidden");
        set(&admin, &json!({})).assert_error(400, "new_password missing");
        let no = json!({ "new_password": NEW, "must_change": "no" });
        set(&admin, &no).assert_error(400, "must_change must be true or false");
        let context = set(&admin, &json!({ "new_password": "Bob@example.com1" }));
        assert_eq!(context.status, 400, "{}", context.body);
        let answer = set(&admin, &json!({ "new_password": NEW }));
        assert_eq!((answer.status, &answer.json()["must_change"]), (200, &json!(true)), "{kind}");
        assert_eq!(answer.header("set-cookie"), None);
        assert_eq!([&before, &admin].map(|id| me(&server, id)), [403, 200], "{kind}");
        assert!(!may_log_in(&server, BOB, PASSWORD));

        // His next session can change the password, or be ended, and nothing else.
        let login = server.login(&[("email", BOB), ("password", NEW)]).send();
        assert_eq!(login.json()["must_change"], true);
        let bob = login.session_id().unwrap();
        let himself = format!("/api/v1/users/{bob_id}");
        for (method, path) in [
            ("GET", "/api/v1/users/me"),
            ("GET", "/api/v1/stats"),
            ("GET", "/api/v1/auth_session"),
            ("POST", "/api/v1/auth_session/refresh"),
            ("GET", "/api/v1/users/me/sessions"),
            ("PUT", &himself),
            ("DELETE", &himself),
            ("GET", "/api/v1/users/me/password"),
            ("GET", "/api/v1/nothing"),
        ] {
            server.request(method, path).session(&bob).send().assert_error(403, MUST);
            server.request(method, path).bearer(&bob).send().assert_error(403, MUST);
        }
        assert_eq!(server.get("/api/v1/status").session(&bob).send().status, 200);
        change(&server, &bob, NEW, NEW)
            .assert_error(400, "new_password must differ from current_password");
        let changed = change(&server, &bob, NEW, "my own choice 4");
        changed.assert_is_user();
        assert_eq!(changed.json().get("must_change"), None);
        assert_eq!(me(&server, &changed.session_id().unwrap()), 200, "{kind}");

        let relaxed = json!({ "new_password": NEW, "must_change": false });
        assert_eq!(set(&admin, &relaxed).json().get("must_change"), None);
        assert_eq!(me(&server, &server.log_in(BOB, NEW)), 200);
        let nobody = server.put(&format!("/api/v1/users/{NOBODY}/password")).session(&admin);
        nobody.json(&json!({ "new_password": NEW })).send().assert_error(404, "Not found");
    }
}

#[test]
fn who_must_change_his_password_may_log_out() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let new = json!({ "email": BOB, "password": PASSWORD, "must_change": true });
    let made = server.post("/api/v1/users").session(&admin).json(&new).send();
    assert_eq!((made.status, &made.json()["must_change"]), (201, &json!(true)));
    let server = server.kill().start();
    let bob = server.log_in(BOB, PASSWORD);
    assert_eq!(me(&server, &bob), 403);
    server.delete("/api/v1/auth_session/logout/").session(&bob).send().assert_is(200, "{}");
    // Basic is no way around it.
    let (program, ..) = server.stop();
    let server = program.set("AUTH_TYPE", "basic_auth").start();
    server.get("/api/v1/users/me").basic(BOB, PASSWORD).send().assert_error(403, MUST);
    let body = json!({ "current_password": PASSWORD, "new_password": NEW });
    server.put(OWN).basic(BOB, PASSWORD).json(&body).send().assert_is_user();
    assert_eq!(server.get("/api/v1/users/me").basic(BOB, NEW).send().status, 200);
}

#[test]
fn an_admin_who_names_himself_needs_his_current_password_like_everybody() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let me = server.get("/api/v1/users/me").session(&admin).send().json();
    let path = format!("/api/v1/users/{}/password", me["id"].as_str().unwrap());
    let put = server.put(&path).session(&admin).json(&json!({ "new_password": NEW }));
    put.send().assert_error(400, "current_password missing");
}

#[test]
fn refused_passwords_can_be_listed_in_a_file() {
    let program = Program::of("session_db_auth");
    let list = program.folder().join("refused.txt");
    std::fs::write(&list, b"Purple Monkey\r\n\xff\xfe not text\nbattery acid 9\n").unwrap();
    let server = program.set("PASSWORD_BLOCKLIST", list.to_str().unwrap()).start();
    let admin = server.admin();
    for refused in ["purple monkey", "Battery Acid 9"] {
        let answer = change(&server, &admin, ADMIN_PASSWORD, refused);
        answer.assert_error(400, "password is one of the most common ones, choose another");
    }
    change(&server, &admin, ADMIN_PASSWORD, "purple monkeys").assert_is_user();
}

#[test]
fn the_command_line_can_ask_for_a_change() {
    let server = Server::of("session_db_auth");
    server.add_user(BOB);
    let (program, ..) = server.stop();
    let set = program.run(&["user", "passwd", "--must-change", BOB], &format!("{NEW}\n"));
    assert!(set.status.success(), "{set:?}");
    let add = ["user", "add", "--must-change", "eve@example.com"];
    assert!(program.run(&add, &format!("{PASSWORD}\n")).status.success());
    let context = program.run(&["user", "passwd", BOB], "bob@example.com\n");
    assert_eq!(context.status.code(), Some(1));
    assert!(String::from_utf8(context.stderr).unwrap().contains("made of"));
    let server = program.start();
    for session in [server.log_in(BOB, NEW), server.log_in("eve@example.com", PASSWORD)] {
        server.get("/api/v1/users/me").session(&session).send().assert_error(403, MUST);
    }
}
