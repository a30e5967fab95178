//! The settings that clients and operators know.

use std::net::TcpListener;

use crate::harness::{ADMIN, ADMIN_PASSWORD, KINDS, Program, Server, TempDir, run, run_with_input};

/// Holds that the program ends with status 2 and one line that has all of `parts`.
#[track_caller]
fn assert_refused(program: Program, parts: &[&str]) {
    let data = program.data();
    let Err((status, log)) = program.try_start() else { panic!("started despite {parts:?}") };
    assert_eq!(status.code(), Some(2), "{log:?}");
    let [line] = log.as_slice() else { panic!("not one line: {log:?}") };
    for part in parts {
        assert!(line.contains(part), "{part} is not in {line}");
    }
    assert!(!data.exists(), "nothing is touched before the settings are known to be good");
}

#[test]
fn every_kind_of_authentication_starts_under_its_name() {
    for kind in KINDS {
        let server = Server::of(kind);
        let named = |line: &String| line.ends_with(&format!("AUTH_TYPE={kind}"));
        assert!(server.log().iter().any(named), "{kind}: {:?}", server.log());
        server.get("/api/v1/status").send().assert_is(200, r#"{"status":"OK"}"#);
    }
}

#[test]
fn an_unknown_kind_of_authentication_is_refused_with_one_line() {
    for kind in ["", "basic", "session", "Session_auth", "NONE", "session_auth ", "none,auth"] {
        let named = format!("AUTH_TYPE='{kind}'");
        let parts: Vec<&str> = [named.as_str()].into_iter().chain(KINDS).collect();
        assert_refused(Program::of(kind), &parts);
    }
}

#[test]
fn an_unknown_kind_of_authentication_is_refused_by_every_command() {
    let directory = TempDir::new();
    let data = directory.data().display().to_string();
    let variables = [("AUTH_TYPE", "basic"), ("DATA_DIR", data.as_str())];
    for output in [
        run(&["serve"], &variables),
        run(&["check"], &variables),
        run(&["user", "list"], &variables),
        run_with_input(&["user", "add", "bob@example.com"], &variables, "a password 4\n"),
    ] {
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let line = String::from_utf8(output.stderr).unwrap();
        assert!(line.starts_with("sessiond: AUTH_TYPE='basic': "), "{line}");
        assert_eq!((line.lines().count(), output.stdout.len()), (1, 0), "{line}");
    }
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
}

#[test]
fn the_server_listens_on_the_host_that_is_set() {
    let server = Program::of("none").set("API_HOST", "0.0.0.0").start();
    assert!(server.address.ip().is_unspecified(), "{}", server.address);
    assert_eq!(server.get("/api/v1/status").send().status, 200);
}

#[test]
fn the_server_listens_on_the_port_that_is_set_or_not_at_all() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let port = address.rsplit(':').next().unwrap();
    let started = Program::of("none").set("API_PORT", port).try_start();
    let (status, log) = started.err().expect("the port is taken");
    assert_eq!(status.code(), Some(1));
    assert!(log.last().unwrap().contains(&address), "{log:?}");
    for port in ["65536", "-1", "http", "5000 ", ""] {
        let named = format!("API_PORT='{port}'");
        assert_refused(Program::of("none").set("API_PORT", port), &[&named]);
    }
}

#[test]
fn the_port_is_5000_unless_another_is_set() {
    // If it cannot be taken here, somebody else has it: it is taken either way.
    let _taken = TcpListener::bind("127.0.0.1:5000");
    let started = Program::of("none").unset("API_PORT").try_start();
    let (_, log) = started.err().expect("the port is taken");
    assert!(log.last().unwrap().contains("127.0.0.1:5000"), "{log:?}");
}

#[test]
fn the_session_cookie_has_the_name_that_is_set() {
    for (set, name) in [(None, "_my_session_id"), (Some("sid"), "sid"), (Some("a.b!c"), "a.b!c")] {
        let program = Program::of("session_auth");
        let program =
            set.into_iter().fold(program, |program, set| program.set("SESSION_NAME", set));
        let server = program.start();
        let login = server.post("/api/v1/auth_session/login");
        let login = login.form(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send();
        let cookie = login.header("set-cookie").unwrap().to_owned();
        assert!(cookie.starts_with(&format!("{name}=")), "{cookie}");
        let id = login.session_id().unwrap();
        let me = |name: &str| server.get("/api/v1/users/me").cookie(&format!("{name}={id}")).send();
        assert_eq!(me(name).status, 200, "{name}");
        for other in ["_my_session_ids", "my_session_id", "SID", "_MY_SESSION_ID", "a.b"] {
            me(other).assert_error(401, "Unauthorized");
        }
    }
}

#[test]
fn a_session_name_that_no_cookie_can_have_is_refused() {
    for name in ["a b", "a=b", "a;b", "a,b", ""] {
        let named = format!("SESSION_NAME='{name}'");
        assert_refused(Program::of("session_auth").set("SESSION_NAME", name), &[&named]);
    }
}

#[test]
fn a_session_duration_is_a_whole_number_of_seconds() {
    for duration in ["-1", "1.5", "ten", "1h", " 60", "+60", ""] {
        let named = format!("SESSION_DURATION='{duration}'");
        let program = Program::of("session_exp_auth").set("SESSION_DURATION", duration);
        assert_refused(program, &[&named, "seconds"]);
    }
    let program = Program::of("session_exp_auth").set("SESSION_DURATION", "60");
    // An idle timeout that exceeds it would be refused, so it has to come down too.
    program.set("SESSION_IDLE_TIMEOUT", "60").start();
}

#[test]
fn a_switch_takes_its_value_as_a_flag_too() {
    let directory = TempDir::new();
    let data = directory.data().display().to_string();
    let check = |flags: &[&str]| run(&[&["check"], flags].concat(), &[("DATA_DIR", &data)]);
    for flags in [["--login-throttle", "off"], ["--unsafe-fast-hash", "1"]] {
        let output = check(&flags);
        assert!(output.status.success(), "{output:?}");
    }
    for flags in [["--login-throttle", "maybe"], ["--unsafe-fast-hash", "2"]] {
        assert_eq!(check(&flags).status.code(), Some(2), "{flags:?}");
    }
}
