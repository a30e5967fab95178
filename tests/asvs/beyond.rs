//! What cheat sheets, NIST and RFCs ask for beyond the standard.

mod cookies;
mod passwords;
mod requests;
mod sessions;

use crate::registry::{Chapter, rule};
use crate::v03_web_front_end::{cookie, cross_site, headers};
use crate::v08_authorization::matrix;
use crate::{
    v06_authentication as v06, v07_sessions as v07, v11_cryptography as v11,
    v13_configuration as v13, v16_logging as v16,
};

pub const CHAPTER: Chapter = Chapter {
    title: "Beyond the standard: cheat sheets, NIST, RFCs",
    rows: &[
        rule(
            "CS-S1",
            "Strict session ids: an unknown id is never adopted, and its use is logged as \
             suspicious",
        ).tested(&[("an unknown id is never adopted", sessions::an_unknown_id_is_never_adopted), ("its use is logged", sessions::an_unknown_id_is_logged)]),
        rule("CS-S2", "Cookie only: no token in query, path, body or other headers").tested(&[("an id counts in the cookie and as a bearer token, and nowhere else", sessions::an_id_counts_nowhere_else)]),
        rule("CS-S3", "Renew the id on any privilege change, not just login").tested(&[("a change of rights changes the id, or asks for a proof that does", sessions::a_change_of_rights_changes_the_id)]),
        rule("CS-S4", "Validate the id as hostile input (length, alphabet) before lookup").tested(&[("what has not the shape of an id is not looked up", sessions::what_is_no_id_is_not_looked_up)]),
        rule(
            "CS-S5",
            "Non-persistent cookie by default; \"remember me\" is a separate, opt-in, \
             shorter-scope thing",
        ).tested(&[("only who asks is remembered, and for himself", sessions::only_who_asks_is_remembered)]),
        rule("CS-S6", "Session events logged with a salted hash of the id").tested(&[("sessions are logged by their public id", sessions::sessions_are_logged_by_their_public_id)]),
        rule(
            "CS-S7",
            "Detect id guessing: many unknown ids from one source are throttled and logged",
        ).tested(&[("guessing of ids is turned away and logged", sessions::guessing_of_ids_is_turned_away_and_logged)]),
        rule(
            "CS-S8",
            "Record address, agent, language at login; a strong change leads to \
             re-authentication, never just a log line with CAPTCHA",
        ).open("address and agent are recorded and shown to the owner, the language is not; a change of them asks for nothing"),
        rule("CS-A1", "Same message for wrong password, unknown, locked and disabled accounts").tested(&[("every refused login is answered alike", v06::refusals_are_alike)]),
        rule(
            "CS-A2",
            "Failure counter tied to the account, not only to the address; window, threshold \
             and lock time all configurable; exponential delays preferred over hard locks",
        ).tested(&[("an account has a counter of its own, whose size is a setting", v06::pathways_share_the_throttle), ("it fills again with time, and nothing is locked for good", v06::guessing_is_throttled)]),
        rule(
            "CS-A3",
            "Lock-out cannot be used against users: existing sessions live on, and a known \
             device or admin can still get in",
        ).tested(&[("the owner gets in from his network, and his session lives on", v06::owners_get_in)]),
        rule("CS-A4", "Cap password length against hashing DoS, at a value far above the policy")
            .tested(&[("a password has at most 256 bytes, and each counts", passwords::are_bounded)]),
        rule("CS-P1", "Work factor target below 1 s; re-hash at login when raised").tested(&[
            ("the cost is 12, a third of a second, and never less than 10", v11::passwords::bcrypt_has_its_cost),
            ("a login renews a hash of another cost", v11::passwords::another_cost_is_renewed),
        ]),
        rule(
            "CS-P2",
            "Pre-hashing with an unkeyed fast hash invites \"shucking\": use HMAC with a key, \
             encode without NUL",
        )
        .tested(&[
            ("hashes made by passlib log their owners in", passwords::hashes_of_passlib_log_in),
            ("what is stored is what the named libraries make", v11::passwords::stored_hashes_are_the_libraries),
        ]),
        rule("CS-P3", "Pepper outside the store").open(
            "there is none: whoever reads the files can try passwords, at the cost of bcrypt for each",
        ),
        rule("CS-C1", "Fetch Metadata first, Origin as fallback; compare whole origins; null is foreign").tested(&[
            ("every change from elsewhere is refused", cross_site::every_change_from_elsewhere_is_refused),
            ("Basic credentials are no excuse", cross_site::basic_credentials_are_no_excuse),
        ]),
        rule("CS-C1 without both", "Missing both: browsers today always send one, so treat as non-browser only without cookie").open(
            "a program may send the cookie and neither header: the contract has it pass. Browsers send Origin with \
             every POST, PUT and DELETE from elsewhere",
        ),
        rule("CS-C2", "Login needs CSRF defence too").tested(&[("a login from elsewhere is refused", cross_site::a_login_from_elsewhere_is_refused)]),
        rule(
            "CS-C3",
            "If tokens are used: per session, HMAC bound to the session, never in a cookie the \
             server trusts, never in the URL",
        ).not_applicable("no tokens are used: Origin and Fetch Metadata tell"),
        rule(
            "CS-R1",
            "415 for unexpected content types, 406 for unacceptable Accept, 413, 429, 405",
        ).tested(&[("what is not taken is refused by its name; Accept is not asked", requests::what_is_not_taken_is_refused_by_its_name)]),
        rule("CS-R2", "API header set: no-store, frame-ancestors, nosniff, HSTS, content type").tested(&[("every answer has them", requests::every_answer_has_the_headers_of_an_api)]),
        rule("CS-R3", "Management endpoints on another port or interface").tested(&[
            ("there are none", requests::there_are_no_management_endpoints),
            ("health and metrics have an address of their own", v13::exposure::metrics_have_an_address_of_their_own),
        ]),
        rule("CS-L1", "Log start, stop, configuration change, user and role administration")
            .tested(&[
                ("every event of the inventory is told when it happens", v16::lines::every_event_is_logged),
                ("files that are read anew are told of, and what is risky", v16::lines::reloads_are_logged),
            ]),
        rule(
            "CS-L2",
            "Logging failure must not stop the service nor open it; log flooding must not fill \
             the data disk",
        )
        .tested(&[
            ("a log that cannot be written stops nothing", v16::failures::a_full_log_stops_nothing),
            ("nor does one that nobody reads any more", v16::failures::a_closed_log_stops_nothing),
            ("the data directory holds no log", v16::lines::lines_go_where_they_should),
        ]),
        rule(
            "CS-L3",
            "Use the OWASP event vocabulary (authn_login_success, authn_login_fail, \
             authn_login_fail_max, authn_login_lock, authn_login_successafterfail, \
             authn_password_change, authn_token_created, authn_token_revoked, \
             authn_token_reuse, authz_fail, authz_change, authz_admin, \
             excess_rate_limit_exceeded, input_validation_fail, malicious_*)",
        )
        .tested(&[("events have its names where it has one", v16::inventory::events_have_their_names)]),
        rule(
            "CS-F1",
            "Reset: same answer and time for all addresses; token random, hashed, single use, \
             expiring; no auto-login; host of the link from configuration, not from Host; no \
             account change before the token is shown",
        )
        .not_applicable("nobody resets a password by mail: an admin sets one that must be changed"),
        rule(
            "CS-Z1",
            "Authorization matrix kept as data, run on each pull request, coupled to the \
             OpenAPI file",
        ).tested(&[("the matrix holds, over HTTP", matrix::every_actor_is_answered_as_the_matrix_says), ("it has a row for every route of the source", matrix::every_route_has_a_row)]),
        rule(
            "NIST-1",
            "Single-factor password >= 15 characters; >= 8 when one of two factors; >= 64 \
             allowed; each code point counts one",
        ).open("8 characters are enough, as 6.2.1 asks and the contract fixes; each code point counts one, and 64 are taken"),
        rule(
            "NIST-2",
            "No composition rules, no periodic change, forced change on evidence of compromise, \
             no hints",
        ).tested(&[("any composition is taken", v06::any_composition), ("a password does not grow old", v06::no_rotation), ("an admin forces a change", v06::set_passwords_must_be_changed), ("no record has room for a hint", v06::no_hints)]),
        rule(
            "NIST-3",
            "Blocklist compares the whole password, not substrings; tell the user why it was \
             refused",
        ).tested(&[("a password may contain what is refused, and a refusal says why", v06::whole_passwords_are_compared)]),
        rule(
            "NIST-4",
            "At most 100 consecutive failures per account, whatever the source; success resets \
             the count",
        ).tested(&[("an account sees less than a hundred failures a day, whatever the source", v06::failures_of_a_day_are_few)]),
        rule(
            "NIST-5",
            "Unicode passwords: normalize (NFKC or NFKD family) before hashing, or document \
             that bytes count. Choose once: changing later locks users out",
        ).documented("docs/CONTROLS.md#passwords", &[("two spellings of one text are two passwords", v06::every_byte_counts)]),
        rule(
            "NIST-6",
            "Session secret from an approved generator, >= 64 bits, erased at logout, sent only \
             over TLS, not in local storage, not persistent on the client",
        ).tested(&[("an id is 256 bits of the system's randomness", v07::ids_are_random), ("a logout ends it and makes the browser forget it", v07::logout_counts_at_once), ("over https it goes over nothing else", cookie::over_https_it_is_secure_and_has_a_prefix)]),
        rule(
            "NIST-7",
            "Cookies: Secure, least hosts and paths, HttpOnly, SameSite, __Host- with Path=/, \
             opaque value, expiry hint not relied upon",
        ).tested(&[("it is Secure and __Host- over https", cookie::over_https_it_is_secure_and_has_a_prefix), ("SameSite is Lax", cookie::same_site_is_lax_always), ("no script sees it", cookie::no_script_sees_the_id), ("the server ends it, whatever the browser keeps", v07::idle_sessions_end)]),
        rule(
            "NIST-8",
            "AAL1: overall <= 30 days; AAL2: <= 24 h overall and <= 1 h idle; AAL3: 12 h and 15 \
             min. The final text's numbers are the default table",
        ).documented("docs/CONTROLS.md#sessions", &[("the lifetimes are those of the program", v07::lifetimes_are_documented)]),
        rule("NIST-9", "A session may be extended only by a new proof, never by its own token").tested(&[("no new id prolongs a session", v07::restarts_and_new_ids_prolong_nothing)]),
        rule(
            "6265-1",
            "One Set-Cookie per name per response; no nameless cookie; no attribute twice",
        ).tested(&[("a cookie is set once, and no attribute twice", cookies::a_cookie_is_set_once_and_no_attribute_twice)]),
        rule("6265-2", "Several Cookie fields must be tolerated (HTTP/2 splits them)").tested(&[("cookies may be split over headers", cookies::cookies_may_be_split_over_headers)]),
        rule("6265-3", "Order of equal names carries no meaning: refuse two different values").tested(&[("the name twice is refused, wherever it stands", cookies::the_name_twice_is_refused_wherever_it_stands)]),
        rule(
            "6265-4",
            "Prefix rules are case-insensitive in browsers: never accept __HOST-x for __Host-x",
        ).tested(&[("a name is compared byte for byte", cookies::a_name_is_compared_byte_for_byte)]),
        rule(
            "6265-5",
            "Max-Age at most 400 days; huge values must not overflow (cookie RUSTSEC-2017-0005)",
        ).tested(&[("a cookie is kept for 30 days at most", cookies::a_cookie_is_kept_for_400_days_at_most)]),
        rule("6265-6", "Cookies are shared across ports: do not run another service on the host").operators("docs/CONTROLS.md#browsers", &[("the section says so", cookies::the_operator_is_told_of_ports)]),
        rule(
            "7617-1",
            "Split at the first colon: passwords may contain colons, user ids may not (refuse \
             on creation)",
        ).tested(&[("a password may have colons, an address may not", requests::basic_is_split_at_the_first_colon)]),
        rule("7617-2", "Realm required in the challenge; charset=\"UTF-8\" announced and honoured").tested(&[("the challenge says UTF-8, and UTF-8 is read", requests::basic_is_in_utf_8)]),
        rule("7617-3", "Control characters in user id or password refused").open("an address holds none; a password is taken byte for byte on every way in, also with them (ASVS 6.2.8)"),
        rule(
            "9110-1",
            "401 always carries WWW-Authenticate; invalid credentials are 401, known but not \
             permitted is 403",
        ).tested(&[("every 401 has its challenge, and bad credentials are 401 where that is set", requests::a_401_has_its_challenge)]),
        rule("9110-2", "Auth scheme is case-insensitive (actix-web-httpauth compares exactly)").tested(&[("the case of a scheme does not matter", requests::the_case_of_a_scheme_does_not_matter)]),
        rule(
            "9110-3",
            "HEAD equals GET without body; 405 with Allow; 415; 413; Retry-After (RFC 6585 for \
             429/431)",
        ).tested(&[("they are so", requests::answers_are_those_of_the_rfc)]),
        rule("9111-1", "Responses that depend on the cookie: no-store, or Vary: Cookie at least").tested(&[("no answer is kept", requests::no_answer_is_kept)]),
        rule(
            "9112-1",
            "Missing/double Host is 400; framing rules; absolute form accepted only with the \
             same meaning",
        ).tested(&[("a request has one host, and one meaning", requests::a_request_has_one_host)]),
        rule(
            "9457-1",
            "Problem details can be offered by content negotiation with error kept as extension \
             member, so that old clients go on",
        ).not_applicable("not offered: the contract fixes the body of an error"),
        rule("6797-1", "No HSTS over plain http").tested(&[(
            "plain http says nothing of https",
            headers::plain_http_says_nothing_of_https,
        )]),
        rule(
            "9745-1",
            "Deprecation/Sunset (RFC 9745, 8594) headers when a legacy route or behaviour is to \
             go",
        ).not_applicable("no route and no behaviour is about to go"),
        rule("9116-1", "security.txt (ASVS Appendix D recommends)").open("not served: it names whom to tell of a weakness, which whoever runs the service knows"),
    ],
};
