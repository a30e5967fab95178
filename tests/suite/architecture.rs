//! Who may import whom. The direction is that of `docs/ARCHITECTURE.md`; nothing points back.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module of the crate, and those that it may name.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    ("cli", &["app", "server", "config", "auth", "store", "models", "error", "clock"]),
    (
        "app",
        &[
            "server", "config", "acts", "api", "web", "auth", "store", "models", "error", "clock",
            "random",
        ],
    ),
    ("server", &["config", "api", "auth", "models", "error", "clock", "random"]),
    ("config", &["acts", "auth", "models"]),
    ("api", &["acts", "auth", "store", "models", "error", "clock"]),
    ("web", &["acts", "api", "auth", "models", "error", "clock"]),
    ("acts", &["auth", "models", "error"]),
    ("auth", &["store", "models", "error", "clock", "random"]),
    ("store", &["models", "error", "clock", "random"]),
    ("models", &["error", "clock", "random"]),
    ("random", &["error"]),
    ("error", &[]),
    ("clock", &[]),
    ("fuzzing", &["cli", "api", "auth", "store", "models"]),
    ("lib", &[]),
];

/// Concrete stores and kinds of authentication: named where they are, and in `app.rs`.
const CONCRETE: &[&str] = &[
    "NoAuth",
    "BaseAuth",
    "BasicAuth",
    "SessionAuth",
    "SessionExpAuth",
    "SessionDBAuth",
    "JsonTable",
    "MemoryTable",
    "SystemClock",
    "SystemRandom",
    "Disk",
];

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut folders, mut found) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                // What only tests see may go anywhere.
                let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                found.push((path.strip_prefix(&root).unwrap().to_owned(), text));
            }
        }
    }
    assert!(found.len() > 30, "the sources were found");
    found
}

fn module_of(path: &Path) -> String {
    path.iter().next().unwrap().to_string_lossy().trim_end_matches(".rs").to_owned()
}

/// The modules of this crate that a source names.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let code = code.collect::<Vec<_>>().join("\n").replace("sessiond::", "crate::");
    let named = code.split("crate::").skip(1);
    let name = |rest: &str| rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    named.map(name).filter(|name: &String| !name.is_empty()).collect()
}

#[test]
fn every_import_points_down() {
    for (path, text) in sources() {
        let module = module_of(&path);
        let (_, allowed) = MAY_IMPORT
            .iter()
            .find(|(name, _)| *name == module)
            .unwrap_or_else(|| panic!("{module} has no rule"));
        for import in imports(&text) {
            let fine = import == module || allowed.contains(&import.as_str());
            assert!(fine, "{} must not import {import}", path.display());
        }
    }
}

#[test]
fn models_and_stores_know_nothing_of_http() {
    for (path, text) in sources() {
        if ["models", "store", "clock", "random"].contains(&module_of(&path).as_str()) {
            assert!(!text.contains("actix"), "{}", path.display());
        }
    }
}

#[test]
fn only_the_composition_root_names_concrete_kinds() {
    for (path, text) in sources() {
        let own = ["app", "store", "auth", "clock", "random"].contains(&module_of(&path).as_str());
        let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
        let code = code.collect::<Vec<_>>().join("\n");
        let words: BTreeSet<&str> =
            code.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
        for name in CONCRETE.iter().filter(|_| !own) {
            // A request id needs no seam, a log line no other clock; AuthType has the same names.
            let excused = path.starts_with("server") || path.starts_with("config");
            assert!(excused || !words.contains(name), "{} names {name}", path.display());
        }
    }
}

#[test]
fn no_source_is_longer_than_300_lines_without_its_tests() {
    for (path, text) in sources() {
        assert!(text.lines().count() <= 300, "{}", path.display());
    }
}

#[test]
fn the_examples_are_as_short_as_they_are_said_to_be() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let found = fs::read_dir(&folder).unwrap().count();
    let limits = [("guard_your_app", 40), ("own_auth", 60), ("own_store", 200)];
    assert_eq!(found, limits.len(), "each has a limit");
    for (name, limit) in limits {
        let text = fs::read_to_string(folder.join(name).with_extension("rs")).unwrap();
        assert!(text.lines().count() < limit, "{name}");
    }
}
