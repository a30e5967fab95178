//! What needs a fresh proof of who is speaking: changes of passwords and roles, deletions, and the
//! end of many sessions at once.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, InProcess, PASSWORD, Request, SESSION_KINDS, block_on,
};

const NEEDED: &str = "Fresh login required";
const BOB: &str = "bob@example.com";

/// A server on which the admin's session is not fresh any more.
struct Cast {
    server: InProcess,
    admin: String,
    admin_id: String,
    bob_id: String,
}

impl Cast {
    fn new(kind: &str) -> Self {
        let server = InProcess::with(&["--auth-type", kind]);
        let admin = server.admin();
        let new = json!({ "email": BOB, "password": PASSWORD });
        let bob = server.post("/api/v1/users").session(&admin).json(&new).send().json();
        let me = server.get("/api/v1/users/me").session(&admin).send().json();
        let id = |user: &Value| user["id"].as_str().unwrap().to_owned();
        let (admin_id, bob_id) = (id(&me), id(&bob));
        server.advance(Duration::from_mins(15));
        Self { server, admin, admin_id, bob_id }
    }

    /// Every action that needs a fresh proof, with its body.
    fn actions(&self) -> Vec<(&'static str, String, Value)> {
        let bob = format!("/api/v1/users/{}", self.bob_id);
        vec![
            ("PUT", bob.clone(), json!({ "role": "admin" })),
            ("PUT", format!("{bob}/password"), json!({ "new_password": "another one 3" })),
            ("DELETE", format!("{bob}/sessions"), json!({})),
            ("DELETE", "/api/v1/users/me/sessions".into(), json!({})),
            ("DELETE", "/api/v1/users/me/sessions?all=true".into(), json!({})),
            ("DELETE", "/api/v1/sessions".into(), json!({})),
            ("DELETE", bob, json!({})),
            ("DELETE", format!("/api/v1/users/{}", self.admin_id), json!({})),
        ]
    }

    fn ask(&self, method: &str, path: &str, body: &Value) -> Answer {
        self.request(method, path).json(body).send()
    }

    fn request(&self, method: &str, path: &str) -> Request {
        self.server.request(method, path).session(&self.admin)
    }
}

fn with_password(body: &Value, password: &str) -> Value {
    let mut body = body.clone();
    body["current_password"] = json!(password);
    body
}

#[test]
fn what_matters_needs_a_fresh_proof() {
    for kind in SESSION_KINDS {
        let cast = Cast::new(kind);
        let users = || cast.request("GET", "/api/v1/users").send().body;
        let before = users();
        for (method, path, body) in cast.actions() {
            let wrong = with_password(&body, PASSWORD);
            cast.ask(method, &path, &body).assert_error(403, NEEDED);
            cast.ask(method, &path, &wrong).assert_error(403, "wrong password");
            cast.ask(method, &path, &with_password(&body, "")).assert_error(403, NEEDED);
            let number =
                json!({ "role": "admin", "new_password": "another one 3", "current_password": 1 });
            assert_eq!(cast.ask(method, &path, &number).status, 400, "{method} {path}");
            if method == "DELETE" {
                cast.request(method, &path).send().assert_error(403, NEEDED);
            }
        }
        assert_eq!(users(), before, "{kind}");
        assert_eq!(cast.server.log_in(BOB, PASSWORD).len(), 43);
    }
}

#[test]
fn the_current_password_is_proof_enough() {
    for number in 0..7 {
        let cast = Cast::new("session_db_auth");
        let (method, path, body) = cast.actions().remove(number);
        let answer = cast.ask(method, &path, &with_password(&body, ADMIN_PASSWORD));
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
    }
    // As a form as well, where there is no body otherwise.
    let cast = Cast::new("session_db_auth");
    let path = format!("/api/v1/users/{}", cast.bob_id);
    let form = [("current_password", ADMIN_PASSWORD)];
    assert_eq!(cast.request("DELETE", &path).form(&form).send().status, 200);
}

#[test]
fn a_login_and_a_proof_are_fresh_for_a_while() {
    for number in 0..7 {
        let mut cast = Cast::new("session_db_auth");
        let (method, path, body) = cast.actions().remove(number);
        let proof = cast.request("POST", "/api/v1/auth_session/reauth");
        let proof = proof.form(&[("password", ADMIN_PASSWORD)]).send();
        cast.admin = proof.session_id().unwrap();
        cast.server.advance(Duration::from_secs(899));
        let answer = cast.ask(method, &path, &body);
        assert_eq!(answer.status, 200, "{method} {path}: {}", answer.body);
    }
}

#[test]
fn what_does_not_matter_as_much_needs_none() {
    let cast = Cast::new("session_db_auth");
    let bob = format!("/api/v1/users/{}", cast.bob_id);
    for (method, path, body) in [
        ("PUT", bob.as_str(), json!({ "first_name": "Bob", "role": "user" })),
        ("PUT", &bob, json!({ "disabled": true })),
        ("POST", "/api/v1/users", json!({ "email": "new@example.com", "password": PASSWORD })),
    ] {
        let answer = cast.ask(method, path, &body);
        assert!(matches!(answer.status, 200 | 201), "{method} {path}: {}", answer.body);
        assert_eq!(answer.header("set-cookie"), None, "{method} {path}");
    }
    let sessions = cast.request("GET", "/api/v1/users/me/sessions").send().json();
    let one = format!("/api/v1/users/me/sessions/{}", sessions[0]["id"].as_str().unwrap());
    assert_eq!(cast.request("DELETE", &one).send().status, 200);
}

#[test]
fn a_plain_user_needs_one_too_to_delete_himself() {
    let cast = Cast::new("session_db_auth");
    let bob = cast.server.log_in(BOB, PASSWORD);
    cast.server.advance(Duration::from_mins(15));
    let path = format!("/api/v1/users/{}", cast.bob_id);
    let delete = || cast.server.delete(&path).session(&bob);
    delete().send().assert_error(403, NEEDED);
    delete()
        .json(&json!({ "current_password": ADMIN_PASSWORD }))
        .send()
        .assert_error(403, "wrong password");
    assert_eq!(delete().json(&json!({ "current_password": PASSWORD })).send().status, 200);
}

#[test]
fn basic_credentials_are_a_proof_and_no_roles_need_none() {
    for kind in ["basic_auth", "none"] {
        let server = InProcess::with(&["--auth-type", kind]);
        let by_admin = |request: Request| match kind {
            "none" => request,
            _ => request.basic(ADMIN, ADMIN_PASSWORD),
        };
        let new = json!({ "email": BOB, "password": PASSWORD });
        let bob = by_admin(server.post("/api/v1/users")).json(&new).send().json();
        server.advance(Duration::from_hours(1));
        let path = format!("/api/v1/users/{}", bob["id"].as_str().unwrap());
        let promote = by_admin(server.put(&path)).json(&json!({ "role": "admin" })).send();
        assert_eq!((promote.status, promote.header("set-cookie")), (200, None), "{kind}");
        let set = by_admin(server.put(&format!("{path}/password")));
        let set = set.json(&json!({ "new_password": "another one 3" })).send();
        assert_eq!(set.status, 200, "{kind}: {}", set.body);
        assert_eq!(by_admin(server.delete(&path)).send().status, 200, "{kind}");
    }
}

#[test]
fn a_change_of_roles_gives_the_session_that_did_it_a_new_id() {
    for kind in SESSION_KINDS {
        let cast = Cast::new(kind);
        let me = |id: &str| cast.server.get("/api/v1/users/me").session(id).send().status;
        let path = format!("/api/v1/users/{}", cast.bob_id);
        let body = json!({ "role": "admin", "current_password": ADMIN_PASSWORD });
        let changed = cast.ask("PUT", &path, &body);
        assert_eq!(changed.json()["role"], "admin");
        let new = changed.session_id().expect("a new id");
        assert_eq!((me(&cast.admin), me(&new)), (403, 200), "{kind}");
        let told = cast.server.get("/api/v1/auth_session").session(&new).send().json();
        assert_eq!(told["fresh"], false, "the password was for this request");
    }
}

#[test]
fn a_session_from_before_a_promotion_is_not_fresh() {
    let cast = Cast::new("session_db_auth");
    let server = &cast.server;
    let bob = server.log_in(BOB, PASSWORD);
    server.advance(Duration::from_secs(1));
    let path = format!("/api/v1/users/{}", cast.bob_id);
    let promotion = json!({ "role": "admin", "current_password": ADMIN_PASSWORD });
    assert_eq!(cast.ask("PUT", &path, &promotion).status, 200);
    // What he may do as an admin counts at once; what matters most waits for his password.
    assert_eq!(server.get("/api/v1/users").session(&bob).send().status, 200);
    let demote = |session: &str| {
        let admin = format!("/api/v1/users/{}", cast.admin_id);
        server.put(&admin).session(session).json(&json!({ "role": "user" })).send()
    };
    demote(&bob).assert_error(403, NEEDED);
    let proof = server.post("/api/v1/auth_session/reauth").session(&bob);
    let bob = proof.form(&[("password", PASSWORD)]).send().session_id().unwrap();
    assert_eq!(demote(&bob).status, 200);
}

#[test]
fn a_proof_of_somebody_who_is_locked_out_meanwhile_is_none() {
    let cast = Cast::new("session_db_auth");
    let bob = cast.server.log_in(BOB, PASSWORD);
    let accounts = cast.server.service.accounts();
    let id = cast.bob_id.parse().unwrap();
    let patch = sessiond::auth::accounts::UserPatch { disabled: Some(true), ..Default::default() };
    block_on(accounts.update(id, patch)).unwrap();
    let proof = cast.server.post("/api/v1/auth_session/reauth").session(&bob);
    proof.form(&[("password", PASSWORD)]).send().assert_error(403, "Forbidden");
}
