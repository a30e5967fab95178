//! The session cookie: its name, its attributes, and how it is read.

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, Program, Server};

const CREDENTIALS: [(&str, &str); 2] = [("email", ADMIN), ("password", ADMIN_PASSWORD)];

fn https() -> Program {
    Program::of("session_db_auth").set("PUBLIC_URL", "https://id.example.com")
}

/// The cookie of an answer, with the session id replaced by ID.
fn cookie(answer: &Answer) -> String {
    let cookies = answer.headers("set-cookie");
    assert_eq!(cookies.len(), 1, "{answer:?}");
    match answer.session_id() {
        Some(id) => cookies[0].replace(&id, "ID"),
        None => cookies[0].to_owned(),
    }
}

#[test]
fn the_attributes_of_the_cookie_follow_the_settings() {
    let session = "; HttpOnly; SameSite=Lax; Path=/";
    let secure = "; HttpOnly; SameSite=Lax; Secure; Path=/";
    let month = "; Max-Age=2592000";
    let gone = "; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    let plain = || Program::of("session_db_auth");
    for (program, name, attributes) in [
        (plain(), "_my_session_id", session.to_owned()),
        (plain().set("SESSION_NAME", "sid"), "sid", session.to_owned()),
        (plain().set("PUBLIC_URL", "http://id.example.com"), "_my_session_id", session.to_owned()),
        (https(), "__Host-_my_session_id", secure.to_owned()),
        (https().set("SESSION_NAME", "__Host-sid"), "__Host-sid", secure.to_owned()),
        (https().set("SESSION_NAME", "__Secure-sid"), "__Secure-sid", secure.to_owned()),
        (
            https().set("SESSION_NAME", "sid").set("COOKIE_DOMAIN", "example.com"),
            "__Secure-sid",
            format!("{secure}; Domain=example.com"),
        ),
    ] {
        let server = program.start();
        let answer = server.login(&CREDENTIALS).send();
        assert_eq!(cookie(&answer), format!("{name}=ID{attributes}"));
        let id = answer.session_id().unwrap();

        let [email, password] = CREDENTIALS;
        let remembered = server.login(&[email, password, ("remember", "on")]).send();
        assert_eq!(cookie(&remembered), format!("{name}=ID{attributes}{month}"));

        // What the browser sends back is only the name and the value.
        let sent = format!("{name}={id}");
        let me = server.get("/api/v1/users/me").header("Cookie", &sent).send();
        assert_eq!(me.status, 200, "{name}");
        assert_eq!(me.headers("set-cookie").len(), 0, "only login and logout set it");

        let logout = server.delete("/api/v1/auth_session/logout").header("Cookie", &sent).send();
        assert_eq!(cookie(&logout), format!("{name}={attributes}{gone}"));
        let me = server.get("/api/v1/users/me").header("Cookie", &sent).send();
        assert_eq!(me.status, 403, "{name}");
    }
}

#[test]
fn on_https_the_name_without_its_prefix_is_another_cookie() {
    let server = https().start();
    let id = server.admin();
    for name in ["_my_session_id", "__Secure-_my_session_id", "__host-_my_session_id"] {
        let sent = format!("{name}={id}");
        assert_eq!(server.get("/api/v1/users/me").header("Cookie", &sent).send().status, 401);
    }
}

#[test]
fn a_name_that_only_decodes_or_trims_to_the_name_is_another_cookie() {
    let server = https().set("SESSION_NAME", "sid").start();
    let id = server.admin();
    for name in [
        &b"__%48ost-sid"[..],
        b"__HOST-sid",
        b"__Host-Sid",
        b"\xe2\x80\x80__Host-sid",
        b"\xc2\xa0__Host-sid",
        b"__Host-sid\xe2\x80\x80",
        b"=__Host-sid",
        b"\"__Host-sid\"",
        b"x__Host-sid",
    ] {
        let sent = [name, b"=", id.as_bytes()].concat();
        let answer = server.get("/api/v1/users/me").header_bytes("Cookie", &sent).send();
        assert_eq!(answer.status, 401, "{name:?}");
    }
}

#[test]
fn a_value_is_taken_byte_for_byte() {
    let server = Server::of("session_db_auth");
    let id = server.admin();
    let encoded = format!("%{:02X}{}", id.as_bytes()[0], &id[1..]);
    for value in [
        encoded.as_str(),
        &format!("\"{id}\""),
        &format!("{id}="),
        &id[..42],
        &format!("{id}A"),
        &id.to_uppercase(),
        "",
        "a\u{e4}",
    ] {
        let answer = server.get("/api/v1/users/me").session(value).send();
        answer.assert_error(403, "Forbidden");
    }
    for cookies in [
        format!("_my_session_id={id}"),
        format!("a=b; _my_session_id={id}; c"),
        format!(";;\t_my_session_id={id} ;"),
        format!("=;_my_session_id2=x;_my_session_id={id}"),
    ] {
        let answer = server.get("/api/v1/users/me").header("Cookie", &cookies).send();
        assert_eq!(answer.status, 200, "{cookies}");
    }
    let hostile = [b"a=\xff\xfe; _my_session_id=", id.as_bytes(), b"; \x80"].concat();
    assert_eq!(server.get("/api/v1/users/me").header_bytes("Cookie", &hostile).send().status, 200);
}

#[test]
fn a_login_never_takes_over_an_id_that_the_client_chose() {
    let server = Server::of("session_db_auth");
    let chosen = "B".repeat(43);
    let answer = server.login(&CREDENTIALS).session(&chosen).send();
    assert_ne!(answer.session_id().unwrap(), chosen);
    assert_eq!(server.get("/api/v1/users/me").session(&chosen).send().status, 403);
}

#[test]
fn a_login_with_a_session_of_the_same_user_ends_that_one_and_no_other() {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let bob = server.log_in("bob@example.com", crate::harness::PASSWORD);
    let (presented, other) = (server.admin(), server.admin());
    let new = server.login(&CREDENTIALS).session(&presented).send().session_id().unwrap();
    let elsewhere = server.login(&CREDENTIALS).session(&bob).send().session_id().unwrap();
    let statuses = [&presented, &other, &new, &bob, &elsewhere]
        .map(|id| server.get("/api/v1/users/me").session(id).send().status);
    assert_eq!(statuses, [403, 200, 200, 200, 200]);
}
