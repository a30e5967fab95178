//! The password once more, before what matters most; then what was asked for is done.

use std::time::Duration;

use serde_json::json;
use sessiond::models::Role;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, Browser, InProcess, PASSWORD};

const BOB: &str = "bob@example.com";
const EVE: &str = "eve@example.com";
const CONFIRM: &str = "/login/confirm";
const END_OTHERS: &str = "/account/sessions/end-others";
const NOTHING_LEFT: &str =
    "There is nothing left to confirm: it was done already, or asked for too long ago.";

/// A server on which whoever logs in is fresh for a minute.
fn server() -> InProcess {
    InProcess::with(&["--reauth-window", "60"])
}

/// Nobody's login is fresh any more.
fn time_passes(server: &InProcess) {
    server.advance(Duration::from_mins(2));
}

fn confirm(browser: &Browser<'_>, password: &str) -> Answer {
    browser.submit(CONFIRM, &[("password", password)])
}

#[track_caller]
fn assert_nothing_left(browser: &Browser<'_>, answer: &Answer) {
    answer.leads_to("/account");
    assert_eq!(browser.open("/account").notice(), Some((false, NOTHING_LEFT.into())));
}

#[test]
fn the_password_is_asked_for_and_then_it_is_done() {
    let server = server();
    let (here, there) = (Browser::of_admin(&server), Browser::of_admin(&server));
    time_passes(&server);
    let asked = here.submit(END_OTHERS, &[]);
    asked.leads_to(CONFIRM);
    assert_eq!(there.open("/account").status, 200, "nothing has been done yet");
    let page = here.follow(&asked);
    assert_eq!((page.status, page.heading()), (200, "Confirm that it is you"));
    assert!(page.body.contains("Please give your password again to end all other sessions."));
    assert!(page.body.contains(&format!("value=\"{ADMIN}\" autocomplete=\"username\" readonly")));
    assert!(page.field("password").unwrap().contains("autocomplete=\"current-password\""));
    let before = here.session();
    let done = confirm(&here, ADMIN_PASSWORD);
    done.leads_to("/account");
    here.follow(&done).tells("All other sessions have ended.");
    there.open("/account").leads_to("/login?return_to=%2Faccount");
    // The session has another id, and is fresh: it is not asked again.
    assert_ne!(here.session(), before);
    let old = server.get("/api/v1/users/me").session(&before.unwrap()).send();
    assert_eq!(old.status, 403);
    here.submit(END_OTHERS, &[]).leads_to("/account");
    here.open("/account").tells("All other sessions have ended.");
    assert_nothing_left(&here, &confirm(&here, ADMIN_PASSWORD));
    assert_nothing_left(&here, &here.open(CONFIRM));
}

#[test]
fn each_step_says_what_it_is_and_carries_on() {
    let server = server();
    let bob = server.add_user(BOB, Role::User).id;
    let user = format!("/admin/users/{bob}");
    let role: [(&str, &str); 1] = [("role", "admin")];
    for (path, fields, what, to, told) in [
        (
            END_OTHERS.to_owned(),
            &[][..],
            "end all other sessions",
            "/account",
            "All other sessions have ended.",
        ),
        (
            format!("{user}/sessions/end"),
            &[],
            "end all sessions of this user",
            &user,
            "All sessions of bob@example.com have ended.",
        ),
        (
            format!("{user}/role"),
            &role,
            "change the role of this user",
            &user,
            "bob@example.com is an administrator now.",
        ),
    ] {
        let browser = Browser::of_admin(&server);
        time_passes(&server);
        let asked = browser.submit(&path, fields);
        asked.leads_to(CONFIRM);
        let page = browser.follow(&asked);
        assert!(
            page.body.contains(&format!("Please give your password again to {what}.")),
            "{}",
            page.body
        );
        assert!(page.body.contains(&format!("<a class=\"button\" href=\"{to}\">Cancel</a>")));
        let done = confirm(&browser, ADMIN_PASSWORD);
        done.leads_to(to);
        browser.follow(&done).tells(told);
    }
    let browser = Browser::of_admin(&server);
    time_passes(&server);
    // The form for a password is asked for before it is filled in.
    let form = format!("{user}/password");
    browser.open(&form).leads_to(CONFIRM);
    assert!(
        browser
            .open(CONFIRM)
            .body
            .contains("Please give your password again to set a password for this user.")
    );
    let done = confirm(&browser, ADMIN_PASSWORD);
    done.leads_to(&form);
    assert_eq!(browser.follow(&done).heading(), "Set a password");
    // What is typed is never kept meanwhile.
    time_passes(&server);
    let late = browser.submit(&form, &[("password", "another one 7"), ("must_change", "1")]);
    late.leads_to(CONFIRM);
    confirm(&browser, ADMIN_PASSWORD).leads_to(&form);
    Browser::of(&server, BOB, PASSWORD);
    browser.submit(&form, &[("password", "another one 7")]).leads_to(&user);
    Browser::of(&server, BOB, "another one 7");
}

#[test]
fn a_wrong_password_is_told_and_asked_for_again() {
    let server = server();
    let (here, there) = (Browser::of_admin(&server), Browser::of_admin(&server));
    time_passes(&server);
    here.submit(END_OTHERS, &[]).leads_to(CONFIRM);
    for (password, status, told) in [
        ("wrong password 3", 403, "This is not the password."),
        (PASSWORD, 403, "This is not the password."),
        ("", 400, "Please enter a password."),
    ] {
        let page = confirm(&here, password);
        page.assert_page(status);
        assert_eq!(page.heading(), "Confirm that it is you");
        assert_eq!(page.error_at("password").as_deref(), Some(told));
        assert!(password.is_empty() || !page.body.contains(password));
        assert_eq!(there.open("/account").status, 200);
    }
    confirm(&here, ADMIN_PASSWORD).leads_to("/account");
    there.open("/account").leads_to("/login?return_to=%2Faccount");
}

#[test]
fn guessing_there_is_slowed_down_like_everywhere() {
    let server = InProcess::with(&["--reauth-window", "60", "--login-attempts", "2"]);
    let browser = Browser::of_admin(&server);
    time_passes(&server);
    browser.submit(END_OTHERS, &[]).leads_to(CONFIRM);
    for _ in 0..2 {
        confirm(&browser, "wrong password 3").assert_page(403);
    }
    let page = confirm(&browser, ADMIN_PASSWORD);
    page.assert_page(429);
    assert_eq!(page.header("retry-after"), Some("30"));
    let told = page.error_at("password").unwrap();
    assert_eq!(told, "Too many wrong attempts. Please wait 30 seconds, and try again.");
    server.advance(Duration::from_secs(30));
    confirm(&browser, ADMIN_PASSWORD).leads_to("/account");
}

#[test]
fn what_was_asked_for_waits_a_quarter_of_an_hour() {
    for (wait, done) in [(899, true), (900, false)] {
        let server = server();
        let (here, there) = (Browser::of_admin(&server), Browser::of_admin(&server));
        time_passes(&server);
        here.submit(END_OTHERS, &[]).leads_to(CONFIRM);
        server.advance(Duration::from_secs(wait));
        let answer = confirm(&here, ADMIN_PASSWORD);
        if done {
            answer.leads_to("/account");
            here.open("/account").tells("All other sessions have ended.");
        } else {
            assert_nothing_left(&here, &answer);
        }
        assert_eq!(there.open("/account").status, if done { 303 } else { 200 });
    }
}

#[test]
fn nobody_confirms_what_another_has_asked_for() {
    let server = server();
    server.add_user(BOB, Role::Admin);
    let eve = server.add_user(EVE, Role::User).id;
    let admin = Browser::of_admin(&server);
    time_passes(&server);
    admin.submit(&format!("/admin/users/{eve}/role"), &[("role", "admin")]).leads_to(CONFIRM);
    let bob = Browser::of(&server, BOB, PASSWORD);
    bob.set_state(&admin.state().unwrap());
    assert_nothing_left(&bob, &bob.open(CONFIRM));
    bob.set_state(&admin.state().unwrap());
    assert_nothing_left(&bob, &confirm(&bob, PASSWORD));
    let told = admin.open(&format!("/admin/users/{eve}"));
    assert!(told.body.contains("<option value=\"user\" selected>"), "{}", told.body);
    confirm(&admin, ADMIN_PASSWORD).leads_to(&format!("/admin/users/{eve}"));
}

#[test]
fn a_login_forgets_what_was_half_done() {
    let server = server();
    let browser = Browser::of_admin(&server);
    time_passes(&server);
    browser.submit(END_OTHERS, &[]).leads_to(CONFIRM);
    browser.log_in(ADMIN, ADMIN_PASSWORD).leads_to("/account");
    assert_nothing_left(&browser, &browser.open(CONFIRM));
}

#[test]
fn who_is_no_admin_any_more_does_nothing_with_his_password() {
    let server = server();
    let (bob, eve) = (server.add_user(BOB, Role::Admin).id, server.add_user(EVE, Role::User).id);
    let browser = Browser::of(&server, BOB, PASSWORD);
    time_passes(&server);
    browser.submit(&format!("/admin/users/{eve}/sessions/end"), &[]).leads_to(CONFIRM);
    let of_eve = Browser::of(&server, EVE, PASSWORD);
    let put = server.put(&format!("/api/v1/users/{bob}")).session(&server.admin());
    assert_eq!(put.json(&json!({ "role": "user" })).send().status, 200);
    let page = confirm(&browser, PASSWORD);
    page.assert_page(403);
    assert_eq!(page.heading(), "This is not for you");
    assert_eq!(of_eve.open("/account").status, 200);
}

#[test]
fn an_admin_who_takes_the_last_role_away_is_told_and_has_proved_himself() {
    let server = server();
    let browser = Browser::of_admin(&server);
    time_passes(&server);
    let me = server.get("/api/v1/users/me").session(&browser.session().unwrap()).send().json();
    let user = format!("/admin/users/{}", me["id"].as_str().unwrap());
    browser.submit(&format!("{user}/role"), &[("role", "user")]).leads_to(CONFIRM);
    let refused = confirm(&browser, ADMIN_PASSWORD);
    refused.leads_to(&user);
    let page = browser.follow(&refused);
    assert_eq!(
        page.notice(),
        Some((false, "The last administrator who is not disabled must stay one.".into()))
    );
    browser.submit(END_OTHERS, &[]).leads_to("/account");
}

#[test]
fn without_a_session_there_is_nothing_to_confirm() {
    let server = server();
    let browser = Browser::at(&server);
    for path in ["/login/confirm", "/login/confirm/"] {
        browser.open(path).leads_to(&format!("/login?return_to={}", path.replace('/', "%2F")));
        let page = confirm(&browser, ADMIN_PASSWORD);
        page.assert_page(401);
        assert_eq!(page.heading(), "You are not logged in any more");
    }
}
