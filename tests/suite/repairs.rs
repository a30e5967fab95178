//! `check --repair`: damaged files are mended, each thing is told, and nobody gets in on doubt.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

use crate::harness::{ADMIN, ADMIN_PASSWORD, PASSWORD, Program, Server};

fn repair(program: &Program) -> Output {
    program.run(&["check", "--repair"], "")
}

/// The lines of a repair that ends well.
#[track_caller]
fn lines(output: Output) -> Vec<String> {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn names(program: &Program) -> Vec<String> {
    let entries = fs::read_dir(program.data()).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn status_of_login(server: &Server, email: &str) -> u16 {
    server.login(&[("email", email), ("password", PASSWORD)]).send().status
}

#[test]
fn what_is_sound_has_nothing_to_repair() {
    let server = Server::of("session_db_auth");
    server.admin();
    let program = server.kill();
    let before = names(&program);
    let said = lines(repair(&program));
    let nothing = format!("{}: there is nothing to repair", program.data().display());
    assert!(said.contains(&nothing), "{said:?}");
    assert_eq!(names(&program), before);
    program.start();
}

#[test]
fn a_torn_tail_is_dropped_and_ends_no_session() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let program = server.kill();
    let path = program.data().join("UserSession.journal");
    let torn = [&fs::read(&path).unwrap()[..], b"0123"].concat();
    fs::write(&path, &torn).unwrap();
    let said = lines(repair(&program));
    let kept = format!("{}.damaged", path.display());
    let line = said.iter().find(|line| line.starts_with(path.to_str().unwrap())).unwrap();
    assert!(line.contains("a change that was never answered: 4 bytes taken out"), "{line}");
    assert!(line.ends_with(&kept), "{line}");
    assert_eq!(fs::read(&kept).unwrap(), torn);
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);
    let server = program.start();
    assert_eq!(server.get("/api/v1/users/me").session(&admin).send().status, 200);
}

#[test]
fn a_damaged_line_ends_all_sessions_and_disables_whom_it_names_alone() {
    let server = Server::of("session_db_auth");
    let bob = server.add_user("bob@example.com");
    server.add_user("cat@example.com");
    let cat = server.log_in("cat@example.com", PASSWORD);
    let program = server.kill().set("ADMIN_EMAIL", "").unset("ADMIN_PASSWORD");
    let path = program.data().join("User.journal");
    let content = fs::read_to_string(&path).unwrap();
    let damaged = content.replacen("bob@", "rob@", 1);
    fs::write(&path, &damaged).unwrap();

    let started = program.clone().try_start();
    let (status, log) = started.err().expect("a damaged file is a refusal");
    let line = log.last().unwrap();
    assert_eq!(status.code(), Some(1));
    assert!(line.contains("does not fit its checksum"), "{line}");
    assert!(line.ends_with("('sessiond check --repair' mends what can be mended)"), "{line}");
    let checked = program.run(&["check"], "");
    assert_eq!(checked.status.code(), Some(1));
    assert_eq!(fs::read_to_string(&path).unwrap(), damaged, "check alone changes nothing");

    let said = lines(repair(&program));
    let place = format!("{}: line 3, byte ", path.display());
    assert!(said.iter().any(|line| line.starts_with(&place)), "{said:?}");
    assert!(said.iter().any(|line| line.starts_with("all 3 sessions ended")), "{said:?}");
    // The line that makes bob is lost, so there is nobody to disable.
    let nameless = "what was lost does not name everybody";
    assert!(said.iter().any(|line| line.starts_with(nameless)), "{said:?}");
    assert!(said.last().unwrap().ends_with(": 2 users, 0 sessions"), "{said:?}");
    assert_eq!(fs::read_to_string(format!("{}.damaged", path.display())).unwrap(), damaged);
    let again = lines(repair(&program));
    assert!(again.iter().any(|line| line.ends_with("there is nothing to repair")), "{again:?}");

    let server = program.start();
    assert_eq!(server.get("/api/v1/users/me").session(&cat).send().status, 403);
    assert_eq!(status_of_login(&server, "cat@example.com"), 200);
    assert_eq!(status_of_login(&server, "bob@example.com"), 401);
    let ids = server.get("/api/v1/users").session(&server.admin()).send().body;
    assert!(!ids.contains(&bob), "{ids}");
}

#[test]
fn a_user_whose_change_is_lost_is_disabled_until_he_is_enabled_again() {
    let server = Server::of("session_db_auth");
    let bob = server.add_user("bob@example.com");
    let (program, _, _) = server.stop();
    let server = program.start();
    let path = format!("/api/v1/users/{bob}");
    let disabled = server.by_admin(server.put(&path)).json(&serde_json::json!({"disabled": true}));
    assert_eq!(disabled.send().status, 200);
    let renamed = server.by_admin(server.put(&path)).json(&serde_json::json!({"first_name": "B"}));
    assert_eq!(renamed.send().status, 200);
    let audit = server.program().folder().join("audit");
    let program = server.kill().set("AUDIT_FILE", audit.to_str().unwrap());
    let journal = program.data().join("User.journal");
    let content = fs::read_to_string(&journal).unwrap();
    // Both lines about him go.
    fs::write(&journal, content.replace("bob@", "rob@")).unwrap();
    let said = lines(repair(&program));
    let expected = format!(
        "{bob}: disabled, since what was lost names him; 'sessiond user enable {bob}' lets him in \
         again"
    );
    assert!(said.contains(&expected), "{said:?}");
    assert!(fs::read_to_string(&audit).unwrap().contains("user_disabled"));
    let server = program.start();
    assert_eq!(status_of_login(&server, "bob@example.com"), 401);
    let (program, _, _) = server.stop();
    assert!(program.run(&["user", "enable", &bob], "").status.success());
    assert_eq!(status_of_login(&program.start(), "bob@example.com"), 200);
}

#[test]
fn a_repair_that_leaves_no_admin_says_what_mends_it() {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let (program, _, _) = server.stop();
    let path = program.data().join("User.json");
    let content = fs::read_to_string(&path).unwrap();
    let lines_of = content.lines().collect::<Vec<_>>();
    let (first, rest) = (lines_of[1], lines_of[2..].join("\n"));
    // The admin's record is there twice.
    fs::write(&path, format!("{{\n{first}\n{first}\n{rest}\n")).unwrap();
    let said = lines(repair(&program));
    assert!(said.iter().any(|line| line.contains("is there twice: ")), "{said:?}");
    let mends = said.iter().find(|line| line.starts_with("nobody is an enabled admin")).unwrap();
    assert!(mends.contains("'sessiond user enable'"), "{mends}");
    assert!(program.run(&["user", "enable", ADMIN], "").status.success());
    program.start().log_in(ADMIN, ADMIN_PASSWORD);
}

#[test]
fn a_repair_wants_the_data_directory_for_itself() {
    let server = Server::of("session_db_auth");
    let output = repair(server.program());
    let expected =
        format!("sessiond: {}: in use by another sessiond process\n", server.data().display());
    assert_eq!(String::from_utf8(output.stderr).unwrap(), expected);
}

#[test]
fn a_file_that_cannot_be_read_is_refused_and_nothing_is_touched() {
    let (program, _, _) = Server::of("session_db_auth").stop();
    let (users, sessions) =
        (program.data().join("User.json"), program.data().join("UserSession.json"));
    fs::write(&sessions, "not json").unwrap();
    fs::remove_file(&users).unwrap();
    fs::create_dir(&users).unwrap();
    let output = repair(&program);
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with(&format!("sessiond: {}: ", users.display())), "{said}");
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(fs::read_to_string(&sessions).unwrap(), "not json");
    assert_eq!(names(&program), [".lock", "User.json", "UserSession.json", "pages.key"]);
}
