//! Storage, concurrency, logs, resources.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use rustls::crypto::ring;
use serde_json::{Value, json};
use sessiond::auth::Login;
use sessiond::models::Email;

use super::{
    ADMINS_LOGIN, LOGIN, LOGOUT, ME, MY_PASSWORD, Person, REAUTH, REFRESH, USERS, WRONG,
    assert_locked, assert_without, attempt, protected_routes, status, unthrottled,
};
use crate::files;
use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Client, Connection, InProcess, NO_SESSION, NOBODY, PASSWORD, Pair,
    Program, Request, Server, block_on,
};
use crate::registry::{Chapter, rule};

pub const CHAPTER: Chapter = Chapter {
    title: "Bugs that others shipped: storage, concurrency, logs, resources",
    rows: &[
        rule(
            "Devise CVE-2026-32700",
            "Two parallel e-mail changes leave token and address from different requests",
        )
        .tested(&[(
            "changes at once are each whole, and one of them wins",
            changes_at_once_are_each_whole,
        )]),
        rule(
            "Answer CVE-2023-0739",
            "Race conditions (also CVE-2023-4127, CVE-2023-49619, CVE-2024-26578)",
        )
        .tested(&[
            ("an address is given once, however many ask", an_address_is_given_once),
            ("one admin stays, however many end each other", one_admin_stays),
        ]),
        rule(
            "File Browser CVE-2026-62685",
            "Two names normalize to one; several @; case folding shifts indices (also OAuth2 \
             Proxy CVE-2026-40574; Caddy CVE-2026-27590)",
        )
        .tested(&[(
            "addresses are folded alike before every comparison",
            names_are_folded_once_and_before_every_comparison,
        )]),
        rule("File Browser CVE-2025-52900", "Files created world-readable")
            .tested(&[("files are their owner's under any umask", files_are_their_owners)]),
        rule(
            "gorilla/sessions",
            "Session id used as file name (withdrawn report), Django file back end",
        )
        .tested(&[("what clients send never becomes a file name", ids_never_become_names)]),
        rule(
            "Traefik CVE-2022-23469",
            "Credentials in debug or audit logs (also OpenBao CVE-2025-52893, CVE-2025-62513, \
             CVE-2025-62705; Vault CVE-2024-8365, CVE-2024-0831; object_store \
             RUSTSEC-2024-0358)",
        )
        .tested(&[("no secret is in a log, at any level, sound or broken", no_secret_is_in_a_log)]),
        rule("gin GHSA-6vm3-jj99-7229", "Log line injection")
            .tested(&[("nobody writes a line of his own", nobody_writes_a_line_of_his_own)]),
        rule("Gogs CVE-2026-26196", "Tokens in URLs (also File Browser CVE-2025-52901)").tested(&[
            (
                "session ids are in cookie and token alone",
                ids_are_taken_from_cookie_and_token_alone,
            ),
        ]),
        rule(
            "OpenBao CVE-2025-59043",
            "JSON bombs before authentication (also Vault CVE-2025-6203, CVE-2025-12044)",
        )
        .tested(&[(
            "no body takes the service down, and nobody reads that of a stranger",
            no_body_takes_the_service_down,
        )]),
        rule(
            "Django CVE-2025-14550",
            "Repeated headers cost quadratic time (also Rack header advisories)",
        )
        .tested(&[("repeated headers are bounded", repeated_headers_are_bounded)]),
        rule(
            "Gogs CVE-2026-52814",
            "Stalled handshakes exhaust descriptors (also Traefik CVE-2026-22045)",
        )
        .tested(&[(
            "what stalls holds up nobody and is closed",
            what_stalls_holds_up_nobody_and_is_closed,
        )]),
        rule(
            "h2 RUSTSEC-2023-0034",
            "HTTP/2 resets, CONTINUATION and empty DATA frames exhaust memory (also 2024-0003, \
             2024-0332, 2026-0258)",
        )
        .tested(&[("HTTP/2 is not spoken", http_2_is_not_spoken)]),
        rule(
            "rustls RUSTSEC-2024-0336",
            "close_notify loop, fragmented ClientHello panic (also -0399)",
        )
        .tested(&[(
            "handshakes that are odd or in pieces take nothing down",
            odd_handshakes_take_nothing_down,
        )]),
        rule(
            "lettre RUSTSEC-2026-0141",
            "Verification silently off or failing open (also Caddy CVE-2026-27586)",
        )
        .tested(&[
            (
                "without its certificate there is no service, rather than one without TLS",
                without_its_certificate_there_is_no_service,
            ),
            (
                "the health check takes its own certificate alone",
                the_health_check_takes_its_own_certificate_alone,
            ),
        ]),
        rule("Dex CVE-2024-23656", "TLS settings discarded, old versions served").tested(&[(
            "old versions get an alert, and plain HTTP no answer",
            old_versions_get_an_alert,
        )]),
        rule("Kratos CVE-2026-33503", "Forged page tokens injected into queries").tested(&[(
            "a page begins after the id of a user who is there, and after nothing else",
            a_page_begins_after_the_id_of_a_user,
        )]),
        rule(
            "Oathkeeper CVE-2026-33496",
            "Cache or single-flight key confusion gives one caller another's result (also \
             Traefik CVE-2026-71326)",
        )
        .tested(&[
            ("nobody gets the answer of another", nobody_gets_the_answer_of_another),
            ("only the whole credential is remembered", only_the_whole_credential_is_remembered),
        ]),
        rule("Keycloak CVE-2025-2559", "Token cache grows without bound").tested(&[(
            "logins without end are bounded in number and bytes",
            logins_without_end_are_bounded,
        )]),
    ],
};

fn a_page_begins_after_the_id_of_a_user() {
    let server = Server::of("none");
    let user = server.get("/api/v1/users").send().json()[0]["id"].as_str().unwrap().to_owned();
    let after = |token: &str| server.get(&format!("/api/v1/users?after={token}")).send();
    assert_eq!(after(&user).body, "[]");
    let forged = [
        NOBODY,
        "'%20OR%20'1'='1",
        "..%2f..%2fUser.json",
        "0",
        "-1",
        "%00",
        "eyJpZCI6MX0",
        "%7B%22$gt%22:%22%22%7D",
        &user.to_uppercase(),
        &user.replace('-', ""),
        &format!("{user}%20"),
    ];
    for token in forged {
        after(token).assert_error(400, "after must be the id of a user who is there");
    }
}

fn changes_at_once_are_each_whole() {
    let server = unthrottled("session_db_auth");
    let bob = Person::new(&server, "bob");
    for round in 0..5 {
        let changes: Vec<Connection> = (0..8)
            .map(|n| {
                let name = format!("{round}-{n}");
                let body = json!({ "first_name": name, "last_name": name });
                server.put(&bob.path("")).session(&bob.session).json(&body).start()
            })
            .collect();
        for change in changes {
            let answer = change.finish().json();
            assert_eq!(answer["first_name"], answer["last_name"]);
        }
        let left = server.get(ME).session(&bob.session).send().json();
        assert_eq!(left["first_name"], left["last_name"]);
    }
    // Of new passwords at once one is the password.
    let others: Vec<String> = (0..4).map(|_| server.log_in(&bob.email, PASSWORD)).collect();
    let changes: Vec<Connection> = others
        .iter()
        .enumerate()
        .map(|(n, session)| {
            let new = format!("the new one {n}");
            let body = json!({ "current_password": PASSWORD, "new_password": new });
            server.put(MY_PASSWORD).session(session).json(&body).start()
        })
        .collect();
    let statuses: Vec<u16> = changes.into_iter().map(|change| change.finish().status).collect();
    let works: Vec<u16> = (0..4)
        .map(|n| {
            let new = format!("the new one {n}");
            server.login(&[("email", &bob.email), ("password", &new)]).send().status
        })
        .collect();
    assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
    let expected = statuses.iter().map(|status| if *status == 200 { 200 } else { 401 });
    assert_eq!(works, expected.collect::<Vec<_>>(), "{statuses:?}");
}

fn an_address_is_given_once() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    for round in 0..5 {
        let makes: Vec<Connection> = (0..8)
            .map(|n| {
                let name = if n % 2 == 0 { "bob" } else { "BOB" };
                let email = format!("{name}{round}@example.com");
                let body = json!({ "email": email, "password": PASSWORD });
                server.post(USERS).session(&admin).json(&body).start()
            })
            .collect();
        let mut statuses: Vec<u16> = makes.into_iter().map(|make| make.finish().status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [201, 409, 409, 409, 409, 409, 409, 409]);
        let stats = server.get("/api/v1/stats").session(&admin).send().json();
        assert_eq!(stats["users"], 2 + round);
    }
}

fn one_admin_stays() {
    let ways: [(&str, Option<Value>); 3] = [
        ("DELETE", None),
        ("PUT", Some(json!({ "role": "user" }))),
        ("PUT", Some(json!({ "disabled": true }))),
    ];
    for (method, body) in ways {
        for _ in 0..4 {
            let server = InProcess::with(&[]);
            let (one, other) = (Person::admin(&server), Person::new(&server, "dan"));
            let promote = server.put(&other.path("")).session(&one.session);
            let promoted = promote.json(&json!({ "role": "admin" })).send();
            let session = promoted.session_id().unwrap();
            let others = server.log_in(&other.email, PASSWORD);
            let ends = [(&one, &others), (&other, &session)].map(|(whom, by)| {
                let request = server.request(method, &whom.path("")).session(by);
                body.iter().fold(request, Request::json).start()
            });
            let statuses = ends.map(|end| end.finish().status);
            assert!(statuses.contains(&200), "{method} {body:?}: {statuses:?}");
            let left = block_on(server.service.accounts().users.all()).unwrap();
            let admins = left.iter().filter(|user| user.is_enabled_admin()).count();
            assert_eq!(admins, 1, "{method} {body:?}: {statuses:?}");
        }
    }
}

/// What is bik@example.com by other rules or another grammar, or two addresses in one.
const LOOK_ALIKES: &[&str] = &[
    "b\u{131}k@example.com",
    "b\u{130}k@example.com",
    "bi\u{212a}@example.com",
    "bi\u{ff4b}@example.com",
    "bik\u{200b}@example.com",
    "bik@example\u{3002}com",
    "bik@\u{1d5f2}xample.com",
    "bik@example.com.",
    " bik@example.com",
    "bik@example.com ",
    "bik@example.com\0",
    "\"bik\"@example.com",
    "bik(x)@example.com",
    "bik@example.com@evil.example",
    "evil@bik@example.com",
    "evil@evil.example,bik@example.com",
    "<bik@example.com>",
    "bik@[example.com]",
];

fn names_are_folded_once_and_before_every_comparison() {
    for address in
        ["Bob@Example.COM", "b.O.b+Tag@sub.EXAMPLE.com", "X_Y@A.B", "1@2.3", "A@localhost"]
    {
        let email = Email::new(address).unwrap();
        assert_eq!(email.as_str(), address, "kept as its owner writes it");
        assert_eq!(Email::key_of(&email.key()), email.key());
        assert_eq!(Email::new(&email.key()).unwrap().key(), email.key());
        assert_eq!(Email::new(&address.to_ascii_uppercase()).unwrap().key(), email.key());
    }
    for kind in ["session_db_auth", "basic_auth"] {
        let server = unthrottled(kind);
        let by_admin = |request: Request| match kind {
            "basic_auth" => request.basic(ADMIN, ADMIN_PASSWORD),
            _ => request.session(&server.admin()),
        };
        let make = |email: &str| {
            let body = json!({ "email": email, "password": PASSWORD });
            by_admin(server.post(USERS)).json(&body).send().status
        };
        let knock = |email: &str| attempt(&server, kind, email, PASSWORD).send().status;
        assert_eq!(make("Bik@Example.com"), 201);
        for same in ["bik@example.com", "BIK@EXAMPLE.COM", "bIK@eXample.coM"] {
            assert_eq!((make(same), knock(same)), (409, 200), "{kind} {same}");
        }
        for other in LOOK_ALIKES {
            let status = knock(other);
            assert_eq!(make(other), 400, "{kind} {other:?}");
            assert!(matches!(status, 401 | 403), "{kind} {other:?}: {status}");
        }
        // What is another address is another user.
        assert_eq!((make("bik+x@example.com"), make("b.ik@example.com")), (201, 201), "{kind}");
    }
}

/// Runs a command of the program on this directory with an umask that forbids nothing.
#[expect(clippy::disallowed_methods, reason = "a shell sets the umask")]
fn run_openly(arguments: &[&str], data: &Path, input: &str) {
    use std::process::{Command, Stdio};
    let mut child = Command::new("/bin/sh")
        .args(["-c", "umask 000; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_sessiond")])
        .args(arguments)
        .env_clear()
        .env("DATA_DIR", data)
        .env("UNSAFE_FAST_HASH", "1")
        .env("AUDIT_FILE", data.with_extension("audit"))
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{arguments:?}");
}

fn files_are_their_owners() {
    let server = Server::of("session_db_auth");
    server.admin();
    let (program, ..) = server.stop();
    let path = |name: &str| program.folder().join(name);
    let (backup, again, data) = (path("backup.json"), path("again.json"), path("open"));
    let exported = program.run(&["export", backup.to_str().unwrap()], "");
    assert!(exported.status.success(), "{exported:?}");
    run_openly(&["import", backup.to_str().unwrap()], &data, "");
    run_openly(&["user", "add", "bob@example.com"], &data, &format!("{PASSWORD}\n"));
    run_openly(&["export", again.to_str().unwrap()], &data, "");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let inside = fs::read_dir(&data).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<PathBuf> = inside.chain([backup, again, path("open.audit")]).collect();
    let is_there = |name: &str| files.iter().any(|file| file.to_string_lossy().contains(name));
    assert!(is_there("User.json") && is_there("UserSession.") && is_there(".lock"), "{files:?}");
    for file in &files {
        assert_eq!(mode(file), 0o600, "{}", file.display());
    }
    assert_eq!(mode(&data), 0o700);
    // What a copy or an editor has opened to others is closed at start.
    fs::set_permissions(data.join("User.json"), fs::Permissions::from_mode(0o666)).unwrap();
    let _server = program.clone().set_os("DATA_DIR", data.as_os_str()).start();
    assert_eq!(mode(&data.join("User.json")), 0o600);
}

fn ids_never_become_names() {
    let server = unthrottled("session_db_auth");
    server.admin();
    let names = || {
        let entries = fs::read_dir(server.data()).unwrap();
        entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect::<BTreeSet<_>>()
    };
    let before = names();
    let expected = [".lock", "User.journal", "UserSession.journal", "pages.key"];
    assert_eq!(before, expected.map(str::to_owned).into());
    let traversals = [
        "../../../../../../../../../etc/passwd",
        "../User.journal",
        "/etc/passwd",
        "User.journal",
        "..",
        ".lock",
        "con",
        "a/b",
        "..\\..\\x",
        "....//....//....//....//....//....//etc/pas",
        "%2e%2e%2fUser.journal",
        "%00",
        "x\u{e4}",
        NO_SESSION,
    ];
    for id in traversals {
        for request in [
            server.get(ME).session(id),
            server.get(ME).bearer(id),
            server.post(REFRESH).session(id),
            server.delete(LOGOUT).session(id),
            server.login(&ADMINS_LOGIN).session(id),
            server.login(&[("email", id), ("password", id)]),
            server.delete(&format!(
                "/api/v1/users/me/sessions/{}",
                id.replace(['/', '\\', '\u{e4}'], "_")
            )),
        ] {
            let status = request.send().status;
            assert!(matches!(status, 200 | 400 | 401 | 403), "{id}: {status}");
        }
    }
    assert_eq!(names(), before);
}

/// What is no password of anybody, and what has the form of a session id and is none.
const JUNK: [&str; 2] = ["Wrong-Secret-77", "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF"];
/// What the admin's password becomes.
const NEW_PASSWORD: &str = "The-New-Secret-3";

/// Sends these secrets to every route, in every place, sound and broken, known and not known.
fn send_junk_everywhere(client: &Client, prove: impl Fn(Request) -> Request) {
    let [wrong, junk] = JUNK;
    let body = json!({
        "email": "bob@example.com", "password": PASSWORD, "current_password": wrong,
        "new_password": wrong, "session": junk, "token": junk,
    });
    for route in protected_routes() {
        for body in [body.to_string(), format!("{body}x"), body.to_string().replace(':', "=")] {
            let request = || {
                let path = route.path.replace("{id}", "me").replace("{session}", NOBODY);
                let path = format!("{path}?password={wrong}&token={junk}&session={junk}");
                client.request(&route.method, &path).body("application/json", body.as_str())
            };
            request().send();
            request().session(junk).send();
            request().session(junk).session(junk).send();
            request().bearer(junk).send();
            request().header("Authorization", &format!("Basic {junk}")).send();
            request().header("Authorization", &format!("{junk} {wrong}")).send();
            request().header("Origin", "https://evil.example").session(junk).send();
            prove(request()).send();
        }
    }
}

/// Logs in with right and wrong ones; returns what must not be told of it.
fn log_in_with_all(client: &Client) -> Vec<String> {
    let [wrong, _] = JUNK;
    let mut secrets = Vec::new();
    for (email, password) in
        [(ADMIN, ADMIN_PASSWORD), (ADMIN, wrong), (wrong, wrong), (PASSWORD, wrong)]
    {
        secrets.push(STANDARD.encode(format!("{email}:{password}")));
        client.get(ME).basic(email, password).send();
        let fields = [("email", email), ("password", password)];
        secrets.extend(client.login(&fields).send().session_id());
        client.post(LOGIN).json(&json!({ "email": email, "password": password })).send();
        client.post(LOGIN).body("text/plain", format!("{email} {password}")).send();
        client.post(LOGIN).body("multipart/form-data; boundary=x", format!("--x{password}")).send();
    }
    secrets
}

/// Gives a session one id after the other; returns all of them.
fn renew_and_log_out(client: &Client) -> Vec<String> {
    let change = json!({ "current_password": ADMIN_PASSWORD, "new_password": NEW_PASSWORD });
    let mut ids = vec![client.admin()];
    for request in [
        client.post(REFRESH),
        client.post(REAUTH).form(&[("password", ADMIN_PASSWORD)]),
        client.put(MY_PASSWORD).json(&change),
        client.delete(LOGOUT),
    ] {
        let answer = request.bearer(&ids[ids.len() - 1]).send();
        assert_eq!(answer.status, 200, "{}", answer.body);
        ids.extend(answer.session_id());
    }
    assert_eq!(ids.len(), 4);
    ids
}

fn no_secret_is_in_a_log() {
    for (kind, level, format) in [
        ("session_db_auth", "trace", "text"),
        ("session_exp_auth", "info", "json"),
        ("basic_auth", "trace", "text"),
    ] {
        let program = Program::of(kind).set("LOGIN_THROTTLE", "off");
        let program = program.set("RUST_LOG", level).set("LOG_FORMAT", format);
        let audit = program.folder().join("audit.log");
        let server = program.set_os("AUDIT_FILE", audit.as_os_str()).start();
        let mut secrets = [ADMIN_PASSWORD, PASSWORD, NEW_PASSWORD].map(str::to_owned).to_vec();
        secrets.extend(JUNK.map(str::to_owned));
        send_junk_everywhere(&server, |request| server.by_admin(request));
        secrets.extend(log_in_with_all(&server));
        if kind != "basic_auth" {
            secrets.extend(renew_and_log_out(&server));
        }
        let (_program, _, mut log) = server.stop();
        let audited = fs::read_to_string(&audit).unwrap();
        assert!(log.len() > 100 && audited.lines().count() > 50, "{kind}");
        log.extend(audited.lines().map(str::to_owned));
        for line in &log {
            let told = secrets.iter().find(|secret| line.contains(secret.as_str()));
            assert_eq!(told, None, "{kind} {level}: {line}");
            assert!(!line.contains("$2b$") && !line.contains("password="), "{line}");
        }
    }
}

/// What would end a line, or look like another one.
const FORGED: &str = "x\r\n2026-01-02T03:04:05.678Z ERROR forged\n\
                      {\"level\":\"error\",\"forged\":1}\u{2028}\u{85}\u{1b}[2J\u{202e}";

/// Requests that try to get it into the log.
fn forging(client: &Client) -> Vec<Request> {
    let admin = client.admin();
    let encoded = "/api/v1/users/x%0d%0aERROR%20forged";
    let names = json!({ "email": "bob@example.com", "password": PASSWORD, "first_name": FORGED });
    let me = || client.get(ME).session(&admin);
    vec![
        client.post(LOGIN).json(&json!({ "email": FORGED, "password": FORGED })),
        client.post(LOGIN).json(&json!({ FORGED: FORGED })),
        client.post(USERS).session(&admin).json(&names),
        client.get(encoded),
        client.get(&format!("{encoded}?{}", encoded.replace('/', ""))).session(&admin),
        client.request("FORGED", "/api/v1/users").session(&admin),
        me().header_bytes("User-Agent", b"\x85forged\xe2\x80\xa8"),
        me().header("X-Request-Id", "a b forged=1"),
        me().header_bytes("X-Request-Id", "a\u{2028}forged".as_bytes()),
        me().header("X-Request-Id", &"x".repeat(1_000)),
        client.get(ME).basic(FORGED, FORGED),
        client.post(REFRESH).session(&admin).header("Origin", "https://x forged"),
    ]
}

fn nobody_writes_a_line_of_his_own() {
    for format in ["text", "json"] {
        let program = Program::of("session_db_auth").set("LOG_FORMAT", format);
        // What the program itself names may be odd as well.
        let data = program.folder().join(FORGED);
        let program = program.set_os("DATA_DIR", data.as_os_str());
        let audit = program.folder().join("audit.log");
        let server = program.set_os("AUDIT_FILE", audit.as_os_str()).start();
        let requests = forging(&server);
        let sent = 1 + requests.len();
        for request in requests {
            request.send();
        }
        let (_program, _, log) = server.stop();
        let is_request = |line: &&String| match format {
            "text" => line[24..].starts_with(" INFO  request "),
            _ => serde_json::from_str::<Value>(line).unwrap()["message"] == "request",
        };
        assert_eq!(log.iter().filter(is_request).count(), sent, "{log:#?}");
        for line in &log {
            let level = if format == "text" { &line[25..30] } else { "" };
            assert!(["INFO ", "WARN ", ""].contains(&level), "{line}");
            assert!(!line.contains(['\r', '\u{1b}', '\u{85}', '\u{9b}', '\u{2028}', '\u{202e}']));
        }
        for line in fs::read_to_string(&audit).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            assert!(line["event"].is_string() && line.get("forged").is_none(), "{line}");
        }
    }
}

fn ids_are_taken_from_cookie_and_token_alone() {
    let server = Server::of("session_db_auth");
    let id = server.admin();
    let names =
        ["_my_session_id", "session", "session_id", "sid", "token", "access_token", "auth", "jwt"];
    for name in names {
        let query = format!("?{name}={id}");
        for path in [ME, USERS, "/api/v1/auth_session"] {
            server.get(&format!("{path}{query}")).send().assert_error(401, "Unauthorized");
            server.get(&format!("{path};{name}={id}")).send().assert_error(401, "Unauthorized");
            server.get(&format!("{path}/{id}")).send().assert_error(401, "Unauthorized");
        }
        let in_body = server.post(REFRESH).json(&json!({ name: id }));
        in_body.send().assert_error(401, "Unauthorized");
        server.post(REFRESH).form(&[(name, &id)]).send().assert_error(401, "Unauthorized");
        server.get(ME).header(&format!("X-{name}"), &id).send().assert_error(401, "Unauthorized");
    }
    // And given in the cookie alone: not in a body, nor in an address that others see.
    let mut session = id;
    for request in [
        server.login(&ADMINS_LOGIN),
        server.post(REFRESH),
        server.post(REAUTH).form(&[("password", ADMIN_PASSWORD)]),
        server.get("/api/v1/auth_session"),
        server.get("/api/v1/users/me/sessions"),
        server.delete(LOGOUT),
    ] {
        let answer = request.session(&session).send();
        assert_eq!(answer.status, 200, "{}", answer.body);
        let new = answer.session_id().unwrap_or(session);
        for (name, value) in &answer.headers {
            assert!(!value.contains(&new) || name == "set-cookie", "{name}: {value}");
        }
        assert!(!answer.body.contains(&new) && answer.header("location").is_none());
        session = new;
    }
}

fn no_body_takes_the_service_down() {
    let server = Server::of("session_db_auth");
    let many = (0..6_000).map(|n| format!("\"k{n}\":{n}")).collect::<Vec<_>>().join(",");
    let bombs = [
        "[".repeat(65_000),
        "{\"a\":".repeat(13_000),
        format!("{{\"email\":{}", "[".repeat(60_000)),
        format!("{{\"email\":{}{}}}", "[".repeat(30_000), "]".repeat(30_000)),
        format!("{{\"x\":{}1{},\"email\":1}}", "{\"a\":".repeat(10_000), "}".repeat(10_000)),
        format!("{{{many}}}"),
        format!("{{\"email\":{}}}", "9".repeat(60_000)),
        format!("{{\"email\":1e{}}}", "9".repeat(60_000)),
        format!("{{\"email\":-0.{}e-99999}}", "0".repeat(60_000)),
        format!("{{\"email\":\"{}\"}}", "\\u0000".repeat(10_000)),
        format!("{{\"{}\":1}}", "\\ud83d\\ude00".repeat(5_000)),
        format!("{{\"email\":\"x\",{}\"email\":\"y\"}}", " ".repeat(60_000)),
        format!("{{\"email\":\"{}@example.com\",\"password\":\"x\"}}", "a".repeat(60_000)),
        " ".repeat(65_000),
        "\u{feff}{}".to_owned(),
        "\"".repeat(65_000),
        "x".repeat(70_000),
    ];
    for bomb in &bombs {
        for kind in [
            "application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=\"",
        ] {
            let status = server.post(LOGIN).body(kind, bomb.as_str()).send().status;
            assert!(matches!(status, 400 | 401 | 413 | 415), "{kind} {}: {status}", &bomb[..9]);
        }
        // Nobody reads it who does not know whose it is.
        let nobody = server.post(USERS).body("application/json", bomb.as_str()).send();
        nobody.assert_error(401, "Unauthorized");
    }
    server.admin();
    let (_, status, log) = server.stop();
    assert!(status.success() && !log.iter().any(|line| line.contains(" ERROR ")), "{log:?}");
}

fn repeated_headers_are_bounded() {
    let program = Program::of("session_db_auth").set("TRUSTED_PROXIES", "127.0.0.1");
    let server = program.start();
    let admin = server.admin();
    let with = |path: &str, name: &str, value: &str, times: usize| {
        let request = server.get(path).session(&admin);
        (0..times).fold(request, |request, _| request.header(name, value))
    };
    let addresses = "10.0.0.1, ".repeat(15) + "10.0.0.1";
    for (name, value) in [
        ("X", "y"),
        ("X-Forwarded-For", &addresses),
        ("Cookie", "a=b; c=d; e=f"),
        ("Accept", "*/*, a/b;q=0.1"),
    ] {
        assert_eq!(with(ME, name, value, 80).send().status, 200, "{name}");
        for times in [1_000, 20_000] {
            let said = with(ME, name, value, times).start().rest();
            let said = String::from_utf8_lossy(&said);
            assert!(said.is_empty() || said.starts_with("HTTP/1.1 4"), "{name} {times}: {said}");
        }
    }
    // One that must not be there twice is refused, and not searched through.
    for (name, value) in [("Cookie", "_my_session_id=x"), ("Authorization", "Bearer x")] {
        assert_eq!(with(ME, name, value, 80).send().status, 400, "{name}");
    }
    let pairs = format!("_my_session_id={admin};{}", "a=b;;=;".repeat(2_000));
    assert_eq!(server.get(ME).cookie(&pairs).send().status, 200);
    assert_eq!(status(&server, &admin), 200);
}

/// A first message of TLS: the version that is offered at most, and a suite that is good.
fn hello(version: u16) -> Vec<u8> {
    let sized =
        |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    // X25519 and P-256, uncompressed points, ECDSA and RSA with SHA-256.
    let extensions = [
        &[0, 10, 0, 6, 0, 4, 0, 0x1d, 0, 0x17][..],
        &[0, 11, 0, 2, 1, 0],
        &[0, 13, 0, 6, 0, 4, 4, 3, 4, 1],
    ];
    let random_and_suite = [&[7; 32][..], &[0, 0, 2, 0xc0, 0x2b, 1, 0]].concat();
    let body =
        [&version.to_be_bytes()[..], &random_and_suite, &sized(&extensions.concat())].concat();
    [&[0x16, 3, 1][..], &sized(&[&[1, 0][..], &sized(&body)].concat())].concat()
}

/// A server over TLS with one worker, and a client of it.
fn over_tls(head_timeout: &str) -> (Server, Client) {
    let program = Program::of("session_db_auth").set("WORKERS", "1").set("KEEP_ALIVE", "1");
    let (program, pair) = program.set("HEAD_TIMEOUT", head_timeout).over_tls();
    let server = program.start();
    let client = pair.client(&server);
    (server, client)
}

/// Handshakes and heads that were begun and do not go on.
fn stalled(server: &Server) -> Vec<Connection> {
    let hello = hello(0x0303);
    let begun =
        [&b""[..], &hello[..1], &hello[..5], &hello[..40], &hello[..hello.len() - 1], &hello];
    let connect = |begun: &&[u8]| {
        let mut connection = server.connect();
        connection.write(begun);
        connection
    };
    begun.iter().cycle().take(60).map(connect).collect()
}

fn what_stalls_holds_up_nobody_and_is_closed() {
    let (server, client) = over_tls("300");
    let open = stalled(&server);
    client.admin();
    drop(open);
    let (server, client) = over_tls("1");
    for connection in stalled(&server) {
        // An alert may be said before the end.
        assert!(!String::from_utf8_lossy(&connection.rest()).contains("HTTP"));
    }
    client.admin();
    // The same without TLS.
    let program = Program::of("session_db_auth").set("WORKERS", "1").set("HEAD_TIMEOUT", "1");
    let server = program.set("KEEP_ALIVE", "1").start();
    let begun: Vec<Connection> = ["G", "GET / HTTP/1.1\r\n", "GET / HTTP/1.1\r\nHost: x\r\nX: "]
        .iter()
        .map(|begun| {
            let mut connection = server.connect();
            connection.write(begun);
            connection
        })
        .collect();
    server.admin();
    for connection in begun {
        assert!(connection.rest().starts_with(b"HTTP/1.1 408 "));
    }
}

fn http_2_is_not_spoken() {
    assert_without("h2");
    let preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    let server = Server::of("session_db_auth");
    let mut connection = server.connect();
    connection.write(preface);
    let said = String::from_utf8_lossy(&connection.rest()).into_owned();
    assert!(
        said.is_empty() || said.starts_with("HTTP/1.1 400") || said.starts_with("HTTP/1.1 505"),
        "{said}"
    );
    let upgrade = server.get("/api/v1/status").header("Upgrade", "h2c");
    let upgrade = upgrade.header("HTTP2-Settings", "AAMAAABkAARAAAAAAAIAAAAA").send();
    assert_eq!((upgrade.status, upgrade.header("upgrade")), (200, None));
    let (program, pair) = Program::of("session_db_auth").over_tls();
    let server = program.start();
    for (offered, taken) in [(&["h2", "http/1.1"][..], Some("http/1.1")), (&["h2"], None)] {
        let mut config = pair.trust(ring::default_provider(), rustls::ALL_VERSIONS);
        config.alpn_protocols = offered.iter().map(|name| name.as_bytes().to_vec()).collect();
        let mut connection = Client::over_tls(server.address, config).connect();
        let protocol = connection.handshake().ok().and_then(|tls| tls.alpn_protocol());
        assert_eq!(protocol, taken.map(str::as_bytes), "{offered:?}");
    }
}

fn odd_handshakes_take_nothing_down() {
    assert_locked("rustls", [0, 23, 18]);
    let (server, client) = over_tls("1");
    let hello = hello(0x0303);
    let close_notify = [0x15, 3, 3, 0, 2, 1, 0];
    let fatal = [0x15, 3, 3, 0, 2, 2, 40];
    let in_records = |size: usize| {
        let record =
            |piece: &[u8]| [&[0x16, 3, 1, 0, u8::try_from(piece.len()).unwrap()], piece].concat();
        hello[5..].chunks(size).flat_map(record).collect::<Vec<u8>>()
    };
    for odd in [
        close_notify.to_vec(),
        close_notify.repeat(1_000),
        [&hello[..], &close_notify].concat(),
        [&hello[..], &close_notify.repeat(1_000)].concat(),
        [&in_records(1)[..20], &close_notify].concat(),
        [&hello[..], &fatal].concat(),
        [&in_records(7)[..30], &hello].concat(),
        [0x16, 3, 1, 0, 0].repeat(1_000),
        [vec![0x16, 3, 1, 0xff, 0xff], vec![0; 70_000]].concat(),
        [0x14, 3, 3, 0, 1, 1].repeat(100),
        vec![0x80, 0x2e, 1, 0, 2, 0, 0x15, 0, 0, 0, 0x10],
    ] {
        let mut connection = server.connect();
        connection.write(&odd);
        assert!(!String::from_utf8_lossy(&connection.rest()).contains("HTTP"));
        assert_eq!(client.get("/api/v1/status").send().status, 200, "{:x?}", &odd[..5]);
    }
    // In pieces it is understood: the server answers with its own.
    for size in [1, 2, 7, 50] {
        let mut connection = server.connect();
        connection.write(in_records(size));
        assert_eq!(connection.rest()[0], 0x16, "{size}");
    }
}

fn old_versions_get_an_alert() {
    let (server, client) = over_tls("1");
    for (version, begins) in [
        (0x0300, &[0x15, 3, 3, 0, 2, 2, 70][..]), // a fatal alert: protocol version
        (0x0301, &[0x15, 3, 3, 0, 2, 2, 70]),
        (0x0302, &[0x15, 3, 3, 0, 2, 2, 70]),
        (0x0303, &[0x16, 3, 3]), // a handshake
    ] {
        let mut connection = server.connect();
        connection.write(hello(version));
        let said = connection.rest();
        assert!(said.starts_with(begins), "{version:x}: {said:x?}");
    }
    client.admin();
    // And what is no TLS at all is not answered.
    let mut plain = server.connect();
    plain.write("GET /api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n");
    assert!(!String::from_utf8_lossy(&plain.rest()).contains("HTTP"));
}

fn without_its_certificate_there_is_no_service() {
    let spoils: [fn(&Pair); 4] = [
        |pair| fs::remove_file(&pair.cert).unwrap(),
        |pair| fs::write(&pair.cert, "junk").unwrap(),
        |pair| fs::remove_file(&pair.key).unwrap(),
        |pair| fs::write(&pair.key, "").unwrap(),
    ];
    for spoil in spoils {
        let (program, pair) = Program::of("session_db_auth").over_tls();
        spoil(&pair);
        let Err((status, log)) = program.try_start() else { panic!("started without TLS") };
        assert_eq!(status.code(), Some(2), "{log:?}");
    }
    for half in ["TLS_CERT", "TLS_KEY"] {
        let (program, _pair) = Program::of("session_db_auth").over_tls();
        let Err((status, log)) = program.unset(half).try_start() else { panic!("started") };
        assert_eq!(status.code(), Some(2), "{log:?}");
    }
}

fn the_health_check_takes_its_own_certificate_alone() {
    // It is the only client there is.
    let clients = ["reqwest", "ureq", "hyper", "awc", "lettre", "native-tls", "openssl"];
    for client in clients {
        assert_without(client);
    }
    let unusual = files::sources().into_iter().filter(|(_, text)| text.contains(".dangerous()"));
    let unusual: Vec<String> = unusual.map(|(name, _)| name).collect();
    assert_eq!(unusual, ["cli/healthcheck.rs"]);
    let (program, pair) = Program::of("session_db_auth").over_tls();
    let another = Pair::of(&program, "another");
    let server = program.start();
    let program = server.program().clone().set("API_PORT", &server.address.port().to_string());
    for (cert, status) in [(&pair.cert, 0), (&another.cert, 1), (&pair.key, 1)] {
        let checked =
            program.clone().set_os("TLS_CERT", cert.as_os_str()).run(&["healthcheck"], "");
        assert_eq!(checked.status.code(), Some(status), "{checked:?}");
    }
}

fn nobody_gets_the_answer_of_another() {
    let server = unthrottled("basic_auth");
    let emails: Vec<String> = (0..16).map(|n| format!("user{n}@example.com")).collect();
    for (n, email) in emails.iter().enumerate() {
        // Every other one has the same password.
        let password = if n % 2 == 0 { PASSWORD.to_owned() } else { format!("{PASSWORD} {n}") };
        let body = json!({ "email": email, "password": password });
        let made = server.post(USERS).basic(ADMIN, ADMIN_PASSWORD).json(&body).send();
        assert_eq!(made.status, 201);
    }
    // At once and new; then remembered.
    for round in 0..3 {
        let asked: Vec<_> = emails
            .iter()
            .flat_map(|email| [(email, PASSWORD), (email, WRONG)])
            .map(|(email, password)| {
                (email, password, server.get(ME).basic(email, password).start())
            })
            .collect();
        for (n, (email, password, answer)) in asked.into_iter().enumerate() {
            let answer = answer.finish();
            if n % 4 == 0 {
                assert_eq!(
                    (answer.status, &answer.json()["email"]),
                    (200, &json!(email)),
                    "{round}"
                );
            } else {
                assert_eq!(answer.status, 403, "{round} {email} {password}");
            }
        }
    }
}

fn only_the_whole_credential_is_remembered() {
    let server = unthrottled("basic_auth");
    let made = json!({ "email": "user0@example.com", "password": PASSWORD });
    let made = server.post(USERS).basic(ADMIN, ADMIN_PASSWORD).json(&made).send();
    assert_eq!(made.status, 201);
    assert_eq!(server.get(ME).basic("user0@example.com", PASSWORD).send().status, 200);
    let pair = format!("user0@example.com:{PASSWORD}");
    let cut = pair.len() - 1;
    for other in [
        &pair[1..],
        &pair[..cut],
        &pair.replace(':', ""),
        &format!("{pair}:"),
        &format!(":{pair}"),
        &pair.replace(':', "::"),
    ] {
        let authorization = format!("Basic {}", STANDARD.encode(other));
        assert_eq!(
            server.get(ME).header("Authorization", &authorization).send().status,
            403,
            "{other}"
        );
    }
}

fn logins_without_end_are_bounded() {
    let server = InProcess::with(&["--sessions-per-user", "5"]);
    let auth = server.service.auth();
    let admin = block_on(server.service.accounts().users.search(ADMIN)).unwrap().unwrap();
    let length = || {
        let files = fs::read_dir(server.data()).unwrap();
        files.map(|file| file.unwrap().metadata().map_or(0, |file| file.len())).sum::<u64>()
    };
    let (mut written, mut longest) = (0, 0);
    for _ in 0..20 {
        let logins = (0..500).map(|_| auth.create_session(&admin, Login::default()));
        let made = block_on(join_all(logins));
        assert!(made.iter().all(|made| made.as_ref().is_ok_and(Option::is_some)));
        assert_eq!(block_on(server.service.session_count()).unwrap(), 5);
        written += made.len();
        longest = longest.max(length());
    }
    // A journal is folded at a mebibyte; that of before is there until it has been.
    assert!(written == 10_000 && longest < 4 << 20, "{longest} bytes");
    block_on(server.service.close()).unwrap();
    assert!(length() < 10_000, "{} bytes", length());
}
