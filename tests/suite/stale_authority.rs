//! Who may act is asked again when the body has come: what was taken from a caller meanwhile is
//! not given back by a request that began before.

use serde_json::{Value, json};

use crate::harness::{Answer, Connection, PASSWORD, Server};

const ALL: &str = "/api/v1/users";
const BOB: &str = "bob@example.com";

/// A server with two admins. The second one, bob, is who loses what he had.
struct Cast {
    server: Server,
    admin: String,
    bob: String,
    bob_path: String,
}

impl Cast {
    fn new() -> Self {
        let server = Server::of("session_db_auth");
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
        let mut body = body.to_string().into_bytes();
        let mut connection = self.server.connect();
        connection.write(format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nCookie: _my_session_id={}\r\n\
             Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            self.server.address,
            self.bob,
            body.len()
        ));
        assert_eq!(connection.answer().unwrap().status, 100, "the server waits for the body");
        let last = body.pop().unwrap();
        connection.write(body);
        Begun { connection, last }
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
