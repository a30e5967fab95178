//! The OpenAPI document: that it is true of the program, and that the copy in `docs/` is it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use sessiond::app;
use sessiond::auth::cookie::SessionCookie;
use sessiond::error::Code;

use crate::harness::{ADMIN, ADMIN_PASSWORD, NOBODY, Program, Server};

const DOCUMENT: &str = "/api/v1/openapi.json";
const COPY: &str = "docs/openapi.json";

/// Routes that answer 404 and nothing else, as the classic contract has it.
const NOT_THERE: &[&str] = &["PUT /api/v1/users/me", "DELETE /api/v1/users/me"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The copy of the document.
pub fn copy() -> Value {
    serde_json::from_str(&fs::read_to_string(root().join(COPY)).unwrap()).unwrap()
}

/// All operations of a document, as `GET /path`, each with what it says.
pub fn operations(document: &Value) -> BTreeMap<String, Value> {
    let paths = document["paths"].as_object().unwrap().iter();
    let operations = paths.flat_map(|(path, item)| {
        // What all methods of a path share is no method.
        let methods = item.as_object().unwrap().iter().filter(|(name, _)| *name != "parameters");
        methods.map(move |(method, it)| (format!("{} {path}", method.to_uppercase()), it.clone()))
    });
    operations.collect()
}

/// What a document says of an answer of an operation; null if nothing.
pub fn answer<'d>(document: &'d Value, operation: &str, status: u16) -> &'d Value {
    let (method, path) = operation.split_once(' ').unwrap();
    let operation = &document["paths"][path][method.to_lowercase()];
    let answer = &operation["responses"][status.to_string()];
    let name = answer["$ref"].as_str().and_then(|at| at.strip_prefix("#/components/responses/"));
    name.map_or(answer, |name| &document["components"]["responses"][name])
}

/// The routes as `src/api.rs` lists them. HEAD goes with GET.
fn routes() -> BTreeSet<String> {
    let source = fs::read_to_string(root().join("src/api.rs")).unwrap();
    let (_, listed) = source.split_once("fn routes(").unwrap();
    let mut routes = BTreeSet::new();
    for resource in listed.split("at(").skip(1) {
        let mut texts = resource.split('"').skip(1).step_by(2);
        let Some((path, methods)) = texts.next().zip(texts.next()) else { continue };
        let methods = methods.split(", ").filter(|method| *method != "HEAD");
        routes.extend(methods.map(|method| format!("{method} /api/v1{path}")));
    }
    assert!(routes.len() > 20, "{routes:?}");
    routes.extend(["healthz", "readyz", "metrics"].map(|name| format!("GET /{name}")));
    routes
}

#[test]
fn the_copy_in_docs_is_what_the_program_serves() {
    let served = Server::of("session_db_auth").get(DOCUMENT).send();
    assert_eq!((served.status, served.headers("content-type")), (200, vec!["application/json"]));
    let (path, document) = (root().join(COPY), app::document(SessionCookie::DEFAULT_NAME));
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        fs::write(&path, document.pretty()).unwrap();
    }
    let copy = fs::read_to_string(&path).unwrap_or_default();
    assert!(copy == document.pretty(), "{COPY} is stale: just openapi");
    assert!(served.json() == serde_json::from_str::<Value>(&copy).unwrap());
}

#[test]
fn every_route_is_in_the_document_and_nothing_else_is() {
    let documented: BTreeSet<String> = operations(&copy()).into_keys().collect();
    assert_eq!(documented, routes());
}

#[test]
fn everything_in_the_document_answers_there_and_says_which_methods_there_are() {
    let server = Server::of("session_db_auth");
    let mut methods: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for operation in operations(&copy()).keys() {
        let (method, path) = operation.split_once(' ').unwrap();
        methods.entry(path.to_owned()).or_default().insert(method.to_owned());
    }
    for (path, documented) in methods {
        let there = path.replace("{id}", NOBODY).replace("{session}", NOBODY);
        let answer = server.by_admin(server.request("PATCH", &there)).send();
        assert_eq!(answer.status, 405, "{path}");
        let allowed =
            answer.header("allow").unwrap().split(", ").filter(|method| *method != "HEAD");
        assert_eq!(allowed.map(str::to_owned).collect::<BTreeSet<_>>(), documented, "{path}");
        for method in &documented {
            let answer = server.by_admin(server.request(method, &there)).send();
            assert_ne!(answer.status, 405, "{method} {path}");
        }
    }
    for route in NOT_THERE {
        let (method, path) = route.split_once(' ').unwrap();
        assert_eq!(server.by_admin(server.request(method, path)).send().status, 404, "{route}");
    }
}

#[test]
fn open_operations_are_those_that_need_no_credentials() {
    let server = Server::of("session_db_auth");
    for (operation, it) in operations(&copy()) {
        let (method, path) = operation.split_once(' ').unwrap();
        let path = path.replace("{id}", NOBODY).replace("{session}", NOBODY);
        let answer = server.request(method, &path).send();
        let is_open = it["security"] == json!([{}]);
        // An open one shows what a 401 looks like.
        let refuses = path.ends_with("/unauthorized");
        assert_eq!(answer.status == 401, !is_open || refuses, "{operation}");
        assert_eq!(answer.status == 401 && is_open, refuses, "{operation}");
    }
}

#[test]
fn errors_have_every_code_there_is_and_its_meaning() {
    let schema = &copy()["components"]["schemas"]["ErrorCode"];
    let names: Vec<&str> = Code::ALL.iter().map(|code| code.name()).collect();
    assert_eq!(schema["enum"], json!(names));
    for code in Code::ALL {
        let line = format!("- `{}`: {}", code.name(), code.meaning());
        assert!(schema["description"].as_str().unwrap().contains(&line), "{code}");
    }
}

#[test]
fn texts_of_errors_that_are_said_to_stay_are_those_that_come() {
    let about = copy()["info"]["description"].as_str().unwrap().to_owned();
    let (_, classic) = about.split_once("the classic ones, ").unwrap();
    let classic = classic.split_once(" stay as well").unwrap().0;
    let said: BTreeSet<&str> = classic.split('`').skip(1).step_by(2).collect();
    let server = Program::of("session_db_auth").set("LOGIN_ERRORS", "detailed").start();
    let bob = json!({ "email": "bob@example.com", "password": "x" });
    let answers = [
        server.get("/api/v1/unauthorized").send(),
        server.get("/api/v1/forbidden").send(),
        server.by_admin(server.get("/api/v1/nothing_here")).send(),
        server.post("/api/v1/status").send(),
        server.by_admin(server.post("/api/v1/users")).json(&json!([])).send(),
        server.by_admin(server.post("/api/v1/users")).json(&bob).send(),
        server.login(&[]).send(),
        server.login(&[("email", ADMIN)]).send(),
        server.login(&[("email", ADMIN), ("password", "wrong one")]).send(),
        server.login(&[("email", "nobody@example.com"), ("password", "wrong one")]).send(),
    ];
    let texts = answers.map(|answer| answer.json()["error"].as_str().unwrap().to_owned());
    let reason = |text: &str| text.find(": ").map_or(text.len(), |at| at + 2);
    assert_eq!(texts.iter().map(|text| &text[..reason(text)]).collect::<BTreeSet<_>>(), said);
}

#[test]
fn the_document_says_what_cargo_toml_says_of_the_program() {
    let info = &copy()["info"];
    assert_eq!(info["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(info["license"]["identifier"], env!("CARGO_PKG_LICENSE"));
}

#[test]
fn what_a_proxy_tells_is_documented_by_every_name_that_is_read() {
    let source = fs::read_to_string(root().join("src/auth/proxies/original.rs")).unwrap();
    let source = source.split_once("#[cfg(test)]").unwrap().0.to_lowercase().replace('_', "-");
    let parameters = copy()["paths"]["/api/v1/auth_session/verify"]["get"]["parameters"].clone();
    let headers = parameters.as_array().unwrap().iter().filter(|it| it["in"] == "header");
    let documented: BTreeSet<String> =
        headers.map(|it| it["name"].as_str().unwrap().to_lowercase()).collect();
    let words = source.split(|c: char| !c.is_ascii_alphanumeric() && c != '-');
    let read = words.filter(|word| word.starts_with("x-")).map(str::to_owned);
    assert_eq!(documented, read.collect());
}

#[test]
fn the_document_names_the_cookie_of_this_service() {
    let server = Program::of("session_db_auth").set("SESSION_NAME", "mine").start();
    let document = server.get(DOCUMENT).send().json();
    assert_eq!(document["components"]["securitySchemes"]["session"]["name"], "mine");
}

#[test]
fn the_document_needs_and_touches_no_session() {
    let server = Server::of("session_db_auth");
    let session = server.admin();
    for path in [DOCUMENT, "/api/v1/openapi.json/", "/docs", "/docs/"] {
        assert_eq!(server.get(path).send().status, 200, "{path}");
        assert_eq!(server.get(path).session("junk").send().status, 200, "{path}");
    }
    let seen = || {
        let sessions = server.get("/api/v1/users/me/sessions").bearer(&server.admin()).send();
        let all = sessions.json();
        all.as_array().unwrap()[0]["last_seen_at"].clone()
    };
    let before = seen();
    assert_eq!(server.get(DOCUMENT).session(&session).send().status, 200);
    assert_eq!(server.get("/docs").session(&session).send().status, 200);
    assert_eq!(seen(), before);
}

#[test]
fn examples_of_bodies_are_taken() {
    let server = Server::of("session_db_auth");
    let schemas = &copy()["components"]["schemas"];
    let example = |name: &str| {
        let members = schemas[name]["properties"].as_object().unwrap().iter();
        let shown = members.filter(|(_, member)| !member["example"].is_null());
        let shown = shown.map(|(name, member)| (name.clone(), member["example"].clone()));
        Value::Object(shown.collect())
    };
    let login = example("Login");
    assert_eq!((&login["email"], &login["password"]), (&json!(ADMIN), &json!("correct horse 1")));
    let admin = server.admin();
    let made = server.post("/api/v1/users").session(&admin).json(&example("NewUser")).send();
    assert_eq!(made.status, 201, "{}", made.body);
    let bob = format!("/api/v1/users/{}", made.json()["id"].as_str().unwrap());
    let changed = server.put(&bob).session(&admin).json(&example("UserChange")).send();
    assert_eq!(changed.status, 200, "{}", changed.body);
    let mut password = example("PasswordChange");
    password["current_password"] = json!(ADMIN_PASSWORD);
    let changed = server.put("/api/v1/users/me/password").session(&admin).json(&password).send();
    assert_eq!(changed.status, 200, "{}", changed.body);
}

#[test]
fn words_that_say_yes_or_no_are_those_that_are_taken() {
    let server = Server::of("session_db_auth");
    let (document, admin) = (copy(), server.admin());
    let verify = &document["paths"]["/api/v1/auth_session/verify"]["get"];
    let end_all = &document["paths"]["/api/v1/users/{id}/sessions"]["delete"];
    let mut parameters = [verify, end_all]
        .into_iter()
        .flat_map(|operation| operation["parameters"].as_array().unwrap());
    let mut words = |name: &str| {
        let parameter = parameters.find(|parameter| parameter["name"] == name).unwrap();
        parameter["schema"]["enum"].as_array().unwrap().clone()
    };
    let taken = json!(["true", "false", "on", "off", "yes", "no", "1", "0"]);
    for name in ["touch", "redirect", "all"] {
        assert_eq!(json!(words(name)), taken, "{name}");
    }
    let all = server.delete("/api/v1/users/me/sessions?all=").session(&admin).send();
    assert_eq!(all.status, 400);
    let form = &document["components"]["schemas"]["LoginForm"]["properties"]["remember"]["enum"];
    assert_eq!(form.as_array().unwrap().len(), taken.as_array().unwrap().len() + 1);
    for word in taken.as_array().unwrap().iter().chain([&json!("")]) {
        let word = word.as_str().unwrap();
        let verify = format!("/api/v1/auth_session/verify?touch={word}&redirect={word}");
        let status = if word.is_empty() { 400 } else { 200 };
        assert_eq!(server.get(&verify).session(&admin).send().status, status, "{word:?}");
        let fields = [("email", ADMIN), ("password", ADMIN_PASSWORD), ("remember", word)];
        assert_eq!(server.login(&fields).send().status, 200, "{word:?}");
        assert!(form.as_array().unwrap().contains(&json!(word)), "{word:?}");
    }
}

#[test]
fn known_members_have_their_types_also_where_nobody_needs_them() {
    let server = Server::of("session_db_auth");
    let bob = format!("/api/v1/users/{}", server.add_user("bob@example.com"));
    let admin = server.admin();
    let own = json!({
        "current_password": ADMIN_PASSWORD, "new_password": "another one 7", "must_change": {}
    });
    let set = json!({ "new_password": "another one 7", "current_password": 1 });
    for (path, body) in [
        (bob.as_str(), json!({ "first_name": "Bob", "current_password": 1 })),
        ("/api/v1/users/me/password", own),
        (&format!("{bob}/password"), set),
    ] {
        let answer = server.put(path).session(&admin).json(&body).send();
        assert_eq!((answer.status, answer.json()["code"].clone()), (400, json!("invalid_value")));
    }
}
