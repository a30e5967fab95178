//! Configuration.

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V13 Configuration",
    rows: &[
        requirement("13.1.1", 2, "Communication needs documented").unwritten(
            "D: none outbound by default; test: D; F: strace of a run shows no outbound connect",
        ),
        requirement("13.1.2", 3, "Connection limits and behaviour at the limit")
            .unwritten("D + Y; test: B limit.idle-connections; I"),
        requirement("13.1.3", 3, "Resource strategies: timeouts, release, retries")
            .unwritten("D: sockets, files, hashing pool; test: D + F out-of-fds"),
        requirement("13.1.4", 3, "Secrets and rotation schedule").unwritten(
            "D; test: D; I: two pre-hash keys accepted during rotation, new one used for \
             writing (Flask CVE-2025-47278 signed with the wrong one)",
        ),
        requirement("13.2.1", 2, "Parts of the back end authenticate to one another")
            .not_applicable("a single process without other services"),
        requirement("13.2.2", 2, "Least privilege").unwritten(
            "O: unprivileged user, systemd sandbox, read-only root; test: C: unit file has the \
             directives; F runs under seccomp",
        ),
        requirement("13.2.3", 2, "No default service credentials")
            .unwritten("Y; test: F first start"),
        requirement("13.2.4", 2, "Allow-list of outside resources")
            .unwritten("O: systemd IPAddressDeny, no outbound; test: D"),
        requirement("13.2.5", 2, "Same for the server's file access")
            .unwritten("O + Y: one data directory; test: F: strace open paths"),
        requirement("13.2.6", 3, "Connections to other services are bounded as documented")
            .not_applicable("there are no other services"),
        requirement("13.3.1", 2, "Secrets from a secret store, never in source or build")
            .unwritten(
                "Y: file or systemd credential; L3 HSM: operator; test: C: secret scan; I: secret \
             given on the command line refused",
            ),
        requirement("13.3.2", 2, "Least privilege for secrets").unwritten(
            "Y; test: B data.permissions; I: start refused when key file is group/world \
             readable",
        ),
        requirement("13.3.3", 3, "Cryptography happens in an isolated module")
            .not_applicable("hardware modules are the operator's"),
        requirement("13.3.4", 3, "Secrets expire and rotate").unwritten("C; test: I"),
        requirement("13.4.1", 1, "No VCS metadata served")
            .unwritten("Y; test: B exposure.endpoints"),
        requirement("13.4.2", 2, "No debug mode in production")
            .unwritten("Y; test: C: release binary has no debug routes; B exposure.endpoints"),
        requirement("13.4.3", 2, "No listings")
            .unwritten("Y: no static files; test: B exposure.endpoints"),
        requirement("13.4.4", 2, "No TRACE").unwritten("Y; test: B method.trace"),
        requirement("13.4.5", 2, "Docs and metrics not exposed unless meant").unwritten(
            "Y: metrics on a second listener; test: B exposure.endpoints, exposure.stats",
        ),
        requirement("13.4.6", 3, "No versions").unwritten("Y; test: B hdr.no-version"),
        requirement("13.4.7", 3, "Only expected file types served")
            .unwritten("Y: none; test: B exposure.endpoints"),
    ],
};
