//! How sessions end by themselves, told by a clock that the test moves.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use sessiond::clock::Timestamp;

use crate::harness::{ADMIN, ADMIN_PASSWORD, InProcess, START, block_on};

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);
const MILLISECOND: Duration = Duration::from_millis(1);

/// A time without its last millisecond.
fn just_before(time: Duration) -> Duration {
    time.checked_sub(MILLISECOND).unwrap()
}

/// The status of a request with this session.
fn status(server: &InProcess, id: &str) -> u16 {
    server.get("/api/v1/users/me").session(id).send().status
}

fn log_in_remembered(server: &InProcess) -> String {
    let fields = [("email", ADMIN), ("password", ADMIN_PASSWORD), ("remember", "on")];
    server.login(&fields).send().session_id().unwrap()
}

fn sessions(server: &InProcess) -> usize {
    block_on(server.service.session_count()).unwrap()
}

/// Lets `time` pass in steps, with a request after each, so that only the absolute limit counts.
fn use_for(server: &InProcess, id: &str, time: Duration, step: Duration) {
    let mut passed = Duration::ZERO;
    while passed + step < time {
        server.advance(step);
        passed += step;
        assert_eq!(status(server, id), 200, "after {passed:?}");
    }
    server.advance(just_before(time.checked_sub(passed).unwrap()));
    assert_eq!(status(server, id), 200, "a millisecond before {time:?}");
    server.advance(MILLISECOND);
    assert_eq!(status(server, id), 403, "at {time:?}");
}

#[test]
fn an_unused_session_ends_after_an_hour_to_the_millisecond() {
    for kind in ["session_exp_auth", "session_db_auth"] {
        let server = InProcess::with(&["--auth-type", kind]);
        let (unused, used) = (server.admin(), server.admin());
        server.advance(just_before(HOUR));
        assert_eq!(status(&server, &used), 200, "{kind}");
        server.advance(MILLISECOND);
        assert_eq!((status(&server, &unused), status(&server, &used)), (403, 200), "{kind}");
        server.advance(HOUR);
        assert_eq!(status(&server, &used), 403, "{kind}");
    }
}

#[test]
fn a_session_ends_after_a_day_however_much_it_is_used() {
    for kind in ["session_exp_auth", "session_db_auth"] {
        let server = InProcess::with(&["--auth-type", kind]);
        use_for(&server, &server.admin(), DAY, just_before(HOUR));
    }
}

#[test]
fn a_session_in_memory_without_limits_does_not_end() {
    let server = InProcess::with(&["--auth-type", "session_auth"]);
    let id = server.admin();
    server.advance(DAY * 10_000);
    server.sweep();
    assert_eq!(status(&server, &id), 200);
}

#[test]
fn limits_are_as_the_settings_say() {
    let second = Duration::from_secs(1);
    let server = InProcess::with(&["--session-duration", "10", "--session-idle-timeout", "4"]);
    let id = server.admin();
    server.advance(4 * second);
    assert_eq!(status(&server, &id), 403);
    use_for(&server, &server.admin(), 10 * second, 3 * second);

    let server = InProcess::with(&["--session-duration", "10", "--session-idle-timeout", "0"]);
    use_for(&server, &server.admin(), 10 * second, 10 * second);

    let server = InProcess::with(&["--session-duration", "0", "--session-idle-timeout", "10"]);
    let id = server.admin();
    for _ in 0..50 {
        server.advance(9 * second);
        assert_eq!(status(&server, &id), 200);
    }
    server.advance(10 * second);
    assert_eq!(status(&server, &id), 403);

    let server = InProcess::with(&["--session-duration", "0", "--session-idle-timeout", "0"]);
    let id = server.admin();
    server.advance(DAY * 10_000);
    assert_eq!(status(&server, &id), 200);
}

#[test]
fn a_remembered_session_lives_for_two_weeks_unused_and_a_month_in_use() {
    let flags = ["--session-duration", "10", "--session-idle-timeout", "4"];
    let server = InProcess::with(&flags);
    let (unused, used) = (log_in_remembered(&server), log_in_remembered(&server));
    server.advance(just_before(14 * DAY));
    assert_eq!(status(&server, &used), 200);
    server.advance(MILLISECOND);
    assert_eq!((status(&server, &unused), status(&server, &used)), (403, 200));
    use_for(&server, &log_in_remembered(&server), 30 * DAY, 13 * DAY);
}

#[test]
fn an_ended_session_is_403_like_an_unknown_one_also_at_logout_and_as_a_bearer() {
    let server = InProcess::with(&[]);
    let id = server.admin();
    server.advance(HOUR);
    let unknown = "A".repeat(43);
    for sent in [&id, &unknown] {
        for request in [
            server.delete("/api/v1/auth_session/logout").session(sent),
            server.get("/api/v1/users").session(sent),
            server.get("/api/v1/nothing").bearer(sent),
        ] {
            let answer = request.send();
            answer.assert_error(403, "Forbidden");
            assert_eq!(answer.header("set-cookie"), None);
        }
    }
}

#[test]
fn requests_that_are_refused_do_not_prolong_a_session() {
    let server = InProcess::with(&[]);
    let id = server.admin();
    server.advance(HOUR / 2);
    assert_eq!(
        server.put("/api/v1/users/x").session(&id).header("Origin", "null").send().status,
        403
    );
    assert_eq!(server.get("/api/v1//users").session(&id).send().status, 400);
    assert_eq!(server.get("/api/v1/status").session(&id).send().status, 200);
    server.advance(HOUR / 2);
    assert_eq!(status(&server, &id), 403);
}

#[test]
fn the_sweep_removes_what_has_expired_and_keeps_what_lives() {
    for kind in ["session_exp_auth", "session_db_auth"] {
        let server = InProcess::with(&["--auth-type", kind]);
        let (old, remembered) = (server.admin(), log_in_remembered(&server));
        server.advance(HOUR / 2);
        let young = server.admin();
        assert_eq!(sessions(&server), 3, "{kind}");
        server.advance(HOUR / 2);
        server.sweep();
        assert_eq!(sessions(&server), 2, "{kind}");
        let statuses = [&old, &remembered, &young].map(|id| status(&server, id));
        assert_eq!(statuses, [403, 200, 200], "{kind}");
        server.advance(30 * DAY);
        server.sweep();
        assert_eq!(sessions(&server), 0, "{kind}");
    }
}

#[test]
fn a_session_survives_a_restart_with_the_time_it_had_left() {
    let server = InProcess::with(&[]);
    let (used, unused) = (server.admin(), server.admin());
    server.advance(HOUR / 2);
    assert_eq!(status(&server, &used), 200);
    let server = server.restart(START.plus(just_before(HOUR)));
    assert_eq!((status(&server, &used), status(&server, &unused)), (200, 200));
    let server = server.restart(START.plus(just_before(DAY)));
    assert_eq!(status(&server, &used), 403, "it was idle for too long");
    let server = server.restart(START.plus(2 * DAY));
    assert_eq!(status(&server, &unused), 403);
}

#[test]
fn a_clock_set_back_while_the_service_was_down_prolongs_nothing() {
    let server = InProcess::with(&[]);
    server.advance(10 * DAY);
    let id = server.admin();
    let server = server.restart(START);
    assert_eq!(status(&server, &id), 200);
    server.advance(HOUR);
    assert_eq!(status(&server, &id), 403);
}

#[test]
fn use_is_stored_at_most_once_a_minute() {
    let server = InProcess::with(&[]);
    let id = server.admin();
    let journal = server.data().join("UserSession.journal");
    let lines = || fs::read_to_string(&journal).unwrap().lines().count();
    let written = lines();
    for _ in 0..59 {
        server.advance(Duration::from_secs(1));
        assert_eq!(status(&server, &id), 200);
    }
    assert_eq!(lines(), written);
    server.advance(Duration::from_secs(1));
    assert_eq!(status(&server, &id), 200);
    let now = START.plus(Duration::from_mins(1));
    // Nobody waits for the write: a login after it does.
    server.admin();
    assert_eq!(lines(), written + 2);
    let server = server.restart(now);
    let stored = fs::read_to_string(server.data().join("UserSession.json")).unwrap();
    let stored: Value = serde_json::from_str(&stored).unwrap();
    let seen: Vec<_> = stored.as_object().unwrap().values().map(|s| &s["last_seen_at"]).collect();
    assert_eq!(seen, [&now.to_string(), &now.to_string()]);
}

#[test]
fn a_shorter_lifetime_in_the_settings_holds_for_sessions_that_are_there() {
    let server = InProcess::with(&[]);
    let id = server.admin();
    server.advance(Duration::from_secs(30));
    let server = server.restart_with(&["--session-duration", "20"], START.plus(HOUR / 4));
    assert_eq!(status(&server, &id), 403);
}

#[test]
fn times_are_utc_with_milliseconds() {
    let server = InProcess::with(&[]);
    let me = server.get("/api/v1/users/me").session(&server.admin()).send().json();
    assert_eq!(me["created_at"], "2026-01-02T03:04:05.678Z");
    server.advance(Duration::from_millis(322));
    let path = format!("/api/v1/users/{}", me["id"].as_str().unwrap());
    let changed = server.put(&path).session(&server.admin()).json(&serde_json::json!({})).send();
    assert_eq!(changed.json()["created_at"], "2026-01-02T03:04:05.678Z");
    assert_eq!(changed.json()["updated_at"], "2026-01-02T03:04:06.000Z");
    let journal = fs::read_to_string(server.data().join("UserSession.journal")).unwrap();
    assert!(journal.contains("\"created_at\":\"2026-01-02T03:04:05.678Z\""), "{journal}");
    assert!(journal.contains("\"expires_at\":\"2026-01-03T03:04:05.678Z\""), "{journal}");
    assert_eq!(Timestamp::from_millis(0).to_string(), "1970-01-01T00:00:00.000Z");
}

#[test]
fn sessions_made_without_limits_are_swept_under_limits_that_came_later() {
    let server = InProcess::with(&["--session-duration", "0", "--session-idle-timeout", "0"]);
    let ids = [server.admin(), server.admin()];
    server.advance(DAY * 10_000);
    server.sweep();
    assert_eq!((sessions(&server), ids.each_ref().map(|id| status(&server, id))), (2, [200; 2]));
    for limits in [
        &["--session-duration", "1"][..],
        &["--session-idle-timeout", "1"],
        &["--session-duration", "1", "--session-idle-timeout", "1"],
    ] {
        let server = InProcess::with(&["--session-duration", "0", "--session-idle-timeout", "0"]);
        server.admin();
        server.admin();
        let server = server.restart_with(limits, START);
        server.advance(just_before(Duration::from_secs(1)));
        server.sweep();
        assert_eq!(sessions(&server), 2, "{limits:?}");
        server.advance(MILLISECOND);
        server.sweep();
        assert_eq!(sessions(&server), 0, "{limits:?}");
    }
}
