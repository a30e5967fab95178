//! What cheat sheets, NIST and RFCs ask for beyond the standard.

use crate::registry::{Chapter, rule};
use crate::v03_web_front_end::headers;

pub const CHAPTER: Chapter = Chapter {
    title: "Beyond the standard: cheat sheets, NIST, RFCs",
    rows: &[
        rule(
            "CS-S1",
            "Strict session ids: an unknown id is never adopted, and its use is logged as \
             suspicious",
        )
        .unwritten("B cookie.strict; I event"),
        rule("CS-S2", "Cookie only: no token in query, path, body or other headers")
            .unwritten("B cookie.only-in-cookie"),
        rule("CS-S3", "Renew the id on any privilege change, not just login")
            .unwritten("I: promotion rotates or ends the user's sessions"),
        rule("CS-S4", "Validate the id as hostile input (length, alphabet) before lookup")
            .unwritten("I: regex gate; B cookie.hostile-bytes"),
        rule(
            "CS-S5",
            "Non-persistent cookie by default; \"remember me\" is a separate, opt-in, \
             shorter-scope thing",
        )
        .unwritten(
            "I: no Max-Age unless asked; never one shared remember token per user (Devise \
             CVE-2015-8314)",
        ),
        rule("CS-S6", "Session events logged with a salted hash of the id").unwritten("I"),
        rule(
            "CS-S7",
            "Detect id guessing: many unknown ids from one source are throttled and logged",
        )
        .unwritten("I; B: 200 random cookies raise the throttle"),
        rule(
            "CS-S8",
            "Record address, agent, language at login; a strong change leads to \
             re-authentication, never just a log line with CAPTCHA",
        )
        .unwritten("C feature, I"),
        rule("CS-A1", "Same message for wrong password, unknown, locked and disabled accounts")
            .unwritten("B enum.uniform-answer; I for locked/disabled"),
        rule(
            "CS-A2",
            "Failure counter tied to the account, not only to the address; window, threshold \
             and lock time all configurable; exponential delays preferred over hard locks",
        )
        .unwritten("B throttle.per-account, throttle.distributed; I clock"),
        rule(
            "CS-A3",
            "Lock-out cannot be used against users: existing sessions live on, and a known \
             device or admin can still get in",
        )
        .unwritten("B throttle.per-account (live session); I"),
        rule("CS-A4", "Cap password length against hashing DoS, at a value far above the policy")
            .unwritten("B password.huge"),
        rule("CS-P1", "Work factor target below 1 s; re-hash at login when raised").unwritten("I"),
        rule(
            "CS-P2",
            "Pre-hashing with an unkeyed fast hash invites \"shucking\": use HMAC with a key, \
             encode without NUL",
        )
        .unwritten("I: vector test; F: key rotation"),
        rule("CS-P3", "Pepper outside the store").unwritten("B data.secrets-at-rest; I"),
        rule(
            "CS-C1",
            "Fetch Metadata first, Origin as fallback; compare whole origins; null is foreign; \
             missing both: browsers today always send one, so treat as non-browser only without \
             cookie",
        )
        .unwritten("B csrf.*; I table"),
        rule("CS-C2", "Login needs CSRF defence too").unwritten("B csrf.login"),
        rule(
            "CS-C3",
            "If tokens are used: per session, HMAC bound to the session, never in a cookie the \
             server trusts, never in the URL",
        )
        .unwritten("C"),
        rule(
            "CS-R1",
            "415 for unexpected content types, 406 for unacceptable Accept, 413, 429, 405",
        )
        .unwritten("B error.*, limit.body, method.405-with-allow"),
        rule("CS-R2", "API header set: no-store, frame-ancestors, nosniff, HSTS, content type")
            .unwritten("B hdr.*"),
        rule("CS-R3", "Management endpoints on another port or interface")
            .unwritten("B exposure.endpoints"),
        rule("CS-L1", "Log start, stop, configuration change, user and role administration")
            .unwritten("I"),
        rule(
            "CS-L2",
            "Logging failure must not stop the service nor open it; log flooding must not fill \
             the data disk",
        )
        .unwritten("F: log pipe closed, log disk full"),
        rule(
            "CS-L3",
            "Use the OWASP event vocabulary (authn_login_success, authn_login_fail, \
             authn_login_fail_max, authn_login_lock, authn_login_successafterfail, \
             authn_password_change, authn_token_created, authn_token_revoked, \
             authn_token_reuse, authz_fail, authz_change, authz_admin, \
             excess_rate_limit_exceeded, input_validation_fail, malicious_*)",
        )
        .unwritten("I: enum names"),
        rule(
            "CS-F1",
            "Reset: same answer and time for all addresses; token random, hashed, single use, \
             expiring; no auto-login; host of the link from configuration, not from Host; no \
             account change before the token is shown",
        )
        .unwritten("C feature, I"),
        rule(
            "CS-Z1",
            "Authorization matrix kept as data, run on each pull request, coupled to the \
             OpenAPI file",
        )
        .unwritten("I/C"),
        rule(
            "NIST-1",
            "Single-factor password >= 15 characters; >= 8 when one of two factors; >= 64 \
             allowed; each code point counts one",
        )
        .unwritten("B password.minimum, password.long"),
        rule(
            "NIST-2",
            "No composition rules, no periodic change, forced change on evidence of compromise, \
             no hints",
        )
        .unwritten("B password.any-composition; I: admin \"compromised\" flag forces change"),
        rule(
            "NIST-3",
            "Blocklist compares the whole password, not substrings; tell the user why it was \
             refused",
        )
        .unwritten("I: error names the reason"),
        rule(
            "NIST-4",
            "At most 100 consecutive failures per account, whatever the source; success resets \
             the count",
        )
        .unwritten("B throttle.distributed; I"),
        rule(
            "NIST-5",
            "Unicode passwords: normalize (NFKC or NFKD family) before hashing, or document \
             that bytes count. Choose once: changing later locks users out",
        )
        .unwritten("I: NFC and NFD spelling both log in, or both documented as distinct"),
        rule(
            "NIST-6",
            "Session secret from an approved generator, >= 64 bits, erased at logout, sent only \
             over TLS, not in local storage, not persistent on the client",
        )
        .unwritten("B cookie.*"),
        rule(
            "NIST-7",
            "Cookies: Secure, least hosts and paths, HttpOnly, SameSite, __Host- with Path=/, \
             opaque value, expiry hint not relied upon",
        )
        .unwritten("B cookie.attributes, session.expiry"),
        rule(
            "NIST-8",
            "AAL1: overall <= 30 days; AAL2: <= 24 h overall and <= 1 h idle; AAL3: 12 h and 15 \
             min. The final text's numbers are the default table",
        )
        .unwritten("D + I"),
        rule("NIST-9", "A session may be extended only by a new proof, never by its own token")
            .unwritten("I: no refresh past the absolute limit"),
        rule(
            "6265-1",
            "One Set-Cookie per name per response; no nameless cookie; no attribute twice",
        )
        .unwritten("B cookie.one-per-response; I"),
        rule("6265-2", "Several Cookie fields must be tolerated (HTTP/2 splits them)")
            .unwritten("B cookie.split-headers"),
        rule("6265-3", "Order of equal names carries no meaning: refuse two different values")
            .unwritten("B cookie.duplicates"),
        rule(
            "6265-4",
            "Prefix rules are case-insensitive in browsers: never accept __HOST-x for __Host-x",
        )
        .unwritten("B cookie.name-exact"),
        rule(
            "6265-5",
            "Max-Age at most 400 days; huge values must not overflow (cookie RUSTSEC-2017-0005)",
        )
        .unwritten("I"),
        rule("6265-6", "Cookies are shared across ports: do not run another service on the host")
            .unwritten("D"),
        rule(
            "7617-1",
            "Split at the first colon: passwords may contain colons, user ids may not (refuse \
             on creation)",
        )
        .unwritten("B auth.basic-special-passwords; I: e-mail with colon refused"),
        rule("7617-2", "Realm required in the challenge; charset=\"UTF-8\" announced and honoured")
            .unwritten("B auth.www-authenticate, auth.basic-special-passwords"),
        rule("7617-3", "Control characters in user id or password refused")
            .unwritten("B auth.malformed-authorization"),
        rule(
            "9110-1",
            "401 always carries WWW-Authenticate; invalid credentials are 401, known but not \
             permitted is 403",
        )
        .unwritten("B auth.www-authenticate, auth.invalid-credentials-are-401"),
        rule("9110-2", "Auth scheme is case-insensitive (actix-web-httpauth compares exactly)")
            .unwritten("B auth.basic-scheme-case"),
        rule(
            "9110-3",
            "HEAD equals GET without body; 405 with Allow; 415; 413; Retry-After (RFC 6585 for \
             429/431)",
        )
        .unwritten("B method.*, throttle.retry-after, limit.*"),
        rule("9111-1", "Responses that depend on the cookie: no-store, or Vary: Cookie at least")
            .unwritten("B hdr.no-store"),
        rule(
            "9112-1",
            "Missing/double Host is 400; framing rules; absolute form accepted only with the \
             same meaning",
        )
        .unwritten("B http.*, path.absolute-form"),
        rule(
            "9457-1",
            "Problem details can be offered by content negotiation with error kept as extension \
             member, so that old clients go on",
        )
        .unwritten("I: Accept: application/problem+json"),
        rule("6797-1", "No HSTS over plain http").tested(&[(
            "plain http says nothing of https",
            headers::plain_http_says_nothing_of_https,
        )]),
        rule(
            "9745-1",
            "Deprecation/Sunset (RFC 9745, 8594) headers when a legacy route or behaviour is to \
             go",
        )
        .unwritten("I if used"),
        rule("9116-1", "security.txt (ASVS Appendix D recommends)").unwritten("B once served"),
    ],
};
