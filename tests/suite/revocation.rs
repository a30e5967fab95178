//! Sessions that are revoked: by their user's record, whoever changes it.

use serde_json::{Value, json};

use crate::harness::{ADMIN, ADMIN_PASSWORD, InProcess, PASSWORD, SESSION_KINDS, Server, block_on};

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
fn a_session_that_was_revoked_while_the_server_was_down_does_not_come_back() {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let (admin, bob) = (server.admin(), server.log_in("bob@example.com", PASSWORD));
    let (mut program, ..) = server.stop();
    let commands: [(&[&str], &str); 3] = [
        (&["user", "passwd", "bob@example.com"], "another one 3\n"),
        (&["user", "disable", "bob@example.com"], ""),
        (&["user", "enable", "bob@example.com"], ""),
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
    server.log_in("bob@example.com", "another one 3");
}

#[test]
fn the_highest_credential_version_is_followed_by_another_one() {
    let server = Server::of("session_db_auth");
    let bob_id = server.add_user("bob@example.com");
    let (program, _, _) = server.stop();
    let file = program.data().join("User.json");
    let mut users: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    users[&bob_id]["credential_version"] = json!(u64::MAX);
    std::fs::write(&file, users.to_string()).unwrap();

    let server = program.start();
    let (admin, bob) = (server.admin(), server.log_in("bob@example.com", PASSWORD));
    let status =
        |server: &Server, id: &str| server.get("/api/v1/users/me").session(id).send().status;
    assert_eq!(status(&server, &bob), 200);
    for disabled in [true, false] {
        let change = server.put(&format!("/api/v1/users/{bob_id}")).session(&admin);
        let changed = change.json(&json!({ "disabled": disabled })).send();
        assert_eq!((changed.status, &changed.json()["disabled"]), (200, &json!(disabled)));
        assert_eq!(status(&server, &bob), 403);
    }
    let again = server.log_in("bob@example.com", PASSWORD);
    server.add_user("cat@example.com");
    let server = server.kill().start();
    assert_eq!([&bob, &again, &admin].map(|id| status(&server, id)), [403, 200, 200]);
    server.log_in("cat@example.com", PASSWORD);
}
