//! Configuration.

pub mod communication;
pub mod exposure;
pub mod image;
pub mod secrets;

use serde_json::json;

use crate::files;
use crate::harness::{PASSWORD, Server};
use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V13 Configuration",
    rows: &[
        requirement("13.1.1", 2, "Communication needs documented").documented(
            "docs/CONTROLS.md#communication",
            &[
                (
                    "the sources that speak to others are those listed",
                    communication::communication_is_documented,
                ),
                (
                    "a running service has its port and no other socket",
                    communication::one_port_is_open,
                ),
            ],
        ),
        requirement("13.1.2", 3, "Connection limits and behaviour at the limit")
            .not_applicable("no other service is used"),
        requirement("13.1.3", 3, "Resource strategies: timeouts, release, retries").documented(
            "docs/CONTROLS.md#resources",
            &[(
                "the bounds are those of the sources and settings",
                communication::resources_are_documented,
            )],
        ),
        requirement("13.1.4", 3, "Secrets and rotation schedule").documented(
            "docs/CONTROLS.md#secrets",
            &[("each setting that holds a secret is listed", secrets::secrets_are_documented)],
        ),
        requirement("13.2.1", 2, "Parts of the back end authenticate to one another")
            .not_applicable("a single process without other services"),
        requirement("13.2.2", 2, "Least privilege").operators(
            "docs/CONTROLS.md#privileges",
            &[("the image runs unprivileged and holds nothing else", image::the_image_is_bare)],
        ),
        requirement("13.2.3", 2, "No default service credentials").tested(&[(
            "a fresh service has no account at all",
            secrets::there_is_no_default_account,
        )]),
        requirement("13.2.4", 2, "Allow-list of outside resources").documented(
            "docs/CONTROLS.md#communication",
            &[
                ("nothing that could call out is built in", communication::nothing_calls_out),
                (
                    "a running service has its port and no other socket",
                    communication::one_port_is_open,
                ),
            ],
        ),
        requirement("13.2.5", 2, "Same for the server's file access").documented(
            "docs/CONTROLS.md#files",
            &[
                (
                    "the sources that open files are those listed",
                    communication::files_are_documented,
                ),
                (
                    "a running service holds files of its directory alone",
                    communication::own_files_are_open,
                ),
            ],
        ),
        requirement("13.2.6", 3, "Connections to other services are bounded as documented")
            .not_applicable("there are no other services"),
        requirement("13.3.1", 2, "Secrets from a secret store, never in source or build")
            .operators(
                "docs/CONTROLS.md#secrets",
                &[
                    (
                        "the first password comes from a file, and from no flag",
                        secrets::secrets_have_files,
                    ),
                    ("neither sources nor image hold a secret", secrets::sources_hold_no_secret),
                ],
            ),
        requirement("13.3.2", 2, "Least privilege for secrets").tested(&[
            ("records are open to their owner alone", secrets::records_are_private),
            ("what was opened to others is closed at start", secrets::open_records_are_closed),
        ]),
        requirement("13.3.3", 3, "Cryptography happens in an isolated module")
            .not_applicable("hardware modules are the operator's"),
        requirement("13.3.4", 3, "Secrets expire and rotate").documented(
            "docs/CONTROLS.md#secrets",
            &[("session ids end as documented", secrets::session_ids_end)],
        ),
        requirement("13.4.1", 1, "No VCS metadata served").tested(&[
            ("nothing of a working copy is served", exposure::no_files_are_served),
            ("the image is built without the history", image::the_image_has_no_history),
        ]),
        requirement("13.4.2", 2, "No debug mode in production").tested(&[(
            "the most talkative log changes no answer",
            exposure::answers_do_not_debug,
        )]),
        requirement("13.4.3", 2, "No listings")
            .tested(&[("no folder is listed", exposure::no_files_are_served)]),
        requirement("13.4.4", 2, "No TRACE")
            .tested(&[("TRACE echoes nothing", exposure::nothing_is_traced)]),
        requirement("13.4.5", 2, "Docs and metrics not exposed unless meant").tested(&[
            ("nothing to manage by, and with DOCS=off no documents", exposure::no_files_are_served),
            (
                "health and metrics are told to this machine alone",
                exposure::metrics_are_for_this_machine,
            ),
            (
                "or at an address of their own, and nowhere else",
                exposure::metrics_have_an_address_of_their_own,
            ),
            ("the only numbers of the API are for users", exposure::numbers_are_for_users),
        ]),
        requirement("13.4.6", 3, "No versions").tested(&[(
            "no answer names a program or a version",
            exposure::answers_name_no_version,
        )]),
        requirement("13.4.7", 3, "Only expected file types served")
            .tested(&[("no file is served, whatever its ending", exposure::no_files_are_served)]),
    ],
};

fn controls(heading: &str) -> String {
    files::section("docs/CONTROLS.md", heading)
}

/// A service that has done something of everything.
fn busy() -> Server {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let session = server.log_in("bob@example.com", PASSWORD);
    server.delete("/api/v1/auth_session/logout").session(&session).send();
    let odd = json!({ "email": "http://127.0.0.1:9/", "url": "http://127.0.0.1:9/" });
    server.post("/api/v1/auth_session/login").json(&odd).send();
    server
}
