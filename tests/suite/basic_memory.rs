//! Basic credentials are remembered for a while, and forgotten the moment their user changes.

use std::time::Duration;

use serde_json::json;
use sessiond::auth::accounts::UserPatch;
use sessiond::models::{Role, UserId};

use crate::harness::{ADMIN, ADMIN_PASSWORD, InProcess, PASSWORD, block_on};

const BOB: &str = "bob@example.com";

fn with_bob(role: Role) -> (InProcess, UserId) {
    let server = InProcess::with(&["--auth-type", "basic_auth"]);
    let id = server.add_user(BOB, role).id;
    (server, id)
}

fn status(server: &InProcess, path: &str, password: &str) -> u16 {
    server.get(path).basic(BOB, password).send().status
}

#[test]
fn an_old_password_is_refused_at_once() {
    let (server, id) = with_bob(Role::User);
    assert_eq!(status(&server, "/api/v1/users/me", PASSWORD), 200);
    server.set_password(id, "a new password 3");
    assert_eq!(status(&server, "/api/v1/users/me", PASSWORD), 403);
    assert_eq!(status(&server, "/api/v1/users/me", "a new password 3"), 200);
}

#[test]
fn a_role_is_lost_at_once() {
    let (server, id) = with_bob(Role::Admin);
    assert_eq!(status(&server, "/api/v1/users", PASSWORD), 200);
    let path = format!("/api/v1/users/{id}");
    let demoted = server.put(&path).basic(ADMIN, ADMIN_PASSWORD).json(&json!({ "role": "user" }));
    assert_eq!(demoted.send().status, 200);
    assert_eq!(status(&server, "/api/v1/users", PASSWORD), 403);
    assert_eq!(status(&server, "/api/v1/users/me", PASSWORD), 200);
}

#[test]
fn a_disabled_or_deleted_user_is_out_at_once() {
    let (server, id) = with_bob(Role::User);
    let disable = |disabled| {
        let patch = UserPatch { disabled: Some(disabled), ..UserPatch::default() };
        block_on(server.service.accounts().update(id, patch)).unwrap().unwrap();
    };
    assert_eq!(status(&server, "/api/v1/users/me", PASSWORD), 200);
    disable(true);
    assert_eq!(status(&server, "/api/v1/users/me", PASSWORD), 403);
    disable(false);
    assert_eq!(status(&server, "/api/v1/users/me", PASSWORD), 200);
    let path = format!("/api/v1/users/{id}");
    assert_eq!(server.delete(&path).basic(ADMIN, ADMIN_PASSWORD).send().status, 200);
    assert_eq!(status(&server, "/api/v1/users/me", PASSWORD), 403);
}

#[test]
fn a_change_is_seen_in_the_next_answer_while_credentials_are_remembered() {
    let (server, id) = with_bob(Role::User);
    let path = format!("/api/v1/users/{id}");
    for name in ["Bob", "Robert"] {
        let body = json!({ "first_name": name });
        assert_eq!(server.put(&path).basic(BOB, PASSWORD).json(&body).send().status, 200);
        let me = server.get("/api/v1/users/me").basic(BOB, PASSWORD).send().json();
        assert_eq!(me["first_name"], name);
    }
}

#[test]
fn a_remembered_credential_is_no_other_one() {
    let (server, _) = with_bob(Role::User);
    assert_eq!(status(&server, "/api/v1/users/me", PASSWORD), 200);
    for wrong in [&PASSWORD[1..], &PASSWORD.to_uppercase(), "", &format!("{PASSWORD} ")] {
        assert_eq!(status(&server, "/api/v1/users/me", wrong), 403, "{wrong:?}");
    }
    assert_eq!(server.get("/api/v1/users/me").basic(ADMIN, PASSWORD).send().status, 403);
    server.advance(Duration::from_mins(2));
    server.sweep();
    assert_eq!(status(&server, "/api/v1/users/me", PASSWORD), 200);
}
