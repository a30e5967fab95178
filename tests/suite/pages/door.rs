//! The door of the pages: whom it lets in, what others make a browser send, and what goes wrong.

use serde_json::json;
use sessiond::models::Role;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Browser, InProcess, NO_SESSION, PASSWORD, Program, Request,
    SESSION_KINDS, Server,
};

const BOB: &str = "bob@example.com";
const PAGES: [&str; 10] = [
    "/account",
    "/account/",
    "/account/password",
    "/account/nothing",
    "/admin",
    "/admin/users",
    "/admin/users/new",
    "/admin/users/x",
    "/admin/nothing",
    "/login/confirm",
];

fn encoded(path: &str) -> String {
    percent_encoding::utf8_percent_encode(path, percent_encoding::NON_ALPHANUMERIC).to_string()
}

#[test]
fn who_is_nobody_is_sent_to_log_in_and_comes_back() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        for path in PAGES.into_iter().chain(["/admin/users?email=a%40b&after="]) {
            for session in [None, Some(NO_SESSION), Some("junk")] {
                let browser = Browser::at(&server);
                if let Some(id) = session {
                    browser.set_session(id);
                }
                let sent = browser.open(path);
                sent.leads_to(&format!("/login?return_to={}", encoded(path)));
                assert_eq!(browser.follow(&sent).heading(), "Log in");
                if session.is_none() {
                    browser.log_in(ADMIN, ADMIN_PASSWORD).leads_to(path);
                }
            }
        }
    }
}

#[test]
fn ended_credentials_are_sent_to_log_in_whatever_their_status_is() {
    for status in ["403", "401"] {
        let server = Program::of("session_db_auth").set("INVALID_STATUS", status).start();
        let browser = Browser::at(&server);
        browser.set_session(NO_SESSION);
        browser.open("/account").leads_to("/login?return_to=%2Faccount");
        let page = browser.submit("/account", &[("first_name", "x")]);
        page.assert_page(status.parse().unwrap());
        assert_eq!(page.heading(), "You are not logged in any more");
    }
}

#[test]
fn a_form_that_comes_after_the_end_of_the_session_is_told_and_not_done() {
    let server = Server::of("session_db_auth");
    let id = server.add_user(BOB);
    for (path, fields) in [
        ("/account".to_owned(), &[("first_name", "x")][..]),
        (
            "/account/password".into(),
            &[("current_password", PASSWORD), ("new_password", "another one 7")],
        ),
        ("/account/sessions/end-others".into(), &[]),
        (format!("/admin/users/{id}/disable"), &[]),
        (format!("/admin/users/{id}/role"), &[("role", "admin")]),
        ("/admin/users/new".into(), &[("email", "x@example.com"), ("password", PASSWORD)]),
        ("/login/confirm".into(), &[("password", ADMIN_PASSWORD)]),
    ] {
        for ended in [true, false] {
            let browser = Browser::at(&server);
            if ended {
                browser.set_session(NO_SESSION);
            }
            let page = browser.submit(&path, fields);
            page.assert_page(if ended { 403 } else { 401 });
            assert_eq!(page.heading(), "You are not logged in any more", "{path}");
            assert!(page.body.contains("So nothing of what you have just sent was done."));
            let link = format!("href=\"/login?return_to={}\">Log in</a>", encoded(&path));
            assert!(page.body.contains(&link), "{}", page.body);
        }
    }
    let told = server.get(&format!("/api/v1/users/{id}")).session(&server.admin()).send().json();
    assert_eq!((&told["role"], &told["disabled"]), (&json!("user"), &json!(false)));
    // Where the form went there is a page, for who logs in then.
    let admin = Browser::of_admin(&server);
    admin.open(&format!("/admin/users/{id}/disable")).leads_to(&format!("/admin/users/{id}"));
}

#[test]
fn a_session_that_ends_while_a_form_is_on_its_way_changes_nothing() {
    let server = InProcess::with(&[]);
    server.add_user(BOB, Role::User);
    let bob = Browser::of(&server, BOB, PASSWORD);
    let session = bob.session().unwrap();
    let body = "first_name=x";
    let mut connection = server
        .post("/account")
        .session(&session)
        .header("Content-Type", "application/x-www-form-urlencoded")
        .header("Content-Length", &body.len().to_string())
        .header("Expect", "100-continue")
        .start();
    // The head has been read: who asks has been let in.
    let asked = connection.answer().unwrap();
    assert_eq!(asked.status, 100);
    bob.submit("/logout", &[]).leads_to("/login");
    connection.write(body);
    let page = connection.finish();
    page.assert_page(403);
    assert_eq!(page.heading(), "You are not logged in any more");
    let account = Browser::of(&server, BOB, PASSWORD).open("/account");
    assert_eq!(account.value_of("first_name").as_deref(), Some(""));
}

/// What browsers say of a form from elsewhere.
const FOREIGN: [&[(&str, &str)]; 6] = [
    &[("Origin", "https://evil.example")],
    &[("Origin", "null")],
    &[("Sec-Fetch-Site", "cross-site")],
    &[("Sec-Fetch-Site", "same-site")],
    &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "same-origin")],
    &[("Origin", "https://evil.example"), ("Origin", "http://app.example.com")],
];

#[test]
fn a_form_from_elsewhere_is_told_and_not_done() {
    let server = Server::of("session_db_auth");
    let id = server.add_user(BOB);
    let (admin, bob) = (Browser::of_admin(&server), Browser::of(&server, BOB, PASSWORD));
    let login: &[(&str, &str)] = &[("email", ADMIN), ("password", ADMIN_PASSWORD)];
    let forms: [(String, &[(&str, &str)]); 9] = [
        ("/account".into(), &[("first_name", "x")]),
        (
            "/account/password".into(),
            &[("current_password", ADMIN_PASSWORD), ("new_password", "another one 7")],
        ),
        ("/account/sessions/end-others".into(), &[]),
        (format!("/admin/users/{id}/disable"), &[]),
        (format!("/admin/users/{id}/role"), &[("role", "admin")]),
        ("/admin/users/new".into(), &[("email", "x@example.com"), ("password", PASSWORD)]),
        ("/login/confirm".into(), &[("password", ADMIN_PASSWORD)]),
        ("/logout".into(), &[]),
        ("/login".into(), login),
    ];
    for said in FOREIGN {
        let with = |request: Request| {
            said.iter().fold(request, |request, (name, value)| request.header(name, value))
        };
        for (path, fields) in &forms {
            let request = Request::to_host(server.address, "app.example.com", "POST", path);
            let page = admin.send(with(request).form(fields));
            page.assert_page(403);
            assert_eq!(page.heading(), "This was sent by another site", "{path} {said:?}");
            assert!(page.body.contains(&format!("href=\"{path}\">Open the page</a>")));
        }
        // Nor does it log somebody in who has no cookie.
        for path in ["/login", "/login/"] {
            let browser = Browser::at(&server);
            let request = Request::to_host(server.address, "app.example.com", "POST", path);
            browser.send(with(request).form(login)).assert_page(403);
            assert_eq!(browser.session(), None, "{path}");
        }
    }
    assert_eq!((admin.open("/admin").status, bob.open("/account").status), (200, 200));
    assert_eq!(bob.open("/admin").status, 403);
    assert_eq!(admin.open("/account").value_of("first_name").as_deref(), Some(""));
    Browser::of_admin(&server);
}

#[test]
fn a_link_from_elsewhere_opens_a_page() {
    let server = Server::of("session_db_auth");
    let admin = Browser::of_admin(&server);
    for path in ["/account", "/admin", "/login", "/logout"] {
        let request = server.get(path).header("Sec-Fetch-Site", "cross-site");
        assert_eq!(admin.send(request).status, 200, "{path}");
    }
}

#[test]
fn the_origin_of_the_public_address_alone_is_ours() {
    let server = Program::of("session_db_auth").set("PUBLIC_URL", "https://id.example.com").start();
    let login = [("email", ADMIN), ("password", ADMIN_PASSWORD)];
    for (origin, status) in [("https://id.example.com", 303), ("http://id.example.com", 403)] {
        let answer = server.post("/login").header("Origin", origin).form(&login).send();
        assert_eq!(answer.status, status, "{origin}");
    }
}

#[test]
fn what_is_no_form_gets_a_page_that_says_so() {
    let server = Server::of("session_db_auth");
    let admin = Browser::of_admin(&server);
    let text = |kind: &str, body: &str| admin.form("/account").body(kind, body.as_bytes());
    for (request, status) in [
        (text("text/plain", "first_name=x"), 415),
        (text("application/xml", "<x/>"), 415),
        (text("junk", "first_name=x"), 415),
        (text("application/json", "{"), 400),
        (text("application/x-www-form-urlencoded", "first_name=%ff"), 400),
        (text("application/x-www-form-urlencoded", "first_name=a&first_name=b"), 400),
        (text("multipart/form-data", "x"), 400),
    ] {
        let page = admin.send(request);
        page.assert_page(status);
        assert_eq!(page.heading(), "This did not work");
        assert!(page.body.contains("href=\"/account\">Back</a>"), "{}", page.body);
    }
    let twice = text("application/x-www-form-urlencoded", "first_name=a&first_name=b");
    assert!(admin.send(twice).body.contains("Something was sent twice."));
    assert_eq!(admin.open("/account").value_of("first_name").as_deref(), Some(""));
}

#[test]
fn a_huge_body_is_refused_with_a_page_and_the_connection_ends() {
    let server = Server::of("session_db_auth");
    let admin = Browser::of_admin(&server);
    let session = admin.session().unwrap();
    for path in ["/account", "/login"] {
        let mut connection = server.connect();
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nCookie: _my_session_id={session}\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 65537\r\n\r\n",
            server.address
        );
        connection.write(head);
        let page = connection.answer().unwrap();
        page.assert_page(413);
        assert_eq!(page.header("connection"), Some("close"), "{path}");
        assert_eq!(page.heading(), "This did not work");
    }
}

#[test]
fn credentials_that_contradict_themselves_are_a_page() {
    let server = Server::of("session_db_auth");
    let session = server.admin();
    let twice = format!("_my_session_id={session}; _my_session_id={NO_SESSION}");
    for path in ["/account", "/login", "/admin"] {
        let page = Browser::at(&server).send(server.get(path).cookie(&twice));
        page.assert_page(400);
        assert_eq!(page.heading(), "This did not work", "{path}");
    }
}

#[test]
fn guessing_session_ids_is_slowed_down_with_a_page() {
    let server = InProcess::with(&[]);
    let page = (0..200)
        .map(|_| server.get("/account").session(NO_SESSION).send())
        .find(|answer| answer.status != 303)
        .expect("a limit");
    page.assert_page(429);
    assert!(page.header("retry-after").is_some());
}

#[test]
fn a_store_that_fails_is_a_page_that_asks_for_patience() {
    let server = Server::of("session_db_auth");
    let admin = Browser::of_admin(&server);
    for class in ["User", "UserSession"] {
        let journal = server.data().join(format!("{class}.journal"));
        std::fs::remove_file(journal).unwrap();
    }
    let unavailable = |page: Answer| {
        page.assert_page(503);
        assert_eq!(page.header("retry-after"), Some("1"));
        let id = page.header("x-request-id").unwrap();
        assert_eq!(page.heading(), "Something does not work here");
        assert!(page.body.contains(&format!("the log has it as {id}.")), "{}", page.body);
        assert!(!page.body.contains(server.data().to_str().unwrap()));
    };
    unavailable(admin.submit("/account", &[("first_name", "x")]));
    unavailable(Browser::at(&server).log_in(ADMIN, ADMIN_PASSWORD));
    let left = admin.submit("/logout", &[]);
    unavailable(left);
    assert!(admin.session().is_some(), "it has not ended");
    // What only reads goes on.
    assert_eq!(admin.open("/account").status, 200);
}

#[test]
fn a_bearer_token_opens_pages_too_and_a_program_gets_them_as_they_are() {
    let server = Server::of("session_db_auth");
    let id = server.admin();
    let page = server.get("/account").bearer(&id).send();
    page.assert_page(200);
    assert_eq!(page.heading(), "My account");
}
