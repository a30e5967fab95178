//! HTTP over TLS: versions, suites, handshakes that are odd or slow, and what is told over https.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, mpsc};

use rustls::crypto::ring;
use rustls::version::{TLS12, TLS13};
use rustls::{CipherSuite, ClientConnection, ProtocolVersion};

use crate::harness::{
    ADMIN, ADMIN_PASSWORD, Client, Connection, PASSWORD, Pair, Program, Request, Server, hello,
};

fn secure() -> (Server, Pair) {
    let (program, pair) = Program::of("session_db_auth").over_tls();
    (program.start(), pair)
}

/// A server over TLS that has little patience, and a client of it.
fn hasty() -> (Server, Client) {
    let program = Program::of("session_db_auth").set("KEEP_ALIVE", "1").set("HEAD_TIMEOUT", "1");
    let (program, pair) = program.set("WORKERS", "1").over_tls();
    let server = program.start();
    let client = pair.client(&server);
    (server, client)
}

const STATUS: &str = "GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";

#[test]
fn a_login_over_tls_sets_a_cookie_for_https_alone() {
    let (server, pair) = secure();
    let client = pair.client(&server);
    let login = client.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]).send();
    let cookie = login.header("set-cookie").unwrap();
    assert!(cookie.starts_with("__Host-_my_session_id="), "{cookie}");
    assert!(cookie.contains("; Secure") && cookie.contains("; HttpOnly"), "{cookie}");
    let id = login.session_id().unwrap();
    let me = |name: &str| client.get("/api/v1/users/me").cookie(&format!("{name}={id}")).send();
    assert_eq!(me("__Host-_my_session_id").json()["email"], ADMIN);
    assert_eq!(me("_my_session_id").status, 401);
    let listening = format!("listening on https://{}", server.address);
    assert!(server.log().iter().any(|line| line.contains(&listening)), "{:?}", server.log());
}

#[test]
fn tls_beyond_this_machine_needs_no_warning() {
    let (program, _pair) = Program::of("auth").set("API_HOST", "0.0.0.0").over_tls();
    let log = program.start().log();
    assert!(!log.iter().any(|line| line.contains(" WARN ") && line.contains("http")), "{log:?}");
}

#[test]
fn tls_1_2_and_1_3_work_with_forward_secrecy_and_the_newest_wins() {
    let (server, pair) = secure();
    for (versions, version) in [
        (&[&TLS12][..], ProtocolVersion::TLSv1_2),
        (&[&TLS13], ProtocolVersion::TLSv1_3),
        (&[&TLS12, &TLS13], ProtocolVersion::TLSv1_3),
    ] {
        let mut config = pair.trust(ring::default_provider(), versions);
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let mut connection = Client::over_tls(server.address, config).connect();
        let tls = connection.handshake().unwrap();
        assert_eq!(tls.protocol_version(), Some(version));
        assert_eq!(tls.alpn_protocol(), Some(&b"http/1.1"[..]));
        let suite = tls.negotiated_cipher_suite().unwrap().suite().as_str().unwrap();
        let forward_secret = suite.starts_with("TLS13_") || suite.starts_with("TLS_ECDHE_");
        assert!(forward_secret, "{suite}");
        connection.write(STATUS);
        connection.answer().unwrap().assert_is(200, r#"{"status":"OK"}"#);
    }
}

#[test]
fn the_strongest_suite_wins_whatever_the_client_prefers() {
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

#[test]
fn a_client_that_speaks_only_http_2_gets_no_connection() {
    let (server, pair) = secure();
    let mut config = pair.trust(ring::default_provider(), rustls::ALL_VERSIONS);
    config.alpn_protocols = vec![b"h2".to_vec()];
    let refused = Client::over_tls(server.address, config).connect().handshake().unwrap_err();
    assert!(refused.to_string().contains("NoApplicationProtocol"), "{refused}");
}

#[test]
fn old_versions_and_suites_without_forward_secrecy_get_an_alert() {
    const GOOD: u16 = 0xc02b; // TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256
    const HANDSHAKE_FAILURE: u8 = 40;
    const PROTOCOL_VERSION: u8 = 70;
    let (server, _client) = hasty();
    let says = |version, suites: &[u16]| {
        let mut connection = server.connect();
        connection.write(hello(version, suites));
        connection.rest()
    };
    for version in [0x0300, 0x0301, 0x0302] {
        let said = says(version, &[GOOD, 0x002f, 0x0035, 0xc009, 0xc00a]);
        assert_eq!(said, [0x15, 3, 3, 0, 2, 2, PROTOCOL_VERSION], "{version:x}");
    }
    for suites in [
        &[0x009c, 0x009d][..],             // RSA key exchange with AES-GCM
        &[0x002f, 0x0035, 0x003c, 0x000a], // the same with CBC
        &[0xc009, 0xc023, 0xc013],         // ECDHE, but CBC
        &[0x0005, 0x0000, 0x0018],         // RC4, nothing, anonymous
    ] {
        let said = says(0x0303, suites);
        assert_eq!(said, [0x15, 3, 3, 0, 2, 2, HANDSHAKE_FAILURE], "{suites:x?}");
    }
    // The same message with nothing wrong about it is answered: a handshake begins.
    assert_eq!(says(0x0303, &[GOOD])[0], 0x16);
}

#[test]
fn plain_http_gets_no_answer_and_no_redirect() {
    let (server, pair) = secure();
    let login = format!("email={ADMIN}&password={}", ADMIN_PASSWORD.replace(' ', "+"));
    let post = format!(
        "POST /api/v1/auth_session/login HTTP/1.1\r\nHost: x\r\nContent-Length: {}\r\n\r\n{login}",
        login.len()
    );
    for request in [STATUS, &post, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\r\n\r\n"] {
        let mut connection = server.connect();
        connection.write(request);
        let said = connection.rest();
        assert!(said.is_empty() || said[0] == 0x15, "{}", String::from_utf8_lossy(&said));
    }
    let log = server.log();
    assert!(!log.iter().any(|line| line.ends_with("request")), "{log:?}");
    pair.client(&server).admin();
}

/// A client, and the message with which it begins.
fn beginning(pair: &Pair) -> (ClientConnection, Vec<u8>) {
    let config = pair.trust(ring::default_provider(), rustls::ALL_VERSIONS);
    let server = IpAddr::V4(Ipv4Addr::LOCALHOST).into();
    let mut tls = ClientConnection::new(Arc::new(config), server).unwrap();
    let mut message = Vec::new();
    tls.write_tls(&mut message).unwrap();
    (tls, message)
}

#[test]
fn a_first_message_in_pieces_is_understood() {
    let (server, pair) = secure();
    // Byte by byte on the network; then each byte in a record of its own.
    for (skipped, header) in [(0, &[][..]), (5, &[0x16, 3, 1, 0, 1])] {
        let (tls, message) = beginning(&pair);
        let mut connection = server.connect();
        for byte in &message[skipped..] {
            connection.write([header, &[*byte]].concat());
        }
        let mut connection = connection.with_tls(tls);
        connection.write(STATUS);
        assert_eq!(connection.answer().unwrap().status, 200);
    }
}

/// Waits about a second by the server's own clock: until it gives up a handshake.
fn wait_a_second(server: &Server) {
    let mut stalled = server.connect();
    stalled.write([0x16]);
    assert_eq!(stalled.rest(), b"");
}

/// Holds that the server has closed a connection a moment later.
#[track_caller]
fn assert_closed(server: &Server, connection: Connection) {
    let (sender, closed) = mpsc::channel();
    std::thread::spawn(move || {
        let mut connection = connection;
        sender.send(connection.answer().is_none())
    });
    wait_a_second(server);
    assert_eq!(closed.try_recv(), Ok(true));
}

/// Connections whose handshakes are begun and do not go on.
fn stalled(server: &Server) -> Vec<Connection> {
    let hello = hello(0x0303, &[0xc02b]);
    let begun = |begun: &&[u8]| {
        let mut connection = server.connect();
        connection.write(begun);
        connection
    };
    [&b""[..], &hello[..1], &hello[..40], &hello].iter().map(begun).collect()
}

#[test]
fn a_handshake_that_stalls_holds_up_nobody() {
    // There is one worker, which has all of these at once and would wait for each of them.
    let program = Program::of("session_db_auth").set("WORKERS", "1").set("HEAD_TIMEOUT", "300");
    let (program, pair) = program.over_tls();
    let server = program.start();
    let _stalled = stalled(&server);
    pair.client(&server).admin();
}

#[test]
fn a_handshake_that_stalls_is_closed() {
    let (server, client) = hasty();
    for connection in stalled(&server) {
        connection.rest();
    }
    client.admin();
}

#[test]
fn a_handshake_that_dribbles_is_closed() {
    let (server, _client) = hasty();
    let mut dribbling = server.connect();
    for byte in hello(0x0303, &[0xc02b]).iter().take(3) {
        dribbling.write([*byte]);
        wait_a_second(&server);
    }
    assert_closed(&server, dribbling);
}

#[test]
fn a_connection_is_kept_between_requests_and_closed_when_it_is_quiet() {
    let (server, client) = hasty();
    let mut kept = client.connect();
    for _ in 0..3 {
        kept.write(STATUS);
        assert_eq!(kept.answer().unwrap().status, 200);
    }
    assert_eq!(kept.rest(), b"", "it ends as TLS wants it");
    for begun in ["G", "GET /api/v1/status HTTP/1.1\r\nX-Slow: "] {
        let mut later = client.connect();
        later.write(format!("{STATUS}{begun}"));
        assert_eq!(later.answer().unwrap().status, 200);
        assert!(later.answer().is_none());
    }
    let mut dribbling = client.connect();
    dribbling.write(STATUS);
    assert_eq!(dribbling.answer().unwrap().status, 200);
    // Two seconds are what it gets (KEEP_ALIVE and HEAD_TIMEOUT), whatever arrives meanwhile.
    for _ in 0..4 {
        wait_a_second(&server);
        dribbling.write("G");
    }
    assert_closed(&server, dribbling);
}

#[test]
fn a_head_over_tls_that_does_not_end_is_408() {
    let (_server, client) = hasty();
    let mut connection = client.connect();
    connection.write("GET");
    assert_eq!(connection.answer().unwrap().status, 408);
}

#[test]
fn the_healthcheck_asks_over_tls() {
    let (server, _pair) = secure();
    let program = server.program().clone().set("API_PORT", &server.address.port().to_string());
    for host in ["127.0.0.1", "0.0.0.0", "localhost"] {
        let output = program.clone().set("API_HOST", host).run(&["healthcheck"], "");
        assert!(output.status.success() && output.stderr.is_empty(), "{host}: {output:?}");
    }
    let plain = program.clone().unset("TLS_CERT").unset("TLS_KEY").run(&["healthcheck"], "");
    assert_eq!(plain.status.code(), Some(1), "{plain:?}");
    drop(server);
    assert_eq!(program.run(&["healthcheck"], "").status.code(), Some(1));
    // And one that speaks TLS is not content with a server that does not.
    let server = Server::of("auth");
    let program = program.set("API_PORT", &server.address.port().to_string());
    assert_eq!(program.run(&["healthcheck"], "").status.code(), Some(1));
}

#[test]
fn the_healthcheck_trusts_the_services_own_certificate_alone() {
    let (server, own) = secure();
    let program = server.program().clone().set("API_PORT", &server.address.port().to_string());
    Pair::of(&program, "another").replace(&own);
    let output = program.run(&["healthcheck"], "");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("its certificate is not that in TLS_CERT"), "{said}");
    server.signal("HUP");
    server.wait_for("read anew");
    let output = program.run(&["healthcheck"], "");
    assert!(output.status.success(), "{output:?}");
}

fn preflight(client: &Client) -> Request {
    let request = client.request("OPTIONS", "/api/v1/users");
    request.header("Origin", "https://a.example").header("Access-Control-Request-Method", "GET")
}

#[test]
fn browsers_are_told_to_stay_with_https_where_there_is_https_alone() {
    let (server, pair) = secure();
    let public = |url: &str| Program::of("session_db_auth").set("PUBLIC_URL", url).start();
    let behind_a_proxy = public("https://id.example.com");
    let (plain, plain_by_name) = (public(""), public("http://id.example.com"));
    let hsts = "max-age=31536000; includeSubDomains";
    for (client, expected) in [
        (&pair.client(&server), &[hsts][..]),
        (&behind_a_proxy, &[hsts]),
        (&plain, &[]),
        (&plain_by_name, &[]),
    ] {
        let admin = client.admin();
        for (request, status) in [
            (client.get("/api/v1/status"), 200),
            (client.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]), 200),
            (client.login(&[("email", ADMIN), ("password", PASSWORD)]), 401),
            (preflight(client), 204),
            (client.get("/api/v1//users"), 400),
            (client.get("/api/v1/users"), 401),
            (client.get("/api/v1/users").bearer("junk"), 403),
            (client.get("/api/v1/nothing").bearer(&admin), 404),
            (client.get("/nothing"), 404),
            (client.request("PATCH", "/api/v1/users").bearer(&admin), 405),
            (client.get(&format!("/{}", "x".repeat(9_000))), 414),
            (client.get("/").header("X", &"x".repeat(17_000)), 431),
        ] {
            let answer = request.send();
            assert_eq!(answer.status, status, "{}", answer.body);
            assert_eq!(answer.headers("strict-transport-security"), expected, "{status}");
        }
    }
}
