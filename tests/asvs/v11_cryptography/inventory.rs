//! What the documents say of cryptography, and what is in the tree.

use std::collections::BTreeSet;

use rustls::NamedGroup;
use rustls::crypto::ring;

use crate::harness::Program;
use crate::{cargo, files, markdown, settings};

/// The sources that name one of these crates.
pub fn sources_with(crates: &[&str]) -> BTreeSet<String> {
    let names = |text: &str| {
        let paths = crates.iter().map(|name| format!("{}::", name.replace('-', "_")));
        paths.into_iter().any(|path| text.contains(&path))
    };
    let sources = files::sources().into_iter().filter(|(_, text)| names(text));
    sources.map(|(path, _)| path).collect()
}

/// The crates of cryptography that the program names itself, but for the one that wipes.
pub fn used() -> Vec<String> {
    let cryptography = cargo::cryptography();
    let used = cargo::direct().into_iter().filter(|name| cryptography.contains(name));
    used.filter(|name| name != "zeroize").collect()
}

pub fn uses_are_documented() {
    let section = files::section("docs/CONTROLS.md", "Algorithms");
    let rows = markdown::rows(&section);
    let listed = rows.iter().flat_map(|row| markdown::code(row[2]));
    let listed: BTreeSet<String> = listed.map(str::to_owned).collect();
    let used = used();
    let used: Vec<&str> = used.iter().map(String::as_str).collect();
    assert_eq!(listed, sources_with(&used));
}

pub fn costs_are_documented() {
    let section = files::section("docs/CONTROLS.md", "Algorithms");
    let cost = settings::default_of("BCRYPT_COST");
    assert!(section.contains(&format!("bcrypt at cost {cost} (`BCRYPT_COST`, 10 to 15)")));
    for cost in ["9", "16"] {
        let refused = Program::of("auth").set("BCRYPT_COST", cost).try_start().err().unwrap();
        assert!(refused.1[0].contains("from 10 to 15"), "{:?}", refused.1);
    }
}

pub fn libraries_are_documented() {
    let section = files::section("docs/CONTROLS.md", "Algorithms");
    let named: BTreeSet<String> = markdown::code(&section).map(str::to_owned).collect();
    let unnamed: Vec<String> = cargo::cryptography().difference(&named).cloned().collect();
    assert_eq!(unnamed, Vec::<String>::new());
}

/// Who is given a key says so where it makes the MAC.
pub fn keys_are_documented() {
    let keyed = |(path, text): (String, String)| {
        text.contains("Hmac::new_from_slice(&key)").then_some(path)
    };
    let keyed: Vec<String> = files::sources().into_iter().filter_map(keyed).collect();
    assert_eq!(keyed, ["auth/basic.rs"]);
    let section = files::section("docs/CONTROLS.md", "Keys");
    let keys: Vec<&str> = markdown::rows(&section).iter().map(|row| row[0]).collect();
    let expected =
        ["of Basic credentials", "of the pages", "of the certificate", "of TLS connections"];
    assert_eq!(keys, expected);
    let seals = files::sources().into_iter().filter(|(_, text)| text.contains("Key::from("));
    assert_eq!(seals.map(|(path, _)| path).collect::<Vec<_>>(), ["web/pages.rs"]);
    let tls = files::read("src/server/tls.rs");
    assert!(tls.contains("with_single_cert") && !tls.contains("ticketer"), "no keys of tickets");
}

pub fn the_plan_is_todays() {
    let plan = files::section("docs/CONTROLS.md", "Another algorithm");
    assert!(plan.contains("no hybrid key exchange yet (X25519MLKEM768)"));
    let groups = ring::default_provider().kx_groups;
    assert!(!groups.iter().any(|group| group.name() == NamedGroup::X25519MLKEM768));
    let named = "ring::default_provider()";
    assert_eq!(files::read("src/server/tls.rs").matches(named).count(), 1, "one line");
}

/// Passwords are compared by bcrypt, which does so in constant time; ids are looked up by their
/// hashes, which tell nothing of them.
pub fn secrets_are_not_compared() {
    let sources = files::sources();
    for secret in ["Password", "SessionId", "Secret"] {
        let declared = format!("pub struct {secret}(");
        let (path, text) = sources.iter().find(|(_, text)| text.contains(&declared)).unwrap();
        let (before, _) = text.split_once(&declared).unwrap();
        let attributes = before.lines().rev().take_while(|line| line.starts_with(['/', '#']));
        assert!(!attributes.collect::<String>().contains("PartialEq"), "{path}: {secret}");
        let compares = |text: &str| text.contains(&format!("PartialEq for {secret} "));
        assert!(!sources.iter().any(|(_, text)| compares(text)), "{secret}");
    }
    let bcrypt = &cargo::packages()["bcrypt"].dependencies;
    assert!(bcrypt.iter().any(|name| name == "subtle"), "{bcrypt:?}");
}

/// bcrypt and scrypt are made of ciphers; and the state of the pages is sealed with AES-256-GCM.
pub fn only_the_state_of_the_pages_is_encrypted() {
    let of_ciphers = |package: &cargo::Package| {
        let is = |name: &String| ["cipher", "aead"].contains(&name.as_str());
        package.dependencies.iter().any(is)
    };
    let ciphers = cargo::shipped().into_iter().filter(|(_, package)| of_ciphers(package));
    let ciphers: Vec<String> = ciphers.map(|(name, _)| name).collect();
    assert_eq!(ciphers, ["aes", "aes-gcm", "blowfish", "ctr", "salsa20"]);
    let shipped = cargo::shipped();
    let users =
        shipped.iter().filter(|(_, package)| package.dependencies.contains(&"aes-gcm".to_owned()));
    assert_eq!(users.map(|(name, _)| name).collect::<Vec<_>>(), ["cookie"]);
    let jar = files::read("src/web/pages.rs");
    assert!(jar.contains("CookieContentSecurity::Private"), "encrypted, not only signed");
    let ciphers = ["aes", "aes_gcm", "blowfish", "cipher", "chacha20", "ctr", "salsa20"];
    assert!(sources_with(&ciphers).is_empty());
}

pub fn sha_2_is_the_only_hash() {
    let shipped = cargo::shipped();
    for broken in ["md-5", "md5", "md4", "sha1", "sha-1", "sha1_smol", "ripemd"] {
        assert!(!shipped.contains_key(broken), "{broken}");
    }
    let deny = files::read("deny.toml");
    for refused in ["md-5", "md5", "sha1", "sha-1", "sha1_smol"] {
        assert!(deny.contains(&format!("crate = \"{refused}\"")), "{refused}");
    }
    let imports = |(path, text): (String, String)| {
        let lines = text.lines().filter(|line| line.contains("sha2::")).map(str::to_owned);
        lines.map(move |line| (path.clone(), line)).collect::<Vec<_>>()
    };
    let imports: Vec<_> = files::sources().into_iter().flat_map(imports).collect();
    assert!(imports.len() > 3, "{imports:?}");
    for (path, line) in imports {
        let known = ["use sha2::{Digest as _, Sha256};", "use sha2::Sha256;"];
        // A key for two uses has 512 bits.
        let longer = path == "app/pages_key.rs" && line == "use sha2::{Digest as _, Sha512};";
        assert!(longer || known.contains(&line.as_str()), "{path}: {line}");
    }
}
