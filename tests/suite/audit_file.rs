//! `AUDIT_FILE`, the file of the security log: who may read it, how it is rotated, and what happens
//! when it cannot be written.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;

use crate::harness::{ADMIN, Client, NO_SESSION, PASSWORD, Program};
use crate::security_log::{Watched, audited, events, file_of, lines};

const BOB: &str = "bob@example.com";

#[test]
fn the_file_is_for_its_owner_alone_and_holds_nothing_else() {
    let log = Program::of("session_db_auth").set("RUST_LOG", "trace");
    let file = file_of(&log);
    let program = log.set("AUDIT_FILE", &file.display().to_string());
    let mode = || fs::metadata(&file).unwrap().permissions().mode() & 0o7777;
    let server = program.start();
    assert_eq!(mode(), 0o600);
    server.admin();
    let (program, _, log) = server.stop();
    assert!(log.len() > 4 * lines(&file).len(), "there was much else to log");

    for others in [0o644, 0o640, 0o622] {
        fs::set_permissions(&file, Permissions::from_mode(others)).unwrap();
        let server = program.clone().start();
        assert_eq!(mode(), 0o600, "{others:o}");
        let warning = format!("AUDIT_FILE='{}': others could", file.display());
        assert!(server.log().iter().any(|line| line.contains(&warning)), "{:?}", server.log());
    }
    let server = program.start();
    assert!(!server.log().iter().any(|line| line.contains("others could")));
}

#[test]
fn a_log_that_is_off_or_turned_down_does_not_silence_the_file() {
    let all = ["user_created", "sys_startup", "authn_login_success", "sys_shutdown"];
    for filter in ["off", "error", "security=off", "sessiond=warn,actix=off"] {
        let program = audited("session_db_auth").set("RUST_LOG", filter);
        let file = file_of(&program);
        // Without what the start warns of.
        let program = program.unset("UNSAFE_FAST_HASH").unset("LOGIN_THROTTLE");
        let server = program.start_silent();
        server.admin();
        let (_program, _, log) = server.stop();
        assert_eq!(events(&lines(&file)), all, "{filter}");
        assert_eq!(log, Vec::<String>::new(), "{filter}");
    }
}

#[test]
fn after_a_rename_and_a_signal_the_lines_go_to_a_new_file() {
    let log = Watched::of("session_db_auth");
    let server = &log.server;
    let file = file_of(server.program());
    let old = file.with_extension("1");
    server.admin();
    fs::rename(&file, &old).unwrap();
    server.admin();
    assert_eq!(lines(&old).len(), 4, "until the signal, lines go where they went");
    assert!(!file.exists());
    server.signal("HUP");
    server.wait_for("opened anew");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    server.admin();
    assert_eq!(events(&lines(&file)), ["authn_login_success"]);
    assert_eq!(lines(&old).len(), 4);
}

#[test]
fn where_there_can_be_no_new_file_the_old_one_goes_on() {
    let log = Watched::of("session_db_auth");
    let server = &log.server;
    let file = file_of(server.program());
    let old = file.with_extension("1");
    fs::rename(&file, &old).unwrap();
    fs::create_dir(&file).unwrap();
    server.signal("HUP");
    let said = server.wait_for("the file that was open goes on");
    assert!(said.contains(" ERROR ") && said.contains("Is a directory"), "{said}");
    server.admin();
    assert_eq!(events(&lines(&old)).last(), Some(&"authn_login_success"));
}

/// Requests over and over that are a line each, until the flag is set; tells how many.
fn refused_until(client: &Client, done: &AtomicBool) -> usize {
    let mut count = 0;
    while !done.load(Ordering::Relaxed) {
        assert_eq!(client.get("/api//v1").send().status, 400);
        count += 1;
    }
    count
}

#[test]
fn a_rotation_under_load_loses_no_line() {
    let server = audited("session_db_auth").start();
    let file = file_of(server.program());
    let done = AtomicBool::new(false);
    let sent: usize = std::thread::scope(|scope| {
        let senders: Vec<_> =
            (0..3).map(|_| scope.spawn(|| refused_until(&server, &done))).collect();
        for round in 0..20 {
            fs::rename(&file, file.with_extension(round.to_string())).unwrap();
            server.signal("HUP");
            while !file.exists() {
                std::thread::yield_now();
            }
        }
        done.store(true, Ordering::Relaxed);
        senders.into_iter().map(|sender| sender.join().unwrap()).sum()
    });
    let rotated = (0..20).flat_map(|round| lines(&file.with_extension(round.to_string())));
    let all: Vec<Value> = rotated.chain(lines(&file)).collect();
    let refused = all.iter().filter(|line| line["event"] == "input_validation_fail");
    assert!(sent > 0);
    assert_eq!(refused.count(), sent);
}

#[test]
fn a_full_disk_stops_nothing_and_is_told_once() {
    let program = Program::of("session_db_auth").set("LOGIN_THROTTLE", "off");
    let (link, file) = (program.folder().join("link"), file_of(&program));
    symlink("/dev/full", &link).unwrap();
    let full = fs::metadata("/dev/full").unwrap().permissions();
    let server = program.set("AUDIT_FILE", &link.display().to_string()).start();
    assert_eq!(fs::metadata("/dev/full").unwrap().permissions(), full, "a device stays as it is");
    let id = server.admin();
    let open = server.login(&[("email", ADMIN), ("password", "wrong 12345")]).send();
    open.assert_error(401, "wrong email or password");
    assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 200);
    assert_eq!(server.get("/api/v1/users/me").session(NO_SESSION).send().status, 403);
    let failing = |log: &[String]| -> Vec<String> {
        log.iter().filter(|line| line.contains("AUDIT_FILE=")).cloned().collect()
    };

    fs::remove_file(&link).unwrap();
    symlink(&file, &link).unwrap();
    server.signal("HUP");
    server.wait_for("opened anew");
    let told = failing(&server.log());
    assert!(told[0].contains(" ERROR ") && told[0].contains("No space left on device"), "{told:?}");
    assert_eq!(told.len(), 2, "once, and the reopening: {told:?}");
    server.get("/api//v1").send();
    server.get("/api//v1").send();
    assert_eq!(events(&lines(&file)), ["input_validation_fail"; 2]);
    let said = server.wait_for("is written again");
    let count: usize = said.split(' ').rev().nth(3).unwrap().parse().unwrap();
    let (.., log) = server.stop();
    let of_security = |line: &&String| line.contains(" security: ");
    let so_far = log.iter().take_while(|line| !line.contains("opened anew")).filter(of_security);
    assert_eq!(count, so_far.count(), "as many as the log has: {said}");
    assert_eq!(failing(&log).len(), 3, "{log:?}");
}

#[test]
fn a_torn_last_line_takes_no_other_along() {
    let program = audited("session_db_auth");
    let file = file_of(&program);
    fs::write(&file, "{\"time\":\"2026").unwrap();
    let _server = program.start();
    let text = fs::read_to_string(&file).unwrap();
    let (torn, rest) = text.split_once('\n').unwrap();
    assert_eq!(torn, "{\"time\":\"2026");
    fs::write(&file, rest).unwrap();
    assert_eq!(events(&lines(&file)), ["user_created", "sys_startup"]);
}

#[test]
fn a_file_that_cannot_be_opened_ends_the_start() {
    let program = Program::of("session_db_auth");
    let folder = program.folder().display().to_string();
    let missing = format!("{folder}/missing/audit.log");
    symlink(program.folder(), program.folder().join("link")).unwrap();
    for (path, why) in [
        (folder.clone(), "Is a directory"),
        (format!("{folder}/link"), "Is a directory"),
        (missing, "No such file or directory"),
        ("/dev/stdout".into(), "is a pipe"),
    ] {
        let program = program.clone().set("AUDIT_FILE", &path);
        let expected = format!("sessiond: AUDIT_FILE='{path}': {why}");
        let (status, log) = program.clone().try_start().err().expect("it does not start");
        assert_eq!((status.code(), log.len()), (Some(2), 1), "{log:?}");
        assert!(log[0].starts_with(&expected), "{log:?}");
        for command in [&["user", "add", BOB][..], &["check"]] {
            let output = program.run(command, PASSWORD);
            let said = String::from_utf8(output.stderr).unwrap();
            assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
            assert!(said.starts_with(&expected), "{said}");
        }
        assert!(!program.data().exists(), "nothing was touched");
    }
    let good = audited("session_db_auth");
    assert!(good.run(&["check"], "").status.success());
    assert!(!file_of(&good).exists(), "a check makes nothing");
}
