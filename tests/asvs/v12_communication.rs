//! Secure communication.

use std::net::TcpListener;
use std::sync::Arc;
use std::{fs, thread};

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{
    CipherSuite, ClientConfig, ProtocolVersion, RootCertStore, ServerConfig, ServerConnection,
};

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Client, InProcess, Pair, Program, Request, Server, hello,
};
use crate::registry::{Chapter, requirement};
use crate::{files, settings, v13_configuration as v13};

pub const CHAPTER: Chapter = Chapter {
    title: "V12 Secure communication",
    rows: &[
        requirement("12.1.1", 1, "TLS 1.2 and 1.3 only, newest preferred").tested(&[
            ("of 1.2 and 1.3 the newest that both know is spoken", the_newest_version_wins),
            ("older versions get an alert", older_versions_are_refused),
        ]),
        requirement("12.1.2", 2, "Good suites, strongest first, forward secrecy").tested(&[
            ("the strongest suite wins whatever the client prefers", the_strongest_suite_wins),
            ("suites without forward secrecy, and CBC, get an alert", weak_suites_are_refused),
        ]),
        requirement("12.1.3", 2, "Client certificates verified")
            .not_applicable("nobody is known by a client certificate"),
        requirement("12.1.4", 3, "Revocation, OCSP stapling")
            .open("no OCSP stapling: certificates of short life are the operator's choice"),
        requirement("12.1.5", 3, "Encrypted Client Hello")
            .open("rustls has no Encrypted Client Hello for servers"),
        requirement("12.2.1", 1, "TLS for all outside HTTP, no fallback").operators(
            "SECURITY.md#what-is-left-to-whoever-runs-it",
            &[
                ("where there is TLS, plain http gets no answer and no redirect", no_fallback),
                ("without TLS the service is for this machine, or warns", plain_http_is_warned_of),
                ("browsers are told to stay with https", browsers_stay_with_https),
            ],
        ),
        requirement("12.2.2", 1, "Public certificates outside").operators(
            "SECURITY.md#what-is-left-to-whoever-runs-it",
            &[
                ("a certificate is sent with those that vouch for it", the_chain_is_sent),
                ("one that is not good today is refused at start", bad_dates_are_refused),
            ],
        ),
        requirement("12.3.1", 2, "Encrypted protocols everywhere, metrics included").operators(
            "SECURITY.md#what-is-left-to-whoever-runs-it",
            &[
                ("there is one port and no other socket", v13::communication::one_port_is_open),
                ("where there is TLS, it is that of the port", no_fallback),
                ("and that of the port of metrics", metrics_over_tls),
            ],
        ),
        requirement("12.3.2", 2, "Our TLS clients validate").tested(&[(
            "the healthcheck trusts the service's own certificate alone",
            the_healthcheck_is_not_fooled,
        )]),
        requirement("12.3.3", 2, "Internal HTTP encrypted").operators(
            "docs/CONTROLS.md#communication",
            &[("the service speaks TLS behind a proxy, too", tls_works_behind_a_proxy)],
        ),
        requirement("12.3.4", 2, "Trust only named internal CAs").tested(&[(
            "the healthcheck trusts the service's own certificate alone",
            the_healthcheck_is_not_fooled,
        )]),
        requirement("12.3.5", 3, "Strong service identity")
            .not_applicable("a single process without other services"),
    ],
};

fn secure() -> (Server, Pair) {
    let (program, pair) = Program::of("session_db_auth").over_tls();
    (program.start(), pair)
}

fn the_newest_version_wins() {
    let (server, pair) = secure();
    for (versions, spoken) in [
        (&[&TLS12][..], ProtocolVersion::TLSv1_2),
        (&[&TLS13], ProtocolVersion::TLSv1_3),
        (&[&TLS12, &TLS13], ProtocolVersion::TLSv1_3),
    ] {
        let client =
            Client::over_tls(server.address, pair.trust(ring::default_provider(), versions));
        assert_eq!(client.connect().handshake().unwrap().protocol_version(), Some(spoken));
        client.admin();
    }
}

/// ECDHE with AES-GCM, as TLS 1.2 calls it.
const GOOD: u16 = 0xc02b;

/// What the service says to a client that begins with this version and these suites.
fn answer_to(server: &Server, version: u16, suites: &[u16]) -> Vec<u8> {
    let mut connection = server.connect();
    connection.write(hello(version, suites));
    connection.end();
    connection.rest()
}

/// A fatal alert.
fn alert(description: u8) -> [u8; 7] {
    [0x15, 3, 3, 0, 2, 2, description]
}

fn older_versions_are_refused() {
    const PROTOCOL_VERSION: u8 = 70;
    let (server, _pair) = secure();
    for version in [0x0200, 0x0300, 0x0301, 0x0302] {
        let said = answer_to(&server, version, &[GOOD, 0x002f, 0xc009]);
        assert_eq!(said, alert(PROTOCOL_VERSION), "{version:x}");
    }
    assert_eq!(answer_to(&server, 0x0303, &[GOOD])[0], 0x16, "a handshake begins");
}

fn weak_suites_are_refused() {
    const HANDSHAKE_FAILURE: u8 = 40;
    let (server, _pair) = secure();
    for (suite, what) in [
        (0x009c, "RSA key exchange, AES-GCM"),
        (0x002f, "RSA key exchange, AES-CBC"),
        (0xc009, "ECDHE, AES-CBC with SHA-1"),
        (0xc023, "ECDHE, AES-CBC with SHA-256"),
        (0x000a, "3DES"),
        (0x0005, "RC4"),
        (0x0000, "nothing"),
        (0x0018, "anonymous"),
        (0xc0ae, "ECDHE, AES-CCM-8"),
    ] {
        assert_eq!(answer_to(&server, 0x0303, &[suite]), alert(HANDSHAKE_FAILURE), "{what}");
    }
    assert_eq!(answer_to(&server, 0x0303, &[GOOD])[0], 0x16, "a handshake begins");
}

fn the_strongest_suite_wins() {
    let (server, pair) = secure();
    for (version, strongest) in [
        (&TLS12, CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384),
        (&TLS13, CipherSuite::TLS13_AES_256_GCM_SHA384),
    ] {
        let mut weakest_first = ring::default_provider();
        weakest_first.cipher_suites.reverse();
        let config = pair.trust(weakest_first, &[version]);
        let mut connection = Client::over_tls(server.address, config).connect();
        let suite = connection.handshake().unwrap().negotiated_cipher_suite().unwrap();
        assert_eq!(suite.suite(), strongest);
    }
}

fn metrics_over_tls() {
    let program = Program::of("session_db_auth").set("METRICS_ADDR", "127.0.0.1:0");
    let (program, pair) = program.over_tls();
    let server = program.start();
    let address = server.monitoring_address().unwrap();
    let trust = pair.trust(ring::default_provider(), rustls::ALL_VERSIONS);
    assert_eq!(Client::over_tls(address, trust).get("/metrics").send().status, 200);
    let said = Client::at(address).get("/metrics").start().rest();
    assert!(said.is_empty() || said[0] == 0x15, "{}", String::from_utf8_lossy(&said));
}

pub fn no_fallback() {
    let (server, pair) = secure();
    let login = format!("email={ADMIN}&password={}", ADMIN_PASSWORD.replace(' ', "+"));
    let length = login.len();
    for request in [
        "GET /api/v1/status HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        format!(
            "POST /api/v1/auth_session/login HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n{login}"
        ),
        "OPTIONS * HTTP/1.1\r\nHost: x\r\nUpgrade: TLS/1.0\r\nConnection: Upgrade\r\n\r\n"
            .to_owned(),
    ] {
        let mut plain = server.connect();
        plain.write(request);
        let said = plain.rest();
        assert!(said.is_empty() || said[0] == 0x15, "{}", String::from_utf8_lossy(&said));
    }
    pair.client(&server).admin();
    let (.., log) = server.stop();
    let requests = log.iter().filter(|line| line.contains("request method="));
    assert_eq!(requests.count(), 1, "the login over TLS: {log:?}");
}

fn plain_http_is_warned_of() {
    assert_eq!(settings::default_of("API_HOST"), "127.0.0.1");
    let warns = |program: Program| {
        let (.., log) = program.start().stop();
        log.iter().any(|line| line.contains(" WARN  plain http on 0.0.0.0"))
    };
    let everywhere = || Program::of("auth").set("API_HOST", "0.0.0.0");
    assert!(warns(everywhere()));
    assert!(!warns(everywhere().set("PUBLIC_URL", "https://id.example.com")));
    assert!(!warns(everywhere().over_tls().0));
    assert!(!warns(Program::of("auth")));
}

fn browsers_stay_with_https() {
    let (server, pair) = secure();
    let client = pair.client(&server);
    let admin = client.admin();
    let hsts = ["max-age=31536000; includeSubDomains"];
    for request in [
        client.get("/api/v1/status"),
        client.get("/api/v1/users").bearer(&admin),
        client.get("/api/v1/users"),
        client.get("/nothing"),
    ] {
        assert_eq!(request.send().headers("strict-transport-security"), hsts);
    }
    let plain = InProcess::with(&[]).get("/api/v1/status").send();
    assert!(plain.headers("strict-transport-security").is_empty());
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::new([]).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    params
}

/// Two authorities, of which a client knows the first, and the second signs: as it is with public
/// certificates.
fn the_chain_is_sent() {
    let program = Program::of("session_db_auth");
    let [root_key, middle_key, own_key] = [(); 3].map(|()| KeyPair::generate().unwrap());
    let (root, middle) = (authority("root"), authority("middle"));
    let own = CertificateParams::new(["127.0.0.1".to_owned()]).unwrap();
    let by_root = Issuer::from_params(&root, &root_key);
    let by_middle = Issuer::from_params(&middle, &middle_key);
    let own = own.signed_by(&own_key, &by_middle).unwrap().pem();
    let middle = middle.signed_by(&middle_key, &by_root).unwrap().pem();
    let pair = Pair::of_key(&program, "server", &own_key, |_| {});
    fs::write(&pair.cert, own + &middle).unwrap();
    let server = program.with_tls(&pair).start();
    let mut roots = RootCertStore::empty();
    roots.add(root.self_signed(&root_key).unwrap().der().clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Client::over_tls(server.address, config).admin();
    let security = files::section("SECURITY.md", "What is left to whoever runs it");
    assert!(security.contains("of an authority that browsers trust"), "{security}");
}

fn bad_dates_are_refused() {
    for (change, what) in [
        (
            (|certificate| certificate.not_after = rcgen::date_time_ymd(2020, 1, 2))
                as fn(&mut CertificateParams),
            "has expired",
        ),
        (
            |certificate| certificate.not_before = rcgen::date_time_ymd(3000, 1, 2),
            "not valid before",
        ),
    ] {
        let program = Program::of("auth");
        let pair = Pair::with(&program, "server", change);
        let (status, log) = program.with_tls(&pair).try_start().err().unwrap();
        assert_eq!(status.code(), Some(2));
        assert!(log[0].contains("TLS_CERT") && log[0].contains(what), "{log:?}");
    }
}

fn the_healthcheck_is_not_fooled() {
    let (server, own) = secure();
    let program = server.program().clone().set("API_PORT", &server.address.port().to_string());
    assert!(program.run(&["healthcheck"], "").status.success());
    let another = Pair::of(&program, "another");
    let fooled = program.clone().set_os("TLS_CERT", another.cert.as_os_str());
    let fooled = fooled.run(&["healthcheck"], "");
    let said = String::from_utf8(fooled.stderr).unwrap();
    assert_eq!(fooled.status.code(), Some(1));
    assert!(said.contains("is not that in TLS_CERT"), "{said}");
    // Nor is it content with one who has the certificate and not its key.
    let impostor = impostor(&own, &another);
    let refused = program.set("API_PORT", &impostor.to_string()).run(&["healthcheck"], "");
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("BadSignature"), "{said}");
}

/// The port of somebody who shows one certificate once, and signs with the key of another.
fn impostor(shown: &Pair, own: &Pair) -> u16 {
    let provider = ring::default_provider();
    let certificate = CertificateDer::from_pem_file(&shown.cert).unwrap();
    let key = PrivateKeyDer::from_pem_file(&own.key).unwrap();
    let key = provider.key_provider.load_private_key(key).unwrap();
    let pair = SingleCertAndKey::from(CertifiedKey::new(vec![certificate], key));
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(pair));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut tls = ServerConnection::new(Arc::new(config)).unwrap();
        while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
    });
    port
}

fn tls_works_behind_a_proxy() {
    let (program, pair) = Program::of("session_db_auth").over_tls();
    let server = program.set("PUBLIC_URL", "https://id.example.com").start();
    let client = pair.client(&server);
    let admin = client.admin();
    let me = client.get("/api/v1/users/me").cookie(&format!("__Host-_my_session_id={admin}"));
    assert_eq!(me.header("Origin", "https://id.example.com").send().status, 200);
    let plain = Request::new(server.address, "GET", "/api/v1/status").start().rest();
    assert!(plain.is_empty() || plain[0] == 0x15);
    let section = files::section("docs/CONTROLS.md", "Communication");
    assert!(section.contains("give the service a certificate as well"));
}
