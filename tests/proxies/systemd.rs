//! The unit of systemd: whether it is well formed, how much it leaves open, and that the program
//! gets along with it.

use std::collections::BTreeSet;
use std::fs;
use std::process::Stdio;

use serde_json::json;

use crate::harness::{ADMIN, ADMIN_PASSWORD, PASSWORD, Program, TempDir, run};
use crate::proxy::{can_run, command};
use crate::shipped::{replace_line, text};

const UNIT: &str = "systemd/sessiond.service";

fn has_systemd() -> bool {
    can_run("systemd-analyze", &["--version"])
}

/// What `systemd-analyze` says, with its exit status.
fn analyze(arguments: &[&str]) -> (bool, String) {
    let mut analyze = command("systemd-analyze");
    let output = analyze.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = output.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

/// The values of a setting of the unit, in order.
fn settings(name: &str) -> Vec<String> {
    let text = text(UNIT);
    let values = text.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    values.map(str::to_owned).collect()
}

/// The unit with a program that is there.
fn unit(folder: &TempDir) -> String {
    let file = folder.path().join("sessiond.service");
    fs::write(&file, text(UNIT)).unwrap();
    let start = format!("ExecStart={}", env!("CARGO_BIN_EXE_sessiond"));
    replace_line(&file, "ExecStart=/usr/local/bin/sessiond", &start);
    file.display().to_string()
}

#[test]
fn the_unit_is_well_formed() {
    if !has_systemd() {
        return;
    }
    let folder = TempDir::new();
    assert_eq!(analyze(&["verify", &unit(&folder)]), (true, String::new()));
}

#[test]
fn the_unit_leaves_little_open() {
    if !has_systemd() {
        return;
    }
    let folder = TempDir::new();
    // Of 100; without any of it the exposure is 96.
    let (fits, said) = analyze(&["security", "--offline=true", "--threshold=16", &unit(&folder)]);
    assert!(fits, "{said}");
}

#[test]
fn every_setting_of_the_unit_is_one_of_the_program() {
    let help = String::from_utf8(run(&["--help"], &[]).stdout).unwrap();
    let pairs = settings("Environment").join(" ");
    for pair in pairs.split(' ') {
        let (name, _) = pair.split_once('=').unwrap();
        assert!(help.contains(&format!("[env: {name}=")), "{name}");
    }
    // What it calls the password is what is loaded.
    assert!(pairs.contains("ADMIN_PASSWORD_FILE=%d/admin_password"), "{pairs}");
    assert_eq!(settings("LoadCredential"), ["admin_password:/etc/sessiond.password"]);
    assert_eq!(settings("ExecReload"), ["/bin/kill -HUP $MAINPID"]);
}

/// The system calls of a group, with those of the groups in it.
fn group(name: &str) -> BTreeSet<String> {
    let (is_known, list) = analyze(&["syscall-filter", name]);
    assert!(is_known, "{list}");
    let lines = list.lines().skip(1).map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with('#')).flat_map(calls).collect()
}

fn calls(name: &str) -> BTreeSet<String> {
    if name.starts_with('@') { group(name) } else { BTreeSet::from([name.to_owned()]) }
}

/// The system calls that the unit lets the program make.
fn permitted() -> BTreeSet<String> {
    let mut permitted = BTreeSet::new();
    for list in settings("SystemCallFilter") {
        let taken = list.strip_prefix('~');
        let named: BTreeSet<String> = taken.unwrap_or(&list).split(' ').flat_map(calls).collect();
        if taken.is_some() {
            permitted.retain(|call| !named.contains(call));
        } else {
            permitted.extend(named);
        }
    }
    permitted
}

/// Has the program do all that it can, under these, and returns its whole log.
fn all_that_it_does(around: &[&str]) -> Vec<String> {
    let (program, pair) = Program::of("session_db_auth").over_tls();
    let security_log = program.folder().join("security.log").display().to_string();
    let program = program.set("AUDIT_FILE", &security_log).set("HASH_LANES", "2");
    let server = program.within(around).start();
    let client = pair.client(&server);
    let login = client.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send();
    let admin = login.session_id().unwrap();
    let cookie = format!("__Host-_my_session_id={admin}");
    let by_admin = |method: &str, path: &str| client.request(method, path).cookie(&cookie);
    let user = json!({ "email": "bob@example.com", "password": PASSWORD });
    assert_eq!(by_admin("POST", "/api/v1/users").json(&user).send().status, 201);
    assert_eq!(client.login(&[("email", ADMIN), ("password", "wrong")]).send().status, 401);
    assert_eq!(by_admin("GET", "/api/v1/users").send().status, 200);
    assert_eq!(by_admin("POST", "/api/v1/admin/backup").send().status, 201);
    server.signal("USR1");
    server.wait_for("backup in ");
    server.signal("HUP");
    server.wait_for("read anew");
    assert_eq!(by_admin("DELETE", "/api/v1/auth_session/logout").send().status, 200);
    let (_, status, log) = server.stop();
    assert!(status.success(), "{log:?}");
    log
}

#[test]
fn the_unit_forbids_no_system_call_that_the_program_makes() {
    let traces = can_run("strace", &["-D", "-f", "-q", "-o", "/dev/null", "true"]);
    if !traces || !has_systemd() {
        return;
    }
    let log = all_that_it_does(&["strace", "-D", "-f", "-q", "-c", "-o", "/dev/stderr"]);
    let summary = log.iter().skip_while(|line| !line.starts_with("------ "));
    let made = summary.skip(1).take_while(|line| !line.starts_with("------ "));
    let made: BTreeSet<String> =
        made.map(|line| line.split_whitespace().last().unwrap().to_owned()).collect();
    for expected in ["fdatasync", "setpriority", "accept4", "prlimit64", "rename"] {
        assert!(made.contains(expected), "{expected} was made: {log:#?}");
    }
    let permitted = permitted();
    let forbidden: Vec<&String> = made.difference(&permitted).collect();
    assert!(forbidden.is_empty(), "{forbidden:?}");
}
