//! When a session ends without a logout: its time is up, or it is revoked.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::StatusCode;
use sessiond::clock::{ManualClock, Timestamp};

use crate::harness::{ADMIN, ADMIN_PASSWORD, Embedded, PASSWORD, SESSION_KINDS, Server, TempDir};

/// A clock that stands still, in 2017.
fn clock() -> Arc<ManualClock> {
    Arc::new(ManualClock::at(Timestamp::from_millis(1_500_000_000_000)))
}

#[actix_web::test]
async fn a_session_ends_when_its_time_is_up_and_not_a_millisecond_earlier() {
    for kind in ["session_exp_auth", "session_db_auth"] {
        let (directory, clock) = (TempDir::new(), clock());
        let flags = ["--auth-type", kind, "--session-duration", "60"];
        let service = Embedded::open(&directory, &clock, &flags).await;
        let first = service.log_in(ADMIN, ADMIN_PASSWORD).await;
        clock.advance(Duration::from_secs(10));
        let second = service.log_in(ADMIN, ADMIN_PASSWORD).await;
        clock.advance(Duration::from_millis(49_999));
        assert_eq!(service.me(&first).await, StatusCode::OK, "{kind}");
        clock.advance(Duration::from_millis(1));
        assert_eq!(service.me(&first).await, StatusCode::FORBIDDEN, "{kind}");
        // Use does not prolong a session, and each has its own time.
        assert_eq!(service.me(&second).await, StatusCode::OK, "{kind}");
        clock.advance(Duration::from_secs(10));
        assert_eq!(service.me(&second).await, StatusCode::FORBIDDEN, "{kind}");
        service.close().await;
    }
}

#[actix_web::test]
async fn a_session_without_a_duration_does_not_end_by_itself() {
    for (kind, duration) in
        [("session_auth", "60"), ("session_exp_auth", "0"), ("session_db_auth", "0")]
    {
        let (directory, clock) = (TempDir::new(), clock());
        let flags = ["--session-duration", duration, "--session-idle-timeout", "0"];
        let flags = [&["--auth-type", kind], &flags[..]].concat();
        let service = Embedded::open(&directory, &clock, &flags).await;
        let session = service.log_in(ADMIN, ADMIN_PASSWORD).await;
        clock.advance(Duration::from_hours(24 * 365 * 10));
        assert_eq!(service.me(&session).await, StatusCode::OK, "{kind}");
        service.close().await;
    }
}

#[actix_web::test]
async fn the_time_of_a_session_runs_on_while_the_service_is_down() {
    let (directory, clock) = (TempDir::new(), clock());
    let flags = ["--auth-type", "session_db_auth", "--session-duration", "60"];
    let service = Embedded::open(&directory, &clock, &flags).await;
    let session = service.log_in(ADMIN, ADMIN_PASSWORD).await;
    service.close().await;
    clock.advance(Duration::from_millis(59_999));
    let service = Embedded::open(&directory, &clock, &flags).await;
    assert_eq!(service.me(&session).await, StatusCode::OK);
    service.close().await;
    clock.advance(Duration::from_millis(1));
    let service = Embedded::open(&directory, &clock, &flags).await;
    assert_eq!(service.me(&session).await, StatusCode::FORBIDDEN);
    service.close().await;
}

#[actix_web::test]
async fn a_revoked_session_is_refused_at_once() {
    for kind in SESSION_KINDS {
        let (directory, clock) = (TempDir::new(), clock());
        let service = Embedded::open(&directory, &clock, &["--auth-type", kind]).await;
        let (accounts, auth) = (service.0.accounts(), service.0.auth());
        let admin = accounts.users.search(ADMIN).await.unwrap().unwrap();

        let session = service.log_in(ADMIN, ADMIN_PASSWORD).await;
        let other = service.log_in(ADMIN, ADMIN_PASSWORD).await;
        assert_eq!(auth.destroy_all(admin.id, None).await.unwrap(), 2, "{kind}");
        assert_eq!(service.me(&session).await, StatusCode::FORBIDDEN, "{kind}");
        assert_eq!(service.me(&other).await, StatusCode::FORBIDDEN, "{kind}");

        let session = service.log_in(ADMIN, ADMIN_PASSWORD).await;
        assert_eq!(service.me(&session).await, StatusCode::OK, "{kind}");
        accounts.set_password(admin.id, PASSWORD.into()).await.unwrap().unwrap();
        assert_eq!(service.me(&session).await, StatusCode::FORBIDDEN, "{kind}");
        let session = service.log_in(ADMIN, PASSWORD).await;
        assert_eq!(service.me(&session).await, StatusCode::OK, "{kind}");
        service.close().await;
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
