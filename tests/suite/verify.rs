//! The question of a reverse proxy: may this request pass, and whose is it?

use std::time::Duration;

use serde_json::json;
use sessiond::models::Role;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Client, InProcess, KINDS, NO_SESSION, PASSWORD, Program,
    Request, SESSION_KINDS, Server,
};

const VERIFY: &str = "/api/v1/auth_session/verify";
const BOB: &str = "bob@example.com";

/// Who the answer says is speaking; nobody, or all of him.
fn identity(answer: &Answer) -> Option<[String; 5]> {
    let names = ["remote-user", "remote-email", "remote-name", "remote-role", "remote-id"];
    let told: Vec<_> = names.iter().filter_map(|name| answer.header(name)).collect();
    assert!(matches!(told.len(), 0 | 5), "{answer:?}");
    (told.len() == 5).then(|| names.map(|name| answer.header(name).unwrap().to_owned()))
}

#[track_caller]
fn assert_nobody(answer: &Answer, code: &str) {
    answer.assert_refused(401, "Unauthorized", code);
    assert_eq!(identity(answer), None);
    assert!(answer.header("www-authenticate").is_some());
}

#[test]
fn a_live_session_is_200_with_who_it_is() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let id = server.add_user(BOB);
        let bob = server.log_in(BOB, PASSWORD);
        for request in [server.get(VERIFY).session(&bob), server.get(VERIFY).bearer(&bob)] {
            let answer = request.send();
            answer.assert_is(200, "{}");
            let named = [BOB, BOB, BOB, "user", &id].map(str::to_owned);
            assert_eq!(identity(&answer), Some(named), "{kind}");
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
        let names = json!({ "first_name": "Bob", "last_name": "Dylan" });
        let path = format!("/api/v1/users/{id}");
        assert_eq!(server.put(&path).session(&bob).json(&names).send().status, 200);
        let slash = server.get(&format!("{VERIFY}/")).session(&bob).send();
        assert_eq!(identity(&slash).unwrap()[2], "Bob Dylan");
        let head = server.request("HEAD", VERIFY).session(&bob).send();
        assert_eq!((head.status, head.header("remote-user")), (200, Some(BOB)));
    }
}

#[test]
fn anybody_else_is_401_whatever_the_settings_say() {
    for status in ["403", "401"] {
        for kind in SESSION_KINDS {
            let server = Program::of(kind).set("INVALID_STATUS", status).start();
            let ended = server.admin();
            server.delete("/api/v1/auth_session/logout").session(&ended).send();
            assert_nobody(&server.get(VERIFY).send(), "session_required");
            for request in [
                server.get(VERIFY).session(&ended),
                server.get(VERIFY).bearer(&ended),
                server.get(VERIFY).session("junk"),
                server.get(VERIFY).session(NO_SESSION),
                server.get(VERIFY).header("Authorization", "Test"),
                server.get(VERIFY).basic(ADMIN, ADMIN_PASSWORD),
            ] {
                assert_nobody(&request.send(), "session_invalid");
            }
        }
    }
}

#[test]
fn basic_credentials_count_where_the_kind_is_basic() {
    let server = Server::of("basic_auth");
    let answer = server.get(VERIFY).basic(ADMIN, ADMIN_PASSWORD).send();
    assert_eq!((answer.status, identity(&answer).unwrap()[3].as_str()), (200, "admin"));
    assert_nobody(&server.get(VERIFY).basic(ADMIN, "wrong").send(), "session_invalid");
    let nobody = server.get(VERIFY).send();
    assert_nobody(&nobody, "session_required");
    assert!(nobody.header("www-authenticate").unwrap().starts_with("Basic "), "{nobody:?}");
}

#[test]
fn kinds_that_know_nobody_let_nobody_pass() {
    for kind in ["none", "auth"] {
        let server = Server::of(kind);
        assert_nobody(&server.get(VERIFY).send(), "session_required");
        let right = server.get(VERIFY).basic(ADMIN, ADMIN_PASSWORD).send();
        assert_nobody(&right, "session_invalid");
    }
}

#[test]
fn whoever_is_out_is_out_at_once() {
    let server = Server::of("session_db_auth");
    let id = server.add_user(BOB);
    let admin = server.admin();
    let path = format!("/api/v1/users/{id}");
    let disable = |disabled: bool| {
        let body = json!({ "disabled": disabled });
        assert_eq!(server.put(&path).session(&admin).json(&body).send().status, 200);
    };
    let end = |path: &str| assert_eq!(server.delete(path).session(&admin).send().status, 200);
    let ways: [&dyn Fn(); 3] = [
        &|| {
            disable(true);
            disable(false);
        },
        &|| end(&format!("{path}/sessions")),
        &|| end(&path),
    ];
    for out in ways {
        let bob = server.log_in(BOB, PASSWORD);
        assert_eq!(server.get(VERIFY).session(&bob).send().status, 200);
        out();
        assert_nobody(&server.get(VERIFY).session(&bob).send(), "session_invalid");
    }
}

#[test]
fn a_role_can_be_demanded() {
    let server = Server::of("session_db_auth");
    server.add_user(BOB);
    let (admin, bob) = (server.admin(), server.log_in(BOB, PASSWORD));
    let ask = |query: &str, session: &str| {
        server.get(&format!("{VERIFY}?{query}")).session(session).send()
    };
    for (query, session, status) in [
        ("role=admin", &admin, 200),
        ("role=user", &admin, 200),
        ("role=user", &bob, 200),
        ("role=admin", &bob, 403),
    ] {
        let answer = ask(query, session);
        assert_eq!(answer.status, status, "{query}");
        assert_eq!(identity(&answer).is_some(), status == 200);
    }
    ask("role=admin", &bob).assert_refused(403, "Forbidden", "forbidden");
    assert_nobody(&ask("role=admin", NO_SESSION), "session_invalid");
}

#[test]
fn who_must_change_his_password_does_not_pass() {
    let server = InProcess::with(&[]);
    let bob = server.add_user(BOB, Role::User);
    let path = format!("/api/v1/users/{}/password", bob.id);
    let new = json!({ "new_password": "another one 7" });
    assert_eq!(server.put(&path).session(&server.admin()).json(&new).send().status, 200);
    let bob = server.log_in(BOB, "another one 7");
    let answer = server.get(VERIFY).session(&bob).send();
    answer.assert_refused(403, "Password change required", "password_change_required");
    assert_eq!(identity(&answer), None);
}

#[test]
fn what_is_asked_in_another_way_is_told_what_there_is() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    for (query, says) in [
        ("role=root", "role must be \"admin\" or \"user\""),
        ("role=", "role must be \"admin\" or \"user\""),
        ("touch=2", "touch must be true or false, or 1 or 0"),
        ("touch=", "touch must be true or false, or 1 or 0"),
        ("redirect=maybe", "redirect must be true or false, or 1 or 0"),
        ("touch=0&touch=1", "touch must not be sent twice"),
        ("role=%ff", "role must be UTF-8"),
    ] {
        let ask = || server.get(&format!("{VERIFY}?{query}"));
        ask().session(&admin).send().assert_error(400, says);
        ask().send().assert_error(400, says);
    }
    let unknown = server.get(&format!("{VERIFY}?rd=x&touch=1&redirect=0")).session(&admin).send();
    assert_eq!(unknown.status, 200);
    let other = server.post(VERIFY).session(&admin).send();
    assert_eq!((other.status, other.header("allow")), (405, Some("GET, HEAD")));
    let twice = format!("_my_session_id={admin}; _my_session_id={admin}");
    assert_eq!(server.get(VERIFY).cookie(&twice).send().status, 400);
}

#[test]
fn touch_0_does_not_prolong_the_session() {
    let half = Duration::from_secs(1_900);
    for (query, status) in [("?touch=0", 401), ("?touch=1", 200), ("", 200)] {
        let server = InProcess::with(&["--session-idle-timeout", "3600"]);
        let admin = server.admin();
        let ask = || server.get(&format!("{VERIFY}{query}")).session(&admin).send().status;
        server.advance(half);
        assert_eq!(ask(), 200);
        server.advance(half);
        assert_eq!(ask(), status, "{query}");
    }
}

#[test]
fn it_writes_nothing_to_the_store() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let journal = || std::fs::read(server.data().join("UserSession.journal")).unwrap();
    let before = journal();
    for _ in 0..20 {
        assert_eq!(server.get(VERIFY).session(&admin).send().status, 200);
        assert_eq!(server.get(VERIFY).session(NO_SESSION).send().status, 401);
    }
    assert_eq!(journal(), before);
}

#[test]
fn guessing_ids_is_seen_and_stays_401() {
    let server = Server::of("session_db_auth");
    for _ in 0..150 {
        assert_nobody(&server.get(VERIFY).session(NO_SESSION).send(), "session_invalid");
    }
    let log = server.log();
    assert!(log.iter().any(|line| line.contains("event=authn_token_unknown")));
    assert!(log.iter().any(|line| line.contains("event=excess_rate_limit_exceeded")));
}

#[test]
fn a_name_cannot_break_out_of_its_header() {
    let server = Server::of("session_db_auth");
    let id = server.add_user(BOB);
    let bob = server.log_in(BOB, PASSWORD);
    let path = format!("/api/v1/users/{id}");
    for (first, last, told) in [
        ("Bob\r\nRemote-Role: admin", "", "Bob  Remote-Role: admin"),
        ("\u{0}\t", "\n", BOB),
        ("Zoë", "Привет \u{85}\u{1f600}", "Zoë Привет  \u{1f600}"),
    ] {
        let names = json!({ "first_name": first, "last_name": last });
        assert_eq!(server.put(&path).session(&bob).json(&names).send().status, 200);
        let answer = server.get(VERIFY).session(&bob).send();
        assert_eq!(answer.headers("remote-role"), ["user"]);
        assert_eq!(identity(&answer).unwrap()[2], told, "{first:?}");
    }
}

/// What Traefik and Caddy tell about a browser that asks for a page.
fn for_browser(client: &Client, query: &str) -> Request {
    let request = client.get(&format!("{VERIFY}?redirect=1{query}"));
    let accept = "text/html,application/xhtml+xml,*/*;q=0.8";
    let request = request.header("Accept", accept).header("X-Forwarded-Method", "GET");
    request.header("X-Forwarded-Proto", "https")
}

fn trusting() -> Program {
    let program = Program::of("session_db_auth").set("TRUSTED_PROXIES", "127.0.0.1");
    program.set("ALLOWED_REDIRECTS", "app.example.com, *.shop.example localhost:8080")
}

/// Where the answer sends the browser, if anywhere.
fn sent_to(answer: &Answer) -> Option<&str> {
    let location = answer.header("location");
    assert_eq!(answer.status, if location.is_some() { 302 } else { 401 }, "{answer:?}");
    assert_eq!(identity(answer), None);
    location
}

#[test]
fn a_browser_is_sent_to_log_in_and_back() {
    let server = trusting().start();
    let back = "return_to=https%3A%2F%2Fapp%2Eexample%2Ecom%2Fa%3Fb%3Dc%26d";
    let told = |request: Request| {
        request.header("X-Forwarded-Host", "app.example.com").header("X-Forwarded-Uri", "/a?b=c&d")
    };
    let answer = told(for_browser(&server, "")).send();
    assert_eq!(sent_to(&answer), Some(format!("/login?{back}").as_str()));
    let ended = told(for_browser(&server, "&role=admin")).session(NO_SESSION).send();
    assert_eq!(sent_to(&ended), Some(format!("/login?{back}").as_str()));
    // nginx by custom tells other names.
    let nginx = server.get(&format!("{VERIFY}?redirect=1")).header("Accept", "text/html");
    let nginx = nginx.header("X-Original-Method", "GET");
    let nginx = nginx.header("X-Original-URL", "https://app.example.com/a?b=c&d").send();
    assert_eq!(sent_to(&nginx), Some(format!("/login?{back}").as_str()));
    // Who is logged in passes, and who may not do this is not sent to log in once more.
    server.add_user(BOB);
    let bob = server.log_in(BOB, PASSWORD);
    assert_eq!(told(for_browser(&server, "")).session(&bob).send().status, 200);
    assert_eq!(told(for_browser(&server, "&role=admin")).session(&bob).send().status, 403);

    for (name, value, login) in [
        ("PUBLIC_URL", "https://id.example.com", "https://id.example.com/login?"),
        ("LOGIN_URL", "https://app.example.com/in?a=b", "https://app.example.com/in?a=b&"),
        ("LOGIN_URL", "/sign-in", "/sign-in?"),
    ] {
        let server = trusting().set(name, value).start();
        let answer = told(for_browser(&server, "")).send();
        assert_eq!(sent_to(&answer), Some(format!("{login}{back}").as_str()));
    }
}

#[test]
fn the_host_of_the_service_itself_need_not_be_listed() {
    let program = Program::of("session_db_auth").set("TRUSTED_PROXIES", "127.0.0.1");
    let server = program.set("PUBLIC_URL", "https://id.example.com").start();
    let told = |host: &str| {
        let request = for_browser(&server, "").header("X-Forwarded-Host", host);
        request.header("X-Forwarded-Uri", "/x").send()
    };
    let login = "https://id.example.com/login?return_to=https%3A%2F%2Fid%2Eexample%2Ecom%2Fx";
    assert_eq!(sent_to(&told("id.example.com")), Some(login));
    assert_eq!(sent_to(&told("app.example.com")), None);
}

#[test]
fn only_a_browser_that_wants_a_page_is_sent_anywhere() {
    let server = trusting().start();
    let ask = |query: &str, method: &str, accept: Option<&str>| {
        let request = server.get(&format!("{VERIFY}{query}")).header("X-Forwarded-Method", method);
        let request = request.header("X-Forwarded-Host", "app.example.com");
        let request = request.header("X-Forwarded-Uri", "/");
        let request = accept.into_iter().fold(request, |r, accept| r.header("Accept", accept));
        sent_to(&request.send()).is_some()
    };
    assert!(ask("?redirect=1", "GET", Some("application/json, Text/HTML;q=0.5")));
    for (query, method, accept) in [
        ("", "GET", Some("text/html")),
        ("?redirect=0", "GET", Some("text/html")),
        ("?redirect=1", "POST", Some("text/html")),
        ("?redirect=1", "get", Some("text/html")),
        ("?redirect=1", "GET", Some("application/json")),
        ("?redirect=1", "GET", Some("*/*")),
        ("?redirect=1", "GET", Some("text/htmlx, xtext/html")),
        ("?redirect=1", "GET", Some("application/json, text/html;q=0")),
        ("?redirect=1", "GET", None),
    ] {
        assert!(!ask(query, method, accept), "{query} {method} {accept:?}");
    }
}

#[test]
fn nobody_is_sent_to_a_page_where_nobody_can_log_in() {
    for kind in ["none", "auth", "basic_auth"] {
        let server = Program::of(kind).set("TRUSTED_PROXIES", "127.0.0.1");
        let server = server.set("ALLOWED_REDIRECTS", "app.example.com").start();
        let request = for_browser(&server, "").header("X-Forwarded-Host", "app.example.com");
        let answer = request.header("X-Forwarded-Uri", "/").send();
        assert_eq!(sent_to(&answer), None, "{kind}");
        assert!(answer.header("www-authenticate").is_some(), "{kind}");
    }
}

#[test]
fn nobody_is_sent_back_to_a_foreign_host() {
    let server = trusting().start();
    for (host, uri) in [
        ("evil.example", "/"),
        ("app.example.com.evil.example", "/"),
        ("evil.example", "/?app.example.com"),
        ("evil.example#app.example.com", "/"),
        ("app.example.com@evil.example", "/"),
        ("app.example.com:x@evil.example", "/"),
        ("evil.example\\.app.example.com", "/"),
        ("app.example.com, evil.example", "/"),
        ("app.example.com", ".evil.example/"),
        ("app.example.com", "@evil.example/"),
        ("app.example.com", "https://evil.example/"),
        ("shop.example", "/"),
        ("localhost", "/"),
        ("localhost:8081", "/"),
        ("", "/"),
        (" ", "//evil.example/"),
    ] {
        let request = for_browser(&server, "").header("X-Forwarded-Host", host);
        let answer = request.header("X-Forwarded-Uri", uri).send();
        assert_eq!(sent_to(&answer), None, "{host} {uri}");
    }
    for uri in ["//evil.example/", "/\\evil.example", "/%0d%0aX: y", "/\u{e9}"] {
        let request = for_browser(&server, "").header("X-Forwarded-Host", "a.shop.example");
        let answer = request.header("X-Forwarded-Uri", uri).send();
        let to = sent_to(&answer);
        let back = "/login?return_to=https%3A%2F%2Fa%2Eshop%2Eexample%2F";
        assert!(to.is_none_or(|to| to.starts_with(back)), "{uri}: {to:?}");
    }
    assert!(server.log().iter().any(|line| line.contains("not in ALLOWED_REDIRECTS")));
}

#[test]
fn what_a_stranger_says_of_the_original_request_is_not_believed() {
    for trusted in ["", "10.0.0.0/8"] {
        let server = trusting().set("TRUSTED_PROXIES", trusted).start();
        let request = for_browser(&server, "").header("X-Forwarded-Host", "app.example.com");
        let answer = request.header("X-Forwarded-Uri", "/").send();
        assert_eq!(sent_to(&answer), None);
    }
    let server = trusting().start();
    // What a client adds to what the proxy says contradicts it.
    for (name, value) in [
        ("X-Forwarded-Host", "localhost:8080"),
        ("X-Original-URL", "https://localhost:8080/"),
        ("X-Original-URI", "/elsewhere"),
        ("X-Original-Method", "POST"),
    ] {
        let request = for_browser(&server, "").header("X-Forwarded-Host", "app.example.com");
        let request = request.header("X-Forwarded-Uri", "/").header(name, value);
        assert_eq!(sent_to(&request.send()), None, "{name}");
    }
}

#[test]
fn identity_headers_of_a_client_mean_nothing() {
    for kind in KINDS {
        let server = Server::of(kind);
        let mut request = server.get(VERIFY);
        for name in ["Remote-User", "Remote-Id", "Remote-Role", "Remote_User", "X-Remote-User"] {
            request = request.header(name, ADMIN);
        }
        assert_nobody(&request.send(), "session_required");
    }
}
