//! A 401 says how to authenticate.

use crate::harness::{Program, Server};

const CHALLENGES: [(&str, &str); 5] = [
    ("auth", r#"Session realm="sessiond""#),
    ("basic_auth", r#"Basic realm="sessiond", charset="UTF-8""#),
    ("session_auth", r#"Session realm="sessiond""#),
    ("session_exp_auth", r#"Session realm="sessiond""#),
    ("session_db_auth", r#"Session realm="sessiond""#),
];

#[test]
fn every_401_carries_one_challenge_of_its_kind() {
    for (kind, challenge) in CHALLENGES {
        let server = Server::of(kind);
        for request in [
            server.get("/api/v1/users"),
            server.request("HEAD", "/api/v1/users"),
            server.delete("/api/v1/nothing"),
            server.get("/api/v1/unauthorized"),
            server.get("/api/v1/unauthorized/"),
        ] {
            let answer = request.send();
            assert_eq!((answer.status, answer.headers("www-authenticate")), (401, vec![challenge]));
        }
    }
    let server = Server::of("none");
    let answer = server.get("/api/v1/unauthorized").send();
    assert_eq!((answer.status, answer.headers("www-authenticate").len()), (401, 1));
}

#[test]
fn a_failed_login_carries_it_too() {
    let server = Server::of("session_db_auth");
    let answer = server.login(&[("email", "x@example.com"), ("password", "wrong one")]).send();
    let challenge = r#"Session realm="sessiond""#;
    assert_eq!((answer.status, answer.headers("www-authenticate")), (401, vec![challenge]));
}

#[test]
fn other_answers_carry_none() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    for (request, status) in [
        (server.get("/api/v1/status"), 200),
        (server.get("/api/v1/forbidden"), 403),
        (server.get("/api/v1/users").session("junk"), 403),
        (server.get("/api/v1/nothing").session(&admin), 404),
    ] {
        let answer = request.send();
        assert_eq!((answer.status, answer.header("www-authenticate")), (status, None));
    }
}

#[test]
fn credentials_that_are_no_good_are_challenged_where_they_are_401() {
    for (kind, challenge) in CHALLENGES {
        let server = Program::of(kind).set("INVALID_STATUS", "401").start();
        for request in [
            server.get("/api/v1/users").session("junk"),
            server.get("/api/v1/users").header("Authorization", "Basic"),
            server.get("/api/v1/users").basic("nobody@example.com", "wrong one"),
            server.get("/api/v1/users").bearer("junk"),
        ] {
            let answer = request.send();
            answer.assert_error(401, "Unauthorized");
            assert_eq!(answer.headers("www-authenticate"), [challenge]);
        }
    }
}

#[test]
fn what_one_may_not_do_stays_403_where_bad_credentials_are_401() {
    let server = Program::of("session_db_auth").set("INVALID_STATUS", "401").start();
    server.add_user("bob@example.com");
    let bob = server.log_in("bob@example.com", crate::harness::PASSWORD);
    server.get("/api/v1/users").session(&bob).send().assert_error(403, "Forbidden");
    let foreign = server.delete("/api/v1/users/x").session(&bob).header("Origin", "null");
    foreign.send().assert_error(403, "Forbidden");
    server.get("/api/v1/forbidden").send().assert_error(403, "Forbidden");
}
