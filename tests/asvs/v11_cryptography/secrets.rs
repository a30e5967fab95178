//! What is random, and how it is kept and wiped.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::{fs, io, thread};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sessiond::app::World;
use sessiond::models::SessionId;
use sessiond::random::{Random, SystemRandom};
use sha2::{Digest as _, Sha256};

use super::inventory::sources_with;
use super::{hex, read};
use crate::harness::{ADMIN, ADMIN_PASSWORD, InProcess, PASSWORD, Server, block_on};
use crate::{faults, files};

pub fn without_randomness_nothing_is_made() {
    let (server, _, random) = faults::fallible(&[]);
    let admin = server.admin();
    random.set(true);
    let user = json!({ "email": "bob@example.com", "password": PASSWORD });
    for request in [
        server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]),
        server.post("/api/v1/auth_session/refresh").session(&admin),
        server.post("/api/v1/users").session(&admin).json(&user),
    ] {
        let answer = request.send();
        answer.assert_error(503, "Service unavailable");
        assert_eq!(answer.session_id(), None);
    }
    random.set(false);
    assert_eq!(server.get("/api/v1/stats").session(&admin).send().body, r#"{"users":1}"#);
}

pub fn sessions_are_kept_under_sha_256() {
    let server = Server::of("session_db_auth");
    let id = server.admin();
    let (program, ..) = server.stop();
    let stored: Value = serde_json::from_str(&read(&program, "UserSession.json")).unwrap();
    let keys: Vec<&String> = stored.as_object().unwrap().keys().collect();
    assert_eq!(keys, [&hex(&Sha256::digest(id))]);
    assert_eq!(keys[0].len() * 4, 256);
}

/// Gives bytes that a test knows, and remembers what it has given.
struct Counting(Mutex<Vec<Vec<u8>>>);

impl Random for Counting {
    fn fill(&self, bytes: &mut [u8]) -> io::Result<()> {
        SystemRandom.fill(bytes)?;
        self.0.lock().unwrap().push(bytes.to_vec());
        Ok(())
    }
}

pub fn ids_are_the_randomness() {
    let random = std::sync::Arc::new(Counting(Mutex::default()));
    let world = World { random: random.clone(), ..World::default() };
    let server = InProcess::in_world(&[], world);
    for renewed in [server.admin(), server.admin()] {
        let drawn = random.0.lock().unwrap().clone();
        let secret = URL_SAFE_NO_PAD.decode(renewed).unwrap();
        assert_eq!(secret.len(), 32);
        assert!(drawn.contains(&secret));
    }
    let drawn = random.0.lock().unwrap();
    assert!(drawn.iter().all(|bytes| bytes.len() >= 16), "nothing is drawn short");
}

pub fn randomness_is_the_systems() {
    assert_eq!(sources_with(&["getrandom"]), BTreeSet::from(["random.rs".to_owned()]));
    assert!(sources_with(&["rand", "fastrand", "rand_core"]).is_empty());
    let random = files::sources().into_iter().find(|(path, _)| path == "random.rs").unwrap().1;
    assert!(random.contains("getrandom::fill(bytes)"), "{random}");
    // A build for an image without device files asks the kernel directly.
    assert!(files::read("Dockerfile").contains("getrandom_backend=\"linux_getrandom\""));
}

pub fn ids_differ_under_load() {
    let draw = || {
        let ids = (0..10_000).map(|_| SessionId::generate(&SystemRandom).unwrap().hash());
        ids.collect::<Vec<_>>()
    };
    let threads: Vec<_> = (0..8).map(|_| thread::spawn(draw)).collect();
    let ids: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let different: BTreeSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), different.len()), (80_000, 80_000));
}

pub fn secrets_are_wiped() {
    let sources: BTreeMap<String, String> = files::sources().into_iter().collect();
    assert!(sources["models/password.rs"].contains("pub struct Password(Zeroizing<String>);"));
    let token = &sources["models/token.rs"];
    let (_, on_drop) = token.split_once("impl Drop for SessionId").unwrap();
    assert!(on_drop.lines().nth(2).unwrap().contains("self.0.zeroize();"), "{on_drop}");
    assert!(sources["auth/credentials.rs"].contains("Option<Zeroizing<String>>"));
    let id = SessionId::generate(&SystemRandom).unwrap();
    assert_eq!(format!("{id:?}"), "SessionId");
    let password = sessiond::models::Password::sent(PASSWORD.to_owned());
    assert_eq!(format!("{password:?}"), "Password");
    let server = InProcess::with(&[]);
    let users = block_on(server.service.accounts().users.all()).unwrap();
    let shown = format!("{users:?}");
    assert!(shown.contains(ADMIN) && !shown.contains("$2b$"), "{shown}");
}

pub fn core_dumps_are_forbidden() {
    let server = Server::of("auth");
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.process())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<&str> = core.split_whitespace().collect();
    assert_eq!(words[4..], ["0", "0", "bytes"], "{core}");
}
