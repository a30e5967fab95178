//! Sessions and cookies.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sessiond::auth::accounts::NewUser;
use sessiond::auth::cookie::SessionCookie;
use sessiond::auth::{OPEN_PAGES, OPEN_PATHS};
use sessiond::models::{Role, SessionId, UserSession};

use super::{
    ADMINS_LOGIN, Fault, LOGIN, LOGOUT, ME, MY_PASSWORD, Person, REAUTH, REFRESH, USERS,
    assert_locked, hex, protected_routes, status, unthrottled,
};
use crate::files;
use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Client, Connection, InProcess, KNOWING_KINDS, NO_SESSION,
    NOBODY, PASSWORD, Program, Request, SESSION_KINDS, START, Server, block_on,
};
use crate::pages;
use crate::registry::{Chapter, rule};

pub const CHAPTER: Chapter = Chapter {
    title: "Bugs that others shipped: sessions and cookies",
    rows: &[
        rule(
            "Rack CVE-2025-32441",
            "A request that was in flight writes the session back after logout (also \
             rack-session CVE-2025-46336; vertx-web #2936; tower-sessions #25, #36)",
        )
        .tested(&[
            (
                "a request in flight brings no session back",
                a_request_in_flight_brings_no_session_back,
            ),
            ("nor does a use that comes late to the store", a_late_use_brings_no_session_back),
            ("of logouts and renewals at once one wins", logouts_win_over_everything_at_once),
        ]),
        rule(
            "tower-sessions #260",
            "Rotation deleted the old session before the new one was stored; a failure lost \
             both",
        )
        .tested(&[
            (
                "whatever fails in a rotation, the old id or the new one lives, never both",
                a_rotation_that_fails_loses_nothing,
            ),
            ("a new password that was answered 503 is none", a_password_is_changed_or_not),
            ("nor is a new role", a_role_is_changed_or_not),
        ]),
        rule(
            "Passport CVE-2022-25896",
            "Session fixation: id kept over login (also Airflow CVE-2022-38054; Symfony \
             CVE-2023-46733, CVE-2018-11385; Zitadel CVE-2024-28197; keepass4web #277)",
        )
        .tested(&[
            ("every proof gives a new id, and ends the old one", every_proof_gives_a_new_id),
            ("an id that was chosen is never adopted", a_chosen_id_is_never_adopted),
        ]),
        rule("Fiber CVE-2024-38513", "Client-chosen session id adopted")
            .tested(&[("an id that was chosen is never adopted", a_chosen_id_is_never_adopted)]),
        rule(
            "actix-extras #87",
            "Removal cookie lacked path, SameSite or Secure, so the browser kept the session \
             cookie (also #129, #158; actix-session 0.7.2, 0.8.0)",
        )
        .tested(&[(
            "a removal has the attributes of the cookie",
            a_removal_has_the_attributes_of_the_cookie,
        )]),
        rule(
            "File Browser CVE-2025-53826",
            "Token works after logout; revocation is a no-op (also Doorkeeper CVE-2018-1000211)",
        )
        .tested(&[(
            "an ended session opens no route, as cookie or token",
            an_ended_session_opens_nothing,
        )]),
        rule(
            "Memos CVE-2024-21635",
            "Sessions or tokens survive a password change or reset (also Vikunja \
             CVE-2026-27575; Airflow CVE-2023-40273; TYPO3 CVE-2022-23502; Symfony \
             CVE-2021-41268; Vaultwarden CVE-2026-43911)",
        )
        .tested(&[
            ("a new password ends sessions, whoever sets it", a_new_password_ends_sessions),
            (
                "also those that could not be cleared away",
                sessions_end_also_where_they_stay_in_the_store,
            ),
            ("by Basic it is the only one at once", a_new_password_is_the_only_one_by_basic),
            (
                "one from the command line ends sessions",
                a_password_from_the_command_line_ends_sessions,
            ),
        ]),
        rule(
            "Airflow CVE-2022-41672",
            "Disabled users go on, or come back through another pathway; admin token survives \
             deactivation (also Vikunja CVE-2026-33668, CVE-2026-33316; Zitadel CVE-2024-47000, \
             CVE-2024-47060; authentik CVE-2025-53942, CVE-2025-64521; Answer CVE-2026-25700)",
        )
        .tested(&[(
            "who is locked out is out on every way in, and his sessions do not return",
            who_is_locked_out_is_out_on_every_way,
        )]),
        rule(
            "Zitadel CVE-2026-55670",
            "Identifiers reused: data of the old owner reaches the new one",
        )
        .tested(&[(
            "nothing of a deleted user is his successor's",
            nothing_of_a_deleted_user_is_his_successors,
        )]),
        rule(
            "Keycloak CVE-2026-9802",
            "Restart reset the time base, revoked refresh tokens were accepted again",
        )
        .tested(&[
            ("what has ended stays ended over a crash", what_has_ended_stays_ended_over_a_crash),
            ("a clock that is set back brings nothing back", a_clock_set_back_brings_nothing_back),
        ]),
        rule(
            "Keycloak GHSA-83c4-ffjp-mxp9",
            "Two \"not before\" levels configured, only one honoured",
        )
        .tested(&[
            (
                "a user's revocation and everybody's count in any order",
                both_revocations_count_in_any_order,
            ),
            ("both time limits count", both_limits_count),
        ]),
        rule(
            "Authelia GHSA-x883-2vmg-xwf7",
            "Group or permission change effective late (also Grafana CVE-2026-33381)",
        )
        .tested(&[(
            "a role counts from the next request on",
            a_role_counts_from_the_next_request_on,
        )]),
        rule("Zitadel CVE-2026-27840", "A truncated opaque token still works")
            .tested(&[("only the whole id is the id", only_the_whole_id_is_the_id)]),
        rule("Rack CVE-2019-16782", "Lookup by raw id leaks through index timing")
            .tested(&[("ids are looked up by their hash", files_know_only_the_hash_of_an_id)]),
        rule(
            "TYPO3 CVE-2020-26228",
            "Session ids or signing secret stored in clear (also CVE-2021-21339; Navidrome \
             CVE-2024-56362)",
        )
        .tested(&[("files know only the hash of an id", files_know_only_the_hash_of_an_id)]),
        rule("Devise CVE-2015-8314", "One remember-me value per user for all devices, never ends")
            .tested(&[(
                "remembering is of one login, and ends",
                remembering_is_of_one_login_and_ends,
            )]),
        rule("Symfony CVE-2024-51996", "Remember-me cookie of one user accepted for another name")
            .not_applicable(
                "a remembered session is a session like any other: there is no second cookie \
             with a name in it",
            ),
        rule(
            "rack-session CVE-2026-39324",
            "Failed decryption falls back to plain decoding: forged session",
        )
        .tested(&[(
            "a state of the pages that cannot be opened is none",
            pages::a_changed_state_is_none,
        )]),
        rule("Flask CVE-2025-47278", "Key rotation signs with the oldest key")
            .not_applicable("there is one key at a time, which seals a state that may be lost"),
        rule(
            "Flask CVE-2023-30861",
            "Missing Vary: Cookie lets a cache hand one user's answer to another (also \
             CVE-2026-27205)",
        )
        .tested(&[("no answer is kept by a cache", no_answer_is_kept_by_a_cache)]),
        rule("Rack CVE-2020-8184", "Percent-decoded cookie names forge __Host-").tested(&[(
            "names of cookies are compared byte by byte",
            the_name_of_the_cookie_is_compared_byte_by_byte,
        )]),
        rule(
            "Cookie prefix bypass by Unicode white space",
            "Browser and server trim different characters (2025 research; Django, ASP.NET)",
        )
        .tested(&[(
            "names of cookies are compared byte by byte",
            the_name_of_the_cookie_is_compared_byte_by_byte,
        )]),
        rule("Werkzeug CVE-2023-23934", "Nameless cookie =__Host-x=bad parsed as the named one")
            .tested(&[(
                "a cookie without a name is no other one",
                a_cookie_without_a_name_is_no_other_one,
            )]),
        rule("Memos CVE-2022-4683", "Cookie without Secure").tested(&[(
            "the cookie is Secure wherever the service is",
            the_cookie_is_secure_where_the_service_is,
        )]),
        rule("OAuth2 Proxy CVE-2026-34454", "Cookies not cleared on the sign-in page").tested(&[(
            "the page tells who is logged in, and what has ended opens nothing",
            pages::the_login_page_tells_who_is_logged_in,
        )]),
        rule(
            "Better Auth multi-session sign-out finding",
            "Sign-out trusts cookies of other sessions without verifying them (2025)",
        )
        .tested(&[(
            "a logout ends the session that was proved, and no other",
            a_logout_ends_the_session_that_was_proved,
        )]),
        rule(
            "Better Auth GHSA-xg6x-h9c9-2m83",
            "Session cached as valid before the second factor was checked",
        )
        .not_applicable("there is no second factor: a login is whole or none"),
        rule("cookie RUSTSEC-2017-0005", "Huge Max-Age panics")
            .tested(&[("the age of a cookie is bounded", the_age_of_a_cookie_is_bounded)]),
        rule("time RUSTSEC-2026-0009", "Date parser recursion exhausts the stack")
            .tested(&[("dates of clients are not parsed", dates_of_clients_are_not_parsed)]),
    ],
};

/// A request of this person that the server has let in, and that lacks the last byte of its body.
struct Begun {
    connection: Connection,
    last: u8,
}

impl Begun {
    fn new(client: &Client, session: &str, route: (&str, &str), body: &Value) -> Self {
        let mut body = body.to_string().into_bytes();
        let mut connection = client.connect();
        connection.write(format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nCookie: _my_session_id={session}\r\n\
             Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            route.0,
            route.1,
            client.address,
            body.len()
        ));
        assert_eq!(connection.answer().unwrap().status, 100, "the server waits for the body");
        let last = body.pop().unwrap();
        connection.write(body);
        Self { connection, last }
    }

    fn finish(mut self) -> Answer {
        self.connection.write([self.last]);
        self.connection.answer().unwrap()
    }
}

fn a_request_in_flight_brings_no_session_back() {
    let server = InProcess::with(&[]);
    let bob = Person::new(&server, "bob");
    let own = bob.path("");
    let body = json!({
        "password": PASSWORD, "current_password": PASSWORD, "new_password": "yet another 3",
        "first_name": "Bob",
    });
    let mut ended = vec![bob.session.clone()];
    server.delete(LOGOUT).session(&bob.session).send().assert_is(200, "{}");
    for route in [("PUT", own.as_str()), ("POST", REAUTH), ("PUT", MY_PASSWORD), ("DELETE", &own)] {
        let session = server.log_in(&bob.email, PASSWORD);
        // Long enough for its use to be written down, and for its proof to be no longer fresh.
        server.advance(Duration::from_mins(30));
        let begun = Begun::new(&server, &session, route, &body);
        server.delete(LOGOUT).session(&session).send().assert_is(200, "{}");
        let answer = begun.finish();
        assert_eq!((answer.status, answer.session_id()), (403, None), "{route:?}: {answer:?}");
        assert_eq!(status(&server, &session), 403, "{route:?}");
        ended.push(session);
    }
    let left = block_on(server.service.session_count()).unwrap();
    assert_eq!(left, 1, "that of the admin who made him");
    let server = server.restart(START);
    assert!(ended.iter().all(|session| status(&server, session) == 403));
    server.log_in(&bob.email, PASSWORD);
}

fn a_late_use_brings_no_session_back() {
    let server = InProcess::with(&[]);
    let id = server.admin();
    let store = server.service.auth().sessions().unwrap().store.clone();
    let hash = SessionId::parse(id.as_bytes()).unwrap().hash();
    block_on(async {
        let held = store.get(&hash).await.unwrap().unwrap();
        assert!(store.remove(&hash).await.unwrap());
        store.touch(&held, START.plus(Duration::from_hours(1)));
        let again = store.replace(&hash, Box::new(UserSession::clone)).await.unwrap();
        assert!(again.is_none() && !store.remove(&hash).await.unwrap());
        assert!(store.get(&hash).await.unwrap().is_none());
    });
    assert_eq!(status(&server.restart(START), &id), 403);
}

fn logouts_win_over_everything_at_once() {
    for kind in SESSION_KINDS {
        let server = InProcess::with(&["--auth-type", kind]);
        for _ in 0..10 {
            let id = server.admin();
            let start =
                |method: &str, path: &str| server.request(method, path).session(&id).start();
            let requests = [
                start("GET", ME),
                start("POST", REFRESH),
                start("DELETE", LOGOUT),
                start("POST", REFRESH),
                start("GET", "/api/v1/auth_session"),
            ];
            let answers = requests.map(Connection::finish);
            // Of what ends the session exactly one does.
            let ends = [1, 2, 3].map(|n| answers[n].status);
            assert_eq!(ends.iter().filter(|status| **status == 200).count(), 1, "{ends:?}");
            assert_eq!(status(&server, &id), 403);
            let alive =
                answers.iter().filter_map(Answer::session_id).map(|id| status(&server, &id));
            assert_eq!(
                alive.collect::<Vec<_>>(),
                if answers[2].status == 200 { vec![] } else { vec![200] }
            );
        }
    }
}

fn a_rotation_that_fails_loses_nothing() {
    let fault = Fault::default();
    let server = fault.of_files();
    let (mut session, mut ended, mut failures) = (server.admin(), Vec::new(), 0);
    for n in 1.. {
        fault.arm(n);
        let answer = server.post(REFRESH).session(&session).send();
        let has_failed = fault.disarm();
        if let Some(new) = answer.session_id() {
            assert_eq!((answer.status, status(&server, &session)), (200, 403));
            ended.push(std::mem::replace(&mut session, new));
        } else {
            assert!(has_failed && answer.status == 503, "{answer:?}");
            failures += 1;
        }
        assert_eq!(status(&server, &session), 200, "failure {n}");
        if !has_failed {
            break;
        }
    }
    // At least the write and the sync of it.
    assert!(failures >= 2 && !ended.is_empty());
    let server = server.restart(START);
    assert_eq!(status(&server, &session), 200);
    assert!(ended.iter().all(|session| status(&server, session) == 403));
}

/// What was answered 503 has not happened, and what was answered 200 has.
fn a_password_is_changed_or_not() {
    let fault = Fault::default();
    for (of, server) in [("files", fault.of_files()), ("randomness", fault.of_randomness())] {
        let admin = Person::admin(&server);
        let (mut old, mut session) = (ADMIN_PASSWORD.to_owned(), admin.session.clone());
        for n in 1.. {
            let new = format!("the new one {n}");
            let change = json!({ "current_password": old, "new_password": new });
            let change = server.put(MY_PASSWORD).session(&session).json(&change);
            fault.arm(n);
            let answer = change.send();
            let has_failed = fault.disarm();
            if answer.status == 200 {
                assert_eq!(status(&server, &session), 403, "{of} {n}");
                let renewed = answer.session_id().unwrap_or_else(|| server.log_in(ADMIN, &new));
                (old, session) = (new, renewed);
            } else {
                assert_eq!(answer.status, 503, "{of} {n}: {answer:?}");
            }
            assert_eq!(status(&server, &session), 200, "{of} {n}");
            // Both stores work again, so that the next failure comes where it is meant to.
            server.log_in(ADMIN, &old);
            let name = json!({ "first_name": n.to_string() });
            assert_eq!(
                server.put(&admin.path("")).session(&session).json(&name).send().status,
                200
            );
            if !has_failed {
                // At least salt and session id, or a write and a sync in both stores.
                assert!(n > if of == "files" { 4 } else { 2 }, "{of}");
                break;
            }
        }
    }
}

fn a_role_is_changed_or_not() {
    let fault = Fault::default();
    let server = fault.of_files();
    let bob = Person::new(&server, "bob");
    let mut session = server.admin();
    for n in 1.. {
        let role =
            || server.get(&bob.path("")).session(&server.admin()).send().json()["role"].clone();
        let before = role();
        let other = if before == "user" { "admin" } else { "user" };
        let change = server.put(&bob.path("")).session(&session).json(&json!({ "role": other }));
        fault.arm(n);
        let answer = change.send();
        let has_failed = fault.disarm();
        let made = answer.status == 200;
        assert!(made || (answer.status, has_failed) == (503, true), "{n}: {answer:?}");
        assert_eq!(role() == before, !made, "{n}");
        session = answer.session_id().unwrap_or(session);
        assert_eq!(status(&server, &session), 200, "{n}");
        let name = json!({ "first_name": n.to_string() });
        assert_eq!(server.put(&bob.path("")).session(&session).json(&name).send().status, 200);
        if !has_failed {
            assert!(n > 4, "a write and a sync in both stores");
            break;
        }
    }
}

fn every_proof_gives_a_new_id() {
    for kind in SESSION_KINDS {
        let server = InProcess::with(&["--auth-type", kind]);
        let bob = Person::new(&server, "bob");
        let new = "yet another 3";
        let change = json!({ "current_password": PASSWORD, "new_password": new });
        let mut session = bob.session.clone();
        for request in [
            server.login(&[("email", &bob.email), ("password", PASSWORD)]),
            server.post(REFRESH),
            server.post(REAUTH).json(&json!({ "password": PASSWORD })),
            server.put(MY_PASSWORD).json(&change),
            server.post(REAUTH).form(&[("password", new)]),
        ] {
            let answer = request.session(&session).send();
            let new = answer.session_id().unwrap_or_else(|| panic!("{kind}: {answer:?}"));
            let statuses = [&session, &new].map(|id| status(&server, id));
            assert_eq!(statuses, [403, 200], "{kind}: {}", answer.body);
            session = new;
        }
        let admin = server.admin();
        server.advance(Duration::from_secs(1));
        let promote = server.put(&bob.path("")).session(&admin).json(&json!({ "role": "admin" }));
        let renewed = promote.send().session_id().expect("with power goes a new id");
        assert_eq!([&admin, &renewed].map(|id| status(&server, id)), [403, 200], "{kind}");
        // What was a plain user's session does nothing of weight for the admin he has become.
        let everybodys = server.delete("/api/v1/sessions").session(&session);
        everybodys.send().assert_error(403, "Fresh login required");
    }
}

fn a_chosen_id_is_never_adopted() {
    let server = unthrottled("session_db_auth");
    let url_safe = "-_".repeat(21) + "A";
    for chosen in [
        NO_SESSION,
        url_safe.as_str(),
        "",
        "1",
        "admin",
        NOBODY,
        "../../../etc/passwd",
        "%41%41",
        "null",
    ] {
        let mut body = json!({ "email": ADMIN, "password": ADMIN_PASSWORD });
        for name in ["session", "session_id", "_my_session_id", "id", "token", "sid"] {
            body[name] = chosen.into();
        }
        let login = server.post(&format!("{LOGIN}?_my_session_id={chosen}&session={chosen}"));
        let answer = login.session(chosen).bearer(chosen).json(&body).send();
        let given = answer.session_id().unwrap();
        assert_eq!((answer.status, status(&server, &given)), (200, 200), "{chosen:?}");
        assert!(given != chosen && status(&server, chosen) == 403, "{chosen:?}");
        for request in [server.post(REFRESH), server.post(REAUTH).json(&body), server.get(ME)] {
            assert_eq!(request.session(chosen).send().session_id(), None, "{chosen:?}");
        }
        server.get(ME).bearer(chosen).send().assert_error(403, "Forbidden");
    }
}

/// The name and the attributes of a cookie, but for how long it is kept.
fn attributes(answer: &Answer) -> BTreeSet<String> {
    let [cookie] = answer.headers("set-cookie")[..] else { panic!("{answer:?}") };
    let name = cookie.split('=').next().unwrap();
    let attributes = cookie.split("; ").skip(1);
    let lasting =
        |attribute: &&str| !["Max-Age", "Expires"].iter().any(|name| attribute.starts_with(name));
    attributes.filter(lasting).chain([name]).map(str::to_owned).collect()
}

/// Services whose cookies differ, as programs to start.
fn services() -> [Program; 4] {
    let https = || Program::of("session_db_auth").set("PUBLIC_URL", "https://id.example.com");
    [
        Program::of("session_db_auth"),
        Program::of("session_exp_auth").set("SESSION_NAME", "sid"),
        https(),
        https().set("SESSION_NAME", "sid").set("COOKIE_DOMAIN", "example.com"),
    ]
}

fn a_removal_has_the_attributes_of_the_cookie() {
    for program in services() {
        let server = program.start();
        for (method, path) in [
            ("DELETE", LOGOUT),
            ("DELETE", "/api/v1/users/me/sessions?all=true"),
            ("DELETE", "/api/v1/users/me/sessions/{session}"),
            ("DELETE", "/api/v1/sessions"),
        ] {
            let login = server.login(&[ADMINS_LOGIN[0], ADMINS_LOGIN[1], ("remember", "1")]).send();
            let name = login.header("set-cookie").unwrap().split('=').next().unwrap().to_owned();
            let sent = format!("{name}={}", login.session_id().unwrap());
            let session = server.get("/api/v1/auth_session").cookie(&sent).send().json();
            let path = path.replace("{session}", session["id"].as_str().unwrap());
            let removed = server.request(method, &path).cookie(&sent).send();
            assert_eq!((removed.status, removed.session_id()), (200, None), "{path}");
            assert_eq!(attributes(&removed), attributes(&login), "{path}");
            let removal = removed.header("set-cookie").unwrap();
            assert!(removal.starts_with(&format!("{name}=;")), "{removal}");
            assert!(
                removal.ends_with("; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
                "{removal}"
            );
        }
    }
}

fn the_cookie_is_secure_where_the_service_is() {
    for program in services() {
        let server = program.start();
        let login = server.login(&ADMINS_LOGIN).send();
        let name = login.header("set-cookie").unwrap().split('=').next().unwrap().to_owned();
        let https = name.starts_with("__Host-") || name.starts_with("__Secure-");
        let mut answers = vec![login];
        let change = json!({ "current_password": ADMIN_PASSWORD, "new_password": "yet another 3" });
        for request in [
            server.post(REFRESH),
            server.post(REAUTH).json(&json!({ "password": ADMIN_PASSWORD })),
            server.put(MY_PASSWORD).json(&change),
            server.delete(LOGOUT),
        ] {
            let current = answers.last().and_then(Answer::session_id).unwrap();
            answers.push(request.cookie(&format!("{name}={current}")).send());
        }
        for answer in &answers {
            let found = attributes(answer);
            assert_eq!((answer.status, found.contains("Secure")), (200, https), "{answer:?}");
            for attribute in ["HttpOnly", "SameSite=Lax", "Path=/", &name] {
                assert!(found.contains(attribute), "{attribute}: {answer:?}");
            }
            let shared = found.iter().any(|attribute| attribute.starts_with("Domain"));
            assert_eq!(shared, name.starts_with("__Secure-"), "{answer:?}");
        }
    }
    for (program, secure) in services().into_iter().zip([false, false, true, true]) {
        let login = program.start().login(&ADMINS_LOGIN).send();
        assert_eq!(attributes(&login).contains("Secure"), secure);
    }
    let (program, pair) = Program::of("session_db_auth").over_tls();
    let server = program.start();
    let login = attributes(&pair.client(&server).login(&ADMINS_LOGIN).send());
    assert!(login.contains("Secure") && login.contains("__Host-_my_session_id"), "{login:?}");
}

fn an_ended_session_opens_nothing() {
    for kind in SESSION_KINDS {
        let server = InProcess::with(&["--auth-type", kind]);
        let bob = Person::new(&server, "bob");
        server.delete(LOGOUT).session(&bob.session).send().assert_is(200, "{}");
        for route in protected_routes() {
            for as_bearer in [false, true] {
                let request =
                    route.of(&server, &bob.id, NOBODY).json(&json!({ "password": PASSWORD }));
                let by_bob = if as_bearer {
                    request.bearer(&bob.session)
                } else {
                    request.session(&bob.session)
                };
                let answer = by_bob.send();
                assert_eq!((answer.status, answer.session_id()), (403, None), "{kind} {route:?}");
            }
        }
    }
}

fn a_new_password_ends_sessions() {
    for kind in SESSION_KINDS {
        let server = InProcess::with(&["--auth-type", kind]);
        let bob = Person::new(&server, "bob");
        let other = server.log_in(&bob.email, PASSWORD);
        let admin = server.admin();
        let change = json!({ "current_password": PASSWORD, "new_password": "yet another 3" });
        let changed = server.put(MY_PASSWORD).session(&bob.session).json(&change).send();
        let kept = changed.session_id().unwrap();
        let statuses = || [&bob.session, &other, &kept, &admin].map(|id| status(&server, id));
        assert_eq!(statuses(), [403, 403, 200, 200], "{kind}");
        let reset = json!({ "new_password": "one of the admin's", "must_change": false });
        let reset = server.put(&bob.path("/password")).session(&admin).json(&reset).send();
        assert_eq!(reset.status, 200);
        assert_eq!(statuses(), [403, 403, 403, 200], "{kind}");
        let again = server.log_in(&bob.email, "one of the admin's");
        assert_eq!((status(&server, &again), statuses()), (200, [403, 403, 403, 200]), "{kind}");
    }
}

/// What ends them is the user's record; that they are cleared away only follows.
fn sessions_end_also_where_they_stay_in_the_store() {
    let bodies = [
        ("/password", json!({ "new_password": "yet another 3", "must_change": false })),
        ("", json!({ "disabled": true })),
    ];
    for (path, body) in bodies {
        let fault = Fault::default();
        let server = fault.of_files();
        let bob = Person::new(&server, "bob");
        let change = server.put(&bob.path(path)).session(&server.admin()).json(&body);
        // The fourth operation, when the user is written, synced and found to be in place, is the
        // write of the sessions.
        fault.arm(4);
        assert_eq!(change.send().status, 200, "{path}");
        assert!(fault.disarm(), "{path}");
        let left = block_on(server.service.auth().sessions().unwrap().store.count()).unwrap();
        assert_eq!((left, status(&server, &bob.session)), (3, 403), "{path}");
        let server = server.restart(START);
        assert_eq!(status(&server, &bob.session), 403, "{path}");
    }
}

fn a_new_password_is_the_only_one_by_basic() {
    let server = unthrottled("basic_auth");
    let ask = |password: &str| server.get(ME).basic(ADMIN, password).send().status;
    assert_eq!(ask(ADMIN_PASSWORD), 200);
    let change = json!({ "current_password": ADMIN_PASSWORD, "new_password": "yet another 3" });
    let change = server.put(MY_PASSWORD).basic(ADMIN, ADMIN_PASSWORD).json(&change);
    assert_eq!(change.send().status, 200);
    assert_eq!([ADMIN_PASSWORD, "yet another 3"].map(ask), [403, 200]);
}

fn a_password_from_the_command_line_ends_sessions() {
    let server = Server::of("session_db_auth");
    let (admin, bob) = (server.admin(), Person::new(&server, "bob"));
    let (program, ..) = server.stop();
    let set = program.run(&["user", "passwd", &bob.email], "yet another 3\n");
    assert!(set.status.success(), "{set:?}");
    let server = program.start();
    assert_eq!([&admin, &bob.session].map(|id| status(&server, id)), [200, 403]);
    server.log_in(&bob.email, "yet another 3");
}

/// Every way in of a user, and what it answers who may not come in.
fn ways_in(client: &Client, kind: &str, who: &Person) -> Vec<u16> {
    let body =
        json!({ "password": PASSWORD, "current_password": PASSWORD, "new_password": "another 4" });
    let requests = if kind == "basic_auth" {
        vec![
            client.get(ME).basic(&who.email, PASSWORD),
            client.get(USERS).basic(&who.email, PASSWORD),
        ]
    } else {
        vec![
            client.get(ME).session(&who.session),
            client.get(USERS).bearer(&who.session),
            client.post(REFRESH).session(&who.session),
            client.post(REAUTH).session(&who.session).json(&body),
            client.put(MY_PASSWORD).session(&who.session).json(&body),
            client.login(&[("email", &who.email), ("password", PASSWORD)]),
            client
                .login(&[("email", &who.email.to_uppercase()), ("password", PASSWORD)])
                .session(&who.session),
        ]
    };
    requests.into_iter().map(|request| request.send().status).collect()
}

fn by_admin(server: &InProcess, kind: &str, request: Request) -> Request {
    if kind == "basic_auth" {
        request.basic(ADMIN, ADMIN_PASSWORD)
    } else {
        request.session(&server.admin())
    }
}

/// The admin `dan@example.com`, who is known on every way in.
fn second_admin(server: &InProcess, kind: &str) -> Person {
    let email = "dan@example.com".to_owned();
    let new = NewUser {
        email: email.clone(),
        password: PASSWORD.to_owned(),
        first_name: None,
        last_name: None,
        role: Role::Admin,
        must_change: false,
    };
    let id = block_on(server.service.accounts().create(new)).unwrap().id.to_string();
    if kind == "basic_auth" {
        assert_eq!(server.get(USERS).basic(&email, PASSWORD).send().status, 200);
    }
    let session =
        if kind == "basic_auth" { NO_SESSION.into() } else { server.log_in(&email, PASSWORD) };
    Person { id, email, session }
}

fn who_is_locked_out_is_out_on_every_way() {
    for kind in KNOWING_KINDS {
        let server = unthrottled(kind);
        let dan = second_admin(&server, kind);
        let lock = |disabled: bool| {
            let change = server.put(&dan.path("")).json(&json!({ "disabled": disabled }));
            assert_eq!(by_admin(&server, kind, change).send().status, 200, "{kind}");
        };
        lock(true);
        let statuses = ways_in(&server, kind, &dan);
        assert!(statuses.iter().all(|status| matches!(status, 401 | 403)), "{kind}: {statuses:?}");
        lock(false);
        // He may come in again; what has ended stays ended.
        if kind == "basic_auth" {
            assert_eq!(ways_in(&server, kind, &dan), [200, 200]);
        } else {
            assert_eq!(status(&server, &dan.session), 403, "{kind}");
            assert_eq!(status(&server, &server.log_in(&dan.email, PASSWORD)), 200, "{kind}");
        }
        let delete = by_admin(&server, kind, server.delete(&dan.path("")));
        delete.send().assert_is(200, "{}");
        let statuses = ways_in(&server, kind, &dan);
        assert!(statuses.iter().all(|status| matches!(status, 401 | 403)), "{kind}: {statuses:?}");
    }
}

fn nothing_of_a_deleted_user_is_his_successors() {
    for kind in KNOWING_KINDS {
        let server = unthrottled(kind);
        let old = second_admin(&server, kind);
        by_admin(&server, kind, server.delete(&old.path(""))).send().assert_is(200, "{}");
        let body = json!({ "email": old.email, "password": "the successor's" });
        let new = by_admin(&server, kind, server.post(USERS)).json(&body).send().json();
        assert!(new["id"] != old.id && new["role"] == "user" && new["first_name"].is_null());
        let statuses = ways_in(&server, kind, &old);
        assert!(statuses.iter().all(|status| matches!(status, 401 | 403)), "{kind}: {statuses:?}");
        let gone = by_admin(&server, kind, server.get(&old.path(""))).send();
        gone.assert_error(404, "Not found");
        if kind != "basic_auth" {
            let session = server.log_in(&old.email, "the successor's");
            assert_eq!(
                [&session, &old.session].map(|id| status(&server, id)),
                [200, 403],
                "{kind}"
            );
            let listed = server.get("/api/v1/users/me/sessions").session(&session).send().json();
            assert_eq!(listed.as_array().map(Vec::len), Some(1), "{kind}");
        }
    }
}

fn what_has_ended_stays_ended_over_a_crash() {
    let server = Server::of("session_db_auth");
    let bob = || server.log_in("bob@example.com", PASSWORD);
    server.add_user("bob@example.com");
    let mut ended = Vec::new();
    let (logged_out, replaced, refreshed) = (bob(), bob(), bob());
    server.delete(LOGOUT).session(&logged_out).send().assert_is(200, "{}");
    let again = server.login(&[("email", "bob@example.com"), ("password", PASSWORD)]);
    assert_eq!(again.session(&replaced).send().status, 200);
    assert_eq!(server.post(REFRESH).session(&refreshed).send().status, 200);
    ended.extend([logged_out, replaced, refreshed]);
    let (named, others, by_password, keeps) = (bob(), bob(), bob(), bob());
    let id = server.get("/api/v1/auth_session").session(&named).send().json();
    let one = format!("/api/v1/users/me/sessions/{}", id["id"].as_str().unwrap());
    server.delete(&one).session(&keeps).send().assert_is(200, "{}");
    server.delete("/api/v1/users/me/sessions").session(&keeps).send().assert_is(200, "{}");
    assert_eq!(status(&server, &keeps), 200);
    let change = json!({ "current_password": PASSWORD, "new_password": "yet another 3" });
    let kept = server.put(MY_PASSWORD).session(&keeps).json(&change).send().session_id().unwrap();
    ended.extend([named, others, by_password, keeps]);
    let server = server.kill().start();
    assert!(ended.iter().all(|id| status(&server, id) == 403));
    assert_eq!(status(&server, &kept), 200);
    let everybodys = server.delete("/api/v1/sessions").session(&server.admin());
    everybodys.send().assert_is(200, "{}");
    let server = server.kill().start();
    assert!(ended.iter().chain([&kept]).all(|id| status(&server, id) == 403));
}

fn a_clock_set_back_brings_nothing_back() {
    let server = InProcess::with(&[]);
    let (expired, ended) = (server.admin(), server.admin());
    server.delete(LOGOUT).session(&ended).send().assert_is(200, "{}");
    server.advance(Duration::from_hours(2));
    let alive = server.admin();
    // The clock of the machine shows the time of the first login again.
    let server = server.restart(START);
    assert_eq!([&expired, &ended, &alive].map(|id| status(&server, id)), [403, 403, 200]);
    server.advance(Duration::from_hours(1));
    assert_eq!(status(&server, &alive), 403);
}

fn both_revocations_count_in_any_order() {
    for everybodys_first in [false, true] {
        let server = InProcess::with(&[]);
        let bob = Person::new(&server, "bob");
        let everybodys = || {
            let end = server.delete("/api/v1/sessions").session(&server.admin());
            end.send().assert_is(200, "{}");
        };
        let bobs = || {
            let reset = json!({ "new_password": PASSWORD, "must_change": false });
            let reset = server.put(&bob.path("/password")).session(&server.admin()).json(&reset);
            assert_eq!(reset.send().status, 200);
        };
        let steps: [&dyn Fn(); 2] =
            if everybodys_first { [&everybodys, &bobs] } else { [&bobs, &everybodys] };
        let mut sessions = vec![bob.session.clone()];
        for step in steps {
            step();
            assert!(sessions.iter().all(|id| status(&server, id) == 403), "{everybodys_first}");
            sessions.push(server.log_in(&bob.email, PASSWORD));
            assert_eq!(status(&server, &sessions[sessions.len() - 1]), 200);
        }
    }
}

fn both_limits_count() {
    for (absolute, idle, lives) in
        [("100", "10", 10), ("10", "10", 10), ("10", "0", 10), ("0", "10", 10)]
    {
        let server =
            InProcess::with(&["--session-duration", absolute, "--session-idle-timeout", idle]);
        let id = server.admin();
        server.advance(Duration::from_millis(lives * 1000 - 1));
        let before = server.admin();
        server.advance(Duration::from_millis(1));
        assert_eq!([&id, &before].map(|id| status(&server, id)), [403, 200], "{absolute} {idle}");
    }
}

fn a_role_counts_from_the_next_request_on() {
    for kind in KNOWING_KINDS {
        let server = InProcess::with(&["--auth-type", kind]);
        let dan = second_admin(&server, kind);
        let list = || {
            let list = server.get(USERS);
            let by_dan = if kind == "basic_auth" {
                list.basic(&dan.email, PASSWORD)
            } else {
                list.session(&dan.session)
            };
            by_dan.send().status
        };
        let mut seen = vec![list()];
        for role in ["user", "admin", "user"] {
            let change = server.put(&dan.path("")).json(&json!({ "role": role }));
            assert_eq!(by_admin(&server, kind, change).send().status, 200);
            seen.push(list());
        }
        assert_eq!(seen, [200, 403, 200, 403], "{kind}");
    }
}

fn only_the_whole_id_is_the_id() {
    let server = unthrottled("session_db_auth");
    let id = server.admin();
    let cut = (0..id.len()).map(|end| id[..end].to_owned());
    let behead = (1..id.len()).map(|start| id[start..].to_owned());
    let flipped = (0..id.len()).map(|at| {
        let other = if id.as_bytes()[at] == b'A' { "B" } else { "A" };
        format!("{}{other}{}", &id[..at], &id[at + 1..])
    });
    let around = ["x", "=", "==", ".", "%00", "%20", ",", "\"", "*", "\\0"];
    let around = around.iter().flat_map(|more| [format!("{id}{more}"), format!("{more}{id}")]);
    let twice =
        [format!("{id}{id}"), id.to_uppercase(), id.to_lowercase(), "*".into(), "_".repeat(43)];
    for sent in cut.chain(behead).chain(flipped).chain(around).chain(twice) {
        server.get(ME).session(&sent).send().assert_error(403, "Forbidden");
        server.get(ME).bearer(&sent).send().assert_error(403, "Forbidden");
    }
    assert_eq!(status(&server, &id), 200);
}

fn files_know_only_the_hash_of_an_id() {
    let server = Server::of("session_db_auth");
    let id = server.admin();
    let renewed = server.post(REFRESH).session(&id).send().session_id().unwrap();
    let (program, ..) = server.stop();
    let files = fs::read_dir(program.data()).unwrap().map(|entry| entry.unwrap().path());
    let content: String = files.map(|file| fs::read_to_string(file).unwrap()).collect();
    let raw = URL_SAFE_NO_PAD.decode(&renewed).unwrap();
    let raw_hex = hex(&raw);
    for secret in [id.as_str(), &renewed, &renewed[..20], &renewed[23..], &raw_hex, ADMIN_PASSWORD]
    {
        assert!(!content.contains(secret), "{secret}");
    }
    // What is looked up is the hash, and a request that sends it finds nothing.
    let stored: Value =
        serde_json::from_slice(&fs::read(program.data().join("UserSession.json")).unwrap())
            .unwrap();
    let keys: Vec<&String> = stored.as_object().unwrap().keys().collect();
    let hash = SessionId::parse(renewed.as_bytes()).unwrap().hash().to_string();
    assert_eq!(keys, [&hash]);
    let public = stored[&hash]["id"].as_str().unwrap();
    let server = program.start();
    for sent in [hash.as_str(), &hash[..43], public, &public.replace('-', "")] {
        assert_eq!([status(&server, sent), status(&server, &renewed)], [403, 200], "{sent}");
    }
}

fn remembering_is_of_one_login_and_ends() {
    let server = InProcess::with(&[]);
    let remembered = [ADMINS_LOGIN[0], ADMINS_LOGIN[1], ("remember", "1")];
    let log_in = || server.login(&remembered).send().session_id().unwrap();
    let (phone, laptop) = (log_in(), log_in());
    assert_ne!(phone, laptop);
    server.delete(LOGOUT).session(&phone).send().assert_is(200, "{}");
    assert_eq!([&phone, &laptop].map(|id| status(&server, id)), [403, 200]);
    // Whoever keeps using it, and renews its id, is asked for the password after thirty days.
    let mut session = laptop;
    for _ in 0..29 {
        server.advance(Duration::from_hours(24));
        session = server.post(REFRESH).session(&session).send().session_id().unwrap();
    }
    server.advance(Duration::from_hours(24));
    assert_eq!(status(&server, &session), 403);
}

fn no_answer_is_kept_by_a_cache() {
    let server = Server::of("session_db_auth");
    let admin = Person::admin(&server);
    let assert_not_kept = |what: &str, answer: &Answer| {
        assert_eq!(answer.headers("cache-control"), ["no-store"], "{what} {}", answer.status);
    };
    for route in protected_routes() {
        let request = || route.of(&server, &admin.id, NOBODY).json(&json!({}));
        let session = server.admin();
        for by in [request(), request().session(NO_SESSION), request().session(&session)] {
            assert_not_kept(&format!("{route:?}"), &by.send());
        }
    }
    for path in OPEN_PATHS.iter().chain(OPEN_PAGES).chain(&[
        "/",
        "/nothing",
        "/api/v1//users",
        "/api/v1/nothing",
    ]) {
        assert_not_kept(path, &server.get(path).send());
        assert_not_kept(path, &server.request("PATCH", path).send());
        let preflight = server.request("OPTIONS", path).header("Origin", "https://a.example");
        assert_not_kept(path, &preflight.header("Access-Control-Request-Method", "GET").send());
    }
    for login in [
        server.login(&ADMINS_LOGIN),
        server.login(&[("email", ADMIN), ("password", "wrong")]),
        server.post(LOGIN).body("text/plain", "x"),
        server.post(LOGIN).body("application/json", "x".repeat(70_000)),
        server.get(&format!("/api/v1/status?{}", "x".repeat(9_000))),
        server.get("/api/v1/status").header("X", &"x".repeat(17_000)),
    ] {
        assert_not_kept("", &login.send());
    }
}

fn the_name_of_the_cookie_is_compared_byte_by_byte() {
    let program = Program::of("session_db_auth").set("PUBLIC_URL", "https://id.example.com");
    let server = program.set("SESSION_NAME", "sid").start();
    let id = server.admin();
    let name = b"__Host-sid";
    let ask = |cookies: &[u8]| server.get(ME).header_bytes("Cookie", cookies).send().status;
    let pair = |name: &[u8]| [name, b"=", id.as_bytes()].concat();
    // Each of its characters encoded.
    for (at, byte) in name.iter().enumerate() {
        for encoded in [format!("%{byte:02x}"), format!("%{byte:02X}"), format!("\\x{byte:02x}")] {
            let other = [&name[..at], encoded.as_bytes(), &name[at + 1..]].concat();
            assert_eq!(ask(&pair(&other)), 401, "{encoded}");
        }
    }
    // White space that one reader trims and another does not, before it and behind it.
    for space in [
        "\u{a0}", "\u{85}", "\u{1680}", "\u{180e}", "\u{2000}", "\u{200a}", "\u{200b}", "\u{2028}",
        "\u{202f}", "\u{205f}", "\u{3000}", "\u{feff}",
    ] {
        let space = space.as_bytes();
        assert_eq!(ask(&pair(&[space, name].concat())), 401, "{space:?}");
        assert_eq!(ask(&pair(&[name, space].concat())), 401, "{space:?}");
        assert_eq!(ask(&[&name[..], b"=", space, id.as_bytes()].concat()), 403, "{space:?}");
    }
    for other in [
        &b"__host-sid"[..],
        b"__HOST-sid",
        b"__Host-SID",
        b"__Secure-sid",
        b"sid",
        b"\"__Host-sid\"",
        b"$__Host-sid",
        b"__Host-sid[]",
        b"__Host-sid[0]",
        b"x__Host-sid",
        b"__Host-sid.x",
    ] {
        assert_eq!(ask(&pair(other)), 401, "{other:?}");
    }
    assert_eq!(ask(&[b" \t", &pair(name)[..], b"\t "].concat()), 200);
}

fn a_cookie_without_a_name_is_no_other_one() {
    let server = Server::of("session_db_auth");
    let id = server.admin();
    for cookies in [
        format!("=_my_session_id={id}"),
        format!(" =_my_session_id={id}"),
        format!("==_my_session_id={id}"),
        format!("a=b; =_my_session_id={id}"),
        format!("_my_session_id {id}"),
        "_my_session_id".to_owned(),
        "=".to_owned(),
        ";".to_owned(),
    ] {
        assert_eq!(server.get(ME).cookie(&cookies).send().status, 401, "{cookies}");
    }
    // Nor does it take the place of the one that is there, or make two of it.
    let both =
        format!("=_my_session_id=junk; _my_session_id={id}; =_my_session_id=junk; _my_session_id");
    assert_eq!(server.get(ME).cookie(&both).send().status, 200);
}

fn a_logout_ends_the_session_that_was_proved() {
    for kind in SESSION_KINDS {
        let server = unthrottled(kind);
        let (bob, ann) = (Person::new(&server, "bob"), Person::new(&server, "ann"));
        let other = server.log_in(&bob.email, PASSWORD);
        let alive = || [&bob.session, &other, &ann.session].map(|id| status(&server, id));
        // Sessions of others that come along: as a second cookie, under another name, as a token.
        let names = format!(
            "_my_session_id={}; _my_session_id.2={}; sid={}",
            NO_SESSION, ann.session, other
        );
        server.delete(LOGOUT).cookie(&names).send().assert_error(403, "Forbidden");
        let both = format!("_my_session_id={}; _my_session_id={}", bob.session, ann.session);
        assert_eq!(server.delete(LOGOUT).cookie(&both).send().status, 400);
        let contradiction = server.delete(LOGOUT).session(&bob.session).bearer(&ann.session).send();
        assert_eq!((contradiction.status, alive()), (400, [200; 3]), "{kind}");
        let more = format!("_my_session_id={}; sid={}; x={}", bob.session, ann.session, other);
        server.delete(LOGOUT).cookie(&more).bearer(NO_SESSION).send().assert_is(200, "{}");
        assert_eq!(alive(), [403, 200, 200], "{kind}");
        server.delete(LOGOUT).session(&bob.session).bearer(&other).send().assert_is(200, "{}");
        assert_eq!(alive(), [403, 403, 200], "{kind}");
    }
}

fn the_age_of_a_cookie_is_bounded() {
    let year = Duration::from_hours(400 * 24).as_secs();
    for duration in ["0", "1", "86400", "315360000"] {
        let server =
            InProcess::with(&["--session-duration", duration, "--session-idle-timeout", "0"]);
        let fields = [ADMINS_LOGIN[0], ADMINS_LOGIN[1], ("remember", "1")];
        let cookie = server.login(&fields).send().header("set-cookie").unwrap().to_owned();
        let (_, age) = cookie.split_once("Max-Age=").unwrap();
        assert!((1..=year).contains(&age.parse::<u64>().unwrap()), "{duration}: {cookie}");
    }
    let id = SessionId::parse(NO_SESSION.as_bytes()).unwrap();
    for endless in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_secs(1 << 62)] {
        let cookie = SessionCookie::default().issue(&id, Some(endless)).to_string();
        assert!(cookie.contains("Max-Age="), "{cookie}");
    }
    for name in ["SESSION_DURATION", "SESSION_IDLE_TIMEOUT", "REAUTH_WINDOW"] {
        for value in ["315360001", "18446744073709551615", "99999999999999999999", "-1", "1e9"] {
            let refused = Program::of("session_db_auth").set(name, value).try_start();
            let Err((status, _)) = refused else { panic!("{name}={value} was taken") };
            assert_eq!(status.code(), Some(2), "{name}={value}");
        }
    }
}

fn dates_of_clients_are_not_parsed() {
    assert_locked("time", [0, 3, 47]);
    for (name, text) in files::sources() {
        let text = text.to_lowercase();
        assert!(!text.contains("rfc2822") && !text.contains("if_modified_since"), "{name}");
    }
    let server = Server::of("session_db_auth");
    let nested = "(".repeat(7_000);
    for name in ["If-Modified-Since", "Date", "Expires", "If-Range", "If-Unmodified-Since"] {
        for date in
            [nested.as_str(), "Thu, 01 Jan 1970 00:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 GMT"]
        {
            let answer = server.get("/api/v1/status").header(name, date).send();
            answer.assert_is(200, r#"{"status":"OK"}"#);
        }
    }
}
