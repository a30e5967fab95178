//! What comes in: paths, bodies, cookies, files.

use std::time::Duration;

use serde_json::json;
use sessiond::auth::Auth as _;
use sessiond::auth::base::BaseAuth;
use sessiond::clock::Timestamp;

use crate::harness::{ADMIN, ADMIN_PASSWORD, InProcess, NOBODY, PASSWORD, Program, START, Server};

const LOGIN: &str = "/api/v1/auth_session/login";

/// The password looks as if it were encoded, in every way in which it can be sent.
pub fn what_is_encoded_twice_is_decoded_once() {
    let password = r"100%25+A\u0041&#65;=";
    let server = InProcess::with(&[]);
    let new = json!({ "email": "bob@example.com", "password": password });
    assert_eq!(server.post("/api/v1/users").session(&server.admin()).json(&new).send().status, 201);
    let form = |password: &str| {
        let body = format!("email=bob%40example.com&password={password}");
        server.post(LOGIN).body("application/x-www-form-urlencoded", body).send().status
    };
    assert_eq!(form("100%2525%2BA%5Cu0041%26%2365%3B%3D"), 200);
    assert_eq!(
        form("100%25%2BA%5Cu0041%26%2365%3B%3D"),
        401,
        "decoded once more it would be right"
    );
    let json = |password: &str| {
        let body = format!(r#"{{"email":"bob@example.com","password":"{password}"}}"#);
        server.post(LOGIN).body("application/json", body).send().status
    };
    assert_eq!(json(r"100\u002525+A\\u0041&#65;="), 200);
    assert_eq!(json(r"100%25+A\u0041&#65;="), 401);
    let multipart = format!(
        "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nbob@example.com\r\n\
         --b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\n{password}\r\n--b--\r\n"
    );
    let sent = server.post(LOGIN).body("multipart/form-data; boundary=b", multipart).send();
    assert_eq!(sent.status, 200, "a multipart form has no encoding");
    let basic = InProcess::with(&["--auth-type", "basic_auth"]);
    let by_admin = basic.post("/api/v1/users").basic(ADMIN, ADMIN_PASSWORD);
    assert_eq!(by_admin.json(&new).send().status, 201);
    let me = |password| basic.get("/api/v1/users/me").basic("bob@example.com", password).send();
    assert_eq!((me(password).status, me("100%+A").status), (200, 403));
    let id = server.admin();
    let encoded = format!("%{:02X}{}", id.as_bytes()[0], &id[1..]);
    assert_eq!(server.get("/api/v1/users/me").session(&encoded).send().status, 403);
}

/// Every single and double encoding of every character of two routes, one of them open.
pub fn guard_and_router_see_one_path() {
    let server = InProcess::with(&[]);
    for route in ["/api/v1/users", "/api/v1/status"] {
        for (place, byte) in route.bytes().enumerate() {
            for encoded in
                [format!("%{byte:02x}"), format!("%{byte:02X}"), format!("%25{byte:02x}")]
            {
                let path = format!("{}{encoded}{}", &route[..place], &route[place + 1..]);
                assert_eq!(server.get(&path).send().status, 400, "{path}");
            }
        }
    }
}

/// What is a pattern elsewhere is an address, a password or an id that nobody has.
pub fn a_lookup_understands_no_patterns() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    for text in ["*", "%", "admin%", "_dmin@example.com", "' or ''='", "admin@example.com'--", ".*"]
    {
        let login = |email: &str, password: &str| {
            server.login(&[("email", email), ("password", password)]).send()
        };
        login(text, ADMIN_PASSWORD).assert_error(401, "wrong email or password");
        login(ADMIN, text).assert_error(401, "wrong email or password");
        let encoded =
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        let path = format!(
            "/api/v1/users/{}",
            encoded.to_string().replace("%2E", ".").replace("%5F", "_")
        );
        let read = server.get(&path).session(&admin).send();
        assert!(matches!(read.status, 400 | 404), "{path}: {read:?}");
    }
    for value in [json!({ "$gt": "" }), json!(["admin@example.com"]), json!(true), json!(1)] {
        for (email, password) in [(value.clone(), json!("x")), (json!(ADMIN), value.clone())] {
            let body = json!({ "email": email, "password": password });
            assert_eq!(server.post(LOGIN).json(&body).send().status, 400, "{body}");
        }
    }
}

/// Each of these would match one of the paths below if it were a regular expression.
pub fn open_paths_are_no_patterns() {
    let auth = BaseAuth::default();
    let open = [
        "/a.c", "/a?c", "/a+", "/[ab]", "/(a|b)", "/a{2}", "^/a$", r"/\w", "/a|/b", "/*/a", ".*",
        "/%61",
    ];
    for path in ["/abc", "/c", "/ac", "/aa", "/a", "/b", "/x/a", "/"] {
        assert!(auth.require_auth(path, &open), "{path}");
    }
    for path in ["/a.c", "/[ab]", "/(a|b)/", "/*/a"] {
        assert!(!auth.require_auth(path, &open), "{path}");
    }
    assert!(!auth.require_auth("/api/v1/stats", &["/api/v1/stat*"]));
    assert!(auth.require_auth("/api/v1/users", &["/api/v1/stat*"]));
}

pub fn an_agent_is_clean_and_short() {
    let server = InProcess::with(&[]);
    let agent = format!("a\tb\u{9b}c{}", "\u{e4}".repeat(4000));
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
    let session = login.header("User-Agent", &agent).send().session_id().unwrap();
    let session = server.get("/api/v1/auth_session").session(&session).send().json();
    let kept = session["user_agent"].as_str().unwrap();
    assert!(kept.starts_with("a b"), "{kept}");
    assert!(kept.len() <= 256 && !kept.contains(char::is_control), "{kept}");
}

pub fn an_address_holds_no_line_end() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    for address in [
        "bob@example.com\r\nBcc: eve@example.com",
        "bob@example.com\n",
        "\rbob@example.com",
        "bob\u{2028}@example.com",
        "bob\0@example.com",
        "bob@example.com,eve@example.com",
        "bob@example.com;eve@example.com",
        "<bob@example.com>",
        "\"bob\r\n\"@example.com",
        "bob@example.com?cc=eve@example.com",
        "bob@eve@example.com",
        "bob@example.com\u{85}",
    ] {
        let new = json!({ "email": address, "password": PASSWORD });
        let answer = server.post("/api/v1/users").session(&admin).json(&new).send();
        assert_eq!(answer.status, 400, "{address:?}");
    }
}

/// The longest settings, at times up to the last that can be written.
pub fn extreme_times_add_up() {
    let longest = "315360000";
    let flags = [
        "--session-duration",
        longest,
        "--session-idle-timeout",
        longest,
        "--reauth-window",
        longest,
    ];
    for now in [START, Timestamp::from_millis(0), "9999-12-30T00:00:00Z".parse().unwrap()] {
        for remember in ["0", "1"] {
            let server = InProcess::with(&flags).restart(now);
            let fields = [("email", ADMIN), ("password", ADMIN_PASSWORD), ("remember", remember)];
            let id = server.login(&fields).send().session_id().unwrap();
            let session = server.get("/api/v1/auth_session").session(&id).send();
            assert_eq!(session.status, 200, "{now}: {session:?}");
            server.advance(Duration::from_secs(u64::MAX / 1000));
            assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 403, "{now}");
            server.sweep();
        }
    }
    let beyond = "315360001";
    for flag in ["--session-duration", "--session-idle-timeout", "--reauth-window"] {
        for value in [beyond, "18446744073709551616", "-1", "1e9"] {
            let read = sessiond::config::Config::from_arguments(&[&format!("{flag}={value}")]);
            assert!(read.is_err(), "{flag} {value}");
        }
    }
}

/// Heads without an end, bodies that do not come, answers that nobody reads.
pub fn broken_off_requests_leave_nothing() {
    let server = Server::of("session_db_auth");
    let open = || std::fs::read_dir(format!("/proc/{}/fd", server.process())).unwrap().count();
    let login = format!(
        "POST {LOGIN} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\n",
        server.address
    );
    server.get("/api/v1/status").send();
    let before = open();
    for _ in 0..100 {
        server.connect().write("GET /api/v1/sta");
        server.connect().write(format!("{login}Content-Length: 1000\r\n\r\n{{"));
        server.connect().write(format!("{login}Transfer-Encoding: chunked\r\n\r\n5\r\nab"));
        drop(server.get("/api/v1/status").start());
        drop(server.connect());
    }
    // They are closed as soon as the server has seen that nobody is there.
    let released = (0..10_000).any(|_| {
        server.get("/api/v1/status").send();
        open() <= before
    });
    assert!(released, "{} and {before} before", open());
}

pub fn hostile_bodies_are_refused() {
    let server = InProcess::with(&[]);
    let admin = server.admin();
    let deep = format!(r#"{{"email":{}1{}}}"#, "[".repeat(500), "]".repeat(500));
    let digits = format!(r#"{{"email":1e{}}}"#, "9".repeat(400));
    for body in [
        &b""[..],
        b"[]",
        b"null",
        b"\"x\"",
        b"1",
        b"{",
        b"{}{}",
        b"{} x",
        b"\xef\xbb\xbf{}",
        b"{\"a\":\xff}",
        b"{\"email\":\"\\ud800\"}",
        b"{'email':1}",
        b"{\"email\":NaN}",
        b"{\"email\":1,}",
        b"{//x\n}",
        b"\xff\xfe{\0}\0",
        b"\x80\x04.",
        b"<users/>",
        deep.as_bytes(),
        digits.as_bytes(),
    ] {
        let login = server.post(LOGIN).body("application/json", body).send();
        login.assert_error(400, "Wrong format");
        let new = server.post("/api/v1/users").session(&admin).body("application/json", body);
        new.send().assert_error(400, "Wrong format");
    }
    for value in [json!(1), json!(true), json!([]), json!({}), json!(1.5)] {
        for member in ["email", "password", "first_name", "last_name"] {
            let mut body = json!({ "email": "bob@example.com", "password": PASSWORD });
            body[member] = value.clone();
            let answer = server.post("/api/v1/users").session(&admin).json(&body).send();
            assert_eq!(answer.status, 400, "{body}");
            assert!(answer.body.contains(&format!("{member} must be a string")), "{answer:?}");
        }
    }
    let xml =
        server.post(LOGIN).body("application/xml", "<!DOCTYPE x SYSTEM 'file:///etc/passwd'>");
    assert_eq!(xml.send().status, 415);
}

/// The program does not start, says which file it is, and changes nothing.
pub fn hostile_files_are_refused() {
    let record = user;
    let sound = Program::of("session_db_auth");
    write_users(&sound, record("").as_bytes());
    drop(sound.start());
    for content in [
        b"[]".to_vec(),
        b"{".to_vec(),
        b"\xff\xfe".to_vec(),
        vec![0; 4096],
        "[".repeat(100_000).into_bytes(),
        record(r#","role":"root""#).into_bytes(),
        record(r#","role":"user","role":"admin""#).into_bytes(),
        record(r#","disabled":"no""#).into_bytes(),
        record(r#","credential_version":-1"#).into_bytes(),
        record("").replace("a@example.com", "a\\r\\n@example.com").into_bytes(),
        record("").replacen(NOBODY, "../../x", 1).into_bytes(),
    ] {
        let program = Program::of("session_db_auth");
        let file = write_users(&program, &content);
        let (status, log) = program
            .clone()
            .try_start()
            .err()
            .unwrap_or_else(|| panic!("taken: {}", String::from_utf8_lossy(&content)));
        assert!(!status.success() && log.iter().any(|line| line.contains("User.json")), "{log:?}");
        assert_eq!(std::fs::read(file).unwrap(), content);
    }
}

/// The text of a file with one user, who has this too.
fn user(rest: &str) -> String {
    let hash = format!("$2b$04${}", "O".repeat(53));
    let times = r#""created_at":"2026-01-01T00:00:00Z","updated_at":"2026-01-01T00:00:00Z""#;
    let id = format!(r#""id":"{NOBODY}","email":"a@example.com""#);
    format!(r#"{{"{NOBODY}":{{{id},"password_hash":"{hash}",{times}{rest}}}}}"#)
}

fn write_users(program: &Program, content: &[u8]) -> std::path::PathBuf {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::create_dir(program.data()).unwrap();
    std::fs::set_permissions(program.data(), std::fs::Permissions::from_mode(0o700)).unwrap();
    let file = program.data().join("User.json");
    std::fs::write(&file, content).unwrap();
    file
}

/// In bodies of every kind, in headers, and in files.
pub fn what_is_there_twice_is_refused() {
    let server = InProcess::with(&[]);
    let refused = |content_type: &str, body: &str| {
        let answer = server.post(LOGIN).body(content_type, body).send();
        assert_eq!(answer.status, 400, "{body}: {answer:?}");
    };
    let form = "application/x-www-form-urlencoded";
    refused(form, "email=a%40b.c&password=x&email=d%40e.f");
    refused(form, "email=a%40b.c&password=x&%65mail=d%40e.f");
    refused("application/json", r#"{"email":"a@b.c","password":"x","email":"d@e.f"}"#);
    refused("application/json", r#"{"email":"a@b.c","password":"x","\u0065mail":"d@e.f"}"#);
    let part = "--b\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\na@b.c\r\n";
    refused("multipart/form-data; boundary=b", &format!("{part}{part}--b--\r\n"));
    let query = "/api/v1/users/me/sessions?all=false&all=true";
    assert_eq!(server.delete(query).session(&server.admin()).send().status, 400);
    let twice =
        server.post(LOGIN).header("Content-Type", form).body("application/json", "{}").send();
    assert_eq!(twice.status, 400);
    let me = || server.get("/api/v1/users/me");
    let id = server.admin();
    assert_eq!(me().session(&id).session(&id).send().status, 400);
    assert_eq!(me().bearer(&id).bearer(&id).send().status, 400);
    let program = Program::of("session_db_auth");
    let user = user("");
    let inner = &user[1..user.len() - 1];
    write_users(&program, format!("{{{inner},{inner}}}").as_bytes());
    let (_, log) = program.try_start().err().unwrap();
    assert!(log.iter().any(|line| line.contains("is there twice")), "{log:?}");
}
