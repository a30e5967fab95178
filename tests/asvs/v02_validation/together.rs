//! What values must keep to together.

use std::collections::BTreeMap;

use serde_json::json;

use super::desk::Desk;
use crate::files;
use crate::harness::{ADMIN_PASSWORD, PASSWORD, Program};

/// Values that must fit each other: how, what happens otherwise, and what shows it.
struct Rule {
    what: &'static str,
    must: &'static str,
    otherwise: &'static str,
    holds: fn(),
}

const RULES: &[Rule] = &[
    Rule {
        what: "`SESSION_IDLE_TIMEOUT`, `SESSION_DURATION`",
        must: "a session is not idle for longer than it lives",
        otherwise: "no start",
        holds: || {
            starts(&[("SESSION_DURATION", "60"), ("SESSION_IDLE_TIMEOUT", "60")]);
            does_not_start(&[("SESSION_DURATION", "60"), ("SESSION_IDLE_TIMEOUT", "61")]);
        },
    },
    Rule {
        what: "`SESSION_NAME`, `PUBLIC_URL`",
        must: "a prefix (`__Host-`, `__Secure-`) needs https",
        otherwise: "no start",
        holds: || {
            starts(&[("SESSION_NAME", "__Host-s"), ("PUBLIC_URL", "https://id.example.com")]);
            does_not_start(&[
                ("SESSION_NAME", "__Host-s"),
                ("PUBLIC_URL", "http://id.example.com"),
            ]);
            does_not_start(&[("SESSION_NAME", "__Secure-s")]);
        },
    },
    Rule {
        what: "`COOKIE_DOMAIN`, `PUBLIC_URL`, `SESSION_NAME`",
        must: "a domain is that of an https `PUBLIC_URL`, and goes without `__Host-`",
        otherwise: "no start",
        holds: || {
            let https = ("PUBLIC_URL", "https://id.example.com");
            starts(&[("COOKIE_DOMAIN", "example.com"), https]);
            does_not_start(&[("COOKIE_DOMAIN", "example.com")]);
            does_not_start(&[("COOKIE_DOMAIN", "other.example"), https]);
            does_not_start(&[("COOKIE_DOMAIN", "ample.com"), https]);
            let host = ("SESSION_NAME", "__Host-s");
            does_not_start(&[host, ("COOKIE_DOMAIN", "example.com"), https]);
        },
    },
    Rule {
        what: "`TLS_CERT`, `TLS_KEY`",
        must: "both or none",
        otherwise: "no start",
        holds: || {
            does_not_start(&[("TLS_CERT", "/dev/null")]);
            does_not_start(&[("TLS_KEY", "/dev/null")]);
        },
    },
    Rule {
        what: "`METRICS_ADDR`, `API_HOST`, `API_PORT`",
        must: "two places to listen at",
        otherwise: "no start",
        holds: || {
            starts(&[("METRICS_ADDR", "127.0.0.1:0")]);
            does_not_start(&[("API_PORT", "5001"), ("METRICS_ADDR", "127.0.0.1:5001")]);
            does_not_start(&[("API_PORT", "5001"), ("METRICS_ADDR", "[::]:5001")]);
        },
    },
    Rule {
        what: "`BACKUP_DIR`, `DATA_DIR`",
        must: "backups lie outside of the records",
        otherwise: "no start",
        holds: || {
            let folder = Program::of("session_db_auth");
            let inside = folder.data().display().to_string();
            let beside = folder.folder().join("backups").display().to_string();
            starts(&[("BACKUP_DIR", &beside)]);
            does_not_start(&[("DATA_DIR", &inside), ("BACKUP_DIR", &inside)]);
            does_not_start(&[("DATA_DIR", &inside), ("BACKUP_DIR", &format!("{inside}/b"))]);
        },
    },
    Rule {
        what: "`ADMIN_EMAIL`, `ADMIN_PASSWORD`, `ADMIN_PASSWORD_FILE`",
        must: "an address with exactly one of the others, while there are no users",
        otherwise: "no start",
        holds: || {
            starts(&[]);
            does_not_start(&[("ADMIN_PASSWORD_FILE", "/dev/null")]);
            does_not_start(&[("ADMIN_EMAIL", "")]);
            does_not_start(&[("ADMIN_PASSWORD", "")]);
        },
    },
    Rule {
        what: "a password and the e-mail address",
        must: "something is left of the password without the words of the address",
        otherwise: "400",
        holds: || {
            let desk = Desk::new();
            let made = |password: &str| desk.new_user("password", &json!(password)).status;
            assert_eq!(
                [made("bob@example.com"), made("bob-example-1"), made("bob likes tea")],
                [400, 400, 201]
            );
        },
    },
    Rule {
        what: "`new_password`, `current_password`",
        must: "the new one is another one",
        otherwise: "400",
        holds: || {
            let desk = Desk::new();
            let change = |new: &str| {
                let body = json!({ "current_password": ADMIN_PASSWORD, "new_password": new });
                desk.server
                    .put("/api/v1/users/me/password")
                    .session(&desk.admin)
                    .json(&body)
                    .send()
                    .status
            };
            assert_eq!([change(ADMIN_PASSWORD), change(PASSWORD)], [400, 200]);
        },
    },
    Rule {
        what: "e-mail addresses",
        must: "no two users have one, compared without case",
        otherwise: "409",
        holds: || {
            let desk = Desk::new();
            for taken in ["admin@example.com", "ADMIN@Example.COM"] {
                assert_eq!(desk.new_user("email", &json!(taken)).status, 409, "{taken}");
            }
        },
    },
    Rule {
        what: "`role`, `disabled`, and a deletion",
        must: "one enabled admin stays",
        otherwise: "409",
        holds: || {
            let desk = Desk::new();
            for change in [json!({ "role": "user" }), json!({ "disabled": true })] {
                desk.change(&change).assert_error(409, "this is the last enabled admin");
            }
            assert_eq!(desk.change(&json!({ "role": "admin", "disabled": false })).status, 200);
        },
    },
    Rule {
        what: "the cookie and `Authorization`",
        must: "at most one of each, and not of two users",
        otherwise: "400",
        holds: || {
            let desk = Desk::new();
            let me = || desk.get("/api/v1/users/me");
            assert_eq!(me().bearer(&desk.admin).send().status, 200);
            assert_eq!(me().session(&desk.admin).send().status, 400);
            assert_eq!(me().bearer(&desk.admin).bearer(&desk.admin).send().status, 400);
        },
    },
    Rule {
        what: "`Content-Type` and the body",
        must: "one type, and the body is what it says",
        otherwise: "400; 415 for a type that is not read",
        holds: || {
            let desk = Desk::new();
            let sent = |content_type: &str, body: &str| {
                desk.server
                    .post("/api/v1/auth_session/login")
                    .body(content_type, body)
                    .send()
                    .status
            };
            assert_eq!(sent("application/json", "email=a%40b.c&password=x"), 400);
            assert_eq!(sent("application/x-www-form-urlencoded", "{\"email\":\"a@b.c\"}"), 400);
            assert_eq!(sent("multipart/form-data; boundary=b", "email=a%40b.c"), 400);
            assert_eq!(sent("text/plain", "{}"), 415);
        },
    },
];

pub fn the_rules_are_documented() {
    let row = |rule: &Rule| [rule.what, rule.must, rule.otherwise].map(str::to_owned).to_vec();
    let head = ["what", "must be so that", "otherwise"].map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(head).chain(RULES.iter().map(row)).collect();
    files::assert_table(&files::section("docs/CONTROLS.md", "Together"), &rows);
}

pub fn the_rules_are_kept() {
    for rule in RULES {
        (rule.holds)();
    }
}

fn program(variables: &[(&str, &str)]) -> Program {
    let program = Program::of("session_db_auth");
    variables.iter().fold(program, |program, (name, value)| program.set(name, value))
}

fn starts(variables: &[(&str, &str)]) {
    drop(program(variables).start());
}

/// It ends with status 2 and one line that names one of the settings.
fn does_not_start(variables: &[(&str, &str)]) {
    let ended = program(variables).try_start();
    let (status, log) = ended.err().unwrap_or_else(|| panic!("started: {variables:?}"));
    assert_eq!((status.code(), log.len()), (Some(2), 1), "{variables:?}: {log:?}");
    let names: BTreeMap<_, _> = variables.iter().copied().collect();
    assert!(names.keys().any(|name| log[0].contains(name)), "{log:?}");
}
