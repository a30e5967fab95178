//! What the answer to a login tells, and in what forms a login is taken.

use serde_json::json;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, PASSWORD, Program, Request, Server};

const LOGIN: &str = "/api/v1/auth_session/login";

/// Everything of an answer that could tell two of them apart.
fn visible(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let differs = |name: &str| matches!(name, "date" | "x-request-id");
    // Their order differs from answer to answer.
    let mut headers: Vec<_> =
        answer.headers.iter().filter(|(name, _)| !differs(name)).cloned().collect();
    headers.sort();
    (answer.status, headers, answer.body.clone())
}

fn with_disabled_bob(program: Program) -> Server {
    let server = program.start();
    let id = server.add_user("bob@example.com");
    let disabled = server.put(&format!("/api/v1/users/{id}")).session(&server.admin());
    assert_eq!(disabled.json(&json!({ "disabled": true })).send().status, 200);
    server
}

#[test]
fn unknown_address_wrong_password_and_disabled_user_look_the_same() {
    for kind in ["session_auth", "session_db_auth"] {
        let server = with_disabled_bob(Program::of(kind));
        let long = "x".repeat(300);
        let first = server.login(&[("email", "x@example.com"), ("password", PASSWORD)]).send();
        first.assert_error(401, "wrong email or password");
        for (email, password) in [
            (ADMIN, PASSWORD),
            (ADMIN, &ADMIN_PASSWORD[1..]),
            (ADMIN, &format!("{ADMIN_PASSWORD} ")),
            (ADMIN, &format!("{ADMIN_PASSWORD}\0")),
            (ADMIN, &long),
            ("bob@example.com", PASSWORD),
            ("bob@example.com", "wrong one"),
            ("x@example.com", &long),
            ("no address", PASSWORD),
            ("admin@example.com ", ADMIN_PASSWORD),
            ("*", "*"),
        ] {
            let answer = server.login(&[("email", email), ("password", password)]).send();
            assert_eq!(visible(&answer), visible(&first), "{email:?} {password:?}");
        }
    }
}

#[test]
fn detailed_errors_tell_address_and_password_apart_but_not_who_is_disabled() {
    let server = with_disabled_bob(Program::of("session_db_auth").set("LOGIN_ERRORS", "detailed"));
    let login = |email: &str, password: &str| {
        server.login(&[("email", email), ("password", password)]).send()
    };
    login("x@example.com", PASSWORD).assert_error(404, "no user found for this email");
    login(ADMIN, PASSWORD).assert_error(401, "wrong password");
    for password in [PASSWORD, "wrong one"] {
        login("bob@example.com", password).assert_error(401, "wrong email or password");
    }
    assert_eq!(login(ADMIN, ADMIN_PASSWORD).status, 200);
}

#[test]
fn basic_credentials_do_not_tell_who_exists_either() {
    let server = Program::of("basic_auth").set("LOGIN_ERRORS", "detailed").start();
    let ask = |email: &str| server.get("/api/v1/users/me").basic(email, "wrong one").send();
    assert_eq!(visible(&ask(ADMIN)), visible(&ask("x@example.com")));
}

fn multipart(parts: &[(&str, &str)]) -> (String, String) {
    let part = |(name, value): &(&str, &str)| {
        format!("--limit\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let body = parts.iter().map(part).collect::<String>() + "--limit--\r\n";
    ("multipart/form-data; boundary=limit".into(), body)
}

#[test]
fn a_login_is_taken_as_a_form_as_multipart_and_as_json() {
    let server = Server::of("session_db_auth");
    let password = " p\u{e4}ss & w\u{f6}rd=+%20 ";
    let new = json!({ "email": "bob@example.com", "password": password });
    assert_eq!(server.post("/api/v1/users").session(&server.admin()).json(&new).send().status, 201);
    let fields = [("email", "bob@example.com"), ("password", password), ("remember", "1")];
    let (kind, body) = multipart(&fields);
    let json = json!({ "email": "bob@example.com", "password": password, "remember": true });
    for request in [
        server.post(LOGIN).form(&fields),
        server.post(LOGIN).body(&kind, body),
        server.post(LOGIN).json(&json),
        server.post(LOGIN).body("application/json; charset=utf-8", json.to_string()),
        server.post(LOGIN).body("application/vnd.api+json", json.to_string()),
    ] {
        let answer = request.send();
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert!(answer.header("set-cookie").unwrap().contains("Max-Age=2592000"), "remembered");
        let me = server.get("/api/v1/users/me").session(&answer.session_id().unwrap()).send();
        assert_eq!(me.body, answer.body);
    }
}

#[test]
fn whether_to_remember_is_a_yes_or_no() {
    let server = Server::of("session_db_auth");
    let ask = |remember: serde_json::Value| {
        let body = json!({ "email": ADMIN, "password": ADMIN_PASSWORD, "remember": remember });
        server.post(LOGIN).json(&body).send()
    };
    for (value, remembered) in [
        (json!(true), true),
        (json!("on"), true),
        (json!("yes"), true),
        (json!(1), true),
        (json!(0), false),
        (json!(false), false),
        (json!("0"), false),
        (json!(""), false),
        (json!(null), false),
    ] {
        let answer = ask(value.clone());
        assert_eq!(answer.status, 200, "{value}");
        assert_eq!(answer.header("set-cookie").unwrap().contains("Max-Age"), remembered, "{value}");
    }
    for value in [json!(2), json!(-1), json!("perhaps"), json!([]), json!({})] {
        ask(value).assert_error(400, "remember must be true or false, or 1 or 0");
    }
}

#[test]
fn a_body_that_says_nothing_clear_is_refused() {
    let server = Server::of("session_db_auth");
    let post = |kind: &str, body: &str| server.post(LOGIN).body(kind, body.to_owned());
    let form = "application/x-www-form-urlencoded";
    let boundary = "multipart/form-data; boundary=limit";
    let twice = multipart(&[("email", ADMIN), ("password", "a"), ("password", ADMIN_PASSWORD)]).1;
    let login = format!("email={ADMIN}&password=correct+horse+1");
    let check = |request: Request, status: u16, says: &str| {
        let answer = request.send();
        answer.assert_error(status, says);
        assert_eq!(answer.header("set-cookie"), None);
    };
    check(server.post(LOGIN), 400, "email missing");
    check(server.post(LOGIN).untyped(login.clone()), 400, "email missing");
    for kind in ["text/plain", "text/json", "application/xml", "nonsense", "application/"] {
        let says = "body must be a form, multipart/form-data or application/json";
        check(post(kind, &login), 415, says);
    }
    for (kind, body, says) in [
        (form, "email=&password=x", "email missing"),
        (form, "password=x", "email missing"),
        (form, "email=a%40b.c&password=", "password missing"),
        (form, "email=a%40b.c&password=a&password=b", "a form field must not be sent twice"),
        (form, "email=a%40b.c&password=%ff", "form must be UTF-8"),
        (boundary, &twice, "a form field must not be sent twice"),
        (boundary, "no parts", "Wrong format"),
        ("multipart/form-data", "no boundary", "Wrong format"),
        (boundary, "--limit--\r\n", "email missing"),
        ("application/json", "", "Wrong format"),
        ("application/json", "[]", "Wrong format"),
        ("application/json", "null", "Wrong format"),
        ("application/json", "\"email\"", "Wrong format"),
        ("application/json", "{\"email\":", "Wrong format"),
        ("application/json", "{}", "email missing"),
        ("application/json", r#"{"email":["a@b.c"],"password":"x"}"#, "email must be a string"),
        ("application/json", r#"{"email":{"$ne":1},"password":"x"}"#, "email must be a string"),
        ("application/json", r#"{"email":"a@b.c","password":1}"#, "password must be a string"),
        ("application/json", r#"{"email":"a@b.c","password":true}"#, "password must be a string"),
        ("application/json", r#"{"email":"a@b.c","password":null}"#, "password missing"),
        ("application/json", r#"{"email":"a","email":"b","password":"x"}"#, "Wrong format"),
    ] {
        check(post(kind, body), 400, says);
    }
    let two_kinds = server.post(LOGIN).header("Content-Type", "text/plain");
    check(two_kinds.body(form, login), 400, "Content-Type must not be sent twice");
}
