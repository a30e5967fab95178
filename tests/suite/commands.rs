//! The command line: users, export, check, healthcheck.

use std::fs;
use std::process::Output;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::harness::{ADMIN, ADMIN_PASSWORD, PASSWORD, Program, Server};

pub const ID: &str = "3ea61b0b-4c46-4e76-9b2e-5f9b2b1d4c11";

#[track_caller]
pub fn good(output: Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

#[track_caller]
pub fn bad(output: Output) -> String {
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    said.strip_prefix("sessiond: ").unwrap().trim_end().to_owned()
}

/// A data directory with nobody in it, and no first admin to be made.
pub fn empty() -> Program {
    Program::of("session_db_auth").unset("ADMIN_EMAIL").unset("ADMIN_PASSWORD")
}

pub fn add(program: &Program, arguments: &[&str], input: &str) -> Output {
    program.run(&[&["user", "add"], arguments].concat(), input)
}

pub fn status_of_login(server: &Server, email: &str, password: &str) -> u16 {
    server.login(&[("email", email), ("password", password)]).send().status
}

#[test]
fn a_user_is_added_with_a_password_from_standard_input() {
    let program = empty();
    let role = ["--role", "admin", "--first-name", "Ann", "--last-name", "Lee"];
    let said = good(add(&program, &[&["ann@example.com"][..], &role].concat(), " a b c d \n"));
    assert!(said.starts_with("added admin ann@example.com "), "{said}");
    good(add(&program, &["bob@example.com"], &format!("{PASSWORD}\r\nnot read\n")));
    good(add(&program, &["cat@example.com"], "no line end"));
    let server = program.start();
    let ann =
        server.get("/api/v1/users/me").session(&server.log_in("ann@example.com", " a b c d "));
    let ann = ann.send().json();
    assert_eq!(said.trim_end().rsplit(' ').next(), ann["id"].as_str());
    assert_eq!([&ann["role"], &ann["first_name"], &ann["last_name"]], ["admin", "Ann", "Lee"]);
    let bob = server.get("/api/v1/users/me").session(&server.log_in("bob@example.com", PASSWORD));
    assert_eq!(bob.send().json()["role"], "user");
    server.log_in("cat@example.com", "no line end");
}

#[test]
fn a_user_who_breaks_a_rule_is_not_added() {
    let program = empty();
    good(add(&program, &["bob@example.com"], PASSWORD));
    for (email, password, says) in [
        ("bob@example.com", PASSWORD, "email is already taken"),
        ("BOB@example.com", PASSWORD, "email is already taken"),
        ("bob", PASSWORD, "email must be"),
        ("cat@example.com", "short", "at least 8 characters"),
        ("cat@example.com", "", "at least 8 characters"),
        ("cat@example.com", "password1", "most common"),
    ] {
        let line = bad(add(&program, &[email], password));
        assert!(line.contains(says), "{line}");
        assert!(password.is_empty() || !line.contains(password), "{line}");
    }
    assert_eq!(good(program.run(&["user", "list"], "")).lines().count(), 1);
}

#[test]
fn users_are_listed_in_creation_order_without_secrets() {
    let program = empty();
    good(add(&program, &["--role", "admin", "zoe@example.com"], PASSWORD));
    good(add(&program, &["bob@example.com"], PASSWORD));
    good(program.run(&["user", "disable", "bob@example.com"], ""));
    let said = good(program.run(&["user", "list"], ""));
    let rows: Vec<Vec<&str>> = said.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows[0][1..4], ["zoe@example.com", "admin", "enabled"]);
    assert_eq!(rows[1][1..4], ["bob@example.com", "user", "disabled"]);
    assert!(rows.iter().all(|row| row.len() == 5 && row[0].len() == 36 && row[4].ends_with('Z')));
    assert!(!said.contains('$'), "{said}");
}

#[test]
fn a_new_password_ends_the_sessions_of_its_user_alone() {
    let server = Server::of("session_db_auth");
    let id = server.add_user("bob@example.com");
    let bob = server.log_in("bob@example.com", PASSWORD);
    let admin = server.admin();
    let (program, _, _) = server.stop();
    for user in [&id, "Bob@example.com"] {
        let said = program.run(&["user", "passwd", user], "a new password 3\n");
        assert_eq!(good(said), "changed the password of bob@example.com\n");
    }
    bad(program.run(&["user", "passwd", "bob@example.com"], "short"));
    bad(program.run(&["user", "passwd", "nobody@example.com"], "a new password 3\n"));
    let server = program.start();
    assert_eq!(server.get("/api/v1/users/me").session(&bob).send().status, 403);
    assert_eq!(server.get("/api/v1/users/me").session(&admin).send().status, 200);
    assert_eq!(status_of_login(&server, "bob@example.com", PASSWORD), 401);
    server.log_in("bob@example.com", "a new password 3");
}

#[test]
fn a_disabled_user_is_out_and_his_sessions_do_not_come_back() {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let bob = server.log_in("bob@example.com", PASSWORD);
    let (program, _, _) = server.stop();
    let disabled = program.run(&["user", "disable", "bob@example.com"], "");
    assert_eq!(good(disabled), "disabled bob@example.com\n");
    let server = program.start();
    assert_eq!(server.get("/api/v1/users/me").session(&bob).send().status, 403);
    assert_eq!(status_of_login(&server, "bob@example.com", PASSWORD), 401);
    let (program, _, _) = server.stop();
    assert_eq!(
        good(program.run(&["user", "enable", "bob@example.com"], "")),
        "enabled bob@example.com\n"
    );
    let server = program.start();
    assert_eq!(server.get("/api/v1/users/me").session(&bob).send().status, 403);
    server.log_in("bob@example.com", PASSWORD);
}

#[test]
fn a_deleted_user_is_gone_with_his_sessions() {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let bob = server.log_in("bob@example.com", PASSWORD);
    let (program, _, _) = server.stop();
    assert_eq!(
        good(program.run(&["user", "delete", "bob@example.com"], "")),
        "deleted bob@example.com\n"
    );
    bad(program.run(&["user", "delete", "bob@example.com"], ""));
    let sessions = fs::read_to_string(program.data().join("UserSession.json")).unwrap();
    let sessions: Value = serde_json::from_str(&sessions).unwrap();
    assert_eq!(sessions.as_object().unwrap().len(), 1, "the admin's, who made him");
    let server = program.start();
    assert_eq!(server.get("/api/v1/users/me").session(&bob).send().status, 403);
}

#[test]
fn a_role_is_given_and_taken_on_the_command_line() {
    let program = empty();
    good(add(&program, &["bob@example.com"], "battery staple 2\n"));
    good(program.run(&["user", "role", "BOB@example.com", "admin"], ""));
    assert!(good(program.run(&["user", "list"], "")).contains("\tadmin\t"));
    let refused = program.run(&["user", "role", "bob@example.com", "owner"], "");
    let line = "sessiond: ROLE='owner': role must be \"admin\" or \"user\"\n";
    assert_eq!((refused.status.code(), &*refused.stderr), (Some(2), line.as_bytes()));
}

#[test]
fn the_last_admin_stays_on_the_command_line_too() {
    let (program, _, _) = Server::of("session_db_auth").stop();
    for command in [
        &["user", "disable", ADMIN][..],
        &["user", "delete", ADMIN],
        &["user", "role", ADMIN, "user"],
    ] {
        assert_eq!(bad(program.run(command, "")), "this is the last enabled admin");
    }
    program.start().admin();
}

#[test]
fn commands_on_a_directory_that_a_server_holds_are_one_line() {
    let server = Server::of("session_db_auth");
    let program = server.program();
    let classic = classic(program, &json!({ ID: record(ID, "bob@example.com", PASSWORD) }));
    let file = program.folder().join("out.json").display().to_string();
    let expected = format!("{}: in use by another sessiond process", server.data().display());
    for arguments in [
        &["user", "add", "bob@example.com"][..],
        &["user", "list"],
        &["user", "passwd", ADMIN],
        &["user", "disable", ADMIN],
        &["user", "enable", ADMIN],
        &["user", "delete", ADMIN],
        &["import", &classic],
        &["export"],
        &["export", &file],
        &["check"],
    ] {
        let output = program.run(arguments, PASSWORD);
        assert!(output.stdout.is_empty() || arguments == ["check"], "{output:?}");
        assert_eq!(bad(output), expected, "{arguments:?}");
    }
    assert!(!program.folder().join("out.json").exists());
    server.admin();
}

/// A record as the classic program writes it.
pub fn record(id: &str, email: &str, password: &str) -> Value {
    let hash =
        Sha256::digest(password).iter().fold(String::new(), |hex, b| format!("{hex}{b:02x}"));
    json!({
        "id": id, "email": email, "_password": hash, "first_name": "Bob", "last_name": null,
        "created_at": "2017-09-25T01:55:17", "updated_at": "2018-01-02T03:04:05",
    })
}

pub fn classic(program: &Program, records: &Value) -> String {
    let file = program.folder().join(".db_User.json");
    fs::write(&file, records.to_string()).unwrap();
    file.display().to_string()
}

pub fn stored_users(program: &Program) -> Value {
    let users = fs::read_to_string(program.data().join("User.json")).unwrap();
    serde_json::from_str(&users).unwrap()
}

#[test]
fn check_tells_what_there_is_and_changes_nothing() {
    let program = Program::of("session_db_auth");
    let said = good(program.run(&["check"], ""));
    assert!(said.contains("not there yet") && !program.data().exists(), "{said}");
    let server = program.start();
    server.admin();
    let program = server.kill();
    let names = || {
        let mut names: Vec<_> =
            fs::read_dir(program.data()).unwrap().map(|e| e.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    let said = good(program.run(&["check"], ""));
    assert!(said.ends_with(": 1 users, 1 sessions\n"), "{said}");
    assert_eq!(names(), before, "the journals are not folded");
}

#[test]
fn check_names_users_who_cannot_log_in() {
    let (program, _, _) = Server::of("session_db_auth").stop();
    let mut users = stored_users(&program);
    let id = users.as_object().unwrap().keys().next().unwrap().clone();
    users[&id]["password_hash"] = json!("no hash");
    fs::write(program.data().join("User.json"), users.to_string()).unwrap();
    let output = program.run(&["check"], "");
    assert!(String::from_utf8_lossy(&output.stdout).contains(&id), "{output:?}");
    assert_eq!(bad(output), "some users cannot log in");
    // One bad record denies its user alone.
    let server = program.start();
    assert_eq!(status_of_login(&server, ADMIN, ADMIN_PASSWORD), 401);
}

#[test]
fn the_healthcheck_tells_whether_a_server_answers() {
    let server = Server::of("session_db_auth");
    let program = server.program().clone().set("API_PORT", &server.address.port().to_string());
    assert_eq!(good(program.run(&["healthcheck"], "")), "");
    good(program.clone().set("API_HOST", "0.0.0.0").run(&["healthcheck"], ""));
    drop(server);
    let line = bad(program.run(&["healthcheck"], ""));
    assert!(line.starts_with("127.0.0.1:"), "{line}");
}

#[test]
fn the_healthcheck_is_not_content_with_any_answer() {
    use std::io::{Read as _, Write as _};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port().to_string();
    let answers = ["HTTP/1.1 503 Service Unavailable\r\n\r\n", "SSH-2.0-server\r\n", ""];
    let other = std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 1024]);
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    for _ in answers {
        bad(Program::of("auth").set("API_PORT", &port).run(&["healthcheck"], ""));
    }
    other.join().unwrap();
}

#[test]
fn commands_that_need_users_make_no_data_directory() {
    for program in [empty(), Program::of("session_db_auth")] {
        let file = program.folder().join("out.json").display().to_string();
        for arguments in [
            &["user", "list"][..],
            &["user", "disable", "x"],
            &["user", "enable", "x"],
            &["user", "delete", "x"],
            &["user", "passwd", "x"],
            &["user", "role", "x", "admin"],
            &["export"],
            &["export", &file],
        ] {
            let output = program.run(arguments, PASSWORD);
            assert!(output.stdout.is_empty(), "{output:?}");
            let line = bad(output);
            assert!(line.starts_with(&format!("{}: ", program.data().display())), "{line}");
            let made = fs::read_dir(program.folder()).unwrap().count();
            assert_eq!(made, 0, "{arguments:?}");
        }
    }
}

#[test]
fn an_export_replaces_nothing_but_a_regular_file() {
    let (program, _, _) = Server::of("session_db_auth").stop();
    let path = |name: &str| program.folder().join(name);
    fs::create_dir(path("directory")).unwrap();
    fs::write(path("target"), "older").unwrap();
    std::os::unix::fs::symlink(path("target"), path("link")).unwrap();
    std::os::unix::fs::symlink(path("nothing"), path("dangling")).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(path("socket")).unwrap();
    let before = fs::read_dir(program.folder()).unwrap().count();
    for name in ["directory", "link", "dangling", "socket"] {
        let kind = || fs::symlink_metadata(path(name)).unwrap().file_type();
        let (file, kind_before) = (path(name).display().to_string(), kind());
        let line = bad(program.run(&["export", &file], ""));
        assert!(line.starts_with(&format!("{file}: ")), "{line}");
        assert_eq!(kind(), kind_before, "{name}");
    }
    assert_eq!(fs::read_to_string(path("target")).unwrap(), "older");
    assert_eq!(fs::read_dir(path("directory")).unwrap().count(), 0);
    assert_eq!(fs::read_dir(program.folder()).unwrap().count(), before, "nothing is left over");
    good(program.run(&["export", path("target").to_str().unwrap()], ""));
}

#[test]
fn check_says_where_a_journal_is_torn_and_leaves_it() {
    let server = Server::of("session_db_auth");
    server.admin();
    let program = server.kill();
    let mut torn = Vec::new();
    for (name, bytes) in [("User.journal", &b"0123"[..]), ("UserSession.journal", b"x")] {
        let path = program.data().join(name);
        let mut content = fs::read(&path).unwrap();
        let line = content.split(|byte| *byte == b'\n').count();
        content.extend_from_slice(bytes);
        fs::write(&path, content).unwrap();
        let (path, count) = (path.display(), bytes.len());
        torn.push(format!(
            "{path}: line {line}: {count} bytes of a change that was never answered"
        ));
    }
    let files = || {
        let mut files: Vec<_> = fs::read_dir(program.data())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .map(|path| (path.clone(), fs::read(path).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = files();
    let said = good(program.run(&["check"], ""));
    let found: Vec<&str> = said.lines().filter(|line| line.contains("journal")).collect();
    assert_eq!(found, torn);
    assert!(said.ends_with(": 1 users, 1 sessions\n"), "{said}");
    assert!(files() == before, "check has changed a file");
    program.start().admin();
}

#[test]
fn check_says_when_nobody_is_an_enabled_admin() {
    let says = "User.json: nobody is an enabled admin\n";
    let program = empty();
    good(add(&program, &["bob@example.com"], PASSWORD));
    let said = good(program.run(&["check"], ""));
    assert!(said.contains(says), "{said}");
    good(program.run(&["user", "role", "bob@example.com", "admin"], ""));
    let said = good(program.run(&["check"], ""));
    assert!(!said.contains(says), "{said}");
    // Somebody has edited the file, since the service itself keeps its last admin.
    let mut users = stored_users(&program);
    users.as_object_mut().unwrap().values_mut().for_each(|user| user["disabled"] = json!(true));
    fs::write(program.data().join("User.json"), users.to_string()).unwrap();
    let said = good(program.run(&["check"], ""));
    assert!(said.contains(says), "{said}");
}
