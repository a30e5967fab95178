//! What pages of other sites may make a browser do, and what they may read.

use serde_json::Value;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, InProcess, Request, block_on};
use crate::v08_authorization::matrix::MATRIX;
use crate::v08_authorization::stage::{Actor, Stage};

/// What a browser sends along with a request that another site has set off.
pub const FOREIGN: &[&[(&str, &str)]] = &[
    &[("Sec-Fetch-Site", "cross-site")],
    &[("Sec-Fetch-Site", "same-site")],
    &[("Origin", "https://evil.example")],
    &[("Origin", "null")],
    &[("Origin", "")],
    &[("Origin", "http://127.0.0.1:1")],
    &[("Origin", "https://evil.example"), ("Sec-Fetch-Site", "none")],
];

fn with(request: Request, headers: &[(&str, &str)]) -> Request {
    headers.iter().fold(request, |request, (name, value)| request.header(name, value))
}

/// Everything that is stored, so that a change shows.
fn stored(server: &InProcess) -> Vec<Value> {
    let accounts = server.service.accounts();
    let users = block_on(accounts.users.all()).unwrap();
    let sessions = &server.service.auth().sessions().unwrap().store;
    let of = |id| block_on(sessions.of_user(id)).unwrap();
    let sessions = users.iter().flat_map(|user| of(user.id));
    let sessions = sessions.map(|session| serde_json::to_value(session.as_ref()).unwrap());
    let users = users.iter().map(|user| serde_json::to_value(user.as_ref()).unwrap());
    users.chain(sessions).collect()
}

/// Each route that changes something refuses what another site sets off, and changes nothing.
pub fn every_change_from_elsewhere_is_refused() {
    let stage = Stage::new();
    for (method, route, _) in MATRIX.iter().filter(|(method, ..)| *method != "GET") {
        for actor in [Actor::Himself, Actor::Admin] {
            let scene = stage.scene(actor);
            let path = scene.path(route);
            let before = stored(&stage.server);
            for headers in FOREIGN {
                let answer = with(scene.as_actor(method, &path), headers);
                answer.send().assert_error(403, "Forbidden");
            }
            assert_eq!(stored(&stage.server), before, "{method} {route}");
        }
    }
}

/// It would put the user into an account of somebody else.
pub fn a_login_from_elsewhere_is_refused() {
    let server = InProcess::with(&[]);
    for headers in FOREIGN {
        for path in ["/api/v1/auth_session/login", "/api/v1/auth_session/login/"] {
            let login = server.post(path).form(&[("email", ADMIN), ("password", ADMIN_PASSWORD)]);
            let answer = with(login, headers).send();
            answer.assert_error(403, "Forbidden");
            assert_eq!(answer.header("set-cookie"), None);
        }
    }
    assert_eq!(block_on(server.service.session_count()).unwrap(), 0);
}

/// The same for what a browser adds by itself where the kind is Basic.
pub fn basic_credentials_are_no_excuse() {
    let server = InProcess::with(&["--auth-type", "basic_auth"]);
    for headers in FOREIGN {
        let request = server.delete("/api/v1/users/x").basic(ADMIN, ADMIN_PASSWORD);
        with(request, headers).send().assert_error(403, "Forbidden");
    }
    assert_eq!(server.delete("/api/v1/users/x").basic(ADMIN, ADMIN_PASSWORD).send().status, 404);
}

/// A body that a form of another site can send without asking first is not read as JSON.
pub fn what_forms_can_send_is_no_json() {
    let stage = Stage::new();
    let body = r#"{"email":"eve@example.com","password":"battery staple 2","first_name":"x"}"#;
    for (method, route) in
        [("POST", "/users"), ("PUT", "/users/{id}"), ("PUT", "/users/{id}/password")]
    {
        let scene = stage.scene(Actor::Admin);
        let path = scene.path(route);
        let before = stored(&stage.server);
        for simple in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "",
            "text/plain; application/json",
            "application/jsonx",
            "text/json",
            "application/octet-stream",
        ] {
            let answer = scene.as_actor(method, &path).body(simple, body).send();
            assert_eq!(answer.status, 400, "{method} {route} {simple}: {answer:?}");
        }
        assert_eq!(scene.as_actor(method, &path).untyped(body).send().status, 400);
        assert_eq!(stored(&stage.server), before, "{method} {route}");
    }
}

/// A preflight opens nothing to an origin that is not listed.
pub fn a_preflight_opens_nothing() {
    let server = InProcess::with(&[]);
    for (method, route, _) in MATRIX {
        let request = server.request("OPTIONS", &format!("/api/v1{route}"));
        let request = request.header("Origin", "https://evil.example");
        let answer = request.header("Access-Control-Request-Method", method).send();
        assert_eq!(shared(&answer), (None, None, 0), "{method} {route}");
    }
}

/// The origin, the word on cookies, and the number of headers that open an answer.
fn shared(answer: &Answer) -> (Option<&str>, Option<&str>, usize) {
    let opening = answer.headers.iter().filter(|(name, _)| name.starts_with("access-control-"));
    let headers = ["access-control-allow-origin", "access-control-allow-credentials"];
    let [origin, credentials] = headers.map(|name| answer.header(name));
    (origin, credentials, opening.count())
}

/// An answer is opened to an origin that is listed by name, as a whole, and to no other.
pub fn answers_are_opened_to_listed_origins_alone() {
    let spa = "https://spa.example.com";
    let server = InProcess::with(&["--cors-origins", spa]);
    let ask = |origin: &str| server.get("/api/v1/status").header("Origin", origin).send();
    let answer = ask(spa);
    assert_eq!((shared(&answer).0, shared(&answer).1), (Some(spa), Some("true")));
    assert_eq!(answer.headers("vary"), ["Origin"]);
    for other in [
        "https://evil.example",
        "null",
        "*",
        "",
        "https://SPA.example.com",
        "https://spa.example.com.",
        "https://spa.example.com:443",
        "https://spa.example.com:8443",
        "http://spa.example.com",
        "https://spa.example.com.evil.example",
        "https://evilspa.example.com",
        "https://spa.example.com/",
        "https://spa.example.com@evil.example",
        "https://spa.example.com,https://evil.example",
    ] {
        assert_eq!(shared(&ask(other)), (None, None, 0), "{other}");
    }
    let closed = InProcess::with(&[]);
    let answer = closed.get("/api/v1/status").header("Origin", spa).send();
    assert_eq!(shared(&answer), (None, None, 0));
    // To everybody it can be opened only without the cookie.
    let open = InProcess::with(&["--cors-origins", "*"]);
    let answer = open.get("/api/v1/status").header("Origin", "https://evil.example").send();
    assert_eq!((shared(&answer).0, shared(&answer).1), (Some("*"), None));
}

/// What only reads changes nothing, on every route and whatever override is asked for.
pub fn safe_methods_change_nothing() {
    let stage = Stage::new();
    let scene = stage.scene(Actor::Admin);
    let before = stored(&stage.server);
    for (other, route, _) in MATRIX {
        let path = scene.path(&route.replace("{session}", crate::harness::NOBODY));
        for method in ["GET", "HEAD", "OPTIONS", "TRACE"] {
            let plain = scene.as_actor(method, &path).send();
            assert_eq!(plain.header("set-cookie"), None, "{method} {path}");
            for (name, value) in [
                ("X-HTTP-Method-Override", *other),
                ("X-HTTP-Method", other),
                ("X-Method-Override", other),
            ] {
                let answer = scene.as_actor(method, &path).header(name, value).send();
                assert_eq!(
                    (answer.status, &answer.body),
                    (plain.status, &plain.body),
                    "{name} {path}"
                );
            }
            let query = format!("{path}?_method={other}&method={other}");
            let answer = scene.as_actor(method, &query).send();
            assert_eq!((answer.status, &answer.body), (plain.status, &plain.body), "{query}");
        }
    }
    assert_eq!(stored(&stage.server), before);
    let login = "?email=admin%40example.com&password=correct+horse+1";
    let answer = stage.server.get(&format!("/api/v1/auth_session/login{login}")).send();
    answer.assert_error(405, "Method not allowed");
}
