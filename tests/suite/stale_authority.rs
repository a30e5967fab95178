//! Who may act is asked again when the body has come: what was taken from a caller meanwhile is
//! not given back by a request that began before.

use serde_json::{Value, json};
use sessiond::models::Role;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Connection, InProcess, PASSWORD, Program, Request, Server,
    block_on,
};

const ALL: &str = "/api/v1/users";
const BOB: &str = "bob@example.com";

/// A server with two admins. The second one, bob, is who loses what he had.
struct Cast {
    server: Server,
    admin: String,
    bob: String,
    bob_path: String,
}

/// A program with one worker, which waits for a body for as long as a test may take.
fn patient(kind: &str) -> Program {
    Program::of(kind).set("BODY_TIMEOUT", "300").set("WORKERS", "1")
}

impl Cast {
    fn new() -> Self {
        Self::on(patient("session_db_auth").start())
    }

    fn on(server: Server) -> Self {
        let bob_path = format!("{ALL}/{}", server.add_user(BOB));
        let admin = server.admin();
        let promote =
            server.put(&bob_path).session(&admin).json(&json!({ "role": "admin" })).send();
        let admin = promote.session_id().expect("a change of roles gives a new id");
        let bob = server.log_in(BOB, PASSWORD);
        Self { server, admin, bob, bob_path }
    }

    /// A request of bob's that the server has let in, and that lacks the last byte of its body.
    fn begun(&self, method: &str, path: &str, body: &Value) -> Begun {
        Begun::of(self.server.request(method, path).session(&self.bob), body)
    }

    fn change_bob(&self, body: &Value) {
        let change = self.server.put(&self.bob_path).session(&self.server.admin()).json(body);
        assert_eq!(change.send().status, 200, "{body}");
    }

    fn log_bob_out(&self) {
        let logout = self.server.delete("/api/v1/auth_session/logout").session(&self.bob);
        assert_eq!(logout.send().status, 200);
    }

    /// Everybody, as the other admin sees them.
    fn users(&self) -> String {
        let users = self.server.get(ALL).session(&self.admin).send();
        assert_eq!(users.status, 200);
        users.body
    }
}

struct Begun {
    connection: Connection,
    last: u8,
}

impl Begun {
    fn of(request: Request, body: &Value) -> Self {
        let mut body = body.to_string().into_bytes();
        let last = body.pop().unwrap();
        let behind = request.behind("/api/v1/status");
        let mut connection = request.json_announced(body.len() + 1).start();
        assert_eq!(connection.answer().unwrap().status, 100, "the server waits for the body");
        connection.write(body);
        // The one worker deals with requests in their order: when it answers this one, it has let
        // the other in.
        assert_eq!(behind.send().status, 200);
        Self { connection, last }
    }

    fn finish(mut self) -> Answer {
        self.connection.write([self.last]);
        self.connection.answer().unwrap()
    }
}

/// The ways in which bob ceases to be an admin who is logged in.
const LOSSES: [fn(&Cast); 4] = [
    |cast| cast.change_bob(&json!({ "role": "user", "disabled": true })),
    |cast| cast.change_bob(&json!({ "role": "user" })),
    |cast| cast.change_bob(&json!({ "disabled": true })),
    Cast::log_bob_out,
];

#[test]
fn a_request_that_was_open_meanwhile_does_not_take_back_what_an_admin_lost() {
    for (number, lose) in LOSSES.iter().enumerate() {
        let cast = Cast::new();
        let regain = json!({ "disabled": false, "role": "admin", "first_name": "Mallory" });
        let open = cast.begun("PUT", &cast.bob_path, &regain);
        lose(&cast);
        let before = cast.users();
        open.finish().assert_error(403, "Forbidden");
        assert_eq!(cast.users(), before, "loss {number}");
        assert!(!before.contains("Mallory"), "{before}");
    }
}

#[test]
fn a_request_that_was_open_meanwhile_makes_no_user_once_its_sender_is_no_admin() {
    for (number, lose) in LOSSES.iter().enumerate() {
        let cast = Cast::new();
        let new = json!({ "email": "new@example.com", "password": PASSWORD });
        let open = cast.begun("POST", ALL, &new);
        lose(&cast);
        let before = cast.users();
        open.finish().assert_error(403, "Forbidden");
        assert_eq!(cast.users(), before, "loss {number}");
        assert!(!before.contains("new@example.com"), "{before}");
    }
}

#[test]
fn a_request_that_was_open_meanwhile_is_answered_as_ever_to_who_lost_nothing() {
    let cast = Cast::new();
    let put = cast.begun("PUT", &cast.bob_path, &json!({ "first_name": "Bob" }));
    let post =
        cast.begun("POST", ALL, &json!({ "email": "new@example.com", "password": PASSWORD }));
    cast.change_bob(&json!({ "last_name": "Lee" }));
    let put = put.finish();
    assert_eq!((put.status, &put.json()["first_name"]), (200, &json!("Bob")));
    assert_eq!(post.finish().status, 201);
}

#[test]
fn a_session_that_ended_meanwhile_changes_no_password_and_does_not_come_back() {
    let cast = Cast::new();
    let body = json!({ "current_password": PASSWORD, "new_password": "another one 3" });
    let open = cast.begun("PUT", "/api/v1/users/me/password", &body);
    cast.log_bob_out();
    let answer = open.finish();
    answer.assert_error(403, "Forbidden");
    assert_eq!(answer.header("set-cookie"), None);
    cast.server.log_in(BOB, PASSWORD);
}

#[test]
fn a_proof_with_a_password_that_came_meanwhile_brings_no_session_back() {
    let server = InProcess::with(&["--body-timeout", "300"]);
    let session = server.admin();
    let reauth = server.post("/api/v1/auth_session/reauth").session(&session);
    let open = Begun::of(reauth, &json!({ "password": PASSWORD }));
    let admin = block_on(server.service.accounts().users.search(ADMIN)).unwrap().unwrap();
    // This ends the session, and leaves what is stored of it.
    server.set_password(admin.id, PASSWORD);
    let answer = open.finish();
    answer.assert_error(403, "Forbidden");
    assert_eq!(answer.header("set-cookie"), None);
}

#[test]
fn a_proof_by_somebody_who_has_taken_the_address_over_is_none() {
    let server = InProcess::with(&["--body-timeout", "300"]);
    let first = server.add_user(BOB, Role::User);
    let session = server.log_in(BOB, PASSWORD);
    let reauth = server.post("/api/v1/auth_session/reauth").session(&session);
    let open = Begun::of(reauth, &json!({ "password": PASSWORD }));
    assert!(block_on(server.service.accounts().users.remove(first.id)).unwrap());
    server.add_user(BOB, Role::User);
    let answer = open.finish();
    answer.assert_error(401, "wrong password");
    assert_eq!(answer.header("set-cookie"), None);
}

#[test]
fn who_must_change_his_password_meanwhile_does_nothing_before_that() {
    let server = patient("basic_auth").start();
    let path = format!("{ALL}/{}", server.add_user(BOB));
    let open = server.put(&path).basic(BOB, PASSWORD);
    let open = Begun::of(open, &json!({ "first_name": "Bob" }));
    // The same password, so that his credentials stay good.
    let set = server.put(&format!("{path}/password")).basic(ADMIN, ADMIN_PASSWORD);
    assert_eq!(set.json(&json!({ "new_password": PASSWORD })).send().status, 200);
    open.finish().assert_error(403, "Password change required");
}

#[test]
fn who_lost_his_session_meanwhile_is_refused_as_at_the_gate() {
    let cast = Cast::on(patient("session_db_auth").set("INVALID_STATUS", "401").start());
    let open = cast.begun("PUT", &cast.bob_path, &json!({ "first_name": "Bob" }));
    cast.log_bob_out();
    open.finish().assert_error(401, "Unauthorized");
}

#[test]
fn a_role_is_compared_with_what_the_user_has_when_the_request_is_whole() {
    let cast = Cast::new();
    let path = format!("{ALL}/{}", cast.server.add_user("cat@example.com"));
    let open = cast.begun("PUT", &path, &json!({ "role": "user" }));
    let promote = cast.server.put(&path).session(&cast.admin).json(&json!({ "role": "admin" }));
    assert_eq!(promote.send().json()["role"], "admin");
    assert_eq!(open.finish().json()["role"], "user");
}
