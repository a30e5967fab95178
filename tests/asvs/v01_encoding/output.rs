//! What goes out: answers, records, lines of the log.

use serde_json::{Value, json};

use crate::harness::{Answer, InProcess, PASSWORD, Program, START, Server};

/// Texts that mean something elsewhere.
pub const HOSTILE: &[&str] = &[
    "\"",
    "\\",
    "\\\"",
    "\\u0022",
    "\u{0}",
    "\u{1}\u{1f}\u{7f}",
    "a\r\nb",
    "\u{2028}\u{2029}",
    "\u{202e}gnp.exe",
    "\u{feff}",
    "\u{fffd}\u{10ffff}",
    "</script><script>alert(1)</script>",
    "<!--",
    "{{7*7}}",
    "${jndi:ldap://x}",
    "%s%n%00",
    "' or 1=1 --",
    "=cmd|' /C calc'!A0",
    "../../etc/passwd",
    "null",
    "true",
    "{}",
    "[]",
    "",
    " ",
    "\t",
];

/// An admin's session, and the path of a user whose first name is this.
fn named(server: &InProcess, name: &str) -> (String, String) {
    let admin = server.admin();
    let new = json!({ "email": "bob@example.com", "password": PASSWORD, "first_name": name });
    let made = server.post("/api/v1/users").session(&admin).json(&new).send();
    assert_eq!(made.status, 201, "{made:?}");
    assert_eq!(made.json()["first_name"], name);
    let path = format!("/api/v1/users/{}", made.json()["id"].as_str().unwrap());
    (admin, path)
}

/// As an answer, and as it is read back from the files.
pub fn any_text_comes_back() {
    let server = InProcess::with(&[]);
    let (mut admin, path) = named(&server, "x");
    let mut server = server;
    for text in HOSTILE {
        let change = json!({ "first_name": text, "last_name": text });
        let changed = server.put(&path).session(&admin).json(&change).send();
        assert_eq!(changed.status, 200, "{text:?}");
        let read = server.get(&path).session(&admin).send().json();
        assert_eq!((&read["first_name"], &read["last_name"]), (&json!(text), &json!(text)));
    }
    let before = server.get(&path).session(&admin).send().body;
    server = server.restart(START);
    admin = server.admin();
    assert_eq!(server.get(&path).session(&admin).send().body, before);
}

pub fn any_text_stays_within_its_line() {
    let server = Program::of("session_db_auth").set("LOG_FORMAT", "json").start();
    for text in HOSTILE {
        let encoded =
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        server.get(&format!("/{encoded}")).send();
        server.login(&[("email", text), ("password", text)]).send();
        server.request("{\"x\":1}", "/").send();
        let in_header = text.replace(['\0', '\r', '\n'], "\t");
        let request = server.get("/a").header("User-Agent", &in_header);
        request.header("X-Request-Id", &in_header).send();
    }
    let (.., log) = server.stop();
    let members = ["time", "level", "message"];
    for line in log {
        let line: Value = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(members.iter().all(|member| line[member].is_string()), "{line}");
        assert!(line.get("x").is_none(), "{line}");
    }
}

/// Names of headers that an answer may have.
const HEADERS: &[&str] = &[
    "allow",
    "cache-control",
    "connection",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "date",
    "referrer-policy",
    "set-cookie",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-request-id",
];

pub fn nothing_that_is_sent_adds_a_header() {
    let server = InProcess::with(&["--cors-origins", "https://spa.example.com"]);
    let admin = server.admin();
    let mark = "mark7";
    let sent = [
        format!("{mark}%0d%0aInjected: 1"),
        format!("{mark}\tInjected: 1"),
        format!("{mark}; Injected=1"),
        format!("https://spa.example.com.{mark}"),
        format!("{mark}\u{e4}"),
    ];
    let check = |answer: &Answer| {
        for (name, value) in &answer.headers {
            assert!(HEADERS.contains(&name.as_str()), "{name}: {value}");
            assert!(!value.contains(mark), "{name}: {value}");
        }
    };
    for value in &sent {
        for name in [
            "Origin",
            "X-Request-Id",
            "Referer",
            "User-Agent",
            "Accept",
            "Cookie",
            "Authorization",
            "X-Forwarded-Host",
            "X-Forwarded-For",
            "Forwarded",
            "Range",
            "If-None-Match",
            "X-New",
        ] {
            check(&server.get("/api/v1/users/me").header(name, value).send());
            let login = server.login(&[("email", value), ("password", value), ("remember", "1")]);
            check(&login.header(name, value).send());
        }
        let by_admin = |path: &str| server.get(path).session(&admin).send();
        let target = value.replace(['\t', ' '], "+").replace('\u{e4}', "%C3%A4");
        check(&by_admin(&format!("/api/v1/users/{target}")));
        check(&by_admin(&format!("/api/v1/users?x={target}")));
    }
    let host = |host: &str| {
        let mut connection = server.connect();
        let head =
            format!("GET /api/v1/users HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        connection.write(head);
        connection.finish()
    };
    check(&host(&format!("{mark}.example.com")));
    check(&host(&format!("{mark}:1")));
}

/// Where an answer would have a link it has an id, in an alphabet that needs no encoding.
pub fn no_url_is_built() {
    let server = InProcess::with(&["--public-url", "https://id.example.com"]);
    let admin = format!("__Host-_my_session_id={}", server.admin());
    let new = json!({ "email": "bob@example.com", "password": PASSWORD });
    let made = server.post("/api/v1/users").cookie(&admin).json(&new).send();
    assert_eq!((made.status, made.header("location")), (201, None));
    let users = server.get("/api/v1/users").cookie(&admin).send();
    let sessions = server.get("/api/v1/users/me/sessions").cookie(&admin).send();
    for answer in [&made, &users, &sessions] {
        assert!(!answer.body.contains("//") && !answer.body.contains("/api"), "{}", answer.body);
    }
    for id in [&made.json()["id"], &users.json()[1]["id"], &sessions.json()[0]["id"]] {
        let id = id.as_str().unwrap();
        assert!(id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'), "{id}");
    }
}

pub fn json_in_a_text_stays_text() {
    let server = InProcess::with(&[]);
    let name = r#"Bob","role":"admin","x":"y"},{"id":"1"#;
    let (admin, path) = named(&server, name);
    let bob = server.get(&path).session(&admin).send().json();
    assert_eq!((&bob["first_name"], &bob["role"]), (&json!(name), &json!("user")));
    assert_eq!(
        server.get("/api/v1/users").session(&admin).send().json().as_array().unwrap().len(),
        2
    );
    let error = server.put(&path).session(&admin).json(&json!({ "role": name })).send();
    assert_eq!(error.json().as_object().unwrap().len(), 2);
}

pub fn a_record_stays_one_record() {
    let server = InProcess::with(&[]);
    let forged = "00000000-0000-4000-8000-000000000000";
    let name = format!("x\"}},\n\"{forged}\": {{\"id\":\"{forged}\",\"role\":\"admin\"");
    let (admin, path) = named(&server, &name);
    let before = server.get("/api/v1/users").session(&admin).send().body;
    // A graceful stop folds the journal into the file, a record a line.
    let server = server.restart(START);
    let file = std::fs::read_to_string(server.data().join("User.json")).unwrap();
    assert_eq!(file.lines().count(), 4, "braces and two records: {file}");
    assert_eq!(server.get("/api/v1/users").session(&server.admin()).send().body, before);
    let bob = server.get(&path).session(&server.admin()).send();
    assert_eq!(bob.json()["first_name"], name);
}

pub fn what_is_logged_is_short() {
    let server = Server::of("session_db_auth");
    server.get(&"/x".repeat(4000)).send();
    let line = server.wait_for("/x/x/x");
    assert!(line.len() < 1000, "{}", line.len());
}
