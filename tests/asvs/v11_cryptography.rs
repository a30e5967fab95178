//! Cryptography.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::sync::Mutex;
use std::{io, thread};

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::NamedGroup;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};
use serde_json::{Value, json};
use sessiond::app::World;
use sessiond::models::SessionId;
use sessiond::random::{Random, SystemRandom};
use sha2::{Digest as _, Sha256};

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Client, InProcess, PASSWORD, Pair, Program, Server, block_on,
};
use crate::registry::{Chapter, requirement};
use crate::{cargo, faults, files, markdown, settings};

pub const CHAPTER: Chapter = Chapter {
    title: "V11 Cryptography",
    rows: &[
        requirement("11.1.1", 2, "Key policy and life cycle").documented(
            "docs/CONTROLS.md#keys",
            &[("the keys are those that the sources use", keys_are_documented)],
        ),
        requirement("11.1.2", 2, "Inventory of keys, algorithms, certificates").documented(
            "docs/CONTROLS.md#algorithms",
            &[
                ("each source that uses cryptography is listed", uses_are_documented),
                ("the costs are those of the settings", costs_are_documented),
            ],
        ),
        requirement("11.1.3", 3, "Discovery of cryptography").documented(
            "docs/CONTROLS.md#algorithms",
            &[("each crate of cryptography in the tree is named", libraries_are_documented)],
        ),
        requirement("11.1.4", 3, "Migration plan (post-quantum)").documented(
            "docs/CONTROLS.md#another-algorithm",
            &[("there is no hybrid key exchange as long as it says so", the_plan_is_todays)],
        ),
        requirement("11.2.1", 2, "Validated implementations").tested(&[(
            "what is stored is what the named libraries make",
            stored_hashes_are_the_libraries,
        )]),
        requirement("11.2.2", 2, "Agility").tested(&[
            ("a login renews a hash of another cost", another_cost_is_renewed),
            ("a login renews a hash of the classic form", the_classic_form_is_renewed),
        ]),
        requirement("11.2.3", 2, ">= 128 bits everywhere")
            .tested(&[("salts have 128 bits and ids 256", salts_and_ids_are_long)]),
        requirement("11.2.4", 3, "Constant time")
            .tested(&[("secrets have no comparison of their own", secrets_are_not_compared)]),
        requirement("11.2.5", 3, "Crypto fails closed").tested(&[
            ("a stored text that is no hash is nobody's password", damaged_hashes_refuse),
            ("without randomness nothing secret is made", without_randomness_nothing_is_made),
        ]),
        requirement("11.3.1", 1, "No weak modes")
            .tested(&[("no library of ciphers and modes is built in", nothing_encrypts)]),
        requirement("11.3.2", 1, "Approved ciphers").tested(&[
            ("TLS has AES-GCM and ChaCha20-Poly1305, and nothing else", ciphers_are_approved),
            ("no library of ciphers and modes is built in", nothing_encrypts),
        ]),
        requirement("11.3.3", 2, "Encrypted data cannot be changed unnoticed")
            .not_applicable("nothing is encrypted by the service itself"),
        requirement("11.3.4", 3, "Nonces are never used twice")
            .not_applicable("nothing is encrypted by the service itself"),
        requirement("11.3.5", 3, "Encrypt, then authenticate")
            .not_applicable("nothing is encrypted by the service itself"),
        requirement("11.4.1", 1, "No MD5/SHA-1")
            .tested(&[("SHA-256 is the only general hash", sha_256_is_the_only_hash)]),
        requirement(
            "11.4.2",
            2,
            "Password KDF with current cost (bcrypt >= 10; Argon2id 19 MiB t=2; ...)",
        )
        .tested(&[
            ("bcrypt has cost 12, and never less than 10", bcrypt_has_its_cost),
            ("a stored hash of absurd cost is not computed", absurd_costs_are_not_computed),
        ]),
        requirement("11.4.3", 2, "Collision-resistant hashes >= 256 bits")
            .tested(&[("a session is kept under all 256 bits", sessions_are_kept_under_sha_256)]),
        requirement("11.4.4", 2, "Stretched KDF when deriving keys from passwords")
            .not_applicable("no key is derived from a password"),
        requirement("11.5.1", 2, "Unguessable values: CSPRNG, >= 128 bits, not UUIDs").tested(&[
            ("a session id is what the randomness gave, and all of it", ids_are_the_randomness),
            ("all randomness is the system's", randomness_is_the_systems),
        ]),
        requirement("11.5.2", 3, "RNG good under load")
            .tested(&[("ids drawn on many threads at once all differ", ids_differ_under_load)]),
        requirement("11.6.1", 2, "Approved key generation and signatures").operators(
            "docs/CONTROLS.md#keys",
            &[
                ("P-256, P-384 and Ed25519 sign, RSA of 1024 bits does not", keys_are_approved),
                ("the service makes no key pairs", no_key_pairs_are_made),
            ],
        ),
        requirement("11.6.2", 3, "Approved key exchange").tested(&[(
            "keys are exchanged over X25519, P-256 and P-384, and nothing else",
            exchanges_are_approved,
        )]),
        requirement("11.7.1", 3, "Memory is encrypted while in use")
            .not_applicable("the machine's, and so its operator's"),
        requirement("11.7.2", 3, "Minimal exposure in memory").tested(&[
            ("passwords and ids are wiped, and cannot be printed", secrets_are_wiped),
            ("the program forbids core dumps", core_dumps_are_forbidden),
        ]),
    ],
};

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

fn read(program: &Program, file: &str) -> String {
    fs::read_to_string(program.data().join(file)).unwrap()
}

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// The sources that name one of these crates.
fn sources_with(crates: &[&str]) -> BTreeSet<String> {
    let names = |text: &str| {
        let paths = crates.iter().map(|name| format!("{}::", name.replace('-', "_")));
        paths.into_iter().any(|path| text.contains(&path))
    };
    let sources = files::sources().into_iter().filter(|(_, text)| names(text));
    sources.map(|(path, _)| path).collect()
}

/// The crates of cryptography that the program names itself, but for the one that wipes.
fn used() -> Vec<String> {
    let cryptography = cargo::cryptography();
    let used = cargo::direct().into_iter().filter(|name| cryptography.contains(name));
    used.filter(|name| name != "zeroize").collect()
}

fn uses_are_documented() {
    let section = files::section("docs/CONTROLS.md", "Algorithms");
    let rows = markdown::rows(&section);
    let listed = rows.iter().flat_map(|row| markdown::code(row[2]));
    let listed: BTreeSet<String> = listed.map(str::to_owned).collect();
    let used = used();
    let used: Vec<&str> = used.iter().map(String::as_str).collect();
    assert_eq!(listed, sources_with(&used));
}

fn costs_are_documented() {
    let section = files::section("docs/CONTROLS.md", "Algorithms");
    let cost = settings::default_of("BCRYPT_COST");
    assert!(section.contains(&format!("bcrypt at cost {cost} (`BCRYPT_COST`, 10 to 15)")));
    for cost in ["9", "16"] {
        let refused = Program::of("auth").set("BCRYPT_COST", cost).try_start().err().unwrap();
        assert!(refused.1[0].contains("from 10 to 15"), "{:?}", refused.1);
    }
}

fn libraries_are_documented() {
    let section = files::section("docs/CONTROLS.md", "Algorithms");
    let named: BTreeSet<String> = markdown::code(&section).map(str::to_owned).collect();
    let unnamed: Vec<String> = cargo::cryptography().difference(&named).cloned().collect();
    assert_eq!(unnamed, Vec::<String>::new());
}

/// Who is given a key says so where it makes the MAC.
fn keys_are_documented() {
    let keyed =
        |(path, text): (String, String)| text.contains("new_from_slice(&self.key)").then_some(path);
    let keyed: Vec<String> = files::sources().into_iter().filter_map(keyed).collect();
    assert_eq!(keyed, ["auth/basic.rs"]);
    let section = files::section("docs/CONTROLS.md", "Keys");
    let keys: Vec<&str> = markdown::rows(&section).iter().map(|row| row[0]).collect();
    assert_eq!(keys, ["of Basic credentials", "of the certificate", "of TLS connections"]);
    let tls = files::read("src/server/tls.rs");
    assert!(tls.contains("with_single_cert") && !tls.contains("ticketer"), "no keys of tickets");
}

fn the_plan_is_todays() {
    let plan = files::section("docs/CONTROLS.md", "Another algorithm");
    assert!(plan.contains("no hybrid key exchange yet (X25519MLKEM768)"));
    let groups = ring::default_provider().kx_groups;
    assert!(!groups.iter().any(|group| group.name() == NamedGroup::X25519MLKEM768));
    let named = "ring::default_provider()";
    assert_eq!(files::read("src/server/tls.rs").matches(named).count(), 1, "one line");
}

fn ciphers_are_approved() {
    let section = files::section("docs/CONTROLS.md", "Algorithms");
    assert!(section.contains("AES-256-GCM, AES-128-GCM or ChaCha20-Poly1305"));
    for suite in ring::default_provider().cipher_suites {
        let name = suite.suite().as_str().unwrap().to_owned();
        let known = ["AES_256_GCM", "AES_128_GCM", "CHACHA20_POLY1305"];
        assert!(known.iter().any(|cipher| name.contains(cipher)), "{name}");
    }
    // The service has no others: what it is made with is the library's, as it is.
    let tls = files::read("src/server/tls.rs");
    assert!(tls.contains("builder_with_provider(Arc::new(ring::default_provider()))"));
}

/// Logs in over TLS.
fn handshake(server: &Server, pair: &Pair, provider: CryptoProvider) -> Option<NamedGroup> {
    let client = Client::over_tls(server.address, pair.trust(provider, rustls::ALL_VERSIONS));
    client.admin();
    let mut connection = client.connect();
    let tls = connection.handshake().unwrap();
    tls.negotiated_key_exchange_group().map(SupportedKxGroup::name)
}

fn exchanges_are_approved() {
    let (program, pair) = Program::of("session_db_auth").over_tls();
    let server = program.start();
    let known = [NamedGroup::X25519, NamedGroup::secp256r1, NamedGroup::secp384r1];
    let groups: Vec<NamedGroup> =
        ring::default_provider().kx_groups.iter().map(|group| group.name()).collect();
    assert_eq!(groups, known);
    for name in known {
        let mut provider = ring::default_provider();
        provider.kx_groups.retain(|group| group.name() == name);
        assert_eq!(handshake(&server, &pair, provider), Some(name));
    }
    let section = files::section("docs/CONTROLS.md", "Algorithms");
    assert!(section.contains("X25519, P-256 or P-384"));
}

/// An RSA key of 1024 bits that was made for this test.
const SHORT_KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIICdwIBADANBgkqhkiG9w0BAQEFAASCAmEwggJdAgEAAoGBANPqRQJafuAkYjhy
rui4INGm5CBZTqedInZl3FjLLXJqun8Op913GG3TpfV5it0sDDSWOf93JUW0Bo0F
C/fuuiZw/PHdHfnMG8lsBK49UUqZjM71aFddpLvaDeEdGOYhxKGSQYw1HjSAKGxg
pOYY8btSZAS3Z+6fkRyVNAbi9mtJAgMBAAECgYAzX8f7GhVIIYnuRV9B6+GI8fy8
GuqGmAGS0n7ox9jstBMiWls3xXeWqIjDSgPwOo168jB9TlUq4Mn1xhNwt99IoX5c
YIv9GiFGafMNlvCPLl4NZqFEZr3M4OBCtUX/jY8YTrQmxfkRpx7ZOcZ6MtNs6zeR
A/7qjDaA5boYzpZkQQJBAPBq5ZFKrXWqMRFxZo8zPFivTuCcOHganM055WJqtu8T
PGKIEbbmhdB9+Jw8nMgtKCcHoElaY/6euT6V+JesJqsCQQDhpnLrh4qgt7WQC8+j
1cWR3EeL7K8jYI5xav/D0jMB/Vpk46uSEi2F5LXiUUcaaMzwglmscVXbc5g/wOIR
0AXbAkEAs8VrBbqOfBaX/FAMfXW1YSctVvzZqM1VhIwPPwlG4vxCQfc3L8muM9mO
Rd146qIBjTXBoDgL33/2Sps/uMJMYwJBAJnbspQiMUXwvV3gj834XuRbvHUOB0Up
+zYebRKKark6lL4h9sR8nImlLteH7+Fz//kmCBrqlE4z/WXLENpwau0CQBjIMJ/b
/NgUMYTgFPF4KAKy+7WL0KfvJGteAJbxcoGHX4R+W2Y1aMgfETPmDo5M7OwTJzzt
ZDouwAcIwsQldBg=
-----END PRIVATE KEY-----
";

fn keys_are_approved() {
    for kind in [&PKCS_ECDSA_P256_SHA256, &PKCS_ECDSA_P384_SHA384, &PKCS_ED25519] {
        let program = Program::of("session_db_auth");
        let key = KeyPair::generate_for(kind).unwrap();
        let pair = Pair::of_key(&program, "server", &key, |_| {});
        let server = program.with_tls(&pair).start();
        handshake(&server, &pair, ring::default_provider());
    }
    let (program, pair) = Program::of("auth").over_tls();
    fs::write(&pair.key, SHORT_KEY).unwrap();
    let (_, log) = program.try_start().err().unwrap();
    assert!(log[0].contains("must be RSA of 2048 to 4096 bits"), "{log:?}");
}

fn no_key_pairs_are_made() {
    let shipped = cargo::shipped();
    for maker in ["rcgen", "rsa", "p256", "ed25519-dalek", "openssl"] {
        assert!(!shipped.contains_key(maker), "{maker}");
    }
    let text: String = files::sources().into_iter().map(|(_, text)| text).collect();
    assert!(!text.contains("generate_pkcs8") && !text.contains("KeyPair"));
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

fn the_classic_form_is_renewed() {
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

fn salts_and_ids_are_long() {
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

/// Passwords are compared by bcrypt, which does so in constant time; ids are looked up by their
/// hashes, which tell nothing of them.
fn secrets_are_not_compared() {
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

fn damaged_hashes_refuse() {
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

fn without_randomness_nothing_is_made() {
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

fn nothing_encrypts() {
    let of_ciphers = |package: &cargo::Package| {
        let is = |name: &String| ["cipher", "aead"].contains(&name.as_str());
        package.dependencies.iter().any(is)
    };
    let ciphers = cargo::shipped().into_iter().filter(|(_, package)| of_ciphers(package));
    let ciphers: Vec<String> = ciphers.map(|(name, _)| name).collect();
    assert_eq!(ciphers, ["blowfish"], "which bcrypt is made of");
    assert!(sources_with(&["blowfish", "cipher", "chacha20"]).is_empty());
}

fn sha_256_is_the_only_hash() {
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
        assert!(known.contains(&line.as_str()), "{path}: {line}");
    }
}

pub fn bcrypt_has_its_cost() {
    assert_eq!(settings::default_of("BCRYPT_COST"), "12");
    assert_eq!(settings::default_of("UNSAFE_FAST_HASH"), "0");
    let program = Program::of("session_db_auth").unset("UNSAFE_FAST_HASH");
    let (program, ..) = program.start().stop();
    let hashes = stored_hashes(&program);
    assert!(hashes[ADMIN].starts_with("$2b$12$"), "{hashes:?}");
    let (_, log) = program.set("BCRYPT_COST", "9").try_start().err().unwrap();
    assert!(log[0].contains("BCRYPT_COST='9'"), "{log:?}");
    // What makes it weak for tests says so.
    let (.., log) = Program::of("auth").set("UNSAFE_FAST_HASH", "1").start().stop();
    assert!(log.iter().any(|line| line.contains("WARN  UNSAFE_FAST_HASH=1")), "{log:?}");
}

fn absurd_costs_are_not_computed() {
    let (program, ..) = Server::of("session_db_auth").stop();
    let file = program.data().join("User.json");
    let costly = read(&program, "User.json").replace("$2b$04$", "$2b$31$");
    fs::write(file, costly).unwrap();
    let server = program.start();
    // At cost 31 this would take a day.
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send();
    login.assert_error(401, "wrong email or password");
}

fn sessions_are_kept_under_sha_256() {
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

fn ids_are_the_randomness() {
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

fn randomness_is_the_systems() {
    assert_eq!(sources_with(&["getrandom"]), BTreeSet::from(["random.rs".to_owned()]));
    assert!(sources_with(&["rand", "fastrand", "rand_core"]).is_empty());
    let random = files::sources().into_iter().find(|(path, _)| path == "random.rs").unwrap().1;
    assert!(random.contains("getrandom::fill(bytes)"), "{random}");
    // A build for an image without device files asks the kernel directly.
    assert!(files::read("Dockerfile").contains("getrandom_backend=\"linux_getrandom\""));
}

fn ids_differ_under_load() {
    let draw = || {
        let ids = (0..10_000).map(|_| SessionId::generate(&SystemRandom).unwrap().hash());
        ids.collect::<Vec<_>>()
    };
    let threads: Vec<_> = (0..8).map(|_| thread::spawn(draw)).collect();
    let ids: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    let different: BTreeSet<_> = ids.iter().collect();
    assert_eq!((ids.len(), different.len()), (80_000, 80_000));
}

fn secrets_are_wiped() {
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

fn core_dumps_are_forbidden() {
    let server = Server::of("auth");
    let limits = fs::read_to_string(format!("/proc/{}/limits", server.process())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    let words: Vec<&str> = core.split_whitespace().collect();
    assert_eq!(words[4..], ["0", "0", "bytes"], "{core}");
}
