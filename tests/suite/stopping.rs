//! How a server ends: asked to, asked twice, or killed.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use serde_json::{Map, Value};

use crate::harness::{ADMIN, ADMIN_PASSWORD, Client, Connection, Program, Server};

/// A login that the server has begun to answer, and the rest of its body.
fn begun(server: &Server) -> (Connection, String) {
    let body = format!("email={ADMIN}&password={}", ADMIN_PASSWORD.replace(' ', "+"));
    let mut connection = server.connect();
    connection.write(format!(
        "POST /api/v1/auth_session/login HTTP/1.1\r\nHost: {}\r\nExpect: 100-continue\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n",
        server.address,
        body.len()
    ));
    assert_eq!(connection.answer().unwrap().status, 100, "the server waits for the body");
    (connection, body)
}

/// Holds that there are no journals any more.
#[track_caller]
fn assert_folded(program: &Program) {
    let entries = std::fs::read_dir(program.data()).unwrap();
    let names: Vec<_> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(names.iter().any(|name| name == "User.json"), "{names:?}");
    assert!(!names.iter().any(|name| name.contains("journal")), "{names:?}");
}

#[test]
fn a_stop_lets_requests_finish_and_folds_the_journals() {
    for signal in ["TERM", "INT"] {
        // With real hashes a login takes longer than a stop that does not wait for it.
        let program = Program::of("session_db_auth").unset("UNSAFE_FAST_HASH");
        let server = program.set("SHUTDOWN_TIMEOUT", "300").start();
        let (mut connection, body) = begun(&server);
        server.signal(signal);
        server.wait_for("stopping");
        connection.write(body);
        let answer = connection.answer().unwrap();
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")), "{signal}");
        let id = answer.session_id().unwrap();
        let (program, status, log) = server.ended();
        assert!(status.success(), "{signal}: {status}");
        assert!(!log.iter().any(|line| line.contains("unanswered")), "{log:?}");
        assert_folded(&program);
        let server = program.start();
        assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 200);
    }
}

#[test]
fn a_signal_right_after_the_start_is_a_stop_like_any_other() {
    for signal in ["TERM", "INT", "TERM", "INT", "TERM", "INT"] {
        let server = Server::of("session_db_auth");
        server.signal(signal);
        let (program, status, _) = server.ended();
        assert!(status.success(), "{signal}: {status}");
        assert_folded(&program);
    }
}

#[test]
fn a_stop_does_not_wait_for_connections_that_ask_nothing() {
    let server = Program::of("session_db_auth").set("SHUTDOWN_TIMEOUT", "300").start();
    let _idle = server.connect();
    let mut kept = server.connect();
    kept.write(format!("GET /api/v1/status HTTP/1.1\r\nHost: {}\r\n\r\n", server.address));
    assert_eq!(kept.answer().unwrap().status, 200);
    let mut half = server.connect();
    half.write("GET /api/v1/sta");
    let (program, status, log) = server.stop();
    assert!(status.success() && !log.iter().any(|line| line.contains("unanswered")), "{log:?}");
    assert_folded(&program);
}

#[test]
fn a_request_that_never_ends_is_given_up_after_a_while() {
    let program = Program::of("session_db_auth").set("SHUTDOWN_TIMEOUT", "1");
    let server = program.set("BODY_TIMEOUT", "300").start();
    let (_connection, _) = begun(&server);
    let (program, status, log) = server.stop();
    assert!(status.success() && log.iter().any(|line| line.contains("unanswered")), "{log:?}");
    assert_folded(&program);
}

#[test]
fn a_second_signal_does_not_wait() {
    let program = Program::of("session_db_auth").set("SHUTDOWN_TIMEOUT", "20");
    let server = program.set("BODY_TIMEOUT", "300").start();
    let (_connection, _) = begun(&server);
    server.signal("TERM");
    server.wait_for("stopping");
    server.signal("TERM");
    let (program, status, log) = server.ended();
    assert!(status.success(), "{status}");
    assert!(!log.iter().any(|line| line.contains("unanswered")), "{log:?}");
    assert_folded(&program);
    program.start().admin();
}

/// Logs in over and over from several threads until the server is gone, ends it by `end` after
/// some logins were answered, and returns the session ids of all that were.
fn logins_until(server: &Server, end: impl FnOnce()) -> Vec<String> {
    let acknowledged = Mutex::new(Vec::new());
    let (sender, answered) = channel();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            let (sender, acknowledged) = (sender.clone(), &acknowledged);
            scope.spawn(move || {
                let login = || server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
                while let Some(answer) = login().try_send() {
                    assert_eq!(answer.status, 200, "{answer:?}");
                    acknowledged.lock().unwrap().push(answer.session_id().unwrap());
                    let _ = sender.send(());
                }
            });
        }
        answered.iter().take(40).for_each(drop);
        end();
    });
    acknowledged.into_inner().unwrap()
}

#[test]
fn a_kill_under_load_loses_no_login_that_was_answered() {
    let server = Program::of("session_db_auth").set("SESSIONS_PER_USER", "10000").start();
    let ids = logins_until(&server, || server.signal("KILL"));
    let (program, status, _) = server.ended();
    assert!(!status.success());
    let server = program.start();
    assert!(ids.len() >= 40);
    for id in ids {
        assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 200);
    }
}

#[test]
fn a_stop_under_load_answers_or_refuses_and_loses_nothing() {
    let server = Program::of("session_db_auth").set("SESSIONS_PER_USER", "10000").start();
    let ids = logins_until(&server, || server.signal("TERM"));
    let (program, status, log) = server.ended();
    assert!(status.success(), "{log:?}");
    assert_folded(&program);
    let server = program.start();
    for id in ids {
        assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 200);
    }
}

#[test]
fn a_logout_that_was_answered_stays_after_a_kill() {
    let server = Server::of("session_db_auth");
    let (gone, kept) = (server.admin(), server.admin());
    assert_eq!(server.delete("/api/v1/auth_session/logout").session(&gone).send().status, 200);
    let server = server.kill().start();
    assert_eq!(server.get("/api/v1/users/me").session(&gone).send().status, 403);
    assert_eq!(server.get("/api/v1/users/me").session(&kept).send().status, 200);
}

/// Gives the admin so many sessions that a list of them is more than a connection holds.
fn add_sessions(program: &Program) {
    let file = program.data().join("UserSession.json");
    let stored: Map<String, Value> =
        serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let mut sessions = stored.clone();
    let session = stored.values().next().unwrap();
    for number in 0..5_000 {
        let mut session = session.clone();
        let hash = format!("{number:064x}");
        session["hash"] = hash.clone().into();
        session["id"] = format!("{number:08x}-4c46-4e76-9b2e-5f9b2b1d4c11").into();
        session["user_agent"] = "x".repeat(2_000).into();
        sessions.insert(hash, session);
    }
    std::fs::write(file, Value::Object(sessions).to_string()).unwrap();
}

/// Asks for a list of all sessions, stops the server when the answer has begun, and holds that it
/// arrives whole.
fn stop_within_a_large_answer(server: Server, client: &Client) {
    let admin = client.admin();
    let hasty = Program::of("session_db_auth").set("SHUTDOWN_TIMEOUT", "1");
    let hasty = hasty.set("BODY_TIMEOUT", "300").start();
    let _given_up = begun(&hasty);
    let mut connection = client.connect();
    connection.write(format!(
        "GET /api/v1/users/me/sessions HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {admin}\r\n\r\n",
        server.address
    ));
    connection.begun();
    server.signal("TERM");
    server.wait_for("stopping");
    // This stop begins later and gives up; by then one that does not wait for the reader is over.
    hasty.stop();
    let answer = connection.answer().unwrap();
    let length = answer.body.len();
    assert_eq!(answer.status, 200);
    assert!(length > 8 * 1024 * 1024 && answer.body.ends_with("}]"), "{length}");
    let (_, status, log) = server.ended();
    assert_eq!(status.code(), Some(0), "{log:?}");
    assert!(!log.iter().any(|line| line.contains("unanswered")), "{log:?}");
}

#[test]
fn a_stop_sends_all_of_a_large_answer_to_a_slow_reader() {
    let program = Program::of("session_db_auth").set("SHUTDOWN_TIMEOUT", "300");
    let server = program.set("SESSIONS_PER_USER", "10000").start();
    server.admin();
    let (program, _, _) = server.stop();
    add_sessions(&program);
    let server = program.clone().start();
    let client = Client::at(server.address);
    stop_within_a_large_answer(server, &client);
    let (program, pair) = program.over_tls();
    let server = program.start();
    let client = pair.client(&server);
    stop_within_a_large_answer(server, &client);
}
