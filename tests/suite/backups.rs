//! Backups of a running service: by an admin, by a signal, by a command; and putting one back.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::harness::{ADMIN, ADMIN_PASSWORD, InProcess, PASSWORD, Program, Server};

const BACKUP: &str = "/api/v1/admin/backup";

/// A program whose backups go to a folder beside its data, and that folder.
fn program() -> (Program, PathBuf) {
    let program = Program::of("session_db_auth");
    let folder = program.folder().join("backups");
    let program = program.set("BACKUP_DIR", folder.to_str().unwrap());
    (program, folder)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// What a command says that ends well.
#[track_caller]
fn back_up(program: &Program, target: &Path) -> String {
    let output = program.run(&["backup", target.to_str().unwrap()], "");
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// The line of one that does not.
#[track_caller]
fn refused(program: &Program, target: &str) -> String {
    let output = program.run(&["backup", target], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(1), 1), "{said}");
    said.strip_prefix("sessiond: ").unwrap().trim_end().to_owned()
}

/// Puts a backup in place of the data, as the README says, and starts on it.
fn restore(program: Program, backup: &Path) -> Server {
    fs::rename(program.data(), program.folder().join("before")).unwrap();
    fs::create_dir(program.data()).unwrap();
    for name in names(backup) {
        fs::copy(backup.join(&name), program.data().join(&name)).unwrap();
    }
    program.start()
}

#[test]
fn an_admin_gets_a_backup_that_tells_its_name_and_is_closed_to_others() {
    let (program, folder) = program();
    let server = program.start();
    server.add_user("bob@example.com");
    let answer = server.post(BACKUP).session(&server.admin()).send();
    assert_eq!(answer.status, 201, "{}", answer.body);
    let told = answer.json();
    let name = told["name"].as_str().unwrap();
    assert_eq!(names(&folder), [name]);
    assert_eq!(name, told["created_at"].as_str().unwrap().replace(':', "-"));
    assert_eq!((&told["users"], &told["sessions"]), (&json!(2), &json!(2)));
    let files: Vec<PathBuf> =
        names(&folder.join(name)).iter().map(|file| folder.join(name).join(file)).collect();
    let bytes: u64 = files.iter().map(|file| fs::metadata(file).unwrap().len()).sum();
    assert_eq!(told["bytes"], json!(bytes));
    assert_eq!((mode(&folder), mode(&folder.join(name))), (0o700, 0o700));
    assert!(files.iter().all(|file| mode(file) == 0o600));
    assert!(!answer.body.contains(folder.to_str().unwrap()), "no path of the machine is told");
    let line = server.wait_for("all records were copied");
    assert!(line.contains(name), "{line}");
}

#[test]
fn a_backup_is_for_admins_with_a_fresh_proof() {
    let server = InProcess::with(&["--reauth-window", "60"]);
    server.post(BACKUP).send().assert_error(401, "Unauthorized");
    server.add_user("bob@example.com", sessiond::models::Role::User);
    let bob = server.log_in("bob@example.com", PASSWORD);
    server.post(BACKUP).session(&bob).send().assert_error(403, "Forbidden");
    let admin = server.admin();
    let foreign = server.post(BACKUP).session(&admin).header("Origin", "https://evil.example");
    foreign.send().assert_error(403, "Forbidden");
    server.advance(std::time::Duration::from_mins(1));
    let old = |body| server.post(BACKUP).session(&admin).json(&body).send();
    old(json!({})).assert_error(403, "Fresh login required");
    old(json!({ "current_password": "not his 12" })).assert_error(403, "wrong password");
    assert_eq!(old(json!({ "current_password": ADMIN_PASSWORD })).status, 201);
    let other = server.get(BACKUP).session(&admin).send();
    assert_eq!((other.status, other.header("allow")), (405, Some("POST")));
}

#[test]
fn backups_of_one_moment_have_names_of_their_own() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let made = || {
        let answer = server.post(BACKUP).session(&admin).send().json();
        answer["name"].as_str().unwrap().to_owned()
    };
    let names = [made(), made(), made()];
    let expected = ["", "-2", "-3"].map(|end| format!("2026-01-02T03-04-05.678Z{end}"));
    assert_eq!(names, expected);
}

#[test]
fn without_a_setting_backups_lie_beside_the_records() {
    let server = Server::of("session_db_auth");
    let folder = server.program().folder().join("data.backups");
    let made = server.post(BACKUP).session(&server.admin()).send();
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(names(&folder), [made.json()["name"].as_str().unwrap()]);
    server.signal("USR1");
    let line = server.wait_for("backup in ");
    assert!(line.contains(folder.to_str().unwrap()), "{line}");
    assert_eq!((mode(&folder), names(&folder).len()), (0o700, 2));
}

#[test]
fn sigusr1_makes_a_backup_and_the_log_tells_where() {
    let (program, folder) = program();
    let server = program.start();
    server.signal("USR1");
    let line = server.wait_for("backup in ");
    let [name] = &names(&folder)[..] else { panic!("{:?}", names(&folder)) };
    assert!(line.contains(folder.join(name).to_str().unwrap()), "{line}");
    assert!(line.ends_with(" bytes: 1 users, 0 sessions"), "{line}");
    let line = server.wait_for("all records were copied");
    assert!(line.contains(&format!("SIGUSR1: {name}")), "{line}");
}

#[test]
fn a_backup_that_cannot_be_written_is_503_and_tells_the_log_why() {
    let (program, folder) = program();
    let server = program.start();
    let admin = server.admin();
    fs::write(&folder, "in the way").unwrap();
    let answer = server.post(BACKUP).session(&admin).send();
    answer.assert_refused(503, "Service unavailable", "unavailable");
    assert!(answer.header("retry-after").is_some());
    server.wait_for("backup: ");
    let told = server.log().iter().filter(|line| line.contains("backup: ")).count();
    assert_eq!(told, 1);
    fs::remove_file(&folder).unwrap();
    assert_eq!(server.post(BACKUP).session(&admin).send().status, 201);
}

#[test]
fn a_bad_folder_for_backups_is_a_bad_setting() {
    let program = Program::of("session_db_auth");
    let file = program.folder().join("file");
    fs::write(&file, "").unwrap();
    let (data, file) = (program.data().display().to_string(), file.display().to_string());
    let inside = format!("{data}/backups");
    for (value, what) in [
        (&data, "must not be DATA_DIR or a folder in it"),
        (&inside, "must not be DATA_DIR or a folder in it"),
        (&file, "must be a folder"),
    ] {
        let output = program.clone().set("BACKUP_DIR", value).run(&["check"], "");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(said, format!("sessiond: BACKUP_DIR='{value}': {what}\n"));
        assert_eq!(output.status.code(), Some(2));
    }
}

#[test]
fn a_command_makes_a_backup_beside_a_server_and_without_one() {
    let server = Server::of("session_db_auth");
    server.admin();
    let first = server.program().folder().join("first");
    let said = back_up(server.program(), &first);
    assert_eq!(said, format!("backed up 1 users, 1 sessions to {}\n", first.display()));
    assert_eq!(mode(&first), 0o700);
    let (program, _, _) = server.stop();
    // An empty folder is as good as none.
    let second = program.folder().join("second");
    fs::create_dir(&second).unwrap();
    back_up(&program, &second);
    assert_eq!(names(&second), ["User.json", "UserSession.json"]);
    assert_eq!(mode(&second), 0o700);
    assert_eq!(names(program.folder()), ["data", "first", "second"], "nothing is left over");
}

#[test]
fn a_backup_replaces_nothing_and_goes_to_no_place_where_records_are() {
    let (program, _, _) = Server::of("session_db_auth").stop();
    let path = |name: &str| program.folder().join(name).display().to_string();
    fs::create_dir(path("full")).unwrap();
    fs::write(path("full/file"), "older").unwrap();
    fs::write(path("file"), "older").unwrap();
    std::os::unix::fs::symlink(program.data(), path("link")).unwrap();
    std::os::unix::fs::symlink(path("nothing"), path("dangling")).unwrap();
    let before = (names(program.folder()), names(&program.data()));
    let outside = "a backup is made outside of the data directory";
    for (target, what) in [
        (path("full"), "is not empty, and a backup replaces nothing"),
        (path("file"), "is there, and no folder"),
        (path("dangling"), "is there, and no folder"),
        (path("link"), outside),
        (path("data"), outside),
        (path("data/User.backup"), outside),
        (path("link/backup"), outside),
        ("/".into(), "a backup is made in a folder that has a name of its own"),
    ] {
        assert_eq!(refused(&program, &target), format!("{target}: {what}"));
    }
    assert!(refused(&program, &path("no/where")).contains("No such file"));
    assert_eq!((names(program.folder()), names(&program.data())), before);
}

#[test]
fn a_backup_of_nothing_is_refused() {
    let program = Program::of("session_db_auth");
    let target = program.folder().join("backup").display().to_string();
    assert!(refused(&program, &target).starts_with(&program.data().display().to_string()));
    fs::create_dir(program.data()).unwrap();
    let expected = format!("{}: no records are there", program.data().display());
    assert_eq!(refused(&program, &target), expected);
    assert_eq!(names(program.folder()), ["data"]);
}

#[test]
fn what_a_crash_left_of_a_backup_is_told_and_never_taken_for_one() {
    let server = Server::of("session_db_auth");
    let left = server.program().folder().join(".old.123.unfinished");
    fs::create_dir(&left).unwrap();
    let target = server.program().folder().join("backup");
    let output = server.program().run(&["backup", target.to_str().unwrap()], "");
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success() && said.contains(left.to_str().unwrap()), "{said}");
    assert!(left.exists(), "another process may be at work on it");
}

#[test]
fn a_backup_under_load_logs_nobody_out_and_brings_no_ended_session_back() {
    let (program, folder) = program();
    let server = program.start();
    let admin = server.admin();
    for name in ["ann", "bob", "cat"] {
        server.add_user(&format!("{name}@example.com"));
    }
    let logged_in: Vec<String> = (0..4).map(|_| server.log_in(ADMIN, ADMIN_PASSWORD)).collect();
    let ended = server.log_in("bob@example.com", PASSWORD);
    let logout = |id: &str| server.delete("/api/v1/auth_session/logout").session(id).send().status;
    assert_eq!(logout(&ended), 200);
    let done = AtomicBool::new(false);
    let by_command = server.program().folder().join("by-command");
    std::thread::scope(|scope| {
        for name in ["ann", "bob", "cat"] {
            let (server, done, logout) = (&server, &done, &logout);
            scope.spawn(move || {
                while !done.load(Ordering::SeqCst) {
                    let id = server.log_in(&format!("{name}@example.com"), PASSWORD);
                    assert_eq!(logout(&id), 200);
                }
            });
        }
        for _ in 0..5 {
            let answer = server.post(BACKUP).session(&admin).send();
            assert_eq!(answer.status, 201, "{}", answer.body);
        }
        back_up(server.program(), &by_command);
        done.store(true, Ordering::SeqCst);
    });
    let mut backups: Vec<PathBuf> = names(&folder).iter().map(|name| folder.join(name)).collect();
    assert_eq!(backups.len(), 5);
    backups.push(by_command);
    let (mut program, _, _) = server.stop();
    for backup in backups {
        let server = restore(program, &backup);
        for id in logged_in.iter().chain([&admin]) {
            assert_eq!(server.get("/api/v1/users/me").session(id).send().status, 200);
        }
        assert_eq!(server.get("/api/v1/users/me").session(&ended).send().status, 403);
        server.log_in("cat@example.com", PASSWORD);
        (program, _, _) = server.stop();
        fs::remove_dir_all(program.folder().join("before")).unwrap();
    }
}
