//! Data protection.

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V14 Data protection",
    rows: &[
        requirement("14.1.1", 2, "Data classified").unwritten(
            "D: passwords, hashes, tokens, e-mails, addresses, agents; test: D: every stored \
             field has a class",
        ),
        requirement("14.1.2", 2, "Protection per class").unwritten("D; test: D"),
        requirement("14.2.1", 1, "Nothing sensitive in URLs")
            .unwritten("Y; test: B cookie.only-in-cookie, auth.ambiguous-parameters"),
        requirement("14.2.2", 2, "Not cached on the way").unwritten("Y; test: B hdr.no-store"),
        requirement("14.2.3", 2, "Not sent to third parties")
            .unwritten("Y: no telemetry; test: F strace; D"),
        requirement("14.2.4", 2, "Controls per class implemented")
            .unwritten("Y; test: B data.*, log.secrets"),
        requirement("14.2.5", 3, "No web cache deception")
            .unwritten("Y: unknown suffix is 404; test: B path.* (users.json, me.json)"),
        requirement("14.2.6", 3, "Minimum data returned")
            .unwritten("Y; test: B authz.no-secret-fields; I response schema snapshot"),
        requirement("14.2.7", 3, "Retention").unwritten(
            "Y: expired sessions and old logs purged on schedule; test: I clock: expired \
             session records leave disk within the bound",
        ),
        requirement("14.2.8", 3, "Metadata is removed from files of users")
            .not_applicable("no files are taken"),
        requirement("14.3.1", 1, "Client data cleared at the end")
            .unwritten("Y; test: B logout.clears-cookie (+ Clear-Site-Data)"),
        requirement("14.3.2", 2, "no-store").unwritten("Y; test: B hdr.no-store"),
        requirement("14.3.3", 2, "Browser storage holds only the token")
            .unwritten("Y; test: B cookie.entropy (no identity in token)"),
    ],
};
