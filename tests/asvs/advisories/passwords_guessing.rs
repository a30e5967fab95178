//! Passwords, guessing, enumeration.

use crate::registry::{Chapter, rule};

pub const CHAPTER: Chapter = Chapter {
    title: "Bugs that others shipped: passwords, guessing, enumeration",
    rows: &[
        rule(
            "Okta",
            "bcrypt over id + name + password: long names pushed the password out of the 72 \
             bytes (also Oct 2024)",
        )
        .unwritten("password.no-truncation; never concatenate before bcrypt"),
        rule(
            "bcrypt RUSTSEC-2026-0199",
            "Non-ASCII stored hash panics the verifier; an old regression test had gone blind",
        )
        .unwritten("I: fuzz stored hash; F: corrupted hash denies that user only"),
        rule("Kratos hash limits", "Stored hash with absurd cost takes the process down (2025)")
            .unwritten("I: cost ceiling on read"),
        rule(
            "Symfony CVE-2013-5958",
            "Long passwords, similarity check or Unicode normalization burn CPU (also Django \
             CVE-2013-1443 (m), Django CVE-2021-45115, CVE-2023-46695)",
        )
        .unwritten("password.huge; length check before normalization"),
        rule("File Browser CVE-2026-54092", "Public login API usable for denial of service")
            .unwritten("dos.login-flood"),
        rule("File Browser CVE-2026-25889", "Authentication bypass in the password update")
            .unwritten("password.change-needs-current"),
        rule(
            "File Browser CVE-2026-23849",
            "Unknown users answered faster; several needed a second fix for a forgotten path \
             (Basic, unusable password, inactive user) (also GHSA-7789-65hx-f26w; Fiber \
             CVE-2026-44332; Traefik CVE-2026-32595 then CVE-2026-41263; OpenBao \
             CVE-2025-54999; Django CVE-2024-39329 then CVE-2025-13473; TYPO3 CVE-2022-36105; \
             Flask-AppBuilder CVE-2022-21659; Answer CVE-2023-1538)",
        )
        .unwritten(
            "enum.timing on login **and** Basic; I: disabled, locked and passwordless users as \
             well",
        ),
        rule(
            "Symfony CVE-2021-21424",
            "Status or text tells existing users apart (also CVE-2019-18886; Vault \
             CVE-2023-3462, CVE-2020-35177; Zitadel CVE-2024-41952, CVE-2026-23511; Grafana \
             CVE-2022-39307)",
        )
        .unwritten("enum.uniform-answer"),
        rule(
            "Authelia CVE-2025-24806",
            "Each spelling of a name has its own failure counter; Basic path not canonicalized \
             (also CVE-2026-47203; Vault CVE-2025-6004; OpenBao CVE-2025-54998)",
        )
        .unwritten("throttle.identifier-variants"),
        rule(
            "Keycloak CVE-2024-4629",
            "Parallel guesses beat the counter (m); Devise CVE-2019-5421; Gitea CVE-2026-20779",
        )
        .unwritten("throttle.parallel-guesses (count before hashing)"),
        rule(
            "Keycloak CVE-2026-9798",
            "Lock or second factor not applied on another pathway (also Vikunja CVE-2026-33315, \
             CVE-2026-34727)",
        )
        .unwritten("throttle.basic, matrix of pathways"),
        rule(
            "Vikunja CVE-2026-35597",
            "Lock-out or attempt limit does not work, or not for the second factor (also \
             Zitadel CVE-2024-32868; Vaultwarden CVE-2026-27801; OpenBao CVE-2025-55003)",
        )
        .unwritten("throttle.per-account; I: counter survives the error path and restart"),
        rule(
            "Vikunja CVE-2026-29794",
            "Rate limit keyed by spoofable header, or by text of an IPv6 address (2^64 \
             addresses, several spellings) (also Better Auth CVE-2026-45364)",
        )
        .unwritten("throttle.header-spoofing; I: /64 and canonical form, IPv4-mapped"),
        rule(
            "Grafana CVE-2022-39229",
            "A user takes another's e-mail as login name and blocks them",
        )
        .unwritten("single identifier space; email.canonical-uniqueness"),
        rule("Navidrome CVE-2025-27112", "Non-existing user name bypasses authentication")
            .unwritten("auth.malformed-authorization, ghost user with empty password"),
        rule("Symfony CVE-2016-2403", "Empty password accepted (also CVE-2017-11365)")
            .unwritten("auth.type-confusion"),
        rule("Devise CVE-2019-16109", "Blank confirmation token matches a user without one")
            .unwritten("I: empty/NULL token never matches"),
        rule(
            "Vikunja CVE-2026-28268",
            "Reset tokens reusable, never expiring or with the wrong lifetime; purge job with \
             inverted comparison (also Answer CVE-2024-41888, CVE-2024-41890, CVE-2023-1976; \
             Gogs CVE-2026-52809; TYPO3 CVE-2022-36106)",
        )
        .unwritten(
            "I: single use, newest only, expiry, **and a test that the purge removes expired \
             and keeps live ones**",
        ),
        rule("authentik CVE-2025-64708", "Invitations stay usable minutes past their expiry")
            .unwritten("I: expiry checked at use"),
        rule("Answer CVE-2024-45719", "Predictable tokens from time-based UUIDs")
            .unwritten("cookie.entropy"),
        rule("Fiber CVE-2025-66630", "RNG failure gives zero or predictable ids")
            .unwritten("I: failing RNG gives 503, no id"),
        rule("nano-id RUSTSEC-2024-0343", "Wrong alphabet reduces entropy")
            .unwritten("cookie.entropy; own 3-line encoder"),
        rule("totp-rs RUSTSEC-2022-0018", "Code compared in variable time")
            .unwritten("constant-time compare"),
        rule(
            "Vault CVE-2025-6014",
            "One-time code reusable (also Vikunja CVE-2026-33473, Gitea CVE-2021-45331)",
        )
        .unwritten("I"),
        rule("Sorcery CVE-2020-11052", "Attempt restriction works only partly")
            .unwritten("I: limit holds again after the first lock has expired"),
        rule(
            "PocketBase CVE-2024-38351",
            "Pre-created unverified account is later merged with the victim (also \
             CVE-2026-44166)",
        )
        .unwritten(
            "I if sign-up or OIDC is added: unverified accounts hold no rights and are replaced",
        ),
    ],
};
