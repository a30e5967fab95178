//! Who may do what to whom.

use serde_json::{Value, json};

use crate::harness::{ADMIN, NOBODY, PASSWORD, Request, Server};

const ALL: &str = "/api/v1/users";

/// A server with an admin and two plain users, and how each of them speaks.
struct Cast {
    server: Server,
    admin: String,
    bob: String,
    bob_id: String,
    cat_id: String,
    admin_id: String,
}

impl Cast {
    fn new() -> Self {
        let server = Server::of("session_db_auth");
        let (bob_id, cat_id) =
            (server.add_user("bob@example.com"), server.add_user("cat@example.com"));
        let (admin, bob) = (server.admin(), server.log_in("bob@example.com", PASSWORD));
        let me = server.get("/api/v1/users/me").session(&admin).send().json();
        let admin_id = me["id"].as_str().unwrap().to_owned();
        Self { server, admin, bob, bob_id, cat_id, admin_id }
    }

    fn user(&self, method: &str, id: &str) -> Request {
        self.server.request(method, &format!("{ALL}/{id}"))
    }

    fn change(&self, by: &str, id: &str, body: &Value) -> (u16, Value) {
        let answer = self.user("PUT", id).session(by).json(body).send();
        (answer.status, answer.json())
    }
}

#[test]
fn a_new_user_has_the_lowest_role_whatever_is_asked_for() {
    let cast = Cast::new();
    let body = json!({
        "email": "dan@example.com", "password": PASSWORD, "role": "admin", "disabled": true,
        "id": NOBODY, "credential_version": 7, "password_hash": "x", "created_at": "2000-01-01T00:00:00Z",
    });
    let made = cast.server.post(ALL).session(&cast.admin).json(&body).send();
    assert_eq!(made.status, 201);
    let made = made.json();
    assert_eq!((&made["role"], &made["disabled"]), (&json!("user"), &json!(false)));
    assert_ne!(made["id"], NOBODY);
    assert!(!made["created_at"].as_str().unwrap().starts_with("2000"));
    cast.server.log_in("dan@example.com", PASSWORD);
}

#[test]
fn a_plain_user_may_read_change_and_delete_himself() {
    let cast = Cast::new();
    for id in ["me", &cast.bob_id] {
        let read = cast.user("GET", id).session(&cast.bob).send();
        assert_eq!((read.status, read.json()["email"].as_str()), (200, Some("bob@example.com")));
    }
    let (status, changed) = cast.change(&cast.bob, &cast.bob_id, &json!({ "first_name": "Bob" }));
    assert_eq!((status, &changed["first_name"]), (200, &json!("Bob")));
    let deleted = cast.user("DELETE", &cast.bob_id).session(&cast.bob).send();
    deleted.assert_is(200, "{}");
    let cookie = deleted.header("set-cookie").expect("the cookie is taken back");
    assert!(cookie.starts_with("_my_session_id=;"), "{cookie}");
    cast.user("GET", "me").session(&cast.bob).send().assert_error(403, "Forbidden");
}

#[test]
fn a_plain_user_may_do_nothing_to_others_known_or_not() {
    let cast = Cast::new();
    let by_bob = |request: Request| request.session(&cast.bob);
    for id in [&cast.cat_id, &cast.admin_id, NOBODY, "x", "1", &cast.bob_id.to_uppercase()] {
        for request in [
            by_bob(cast.user("GET", id)),
            by_bob(cast.user("HEAD", id)),
            by_bob(cast.user("PUT", id)).json(&json!({ "first_name": "Mallory" })),
            by_bob(cast.user("PUT", id)).body("text/plain", "no JSON"),
            by_bob(cast.user("DELETE", id)),
        ] {
            assert_eq!(request.send().status, 403, "{id}");
        }
    }
    let new = json!({ "email": "dan@example.com", "password": PASSWORD });
    by_bob(cast.server.get(ALL)).send().assert_error(403, "Forbidden");
    by_bob(cast.server.post(ALL)).json(&new).send().assert_error(403, "Forbidden");
    by_bob(cast.server.post(ALL)).body("text/plain", "").send().assert_error(403, "Forbidden");
    let all = cast.server.get(ALL).session(&cast.admin).send().json();
    let all = all.as_array().unwrap();
    assert!(all.len() == 3 && all.iter().all(|user| user["first_name"].is_null()), "{all:?}");
}

#[test]
fn an_admin_may_do_everything_to_everybody() {
    let cast = Cast::new();
    assert_eq!(
        cast.server.get(ALL).session(&cast.admin).send().json().as_array().unwrap().len(),
        3
    );
    assert_eq!(cast.user("GET", &cast.bob_id).session(&cast.admin).send().status, 200);
    let (status, changed) = cast.change(&cast.admin, &cast.bob_id, &json!({ "last_name": "B" }));
    assert_eq!((status, &changed["last_name"]), (200, &json!("B")));
    let deleted = cast.user("DELETE", &cast.cat_id).session(&cast.admin).send();
    assert_eq!((deleted.status, deleted.header("set-cookie")), (200, None));
    for request in ["GET", "PUT", "DELETE"].map(|method| cast.user(method, NOBODY)) {
        assert_eq!(request.session(&cast.admin).send().status, 404);
    }
}

#[test]
fn role_and_disabled_are_for_admins_alone_also_when_they_stay_as_they_are() {
    let cast = Cast::new();
    for body in [
        json!({ "role": "admin" }),
        json!({ "role": "user" }),
        json!({ "role": 1 }),
        json!({ "disabled": true }),
        json!({ "disabled": false }),
        json!({ "first_name": "Bob", "disabled": false }),
        json!({ "role": null }),
        json!({ "disabled": null }),
    ] {
        let (status, answer) = cast.change(&cast.bob, &cast.bob_id, &body);
        assert_eq!(
            (status, answer),
            (403, json!({ "error": "Forbidden", "code": "forbidden" })),
            "{body}"
        );
    }
    // To an admin null means unchanged.
    let body = json!({ "role": null, "disabled": null });
    let (status, bob) = cast.change(&cast.admin, &cast.bob_id, &body);
    assert_eq!((status, &bob["role"], &bob["first_name"]), (200, &json!("user"), &Value::Null));
}

#[test]
fn a_role_takes_effect_at_once_in_both_directions() {
    let cast = Cast::new();
    let list = || cast.server.get(ALL).session(&cast.bob).send().status;
    assert_eq!(list(), 403);
    for (role, status) in [("admin", 200), ("user", 403)] {
        let admin = cast.server.admin();
        let (changed, user) = cast.change(&admin, &cast.bob_id, &json!({ "role": role }));
        assert_eq!((changed, &user["role"], list()), (200, &json!(role), status));
    }
}

#[test]
fn a_user_who_is_disabled_is_out_at_once_and_his_session_stays_ended() {
    let cast = Cast::new();
    let me = || cast.user("GET", "me").session(&cast.bob).send().status;
    for (disabled, status) in [(true, 403), (false, 403)] {
        let body = json!({ "disabled": disabled });
        let (changed, user) = cast.change(&cast.admin, &cast.bob_id, &body);
        assert_eq!((changed, &user["disabled"], me()), (200, &json!(disabled), status));
    }
    cast.server.log_in("bob@example.com", PASSWORD);
}

#[test]
fn a_value_that_breaks_a_rule_is_400_and_named() {
    let cast = Cast::new();
    let long = "x".repeat(257);
    for (body, says) in [
        (json!({ "role": "root" }), "role must be \"admin\" or \"user\""),
        (json!({ "role": "Admin" }), "role must be \"admin\" or \"user\""),
        (json!({ "role": ["admin"] }), "role must be \"admin\" or \"user\""),
        (json!({ "role": "" }), "role must be \"admin\" or \"user\""),
        (json!({ "disabled": "perhaps" }), "disabled must be true or false"),
        (json!({ "disabled": 1 }), "disabled must be true or false"),
        (json!({ "first_name": 5 }), "first_name must be a string"),
        (json!({ "last_name": {} }), "last_name must be a string"),
        (json!({ "first_name": long }), "first_name must have at most 256 characters"),
    ] {
        let (status, answer) = cast.change(&cast.admin, &cast.bob_id, &body);
        assert_eq!(
            (status, &answer["error"], &answer["code"]),
            (400, &json!(says), &json!("invalid_value")),
            "{body}"
        );
    }
    let bob = cast.user("GET", &cast.bob_id).session(&cast.admin).send().json();
    assert_eq!((&bob["role"], &bob["disabled"]), (&json!("user"), &json!(false)));
}

#[test]
fn the_last_enabled_admin_stays() {
    let cast = Cast::new();
    let refused = (409, json!({ "error": "this is the last enabled admin", "code": "last_admin" }));
    let changes = [json!({ "role": "user" }), json!({ "disabled": true })];
    let assert_stays = || {
        for body in &changes {
            assert_eq!(cast.change(&cast.admin, &cast.admin_id, body), refused, "{body}");
        }
        let deleted = cast.user("DELETE", &cast.admin_id).session(&cast.admin).send();
        deleted.assert_error(409, "this is the last enabled admin");
        assert_eq!(cast.user("GET", "me").session(&cast.admin).send().json()["role"], "admin");
    };
    assert_stays();
    // A disabled admin is none.
    let body = json!({ "role": "admin", "disabled": true });
    assert_eq!(cast.change(&cast.server.admin(), &cast.bob_id, &body).0, 200);
    assert_stays();
    // An enabled one is.
    assert_eq!(cast.change(&cast.admin, &cast.bob_id, &json!({ "disabled": false })).0, 200);
    assert_eq!(cast.change(&cast.admin, &cast.admin_id, &json!({ "role": "user" })).0, 200);
    let bob = cast.server.log_in("bob@example.com", PASSWORD);
    assert_eq!(cast.change(&bob, &cast.bob_id, &changes[1]), refused);
}

#[test]
fn two_admins_who_demote_each_other_at_once_leave_one() {
    for _ in 0..10 {
        let cast = Cast::new();
        let promotion =
            cast.change(&cast.server.admin(), &cast.bob_id, &json!({ "role": "admin" }));
        assert_eq!(promotion.0, 200);
        // Only a proof that is younger than his role lets him change roles.
        let bob = cast.server.log_in("bob@example.com", PASSWORD);
        let demote = |by: &str, id: &str| {
            cast.user("PUT", id).session(by).json(&json!({ "role": "user" })).start()
        };
        let both = [demote(&cast.admin, &cast.bob_id), demote(&bob, &cast.admin_id)];
        let mut statuses = both.map(|answer| answer.finish().status);
        statuses.sort_unstable();
        // The second is refused either as the last admin or as no admin any more.
        assert!(matches!(statuses, [200, 403 | 409]), "{statuses:?}");
    }
}

#[test]
fn without_roles_everybody_may_do_everything_but_lose_the_last_admin() {
    let server = Server::of("none");
    let all = server.get(ALL).send().json();
    let path = format!("{ALL}/{}", all[0]["id"].as_str().unwrap());
    assert_eq!(all[0]["email"], ADMIN);
    let id = server.add_user("bob@example.com");
    let bob = format!("{ALL}/{id}");
    let promoted = server.put(&bob).json(&json!({ "role": "admin", "disabled": true })).send();
    assert_eq!((promoted.status, &promoted.json()["role"]), (200, &json!("admin")));
    server.delete(&path).send().assert_error(409, "this is the last enabled admin");
    assert_eq!(server.delete(&bob).send().status, 200);
}
