//! Authorization.

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V8 Authorization",
    rows: &[
        requirement("8.1.1", 1, "Rules for functions and data written down")
            .unwritten("D; test: D: matrix rendered from the route table"),
        requirement("8.1.2", 2, "Rules for fields written down")
            .unwritten("D; test: D: per role readable and writable fields"),
        requirement("8.1.3", 3, "Context attributes used are documented")
            .unwritten("D: address, time since login, proof age; test: D"),
        requirement("8.1.4", 3, "How they decide is documented").unwritten("D; test: D"),
        requirement("8.2.1", 1, "Function-level access").unwritten(
            "Y; test: B auth.required, authz.function-level; I: full matrix actor x route x \
             method incl. anonymous, expired, demoted, deleted",
        ),
        requirement("8.2.2", 1, "Data-level access (IDOR)")
            .unwritten("Y; test: B authz.idor, authz.no-existence-oracle"),
        requirement("8.2.3", 2, "Field-level access")
            .unwritten("Y; test: B authz.mass-assignment, authz.no-secret-fields"),
        requirement("8.2.4", 3, "Adaptive controls").unwritten(
            "C: flag or end a session whose address family and agent both change; test: I",
        ),
        requirement("8.3.1", 1, "Enforced in the service, one place").unwritten(
            "Y; test: B path.*, method.*; I: a new route without a rule does not compile or \
             panics in the test",
        ),
        requirement("8.3.2", 3, "Changes take effect at once").unwritten(
            "Y: role read from the user record per request, not from the session; test: B \
             session.role-change-immediate",
        ),
        requirement("8.3.3", 3, "Acts with the caller's rights")
            .unwritten("Y: no service identity; test: I"),
        requirement("8.4.1", 2, "Tenants cannot touch one another")
            .not_applicable("one tenant per process"),
        requirement("8.4.2", 3, "Layers around admin functions")
            .unwritten("O: separate listener or network, MFA for admins, fresh proof; test: D + I"),
    ],
};
