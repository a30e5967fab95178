//! Where a request comes from.

use serde_json::Value;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Client, Program, Request, Server};

/// A login that says where it comes from, and where it came from by the session's record.
fn address_of(server: &Client, headers: &[(&str, &str)]) -> Value {
    let login = server.login(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
    let id = claiming(login, headers).send().session_id().unwrap();
    let session = server.get("/api/v1/auth_session").session(&id).send().json();
    session["client_address"].clone()
}

fn claiming(request: Request, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

const CLAIMS: [(&str, &str); 6] = [
    ("X-Forwarded-For", "203.0.113.9"),
    ("Forwarded", "for=203.0.113.9"),
    ("X-Real-IP", "203.0.113.9"),
    ("True-Client-IP", "203.0.113.9"),
    ("CF-Connecting-IP", "203.0.113.9"),
    ("X-Client-IP", "203.0.113.9"),
];

pub fn strangers_are_not_believed() {
    let server = Server::of("session_db_auth");
    assert_eq!(address_of(&server, &CLAIMS), "127.0.0.1");
    // Nor by the throttle, whatever is claimed each time.
    let wrong = |n: u8| {
        let login = server.login(&[("email", "bob@example.com"), ("password", "wrong 12345")]);
        login.header("X-Forwarded-For", &format!("203.0.113.{n}")).send().status
    };
    let statuses: Vec<u16> = (0..20).map(wrong).collect();
    assert!(statuses.starts_with(&[401; 12]) && statuses.ends_with(&[429; 8]), "{statuses:?}");
    let (.., log) = server.stop();
    assert!(!log.iter().any(|line| line.contains("client=203.0.113")), "{log:?}");
    assert!(log.iter().any(|line| line.contains("request") && line.ends_with("client=127.0.0.1")));
}

pub fn listed_proxies_are_believed() {
    let program = Program::of("session_db_auth").set("TRUSTED_PROXIES", "127.0.0.1, 10.0.0.0/8");
    let server = program.start();
    for (sent, client) in [
        (&["203.0.113.9"][..], "203.0.113.9"),
        // What stands before the word of a proxy is its client's, and may be invented.
        (&["1.2.3.4, 203.0.113.9"], "203.0.113.9"),
        (&["1.2.3.4", "203.0.113.9"], "203.0.113.9"),
        (&["1.2.3.4, 203.0.113.9, 10.1.2.3"], "203.0.113.9"),
        (&["::ffff:203.0.113.9"], "203.0.113.9"),
        (&["2001:DB8:0:0::1"], "2001:db8::1"),
        (&["nonsense"], "127.0.0.1"),
        (&["203.0.113.9, nonsense"], "127.0.0.1"),
        (&[], "127.0.0.1"),
    ] {
        let headers: Vec<_> = sent.iter().map(|sent| ("X-Forwarded-For", *sent)).collect();
        assert_eq!(address_of(&server, &headers), client, "{sent:?}");
    }
    for claim in CLAIMS.iter().filter(|(name, _)| *name != "X-Forwarded-For") {
        assert_eq!(address_of(&server, &[*claim]), "127.0.0.1", "{claim:?}");
    }
    let wrong = |from: &str| {
        let login = server.login(&[("email", "bob@example.com"), ("password", "wrong 12345")]);
        login.header("X-Forwarded-For", from).send().status
    };
    let of_one: Vec<u16> = (0..13).map(|n| wrong(&format!("1.1.1.{n}, 203.0.113.9"))).collect();
    assert!(of_one.starts_with(&[401; 12]) && of_one.ends_with(&[429]), "{of_one:?}");
    assert_eq!(wrong("198.51.100.7"), 401);
    let (.., log) = server.stop();
    let requests: Vec<&String> =
        log.iter().filter(|line| line.contains("request method")).collect();
    assert!(requests.iter().any(|line| line.ends_with("client=198.51.100.7")), "{requests:?}");
}
