//! What proxies say of a request, and who is believed.

use crate::harness::{ADMIN, ADMIN_PASSWORD, InProcess, Request};

fn login(server: &InProcess) -> Request {
    server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)])
}

/// The address that the service keeps of a login with these headers.
fn address(server: &InProcess, headers: &[(&str, &str)]) -> String {
    let login =
        headers.iter().fold(login(server), |login, (name, value)| login.header(name, value));
    let session = login.send().session_id().unwrap();
    let session = server.get("/api/v1/auth_session").session(&session).send().json();
    session["client_address"].as_str().unwrap().to_owned()
}

/// Headers by which intermediaries say who asks, from where and by which way.
const CLAIMS: &[(&str, &str)] = &[
    ("Forwarded", "for=203.0.113.7;host=evil.example;proto=https"),
    ("X-Real-IP", "203.0.113.7"),
    ("X-Client-IP", "203.0.113.7"),
    ("X-Cluster-Client-IP", "203.0.113.7"),
    ("True-Client-IP", "203.0.113.7"),
    ("CF-Connecting-IP", "203.0.113.7"),
    ("X_Forwarded_For", "203.0.113.7"),
    ("X-Forwarded-For ", "203.0.113.7"),
];

/// By default no header tells an address, and the proxies that are listed tell it by one header.
pub fn nobody_claims_an_address() {
    let server = InProcess::with(&[]);
    assert_eq!(address(&server, &[("X-Forwarded-For", "203.0.113.7")]), "127.0.0.1");
    let behind = InProcess::with(&["--trusted-proxies", "127.0.0.1"]);
    for (name, value) in CLAIMS {
        if name.ends_with(' ') {
            // A space before the colon is no header at all.
            assert_eq!(login(&server).header(name, value).send().status, 400);
            continue;
        }
        assert_eq!(address(&server, &[(name, value)]), "127.0.0.1", "{name}");
        assert_eq!(address(&behind, &[(name, value)]), "127.0.0.1", "{name}");
    }
}

/// A client writes what he likes, and the proxy adds his address behind it.
pub fn a_client_cannot_forge_what_the_proxy_adds() {
    let server = InProcess::with(&["--trusted-proxies", "127.0.0.1, 10.0.0.0/8"]);
    for forwarded in [
        "198.51.100.7",
        "203.0.113.7, 198.51.100.7",
        "127.0.0.1, 198.51.100.7",
        "10.1.1.1, 203.0.113.7, 198.51.100.7",
        "203.0.113.7, 198.51.100.7, 10.2.2.2",
        "nonsense, 198.51.100.7, 10.2.2.2",
    ] {
        let found = address(&server, &[("X-Forwarded-For", forwarded)]);
        assert_eq!(found, "198.51.100.7", "{forwarded}");
    }
    let twice = [("X-Forwarded-For", "203.0.113.7"), ("X-Forwarded-For", "198.51.100.7")];
    assert_eq!(address(&server, &twice), "198.51.100.7");
    assert_eq!(address(&server, &[("X-Forwarded-For", "198.51.100.7, unknown")]), "127.0.0.1");
}

/// Nor who he is, what he may do, and what he asks for.
pub fn nobody_claims_an_identity() {
    let server = InProcess::with(&["--trusted-proxies", "127.0.0.1"]);
    for (name, value) in [
        ("X-Forwarded-User", ADMIN),
        ("X-Forwarded-Email", ADMIN),
        ("X-Remote-User", ADMIN),
        ("Remote-User", ADMIN),
        ("X-User-Id", ADMIN),
        ("X-Auth-Request-User", ADMIN),
        ("X-Forwarded-Access-Token", ADMIN),
        ("X-Ssl-Client-Verify", "SUCCESS"),
        ("X-Original-Uri", "/api/v1/status"),
        ("X-Forwarded-Prefix", "/api/v1/status"),
        ("X-Forwarded-Method", "GET"),
    ] {
        let answer = server.get("/api/v1/users").header(name, value).send();
        answer.assert_error(401, "Unauthorized");
    }
    let admin = server.admin();
    for (name, value) in [("X-Forwarded-Host", "evil.example"), ("X-Forwarded-Proto", "https")] {
        let request = server.delete("/api/v1/sessions").session(&admin).header(name, value);
        let request = request.header("Origin", "https://evil.example");
        request.send().assert_error(403, "Forbidden");
    }
}

/// The throttle counts by the address that is believed, so another one cannot be made up.
pub fn nobody_escapes_the_throttle() {
    let count = |server: &InProcess, forged: fn(usize) -> String| {
        let attempt = |n: usize| {
            let login = server
                .login(&[("email", &format!("u{n}@example.com")), ("password", "wrong one 1")]);
            login.header("X-Forwarded-For", &forged(n)).send().status
        };
        (0..300).take_while(|n| attempt(*n) == 401).count()
    };
    let forged = |n: usize| format!("203.0.113.{n}");
    assert_eq!(count(&InProcess::with(&[]), forged), 96);
    let behind = || InProcess::with(&["--trusted-proxies", "127.0.0.1"]);
    assert_eq!(count(&behind(), |n| format!("203.0.113.{n}, 198.51.100.7")), 96);
    // From different clients it is.
    assert_eq!(count(&behind(), |n| format!("203.0.113.{}", n % 250)), 300);
}
