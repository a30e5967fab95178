//! What fails, and what happens then.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::{fs, thread};

use actix_web::web;
use serde_json::json;
use sessiond::config::Config;
use sessiond::server::{self, Traffic};

use super::{BOB, WRONG};
use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Client, NO_SESSION, PASSWORD, Program, Server, TempDir, block_on,
};
use crate::{faults, files};

/// A server whose sessions cannot be written: where the journal should be there is a folder.
fn without_sessions() -> Server {
    let server = Server::of("session_db_auth");
    fs::create_dir(server.data().join("UserSession.journal")).unwrap();
    server
}

pub fn failing_disks_are_logged() {
    let server = without_sessions();
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send();
    login.assert_error(503, "Service unavailable");
    let line = server.wait_for(" ERROR ");
    assert!(line.contains("UserSession.journal: Is a directory"), "{line}");
    assert!(!login.body.contains("journal"), "{login:?}");
}

pub fn bad_certificates_are_logged() {
    let (program, pair) = Program::of("session_db_auth").over_tls();
    let server = program.start();
    fs::write(&pair.key, "nothing").unwrap();
    server.signal("HUP");
    let line = server.wait_for(" ERROR ");
    assert!(line.contains("TLS_KEY=") && line.contains("stays in force"), "{line}");
    pair.client(&server).admin();
}

pub fn failures_are_generic() {
    let (server, disk, random) = faults::fallible(&[]);
    let admin = server.admin();
    let user = json!({ "email": BOB, "password": PASSWORD });
    for fault in [&disk, &random] {
        fault.set(true);
        for request in [
            server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]),
            server.post("/api/v1/users").session(&admin).json(&user),
            server.post("/api/v1/auth_session/refresh").session(&admin),
        ] {
            let answer = request.send();
            answer.assert_error(503, "Service unavailable");
            assert!(!format!("{answer:?}").contains(faults::CAUSE), "{answer:?}");
        }
        fault.set(false);
    }
}

pub fn errors_repeat_nothing() {
    let server = Server::of("session_db_auth");
    let id = server.admin();
    let odd = "<script>odd-77</script>";
    for request in [
        server.get(&format!("/api/v1/users/{}", "odd-77")).session(&id),
        server.get("/odd-77"),
        server.get("/api/v1/odd-77").session(&id),
        server.post("/api/v1/users").session(&id).body("application/json", format!("{{\"{odd}\":")),
        server.post("/api/v1/users").session(&id).json(&json!({ "email": odd, "password": odd })),
        server.post("/api/v1/auth_session/login").body("text/odd-77", odd),
        server.login(&[("email", odd), ("password", odd)]),
        server.get("/api/v1/users").session("odd-77"),
        server.get("/api/v1/users").header("Authorization", "Basic odd-77"),
        server.request("ODD77", "/api/v1/users").session(&id),
    ] {
        let answer = request.send();
        assert!((400..500).contains(&answer.status), "{answer:?}");
        assert!(!answer.body.to_lowercase().contains("odd"), "{answer:?}");
        let told = ["src/", ".rs", "panicked", "line ", "column", "/data", "serde", "at "];
        assert!(!told.iter().any(|trace| answer.body.contains(trace)), "{answer:?}");
        assert!(answer.json()["error"].is_string(), "{answer:?}");
    }
}

pub fn reading_goes_on() {
    let (server, disk, _) = faults::fallible(&[]);
    let admin = server.admin();
    let read = |path: &str| {
        let answer = server.get(path).session(&admin).send();
        (answer.status, answer.body)
    };
    let paths = ["/api/v1/users", "/api/v1/users/me", "/api/v1/stats", "/api/v1/users/me/sessions"];
    let before = paths.map(|path| read(path).0);
    assert_eq!(before, [200; 4]);
    disk.set(true);
    let user = json!({ "email": BOB, "password": PASSWORD });
    let create = || server.post("/api/v1/users").session(&admin).json(&user).send();
    assert_eq!(create().status, 503);
    assert_eq!(paths.map(|path| read(path).0), [200; 4]);
    assert_eq!(read("/api/v1/stats").1, r#"{"users":1}"#);
    server.get("/api/v1/status").send().assert_is(200, r#"{"status":"OK"}"#);
    disk.set(false);
    assert_eq!(create().status, 201, "and all goes on without a restart");
}

pub fn a_full_log_stops_nothing() {
    let program = Program::of("session_db_auth").set("AUDIT_FILE", "/dev/full");
    let server = program.start();
    let id = server.admin();
    server
        .login(&[("email", ADMIN), ("password", WRONG)])
        .send()
        .assert_error(401, "wrong email or password");
    assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 200);
    assert_eq!(server.get("/api/v1/users/me").session(NO_SESSION).send().status, 403);
    let (.., log) = server.stop();
    let failures = log.iter().filter(|line| line.contains("AUDIT_FILE='/dev/full'"));
    assert_eq!(failures.count(), 1, "it is told once: {log:?}");
}

/// Starts the program and goes away from its log, as a broken pipe does.
#[expect(clippy::disallowed_methods, reason = "tests start the program")]
pub fn a_closed_log_stops_nothing() {
    let folder = TempDir::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_sessiond"))
        .env_clear()
        .envs([("API_PORT", "0"), ("UNSAFE_FAST_HASH", "1")])
        .envs([("ADMIN_EMAIL", ADMIN), ("ADMIN_PASSWORD", ADMIN_PASSWORD)])
        .env("DATA_DIR", folder.data())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
    let mut address = None;
    for line in lines {
        if let Some((_, rest)) = line.split_once("listening on http://") {
            address = rest.split(',').next().unwrap().parse().ok();
        }
        if line.contains("data in ") {
            break;
        }
    }
    let client = Client::at(address.unwrap());
    let id = client.admin();
    for _ in 0..3 {
        assert_eq!(client.get("/api/v1/users/me").session(&id).send().status, 200);
        assert_eq!(client.get("/api/v1/users/me").session(NO_SESSION).send().status, 403);
    }
    assert!(child.try_wait().unwrap().is_none(), "it goes on");
    child.kill().unwrap();
    child.wait().unwrap();
}

pub fn failures_let_nobody_in() {
    let (server, disk, _) = faults::fallible(&[]);
    let admin = server.admin();
    let bob = json!({ "email": BOB, "password": PASSWORD });
    let bob = server.post("/api/v1/users").session(&admin).json(&bob).send().json();
    let path = format!("/api/v1/users/{}", bob["id"].as_str().unwrap());
    let session = server.log_in(BOB, PASSWORD);
    let other = server.log_in(BOB, PASSWORD);
    let change = json!({ "current_password": PASSWORD, "new_password": "a new password 3" });
    disk.set(true);
    for request in [
        server.login(&[("email", BOB), ("password", PASSWORD)]),
        server.post("/api/v1/auth_session/refresh").session(&session),
        server
            .post("/api/v1/auth_session/reauth")
            .session(&session)
            .form(&[("password", PASSWORD)]),
        server.put("/api/v1/users/me/password").session(&session).json(&change),
        server.put(&path).session(&admin).json(&json!({ "role": "admin" })),
        server.put(&path).session(&admin).json(&json!({ "disabled": true })),
        server.delete(&path).session(&admin),
        server.delete("/api/v1/auth_session/logout").session(&session),
    ] {
        let answer = request.send();
        answer.assert_error(503, "Service unavailable");
        assert_eq!(answer.header("set-cookie"), None, "{answer:?}");
    }
    disk.set(false);
    // All of it did not happen: who was in is in, by what he had, and nobody is more than he was.
    let me = |session: &str| server.get("/api/v1/users/me").session(session).send();
    assert_eq!(me(&session).json(), bob);
    assert_eq!(me(&other).json(), bob);
    server
        .login(&[("email", BOB), ("password", "a new password 3")])
        .send()
        .assert_error(401, "wrong email or password");
    assert_eq!(server.get("/api/v1/users").session(&session).send().status, 403);
    assert_eq!(server.delete("/api/v1/auth_session/logout").session(&session).send().status, 200);
    assert_eq!(me(&session).status, 403);
}

pub fn damage_is_a_refusal() {
    let server = Server::of("session_db_auth");
    let id = server.admin();
    let program = server.kill();
    let journal = program.data().join("UserSession.journal");
    let sound = fs::read_to_string(&journal).unwrap();
    // A session of one's own making, a line that is gone, a bit that has flipped.
    let lines: Vec<&str> = sound.lines().collect();
    let without_first = format!("{}\n{}\n", lines[0], lines[1..].join("\n").replacen('0', "1", 1));
    for damaged in [format!("{sound}{}\n", lines[1]), without_first, sound.replace("false", "true")]
    {
        fs::write(&journal, &damaged).unwrap();
        let (status, log) = program.clone().try_start().err().expect("it does not start");
        assert_eq!(status.code(), Some(1));
        assert!(log.last().unwrap().contains("UserSession.journal: damaged: line "), "{log:?}");
        assert_eq!(fs::read_to_string(&journal).unwrap(), damaged, "nothing has been changed");
    }
    fs::write(&journal, sound).unwrap();
    assert_eq!(program.start().get("/api/v1/users/me").session(&id).send().status, 200);
}

async fn panics() -> &'static str {
    panic!("this is meant to be")
}

pub fn a_panic_is_an_answer() {
    let config = Config::from_arguments(&["--api-port", "0", "--workers", "1"]).unwrap();
    let (sender, started) = mpsc::channel();
    let running = thread::spawn(move || {
        block_on(async move {
            let routes = |routes: &mut web::ServiceConfig| {
                routes.route("/panic", web::get().to(panics));
                routes.route("/fine", web::get().to(|| async { "fine" }));
            };
            let bound = server::bind(&config, &Traffic::default(), routes, |_| {}).unwrap();
            let address = bound.addresses()[0];
            let server = bound.into_server();
            sender.send((address, server.handle())).unwrap();
            server.await.unwrap();
        });
    });
    let (address, handle) = started.recv().unwrap();
    let client = Client::at(address);
    for _ in 0..3 {
        let answer = client.get("/panic").send();
        answer.assert_error(500, "Internal server error");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(client.get("/fine").send().status, 200);
    }
    block_on(handle.stop(true));
    running.join().unwrap();
    // What it was goes to the log, as a line like any other (tests/suite/panics.rs).
    let logging = files::read("src/server/logging.rs");
    assert!(logging.contains("log::error!(\"panic at {place}: {what}\");"));
    assert!(!files::read("Cargo.toml").contains("panic = \"abort\""));
}
