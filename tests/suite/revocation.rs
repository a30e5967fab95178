//! Sessions that are revoked: by their user's record, whoever changes it.

use serde_json::{Value, json};
use sessiond::models::Role;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, InProcess, PASSWORD, Program, SESSION_KINDS, Server, block_on,
};

const BOB: &str = "bob@example.com";

#[test]
fn a_revoked_session_is_refused_at_once() {
    for kind in SESSION_KINDS {
        let server = InProcess::with(&["--auth-type", kind]);
        let (accounts, auth) = (server.service.accounts(), server.service.auth());
        let me = |id: &str| server.get("/api/v1/users/me").session(id).send().status;
        let admin = block_on(accounts.users.search(ADMIN)).unwrap().unwrap();

        let (one, other) = (server.admin(), server.admin());
        let sessions = auth.sessions().unwrap();
        assert_eq!(block_on(sessions.end_all(admin.id, None)).unwrap(), 2, "{kind}");
        assert_eq!((me(&one), me(&other)), (403, 403), "{kind}");

        let session = server.log_in(ADMIN, ADMIN_PASSWORD);
        assert_eq!(me(&session), 200, "{kind}");
        server.set_password(admin.id, PASSWORD);
        assert_eq!(me(&session), 403, "{kind}");
        assert_eq!(me(&server.log_in(ADMIN, PASSWORD)), 200, "{kind}");
    }
}

#[test]
fn what_ends_the_sessions_of_a_user_clears_them_away() {
    let body = json!({ "current_password": PASSWORD, "new_password": "another one 3" });
    let password = |path: &str| format!("{path}/password");
    for (number, left) in [(0, 1), (1, 1), (2, 1), (3, 2)] {
        let server = InProcess::with(&[]);
        let path = format!("/api/v1/users/{}", server.add_user(BOB, Role::User).id);
        let (admin, bob) = (server.admin(), server.log_in(BOB, PASSWORD));
        server.log_in(BOB, PASSWORD);
        let request = match number {
            0 => server.put(&path).session(&admin).json(&json!({ "disabled": true })),
            1 => server.delete(&path).session(&admin),
            2 => server.put(&password(&path)).session(&admin).json(&body),
            // His own is there under another id.
            _ => server.put(&password(&path)).session(&bob).json(&body),
        };
        assert_eq!(block_on(server.service.session_count()).unwrap(), 3);
        assert_eq!(request.send().status, 200, "{number}");
        assert_eq!(block_on(server.service.session_count()).unwrap(), left, "{number}");
    }
}

#[test]
fn a_session_that_was_revoked_while_the_server_was_down_does_not_come_back() {
    let server = Server::of("session_db_auth");
    server.add_user(BOB);
    let (admin, bob) = (server.admin(), server.log_in(BOB, PASSWORD));
    let (mut program, ..) = server.stop();
    let commands: [(&[&str], &str); 3] = [
        (&["user", "passwd", BOB], "another one 3\n"),
        (&["user", "disable", BOB], ""),
        (&["user", "enable", BOB], ""),
    ];
    for (command, input) in commands {
        let output = program.run(command, input);
        assert!(output.status.success(), "{output:?}");
        let server = program.start();
        let me = |session: &str| server.get("/api/v1/users/me").session(session).send();
        me(&bob).assert_error(403, "Forbidden");
        assert_eq!(me(&admin).status, 200, "{command:?}");
        program = server.stop().0;
    }
    let server = program.start();
    server.log_in(BOB, "another one 3");
}

#[test]
fn a_user_who_is_disabled_in_the_file_is_out_with_his_sessions() {
    let server = Server::of("session_db_auth");
    let bob_id = server.add_user(BOB);
    let (admin, bob) = (server.admin(), server.log_in(BOB, PASSWORD));
    let (program, ..) = server.stop();
    edit_user(&program, &bob_id, "disabled", json!(true));
    let server = program.start();
    let me = |id: &str| server.get("/api/v1/users/me").session(id).send().status;
    assert_eq!((me(&admin), me(&bob)), (200, 403));
}

/// Changes a member of a user in the file, as a person with an editor may.
fn edit_user(program: &Program, id: &str, member: &str, value: Value) {
    let file = program.data().join("User.json");
    let mut users: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    users[id][member] = value;
    std::fs::write(&file, users.to_string()).unwrap();
}

#[test]
fn the_highest_credential_version_is_followed_by_another_one() {
    let server = Server::of("session_db_auth");
    let bob_id = server.add_user(BOB);
    let (program, _, _) = server.stop();
    edit_user(&program, &bob_id, "credential_version", json!(u64::MAX));

    let server = program.start();
    let (admin, bob) = (server.admin(), server.log_in(BOB, PASSWORD));
    let status =
        |server: &Server, id: &str| server.get("/api/v1/users/me").session(id).send().status;
    assert_eq!(status(&server, &bob), 200);
    for disabled in [true, false] {
        let change = server.put(&format!("/api/v1/users/{bob_id}")).session(&admin);
        let changed = change.json(&json!({ "disabled": disabled })).send();
        assert_eq!((changed.status, &changed.json()["disabled"]), (200, &json!(disabled)));
        assert_eq!(status(&server, &bob), 403);
    }
    let again = server.log_in(BOB, PASSWORD);
    server.add_user("cat@example.com");
    let server = server.kill().start();
    assert_eq!([&bob, &again, &admin].map(|id| status(&server, id)), [403, 200, 200]);
    server.log_in("cat@example.com", PASSWORD);
}
