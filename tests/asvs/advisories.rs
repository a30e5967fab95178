//! What others got wrong, and what shows that it is right here.

use crate::registry::{Chapter, rule};

pub const CHAPTER: Chapter = Chapter {
    title: "Bugs that others shipped",
    rows: &[
        rule(
            "ActivityWatch aw-server-rust #588",
            "API-key gate compared the raw path, the router the decoded one: first //api, then \
             %61pi passed. A Rust web service, same shape as ours (also #636 (2026))",
        )
        .unwritten("path.unauthenticated-variants, path.unauthenticated-writes"),
        rule(
            "Better Auth GHSA-x732-6j76-qmhm",
            "Router folds //path, so disabled paths and path-based rate limits were bypassed",
        )
        .unwritten("same + throttle by route id, not by path text"),
        rule(
            "File Browser CVE-2026-25890",
            "Several leading slashes pass an access rule; prefix match without separator (also \
             CVE-2026-35605)",
        )
        .unwritten("path.*; I: rule /api/v1/users does not cover /api/v1/users2 and vice versa"),
        rule(
            "Traefik CVE-2025-66490",
            "Path normalization, encoded characters and fragments make rule and router disagree \
             (also CVE-2025-47952, CVE-2023-47106, CVE-2026-40912, CVE-2026-48020)",
        )
        .unwritten("path.*, path.absolute-form"),
        rule(
            "Oathkeeper CVE-2026-33494",
            "Traversal and case handling in rule matching; prefix-based matching of admin paths \
             (also Caddy CVE-2026-27587, GHSA-gx7w-56w6-g48x)",
        )
        .unwritten("path.*"),
        rule(
            "fastify-express #174",
            "Percent-encoded path skips middleware (also Astro #14771, Kimi #1753)",
        )
        .unwritten("path.*"),
        rule(
            "OAuth2 Proxy CVE-2025-54576",
            "Query string or fragment is part of the text an allow-rule is matched against \
             (also CVE-2026-41059)",
        )
        .unwritten("path.unauthenticated-variants (?x=/api/v1/status, #)"),
        rule("OAuth2 Proxy CVE-2026-34457", "Health-check user agent switches authentication off")
            .unwritten("trust.identity-headers (User-Agent)"),
        rule(
            "OAuth2 Proxy CVE-2026-40575",
            "Client-sent forwarding or identity headers are believed (also Traefik \
             CVE-2026-35051, CVE-2026-39858; Oathkeeper CVE-2026-33495; Gogs CVE-2026-25119; \
             File Browser CVE-2026-54089)",
        )
        .unwritten("trust.identity-headers"),
        rule(
            "OAuth2 Proxy CVE-2025-64484",
            "Underscore or case variants of a header clobber the trusted one (also Puma \
             CVE-2024-45614; Traefik CVE-2026-33433, CVE-2026-54763; Caddy CVE-2026-52845)",
        )
        .unwritten("trust.identity-headers, throttle.header-spoofing"),
        rule(
            "Next.js CVE-2025-29927",
            "An internal header tells the framework to skip middleware (m)",
        )
        .unwritten("trust.identity-headers"),
        rule(
            "Rack CVE-2026-32762",
            "Forwarded parsing and invalid Host characters allow host spoofing; poisoned links \
             lead to account takeover (also CVE-2026-34835; Zitadel CVE-2025-64101, \
             GHSA-93m4-mfpg-c3xf)",
        )
        .unwritten("trust.host-header; links from configuration only"),
        rule(
            "Puma CVE-2026-47737",
            "PROXY protocol header accepted again on a kept-alive connection",
        )
        .unwritten("I: PROXY line read once"),
        rule("Symfony CVE-2026-45075", "HEAD escapes a rule written for GET")
            .unwritten("method.head-options"),
        rule("Symfony CVE-2021-32693", "Login for one firewall counted for all")
            .unwritten("I: matrix with every guard"),
        rule(
            "Symfony CVE-2024-50341",
            "Programmatic login skipped the account checks (disabled, locked)",
        )
        .unwritten("I: every login pathway calls the same checker"),
        rule(
            "Fiber CVE-2026-53624",
            "Security header never sent because of a wrong protocol test, or only on HTML (also \
             Rails CVE-2024-28103)",
        )
        .unwritten("hdr.* on every status and on TLS"),
        rule(
            "Fiber CVE-2024-25124",
            "Wildcard or reflected CORS with credentials (also Casdoor CVE-2024-41657)",
        )
        .unwritten("cors.reflection"),
        rule(
            "Zitadel CVE-2025-67717",
            "Number of users and login times disclosed (also Gitea CVE-2025-68943)",
        )
        .unwritten("exposure.stats; I: last-login not visible to others"),
        rule(
            "Vaultwarden CVE-2026-27898",
            "One of several endpoints for the same object lacked the owner check",
        )
        .unwritten("matrix over **all** methods and sub-routes"),
        rule(
            "Better Auth CVE-2025-61928",
            "A body field (userId) without a session turned the check off",
        )
        .unwritten("authz.mass-assignment, anonymous body with id/user_id"),
        rule("Grafana CVE-2022-39328", "Race in shared request context mixes privileges")
            .unwritten("I: 64 parallel users, each sees only itself; session.keepalive-bleed"),
        rule(
            "File Browser CVE-2026-32760",
            "Sign-up inherits admin or execution rights from configured defaults (also \
             CVE-2026-34528)",
        )
        .unwritten(
            "I: new user has the lowest role whatever the defaults; mass assignment on create",
        ),
        rule(
            "File Browser CVE-2026-62684",
            "API returns password hashes (also Traefik CVE-2019-12452)",
        )
        .unwritten("authz.no-secret-fields"),
        rule(
            "Flask-AppBuilder CVE-2022-31177",
            "Filters let an admin query by password-hash fragment",
        )
        .unwritten("I: list filters refuse secret fields"),
        rule(
            "actix-web RUSTSEC-2018-0019",
            "Memory safety faults in the framework (also actix-http RUSTSEC-2020-0048)",
        )
        .unwritten("C: cargo-audit, minimum versions pinned"),
        rule(
            "actix-http RUSTSEC-2021-0081 and release 3.12.1",
            "Ambiguous CL/TE framing (also Pingora RUSTSEC-2026-0033/-0034; Puma smuggling \
             series)",
        )
        .unwritten("http.smuggling on every upgrade"),
        rule(
            "actix-files 0.6.10",
            "Panic on empty Range; serves the working directory on bad input",
        )
        .unwritten("do not depend on it"),
        rule(
            "Rack CVE-2025-32441",
            "A request that was in flight writes the session back after logout (also \
             rack-session CVE-2025-46336; vertx-web #2936; tower-sessions #25, #36)",
        )
        .unwritten(
            "session.logout-race; store: update only if present, tombstone until absolute \
             expiry",
        ),
        rule(
            "tower-sessions #260",
            "Rotation deleted the old session before the new one was stored; a failure lost \
             both",
        )
        .unwritten(
            "F: fault at each step of rotation: old or new valid, never both after success, \
             never neither after failure",
        ),
        rule(
            "Passport CVE-2022-25896",
            "Session fixation: id kept over login (also Airflow CVE-2022-38054; Symfony \
             CVE-2023-46733, CVE-2018-11385; Zitadel CVE-2024-28197; keepass4web #277)",
        )
        .unwritten("cookie.fixation"),
        rule("Fiber CVE-2024-38513", "Client-chosen session id adopted")
            .unwritten("cookie.strict, cookie.fixation"),
        rule(
            "actix-extras #87",
            "Removal cookie lacked path, SameSite or Secure, so the browser kept the session \
             cookie (also #129, #158; actix-session 0.7.2, 0.8.0)",
        )
        .unwritten("logout.clears-cookie"),
        rule(
            "File Browser CVE-2025-53826",
            "Token works after logout; revocation is a no-op (also Doorkeeper CVE-2018-1000211)",
        )
        .unwritten("logout.invalidates"),
        rule(
            "Memos CVE-2024-21635",
            "Sessions or tokens survive a password change or reset (also Vikunja \
             CVE-2026-27575; Airflow CVE-2023-40273; TYPO3 CVE-2022-23502; Symfony \
             CVE-2021-41268; Vaultwarden CVE-2026-43911)",
        )
        .unwritten("password.change-revokes-sessions (self and admin reset)"),
        rule(
            "Airflow CVE-2022-41672",
            "Disabled users go on, or come back through another pathway; admin token survives \
             deactivation (also Vikunja CVE-2026-33668, CVE-2026-33316; Zitadel CVE-2024-47000, \
             CVE-2024-47060; authentik CVE-2025-53942, CVE-2025-64521; Answer CVE-2026-25700)",
        )
        .unwritten("session.user-deleted; I: disabled flag checked per request on each pathway"),
        rule(
            "Zitadel CVE-2026-55670",
            "Identifiers reused: data of the old owner reaches the new one",
        )
        .unwritten("session.deleted-then-recreated"),
        rule(
            "Keycloak CVE-2026-9802",
            "Restart reset the time base, revoked refresh tokens were accepted again",
        )
        .unwritten("F: revoke, kill, restart, replay; no state of revocation in memory only"),
        rule(
            "Keycloak GHSA-83c4-ffjp-mxp9",
            "Two \"not before\" levels configured, only one honoured",
        )
        .unwritten("I: per-user and global revocation time both checked, in all orders"),
        rule(
            "Authelia GHSA-x883-2vmg-xwf7",
            "Group or permission change effective late (also Grafana CVE-2026-33381)",
        )
        .unwritten("session.role-change-immediate"),
        rule("Zitadel CVE-2026-27840", "A truncated opaque token still works")
            .unwritten("cookie.strict"),
        rule("Rack CVE-2019-16782", "Lookup by raw id leaks through index timing")
            .unwritten("tokens stored and looked up by hash"),
        rule(
            "TYPO3 CVE-2020-26228",
            "Session ids or signing secret stored in clear (also CVE-2021-21339; Navidrome \
             CVE-2024-56362)",
        )
        .unwritten("data.secrets-at-rest"),
        rule("Devise CVE-2015-8314", "One remember-me value per user for all devices, never ends")
            .unwritten("I"),
        rule("Symfony CVE-2024-51996", "Remember-me cookie of one user accepted for another name")
            .unwritten("I if built"),
        rule(
            "rack-session CVE-2026-39324",
            "Failed decryption falls back to plain decoding: forged session",
        )
        .unwritten("I if cookies ever carry state"),
        rule("Flask CVE-2025-47278", "Key rotation signs with the oldest key")
            .unwritten("I: newest key used for writing"),
        rule(
            "Flask CVE-2023-30861",
            "Missing Vary: Cookie lets a cache hand one user's answer to another (also \
             CVE-2026-27205)",
        )
        .unwritten("hdr.no-store"),
        rule("Rack CVE-2020-8184", "Percent-decoded cookie names forge __Host-")
            .unwritten("cookie.name-exact (true for actix-web, see F2)"),
        rule(
            "Cookie prefix bypass by Unicode white space",
            "Browser and server trim different characters (2025 research; Django, ASP.NET)",
        )
        .unwritten("cookie.name-exact (true for actix-web, see F3)"),
        rule("Werkzeug CVE-2023-23934", "Nameless cookie =__Host-x=bad parsed as the named one")
            .unwritten("cookie.hostile-bytes; I"),
        rule("Memos CVE-2022-4683", "Cookie without Secure").unwritten("cookie.secure-and-prefix"),
        rule("OAuth2 Proxy CVE-2026-34454", "Cookies not cleared on the sign-in page")
            .unwritten("I: 401 for a dead session also expires the cookie"),
        rule(
            "Better Auth multi-session sign-out finding",
            "Sign-out trusts cookies of other sessions without verifying them (2025)",
        )
        .unwritten("I: only the presented, verified session ends"),
        rule(
            "Better Auth GHSA-xg6x-h9c9-2m83",
            "Session cached as valid before the second factor was checked",
        )
        .unwritten("I: half-finished login has no session"),
        rule("cookie RUSTSEC-2017-0005", "Huge Max-Age panics").unwritten("I"),
        rule("time RUSTSEC-2026-0009", "Date parser recursion exhausts the stack")
            .unwritten("C + never parse client dates in RFC 2822 form"),
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
