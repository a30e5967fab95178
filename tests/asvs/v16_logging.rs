//! Logging and errors.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;

use actix_web::web;
use serde_json::{Value, json};
use sessiond::auth::audit::Event;
use sessiond::clock::{Clock as _, SystemClock, Timestamp};
use sessiond::config::Config;
use sessiond::server;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Client, KINDS, NO_SESSION, PASSWORD, Program, Request, Server,
    TempDir, block_on,
};
use crate::registry::{Chapter, requirement};
use crate::{faults, files, markdown, v13_configuration as v13, v14_data as v14};

pub const CHAPTER: Chapter = Chapter {
    title: "V16 Logging and errors",
    rows: &[
        requirement("16.1.1", 2, "Log inventory").documented(
            "docs/CONTROLS.md#security-log",
            &[
                ("the events are those of the program", events_are_documented),
                ("the members are those of the lines", members_are_documented),
            ],
        ),
        requirement("16.2.1", 2, "When, where, who, what").tested(&[
            ("each line says when, what, who, whom and from where", lines_are_complete),
            ("a line leads to its request, and a request to its answer", lines_lead_to_requests),
        ]),
        requirement("16.2.2", 2, "UTC timestamps")
            .tested(&[("times are UTC in any time zone", times_are_utc)]),
        requirement("16.2.3", 2, "Only to documented places").tested(&[(
            "lines go to standard error and to AUDIT_FILE",
            lines_go_where_they_should,
        )]),
        requirement("16.2.4", 2, "Common format")
            .tested(&[("each line is a JSON object where that is wanted", lines_are_json)]),
        requirement("16.2.5", 2, "Sensitive data by class: never passwords, tokens only hashed")
            .tested(&[
                ("the log keeps to what each class allows", v14::the_log_keeps_to_the_classes),
                ("so does the security log, of every event", the_file_keeps_to_the_classes),
            ]),
        requirement("16.3.1", 2, "All authentication attempts logged").tested(&[
            ("each attempt is a line, with its way and its outcome", attempts_are_logged),
            ("so is each Basic credential that is verified", basic_attempts_are_logged),
        ]),
        requirement("16.3.2", 2, "Failed authorization logged (L3: all decisions)")
            .tested(&[("what is not for the caller is a line with his id", denials_are_logged)]),
        requirement("16.3.3", 2, "Documented events and bypass attempts logged").tested(&[
            ("every event of the inventory is told when it happens", every_event_is_logged),
            ("so is each way around a control", ways_around_are_logged),
        ]),
        requirement("16.3.4", 2, "Unexpected errors logged").tested(&[
            ("a disk that fails is an error with its cause", failing_disks_are_logged),
            ("so is a certificate that cannot be read", bad_certificates_are_logged),
        ]),
        requirement("16.4.1", 2, "No log injection").tested(&[(
            "whatever is sent, a line is one line and says what happened",
            nobody_writes_lines,
        )]),
        requirement("16.4.2", 2, "Logs protected").operators(
            "docs/CONTROLS.md#security-log",
            &[("the file is its owner's alone, and is appended to", the_file_is_private)],
        ),
        requirement("16.4.3", 2, "Sent elsewhere").operators(
            "docs/CONTROLS.md#security-log",
            &[("all lines go to standard error at once", lines_come_as_they_happen)],
        ),
        requirement("16.5.1", 2, "Generic errors").tested(&[
            ("a failure has one text, and its cause is in the log", failures_are_generic),
            ("what cannot be read is told without what it was", errors_repeat_nothing),
        ]),
        requirement("16.5.2", 2, "Works on when a resource fails").tested(&[
            ("while the disk fails, what only reads goes on", reading_goes_on),
            ("a log that cannot be written stops nothing", a_full_log_stops_nothing),
            ("nor does one that nobody reads any more", a_closed_log_stops_nothing),
        ]),
        requirement("16.5.3", 2, "Fails closed").tested(&[
            ("what fails has not happened, and lets nobody in", failures_let_nobody_in),
            ("damaged records are a refusal to start", damage_is_a_refusal),
        ]),
        requirement("16.5.4", 3, "Last-resort handler").tested(&[(
            "a panic is a 500, and the next request is answered",
            a_panic_is_an_answer,
        )]),
    ],
};

const BOB: &str = "bob@example.com";
const WRONG: &str = "wrong 12345";

fn controls() -> String {
    files::section("docs/CONTROLS.md", "Security log")
}

/// A server of this kind with a security log.
struct Audited {
    server: Server,
    file: PathBuf,
}

impl Audited {
    fn of(kind: &str) -> Self {
        Self::with(Program::of(kind))
    }

    fn with(program: Program) -> Self {
        let file = program.folder().join("audit.log");
        let server = program.set_os("AUDIT_FILE", file.as_os_str()).start();
        Self { server, file }
    }

    fn lines(&self) -> Vec<Value> {
        read(&self.file)
    }

    /// The answer to a request, and the one line that it adds.
    #[track_caller]
    fn one(&self, request: Request) -> (Answer, Value) {
        let before = self.lines().len();
        let answer = request.send();
        let added = self.lines().split_off(before);
        assert_eq!(added.len(), 1, "{added:?} after {answer:?}");
        (answer, added[0].clone())
    }
}

fn read(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn events_are_documented() {
    let section = controls();
    let rows = markdown::rows(&section);
    let listed: Vec<(&str, &str, &str)> = rows
        .iter()
        .filter(|row| matches!(row[2..], ["info" | "warn"]))
        .map(|row| (row[0].trim_matches('`'), row[1], row[2]))
        .collect();
    let levels = ["info", "warn"];
    let expected: Vec<(&str, &str, &str)> = Event::ALL
        .iter()
        .map(|event| {
            let level = event.level().as_str().to_lowercase();
            let level = levels.iter().find(|known| **known == level).unwrap();
            (event.name(), event.meaning(), *level)
        })
        .collect();
    assert_eq!(listed, expected);
    for said in ["mode 0600", "standard error", "SIGHUP", "as long as an investigation needs"] {
        assert!(section.contains(said), "{said}");
    }
}

/// The members that a table of the section names in one of its columns.
fn members(section: &str, head: &str, column: usize) -> BTreeSet<String> {
    let lines = section.lines().skip_while(|line| *line != head).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.trim_matches('|').split('|').nth(column).unwrap());
    cells.flat_map(markdown::code).map(str::to_owned).collect()
}

fn members_of(line: &Value) -> BTreeSet<String> {
    line.as_object().unwrap().keys().cloned().collect()
}

fn members_are_documented() {
    let section = controls();
    let audited = Audited::with(Program::of("session_db_auth").set("LOG_FORMAT", "json"));
    audited.server.admin();
    let line = audited.lines().pop().unwrap();
    assert_eq!(members(&section, "| member | what it is |", 0), members_of(&line));
    let (.., log) = audited.server.stop();
    let lines = log.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let request = lines.into_iter().find(|line| line["message"] == "request").unwrap();
    let mut found = members_of(&request);
    for common in ["time", "level", "target", "message"] {
        assert!(found.remove(common), "{request}");
    }
    assert_eq!(members(&section, "| layer | lines | members |", 2), found);
}

/// Something of everything: each event of the inventory at least once.
fn everything(audited: &Audited) {
    let server = &audited.server;
    let admin = server.admin();
    let bob = json!({ "email": BOB, "password": PASSWORD });
    let bob = server.post("/api/v1/users").session(&admin).json(&bob).send().json();
    let path = format!("/api/v1/users/{}", bob["id"].as_str().unwrap());
    let login = |password| server.login(&[("email", BOB), ("password", password)]);
    login(WRONG).send();
    let session = login(PASSWORD).send().session_id().unwrap();
    let refreshed = server.post("/api/v1/auth_session/refresh").session(&session).send();
    let session = refreshed.session_id().unwrap();
    let change = json!({ "current_password": PASSWORD, "new_password": "a new password 3" });
    let changed = server.put("/api/v1/users/me/password").session(&session).json(&change).send();
    let session = changed.session_id().unwrap();
    for request in [
        server.get("/api/v1/users").session(&session),
        server.get("/api/v1/users").session(NO_SESSION),
        server.delete("/api/v1/users/me/sessions").session(&session),
        server.delete("/api/v1/auth_session/logout").session(&session).header("Origin", "null"),
        server.delete("/api/v1/auth_session/logout").session(&session),
        server.get("/api//v1"),
    ] {
        request.send();
    }
    for state in [json!({ "disabled": true }), json!({ "disabled": false })] {
        assert_eq!(server.put(&path).session(&admin).json(&state).send().status, 200);
    }
    let promoted = server.put(&path).session(&admin).json(&json!({ "role": "admin" })).send();
    let admin = promoted.session_id().unwrap();
    assert_eq!(server.delete(&path).session(&admin).send().status, 200);
    let guesses = (0..20).map(|_| server.login(&[("email", "x@y.z"), ("password", WRONG)]).send());
    assert!(guesses.into_iter().any(|guess| guess.status == 429));
}

pub fn every_event_is_logged() {
    let audited = Audited::of("session_db_auth");
    everything(&audited);
    let (_program, ..) = audited.server.stop();
    let lines = read(&audited.file);
    let told: BTreeSet<&str> = lines.iter().map(|line| line["event"].as_str().unwrap()).collect();
    let known: BTreeSet<&str> = Event::ALL.iter().map(|event| event.name()).collect();
    assert_eq!(told, known);
}

fn the_file_keeps_to_the_classes() {
    let program = Program::of("session_db_auth");
    let file = program.folder().join("audit.log");
    let (server, secrets) = v14::eventful(program.set_os("AUDIT_FILE", file.as_os_str()));
    let (_program, ..) = server.stop();
    let text = fs::read_to_string(file).unwrap();
    assert!(text.lines().count() > 10, "{text}");
    for secret in secrets.iter().map(String::as_str).chain(["$2b$", "@example.com", "Xanadu"]) {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

fn lines_are_complete() {
    let audited = Audited::of("session_db_auth");
    everything(&audited);
    let begun = audited.lines().iter().position(|line| line["event"] == "sys_startup").unwrap();
    for line in &audited.lines()[begun + 1..] {
        for member in ["time", "event", "message", "client", "request_id"] {
            let text = line[member].as_str().unwrap();
            assert!(!text.is_empty() && text != "-", "{member}: {line}");
        }
        let is_id = |text: &str| text == "-" || uuid::Uuid::try_parse(text).is_ok();
        for member in ["actor", "subject", "session"] {
            assert!(is_id(line[member].as_str().unwrap()), "{member}: {line}");
        }
        // Somebody is named wherever somebody is known.
        let anonymous = ["authn_token_unknown", "malicious_csrf", "input_validation_fail"];
        let named = line["actor"] != "-" || line["subject"] != "-";
        let of_nobody = line["detail"].as_str().unwrap().contains("unknown user");
        let throttled = line["event"] == "excess_rate_limit_exceeded";
        let event = line["event"].as_str().unwrap();
        assert!(named || of_nobody || throttled || anonymous.contains(&event), "{line}");
    }
}

fn lines_lead_to_requests() {
    let audited = Audited::of("session_db_auth");
    let login = audited.server.login(&[("email", ADMIN), ("password", WRONG)]);
    let (answer, line) = audited.one(login);
    let id = answer.header("x-request-id").unwrap().to_owned();
    assert_eq!(line["request_id"], id);
    let (.., log) = audited.server.stop();
    let of_request = format!("request_id={id} client=127.0.0.1");
    let found: Vec<&String> = log.iter().filter(|line| line.contains(&of_request)).collect();
    assert!(found.iter().any(|line| line.contains("status=401")), "{log:?}");
}

fn times_are_utc() {
    let before = SystemClock::new().now();
    for zone in ["Pacific/Kiritimati", "America/Los_Angeles", "XYZ-14"] {
        let audited = Audited::with(Program::of("session_db_auth").set("TZ", zone));
        audited.server.admin();
        let lines = audited.lines();
        let (.., log) = audited.server.stop();
        let in_file = lines.iter().map(|line| line["time"].as_str().unwrap().to_owned());
        let on_screen = log.iter().map(|line| line[..24].to_owned());
        for time in in_file.chain(on_screen) {
            assert!(time.ends_with('Z') && time.len() == 24, "{time}");
            let time: Timestamp = time.parse().unwrap();
            let late = before.as_millis() - 1_000;
            assert!(late <= time.as_millis() && time <= SystemClock::new().now(), "{zone}: {time}");
        }
    }
}

pub fn lines_go_where_they_should() {
    let audited = Audited::of("session_db_auth");
    everything(&audited);
    let (data, file) = (audited.server.data(), audited.file.clone());
    let process = PathBuf::from(format!("/proc/{}", audited.server.process()));
    let open = v13::open_files(&process);
    let open: BTreeSet<PathBuf> = open.into_iter().map(PathBuf::from).collect();
    let elsewhere = open.iter().filter(|path| path.is_absolute() && !path.starts_with("/dev/null"));
    let elsewhere: Vec<_> = elsewhere.filter(|path| !path.starts_with(&data)).collect();
    assert_eq!(elsewhere, [&file]);
    let folder = audited.server.program().folder().to_owned();
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    assert_eq!(entries.collect::<BTreeSet<_>>(), BTreeSet::from([data.clone(), file]));
    let names = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name());
    for name in names {
        let name = name.into_string().unwrap();
        assert!(name.starts_with("User") || name == ".lock", "{name}");
    }
}

fn lines_are_json() {
    for kind in KINDS {
        let audited = Audited::with(Program::of(kind).set("LOG_FORMAT", "json"));
        audited.server.get("/api/v1/users").basic(BOB, WRONG).send();
        audited.server.get("/api//v1").send();
        let lines = audited.lines();
        let (.., log) = audited.server.stop();
        let log: Vec<Value> = log.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert!(log.iter().any(|line| line["target"] == "security"), "{log:?}");
        for line in lines.iter().chain(&log) {
            for member in ["time", "level", "target", "message"] {
                assert!(line[member].is_string(), "{kind}: {line}");
            }
        }
        assert!(log.iter().any(|line| line["status"] == 400), "{log:?}");
        // Both have the same lines, so whoever reads one can read the other. Each tells the time of
        // its own writing.
        let timeless = |line: &Value| {
            let mut line = line.clone();
            line["time"].take();
            line
        };
        let log: Vec<Value> = log.iter().map(timeless).collect();
        assert!(lines.iter().all(|line| log.contains(&timeless(line))), "{kind}");
    }
}

fn attempts_are_logged() {
    let audited = Audited::of("session_db_auth");
    let server = &audited.server;
    let (bob, eve) = (server.add_user(BOB), server.add_user("eve@example.com"));
    let disable = server.put(&format!("/api/v1/users/{eve}"));
    let disable = server.by_admin(disable).json(&json!({ "disabled": true }));
    assert_eq!(disable.send().status, 200);
    let login =
        |email: &str, password: &str| server.login(&[("email", email), ("password", password)]);
    let session = server.log_in(BOB, PASSWORD);
    let reauth = |session: &str, password: &str| {
        let request = server.post("/api/v1/auth_session/reauth").session(session);
        request.form(&[("password", password)])
    };
    let change = |current: &str| {
        let body = json!({ "current_password": current, "new_password": "a new password 3" });
        server.put("/api/v1/users/me/password").session(&session).json(&body)
    };
    for (request, event, subject, detail) in [
        (login(BOB, PASSWORD), Event::LoginSucceeded, &*bob, "login"),
        (login(BOB, WRONG), Event::LoginFailed, &bob, "login: wrong password"),
        (login(BOB, PASSWORD), Event::LoginSucceededAfterFailures, &bob, "login"),
        (login("eve@example.com", PASSWORD), Event::LoginFailed, &eve, "login: disabled"),
        (login("x@y.z", PASSWORD), Event::LoginFailed, "-", "login: unknown user"),
        (reauth(&session, WRONG), Event::LoginFailed, &bob, "reauth: wrong password"),
        (change(WRONG), Event::LoginFailed, &bob, "current password: wrong password"),
    ] {
        let (answer, line) = audited.one(request);
        assert_eq!(line["event"], event.name(), "{answer:?}");
        assert_eq!((&line["subject"], &line["detail"]), (&json!(subject), &json!(detail)));
        let actor = if event == Event::LoginFailed { "-" } else { subject };
        assert_eq!(line["actor"], actor, "{line}");
    }
    for _ in 0..11 {
        login("x@y.z", WRONG).send();
    }
    let (answer, line) = audited.one(login("x@y.z", PASSWORD));
    assert_eq!((answer.status, &line["event"]), (429, &json!("excess_rate_limit_exceeded")));
}

fn basic_attempts_are_logged() {
    let audited = Audited::of("basic_auth");
    let bob = audited.server.add_user(BOB);
    let me = || audited.server.get("/api/v1/users/me");
    for (request, status, event, detail) in [
        (me().basic(BOB, PASSWORD), 200, Event::LoginSucceeded, "basic"),
        (me().basic(BOB, WRONG), 403, Event::LoginFailed, "basic: wrong password"),
    ] {
        let (answer, line) = audited.one(request);
        assert_eq!((answer.status, &line["event"]), (status, &json!(event.name())));
        assert_eq!((&line["subject"], &line["detail"]), (&json!(bob), &json!(detail)));
    }
}

fn denials_are_logged() {
    let audited = Audited::of("session_db_auth");
    let server = &audited.server;
    let bob = server.add_user(BOB);
    let session = server.log_in(BOB, PASSWORD);
    let admin = server.by_admin(server.get("/api/v1/users/me")).send().json();
    let of_admin = format!("/api/v1/users/{}", admin["id"].as_str().unwrap());
    let name = json!({ "first_name": "x" });
    for (method, path) in [
        ("GET", "/api/v1/users"),
        ("POST", "/api/v1/users"),
        ("GET", &of_admin),
        ("PUT", &of_admin),
        ("DELETE", &of_admin),
        ("GET", &format!("{of_admin}/sessions")),
        ("DELETE", "/api/v1/sessions"),
    ] {
        let (answer, line) =
            audited.one(server.request(method, path).session(&session).json(&name));
        assert_eq!((answer.status, &line["event"]), (403, &json!("authz_fail")), "{method} {path}");
        assert_eq!(line["actor"], bob);
        assert_eq!(line["detail"], format!("Forbidden: {method} {path}"));
    }
    // Who says nothing of himself is a line of a request, with where it came from.
    assert_eq!(server.get("/api/v1/users").header("X-Request-Id", "a-1").send().status, 401);
    let (.., log) = audited.server.stop();
    let refused = log.iter().find(|line| line.contains("request_id=a-1")).unwrap();
    assert!(refused.contains("path=/api/v1/users status=401"), "{refused}");
    assert!(refused.ends_with("client=127.0.0.1"), "{refused}");
}

fn ways_around_are_logged() {
    let audited = Audited::of("session_db_auth");
    let server = &audited.server;
    let id = server.admin();
    let users = || server.get("/api/v1/users");
    let foreign = |request: Request| request.header("Sec-Fetch-Site", "cross-site");
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
    for (request, event) in [
        (users().session(NO_SESSION), Event::SessionUnknown),
        (users().bearer(NO_SESSION), Event::SessionUnknown),
        (users().session(&id).session(&id), Event::InputRefused),
        (users().bearer(&id).basic(ADMIN, ADMIN_PASSWORD), Event::InputRefused),
        (server.get("/api/v1/%75sers").session(&id), Event::InputRefused),
        (server.get("/api/v1/status/../users"), Event::InputRefused),
        (server.get("/api/v1//users"), Event::InputRefused),
        (users().header("X", &"x".repeat(17_000)), Event::InputRefused),
        (foreign(login), Event::CrossSiteRefused),
        (
            foreign(server.delete("/api/v1/auth_session/logout").session(&id)),
            Event::CrossSiteRefused,
        ),
    ] {
        let (answer, line) = audited.one(request);
        assert_eq!(line["event"], event.name(), "{answer:?}");
        assert_eq!(line["level"], "warn", "{line}");
        assert!(answer.status >= 400, "{answer:?}");
    }
}

/// A server whose sessions cannot be written: where the journal should be there is a folder.
fn without_sessions() -> Server {
    let server = Server::of("session_db_auth");
    fs::create_dir(server.data().join("UserSession.journal")).unwrap();
    server
}

fn failing_disks_are_logged() {
    let server = without_sessions();
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send();
    login.assert_error(503, "Service unavailable");
    let line = server.wait_for(" ERROR ");
    assert!(line.contains("UserSession.journal: Is a directory"), "{line}");
    assert!(!login.body.contains("journal"), "{login:?}");
}

fn bad_certificates_are_logged() {
    let (program, pair) = Program::of("session_db_auth").over_tls();
    let server = program.start();
    fs::write(&pair.key, "nothing").unwrap();
    server.signal("HUP");
    let line = server.wait_for(" ERROR ");
    assert!(line.contains("TLS_KEY=") && line.contains("stays in force"), "{line}");
    pair.client(&server).admin();
}

fn nobody_writes_lines() {
    let forged = "x\"}\r\n{\"event\":\"forged\",\u{2028}\u{1b}[2J\u{7f}\u{202e}\\";
    for format in ["text", "json"] {
        let program = Program::of("session_db_auth").set("LOG_FORMAT", format);
        let audited = Audited::with(program.set("LOGIN_THROTTLE", "off"));
        let server = &audited.server;
        let login = |email: &str| server.login(&[("email", email), ("password", forged)]);
        for request in [
            login(forged),
            login(&"\u{e4}".repeat(5_000)),
            login(BOB).header_bytes("X-Request-Id", b"a\"}{\"event\":\"forged\""),
            login(BOB).header_bytes("User-Agent", "\u{2028}forged\u{202e}".as_bytes()),
            login(BOB).header_bytes("X-Forwarded-For", b"1.1.1.1 event=forged"),
            server.get("/a%0d%0a%7b%22event%22:forged"),
            server.get("//\"},{\"event\":\"forged\""),
            server.request("FORGED", "/api//v1"),
        ] {
            let (_, line) = audited.one(request);
            assert!(
                ["authn_login_fail", "input_validation_fail"]
                    .contains(&line["event"].as_str().unwrap())
            );
        }
        let requests = 8;
        let (.., log) = audited.server.stop();
        let marks = ["request method=", "\"message\":\"request\""];
        let is_request = |line: &&String| marks.iter().any(|mark| line.contains(mark));
        assert_eq!(log.iter().filter(is_request).count(), requests, "{log:?}");
        for line in &log {
            let is_plain = |c: char| !c.is_control() && !('\u{2028}'..='\u{202e}').contains(&c);
            assert!(line.chars().all(is_plain), "{line:?}");
            assert!(!line.contains("event=forged"), "{line}");
        }
    }
}

fn the_file_is_private() {
    let audited = Audited::of("session_db_auth");
    let mode = |file: &Path| fs::metadata(file).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&audited.file), 0o600);
    audited.server.admin();
    let first = fs::read_to_string(&audited.file).unwrap();
    let (program, ..) = audited.server.stop();
    fs::set_permissions(&audited.file, fs::Permissions::from_mode(0o644)).unwrap();
    let (_program, _, log) = program.start().stop();
    assert_eq!(mode(&audited.file), 0o600);
    assert!(log.iter().any(|line| line.contains("others could read or write it")), "{log:?}");
    let both = fs::read_to_string(&audited.file).unwrap();
    assert!(both.starts_with(&first) && both.len() > first.len(), "nothing is overwritten");
    assert!(controls().contains("Whoever is the service's user can change the file"));
}

pub fn reloads_are_logged() {
    let (program, _pair) = Program::of("session_db_auth").over_tls();
    let audited = Audited::with(program);
    audited.server.signal("HUP");
    audited.server.wait_for("INFO  reloading");
    audited.server.wait_for("read anew");
    audited.server.wait_for("AUDIT_FILE='");
    assert!(audited.server.log().iter().any(|line| line.contains(" WARN  UNSAFE_FAST_HASH=1")));
}

/// What is sent away as it comes is out of reach for whoever breaks in later.
fn lines_come_as_they_happen() {
    let audited = Audited::of("session_db_auth");
    let login = audited.server.login(&[("email", ADMIN), ("password", WRONG)]);
    let answer = login.header("X-Request-Id", "a-77").send();
    assert_eq!(answer.status, 401);
    assert!(audited.lines().iter().any(|line| line["request_id"] == "a-77"), "before the answer");
    let line = audited.server.wait_for("request_id=a-77");
    assert!(line.contains("security:"), "{line}");
    assert!(controls().contains("sent to another machine as they"));
}

fn failures_are_generic() {
    let (server, disk, random) = faults::fallible(&[]);
    let admin = server.admin();
    let user = json!({ "email": BOB, "password": PASSWORD });
    for fault in [&disk, &random] {
        fault.set(true);
        for request in [
            server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]),
            server.post("/api/v1/users").session(&admin).json(&user),
            server.post("/api/v1/auth_session/refresh").session(&admin),
        ] {
            let answer = request.send();
            answer.assert_error(503, "Service unavailable");
            assert!(!format!("{answer:?}").contains(faults::CAUSE), "{answer:?}");
        }
        fault.set(false);
    }
}

fn errors_repeat_nothing() {
    let server = Server::of("session_db_auth");
    let id = server.admin();
    let odd = "<script>odd-77</script>";
    for request in [
        server.get(&format!("/api/v1/users/{}", "odd-77")).session(&id),
        server.get("/odd-77"),
        server.get("/api/v1/odd-77").session(&id),
        server.post("/api/v1/users").session(&id).body("application/json", format!("{{\"{odd}\":")),
        server.post("/api/v1/users").session(&id).json(&json!({ "email": odd, "password": odd })),
        server.post("/api/v1/auth_session/login").body("text/odd-77", odd),
        server.login(&[("email", odd), ("password", odd)]),
        server.get("/api/v1/users").session("odd-77"),
        server.get("/api/v1/users").header("Authorization", "Basic odd-77"),
        server.request("ODD77", "/api/v1/users").session(&id),
    ] {
        let answer = request.send();
        assert!((400..500).contains(&answer.status), "{answer:?}");
        assert!(!answer.body.to_lowercase().contains("odd"), "{answer:?}");
        let told = ["src/", ".rs", "panicked", "line ", "column", "/data", "serde", "at "];
        assert!(!told.iter().any(|trace| answer.body.contains(trace)), "{answer:?}");
        assert!(answer.json()["error"].is_string(), "{answer:?}");
    }
}

fn reading_goes_on() {
    let (server, disk, _) = faults::fallible(&[]);
    let admin = server.admin();
    let read = |path: &str| {
        let answer = server.get(path).session(&admin).send();
        (answer.status, answer.body)
    };
    let paths = ["/api/v1/users", "/api/v1/users/me", "/api/v1/stats", "/api/v1/users/me/sessions"];
    let before = paths.map(|path| read(path).0);
    assert_eq!(before, [200; 4]);
    disk.set(true);
    let user = json!({ "email": BOB, "password": PASSWORD });
    let create = || server.post("/api/v1/users").session(&admin).json(&user).send();
    assert_eq!(create().status, 503);
    assert_eq!(paths.map(|path| read(path).0), [200; 4]);
    assert_eq!(read("/api/v1/stats").1, r#"{"users":1}"#);
    server.get("/api/v1/status").send().assert_is(200, r#"{"status":"OK"}"#);
    disk.set(false);
    assert_eq!(create().status, 201, "and all goes on without a restart");
}

pub fn a_full_log_stops_nothing() {
    let program = Program::of("session_db_auth").set("AUDIT_FILE", "/dev/full");
    let server = program.start();
    let id = server.admin();
    server
        .login(&[("email", ADMIN), ("password", WRONG)])
        .send()
        .assert_error(401, "wrong email or password");
    assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 200);
    assert_eq!(server.get("/api/v1/users/me").session(NO_SESSION).send().status, 403);
    let (.., log) = server.stop();
    let failures = log.iter().filter(|line| line.contains("AUDIT_FILE='/dev/full'"));
    assert_eq!(failures.count(), 1, "it is told once: {log:?}");
}

/// Starts the program and goes away from its log, as a broken pipe does.
#[expect(clippy::disallowed_methods, reason = "tests start the program")]
pub fn a_closed_log_stops_nothing() {
    let folder = TempDir::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sessiond"))
        .env_clear()
        .envs([("API_PORT", "0"), ("UNSAFE_FAST_HASH", "1")])
        .envs([("ADMIN_EMAIL", ADMIN), ("ADMIN_PASSWORD", ADMIN_PASSWORD)])
        .env("DATA_DIR", folder.data())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut address = None;
    for line in lines {
        if let Some((_, rest)) = line.split_once("listening on http://") {
            address = rest.split(',').next().unwrap().parse().ok();
        }
        if line.contains("data in ") {
            break;
        }
    }
    let client = Client::at(address.unwrap());
    let id = client.admin();
    for _ in 0..3 {
        assert_eq!(client.get("/api/v1/users/me").session(&id).send().status, 200);
        assert_eq!(client.get("/api/v1/users/me").session(NO_SESSION).send().status, 403);
    }
    assert!(child.try_wait().unwrap().is_none(), "it goes on");
    child.kill().unwrap();
    child.wait().unwrap();
}

fn failures_let_nobody_in() {
    let (server, disk, _) = faults::fallible(&[]);
    let admin = server.admin();
    let bob = json!({ "email": BOB, "password": PASSWORD });
    let bob = server.post("/api/v1/users").session(&admin).json(&bob).send().json();
    let path = format!("/api/v1/users/{}", bob["id"].as_str().unwrap());
    let session = server.log_in(BOB, PASSWORD);
    let other = server.log_in(BOB, PASSWORD);
    let change = json!({ "current_password": PASSWORD, "new_password": "a new password 3" });
    disk.set(true);
    for request in [
        server.login(&[("email", BOB), ("password", PASSWORD)]),
        server.post("/api/v1/auth_session/refresh").session(&session),
        server
            .post("/api/v1/auth_session/reauth")
            .session(&session)
            .form(&[("password", PASSWORD)]),
        server.put("/api/v1/users/me/password").session(&session).json(&change),
        server.put(&path).session(&admin).json(&json!({ "role": "admin" })),
        server.put(&path).session(&admin).json(&json!({ "disabled": true })),
        server.delete(&path).session(&admin),
        server.delete("/api/v1/auth_session/logout").session(&session),
    ] {
        let answer = request.send();
        answer.assert_error(503, "Service unavailable");
        assert_eq!(answer.header("set-cookie"), None, "{answer:?}");
    }
    disk.set(false);
    // All of it did not happen: who was in is in, by what he had, and nobody is more than he was.
    let me = |session: &str| server.get("/api/v1/users/me").session(session).send();
    assert_eq!(me(&session).json(), bob);
    assert_eq!(me(&other).json(), bob);
    server
        .login(&[("email", BOB), ("password", "a new password 3")])
        .send()
        .assert_error(401, "wrong email or password");
    assert_eq!(server.get("/api/v1/users").session(&session).send().status, 403);
    assert_eq!(server.delete("/api/v1/auth_session/logout").session(&session).send().status, 200);
    assert_eq!(me(&session).status, 403);
}

fn damage_is_a_refusal() {
    let server = Server::of("session_db_auth");
    let id = server.admin();
    let program = server.kill();
    let journal = program.data().join("UserSession.journal");
    let sound = fs::read_to_string(&journal).unwrap();
    // A session of one's own making, a line that is gone, a bit that has flipped.
    let lines: Vec<&str> = sound.lines().collect();
    let without_first = format!("{}\n{}\n", lines[0], lines[1..].join("\n").replacen('0', "1", 1));
    for damaged in [format!("{sound}{}\n", lines[1]), without_first, sound.replace("false", "true")]
    {
        fs::write(&journal, &damaged).unwrap();
        let (status, log) = program.clone().try_start().err().expect("it does not start");
        assert_eq!(status.code(), Some(1));
        assert!(log.last().unwrap().contains("UserSession.journal: damaged: line "), "{log:?}");
        assert_eq!(fs::read_to_string(&journal).unwrap(), damaged, "nothing has been changed");
    }
    fs::write(&journal, sound).unwrap();
    assert_eq!(program.start().get("/api/v1/users/me").session(&id).send().status, 200);
}

async fn panics() -> &'static str {
    panic!("this is meant to be")
}

fn a_panic_is_an_answer() {
    let config = Config::from_arguments(&["--api-port", "0", "--workers", "1"]).unwrap();
    let (sender, started) = mpsc::channel();
    let running = thread::spawn(move || {
        block_on(async move {
            let routes = |routes: &mut web::ServiceConfig| {
                routes.route("/panic", web::get().to(panics));
                routes.route("/fine", web::get().to(|| async { "fine" }));
            };
            let bound = server::bind(&config, routes).unwrap();
            let address = bound.addresses()[0];
            let server = bound.into_server();
            sender.send((address, server.handle())).unwrap();
            server.await.unwrap();
        });
    });
    let (address, handle) = started.recv().unwrap();
    let client = Client::at(address);
    for _ in 0..3 {
        let answer = client.get("/panic").send();
        answer.assert_error(500, "Internal server error");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(client.get("/fine").send().status, 200);
    }
    block_on(handle.stop(true));
    running.join().unwrap();
    // What it was goes to the log, as a line like any other (tests/suite/panics.rs).
    let logging = files::read("src/server/logging.rs");
    assert!(logging.contains("log::error!(\"panic at {place}: {what}\");"));
    assert!(!files::read("Cargo.toml").contains("panic = \"abort\""));
}

/// The events that have the names of the OWASP logging vocabulary.
const OF_THE_VOCABULARY: [&str; 14] = [
    "authn_login_success",
    "authn_login_successafterfail",
    "authn_login_fail",
    "authn_password_change",
    "authn_token_revoked",
    "authz_fail",
    "authz_change",
    "excess_rate_limit_exceeded",
    "input_validation_fail",
    "session_renewed",
    "sys_startup",
    "sys_shutdown",
    "user_created",
    "user_deleted",
];
/// Those that it has no name for.
const OWN: [&str; 5] =
    ["authn_logout", "authn_token_unknown", "malicious_csrf", "user_disabled", "user_enabled"];

pub fn events_have_their_names() {
    let names: BTreeSet<&str> = Event::ALL.iter().map(|event| event.name()).collect();
    assert_eq!(names, OF_THE_VOCABULARY.into_iter().chain(OWN).collect());
    assert!(controls().contains("those of the OWASP logging vocabulary where it has one"));
}
