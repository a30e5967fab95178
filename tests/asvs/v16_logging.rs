//! Logging and errors.

pub mod events;
pub mod failures;
pub mod inventory;
pub mod lines;

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Answer, Program, Request, Server};
use crate::registry::{Chapter, requirement};
use crate::{files, v14_data as v14};

pub const CHAPTER: Chapter = Chapter {
    title: "V16 Logging and errors",
    rows: &[
        requirement("16.1.1", 2, "Log inventory").documented(
            "docs/CONTROLS.md#security-log",
            &[
                ("the events are those of the program", inventory::events_are_documented),
                ("the members are those of the lines", inventory::members_are_documented),
            ],
        ),
        requirement("16.2.1", 2, "When, where, who, what").tested(&[
            ("each line says when, what, who, whom and from where", lines::lines_are_complete),
            (
                "a line leads to its request, and a request to its answer",
                lines::lines_lead_to_requests,
            ),
        ]),
        requirement("16.2.2", 2, "UTC timestamps")
            .tested(&[("times are UTC in any time zone", lines::times_are_utc)]),
        requirement("16.2.3", 2, "Only to documented places").tested(&[(
            "lines go to standard error and to AUDIT_FILE",
            lines::lines_go_where_they_should,
        )]),
        requirement("16.2.4", 2, "Common format")
            .tested(&[("each line is a JSON object where that is wanted", lines::lines_are_json)]),
        requirement("16.2.5", 2, "Sensitive data by class: never passwords, tokens only hashed")
            .tested(&[
                ("the log keeps to what each class allows", v14::the_log_keeps_to_the_classes),
                ("so does the security log, of every event", lines::the_file_keeps_to_the_classes),
            ]),
        requirement("16.3.1", 2, "All authentication attempts logged").tested(&[
            ("each attempt is a line, with its way and its outcome", events::attempts_are_logged),
            ("so is each Basic credential that is verified", events::basic_attempts_are_logged),
        ]),
        requirement("16.3.2", 2, "Failed authorization logged (L3: all decisions)").tested(&[(
            "what is not for the caller is a line with his id",
            events::denials_are_logged,
        )]),
        requirement("16.3.3", 2, "Documented events and bypass attempts logged").tested(&[
            ("every event of the inventory is told when it happens", lines::every_event_is_logged),
            ("so is each way around a control", events::ways_around_are_logged),
        ]),
        requirement("16.3.4", 2, "Unexpected errors logged").tested(&[
            ("a disk that fails is an error with its cause", failures::failing_disks_are_logged),
            ("so is a certificate that cannot be read", failures::bad_certificates_are_logged),
        ]),
        requirement("16.4.1", 2, "No log injection").tested(&[
            (
                "whatever is sent, a line is one line and says what happened",
                lines::nobody_writes_lines,
            ),
            ("what could end a line or reorder it is escaped", lines::nothing_ends_a_line),
        ]),
        requirement("16.4.2", 2, "Logs protected").operators(
            "docs/CONTROLS.md#security-log",
            &[("the file is its owner's alone, and is appended to", lines::the_file_is_private)],
        ),
        requirement("16.4.3", 2, "Sent elsewhere").operators(
            "docs/CONTROLS.md#security-log",
            &[("all lines go to standard error at once", lines::lines_come_as_they_happen)],
        ),
        requirement("16.5.1", 2, "Generic errors").tested(&[
            ("a failure has one text, and its cause is in the log", failures::failures_are_generic),
            ("what cannot be read is told without what it was", failures::errors_repeat_nothing),
        ]),
        requirement("16.5.2", 2, "Works on when a resource fails").tested(&[
            ("while the disk fails, what only reads goes on", failures::reading_goes_on),
            ("a log that cannot be written stops nothing", failures::a_full_log_stops_nothing),
            ("nor does one that nobody reads any more", failures::a_closed_log_stops_nothing),
        ]),
        requirement("16.5.3", 2, "Fails closed").tested(&[
            ("what fails has not happened, and lets nobody in", failures::failures_let_nobody_in),
            ("damaged records are a refusal to start", failures::damage_is_a_refusal),
        ]),
        requirement("16.5.4", 3, "Last-resort handler").tested(&[(
            "a panic is a 500, and the next request is answered",
            failures::a_panic_is_an_answer,
        )]),
    ],
};

const BOB: &str = "bob@example.com";

const WRONG: &str = "wrong 12345";

fn controls() -> String {
    files::section("docs/CONTROLS.md", "Security log")
}

/// A server of this kind with a security log.
struct Audited {
    server: Server,
    file: PathBuf,
}

impl Audited {
    fn of(kind: &str) -> Self {
        Self::with(Program::of(kind))
    }

    fn with(program: Program) -> Self {
        let file = program.folder().join("audit.log");
        let backups = program.folder().join("backups");
        let program = program.set_os("BACKUP_DIR", backups.as_os_str());
        let server = program.set_os("AUDIT_FILE", file.as_os_str()).start();
        Self { server, file }
    }

    fn lines(&self) -> Vec<Value> {
        read(&self.file)
    }

    /// The answer to a request, and the one line that it adds.
    #[track_caller]
    fn one(&self, request: Request) -> (Answer, Value) {
        let before = self.lines().len();
        let answer = request.send();
        let added = self.lines().split_off(before);
        assert_eq!(added.len(), 1, "{added:?} after {answer:?}");
        (answer, added[0].clone())
    }
}

fn read(file: &Path) -> Vec<Value> {
    let text = fs::read_to_string(file).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
