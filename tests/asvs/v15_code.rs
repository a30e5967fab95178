//! Secure coding and architecture.

pub mod addresses;
pub mod at_once;
pub mod dependencies;
pub mod load;
pub mod members;

use crate::pages;
use crate::registry::{Chapter, requirement};
use crate::{v13_configuration as v13, v14_data as v14};

pub const CHAPTER: Chapter = Chapter {
    title: "V15 Secure coding and architecture",
    rows: &[
        requirement("15.1.1", 1, "Deadlines for vulnerable dependencies").documented(
            "docs/CONTROLS.md#dependencies",
            &[(
                "the deadlines are the same wherever they stand",
                dependencies::deadlines_are_documented,
            )],
        ),
        requirement("15.1.2", 2, "SBOM").tested(&[
            ("each crate is locked with its origin and checksum", dependencies::crates_are_locked),
            ("a list of all of them is made as CycloneDX", dependencies::a_list_is_made),
        ]),
        requirement("15.1.3", 2, "Expensive functions documented").documented(
            "docs/CONTROLS.md#slow-work",
            &[(
                "the bounds are those of the sources and settings",
                v13::communication::resources_are_documented,
            )],
        ),
        requirement("15.1.4", 3, "Risky components named").documented(
            "docs/CONTROLS.md#risky-components",
            &[(
                "each is in the tree, and so are those below 1.0 that read",
                dependencies::risks_are_documented,
            )],
        ),
        requirement("15.1.5", 3, "Dangerous functionality named").documented(
            "docs/CONTROLS.md#dangerous-code",
            &[(
                "the sources that read what others wrote are those listed",
                dependencies::dangers_are_documented,
            )],
        ),
        requirement("15.2.1", 1, "No component past its deadline").tested(&[
            (
                "every complete check audits, and ignores no advisory",
                dependencies::audits_ignore_nothing,
            ),
            (
                "crates that once were weak are newer than that",
                dependencies::old_weaknesses_are_mended,
            ),
        ]),
        requirement("15.2.2", 2, "Availability defences").tested(&[
            (
                "more hashing than there is room for is 503, and all else goes on",
                load::floods_are_bounded,
            ),
            ("a body is bounded in size and time", load::bodies_are_bounded),
        ]),
        requirement("15.2.3", 2, "No test or sample code shipped").tested(&[
            ("what only tests need is not in the program", dependencies::tests_are_not_shipped),
            (
                "what is for lessons and tests must be asked for",
                dependencies::lessons_must_be_asked_for,
            ),
        ]),
        requirement("15.2.4", 3, "Expected registries only").tested(&[
            ("each crate is locked with its origin and checksum", dependencies::crates_are_locked),
            (
                "builds keep to the lock, and other origins are refused",
                dependencies::builds_keep_to_the_lock,
            ),
        ]),
        requirement("15.2.5", 3, "Extra walls around risky parts").operators(
            "docs/CONTROLS.md#privileges",
            &[(
                "the image runs unprivileged and holds nothing else",
                v13::image::the_image_is_bare,
            )],
        ),
        requirement("15.3.1", 1, "Only needed fields").tested(&[
            ("views have their members and no others", v14::answers_show_what_they_may),
            ("no handler answers with a record", members::records_are_not_answers),
        ]),
        requirement("15.3.2", 2, "Outbound calls do not follow redirects")
            .not_applicable("there are no outbound calls"),
        requirement("15.3.3", 2, "No mass assignment").tested(&[
            (
                "members that a route does not take change nothing",
                members::nothing_is_assigned_en_masse,
            ),
            ("what is for admins is refused to users", members::what_is_for_admins_is_refused),
        ]),
        requirement("15.3.4", 2, "True client address").tested(&[
            ("headers of strangers are not believed", addresses::strangers_are_not_believed),
            (
                "a listed proxy is believed, for its own word alone",
                addresses::listed_proxies_are_believed,
            ),
        ]),
        requirement("15.3.5", 2, "Strict types").tested(&[(
            "a member of another type is 400 and changes nothing",
            members::types_are_strict,
        )]),
        requirement("15.3.6", 2, "No prototype pollution")
            .tested(&[("the one script merges no objects", pages::the_script_merges_no_objects)]),
        requirement("15.3.7", 2, "No parameter pollution").tested(&[
            ("what is there twice is refused, wherever it is", members::nothing_counts_twice),
            ("what belongs in one place is not read in another", members::places_are_not_mixed),
        ]),
        requirement("15.4.1", 3, "Shared state is safe").tested(&[(
            "changes from many threads all are there",
            at_once::parallel_changes_all_count,
        )]),
        requirement("15.4.2", 3, "Check and act are one step").tested(&[
            (
                "of those who want one address at once one gets it",
                at_once::one_address_has_one_owner,
            ),
            ("two admins who demote each other leave one", at_once::the_last_admin_stays),
            ("of those who end a session at once one does", at_once::one_logout_wins),
        ]),
        requirement("15.4.3", 3, "Locks used consistently").tested(&[
            ("no lock is held over an await, and lints hold that", at_once::locks_are_linted),
            ("no lock can be reached from outside of its type", at_once::locks_are_private),
        ]),
        requirement("15.4.4", 3, "No starvation").tested(&[(
            "more hashing than there is room for is 503, and all else goes on",
            load::floods_are_bounded,
        )]),
    ],
};
