//! What is served besides the API: nothing.

use std::collections::BTreeSet;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, InProcess, KINDS, Program};
use crate::{files, settings};

/// What other servers serve by mistake: working copies, listings, settings, documents, numbers.
const STRAY: [&str; 27] = [
    "/",
    "/.git/HEAD",
    "/.git/config",
    "/.svn/entries",
    "/.hg/",
    "/.env",
    "/Cargo.toml",
    "/Dockerfile",
    "/README.md",
    "/src/",
    "/src/main.rs",
    "/data/",
    "/data/User.json",
    "/User.json",
    "/backup.json",
    "/index.html",
    "/favicon.ico",
    "/robots.txt",
    "/debug",
    "/debug/pprof",
    "/admin",
    "/server-status",
    "/health",
    "/docs",
    "/swagger.json",
    "/openapi.json",
    "/api",
];

pub fn no_files_are_served() {
    for kind in KINDS {
        // The documentation and the pages are meant to be shown, unless that is switched off.
        let shown = |path: &&&str| !["/docs", "/openapi.json", "/admin"].contains(*path);
        let server = InProcess::with(&["--auth-type", kind]);
        let silent = InProcess::with(&["--auth-type", kind, "--docs", "off", "--pages", "off"]);
        let stray = STRAY.iter().filter(shown).map(|path| (&server, path));
        for (server, path) in stray.chain(STRAY.iter().map(|path| (&silent, path))) {
            server.get(path).send().assert_error(404, "Not found");
            let below = server.get(&format!("/api/v1{path}")).basic(ADMIN, ADMIN_PASSWORD).send();
            assert!(matches!(below.status, 403 | 404), "{kind} {path}: {below:?}");
            assert!(below.body.len() < 64, "{kind} {path}: {below:?}");
        }
    }
}

/// Answers to requests of every sort, those that fail among them, without what differs each time.
fn answers(program: Program) -> Vec<(u16, String, BTreeSet<String>)> {
    let server = program.start();
    let admin = server.admin();
    let said = |answer: Answer| {
        let names = answer.headers.iter().map(|(name, _)| name.clone()).collect();
        (answer.status, answer.body, names)
    };
    let requests = [
        server.get("/api/v1/status"),
        server.get("/api/v1/users"),
        server.get("/api/v1/users").session("junk"),
        server.get("/api/v1/nothing").session(&admin),
        server.request("PATCH", "/api/v1/users").session(&admin),
        server.post("/api/v1/users").session(&admin).body("application/json", "{\"email\":"),
        server.post("/api/v1/auth_session/login").body("text/plain", "x"),
        server.login(&[("email", ADMIN), ("password", "wrong password")]),
        server.get("/api//v1"),
    ];
    requests.into_iter().map(|request| said(request.send())).collect()
}

pub fn answers_do_not_debug() {
    let quiet = answers(Program::of("session_db_auth"));
    let talkative = Program::of("session_db_auth").set("RUST_LOG", "trace");
    assert_eq!(answers(talkative.set("RUST_BACKTRACE", "full")), quiet);
    assert_eq!(settings::default_of("RUST_LOG"), "info,actix_server=warn,actix_http=off");
    let manifest = files::read("Cargo.toml");
    assert!(!manifest.contains("debug-assertions"), "releases have none");
    assert!(!manifest.contains("[features]"), "there is nothing to switch on");
}

pub fn nothing_is_traced() {
    for kind in KINDS {
        let server = InProcess::with(&["--auth-type", kind]);
        for (method, path) in
            [("TRACE", "/api/v1/status"), ("TRACE", "/"), ("TRACK", "/api/v1/users")]
        {
            let request = server.request(method, path).header("X-Echo", "echo-77");
            let answer = request.cookie("a=cookie-77").send();
            assert!(answer.status >= 400, "{kind}: {answer:?}");
            assert!(!format!("{answer:?}").contains("-77"), "{kind}: {answer:?}");
        }
    }
}

/// Health and metrics, which are told to this machine alone, or at an address of their own.
const MONITORING: [&str; 3] = ["/healthz", "/readyz", "/metrics"];

pub fn metrics_are_for_this_machine() {
    let server = InProcess::with(&[]);
    for path in MONITORING {
        assert_eq!(server.get(path).send().status, 200, "{path}");
        for sign in ["Forwarded", "X-Forwarded-For", "X-Real-IP", "X-Original-URI", "Via"] {
            let through_a_proxy = server.get(path).header(sign, "192.0.2.1").send();
            through_a_proxy.assert_error(404, "Not found");
        }
    }
}

pub fn metrics_have_an_address_of_their_own() {
    let server = InProcess::with(&["--metrics-addr", "127.0.0.1:0"]);
    let apart = server.monitoring();
    assert_ne!(apart.address, server.address);
    for path in MONITORING {
        server.get(path).send().assert_error(404, "Not found");
        assert_eq!(apart.get(path).send().status, 200, "{path}");
    }
    apart.get("/api/v1/status").send().assert_error(404, "Not found");
}

pub fn numbers_are_for_users() {
    let server = InProcess::with(&[]);
    server.get("/api/v1/stats").send().assert_error(401, "Unauthorized");
    server.get("/api/v1/stats").session("junk").send().assert_error(403, "Forbidden");
    let stats = server.get("/api/v1/stats").session(&server.admin()).send();
    stats.assert_is(200, r#"{"users":1}"#);
    server.get("/api/v1/status").send().assert_is(200, r#"{"status":"OK"}"#);
}

pub fn answers_name_no_version() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let mut odd = server.connect();
    odd.write("nonsense\r\n\r\n");
    let mut answers = vec![odd.answer().unwrap()];
    for path in ["/", "/api/v1/status", "/api/v1/users", "/api/v1/nothing", "/api//v1"] {
        answers.push(server.get(path).send());
        answers.push(server.get(path).session(&admin).send());
    }
    let version = env!("CARGO_PKG_VERSION");
    for answer in answers {
        for name in ["server", "x-powered-by", "via"] {
            assert_eq!(answer.header(name), None, "{answer:?}");
        }
        let text = format!("{answer:?}").to_lowercase();
        assert!(!text.contains("actix") && !text.contains("rust"), "{text}");
        assert!(!answer.body.contains(version) && !answer.body.contains("sessiond"), "{text}");
    }
}
