//! The headers of answers: those that come are those that the OpenAPI document has.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::harness::{ADMIN, ADMIN_PASSWORD, Answer, NOBODY, Program, Request, Server};
use crate::openapi;

/// What carries an answer, whichever it is.
const OF_TRANSPORT: [&str; 4] = ["connection", "content-length", "content-type", "date"];
/// A site whose pages may ask.
const SITE: &str = "https://app.example.com";

/// The names that an answer is described with, in lower case.
fn described_headers(described: &Value) -> BTreeSet<String> {
    let headers = described["headers"].as_object();
    headers.into_iter().flatten().map(|(name, _)| name.to_lowercase()).collect()
}

/// The names that the introduction says that any answer may have.
fn of_any_answer(document: &Value) -> BTreeSet<String> {
    let about = document["info"]["description"].as_str().unwrap();
    let (_, paragraph) = about.split_once("\n\nEvery answer has").unwrap();
    let paragraph = paragraph.split("\n\n").next().unwrap();
    paragraph.split('`').skip(1).step_by(2).map(str::to_lowercase).collect()
}

/// Holds that the headers of an answer are described, and returns those that are described with it.
#[track_caller]
pub fn assert_documented(document: &Value, described: &Value, answer: &Answer) -> BTreeSet<String> {
    assert!(described.is_object(), "{} is not documented: {answer:?}", answer.status);
    let (own, of_any) = (described_headers(described), of_any_answer(document));
    let came = answer.headers.iter().map(|(name, _)| name.clone());
    let came: BTreeSet<String> =
        came.filter(|name| !OF_TRANSPORT.contains(&name.as_str())).collect();
    for name in &came {
        assert!(own.contains(name) || of_any.contains(name), "{name}: {answer:?}");
    }
    for name in ["x-request-id", "cache-control"] {
        assert!(own.contains(name) && came.contains(name), "{name}: {answer:?}");
    }
    // What a refusal is described with comes with each.
    assert!(answer.status < 400 || own.is_subset(&came), "{own:?}: {answer:?}");
    own.intersection(&came).cloned().collect()
}

/// A server that is asked, and which of the documented headers have come.
struct Asked {
    server: Server,
    document: Value,
    came: BTreeSet<String>,
}

impl Asked {
    fn new() -> Self {
        let program = Program::of("session_db_auth").set("TRUSTED_PROXIES", "127.0.0.1");
        let program = program.set("ALLOWED_REDIRECTS", "app.example.com").set("CORS_ORIGINS", SITE);
        Self { server: program.start(), document: openapi::copy(), came: BTreeSet::new() }
    }

    /// Sends a request that asks for this operation.
    fn send(&mut self, operation: &str, request: Request) -> u16 {
        let answer = request.header("Origin", SITE).send();
        let described = openapi::answer(&self.document, operation, answer.status);
        self.came.extend(assert_documented(&self.document, described, &answer));
        answer.status
    }

    /// Sends a request that no operation answers, but one of the responses for all.
    fn send_astray(&mut self, name: &str, request: Request) {
        let answer = request.header("Origin", SITE).send();
        let described = &self.document["components"]["responses"][name];
        self.came.extend(assert_documented(&self.document, described, &answer));
    }
}

#[test]
fn every_header_that_comes_is_documented_and_every_documented_one_comes() {
    let mut asked = Asked::new();
    for operation in openapi::operations(&asked.document).into_keys() {
        let (method, path) = operation.split_once(' ').unwrap();
        let path = path.replace("{id}", "me").replace("{session}", NOBODY);
        for as_whom in [
            &|request| request as Request,
            &|request: Request| request.session("junk"),
            &|request: Request| request.cookie("_my_session_id=a; _my_session_id=b"),
            &|request: Request| request.bearer("junk").body("text/plain", "x"),
        ] as [&dyn Fn(Request) -> Request; 4]
        {
            asked.send(&operation, as_whom(asked.server.request(method, &path)));
        }
        let admin = asked.server.admin();
        asked.send(&operation, asked.server.request(method, &path).session(&admin));
        let other = asked.server.by_admin(asked.server.request("PATCH", &path));
        asked.send_astray("MethodNotAllowed", other);
    }
    asked.send_astray("NotFound", asked.server.by_admin(asked.server.get("/api/v1/nothing_here")));
    ask_for_what_comes_seldom(&mut asked);
    assert_eq!(asked.came, all_headers(&asked.document));
}

/// The names in all objects called `headers`.
fn all_headers(value: &Value) -> BTreeSet<String> {
    let mut names = described_headers(value);
    let inner = value.as_object().into_iter().flatten().map(|(_, inner)| inner);
    names.extend(inner.flat_map(all_headers));
    names
}

fn ask_for_what_comes_seldom(asked: &mut Asked) {
    asked.server.add_user("bob@example.com");
    let admin = asked.server.admin();
    let users = asked.server.get("/api/v1/users?limit=1").session(&admin);
    assert_eq!(asked.send("GET /api/v1/users", users), 200);

    let verify = "GET /api/v1/auth_session/verify";
    let ask = |query: &str| asked.server.get(&format!("/api/v1/auth_session/verify{query}"));
    let known = ask("").session(&admin);
    let page = ask("?redirect=1").header("Accept", "text/html");
    let page = page.header("X-Original-URL", &format!("{SITE}/a"));
    assert_eq!(asked.send(verify, known), 200);
    assert_eq!(asked.send(verify, page), 302);

    let logout = asked.server.delete("/api/v1/auth_session/logout").session(&admin);
    assert_eq!(asked.send("DELETE /api/v1/auth_session/logout", logout), 200);
    let mut log_in = |password: &str| {
        let login = asked.server.login(&[("email", ADMIN), ("password", password)]);
        asked.send("POST /api/v1/auth_session/login", login)
    };
    assert_eq!(log_in(ADMIN_PASSWORD), 200);
    while log_in("wrong one") == 401 {}
    assert_eq!(log_in(ADMIN_PASSWORD), 429);
}
