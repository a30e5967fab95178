//! Requests and answers as the RFCs of HTTP and Basic have them, and as the cheat sheet of REST has.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, InProcess, Program, Request};
use crate::v03_web_front_end::headers;
use crate::v08_authorization::stage::{Actor, Stage};

const ME: &str = "/api/v1/users/me";
const BOB: &str = "bob@example.com";

fn basic() -> InProcess {
    InProcess::with(&["--auth-type", "basic_auth"])
}

/// Whether a service of kind Basic lets this user in with this password.
fn is_let_in(server: &InProcess, password: &str) -> bool {
    let new = json!({ "email": BOB, "password": password });
    let made = server.post("/api/v1/users").basic(ADMIN, ADMIN_PASSWORD).json(&new).send();
    assert_eq!(made.status, 201, "{made:?}");
    let me = server.get(ME).basic(BOB, password).send();
    let path = format!("/api/v1/users/{}", made.json()["id"].as_str().unwrap());
    server.delete(&path).basic(ADMIN, ADMIN_PASSWORD).send().assert_is(200, "{}");
    me.status == 200 && me.json()["email"] == BOB
}

pub fn basic_is_split_at_the_first_colon() {
    let server = basic();
    for password in [":battery staple", "battery:staple:2", "battery staple::", "::::::::"] {
        assert!(is_let_in(&server, password), "{password}");
    }
    for email in ["bob:x@example.com", "bob@example.com:x", ":"] {
        let new = json!({ "email": email, "password": "battery staple 2" });
        let made = server.post("/api/v1/users").basic(ADMIN, ADMIN_PASSWORD).json(&new).send();
        assert_eq!(made.status, 400, "{email}");
    }
}

pub fn basic_is_in_utf_8() {
    let server = basic();
    let challenge = server.get(ME).send();
    assert_eq!(
        challenge.headers("www-authenticate"),
        [r#"Basic realm="sessiond", charset="UTF-8""#]
    );
    for password in [
        "b\u{e4}ttery st\u{e4}ple",
        "\u{1f50b}\u{1f50b}\u{1f50b}\u{1f50b} staple",
        "\u{30d1}\u{30b9}\u{30ef}\u{30fc}\u{30c9} abc",
    ] {
        assert!(is_let_in(&server, password), "{password}");
    }
    // The same letters in ISO 8859-1 are no UTF-8.
    let token = STANDARD.encode(b"admin@example.com:p\xe4ss");
    let answer = server.get(ME).header("Authorization", &format!("Basic {token}")).send();
    answer.assert_error(403, "Forbidden");
}

/// Each 401 says how to authenticate. Where `INVALID_STATUS=401`, credentials that are no good are
/// 401, and what is not permitted is 403.
pub fn a_401_has_its_challenge() {
    let mut seen = 0;
    for answer in headers::answers() {
        let challenges = answer.headers("www-authenticate").len();
        assert_eq!(challenges, usize::from(answer.status == 401), "{answer:?}");
        seen += challenges;
    }
    assert!(seen > 10);
    let stage = Stage::new();
    let server = InProcess::with(&["--invalid-status", "401"]);
    for request in [
        server.get(ME).session("junk"),
        server.get(ME).bearer("junk"),
        server.get(ME).basic(ADMIN, "wrong one 1"),
        server.get(ME).header("Authorization", "Negotiate x"),
    ] {
        let answer = request.send();
        assert_eq!((answer.status, answer.headers("www-authenticate").len()), (401, 1));
    }
    let scene = stage.scene(Actor::Another);
    scene.call("GET", "/users").assert_error(403, "Forbidden");
}

pub fn the_case_of_a_scheme_does_not_matter() {
    let (server, session) = (basic(), InProcess::with(&[]));
    let token = "YWRtaW5AZXhhbXBsZS5jb206Y29ycmVjdCBob3JzZSAx";
    let id = session.admin();
    for (basic, bearer) in
        [("Basic", "Bearer"), ("basic", "bearer"), ("BASIC", "BEARER"), ("bAsIc", "bEaReR")]
    {
        let ask = |server: &InProcess, value: String| {
            server.get(ME).header("Authorization", &value).send().status
        };
        assert_eq!(ask(&server, format!("{basic} {token}")), 200, "{basic}");
        assert_eq!(ask(&session, format!("{bearer} {id}")), 200, "{bearer}");
    }
}

/// 503 and 429 tell when to come back; 405 tells what there is; HEAD is GET without its body.
pub fn answers_are_those_of_the_rfc() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let ask = |method, path: &str| server.request(method, path).session(&admin);
    for path in ["/api/v1/users", ME, "/api/v1/status", "/api/v1/auth_session", "/api/v1/nothing"] {
        let (get, head) = (ask("GET", path).send(), ask("HEAD", path).send());
        let lasting = |answer: &Answer| {
            let lasts = |name: &str| !matches!(name, "date" | "x-request-id");
            let mut lasting = answer.headers.clone();
            lasting.retain(|(name, _)| lasts(name));
            lasting.sort_unstable();
            lasting
        };
        assert_eq!((head.status, head.body.as_str()), (get.status, ""), "{path}");
        assert_eq!(lasting(&head), lasting(&get), "{path}");
    }
    let patch = ask("PATCH", "/api/v1/users").send();
    assert_eq!((patch.status, patch.header("allow")), (405, Some("GET, HEAD, POST")));
    let login = || server.post("/api/v1/auth_session/login");
    assert_eq!(login().body("text/plain", "x").send().status, 415);
    assert_eq!(login().body("application/json", vec![b' '; 70_000]).send().status, 413);
    assert_eq!(ask("GET", "/").header("X-Pad", &"x".repeat(17_000)).send().status, 431);
    let wrong = || server.login(&[("email", ADMIN), ("password", "wrong one 1")]).send();
    let refused = (0..100).map(|_| wrong()).find(|answer| answer.status == 429).unwrap();
    let seconds: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    // That is when there is room: not before, and then.
    assert!((1..=60).contains(&seconds), "{seconds}");
    server.advance(std::time::Duration::from_secs(seconds));
    assert_eq!(wrong().status, 401);
}

/// What is not taken is refused with the status for it. There is one kind of answer, so `Accept` is
/// not asked (RFC 9110, 12.5.1 leaves that to the server).
pub fn what_is_not_taken_is_refused_by_its_name() {
    answers_are_those_of_the_rfc();
    let server = InProcess::with(&[]);
    let plain = server.get("/api/v1/status").send();
    for accept in ["text/html", "application/xml;q=1.0", "application/json;q=0", "*/*", "nonsense"]
    {
        let answer = server.get("/api/v1/status").header("Accept", accept).send();
        assert_eq!((answer.status, &answer.body), (200, &plain.body), "{accept}");
        assert_eq!(answer.header("content-type"), Some("application/json"));
    }
}

pub fn every_answer_has_the_headers_of_an_api() {
    let server = Program::of("session_db_auth").set("PUBLIC_URL", "https://id.example.com").start();
    let admin = format!("__Host-_my_session_id={}", server.admin());
    for request in [
        server.get("/api/v1/status"),
        server.get(ME),
        server.get(ME).cookie(&admin),
        server.get("/nothing"),
        server.get("//"),
        server.post("/api/v1/users").cookie(&admin),
    ] {
        let answer = request.send();
        for (name, value) in [
            ("cache-control", "no-store"),
            ("content-type", "application/json"),
            ("x-content-type-options", "nosniff"),
            ("strict-transport-security", "max-age=31536000; includeSubDomains"),
        ] {
            assert_eq!(answer.headers(name), [value], "{answer:?}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    }
}

/// There are none: but for health and metrics, nothing answers outside the API, to nobody and not
/// to an admin either.
pub fn there_are_no_management_endpoints() {
    // The documentation is nothing to manage by, and can be taken away.
    // So can the pages, which do what the API does for whom it lets.
    let server = InProcess::with(&["--docs", "off", "--pages", "off"]);
    let admin = server.admin();
    for path in [
        "/debug",
        "/debug/pprof/",
        "/actuator",
        "/actuator/env",
        "/admin",
        "/console",
        "/health",
        "/status",
        "/server-status",
        "/swagger.json",
        "/openapi.json",
        "/docs",
        "/.env",
        "/.git/HEAD",
        "/",
        "/index.html",
        "/robots.txt",
        "/favicon.ico",
        "/api",
        "/api/v1",
        "/api/v1/metrics",
        "/api/v1/debug",
    ] {
        let by_admin = server.get(path).session(&admin).send();
        assert_eq!(by_admin.status, 404, "{path}");
        let by_nobody = server.get(path).send();
        let expected = if path.starts_with("/api/v1") { 401 } else { 404 };
        assert_eq!(by_nobody.status, expected, "{path}");
    }
}

pub fn no_answer_is_kept() {
    for answer in headers::answers() {
        assert_eq!(answer.headers("cache-control"), ["no-store"], "{answer:?}");
        for name in ["etag", "last-modified", "expires", "age"] {
            assert_eq!(answer.header(name), None, "{answer:?}");
        }
    }
}

/// A request has one host, and the absolute form of a target means the same as its path.
pub fn a_request_has_one_host() {
    let server = InProcess::with(&[]);
    let status = |head: &str| {
        let mut connection = server.connect();
        connection.write(format!("{head}Connection: close\r\n\r\n"));
        connection.finish().status
    };
    let line = "GET /api/v1/status HTTP/1.1\r\n";
    assert_eq!(status(&format!("{line}Host: x\r\n")), 200);
    assert_eq!(status(line), 400);
    assert_eq!(status(&format!("{line}Host: x\r\nHost: x\r\n")), 400);
    assert_eq!(status(&format!("{line}Host: x\r\nHost: y\r\n")), 400);
    let absolute = |path: &str| {
        let target = format!("http://{}{path}", server.address);
        Request::to_host(server.address, "x", "GET", &target).send().status
    };
    let paths =
        ["/api/v1/status", "/api/v1/users", "/nothing", "/api/v1//users", "/api/v1/%75sers"];
    assert_eq!(paths.map(absolute), [200, 401, 404, 400, 400]);
    assert_eq!(paths.map(|path| server.get(path).send().status), [200, 401, 404, 400, 400]);
}
