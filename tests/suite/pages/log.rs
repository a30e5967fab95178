//! What is done on pages stands in the security log as what is done by the API.

use std::cell::Cell;
use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Browser, Client, NO_SESSION, NOBODY, PASSWORD, Request, Server,
};
use crate::security_log::{audited, events, file_of, lines};

const BOB: &str = "bob@example.com";
const WRONG: &str = "wrong password 3";
const NEW: &str = "another one 7";

/// A server, and how far its security log has been read.
struct Watched {
    server: Server,
    read: Cell<usize>,
}

impl Watched {
    fn new() -> Self {
        Self { server: audited("session_db_auth").start(), read: Cell::new(0) }
    }

    /// What has been added since this was last asked.
    fn news(&self) -> Vec<Value> {
        let lines = lines(&file_of(self.server.program()));
        lines[self.read.replace(lines.len())..].to_vec()
    }

    /// The one line that a request on a page adds.
    #[track_caller]
    fn one(&self, event: &str, act: impl FnOnce() -> crate::harness::Answer) -> Value {
        self.news();
        let answer = act();
        let lines = self.news();
        assert_eq!(events(&lines), [event], "{lines:?} {answer:?}");
        assert_eq!(lines[0]["request_id"], answer.header("x-request-id").unwrap());
        assert_eq!(lines[0]["client"], "127.0.0.1");
        lines[0].clone()
    }

    fn id_of(&self, email: &str) -> Value {
        let users = self.server.get("/api/v1/users").session(&self.server.admin()).send().json();
        let user = users.as_array().unwrap().iter().find(|user| user["email"] == email);
        user.unwrap()["id"].clone()
    }
}

#[track_caller]
fn assert_says(line: &Value, actor: &Value, subject: &Value, detail: &str) {
    assert_eq!((&line["actor"], &line["subject"]), (actor, subject), "{line}");
    assert_eq!(line["detail"], detail, "{line}");
}

/// What a line says but for who, when and with which session.
fn like_it(line: &Value) -> [Value; 3] {
    ["event", "level", "detail"].map(|member| line[member].clone())
}

#[test]
fn logins_and_logouts_are_told_as_by_the_api() {
    let log = Watched::new();
    let admin = log.id_of(ADMIN);
    let (browser, client): (_, &Client) = (Browser::at(&log.server), &log.server);
    let none = json!("-");
    let wrong = log.one("authn_login_fail", || browser.log_in(ADMIN, WRONG));
    assert_says(&wrong, &none, &admin, wrong["detail"].as_str().unwrap());
    let by_api = log
        .one("authn_login_fail", || client.login(&[("email", ADMIN), ("password", WRONG)]).send());
    assert_eq!(like_it(&wrong), like_it(&by_api));
    let right = log.one("authn_login_success", || browser.log_in(ADMIN, ADMIN_PASSWORD));
    assert_eq!((&right["actor"], &right["subject"]), (&admin, &admin), "{right}");
    let left = log.one("authn_logout", || browser.submit("/logout", &[]));
    assert_eq!((&left["actor"], &left["subject"]), (&admin, &admin), "{left}");
    let guessed =
        log.one("authn_token_unknown", || log.server.get("/account").session(NO_SESSION).send());
    assert_says(&guessed, &none, &none, "-");
}

#[test]
fn what_is_done_to_accounts_and_sessions_is_told_with_who_did_it() {
    let log = Watched::new();
    let admin_id = log.id_of(ADMIN);
    let admin = Browser::of_admin(&log.server);
    let fields = [("email", BOB), ("password", PASSWORD)];
    let made = log.one("user_created", || admin.submit("/admin/users/new", &fields));
    let bob_id = log.id_of(BOB);
    assert_says(&made, &admin_id, &bob_id, "role user");
    let user = format!("/admin/users/{}", bob_id.as_str().unwrap());
    let role =
        log.one("authz_change", || admin.submit(&format!("{user}/role"), &[("role", "admin")]));
    assert_eq!((&role["actor"], &role["subject"]), (&admin_id, &bob_id), "{role}");
    let (bob, other) =
        (Browser::of(&log.server, BOB, PASSWORD), Browser::of(&log.server, BOB, PASSWORD));
    let id = |browser: &Browser<'_>| {
        let session = browser.session().unwrap();
        let told = log.server.get("/api/v1/auth_session").session(&session).send().json();
        told["id"].as_str().unwrap().to_owned()
    };
    let other_id = id(&other);
    let ended = log.one("authn_token_revoked", || {
        bob.submit(&format!("/account/sessions/{other_id}/end"), &[])
    });
    assert_eq!((&ended["actor"], &ended["session"]), (&bob_id, &json!(other_id)), "{ended}");
    let others = log.one("authn_token_revoked", || bob.submit("/account/sessions/end-others", &[]));
    assert_says(&others, &bob_id, &bob_id, "all others");
    let change = [("current_password", PASSWORD), ("new_password", NEW)];
    log.news();
    bob.submit("/account/password", &change).leads_to("/account");
    let news = log.news();
    assert_eq!(events(&news), ["authn_login_success", "authn_password_change"], "{news:?}");
    assert_eq!((&news[1]["actor"], &news[1]["subject"]), (&bob_id, &bob_id));
    for (form, fields, event) in [
        ("password", &[("password", PASSWORD)][..], "authn_password_change"),
        ("sessions/end", &[], "authn_token_revoked"),
        ("disable", &[], "user_disabled"),
        ("enable", &[], "user_enabled"),
    ] {
        let line = log.one(event, || admin.submit(&format!("{user}/{form}"), fields));
        assert_eq!((&line["actor"], &line["subject"]), (&admin_id, &bob_id), "{line}");
    }
    let bob = Browser::of(&log.server, BOB, PASSWORD);
    let bobs = id(&bob);
    let ended = log
        .one("authn_token_revoked", || admin.submit(&format!("{user}/sessions/{bobs}/end"), &[]));
    assert_eq!((&ended["actor"], &ended["session"]), (&admin_id, &json!(bobs)), "{ended}");
}

#[test]
fn what_is_refused_is_told() {
    let log = Watched::new();
    log.server.add_user(BOB);
    let bob_id = log.id_of(BOB);
    let bob = Browser::of(&log.server, BOB, PASSWORD);
    let session = bob.session().unwrap();
    for path in ["/admin", "/admin/users", "/admin/users/new"] {
        let denied = log.one("authz_fail", || bob.open(path));
        assert_eq!(denied["actor"], bob_id, "{denied}");
        assert!(denied["detail"].as_str().unwrap().contains(&format!("GET {path}")), "{denied}");
    }
    let denied =
        log.one("authz_fail", || bob.submit(&format!("/admin/users/{NOBODY}/disable"), &[]));
    assert!(denied["detail"].as_str().unwrap().contains("POST /admin/users/"), "{denied}");
    for path in ["/account", "/logout", "/login"] {
        let foreign = |request: Request| {
            request.session(&session).header("Origin", "https://evil.example").send()
        };
        let told = log.one("malicious_csrf", || foreign(log.server.post(path)));
        assert!(told["detail"].as_str().unwrap().contains(&format!("POST {path}")), "{told}");
    }
    let twice = format!("_my_session_id={session}; _my_session_id={NO_SESSION}");
    for path in ["/account", "/login"] {
        log.one("input_validation_fail", || log.server.get(path).cookie(&twice).send());
    }
    // What is open to everybody tells nothing, and neither does a page that is not there.
    log.news();
    for path in ["/login", "/account", "/account/nothing", "/nothing"] {
        bob.open(path);
        Browser::at(&log.server).open(path);
    }
    assert_eq!(log.news(), Vec::<Value>::new());
}

#[test]
fn a_proof_that_is_given_on_a_page_is_told_like_any_other() {
    let program = audited("session_db_auth").set("REAUTH_WINDOW", "1");
    let log = Watched { server: program.start(), read: Cell::new(0) };
    let admin_id = log.id_of(ADMIN);
    let browser = Browser::of_admin(&log.server);
    // Until the login is not fresh any more.
    while browser.submit("/account/sessions/end-others", &[]).location() != Some("/login/confirm") {
        std::thread::sleep(Duration::from_millis(20));
    }
    let wrong =
        log.one("authn_login_fail", || browser.submit("/login/confirm", &[("password", WRONG)]));
    assert_eq!(wrong["subject"], admin_id, "{wrong}");
    assert!(wrong["detail"].as_str().unwrap().starts_with("reauth"), "{wrong}");
    log.news();
    browser.submit("/login/confirm", &[("password", ADMIN_PASSWORD)]).leads_to("/account");
    let news = log.news();
    assert!(events(&news).starts_with(&["authn_login_success", "authn_token_revoked"]), "{news:?}");
    assert!(news.iter().all(|line| line["actor"] == admin_id), "{news:?}");
}
