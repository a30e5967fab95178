//! Who does not get in.

use std::net::TcpStream;

use super::*;

behind_each![
    programs_that_nobody_knows_get_401,
    browsers_that_nobody_knows_are_sent_to_login,
    only_the_get_of_a_browser_is_sent_to_login,
    login_is_where_the_operator_says,
    nobody_is_sent_to_login_from_a_foreign_host,
    a_session_that_has_ended_lets_nobody_in,
    a_role_that_is_demanded_is_needed,
    no_spelling_of_a_path_leads_around_the_guard,
    malformed_credentials_let_nobody_in,
    nobody_gets_in_while_sessiond_is_down,
];

fn programs_that_nobody_knows_get_401(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    for path in ["/app/", "/app/x?y=z", "/app/admin", "/", "/page.html", "/missing"] {
        assert_refused(&site.get(path).send());
        assert_refused(&site.get(path).session(NO_SESSION).send());
        assert_refused(&site.get(path).bearer(NO_SESSION).send());
        assert_refused(&site.get(path).header("Authorization", "Junk").send());
        assert_refused(&site.client().post(path).json(&json!({ "a": 1 })).send());
        assert_eq!(site.client().request("HEAD", path).send().status, 401);
    }
    site.assert_unheard();
}

/// Where a browser was to go back to after its login, which was to be here.
#[track_caller]
fn return_to(answer: &Answer, login: &str) -> String {
    assert_eq!(answer.status, 302, "{answer:?}");
    let location = answer.header("location").unwrap();
    let to = location.strip_prefix(login).and_then(|rest| rest.strip_prefix("?return_to="));
    let to = to.unwrap_or_else(|| panic!("{location}"));
    assert!(to.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~%".contains(&b)), "{to}");
    percent_encoding::percent_decode_str(to).decode_utf8().unwrap().into_owned()
}

fn browsers_that_nobody_knows_are_sent_to_login(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let here = format!("http://{}", site.address);
    for path in ["/app/", "/app/x?a=1&b=%20c%26%3F#f", "/app/admin", "/", "/page.html?x=/y"] {
        let path = path.split('#').next().unwrap();
        for session in [None, Some(NO_SESSION)] {
            let request = by_browser(site.get(path));
            let request = session.into_iter().fold(request, Request::session);
            let answer = request.send();
            assert_eq!(return_to(&answer, &format!("{here}/login")), format!("{here}{path}"));
        }
    }
    site.assert_unheard();
}

fn only_the_get_of_a_browser_is_sent_to_login(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let head = by_browser(site.client().request("HEAD", "/app/x")).send();
    assert_eq!((head.status, head.header("location")), (401, None));
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"] {
        let request = by_browser(site.client().request(method, "/app/x"));
        assert_refused(
            &request.header("X-Original-Method", "GET").header("X-Forwarded-Method", "GET").send(),
        );
    }
    site.assert_unheard();
}

fn login_is_where_the_operator_says(proxy: Proxy) {
    let elsewhere = "https://login.example.com/here";
    let Some(site) = Site::with(proxy, |program| program.set("LOGIN_URL", elsewhere)) else {
        return;
    };
    let answer = by_browser(site.get("/app/x")).send();
    assert_eq!(return_to(&answer, elsewhere), format!("http://{}/app/x", site.address));
}

fn nobody_is_sent_to_login_from_a_foreign_host(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let here = format!("http://{}/app/x", site.address);
    // What a client says of hosts and addresses elsewhere than in `Host` is not heard.
    for (name, value) in [
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "javascript"),
        ("X-Forwarded-Uri", "//evil.example/"),
        ("X-Forwarded-Prefix", "/evil.example/"),
        ("X-Forwarded-Server", "evil.example"),
        ("X-Forwarded-Port", "666"),
        ("X-Original-URL", "http://evil.example/"),
        ("X-Original-Url", "https://evil.example/"),
        ("X-Original-URI", "//evil.example/"),
        ("X-Original-Method", "POST"),
        ("X-Original-Host", "evil.example"),
        ("X-Rewrite-URL", "/evil"),
        ("Forwarded", "host=evil.example;proto=https"),
    ] {
        let answer = by_browser(site.get("/app/x")).header(name, value).header(name, value).send();
        let expected = format!("http://{}/login", site.address);
        assert_eq!(return_to(&answer, &expected), here, "{name}");
    }
    for host in ["evil.example", "evil.example:80", "127.0.0.1", "user@evil.example", "127.1"] {
        let request = Request::to_host(site.address, host, "GET", "/app/x");
        let answer = by_browser(request).send();
        assert!([400, 401].contains(&answer.status), "{host}: {answer:?}");
        assert!(answer.header("location").is_none(), "{host}: {answer:?}");
    }
    // The whole address in the first line: the host in it and that of `Host` are two.
    let target = format!("http://evil.example{}", "/app/x");
    let answer = by_browser(site.get(&target)).send();
    let location = answer.header("location").unwrap_or_default();
    assert!(!location.contains("evil"), "{answer:?}");
    site.assert_unheard();
}

fn a_session_that_has_ended_lets_nobody_in(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let admin = site.admin();
    let (_, bobs_id) = bob(&site);
    let by_admin = |request: Request| request.session(&admin).send();
    for end in ["log out", "revoke", "disable"] {
        let session = site.log_in("bob@example.com", PASSWORD);
        assert_eq!(site.get("/app/").session(&session).send().body, "the app");
        assert_eq!(site.one_request().header("remote-user"), ["bob@example.com"]);
        let answer = match end {
            "log out" => {
                site.client().delete("/api/v1/auth_session/logout").session(&session).send()
            }
            "revoke" => {
                by_admin(site.client().delete(&format!("/api/v1/users/{bobs_id}/sessions")))
            }
            _ => by_admin(
                site.client()
                    .put(&format!("/api/v1/users/{bobs_id}"))
                    .json(&json!({ "disabled": true })),
            ),
        };
        assert_eq!(answer.status, 200, "{end}: {answer:?}");
        for path in ["/app/", "/page.html"] {
            assert_refused(&site.get(path).session(&session).send());
        }
        site.assert_unheard();
    }
}

fn a_role_that_is_demanded_is_needed(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let (admin, (bob, _)) = (site.admin(), bob(&site));
    for path in ["/app/admin", "/app/admin/", "/app/admin/x?y"] {
        assert_eq!(site.get(path).session(&bob).send().status, 403);
        assert_eq!(by_browser(site.get(path)).session(&bob).send().status, 403);
        site.assert_unheard();
        assert_eq!(site.get(path).session(&admin).send().status, 200);
        assert_eq!(site.one_request().header("remote-role"), ["admin"]);
    }
    assert_eq!(site.get("/app/x").session(&bob).send().status, 200);
    assert_eq!(site.one_request().header("remote-role"), ["user"]);
}

fn no_spelling_of_a_path_leads_around_the_guard(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let (bob, _) = bob(&site);
    for path in [
        "//app/x",
        "/./app/x",
        "/app%2fx",
        "/%61pp/x",
        "/api/v1/../../app/x",
        "/api/v1/..%2f..%2fapp/x",
        "/api/v1/%2e%2e/%2e%2e/app/x",
        "/api/v1//../../app/x",
        "/login/../app/x",
        "/login%2f..%2fapp/x",
        "/app/x/../../page.html",
        "/api/v1/../../page.html",
        "/login/../page.html",
        "/page.html/",
        "/_sessiond/user",
        "/_sessiond/admin",
    ] {
        let answer = site.get(path).send();
        assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
        assert!(!answer.body.contains("page"), "{path}: {answer:?}");
    }
    // What the proxy asks with is nobody else's.
    for path in ["/_sessiond/user", "/_sessiond/admin"] {
        assert_eq!(site.get(path).session(&bob).send().status, 404, "{path}");
    }
    for path in [
        "/app//admin",
        "/app/./admin",
        "/app/%61dmin",
        "/app%2fadmin",
        "/app/x/../admin",
        "/app/x/..%2fadmin",
        "/app/x/%2e%2e/admin",
        "//app/admin/x",
        "/api/v1/../../app/admin",
    ] {
        let answer = site.get(path).session(&bob).send();
        assert!((400..500).contains(&answer.status), "{path}: {answer:?}");
    }
    site.assert_unheard();
}

fn malformed_credentials_let_nobody_in(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let session = site.admin();
    let twice = format!("_my_session_id={session}; _my_session_id={session}");
    for request in [
        site.get("/app/").cookie(&twice),
        site.get("/app/").session(&session).session(&session),
        site.get("/app/").bearer(&session).bearer(&session),
    ] {
        let status = request.send().status;
        // nginx has no other words for what is neither yes nor no.
        assert!(status == 400 || (proxy == Proxy::Nginx && status == 500), "{status}");
    }
    site.assert_unheard();
}

fn nobody_gets_in_while_sessiond_is_down(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let session = site.admin();
    assert_eq!(site.get("/app/").session(&session).send().status, 200);
    site.one_request();
    site.sessiond.signal("KILL");
    while TcpStream::connect(site.sessiond.address).is_ok() {
        std::thread::yield_now();
    }
    for path in ["/app/", "/app/admin", "/page.html", "/api/v1/status"] {
        for request in
            [site.get(path).session(&session), site.get(path), by_browser(site.get(path))]
        {
            let answer = request.send();
            assert!((500..505).contains(&answer.status), "{path}: {answer:?}");
        }
    }
    site.assert_unheard();
}
