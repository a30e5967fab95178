//! What is in the files, and who may read them.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use sessiond::clock::{Clock as _, SystemClock, Timestamp};
use sha2::{Digest as _, Sha256};

use crate::harness::{ADMIN, ADMIN_PASSWORD, PASSWORD, Program, Server};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// Everything in a folder, in one text.
fn content(folder: &Path) -> String {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.map(|file| String::from_utf8(fs::read(file).unwrap()).unwrap()).collect()
}

#[test]
fn a_session_id_is_32_random_bytes_and_no_two_are_alike() {
    let server = Server::of("session_db_auth");
    let ids: Vec<String> = (0..20).map(|_| server.admin()).collect();
    for id in &ids {
        assert_eq!(id.len(), 43);
        assert_eq!(URL_SAFE_NO_PAD.decode(id).unwrap().len(), 32, "{id}");
    }
    for place in 0..42 {
        let first = ids[0].as_bytes()[place];
        assert!(ids.iter().any(|id| id.as_bytes()[place] != first), "place {place} never changes");
    }
}

#[test]
fn files_hold_the_hash_of_a_session_id_and_no_secret_in_clear() {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let id = server.log_in("bob@example.com", PASSWORD);
    let raw = URL_SAFE_NO_PAD.decode(&id).unwrap();
    let hash = hex(&Sha256::digest(&id));
    let assert_clean = |folder: &Path| {
        let content = content(folder);
        assert!(content.contains(&hash) && content.contains("bob@example.com"));
        for secret in [id.as_str(), &hex(&raw), &id[..20], PASSWORD, ADMIN_PASSWORD] {
            assert!(!content.contains(secret), "{secret}");
        }
        for secret in [PASSWORD, ADMIN_PASSWORD] {
            assert!(!content.contains(&hex(&Sha256::digest(secret))), "an unsalted hash");
        }
    };
    assert_clean(&server.data());
    let (program, ..) = server.stop();
    assert_clean(&program.data());
    // The hash opens nothing, and neither does the public handle.
    let stored = fs::read_to_string(program.data().join("UserSession.json")).unwrap();
    let stored: Value = serde_json::from_str(&stored).unwrap();
    let handle = stored[&hash]["id"].as_str().unwrap().to_owned();
    assert_eq!(uuid::Uuid::parse_str(&handle).unwrap().get_version_num(), 4);
    let server = program.start();
    for sent in [hash.as_str(), &hash[..43], &handle, &handle.replace('-', "")] {
        assert_eq!(server.get("/api/v1/users/me").session(sent).send().status, 403, "{sent}");
        assert_eq!(server.get("/api/v1/users/me").bearer(sent).send().status, 403, "{sent}");
    }
}

#[test]
fn only_the_owner_may_read_the_files() {
    let server = Server::of("session_db_auth");
    server.admin();
    let assert_private = |folder: &Path| {
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(folder), 0o700);
        let files: Vec<_> = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
        assert!(files.len() >= 3, "{files:?}");
        for file in files {
            assert_eq!(mode(&file), 0o600, "{}", file.display());
        }
    };
    assert_private(&server.data());
    let (program, ..) = server.stop();
    assert_private(&program.data());
}

#[test]
fn times_are_utc_with_milliseconds_on_the_wire_and_in_files() {
    let server = Server::of("session_db_auth");
    let me = server.get("/api/v1/users/me").session(&server.admin()).send().json();
    let (program, ..) = server.stop();
    let of = |file: &str| -> Value {
        serde_json::from_str(&fs::read_to_string(program.data().join(file)).unwrap()).unwrap()
    };
    let (users, sessions) = (of("User.json"), of("UserSession.json"));
    let records = users.as_object().unwrap().values().chain(sessions.as_object().unwrap().values());
    let mut seen = 0;
    for (name, time) in records.chain([&me]).flat_map(|record| record.as_object().unwrap()) {
        if name.ends_with("_at") {
            let time = time.as_str().unwrap();
            let shape: String =
                time.chars().map(|c| if c.is_ascii_digit() { '9' } else { c }).collect();
            assert_eq!(shape, "9999-99-99T99:99:99.999Z", "{name}");
            seen += 1;
        }
    }
    assert_eq!(seen, 7);
}

#[test]
fn the_time_zone_of_the_machine_does_not_matter() {
    let before = SystemClock::new().now();
    for zone in ["Pacific/Kiritimati", "America/Los_Angeles", "XYZ-14"] {
        let program = Program::of("session_db_auth").set("TZ", zone);
        let server = program.set("SESSION_DURATION", "300").start();
        let id = server.admin();
        let me = || server.get("/api/v1/users/me").session(&id).send();
        let created: Timestamp = me().json()["created_at"].as_str().unwrap().parse().unwrap();
        assert!(before <= created && created <= SystemClock::new().now(), "{zone}: {created}");
        let (program, ..) = server.stop();
        let server = program.set("TZ", "UTC").start();
        assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 200, "{zone}");
    }
}

#[test]
fn a_session_is_kept_with_the_address_of_its_peer_whatever_headers_claim() {
    let server = Server::of("session_db_auth");
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
    let login = login
        .header("X-Forwarded-For", "203.0.113.9")
        .header("Forwarded", "for=203.0.113.9")
        .header("X-Real-IP", "203.0.113.9")
        .header("User-Agent", "a browser");
    assert_eq!(login.send().status, 200);
    let (program, ..) = server.stop();
    let stored = content(&program.data());
    assert!(
        stored.contains(r#""client_address":"127.0.0.1","user_agent":"a browser""#),
        "{stored}"
    );
    assert!(!stored.contains("203.0.113.9"), "{stored}");
}

#[test]
fn memory_kinds_keep_sessions_out_of_the_files() {
    for kind in ["session_auth", "session_exp_auth"] {
        let server = Server::of(kind);
        let id = server.admin();
        let (program, ..) = server.stop();
        let content = content(&program.data());
        assert!(content.contains(ADMIN) && !content.contains(&hex(&Sha256::digest(&id))), "{kind}");
    }
}

#[test]
fn parallel_requests_leave_files_that_can_be_read() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let logins: Vec<_> = (0..8)
        .flat_map(|n| {
            let body =
                serde_json::json!({ "email": format!("u{n}@example.com"), "password": PASSWORD });
            [
                server.post("/api/v1/users").session(&admin).json(&body).start(),
                server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).start(),
            ]
        })
        .collect();
    let answers: Vec<_> = logins.into_iter().map(crate::harness::Connection::finish).collect();
    assert!(answers.iter().all(|answer| matches!(answer.status, 200 | 201)), "{answers:?}");
    let server = server.kill().start();
    let statistics = server.get("/api/v1/stats").session(&admin).send();
    assert_eq!(statistics.body, r#"{"users":9}"#);
    for id in answers.iter().filter_map(crate::harness::Answer::session_id) {
        assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 200);
    }
}
