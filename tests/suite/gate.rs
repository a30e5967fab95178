//! The gate: who is let through to what, before anything else is looked at.

use serde_json::json;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, KINDS, KNOWING_KINDS, NO_SESSION, PASSWORD, Program, Request,
    SESSION_KINDS, Server,
};

const LOGIN: &str = "/api/v1/auth_session/login";

/// A server of this kind, and a live session: its own if it keeps any, else one that
/// `session_db_auth` keeps in the same data directory.
fn with_live_session(kind: &str) -> (Server, String) {
    if SESSION_KINDS.contains(&kind) {
        let server = Server::of(kind);
        let session = server.admin();
        return (server, session);
    }
    let server = Server::of("session_db_auth");
    let session = server.admin();
    let (program, ..) = server.stop();
    (program.set("AUTH_TYPE", kind).start(), session)
}

fn refused(status: u16) -> &'static str {
    if status == 401 { "Unauthorized" } else { "Forbidden" }
}

/// What is sent, how it is added to a request, and the answers in the columns of the table: 200
/// stands for "through".
type Row<'r> = (&'r str, &'r dyn Fn(Request) -> Request, [u16; 4]);

#[test]
fn the_gate_lets_through_what_its_table_says() {
    for kind in KINDS {
        let (server, live) = with_live_session(kind);
        let column = ["none", "auth", "basic_auth"].iter().position(|k| *k == kind).unwrap_or(3);
        let right = |request: Request| request.basic(ADMIN, ADMIN_PASSWORD);
        let junk = "junk";
        let rows: [Row<'_>; 16] = [
            ("nothing", &|r| r, [200, 401, 401, 401]),
            ("another cookie", &|r| r.cookie(&format!("sid={live}")), [200, 401, 401, 401]),
            ("no pairs", &|r| r.cookie(";;"), [200, 401, 401, 401]),
            ("Test", &|r| r.header("Authorization", "Test"), [200, 403, 403, 403]),
            ("empty Authorization", &|r| r.header("Authorization", ""), [200, 403, 403, 403]),
            ("junk cookie", &|r| r.session(junk), [200, 403, 403, 403]),
            ("empty cookie", &|r| r.session(""), [200, 403, 403, 403]),
            ("unknown session", &|r| r.session(NO_SESSION), [200, 403, 403, 403]),
            ("right Basic", &right, [200, 403, 200, 403]),
            ("wrong Basic", &|r| r.basic(ADMIN, PASSWORD), [200, 403, 403, 403]),
            ("live cookie", &|r| r.session(&live), [200, 403, 403, 200]),
            (
                "live cookie, junk Authorization",
                &|r| r.session(&live).header("Authorization", "Test"),
                [200, 403, 403, 200],
            ),
            ("junk cookie, right Basic", &|r| right(r.session(junk)), [200, 403, 200, 403]),
            ("live bearer", &|r| r.bearer(&live), [200, 403, 403, 200]),
            ("unknown bearer", &|r| r.bearer(NO_SESSION), [200, 403, 403, 403]),
            ("live cookie, right Basic", &|r| right(r.session(&live)), [200, 403, 200, 200]),
        ];
        for (sent, add, expected) in rows {
            let status = expected[column];
            for path in ["/api/v1/users", "/api/v1/users/", "/api/v1/stats"] {
                let answer = add(server.get(path)).send();
                assert_eq!(answer.status, status, "{kind}, {sent}, {path}: {answer:?}");
                if status != 200 {
                    answer.assert_error(status, refused(status));
                }
            }
        }
    }
}

#[test]
fn a_live_session_that_another_kind_refuses_is_none_the_worse_for_it() {
    let (server, live) = with_live_session("basic_auth");
    server.get("/api/v1/stats").session(&live).send().assert_error(403, "Forbidden");
    let server = server.stop().0.set("AUTH_TYPE", "session_db_auth").start();
    assert_eq!(server.get("/api/v1/users/me").session(&live).send().status, 200);
}

#[test]
fn the_gate_comes_before_routing() {
    for kind in KNOWING_KINDS {
        let server = Server::of(kind);
        for (method, path, past) in [
            ("GET", "/api/v1", 404),
            ("GET", "/api/v1/", 404),
            ("GET", "/api/v1/nope", 404),
            ("POST", "/api/v1/nope/nope", 404),
            ("FOO", "/api/v1/nope", 404),
            ("GET", "/api/v1/users/not-an-id", 404),
            ("PATCH", "/api/v1/users", 405),
            ("DELETE", "/api/v1/users", 405),
            ("POST", "/api/v1/users/me", 405),
            ("OPTIONS", "/api/v1/stats", 405),
            ("TRACE", "/api/v1/stats", 405),
            ("FOO", "/api/v1/users", 405),
            ("GET", "/api/v1/auth_session/logout", 405),
            // A body that is no good, too, is nobody's business before the gate.
            ("POST", "/api/v1/users", 400),
        ] {
            let request = || server.request(method, path);
            request().send().assert_error(401, "Unauthorized");
            request().session("junk").send().assert_error(403, "Forbidden");
            let answer = server.by_admin(request()).send();
            assert_eq!(answer.status, past, "{kind}, {method} {path}: {answer:?}");
        }
    }
}

#[test]
fn auth_alone_knows_nobody_whatever_is_asked_for() {
    let server = Server::of("auth");
    for (method, path) in [
        ("GET", "/api/v1/users"),
        ("POST", "/api/v1/users"),
        ("GET", "/api/v1/nope"),
        ("PATCH", "/api/v1/users"),
        ("DELETE", "/api/v1/auth_session/logout"),
    ] {
        server.request(method, path).send().assert_error(401, "Unauthorized");
        let request = server.request(method, path).basic(ADMIN, ADMIN_PASSWORD);
        request.send().assert_error(403, "Forbidden");
    }
}

#[test]
fn open_paths_are_open_in_every_kind_and_whatever_is_sent() {
    for kind in KINDS {
        let server = Server::of(kind);
        let additions: [&dyn Fn(Request) -> Request; 4] =
            [&|r| r, &|r| r.session("junk"), &|r| r.header("Authorization", "Test"), &|r| {
                r.basic(ADMIN, PASSWORD).session(NO_SESSION)
            }];
        for add in additions {
            let get = |path: &str| -> Answer { add(server.get(path)).send() };
            for slash in ["", "/"] {
                let status = get(&format!("/api/v1/status{slash}"));
                status.assert_is(200, r#"{"status":"OK"}"#);
                get(&format!("/api/v1/unauthorized{slash}")).assert_error(401, "Unauthorized");
                get(&format!("/api/v1/forbidden{slash}")).assert_error(403, "Forbidden");
                get(&format!("{LOGIN}{slash}")).assert_error(405, "Method not allowed");
            }
        }
    }
}

#[test]
fn an_open_path_is_matched_as_a_whole_and_never_as_a_pattern() {
    let server = Server::of("session_db_auth");
    for path in [
        "/api/v1/stat",
        "/api/v1/stats",
        "/api/v1/statusx",
        "/api/v1/status/x",
        "/api/v1/status/users",
        "/api/v1/status.json",
        "/api/v1/status;x",
        "/api/v1/Status",
        "/api/v1/status*",
        "/api/v1/s.*",
        "/api/v1/.*",
        "/api/v1/*",
        "/api/v1/^status$",
        "/api/v1/status|users",
        "/api/v1/(status)",
        "/api/v1/unauthorize",
        "/api/v1/unauthorized/x",
        "/api/v1/forbiddenx",
        "/api/v1/auth_session",
        "/api/v1/auth_session/",
        "/api/v1/auth_session/log",
        "/api/v1/auth_session/logout",
        "/api/v1/auth_session/loginx",
        "/api/v1/auth_session/login/x",
        "/api/v1/users/status",
        "/api/v1/users/api/v1/status",
    ] {
        server.get(path).send().assert_error(401, "Unauthorized");
        server.get(path).session("junk").send().assert_error(403, "Forbidden");
    }
}

#[test]
fn what_is_not_under_the_api_has_no_gate_and_nothing_in_it() {
    let server = Server::of("session_db_auth");
    for path in
        ["/", "/api", "/api/", "/api/v2/status", "/api/v1x/users", "/API/v1/users", "/status"]
    {
        server.get(path).send().assert_error(404, "Not found");
        server.post(path).session("junk").send().assert_error(404, "Not found");
    }
}

#[test]
fn bad_credentials_are_401_where_invalid_status_says_so() {
    for kind in ["auth", "basic_auth", "session_auth", "session_exp_auth", "session_db_auth"] {
        let server = Program::of(kind).set("INVALID_STATUS", "401").start();
        let get = || server.get("/api/v1/users");
        for request in [
            get(),
            get().session("junk"),
            get().session(NO_SESSION),
            get().header("Authorization", "Test"),
            get().basic(ADMIN, PASSWORD),
        ] {
            request.send().assert_error(401, "Unauthorized");
        }
        server.get("/api/v1/forbidden").send().assert_error(403, "Forbidden");
    }
    let server = Program::of("basic_auth").set("INVALID_STATUS", "401").start();
    assert_eq!(server.by_admin(server.get("/api/v1/users")).send().status, 200);
}

#[test]
fn the_current_user_is_the_one_whose_credentials_were_sent() {
    for kind in KNOWING_KINDS {
        let server = Server::of(kind);
        server.add_user("bob@example.com");
        let who = |email: &str, password: &str| {
            let me = server.get("/api/v1/users/me");
            let me = match kind {
                "basic_auth" => me.basic(email, password),
                _ => me.session(&server.log_in(email, password)),
            };
            me.send().json()["email"].as_str().unwrap().to_owned()
        };
        assert_eq!(who(ADMIN, ADMIN_PASSWORD), ADMIN, "{kind}");
        assert_eq!(who("bob@example.com", PASSWORD), "bob@example.com", "{kind}");
    }
}

#[test]
fn a_deleted_or_disabled_user_is_refused_at_once() {
    for kind in KNOWING_KINDS {
        let server = Server::of(kind);
        for ending in ["delete", "disable"] {
            let email = format!("{ending}@example.com");
            let user = format!("/api/v1/users/{}", server.add_user(&email));
            let session = (kind != "basic_auth").then(|| server.log_in(&email, PASSWORD));
            let me = || match &session {
                Some(id) => server.get("/api/v1/users/me").session(id).send(),
                None => server.get("/api/v1/users/me").basic(&email, PASSWORD).send(),
            };
            assert_eq!(me().status, 200, "{kind}");
            let answer = match ending {
                "delete" => server.by_admin(server.delete(&user)).send(),
                _ => server.by_admin(server.put(&user)).json(&json!({ "disabled": true })).send(),
            };
            assert_eq!(answer.status, 200, "{kind} {ending}");
            me().assert_error(403, "Forbidden");
        }
    }
}
