//! What passes between a client who is let in and the application, and between any client and the
//! program.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use super::*;

behind_each![
    bodies_arrive_whole,
    a_websocket_is_opened_for_those_who_are_let_in,
    the_site_is_shown_to_those_who_are_let_in,
    the_program_is_reached_under_its_own_paths,
    people_log_in_and_out_on_the_pages,
    what_only_begins_like_a_page_is_guarded,
    operators_routes_are_not_handed_out,
    what_a_client_says_of_his_address_is_not_heard,
];

fn bodies_arrive_whole(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let session = site.admin();
    let body: Vec<u8> =
        (0..300_000_u32).flat_map(|n| (n % 251).to_le_bytes()).take(300_000).collect();
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        let request = site.client().request(method, "/app/x").session(&session);
        assert_eq!(request.untyped(body.clone()).send().body, "the app");
        let received = site.one_request();
        assert!(received.head.starts_with(&format!("{method} /app/x ")), "{}", received.head);
        assert!(received.body == body, "{} bytes", received.body.len());
    }
    let request = site.client().post("/app/x").session(&session);
    let mut connection = request.header("Transfer-Encoding", "chunked").start();
    for piece in body.chunks(100_000) {
        connection.write(format!("{:x}\r\n", piece.len()));
        connection.write(piece);
        connection.write("\r\n");
    }
    connection.write("0\r\n\r\n");
    assert_eq!(connection.finish().status, 200);
    assert!(site.one_request().body == body);
    // Of all that sessiond has heard nothing.
    let questions = site.questions();
    assert_eq!(questions.len(), 5);
    for question in questions {
        for name in ["content-length", "transfer-encoding", "content-type", "expect"] {
            let value = question.header(name);
            assert!(value.is_empty() || value == ["0"], "{}", question.head);
        }
    }
}

/// The handshake of a websocket, with a session or without.
fn websocket(site: &Site, session: Option<&str>) -> (Answer, BufReader<TcpStream>) {
    let cookie = session.map(|id| format!("Cookie: _my_session_id={id}\r\n")).unwrap_or_default();
    let head = format!(
        "GET /app/socket HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{cookie}\r\n",
        site.address
    );
    let mut stream = TcpStream::connect(site.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let (mut reader, mut head) = (BufReader::new(stream), Vec::new());
    while !head.ends_with(b"\r\n\r\n") {
        assert!(reader.read_until(b'\n', &mut head).unwrap() > 0, "half an answer");
    }
    (Answer::parse(&head), reader)
}

fn a_websocket_is_opened_for_those_who_are_let_in(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    for session in [None, Some(NO_SESSION)] {
        assert_eq!(websocket(&site, session).0.status, 401);
    }
    site.assert_unheard();
    let session = site.admin();
    let (opened, mut socket) = websocket(&site, Some(&session));
    assert_eq!(opened.status, 101, "{opened:?}");
    assert_eq!(opened.header("upgrade"), Some("websocket"));
    let questions = site.questions();
    assert!(questions.len() >= 3);
    // A question is none about sockets.
    for question in questions {
        assert!(question.header("upgrade").is_empty(), "{}", question.head);
        assert!(question.header("connection").is_empty(), "{}", question.head);
    }
    let request = site.one_request();
    assert_eq!(request.header("remote-user"), [ADMIN]);
    assert_eq!(request.header("sec-websocket-key"), ["dGhlIHNhbXBsZSBub25jZQ=="]);
    for said in [&b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58"[..], &vec![0xff; 70_000]] {
        socket.get_mut().write_all(said).unwrap();
        let mut heard = vec![0; said.len()];
        socket.read_exact(&mut heard).unwrap();
        assert!(heard == said);
    }
}

fn the_site_is_shown_to_those_who_are_let_in(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let session = site.admin();
    for (path, body) in [("/", "the site"), ("/page.html", "a page"), ("/index.html", "the site")] {
        let before = site.questions().len();
        let answer = site.get(path).session(&session).send();
        // Caddy has one address for it.
        if path == "/index.html" && answer.status == 308 {
            continue;
        }
        assert_eq!((answer.status, answer.body.as_str()), (200, body), "{path}");
        assert_eq!(answer.header("cache-control"), Some("private, no-cache"), "{path}");
        assert_eq!(site.questions().len(), before + 1, "{path}");
    }
    assert_eq!(site.get("/missing").session(&session).send().status, 404);
}

fn the_program_is_reached_under_its_own_paths(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    assert_eq!(site.get("/api/v1/status").send().body, r#"{"status":"OK"}"#);
    let login = site.client().login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
    let here = format!("http://{}", site.address);
    let login = login.header("Origin", &here).header("Sec-Fetch-Site", "same-origin").send();
    assert_eq!(login.status, 200, "{login:?}");
    let session = login.session_id().unwrap();
    let me = site.get("/api/v1/users/me").session(&session).send();
    assert_eq!(me.json()["email"], ADMIN);
    let foreign = site.client().delete("/api/v1/auth_session/logout").session(&session);
    assert_eq!(foreign.header("Origin", "http://evil.example").send().status, 403);
    // A page is never guarded by the proxy.
    by_browser(site.get("/login?return_to=x")).send().assert_page(200);
    // What is said of another request is none of theirs.
    let request = by_browser(site.get("/api/v1/auth_session/verify?redirect=1"));
    let evil = "http://evil.example/";
    let told = [
        "X-Forwarded-Method",
        "X-Forwarded-Uri",
        "X-Original-Method",
        "X-Original-URL",
        "X-Original-URI",
    ];
    let request = told.into_iter().fold(request, |request, name| request.header(name, evil));
    let answer = request.header("X-Forwarded-Host", "evil.example").send();
    assert_eq!((answer.status, answer.header("location")), (401, None));
    let requests = site.wiretap.requests();
    assert!(requests.iter().any(|request| request.head.starts_with("GET /login?return_to=x ")));
    assert!(requests.iter().all(|request| !request.head.contains(evil)), "{requests:?}");
    for request in requests {
        assert_eq!(request.header("x-forwarded-host"), [site.address.to_string()]);
        assert_eq!(request.header("host"), [site.address.to_string()]);
    }
}

fn people_log_in_and_out_on_the_pages(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let (client, here) = (site.client(), format!("http://{}", site.address));
    let browser = Browser::at(&client);
    let leads_to = |answer: &Answer| answer.location().unwrap().replace(&here, "");
    let sent = by_browser(site.get("/page.html")).send();
    assert_eq!(sent.status, 302, "{sent:?}");
    let page = browser.open(&leads_to(&sent));
    assert_eq!(page.heading(), "Log in");
    browser.log_in(ADMIN, "wrong password 3").assert_page(401);
    let entered = browser.log_in(ADMIN, ADMIN_PASSWORD);
    assert_eq!((entered.status, leads_to(&entered).as_str()), (303, "/page.html"));
    let session = browser.session().unwrap();
    let seen = by_browser(site.get("/page.html")).session(&session).send();
    assert_eq!((seen.status, seen.body.as_str()), (200, "a page"));
    for (path, heading) in [
        ("/account", "My account"),
        ("/account/password", "Change password"),
        ("/admin", "Administration"),
        ("/admin/users", "Users"),
        ("/admin/users/new", "New user"),
        ("/login", "You are logged in"),
        ("/logout", "Log out?"),
    ] {
        let page = browser.open(path);
        assert_eq!((page.status, page.heading()), (200, heading));
    }
    for file in page.body.split('"').filter(|text| text.starts_with("/login/")) {
        let loaded = site.get(file).send();
        let kept = loaded.header("cache-control");
        assert_eq!((loaded.status, kept), (200, Some("public, max-age=31536000, immutable")));
    }
    browser.submit("/account", &[("first_name", "Zoe")]).leads_to("/account");
    browser.open("/account").tells("Your name is saved.");
    let foreign = client.post("/logout").header("Origin", "http://evil.example");
    browser.send(foreign).assert_page(403);
    browser.submit("/logout", &[]).leads_to("/login");
    browser.open("/login").tells("You are logged out.");
    let again = by_browser(site.get("/page.html")).session(&session).send();
    assert_eq!((again.status, leads_to(&again).starts_with("/login?")), (302, true));
    assert_refused(&site.get("/page.html").send());
    site.assert_unheard();
}

fn what_only_begins_like_a_page_is_guarded(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let session = site.admin();
    let paths = ["/loginx", "/logout/", "/logout/x", "/accounts", "/administration", "/app/login"];
    for path in paths {
        assert_refused(&site.get(path).send());
        let answer = site.get(path).session(&session).send();
        assert_eq!(answer.status, if path == "/app/login" { 200 } else { 404 }, "{path}");
    }
    for request in site.wiretap.requests() {
        let target = request.head.split(' ').nth(1).unwrap();
        assert!(target.starts_with("/api/v1/auth_session/"), "{target}");
    }
}

fn operators_routes_are_not_handed_out(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let session = site.admin();
    for path in [
        "/metrics",
        "/healthz",
        "/readyz",
        "/api/v1/../../metrics",
        "/login/../metrics",
        "/account/../readyz",
        "/admin/x/../../healthz",
    ] {
        assert_refused(&site.get(path).send());
        assert_eq!(site.get(path).session(&session).send().status, 404, "{path}");
    }
    for request in site.wiretap.requests() {
        let target = request.head.split(' ').nth(1).unwrap();
        assert!(target.starts_with("/api/v1/auth_session/"), "{target}");
        assert!(!target.contains(".."), "{target}");
    }
}

fn what_a_client_says_of_his_address_is_not_heard(proxy: Proxy) {
    let Some(site) = Site::behind(proxy) else { return };
    let session = site.admin();
    for path in ["/app/", "/api/v1/users/me"] {
        let request = site.get(path).session(&session).header("X-Forwarded-For", "198.51.100.7");
        let request = request.header("X-Forwarded-For", "198.51.100.8, 127.0.0.1");
        let request = request.header("X-Real-IP", "198.51.100.9");
        assert_eq!(request.header("Forwarded", "for=198.51.100.10").send().status, 200);
    }
    let received = site.one_request();
    assert_eq!(received.header("x-forwarded-for"), ["127.0.0.1"]);
    let log = site.sessiond.log();
    let requests: Vec<_> = log.iter().filter(|line| line.contains(" INFO  request ")).collect();
    let is_told = |line: &&String| line.ends_with(" client=127.0.0.1");
    assert!(requests.len() >= 2 && requests.iter().all(is_told), "{log:?}");
}
