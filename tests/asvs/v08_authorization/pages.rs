//! Who may see and do what on the pages.

use std::collections::BTreeSet;

use super::stage::{Actor, NEW_PASSWORD, Scene, Stage};
use crate::files;
use crate::harness::{Answer, PAGE, PASSWORD};

/// What every actor is answered: a status, or where the browser is sent (303): to *login*, to the
/// *password* that must be changed, to *confirm* with the password, or where it is *done*.
type Row = (&'static str, &'static str, [&'static str; 10]);

const OPEN: [&str; 10] = ["200"; 10];
const READ: [&str; 10] =
    ["login", "login", "login", "login", "password", "200", "200", "200", "200", "200"];
const LED: [&str; 10] =
    ["login", "login", "login", "login", "password", "done", "done", "done", "done", "done"];
const DONE: [&str; 10] =
    ["401", "403", "403", "403", "password", "done", "done", "done", "done", "done"];
const READ_BY_ADMINS: [&str; 10] =
    ["login", "login", "login", "login", "password", "403", "403", "403", "200", "200"];
const LED_AS_ADMIN: [&str; 10] =
    ["login", "login", "login", "login", "password", "403", "403", "403", "done", "done"];
const DONE_BY_ADMINS: [&str; 10] =
    ["401", "403", "403", "403", "password", "403", "403", "403", "done", "done"];
const PROVED_BY_ADMINS: [&str; 10] =
    ["401", "403", "403", "403", "password", "403", "403", "403", "done", "confirm"];

const MATRIX: &[Row] = &[
    ("GET", "/login", OPEN),
    (
        "POST",
        "/login",
        ["401", "done", "401", "401", "password", "done", "done", "done", "done", "done"],
    ),
    ("GET", "/login/confirm", LED),
    ("POST", "/login/confirm", DONE),
    (
        "GET",
        "/logout",
        ["login", "login", "login", "login", "200", "200", "200", "200", "200", "200"],
    ),
    ("POST", "/logout", ["login"; 10]),
    ("GET", "/account", READ),
    ("POST", "/account", DONE),
    (
        "GET",
        "/account/password",
        ["login", "login", "login", "login", "200", "200", "200", "200", "200", "200"],
    ),
    (
        "POST",
        "/account/password",
        ["401", "403", "403", "403", "done", "done", "done", "done", "done", "done"],
    ),
    ("GET", "/account/sessions/end-others", LED),
    (
        "POST",
        "/account/sessions/end-others",
        ["401", "403", "403", "403", "password", "done", "done", "confirm", "done", "confirm"],
    ),
    ("GET", "/account/sessions/{session}/end", LED),
    ("POST", "/account/sessions/{session}/end", DONE),
    ("GET", "/admin", READ_BY_ADMINS),
    ("GET", "/admin/users", READ_BY_ADMINS),
    ("GET", "/admin/users/new", READ_BY_ADMINS),
    ("POST", "/admin/users/new", DONE_BY_ADMINS),
    ("GET", "/admin/users/{id}", READ_BY_ADMINS),
    ("GET", "/admin/users/{id}/role", LED_AS_ADMIN),
    ("POST", "/admin/users/{id}/role", PROVED_BY_ADMINS),
    ("GET", "/admin/users/{id}/disable", LED_AS_ADMIN),
    ("POST", "/admin/users/{id}/disable", DONE_BY_ADMINS),
    ("GET", "/admin/users/{id}/enable", LED_AS_ADMIN),
    ("POST", "/admin/users/{id}/enable", DONE_BY_ADMINS),
    (
        "GET",
        "/admin/users/{id}/password",
        ["login", "login", "login", "login", "password", "403", "403", "403", "200", "confirm"],
    ),
    ("POST", "/admin/users/{id}/password", PROVED_BY_ADMINS),
    ("GET", "/admin/users/{id}/sessions/end", LED_AS_ADMIN),
    ("POST", "/admin/users/{id}/sessions/end", PROVED_BY_ADMINS),
    ("GET", "/admin/users/{id}/sessions/{session}/end", LED_AS_ADMIN),
    ("POST", "/admin/users/{id}/sessions/{session}/end", DONE_BY_ADMINS),
];

/// The routes of the pages in the sources: method and path.
fn routes() -> BTreeSet<(String, String)> {
    let mut routes = BTreeSet::new();
    for (name, source) in files::sources() {
        let Some(file) = name.strip_prefix("web/pages/") else { continue };
        for call in source.split(" at(").skip(1).map(str::trim_start) {
            let texts: Vec<&str> = call.split('"').skip(1).step_by(2).collect();
            let (scope, path, methods) = match file {
                _ if call.starts_with("web::scope(") => (texts[0], texts[1], texts[2]),
                "confirm.rs" => ("/login", texts[0], texts[1]),
                "account.rs" | "password.rs" => ("/account", texts[0], texts[1]),
                _ => ("/admin", texts[0], texts[1]),
            };
            for method in methods.split(", ").filter(|method| *method != "HEAD") {
                routes.insert((method.to_owned(), format!("{scope}{path}")));
            }
        }
    }
    routes
}

/// Every page has a row, every row is a page, and all of them are behind the door.
pub fn every_page_has_a_row() {
    let rows = MATRIX.iter().map(|(method, path, _)| ((*method).to_owned(), (*path).to_owned()));
    let rows: BTreeSet<_> = rows.collect();
    assert_eq!(rows, routes());
    assert_eq!(MATRIX.len(), rows.len(), "no row is there twice");
    let source = files::read("src/web/pages.rs");
    assert!(source.contains("config.service(pages.behind_the_door(scope));"));
    assert!(source.contains("scope.wrap(from_fn(door::door))"));
    // Beside them there are the files, and an address that leads to one of them.
    assert_eq!(source.matches("config.service(").count(), 3);
    let door = files::read("src/web/pages/door.rs");
    assert!(
        door.contains("match admit(auth.as_ref(), &rules, request.request(), OPEN_PAGES).await {")
    );
}

/// The answer in the words of the matrix.
fn outcome(answer: &Answer) -> String {
    match (answer.status, answer.location()) {
        (303, Some("/login/confirm")) => "confirm".into(),
        (303, Some("/account/password")) => "password".into(),
        (303, Some(to)) if to == "/login" || to.starts_with("/login?") => "login".into(),
        (303, Some(_)) => "done".into(),
        (status, _) => status.to_string(),
    }
}

fn call(scene: &Scene<'_>, stage: &Stage, method: &str, route: &str) -> Answer {
    let request = scene.as_actor(method, &scene.page(route)).header("Accept", PAGE);
    let nobody = "nobody@example.com".to_owned();
    let email = scene.actor.as_ref().map_or(nobody, |actor| actor.email.clone());
    let new = stage.address();
    let fields: &[(&str, &str)] = match (method, route) {
        ("GET", _) => return request.send(),
        (_, "/login") => &[("email", &email), ("password", PASSWORD)],
        (_, "/login/confirm") => &[("password", PASSWORD)],
        (_, "/account") => &[("first_name", "Zoe")],
        (_, "/account/password") => {
            &[("current_password", PASSWORD), ("new_password", NEW_PASSWORD)]
        }
        (_, "/admin/users/new") => &[("email", &new), ("password", PASSWORD)],
        (_, "/admin/users/{id}/role") => &[("role", "admin")],
        (_, "/admin/users/{id}/password") => &[("password", NEW_PASSWORD)],
        _ => &[],
    };
    request.form(fields).send()
}

/// The matrix holds, for every actor on every page.
pub fn every_actor_is_answered_as_the_matrix_says() {
    let stage = Stage::new();
    let mut wrong = Vec::new();
    for (method, route, outcomes) in MATRIX {
        for ((actor, name), expected) in Actor::ALL.into_iter().zip(outcomes) {
            let scene = stage.scene(actor);
            let answer = call(&scene, &stage, method, route);
            if outcome(&answer) != *expected {
                wrong.push(format!("{method} {route} {name}: {expected}, not {answer:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The table of the documents is the matrix.
pub fn the_matrix_is_documented() {
    let head = ["method", "page"].into_iter().chain(Actor::ALL.map(|(_, name)| name));
    let mut rows = vec![head.map(str::to_owned).collect::<Vec<_>>()];
    for (method, path, outcomes) in MATRIX {
        let first = [(*method).to_owned(), format!("`{path}`")];
        rows.push(first.into_iter().chain(outcomes.map(str::to_owned)).collect());
    }
    files::assert_table(&files::section("docs/CONTROLS.md", "Pages"), &rows);
}
