//! The limits: in the documents, and at the edge.

use std::time::Duration;

use serde_json::json;

use super::desk::Desk;
use crate::harness::{ADMIN, ADMIN_PASSWORD, InProcess};
use crate::{files, settings};

const CONTROLS: &str = "docs/CONTROLS.md";

/// A limit that no setting moves, and what goes beyond it.
struct Limit {
    what: &'static str,
    number: usize,
    beyond: &'static str,
    /// The answer to something of this size.
    hand_in: fn(&Desk, usize) -> u16,
}

const LIMITS: &[Limit] = &[
    Limit { what: "bytes of a body", number: 65_536, beyond: "413", hand_in: body },
    Limit { what: "bytes of a request target", number: 8_192, beyond: "414", hand_in: target },
    Limit {
        what: "bytes of all header names and values",
        number: 16_384,
        beyond: "431",
        hand_in: header,
    },
    Limit {
        what: "bytes of an e-mail address",
        number: 254,
        beyond: "400",
        hand_in: |desk, size| {
            let local = "a".repeat(size - "@example.com".len() - 192);
            let labels = format!("{}.", "b".repeat(63)).repeat(3);
            desk.new_user("email", &json!(format!("{local}@{labels}example.com"))).status
        },
    },
    Limit {
        what: "bytes of a password",
        number: 256,
        beyond: "400",
        hand_in: |desk, size| desk.new_user("password", &json!("k7#".repeat(size)[..size])).status,
    },
    Limit {
        what: "characters of a first or last name",
        number: 256,
        beyond: "400",
        hand_in: |desk, size| desk.new_user("last_name", &json!("\u{e4}".repeat(size))).status,
    },
    Limit {
        what: "objects and lists in one another in a JSON body",
        number: 127,
        beyond: "400",
        hand_in: |desk, size| {
            let nested = "[".repeat(size - 1) + &"]".repeat(size - 1);
            let body =
                format!(r#"{{"email":"{ADMIN}","password":"{ADMIN_PASSWORD}","x":{nested}}}"#);
            let login = desk.server.post("/api/v1/auth_session/login");
            login.body("application/json", body).send().status
        },
    },
];

fn body(desk: &Desk, size: usize) -> u16 {
    let login = |pad: usize| {
        json!({ "email": ADMIN, "password": ADMIN_PASSWORD, "pad": "x".repeat(pad) }).to_string()
    };
    let body = login(size - login(0).len());
    assert_eq!(body.len(), size);
    desk.server.post("/api/v1/auth_session/login").body("application/json", body).send().status
}

fn target(desk: &Desk, size: usize) -> u16 {
    let target = format!("/api/v1/status?{}", "x".repeat(size - "/api/v1/status?".len()));
    desk.server.get(&target).send().status
}

fn header(desk: &Desk, size: usize) -> u16 {
    let others = ["host", &desk.server.address.to_string(), "connection", "close", "x-pad"];
    let others: usize = others.iter().map(|text| text.len()).sum();
    let pad = "x".repeat(size - others);
    desk.server.get("/api/v1/status").header("X-Pad", &pad).send().status
}

pub fn the_settings_are_documented() {
    settings::assert_defaults(
        &files::section(CONTROLS, "Limits"),
        &["HEAD_TIMEOUT", "BODY_TIMEOUT", "KEEP_ALIVE", "HASH_QUEUE"],
    );
}

pub fn the_fixed_limits_are_documented() {
    let row = |limit: &Limit| {
        [limit.what, &limit.number.to_string(), limit.beyond].map(str::to_owned).to_vec()
    };
    let head = ["limit that no setting moves", "number", "beyond it"].map(str::to_owned).to_vec();
    let rows: Vec<_> = std::iter::once(head).chain(LIMITS.iter().map(row)).collect();
    files::assert_table(&files::section(CONTROLS, "Limits"), &rows);
}

/// What has exactly the size is taken, and what is one larger is refused as it says.
pub fn the_fixed_limits_hold_to_the_byte() {
    let desk = Desk::new();
    for limit in LIMITS {
        let answer = (limit.hand_in)(&desk, limit.number);
        assert!(answer < 300, "{}: {answer}", limit.what);
        let answer = (limit.hand_in)(&desk, limit.number + 1);
        assert_eq!(answer.to_string(), limit.beyond, "{}", limit.what);
    }
}

/// As many sessions as the setting says live at once, and one more ends the oldest.
pub fn the_sessions_of_a_user_are_counted() {
    let server = InProcess::with(&["--sessions-per-user", "3"]);
    let live = |id: &String| server.get("/api/v1/users/me").session(id).send().status == 200;
    let sessions: Vec<String> = (0..3)
        .map(|_| {
            server.advance(Duration::from_millis(1));
            server.admin()
        })
        .collect();
    assert!(sessions.iter().all(live));
    let fourth = server.admin();
    let alive: Vec<bool> = sessions.iter().chain([&fourth]).map(live).collect();
    assert_eq!(alive, [false, true, true, true]);
}
