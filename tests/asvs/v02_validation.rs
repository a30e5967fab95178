//! Validation and business logic.

mod automation;
mod desk;
pub mod limits;
mod rules;
mod together;
mod whole;

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V2 Validation and business logic",
    rows: &[
        requirement("2.1.1", 1, "Validation rules are written down").documented(
            "docs/CONTROLS.md#input",
            &[
                ("the rules are in the document", rules::the_rules_are_documented),
                (
                    "every member that is read has its rule",
                    rules::every_member_that_is_read_has_its_rule,
                ),
            ],
        ),
        requirement("2.1.2", 2, "Rules for combinations are written down").documented(
            "docs/CONTROLS.md#together",
            &[("the rules are in the document", together::the_rules_are_documented)],
        ),
        requirement("2.1.3", 2, "Limits per user and overall are written down").documented(
            "docs/CONTROLS.md#limits",
            &[
                ("the limits are those of the settings", limits::the_settings_are_documented),
                ("the fixed limits are in the document", limits::the_fixed_limits_are_documented),
            ],
        ),
        requirement("2.2.1", 1, "Positive validation of input").tested(&[(
            "every value is taken where it keeps its rule, and refused where it does not",
            rules::the_rules_are_kept,
        )]),
        requirement("2.2.2", 1, "Validation on the server")
            .tested(&[("the service itself refuses", rules::the_rules_are_kept)]),
        requirement("2.2.3", 2, "Related fields make sense together")
            .tested(&[("what does not fit together is refused", together::the_rules_are_kept)]),
        requirement("2.3.1", 1, "Steps cannot be skipped").tested(&[
            (
                "who must change his password does that first",
                whole::the_change_of_a_password_cannot_be_skipped,
            ),
            ("nothing but the password makes a session fresh", whole::a_proof_cannot_be_skipped),
        ]),
        requirement("2.3.2", 2, "Documented limits hold").tested(&[
            ("the fixed limits hold to the byte", limits::the_fixed_limits_hold_to_the_byte),
            ("one session too many ends the oldest", limits::the_sessions_of_a_user_are_counted),
        ]),
        requirement("2.3.3", 2, "An operation happens whole or not at all").tested(&[(
            "what cannot be written does not happen",
            whole::a_change_that_cannot_be_written_does_not_happen,
        )]),
        requirement("2.3.4", 2, "Scarce things cannot be taken twice").tested(&[
            ("an address is given once", whole::an_address_is_given_once),
            ("the last admin stays", whole::the_last_admin_stays),
            (
                "places for sessions are not given twice",
                whole::places_for_sessions_are_not_given_twice,
            ),
        ]),
        requirement("2.3.5", 3, "High-value flows need two people")
            .open("one admin is enough for everything that an admin may do"),
        requirement("2.4.1", 2, "Anti-automation").tested(&[
            (
                "passwords cannot be tried without end",
                automation::passwords_cannot_be_tried_without_end,
            ),
            (
                "session ids cannot be tried without end",
                automation::session_ids_cannot_be_tried_without_end,
            ),
            (
                "hashing cannot be asked for without end",
                automation::hashing_cannot_be_asked_for_without_end,
            ),
            ("a user has so many sessions and no more", limits::the_sessions_of_a_user_are_counted),
        ]),
        requirement("2.4.2", 3, "Human pace").open(
            "only wrong passwords are held to it: a dozen, and then one in five seconds; other calls \
             are for programs, too",
        ),
    ],
};
