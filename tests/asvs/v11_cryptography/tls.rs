//! Ciphers, key exchange and signatures of TLS.

use std::fs;

use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_ED25519};
use rustls::NamedGroup;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, ring};

use crate::harness::{Client, Pair, Program, Server};
use crate::{cargo, files};

pub fn ciphers_are_approved() {
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

pub fn exchanges_are_approved() {
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

pub fn keys_are_approved() {
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

pub fn no_key_pairs_are_made() {
    let shipped = cargo::shipped();
    for maker in ["rcgen", "rsa", "p256", "ed25519-dalek", "openssl"] {
        assert!(!shipped.contains_key(maker), "{maker}");
    }
    let text: String = files::sources().into_iter().map(|(_, text)| text).collect();
    assert!(!text.contains("generate_pkcs8") && !text.contains("KeyPair"));
}
