//! One's own account: the name, and where one is logged in.

use serde_json::json;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Browser, InProcess, NOBODY, PASSWORD, Program, SESSION_KINDS,
    Server,
};
use sessiond::models::Role;

const BOB: &str = "bob@example.com";
const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:133.0) Gecko/20100101 Firefox/133.0";
const TOO_LONG: &str = "It must have at most 256 characters.";

/// The public ids of the sessions that a page offers to end, in its order.
fn ends(page: &Answer, at: &str) -> Vec<String> {
    let start = format!("<form method=\"post\" action=\"{at}/sessions/");
    let forms = page.body.split(&start).skip(1).map(|rest| rest.split('"').next().unwrap());
    forms.filter_map(|form| Some(form.strip_suffix("/end")?.to_owned())).collect()
}

/// The rows of its table.
fn rows(page: &Answer) -> Vec<&str> {
    let body = page.between("<tbody role=\"rowgroup\">", "</tbody>").unwrap();
    body.split("<tr role=\"row\">").skip(1).collect()
}

#[test]
fn a_name_is_saved_and_shown() {
    let server = Server::of("session_db_auth");
    let browser = Browser::of_admin(&server);
    for path in ["/account", "/account/"] {
        browser
            .submit(path, &[("first_name", "Zoë \"<b>\""), ("last_name", "O'Hara & Söhne")])
            .leads_to("/account");
        let page = browser.open(path);
        assert_eq!(page.notice(), Some((true, "Your name is saved.".into())));
        assert_eq!(page.value_of("first_name").as_deref(), Some("Zoë \"<b>\""));
        assert_eq!(page.value_of("last_name").as_deref(), Some("O'Hara & Söhne"));
        assert!(!page.body.contains("<b>"), "it is escaped: {}", page.body);
        assert_eq!(browser.open("/account").notice(), None, "it is told once");
    }
    let me = server.get("/api/v1/users/me").session(&browser.session().unwrap()).send().json();
    assert_eq!(me["first_name"], json!("Zoë \"<b>\""));
    browser.submit("/account", &[("first_name", ""), ("last_name", "")]).leads_to("/account");
    assert_eq!(browser.open("/account").between("<span class=\"name\">", "</span>"), Some(ADMIN));
}

#[test]
fn what_is_wrong_with_a_name_is_told_at_its_field() {
    let server = Server::of("session_db_auth");
    let browser = Browser::of_admin(&server);
    let long = "é".repeat(257);
    for (fields, wrong, right) in [
        ([("first_name", long.as_str()), ("last_name", "Right")], "first_name", "last_name"),
        ([("first_name", "Right"), ("last_name", &long)], "last_name", "first_name"),
    ] {
        let page = browser.submit("/account", &fields);
        page.assert_page(400);
        assert_eq!(page.heading(), "My account");
        assert_eq!(page.error_at(wrong).as_deref(), Some(TOO_LONG));
        assert_eq!((page.errors_at_fields(), page.notice()), (1, None));
        assert_eq!(page.value_of(wrong).as_deref(), Some(long.as_str()), "what was typed stays");
        assert_eq!(page.value_of(right).as_deref(), Some("Right"));
    }
    let kept = browser.open("/account");
    assert_eq!(kept.value_of("first_name").as_deref(), Some(""), "nothing was saved");
}

#[test]
fn a_form_changes_nothing_but_the_name() {
    let server = Server::of("session_db_auth");
    server.add_user(BOB);
    let browser = Browser::of(&server, BOB, PASSWORD);
    let fields =
        [("first_name", "Bob"), ("role", "admin"), ("email", "x@example.com"), ("id", NOBODY)];
    browser.submit("/account", &fields).leads_to("/account");
    let me = server.get("/api/v1/users/me").session(&browser.session().unwrap()).send().json();
    assert_eq!(
        (&me["role"], &me["email"], &me["first_name"]),
        (&json!("user"), &json!(BOB), &json!("Bob"))
    );
}

#[test]
fn sessions_are_listed_with_their_devices_and_this_one_is_marked() {
    let server = Server::of("session_db_auth");
    let firefox = Browser::calling_itself(&server, FIREFOX);
    firefox.submit("/login", &[("email", ADMIN), ("password", ADMIN_PASSWORD), ("remember", "1")]);
    let curl = Browser::calling_itself(&server, "curl/8.5.0 \"<i>\"");
    curl.log_in(ADMIN, ADMIN_PASSWORD).leads_to("/account");
    let page = firefox.open("/account");
    let rows = rows(&page);
    assert_eq!(rows.len(), 2, "{}", page.body);
    let this = "Firefox on Linux</span> <span class=\"badge\">This session</span> <span class=\"badge quiet\">Remembered</span>";
    assert!(rows[0].contains(this), "{}", rows[0]);
    assert!(
        rows[1].contains("title=\"curl/8.5.0 &#34;&#60;i&#62;&#34;\">curl</span></th>"),
        "{}",
        rows[1]
    );
    for row in &rows {
        assert!(row.contains(">127.0.0.1</span></td>"), "{row}");
        assert_eq!(row.matches(">just now</time>").count(), 2, "{row}");
        assert_eq!(row.matches(" UTC\">just now</time>").count(), 2, "{row}");
    }
    // The one in use is left by logging out.
    assert_eq!(ends(&page, "/account").len(), 1);
    assert!(rows[1].contains("/end\">") && !rows[0].contains("<form"));
}

#[test]
fn how_long_ago_is_told_in_words() {
    let server = InProcess::with(&[]);
    let browser = Browser::of_admin(&server);
    server.advance(std::time::Duration::from_mins(10));
    let page = browser.open("/account");
    let created = "<time datetime=\"2026-01-02T03:04:05.678Z\" title=\"2 January 2026, 03:04:05 UTC\">10 minutes ago</time>";
    assert!(page.body.contains(created), "{}", page.body);
    assert!(
        page.body.contains("title=\"2 January 2026, 03:14:05 UTC\">just now</time>"),
        "{}",
        page.body
    );
}

#[test]
fn one_session_is_ended_and_is_out_at_once() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let (here, there) = (Browser::of_admin(&server), Browser::of_admin(&server));
        let [id] = &ends(&here.open("/account"), "/account")[..] else { panic!("one other") };
        let form = format!("/account/sessions/{id}/end");
        let ended = here.submit(&form, &[]);
        ended.leads_to("/account");
        let page = here.follow(&ended);
        page.tells("The session has ended.");
        assert_eq!(rows(&page).len(), 1);
        there.open("/account").leads_to("/login?return_to=%2Faccount");
        // Twice, and what nobody has.
        for gone in
            [form, format!("/account/sessions/{NOBODY}/end"), "/account/sessions/x/end".into()]
        {
            here.submit(&gone, &[]).leads_to("/account");
            let page = here.open("/account");
            assert_eq!(
                page.notice(),
                Some((false, "This session had ended already.".into())),
                "{gone}"
            );
        }
    }
}

#[test]
fn ending_ones_own_session_is_a_logout() {
    let server = Server::of("session_db_auth");
    let browser = Browser::of_admin(&server);
    let session = browser.session().unwrap();
    let told = server.get("/api/v1/auth_session").session(&session).send().json();
    let ended =
        browser.submit(&format!("/account/sessions/{}/end", told["id"].as_str().unwrap()), &[]);
    ended.leads_to("/login");
    assert_eq!(ended.header("clear-site-data"), Some("\"cache\", \"storage\""));
    assert_eq!(browser.session(), None);
    browser.follow(&ended).tells("You are logged out.");
}

#[test]
fn nobody_ends_the_sessions_of_others() {
    let server = Server::of("session_db_auth");
    server.add_user(BOB);
    let bob = Browser::of(&server, BOB, PASSWORD);
    let admin = Browser::of_admin(&server);
    let session = admin.session().unwrap();
    let told = server.get("/api/v1/auth_session").session(&session).send().json();
    let id = told["id"].as_str().unwrap();
    bob.submit(&format!("/account/sessions/{id}/end"), &[]).leads_to("/account");
    bob.open("/account").tells("This session had ended already.");
    assert_eq!(admin.open("/account").status, 200);
}

#[test]
fn all_others_are_ended_at_once_while_the_login_is_fresh() {
    let server = Server::of("session_db_auth");
    server.add_user(BOB);
    let here = Browser::of_admin(&server);
    let others = [Browser::of_admin(&server), Browser::of_admin(&server)];
    let bob = Browser::of(&server, BOB, PASSWORD);
    let button = "<form method=\"post\" action=\"/account/sessions/end-others\">";
    assert!(here.open("/account").body.contains(button));
    let ended = here.submit("/account/sessions/end-others", &[]);
    ended.leads_to("/account");
    let page = here.follow(&ended);
    page.tells("All other sessions have ended.");
    assert_eq!((rows(&page).len(), page.body.contains(button)), (1, false));
    for other in others {
        other.open("/account").leads_to("/login?return_to=%2Faccount");
    }
    assert_eq!(bob.open("/account").status, 200);
}

#[test]
fn who_looks_at_where_a_form_goes_finds_its_page() {
    let server = InProcess::with(&[]);
    server.add_user(BOB, Role::User);
    let bob = Browser::of(&server, BOB, PASSWORD);
    for path in
        ["/account/sessions/end-others", "/account/sessions/x/end", "/account/sessions/x/end/"]
    {
        bob.open(path).leads_to("/account");
    }
    for path in ["/account", "/account/password", "/account/sessions/x/end"] {
        let wrong = bob.send(server.put(path).header("Sec-Fetch-Site", "same-origin"));
        wrong.assert_page(405);
        assert_eq!(
            (wrong.heading(), wrong.header("allow")),
            ("This is not done so", Some("GET, HEAD, POST"))
        );
    }
    let head = server.request("HEAD", "/account").session(&bob.session().unwrap()).send();
    assert_eq!((head.status, head.body.as_str()), (200, ""));
}

#[test]
fn the_well_known_address_leads_to_the_password() {
    let server = Program::of("session_db_auth").start();
    let answer = Browser::at(&server).open("/.well-known/change-password");
    answer.leads_to("/account/password");
    Browser::at(&server).follow(&answer).leads_to("/login?return_to=%2Faccount%2Fpassword");
}
