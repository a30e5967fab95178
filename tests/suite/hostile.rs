//! Input that made others answer 500, in every kind.

use crate::harness::{KINDS, Program};

#[test]
fn nothing_that_is_sent_is_answered_500() {
    for kind in KINDS {
        let server =
            Program::of(kind).unset("SESSION_NAME").set("SESSION_DURATION", "315360000").start();
        let paths = [
            "/api/v1/users",
            "/api/v1/users/me",
            "/api/v1/users/x",
            "/api/v1/stats",
            "/api/v1/auth_session/login",
            "/api/v1/auth_session/logout",
        ];
        for path in paths {
            for method in ["GET", "POST", "PUT", "DELETE"] {
                for authorization in [
                    &b""[..],
                    b"Basic",
                    b"Basic ",
                    b"Basic test",
                    b"Basic \xff\xfe",
                    b"Basic Og==",
                    b"Basic ////",
                    b"Bearer",
                    b"Bearer \xf0\x9f\x98\x80",
                    b"\xff",
                    b"Test",
                ] {
                    let request = server.request(method, path);
                    let request = request.header_bytes("Authorization", authorization);
                    let status = request.body("application/json", "[1]").send().status;
                    assert!((200..500).contains(&status), "{kind} {method} {path}: {status}");
                }
                for body in ["[]", "\"x\"", "1", "null", "true", "{", "", "\u{0}", "{\"email\":[]}"]
                {
                    let request = server.request(method, path).cookie("_my_session_id=\u{e4}");
                    let status = request.body("application/json", body).send().status;
                    assert!(
                        (200..500).contains(&status),
                        "{kind} {method} {path} {body}: {status}"
                    );
                }
            }
        }
        let (.., log) = server.stop();
        assert!(!log.iter().any(|line| line.contains("ERROR")), "{log:?}");
    }
}
