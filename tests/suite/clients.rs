//! What clients are offered: that the Postman collection and `docs/http` have every operation of
//! the document, and nothing that is not in it but what is meant to be.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::openapi;

/// What is asked for though it is no operation, to see that it is refused, or because it is for
/// people. Paths end in `*` for all that begin so.
const ON_PURPOSE: &[&str] = &[
    "HEAD *",
    "GET /docs",
    "POST /api/v1/status",
    "GET /api/v1/nothing_here",
    "GET /api/v1/statusx",
    "GET /api//v1/status",
    "GET /api/v1/auth_session/login",
    "GET /api/v1/auth_session/logout",
    "PUT /api/v1/users/me",
    "DELETE /api/v1/users/me",
    "POST /api/v1/users/{id}",
    "DELETE /api/v1/users",
];

fn read(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn documented() -> BTreeSet<String> {
    openapi::operations(&openapi::copy()).into_keys().collect()
}

/// The operation that is asked for, with the names of the document in place of ids and variables.
fn operation(method: &str, target: &str) -> String {
    let path = target.split('?').next().unwrap();
    let path = if path == "/" { path } else { path.trim_end_matches('/') };
    let mut segments: Vec<&str> = path.split('/').collect();
    for at in 1..segments.len() {
        let is_own_name = segments[at] == "me" && at + 1 == segments.len();
        match segments[at - 1] {
            "users" if !is_own_name => segments[at] = "{id}",
            "sessions" => segments[at] = "{session}",
            _ => {}
        }
    }
    format!("{method} {}", segments.join("/"))
}

fn is_on_purpose(operation: &str) -> bool {
    ON_PURPOSE.iter().any(|allowed| match allowed.strip_suffix('*') {
        Some(beginning) => operation.starts_with(beginning),
        None => operation == *allowed,
    })
}

fn assert_covers_the_document(asked: &BTreeSet<String>) {
    let documented = documented();
    let missing: Vec<_> = documented.difference(asked).collect();
    assert!(missing.is_empty(), "nobody asks for {missing:?}");
    let unknown = asked.difference(&documented).filter(|operation| !is_on_purpose(operation));
    let unknown: Vec<_> = unknown.collect();
    assert!(unknown.is_empty(), "not documented: {unknown:?}");
}

/// The requests of a folder of the collection and of the folders in it.
fn collect(folder: &Value, requests: &mut BTreeSet<String>) {
    for item in folder["item"].as_array().into_iter().flatten() {
        collect(item, requests);
        let request = &item["request"];
        if let Some(url) = request["url"]["raw"].as_str() {
            let path = url.strip_prefix("{{baseUrl}}").unwrap();
            requests.insert(operation(request["method"].as_str().unwrap(), path));
        }
    }
}

#[test]
fn the_postman_collection_has_every_operation_and_nothing_unknown() {
    let collection = serde_json::from_str(&read("postman/sessiond.postman_collection.json"));
    let mut asked = BTreeSet::new();
    collect(&collection.unwrap(), &mut asked);
    assert_covers_the_document(&asked);
    for allowed in ON_PURPOSE.iter().filter(|allowed| !allowed.ends_with('*')) {
        assert!(asked.contains(*allowed), "{allowed} is not asked for any more");
    }
}

#[test]
fn the_http_files_have_every_operation_in_the_file_of_its_tag() {
    let document = openapi::copy();
    let mut asked = BTreeSet::new();
    for tag in document["tags"].as_array().unwrap() {
        let tag = tag["name"].as_str().unwrap();
        let text = read(&format!("docs/http/{tag}.http"));
        let mut name = None;
        for line in text.lines() {
            name = line.strip_prefix("# @name ").or(name);
            let Some((method, target)) = line.split_once(" {{url}}") else { continue };
            let operation = operation(method, target);
            let described = &openapi::operations(&document)[&operation];
            assert_eq!(described["tags"][0], tag, "{operation}");
            assert_eq!(described["operationId"].as_str(), name, "{operation}");
            asked.insert(operation);
        }
        for variable in text.split("{{").skip(1).map(|rest| rest.split_once("}}").unwrap().0) {
            assert!(text.contains(&format!("\n@{variable} = ")), "{tag}.http: {variable}");
        }
    }
    assert_eq!(asked, documented());
}
