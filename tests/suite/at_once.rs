//! Things that happen at the same moment.

use crate::harness::{ADMIN, ADMIN_PASSWORD, SESSION_KINDS, Server};

#[test]
fn of_two_logouts_at_once_exactly_one_is_200() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        for round in 0..25 {
            let id = server.admin();
            let logout = || server.delete("/api/v1/auth_session/logout").session(&id).start();
            let mut statuses = [logout(), logout(), logout()].map(|answer| answer.finish().status);
            statuses.sort_unstable();
            assert_eq!(statuses, [200, 403, 403], "{kind} {round}");
            assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 403);
        }
    }
}

#[test]
fn a_request_in_flight_does_not_bring_a_session_back() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        for _ in 0..25 {
            let id = server.admin();
            let mut requests: Vec<_> =
                (0..6).map(|_| server.get("/api/v1/users/me").session(&id).start()).collect();
            requests.push(server.delete("/api/v1/auth_session/logout").session(&id).start());
            let statuses: Vec<u16> = requests.into_iter().map(|r| r.finish().status).collect();
            assert_eq!(statuses[6], 200, "{kind}: {statuses:?}");
            assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 403, "{kind}");
        }
    }
}

#[test]
fn a_user_who_is_deleted_while_he_logs_in_has_no_session() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    for _ in 0..10 {
        let id = server.add_user("bob@example.com");
        let fields = [("email", "bob@example.com"), ("password", crate::harness::PASSWORD)];
        let login = server.login(&fields).start();
        let deleted = server.delete(&format!("/api/v1/users/{id}")).session(&admin).start();
        let (login, deleted) = (login.finish(), deleted.finish());
        assert_eq!(deleted.status, 200);
        assert!(matches!(login.status, 200 | 401), "{login:?}");
        if let Some(session) = login.session_id() {
            assert_eq!(server.get("/api/v1/users/me").session(&session).send().status, 403);
        }
    }
}

#[test]
fn everybody_sees_himself_however_many_ask_at_once() {
    let server = Server::of("session_db_auth");
    let sessions: Vec<(String, String)> = (0..16)
        .map(|n| {
            let email = format!("user{n}@example.com");
            server.add_user(&email);
            let session = server.log_in(&email, crate::harness::PASSWORD);
            (email, session)
        })
        .collect();
    for _ in 0..4 {
        let asked: Vec<_> = sessions
            .iter()
            .map(|(email, id)| (email, server.get("/api/v1/users/me").session(id).start()))
            .collect();
        for (email, answer) in asked {
            assert_eq!(answer.finish().json()["email"], email.as_str());
        }
    }
}

#[test]
fn parallel_logins_of_one_user_are_all_sessions() {
    let server = Server::of("session_db_auth");
    let logins: Vec<_> = (0..16)
        .map(|_| server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).start())
        .collect();
    for login in logins {
        let id = login.finish().session_id().unwrap();
        assert_eq!(server.get("/api/v1/users/me").session(&id).send().status, 200);
    }
}
