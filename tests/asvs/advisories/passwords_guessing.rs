//! Passwords, guessing, enumeration.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{fs, io};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sessiond::app::World;
use sessiond::auth::accounts::{Attempt, Pathway, UserPatch};
use sessiond::auth::audit::Trace;
use sessiond::auth::hashing::{Hasher, Lanes};
use sessiond::clock::SystemClock;
use sessiond::error::Error;
use sessiond::models::{Email, Password, PasswordHash, SessionId, User, UserId};
use sessiond::random::{Random, SystemRandom};
use sha2::{Digest as _, Sha256};

use super::{
    ADMINS_LOGIN, Fault, HOME, LOGIN, LOGOUT, ME, MY_PASSWORD, Person, REAUTH, REFRESH, USERS,
    WRONG, addresses, assert_locked, attempt, behind_a_proxy, claimed_addresses_change_nothing,
    hex, mistakes, protected_routes, status, unthrottled, wait_of,
};
use crate::files;
use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Client, Connection, InProcess, NOBODY, PASSWORD, Program,
    SESSION_KINDS, START, block_on,
};
use crate::registry::{Chapter, rule};

pub const CHAPTER: Chapter = Chapter {
    title: "Bugs that others shipped: passwords, guessing, enumeration",
    rows: &[
        rule(
            "Okta",
            "bcrypt over id + name + password: long names pushed the password out of the 72 \
             bytes (also Oct 2024)",
        )
        .tested(&[(
            "an address and a password of any length leave every byte of the password",
            nothing_is_hashed_before_the_password,
        )]),
        rule(
            "bcrypt RUSTSEC-2026-0199",
            "Non-ASCII stored hash panics the verifier; an old regression test had gone blind",
        )
        .tested(&[
            ("a hash that is damaged in any place is nobody's", a_damaged_hash_is_nobodys),
            (
                "an unusable hash shuts out its user alone",
                an_unusable_hash_shuts_out_its_user_alone,
            ),
        ]),
        rule("Kratos hash limits", "Stored hash with absurd cost takes the process down (2025)")
            .tested(&[
                ("costs of stored hashes have a ceiling", costs_have_a_ceiling),
                (
                    "an absurd hash shuts out its user alone",
                    an_unusable_hash_shuts_out_its_user_alone,
                ),
            ]),
        rule(
            "Symfony CVE-2013-5958",
            "Long passwords, similarity check or Unicode normalization burn CPU (also Django \
             CVE-2013-1443 (m), Django CVE-2021-45115, CVE-2023-46695)",
        )
        .tested(&[(
            "a password that is too long is not hashed, and none is normalized",
            what_is_too_long_is_not_hashed,
        )]),
        rule("File Browser CVE-2026-54092", "Public login API usable for denial of service")
            .tested(&[(
                "a flood of logins is turned away, and the rest goes on",
                a_flood_of_logins_is_turned_away,
            )]),
        rule("File Browser CVE-2026-25889", "Authentication bypass in the password update").tested(
            &[(
                "a password is changed with the current one only",
                a_password_is_changed_with_the_current_one,
            )],
        ),
        rule(
            "File Browser CVE-2026-23849",
            "Unknown users answered faster; several needed a second fix for a forgotten path \
             (Basic, unusable password, inactive user) (also GHSA-7789-65hx-f26w; Fiber \
             CVE-2026-44332; Traefik CVE-2026-32595 then CVE-2026-41263; OpenBao \
             CVE-2025-54999; Django CVE-2024-39329 then CVE-2025-13473; TYPO3 CVE-2022-36105; \
             Flask-AppBuilder CVE-2022-21659; Answer CVE-2023-1538)",
        )
        .tested(&[
            ("every refusal is the same work, for login and Basic", every_refusal_is_the_same_work),
            ("hashes of other costs are the same work", hashes_of_other_costs_are_the_same_work),
            (
                "hashes of other programs are the same work",
                hashes_of_other_programs_are_the_same_work,
            ),
        ]),
        rule(
            "Symfony CVE-2021-21424",
            "Status or text tells existing users apart (also CVE-2019-18886; Vault \
             CVE-2023-3462, CVE-2020-35177; Zitadel CVE-2024-41952, CVE-2026-23511; Grafana \
             CVE-2022-39307)",
        )
        .tested(&[("no answer tells who exists", no_answer_tells_who_exists)]),
        rule(
            "Authelia CVE-2025-24806",
            "Each spelling of a name has its own failure counter; Basic path not canonicalized \
             (also CVE-2026-47203; Vault CVE-2025-6004; OpenBao CVE-2025-54998)",
        )
        .tested(&[(
            "every spelling of an address shares one budget",
            every_spelling_shares_one_budget,
        )]),
        rule(
            "Keycloak CVE-2024-4629",
            "Parallel guesses beat the counter (m); Devise CVE-2019-5421; Gitea CVE-2026-20779",
        )
        .tested(&[(
            "guesses side by side are no more than guesses in a row",
            guesses_side_by_side_are_counted,
        )]),
        rule(
            "Keycloak CVE-2026-9798",
            "Lock or second factor not applied on another pathway (also Vikunja CVE-2026-33315, \
             CVE-2026-34727)",
        )
        .tested(&[("every pathway is stopped, and shares one budget", every_pathway_is_stopped)]),
        rule(
            "Vikunja CVE-2026-35597",
            "Lock-out or attempt limit does not work, or not for the second factor (also \
             Zitadel CVE-2024-32868; Vaultwarden CVE-2026-27801; OpenBao CVE-2025-55003)",
        )
        .tested(&[
            (
                "the limit holds, for the right password too, whatever else is asked",
                the_limit_holds,
            ),
            ("only a restart, which is the operator's act, begins anew", a_restart_begins_anew),
        ]),
        rule(
            "Vikunja CVE-2026-29794",
            "Rate limit keyed by spoofable header, or by text of an IPv6 address (2^64 \
             addresses, several spellings) (also Better Auth CVE-2026-45364)",
        )
        .tested(&[
            ("a claimed address changes nothing", claimed_addresses_change_nothing),
            ("a network is counted by its bits and not by its text", networks_are_bits),
        ]),
        rule(
            "Grafana CVE-2022-39229",
            "A user takes another's e-mail as login name and blocks them",
        )
        .tested(&[
            ("an e-mail address is the only name, and one user's", an_address_is_the_only_name),
            ("the mistakes of strangers do not block its owner", strangers_do_not_block_the_owner),
        ]),
        rule("Navidrome CVE-2025-27112", "Non-existing user name bypasses authentication")
            .tested(&[("nobody has no password", nobody_has_no_password)]),
        rule("Symfony CVE-2016-2403", "Empty password accepted (also CVE-2017-11365)").tested(&[(
            "an empty password is none, whatever is stored",
            an_empty_password_is_none,
        )]),
        rule("Devise CVE-2019-16109", "Blank confirmation token matches a user without one")
            .tested(&[("a blank token is nobody's", a_blank_token_is_nobodys)]),
        rule(
            "Vikunja CVE-2026-28268",
            "Reset tokens reusable, never expiring or with the wrong lifetime; purge job with \
             inverted comparison (also Answer CVE-2024-41888, CVE-2024-41890, CVE-2023-1976; \
             Gogs CVE-2026-52809; TYPO3 CVE-2022-36106)",
        )
        .tested(&[(
            "the purge removes sessions that have expired and no other",
            the_purge_removes_what_has_expired_and_nothing_else,
        )]),
        rule("authentik CVE-2025-64708", "Invitations stay usable minutes past their expiry")
            .tested(&[(
                "the end of a session is looked at when it is used",
                the_end_is_looked_at_when_it_is_used,
            )]),
        rule("Answer CVE-2024-45719", "Predictable tokens from time-based UUIDs").tested(&[(
            "ids have nothing of the time in them",
            ids_have_nothing_of_the_time_in_them,
        )]),
        rule("Fiber CVE-2025-66630", "RNG failure gives zero or predictable ids")
            .tested(&[("without randomness there is no id", without_randomness_there_is_no_id)]),
        rule("nano-id RUSTSEC-2024-0343", "Wrong alphabet reduces entropy")
            .tested(&[("every random bit is in the id", every_random_bit_is_in_the_id)]),
        rule("totp-rs RUSTSEC-2022-0018", "Code compared in variable time")
            .tested(&[("secrets are not compared in clear", secrets_are_not_compared_in_clear)]),
        rule(
            "Vault CVE-2025-6014",
            "One-time code reusable (also Vikunja CVE-2026-33473, Gitea CVE-2021-45331)",
        )
        .not_applicable(
            "there are no one-time codes: no second factor, and passwords are reset by \
             admins",
        ),
        rule("Sorcery CVE-2020-11052", "Attempt restriction works only partly").tested(&[(
            "the limit holds again after it has let somebody go",
            the_limit_holds_again,
        )]),
        rule(
            "PocketBase CVE-2024-38351",
            "Pre-created unverified account is later merged with the victim (also \
             CVE-2026-44166)",
        )
        .not_applicable(
            "nobody signs up: admins make users, and no accounts of other services are \
             linked",
        ),
    ],
};

/// Puts a user into the store whose hash is this text, whatever it is.
fn plant(server: &InProcess, email: &str, hash: &str) {
    let hash = serde_json::from_value(hash.into()).unwrap();
    let id = UserId::generate(&SystemRandom).unwrap();
    let user = User::new(id, Email::new(email).unwrap(), hash, START);
    block_on(server.service.accounts().users.insert(user)).unwrap();
}

/// A hash of this password, as it is stored.
fn hashed(password: &str) -> String {
    let hash = PasswordHash::new(&sent(password), 4, &SystemRandom).unwrap();
    serde_json::to_value(hash).unwrap().as_str().unwrap().to_owned()
}

fn sent(password: &str) -> Password {
    Password::sent(password.to_owned())
}

/// The status of a login, or of a request by Basic where that is the kind.
fn knock(client: &Client, kind: &str, email: &str, password: &str) -> u16 {
    attempt(client, kind, email, password).send().status
}

/// What a wrong password is answered.
fn refused(kind: &str) -> u16 {
    if kind == "basic_auth" { 403 } else { 401 }
}

const BOTH_WAYS: [&str; 2] = ["session_db_auth", "basic_auth"];

fn nothing_is_hashed_before_the_password() {
    // As long as an address can be, and a password that bcrypt alone would cut.
    let email = format!(
        "{}@{}.example.com",
        "a".repeat(64),
        ["b".repeat(60), "c".repeat(60), "d".repeat(49)].join(".")
    );
    assert!(email.len() > 240 && Email::new(&email).is_ok(), "{email}");
    for kind in BOTH_WAYS {
        for password in
            ["x".repeat(71), "x".repeat(72), "x".repeat(73), "x".repeat(256), "\u{e4}".repeat(128)]
        {
            let server = unthrottled(kind);
            let new = json!({ "email": email, "password": password });
            let make = server.post(USERS).json(&new);
            let make = if kind == "basic_auth" {
                make.basic(ADMIN, ADMIN_PASSWORD)
            } else {
                make.session(&server.admin())
            };
            assert_eq!(make.send().status, 201, "{kind}");
            let knock = |password: &str| knock(&server, kind, &email, password);
            assert_eq!(knock(&password), 200, "{kind}");
            let mut cut = password.clone();
            cut.pop();
            let last = format!("{cut}y");
            for wrong in [
                cut.as_str(),
                &last,
                &password[password.len() / 2..],
                &email,
                "x",
                &format!("{email}{password}"),
            ] {
                assert_eq!(knock(wrong), refused(kind), "{kind} {wrong:?}");
            }
        }
    }
}

fn a_damaged_hash_is_nobodys() {
    assert_locked("bcrypt", [0, 19, 2]);
    let long = "x".repeat(100);
    let classic = PasswordHash::from_classic(&"0".repeat(64), 4, &SystemRandom).unwrap();
    let classic = serde_json::to_value(classic).unwrap().as_str().unwrap().to_owned();
    for whole in [hashed(PASSWORD), hashed(&long), classic] {
        let cuts = (0..whole.len()).map(|end| whole[..end].to_owned());
        let odd = ["\u{e4}", "\u{20ac}", "\u{1f600}", "\0", "\n", " ", "$", "\u{7f}"];
        let changes = (0..whole.len()).flat_map(|at| {
            let change = |odd: &str, width: usize| {
                let rest = whole.get(at + width..).unwrap_or_default();
                format!("{}{odd}{rest}", &whole[..at])
            };
            // In the place of one character, and of as many bytes as it has itself.
            odd.iter()
                .flat_map(move |odd| [change(odd, 1), change(odd, odd.len())])
                .collect::<Vec<_>>()
        });
        for damaged in cuts.chain(changes).filter(|damaged| *damaged != whole) {
            let hash: PasswordHash = serde_json::from_value(damaged.as_str().into()).unwrap();
            for password in [PASSWORD, &long, "", "\0", &damaged] {
                assert!(!hash.verify(&sent(password)), "{damaged:?} {password:?}");
            }
        }
    }
}

/// Texts in the place of a hash with which nobody can log in.
const UNUSABLE: &[&str] = &[
    "",
    "!",
    "*",
    "null",
    "battery staple 2",
    "$2b$04$",
    "$2b$04$\u{e4}79VH.0Q2TMWmt3Oqt9ukucXR.qETX0VDJ8OVniC7PKcq0g6fVhD2",
    "$2b$04$n79VH.0Q2TMWmt3Oqt9uk\u{e4}XR.qETX0VDJ8OVniC7PKcq0g6fVhD2",
    // Costs that would take the process down, or next to nothing.
    "$2b$31$n79VH.0Q2TMWmt3Oqt9ukucXR.qETX0VDJ8OVniC7PKcq0g6fVhD2",
    "$2b$16$n79VH.0Q2TMWmt3Oqt9ukucXR.qETX0VDJ8OVniC7PKcq0g6fVhD2",
    "$2b$03$n79VH.0Q2TMWmt3Oqt9ukucXR.qETX0VDJ8OVniC7PKcq0g6fVhD2",
    "$2b$00$n79VH.0Q2TMWmt3Oqt9ukucXR.qETX0VDJ8OVniC7PKcq0g6fVhD2",
    "$2b$-4$n79VH.0Q2TMWmt3Oqt9ukucXR.qETX0VDJ8OVniC7PKcq0g6fVhD2",
    "$2b$4294967300$n79VH.0Q2TMWmt3Oqt9ukucXR.qETX0VDJ8OVniC7PKcq0g6fVhD2",
    "$bcrypt-sha256$v=2,t=2b,r=31$n79VH.0Q2TMWmt3Oqt9uku$4ekxwCZsN4Xl3GaUV74TX1Z.FSfT7.y",
    "$classic-sha256$v=2,t=2b,r=31$n79VH.0Q2TMWmt3Oqt9uku$4ekxwCZsN4Xl3GaUV74TX1Z.FSfT7.y",
    "$argon2id$v=19$m=4294967295,t=4294967295,p=1$c2FsdHNhbHQ$aGFzaA",
    "$scrypt$ln=62,r=8,p=1$c2FsdHNhbHQ$aGFzaA",
    "pbkdf2_sha256$2147483647$salt$aGFzaA==",
];

fn an_unusable_hash_shuts_out_its_user_alone() {
    for kind in BOTH_WAYS {
        let server = unthrottled(kind);
        for (n, hash) in UNUSABLE.iter().enumerate() {
            plant(&server, &format!("user{n}@example.com"), hash);
        }
        plant(&server, "fine@example.com", &hashed(PASSWORD));
        assert_unusable(&server, kind);
        // From the files, too, where the highest cost of all of them is looked for.
        assert_unusable(&server.restart(START), kind);
    }
}

fn assert_unusable(server: &InProcess, kind: &str) {
    for (n, hash) in UNUSABLE.iter().enumerate() {
        for password in [PASSWORD, hash, "x"].iter().filter(|password| !password.is_empty()) {
            let status = knock(server, kind, &format!("user{n}@example.com"), password);
            assert_eq!(status, refused(kind), "{kind} {hash}");
        }
    }
    assert_eq!(knock(server, kind, "nobody@example.com", PASSWORD), refused(kind));
    assert_eq!(knock(server, kind, "fine@example.com", PASSWORD), 200, "{kind}");
    assert_eq!(knock(server, kind, ADMIN, ADMIN_PASSWORD), 200, "{kind}");
}

fn costs_have_a_ceiling() {
    for (cost, counts) in [(4, true), (10, true), (15, true), (3, false), (16, false), (31, false)]
    {
        let nobody = PasswordHash::of_nobody(cost);
        assert_eq!(nobody.cost(), counts.then_some(cost));
        if !counts {
            assert!(!nobody.verify(&sent(PASSWORD)));
        }
    }
}

fn what_is_too_long_is_not_hashed() {
    let (longest, too_long) = ("x".repeat(256), "x".repeat(257));
    for kind in BOTH_WAYS {
        let server = unthrottled(kind);
        // These are their passwords; the second could only be one if it were hashed.
        plant(&server, "a@example.com", &hashed(&longest));
        plant(&server, "b@example.com", &hashed(&too_long));
        assert_eq!(knock(&server, kind, "a@example.com", &longest), 200, "{kind}");
        assert_eq!(knock(&server, kind, "b@example.com", &too_long), refused(kind), "{kind}");
    }
    let server = unthrottled("session_db_auth");
    let (admin, bob) = (server.admin(), Person::new(&server, "bob"));
    let huge = "x".repeat(70_000);
    for (password, status) in [(too_long.as_str(), 400), (&"x".repeat(60_000), 400), (&huge, 413)] {
        let new = json!({ "email": "c@example.com", "password": password });
        assert_eq!(server.post(USERS).session(&admin).json(&new).send().status, status);
        let change = json!({ "current_password": ADMIN_PASSWORD, "new_password": password });
        assert_eq!(server.put(MY_PASSWORD).session(&admin).json(&change).send().status, status);
        let set = server.put(&bob.path("/password")).session(&admin).json(&change);
        assert_eq!(set.send().status, status);
    }
    let login = server.login(&[("email", ADMIN), ("password", &huge)]);
    assert_eq!(login.send().status, 413);
    // What grows most when it is normalized: nothing is, so it is taken as it is.
    for password in ["\u{fdfa}".repeat(85), "\u{130}".repeat(128), "\u{1f82}\u{345}".repeat(51)] {
        let email = format!("u{}@example.com", password.chars().count());
        let new = json!({ "email": email, "password": password });
        assert_eq!(server.post(USERS).session(&admin).json(&new).send().status, 201);
        server.log_in(&email, &password);
    }
}

fn a_flood_of_logins_is_turned_away() {
    for kind in BOTH_WAYS {
        let program = Program::of(kind).unset("UNSAFE_FAST_HASH").set("BCRYPT_COST", "12");
        let program = program.set("LOGIN_THROTTLE", "off").set("WORKERS", "1");
        let server = program.set("HASH_LANES", "1").set("HASH_QUEUE", "1").start();
        let attempts: Vec<Connection> = (0..12)
            .map(|n| {
                let email = format!("{n}@example.com");
                if kind == "basic_auth" {
                    server.get(ME).basic(&email, PASSWORD).start()
                } else {
                    server.login(&[("email", &email), ("password", PASSWORD)]).start()
                }
            })
            .collect();
        // Whoever needs no hash is answered meanwhile.
        server.get("/api/v1/status").send().assert_is(200, r#"{"status":"OK"}"#);
        let statuses: Vec<u16> = attempts.into_iter().map(|a| a.finish().status).collect();
        let count = |status| statuses.iter().filter(|found| **found == status).count();
        assert!(count(503) > 0 && count(refused(kind)) > 0, "{kind}: {statuses:?}");
        assert_eq!(count(503) + count(refused(kind)), 12, "{kind}: {statuses:?}");
        assert_eq!(knock(&server, kind, ADMIN, ADMIN_PASSWORD), 200, "{kind}");
    }
}

fn a_password_is_changed_with_the_current_one() {
    let server = unthrottled("session_db_auth");
    let (bob, ann) = (Person::new(&server, "bob"), Person::new(&server, "ann"));
    let admin = Person::admin(&server);
    let new = "yet another 3";
    for (by, whom) in [(&bob, "me"), (&bob, bob.id.as_str()), (&admin, "me"), (&admin, &admin.id)] {
        let put = |body: Value| {
            server.put(&format!("{USERS}/{whom}/password")).session(&by.session).json(&body).send()
        };
        for body in [
            json!({}),
            json!({ "new_password": new }),
            json!({ "new_password": new, "must_change": false }),
        ] {
            put(body).assert_error(400, "current_password missing");
        }
        for missing in [json!(null), json!("")] {
            put(json!({ "current_password": missing, "new_password": new }))
                .assert_error(400, "current_password missing");
        }
        for odd in [json!(true), json!(0), json!([PASSWORD]), json!({ "$ne": "" })] {
            put(json!({ "current_password": odd, "new_password": new }))
                .assert_error(400, "current_password must be a string");
        }
        for wrong in [WRONG, &PASSWORD[1..], &ADMIN_PASSWORD[1..], " ", "\0"] {
            put(json!({ "current_password": wrong, "new_password": new }))
                .assert_error(403, "wrong password");
        }
        let twice = format!(
            r#"{{"current_password":"x","current_password":"{PASSWORD}","new_password":"{new}"}}"#
        );
        let twice = server.put(MY_PASSWORD).session(&by.session).body("application/json", twice);
        twice.send().assert_error(400, "Wrong format");
    }
    // No other route sets it, and nobody sets another's.
    let body = json!({
        "password": new, "new_password": new, "current_password": PASSWORD,
        "password_hash": hashed(new),
    });
    assert_eq!(server.put(&bob.path("")).session(&bob.session).json(&body).send().status, 200);
    let anns = server.put(&ann.path("/password")).session(&bob.session).json(&body);
    anns.send().assert_error(403, "Forbidden");
    for person in [&bob, &ann] {
        server.log_in(&person.email, PASSWORD);
        assert_eq!(knock(&server, "", &person.email, new), 401);
    }
    server.admin();
}

/// Tells how long the hashing lane has computed: noted when it is about to hash a new password.
#[derive(Default)]
struct Gauge(AtomicU64);

impl Random for Gauge {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        if std::thread::current().name().is_some_and(|name| name.starts_with("hash")) {
            // Nanoseconds on a core, whatever else the machine does.
            let spent = fs::read_to_string("/proc/thread-self/schedstat")?;
            let spent = spent.split(' ').next().and_then(|spent| spent.parse().ok());
            self.0.store(spent.unwrap_or_default(), Ordering::SeqCst);
        }
        SystemRandom.fill(bytes)
    }
}

impl Gauge {
    /// The work that the lane of this hasher does for these attempts.
    fn work(&self, hasher: &Hasher, attempts: impl Fn()) -> u64 {
        let spent = || {
            block_on(hasher.hash(sent(PASSWORD))).unwrap();
            self.0.load(Ordering::SeqCst)
        };
        let before = spent();
        attempts();
        spent() - before
    }
}

#[track_caller]
fn assert_alike(works: &[(&str, u64)]) {
    let (_, reference) = works[0];
    for (what, work) in works {
        assert!(*work > reference / 2 && *work < reference * 2, "{what}: {works:?}");
    }
}

fn every_refusal_is_the_same_work() {
    for kind in BOTH_WAYS {
        let gauge = Arc::new(Gauge::default());
        let world = World { random: gauge.clone(), ..World::default() };
        let server = InProcess::in_world(&["--auth-type", kind, "--login-throttle", "off"], world);
        plant(&server, "known@example.com", &hashed(PASSWORD));
        plant(&server, "long@example.com", &hashed(&"x".repeat(100)));
        plant(&server, "without@example.com", "!");
        plant(&server, "disabled@example.com", &hashed(PASSWORD));
        let users = &server.service.accounts().users;
        let disabled = block_on(users.search("disabled@example.com")).unwrap().unwrap();
        let lock = UserPatch { disabled: Some(true), ..UserPatch::default() };
        block_on(server.service.accounts().update(disabled.id, lock)).unwrap();
        let works = [
            ("a wrong password", "known@example.com", WRONG),
            ("nobody", "nobody@example.com", PASSWORD),
            ("no address", "no address", PASSWORD),
            ("a disabled user", "disabled@example.com", WRONG),
            ("a disabled user with his password", "disabled@example.com", PASSWORD),
            ("a user without a password", "without@example.com", PASSWORD),
            ("one whose password is long", "long@example.com", PASSWORD),
            ("a long password", "known@example.com", &"y".repeat(200)),
            ("nobody and a long password", "nobody@example.com", &"y".repeat(200)),
        ];
        let works = works.map(|(what, email, password)| {
            let attempts = || {
                for _ in 0..8 {
                    assert_eq!(
                        knock(&server, kind, email, password),
                        refused(kind),
                        "{kind} {what}"
                    );
                }
            };
            (what, gauge.work(&server.service.accounts().hasher, attempts))
        });
        assert_alike(&works);
    }
}

fn hashes_of_other_costs_are_the_same_work() {
    let gauge = Arc::new(Gauge::default());
    let random = Arc::clone(&gauge) as Arc<dyn Random>;
    // Cost 6 is in force, and there are hashes of up to 8.
    let hasher =
        Hasher::new(Lanes::start(1, 8, Arc::new(SystemClock::new())).unwrap(), 6, 8, random);
    let of_cost = |cost| Some(PasswordHash::new(&sent(PASSWORD), cost, &SystemRandom).unwrap());
    let works = [
        ("the highest", of_cost(8)),
        ("that in force", of_cost(6)),
        ("the lowest", of_cost(4)),
        ("nobody's", None),
        ("none", serde_json::from_value("!".into()).ok()),
    ];
    let works = works.map(|(what, stored)| {
        let attempts = || {
            for _ in 0..4 {
                let verify = hasher.verify(stored.clone(), sent(WRONG), true);
                assert!(!block_on(verify).unwrap().right, "{what}");
            }
        };
        (what, gauge.work(&hasher, attempts))
    });
    assert_alike(&works);
}

fn hashes_of_other_programs_are_the_same_work() {
    let foreign = [
        "$argon2id$v=19$m=8192,t=2,p=1$qLNTo43m27os3BuDF31cmA$AneQMk3Ev7iRICJST+7omthHLOesyIYjc/ra932D6Qk",
        "$scrypt$ln=12,r=8,p=1$AACA8L4XYkzJGWOslfJe6w$jRKCGNLLXiyY0yM1rWIf5Wb5wjUMo6mrOlwB9ziQ1m4",
        "pbkdf2_sha256$1000$12mcdU0X34VmwYXsTbqlxL$xhPg3cWTOvNj0PXMXRauf548CoafCUiBWS5UdRGu8pY=",
        "pbkdf2_sha256$100$12mcdU0X34VmwYXsTbqlxL$xhPg3cWTOvNj0PXMXRauf548CoafCUiBWS5UdRGu8pY=",
    ];
    let foreign = foreign.map(|text| PasswordHash::read(text).unwrap());
    let gauge = Arc::new(Gauge::default());
    let random = Arc::clone(&gauge) as Arc<dyn Random>;
    let hasher =
        Hasher::new(Lanes::start(1, 8, Arc::new(SystemClock::new())).unwrap(), 6, 6, random)
            .beside(foreign.iter().filter_map(PasswordHash::work));
    let ours = PasswordHash::new(&sent(PASSWORD), 6, &SystemRandom).unwrap();
    let nobodys = [Some(ours.clone()), None, serde_json::from_value("!".into()).ok()];
    let mut attempts = Vec::from(foreign.map(Some));
    attempts.extend(nobodys);
    let mut works: Vec<(&str, u64)> = attempts
        .into_iter()
        .map(|stored| {
            let wrong = || {
                for _ in 0..4 {
                    let verify = hasher.verify(stored.clone(), sent(WRONG), true);
                    assert!(!block_on(verify).unwrap().right);
                }
            };
            ("wrong", gauge.work(&hasher, wrong))
        })
        .collect();
    // And a right one that does not let its owner in, since he is disabled.
    let disabled = || {
        for _ in 0..4 {
            let verify = hasher.verify(Some(ours.clone()), sent(PASSWORD), false);
            assert!(block_on(verify).unwrap().renewed.is_none());
        }
    };
    works.push(("disabled", gauge.work(&hasher, disabled)));
    assert_alike(&works);
}

/// Everything of an answer that could tell two of them apart.
fn visible(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let mut headers = answer.headers.clone();
    headers.retain(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"));
    headers.sort();
    (answer.status, headers, answer.body.clone())
}

fn no_answer_tells_who_exists() {
    for kind in BOTH_WAYS {
        let server = unthrottled(kind);
        plant(&server, "without@example.com", "!");
        plant(&server, "disabled@example.com", &hashed(PASSWORD));
        let users = &server.service.accounts().users;
        let disabled = block_on(users.search("disabled@example.com")).unwrap().unwrap();
        let lock = UserPatch { disabled: Some(true), ..UserPatch::default() };
        block_on(server.service.accounts().update(disabled.id, lock)).unwrap();
        let long = "x".repeat(300);
        let ask =
            |email: &str, password: &str| visible(&attempt(&server, kind, email, password).send());
        let nobody = ask("nobody@example.com", PASSWORD);
        assert_eq!(nobody.0, refused(kind));
        for (email, password) in [
            (ADMIN, PASSWORD),
            (ADMIN, &long),
            ("nobody@example.com", &long),
            ("disabled@example.com", PASSWORD),
            ("disabled@example.com", WRONG),
            ("without@example.com", "!"),
            ("no address", PASSWORD),
            ("' or 1=1 --", PASSWORD),
        ] {
            assert_eq!(ask(email, password), nobody, "{kind} {email} {password}");
        }
    }
    // Nor do the routes that name users, to one who is no admin.
    let server = unthrottled("session_db_auth");
    let (bob, ann) = (Person::new(&server, "bob"), Person::new(&server, "ann"));
    for route in protected_routes().iter().filter(|route| route.path.contains("{id}")) {
        let asked = [&ann.id, NOBODY, "nobody", "0", &ann.id.to_uppercase(), &ann.email];
        let answers = asked.map(|id| {
            let body = json!({ "current_password": PASSWORD, "new_password": "yet another 3" });
            visible(&route.of(&server, id, NOBODY).session(&bob.session).json(&body).send())
        });
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{route:?}: {answers:?}");
        assert_eq!(answers[0].0, 403, "{route:?}");
    }
}

fn an_address_is_the_only_name() {
    let server = unthrottled("session_db_auth");
    let (admin, bob) = (server.admin(), Person::new(&server, "bob"));
    let make = |email: &str| {
        let new = json!({ "email": email, "password": PASSWORD });
        server.post(USERS).session(&admin).json(&new).send()
    };
    for taken in ["bob@example.com", "BOB@example.com", "Bob@EXAMPLE.com", "bOB@example.COM"] {
        make(taken).assert_error(409, "Can't create User: email is already taken");
    }
    // What bob calls himself makes nobody of him, and shuts nobody out.
    let body = json!({
        "email": ADMIN, "first_name": ADMIN, "last_name": ADMIN, "username": ADMIN, "login": ADMIN,
    });
    let changed = server.put(&bob.path("")).session(&bob.session).json(&body).send();
    assert_eq!((changed.status, &changed.json()["email"]), (200, &json!(bob.email)));
    assert_eq!(knock(&server, "", ADMIN, PASSWORD), 401);
    assert_eq!(knock(&server, "", ADMIN, ADMIN_PASSWORD), 200);
    assert_eq!(knock(&server, "", &bob.id, PASSWORD), 401, "an id is no name either");
}

fn nobody_has_no_password() {
    let passwords =
        ["", "\0", " ", "O", &"O".repeat(31), "null", PASSWORD, ADMIN_PASSWORD, &"x".repeat(80)];
    for password in passwords {
        assert!(!PasswordHash::of_nobody(4).verify(&sent(password)), "{password:?}");
    }
    let names = [
        "nobody@example.com",
        "",
        "null",
        "undefined",
        "*",
        "%",
        "\0",
        "admin",
        " ",
        "admin@example.com\0",
    ];
    for kind in BOTH_WAYS {
        let server = unthrottled(kind);
        for name in names {
            for password in passwords {
                let status = knock(&server, kind, name, password);
                assert!(
                    matches!(status, 400 | 401 | 403),
                    "{kind} {name:?} {password:?}: {status}"
                );
            }
        }
    }
    let basic = unthrottled("basic_auth");
    for authorization in [
        "Basic",
        "Basic ",
        "Basic Og==",
        "Basic Ojo=",
        "Basic AA==",
        "Basic =",
        "Basic null",
        "basic",
        "",
    ] {
        let answer = basic.get(ME).header("Authorization", authorization).send();
        answer.assert_error(403, "Forbidden");
    }
}

fn an_empty_password_is_none() {
    for kind in BOTH_WAYS {
        let server = unthrottled(kind);
        // Nobody can choose it; what another program has stored might be it.
        plant(&server, "empty@example.com", &hashed(""));
        plant(&server, "classic@example.com", &classic(""));
        for email in [ADMIN, "empty@example.com", "classic@example.com", "nobody@example.com"] {
            let status = knock(&server, kind, email, "");
            assert_eq!(status, if kind == "basic_auth" { 403 } else { 400 }, "{kind} {email}");
        }
    }
    let server = unthrottled("session_db_auth");
    plant(&server, "empty@example.com", &hashed(""));
    let post = |body: Value| server.post(LOGIN).json(&body).send();
    for missing in [json!({}), json!({ "password": null }), json!({ "password": "" })] {
        let mut body = missing.clone();
        body["email"] = "empty@example.com".into();
        post(body).assert_error(400, "password missing");
    }
    for odd in [
        json!(false),
        json!(true),
        json!(0),
        json!([]),
        json!({}),
        json!([""]),
        json!(["correct horse 1"]),
    ] {
        post(json!({ "email": ADMIN, "password": odd }))
            .assert_error(400, "password must be a string");
    }
}

/// What is stored of a user whom the classic program knew with this password.
fn classic(password: &str) -> String {
    let sha256 = hex(&Sha256::digest(password));
    let hash = PasswordHash::from_classic(&sha256, 4, &SystemRandom).unwrap();
    serde_json::to_value(hash).unwrap().as_str().unwrap().to_owned()
}

fn a_blank_token_is_nobodys() {
    for kind in SESSION_KINDS {
        let server = unthrottled(kind);
        server.admin();
        for blank in ["", " ", "\t", "\"\"", "null", "undefined", "0", "%00", "="] {
            for (method, path) in [("GET", ME), ("POST", REFRESH), ("DELETE", LOGOUT)] {
                for request in [
                    server.request(method, path).session(blank),
                    server.request(method, path).bearer(blank),
                    server.request(method, path).header("Authorization", blank),
                    server.request(method, path).session(blank).bearer(blank),
                ] {
                    request.send().assert_error(403, "Forbidden");
                }
            }
        }
    }
}

fn the_purge_removes_what_has_expired_and_nothing_else() {
    for kind in ["session_exp_auth", "session_db_auth"] {
        let flags =
            ["--auth-type", kind, "--session-duration", "100", "--session-idle-timeout", "10"];
        let server = InProcess::with(&flags);
        let (second, moment) = (Duration::from_secs(1), Duration::from_millis(1));
        let purged = || {
            server.sweep();
            block_on(server.service.session_count()).unwrap()
        };
        let remembered = [("email", ADMIN), ("password", ADMIN_PASSWORD), ("remember", "1")];
        let month = server.login(&remembered).send().session_id().unwrap();
        let (unused, used) = (server.admin(), server.admin());
        server.advance(9 * second);
        assert_eq!((status(&server, &used), purged()), (200, 3), "{kind}");
        server.advance(second);
        assert_eq!(purged(), 2, "{kind}");
        assert_eq!([&unused, &used].map(|id| status(&server, id)), [403, 200], "{kind}");
        server.advance(10 * second);
        assert_eq!(purged(), 1, "{kind}");
        assert_eq!([&used, &month].map(|id| status(&server, id)), [403, 200], "{kind}");
        server.advance(Duration::from_hours(14 * 24).checked_sub(moment).unwrap());
        assert_eq!(purged(), 1, "{kind}");
        server.advance(moment);
        assert_eq!(purged(), 0, "{kind}");
    }
}

fn the_end_is_looked_at_when_it_is_used() {
    for kind in ["session_exp_auth", "session_db_auth"] {
        for (limit, other) in [
            ("--session-duration", "--session-idle-timeout"),
            ("--session-idle-timeout", "--session-duration"),
        ] {
            let server = InProcess::with(&["--auth-type", kind, limit, "10", other, "0"]);
            let ids = [server.admin(), server.admin()];
            server.advance(Duration::from_millis(9_999));
            assert_eq!(status(&server, &ids[0]), 200, "{kind} {limit}");
            server.advance(Duration::from_millis(if limit.ends_with("duration") {
                1
            } else {
                10_000
            }));
            for id in &ids {
                for request in [server.get(ME), server.post(REFRESH), server.delete(LOGOUT)] {
                    request.session(id).send().assert_error(403, "Forbidden");
                }
                server.get(ME).bearer(id).send().assert_error(403, "Forbidden");
            }
            // Nothing has been swept away: it is the time that counts.
            assert_eq!(block_on(server.service.session_count()).unwrap(), 2, "{kind} {limit}");
        }
    }
}

fn ids_have_nothing_of_the_time_in_them() {
    // The clock of this server stands still.
    let server = InProcess::with(&["--sessions-per-user", "10000"]);
    let ids: Vec<String> = (0..200).map(|_| server.admin()).collect();
    let bytes: Vec<Vec<u8>> = ids.iter().map(|id| URL_SAFE_NO_PAD.decode(id).unwrap()).collect();
    assert!(bytes.iter().all(|bytes| bytes.len() == 32));
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 200);
    for bit in 0..256 {
        let ones = bytes.iter().filter(|bytes| bytes[bit / 8] >> (bit % 8) & 1 == 1).count();
        // Out of these bounds once in 10^17 runs.
        assert!((36..=164).contains(&ones), "bit {bit} is set in {ones} of 200");
    }
    // Nor have those of users and sessions, which nobody need guess.
    let public = server.get("/api/v1/auth_session").session(&ids[0]).send().json();
    for id in [&public["id"], &public["user"]["id"]] {
        let id = uuid::Uuid::parse_str(id.as_str().unwrap()).unwrap();
        assert_eq!(id.get_version_num(), 4);
    }
}

/// Randomness that a test has chosen.
struct Chosen([u8; 32]);

impl Random for Chosen {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        bytes.copy_from_slice(&self.0[..bytes.len()]);
        Ok(())
    }
}

fn every_random_bit_is_in_the_id() {
    let mut ids = BTreeSet::new();
    for bit in 0..256 {
        let mut bytes = [0; 32];
        bytes[bit / 8] = 1 << (bit % 8);
        let id = SessionId::generate(&Chosen(bytes)).unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(id.reveal()).unwrap(), bytes);
        ids.insert(id.reveal().to_owned());
    }
    assert_eq!(ids.len(), 256);
    // Sixty-four characters, each as likely as any other.
    let all: BTreeSet<char> = (0..=255)
        .flat_map(|byte| {
            SessionId::generate(&Chosen([byte; 32])).unwrap().reveal().chars().collect::<Vec<_>>()
        })
        .collect();
    assert_eq!(all.len(), 64);
}

fn without_randomness_there_is_no_id() {
    let fault = Fault::default();
    let server = fault.of_randomness();
    let session = server.admin();
    let count = || block_on(server.service.session_count()).unwrap();
    let new = json!({ "email": "bob@example.com", "password": PASSWORD });
    let requests = || {
        [
            server.login(&ADMINS_LOGIN),
            server.post(REFRESH).session(&session),
            server.post(REAUTH).session(&session).json(&json!({ "password": ADMIN_PASSWORD })),
            server.post(USERS).session(&session).json(&new),
        ]
    };
    for (n, draws) in [2, 1, 1, 2].into_iter().enumerate() {
        for draw in 1..=draws {
            let before = count();
            fault.arm(draw);
            let answer = requests().into_iter().nth(n).unwrap().send();
            assert!(fault.disarm(), "request {n} draws less than {draw} times");
            answer.assert_error(503, "Service unavailable");
            assert_eq!((answer.header("set-cookie"), count()), (None, before));
            assert_eq!(status(&server, &session), 200);
        }
    }
    let stats = server.get("/api/v1/stats").session(&session).send();
    stats.assert_is(200, r#"{"users":1}"#);
    // And with it everything goes on.
    let statuses = requests().map(|request| request.send().status);
    assert_eq!(statuses[..2], [200, 200]);
}

fn secrets_are_not_compared_in_clear() {
    // Nobody can write `==` between what is secret: these types have none.
    for (file, secret) in [
        ("models/token.rs", "pub struct SessionId("),
        ("models/password.rs", "pub struct Password("),
    ] {
        let (_, text) = files::sources().into_iter().find(|(name, _)| name == file).unwrap();
        let (before, _) = text.split_once(secret).unwrap();
        let attributes = before.lines().rev().take_while(|line| !line.is_empty());
        assert!(attributes.into_iter().all(|line| line.starts_with("///")), "{secret}");
        let name = secret.trim_start_matches("pub struct ").trim_end_matches('(');
        assert!(!text.contains(&format!("PartialEq for {name} ")), "{secret}");
    }
    // A password is compared by bcrypt, which takes its time for every byte.
    let (_, text) =
        files::sources().into_iter().find(|(name, _)| name == "models/password/bcrypt.rs").unwrap();
    assert!(text.contains("bcrypt::non_truncating_verify("));
    assert!(files::crates().iter().any(|name| name == "subtle"));
}

fn every_spelling_shares_one_budget() {
    for kind in BOTH_WAYS {
        for (email, right) in [(ADMIN, Some(ADMIN_PASSWORD)), ("nobody@example.com", None)] {
            let server = behind_a_proxy(kind);
            let (upper, title) =
                (email.to_uppercase(), format!("{}{}", email[..1].to_uppercase(), &email[1..]));
            let host = email.replace("example", "eXamplE");
            let spellings = [email, &upper, &title, &host];
            let mut next = spellings.iter().cycle();
            assert_eq!(
                mistakes(|| attempt(&server, kind, next.next().unwrap(), WRONG)),
                12,
                "{kind}"
            );
            for spelling in spellings {
                let password = right.unwrap_or(WRONG);
                assert_eq!(
                    attempt(&server, kind, spelling, password).send().status,
                    429,
                    "{kind} {spelling}"
                );
            }
        }
    }
}

fn guesses_side_by_side_are_counted() {
    for kind in BOTH_WAYS {
        let server = behind_a_proxy(kind);
        let guesses: Vec<Connection> = (0..50)
            .map(|n| attempt(&server, kind, ADMIN, &format!("{WRONG}{n}")).start())
            .collect();
        let answers: Vec<u16> = guesses.into_iter().map(|guess| guess.finish().status).collect();
        let examined = answers.iter().filter(|status| **status != 429).count();
        assert_eq!(examined, 12, "{kind}: {answers:?}");
    }
}

fn every_pathway_is_stopped() {
    // Each of them as the service knows them: one that is new is among them.
    let server = behind_a_proxy("session_db_auth");
    let try_by = |pathway: &Pathway, password: &str| {
        let attempt = Attempt { pathway: *pathway, trace: Trace::default(), session: None };
        block_on(server.service.accounts().log_in(ADMIN, sent(password), &attempt))
    };
    let pathways = Pathway::ALL.iter().cycle();
    let refused = pathways.take(30).take_while(|pathway| try_by(pathway, WRONG).is_ok()).count();
    assert_eq!(refused, 12);
    for pathway in Pathway::ALL {
        let stopped = try_by(pathway, ADMIN_PASSWORD);
        assert!(matches!(stopped, Err(Error::TooManyAttempts(_))), "{pathway:?}");
    }
    // And each route on which a password is a proof.
    let server = behind_a_proxy("session_db_auth");
    let bob = Person::new(&server, "bob");
    let admin = Person::admin(&server);
    server.advance(Duration::from_mins(16));
    let proof = |password: &str| {
        json!({ "password": password, "current_password": password, "new_password": "another 4",
                "role": "admin" })
    };
    let routes = [
        ("POST", LOGIN.to_owned()),
        ("POST", REAUTH.to_owned()),
        ("PUT", MY_PASSWORD.to_owned()),
        ("PUT", bob.path("/password")),
        ("PUT", bob.path("")),
        ("DELETE", bob.path("")),
        ("DELETE", bob.path("/sessions")),
        ("DELETE", "/api/v1/sessions".to_owned()),
    ];
    let ask = |(method, path): &(&str, String), password: &str| {
        let mut body = proof(password);
        body["email"] = ADMIN.into();
        server.request(method, path).session(&admin.session).json(&body)
    };
    let mut next = routes.iter().cycle();
    assert_eq!(mistakes(|| ask(next.next().unwrap(), WRONG)), 12);
    for route in &routes {
        assert_eq!(ask(route, ADMIN_PASSWORD).send().status, 429, "{route:?}");
    }
    assert_eq!([&admin, &bob].map(|who| status(&server, &who.session)), [200, 200]);
    server.log_in(&bob.email, PASSWORD);
}

fn the_limit_holds() {
    for kind in BOTH_WAYS {
        let server = behind_a_proxy(kind);
        let other =
            |email: &str, password: &str| attempt(&server, kind, email, password).send().status;
        let mut count = 0;
        let next = || {
            // What goes wrong or right meanwhile is another matter.
            count += 1;
            server.post(LOGIN).json(&json!({ "email": ADMIN })).send();
            server.post(LOGIN).body("application/json", "{").send();
            server.get(ME).header("Authorization", "Basic x").send();
            server.get("/api/v1/status").send();
            let from_home = attempt(&server, kind, "x@example.com", WRONG);
            from_home.header("X-Forwarded-For", HOME).send();
            attempt(&server, kind, ADMIN, &format!("{WRONG}{count}"))
        };
        assert_eq!(mistakes(next), 12, "{kind}");
        assert_eq!(
            (other(ADMIN, ADMIN_PASSWORD), other("x@example.com", WRONG)),
            (429, refused(kind))
        );
    }
    // Nor does an attempt that fails for want of a service buy another one.
    let fault = Fault::default();
    let server = fault.of_randomness();
    plant(&server, "old@example.com", &classic(PASSWORD));
    let wrong = || attempt(&server, "", "old@example.com", WRONG);
    for _ in 0..11 {
        assert_eq!(wrong().send().status, 401);
        fault.arm(1);
        let unserved = attempt(&server, "", "old@example.com", PASSWORD).send().status;
        assert!(fault.disarm() && unserved == 503, "{unserved}");
    }
    assert_eq!(mistakes(wrong), 1);
}

fn a_restart_begins_anew() {
    let told = files::section("docs/CONTROLS.md", "Guessing");
    assert!(
        told.contains("All of this is kept in memory") && told.contains("A restart begins anew.")
    );
    let server = behind_a_proxy("session_db_auth");
    let wrong = |server: &InProcess| attempt(server, "", ADMIN, WRONG);
    assert_eq!(mistakes(|| wrong(&server)), 12);
    server.advance(Duration::from_secs(1));
    assert_eq!(wrong(&server).send().status, 429);
    let server = server.restart(START);
    assert_eq!(mistakes(|| wrong(&server)), 12);
}

fn networks_are_bits() {
    let server = behind_a_proxy("session_db_auth");
    let from =
        |address: &str| attempt(&server, "", ADMIN, WRONG).header("X-Forwarded-For", address);
    // All hosts of a customer, in every spelling.
    let mut hosts = (0..).map(|n| match n % 4 {
        0 => format!("2001:db8:0:1::{n:x}"),
        1 => format!("2001:0DB8:0000:0001:{n:x}::"),
        2 => format!("[2001:db8:0:1:0:0:0:{n:x}]:{}", 1000 + n),
        _ => format!("2001:db8:0:1:ffff:ffff:ffff:{n:x}"),
    });
    assert_eq!(mistakes(|| from(&hosts.next().unwrap())), 12);
    assert_eq!(from("2001:db8:0:2::1").send().status, 401, "the next customer");
    // An IPv4 address, whatever it is mapped to.
    let mut same = [
        "192.0.2.9",
        "::ffff:192.0.2.9",
        "::FFFF:c000:209",
        "192.0.2.9:80",
        "[::ffff:c000:0209]:1",
    ]
    .iter()
    .cycle();
    assert_eq!(mistakes(|| from(same.next().unwrap())), 12);
    assert_eq!(from("192.0.2.10").send().status, 401, "another");
}

fn strangers_do_not_block_the_owner() {
    for kind in BOTH_WAYS {
        let server = behind_a_proxy(kind);
        let own = |password: &str| {
            // Another spelling than Basic has remembered.
            let email = ADMIN.to_uppercase();
            attempt(&server, kind, &email, password).header("X-Forwarded-For", HOME).send().status
        };
        assert_eq!(own(ADMIN_PASSWORD), 200, "{kind}");
        server.advance(Duration::from_mins(2));
        let mut strangers = addresses();
        let next = || {
            attempt(&server, kind, ADMIN, WRONG)
                .header("X-Forwarded-For", &strangers.next().unwrap())
        };
        assert_eq!(mistakes(next), 48, "{kind}");
        assert_eq!([own(WRONG), own(ADMIN_PASSWORD)], [refused(kind), 200], "{kind}");
    }
}

fn the_limit_holds_again() {
    for kind in BOTH_WAYS {
        let server = behind_a_proxy(kind);
        let wrong = || attempt(&server, kind, ADMIN, WRONG);
        assert_eq!(mistakes(wrong), 12, "{kind}");
        for _ in 0..3 {
            server.advance(wait_of(&wrong().send()));
            assert_eq!(mistakes(wrong), 1, "{kind}");
        }
        server.advance(Duration::from_mins(1));
        assert_eq!(mistakes(wrong), 12, "{kind}");
        // In the end a day has only so many; the right password begins anew.
        for _ in 0..3 {
            server.advance(Duration::from_mins(1));
            mistakes(wrong);
        }
        server.advance(Duration::from_mins(1));
        assert_eq!(wrong().send().status, 429, "{kind}");
        server.advance(wait_of(&wrong().send()));
        assert_eq!(attempt(&server, kind, ADMIN, ADMIN_PASSWORD).send().status, 200, "{kind}");
        server.advance(Duration::from_mins(1));
        assert_eq!(mistakes(wrong), 12, "{kind}");
    }
}
