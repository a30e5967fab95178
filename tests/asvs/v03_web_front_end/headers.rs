//! What every answer tells a browser.

use std::collections::BTreeSet;

use crate::files;
use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, InProcess, Program};
use crate::v08_authorization::matrix::MATRIX;
use crate::v08_authorization::stage::{Actor, Stage};

/// Answers of every kind: each route to nobody and to an admin, and every refusal before it.
pub fn answers() -> Vec<Answer> {
    let stage = Stage::new();
    let mut answers = Vec::new();
    for (method, route, _) in MATRIX {
        for actor in [Actor::Nobody, Actor::Admin] {
            answers.push(stage.scene(actor).call(method, route));
        }
    }
    let scene = stage.scene(Actor::Admin);
    let login = || scene.as_actor("POST", "/api/v1/auth_session/login");
    let long = "x".repeat(17_000);
    answers.extend([
        scene.as_actor("GET", "/").send(),
        scene.as_actor("GET", "/nothing.html").send(),
        scene.as_actor("GET", "/api/v1/nothing").send(),
        scene.as_actor("GET", "//").send(),
        scene.as_actor("PATCH", "/api/v1/users").send(),
        scene.as_actor("OPTIONS", "/api/v1/users").send(),
        scene.as_actor("DELETE", "/api/v1/sessions").header("Origin", "https://x.example").send(),
        scene.as_actor("GET", &format!("/{}", &long[..9000])).send(),
        scene.as_actor("GET", "/").header("X-Pad", &long).send(),
        login().body("application/json", vec![b' '; 70_000]).send(),
        login().body("text/html", "<x>").send(),
        login().body("application/json", "{").send(),
        stage.server.get("/api/v1/users/me").bearer("junk").send(),
        scene.as_actor("HEAD", "/api/v1/users").send(),
    ]);
    let statuses: BTreeSet<u16> = answers.iter().map(|answer| answer.status).collect();
    for status in [200, 201, 400, 401, 403, 404, 405, 413, 414, 415, 431] {
        assert!(statuses.contains(&status), "{status} is among {statuses:?}");
    }
    answers
}

/// Holds that every answer has this header once, with this value.
fn on_every_answer(name: &str, value: &str) {
    for answer in answers() {
        assert_eq!(answer.headers(name), [value], "{answer:?}");
    }
}

pub fn the_policy_forbids_everything() {
    let policy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";
    on_every_answer("content-security-policy", policy);
}

pub fn a_page_loads_its_stylesheet() {
    let server = InProcess::with(&[]);
    let page = server.get("/docs").send();
    let policy = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                  frame-ancestors 'none'";
    assert_eq!((page.status, page.headers("content-security-policy")), (200, vec![policy]));
    for loads in ["<script", "<img", "<iframe", "<object", "<base", " style=", "://fonts"] {
        assert!(!page.body.contains(loads), "{loads}");
    }
    assert_eq!(page.body.matches("<link ").count(), 1);
}

pub fn nothing_is_to_be_guessed() {
    on_every_answer("x-content-type-options", "nosniff");
}

pub fn no_address_is_passed_on() {
    on_every_answer("referrer-policy", "no-referrer");
}

pub fn no_window_is_shared() {
    on_every_answer("cross-origin-opener-policy", "same-origin");
}

pub fn nothing_is_embedded_elsewhere() {
    on_every_answer("cross-origin-resource-policy", "same-origin");
}

/// Whatever a browser was about to do with the answer, it is JSON and nothing else.
pub fn every_answer_is_json_and_no_page() {
    for answer in answers() {
        assert_eq!(answer.headers("content-type"), ["application/json"], "{answer:?}");
        assert_eq!(answer.header("content-disposition"), None);
    }
    let stage = Stage::new();
    for (accept, destination) in [
        ("text/html,application/xhtml+xml", "document"),
        ("text/html", "iframe"),
        ("*/*", "script"),
        ("text/css", "style"),
        ("image/svg+xml", "image"),
        ("application/xml", "object"),
    ] {
        let scene = stage.scene(Actor::Admin);
        for path in [
            "/api/v1/users",
            "/api/v1/users/me?callback=f",
            "/api/v1/users.js",
            "/api/%3Cscript%3E",
        ] {
            let request = scene.as_actor("GET", path).header("Accept", accept);
            let answer = request.header("Sec-Fetch-Dest", destination).send();
            assert_eq!(answer.header("content-type"), Some("application/json"), "{answer:?}");
            assert!(!answer.body.contains("script"), "{answer:?}");
            answer.json();
        }
        // Where there is nothing a page says so, and not what was asked for.
        let nothing = scene.as_actor("GET", "/%3Cscript%3E").header("Accept", accept);
        let nothing = nothing.header("Sec-Fetch-Dest", destination).send();
        if accept.contains("text/html") {
            nothing.assert_page(404);
            assert!(!nothing.body.contains("<script>") && !nothing.body.contains("%3C"));
        } else {
            nothing.assert_error(404, "Not found");
        }
    }
}

/// What is answered before a request is understood has no body that could be misread.
pub fn what_is_answered_to_no_request_has_no_body() {
    let stage = Stage::new();
    for text in ["nonsense\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/9.9\r\nHost: x\r\n\r\n"]
    {
        let mut connection = stage.server.connect();
        connection.write(text);
        let answer = connection.finish();
        assert_eq!((answer.status, answer.body.as_str()), (400, ""), "{text:?}");
    }
}

pub fn a_callback_changes_nothing() {
    let stage = Stage::new();
    let scene = stage.scene(Actor::Admin);
    let plain = scene.as_actor("GET", "/api/v1/users").send();
    for query in ["callback=f", "jsonp=f", "cb=f&_=1", "format=js", "alt=json-in-script"] {
        let answer = scene.as_actor("GET", &format!("/api/v1/users?{query}")).send();
        assert_eq!((answer.status, &answer.body), (200, &plain.body), "{query}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

/// No answer sends a browser anywhere, whatever it is asked for.
pub fn nothing_redirects() {
    let mut answers = answers();
    let stage = Stage::new();
    let scene = stage.scene(Actor::Himself);
    for target in
        ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)"]
    {
        for name in ["next", "url", "redirect", "return_to", "continue", "service"] {
            let encoded =
                percent_encoding::utf8_percent_encode(target, percent_encoding::NON_ALPHANUMERIC);
            let path = format!("/api/v1/auth_session/login?{name}={encoded}");
            let login = scene.as_actor("POST", &path).form(&[
                ("email", "x"),
                ("password", "y"),
                (name, target),
            ]);
            answers.push(login.header("Referer", "https://evil.example/").send());
            answers.push(scene.as_actor("GET", &format!("/api/v1/users/?{name}={encoded}")).send());
        }
    }
    let host = crate::harness::Request::to_host(
        stage.server.address,
        "evil.example",
        "GET",
        "/api/v1/users/",
    );
    answers.push(
        host.header("X-Forwarded-Proto", "http").header("X-Forwarded-Host", "evil.example").send(),
    );
    for answer in answers {
        assert!(!(300..400).contains(&answer.status), "{answer:?}");
        for header in ["location", "refresh", "link", "content-location"] {
            assert_eq!(answer.header(header), None, "{answer:?}");
        }
    }
}

/// The one redirect there is leads to the login page, and back to listed hosts alone.
pub fn redirects_lead_to_the_login() {
    let server = Program::of("session_db_auth").set("TRUSTED_PROXIES", "127.0.0.1");
    let server = server.set("ALLOWED_REDIRECTS", "app.example.com").start();
    let ask = |host: &str| {
        let request = server.get("/api/v1/auth_session/verify?redirect=1");
        let request = request.header("Accept", "text/html").header("X-Forwarded-Uri", "/");
        request.header("X-Forwarded-Proto", "https").header("X-Forwarded-Host", host).send()
    };
    let listed = ask("app.example.com");
    let login = "/login?return_to=https%3A%2F%2Fapp%2Eexample%2Ecom%2F";
    assert_eq!((listed.status, listed.header("location")), (302, Some(login)));
    for host in ["evil.example", "app.example.com.evil.example", "app.example.com@evil.example"] {
        let other = ask(host);
        assert_eq!((other.status, other.header("location")), (401, None), "{host}");
    }
}

const HSTS: &str = "max-age=31536000; includeSubDomains";

/// A year, for subdomains too, over TLS of its own and behind a proxy that speaks it.
pub fn browsers_stay_with_https() {
    let (program, pair) = Program::of("session_db_auth").over_tls();
    let server = program.start();
    let client = pair.client(&server);
    let behind = Program::of("session_db_auth").set("PUBLIC_URL", "https://id.example.com").start();
    for path in ["/api/v1/status", "/api/v1/users", "/nothing", "//"] {
        for answer in [client.get(path).send(), behind.get(path).send()] {
            assert_eq!(answer.headers("strict-transport-security"), [HSTS], "{answer:?}");
        }
    }
}

pub fn plain_http_says_nothing_of_https() {
    for answer in answers() {
        assert_eq!(answer.header("strict-transport-security"), None, "{answer:?}");
    }
    let server = Program::of("session_db_auth").set("PUBLIC_URL", "http://id.example.com").start();
    assert_eq!(server.get("/api/v1/status").send().header("strict-transport-security"), None);
}

/// Every header that a browser understands of the answers is in the table, and no other.
pub fn the_features_are_documented() {
    let (program, pair) = Program::of("session_db_auth").over_tls();
    let server = program.start();
    let client = pair.client(&server);
    let login = client.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send();
    let cookie = format!("__Host-_my_session_id={}", login.session_id().unwrap());
    let logout = client.delete("/api/v1/auth_session/logout").cookie(&cookie).send();
    assert_eq!(logout.status, 200);
    let plain =
        ["connection", "content-length", "content-type", "date", "set-cookie", "x-request-id"];
    let sent = login.headers.iter().chain(&logout.headers).map(|(name, _)| name.as_str());
    let mut features: BTreeSet<String> =
        sent.filter(|name| !plain.contains(name)).map(str::to_owned).collect();
    features
        .extend(["origin", "sec-fetch-site", "httponly", "secure", "samesite"].map(str::to_owned));
    features.extend(["__host-", "__secure-"].map(str::to_owned));
    let section = files::section("docs/CONTROLS.md", "Features of browsers");
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let named: BTreeSet<String> = rows
        .flat_map(|row| row.split('|').nth(1).unwrap().split('`').skip(1).step_by(2))
        .map(|name| name.split(['=', ':']).next().unwrap().to_lowercase())
        .collect();
    assert_eq!(named, features);
}
