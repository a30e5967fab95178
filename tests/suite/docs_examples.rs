//! The examples on the page of the API, as they are printed there, each for a server of its own.

use std::collections::BTreeMap;
use std::fs;

use serde_json::Value;

use crate::documented_headers::assert_documented;
use crate::harness::{Answer, Server, shell};
use crate::openapi;

/// Where the page says that a service is which has no `PUBLIC_URL`.
const ADDRESS: &str = "URL=http://127.0.0.1:5000\n";
/// What lets `curl` write down the head of each answer, and nothing but bodies to the terminal.
const CURLRC: &str = "silent\nshow-error\ndump-header = head\n";

/// The first example in a piece of the page, as a reader copies it.
fn example(page: &str) -> String {
    let (_, example) = page.split_once("<pre><code>").unwrap();
    let example = example.split_once("</code></pre>").unwrap().0;
    [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&#38;", "&")]
        .iter()
        .fold(example.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

/// What the page says to do first, and the example of each operation by its id.
fn examples() -> (String, BTreeMap<String, String>) {
    let page = Server::of("session_db_auth").get("/docs").send().body;
    let (_, start) = page.split_once("<section id=\"start\"").unwrap();
    let articles = page.split("<article id=\"").skip(1).map(|article| {
        let (id, rest) = article.split_once('"').unwrap();
        (id.to_owned(), rest)
    });
    let operations = articles.filter(|(id, _)| !id.starts_with("schema-"));
    (example(start), operations.map(|(id, rest)| (id, example(rest))).collect())
}

/// Runs commands of the page for a server, and returns the last answer.
fn run(server: &Server, commands: &str) -> Answer {
    let folder = server.data().parent().unwrap().to_owned();
    fs::write(folder.join(".curlrc"), CURLRC).unwrap();
    let output = shell(commands, &folder);
    assert!(output.status.success(), "{commands}: {}", String::from_utf8_lossy(&output.stderr));
    Answer::parse(&fs::read(folder.join("head")).unwrap())
}

/// The public id of another session of the admin.
fn another_session(server: &Server) -> String {
    let session = server.get("/api/v1/auth_session").bearer(&server.admin()).send();
    session.json()["id"].as_str().unwrap().to_owned()
}

/// The status that an example of an operation is answered with: success, if there is any.
fn expected(operation: &str, it: &Value) -> u16 {
    let statuses = it["responses"].as_object().unwrap().keys();
    let success = statuses.filter(|status| status.starts_with('2')).min();
    match (success, operation) {
        (Some(status), _) => status.parse().unwrap(),
        (None, "GET /api/v1/unauthorized") => 401,
        (None, "GET /api/v1/forbidden") => 403,
        (None, other) => panic!("{other} never succeeds"),
    }
}

/// Whether there is a curl that knows `--json` (7.82). With `DEMAND_CURL=1` that there is none is a
/// failure; else the tests that need it say that they are skipped.
fn curl_is_there() -> bool {
    let help = shell("curl --help all", &std::env::temp_dir());
    let found = String::from_utf8_lossy(&help.stdout).contains("--json");
    if !found {
        assert!(std::env::var_os("DEMAND_CURL").is_none(), "curl 7.82 or later is missing");
        eprintln!("skipped: there is no curl 7.82 or later");
    }
    found
}

#[test]
fn every_example_on_the_page_works_as_it_is_printed() {
    if !curl_is_there() {
        return;
    }
    let (start, examples) = examples();
    let document = openapi::copy();
    for (operation, it) in openapi::operations(&document) {
        let example = &examples[it["operationId"].as_str().unwrap()];
        let server = Server::of("session_db_auth");
        let rob = server.add_user("rob@example.com");
        let url = format!("URL=http://{}\n", server.address);
        let names = format!("ID={rob}\nSESSION={}\n", another_session(&server));
        let commands = [&start.replace(ADDRESS, &url), "\n", &names, example].concat();
        let answer = run(&server, &commands);
        assert_eq!(answer.status, expected(&operation, &it), "{operation}: {example}");
        let described = openapi::answer(&document, &operation, answer.status);
        assert_documented(&document, described, &answer);
    }
}

#[test]
fn getting_started_ends_with_who_has_logged_in() {
    if !curl_is_there() {
        return;
    }
    let (start, _) = examples();
    let server = Server::of("session_db_auth");
    assert!(start.starts_with(ADDRESS), "{start}");
    let answer = run(&server, &start.replace(ADDRESS, &format!("URL=http://{}\n", server.address)));
    assert_eq!(answer.status, 200);
    let (_, last) = start.rsplit_once('\n').unwrap();
    assert_eq!(last, "curl -b jar \"$URL/api/v1/users/me\"");
}
