//! Secure coding and architecture.

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V15 Secure coding and architecture",
    rows: &[
        requirement("15.1.1", 1, "Deadlines for vulnerable dependencies")
            .unwritten("D; test: D; C: cargo-audit job with the deadlines encoded"),
        requirement("15.1.2", 2, "SBOM")
            .unwritten("C; test: C: CycloneDX artefact per release, cargo-auditable binary"),
        requirement("15.1.3", 2, "Expensive functions documented")
            .unwritten("D: hashing, listing, startup replay; test: D + B dos.login-flood"),
        requirement("15.1.4", 3, "Risky components named").unwritten("D; test: D"),
        requirement("15.1.5", 3, "Dangerous functionality named")
            .unwritten("D: parser, file store, hashing; test: D"),
        requirement("15.2.1", 1, "No component past its deadline")
            .unwritten("C; test: C: cargo-deny advisories = deny; a scheduled run"),
        requirement("15.2.2", 2, "Availability defences")
            .unwritten("Y; test: B dos.login-flood, limit.*, slow.*"),
        requirement("15.2.3", 2, "No test or sample code shipped").unwritten(
            "C; test: C: symbols or routes of test features absent from the release binary",
        ),
        requirement("15.2.4", 3, "Expected registries only").unwritten(
            "C; test: C: cargo-deny sources, lock file verified, vendored build reproducible",
        ),
        requirement("15.2.5", 3, "Extra walls around risky parts")
            .unwritten("O: seccomp/landlock after start; test: F"),
        requirement("15.3.1", 1, "Only needed fields")
            .unwritten("Y; test: B authz.no-secret-fields"),
        requirement("15.3.2", 2, "Outbound calls do not follow redirects")
            .not_applicable("there are no outbound calls"),
        requirement("15.3.3", 2, "No mass assignment").unwritten(
            "Y: one input struct per action, unknown fields refused; test: B \
             authz.mass-assignment",
        ),
        requirement("15.3.4", 2, "True client address").unwritten(
            "Y; test: B throttle.header-spoofing; I: IPv6 grouped by /64, one canonical \
             spelling (CVE-2026-45364)",
        ),
        requirement("15.3.5", 2, "Strict types").unwritten("Y; test: B auth.type-confusion"),
        requirement("15.3.6", 2, "No prototype pollution").not_applicable("there is no JavaScript"),
        requirement("15.3.7", 2, "No parameter pollution").unwritten(
            "Y; test: B auth.ambiguous-parameters, auth.duplicate-authorization, \
             cookie.duplicates",
        ),
        requirement("15.4.1", 3, "Shared state is safe")
            .unwritten("Y; test: I: loom or shuttle model of the store; B races"),
        requirement("15.4.2", 3, "Check and act are one step").unwritten(
            "Y; test: B email.unique-race, session.delete-race, throttle.parallel-guesses",
        ),
        requirement("15.4.3", 3, "Locks used consistently")
            .unwritten("Y; test: I: loom; C: clippy await_holding_lock"),
        requirement("15.4.4", 3, "No starvation").unwritten(
            "Y: separate pools for hashing, files, requests; test: B dos.login-flood; I",
        ),
    ],
};
