//! What ends a start, with one line and before anything is touched; and what it warns of.

use std::fs;
use std::process::Output;

use crate::harness::{ADMIN_PASSWORD, Program, Server};

/// Starts a program that cannot start, and returns how it ended.
#[track_caller]
fn failed(program: &Program) -> Output {
    let Err((status, log)) = program.clone().try_start() else { panic!("it started") };
    Output { status, stdout: Vec::new(), stderr: log.join("\n").into_bytes() }
}

/// Holds that the program ended with this status and said one line, and returns the line.
#[track_caller]
fn one_line(output: &Output, status: i32) -> String {
    let said = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(output.stdout.is_empty(), "{output:?}");
    said.strip_prefix("sessiond: ").expect("the line names the program").trim_end().to_owned()
}

/// Holds that a setting is refused with a line that names it, its value and what is allowed.
#[track_caller]
fn assert_refused(program: &Program, name: &str, value: &str, allowed: &str) {
    let line = one_line(&failed(program), 2);
    let expected = format!("{name}='{value}': ");
    assert!(line.starts_with(&expected) && line.contains(allowed), "{line} / {expected}{allowed}");
    assert!(!program.data().exists(), "{name}='{value}' has made the data directory");
}

/// Each setting, its flag, its default as `--help` has it, bad values and what they should be.
const SETTINGS: &[(&str, &str, &[&str], &str)] = &[
    ("API_HOST", "127.0.0.1", &[""], "must not be empty"),
    ("API_PORT", "5000", &["", "65536", "-1", "+1", "http", "1.5", " 1"], "from 0 to 65535"),
    (
        "METRICS_ADDR",
        "",
        &["9100", "localhost:9100", "127.0.0.1", "127.0.0.1:65536", "::1:9100", " ", "*:9100"],
        "must be an address and a port, like 127.0.0.1:9100",
    ),
    ("DATA_DIR", "data", &[""], "must not be empty"),
    (
        "AUTH_TYPE",
        "session_db_auth",
        &["", "session", "Session_auth", "none ", "session_auth\n", "0"],
        "must be one of none, auth, basic_auth, session_auth, session_exp_auth, session_db_auth",
    ),
    (
        "PUBLIC_URL",
        "",
        &["id.example.com", "ftp://id.example.com", "https://id.example.com/x", "https://u@x", "/"],
        "must be like https://id.example.com",
    ),
    ("TLS_CERT", "", &["/nowhere/at/all"], "needs TLS_KEY"),
    ("TLS_KEY", "", &["/nowhere/at/all"], "needs TLS_CERT"),
    ("SESSION_NAME", "_my_session_id", &["", "a b", "a=b", "a;b", "n\u{e4}me", "__host-x"], "must"),
    (
        "SESSION_DURATION",
        "86400",
        &["", "-1", "1h", "1.5", "12345678901234567890", "315360001"],
        "whole number from 0 to 315360000",
    ),
    (
        "SESSION_IDLE_TIMEOUT",
        "3600",
        &["", "-1", "never", "99999999999999999999"],
        "whole number from 0 to 315360000",
    ),
    (
        "PASSWORD_BLOCKLIST",
        "",
        &["/nowhere/to/be/found", "/", "/dev/zero"],
        "must be a readable file",
    ),
    ("SESSIONS_PER_USER", "25", &["", "0", "10001", "-1"], "whole number from 1 to 10000"),
    ("REAUTH_WINDOW", "900", &["", "0", "315360001", "15m"], "whole number from 1 to 315360000"),
    ("COOKIE_DOMAIN", "", &["localhost", "127.0.0.1", "a..b", "x y.z"], "must be a domain"),
    ("INVALID_STATUS", "403", &["", "400", "404", "403 "], "must be one of 403, 401"),
    ("LOGIN_ERRORS", "uniform", &["", "verbose", "DETAILED"], "must be one of uniform, detailed"),
    ("LOGIN_THROTTLE", "on", &["", "maybe", "2"], "must be one of on, off"),
    ("LOGIN_ATTEMPTS", "12", &["", "0", "1001", "-1", "a dozen"], "whole number from 1 to 1000"),
    (
        "TRUSTED_PROXIES",
        "",
        &["proxy.example.com", "10.0.0.0/33", "10.0.0.1;10.0.0.2", "10.0.0.1, *"],
        "list addresses and networks like 10.0.0.0/8",
    ),
    (
        "LOGIN_URL",
        "",
        &["login", "//evil.example", "javascript:alert(1)", "https://u:p@id.example.com/login"],
        "must be like https://id.example.com/login, or /login",
    ),
    (
        "ALLOWED_REDIRECTS",
        "",
        &["https://app.example.com", "*", "app.example.com/x", "a.example:99999"],
        "list hosts like app.example.com",
    ),
    (
        "CORS_ORIGINS",
        "",
        &["app.example.com", "https://app.example.com/x", "null", "*.example.com"],
        "list origins like https://app.example.com",
    ),
    ("DOCS", "on", &["", "maybe", "2"], "must be one of on, off"),
    ("PAGES", "on", &["", "maybe", "2"], "must be one of on, off"),
    ("BCRYPT_COST", "12", &["", "9", "16", "4", "twelve"], "whole number from 10 to 15"),
    ("UNSAFE_FAST_HASH", "0", &["", "yes", "2"], "must be one of"),
    ("HASH_LANES", "", &["0", "1025", "two"], "whole number from 1 to 1024"),
    ("HASH_QUEUE", "64", &["", "0", "65537"], "whole number from 1 to 65536"),
    ("WORKERS", "", &["0", "1025", "-1"], "whole number from 1 to 1024"),
    ("KEEP_ALIVE", "75", &["", "0", "3601"], "whole number from 1 to 3600"),
    ("HEAD_TIMEOUT", "5", &["", "0", "301"], "whole number from 1 to 300"),
    ("BODY_TIMEOUT", "10", &["", "0", "301"], "whole number from 1 to 300"),
    ("SHUTDOWN_TIMEOUT", "10", &["", "0", "301"], "whole number from 1 to 300"),
    ("LOG_FORMAT", "text", &["", "xml", "JSON"], "must be one of text, json"),
    (
        "RUST_LOG",
        "info,actix_server=warn,actix_http=off",
        &["actix=loud", "a=b=c", "info,=x"],
        "must be a level",
    ),
    ("AUDIT_FILE", "", &["/", "/nowhere/audit.log"], "(os error "),
    ("ADMIN_EMAIL", "", &["admin", "a@b@c", "admin@ex\u{e4}mple.com"], "name@example.com"),
];

fn flag(name: &str) -> String {
    format!("--{}", name.to_lowercase().replace('_', "-"))
}

#[test]
fn a_bad_setting_is_one_line_that_names_it_and_touches_nothing() {
    for (name, _, bad, allowed) in SETTINGS {
        for value in *bad {
            let program = Program::of("session_db_auth").set(name, value);
            // A line break in a value cannot make two lines of one.
            assert_refused(&program, name, &value.replace('\n', " "), allowed);
        }
    }
}

#[test]
fn a_flag_is_checked_like_its_variable_and_wins_over_it() {
    for (name, _, bad, _) in SETTINGS {
        let program = Program::of("session_db_auth");
        let value = bad[bad.len() - 1];
        let line = one_line(&program.run(&[&format!("{}={value}", flag(name)), "check"], ""), 2);
        assert!(line.starts_with(&format!("{name}='{value}': ")), "{line}");
    }
    let program = Program::of("session_db_auth").set("API_PORT", "1");
    let line = one_line(&program.run(&["healthcheck", "--api-port", "2"], ""), 1);
    assert!(line.starts_with("127.0.0.1:2: "), "{line}");
    assert!(!program.data().exists());
}

#[test]
fn a_variable_that_is_no_text_is_one_line_too() {
    use std::os::unix::ffi::OsStrExt as _;
    let junk = std::ffi::OsStr::from_bytes(b"\xff\xfe");
    for name in ["API_HOST", "SESSION_NAME", "ADMIN_EMAIL", "ADMIN_PASSWORD"] {
        let program = Program::of("session_db_auth").set_os(name, junk);
        let line = one_line(&failed(&program), 2);
        assert!(line.contains(name) && line.contains("UTF-8"), "{line}");
        assert!(!program.data().exists());
    }
}

#[test]
fn values_at_the_edge_of_what_is_allowed_start() {
    for settings in [
        &[("SESSION_DURATION", "0"), ("SESSION_IDLE_TIMEOUT", "0")][..],
        &[("SESSION_DURATION", "315360000"), ("SESSION_IDLE_TIMEOUT", "315360000")],
        &[("SESSION_DURATION", "1"), ("SESSION_IDLE_TIMEOUT", "1")],
        &[("SESSION_DURATION", "1")],
        &[("SESSION_DURATION", "0"), ("SESSION_IDLE_TIMEOUT", "1")],
        &[("SESSION_DURATION", "10"), ("SESSION_IDLE_TIMEOUT", "0")],
        &[("HASH_LANES", "1"), ("HASH_QUEUE", "1"), ("WORKERS", "1")],
        &[("KEEP_ALIVE", "1"), ("HEAD_TIMEOUT", "300"), ("BODY_TIMEOUT", "300")],
        &[("SHUTDOWN_TIMEOUT", "300"), ("HASH_QUEUE", "65536")],
        &[("PUBLIC_URL", ""), ("COOKIE_DOMAIN", ""), ("CORS_ORIGINS", "")],
        &[("HASH_LANES", ""), ("WORKERS", ""), ("ADMIN_PASSWORD_FILE", "")],
        &[("TLS_CERT", ""), ("TLS_KEY", "")],
        &[("METRICS_ADDR", "")],
        &[("METRICS_ADDR", "127.0.0.1:0")],
        &[("METRICS_ADDR", "[::1]:0")],
        &[("PUBLIC_URL", "https://id.example.com/"), ("COOKIE_DOMAIN", ".Example.com")],
        &[("PUBLIC_URL", "http://[::1]:5000"), ("API_HOST", "localhost")],
        &[("PUBLIC_URL", "https://x.org"), ("SESSION_NAME", "__Secure-sid")],
        &[("SESSION_NAME", "!#$%&'*+-.^_`|~0")],
        &[("CORS_ORIGINS", "https://a.example, http://localhost:3000,*")],
        &[("LOGIN_THROTTLE", "off"), ("INVALID_STATUS", "401"), ("LOGIN_ERRORS", "detailed")],
        &[("LOGIN_ATTEMPTS", "1"), ("TRUSTED_PROXIES", "127.0.0.1, ::1 10.0.0.0/8")],
        &[("LOGIN_ATTEMPTS", "1000"), ("TRUSTED_PROXIES", "")],
    ] {
        let program = settings
            .iter()
            .fold(Program::of("session_db_auth"), |program, (k, v)| program.set(k, v));
        let server = program.start();
        assert_eq!(server.get("/api/v1/status").send().status, 200, "{settings:?}");
    }
}

#[test]
fn settings_that_contradict_each_other_are_refused() {
    let long = "x".repeat(257);
    for (settings, begins, says) in [
        (
            &[("SESSION_DURATION", "60"), ("SESSION_IDLE_TIMEOUT", "61")][..],
            "SESSION_IDLE_TIMEOUT='61': ",
            "SESSION_DURATION, which is 60",
        ),
        (
            &[("TLS_CERT", "/x"), ("TLS_KEY", "/y"), ("PUBLIC_URL", "http://id.example.com:80")],
            "PUBLIC_URL='http://id.example.com': ",
            "https beside TLS_CERT",
        ),
        (
            &[("TLS_CERT", "/nowhere"), ("TLS_KEY", ""), ("PUBLIC_URL", "https://id.example.com")],
            "TLS_CERT='/nowhere': ",
            "TLS_KEY",
        ),
        (
            &[("API_PORT", "5001"), ("METRICS_ADDR", "127.0.0.1:5001")],
            "METRICS_ADDR='127.0.0.1:5001': ",
            "must differ from API_HOST and API_PORT",
        ),
        (
            &[("API_PORT", "5001"), ("METRICS_ADDR", "[::]:5001")],
            "METRICS_ADDR='[::]:5001': ",
            "must differ",
        ),
        (
            &[("API_HOST", "0.0.0.0"), ("API_PORT", "5001"), ("METRICS_ADDR", "127.0.0.1:5001")],
            "METRICS_ADDR='127.0.0.1:5001': ",
            "must differ",
        ),
        (&[("COOKIE_DOMAIN", "example.com")], "COOKIE_DOMAIN='example.com': ", "https"),
        (
            &[("COOKIE_DOMAIN", "example.com"), ("PUBLIC_URL", "http://id.example.com")],
            "COOKIE_DOMAIN='example.com': ",
            "https",
        ),
        (
            &[("COOKIE_DOMAIN", "example.com"), ("PUBLIC_URL", "https://id.notexample.com")],
            "COOKIE_DOMAIN='example.com': ",
            "id.notexample.com",
        ),
        (&[("SESSION_NAME", "__Host-sid")], "SESSION_NAME='__Host-sid': ", "https"),
        (&[("SESSION_NAME", "__Secure-sid")], "SESSION_NAME='__Secure-sid': ", "https"),
        (
            &[
                ("SESSION_NAME", "__Host-sid"),
                ("PUBLIC_URL", "https://id.example.com"),
                ("COOKIE_DOMAIN", "example.com"),
            ],
            "SESSION_NAME='__Host-sid': ",
            "COOKIE_DOMAIN",
        ),
        (&[("ADMIN_PASSWORD_FILE", "/nowhere")], "ADMIN_PASSWORD: ", "ADMIN_PASSWORD_FILE"),
        (&[("ADMIN_EMAIL", "")], "ADMIN_EMAIL='': ", "ADMIN_PASSWORD"),
        (&[("ADMIN_PASSWORD", "")], "ADMIN_EMAIL='admin@example.com': ", "ADMIN_PASSWORD"),
        (&[("PAGES_KEY", "too short a secret")], "PAGES_KEY: ", "at least 32 characters"),
        (&[("ADMIN_PASSWORD", "short")], "ADMIN_PASSWORD: ", "at least 8 characters"),
        (&[("ADMIN_PASSWORD", &long)], "ADMIN_PASSWORD: ", "at most 256 bytes"),
        (&[("ADMIN_PASSWORD", "password1")], "ADMIN_PASSWORD: ", "most common"),
        (
            &[("ADMIN_PASSWORD", ""), ("ADMIN_PASSWORD_FILE", "/nowhere/at/all")],
            "ADMIN_PASSWORD_FILE='/nowhere/at/all': ",
            "No such file",
        ),
    ] {
        let program = settings
            .iter()
            .fold(Program::of("session_db_auth"), |program, (k, v)| program.set(k, v));
        let line = one_line(&failed(&program), 2);
        assert!(line.starts_with(begins) && line.contains(says), "{line} / {begins}{says}");
        assert!(!program.data().exists(), "{settings:?}");
        for (_, value) in
            settings.iter().filter(|(name, _)| ["ADMIN_PASSWORD", "PAGES_KEY"].contains(name))
        {
            assert!(value.is_empty() || !line.contains(value), "a secret in {line}");
        }
    }
}

#[test]
fn a_command_line_that_makes_no_sense_is_one_line() {
    let program = Program::of("session_db_auth");
    for arguments in [
        &["--nonsense"][..],
        &["nonsense"],
        &["import"],
        &["user"],
        &["user", "add"],
        &["user", "add", "bob@example.com", "--role", "root"],
        &["check", "extra"],
        &["--admin-password", "secret of the admin"],
        &["--pages-key", "secret of the pages"],
    ] {
        let output = program.run(arguments, "");
        let line = one_line(&output, 2);
        assert!(!line.is_empty() && !line.contains("secret of"), "{arguments:?}: {line}");
    }
    assert!(!program.data().exists());
}

#[test]
fn the_help_lists_every_setting_with_flag_variable_and_default() {
    let program = Program::of("session_db_auth");
    let output = program.run(&["--help"], "");
    assert!(output.status.success() && output.stderr.is_empty());
    let help = String::from_utf8(output.stdout).unwrap();
    let settings = help.split("\nSettings:\n").nth(1).expect("settings have a heading");
    // One entry per setting: a flag at the beginning of a line, and what follows it.
    let entries: Vec<String> = settings
        .split("\n      --")
        .map(|entry| entry.split_whitespace().collect::<Vec<_>>().join(" "))
        .map(|entry| entry.trim_start_matches('-').to_owned())
        .collect();
    for (name, default, _, _) in SETTINGS {
        let begins = format!("{} <{name}>", flag(name));
        let entry = entries
            .iter()
            .find(|entry| entry.starts_with(&begins[2..]))
            .unwrap_or_else(|| panic!("{name} is not in {help}"));
        assert!(entry.contains(&format!("[env: {name}=")), "{entry}");
        let shown = entry.contains(&format!("[default: {default}]"));
        assert!(shown || default.is_empty(), "{entry}");
    }
    let described = |entry: &&String| entry.starts_with(|c: char| c.is_ascii_lowercase());
    // BACKUP_DIR and ADMIN_PASSWORD_FILE have no bad value of their own.
    assert_eq!(entries.iter().filter(described).count(), SETTINGS.len() + 2, "{entries:?}");
    for more in
        ["ADMIN_PASSWORD,", "PAGES_KEY ", "--admin-password-file", "user", "import", "healthcheck"]
    {
        assert!(help.contains(more), "{more} is not in {help}");
    }
}

#[test]
fn no_output_holds_the_admin_password() {
    let program = Program::of("session_db_auth");
    for arguments in [&["--help"][..], &["-h"], &["--version"], &["check"], &["--nonsense"]] {
        let output = program.run(arguments, "");
        for said in [output.stdout, output.stderr] {
            let said = String::from_utf8(said).unwrap();
            assert!(!said.contains(ADMIN_PASSWORD), "{arguments:?}: {said}");
        }
    }
}

#[test]
fn without_settings_the_default_is_the_durable_kind_on_the_loopback_address() {
    let server = Program::of("x").unset("AUTH_TYPE").start();
    assert!(server.address.ip().is_loopback());
    assert!(server.log()[1].contains("AUTH_TYPE=session_db_auth"), "{:?}", server.log());
    let id = server.admin();
    let server = server.kill().start();
    assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 200);
    assert_eq!(server.get("/api/v1/users/me").send().status, 401);
}

#[test]
fn no_authentication_must_be_asked_for_and_warns() {
    let warned = |server: &Server| server.log().iter().any(|l| l.contains("AUTH_TYPE=none: every"));
    assert!(warned(&Server::of("none")));
    assert!(!warned(&Server::of("auth")));
}

#[test]
fn plain_http_beyond_this_machine_warns() {
    let all = || Program::of("auth").set("API_HOST", "0.0.0.0");
    let warned = |server: &Server| server.log().iter().any(|line| line.contains("plain http on"));
    assert!(warned(&all().start()));
    assert!(!warned(&all().set("PUBLIC_URL", "https://id.example.com").start()));
    assert!(!warned(&Server::of("auth")));
}

#[test]
fn fast_hashes_warn() {
    let warned = |server: &Server| server.log().iter().any(|l| l.contains("UNSAFE_FAST_HASH=1"));
    assert!(warned(&Server::of("auth")));
    assert!(!warned(
        &Program::of("auth").unset("UNSAFE_FAST_HASH").set("BCRYPT_COST", "10").start()
    ));
}

#[test]
fn a_service_without_a_throttle_warns() {
    let warned = |server: &Server| server.log().iter().any(|l| l.contains("LOGIN_THROTTLE=off"));
    assert!(warned(&Program::of("session_auth").set("LOGIN_THROTTLE", "off").start()));
    assert!(!warned(&Server::of("session_auth")));
}

/// The files of a data directory, but for the lock.
fn files(program: &Program) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(program.data())
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.file_name() != ".lock" && entry.path().is_file())
        .map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap()))
        .collect();
    files.sort();
    files
}

/// Without the warning of fast hashes, so that one line is all that there is.
fn quiet(program: Program) -> Program {
    program.unset("UNSAFE_FAST_HASH").set("RUST_LOG", "warn")
}

#[test]
fn a_taken_port_is_one_line_and_the_files_stay() {
    let other = Server::of("auth");
    let (program, _, _) = Server::of("session_db_auth").stop();
    let program = quiet(program).set("API_PORT", &other.address.port().to_string());
    let before = files(&program);
    let line = one_line(&failed(&program), 1);
    assert!(line.contains(&other.address.to_string()) && line.contains("in use"), "{line}");
    assert_eq!(files(&program), before);
    let fresh = quiet(Program::of("auth")).set("API_PORT", &other.address.port().to_string());
    one_line(&failed(&fresh), 1);
    let users = files(&fresh);
    assert!(users.is_empty(), "no user was made: {users:?}");
}

#[test]
fn a_taken_port_leaves_the_files_of_a_crash_as_they_are() {
    let other = Server::of("auth");
    let server = Server::of("session_db_auth");
    let id = server.admin();
    let program = server.kill();
    let taken = quiet(program.clone()).set("API_PORT", &other.address.port().to_string());
    let before = files(&program);
    assert!(before.iter().any(|(name, _)| name == "UserSession.journal"), "{before:?}");
    one_line(&failed(&taken), 1);
    assert_eq!(files(&program), before);
    let server = program.start();
    assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 200);
}

#[test]
fn a_data_directory_that_cannot_be_used_is_one_line() {
    let folder = Program::of("auth");
    let at = |path: &str| {
        let path = folder.folder().join(path).display().to_string();
        (quiet(folder.clone()).set("DATA_DIR", &path), path)
    };
    fs::write(folder.folder().join("file"), "x").unwrap();
    for path in ["file", "missing/data", "file/data"] {
        let (program, path) = at(path);
        let line = one_line(&failed(&program), 1);
        assert!(line.starts_with(&format!("{path}: ")), "{line}");
    }
    assert!(!folder.folder().join("missing").exists());
    assert_eq!(fs::read(folder.folder().join("file")).unwrap(), b"x");
}

#[test]
fn a_directory_that_everybody_may_write_to_is_refused() {
    use std::os::unix::fs::PermissionsExt as _;
    let (program, _, _) = Server::of("session_db_auth").stop();
    fs::set_permissions(program.data(), fs::Permissions::from_mode(0o777)).unwrap();
    let line = one_line(&failed(&quiet(program.clone())), 1);
    assert!(line.contains("chmod o-w"), "{line}");
    fs::set_permissions(program.data(), fs::Permissions::from_mode(0o700)).unwrap();
    program.start();
}

#[test]
fn a_data_directory_that_a_server_holds_is_one_line_and_stays_as_it_is() {
    let server = Server::of("session_db_auth");
    let id = server.admin();
    let second = quiet(server.program().clone());
    let before = files(&second);
    let line = one_line(&failed(&second), 1);
    let expected = format!("{}: in use by another sessiond process", server.data().display());
    assert_eq!(line, expected);
    assert_eq!(files(&second), before);
    assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 200);
}

#[test]
fn a_damaged_file_is_one_line_with_its_place_and_stays_as_it_is() {
    for (file, content, place) in [
        ("User.json", &b""[..], "line 1"),
        ("User.json", b"{", "line 1"),
        ("User.json", b"[]\n", "line 1"),
        ("User.json", b"{\n\"x\": {}\n}\n", "line 2"),
        ("User.json", b"{}\n{}\n", "line 2"),
        ("User.json", b"\xff\xfe\x00", "line 1"),
        ("UserSession.json", b"not json", "line 1"),
        ("UserSession.json", b"{\"\": 1}", "line 1"),
        ("User.journal", b"something else\n", "line 1"),
        ("User.journal", b"sessiond journal 1 User\nx\n", "line 2"),
        ("User.journal", b"sessiond journal 1 User\n0123456789abcdef [{\"put\":{}}]\n", "line 2"),
        ("UserSession.journal", b"sessiond journal 1 User\n", "line 1"),
        ("User.journal.folding", b"sessiond journal 1 User\ntorn", "last 4 bytes"),
    ] {
        let (program, _, _) = Server::of("session_db_auth").stop();
        let program = quiet(program);
        fs::write(program.data().join(file), content).unwrap();
        let before = files(&program);
        let line = one_line(&failed(&program), 1);
        let name = program.data().join(file).display().to_string();
        assert!(line.starts_with(&format!("{name}: damaged: ")), "{line}");
        assert!(line.contains(place), "{line} does not name {place}");
        assert_eq!(files(&program), before, "{file}");
        let checked = program.run(&["check"], "");
        assert_eq!(checked.status.code(), Some(1), "check sees it too");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_one_line() {
    let (program, _, _) = Server::of("session_db_auth").stop();
    fs::remove_file(program.data().join("User.json")).unwrap();
    fs::create_dir(program.data().join("User.json")).unwrap();
    let line = one_line(&failed(&quiet(program.clone())), 1);
    assert!(line.contains("User.json: "), "{line}");
}

#[test]
fn a_host_that_is_no_address_of_this_machine_is_a_bad_setting() {
    for host in ["nohost.invalid", "256.1.1.1"] {
        let program = Program::of("session_db_auth").set("API_HOST", host);
        assert_refused(&program, "API_HOST", host, "must be an IP address");
        let line = one_line(&program.run(&["check"], ""), 2);
        assert!(line.starts_with(&format!("API_HOST='{host}': ")), "{line}");
        assert!(!program.data().exists());
    }
}

#[test]
fn data_files_that_others_may_read_are_closed_to_them_at_start() {
    use std::os::unix::fs::PermissionsExt as _;
    // Killed, it leaves journals; stopped, it leaves none.
    for end in [|server: Server| server.kill(), |server: Server| server.stop().0] {
        let server = Server::of("session_db_auth");
        server.admin();
        let program = end(server);
        let files = || -> Vec<_> {
            let all = fs::read_dir(program.data()).unwrap().map(|entry| entry.unwrap().path());
            all.filter(|path| !path.ends_with(".lock")).collect()
        };
        assert!(files().len() >= 2, "{:?}", files());
        for file in files() {
            fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        }
        let server = program.clone().start();
        server.admin();
        for file in files() {
            let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode, 0o600, "{}", file.display());
        }
    }
}
