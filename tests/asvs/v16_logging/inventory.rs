//! What the documents say of the log.

use std::collections::BTreeSet;

use serde_json::Value;
use sessiond::auth::audit::Event;

use super::{Audited, controls};
use crate::harness::Program;
use crate::markdown;

pub fn events_are_documented() {
    let section = controls();
    let rows = markdown::rows(&section);
    let listed: Vec<(&str, &str, &str)> = rows
        .iter()
        .filter(|row| matches!(row[2..], ["info" | "warn"]))
        .map(|row| (row[0].trim_matches('`'), row[1], row[2]))
        .collect();
    let levels = ["info", "warn"];
    let expected: Vec<(&str, &str, &str)> = Event::ALL
        .iter()
        .map(|event| {
            let level = event.level().as_str().to_lowercase();
            let level = levels.iter().find(|known| **known == level).unwrap();
            (event.name(), event.meaning(), *level)
        })
        .collect();
    assert_eq!(listed, expected);
    for said in ["mode 0600", "standard error", "SIGHUP", "as long as an investigation needs"] {
        assert!(section.contains(said), "{said}");
    }
}

/// The members that a table of the section names in one of its columns.
pub fn members(section: &str, head: &str, column: usize) -> BTreeSet<String> {
    let lines = section.lines().skip_while(|line| *line != head).skip(2);
    let rows = lines.take_while(|line| line.starts_with('|'));
    let cells = rows.map(|row| row.trim_matches('|').split('|').nth(column).unwrap());
    cells.flat_map(markdown::code).map(str::to_owned).collect()
}

fn members_of(line: &Value) -> BTreeSet<String> {
    line.as_object().unwrap().keys().cloned().collect()
}

pub fn members_are_documented() {
    let section = controls();
    let audited = Audited::with(Program::of("session_db_auth").set("LOG_FORMAT", "json"));
    audited.server.admin();
    let line = audited.lines().pop().unwrap();
    assert_eq!(members(&section, "| member | what it is |", 0), members_of(&line));
    let (.., log) = audited.server.stop();
    let lines = log.iter().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let request = lines.into_iter().find(|line| line["message"] == "request").unwrap();
    let mut found = members_of(&request);
    for common in ["time", "level", "target", "message"] {
        assert!(found.remove(common), "{request}");
    }
    assert_eq!(members(&section, "| layer | lines | members |", 2), found);
}

/// The events that have the names of the OWASP logging vocabulary.
const OF_THE_VOCABULARY: [&str; 14] = [
    "authn_login_success",
    "authn_login_successafterfail",
    "authn_login_fail",
    "authn_password_change",
    "authn_token_revoked",
    "authz_fail",
    "authz_change",
    "excess_rate_limit_exceeded",
    "input_validation_fail",
    "session_renewed",
    "sys_startup",
    "sys_shutdown",
    "user_created",
    "user_deleted",
];

/// Those that it has no name for.
const OWN: [&str; 6] = [
    "authn_logout",
    "authn_token_unknown",
    "backup_made",
    "malicious_csrf",
    "user_disabled",
    "user_enabled",
];

pub fn events_have_their_names() {
    let names: BTreeSet<&str> = Event::ALL.iter().map(|event| event.name()).collect();
    assert_eq!(names, OF_THE_VOCABULARY.into_iter().chain(OWN).collect());
    assert!(controls().contains("those of the OWASP logging vocabulary where it has one"));
}
