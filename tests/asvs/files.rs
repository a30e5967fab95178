//! What the repository says: documents, by their sections, and sources.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the repository.
pub fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Its text.
pub fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The text of a section of a document, with the sections below it, up to the next of its rank.
#[track_caller]
pub fn section(document: &str, heading: &str) -> String {
    let text = read(document);
    let mut lines = text.lines().skip_while(|line| title(line).is_none_or(|(_, t)| t != heading));
    let first = lines.next().unwrap_or_else(|| panic!("{document} has no section {heading:?}"));
    let (rank, _) = title(first).unwrap();
    let ends = |line: &&str| title(line).is_some_and(|(other, _)| other <= rank);
    lines.take_while(|line| !ends(line)).collect::<Vec<_>>().join("\n")
}

/// The anchors of a document's headings, as links name them.
pub fn anchors(document: &str) -> Vec<String> {
    let slug = |heading: &str| {
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    read(document).lines().filter_map(title).map(|(_, heading)| slug(heading)).collect()
}

/// The rank and the text of a heading.
fn title(line: &str) -> Option<(usize, &str)> {
    let text = line.trim_start_matches('#');
    let rank = line.len() - text.len();
    (rank > 0).then(|| (rank, text.trim()))
}

/// Whether a source is compiled for tests and for fuzzing alone.
pub fn is_for_fuzzing(path: &Path) -> bool {
    path.iter().any(|part| part == "fuzzing" || part == "fuzzing.rs")
}

/// Whether a source is compiled for tests alone.
fn is_for_tests(path: &Path) -> bool {
    path.iter().any(|part| part == "tests" || part == "tests.rs")
}

/// The program's sources without what only tests see, by their names below `src/`.
pub fn sources() -> Vec<(String, String)> {
    let root = path("src");
    let (mut folders, mut found) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !is_for_fuzzing(path.strip_prefix(&root).unwrap())
                && !is_for_tests(path.strip_prefix(&root).unwrap())
            {
                let text = fs::read_to_string(&path).unwrap();
                // What stands in a file of its own ends nothing.
                let text = text.replace("#[cfg(test)]\nmod tests;\n", "");
                let text = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
                found.push((path.strip_prefix(&root).unwrap().display().to_string(), text));
            }
        }
    }
    assert!(found.len() > 30, "the sources were found");
    found
}

/// The names of all crates that the program is built from, those for tests included.
pub fn crates() -> Vec<String> {
    let lock = read("Cargo.lock");
    let names = lock.lines().filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
    names.map(str::to_owned).collect()
}

/// Holds that the section has a table of exactly these rows, the first of which is its head.
#[track_caller]
pub fn assert_table(section: &str, rows: &[Vec<String>]) {
    let line = |cells: &Vec<String>| format!("| {} |", cells.join(" | "));
    let mut lines: Vec<String> = rows.iter().map(line).collect();
    lines.insert(1, format!("|{}", "---|".repeat(rows[0].len())));
    let table = lines.join("\n");
    let is_there = format!("{section}\n").contains(&format!("\n{table}\n\n"));
    assert!(is_there || section.ends_with(&table), "the section lacks this table:\n{table}");
}
