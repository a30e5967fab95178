//! What the pages remember in the browser, and the key that seals it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, Browser, Client, PAGE, Program, Server};

const KEY: &str = "a key of the operator that nobody can guess";
const DAMAGED: &str = "pages.key: is no key; remove it, and another one is made";

/// The cookie that an answer sets for the state, if it does.
fn state_cookie(answer: &Answer) -> Option<&str> {
    let cookies = answer.headers("set-cookie");
    cookies.into_iter().find(|cookie| cookie.contains("sessiond_pages="))
}

/// The state after a visit with a way back to remember.
fn state(client: &Client) -> String {
    let browser = Browser::at(client);
    browser.open("/login?return_to=/admin");
    browser.state().unwrap()
}

/// Whether a service can read this state.
fn reads(client: &Client, state: &str) -> bool {
    let browser = Browser::at(client);
    browser.set_state(state);
    let entered = browser.log_in(ADMIN, ADMIN_PASSWORD);
    assert_eq!(entered.status, 303, "{entered:?}");
    entered.location() == Some("/admin")
}

fn mode(server: &Server) -> u32 {
    fs::metadata(server.data().join("pages.key")).unwrap().permissions().mode() & 0o777
}

#[test]
fn the_cookie_is_closed_to_scripts_and_to_other_sites() {
    let (program, pair) = Program::of("session_db_auth").over_tls();
    let over_tls = program.start();
    let plain = Server::of("session_db_auth");
    let public = Program::of("session_db_auth").set("PUBLIC_URL", "https://id.example.com").start();
    let tls = pair.client(&over_tls);
    for (client, https) in [(&*plain, false), (&tls, true), (&*public, true)] {
        let answer = client.get("/login?return_to=/admin").header("Accept", PAGE).send();
        let cookie = state_cookie(&answer).unwrap();
        let (pair, attributes) = cookie.split_once("; ").unwrap();
        let name = if https { "__Host-sessiond_pages=" } else { "sessiond_pages=" };
        assert!(pair.starts_with(name), "{cookie}");
        let mut attributes: Vec<_> = attributes.split("; ").collect();
        attributes.sort_unstable();
        let expected: &[&str] = if https {
            &["HttpOnly", "Path=/", "SameSite=Lax", "Secure"]
        } else {
            &["HttpOnly", "Path=/", "SameSite=Lax"]
        };
        // It ends with the browser, and is for this host alone.
        assert_eq!(attributes, expected, "{cookie}");
    }
}

#[test]
fn nothing_can_be_read_in_it_and_no_two_are_alike() {
    let server = Server::of("session_db_auth");
    let states = [state(&server), state(&server)];
    assert_ne!(states[0], states[1]);
    for state in states {
        let text = percent_encoding::percent_decode_str(&state).decode_utf8().unwrap();
        let decoded =
            STANDARD.decode(text.as_ref()).or_else(|_| URL_SAFE_NO_PAD.decode(text.as_ref()));
        let decoded = decoded.expect("a sealed value is base64");
        for plain in ["admin", "way_back", "return_to", "notice"] {
            assert!(!String::from_utf8_lossy(&decoded).contains(plain), "{plain}");
            assert!(!text.contains(plain), "{plain}");
        }
    }
}

#[test]
fn it_is_set_only_when_there_is_something_to_remember() {
    let server = Server::of("session_db_auth");
    for path in
        ["/login", "/login?return_to=//evil.example", "/account", "/logout", "/login/nothing"]
    {
        let answer = server.get(path).header("Accept", PAGE).send();
        assert_eq!(state_cookie(&answer), None, "{path}");
    }
    let browser = Browser::of_admin(&server);
    for path in ["/account", "/admin", "/admin/users", "/account/password"] {
        assert_eq!(state_cookie(&browser.open(path)), None, "{path}");
    }
    // What was told once is told no more, and then nothing changes.
    assert!(state_cookie(&browser.submit("/account", &[("first_name", "x")])).is_some());
    assert!(state_cookie(&browser.open("/account")).is_some());
    assert_eq!(state_cookie(&browser.open("/account")), None);
}

#[test]
fn it_lets_nobody_in_and_holds_no_secret() {
    let server = Server::of("session_db_auth");
    let browser = Browser::of_admin(&server);
    browser.submit("/account", &[("first_name", "x")]);
    let other = Browser::at(&server);
    other.set_state(&browser.state().unwrap());
    other.open("/account").leads_to("/login?return_to=%2Faccount");
    // And who is logged in needs none of it.
    browser.forget_state();
    assert_eq!(browser.open("/account").status, 200);
}

#[test]
fn garbage_in_it_is_harmless() {
    let server = Server::of("session_db_auth");
    let good = state(&server);
    let mut flipped = good.clone().into_bytes();
    let last = flipped.len() - 8;
    flipped[last] = if flipped[last] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    let cut = good[..good.len() / 2].to_owned();
    let twice = format!("{good}{good}");
    let long = "A".repeat(8_000);
    let odd =
        ["", "x", "%", "%00", "{}", "{\"way_back\":\"/admin\"}", "A===", "\u{e9}", "\"", "a=b=c"];
    let all = odd.into_iter().chain([&*flipped, &*cut, &*twice, &*long]);
    for state in all {
        assert!(!reads(&server, state), "{state}");
        let browser = Browser::at(&server);
        browser.set_state(state);
        browser.open("/login").assert_page(200);
        browser.open("/login?return_to=/admin").assert_page(200);
        browser.log_in(ADMIN, ADMIN_PASSWORD).leads_to("/admin");
        assert_eq!(browser.open("/account").notice(), None);
        let page = browser.submit("/login/confirm", &[("password", ADMIN_PASSWORD)]);
        page.leads_to("/account");
    }
    assert!(reads(&server, &good));
}

#[test]
fn the_key_is_made_once_for_its_owner_alone_and_survives_a_restart() {
    let server = Server::of("session_db_auth");
    assert_eq!(mode(&server), 0o600);
    let path = server.data().join("pages.key");
    let key = fs::read_to_string(&path).unwrap();
    assert_eq!(STANDARD.decode(key.trim_end()).unwrap().len(), 32);
    let state = state(&server);
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let server = server.kill().start();
    assert!(reads(&server, &state));
    assert_eq!((mode(&server), fs::read_to_string(&path).unwrap()), (0o600, key.clone()));
    // Without it there is another, and what was remembered is forgotten.
    let (program, ..) = server.stop();
    fs::remove_file(&path).unwrap();
    let server = program.start();
    assert!(!reads(&server, &state));
    assert_ne!(fs::read_to_string(&path).unwrap(), key);
}

#[test]
fn a_damaged_key_is_one_line_and_stays() {
    let server = Server::of("session_db_auth");
    let path = server.data().join("pages.key");
    let (mut program, ..) = server.stop();
    for damaged in ["", "x", "AAAA\n", "\u{0}\u{0}"] {
        fs::write(&path, damaged).unwrap();
        let Err((status, log)) = program.clone().try_start() else { panic!("it started") };
        assert_eq!(status.code(), Some(1), "{log:?}");
        assert_eq!(log.iter().filter(|line| line.contains("pages.key")).count(), 1, "{log:?}");
        assert!(log.last().unwrap().ends_with(DAMAGED), "{log:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), damaged);
    }
    // Who has no pages, or another key, does not need it.
    for (name, value) in [("PAGES", "off"), ("PAGES_KEY", KEY)] {
        (program, ..) = program.clone().set(name, value).start().stop();
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "\u{0}\u{0}");
}

#[test]
fn a_key_of_the_operator_makes_no_file_and_is_shared() {
    let servers = [KEY, KEY, "another key that nobody can guess either"]
        .map(|key| Program::of("session_db_auth").set("PAGES_KEY", key).start());
    let state = state(&servers[0]);
    assert_eq!(servers.each_ref().map(|server| reads(server, &state)), [true, true, false]);
    for server in servers {
        assert!(!server.data().join("pages.key").exists());
        // It is told to nobody.
        let (.., log) = server.stop();
        assert!(!log.iter().any(|line| line.contains("nobody can guess")), "{log:?}");
    }
}

#[test]
fn a_key_that_can_be_guessed_is_refused_and_not_repeated() {
    for key in ["x", "0123456789012345678901234567890"] {
        let program = Program::of("session_db_auth").set("PAGES_KEY", key);
        let Err((status, log)) = program.clone().try_start() else { panic!("it started") };
        assert_eq!((status.code(), log.len()), (Some(2), 1), "{log:?}");
        assert!(
            log[0].starts_with("sessiond: PAGES_KEY: must have at least 32 characters"),
            "{log:?}"
        );
        assert!(key.len() == 1 || !log[0].contains(key));
        assert!(!program.data().exists());
    }
    // None is none.
    let server = Program::of("session_db_auth").set("PAGES_KEY", "").start();
    assert!(server.data().join("pages.key").exists());
}

#[test]
fn commands_neither_need_the_key_nor_mind_it() {
    let server = Server::of("session_db_auth");
    let state = state(&server);
    let backup = server.program().folder().join("backup");
    let backup_to = ["backup", backup.to_str().unwrap()];
    let online = server.program().run(&backup_to, "");
    assert!(online.status.success() && online.stderr.is_empty(), "{online:?}");
    // Nothing of the pages is a record.
    let names = fs::read_dir(&backup).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(names.into_iter().all(|name| name.to_str().unwrap().starts_with("User")));
    let (program, ..) = server.stop();
    let key = fs::read(program.data().join("pages.key")).unwrap();
    let export = program.folder().join("export.json");
    let export = export.to_str().unwrap();
    for arguments in [
        &["check"][..],
        &["check", "--repair"],
        &["export", export],
        &["user", "list"],
        &["import", export],
    ] {
        let output = program.run(arguments, "");
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        // Those who are there already cannot be imported, which is another matter.
        assert!(output.status.success() || arguments[0] == "import", "{arguments:?}: {said}");
        assert!(!said.contains("pages"), "{arguments:?}: {said}");
        assert_eq!(fs::read(program.data().join("pages.key")).unwrap(), key);
    }
    let server = program.start();
    assert!(reads(&server, &state));
    assert!(!server.log().iter().any(|line| line.contains("pages.key")), "{:?}", server.log());
    // Into a directory that has nothing but a key.
    let fresh = Program::of("session_db_auth");
    fs::create_dir(fresh.data()).unwrap();
    fs::write(fresh.data().join("pages.key"), &key).unwrap();
    let imported = fresh.run(&["import", export], "");
    assert!(imported.status.success(), "{imported:?}");
    assert!(reads(&fresh.unset("ADMIN_EMAIL").unset("ADMIN_PASSWORD").start(), &state));
}
