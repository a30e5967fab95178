//! What a line is, where it goes, and what can be in it.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sessiond::auth::audit::Event;
use sessiond::clock::{Clock as _, SystemClock, Timestamp};

use super::{Audited, BOB, WRONG, controls, read};
use crate::harness::{ADMIN, KINDS, NO_SESSION, PASSWORD, Program};
use crate::{v13_configuration as v13, v14_data as v14};

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
    assert_eq!(server.post("/api/v1/admin/backup").session(&admin).send().status, 201);
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

pub fn the_file_keeps_to_the_classes() {
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

pub fn lines_are_complete() {
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

pub fn lines_lead_to_requests() {
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

pub fn times_are_utc() {
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
    let open = v13::communication::open_files(&process);
    let open: BTreeSet<PathBuf> = open.into_iter().map(PathBuf::from).collect();
    let elsewhere = open.iter().filter(|path| path.is_absolute() && !path.starts_with("/dev/null"));
    let elsewhere: Vec<_> = elsewhere.filter(|path| !path.starts_with(&data)).collect();
    assert_eq!(elsewhere, [&file]);
    let folder = audited.server.program().folder().to_owned();
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    // One of the events was a backup.
    let expected = BTreeSet::from([data.clone(), file, folder.join("backups")]);
    assert_eq!(entries.collect::<BTreeSet<_>>(), expected);
    let names = fs::read_dir(data).unwrap().map(|entry| entry.unwrap().file_name());
    for name in names {
        let name = name.into_string().unwrap();
        assert!(name.starts_with("User") || [".lock", "pages.key"].contains(&&*name), "{name}");
    }
}

pub fn lines_are_json() {
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

pub fn nobody_writes_lines() {
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

/// No request can bring such characters along; what else is logged could.
pub fn nothing_ends_a_line() {
    let program = Program::of("auth");
    let odd = program.folder().join("data\nERROR forged\u{2028}\u{202e}\u{1b}[2J");
    let server = program.set_os("DATA_DIR", odd.as_os_str()).start();
    let (_program, _, log) = server.stop();
    assert!(log.iter().any(|line| line.contains(r"data\nERROR forged\u{2028}\u{202e}\u{1b}[2J")));
    for line in &log {
        let (time, _) = line.split_at(24);
        assert!(time.parse::<Timestamp>().is_ok(), "each line begins as one: {line}");
    }
}

pub fn the_file_is_private() {
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
pub fn lines_come_as_they_happen() {
    let audited = Audited::of("session_db_auth");
    let login = audited.server.login(&[("email", ADMIN), ("password", WRONG)]);
    let answer = login.header("X-Request-Id", "a-77").send();
    assert_eq!(answer.status, 401);
    assert!(audited.lines().iter().any(|line| line["request_id"] == "a-77"), "before the answer");
    let line = audited.server.wait_for("request_id=a-77");
    assert!(line.contains("security:"), "{line}");
    assert!(controls().contains("sent to another machine as they"));
}
