//! The throttle: who may be wrong how often, and whom it must not stop.

use std::fs;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Answer, Client, Connection, InProcess, KNOWING_KINDS, PASSWORD, Program,
    Request, SESSION_KINDS, Server,
};

const NOBODY: &str = "nobody@example.com";
const WRONG: &str = "wrong password 3";
const HOME: &str = "192.0.2.1";

/// A server whose time stands still, behind a proxy that can say any address.
fn behind_proxy(kind: &str) -> InProcess {
    InProcess::with(&["--auth-type", kind, "--trusted-proxies", "127.0.0.1"])
}

fn login(client: &Client, email: &str, password: &str) -> Request {
    client.login(&[("email", email), ("password", password)])
}

/// An attempt to get in, in the way of a kind.
fn attempt(client: &Client, kind: &str, email: &str, password: &str) -> Request {
    match kind {
        "basic_auth" => client.get("/api/v1/users/me").basic(email, password),
        _ => login(client, email, password),
    }
}

fn from(request: Request, address: &str) -> Request {
    request.header("X-Forwarded-For", address)
}

fn stranger(n: usize) -> String {
    format!("203.0.{}.{}", n / 256, n % 256)
}

/// How often these requests are refused as wrong until one is refused unexamined.
#[track_caller]
fn mistakes(mut request: impl FnMut() -> Request) -> usize {
    let mut wrong = 0;
    loop {
        let answer = request().send();
        match answer.status {
            401 | 403 => wrong += 1,
            _ => {
                wait_of(&answer);
                return wrong;
            }
        }
        assert!(wrong < 2_000, "no end");
    }
}

/// Holds that this is the answer to too many attempts, and tells after what time to try again.
#[track_caller]
fn wait_of(answer: &Answer) -> Duration {
    answer.assert_error(429, "Too many attempts, try again later");
    let seconds: u64 = answer.header("retry-after").unwrap().parse().unwrap();
    assert!(seconds >= 1 && answer.header("set-cookie").is_none(), "{answer:?}");
    Duration::from_secs(seconds)
}

fn session_ids() -> impl Iterator<Item = String> {
    (0_u64..).map(|n| URL_SAFE_NO_PAD.encode([[0; 8], [1; 8], [2; 8], n.to_be_bytes()].concat()))
}

#[test]
fn there_is_room_for_twelve_mistakes_and_known_and_unknown_accounts_are_refused_alike() {
    for kind in KNOWING_KINDS {
        let server = behind_proxy(kind);
        let [known, unknown] = [ADMIN, NOBODY].map(|email| {
            let wrong = || attempt(&server, kind, email, WRONG);
            assert_eq!(mistakes(wrong), 12, "{kind} {email}");
            wrong().send()
        });
        // Also a right password is not looked at.
        wait_of(&attempt(&server, kind, ADMIN, ADMIN_PASSWORD).send());
        let headers = |answer: &Answer| {
            let told = answer.headers.iter().filter(|(name, _)| name != "x-request-id");
            told.cloned().collect::<Vec<_>>()
        };
        assert_eq!((known.status, &known.body), (unknown.status, &unknown.body), "{kind}");
        assert_eq!(headers(&known), headers(&unknown), "{kind}");
    }
}

#[test]
fn the_time_that_is_told_is_enough_and_the_limit_holds_again_after_it() {
    for kind in KNOWING_KINDS {
        let server = behind_proxy(kind);
        let wrong = || attempt(&server, kind, NOBODY, WRONG);
        assert_eq!(mistakes(wrong), 12);
        for _ in 0..3 {
            server.advance(wait_of(&wrong().send()));
            assert_eq!(mistakes(wrong), 1, "{kind}");
        }
        server.advance(Duration::from_mins(1));
        assert_eq!(mistakes(wrong), 12, "{kind}");
        server.advance(wait_of(&attempt(&server, kind, NOBODY, WRONG).send()));
        assert_ne!(wrong().send().status, 429);
    }
}

#[test]
fn every_spelling_of_an_address_shares_one_budget() {
    for kind in KNOWING_KINDS {
        let server = behind_proxy(kind);
        for email in [ADMIN, NOBODY] {
            let upper = email.to_uppercase();
            let mixed = format!("{}{}", &upper[..5], &email[5..]);
            let mut spellings = [email, &upper, &mixed].into_iter().cycle();
            let wrong = || attempt(&server, kind, spellings.next().unwrap(), WRONG);
            assert_eq!(mistakes(wrong), 12, "{kind} {email}");
        }
    }
}

#[test]
fn all_ways_of_sending_a_login_share_one_budget() {
    let server = behind_proxy("session_db_auth");
    let json = serde_json::json!({ "email": ADMIN, "password": WRONG });
    let parts = [("email", ADMIN), ("password", WRONG)].map(|(name, value)| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    });
    let multipart = format!("{}--x--\r\n", parts.concat());
    let mut count = 0;
    let wrong = || {
        count += 1;
        match count % 4 {
            0 => login(&server, ADMIN, WRONG),
            1 => server.post("/api/v1/auth_session/login/").json(&json),
            2 => server.post("/api/v1/auth_session/login?x=1").json(&json),
            _ => server
                .post("/api/v1/auth_session/login")
                .body("multipart/form-data; boundary=x", multipart.clone()),
        }
    };
    assert_eq!(mistakes(wrong), 12);
}

#[test]
fn proofs_in_a_session_share_the_budget_of_logins() {
    let server = behind_proxy("session_db_auth");
    let session = server.admin();
    let wrong = serde_json::json!({ "current_password": WRONG, "new_password": PASSWORD });
    let mut count = 0;
    let proof = || {
        count += 1;
        match count % 3 {
            0 => login(&server, ADMIN, WRONG),
            1 => server
                .post("/api/v1/auth_session/reauth")
                .session(&session)
                .form(&[("password", WRONG)]),
            _ => server.put("/api/v1/users/me/password").session(&session).json(&wrong),
        }
    };
    assert_eq!(mistakes(proof), 12);
    server.advance(Duration::from_mins(16));
    let path = "/api/v1/users/me/sessions";
    let stale = || server.delete(path).session(&session).json(&wrong);
    assert_eq!(mistakes(stale), 12, "a fresh proof for another matter");
}

#[test]
fn guesses_side_by_side_are_no_more_than_guesses_in_a_row() {
    for kind in KNOWING_KINDS {
        let server = behind_proxy(kind);
        let guesses: Vec<Connection> = (0..40)
            .map(|n| attempt(&server, kind, ADMIN, &format!("{WRONG} {n}")).start())
            .collect();
        let answers: Vec<Answer> = guesses.into_iter().map(Connection::finish).collect();
        let examined = answers.iter().filter(|answer| answer.status != 429).count();
        assert_eq!(examined, 12, "{kind}");
    }
}

#[test]
fn right_passwords_side_by_side_are_all_let_in() {
    let server = behind_proxy("session_db_auth");
    let logins: Vec<Connection> =
        (0..40).map(|_| login(&server, ADMIN, ADMIN_PASSWORD).start()).collect();
    for login in logins {
        assert_eq!(login.finish().status, 200);
    }
}

#[test]
fn a_right_password_makes_up_for_the_mistakes_before_it() {
    for kind in KNOWING_KINDS {
        let server = behind_proxy(kind);
        for _ in 0..10 {
            for _ in 0..11 {
                assert_ne!(attempt(&server, kind, ADMIN, WRONG).send().status, 429, "{kind}");
            }
            // Another credential than that which is remembered.
            let spelled = ADMIN.to_uppercase();
            assert_eq!(attempt(&server, kind, &spelled, ADMIN_PASSWORD).send().status, 200);
            server.advance(Duration::from_secs(61));
        }
    }
}

#[test]
fn a_stranger_cannot_lock_the_owner_out_of_his_network() {
    for kind in KNOWING_KINDS {
        let server = behind_proxy(kind);
        let own = || from(attempt(&server, kind, ADMIN, ADMIN_PASSWORD), HOME).send().status;
        assert_eq!(own(), 200);
        let one = || from(attempt(&server, kind, ADMIN, WRONG), "203.0.113.1");
        assert_eq!(mistakes(one), 12);
        server.advance(Duration::from_secs(61));
        assert_eq!(own(), 200, "{kind}: one stranger");
        let mut networks = (0..).map(stranger);
        let many = || from(attempt(&server, kind, ADMIN, WRONG), &networks.next().unwrap());
        assert_eq!(mistakes(many), 36, "{kind}: 48 with the twelve before");
        // Another spelling, since Basic remembers the credential for a minute.
        let spelled = ADMIN.to_uppercase();
        wait_of(&from(attempt(&server, kind, &spelled, ADMIN_PASSWORD), "198.51.100.7").send());
        server.advance(Duration::from_secs(61));
        assert_eq!(own(), 200, "{kind}: many strangers");
        let mistake = from(attempt(&server, kind, ADMIN, WRONG), HOME).send();
        assert_ne!(mistake.status, 429, "he may even be wrong");
    }
}

#[test]
fn unknown_accounts_run_dry_like_known_ones_from_many_networks() {
    for email in [ADMIN, NOBODY] {
        let server = behind_proxy("session_db_auth");
        let mut networks = (0..).map(stranger);
        let wrong = || from(login(&server, email, WRONG), &networks.next().unwrap());
        assert_eq!(mistakes(wrong), 48, "{email}");
        let wait = wait_of(&from(login(&server, email, WRONG), HOME).send());
        assert_eq!(wait, Duration::from_mins(30), "{email}");
        server.advance(wait);
        assert_eq!(from(login(&server, email, WRONG), HOME).send().status, 401, "{email}");
    }
}

#[test]
fn a_live_session_goes_on_while_its_owner_is_locked_out() {
    for kind in SESSION_KINDS {
        let server = behind_proxy(kind);
        let session = server.admin();
        mistakes(|| login(&server, ADMIN, WRONG));
        wait_of(&login(&server, ADMIN, ADMIN_PASSWORD).send());
        let me = || server.get("/api/v1/users/me");
        assert_eq!(me().session(&session).send().status, 200, "{kind}");
        assert_eq!(me().bearer(&session).send().status, 200, "{kind}");
    }
}

#[test]
fn one_password_on_many_accounts_exhausts_the_network() {
    for kind in KNOWING_KINDS {
        let server = behind_proxy(kind);
        let mut accounts = (0..).map(|n| format!("{n}@example.com"));
        let mut spray = || from(attempt(&server, kind, &accounts.next().unwrap(), PASSWORD), HOME);
        assert_eq!(mistakes(&mut spray), 96, "{kind}");
        server.advance(Duration::from_secs(1));
        assert_eq!(mistakes(&mut spray), 1, "{kind}");
        let elsewhere = from(attempt(&server, kind, ADMIN, ADMIN_PASSWORD), "198.51.100.7");
        assert_eq!(elsewhere.send().status, 200, "{kind}");
    }
}

#[test]
fn remembered_credentials_pass_whatever_else_is_refused() {
    let server = behind_proxy("basic_auth");
    let me = |password: &str| server.get("/api/v1/users/me").basic(ADMIN, password);
    assert_eq!(me(ADMIN_PASSWORD).send().status, 200);
    assert_eq!(mistakes(|| me(WRONG)), 12);
    assert_eq!(me(ADMIN_PASSWORD).send().status, 200);
    server.advance(Duration::from_secs(61));
    mistakes(|| me(WRONG));
    wait_of(&me(ADMIN_PASSWORD).send());
}

#[test]
fn networks_are_ipv4_addresses_and_halves_of_ipv6_addresses() {
    let server = behind_proxy("session_db_auth");
    let mut hosts = (0..).map(|n| format!("2001:db8:0:1:{n:x}::{n:x}"));
    let wrong = || from(login(&server, NOBODY, WRONG), &hosts.next().unwrap());
    assert_eq!(mistakes(wrong), 12);
    let from_there = |address: &str| from(login(&server, NOBODY, WRONG), address).send().status;
    assert_eq!(from_there("2001:db8:0:2::1"), 401);
    assert_eq!(mistakes(|| from(login(&server, NOBODY, WRONG), "::ffff:192.0.2.1")), 12);
    assert_eq!(from_there("192.0.2.1"), 429);
    assert_eq!(from_there("[::ffff:c000:201]:80"), 429);
    assert_eq!(from_there("192.0.2.2"), 401);
}

#[test]
fn an_address_that_a_client_claims_changes_nothing() {
    for (proxies, names) in [
        ("", &["X-Forwarded-For", "Forwarded", "X-Real-IP"][..]),
        ("198.51.100.0/24", &["X-Forwarded-For"]),
        (
            "127.0.0.1",
            &["Forwarded", "X-Real-IP", "X_Forwarded_For", "X-Client-IP", "CF-Connecting-IP"],
        ),
    ] {
        for kind in ["basic_auth", "session_db_auth"] {
            let server = InProcess::with(&["--auth-type", kind, "--trusted-proxies", proxies]);
            let mut addresses = (0..).map(stranger);
            let wrong = || {
                let claimed = addresses.next().unwrap();
                let request = attempt(&server, kind, NOBODY, WRONG);
                names.iter().fold(request, |request, name| {
                    let is_standard = *name == "Forwarded";
                    let value =
                        if is_standard { format!("for={claimed}") } else { claimed.clone() };
                    request.header(name, &value)
                })
            };
            assert_eq!(mistakes(wrong), 12, "{kind} {proxies}");
        }
    }
}

#[test]
fn behind_a_trusted_proxy_only_what_the_proxy_wrote_counts() {
    let server = behind_proxy("session_db_auth");
    let mut claims = (0..).map(stranger);
    let wrong = || {
        let claimed = claims.next().unwrap();
        let request = login(&server, NOBODY, WRONG).header("X-Forwarded-For", &claimed);
        request.header("X-Forwarded-For", &format!("{claimed}, {HOME}"))
    };
    assert_eq!(mistakes(wrong), 12);
}

#[test]
fn a_session_tells_the_address_behind_the_proxy() {
    let server = behind_proxy("session_db_auth");
    assert_eq!(from(login(&server, ADMIN, ADMIN_PASSWORD), "203.0.113.77").send().status, 200);
    let journal = fs::read_to_string(server.data().join("UserSession.journal")).unwrap();
    assert!(journal.contains("\"203.0.113.77\""), "{journal}");
}

#[test]
fn many_unknown_session_ids_in_a_row_are_throttled_and_live_ones_never() {
    for kind in SESSION_KINDS {
        let server = behind_proxy(kind);
        let session = server.admin();
        let me = || server.get("/api/v1/users/me");
        let mut ids = session_ids();
        let mut guess = || me().session(&ids.next().unwrap());
        assert_eq!(mistakes(&mut guess), 120, "{kind}");
        let mut more = session_ids().skip(1_000);
        wait_of(&me().bearer(&more.next().unwrap()).send());
        assert_eq!(me().session(&session).send().status, 200, "{kind}");
        assert_eq!(login(&server, ADMIN, ADMIN_PASSWORD).send().status, 200, "{kind}");
        let elsewhere = from(me().session(&more.next().unwrap()), "198.51.100.7");
        elsewhere.send().assert_error(403, "Forbidden");
        server.advance(Duration::from_secs(1));
        assert_eq!(mistakes(&mut guess), 2, "{kind}: two a second from here on");
    }
}

#[test]
fn what_has_not_the_form_of_a_session_id_is_not_counted() {
    let server = behind_proxy("session_db_auth");
    let id = session_ids().next().unwrap();
    for _ in 0..130 {
        for junk in [&id[1..], &format!("{id}A"), &id.replacen('A', "%", 1), "junk"] {
            server.get("/api/v1/users").session(junk).send().assert_error(403, "Forbidden");
        }
    }
    let basic = behind_proxy("basic_auth");
    for id in session_ids().take(130) {
        basic.get("/api/v1/users").session(&id).send().assert_error(403, "Forbidden");
    }
}

#[test]
fn the_number_of_mistakes_can_be_set() {
    let server = InProcess::with(&["--login-attempts", "3", "--trusted-proxies", "127.0.0.1"]);
    assert_eq!(mistakes(|| login(&server, ADMIN, WRONG)), 3);
    let mut accounts = (0..).map(|n| format!("{n}@example.com"));
    let spray = || from(login(&server, &accounts.next().unwrap(), PASSWORD), HOME);
    assert_eq!(mistakes(spray), 24);
}

#[test]
fn without_the_throttle_everybody_may_guess() {
    for kind in KNOWING_KINDS {
        let server = InProcess::with(&["--auth-type", kind, "--login-throttle", "off"]);
        for _ in 0..130 {
            assert_ne!(attempt(&server, kind, ADMIN, WRONG).send().status, 429);
        }
        for id in session_ids().take(130) {
            server.get("/api/v1/users").session(&id).send().assert_error(403, "Forbidden");
        }
        assert_eq!(attempt(&server, kind, ADMIN, ADMIN_PASSWORD).send().status, 200, "{kind}");
    }
}

#[test]
fn the_security_log_has_a_line_for_each_attempt() {
    let server = Program::of("session_db_auth").set("LOGIN_ATTEMPTS", "2").start();
    let session = server.admin();
    login(&server, ADMIN, WRONG).send();
    server.admin();
    assert_eq!(mistakes(|| login(&server, ADMIN, WRONG)), 2);
    for id in session_ids().take(3) {
        server.get("/api/v1/users").session(&id).send();
    }
    server.get("/api/v1/users").session("junk").send();
    server.get("/api/v1/users").session(&session).send();
    let (.., log) = server.stop();
    let count = |event: &str| log.iter().filter(|line| line.contains(event)).count();
    assert_eq!(count("event=authn_login_success "), 1);
    assert_eq!(count("event=authn_login_successafterfail "), 1);
    assert_eq!(count("event=authn_login_fail "), 3);
    assert_eq!(count("event=excess_rate_limit_exceeded "), 1);
    assert_eq!(count("event=authn_token_unknown "), 3);
}

#[test]
fn a_proxy_that_is_not_trusted_is_warned_of_once() {
    let warnings = |server: Server| {
        for n in 0..3 {
            from(login(&server, NOBODY, WRONG), &stranger(n)).send();
        }
        let (.., log) = server.stop();
        log.iter().filter(|line| line.contains("not in TRUSTED_PROXIES")).count()
    };
    assert_eq!(warnings(Server::of("session_db_auth")), 1);
    let trusting = Program::of("session_db_auth").set("TRUSTED_PROXIES", "127.0.0.1");
    assert_eq!(warnings(trusting.start()), 0);
}
