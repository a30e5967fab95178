//! What is left after the program has stopped or was killed.

use serde_json::json;

use crate::harness::{ADMIN, Answer, KINDS, PASSWORD, Program, SESSION_KINDS, Server};

fn me(server: &Server, session: &str) -> Answer {
    server.get("/api/v1/users/me").session(session).send()
}

fn stopped(server: Server) -> Program {
    let (program, status, log) = server.stop();
    assert_eq!(status.code(), Some(0), "{log:?}");
    program
}

/// The two ways to end a server: asked to (SIGTERM), and killed (SIGKILL).
const ENDS: [fn(Server) -> Program; 2] = [stopped, Server::kill];

#[test]
fn sessions_survive_a_restart_in_session_db_auth_and_only_there() {
    for end in ENDS {
        for kind in SESSION_KINDS {
            let server = Server::of(kind);
            server.add_user("bob@example.com");
            let sessions =
                [server.admin(), server.admin(), server.log_in("bob@example.com", PASSWORD)];
            let before: Vec<String> = sessions.iter().map(|id| me(&server, id).body).collect();
            let server = end(server).start();
            for (session, before) in sessions.iter().zip(&before) {
                let answer = me(&server, session);
                if kind == "session_db_auth" {
                    answer.assert_is(200, before);
                } else {
                    answer.assert_error(403, "Forbidden");
                }
            }
        }
    }
}

#[test]
fn a_session_survives_any_number_of_restarts() {
    let mut server = Server::of("session_db_auth");
    let session = server.admin();
    for end in [ENDS[0], ENDS[1], ENDS[1], ENDS[0]] {
        server = end(server).start();
        assert_eq!(me(&server, &session).json()["email"], ADMIN);
    }
    let logout = server.delete("/api/v1/auth_session/logout").session(&session).send();
    logout.assert_is(200, "{}");
}

#[test]
fn an_ended_session_stays_ended_over_a_restart() {
    for end in ENDS {
        let server = Server::of("session_db_auth");
        let (logged_out, other) = (server.admin(), server.admin());
        let deleted = server.add_user("deleted@example.com");
        let disabled = server.add_user("disabled@example.com");
        let of_deleted = server.log_in("deleted@example.com", PASSWORD);
        let of_disabled = server.log_in("disabled@example.com", PASSWORD);
        let replaced = server.log_in(ADMIN, crate::harness::ADMIN_PASSWORD);
        let login = server.post("/api/v1/auth_session/login").session(&replaced);
        let form = [("email", ADMIN), ("password", crate::harness::ADMIN_PASSWORD)];
        assert_eq!(login.form(&form).send().status, 200);
        let user = |id: &str| format!("/api/v1/users/{id}");
        server.delete(&user(&deleted)).session(&other).send().assert_is(200, "{}");
        let disable = server.put(&user(&disabled)).session(&other);
        assert_eq!(disable.json(&json!({ "disabled": true })).send().status, 200);
        let logout = server.delete("/api/v1/auth_session/logout").session(&logged_out).send();
        logout.assert_is(200, "{}");

        let server = end(server).start();
        for session in [&logged_out, &of_deleted, &of_disabled, &replaced] {
            me(&server, session).assert_error(403, "Forbidden");
        }
        assert_eq!(me(&server, &other).status, 200);
    }
}

#[test]
fn users_survive_a_restart_in_every_kind() {
    for end in ENDS {
        for kind in KINDS.iter().filter(|kind| **kind != "auth") {
            let server = Server::of(kind);
            let bob = format!("/api/v1/users/{}", server.add_user("bob@example.com"));
            let put = server.by_admin(server.put(&bob)).json(&json!({ "first_name": "Bob" }));
            assert_eq!(put.send().status, 200);
            let gone = format!("/api/v1/users/{}", server.add_user("gone@example.com"));
            server.by_admin(server.delete(&gone)).send().assert_is(200, "{}");
            let users = |server: &Server| server.by_admin(server.get("/api/v1/users")).send().body;
            let before = users(&server);
            let server = end(server).start();
            assert_eq!(users(&server), before, "{kind}");
        }
    }
}
