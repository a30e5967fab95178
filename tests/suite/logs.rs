//! The log: one line per request, and nothing in it that is secret.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::{ADMIN, ADMIN_PASSWORD, PASSWORD, Program, Server};

/// The lines about requests, once as many as these are there.
fn requests(server: Server, count: usize) -> Vec<String> {
    let (.., log) = server.stop();
    let of_request =
        |line: &String| line.contains(" INFO  request ") || line.contains("\"request\"");
    let lines: Vec<String> = log.into_iter().filter(of_request).collect();
    assert_eq!(lines.len(), count, "{lines:?}");
    lines
}

#[test]
fn a_request_is_one_line_of_text() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let me = server.get("/api/v1/users/me").session(&admin).header("X-Request-Id", "a-1");
    let id = me.send().json()["id"].as_str().unwrap().to_owned();
    server.get("/api/v1/users?email=secret@example.com#x").send();
    server.request("PATCH", "/nothing").send();
    server.get("/api//v1").send();
    let lines = requests(server, 5);
    for (line, parts) in lines.iter().zip([
        [
            "method=POST path=/api/v1/auth_session/login status=200 ms=",
            &format!(" user={id} request_id="),
        ],
        ["method=GET path=/api/v1/users/me status=200 ms=", &format!(" user={id} request_id=a-1")],
        ["method=GET path=/api/v1/users status=401 ms=", " user=- request_id="],
        ["method=PATCH path=/nothing status=404 ms=", " user=- request_id="],
        ["method=GET path=/api//v1 status=400 ms=", " user=- request_id="],
    ]) {
        let (time, rest) = line.split_at(24);
        assert!(time.ends_with('Z') && rest.starts_with(" INFO  request "), "{line}");
        assert!(parts.iter().all(|part| line.contains(part)), "{line}");
        assert!(line.ends_with(" client=127.0.0.1") && !line.contains("secret"), "{line}");
    }
}

#[test]
fn a_line_is_an_object_where_json_is_asked_for() {
    let server = Program::of("session_db_auth").set("LOG_FORMAT", "json").start();
    server.get("/api/v1/users?x=secret").header("X-Request-Id", "a-1").send();
    let (.., log) = server.stop();
    let lines: Vec<Value> = log.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    for line in &lines {
        assert!(line["time"].as_str().unwrap().ends_with('Z'), "{line}");
        assert!(["info", "warn"].contains(&line["level"].as_str().unwrap()), "{line}");
        assert!(line["message"].is_string() && line["target"].is_string(), "{line}");
    }
    let request = lines.iter().find(|line| line["message"] == "request").unwrap();
    for (key, value) in [
        ("method", json!("GET")),
        ("path", json!("/api/v1/users")),
        ("status", json!(401)),
        ("user", json!("-")),
        ("request_id", json!("a-1")),
        ("client", json!("127.0.0.1")),
    ] {
        assert_eq!(request[key], value, "{request}");
    }
    assert!(request["ms"].is_number());
}

#[test]
fn a_failed_login_says_why_in_the_log_and_not_to_whom() {
    let server = Server::of("session_db_auth");
    server.login(&[("email", "nobody@example.com"), ("password", PASSWORD)]).send();
    server.login(&[("email", ADMIN), ("password", PASSWORD)]).send();
    let (.., log) = server.stop();
    let refused: Vec<_> = log.iter().filter(|line| line.contains("authn_login_fail")).collect();
    assert!(refused[0].contains("unknown user") && refused[1].contains("wrong password"));
    assert!(!log.iter().any(|line| line.contains("nobody@example.com")), "{log:?}");
}

#[test]
fn nobody_can_write_a_line_of_his_own() {
    let server = Server::of("session_db_auth");
    for path in ["/a%0d%0aERROR%20forged", "/a\u{2028}ERROR forged"] {
        server.get(path).send();
    }
    let forged = "x\tERROR forged";
    server.get("/b").header("X-Request-Id", forged).header("User-Agent", forged).send();
    server.login(&[("email", "a\r\nERROR forged@x"), ("password", "a\r\nERROR forged")]).send();
    let (.., log) = server.stop();
    let levels = ["INFO ", "WARN "];
    for line in &log {
        assert!(levels.iter().any(|level| line[25..].starts_with(level)), "{line}");
        assert!(!line.contains("ERROR f"), "{line}");
    }
}

/// A run through everything that takes secrets, with good and bad ones. Returns the log, and all
/// secrets.
pub fn scripted_run(program: Program, new_password: &str) -> (Vec<String>, Vec<String>) {
    let server = program.start();
    let mut secrets = vec![ADMIN_PASSWORD.to_owned(), PASSWORD.into(), new_password.to_owned()];
    let body = json!({ "email": "bob@example.com", "password": new_password });
    let sessions = server.program().auth_type() != "basic_auth";
    if sessions {
        for _ in 0..2 {
            secrets.push(server.admin());
        }
    }
    let junk = "Zm9vYmFyYmF6cXV4Zm9vYmFyYmF6cXV4Zm9vYmFyYmF";
    secrets.push(junk.into());
    let created = server.by_admin(server.post("/api/v1/users")).json(&body).send();
    assert_eq!(created.status, 201);
    let path = format!("/api/v1/users/{}", created.json()["id"].as_str().unwrap());
    let wrong = "wrong secret 77";
    secrets.push(wrong.into());
    let pairs = [(ADMIN, ADMIN_PASSWORD), ("bob@example.com", new_password), (ADMIN, wrong)];
    for (email, password) in pairs {
        secrets.push(STANDARD.encode(format!("{email}:{password}")));
        server.get("/api/v1/users/me").basic(email, password).send();
        server.login(&[("email", email), ("password", password)]).send();
        let json = json!({ "email": email, "password": password });
        server.post("/api/v1/auth_session/login").json(&json).send();
        server
            .post("/api/v1/auth_session/login")
            .body("application/json", format!("{json}x"))
            .send();
        server.post("/api/v1/auth_session/login").body("text/plain", json.to_string()).send();
        server
            .get(&format!("/api/v1/users?password={wrong}&session={junk}").replace(' ', "+"))
            .send();
    }
    for request in [
        server.get("/api/v1/users").session(junk),
        server.get("/api/v1/users").bearer(junk),
        server.get("/api/v1/users").session(junk).session(junk),
        server.get("/api/v1/users").header("Authorization", &format!("Basic {junk}=")),
        server.put(&path).session(junk).header("Origin", "https://evil.example"),
    ] {
        request.send();
    }
    for request in [server.put(&path), server.delete(&path)] {
        server.by_admin(request).json(&json!({ "password": new_password })).send();
    }
    let mut id = None;
    if sessions {
        let first = server.admin();
        let renewed = server.post("/api/v1/auth_session/refresh").session(&first).send();
        let renewed = renewed.session_id().unwrap();
        let reauth = |password| {
            let request = server.post("/api/v1/auth_session/reauth").session(&renewed);
            request.form(&[("password", password)]).send().session_id()
        };
        assert_eq!(reauth(wrong), None);
        id = reauth(ADMIN_PASSWORD);
        secrets.extend([first, renewed.clone(), id.clone().unwrap()]);
    }
    for (current, new) in [(wrong, "third secret 9"), (ADMIN_PASSWORD, "third secret 9")] {
        let request = server.put("/api/v1/users/me/password");
        let request = match &id {
            Some(id) => request.session(id),
            None => request.basic(ADMIN, ADMIN_PASSWORD),
        };
        let changed = request.json(&json!({ "current_password": current, "new_password": new }));
        let changed = changed.send();
        assert_eq!(changed.status, if current == wrong { 403 } else { 200 }, "{}", changed.body);
        secrets.push(new.into());
        secrets.extend(changed.session_id());
        id = changed.session_id().or(id);
    }
    if let Some(id) = id {
        assert_eq!(server.delete("/api/v1/auth_session/logout").session(&id).send().status, 200);
    }
    let (.., log) = server.stop();
    assert!(log.len() > 20, "{log:?}");
    (log, secrets)
}

#[test]
fn no_secret_is_in_the_log_of_a_whole_run_at_any_level() {
    for kind in ["session_db_auth", "session_auth", "basic_auth"] {
        for (level, format) in [("info", "text"), ("info", "json"), ("trace", "text")] {
            let program = Program::of(kind).set("RUST_LOG", level).set("LOG_FORMAT", format);
            let (log, secrets) = scripted_run(program, "top secret 42");
            for line in &log {
                for secret in &secrets {
                    assert!(!line.contains(secret.as_str()), "{kind} {level}: {secret} in {line}");
                }
                assert!(!line.contains("$2b$"), "{line}");
            }
        }
    }
}

#[test]
fn a_log_that_cannot_be_written_stops_nothing() {
    for streams in ["2>/dev/full", "<&- >&- 2>&-"] {
        let shell = ["sh", "-c", &format!("exec \"$@\" {streams}"), "sh"];
        let server = Program::of("session_db_auth").within(&shell).start_silent();
        server.add_user("bob@example.com");
        let (_, status, log) = server.stop();
        assert!(status.success() && log.is_empty(), "{streams}: {status} {log:?}");
    }
}
