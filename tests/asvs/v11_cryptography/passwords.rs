//! Password hashes, as they are stored and renewed.

use std::collections::BTreeMap;
use std::fs;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{hex, read};
use crate::harness::{ADMIN, ADMIN_PASSWORD, PASSWORD, Program, Server};
use crate::settings;

/// A password that bcrypt alone would cut.
const LONG: &str = "a passphrase of more than seventy-two bytes, which is what bcrypt takes of it";

/// The base64 of bcrypt.
const BCRYPT_BASE64: GeneralPurpose = GeneralPurpose::new(&base64::alphabet::BCRYPT, NO_PAD);

/// A program with the first admin, and `long@example.com` whose password is long.
fn with_a_long_password() -> Server {
    let server = Server::of("session_db_auth");
    let body = json!({ "email": "long@example.com", "password": LONG });
    assert_eq!(server.by_admin(server.post("/api/v1/users")).json(&body).send().status, 201);
    server
}

/// The stored password hashes, by the addresses of their users.
fn stored_hashes(program: &Program) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let users: Value = serde_json::from_str(&read(program, "User.json")).unwrap();
    let users = users.as_object().unwrap().values();
    users.map(|user| (text(&user["email"]), text(&user["password_hash"]))).collect()
}

pub fn stored_hashes_are_the_libraries() {
    let server = with_a_long_password();
    let id = server.admin();
    let (program, ..) = server.stop();
    let hashes = stored_hashes(&program);
    assert!(bcrypt::verify(ADMIN_PASSWORD, &hashes[ADMIN]).unwrap());
    let parts: Vec<&str> = hashes["long@example.com"].split('$').collect();
    let ["", "bcrypt-sha256", "v=2,t=2b,r=4", salt, digest] = parts[..] else {
        panic!("{parts:?}")
    };
    let mut mac = Hmac::<Sha256>::new_from_slice(salt.as_bytes()).unwrap();
    mac.update(LONG.as_bytes());
    let key = STANDARD.encode(mac.finalize().into_bytes());
    assert!(bcrypt::verify(key, &format!("$2b$04${salt}{digest}")).unwrap());
    assert!(read(&program, "UserSession.json").contains(&hex(&Sha256::digest(id))));
}

pub fn another_cost_is_renewed() {
    let (program, ..) = with_a_long_password().stop();
    let weak = stored_hashes(&program);
    assert!(weak[ADMIN].starts_with("$2b$04$"), "{weak:?}");
    let server = program.set("UNSAFE_FAST_HASH", "0").set("BCRYPT_COST", "10").start();
    server.admin();
    server.log_in("long@example.com", LONG);
    let (program, ..) = server.stop();
    let strong = stored_hashes(&program);
    assert!(strong[ADMIN].starts_with("$2b$10$"), "{strong:?}");
    assert!(strong["long@example.com"].starts_with("$bcrypt-sha256$v=2,t=2b,r=10$"), "{strong:?}");
    let server = program.start();
    server.admin();
    server.log_in("long@example.com", LONG);
}

pub fn the_classic_form_is_renewed() {
    const ID: &str = "3ea61b0b-4c46-4e76-9b2e-5f9b2b1d4c11";
    let program = Program::of("session_db_auth").unset("ADMIN_EMAIL").unset("ADMIN_PASSWORD");
    let unsalted = hex(&Sha256::digest(PASSWORD));
    let record = json!({ ID: {
        "id": ID, "email": "bob@example.com", "_password": unsalted, "first_name": null,
        "last_name": null, "created_at": "2017-09-25T01:55:17", "updated_at": "2017-09-25T01:55:17",
    } });
    let file = program.folder().join(".db_User.json");
    fs::write(&file, record.to_string()).unwrap();
    let import = program.run(&["import", &file.display().to_string()], "");
    assert!(import.status.success(), "{import:?}");
    let wrapped = stored_hashes(&program);
    assert!(wrapped["bob@example.com"].starts_with("$classic-sha256$"), "{wrapped:?}");
    assert!(!read(&program, "User.json").contains(&unsalted), "it is not kept as it was");
    let server = program.start();
    server.log_in("bob@example.com", PASSWORD);
    let (program, ..) = server.stop();
    let renewed = stored_hashes(&program);
    assert!(renewed["bob@example.com"].starts_with("$2b$"), "{renewed:?}");
}

pub fn salts_and_ids_are_long() {
    let server = with_a_long_password();
    let id = server.admin();
    assert_eq!(URL_SAFE_NO_PAD.decode(id).unwrap().len() * 8, 256);
    let (program, ..) = server.stop();
    let hashes = stored_hashes(&program);
    let part = |email: &str, number: usize| hashes[email].split('$').nth(number).unwrap();
    // $2b$cost$salt and digest; $bcrypt-sha256$parameters$salt$digest
    let salts = [&part(ADMIN, 3)[..22], part("long@example.com", 3)];
    let [short, long] = salts.map(|salt| BCRYPT_BASE64.decode(salt).unwrap());
    assert_eq!((short.len() * 8, long.len() * 8), (128, 128));
    assert_ne!(short, long);
}

pub fn damaged_hashes_refuse() {
    let server = Server::of("session_db_auth");
    server.add_user("bob@example.com");
    let (mut program, ..) = server.stop();
    let good = stored_hashes(&program)["bob@example.com"].clone();
    let untouched = read(&program, "User.json");
    for bad in ["", "$2b$04$", &good[..40], "plain text", "$2b$04$\u{e9}", "$1$salt$digest"] {
        fs::write(program.data().join("User.json"), untouched.replace(&good, bad)).unwrap();
        let server = program.start();
        for password in [PASSWORD, "", bad] {
            let login =
                server.login(&[("email", "bob@example.com"), ("password", password)]).send();
            assert!(matches!(login.status, 400 | 401), "{bad}: {login:?}");
        }
        server.admin();
        let log;
        (program, _, log) = server.stop();
        assert!(!log.iter().any(|line| line.contains("panic")), "{bad}: {log:?}");
    }
}

pub fn bcrypt_has_its_cost() {
    assert_eq!(settings::default_of("BCRYPT_COST"), "12");
    assert_eq!(settings::default_of("UNSAFE_FAST_HASH"), "0");
    let program = Program::of("session_db_auth").unset("UNSAFE_FAST_HASH");
    let server = program.start();
    server.admin();
    let (program, ..) = server.stop();
    let hashes = stored_hashes(&program);
    assert!(hashes[ADMIN].starts_with("$2b$12$"), "{hashes:?}");
    let (_, log) = program.set("BCRYPT_COST", "9").try_start().err().unwrap();
    assert!(log[0].contains("BCRYPT_COST='9'"), "{log:?}");
    // What makes it weak for tests says so.
    let (.., log) = Program::of("auth").set("UNSAFE_FAST_HASH", "1").start().stop();
    assert!(log.iter().any(|line| line.contains("WARN  UNSAFE_FAST_HASH=1")), "{log:?}");
}

pub fn absurd_costs_are_not_computed() {
    let (program, ..) = Server::of("session_db_auth").stop();
    let file = program.data().join("User.json");
    let costly = read(&program, "User.json").replace("$2b$04$", "$2b$31$");
    fs::write(file, costly).unwrap();
    let server = program.start();
    // At cost 31 this would take a day.
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send();
    login.assert_error(401, "wrong email or password");
}
