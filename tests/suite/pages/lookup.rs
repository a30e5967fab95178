//! What there is, and what there is not: unknown pages, files, and services without pages.

use std::fs;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Browser, InProcess, KINDS, PAGE, Program, SESSION_KINDS, Server,
};

/// The files that a page loads.
fn loaded(page: &Answer) -> Vec<String> {
    let names = page.body.split('"').filter(|text| text.starts_with("/login/"));
    let mut files = Vec::new();
    for name in names.filter(|name| !name.contains("confirm")) {
        if !files.iter().any(|file| file == name) {
            files.push(name.to_owned());
        }
    }
    files
}

#[test]
fn who_looks_what_is_here_at_all_finds_his_account() {
    let server = Server::of("session_db_auth");
    Browser::at(&server).open("/").leads_to("/account");
    server.get("/").send().assert_error(404, "Not found");
    server.post("/").header("Accept", PAGE).send().assert_page(404);
}

#[test]
fn an_unknown_page_is_a_page_for_people_and_json_for_programs() {
    let server = Server::of("session_db_auth");
    let admin = Browser::of_admin(&server);
    for path in [
        "/nothing",
        "/favicon.ico",
        "/loginx",
        "/accounts",
        "/administration",
        "/api",
        "/apix/v1/status",
    ] {
        for browser in [&Browser::at(&server), &admin] {
            let page = browser.open(path);
            page.assert_page(404);
            assert_eq!(page.heading(), "There is no such page", "{path}");
            assert!(page.body.contains("href=\"/account\">My account</a>"));
        }
        for accept in ["application/json", "*/*", "text/html;q=0"] {
            server.get(path).header("Accept", accept).send().assert_refused(
                404,
                "Not found",
                "not_found",
            );
        }
        server.get(path).send().assert_error(404, "Not found");
        server.post(path).header("Accept", PAGE).send().assert_page(404);
    }
    for path in [
        "/login/nothing",
        "/logout/x",
        "/account/x",
        "/account/sessions",
        "/admin/x",
        "/admin/users/new/x",
    ] {
        let page = admin.open(path);
        page.assert_page(404);
        assert_eq!(page.heading(), "There is no such page", "{path}");
    }
}

#[test]
fn the_api_stays_json_whoever_asks() {
    let server = Server::of("session_db_auth");
    let (session, html) =
        (server.admin(), |request: crate::harness::Request| request.header("Accept", PAGE));
    html(server.get("/api/v1/nothing")).session(&session).send().assert_error(404, "Not found");
    html(server.get("/api/nothing")).send().assert_error(404, "Not found");
    html(server.get("/api/v1/users/me")).send().assert_error(401, "Unauthorized");
    html(server.put("/api/v1/users"))
        .session(&session)
        .send()
        .assert_error(405, "Method not allowed");
}

#[test]
fn assets_are_kept_for_ever_under_names_that_change_with_them() {
    let server = Server::of("session_db_auth");
    let page = Browser::at(&server).open("/login");
    let files = loaded(&page);
    assert_eq!(files.len(), 3, "{files:?}");
    for (file, (ending, kind)) in files.iter().zip([
        ("svg", "image/svg+xml"),
        ("css", "text/css; charset=utf-8"),
        ("js", "text/javascript; charset=utf-8"),
    ]) {
        let name = file.strip_prefix("/login/").and_then(|name| name.strip_suffix(ending)).unwrap();
        let hash = name.strip_suffix('.').unwrap();
        assert!(hash.len() == 16 && hash.bytes().all(|byte| byte.is_ascii_hexdigit()), "{file}");
        let answer = server.get(file).session("junk").cookie("sessiond_pages=junk").send();
        assert_eq!((answer.status, answer.header("content-type")), (200, Some(kind)));
        assert_eq!(answer.headers("cache-control"), ["public, max-age=31536000, immutable"]);
        assert_eq!(
            answer.headers("content-security-policy"),
            ["default-src 'none'; frame-ancestors 'none'"]
        );
        assert_eq!(answer.headers("x-content-type-options"), ["nosniff"]);
        assert!(
            answer.headers("set-cookie").is_empty(),
            "no cookie is needed nor touched: {answer:?}"
        );
        assert!(answer.body.len() < 10 * 1024, "{file}: {} bytes", answer.body.len());
        let other = server.post(file).send();
        assert_eq!((other.status, other.header("allow")), (405, Some("GET, HEAD")));
        // The name tells what is in it, and nothing else has it.
        let text = match ending {
            "css" => include_str!("../../../templates/pages.css"),
            "js" => include_str!("../../../templates/pages.js"),
            _ => include_str!("../../../templates/icon.svg"),
        };
        assert_eq!(answer.body, text);
        let wrong = file.replace(hash, "0123456789abcdef");
        Browser::of_admin(&server).open(&wrong).assert_page(404);
    }
    // Every page loads the same three, and nothing from elsewhere.
    let admin = Browser::of_admin(&server);
    for path in [
        "/account",
        "/account/password",
        "/admin",
        "/admin/users",
        "/admin/users/new",
        "/logout",
        "/nothing",
    ] {
        let page = admin.open(path);
        assert_eq!(loaded(&page), files, "{path}");
        for from_elsewhere in ["http://", "https://", "href=\"//", "src=\"//", "@import", "url("] {
            assert!(!page.body.contains(from_elsewhere), "{from_elsewhere} in {path}");
        }
    }
}

#[test]
fn pages_off_removes_all_of_it() {
    let server = Program::of("session_db_auth").set("PAGES", "off").start();
    let session = server.admin();
    let pages = Server::of("session_db_auth");
    let files = loaded(&Browser::at(&pages).open("/login"));
    for path in [
        "/login",
        "/login/",
        "/login/confirm",
        "/logout",
        "/account",
        "/account/password",
        "/admin",
        "/admin/users",
        "/.well-known/change-password",
        "/nothing",
    ]
    .into_iter()
    .chain(files.iter().map(String::as_str))
    {
        for method in ["GET", "POST"] {
            let answer =
                server.request(method, path).session(&session).header("Accept", PAGE).send();
            answer.assert_refused(404, "Not found", "not_found");
            assert!(answer.headers("set-cookie").is_empty());
        }
    }
    assert!(!server.data().join("pages.key").exists());
    assert_eq!(server.get("/api/v1/users/me").session(&session).send().status, 200);
    assert_eq!(server.get("/docs").send().status, 200);
}

#[test]
fn where_there_are_no_sessions_there_are_no_pages() {
    for kind in KINDS {
        let server = Server::of(kind);
        let has_pages = SESSION_KINDS.contains(&kind);
        for path in ["/login", "/account", "/admin", "/logout"] {
            let answer = server.get(path).header("Accept", PAGE).send();
            assert_eq!(answer.status == 404, !has_pages, "{kind} {path}");
        }
        assert_eq!(server.data().join("pages.key").exists(), has_pages, "{kind}");
    }
}

#[test]
fn the_api_knows_nothing_of_the_state_of_the_pages() {
    // What the pages have around them costs the API nothing: it neither reads nor writes their cookie.
    let server = InProcess::with(&[]);
    let browser = Browser::at(&server);
    browser.open("/login?return_to=/admin");
    let state = browser.state().unwrap();
    let session = server.admin();
    for state in [state.as_str(), "junk"] {
        let cookies = format!("_my_session_id={session}; sessiond_pages={state}");
        for path in [
            "/api/v1/users/me",
            "/api/v1/status",
            "/api/v1/auth_session",
            "/healthz",
            "/docs",
            "/nothing",
        ] {
            let answer = server.get(path).cookie(&cookies).send();
            assert!(answer.headers("set-cookie").is_empty(), "{path}: {answer:?}");
        }
        let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
        let answer = login.cookie(&format!("sessiond_pages={state}")).send();
        assert_eq!(answer.headers("set-cookie").len(), 1, "{answer:?}");
    }
    // It is wrapped around the scopes of the pages alone.
    let source = |file: &str| {
        fs::read_to_string(format!("{}/src/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    for file in ["app.rs", "server.rs", "server/edge.rs", "api.rs"] {
        assert!(!source(file).contains("SessionMiddleware"), "{file}");
    }
}
