//! One user, as an admin sees and changes him.

use serde_json::{Value, json};

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, Browser, NOBODY, PASSWORD, Server};

const BOB: &str = "bob@example.com";
const EVE: &str = "eve@example.com";
const NEW: &str = "another one 7";
const LAST_ADMIN: &str = "The last administrator who is not disabled must stay one.";

/// The admin and Bob, each with a browser.
struct Cast {
    server: Server,
    bob: String,
}

impl Cast {
    fn new() -> Self {
        let server = Server::of("session_db_auth");
        let bob = format!("/admin/users/{}", server.add_user(BOB));
        Self { server, bob }
    }

    fn admin(&self) -> Browser<'_> {
        Browser::of_admin(&self.server)
    }

    fn bob(&self) -> Browser<'_> {
        Browser::of(&self.server, BOB, PASSWORD)
    }

    /// Bob, as the API tells him.
    fn told(&self) -> Value {
        let path = format!("/api/v1/users/{}", self.bob.rsplit('/').next().unwrap());
        self.server.get(&path).session(&self.server.admin()).send().json()
    }

    /// The page of the admin himself.
    fn himself(&self) -> String {
        let me = self.server.get("/api/v1/users/me").session(&self.server.admin()).send().json();
        format!("/admin/users/{}", me["id"].as_str().unwrap())
    }
}

#[track_caller]
fn assert_out(browser: &Browser<'_>) {
    browser.open("/account").leads_to("/login?return_to=%2Faccount");
}

/// Does it, holds that it leads back to the page of the user, and returns that page.
#[track_caller]
fn done(
    browser: &Browser<'_>,
    form: &str,
    fields: &[(&str, &str)],
    page: &str,
    told: &str,
) -> Answer {
    browser.submit(form, fields).leads_to(page);
    let page = browser.open(page);
    page.tells(told);
    page
}

#[test]
fn a_disabled_user_is_out_at_once_until_he_is_enabled() {
    let cast = Cast::new();
    let (admin, bob) = (cast.admin(), cast.bob());
    let disable = format!("{}/disable", cast.bob);
    let told = "bob@example.com is disabled. All sessions of this user have ended.";
    let page = done(&admin, &disable, &[], &cast.bob, told);
    assert!(page.body.contains("<span class=\"badge bad\">Disabled</span>"));
    assert!(page.body.contains("There are none."));
    assert_out(&bob);
    Browser::at(&cast.server).log_in(BOB, PASSWORD).assert_page(401);
    // Twice is as good as once.
    done(&admin, &disable, &[], &cast.bob, told);
    let page = done(
        &admin,
        &format!("{}/enable", cast.bob),
        &[],
        &cast.bob,
        "bob@example.com can log in again.",
    );
    assert!(!page.body.contains("Disabled</span>"));
    assert_out(&bob);
    cast.bob();
}

#[test]
fn the_last_admin_stays_one() {
    let cast = Cast::new();
    let (admin, himself) = (cast.admin(), cast.himself());
    for (form, fields) in [("disable", &[][..]), ("role", &[("role", "user")])] {
        admin.submit(&format!("{himself}/{form}"), fields).leads_to(&himself);
        let page = admin.open(&himself);
        assert_eq!(page.notice(), Some((false, LAST_ADMIN.into())), "{form}");
        assert!(page.body.contains("<option value=\"admin\" selected>"));
    }
}

#[test]
fn a_role_is_changed_and_counts_at_once() {
    let cast = Cast::new();
    let (admin, bob) = (cast.admin(), cast.bob());
    assert_eq!(bob.open("/admin").status, 403);
    let form = format!("{}/role", cast.bob);
    let before = admin.session();
    let page = done(
        &admin,
        &form,
        &[("role", "admin")],
        &cast.bob,
        "bob@example.com is an administrator now.",
    );
    assert!(page.body.contains("<option value=\"admin\" selected>admin</option>"));
    assert_ne!(admin.session(), before, "who has given a role away gets another id");
    assert_eq!(bob.open("/admin").status, 200);
    let session = admin.session();
    done(&admin, &form, &[("role", "user")], &cast.bob, "bob@example.com is a user now.");
    assert_ne!(admin.session(), session);
    assert_eq!(bob.open("/admin").status, 403);
    // Nothing, and what is no role.
    admin.submit(&form, &[]).leads_to(&cast.bob);
    for odd in ["root", "ADMIN", ""] {
        let page = admin.submit(&form, &[("role", odd)]);
        page.assert_page(400);
        assert_eq!(page.heading(), "This did not work");
    }
    assert_eq!(cast.told()["role"], "user");
}

#[test]
fn a_password_that_is_set_must_be_changed_and_ends_all_sessions() {
    let cast = Cast::new();
    let (admin, bob) = (cast.admin(), cast.bob());
    let form = format!("{}/password", cast.bob);
    let page = admin.open(&form);
    assert_eq!((page.heading(), page.is_ticked("must_change")), ("Set a password", true));
    assert!(page.field("password").unwrap().contains("autocomplete=\"new-password\""));
    assert!(
        page.between("<div class=\"rules\" id=\"rules\">", "</div>")
            .unwrap()
            .contains("At least 8")
    );
    for (password, told) in [
        ("", "Please enter a password."),
        ("short 7", "Too short: at least 8 characters."),
        ("password1", "This is one of the most common passwords. Choose another."),
    ] {
        for (must_change, ticked) in [("1", true), ("", false)] {
            let page = admin.submit(&form, &[("password", password), ("must_change", must_change)]);
            page.assert_page(400);
            assert_eq!((page.heading(), page.is_ticked("must_change")), ("Set a password", ticked));
            assert_eq!(page.error_at("password").as_deref(), Some(told));
            assert!(password.is_empty() || !page.body.contains(password));
        }
    }
    assert_eq!(bob.open("/account").status, 200);
    let told = "bob@example.com has another password. All sessions of this user have ended.";
    let page = done(&admin, &form, &[("password", NEW), ("must_change", "1")], &cast.bob, told);
    assert!(page.body.contains("<span class=\"badge quiet\">Must change password</span>"));
    assert_out(&bob);
    Browser::at(&cast.server).log_in(BOB, PASSWORD).assert_page(401);
    Browser::at(&cast.server).log_in(BOB, NEW).leads_to("/account/password");
    done(&admin, &form, &[("password", PASSWORD)], &cast.bob, told);
    cast.bob();
}

#[test]
fn ones_own_password_is_changed_by_who_knows_the_current_one() {
    let cast = Cast::new();
    let (admin, himself) = (cast.admin(), cast.himself());
    let form = format!("{himself}/password");
    admin.open(&form).leads_to("/account/password");
    let page = admin.submit(&form, &[("password", NEW)]);
    page.assert_page(403);
    cast.admin();
    assert!(admin.open(&himself).body.contains("This is you."));
    assert!(!admin.open(&format!("{}/password", cast.bob)).body.contains("This is you."));
}

#[test]
fn sessions_of_a_user_are_shown_and_ended_one_by_one() {
    let cast = Cast::new();
    let admin = cast.admin();
    let agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1";
    let (phone, other) = (Browser::calling_itself(&cast.server, agent), cast.bob());
    phone.log_in(BOB, PASSWORD).leads_to("/account");
    let page = admin.open(&cast.bob);
    assert_eq!(page.body.matches(">Safari on iPhone</span>").count(), 1, "{}", page.body);
    let form = page
        .body
        .split(&format!("action=\"{}/sessions/", cast.bob))
        .find(|rest| rest.contains("aria-label=\"End: Safari on iPhone, last seen just now\""));
    let id = form.unwrap().split('/').next().unwrap().to_owned();
    let end = format!("{}/sessions/{id}/end", cast.bob);
    done(&admin, &end, &[], &cast.bob, "The session has ended.");
    assert_out(&phone);
    assert_eq!(other.open("/account").status, 200);
    let nobodys = format!("{}/sessions/{NOBODY}/end", cast.bob);
    for gone in [end.as_str(), nobodys.as_str()] {
        done(&admin, gone, &[], &cast.bob, "This session had ended already.");
    }
    // Of somebody else's user it ends none.
    let eve = format!("/admin/users/{}", cast.server.add_user(EVE));
    let told =
        cast.server.get("/api/v1/auth_session").session(&other.session().unwrap()).send().json();
    let foreign = format!("{eve}/sessions/{}/end", told["id"].as_str().unwrap());
    done(&admin, &foreign, &[], &eve, "This session had ended already.");
    assert_eq!(other.open("/account").status, 200);
}

#[test]
fn all_sessions_of_a_user_are_ended_at_once() {
    let cast = Cast::new();
    let (admin, bobs) = (cast.admin(), [cast.bob(), cast.bob()]);
    let form = format!("{}/sessions/end", cast.bob);
    let page = done(&admin, &form, &[], &cast.bob, "All sessions of bob@example.com have ended.");
    assert!(page.body.contains("There are none.") && !page.body.contains("/sessions/"));
    bobs.iter().for_each(assert_out);
    cast.bob();
}

#[test]
fn an_admin_who_ends_his_own_sessions_is_out() {
    let cast = Cast::new();
    let himself = cast.himself();
    let (admin, other) = (cast.admin(), cast.admin());
    assert!(admin.open(&himself).body.contains("This one ends too."));
    let ended = admin.submit(&format!("{himself}/sessions/end"), &[]);
    ended.leads_to(&himself);
    assert_eq!(ended.header("clear-site-data"), Some("\"cache\", \"storage\""));
    assert_eq!(admin.session(), None);
    admin
        .follow(&ended)
        .leads_to(&format!("/login?return_to={}", himself.replace('/', "%2F").replace('-', "%2D")));
    admin.open("/login").tells("All sessions of admin@example.com have ended.");
    assert_out(&other);
    // The one in use, by itself.
    let admin = cast.admin();
    let told =
        cast.server.get("/api/v1/auth_session").session(&admin.session().unwrap()).send().json();
    let ended =
        admin.submit(&format!("{himself}/sessions/{}/end", told["id"].as_str().unwrap()), &[]);
    assert_eq!((ended.status, admin.session()), (303, None));
}

#[test]
fn a_user_who_is_not_there_is_a_page_that_is_not_there() {
    let cast = Cast::new();
    let admin = cast.admin();
    for id in [NOBODY, "x", "me2", "%00", &"a".repeat(500)] {
        let forms =
            ["", "/role", "/disable", "/enable", "/password", "/sessions/end", "/sessions/x/end"];
        for form in forms {
            let path = format!("/admin/users/{id}{form}");
            let page = admin.open(&path);
            if id == "%00" {
                // Refused before anybody asks what is there.
                assert_eq!(page.status, 400);
                continue;
            }
            page.assert_page(404);
            assert_eq!(page.heading(), "There is no such page", "{path}");
            if !form.is_empty() {
                let fields = [("role", "admin"), ("password", NEW)];
                admin.submit(&path, &fields).assert_page(404);
            }
        }
    }
    // Where a form goes leads to its page.
    for form in ["role", "disable", "enable", "sessions/end", "sessions/x/end"] {
        admin.open(&format!("{}/{form}", cast.bob)).leads_to(&cast.bob);
    }
    assert_eq!(
        (cast.told()["role"].as_str(), &cast.told()["disabled"]),
        (Some("user"), &json!(false))
    );
    Browser::of(&cast.server, ADMIN, ADMIN_PASSWORD);
}
