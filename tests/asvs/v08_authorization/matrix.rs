//! Who may call what.

use std::collections::BTreeSet;

use super::stage::{Actor, Stage};
use crate::files;

/// What every actor is answered on every route, in the order of [`Actor::ALL`]. HEAD is answered
/// like GET.
pub const MATRIX: &[(&str, &str, [u16; 10])] = &[
    ("GET", "/status", [200; 10]),
    ("GET", "/unauthorized", [401; 10]),
    ("GET", "/forbidden", [403; 10]),
    ("GET", "/openapi.json", [200; 10]),
    ("GET", "/stats", [401, 403, 403, 403, 403, 200, 200, 200, 200, 200]),
    ("GET", "/users", [401, 403, 403, 403, 403, 403, 403, 403, 200, 200]),
    ("POST", "/users", [401, 403, 403, 403, 403, 403, 403, 403, 201, 201]),
    ("GET", "/users/me", [401, 403, 403, 403, 403, 200, 200, 200, 200, 200]),
    ("PUT", "/users/me", [401, 403, 403, 403, 403, 404, 404, 404, 404, 404]),
    ("DELETE", "/users/me", [401, 403, 403, 403, 403, 404, 404, 404, 404, 404]),
    ("GET", "/users/{id}", [401, 403, 403, 403, 403, 200, 403, 403, 200, 200]),
    ("PUT", "/users/{id}", [401, 403, 403, 403, 403, 200, 403, 403, 200, 200]),
    ("DELETE", "/users/{id}", [401, 403, 403, 403, 403, 200, 403, 403, 200, 403]),
    ("PUT", "/users/me/password", [401, 403, 403, 403, 200, 200, 200, 200, 200, 200]),
    ("PUT", "/users/{id}/password", [401, 403, 403, 403, 403, 200, 403, 403, 200, 403]),
    ("GET", "/users/me/sessions", [401, 403, 403, 403, 403, 200, 200, 200, 200, 200]),
    ("GET", "/users/{id}/sessions", [401, 403, 403, 403, 403, 200, 403, 403, 200, 200]),
    ("DELETE", "/users/me/sessions", [401, 403, 403, 403, 403, 200, 200, 403, 200, 403]),
    ("DELETE", "/users/{id}/sessions", [401, 403, 403, 403, 403, 200, 403, 403, 200, 403]),
    ("DELETE", "/users/me/sessions/{session}", [401, 403, 403, 403, 403, 200, 404, 404, 404, 404]),
    (
        "DELETE",
        "/users/{id}/sessions/{session}",
        [401, 403, 403, 403, 403, 200, 403, 403, 200, 200],
    ),
    ("DELETE", "/sessions", [401, 403, 403, 403, 403, 403, 403, 403, 200, 403]),
    ("POST", "/admin/backup", [401, 403, 403, 403, 403, 403, 403, 403, 201, 403]),
    ("GET", "/auth_session", [401, 403, 403, 403, 403, 200, 200, 200, 200, 200]),
    ("GET", "/auth_session/verify", [401, 401, 401, 401, 403, 200, 200, 200, 200, 200]),
    ("POST", "/auth_session/refresh", [401, 403, 403, 403, 403, 200, 200, 200, 200, 200]),
    ("POST", "/auth_session/reauth", [401, 403, 403, 403, 403, 200, 200, 200, 200, 200]),
    ("POST", "/auth_session/login", [401, 200, 401, 401, 200, 200, 200, 200, 200, 200]),
    ("DELETE", "/auth_session/logout", [401, 403, 403, 403, 200, 200, 200, 200, 200, 200]),
];

/// The routes that everybody may call, whoever he is.
pub const OPEN: [&str; 6] = [
    "/status",
    "/unauthorized",
    "/forbidden",
    "/openapi.json",
    "/auth_session/login",
    "/auth_session/verify",
];

/// Every route of `src/api.rs`: its method and its path.
fn routes() -> BTreeSet<(String, String)> {
    let source = files::read("src/api.rs");
    let (_, body) = source.split_once("fn routes(").unwrap();
    let (body, rest) = body.split_once("\n}\n").unwrap();
    assert!(!rest.contains(".service(") && !rest.contains("routes("), "all routes are in routes()");
    let mut routes = BTreeSet::new();
    for service in body.split(".service(").skip(1) {
        let path = service.split('"').nth(1).unwrap();
        for route in service.split(".route(").skip(1) {
            let method = route.split("()").next().unwrap();
            let method = method.rsplit("::").next().unwrap().to_uppercase();
            routes.insert((method, path.to_owned()));
        }
    }
    routes
}

/// Every route has a row, and every row is a route; one that names a user has a row for `me` too.
pub fn every_route_has_a_row() {
    let row = |(method, path, _): &(&str, &str, _)| ((*method).to_owned(), (*path).to_owned());
    let rows: BTreeSet<_> = MATRIX.iter().map(row).collect();
    let mut expected = routes();
    let named = |(method, path): &(String, String)| (method.clone(), path.replace("{id}", "me"));
    let named: Vec<_> = expected.iter().map(named).collect();
    expected.extend(named);
    assert_eq!(rows, expected);
    assert_eq!(MATRIX.len(), rows.len(), "no row is there twice");
    for (name, text) in files::sources() {
        let adds =
            [".route(", ".service(", "web::resource(", "#[get", "#[post", "#[put", "#[delete"];
        // The documentation may not even name what tells who is speaking; pages have a matrix.
        let is_page = (name == "web.rs" && !text.contains("auth::"))
            || name == "web/pages.rs"
            || name.starts_with("web/pages/");
        let may = is_page || ["api.rs", "app/monitoring.rs"].contains(&name.as_str());
        assert!(may || !adds.iter().any(|add| text.contains(add)), "{name} adds routes");
    }
    hold_monitoring();
}

/// Beside the API there are three routes to read from, and no others.
fn hold_monitoring() {
    let source = files::read("src/app/monitoring.rs");
    let source = source.split("#[cfg(test)]").next().unwrap();
    let texts = source.split('"').skip(1).step_by(2);
    let paths: BTreeSet<&str> =
        texts.filter(|text| text.starts_with('/')).map(without_slash).collect();
    assert_eq!(paths, BTreeSet::from(["/healthz", "/readyz", "/metrics"]));
    assert_eq!(source.matches(".route(").count(), 1, "each has one handler");
    assert_eq!(source.matches("api::get()").count(), 2 * paths.len(), "and that reads");
}

fn without_slash(path: &str) -> &str {
    path.strip_suffix('/').unwrap_or(path)
}

/// The matrix holds, for every actor on every route.
pub fn every_actor_is_answered_as_the_matrix_says() {
    let stage = Stage::new();
    let mut wrong = Vec::new();
    for (method, route, statuses) in MATRIX {
        for ((actor, name), expected) in Actor::ALL.into_iter().zip(statuses) {
            let scene = stage.scene(actor);
            if *method == "GET" {
                let head = scene.call("HEAD", route);
                assert_eq!(
                    (head.status, head.body.as_str()),
                    (*expected, ""),
                    "HEAD {route} {name}"
                );
            }
            let answer = scene.call(method, route);
            if answer.status != *expected {
                wrong.push(format!("{method} {route} {name}: {expected}, not {answer:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Behind the open paths nothing is told to who is not let in: neither which routes there are nor
/// which methods they have.
pub fn the_gate_stands_before_the_routes() {
    let stage = Stage::new();
    let refused = [Actor::Nobody, Actor::Ended, Actor::Disabled, Actor::Deleted, Actor::MustChange];
    for actor in refused {
        let scene = stage.scene(actor);
        let expected = if actor == Actor::Nobody { 401 } else { 403 };
        let protected = MATRIX.iter().filter(|(_, route, _)| !OPEN.contains(route));
        let paths = protected.map(|(_, route, _)| *route).chain(["/", "/nothing", "/users/x/y/z"]);
        for path in paths {
            for method in ["PATCH", "OPTIONS", "TRACE", "LOCK"] {
                let answer = scene.as_actor(method, &scene.path(path)).send();
                assert_eq!(answer.status, expected, "{method} {path} {actor:?}");
                assert_eq!(answer.header("allow"), None, "{method} {path} {actor:?}");
            }
        }
    }
}

/// The table of the documents is the matrix.
pub fn the_matrix_is_documented() {
    let head = ["method", "path"].into_iter().chain(Actor::ALL.map(|(_, name)| name));
    let mut rows = vec![head.map(str::to_owned).collect::<Vec<_>>()];
    for (method, path, statuses) in MATRIX {
        let first = [(*method).to_owned(), format!("`{path}`")];
        rows.push(first.into_iter().chain(statuses.map(|status| status.to_string())).collect());
    }
    files::assert_table(&files::section("docs/CONTROLS.md", "Routes"), &rows);
}
