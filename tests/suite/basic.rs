//! Basic credentials: read strictly, or not at all.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, PASSWORD, Server};

fn send(server: &Server, authorization: impl AsRef<[u8]>) -> Answer {
    let request = server.get("/api/v1/users/me");
    request.header_bytes("Authorization", authorization.as_ref()).send()
}

/// Credentials whose base64 needs padding, for a sloppy reader to do without.
fn right(server: &Server) -> String {
    let email = "bob@example.com";
    server.add_user(email);
    let token = STANDARD.encode(format!("{email}:{PASSWORD}"));
    assert!(token.ends_with('='), "{token} shows nothing");
    token
}

#[test]
fn the_case_of_the_scheme_does_not_matter() {
    let server = Server::of("basic_auth");
    let right = right(&server);
    for scheme in ["Basic", "basic", "BASIC", "bAsIc"] {
        let answer = send(&server, format!("{scheme} {right}"));
        let email = &answer.json()["email"];
        assert_eq!((answer.status, email), (200, &json!("bob@example.com")), "{scheme}");
    }
}

#[test]
fn right_credentials_do_not_make_up_for_a_cookie_that_is_there_twice() {
    let server = Server::of("basic_auth");
    let ask = || server.get("/api/v1/users/me").basic(ADMIN, ADMIN_PASSWORD);
    // Before they are remembered, and after.
    for _ in 0..2 {
        let twice = ask().session("a").session("a").send();
        twice.assert_error(400, "cookie _my_session_id must not be sent twice");
        assert_eq!(ask().send().status, 200);
    }
}

#[test]
fn right_credentials_under_another_scheme_are_refused() {
    let server = Server::of("basic_auth");
    let right = right(&server);
    for scheme in ["Bearer", "Digest", "Basi", "Basics", "Basic,", "\"Basic\"", "Basic:", "B asic"]
    {
        send(&server, format!("{scheme} {right}")).assert_error(403, "Forbidden");
    }
    for authorization in [right.clone(), format!("Basic{right}"), format!("Basic\t{right}")] {
        send(&server, authorization).assert_error(403, "Forbidden");
    }
}

#[test]
fn what_does_not_decode_is_refused() {
    let server = Server::of("basic_auth");
    let right = right(&server);
    let unpadded = right.trim_end_matches('=');
    let (head, tail) = right.split_at(8);
    for token in [
        // First what a sloppy reader would take for the right credentials.
        unpadded,
        &format!("{right}="),
        &format!("{unpadded}===="),
        &format!("{head} {tail}"),
        &format!("{head}\t{tail}"),
        &format!("{head}!{tail}"),
        &format!("{head}-{tail}"),
        &format!("{head}={tail}"),
        &format!("{right}!"),
        &format!("{right},"),
        &format!("{right} x"),
        &format!("\"{right}\""),
        &format!("{right}{right}"),
        &format!("bob@example.com:{PASSWORD}"),
        &right.replace('=', "%3D"),
        &right.to_lowercase(),
        "",
        "=",
        "====",
        "test",
        ":",
        // "bob@example.com" without a colon, ":" and "bob@example.com:" in base64
        "Ym9iQGV4YW1wbGUuY29t",
        "Og==",
        "Ym9iQGV4YW1wbGUuY29tOg==",
    ] {
        send(&server, format!("Basic {token}")).assert_error(403, "Forbidden");
    }
    send(&server, "Basic").assert_error(403, "Forbidden");
    assert_eq!(send(&server, format!("Basic {right}")).status, 200);
}

#[test]
fn base64_whose_last_character_carries_stray_bits_is_refused() {
    let server = Server::of("basic_auth");
    let right = right(&server);
    let unpadded = right.trim_end_matches('=');
    let (rest, last) = unpadded.split_at(unpadded.len() - 1);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let value = alphabet.iter().position(|byte| [*byte] == *last.as_bytes()).unwrap();
    // The bits that a decoder throws away are zero in the right spelling.
    let stray = char::from(alphabet[value + 1]);
    let padding = &right[unpadded.len()..];
    send(&server, format!("Basic {rest}{stray}{padding}")).assert_error(403, "Forbidden");
}

#[test]
fn the_url_safe_alphabet_is_refused() {
    let server = Server::of("basic_auth");
    // With these passwords the standard alphabet needs its last two characters.
    for (email, password) in [("a@example.com", "?>?>?>?>?>"), ("bc@example.com", "~~~~~~~~~~")] {
        let body = json!({ "email": email, "password": password });
        assert_eq!(server.by_admin(server.post("/api/v1/users")).json(&body).send().status, 201);
        let standard = STANDARD.encode(format!("{email}:{password}"));
        let url_safe = standard.replace('+', "-").replace('/', "_");
        assert_ne!(standard, url_safe, "these credentials show nothing");
        assert_eq!(send(&server, format!("Basic {standard}")).status, 200, "{email}");
        send(&server, format!("Basic {url_safe}")).assert_error(403, "Forbidden");
    }
}

#[test]
fn bytes_that_are_no_text_are_refused() {
    let server = Server::of("basic_auth");
    let password = "p\u{e4}ssw\u{f6}rter";
    let body = json!({ "email": "bob@example.com", "password": password });
    assert_eq!(server.by_admin(server.post("/api/v1/users")).json(&body).send().status, 201);
    let utf8 = format!("bob@example.com:{password}").into_bytes();
    let latin1: Vec<u8> =
        format!("bob@example.com:{password}").chars().map(|c| u8::try_from(c).unwrap()).collect();
    assert_eq!(send(&server, format!("Basic {}", STANDARD.encode(utf8))).status, 200);
    let answer = send(&server, format!("Basic {}", STANDARD.encode(latin1)));
    answer.assert_error(403, "Forbidden");
    for raw in [&b"Basic \xff\xfe"[..], b"Basic p\xc3\xa4ss", b"\xff", b"Basi\xc3\xa7 x"] {
        send(&server, raw).assert_error(403, "Forbidden");
    }
}

#[test]
fn credentials_are_split_at_the_first_colon() {
    let server = Server::of("basic_auth");
    for (index, password) in
        ["a:b:c:d:e", ":::::::::", "colon at end:", ":colon at start"].into_iter().enumerate()
    {
        let email = format!("u{index}@example.com");
        let body = json!({ "email": email, "password": password });
        assert_eq!(server.by_admin(server.post("/api/v1/users")).json(&body).send().status, 201);
        let me = |password: &str| server.get("/api/v1/users/me").basic(&email, password).send();
        assert_eq!(me(password).json()["email"], json!(email), "{password}");
        for other in [password.trim_matches(':'), &format!("{password}:"), &format!(":{password}")]
        {
            if other != password {
                me(other).assert_error(403, "Forbidden");
            }
        }
    }
}

#[test]
fn nothing_is_trimmed_from_basic_credentials() {
    let server = Server::of("basic_auth");
    let password = " spaces around ";
    let body = json!({ "email": "bob@example.com", "password": password });
    assert_eq!(server.by_admin(server.post("/api/v1/users")).json(&body).send().status, 201);
    let me =
        |email: &str, password: &str| server.get("/api/v1/users/me").basic(email, password).send();
    assert_eq!(me("bob@example.com", password).status, 200);
    for (email, password) in [
        ("bob@example.com", password.trim()),
        ("bob@example.com", password.trim_end()),
        ("bob@example.com ", password),
        (" bob@example.com", password),
        ("bob@example.com", " spaces around \n"),
        ("bob@example.com", " spaces around \0"),
    ] {
        me(email, password).assert_error(403, "Forbidden");
    }
}

#[test]
fn credentials_that_decode_but_are_wrong_are_refused() {
    let server = Server::of("basic_auth");
    server.add_user("bob@example.com");
    for (email, password) in [
        (ADMIN, PASSWORD),
        (ADMIN, ""),
        ("", ""),
        ("", ADMIN_PASSWORD),
        ("nobody@example.com", ""),
        ("nobody@example.com", PASSWORD),
        ("bob@example.com", ADMIN_PASSWORD),
        ("bob@example.com", &PASSWORD.to_uppercase()),
    ] {
        let me = server.get("/api/v1/users/me").basic(email, password).send();
        me.assert_error(403, "Forbidden");
    }
}
