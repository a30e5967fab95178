//! TLS_CERT and TLS_KEY: what is said of a bad pair, and how a new one comes into force.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use rcgen::{CertificateParams, date_time_ymd};

use crate::harness::{Client, Connection, Pair, Program, Server};

const STATUS: &str = "GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
const JUNK_CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nanVuaw==\n-----END CERTIFICATE-----\n";
const JUNK_KEY: &str = "-----BEGIN PRIVATE KEY-----\nanVuaw==\n-----END PRIVATE KEY-----\n";
const LOCKED_KEY: &str =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\nanVuaw==\n-----END ENCRYPTED PRIVATE KEY-----\n";

/// Spoils a good pair of this program.
type Spoil = fn(&Program, &Pair);

/// How a pair can be bad, the setting that is named, and what is said of it.
const BAD: &[(Spoil, &str, &str)] = &[
    (|_, pair| fs::remove_file(&pair.cert).unwrap(), "TLS_CERT", "No such file"),
    (|_, pair| directory(&pair.cert), "TLS_CERT", "is no regular file"),
    (|_, pair| write(&pair.cert, ""), "TLS_CERT", "a certificate: has none"),
    (|_, pair| write(&pair.cert, "junk\n\0\u{e4}"), "TLS_CERT", "a certificate: has none"),
    (|_, pair| write(&pair.cert, &read(&pair.key)), "TLS_CERT", "a certificate: has none"),
    (|_, pair| write(&pair.cert, &read(&pair.cert)[..200]), "TLS_CERT", "certificate: is damaged"),
    (|_, pair| write(&pair.cert, JUNK_CERTIFICATE), "TLS_CERT", "X.509, version 3"),
    (|program, pair| replace(program, pair, expired), "TLS_CERT", "expired at 2020-01-02T00:00:00"),
    (|program, pair| replace(program, pair, future), "TLS_CERT", "not valid before 3000-01-02T00"),
    (|_, pair| fs::remove_file(&pair.key).unwrap(), "TLS_KEY", "No such file"),
    (|_, pair| directory(&pair.key), "TLS_KEY", "is no regular file"),
    (|_, pair| endless(&pair.cert), "TLS_CERT", "is no regular file"),
    (|_, pair| write(&pair.key, &"x".repeat(1_048_577)), "TLS_KEY", "at most 1048576 bytes"),
    (|_, pair| write(&pair.key, ""), "TLS_KEY", "private key without a passphrase: has none"),
    (|_, pair| write(&pair.key, &read(&pair.cert)), "TLS_KEY", "without a passphrase: has none"),
    (|_, pair| write(&pair.key, &read(&pair.key)[..100]), "TLS_KEY", "is damaged"),
    (|_, pair| write(&pair.key, LOCKED_KEY), "TLS_KEY", "without a passphrase: has none"),
    (|_, pair| write(&pair.key, JUNK_KEY), "TLS_KEY", "P-256, P-384 or Ed25519"),
    (|_, pair| mode(&pair.key, 0o604), "TLS_KEY", "has mode 604: must be closed to others"),
    (|_, pair| mode(&pair.key, 0o602), "TLS_KEY", "has mode 602: must be closed to others"),
    (|program, pair| write(&pair.key, &read(&another(program).key)), "TLS_KEY", "is not the key"),
    (|program, pair| write(&pair.cert, &read(&another(program).cert)), "TLS_KEY", "is not the key"),
];

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

/// Writes to a file, whose mode stays.
fn write(path: &Path, content: &str) {
    fs::write(path, content).unwrap();
}

fn directory(path: &Path) {
    fs::remove_file(path).unwrap();
    fs::create_dir(path).unwrap();
    mode(path, 0o700);
}

/// What can be read for ever.
fn endless(path: &Path) {
    fs::remove_file(path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", path).unwrap();
}

fn mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn another(program: &Program) -> Pair {
    Pair::of(program, "another")
}

fn replace(program: &Program, pair: &Pair, change: fn(&mut CertificateParams)) {
    Pair::with(program, "another", change).replace(pair);
}

fn expired(certificate: &mut CertificateParams) {
    certificate.not_after = date_time_ymd(2020, 1, 2);
}

fn future(certificate: &mut CertificateParams) {
    certificate.not_before = date_time_ymd(3000, 1, 2);
}

#[test]
fn a_bad_pair_is_one_line_at_start_that_names_it_and_nothing_is_touched() {
    for (spoil, setting, says) in BAD {
        let (program, pair) = Program::of("session_db_auth").over_tls();
        spoil(&program, &pair);
        let file = if *setting == "TLS_KEY" { &pair.key } else { &pair.cert };
        let begins = format!("sessiond: {setting}='{}': ", file.display());
        let Err((status, log)) = program.clone().try_start() else { panic!("started: {says}") };
        let [line] = log.as_slice() else { panic!("not one line: {log:?}") };
        assert!(line.starts_with(&begins) && line.contains(says), "{line} / {begins}{says}");
        assert_eq!(status.code(), Some(2), "{line}");
        assert!(!program.data().exists(), "{line}");
        let checked = program.run(&["check"], "");
        assert_eq!(checked.status.code(), Some(2), "{checked:?}");
        assert_eq!(String::from_utf8(checked.stderr).unwrap().trim_end(), line);
        assert!(checked.stdout.is_empty() && !program.data().exists(), "{line}");
    }
}

/// A connection on which a first request has been answered.
fn open(client: &Client) -> Connection {
    let mut connection = client.connect();
    assert_answered(&mut connection);
    connection
}

#[track_caller]
fn assert_answered(connection: &mut Connection) {
    connection.write(STATUS);
    assert_eq!(connection.answer().map(|answer| answer.status), Some(200));
}

fn errors(log: &[String]) -> Vec<&String> {
    log.iter().filter(|line| line.contains(" ERROR ")).collect()
}

#[test]
fn a_bad_pair_on_sighup_is_one_line_in_the_log_and_the_old_one_stays() {
    for (spoil, setting, says) in BAD {
        let (program, pair) = Program::of("session_db_auth").over_tls();
        let server = program.start();
        let client = pair.client(&server);
        let mut kept = open(&client);
        spoil(server.program(), &pair);
        server.signal("HUP");
        let line = server.wait_for("stays in force");
        assert!(line.contains(&format!(" ERROR {setting}='")) && line.contains(says), "{line}");
        assert_answered(&mut kept);
        open(&client);
        // Never without TLS.
        let mut plain = server.connect();
        plain.write(STATUS);
        assert!(!String::from_utf8_lossy(&plain.rest()).contains("HTTP"));
        let (_, status, log) = server.stop();
        assert!(status.success(), "{log:?}");
        assert_eq!(errors(&log), [&line]);
    }
}

#[test]
fn a_new_pair_counts_from_sighup_on_and_open_connections_go_on() {
    let (program, pair) = Program::of("session_db_auth").over_tls();
    let server = program.start();
    let new = another(server.program());
    let (old_client, new_client) = (pair.client(&server), new.client(&server));
    let mut kept = open(&old_client);
    new.replace(&pair);
    // Nothing happens before it is asked for.
    open(&old_client);
    new_client.connect().handshake().unwrap_err();
    server.signal("HUP");
    server.wait_for(&format!("TLS_CERT='{}': read anew", pair.cert.display()));
    open(&new_client);
    // This one has a session of before, which would spare it the new certificate.
    let refused = old_client.connect().handshake().map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("certificate"), "{refused}");
    assert_answered(&mut kept);
    // After a bad pair the newest good one stays in force, and a good one can still follow.
    write(&pair.key, "");
    server.signal("HUP");
    server.wait_for("stays in force");
    open(&new_client);
    let third = Pair::of(server.program(), "third");
    third.replace(&pair);
    mode(&pair.key, 0o640);
    server.signal("HUP");
    server.wait_for("its group may read or write it");
    open(&third.client(&server));
    assert_answered(&mut kept);
    let (_, _, log) = server.stop();
    assert_eq!(errors(&log).len(), 1, "{log:?}");
}

#[test]
fn a_key_that_its_group_may_use_is_warned_of() {
    let (program, pair) = Program::of("auth").over_tls();
    let warnings = |program: Program| {
        let log = program.start().log();
        log.iter().filter(|line| line.contains("its group may read or write it")).count()
    };
    assert_eq!(warnings(program.clone()), 0);
    mode(&pair.key, 0o640);
    assert_eq!(warnings(program), 1);
}

#[test]
fn a_certificate_and_its_key_may_be_in_one_file_in_either_order() {
    for key_first in [false, true] {
        let (program, pair) = Program::of("auth").over_tls();
        let (cert, key) = (read(&pair.cert), read(&pair.key));
        let both = if key_first { format!("{key}\n{cert}") } else { format!("{cert}{key}") };
        write(&pair.key, &both);
        let server = program.set_os("TLS_CERT", pair.key.as_os_str()).start();
        open(&pair.client(&server));
    }
}

#[test]
fn without_a_pair_sighup_changes_nothing() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    server.signal("HUP");
    server.wait_for("reloading");
    assert_eq!(server.get("/api/v1/users/me").session(&admin).send().status, 200);
    assert!(errors(&server.log()).is_empty());
}
