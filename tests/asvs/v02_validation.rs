//! Validation and business logic.

use crate::registry::{Chapter, requirement};
use crate::{files, settings};

pub const CHAPTER: Chapter = Chapter {
    title: "V2 Validation and business logic",
    rows: &[
        requirement("2.1.1", 1, "Validation rules are written down")
            .unwritten("D; test: D: table field -> rule generated from the validators"),
        requirement("2.1.2", 2, "Rules for combinations are written down").unwritten(
            "D: idle <= absolute, password differs from e-mail, role and last admin; test: D",
        ),
        requirement("2.1.3", 2, "Limits per user and overall are written down").documented(
            "docs/CONTROLS.md#limits",
            &[("the limits are those of the settings", limits_are_documented)],
        ),
        requirement("2.2.1", 1, "Positive validation of input")
            .unwritten("Y; test: B email.validation, authz.id-shape, auth.type-confusion"),
        requirement("2.2.2", 1, "Validation on the server")
            .unwritten("Y; test: all B checks bypass any client"),
        requirement("2.2.3", 2, "Related fields make sense together").unwritten(
            "Y; test: I: config with idle > absolute refused; password.common (password equal \
             to e-mail)",
        ),
        requirement("2.3.1", 1, "Steps cannot be skipped").unwritten(
            "C: login -> second factor -> session; reset -> change; test: I: state machine \
             test: no protected route accepts a half-finished login (Better Auth \
             GHSA-xg6x-h9c9-2m83)",
        ),
        requirement("2.3.2", 2, "Documented limits hold")
            .unwritten("Y; test: I/B each limit +0/+1"),
        requirement("2.3.3", 2, "An operation happens whole or not at all")
            .unwritten("Y; test: F fault loop (section 8); email.unique-race"),
        requirement("2.3.4", 2, "Scarce things cannot be taken twice").unwritten(
            "Y: e-mail, last admin, session slots; test: B email.unique-race; I: concurrent \
             demotion of the last two admins leaves one",
        ),
        requirement("2.3.5", 3, "High-value flows need two people")
            .unwritten("O: document as not offered; test: D"),
        requirement("2.4.1", 2, "Anti-automation")
            .unwritten("Y; test: B throttle.*, dos.login-flood"),
        requirement("2.4.2", 3, "Human pace").unwritten(
            "C: minimum time per failed login, rate on sign-up; test: I with test clock",
        ),
    ],
};

fn limits_are_documented() {
    settings::assert_defaults(
        &files::section("docs/CONTROLS.md", "Limits"),
        &["HEAD_TIMEOUT", "BODY_TIMEOUT", "KEEP_ALIVE", "HASH_QUEUE"],
    );
}
