//! Sessions.

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V7 Sessions",
    rows: &[
        requirement("7.1.1", 2, "Lifetimes documented, deviations from NIST justified")
            .unwritten("D; test: D: table equals defaults"),
        requirement("7.1.2", 2, "Parallel sessions: how many, what at the limit").unwritten(
            "D + Y; test: I: n+1st login evicts the oldest or is refused, as documented",
        ),
        requirement("7.1.3", 2, "Federated sessions documented").unwritten("C: SSO; test: D"),
        requirement("7.2.1", 1, "Verification in the back end")
            .unwritten("Y; test: B cookie.strict"),
        requirement("7.2.2", 1, "Dynamic tokens, no static keys").unwritten(
            "Y; Basic is a static secret per request: allowed for scripts, documented; test: B \
             cookie.entropy",
        ),
        requirement("7.2.3", 1, "Unique, CSPRNG, >= 128 bits").unwritten(
            "Y; test: B cookie.entropy; I: RNG failure gives an error, never a weak token \
             (Fiber CVE-2025-66630)",
        ),
        requirement("7.2.4", 1, "New token on login, old one dies")
            .unwritten("Y; test: B cookie.fixation"),
        requirement("7.3.1", 2, "Idle timeout")
            .unwritten("Y; test: I clock at -1 ns/0/+1 ns; B session.expiry"),
        requirement("7.3.2", 2, "Absolute lifetime").unwritten(
            "Y: activity never extends it; test: I clock: use every minute, dead at the limit; \
             after restart too",
        ),
        requirement("7.4.1", 1, "Ended sessions stay ended").unwritten(
            "Y; test: B logout.*, session.logout-race, session.double-logout; F: kill -9 right \
             after the logout answer, restart, still dead",
        ),
        requirement("7.4.2", 1, "Deleting or disabling a user ends all sessions").unwritten(
            "Y; test: B session.user-deleted, session.delete-race, \
             session.deleted-then-recreated",
        ),
        requirement("7.4.3", 2, "Offer (we: enforce) ending other sessions after a factor change")
            .unwritten("Y; test: B password.change-revokes-sessions"),
        requirement("7.4.4", 2, "Logout easy to find")
            .unwritten("C: UI; API has DELETE logout; test: D"),
        requirement("7.4.5", 2, "Admins end sessions of one or all").unwritten(
            "Y: routes needed; test: I/B new check once the route exists; F: survives restart",
        ),
        requirement("7.5.1", 2, "Re-authenticate before changing e-mail or factors")
            .unwritten("Y; test: B email.change-needs-reauth"),
        requirement("7.5.2", 2, "Users see and end their sessions").unwritten(
            "Y: routes needed; ids shown are not the token; test: I: list shows created, last \
             use, address, agent; no token",
        ),
        requirement("7.5.3", 3, "Second proof for highly sensitive operations").unwritten(
            "Y at L3: role grants, user deletion by admins; test: I: admin mutation with a \
             stale proof gets 403 + reason",
        ),
        requirement("7.6.1", 2, "Lifetimes between provider and relying party are as documented")
            .not_applicable("no federation"),
        requirement("7.6.2", 2, "A session starts only by an explicit act")
            .unwritten("Y; test: B cookie.one-per-response (no anonymous sessions), csrf.login"),
    ],
};
