//! Login: how a session begins.

use serde_json::json;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, KINDS, PASSWORD, Request, SESSION_KINDS, Server,
};

const LOGIN: &str = "/api/v1/auth_session/login";

fn me(server: &Server, session: &str) -> Answer {
    server.get("/api/v1/users/me").session(session).send()
}

fn set_cookies(answer: &Answer) -> usize {
    answer.headers.iter().filter(|(name, _)| name == "set-cookie").count()
}

#[test]
fn a_login_answers_with_the_user_and_one_cookie_that_is_a_live_session() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        server.add_user("bob@example.com");
        let form = [("email", "bob@example.com"), ("password", PASSWORD)];
        let json = json!({ "email": "bob@example.com", "password": PASSWORD });
        for login in [server.post(LOGIN).form(&form), server.post(LOGIN).json(&json)] {
            let answer = login.send();
            assert_eq!((answer.status, set_cookies(&answer)), (200, 1), "{kind}: {answer:?}");
            assert_eq!(answer.json()["email"], "bob@example.com");
            let session = answer.session_id().unwrap();
            me(&server, &session).assert_is(200, &answer.body);
        }
    }
}

#[test]
fn every_login_begins_a_session_and_the_older_ones_live_on() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let mut sessions: Vec<String> = (0..5).map(|_| server.admin()).collect();
        for session in &sessions {
            assert_eq!(me(&server, session).status, 200, "{kind}");
        }
        sessions.sort_unstable();
        sessions.dedup();
        assert_eq!(sessions.len(), 5, "{kind}: an id was given twice");
    }
}

#[test]
fn a_login_replaces_the_session_that_it_presents_if_it_is_the_same_users() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        server.add_user("bob@example.com");
        let (presented, other) = (server.admin(), server.admin());
        let bob = server.log_in("bob@example.com", PASSWORD);
        let login = |presented: &str| {
            let form = [("email", ADMIN), ("password", ADMIN_PASSWORD)];
            let answer = server.post(LOGIN).session(presented).form(&form).send();
            assert_eq!(answer.status, 200);
            answer.session_id().unwrap()
        };
        let renewed = login(&presented);
        me(&server, &presented).assert_error(403, "Forbidden");
        let beside = login(&bob);
        for session in [&renewed, &other, &bob, &beside] {
            assert_eq!(me(&server, session).status, 200, "{kind}");
        }
    }
}

#[test]
fn a_login_is_open_to_whoever_presents_credentials_that_are_no_good() {
    let server = Server::of("session_auth");
    let additions: [&dyn Fn(Request) -> Request; 3] =
        [&|r| r.session("junk"), &|r| r.header("Authorization", "Test"), &|r| {
            r.basic(ADMIN, "wrong")
        }];
    for add in additions {
        let form = [("email", ADMIN), ("password", ADMIN_PASSWORD)];
        let answer = add(server.post(LOGIN)).form(&form).send();
        assert_eq!(answer.status, 200, "{answer:?}");
        let session = answer.session_id().unwrap();
        assert_eq!(me(&server, &session).status, 200);
    }
}

#[test]
fn what_a_login_lacks_is_named_and_the_email_first() {
    let server = Server::of("session_db_auth");
    for (fields, error) in [
        (&[][..], "email missing"),
        (&[("email", ""), ("password", "")], "email missing"),
        (&[("password", ADMIN_PASSWORD)], "email missing"),
        (&[("email", ""), ("password", ADMIN_PASSWORD)], "email missing"),
        (&[("Email", ADMIN), ("password", ADMIN_PASSWORD)], "email missing"),
        (&[("email", ADMIN)], "password missing"),
        (&[("email", ADMIN), ("password", "")], "password missing"),
        (&[("email", "nobody@example.com")], "password missing"),
    ] {
        let members = fields.iter().map(|(name, value)| ((*name).to_owned(), json!(value)));
        let members = serde_json::Value::Object(members.collect());
        for login in [server.post(LOGIN).form(fields), server.post(LOGIN).json(&members)] {
            let answer = login.send();
            answer.assert_error(400, error);
            assert_eq!(answer.session_id(), None);
        }
    }
    let nulls = json!({ "email": ADMIN, "password": null });
    server.post(LOGIN).json(&nulls).send().assert_error(400, "password missing");
    server.post(LOGIN).send().assert_error(400, "email missing");
}

#[test]
fn a_login_that_fails_begins_no_session_and_ends_none() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let session = server.admin();
        for (email, password) in [
            (ADMIN, "wrong"),
            (ADMIN, PASSWORD),
            ("nobody@example.com", ADMIN_PASSWORD),
            (ADMIN, "correct horse 1 "),
            (ADMIN, " correct horse 1"),
            (ADMIN, "correct horse 1\n"),
            (ADMIN, "Correct horse 1"),
        ] {
            let login = server.post(LOGIN).session(&session);
            let answer = login.form(&[("email", email), ("password", password)]).send();
            answer.assert_error(401, "wrong email or password");
            assert_eq!(set_cookies(&answer), 0, "{answer:?}");
        }
        assert_eq!(me(&server, &session).status, 200, "{kind}");
    }
}

#[test]
fn nothing_is_trimmed_from_a_password() {
    let server = Server::of("session_db_auth");
    let password = " \tsp ace \u{a0}\n";
    let body = json!({ "email": "bob@example.com", "password": password });
    let made = server.by_admin(server.post("/api/v1/users")).json(&body).send();
    assert_eq!(made.status, 201, "{made:?}");
    let form = |password: &str| {
        server.post(LOGIN).form(&[("email", "bob@example.com"), ("password", password)]).send()
    };
    assert_eq!(form(password).status, 200);
    assert_eq!(server.post(LOGIN).json(&body).send().status, 200);
    for trimmed in [password.trim(), password.trim_start(), password.trim_end()] {
        form(trimmed).assert_error(401, "wrong email or password");
    }
}

#[test]
fn get_on_login_is_405_without_credentials() {
    for kind in KINDS {
        let server = Server::of(kind);
        for method in ["GET", "PUT", "DELETE", "PATCH"] {
            let answer = server.request(method, LOGIN).send();
            answer.assert_error(405, "Method not allowed");
            assert_eq!(answer.header("allow"), Some("POST"), "{kind}");
            assert_eq!(set_cookies(&answer), 0, "{kind}");
        }
    }
}

#[test]
fn kinds_without_sessions_have_no_login() {
    for kind in ["none", "auth", "basic_auth"] {
        let server = Server::of(kind);
        let form = [("email", ADMIN), ("password", ADMIN_PASSWORD)];
        let empty = server.post(LOGIN).send();
        for login in [
            server.post(LOGIN).form(&form),
            server.post(LOGIN).form(&[("email", ADMIN), ("password", "wrong")]),
            server.post(LOGIN).json(&json!({ "email": ADMIN, "password": ADMIN_PASSWORD })),
            server.post(LOGIN).basic(ADMIN, ADMIN_PASSWORD).form(&form),
        ] {
            let answer = login.send();
            assert!((400..500).contains(&answer.status), "{kind}: {answer:?}");
            assert!(answer.json()["error"].is_string(), "{kind}: {answer:?}");
            // What was sent has not been looked at: this is no way to try passwords.
            assert_eq!((answer.status, &answer.body), (empty.status, &empty.body), "{kind}");
            assert_eq!(set_cookies(&answer), 0, "{kind}: {answer:?}");
        }
    }
}
