//! A session id as a bearer token, and what contradicts itself.

use crate::harness::{PASSWORD, Server};

const KINDS: [&str; 3] = ["session_auth", "session_exp_auth", "session_db_auth"];

#[test]
fn a_session_id_works_as_a_bearer_token_in_the_session_kinds() {
    for kind in KINDS {
        let server = Server::of(kind);
        let id = server.admin();
        for scheme in ["Bearer", "bearer", "BEARER", "Bearer "] {
            let request = server.get("/api/v1/users/me");
            let answer = request.header("Authorization", &format!("{scheme} {id}")).send();
            assert_eq!(answer.status, 200, "{kind} {scheme}");
        }
        for sent in [
            format!("Bearer {}", &id[1..]),
            format!("Bearer {id}x"),
            format!("Bearer {id}="),
            format!("Bearer{id}"),
            format!("Token {id}"),
            format!("Basic {id}"),
            format!("Bearer \"{id}\""),
            format!("Bearer {}", id.to_lowercase()),
            "Bearer".into(),
            "Bearer ".into(),
            id.clone(),
        ] {
            let answer = server.get("/api/v1/users/me").header("Authorization", &sent).send();
            answer.assert_error(403, "Forbidden");
        }
        assert_eq!(server.delete("/api/v1/auth_session/logout").bearer(&id).send().status, 200);
        assert_eq!(server.get("/api/v1/users/me").bearer(&id).send().status, 403);
        assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 403);
    }
}

#[test]
fn a_session_id_is_no_bearer_token_elsewhere() {
    let server = Server::of("session_db_auth");
    let id = server.admin();
    let (program, _, _) = server.stop();
    for kind in ["auth", "basic_auth"] {
        let server = program.clone().set("AUTH_TYPE", kind).start();
        assert_eq!(server.get("/api/v1/users/me").bearer(&id).send().status, 403, "{kind}");
        server.stop();
    }
}

#[test]
fn a_session_id_counts_nowhere_else_in_a_request() {
    let server = Server::of("session_db_auth");
    let id = server.admin();
    for request in [
        server.get(&format!("/api/v1/users/me?_my_session_id={id}")),
        server.get("/api/v1/users/me").header("X-Session-Id", &id),
        server.get("/api/v1/users/me").header("Session", &id),
    ] {
        assert_eq!(request.send().status, 401);
    }
}

#[test]
fn cookie_and_bearer_of_different_users_contradict_each_other() {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let (admin, bob) = (server.admin(), server.log_in("bob@example.com", PASSWORD));
    for (cookie, bearer) in [(&admin, &bob), (&bob, &admin)] {
        for request in [
            server.get("/api/v1/users/me"),
            server.get("/api/v1/nothing"),
            server.delete("/api/v1/auth_session/logout"),
        ] {
            let answer = request.session(cookie).bearer(bearer).send();
            answer.assert_error(400, "cookie and Authorization belong to different users");
        }
    }
    for id in [&admin, &bob] {
        assert_eq!(server.get("/api/v1/users/me").session(id).send().status, 200, "still alive");
    }
}

#[test]
fn cookie_and_bearer_of_one_user_agree_and_one_good_one_is_enough() {
    let server = Server::of("session_db_auth");
    let (cookie, bearer) = (server.admin(), server.admin());
    let junk = "A".repeat(43);
    for (cookie, bearer) in [(&cookie, &bearer), (&cookie, &junk), (&junk, &bearer)] {
        let answer = server.get("/api/v1/users/me").session(cookie).bearer(bearer).send();
        assert_eq!(answer.status, 200);
    }
    // Logout ends the session of the cookie.
    let logout = server.delete("/api/v1/auth_session/logout").session(&cookie).bearer(&bearer);
    assert_eq!(logout.send().status, 200);
    assert_eq!(server.get("/api/v1/users/me").session(&cookie).send().status, 403);
    assert_eq!(server.get("/api/v1/users/me").bearer(&bearer).send().status, 200);
}

#[test]
fn a_credential_that_is_sent_twice_is_400() {
    for kind in ["auth", "basic_auth", "session_db_auth"] {
        let server = Server::of(kind);
        let request = || server.get("/api/v1/users/me");
        for (request, says) in [
            (request().bearer("a").bearer("a"), "Authorization must not be sent twice"),
            (request().session("a").session("a"), "cookie _my_session_id must not be sent twice"),
            (
                request().header("Cookie", "_my_session_id=a; x=y; _my_session_id=b"),
                "cookie _my_session_id must not be sent twice",
            ),
        ] {
            request.send().assert_error(400, says);
        }
    }
}
