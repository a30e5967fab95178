//! Storage, concurrency, logs, resources.

use crate::registry::{Chapter, rule};

pub const CHAPTER: Chapter = Chapter {
    title: "Bugs that others shipped: storage, concurrency, logs, resources",
    rows: &[
        rule(
            "Devise CVE-2026-32700",
            "Two parallel e-mail changes leave token and address from different requests",
        )
        .unwritten("I: change request is one record, compare-and-set"),
        rule(
            "Answer CVE-2023-0739",
            "Race conditions (also CVE-2023-4127, CVE-2023-49619, CVE-2024-26578)",
        )
        .unwritten("email.unique-race, I"),
        rule(
            "File Browser CVE-2026-62685",
            "Two names normalize to one; several @; case folding shifts indices (also OAuth2 \
             Proxy CVE-2026-40574; Caddy CVE-2026-27590)",
        )
        .unwritten(
            "email.canonical-uniqueness, email.validation; I: fold is idempotent and applied \
             before every compare",
        ),
        rule("File Browser CVE-2025-52900", "Files created world-readable")
            .unwritten("data.permissions with umask 000"),
        rule(
            "gorilla/sessions",
            "Session id used as file name (withdrawn report), Django file back end",
        )
        .unwritten("cookie.strict; ids never become names"),
        rule(
            "Traefik CVE-2022-23469",
            "Credentials in debug or audit logs (also OpenBao CVE-2025-52893, CVE-2025-62513, \
             CVE-2025-62705; Vault CVE-2024-8365, CVE-2024-0831; object_store \
             RUSTSEC-2024-0358)",
        )
        .unwritten("log.secrets at every log level, including parse failures"),
        rule("gin GHSA-6vm3-jj99-7229", "Log line injection").unwritten("log.injection"),
        rule("Gogs CVE-2026-26196", "Tokens in URLs (also File Browser CVE-2025-52901)")
            .unwritten("cookie.only-in-cookie"),
        rule(
            "OpenBao CVE-2025-59043",
            "JSON bombs before authentication (also Vault CVE-2025-6203, CVE-2025-12044)",
        )
        .unwritten("error.hostile-json"),
        rule(
            "Django CVE-2025-14550",
            "Repeated headers cost quadratic time (also Rack header advisories)",
        )
        .unwritten("limit.header-block"),
        rule(
            "Gogs CVE-2026-52814",
            "Stalled handshakes exhaust descriptors (also Traefik CVE-2026-22045)",
        )
        .unwritten("limit.idle-connections, slow.*; TLS handshake timeout"),
        rule(
            "h2 RUSTSEC-2023-0034",
            "HTTP/2 resets, CONTINUATION and empty DATA frames exhaust memory (also 2024-0003, \
             2024-0332, 2026-0258)",
        )
        .unwritten("C: versions; I: raw frame floods with memory bound; or HTTP/2 off by default"),
        rule(
            "rustls RUSTSEC-2024-0336",
            "close_notify loop, fragmented ClientHello panic (also -0399)",
        )
        .unwritten("C: versions; B: fragmented ClientHello"),
        rule(
            "lettre RUSTSEC-2026-0141",
            "Verification silently off or failing open (also Caddy CVE-2026-27586)",
        )
        .unwritten("I: wrong certificate refused; unreadable CA stops start"),
        rule("Dex CVE-2024-23656", "TLS settings discarded, old versions served")
            .unwritten("tls.versions against the shipped binary"),
        rule("Kratos CVE-2026-33503", "Forged page tokens injected into queries")
            .unwritten("I: page cursor is opaque and verified"),
        rule(
            "Oathkeeper CVE-2026-33496",
            "Cache or single-flight key confusion gives one caller another's result (also \
             Traefik CVE-2026-71326)",
        )
        .unwritten(
            "no result cache keyed by less than the full credential; I: parallel Basic logins \
             of different users",
        ),
        rule("Keycloak CVE-2025-2559", "Token cache grows without bound")
            .unwritten("F: 10^5 logins, memory and disk bounded by the session cap"),
    ],
};
