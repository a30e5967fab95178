//! Authentication.

use std::time::Duration;

use serde_json::{Value, json};
use sessiond::auth::accounts::Pathway;
use sessiond::models::{Blocklist, PasswordRules};

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Client, InProcess, PASSWORD, Program, SESSION_KINDS, Server,
};
use crate::pages;
use crate::registry::{Chapter, requirement};
use crate::{files, settings};

pub const CHAPTER: Chapter = Chapter {
    title: "V6 Authentication",
    rows: &[
        requirement(
            "6.1.1",
            1,
            "Document throttling, its settings, and how malicious lock-out is avoided",
        )
        .documented(
            "docs/CONTROLS.md#guessing",
            &[("the numbers are those of the program", throttle_is_documented)],
        ),
        requirement("6.1.2", 2, "Document context words").documented(
            "docs/CONTROLS.md#passwords",
            &[("each kind of word that is named is refused", context_words_are_documented)],
        ),
        requirement("6.1.3", 2, "Document all login pathways and their common controls")
            .documented(
                "docs/CONTROLS.md#passwords",
                &[(
                    "the pathways are those of the source, and all end in one function",
                    pathways_are_documented,
                )],
            ),
        requirement("6.2.1", 1, ">= 8 characters (code points)")
            .tested(&[("seven characters are refused and eight taken", eight_characters)]),
        requirement("6.2.2", 1, "Users can change the password")
            .tested(&[("a user gives himself another password", users_change_passwords)]),
        requirement("6.2.3", 1, "Change needs current and new").tested(&[(
            "both passwords are needed, and the current one right",
            both_passwords_are_needed,
        )]),
        requirement("6.2.4", 1, "Refuse the top 3000")
            .tested(&[("common passwords are refused on each way to set one", common_passwords)]),
        requirement("6.2.5", 1, "No composition rules")
            .tested(&[("any composition of characters is taken", any_composition)]),
        requirement("6.2.6", 1, "Password fields hide what is typed").tested(&[(
            "they do, unless somebody asks to see it",
            pages::passwords_are_hidden_as_they_are_typed,
        )]),
        requirement("6.2.7", 1, "Pasting and password managers are allowed").tested(&[(
            "the fields say what they are for, and hinder nothing",
            pages::password_managers_fill_them_in,
        )]),
        requirement("6.2.8", 1, "Verify exactly what was sent")
            .tested(&[("every byte counts, on every pathway", every_byte_counts)]),
        requirement("6.2.9", 2, ">= 64 characters allowed").tested(&[(
            "64 characters of any alphabet are taken, up to 256 bytes",
            long_passwords,
        )]),
        requirement("6.2.10", 2, "No forced rotation")
            .tested(&[("a password is good after ten years", no_rotation)]),
        requirement("6.2.11", 2, "Context words refused")
            .tested(&[("context words are refused on each way to set a password", context_words)]),
        requirement("6.2.12", 2, "Breached passwords refused").tested(&[
            ("samples of breaches are refused", common_passwords),
            ("the operator's list is refused, and nothing else by chance", listed_passwords),
        ]),
        requirement("6.3.1", 1, "Throttling works as documented").tested(&[
            ("guessing is turned away after the documented number", guessing_is_throttled),
            ("who owns an account gets in while others guess", owners_get_in),
        ]),
        requirement("6.3.2", 1, "No default accounts")
            .tested(&[("a new service knows nobody", nobody_is_there_by_default)]),
        requirement("6.3.3", 2, "Multi-factor (L3: hardware)").open("a second factor; planned"),
        requirement("6.3.4", 2, "No undocumented pathway, equal strength").tested(&[
            ("all pathways share one budget", pathways_share_the_throttle),
            ("a disabled user gets in on none", disabled_users_get_in_nowhere),
        ]),
        requirement("6.3.5", 3, "Tell users of suspicious attempts")
            .open("no mail is sent; attempts stand in the security log"),
        requirement("6.3.6", 3, "E-mail is not a factor")
            .not_applicable("no e-mail is sent, so it is no factor"),
        requirement("6.3.7", 3, "Tell users of credential changes")
            .open("no mail is sent; changes of passwords stand in the security log"),
        requirement("6.3.8", 3, "Unknown users cannot be told apart").tested(&[(
            "every refused login is answered alike, byte for byte",
            refusals_are_alike,
        )]),
        requirement("6.4.1", 1, "Initial secrets random, short-lived, not permanent").tested(&[
            ("the service makes up no secrets of its own", nobody_is_there_by_default),
            ("a password that an admin sets must be changed", set_passwords_must_be_changed),
        ]),
        requirement("6.4.2", 1, "No hints or secret questions")
            .tested(&[("no record has room for a hint", no_hints)]),
        requirement("6.4.3", 2, "Safe reset").not_applicable(
            "there is no reset by the user: an admin sets a password that must be changed (6.4.1)",
        ),
        requirement("6.4.4", 2, "Lost factor needs equal proof")
            .not_applicable("no second factor to lose"),
        requirement("6.4.5", 3, "Renewal reminders").not_applicable("no credential expires"),
        requirement("6.4.6", 3, "Admin starts a reset but does not choose the password").open(
            "an admin sets a password that its owner must change; an invitation would need mail",
        ),
        requirement("6.5.1", 2, "One-time codes work once").open("no second factor"),
        requirement("6.5.2", 2, "Recovery codes stored hashed").open("no second factor"),
        requirement("6.5.3", 2, "Codes and seeds from the CSPRNG").open("no second factor"),
        requirement("6.5.4", 2, ">= 20 bits per code").open("no second factor"),
        requirement("6.5.5", 2, "Code lifetimes (10 min, TOTP 30 s)").open("no second factor"),
        requirement("6.5.6", 3, "Factors can be revoked").open("no second factor"),
        requirement("6.5.7", 3, "A fingerprint or face counts only beside another factor")
            .not_applicable("nothing biometric"),
        requirement("6.5.8", 3, "TOTP uses the server clock").open("no second factor"),
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
            .not_applicable("no external identity provider"),
        requirement("6.8.2", 2, "Signatures of assertions are checked")
            .not_applicable("no external identity provider"),
        requirement("6.8.3", 2, "A SAML assertion counts once")
            .not_applicable("no external identity provider"),
        requirement("6.8.4", 2, "The strength of an external login is checked")
            .not_applicable("no external identity provider"),
    ],
};

const BOB: &str = "bob@example.com";
const NEW: &str = "a new password 3";
/// No user has it.
const WRONG: &str = "not the password 9";

fn log_in(server: &Client, email: &str, password: &str) -> Answer {
    server.login(&[("email", email), ("password", password)]).send()
}

fn change(server: &Client, session: &str, current: &str, new: &str) -> Answer {
    let body = json!({ "current_password": current, "new_password": new });
    server.put("/api/v1/users/me/password").session(session).json(&body).send()
}

/// Tries to set a password on each way there is, and returns what was answered: to the making of a
/// user, to a change of one's own, to an admin who sets one, and by the command line.
fn set_everywhere(password: &str) -> [bool; 4] {
    let server = Server::of("session_db_auth");
    let path = format!("/api/v1/users/{}/password", server.add_user(BOB));
    let admin = server.admin();
    let new = json!({ "email": "eve@example.com", "password": password });
    let made = server.post("/api/v1/users").session(&admin).json(&new).send().status;
    let set = server.put(&path).session(&admin).json(&json!({ "new_password": password })).send();
    let changed = change(&server, &admin, ADMIN_PASSWORD, password).status;
    let program = server.kill();
    let told = program.run(&["user", "passwd", BOB], &format!("{password}\n"));
    [made == 201, changed == 200, set.status == 200, told.status.success()]
}

fn throttle_is_documented() {
    let section = files::section("docs/CONTROLS.md", "Guessing");
    settings::assert_defaults(&section, &["LOGIN_THROTTLE", "LOGIN_ATTEMPTS"]);
}

fn context_words_are_documented() {
    let section = files::section("docs/CONTROLS.md", "Passwords");
    let rules = PasswordRules { context: vec!["id.acme.test".into()], ..PasswordRules::default() };
    for (named, password) in [
        ("the whole e-mail address", "robert.lee@example.com"),
        ("the name before its @", "robert.lee"),
        ("the host behind it", "example.com"),
        ("the parts of both", "Robert2026!"),
        ("the name of the service", "sessiond1"),
        ("the host of `PUBLIC_URL`", "id.acme.test"),
        ("the names of roles", "administrator"),
    ] {
        assert!(section.contains(named), "{named}");
        let refused = rules.check(password.to_owned(), "robert.lee@example.com").is_err();
        assert!(refused, "{named}: {password}");
    }
}

fn pathways_are_documented() {
    let section = files::section("docs/CONTROLS.md", "Passwords");
    let rows: Vec<&str> = section.lines().filter(|line| line.starts_with("| *")).collect();
    assert_eq!(rows.len(), Pathway::ALL.len(), "{rows:?}");
    for pathway in Pathway::ALL {
        let name = format!("| *{}* |", pathway.name());
        assert!(rows.iter().any(|row| row.starts_with(&name)), "{name}");
    }
    // A password is compared in one function of the accounts, and nowhere else.
    let sources = files::sources();
    let callers = |call: &str| {
        let calling = sources.iter().filter(|(_, text)| text.contains(call));
        let mut names: Vec<&str> = calling.map(|(name, _)| name.as_str()).collect();
        names.sort_unstable();
        names
    };
    assert_eq!(callers("hasher.verify("), ["auth/accounts/log_in.rs"]);
    assert_eq!(callers("accounts.log_in("), ["acts/fresh.rs", "acts/login.rs", "auth/basic.rs"]);
}

fn eight_characters() {
    assert_eq!(set_everywhere("k7#vQ2p"), [false; 4]);
    assert_eq!(set_everywhere("k7#vQ2pz"), [true; 4]);
    assert_eq!(set_everywhere("\u{e4}\u{1f600}\u{e4}\u{1f600}\u{e4}\u{1f600}\u{e4}"), [false; 4]);
}

fn users_change_passwords() {
    for kind in SESSION_KINDS {
        let server = Server::of(kind);
        server.add_user(BOB);
        let bob = server.log_in(BOB, PASSWORD);
        assert_eq!(change(&server, &bob, PASSWORD, NEW).status, 200, "{kind}");
        let tried = [PASSWORD, NEW].map(|password| log_in(&server, BOB, password).status);
        assert_eq!(tried, [401, 200], "{kind}");
    }
}

fn both_passwords_are_needed() {
    let server = Server::of("session_db_auth");
    let admin = server.admin();
    let statuses = [
        json!({ "new_password": NEW }),
        json!({ "current_password": ADMIN_PASSWORD }),
        json!({ "current_password": WRONG, "new_password": NEW }),
        json!({ "current_password": null, "new_password": NEW }),
        json!({ "current_password": "", "new_password": NEW }),
        json!({ "current_password": [ADMIN_PASSWORD], "new_password": NEW }),
    ]
    .map(|body| server.put("/api/v1/users/me/password").session(&admin).json(&body).send().status);
    assert_eq!(statuses, [400, 400, 403, 400, 400, 400]);
    assert_eq!(log_in(&server, ADMIN, ADMIN_PASSWORD).status, 200);
}

fn common_passwords() {
    for common in ["password", "12345678", "Password1", "qwertyuiop", "iloveyou", "trustno1"] {
        assert_eq!(set_everywhere(common), [false; 4], "{common}");
    }
    let list = files::read("src/models/common_passwords.txt");
    let usable = list.lines().filter(|word| word.chars().count() >= 8);
    assert!(usable.count() >= 3000);
}

pub fn any_composition() {
    for password in ["aaaabbbbccccd", "8374920173", "UPPERCASEONLY", "        .", "!?!?!?!?!"] {
        assert_eq!(set_everywhere(password), [true; 4], "{password:?}");
    }
}

pub fn every_byte_counts() {
    let password = format!(" \u{e4}: {}\0{}Z ", "x".repeat(40), "y".repeat(40));
    let others = [
        password.trim().to_owned(),
        password.to_lowercase(),
        password.replace('\0', ""),
        password[..72].to_owned(),
        password.replace("Z ", "z "),
        password.replace('\u{e4}', "a\u{308}"),
        format!("{password}."),
    ];
    let server = Program::of("session_db_auth").set("LOGIN_THROTTLE", "off").start();
    let new = json!({ "email": BOB, "password": password });
    assert_eq!(server.by_admin(server.post("/api/v1/users")).json(&new).send().status, 201);
    let as_json = |password: &str| {
        let body = json!({ "email": BOB, "password": password });
        server.post("/api/v1/auth_session/login").json(&body).send().status
    };
    assert_eq!((log_in(&server, BOB, &password).status, as_json(&password)), (200, 200));
    for other in &others {
        assert_eq!((log_in(&server, BOB, other).status, as_json(other)), (401, 401), "{other:?}");
    }
    let server = server.kill().set("AUTH_TYPE", "basic_auth").start();
    let basic = |password: &str| server.get("/api/v1/users/me").basic(BOB, password).send().status;
    assert_eq!(basic(&password), 200);
    for other in &others {
        assert_eq!(basic(other), 403, "{other:?}");
    }
}

fn long_passwords() {
    assert_eq!(set_everywhere(&"\u{1f600}\u{1f642}".repeat(32)), [true; 4], "64 characters");
    assert_eq!(set_everywhere(&"ab".repeat(129)), [false; 4], "258 bytes");
}

pub fn no_rotation() {
    let server = InProcess::with(&[]);
    server.advance(Duration::from_hours(24 * 3653));
    let login = log_in(&server, ADMIN, ADMIN_PASSWORD);
    assert_eq!((login.status, login.json().get("must_change")), (200, None));
}

fn context_words() {
    for context in ["sessiond", "SessionD-1", "administrator!", "example.com"] {
        assert_eq!(set_everywhere(context), [false; 4], "{context}");
    }
    // His own address; it is nothing special to others.
    assert_eq!(set_everywhere(BOB), [true, true, false, false]);
}

fn listed_passwords() {
    let program = Program::of("session_db_auth");
    let list = program.folder().join("breached.txt");
    std::fs::write(&list, "purple monkey dishwasher\nTr0ub4dor&3x\n").unwrap();
    let server = program.set("PASSWORD_BLOCKLIST", list.to_str().unwrap()).start();
    let mut admin = server.admin();
    for refused in ["purple monkey dishwasher", "TR0UB4DOR&3X"] {
        assert_eq!(change(&server, &admin, ADMIN_PASSWORD, refused).status, 400, "{refused}");
    }
    let changed = change(&server, &admin, ADMIN_PASSWORD, "purple monkey dishes");
    admin = changed.session_id().unwrap();
    assert_eq!(server.get("/api/v1/users/me").session(&admin).send().status, 200);

    let listed = (0..100_000).map(|number| format!("listed password {number}"));
    let rules = PasswordRules { refused: Blocklist::new(listed), ..PasswordRules::default() };
    let by_chance =
        (0..1_000).filter(|number| rules.check(format!("another password {number}"), BOB).is_err());
    assert_eq!(by_chance.count(), 0, "one in 180 million million is expected");
}

pub fn guessing_is_throttled() {
    let server = InProcess::with(&[]);
    let allowed: usize = settings::default_of("LOGIN_ATTEMPTS").parse().unwrap();
    for _ in 0..allowed {
        assert_eq!(log_in(&server, ADMIN, WRONG).status, 401);
    }
    let refused = log_in(&server, ADMIN, WRONG);
    assert_eq!(refused.status, 429, "{}", refused.body);
    let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
    assert_eq!(log_in(&server, ADMIN, ADMIN_PASSWORD).status, 429, "the right one as well");
    server.advance(Duration::from_secs(wait));
    assert_eq!(log_in(&server, ADMIN, ADMIN_PASSWORD).status, 200);
}

pub fn owners_get_in() {
    let server = InProcess::with(&["--trusted-proxies", "127.0.0.1"]);
    let from = |network: &str, password: &str| {
        let login = server.login(&[("email", ADMIN), ("password", password)]);
        login.header("X-Forwarded-For", network).send()
    };
    let session = from("192.0.2.1", ADMIN_PASSWORD).session_id().unwrap();
    let tries: Vec<u16> =
        (0..120).map(|number| from(&format!("198.51.{number}.1"), WRONG).status).collect();
    assert_eq!(tries.last(), Some(&429), "an account has a limit over all networks");
    assert_eq!(from("192.0.2.1", ADMIN_PASSWORD).status, 200, "from his own network");
    let me = server.get("/api/v1/users/me").session(&session);
    assert_eq!(me.send().status, 200, "and his session lives on");
}

fn nobody_is_there_by_default() {
    let program = Program::of("session_db_auth").unset("ADMIN_EMAIL").unset("ADMIN_PASSWORD");
    let server = program.start();
    for (email, password) in [
        ("admin@example.com", "admin"),
        ("admin@localhost", "password"),
        ("root@localhost", "root"),
        (ADMIN, ADMIN_PASSWORD),
    ] {
        assert_eq!(log_in(&server, email, password).status, 401, "{email}");
    }
    let (program, ..) = server.stop();
    let listed = program.run(&["user", "list"], "");
    assert!(listed.status.success() && listed.stdout.is_empty(), "{listed:?}");
}

pub fn pathways_share_the_throttle() {
    let server = InProcess::with(&["--login-attempts", "4"]);
    let session = server.admin();
    let path = "/api/v1/users/me/sessions";
    let wrong: [(&str, Answer); 4] = [
        ("login", log_in(&server, ADMIN, WRONG)),
        ("another spelling", log_in(&server, "ADMIN@Example.com", WRONG)),
        ("current password", change(&server, &session, WRONG, NEW)),
        ("reauth", {
            let proof = server.post("/api/v1/auth_session/reauth").session(&session);
            proof.form(&[("password", WRONG)]).send()
        }),
    ];
    for (pathway, answer) in wrong {
        assert!(matches!(answer.status, 401 | 403), "{pathway}: {}", answer.body);
    }
    let proof = server.post("/api/v1/auth_session/reauth").session(&session);
    for (pathway, answer) in [
        ("login", log_in(&server, ADMIN, ADMIN_PASSWORD)),
        ("current password", change(&server, &session, ADMIN_PASSWORD, NEW)),
        ("reauth", proof.form(&[("password", ADMIN_PASSWORD)]).send()),
    ] {
        assert_eq!(answer.status, 429, "{pathway}: {}", answer.body);
    }
    assert_eq!(server.get(path).session(&session).send().status, 200, "the session lives on");

    let server = Program::of("basic_auth").set("LOGIN_ATTEMPTS", "2").start();
    let basic = |password: &str| server.get(path).basic(ADMIN, password).send().status;
    assert_eq!([WRONG, PASSWORD, NEW].map(basic), [403, 403, 429]);
}

fn disabled_users_get_in_nowhere() {
    let server = Server::of("session_db_auth");
    let path = format!("/api/v1/users/{}", server.add_user(BOB));
    let bob = server.log_in(BOB, PASSWORD);
    let disable = server.by_admin(server.put(&path)).json(&json!({ "disabled": true }));
    assert_eq!(disable.send().status, 200);
    let proof = server.post("/api/v1/auth_session/reauth").session(&bob);
    let tried = [
        log_in(&server, BOB, PASSWORD).status,
        change(&server, &bob, PASSWORD, NEW).status,
        proof.form(&[("password", PASSWORD)]).send().status,
        server.get("/api/v1/users/me").bearer(&bob).send().status,
    ];
    assert_eq!(tried, [401, 403, 403, 403]);
    let server = server.kill().set("AUTH_TYPE", "basic_auth").start();
    assert_eq!(server.get("/api/v1/users/me").basic(BOB, PASSWORD).send().status, 403);
}

pub fn refusals_are_alike() {
    let server = Server::of("session_db_auth");
    let path = format!("/api/v1/users/{}", server.add_user(BOB));
    let disable = server.by_admin(server.put(&path)).json(&json!({ "disabled": true }));
    assert_eq!(disable.send().status, 200);
    let answers = [
        log_in(&server, "nobody@example.com", PASSWORD),
        log_in(&server, ADMIN, WRONG),
        log_in(&server, BOB, PASSWORD),
        log_in(&server, BOB, WRONG),
        log_in(&server, "no address", WRONG),
    ];
    let told = answers.map(|answer| {
        let own = |(name, _): &(String, String)| name != "x-request-id" && name != "date";
        let mut headers: Vec<_> = answer.headers.into_iter().filter(own).collect();
        headers.sort();
        (answer.status, answer.body, headers)
    });
    assert_eq!(told[0].0, 401);
    assert!(told.iter().all(|one| *one == told[0]), "{told:?}");
}

pub fn set_passwords_must_be_changed() {
    let server = Server::of("session_db_auth");
    let path = format!("/api/v1/users/{}/password", server.add_user(BOB));
    let set = server.by_admin(server.put(&path)).json(&json!({ "new_password": NEW }));
    assert_eq!(set.send().json()["must_change"], true);
    let bob = server.log_in(BOB, NEW);
    let me = |session: &str| server.get("/api/v1/users/me").session(session).send();
    me(&bob).assert_error(403, "Password change required");
    let changed = change(&server, &bob, NEW, "my own choice 4").session_id().unwrap();
    assert_eq!(me(&changed).status, 200);
}

pub fn no_hints() {
    let server = Server::of("session_db_auth");
    let new =
        json!({ "email": BOB, "password": PASSWORD, "hint": "the usual", "question": "pet?" });
    let made = server.by_admin(server.post("/api/v1/users")).json(&new).send();
    assert_eq!(made.status, 201);
    let program = server.stop().0;
    let stored = std::fs::read_to_string(program.data().join("User.json")).unwrap();
    let stored: Value = serde_json::from_str(&stored).unwrap();
    let text = stored.to_string();
    assert!(!text.contains("hint") && !text.contains("question") && !text.contains("usual"));
}

pub fn whole_passwords_are_compared() {
    assert_eq!(set_everywhere("my password is long"), [true; 4]);
    let rules = PasswordRules::default();
    for (password, why) in [
        ("short", "at least 8 characters"),
        ("password", "one of the most common ones"),
        ("bob@example.com", "made of the e-mail address"),
    ] {
        let refused = rules.check(password.to_owned(), BOB).unwrap_err().to_string();
        assert!(refused.contains(why), "{password}: {refused}");
    }
}

pub fn failures_of_a_day_are_few() {
    let server = InProcess::with(&["--trusted-proxies", "127.0.0.1"]);
    let mut failed = 0;
    for hour in 0..24 {
        for number in 0..10 {
            let login = server.login(&[("email", ADMIN), ("password", WRONG)]);
            let network = format!("198.51.{hour}.{number}");
            let answer = login.header("X-Forwarded-For", &network).send();
            failed += u32::from(answer.status == 401);
        }
        server.advance(Duration::from_hours(1));
    }
    assert!((48..100).contains(&failed), "{failed}");
}
