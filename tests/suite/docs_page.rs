//! The page that shows the API to people.

use std::collections::BTreeSet;

use crate::harness::{Program, Server};
use crate::openapi;

const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// What stands between quotes behind `name=` in a page.
fn attributes<'p>(page: &'p str, name: &str) -> Vec<&'p str> {
    let begin = format!(" {name}=\"");
    let values = page.split(begin.as_str()).skip(1);
    values.map(|rest| rest.split_once('"').unwrap().0).collect()
}

fn stylesheet(page: &str) -> &str {
    attributes(page, "href").into_iter().find(|link| link.starts_with("/docs/")).unwrap()
}

#[test]
fn the_page_shows_every_operation_and_code_and_links_only_to_what_is_there() {
    let server = Server::of("session_db_auth");
    let page = server.get("/docs").send();
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let ids: Vec<&str> = attributes(&page.body, "id");
    let unique: BTreeSet<&str> = ids.iter().copied().collect();
    assert_eq!(ids.len(), unique.len(), "an id is there twice");
    for operation in openapi::operations(&openapi::copy()).values() {
        assert!(unique.contains(operation["operationId"].as_str().unwrap()), "{operation}");
    }
    for code in sessiond::error::Code::ALL {
        assert!(unique.contains(format!("code-{code}").as_str()), "{code}");
    }
    for link in attributes(&page.body, "href") {
        match link.strip_prefix('#') {
            Some(id) => assert!(unique.contains(id), "{link}"),
            None => assert_eq!(server.get(link).send().status, 200, "{link}"),
        }
    }
}

#[test]
fn getting_started_begins_with_the_address_of_the_service_where_that_is_known() {
    for (set, shown) in [
        ("", "http://127.0.0.1:5000"),
        ("https://id.example.com/", "https://id.example.com"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ] {
        let program = Program::of("session_db_auth");
        let program = if set.is_empty() { program } else { program.set("PUBLIC_URL", set) };
        let page = program.start().get("/docs").send().body;
        assert!(page.contains(&format!("<pre><code>URL={shown}\n")), "{set}");
    }
}

#[test]
fn the_page_runs_nothing_loads_nothing_foreign_and_says_so() {
    let server = Server::of("session_db_auth");
    let page = server.get("/docs").send();
    for forbidden in ["<script", "style=", "onclick", "http://", "https://", "<img", "<form"] {
        let allowed = page.body.replace("URL=http://127.0.0.1:5000", "");
        assert!(!allowed.contains(forbidden), "{forbidden}");
    }
    let style = server.get(stylesheet(&page.body)).send();
    let of_style = "default-src 'none'; frame-ancestors 'none'";
    for (answer, policy, caching) in
        [(&page, POLICY, "no-cache"), (&style, of_style, "public, max-age=31536000, immutable")]
    {
        assert_eq!(answer.headers("content-security-policy"), [policy]);
        assert_eq!(answer.headers("cache-control"), [caching]);
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.headers(name), [value]);
        }
    }
    assert_eq!(style.header("content-type"), Some("text/css; charset=utf-8"));
    assert!(!style.body.contains("url(") && !style.body.contains("@import"));
}

#[test]
fn an_answer_without_a_policy_of_its_own_has_the_usual_ones_once() {
    let server = Server::of("session_db_auth");
    // Both kinds, one after the other and again: what is kept for one is not given to the other.
    for _ in 0..2 {
        for path in ["/api/v1/status", "/api/v1/openapi.json"] {
            let answer = server.get(path).send();
            assert_eq!(answer.headers("cache-control"), ["no-store"]);
            let policy = "default-src 'none'; base-uri 'none'; frame-ancestors 'none'";
            assert_eq!(answer.headers("content-security-policy"), [policy]);
        }
        assert_eq!(server.get("/docs").send().headers("cache-control"), ["no-cache"]);
    }
}

#[test]
fn other_methods_are_refused_and_head_is_like_get() {
    let server = Server::of("session_db_auth");
    let answer = server.post("/docs").send();
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, HEAD")));
    let (get, head) = (server.get("/docs").send(), server.request("HEAD", "/docs").send());
    assert_eq!((head.status, head.body.as_str()), (200, ""));
    assert_eq!(head.header("content-length"), get.header("content-length"));
}

#[test]
fn without_docs_all_of_it_is_like_any_unknown_path() {
    let shown = Server::of("session_db_auth");
    let page = shown.get("/docs").send();
    let style = stylesheet(&page.body);
    let server = Program::of("session_db_auth").set("DOCS", "off").start();
    for path in ["/docs", "/docs/", style, "/api/v1/openapi.json"] {
        for method in ["GET", "POST"] {
            let answer = server.by_admin(server.request(method, path)).send();
            answer.assert_refused(404, "Not found", "not_found");
        }
    }
}
