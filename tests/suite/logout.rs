//! Logout: how a session is ended.

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, NO_SESSION, Program, SESSION_KINDS, Server};

const LOGOUT: &str = "/api/v1/auth_session/logout";

fn me(server: &Server, session: &str) -> Answer {
    server.get("/api/v1/users/me").session(session).send()
}

#[test]
fn a_logout_ends_the_session_of_its_cookie_and_no_other() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        server.add_user("bob@example.com");
        let (ended, other) = (server.admin(), server.admin());
        let bob = server.log_in("bob@example.com", crate::harness::PASSWORD);
        let answer = server.delete(LOGOUT).session(&ended).send();
        answer.assert_is(200, "{}");
        assert_eq!(answer.header("clear-site-data"), Some("\"cache\", \"storage\""));
        me(&server, &ended).assert_error(403, "Forbidden");
        assert_eq!(me(&server, &other).status, 200, "{kind}");
        assert_eq!(me(&server, &bob).status, 200, "{kind}");
    }
}

#[test]
fn an_ended_session_is_refused_everywhere_at_once() {
    for kind in SESSION_KINDS {
        let server = Program::of(kind).set("WORKERS", "4").start();
        let session = server.admin();
        server.delete(LOGOUT).session(&session).send().assert_is(200, "{}");
        // More new connections than there are workers to take them.
        for _ in 0..5 {
            for (method, path) in [
                ("GET", "/api/v1/users/me"),
                ("GET", "/api/v1/stats"),
                ("POST", "/api/v1/users"),
                ("GET", "/api/v1/nope"),
                ("DELETE", LOGOUT),
            ] {
                let answer = server.request(method, path).session(&session).send();
                answer.assert_error(403, "Forbidden");
            }
        }
    }
}

#[test]
fn a_logout_without_a_live_session_is_stopped_at_the_gate() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let session = server.admin();
        let logout = || server.delete(LOGOUT);
        logout().send().assert_error(401, "Unauthorized");
        logout().session("junk").send().assert_error(403, "Forbidden");
        logout().session(NO_SESSION).send().assert_error(403, "Forbidden");
        logout().basic(ADMIN, ADMIN_PASSWORD).send().assert_error(403, "Forbidden");
        assert_eq!(me(&server, &session).status, 200, "{kind}");
    }
}

#[test]
fn where_there_are_no_sessions_there_is_none_to_end() {
    for kind in ["none", "basic_auth"] {
        let server = Server::of(kind);
        for session in ["junk", NO_SESSION] {
            let logout = server.by_admin(server.delete(LOGOUT)).session(session);
            logout.send().assert_error(404, "Not found");
        }
        server.by_admin(server.delete(LOGOUT)).send().assert_error(404, "Not found");
    }
    let server = Server::of("auth");
    server.delete(LOGOUT).send().assert_error(401, "Unauthorized");
    server.delete(LOGOUT).session("junk").send().assert_error(403, "Forbidden");
}

#[test]
fn only_delete_logs_out() {
    let server = Server::of("session_db_auth");
    let session = server.admin();
    for method in ["GET", "POST", "PUT", "PATCH", "OPTIONS"] {
        let answer = server.request(method, LOGOUT).session(&session).send();
        answer.assert_error(405, "Method not allowed");
        assert_eq!(answer.header("allow"), Some("DELETE"));
    }
    let head = server.request("HEAD", LOGOUT).session(&session).send();
    assert_eq!((head.status, head.header("allow")), (405, Some("DELETE")));
    assert_eq!(me(&server, &session).status, 200);
}

#[test]
fn one_can_log_in_again_after_a_logout() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        let first = server.admin();
        server.delete(LOGOUT).session(&first).send().assert_is(200, "{}");
        let second = server.admin();
        assert_ne!(first, second);
        assert_eq!(me(&server, &second).status, 200, "{kind}");
        me(&server, &first).assert_error(403, "Forbidden");
    }
}
