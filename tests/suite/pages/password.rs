//! One's own password.

use std::time::Duration;

use serde_json::json;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Browser, InProcess, PASSWORD, Program, SESSION_KINDS, Server,
};

const BOB: &str = "bob@example.com";
const PATH: &str = "/account/password";
const NEW: &str = "another one 7";
const CHANGED: &str = "Your password is changed. All other sessions have ended.";

fn fields<'a>(current: &'a str, new: &'a str) -> [(&'static str, &'a str); 2] {
    [("current_password", current), ("new_password", new)]
}

#[test]
fn what_is_allowed_is_told_before_it_is_tried() {
    let server = Server::of("session_db_auth");
    let page = Browser::of_admin(&server).open(PATH);
    assert_eq!(page.heading(), "Change password");
    let rules = page.between("<div class=\"rules\" id=\"rules\">", "</div>").unwrap();
    assert_eq!(rules.matches("<li>").count(), 3);
    assert!(rules.contains("At least 8 characters") && rules.contains("most common"), "{rules}");
    let new = page.field("new_password").unwrap();
    assert!(
        new.contains("autocomplete=\"new-password\"") && new.contains("aria-describedby=\"rules\""),
        "{new}"
    );
    assert!(page.field("current_password").unwrap().contains("autocomplete=\"current-password\""));
    // For password managers, which want to know whose password it is.
    assert!(page.body.contains(&format!("value=\"{ADMIN}\" autocomplete=\"username\" readonly")));
    for name in ["current_password", "new_password"] {
        assert_eq!(page.value_of(name), None);
        assert!(page.body.contains(&format!("<label for=\"{name}\">")));
    }
}

#[test]
fn a_change_ends_all_other_sessions_and_gives_this_one_a_new_id() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        for (path, from, to) in
            [(PATH, ADMIN_PASSWORD, NEW), ("/account/password/", NEW, ADMIN_PASSWORD)]
        {
            let here = Browser::of(&server, ADMIN, from);
            let there = Browser::of(&server, ADMIN, from);
            let before = here.session().unwrap();
            let changed = here.submit(path, &fields(from, to));
            changed.leads_to("/account");
            assert_ne!(here.session().unwrap(), before);
            here.follow(&changed).tells(CHANGED);
            there.open("/account").leads_to("/login?return_to=%2Faccount");
            let old = server.get("/api/v1/users/me").session(&before).send();
            assert_eq!(old.status, 403, "{kind}");
            Browser::at(&server).log_in(ADMIN, from).assert_page(401);
            Browser::of(&server, ADMIN, to);
        }
    }
}

#[test]
fn what_is_wrong_is_told_at_its_field_and_nothing_changes() {
    let server = Server::of("session_db_auth");
    let browser = Browser::of_admin(&server);
    let session = browser.session();
    for (current, new, status, at, told) in [
        ("", NEW, 400, "current_password", "Please enter a password."),
        ("wrong password 3", NEW, 403, "current_password", "This is not the password."),
        (ADMIN_PASSWORD, "", 400, "new_password", "Please enter a password."),
        (ADMIN_PASSWORD, "short 7", 400, "new_password", "Too short: at least 8 characters."),
        (
            ADMIN_PASSWORD,
            "password1",
            400,
            "new_password",
            "This is one of the most common passwords. Choose another.",
        ),
        (
            ADMIN_PASSWORD,
            "admin@example.com",
            400,
            "new_password",
            "Everybody could guess this: it is made of the e-mail address or the name of this service.",
        ),
        (
            ADMIN_PASSWORD,
            ADMIN_PASSWORD,
            400,
            "new_password",
            "This is the current password. Choose another.",
        ),
        (
            ADMIN_PASSWORD,
            &"long ".repeat(60),
            400,
            "new_password",
            "Password must have at most 256 bytes in UTF-8.",
        ),
    ] {
        let page = browser.submit(PATH, &fields(current, new));
        page.assert_page(status);
        assert_eq!((page.heading(), page.errors_at_fields()), ("Change password", 1), "{new}");
        assert_eq!(page.error_at(at).as_deref(), Some(told));
        for typed in [current, new] {
            let is_shown = !typed.is_empty() && typed != ADMIN && page.body.contains(typed);
            assert!(!is_shown, "{typed}: {}", page.body);
        }
    }
    assert_eq!(browser.session(), session);
    Browser::of_admin(&server);
}

#[test]
fn too_many_wrong_ones_are_told_above_the_form() {
    let server = InProcess::with(&["--login-attempts", "1"]);
    let browser = Browser::of_admin(&server);
    browser.submit(PATH, &fields("wrong password 3", NEW)).assert_page(403);
    let page = browser.submit(PATH, &fields(ADMIN_PASSWORD, NEW));
    page.assert_page(429);
    assert_eq!((page.header("retry-after"), page.errors_at_fields()), (Some("60"), 0));
    page.tells("Too many wrong attempts. Please wait 60 seconds, and try again.");
    server.advance(Duration::from_mins(1));
    browser.submit(PATH, &fields(ADMIN_PASSWORD, NEW)).leads_to("/account");
}

#[test]
fn a_change_needs_the_current_password_and_no_other_proof() {
    let server = InProcess::with(&["--reauth-window", "60"]);
    let browser = Browser::of_admin(&server);
    server.advance(Duration::from_mins(5));
    browser.submit(PATH, &fields(ADMIN_PASSWORD, NEW)).leads_to("/account");
}

/// A server on which Bob must change the password that he has.
fn must_change(server: &Server) {
    let body = json!({ "email": BOB, "password": PASSWORD, "must_change": true });
    let made = server.post("/api/v1/users").session(&server.admin()).json(&body).send();
    assert_eq!(made.status, 201);
}

#[test]
fn who_must_change_his_password_is_led_there_from_everywhere_and_then_on() {
    let program = Program::of("session_db_auth");
    let server = program.set("ALLOWED_REDIRECTS", "app.example.com").start();
    must_change(&server);
    let (mut from, mut to) = (PASSWORD, NEW);
    for back in ["/nowhere?a=b", "http://app.example.com/x"] {
        let browser = Browser::at(&server);
        browser.open(&format!("/login?return_to={back}"));
        browser.log_in(BOB, from).leads_to(PATH);
        for path in ["/account", "/admin", "/account/nothing", "/login/confirm", "/admin/users"] {
            browser.open(path).leads_to(PATH);
        }
        browser.submit("/account", &[("first_name", "x")]).leads_to(PATH);
        let page = browser.open(PATH);
        assert_eq!(page.heading(), "Change password");
        assert!(
            page.body.contains("Your password must be changed before you can go on."),
            "{}",
            page.body
        );
        assert!(!page.body.contains("Cancel"), "there is nowhere else to go");
        // Browsers follow where a form leads only as far as its page lets them.
        let leads_on = |page: &crate::harness::Answer| {
            page.header("content-security-policy")
                .unwrap()
                .contains("form-action 'self' http://app.example.com;")
        };
        assert_eq!(leads_on(&page), back.starts_with("http"));
        let wrong = browser.submit(PATH, &fields("wrong password 3", to));
        assert_eq!((wrong.status, leads_on(&wrong)), (403, back.starts_with("http")));
        browser.submit(PATH, &fields(from, to)).leads_to(back);
        assert_eq!(browser.open("/account").status, 200);
        // It counts once.
        browser.submit(PATH, &fields(to, from)).leads_to("/account");
        let body = json!({ "new_password": to });
        let users = server.get("/api/v1/users").session(&server.admin()).send().json();
        let bob = users.as_array().unwrap().iter().find(|user| user["email"] == BOB).unwrap();
        let path = format!("/api/v1/users/{}/password", bob["id"].as_str().unwrap());
        assert_eq!(server.put(&path).session(&server.admin()).json(&body).send().status, 200);
        (from, to) = (to, from);
    }
}

#[test]
fn who_must_change_his_password_may_leave_instead() {
    let server = Server::of("session_db_auth");
    must_change(&server);
    let browser = Browser::at(&server);
    browser.log_in(BOB, PASSWORD).leads_to(PATH);
    browser.submit("/logout", &[]).leads_to("/login");
    browser.open(PATH).leads_to("/login?return_to=%2Faccount%2Fpassword");
}
