//! Disks, files and descriptors that run out: 503, nothing visible, reads go on, and all is well
//! again once there is room.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, PASSWORD, Program, Request, Server};
use crate::tools::Namespace;

/// A disk of 384 KiB under the data directory of a program that has run on it already.
fn small_disk() -> Option<(Namespace, Program)> {
    let program = Program::of("session_db_auth").set("LOGIN_THROTTLE", "off");
    let program = program.set("SESSIONS_PER_USER", "10000");
    let data = program.data();
    fs::create_dir(&data).unwrap();
    let mount = format!("mount -t tmpfs -o size=384k,mode=700 tmpfs {}", data.display());
    let disk = Namespace::with(&mount)?;
    Some((disk, program))
}

/// Fills the disk to its last byte; the file takes the room until it is removed.
fn fill(disk: &Namespace, program: &Program) -> PathBuf {
    let path = disk.path(&program.data()).join("filler");
    let mut filler = File::create(&path).unwrap();
    while filler.write_all(&[0; 4096]).is_ok() {}
    path
}

/// What a client sees: all users, as the session of an admin shows them.
fn users(server: &Server, admin: &str) -> Vec<Value> {
    let answer = server.get("/api/v1/users").bearer(admin).send();
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json().as_array().unwrap().clone()
}

fn create(server: &Server, admin: &str, email: &str) -> Request {
    let body = json!({ "email": email, "password": PASSWORD });
    server.post("/api/v1/users").bearer(admin).json(&body)
}

#[track_caller]
fn assert_full(answer: &Answer) {
    answer.assert_error(503, "Service unavailable");
}

/// Fills the disk, and what is left of the last page of each journal, down to the shortest change
/// that there is.
fn fill_up(disk: &Namespace, server: &Server, admin: &str, prefix: &str) -> PathBuf {
    let spare: Vec<String> = (0..16).map(|_| server.admin()).collect();
    let filler = fill(disk, server.program());
    create_until_full(server, admin, prefix);
    let login = || server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
    let logout = |session| server.delete("/api/v1/auth_session/logout").bearer(session);
    let delete = |user: &Value| {
        let path = format!("/api/v1/users/{}", user["id"].as_str().unwrap());
        server.delete(&path).bearer(admin)
    };
    while login().send().status == 200 {}
    assert!(spare.iter().any(|session| logout(session).send().status == 503));
    let users = users(server, admin);
    let mut last = users[2..].iter().rev();
    assert!(last.any(|user| delete(user).send().status == 503));
    filler
}

/// Makes users until there is no room for more, and holds that exactly those are there who were
/// answered with success.
fn create_until_full(server: &Server, admin: &str, prefix: &str) {
    let mut expected = users(server, admin);
    for number in 0.. {
        let answer = create(server, admin, &format!("{prefix}{number}@example.com")).send();
        if answer.status != 201 {
            assert_full(&answer);
            break;
        }
        let id = &answer.json()["id"];
        let user = server.get(&format!("/api/v1/users/{}", id.as_str().unwrap()));
        expected.push(user.bearer(admin).send().json());
    }
    assert_eq!(users(server, admin), expected);
}

/// Changes of every kind.
fn changes(server: &Server, admin: &str, bob: &str) -> [Request; 7] {
    let user = &users(server, admin)[1];
    let path = format!("/api/v1/users/{}", user["id"].as_str().unwrap());
    let password = json!({ "current_password": PASSWORD, "new_password": "a new password 3" });
    let login = [("email", ADMIN), ("password", ADMIN_PASSWORD)];
    [
        create(server, admin, "new@example.com"),
        server.put(&path).bearer(admin).json(&json!({ "first_name": "B".repeat(256) })),
        server.login(&login),
        server.post("/api/v1/auth_session/refresh").bearer(admin),
        server.delete("/api/v1/auth_session/logout").bearer(bob),
        server.put("/api/v1/users/me/password").bearer(bob).json(&password),
        server.delete(&path).bearer(admin),
    ]
}

fn is_alive(server: &Server, session: &str) -> bool {
    server.get("/api/v1/users/me").bearer(session).send().status == 200
}

#[test]
fn a_full_disk_is_503_and_nothing_happens_until_there_is_room() {
    let Some((disk, program)) = small_disk() else { return };
    let server = program.within(&disk.around()).start();
    let admin = server.admin();
    server.add_user("bob@example.com");
    let bob = server.log_in("bob@example.com", PASSWORD);
    for number in 0..20 {
        create(&server, &admin, &format!("spare{number}@example.com")).send();
    }
    let filler = fill_up(&disk, &server, &admin, "a");
    let errors = || server.log().iter().filter(|line| line.contains("No space left")).count();
    let (before, errors_before) = (users(&server, &admin), errors());
    let refused = changes(&server, &admin, &bob);
    let number = refused.len();
    for change in refused {
        assert_full(&change.send());
        assert_eq!(users(&server, &admin), before);
        assert!(is_alive(&server, &bob) && is_alive(&server, &admin));
    }
    assert_eq!(errors(), errors_before + number, "a line for each that was refused, no more");

    fs::remove_file(&filler).unwrap();
    assert_eq!(create(&server, &admin, "room@example.com").send().status, 201, "no restart");
    server.admin();

    fill_up(&disk, &server, &admin, "b");
    let before = users(&server, &admin);
    // Killed and started on the full disk: what was refused is not there, and all can be read.
    let server = server.kill().start();
    assert_eq!(users(&server, &admin), before);
    assert!(is_alive(&server, &bob));
    assert_full(&server.delete("/api/v1/auth_session/logout").bearer(&bob).send());
    assert!(is_alive(&server, &bob));

    fs::remove_file(&filler).unwrap();
    let logout = server.delete("/api/v1/auth_session/logout").bearer(&bob).send();
    assert_eq!(logout.status, 200);
    assert!(!is_alive(&server, &bob));
    assert_eq!(create(&server, &admin, "last@example.com").send().status, 201);
}

#[test]
fn a_stop_on_a_full_disk_says_so_and_loses_nothing() {
    let Some((disk, program)) = small_disk() else { return };
    let server = program.within(&disk.around()).start();
    let admin = server.admin();
    let filler = fill(&disk, server.program());
    create_until_full(&server, &admin, "a");
    let before = users(&server, &admin);
    let (program, status, log) = server.stop();
    assert_eq!(status.code(), Some(1), "{log:?}");
    let last = log.last().unwrap();
    assert!(last.starts_with("sessiond: ") && last.contains("No space left"), "{last}");
    let server = program.start();
    assert_eq!(users(&server, &admin), before);
    fs::remove_file(&filler).unwrap();
    let (program, status, log) = server.stop();
    assert!(status.success(), "{log:?}");
    let names = fs::read_dir(disk.path(&program.data())).unwrap();
    let names: BTreeSet<_> = names.map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(
        names,
        [".lock", "User.json", "UserSession.json", "pages.key"].map(Into::into).into()
    );
    assert_eq!(users(&program.start(), &admin), before);
}

/// Asks whether the service is ready until it answers so; what it has found counts for a second.
fn ready_when(server: &Server, status: u16) -> Answer {
    loop {
        let answer = server.get("/readyz").send();
        if answer.status == status {
            return answer;
        }
        std::thread::yield_now();
    }
}

#[test]
fn a_full_disk_is_not_ready_until_there_is_room_without_any_change() {
    let Some((disk, program)) = small_disk() else { return };
    let server = program.within(&disk.around()).start();
    ready_when(&server, 200);
    let filler = fill(&disk, server.program());
    let text = ["User", "UserSession"]
        .map(|class| format!("changes of {class} cannot be written: no space is left on the disk"))
        .join("; ");
    let told = ready_when(&server, 503);
    told.assert_refused(503, &format!("not ready: {text}"), "not_ready");
    assert_eq!(told.header("retry-after"), Some("1"));
    fs::remove_file(&filler).unwrap();
    ready_when(&server, 200);
    let (.., log) = server.stop();
    let told = |text: &str| log.iter().filter(|line| line.contains(text)).count();
    assert_eq!((told("not ready: "), told("ready again")), (2, 1), "{log:?}");
}

/// In a shell that sets a limit first.
fn limited(program: Program, ulimit: &str) -> Program {
    program.within(&["sh", "-c", &format!("ulimit {ulimit}; exec \"$@\""), "sh"])
}

#[test]
fn a_file_that_may_not_grow_is_503_and_ends_nothing() {
    let program = Program::of("session_db_auth").set("LOGIN_THROTTLE", "off");
    let server = limited(program, "-f 16").start();
    let admin = server.admin();
    create_until_full(&server, &admin, "a");
    let before = users(&server, &admin);
    assert!(before.len() > 2, "{before:?}");
    server.wait_for("File too large");
    // In the other file there is room still.
    let second = server.admin();
    let server = server.kill().within(&[""; 0]).start();
    assert_eq!(users(&server, &second), before);
    assert_eq!(create(&server, &second, "last@example.com").send().status, 201);
}

#[test]
fn a_command_beyond_the_limit_of_file_sizes_is_one_line() {
    let (program, _, _) = Server::of("session_db_auth").stop();
    let before = fs::read(program.data().join("User.json")).unwrap();
    let limited = limited(program.clone(), "-f 0");
    let output = limited.run(&["user", "add", "bob@example.com"], PASSWORD);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    assert!(said.starts_with("sessiond: ") && said.contains("File too large"), "{said}");
    assert_eq!(fs::read(program.data().join("User.json")).unwrap(), before);
    program.start().admin();
}

/// A request on a connection that stays open, and the answer.
fn ask(
    connection: &mut crate::harness::Connection,
    server: &Server,
    head: &str,
    body: &str,
) -> Answer {
    let (address, length) = (server.address, body.len());
    connection.write(format!(
        "{head} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    ));
    connection.answer().unwrap()
}

#[test]
fn without_descriptors_a_change_is_503_and_what_is_there_goes_on() {
    const LIMIT: usize = 64;
    let (program, _, _) = Server::of("none").stop();
    let server = limited(program, &format!("-n {LIMIT}")).start();
    let open = || fs::read_dir(format!("/proc/{}/fd", server.process())).unwrap().count();
    let wait = |is_reached: &dyn Fn(usize) -> bool| {
        while !is_reached(open()) {
            std::thread::yield_now();
        }
    };
    let mut kept = server.connect();
    let users = "GET /api/v1/users";
    let before = ask(&mut kept, &server, users, "").body;
    let crowd: Vec<_> = (0..LIMIT).filter_map(|_| server.try_connect()).collect();
    wait(&|open| open >= LIMIT);
    let bob = json!({ "email": "bob@example.com", "password": PASSWORD }).to_string();
    // The journal has to be opened for the first change.
    assert_full(&ask(&mut kept, &server, "POST /api/v1/users", &bob));
    assert_eq!(ask(&mut kept, &server, users, "").body, before);
    drop(crowd);
    wait(&|open| open < LIMIT / 2);
    assert_eq!(ask(&mut kept, &server, "POST /api/v1/users", &bob).status, 201);
    assert_eq!(server.get("/api/v1/users").send().status, 200);
    assert_eq!(server.kill().start().get("/api/v1/stats").send().body, r#"{"users":2}"#);
}
