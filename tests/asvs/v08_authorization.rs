//! Authorization.

mod decisions;
mod fields;
pub mod matrix;
pub mod pages;
pub mod stage;

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V8 Authorization",
    rows: &[
        requirement("8.1.1", 1, "Rules for functions and data written down").documented(
            "docs/CONTROLS.md#routes",
            &[
                ("every route has a row in the matrix", matrix::every_route_has_a_row),
                ("the matrix is in the document", matrix::the_matrix_is_documented),
                ("so has every page, in a matrix of its own", pages::every_page_has_a_row),
                ("and that is in the document", pages::the_matrix_is_documented),
            ],
        ),
        requirement("8.1.2", 2, "Rules for fields written down").documented(
            "docs/CONTROLS.md#members",
            &[
                ("every stored member has a row", fields::every_stored_member_has_a_row),
                ("the members are in the document", fields::the_members_are_documented),
            ],
        ),
        requirement("8.1.3", 3, "Context attributes used are documented").documented(
            "docs/CONTROLS.md#context",
            &[
                ("what a decision goes by is named, with its setting", decisions::context_is_named),
                ("address and agent decide nothing", decisions::address_and_agent_decide_nothing),
            ],
        ),
        requirement("8.1.4", 3, "How they decide is documented").documented(
            "docs/CONTROLS.md#context",
            &[("the age of a proof decides as it says", decisions::the_age_of_a_proof_decides)],
        ),
        requirement("8.2.1", 1, "Function-level access").tested(&[
            (
                "every actor is answered on every route as the matrix says",
                matrix::every_actor_is_answered_as_the_matrix_says,
            ),
            ("and on every page", pages::every_actor_is_answered_as_the_matrix_says),
            ("the gate stands before the routes", matrix::the_gate_stands_before_the_routes),
        ]),
        requirement("8.2.2", 1, "Data-level access (IDOR)").tested(&[
            ("another's records are out of reach", decisions::anothers_records_are_out_of_reach),
            ("a plain user is not told who exists", decisions::nobody_is_told_who_exists),
        ]),
        requirement("8.2.3", 2, "Field-level access").tested(&[
            (
                "exactly the readable members of a user are told",
                fields::exactly_the_readable_members_of_a_user_are_told,
            ),
            (
                "exactly the writable members of a user are written",
                fields::exactly_the_writable_members_of_a_user_are_written,
            ),
            (
                "exactly the readable members of a session are told",
                fields::exactly_the_readable_members_of_a_session_are_told,
            ),
            (
                "a change of a user changes no password",
                fields::a_change_of_a_user_changes_no_password,
            ),
        ]),
        requirement("8.2.4", 3, "Adaptive controls").open(
            "address and agent of a login are recorded and shown to its owner; no decision goes by \
             them",
        ),
        requirement("8.3.1", 1, "Enforced in the service, one place").tested(&[
            ("every route is behind the guard", matrix::every_route_has_a_row),
            ("and every page behind the door", pages::every_page_has_a_row),
            (
                "no spelling, method or header gets around it",
                decisions::nothing_gets_around_the_guard,
            ),
        ]),
        requirement("8.3.2", 3, "Changes take effect at once").tested(&[(
            "a change counts from the next request on",
            decisions::changes_count_at_once,
        )]),
        requirement("8.3.3", 3, "Acts with the caller's rights").tested(&[
            (
                "on one connection every request counts for itself",
                decisions::on_one_connection_every_request_counts_for_itself,
            ),
            (
                "two users in one request are refused",
                decisions::two_users_in_one_request_are_refused,
            ),
        ]),
        requirement("8.4.1", 2, "Tenants cannot touch one another")
            .not_applicable("one tenant per process"),
        requirement("8.4.2", 3, "Layers around admin functions").operators(
            "docs/CONTROLS.md#admin-functions",
            &[
                (
                    "the functions of admins are those of the matrix",
                    decisions::admin_functions_are_listed,
                ),
                (
                    "what matters most needs a fresh proof",
                    decisions::the_age_of_a_proof_decides_for_admins,
                ),
            ],
        ),
    ],
};
