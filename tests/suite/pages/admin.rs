//! Administration: the figures, and users found and made.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use sessiond::models::Role;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Browser, InProcess, NOBODY, PASSWORD, Program, Server,
};

const BOB: &str = "bob@example.com";
const WRONG: &str = "wrong password 3";
const NEW: &str = "/admin/users/new";

/// The number under this name on the front page.
#[track_caller]
fn figure(page: &Answer, name: &str) -> u64 {
    let number = page.between(&format!("<dt>{name}</dt><dd>"), "</dd>");
    number.unwrap_or_else(|| panic!("no {name}: {}", page.body)).parse().unwrap()
}

/// The addresses in a list of users, in its order.
fn listed(page: &Answer) -> Vec<&str> {
    let links =
        page.body.split("<th role=\"rowheader\" scope=\"row\"><a href=\"/admin/users/").skip(1);
    links.map(|rest| rest.split_once("\">").unwrap().1.split_once("</a>").unwrap().0).collect()
}

/// Where the next page of a list is.
fn next(page: &Answer) -> Option<String> {
    let mut links = page.body.split("<a class=\"button\" href=\"");
    let link = links.find(|rest| {
        rest.split_once('"').is_some_and(|(_, rest)| rest.starts_with(">Next page"))
    })?;
    Some(link.split_once('"').unwrap().0.replace("&#38;", "&"))
}

#[test]
fn a_plain_user_is_told_that_it_is_not_for_him() {
    let server = Server::of("session_db_auth");
    let id = server.add_user(BOB);
    let bob = Browser::of(&server, BOB, PASSWORD);
    let (user, session) =
        (format!("/admin/users/{id}"), format!("/admin/users/{id}/sessions/{NOBODY}/end"));
    for path in ["/admin", "/admin/", "/admin/users", NEW, user.as_str(), "/admin/users/me"] {
        let page = bob.open(path);
        page.assert_page(403);
        assert_eq!(page.heading(), "This is not for you", "{path}");
        assert!(!page.body.contains(ADMIN), "{path}");
    }
    let of_user = ["role", "disable", "enable", "password", "sessions/end"];
    let forms =
        of_user.map(|end| format!("{user}/{end}")).into_iter().chain([NEW.to_owned(), session]);
    for path in forms {
        let fields = [("role", "admin"), ("password", "another one 7"), ("email", "x@example.com")];
        let page = bob.submit(&path, &fields);
        page.assert_page(403);
        assert_eq!(page.heading(), "This is not for you", "{path}");
    }
    let told = server.get(&format!("/api/v1/users/{id}")).session(&server.admin()).send().json();
    assert_eq!(told["role"], "user");
    let users = server.get("/api/v1/users").session(&server.admin()).send().json();
    assert_eq!(users.as_array().unwrap().len(), 2);
    Browser::of(&server, BOB, PASSWORD);
}

#[test]
fn the_front_page_has_the_figures_of_the_last_hour() {
    let server = InProcess::with(&["--login-attempts", "2", "--trusted-proxies", "127.0.0.1"]);
    server.add_user(BOB, Role::User);
    Browser::of(&server, BOB, PASSWORD);
    server.advance(Duration::from_mins(30));
    let admin = Browser::of_admin(&server);
    for _ in 0..3 {
        // Two that are wrong, and one that is not looked at.
        Browser::at(&server).log_in(BOB, WRONG);
    }
    let page = admin.open("/admin");
    assert_eq!(page.heading(), "Administration");
    assert!(page.body.contains("<p>All is well.</p>"), "{}", page.body);
    assert!(
        page.body
            .contains(&format!("<p class=\"soft\">sessiond {}</p>", env!("CARGO_PKG_VERSION")))
    );
    let figures = |page: &Answer| {
        ["Users", "Live sessions", "Logins in the last hour", "Failed logins in the last hour"]
            .map(|name| figure(page, name))
    };
    assert_eq!(figures(&page), [2, 2, 2, 3]);
    server.advance(Duration::from_mins(30));
    assert_eq!(figures(&admin.open("/admin/")), [2, 2, 1, 3]);
    server.advance(Duration::from_mins(31));
    let later = Browser::of_admin(&server);
    assert_eq!(figures(&later.open("/admin"))[2..], [1, 0]);
}

#[test]
fn the_front_page_tells_what_does_not_work() {
    let server = Server::of("session_db_auth");
    let admin = Browser::of_admin(&server);
    std::fs::remove_file(server.data().join("UserSession.journal")).unwrap();
    let page = admin.open("/admin");
    page.assert_page(200);
    let told = page.between("<strong>Trouble:</strong> ", "</p>").unwrap();
    assert!(told.contains("UserSession"), "{told}");
    assert!(!page.body.contains("All is well"));
    assert!(!page.body.contains(server.data().to_str().unwrap()), "no path of the machine");
}

#[test]
fn users_are_found_by_a_part_of_their_address_in_any_case() {
    let server = Server::of("session_db_auth");
    for email in ["Ann@Example.com", "joanna@example.com", "b_b@example.com", "bob@other.org"] {
        server.add_user(email);
    }
    let admin = Browser::of_admin(&server);
    for (search, found) in [
        (
            "",
            &[ADMIN, "Ann@Example.com", "joanna@example.com", "b_b@example.com", "bob@other.org"][..],
        ),
        ("ANN", &["Ann@Example.com", "joanna@example.com"]),
        ("%20ann+", &["Ann@Example.com", "joanna@example.com"]),
        ("other.ORG", &["bob@other.org"]),
        ("b_b", &["b_b@example.com"]),
        ("%25", &[]),
        (".*", &[]),
        ("%3Cb%3E%22", &[]),
    ] {
        for path in ["/admin/users", "/admin/users/"] {
            let page = admin.open(&format!("{path}?email={search}"));
            assert_eq!((page.status, listed(&page)), (200, found.to_vec()), "{search}");
            assert_eq!(next(&page), None);
        }
    }
    let nobody = admin.open("/admin/users?email=%3Cb%3E%22");
    assert_eq!(nobody.value_of("email").as_deref(), Some("<b>\""));
    assert!(
        nobody
            .body
            .contains("No user has <strong>&#60;b&#62;&#34;</strong> in the e-mail address."),
        "{}",
        nobody.body
    );
    for odd in ["email=%ff", "email=a&email=b", "after=a&after=b"] {
        admin.open(&format!("/admin/users?{odd}")).assert_page(400);
    }
}

#[test]
fn users_are_paged_by_fifty() {
    let server = InProcess::with(&[]);
    let emails: Vec<_> = (0..101).map(|n| format!("user{n}@example.com")).collect();
    for email in &emails {
        server.add_user(email, Role::User);
    }
    let admin = Browser::of_admin(&server);
    for (search, expected) in [("user", &[50, 50, 1][..]), ("", &[50, 50, 2]), ("user1", &[12])] {
        let (mut path, mut all) = (format!("/admin/users?email={search}"), BTreeSet::new());
        for (at, size) in expected.iter().enumerate() {
            let page = admin.open(&path);
            let listed = listed(&page);
            assert_eq!(listed.len(), *size, "{path}");
            all.extend(listed.into_iter().map(ToOwned::to_owned));
            assert_eq!(page.value_of("email").as_deref(), Some(search));
            let first =
                format!("<a class=\"button\" href=\"/admin/users?email={search}\">First page</a>");
            assert_eq!(page.body.contains(&first), at > 0, "{}", page.body);
            assert_eq!(next(&page).is_some(), at + 1 < expected.len());
            path = next(&page).unwrap_or_default();
        }
        assert_eq!(all.len(), expected.iter().sum::<usize>(), "each is there once");
    }
}

#[test]
fn a_page_that_begins_nowhere_is_no_dead_end() {
    let server = Server::of("session_db_auth");
    let admin = Browser::of_admin(&server);
    for after in [NOBODY, "x", "%00", "-1", "%27", "..%2f..", "1 OR 1=1".replace(' ', "+").as_str()]
    {
        let page = admin.open(&format!("/admin/users?email=a&after={after}"));
        page.assert_page(404);
        assert_eq!((page.heading(), listed(&page).len()), ("Users", 0), "{after}");
        page.tells("The user after whom this page begins is gone. Begin at the first page.");
        assert!(
            page.body.contains("<a class=\"button\" href=\"/admin/users?email=a\">First page</a>")
        );
    }
    assert_eq!(admin.open("/admin/users?after=").status, 200);
}

#[test]
fn a_user_is_made_and_must_change_the_password() {
    let server = Server::of("session_db_auth");
    let admin = Browser::of_admin(&server);
    let form = admin.open(NEW);
    assert_eq!((form.heading(), form.is_ticked("must_change")), ("New user", true));
    assert!(form.field("email").unwrap().contains("autocomplete=\"off\""));
    assert!(form.field("password").unwrap().contains("autocomplete=\"new-password\""));
    let fields = [
        ("email", " bob@example.com "),
        ("first_name", "Bob <b>"),
        ("last_name", ""),
        ("password", PASSWORD),
        ("must_change", "1"),
        // The role is no part of the form.
        ("role", "admin"),
    ];
    let made = admin.submit(NEW, &fields);
    assert!(made.location().unwrap().starts_with("/admin/users/"), "{made:?}");
    let page = admin.follow(&made);
    page.tells("bob@example.com can log in now.");
    assert_eq!(page.heading(), BOB);
    assert!(page.body.contains("<dd>Bob &#60;b&#62;</dd>"), "{}", page.body);
    assert!(page.body.contains("Must change password") && !page.body.contains(PASSWORD));
    Browser::at(&server).log_in(BOB, PASSWORD).leads_to("/account/password");
    let free = [("email", "eve@example.com"), ("password", PASSWORD)];
    assert_eq!(admin.submit("/admin/users/new/", &free).status, 303);
    Browser::of(&server, "eve@example.com", PASSWORD);
}

#[test]
fn what_is_wrong_with_a_new_user_is_told_at_its_field() {
    let server = Server::of("session_db_auth");
    let admin = Browser::of_admin(&server);
    let long = "x".repeat(257);
    for (email, first, last, password, status, at, told) in [
        ("", "", "", PASSWORD, 400, "email", "Please enter an e-mail address."),
        ("bob", "", "", PASSWORD, 400, "email", "This is no e-mail address."),
        ("<b>@example.com", "", "", PASSWORD, 400, "email", "This is no e-mail address."),
        (
            "ADMIN@example.com",
            "",
            "",
            PASSWORD,
            409,
            "email",
            "Another user has this e-mail address.",
        ),
        (BOB, &long, "", PASSWORD, 400, "first_name", "It must have at most 256 characters."),
        (BOB, "", &long, PASSWORD, 400, "last_name", "It must have at most 256 characters."),
        (BOB, "B", "C", "", 400, "password", "Please enter a password."),
        (BOB, "B", "C", "short 7", 400, "password", "Too short: at least 8 characters."),
        (
            BOB,
            "B",
            "C",
            "password1",
            400,
            "password",
            "This is one of the most common passwords. Choose another.",
        ),
        (
            BOB,
            "B",
            "C",
            "bob@example",
            400,
            "password",
            "Everybody could guess this: it is made of the e-mail address or the name of this service.",
        ),
    ] {
        for (ticked, must_change) in [(true, "1"), (false, "0")] {
            let fields = [
                ("email", email),
                ("first_name", first),
                ("last_name", last),
                ("password", password),
                ("must_change", must_change),
            ];
            let page = admin.submit(NEW, &fields);
            page.assert_page(status);
            assert_eq!((page.heading(), page.errors_at_fields()), ("New user", 1), "{told}");
            assert_eq!((page.error_at(at).as_deref(), page.notice()), (Some(told), None));
            for (name, typed) in [("email", email), ("first_name", first), ("last_name", last)] {
                assert_eq!(page.value_of(name).as_deref(), Some(typed), "what was typed stays");
            }
            assert_eq!(page.is_ticked("must_change"), ticked);
            assert_eq!(page.value_of("password"), None);
            assert!(
                password.len() < 9 || BOB.starts_with(password) || !page.body.contains(password)
            );
        }
    }
    let users = server.get("/api/v1/users").session(&server.admin()).send().json();
    assert_eq!(users.as_array().unwrap().len(), 1);
}

#[test]
fn a_new_user_while_nothing_can_be_hashed_keeps_what_was_typed() {
    let program = Program::of("session_db_auth").unset("UNSAFE_FAST_HASH").set("BCRYPT_COST", "12");
    let server = program.set("HASH_LANES", "1").set("HASH_QUEUE", "1").start();
    let admin = Browser::of_admin(&server);
    let tried = (0..100).map(|n| {
        // Others log in meanwhile.
        let others: Vec<_> = (0..4)
            .map(|other| {
                let email = format!("{other}@example.com");
                server.login(&[("email", &email), ("password", ADMIN_PASSWORD)]).start()
            })
            .collect();
        let email = format!("user{n}@example.com");
        let page = admin.submit(NEW, &[("email", &email), ("password", PASSWORD)]);
        drop(others);
        (email, page)
    });
    let (email, page) = { tried }.find(|(_, page)| page.status == 503).expect("one is too many");
    page.assert_page(503);
    assert_eq!((page.heading(), page.header("retry-after")), ("New user", Some("1")));
    page.tells("Too many people are logging in right now. Please try again in a moment.");
    assert_eq!(page.value_of("email"), Some(email));
}

#[test]
fn what_users_call_themselves_is_escaped_everywhere() {
    let server = Server::of("session_db_auth");
    let id = server.add_user("o'bob+<&>x@example.com".replace(['<', '>'], "").as_str());
    let admin = Browser::calling_itself(&server, "<script>alert(1)</script>");
    admin.log_in(ADMIN, ADMIN_PASSWORD).leads_to("/account");
    let names = json!({ "first_name": "<script>\"'", "last_name": "</title><img src=x>" });
    let put = server.put(&format!("/api/v1/users/{id}")).session(&server.admin());
    assert_eq!(put.json(&names).send().status, 200);
    admin
        .submit(
            "/account",
            &[("first_name", "<script>"), ("last_name", "\" autofocus onfocus=\"x")],
        )
        .leads_to("/account");
    let user = format!("/admin/users/{id}");
    for path in [
        "/account",
        "/admin",
        "/admin/users",
        user.as_str(),
        "/login",
        "/logout",
        "/admin/users?email=<script>\"",
        "/login/<script>",
    ] {
        let page = admin.open(&path.replace('<', "%3C").replace('>', "%3E").replace('"', "%22"));
        for raw in ["<script>", "<img src=x", "</title><", "\" autofocus onfocus"] {
            assert!(!page.body.contains(raw), "{raw} in {path}: {}", page.body);
        }
    }
    assert!(admin.open("/admin/users").body.contains("&#60;script&#62;&#34;&#39;"));
    assert!(admin.open("/admin/users").body.contains("o&#39;bob+&#38;x@example.com"));
}
