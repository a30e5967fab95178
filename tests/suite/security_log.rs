//! The security log: a line for whatever happens to accounts and sessions, in the log and in
//! `AUDIT_FILE`, whole and without secrets.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sessiond::auth::audit::Event;
use sessiond::clock::{Clock as _, SystemClock, Timestamp};
use uuid::Uuid;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, NO_SESSION, NOBODY, PASSWORD, Program, Request, Server,
};
use crate::logs::scripted_run;

const BOB: &str = "bob@example.com";
const MEMBERS: [&str; 11] = [
    "actor",
    "client",
    "detail",
    "event",
    "level",
    "message",
    "request_id",
    "session",
    "subject",
    "target",
    "time",
];

/// The lines of a file of the security log, each of which must be whole and of that log.
#[track_caller]
pub fn lines(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "torn: {text}");
    let read = |line: &str| -> Value {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        let members: BTreeSet<&str> =
            value.as_object().unwrap().keys().map(AsRef::as_ref).collect();
        assert_eq!(members, BTreeSet::from(MEMBERS), "{line}");
        assert_eq!(value["target"], "security", "{line}");
        let event = Event::ALL.iter().find(|event| value["event"] == event.name());
        let event = event.unwrap_or_else(|| panic!("unknown event: {line}"));
        assert_eq!(value["level"], event.level().as_str().to_lowercase(), "{line}");
        assert_eq!(value["message"], event.meaning(), "{line}");
        value
    };
    text.lines().map(read).collect()
}

pub fn events(lines: &[Value]) -> Vec<&str> {
    lines.iter().map(|line| line["event"].as_str().unwrap()).collect()
}

/// Where a program's security log is.
pub fn file_of(program: &Program) -> PathBuf {
    program.folder().join("audit.log")
}

/// A program of this kind that writes the security log to a file.
pub fn audited(kind: &str) -> Program {
    let program = Program::of(kind).set("LOGIN_THROTTLE", "off");
    let file = file_of(&program).display().to_string();
    program.set("AUDIT_FILE", &file)
}

/// A server, and how far its security log has been read.
pub struct Watched {
    pub server: Server,
    read: Cell<usize>,
}

impl Watched {
    pub fn of(kind: &str) -> Self {
        Self { server: audited(kind).start(), read: Cell::new(0) }
    }

    /// What has been added since this was last asked.
    #[track_caller]
    fn news(&self) -> Vec<Value> {
        let lines = lines(&file_of(self.server.program()));
        lines[self.read.replace(lines.len())..].to_vec()
    }

    /// The answer to a request, and the one line that it adds.
    #[track_caller]
    fn one(&self, request: Request, status: u16, event: Event) -> Value {
        self.news();
        let answer = request.send();
        assert_eq!(answer.status, status, "{}", answer.body);
        let lines = self.news();
        assert_eq!(events(&lines), [event.name()], "{lines:?}");
        assert_eq!(lines[0]["request_id"], answer.header("x-request-id").unwrap());
        assert_eq!(lines[0]["client"], "127.0.0.1");
        lines[0].clone()
    }

    /// The id of the admin.
    fn admin_id(&self) -> Value {
        let me = self.server.by_admin(self.server.get("/api/v1/users/me")).send();
        me.json()["id"].clone()
    }
}

/// Holds who did it, to whom, and what else the line says.
#[track_caller]
fn assert_says(line: &Value, actor: &Value, subject: &Value, detail: &str) {
    assert_eq!((&line["actor"], &line["subject"]), (actor, subject), "{line}");
    assert_eq!(line["detail"], detail, "{line}");
}

/// The session that a line names, by its public id.
#[track_caller]
fn session_of(line: &Value) -> String {
    let id = line["session"].as_str().unwrap();
    assert!(Uuid::try_parse(id).is_ok(), "{line}");
    id.to_owned()
}

fn nobody() -> Value {
    json!("-")
}

#[test]
fn the_inventory_in_the_documents_has_every_event() {
    let text = include_str!("../../docs/CONTROLS.md");
    let section = text.split("\n## ").find(|section| section.starts_with("Security log\n"));
    let table = section.unwrap().lines().skip_while(|line| !line.starts_with("| event |"));
    let rows: Vec<&str> = table.take_while(|line| line.starts_with('|')).skip(2).collect();
    let row = |event: &Event| {
        let level = event.level().as_str().to_lowercase();
        format!("| `{}` | {} | {level} |", event.name(), event.meaning())
    };
    assert_eq!(rows, Event::ALL.iter().map(row).collect::<Vec<_>>());
    let names: BTreeSet<&str> = Event::ALL.iter().map(|event| event.name()).collect();
    assert_eq!(names.len(), Event::ALL.len(), "a name stands for one event");
}

#[test]
fn a_session_is_a_line_when_it_begins_and_when_it_ends() {
    let log = Watched::of("session_db_auth");
    let (server, admin) = (&log.server, log.admin_id());
    let login = || server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
    let line = log.one(login(), 200, Event::LoginSucceeded);
    assert_says(&line, &admin, &admin, "login");

    let first = server.admin();
    log.news();
    assert_eq!(login().session(&first).send().status, 200);
    let lines = log.news();
    assert_eq!(events(&lines), ["authn_login_success", "authn_token_revoked"]);
    assert_says(&lines[1], &admin, &admin, "replaced by a login");
    session_of(&lines[1]);

    let second = server.admin();
    let logout = server.delete("/api/v1/auth_session/logout").session(&second);
    let line = log.one(logout, 200, Event::LoggedOut);
    assert_says(&line, &admin, &admin, "-");
    assert_ne!(session_of(&line), session_of(&lines[1]));
}

#[test]
fn a_session_that_gets_a_new_id_or_is_ended_from_another_is_a_line() {
    let log = Watched::of("session_db_auth");
    let (server, admin) = (&log.server, log.admin_id());
    let (first, second) = (server.admin(), server.admin());
    let refresh = server.post("/api/v1/auth_session/refresh").session(&first);
    let line = log.one(refresh, 200, Event::SessionRenewed);
    assert_says(&line, &admin, &admin, "-");
    let renewed = session_of(&line);

    let mine = "/api/v1/users/me/sessions";
    let end = server.delete(&format!("{mine}/{renewed}")).session(&second);
    let line = log.one(end, 200, Event::SessionRevoked);
    assert_says(&line, &admin, &admin, "-");
    assert_eq!(session_of(&line), renewed);

    let others = server.delete(mine).session(&second);
    let line = log.one(others, 200, Event::SessionRevoked);
    assert_says(&line, &admin, &admin, "all others");
    let everybodys = server.delete("/api/v1/sessions").session(&second);
    let line = log.one(everybodys, 200, Event::SessionRevoked);
    assert_says(&line, &admin, &nobody(), "everybody's");
}

#[test]
fn a_password_is_a_line_when_it_is_proved_and_when_it_is_changed() {
    let log = Watched::of("session_db_auth");
    let (server, admin) = (&log.server, log.admin_id());
    let bob = json!(server.add_user(BOB));
    let session = server.log_in(BOB, PASSWORD);
    let reauth = |session: &str, password| {
        let request = server.post("/api/v1/auth_session/reauth").session(session);
        request.form(&[("password", password)])
    };
    let line = log.one(reauth(&session, "wrong 12345"), 401, Event::LoginFailed);
    assert_says(&line, &bob, &bob, "reauth: wrong password");
    let change = |session: &str, current: &str| {
        let body = json!({ "current_password": current, "new_password": "a new password 3" });
        server.put("/api/v1/users/me/password").session(session).json(&body)
    };
    let line = log.one(change(&session, "wrong 12345"), 403, Event::LoginFailed);
    assert_says(&line, &bob, &bob, "current password: wrong password");

    let used = server.get("/api/v1/auth_session").session(&session).send().json();
    log.news();
    let changed = change(&session, PASSWORD).send();
    let lines = log.news();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_says(&lines[0], &bob, &bob, "current password");
    assert_eq!(lines[1]["event"], "authn_password_change");
    assert_says(&lines[1], &bob, &bob, "-");
    assert_eq!(session_of(&lines[1]), used["id"], "the public id of the session in use");

    let session = changed.session_id().unwrap();
    assert_eq!(reauth(&session, "a new password 3").send().status, 200);
    let lines = log.news();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert_says(&lines[0], &bob, &bob, "reauth");
    assert_eq!(lines[1]["event"], "session_renewed");

    let path = format!("/api/v1/users/{}/password", bob.as_str().unwrap());
    let set = server.by_admin(server.put(&path)).json(&json!({ "new_password": PASSWORD }));
    let line = log.one(set, 200, Event::PasswordChanged);
    assert_says(&line, &admin, &bob, "-");
}

#[test]
fn what_an_admin_does_to_users_is_a_line_each() {
    let log = Watched::of("session_db_auth");
    let (server, admin) = (&log.server, log.admin_id());
    let body = json!({ "email": BOB, "password": PASSWORD });
    let create = server.by_admin(server.post("/api/v1/users")).json(&body);
    let line = log.one(create, 201, Event::UserCreated);
    let bob = line["subject"].clone();
    assert_says(&line, &admin, &bob, "role user");
    let mut sessions = BTreeSet::from([session_of(&line)]);

    let path = format!("/api/v1/users/{}", bob.as_str().unwrap());
    for (change, event, detail) in [
        (json!({ "role": "admin" }), Event::RoleChanged, "from user to admin"),
        (json!({ "role": "user", "first_name": "Bob" }), Event::RoleChanged, "from admin to user"),
        (json!({ "disabled": true }), Event::UserDisabled, "-"),
        (json!({ "disabled": false }), Event::UserEnabled, "-"),
    ] {
        let request = server.by_admin(server.put(&path)).json(&change);
        let line = log.one(request, 200, event);
        assert_says(&line, &admin, &bob, detail);
        sessions.insert(session_of(&line));
    }
    for same in [json!({ "role": "user", "disabled": false }), json!({ "last_name": "Lee" })] {
        let request = server.by_admin(server.put(&path)).json(&same);
        log.news();
        assert_eq!(request.send().status, 200);
        assert_eq!(log.news(), Vec::<Value>::new(), "{same}");
    }
    let both = server.by_admin(server.put(&path));
    let both = both.json(&json!({ "role": "admin", "disabled": true }));
    log.news();
    assert_eq!(both.send().status, 200);
    assert_eq!(events(&log.news()), ["authz_change", "user_disabled"]);

    let line = log.one(server.by_admin(server.delete(&path)), 200, Event::UserDeleted);
    assert_says(&line, &admin, &bob, "-");
    sessions.insert(session_of(&line));
    assert_eq!(sessions.len(), 6, "each request had a session of its own");
    let missing = server.by_admin(server.delete(&path));
    log.news();
    assert_eq!(missing.send().status, 404);
    assert_eq!(log.news(), Vec::<Value>::new(), "nothing happened");
}

#[test]
fn who_deletes_himself_is_named_with_his_last_session() {
    let log = Watched::of("session_db_auth");
    let id = log.server.add_user(BOB);
    let session = log.server.log_in(BOB, PASSWORD);
    let request = log.server.delete(&format!("/api/v1/users/{id}")).session(&session);
    let line = log.one(request, 200, Event::UserDeleted);
    assert_says(&line, &json!(id), &json!(id), "-");
    session_of(&line);
}

#[test]
fn every_attempt_to_log_in_is_one_line_that_tells_the_way_and_why_not() {
    let log = Watched::of("session_db_auth");
    let server = &log.server;
    let (bob, eve) = (server.add_user(BOB), server.add_user("eve@example.com"));
    let disable = server.put(&format!("/api/v1/users/{eve}"));
    server.by_admin(disable).json(&json!({ "disabled": true })).send();
    for (email, password, subject, detail) in [
        (BOB, "wrong 12345", &*bob, "login: wrong password"),
        ("eve@example.com", PASSWORD, &*eve, "login: disabled"),
        ("zoe@example.com", PASSWORD, "-", "login: unknown user"),
    ] {
        let path = "/api/v1/auth_session/login";
        let json = json!({ "email": email, "password": password });
        let part = |name: &str, value: &str| {
            format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
        };
        let parts = format!("{}{}--x--\r\n", part("email", email), part("password", password));
        for request in [
            server.login(&[("email", email), ("password", password)]),
            server.post(path).json(&json),
            server.post(path).body("multipart/form-data; boundary=x", parts),
        ] {
            let line = log.one(request, 401, Event::LoginFailed);
            assert_says(&line, &nobody(), &json!(subject), detail);
            assert_eq!(line["session"], "-");
        }
    }
}

#[test]
fn a_basic_credential_is_one_line_when_it_is_verified() {
    let log = Watched::of("basic_auth");
    let server = &log.server;
    let admin = log.admin_id();
    let me = || server.get("/api/v1/users/me");
    log.news();
    assert_eq!(me().basic(ADMIN, ADMIN_PASSWORD).send().status, 200);
    assert_eq!(log.news(), Vec::<Value>::new(), "this one is remembered");

    let bob = json!(server.add_user(BOB));
    let line = log.one(me().basic(BOB, PASSWORD), 200, Event::LoginSucceeded);
    assert_says(&line, &bob, &bob, "basic");
    for (email, subject, detail) in
        [(ADMIN, admin, "basic: wrong password"), ("x@y.z", nobody(), "basic: unknown user")]
    {
        let line = log.one(me().basic(email, "wrong 12345"), 403, Event::LoginFailed);
        assert_says(&line, &nobody(), &subject, detail);
    }
    for header in ["Basic", "Bearer x", "Digest x"] {
        log.news();
        assert_eq!(me().header("Authorization", header).send().status, 403);
        assert_eq!(log.news(), Vec::<Value>::new(), "{header}");
    }
    for token in ["!", "YTpiOmM", "YWJj", "YTr/"] {
        let malformed = me().header("Authorization", &format!("Basic {token}"));
        let line = log.one(malformed, 403, Event::InputRefused);
        let detail = "malformed Basic credentials: GET /api/v1/users/me";
        assert_says(&line, &nobody(), &nobody(), detail);
    }
}

#[test]
fn what_is_not_for_the_caller_is_a_line() {
    let log = Watched::of("session_db_auth");
    let server = &log.server;
    let bob = json!(server.add_user(BOB));
    let (other, own) =
        (format!("/api/v1/users/{NOBODY}"), format!("/api/v1/users/{}", bob.as_str().unwrap()));
    let session = server.log_in(BOB, PASSWORD);
    let mut sessions = BTreeSet::new();
    for (method, path, body) in [
        ("GET", "/api/v1/users", json!(null)),
        ("POST", "/api/v1/users", json!({ "email": "x@y.z", "password": PASSWORD })),
        ("GET", &other, json!(null)),
        ("PUT", &other, json!({ "first_name": "x" })),
        ("DELETE", &other, json!(null)),
        ("PUT", &own, json!({ "role": "admin" })),
    ] {
        let request = server.request(method, path).session(&session);
        let line = log.one(request.json(&body), 403, Event::AccessDenied);
        assert_says(&line, &bob, &nobody(), &format!("Forbidden: {method} {path}"));
        sessions.insert(session_of(&line));
    }
    assert_eq!(sessions.len(), 1, "it was one session");
}

#[test]
fn what_needs_a_fresh_proof_or_another_password_first_is_a_line() {
    let log = Watched::of("session_db_auth");
    let server = &log.server;
    let bob = json!(server.add_user(BOB));
    let path = format!("/api/v1/users/{}", bob.as_str().unwrap());
    let session = server.log_in(BOB, PASSWORD);
    // His proof is from before he had this role.
    let promote = server.by_admin(server.put(&path)).json(&json!({ "role": "admin" }));
    assert_eq!(promote.send().status, 200);
    let stale = server.delete("/api/v1/sessions").session(&session);
    let line = log.one(stale, 403, Event::AccessDenied);
    assert_says(&line, &bob, &nobody(), "Fresh login required: DELETE /api/v1/sessions");
    let used = session_of(&line);

    let set = server.by_admin(server.put(&format!("{path}/password")));
    assert_eq!(set.json(&json!({ "new_password": PASSWORD })).send().status, 200);
    let session = server.log_in(BOB, PASSWORD);
    let line = log.one(server.get(&path).session(&session), 403, Event::AccessDenied);
    assert_says(&line, &bob, &nobody(), &format!("Password change required: GET {path}"));
    assert_ne!(session_of(&line), used);
}

#[test]
fn credentials_that_are_refused_are_no_denial() {
    let log = Watched::of("session_db_auth");
    let server = &log.server;
    let ended = server.admin();
    server.delete("/api/v1/auth_session/logout").session(&ended).send();
    for request in [
        server.get("/api/v1/users").session(&ended),
        server.get("/api/v1/users").session(NO_SESSION),
        server.get("/api/v1/users").bearer("junk"),
        server.get("/api/v1/forbidden"),
    ] {
        assert_eq!(request.send().status, 403);
    }
    assert!(!events(&log.news()).contains(&"authz_fail"));
    let open = Watched::of("none");
    assert_eq!(open.server.get("/api/v1/forbidden").send().status, 403);
    assert!(!events(&open.news()).contains(&"authz_fail"));
}

#[test]
fn another_site_and_a_malformed_request_are_a_line_each() {
    let log = Watched::of("session_db_auth");
    let server = &log.server;
    let session = server.admin();
    let (logout, users) = ("/api/v1/auth_session/logout", "/api/v1/users");
    let foreign = server.delete(logout).session(&session).header("Origin", "https://evil.example");
    let line = log.one(foreign, 403, Event::CrossSiteRefused);
    assert_says(&line, &nobody(), &nobody(), &format!("cross-site: DELETE {logout}"));

    let twice = "must not be sent twice: GET /api/v1/users";
    let path = "path must be written without encoded, empty or dot segments";
    let id = &session;
    for (request, status, detail) in [
        (server.get(users).session(id).session(id), 400, format!("cookie _my_session_id {twice}")),
        (server.get(users).bearer(id).bearer(id), 400, format!("Authorization {twice}")),
        (server.get("/api//v1"), 400, format!("{path}: GET /api//v1")),
        (server.get("/%2e%2e/x?y"), 400, format!("{path}: GET /%2e%2e/x")),
        (
            server.get("/").header("X", &"x".repeat(17_000)),
            431,
            "header must have at most 16384 bytes: GET /".into(),
        ),
    ] {
        let line = log.one(request, status, Event::InputRefused);
        assert_says(&line, &nobody(), &nobody(), &detail);
    }
    let line = log.one(server.get(&"/x".repeat(4_500)), 414, Event::InputRefused);
    assert_eq!(line["detail"].as_str().unwrap().len(), 512, "cut");
}

#[test]
fn start_first_admin_and_stop_are_lines() {
    let program = audited("session_db_auth");
    let file = file_of(&program);
    program.clone().start().stop();
    let all = lines(&file);
    assert_eq!(events(&all), ["user_created", "sys_startup", "sys_shutdown"]);
    assert_eq!(all[0]["detail"], "first admin");
    for line in &all {
        assert_eq!([&line["actor"], &line["client"], &line["request_id"]], ["-", "-", "-"]);
    }
    program.clone().start().stop();
    assert_eq!(events(&lines(&file))[3..], ["sys_startup", "sys_shutdown"], "appended");
}

#[test]
fn what_a_command_does_to_users_is_a_line_in_the_file_alone() {
    let (program, ..) = audited("session_db_auth").start().stop();
    let file = file_of(&program);
    let run = |arguments: &[&str]| {
        let before = lines(&file).len();
        let output = program.run(arguments, "a new password 3\n");
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        lines(&file)[before..].to_vec()
    };
    let import = program.folder().join("import.json").display().to_string();
    let classic = json!({ NOBODY: {
        "id": NOBODY, "email": "old@example.com", "_password": "a".repeat(64),
        "first_name": null, "last_name": null,
        "created_at": "2017-09-25T01:55:17", "updated_at": "2017-09-25T01:55:17",
    }});
    fs::write(&import, classic.to_string()).unwrap();
    let mut bob = None;
    for (arguments, event, detail) in [
        (&["user", "add", BOB, "--role", "admin"][..], "user_created", ": role admin"),
        (&["user", "role", BOB, "user"], "authz_change", ": from admin to user"),
        (&["user", "disable", BOB], "user_disabled", ""),
        (&["user", "enable", BOB], "user_enabled", ""),
        (&["user", "passwd", BOB], "authn_password_change", ""),
        (&["user", "delete", BOB], "user_deleted", ""),
        (&["import", &import], "user_created", ": import, role user"),
    ] {
        let lines = run(arguments);
        assert_eq!(events(&lines), [event], "{arguments:?}");
        let of_bob = arguments[0] == "user";
        let subject =
            if of_bob { &*bob.get_or_insert(lines[0]["subject"].clone()) } else { &json!(NOBODY) };
        assert_says(&lines[0], &nobody(), subject, &format!("command line{detail}"));
        assert_eq!([&lines[0]["client"], &lines[0]["request_id"]], ["-", "-"]);
    }
    for arguments in [&["user", "list"][..], &["user", "enable", ADMIN], &["check"], &["export"]] {
        assert_eq!(run(arguments), Vec::<Value>::new(), "{arguments:?}");
    }
}

#[test]
fn the_lines_are_in_the_log_too_and_to_be_told_from_others() {
    let server = Program::of("session_db_auth").set("LOGIN_THROTTLE", "off").start();
    server
        .login(&[("email", ADMIN), ("password", "wrong 12345")])
        .header("X-Request-Id", "a-1")
        .send();
    let line = server.wait_for("event=authn_login_fail");
    assert!(line[24..].starts_with(" WARN  security: a login was refused event=authn_login_fail "));
    let says = "session=- client=127.0.0.1 request_id=a-1 detail=login: wrong password";
    assert!(line.ends_with(says), "{line}");

    let program = audited("session_db_auth").set("LOG_FORMAT", "json");
    let file = file_of(&program);
    let (.., log) = program.clone().start().stop();
    let log = log.iter().map(|line| serde_json::from_str(line).unwrap());
    let of_security = log.filter(|line: &Value| line["target"] == "security");
    // The two are written one after the other, perhaps not within one millisecond.
    let timeless = |mut line: Value| (line["time"].take().is_string(), line);
    let in_file = lines(&file).into_iter().map(timeless).collect::<Vec<_>>();
    assert_eq!(of_security.map(timeless).collect::<Vec<_>>(), in_file);
}

#[test]
fn hostile_values_are_one_line_each() {
    let log = Watched::of("session_db_auth");
    let server = &log.server;
    let forged = "x\"}\r\n{\"event\":\"forged\",\u{2028}\u{1b}[2J\0\u{7f}\u{202e}\\";
    let endless = "\u{e4}".repeat(5_000);
    for (email, password) in [(forged, forged), (&*endless, forged), (forged, &*endless)] {
        let request = server.login(&[("email", email), ("password", password)]);
        log.one(request, 401, Event::LoginFailed);
    }
    let values: [&[u8]; 5] = [
        b"x\"}{\"event\":\"forged\"",
        "\u{2028}{\"event\":\"forged\"}".as_bytes(),
        b"\xff\xfe",
        b"a\tb",
        &[b'x'; 12_000],
    ];
    for value in values {
        for name in ["X-Request-Id", "User-Agent", "X-Forwarded-For", "Referer"] {
            let request = server.login(&[("email", BOB), ("password", "wrong 12345")]);
            log.one(request.header_bytes(name, value), 401, Event::LoginFailed);
        }
    }
    for path in ["/a%0d%0a%7b%22event%22", "/%00", "/%1b[2J", "/%E2%80%A8//", "//\"},{\"b"] {
        log.one(server.get(path), 400, Event::InputRefused);
    }
    // Such heads are no requests.
    let huge = "x".repeat(1 << 20);
    for agent in [huge.as_str(), "\u{1b}[2J", "a\0b", "a\rb"] {
        let request = server.login(&[("email", BOB), ("password", "wrong 12345")]);
        request.header("User-Agent", agent).start().rest();
        assert_eq!(log.news(), Vec::<Value>::new(), "{agent:.9?}");
    }
    let text = fs::read_to_string(file_of(server.program())).unwrap();
    assert!(!text.contains("forged"), "{text}");
    assert!(text.bytes().all(|byte| byte == b'\n' || matches!(byte, b' '..=b'~')), "{text}");
    assert!(text.lines().all(|line| line.len() < 2_048), "cut");
}

#[test]
fn no_secret_is_in_the_file_of_a_whole_run() {
    for kind in ["session_db_auth", "session_auth", "basic_auth"] {
        let program = audited(kind).set("RUST_LOG", "trace");
        let (_, secrets) = scripted_run(program.clone(), "top secret 42");
        let added = program.run(&["user", "add", "eve@example.com"], "top secret 42\n");
        assert!(added.status.success(), "{added:?}");
        let text = fs::read_to_string(file_of(&program)).unwrap();
        assert!(text.lines().count() > 10, "{text}");
        for secret in secrets.iter().map(String::as_str).chain(["$2b$", "bcrypt", "sha256"]) {
            assert!(!text.contains(secret), "{kind}: {secret} in {text}");
        }
    }
}

#[test]
fn what_somebody_typed_for_an_address_is_not_repeated() {
    for kind in ["session_db_auth", "basic_auth"] {
        let log = Watched::of(kind);
        let typed = "my-password-in-the-wrong-field";
        if kind == "basic_auth" {
            log.one(log.server.get("/api/v1/users").basic(typed, "x"), 403, Event::LoginFailed);
        } else {
            let login = log.server.login(&[("email", typed), ("password", "x")]);
            log.one(login, 401, Event::LoginFailed);
        }
        let file = fs::read_to_string(file_of(log.server.program())).unwrap();
        let (.., said) = log.server.stop();
        assert!(!file.contains(typed) && !said.iter().any(|line| line.contains(typed)));
    }
}

#[test]
fn times_are_utc_wherever_the_machine_is() {
    let program = audited("session_db_auth").set("TZ", "Asia/Tokyo");
    let file = file_of(&program);
    let clock = SystemClock::new();
    let before = clock.now();
    program.clone().start().stop();
    let after = clock.now();
    for line in lines(&file) {
        let text = line["time"].as_str().unwrap();
        let time: Timestamp = text.parse().unwrap();
        assert!(text.len() == 24 && text.ends_with('Z'), "{text}");
        assert!(before <= time && time <= after, "{text}");
    }
}

#[test]
fn the_security_log_is_not_written_into_a_file_of_records() {
    for name in ["User.json", "UserSession.journal", ".lock"] {
        let program = Program::of("session_db_auth");
        let file = program.data().join(name);
        let program = program.set("AUDIT_FILE", file.to_str().unwrap());
        let Err((status, log)) = program.clone().try_start() else { panic!("started: {name}") };
        assert_eq!(status.code(), Some(2), "{log:?}");
        assert!(log[0].contains("AUDIT_FILE='") && log[0].contains("DATA_DIR"), "{log:?}");
        assert!(!program.data().exists());
    }
}

#[test]
fn what_stands_in_a_path_where_an_id_is_meant_stays_out_of_the_log() {
    let server = Server::of("session_db_auth");
    let session = server.admin();
    let path = format!("/api/v1/users/me/sessions/{session}");
    let request = server.delete(&path).session(&session).header("X-Request-Id", &session);
    assert_eq!(request.send().status, 404);
    server.add_user(BOB);
    let bob = server.log_in(BOB, PASSWORD);
    assert_eq!(server.get(&format!("/api/v1/users/{ADMIN}")).session(&bob).send().status, 403);
    let (.., log) = server.stop();
    let told = log.into_iter().filter(|line| !line.contains("made the first admin"));
    let told = told.collect::<Vec<_>>().join("\n");
    assert!(!told.contains(&session) && !told.contains(ADMIN), "{told}");
    assert!(told.contains("path=/api/v1/users/me/sessions/*"), "{told}");
}
