//! Authentication.

use crate::registry::{Chapter, requirement};

pub const CHAPTER: Chapter = Chapter {
    title: "V6 Authentication",
    rows: &[
        requirement(
            "6.1.1",
            1,
            "Document throttling, its settings, and how malicious lock-out is avoided",
        )
        .unwritten("D; test: D: numbers compared with defaults"),
        requirement("6.1.2", 2, "Document context words")
            .unwritten("D: product name, host name, e-mail parts, roles; test: D"),
        requirement("6.1.3", 2, "Document all login pathways and their common controls").unwritten(
            "D: Basic, JSON login, form login, bootstrap, reset; test: D + I: list of callers \
             of the verify function equals the list",
        ),
        requirement("6.2.1", 1, ">= 8 characters (code points)")
            .unwritten("Y; default 15 while no second factor; test: B password.minimum"),
        requirement("6.2.2", 1, "Users can change the password").unwritten(
            "Y: missing in the plain contract; test: B password.change-revokes-sessions",
        ),
        requirement("6.2.3", 1, "Change needs current and new")
            .unwritten("Y; test: B password.change-needs-current"),
        requirement("6.2.4", 1, "Refuse the top 3000").unwritten(
            "Y: embedded list filtered by policy length; test: B password.common; I: list size \
             >= 3000 after filter",
        ),
        requirement("6.2.5", 1, "No composition rules")
            .unwritten("Y; test: B password.any-composition"),
        requirement("6.2.6", 1, "Password fields hide what is typed")
            .not_applicable("no form is served"),
        requirement("6.2.7", 1, "Pasting and password managers are allowed")
            .not_applicable("no form is served"),
        requirement("6.2.8", 1, "Verify exactly what was sent").unwritten(
            "Y: no trim, case, truncation; decide on Unicode normalization once; test: B \
             password.exact, password.no-truncation, password.nul, login.both-encodings, \
             auth.basic-special-passwords",
        ),
        requirement("6.2.9", 2, ">= 64 characters allowed")
            .unwritten("Y: 64 code points, up to 256 bytes; test: B password.long"),
        requirement("6.2.10", 2, "No forced rotation")
            .unwritten("Y; test: I: clock +10 years, login still works; D"),
        requirement("6.2.11", 2, "Context words refused").unwritten("Y; test: B password.common"),
        requirement("6.2.12", 2, "Breached passwords refused").unwritten(
            "Y: offline set (k-anonymity files or Bloom filter); test: I: known breached sample \
             refused, false-positive rate bounded",
        ),
        requirement("6.3.1", 1, "Throttling works as documented")
            .unwritten("Y; test: B throttle.*"),
        requirement("6.3.2", 1, "No default accounts").unwritten(
            "Y; test: B: fresh instance refuses admin/admin and kin; F first-start test",
        ),
        requirement("6.3.3", 2, "Multi-factor (L3: hardware)").unwritten(
            "Y at L2: TOTP or WebAuthn; Basic needs app passwords or is off for MFA users; \
             test: I/B once built; else D rationale",
        ),
        requirement("6.3.4", 2, "No undocumented pathway, equal strength").unwritten(
            "Y; test: B throttle.basic, throttle.identifier-variants; I: MFA user cannot use \
             plain Basic (Vikunja CVE-2026-33315)",
        ),
        requirement("6.3.5", 3, "Tell users of suspicious attempts")
            .unwritten("C: mail/webhook; at least in the session list and log; test: I"),
        requirement("6.3.6", 3, "E-mail is not a factor")
            .unwritten("Y: by not building it; test: D"),
        requirement("6.3.7", 3, "Tell users of credential changes")
            .unwritten("C; test: I: event emitted"),
        requirement("6.3.8", 3, "Unknown users cannot be told apart").unwritten(
            "Y; test: B enum.uniform-answer, enum.timing, throttle.unknown-accounts-alike",
        ),
        requirement("6.4.1", 1, "Initial secrets random, short-lived, not permanent").unwritten(
            "Y: bootstrap secret, invitations; test: I: expires, single use, must be replaced",
        ),
        requirement("6.4.2", 1, "No hints or secret questions")
            .unwritten("Y; test: I: schema has no such field"),
        requirement("6.4.3", 2, "Safe reset").unwritten(
            "C (admin-issued or mail); test: I: token hashed, 128+ bits, single use, short \
             life, ends sessions, keeps MFA",
        ),
        requirement("6.4.4", 2, "Lost factor needs equal proof").unwritten("C: MFA; test: D + I"),
        requirement("6.4.5", 3, "Renewal reminders").unwritten("C: expiring credentials; test: D"),
        requirement("6.4.6", 3, "Admin starts a reset but does not choose the password").unwritten(
            "Y at L3: invitation link instead of password in POST /users; test: I: admin cannot \
             set another user's password",
        ),
        requirement("6.5.1", 2, "One-time codes work once").unwritten(
            "C: MFA; test: I: replay in the same step refused, also in parallel (Gitea \
             CVE-2026-20779)",
        ),
        requirement("6.5.2", 2, "Recovery codes stored hashed").unwritten("C; test: I: store scan"),
        requirement("6.5.3", 2, "Codes and seeds from the CSPRNG")
            .unwritten("C; test: I: RNG seam"),
        requirement("6.5.4", 2, ">= 20 bits per code").unwritten("C; test: I"),
        requirement("6.5.5", 2, "Code lifetimes (10 min, TOTP 30 s)").unwritten("C; test: I clock"),
        requirement("6.5.6", 3, "Factors can be revoked").unwritten("C; test: I"),
        requirement("6.5.7", 3, "A fingerprint or face counts only beside another factor")
            .not_applicable("nothing biometric"),
        requirement("6.5.8", 3, "TOTP uses the server clock")
            .unwritten("C; test: I: client time ignored"),
        requirement("6.6.1", 2, "Codes over telephone only with care and an alternative")
            .not_applicable("no out-of-band factor"),
        requirement("6.6.2", 2, "An out-of-band answer belongs to the request that asked for it")
            .not_applicable("no out-of-band factor"),
        requirement("6.6.3", 2, "Out-of-band codes cannot be guessed by trying")
            .not_applicable("no out-of-band factor"),
        requirement("6.6.4", 3, "Push messages are limited")
            .not_applicable("no out-of-band factor"),
        requirement("6.7.1", 3, "Certificates that verify a login cannot be changed")
            .not_applicable("no login by certificate"),
        requirement("6.7.2", 3, "Challenges are unique and have 64 bits or more")
            .not_applicable("no login by certificate"),
        requirement("6.8.1", 2, "Identities of several providers kept apart")
            .unwritten("C: if OIDC is added; test: D"),
        requirement("6.8.2", 2, "Signatures of assertions are checked")
            .not_applicable("no external identity provider"),
        requirement("6.8.3", 2, "A SAML assertion counts once")
            .not_applicable("no external identity provider"),
        requirement("6.8.4", 2, "The strength of an external login is checked")
            .not_applicable("no external identity provider"),
    ],
};
