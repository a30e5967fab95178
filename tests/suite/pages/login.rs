//! Login and logout.

use std::time::Duration;

use serde_json::json;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Browser, InProcess, NO_SESSION, PASSWORD, Program, SESSION_KINDS, Server,
};

const BOB: &str = "bob@example.com";
const WRONG: &str = "wrong password 3";
const LOGIN_FAILED: &str = "Wrong e-mail address or password.";

#[test]
fn a_login_leads_to_the_account() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        for path in ["/login", "/login/"] {
            let browser = Browser::at(&server);
            let page = browser.open(path);
            assert_eq!((page.status, page.heading(), page.notice()), (200, "Log in", None));
            assert_eq!(
                (page.value_of("email").as_deref(), page.is_ticked("remember")),
                (Some(""), false)
            );
            assert_eq!(browser.session(), None, "nothing has begun");
            let fields = [("email", ADMIN), ("password", ADMIN_PASSWORD)];
            let entered = browser.submit(path, &fields);
            entered.leads_to("/account");
            let [session] = entered.headers("set-cookie")[..] else { panic!("{entered:?}") };
            assert!(session.ends_with("; HttpOnly; SameSite=Lax; Path=/"), "{session}");
            assert_eq!(browser.follow(&entered).heading(), "My account");
        }
    }
}

#[test]
fn a_wrong_login_tells_not_what_was_wrong_and_keeps_what_was_typed() {
    let server = Server::of("session_db_auth");
    let browser = Browser::at(&server);
    for (email, password) in [(ADMIN, WRONG), (BOB, ADMIN_PASSWORD), ("no address", WRONG)] {
        let fields = [("email", email), ("password", password), ("remember", "1")];
        let page = browser.submit("/login", &fields);
        page.assert_page(401);
        assert_eq!(page.header("www-authenticate"), Some("Session realm=\"sessiond\""));
        assert_eq!((page.heading(), page.errors_at_fields()), ("Log in", 0));
        page.tells(LOGIN_FAILED);
        assert_eq!(page.value_of("email").as_deref(), Some(email));
        assert!(page.is_ticked("remember") && !page.body.contains(password), "{}", page.body);
        assert_eq!(browser.session(), None);
    }
    assert!(
        !browser.submit("/login", &[("email", BOB), ("password", WRONG)]).is_ticked("remember")
    );
}

#[test]
fn who_the_operator_lets_tell_more_tells_more() {
    let server = Program::of("session_db_auth").set("LOGIN_ERRORS", "detailed").start();
    let browser = Browser::at(&server);
    let wrong = browser.log_in(ADMIN, WRONG);
    wrong.assert_page(401);
    wrong.tells("This is not the password.");
    let nobody = browser.log_in(BOB, WRONG);
    nobody.assert_page(404);
    nobody.tells("Nobody has this e-mail address.");
}

#[test]
fn what_is_missing_is_told_at_its_field() {
    let server = Server::of("session_db_auth");
    let browser = Browser::at(&server);
    let (email, password) = ("Please enter an e-mail address.", "Please enter a password.");
    for (fields, at_email, at_password) in [
        (&[][..], Some(email), Some(password)),
        (&[("email", ""), ("password", "")], Some(email), Some(password)),
        (&[("password", ADMIN_PASSWORD)], Some(email), None),
        (&[("email", ADMIN)], None, Some(password)),
    ] {
        let page = browser.submit("/login", fields);
        page.assert_page(400);
        assert_eq!(page.error_at("email").as_deref(), at_email, "{fields:?}");
        assert_eq!(page.error_at("password").as_deref(), at_password, "{fields:?}");
        assert_eq!(page.notice(), None);
        assert!(!page.body.contains(ADMIN_PASSWORD));
    }
}

#[test]
fn too_many_wrong_logins_are_told_how_long_to_wait() {
    let server = InProcess::with(&["--login-attempts", "2"]);
    let browser = Browser::at(&server);
    for _ in 0..2 {
        browser.log_in(ADMIN, WRONG).assert_page(401);
    }
    // A right one is not looked at.
    let page = browser.log_in(ADMIN, ADMIN_PASSWORD);
    page.assert_page(429);
    assert_eq!(page.header("retry-after"), Some("30"));
    page.tells("Too many wrong attempts. Please wait 30 seconds, and try again.");
    assert_eq!(page.value_of("email").as_deref(), Some(ADMIN));
    server.advance(Duration::from_secs(30));
    browser.log_in(ADMIN, ADMIN_PASSWORD).leads_to("/account");
}

#[test]
fn a_busy_service_asks_for_patience() {
    let program = Program::of("session_db_auth").unset("UNSAFE_FAST_HASH");
    let server = program.set("HASH_LANES", "1").set("HASH_QUEUE", "1").start();
    let waiting: Vec<_> = (0..8)
        .map(|n| {
            let email = format!("{n}@example.com");
            let fields = [("email", email.as_str()), ("password", WRONG)];
            Browser::at(&server).form("/login").form(&fields).start()
        })
        .collect();
    let answers: Vec<_> = waiting.into_iter().map(crate::harness::Connection::finish).collect();
    let (busy, done): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 503);
    assert!(!busy.is_empty() && done.iter().all(|answer| answer.status == 401), "{answers:?}");
    for page in busy {
        page.assert_page(503);
        assert_eq!(page.header("retry-after"), Some("1"));
        page.tells("Too many people are logging in right now. Please try again in a moment.");
        assert!(page.value_of("email").unwrap().ends_with("@example.com"));
    }
}

#[test]
fn who_is_remembered_is_so_for_thirty_days() {
    let server = Server::of("session_db_auth");
    for (remember, keep) in [
        (Some("1"), Some("; Max-Age=2592000")),
        (Some("on"), Some("; Max-Age=2592000")),
        (Some("0"), None),
        (None, None),
    ] {
        let browser = Browser::at(&server);
        let mut fields = vec![("email", ADMIN), ("password", ADMIN_PASSWORD)];
        fields.extend(remember.map(|word| ("remember", word)));
        let entered = browser.submit("/login", &fields);
        let [cookie] = entered.headers("set-cookie")[..] else { panic!("{entered:?}") };
        assert_eq!(cookie.find("; Max-Age").map(|at| &cookie[at..]), keep, "{remember:?}");
        let session = browser.session().unwrap();
        let told = server.get("/api/v1/auth_session").session(&session).send().json();
        assert_eq!(told["remembered"], json!(keep.is_some()));
    }
    let odd = [("email", ADMIN), ("password", ADMIN_PASSWORD), ("remember", "maybe")];
    let page = Browser::at(&server).submit("/login", &odd);
    page.assert_page(400);
    assert_eq!(page.heading(), "This did not work");
}

#[test]
fn one_goes_back_to_where_one_came_from() {
    let program = Program::of("session_db_auth");
    let server = program.set("ALLOWED_REDIRECTS", "app.example.com,*.shop.example").start();
    for (asked, back, host) in [
        ("/admin", "/admin", None),
        ("/admin/users%3Femail%3Da%2540b", "/admin/users?email=a%40b", None),
        ("%2Fnowhere%3Fa%3Db%26c%23d", "/nowhere?a=b&c#d", None),
        (
            "http%3A%2F%2Fapp.example.com%2Fa%3Fb",
            "http://app.example.com/a?b",
            Some("app.example.com"),
        ),
        (
            // As browsers read it.
            "https%3A%2F%2Fapp.example.com%5C@evil.example/",
            "https://app.example.com/@evil.example/",
            Some("app.example.com"),
        ),
        (
            "https://a.shop.example:8443",
            "https://a.shop.example:8443/",
            Some("a.shop.example:8443"),
        ),
    ] {
        let browser = Browser::at(&server);
        let page = browser.open(&format!("/login?return_to={asked}"));
        let told = page.between("You go on to <strong>", "</strong>.");
        assert_eq!(told, host, "{asked}");
        let forms = page.header("content-security-policy").unwrap();
        let origin =
            host.map_or(String::new(), |_| back.split('/').take(3).collect::<Vec<_>>().join("/"));
        assert!(forms.contains(format!("form-action 'self' {origin}").trim_end()), "{forms}");
        // It is kept over a wrong password, and the page may still lead there.
        let wrong = browser.log_in(ADMIN, WRONG);
        wrong.assert_page(401);
        assert_eq!(wrong.header("content-security-policy"), Some(forms));
        assert_eq!(wrong.between("You go on to <strong>", "</strong>."), host);
        browser.log_in(ADMIN, ADMIN_PASSWORD).leads_to(back);
        // And it is gone.
        browser.log_in(ADMIN, ADMIN_PASSWORD).leads_to("/account");
    }
}

#[test]
fn nobody_is_led_elsewhere() {
    let server = Program::of("session_db_auth").set("ALLOWED_REDIRECTS", "app.example.com").start();
    for asked in [
        "",
        "account",
        "https://evil.example/",
        "//evil.example/",
        "/%5Cevil.example/",
        "%5C%5Cevil.example/",
        "/%09/evil.example/",
        "%09//evil.example/",
        "/%0a/evil.example",
        "/..//evil.example/",
        "/.//evil.example/",
        "/x/../..//evil.example/",
        "https:evil.example/",
        "https:///evil.example/",
        "https://app.example.com.evil.example/",
        "https://app.example.com@evil.example/",
        "https://me@app.example.com/",
        "https://evil.example%23app.example.com/",
        "https://evil.example/?app.example.com",
        "javascript:alert(1)",
        "javascript://app.example.com/%250aalert(1)",
        "data:text/html,x",
        "ftp://app.example.com/",
    ] {
        let browser = Browser::at(&server);
        let page = browser.open(&format!("/login?return_to={asked}"));
        page.assert_page(200);
        assert!(!page.body.contains("evil"), "{asked}");
        let forms = page.header("content-security-policy").unwrap();
        assert!(forms.contains("form-action 'self';"), "{asked}: {forms}");
        let entered = browser.log_in(ADMIN, ADMIN_PASSWORD);
        // A path of this host is what it was made to look like, at most.
        let to = entered.location().unwrap();
        assert!(to.starts_with('/') && !to[1..].starts_with(['/', '\\']), "{asked}: {to}");
        let again = browser.open(&format!("/login?return_to={asked}"));
        assert!(
            !again.body.contains("href=\"//") && !again.body.contains("href=\"http"),
            "{asked}"
        );
    }
    let twice = Browser::at(&server).open("/login?return_to=/a&return_to=/b");
    twice.assert_page(400);
    let long = format!("/login?return_to=/{}", "a".repeat(7_000));
    let browser = Browser::at(&server);
    browser.open(&long).assert_page(200);
    browser.log_in(ADMIN, ADMIN_PASSWORD).leads_to("/account");
    let browser = Browser::at(&server);
    let path = format!("/{}", "a".repeat(2_047));
    browser.open(&format!("/login?return_to={path}")).assert_page(200);
    assert!(browser.state().unwrap().len() < 4_000, "browsers keep no longer cookies");
    browser.log_in(ADMIN, ADMIN_PASSWORD).leads_to(&path);
}

#[test]
fn what_was_allowed_once_is_looked_at_again() {
    let key = "0123456789012345678901234567890123456789";
    let program = Program::of("session_db_auth").set("PAGES_KEY", key);
    let server = program.set("ALLOWED_REDIRECTS", "app.example.com").start();
    let browser = Browser::at(&server);
    browser.open("/login?return_to=http://app.example.com/");
    let state = browser.state().unwrap();
    let server = server.kill().set("ALLOWED_REDIRECTS", "other.example").start();
    let browser = Browser::at(&server);
    browser.set_state(&state);
    browser.log_in(ADMIN, ADMIN_PASSWORD).leads_to("/account");
}

#[test]
fn a_plain_visit_forgets_where_somebody_came_from() {
    let server = Server::of("session_db_auth");
    for forgets in ["/login", "/login?return_to=", "/login?return_to=//evil.example"] {
        let browser = Browser::at(&server);
        browser.open("/login?return_to=/admin");
        assert!(browser.state().is_some());
        browser.open(forgets);
        browser.log_in(ADMIN, ADMIN_PASSWORD).leads_to("/account");
    }
}

#[test]
fn who_is_logged_in_already_is_told_so() {
    let server = Program::of("session_db_auth").set("ALLOWED_REDIRECTS", "app.example.com").start();
    let browser = Browser::of_admin(&server);
    for (query, go_on, host) in [
        ("", "/account", None),
        ("?return_to=/admin%3Fa%26b", "/admin?a&#38;b", None),
        (
            "?return_to=http://app.example.com/x",
            "http://app.example.com/x",
            Some("app.example.com"),
        ),
        ("?return_to=//evil.example", "/account", None),
    ] {
        let page = browser.open(&format!("/login{query}"));
        assert_eq!((page.status, page.heading()), (200, "You are logged in"));
        assert_eq!(page.between("<p>You are logged in as <strong>", "</strong>"), Some(ADMIN));
        let link = format!("<a class=\"button primary\" href=\"{go_on}\">Go on</a>");
        assert_eq!(page.between("You go on to <strong>", "</strong>."), host);
        assert!(page.body.contains(&link), "{link}: {}", page.body);
        assert!(page.body.contains("<form method=\"post\" action=\"/logout\">"));
    }
    // A session that has ended is none.
    browser.set_session(NO_SESSION);
    assert_eq!(browser.open("/login").heading(), "Log in");
}

#[test]
fn a_login_over_another_one_ends_it() {
    let server = Server::of("session_db_auth");
    let browser = Browser::of_admin(&server);
    let before = browser.session().unwrap();
    browser.log_in(ADMIN, ADMIN_PASSWORD).leads_to("/account");
    let after = browser.session().unwrap();
    let me = |id: &str| server.get("/api/v1/users/me").session(id).send().status;
    assert_ne!(before, after);
    assert_eq!((me(&before), me(&after)), (403, 200));
}

#[test]
fn a_logout_ends_the_session_and_empties_the_browser() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        for path in ["/logout", "/logout/"] {
            let browser = Browser::of_admin(&server);
            let session = browser.session().unwrap();
            let page = browser.open(path);
            assert_eq!((page.status, page.heading()), (200, "Log out?"));
            assert_eq!(browser.open("/account").status, 200, "asking does nothing");
            let left = browser.submit(path, &[]);
            left.leads_to("/login");
            assert_eq!(left.header("clear-site-data"), Some("\"cache\", \"storage\""));
            assert_eq!(browser.session(), None);
            browser.follow(&left).tells("You are logged out.");
            assert_eq!(browser.open("/login").notice(), None, "it is told once");
            let me = server.get("/api/v1/users/me").session(&session).send();
            assert_eq!(me.status, 403, "{kind}");
            // A second one finds what it wanted.
            browser.set_session(&session);
            browser.submit(path, &[]).leads_to("/login");
            assert_eq!(browser.session(), None);
            browser.submit(path, &[]).leads_to("/login");
            browser.open(path).leads_to("/login");
        }
    }
}

#[test]
fn a_plain_user_logs_in_like_an_admin() {
    let server = Server::of("session_db_auth");
    server.add_user(BOB);
    let page = Browser::of(&server, BOB, PASSWORD).open("/account");
    assert!(!page.body.contains("/admin"), "{}", page.body);
    let page = Browser::of_admin(&server).open("/account");
    assert!(page.body.contains("<a href=\"/admin\">Administration</a>"));
}
