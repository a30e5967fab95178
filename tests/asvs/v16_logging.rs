//! Logging and errors.

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V16 Logging and errors",
    rows: &[
        requirement("16.1.1", 2, "Log inventory")
            .unwritten("D: event table generated from the enum; test: D"),
        requirement("16.2.1", 2, "When, where, who, what")
            .unwritten("Y; test: I: schema test over all events"),
        requirement("16.2.2", 2, "UTC timestamps")
            .unwritten("Y; test: I: RFC 3339 with Z under any TZ"),
        requirement("16.2.3", 2, "Only to documented places")
            .unwritten("Y: stdout or one file; test: F strace"),
        requirement("16.2.4", 2, "Common format")
            .unwritten("Y: JSON lines, ECS-like names; test: I"),
        requirement("16.2.5", 2, "Sensitive data by class: never passwords, tokens only hashed")
            .unwritten("Y; test: B log.secrets; I: log every request of the whole suite and scan"),
        requirement("16.3.1", 2, "All authentication attempts logged").unwritten(
            "Y: success, failure, throttled, success after failures; method used; test: I: one \
             event per attempt per pathway",
        ),
        requirement("16.3.2", 2, "Failed authorization logged (L3: all decisions)")
            .unwritten("Y; test: I"),
        requirement("16.3.3", 2, "Documented events and bypass attempts logged").unwritten(
            "Y: validation failure, non-canonical path, duplicate cookie, unknown session id, \
             cross-site refusal; test: I: table-driven",
        ),
        requirement("16.3.4", 2, "Unexpected errors logged")
            .unwritten("Y: fsync failure, quarantine, TLS failure; test: F"),
        requirement("16.4.1", 2, "No log injection").unwritten(
            "Y; test: B log.injection; I fuzz: one request, exactly one line, valid JSON",
        ),
        requirement("16.4.2", 2, "Logs protected")
            .unwritten("O: 0640, append-only; optional hash chain; test: F perms"),
        requirement("16.4.3", 2, "Sent elsewhere").unwritten("O: stdout/journald/syslog; test: D"),
        requirement("16.5.1", 2, "Generic errors")
            .unwritten("Y; test: B global.no-leaks, error.shape"),
        requirement("16.5.2", 2, "Works on when a resource fails")
            .unwritten("Y: disk full means reads go on, writes get 503; test: F"),
        requirement("16.5.3", 2, "Fails closed").unwritten(
            "Y; test: F: every fault of section 8 keeps \"no access without a durable grant\"",
        ),
        requirement("16.5.4", 3, "Last-resort handler").unwritten(
            "Y; test: I: panicking route gives 500 JSON, next request works; B global.no-5xx",
        ),
    ],
};
